"""The contract of engines: a problem, a limit, a seed and a listener in; routes out.

An engine is a module-level function ``solve(problem, limit, seed, told, start)``. It tells of every
set of trips that is better than before, and hands back the trips it met on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from twin.optimize.route_problem import RouteProblem, Trip

Trips = tuple[Trip, ...]

#: Hears of each better set of trips.
Told = Callable[[Trips], None]


@dataclass(frozen=True, slots=True)
class Limit:
    """When to stop: after so much work, or by a clock.

    Attributes
    ----------
    seconds
        Of the clock named; the guard where work is counted.
    work
        Seconds' worth of iterations, each engine's own number a second; None: the clock stops.
    clock
        ``wall``, or ``cpu``: of the engine's own process, for measuring on a shared machine.
    """

    seconds: float
    work: float | None = None
    clock: str = "wall"

    def stopwatch(self) -> Callable[[], float]:
        """Seconds left, from now on."""
        now = time.process_time if self.clock == "cpu" else time.monotonic
        end = now() + self.seconds
        return lambda: end - now()


@dataclass(frozen=True, slots=True)
class Found:
    """What an engine came to.

    Attributes
    ----------
    best
        None: nothing that keeps every requirement it knows.
    pool
        Trips met on the way, for others to combine.
    iterations
        Deterministic work, in the engine's own unit.
    stopped_by
        ``work``, ``wall`` or ``proof``.
    """

    best: Trips | None
    pool: frozenset[Trip] = field(default_factory=frozenset)
    iterations: int = 0
    stopped_by: str = "wall"


class Engine(Protocol):
    """Searches for routes."""

    def __call__(self, problem: RouteProblem, limit: Limit, seed: int, told: Told,
                 start: Trips | None = None) -> Found:
        """Search until the limit; `start` is a set of trips to begin with."""


def out_of_reach(problem: RouteProblem) -> frozenset[int]:
    """Stops that no truck can serve even alone, and their other halves: engines leave them out."""
    from twin.optimize.route_checker import faults
    from twin.optimize.route_times import timed

    drops, pickups = problem.partners()
    kinds = [group[0] for group in problem.kinds()]
    gone = set()
    for number in range(len(problem.stops)):
        if number in pickups:
            continue
        order = (number, drops[number]) if number in drops else (number,)
        for truck in kinds:
            tour = timed(problem, Trip(truck, order))
            if tour is not None and not faults(problem, [tour], complete=False):
                break
        else:
            gone |= set(order)
    return frozenset(gone)
