"""A routing problem in whole numbers, as the engines want it; always on the safe side.

Hours are rounded up on the way and inwards at windows, loads up and capacities down, so that what
holds in whole numbers holds. Money keeps six digits of the dearest leg.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, inf, isfinite

import numpy as np

from twin.optimize.route_problem import RouteProblem

_EPS = 1e-6
_DIGITS = 1_000_000
FAR = 1_000_000_000


def _is_whole(values: np.ndarray) -> bool:
    return bool(np.all(np.abs(values - np.round(values)) < 1e-9))


@dataclass(frozen=True)
class Whole:
    """The problem with its units: ticks an hour, cents a unit of money, grains a unit of load.

    Examples
    --------
    >>> from twin.optimize.route_problem import RouteTruck, Stop
    >>> line = np.array([[0.0, 7.0], [7.0, 0.0]])
    >>> whole = Whole(RouteProblem(line, line, (Stop("shop", 1, (2.0,)),), (RouteTruck("van"),)))
    >>> whole.ticks, whole.cents, int(whole.travel(0)[0, 1])
    (1, 1, 7)
    """

    problem: RouteProblem

    @cached_property
    def _moments(self) -> np.ndarray:
        problem = self.problem
        times = [t for stop in problem.stops for window in stop.windows for t in window]
        times += [stop.service for stop in problem.stops]
        times += [t for truck in problem.trucks for t in (truck.earliest, truck.latest)]
        return np.array([t for t in times if isfinite(t)] or [0.0])

    @cached_property
    def ticks(self) -> int:
        """Units of time in an hour."""
        problem = self.problem
        driven = np.concatenate([problem.hours.ravel() * pace
                                 for pace in {truck.pace for truck in problem.trucks}])
        if _is_whole(driven) and _is_whole(self._moments):
            return 1
        longest = max(float(np.max(np.abs(self._moments))), float(driven.max()), 1.0)
        return int(10 ** max(2, min(5, floor(np.log10(2e7 / longest)))))

    @cached_property
    def cents(self) -> int:
        """Units of money."""
        problem = self.problem
        costs = np.concatenate([problem.km.ravel() * rate
                                for rate in {truck.per_km for truck in problem.trucks}])
        other = np.array([x for t in problem.trucks for x in (t.fixed, t.per_hour)]
                         + [s.penalty or 0.0 for s in problem.stops])
        per_hour = any(truck.per_hour for truck in problem.trucks)
        if not per_hour and _is_whole(costs) and _is_whole(other):
            return 1
        unit = int(10 ** max(0, min(6, floor(np.log10(_DIGITS / max(float(costs.max()), 1e-3))))))
        return max(unit, self.ticks * 100) if per_hour else unit

    @cached_property
    def grains(self) -> list[int]:
        """Units of load, per kind of capacity."""
        problem, found = self.problem, []
        for kind in range(problem.dimensions):
            loads = np.array([problem.load(s, kind) for s in range(len(problem.stops))] or [0.0])
            top = max(float(np.abs(loads).sum()), 1.0)
            found.append(1 if _is_whole(loads) else 10 ** max(0, min(6, floor(np.log10(1e9 / top))
                                                                     )))
        return found

    def travel(self, truck: int) -> np.ndarray:
        """Ticks between places."""
        hours = self.problem.hours * self.problem.trucks[truck].pace * self.ticks
        return np.asarray(np.ceil(hours - _EPS), dtype=np.int64)

    def cost(self, truck: int) -> np.ndarray:
        """Cents between places."""
        return np.asarray(np.round(self.problem.km * self.problem.trucks[truck].per_km
                                   * self.cents), dtype=np.int64)

    def money(self, amount: float) -> int:
        """In cents."""
        return round(amount * self.cents)

    def opening(self, hours: float) -> int:
        """Earliest tick."""
        return -FAR if hours == -inf else ceil(hours * self.ticks - _EPS)

    def closing(self, hours: float) -> int:
        """Latest tick."""
        return FAR if hours == inf else floor(hours * self.ticks + _EPS)

    def span(self, hours: float) -> int:
        """A duration, rounded up."""
        return FAR if hours == inf else ceil(hours * self.ticks - _EPS)

    def load(self, stop: int, kind: int) -> int:
        """A load in grains, its size rounded up."""
        amount = self.problem.load(stop, kind) * self.grains[kind]
        return int(np.sign(amount)) * ceil(abs(amount) - _EPS)

    def capacity(self, truck: int, kind: int) -> int:
        """A capacity in grains."""
        holds = self.problem.capacity(truck, kind)
        return FAR if holds == inf else min(FAR, floor(holds * self.grains[kind] + _EPS))

    @cached_property
    def weight(self) -> int:
        """Cents that one truck less is worth where the goal is fewest trucks."""
        if self.problem.goal != "trucks":
            return 0
        dearest = max(int(self.cost(group[0]).max()) for group in self.problem.kinds())
        return max(1, dearest) * min(40, len(self.problem.stops) + 1)

    def fixed(self, truck: int) -> int:
        """Cents for using a truck."""
        return self.money(self.problem.trucks[truck].fixed) + self.weight
