"""Hours that work centres have, and what a unit takes of the one that it loads most."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twin.network import Network
from twin.optimize.policy_flow import Node

WEEK_H = 168.0

#: Open spans of a calendar at a site between two times, hours from the start of the model.
Hours = Callable[[str, str, float, float], Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Load:
    """What making a product takes of its most loaded work centre.

    Attributes
    ----------
    unit_h, lot_h
        Hours that a unit takes, and that a lot takes besides (its set-up).
    week_h
        Hours that the work centre works in a mean week.
    """

    site: str
    group: str
    unit_h: float
    lot_h: float
    setup_cost: float
    week_h: float

    @property
    def name(self) -> str:
        """As a planner names it."""
        return f"hours of {self.group} at {self.site}"


class Capacity:
    """Work centres of a network, with their shifts and what failures take.

    Examples
    --------
    >>> network = Network(
    ...     sites=[{"site": "P", "kind": "plant"}], products=[{"product": "tea", "lot_size": 10}],
    ...     groups=[{"site": "P", "group": "pack"}],
    ...     machines=[{"machine": "M", "site": "P", "group": "pack", "units": 2}],
    ...     failures=[{"asset": "M", "time_to_failure": "9h", "time_to_repair": "1h"}],
    ...     routings=[{"site": "P", "product": "tea", "step": 1, "group": "pack",
    ...                "process_time": "6min", "per": "unit", "setup_time": "30min"}])
    >>> load = Capacity(network).load(("P", "tea"))
    >>> load.name, load.unit_h, load.lot_h, round(load.week_h, 3)
    ('hours of pack at P', 0.1, 0.5, 302.4)
    """

    def __init__(self, network: Network, hours: Hours | None = None, now_h: float = 0.0) -> None:
        self.network, self.hours, self.now_h = network, hours, now_h
        self._weeks: dict[tuple[str, str], float] = {}

    def week(self, site: str, group: str) -> float:
        """Machine hours of a work centre in a mean week of the four to come."""
        if (site, group) not in self._weeks:
            self._weeks[site, group] = self._week(site, group)
        return self._weeks[site, group]

    def _week(self, site: str, group: str) -> float:
        total = 0.0
        for row in self.network.machines.values():
            if (row.site, row.group) == (site, group):
                crew = self.network.crews.get(row.crew or "")
                shifts = [(row.calendar, site), (crew.calendar, crew.site or site) if crew else
                          (None, site)]
                open_h = min(self._open(name, where) for name, where in shifts)
                total += row.units * row.speed * open_h * self._up(row.machine)
        return total

    def load(self, node: Node) -> Load | None:
        """Of the work centre that a unit takes the largest share of; None if it needs none."""
        site, product = node
        lot = self.network.products[product].lot_size or 1.0
        best, share = None, 0.0
        for step in self.network.routings.values():
            if (step.site, step.product) != node or step.group is None:
                continue
            each = step.process_time.mean()
            if step.per != "unit":
                each /= lot * (step.batch if step.per == "batch" else 1)
            week_h = self.week(site, step.group)
            if week_h > 0.0 and each / week_h > share:
                time, cost = self._setup(site, step.group, step.setup_family or product,
                                         step.setup_time.mean())
                best, share = Load(site, step.group, each, time, cost, week_h), each / week_h
        return best

    def _setup(self, site: str, group: str, family: str, usual: float) -> tuple[float, float]:
        """Mean hours and cost of a set-up to a family."""
        rows = [row for row in self.network.setups.values()
                if (row.site, row.group, row.to_family) == (site, group, family)]
        if not rows:
            return usual, 0.0
        return (sum(row.time.mean() for row in rows) / len(rows),
                sum(row.cost for row in rows) / len(rows))

    def _open(self, calendar: str | None, site: str) -> float:
        if calendar is None or self.hours is None:
            return WEEK_H
        end = self.now_h + 4 * WEEK_H
        return math.fsum(close - begin for begin, close in self.hours(
            calendar, site, self.now_h, end)) / 4.0

    def _up(self, machine: str) -> float:
        share = 1.0
        for row in self.network.failures.values():
            if row.asset == machine and row.time_to_failure is not None:
                mean = row.time_to_failure.mean()
                share *= mean / (mean + row.time_to_repair.mean()) if mean > 0.0 else 1.0
        return share
