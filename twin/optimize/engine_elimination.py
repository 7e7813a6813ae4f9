"""Fewest trucks: routes are dissolved one by one, their stops placed elsewhere by ejections.

A stop that fits nowhere takes the place of up to three that were less often hard to place; these
wait in turn, and between two such steps random moves change the routes. For interchangeable trucks
that come back to where they started, one window a stop, and no driver hours.

References
----------
Nagata and Braysy, Operations Research Letters 37 (2009), and Nagata and Kobayashi, PPSN XI (2010),
for ejection with a count of failures. The search here is plainer: no infeasible routes.
"""

from __future__ import annotations

from math import ceil, inf
from typing import Any

import numpy as np

from twin.optimize import route_moves, tabu_moves
from twin.optimize.engine import Found, Limit, Told, Trips
from twin.optimize.route_problem import RouteProblem, Trip

#: Placements that a second of work stands for.
STEPS = 1000
_SHAKES = 200
_CHUNK = 20


def lacks(problem: RouteProblem) -> str:
    """What this engine cannot say, or needs; blank if it can help."""
    truck = problem.trucks[0]
    paired = {stop for pair in problem.pairs for stop in pair}
    if not tabu_moves.COMPILED:
        return "Numba, which is not installed"
    if len(problem.kinds()) > 1 or truck.end != truck.start or truck.hours is not None:
        return "several kinds of truck, other ends, or driver hours"
    if any(len(s.windows) > 1 or s.penalty is not None for s in problem.stops):
        return "several windows or optional stops"
    if any(not problem.may(n, 0) for n in range(len(problem.stops))) or not problem.stops:
        return "stops that no truck may serve"
    if any(problem.load(n, k) < 0.0 for n in range(len(problem.stops))
           for k in range(problem.dimensions) if n not in paired):
        return "goods taken back to the depot"
    return ""


def solve(problem: RouteProblem, limit: Limit, seed: int, told: Told,
          start: Trips | None = None) -> Found:
    """Dissolve routes for as long as the limit lets, or until no fewer could carry the loads."""
    search = _Search(problem, seed)
    return search.run(limit, told, start)


