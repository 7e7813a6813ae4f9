"""Worlds to listen to: played with a ledger, told as readings, folded, compared with the truth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pandas as pd

import twin
from twin.commands.rules import SimulationRules
from twin.commands.state import fresh_state, sensed
from twin.ledger import Ledger
from twin.network import Network
from twin.readings import to_frame
from twin.scenario import Scenario
from twin.simulate import play
from twin.state import State
from twin.witness import readings_of_rows

BASELINE = Scenario.baseline()
DAY = 24.0


@cache
def model(name: str) -> Network:
    """A shipped model."""
    return twin.read_model(name)


@cache
def rules(name: str) -> SimulationRules:
    """Its rules."""
    return SimulationRules(model(name))


@cache
def fresh(name: str) -> State:
    """Its state at the beginning."""
    return fresh_state(model(name))


def lived(network: Network, hours: float, *, seed: int = 3, after: float = 0.0,
          replication: int = 0) -> tuple[pd.DataFrame, State, Any]:
    """Readings of the first hours of a world, its state then, and the sums of the hours after."""
    ledger = Ledger()
    run = play(network, BASELINE, horizon_h=hours + after, warmup_h=hours, save_at=hours,
               seed=seed, replication=replication, ledger=ledger)
    rows = ledger.frame()
    assert run.state is not None
    told = readings_of_rows(rows[rows["time"] < hours], network.start)
    return to_frame(told), run.state, run.tally.sums


def state_of(network: Network, readings: pd.DataFrame, hours: float) -> State:
    """The state that readings tell."""
    return sensed(readings, network, network.start.timestamp() + hours * 3600.0)[1]


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value with the path that leads to it."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(values, list):
        yield f"{path}.#", len(values)
        for place, value in enumerate(values):
            yield from leaves(value, f"{path}.{place}")
    else:
        yield path, values


def differences(one: Any, other: Any, unlike: frozenset[str] = frozenset()) -> list[Any]:
    """Paths at which two documents differ; the last word of a path may be `unlike`."""
    left, right = dict(leaves(one)), dict(leaves(other))
    found = []
    for path in sorted(left.keys() | right.keys()):
        a, b = left.get(path, "-"), right.get(path, "-")
        if path.rpartition(".")[2] in unlike:
            continue
        if isinstance(a, int | float) and isinstance(b, int | float) \
                and not isinstance(a, bool) and not isinstance(b, bool):
            if abs(a - b) > 1e-5 * max(1.0, abs(a)):
                found.append((path, a, b))
        elif a != b:
            found.append((path, a, b))
    return found
