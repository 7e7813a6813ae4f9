"""A failing machine: its degradation runs away, it breaks down, and each life is shorter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.clock import format_duration, parse_duration
from twin.network import Network

_SHORTER = 0.6  #: each life over the one before
_LIVES = 3
_REPAIR_H = 8.0


@dataclass(frozen=True, slots=True)
class Failing:
    """Which machine, since when, and when it breaks down.

    Attributes
    ----------
    machine
        Its name.
    start
        When its degradation begins to run away, hours after listening begins.
    fails
        When it breaks down, rising; after each repair the degradation begins again.

    Examples
    --------
    >>> mill = Failing("mill", 10.0, (30.0, 42.0))
    >>> [mill.gone(hour) for hour in (9.0, 20.0, 29.0, 36.0, 50.0)]
    [0.0, 0.25, 0.9025, 0.25, 0.0]
    """

    machine: str
    start: float
    fails: tuple[float, ...]

    @classmethod
    def planted(cls, machine: str, start: float, life: float) -> Failing:
        """One whose first life is given, and each later one shorter, hours."""
        lives = life * _SHORTER ** np.arange(_LIVES)
        return cls(machine, round(start, 1),
                   tuple(round(float(hour), 1) for hour in start + np.cumsum(lives)))

    def gone(self, hours: float) -> float:
        """How far its degradation has run away, from 0 to 1 where it fails."""
        began = self.start
        for fails in self.fails:
            if began <= hours < fails:
                return ((hours - began) / (fails - began)) ** 2
            began = fails
        return 0.0

    def events(self) -> dict[str, dict[str, Any]]:
        """Its breakdowns, as events of a scenario."""
        return {f"failing_{self.machine}_{number}": {
            "type": "breakdown", "machines": self.machine, "start": hour, "repair": _REPAIR_H}
            for number, hour in enumerate(self.fails, 1)}

    def document(self) -> dict[str, Any]:
        """As it is written."""
        return {"machine": self.machine, "start": format_duration(self.start),
                "fails": [format_duration(hour) for hour in self.fails]}


def failing_machine(network: Network, start: float, life: float,
                    luck: np.random.Generator) -> tuple[Failing, ...]:
    """One of the machines that stand alone, drawn; none if there is none."""
    names = sorted(row.machine for row in network.machines.values() if row.units == 1)
    if not names:
        return ()
    return (Failing.planted(names[int(luck.integers(len(names)))], start, life),)


def read_failing(rows: object, name: str) -> tuple[tuple[Failing, ...], list[str]]:
    """Failing machines of a document, and what is wrong with them."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return (), [f"{name}: failing is not a list. Write '- {{machine: M1, start: 10d, "
                    "fails: [14d]}'."]
    found, problems = [], []
    for number, row in enumerate(rows, 1):
        try:
            hours = [parse_duration(str(hour)) for hour in row["fails"]]
            one = Failing(str(row["machine"]), parse_duration(str(row["start"])), tuple(hours))
            if not hours or not all(early < late for early, late in
                                    zip((one.start, *hours), hours, strict=False)) \
                    or not math.isfinite(hours[-1]):
                raise ValueError("fails do not rise from start on")
            found.append(one)
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"{name} failing {number}: {error}. Write machine, start and fails.")
    return tuple(found), problems