class _Search:
    def __init__(self, problem: RouteProblem, seed: int) -> None:
        self.problem = problem
        self.luck = np.random.default_rng([seed, 0xE7EC])
        route_moves.seeded(seed)
        drops, pickups = problem.partners()
        self.heads = [n for n in range(len(problem.stops)) if n not in pickups]
        self.data = self._data(drops)
        size, kinds, count = len(problem.stops), len(self.data[5]), len(self.heads)
        self.routes: tuple[Any, ...] = (
            np.zeros((count, size), np.int64), np.zeros(count, np.int64), np.zeros((count, size)),
            np.zeros((count, size)), np.zeros((count, size + 1, kinds)),
            np.zeros((count, size + 1, kinds)), np.full(count, -1, np.int64))
        self.work: tuple[Any, ...] = (
            np.zeros(size, np.int64), np.zeros(size), np.zeros(size),
            np.zeros((size + 1, kinds)), np.zeros((size + 1, kinds)), np.zeros(2, np.int64),
            np.zeros(size, np.int64))
        self.count = 0
        self.pool: set[Trip] = set()

    def _data(self, drops: dict[int, int]) -> tuple[Any, ...]:
        problem, truck = self.problem, self.problem.trucks[0]
        places = np.array([s.place for s in problem.stops] + [truck.start])
        kinds = [k for k in range(problem.dimensions) if problem.capacity(0, k) < inf] or [0]
        loads = np.array([[problem.load(n, k) for k in kinds] for n in range(len(problem.stops))])
        second = np.array([drops.get(n, -1) for n in self.heads], np.int64)
        request = np.zeros(len(problem.stops), np.int64)
        for number, head in enumerate(self.heads):
            request[head] = number
            if second[number] >= 0:
                request[second[number]] = number
        far = 1e15
        return (problem.hours[np.ix_(places, places)] * truck.pace,
                np.array([s.windows[0][0] for s in problem.stops]),
                np.array([min(far, s.windows[0][1]) for s in problem.stops]),
                np.array([s.service for s in problem.stops]), loads,
                np.array([min(far, problem.capacity(0, k)) for k in kinds]),
                np.array(self.heads, np.int64), second, request,
                np.array([truck.earliest, min(far, truck.latest)]))

    def run(self, limit: Limit, told: Told, start: Trips | None) -> Found:
        """Reduce route by route."""
        left = limit.stopwatch()
        most = None if limit.work is None else max(
            _CHUNK, int(limit.work * STEPS * 100 / max(30, len(self.problem.stops))))
        steps, by = 0, ""
        if not self._begin(start):
            return Found(None, stopped_by="proof")
        best = self._told(told, None)
        least = self._least()
        while not by:
            if self.count <= least:
                by = "proof"
                break
            kept = tuple(part.copy() for part in self.routes), self.count
            waiting, pool = self._dissolve()
            weight = np.ones(len(self.heads), np.int64)
            while waiting:
                if most is not None and steps >= most:
                    by = "work"
                elif left() <= 0.0:
                    by = "wall"
                if by:
                    self.routes, self.count = kept
                    break
                waiting = route_moves.empty_pool(self.data, self.routes, self.count, pool, waiting,
                                                 weight, _CHUNK, _SHAKES, 3, self.work)
                steps += _CHUNK
            else:
                best = self._told(told, best)
        return Found(best, frozenset(self.pool), steps, by)

    def _least(self) -> int:
        """No fewer trucks could carry what is brought from the depot."""
        heads = [n for n in self.heads if self.data[7][self.data[8][n]] < 0]
        if not heads or not self.problem.dimensions:
            return 1
        totals = self.data[4][heads].sum(axis=0) / np.maximum(self.data[5], 1e-12)
        return max(1, ceil(float(totals.max()) - 1e-9))

    def _begin(self, start: Trips | None) -> bool:
        """One route a request, or those given; False if a request cannot be served at all."""
        given = [list(trip.stops) for trip in start or () if trip.stops]
        served = {stop for stops in given for stop in stops}
        for number, head in enumerate(self.heads):
            if head not in served:
                drop = int(self.data[7][number])
                given.append([head] if drop < 0 else [head, drop])
        _, _, soon, late, board, most, _ = self.routes
        for r, stops in enumerate(given):
            spare = np.zeros(len(self.problem.stops), np.int64)
            spare[:len(stops)] = stops
            if not route_moves.fill(self.data, spare, len(stops), soon[r], late[r], board[r],
                                    most[r]):
                return False
            route_moves.settle(self.data, self.routes, r, spare, len(stops))
        self.count = len(given)
        return True

    def _dissolve(self) -> tuple[int, Any]:
        """Take one route apart, the last one moving to its place; what waits."""
        seq, sizes, _, _, _, _, where = self.routes
        r = int(self.luck.integers(self.count))
        pool = np.zeros(len(self.heads) + 3, np.int64)
        mine = [int(q) for q in np.flatnonzero(where == r)]
        self.luck.shuffle(mine)
        pool[:len(mine)] = mine
        where[mine] = -1
        last = self.count - 1
        if r != last:
            spare = seq[last].copy()
            route_moves.settle(self.data, self.routes, r, spare, int(sizes[last]))
        sizes[last] = 0
        self.count = last
        return len(mine), pool

    def _told(self, told: Told, best: Trips | None) -> Trips | None:
        """Tell of the present routes, once they are no more than the trucks."""
        if self.count > len(self.problem.trucks):
            return best
        seq, sizes = self.routes[0], self.routes[1]
        trips = tuple(Trip(r, tuple(int(s) for s in seq[r, :sizes[r]]))
                      for r in range(self.count) if sizes[r])
        self.pool.update(trips)
        told(trips)
        return trips
