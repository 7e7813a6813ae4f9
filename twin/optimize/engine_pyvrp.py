"""PyVRP as an engine: iterated local search; windows, depots, mixed fleets, optional stops, pairs.

It has no driver hours (breaks, longest driving), and several windows only at stops without a pair;
such problems are left to the other engine. Refrigeration and a choice of trucks become capacities
that the wrong truck does not have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyvrp

from twin.optimize.engine import Found, Limit, Told, Trips
from twin.optimize.engine_whole import Whole
from twin.optimize.route_problem import RouteProblem, Trip

#: Iterations at 100 stops that a second of work stands for; half of what a quiet core does.
ITERATIONS = 900
_NEAR = 1.03
_POOL = 30_000


def lacks(problem: RouteProblem) -> str:
    """What this engine cannot say; blank if it can say everything."""
    if any(truck.hours is not None for truck in problem.trucks):
        return "driver hours"
    paired = {stop for pair in problem.pairs for stop in pair}
    if any(len(problem.stops[stop].windows) > 1 for stop in paired):
        return "several windows at a pickup or its delivery"
    if any(stop.windows[0][0] < 0.0 for stop in problem.stops) or any(
            truck.earliest < 0.0 for truck in problem.trucks):
        return "times before the start"
    return ""


class _Listener(pyvrp.IteratedLocalSearchCallbacks):
    """Tells of better solutions and keeps the routes of good ones."""

    def __init__(self, model: _Model, told: Told) -> None:
        self.model, self.told = model, told
        self.pool: set[Trip] = set()
        self.iterations = 0

    def on_best(self, best: Any) -> None:
        if best.is_feasible():
            trips = self.model.trips(best)
            self.pool.update(trips)
            self.told(trips)

    def on_iteration(self, current: Any, candidate: Any, best: Any, cost_evaluator: Any) -> None:
        self.iterations += 1
        if self.iterations % 4 == 0 and len(self.pool) < _POOL and candidate.is_feasible() and (
                cost_evaluator.cost(candidate) <= _NEAR * cost_evaluator.cost(best)):
            self.pool.update(self.model.trips(candidate))


class _Stop:
    """PyVRP's stopping criterion: work first, the clock as guard."""

    def __init__(self, limit: Limit, iterations: int | None) -> None:
        self.left, self.iterations = limit.stopwatch(), iterations
        self.done, self.by = 0, ""

    def __call__(self, best_cost: float) -> bool:
        self.done += 1
        if self.iterations is not None and self.done > self.iterations:
            self.by = "work"
        elif self.left() <= 0.0:
            self.by = "wall"
        return bool(self.by)


def solve(problem: RouteProblem, limit: Limit, seed: int, told: Told,
          start: Trips | None = None) -> Found:
    """Search with PyVRP; see `twin.optimize.engine`."""
    model = _Model(problem, start)
    listener = _Listener(model, told)
    iterations = None if limit.work is None else max(
        20, int(limit.work * ITERATIONS * 100 / max(30, len(problem.stops))))
    stop = _Stop(limit, iterations)
    prizes = [model.whole.money(one.penalty or 0.0) for one in problem.stops]
    params = pyvrp.SolveParams(
        ils=pyvrp.IteratedLocalSearchParams(callbacks=listener),
        # a grain too much must cost more than a stop left out, or all are served and none well
        penalty=pyvrp.PenaltyParams(max_penalty=max(100_000.0, 2.0 * max(prizes, default=0.0))))
    result = pyvrp.solve(model.data, stop=stop, seed=seed, collect_stats=False, params=params,
                         initial_solution=model.solution(start) if start else None)
    best = model.trips(result.best) if result.best.is_feasible() else None
    return Found(best, frozenset(listener.pool), stop.done, stop.by or "wall")


class _Model:
    """The problem in PyVRP's words, and the way back."""

    def __init__(self, problem: RouteProblem, start: Trips | None) -> None:
        self.problem, self.whole = problem, Whole(problem)
        self.kinds = problem.kinds()
        self.open_end = any(truck.end is None for truck in problem.trucks)
        self.clients: list[int] = []  #: stop of each client
        self.shipments = list(problem.pairs)
        self.gates = self._gates()
        self.data = pyvrp.ProblemData(*self._parts(start))

    def _gates(self) -> list[tuple[set[int], set[int]]]:
        """(stops, trucks allowed) for each kind of restriction."""
        problem = self.problem
        by: dict[frozenset[int], set[int]] = {}
        everyone = frozenset(range(len(problem.trucks)))
        for number in range(len(problem.stops)):
            one = problem.stops[number]
            if one.cold or one.trucks is not None:
                able = frozenset(t for t in everyone if problem.may(number, t))
                if able != everyone:
                    by.setdefault(able, set()).add(number)
        return [(stops, set(able)) for able, stops in by.items()]

    def _parts(self, start: Trips | None) -> tuple[Any, ...]:
        problem, whole = self.problem, self.whole
        places = len(problem.km) + self.open_end
        locations = [pyvrp.Location(0, 0) for _ in range(places)]
        ends = sorted({t.start for t in problem.trucks}
                      | {places - 1 if t.end is None else t.end for t in problem.trucks})
        depots = [pyvrp.Depot(place) for place in ends]
        clients, groups = self._clients()
        profiles: dict[tuple[float, float], int] = {}
        types = []
        for group in self.kinds:
            truck = problem.trucks[group[0]]
            profile = profiles.setdefault((truck.pace, truck.per_km), len(profiles))
            last = places - 1 if truck.end is None else truck.end
            count = len(group) if not start or problem.goal != "trucks" or len(self.kinds) > 1 \
                else min(len(group), len(start))
            types.append(pyvrp.VehicleType(
                count, self._capacity(group[0]), ends.index(truck.start), ends.index(last),
                whole.fixed(group[0]), max(0, whole.opening(truck.earliest)),
                whole.closing(truck.latest), unit_distance_cost=1,
                unit_duration_cost=round(truck.per_hour * whole.cents / whole.ticks),
                profile=profile))
        by_profile = {profile: group[0] for group in reversed(self.kinds) for profile in
                      [profiles[problem.trucks[group[0]].pace, problem.trucks[group[0]].per_km]]}
        matrices = [(self._padded(whole.cost(by_profile[p])),
                     self._padded(whole.travel(by_profile[p]))) for p in range(len(profiles))]
        return (locations, clients, depots, types, [m[0] for m in matrices],
                [m[1] for m in matrices], groups, self._shipments())

    def _padded(self, matrix: np.ndarray) -> np.ndarray:
        return np.pad(matrix, ((0, 1), (0, 1))) if self.open_end else matrix

    def _capacity(self, truck: int) -> list[int]:
        holds = [self.whole.capacity(truck, k) for k in range(self.problem.dimensions)]
        return holds + [len(self.problem.stops) if truck in able else 0 for _, able in self.gates]

    def _amounts(self, stop: int, sign: int) -> list[int]:
        loads = [max(0, sign * self.whole.load(stop, k)) for k in range(self.problem.dimensions)]
        return loads + [int(sign > 0 and stop in stops) for stops, _ in self.gates]

    def _clients(self) -> tuple[list[Any], list[Any]]:
        whole = self.whole
        clients: list[Any] = []
        groups: list[Any] = []
        paired = {stop for pair in self.problem.pairs for stop in pair}
        for number, stop in enumerate(self.problem.stops):
            if number in paired:
                continue
            group = None
            if len(stop.windows) > 1:
                group = len(groups)
                groups.append(pyvrp.ClientGroup(
                    list(range(len(clients), len(clients) + len(stop.windows))),
                    required=stop.penalty is None))
            for begin, close in stop.windows:
                clients.append(pyvrp.Client(
                    stop.place, self._amounts(number, 1), self._amounts(number, -1),
                    whole.span(stop.service), max(0, whole.opening(begin)), whole.closing(close),
                    prize=whole.money(stop.penalty or 0.0),
                    required=stop.penalty is None and group is None, group=group))
                self.clients.append(number)
        return clients, groups

    def _shipments(self) -> list[Any]:
        whole, found = self.whole, []
        for pickup, drop in self.shipments:
            one, two = self.problem.stops[pickup], self.problem.stops[drop]
            amounts = [max(a, b) for a, b in zip(self._amounts(pickup, -1),
                                                 self._amounts(drop, 1), strict=True)]
            for k, (stops, _) in enumerate(self.gates):
                amounts[self.problem.dimensions + k] = int(pickup in stops or drop in stops)
            found.append(pyvrp.Shipment(
                one.place, two.place, max(0, whole.opening(one.windows[0][0])),
                whole.closing(one.windows[0][1]), whole.span(one.service),
                max(0, whole.opening(two.windows[0][0])), whole.closing(two.windows[0][1]),
                whole.span(two.service), amounts, prize=whole.money(one.penalty or 0.0),
                required=one.penalty is None))
        return found

    def _stops(self, route: Iterable[Any]) -> tuple[int, ...]:
        found = []
        for activity in route:
            kind = activity.type
            if kind == pyvrp.ActivityType.CLIENT:
                found.append(self.clients[activity.idx])
            elif kind == pyvrp.ActivityType.PICKUP:
                found.append(self.shipments[activity.idx][0])
            elif kind == pyvrp.ActivityType.DELIVERY:
                found.append(self.shipments[activity.idx][1])
        return tuple(found)

    def trips(self, solution: Any) -> Trips:
        """A solution as trips; identical trucks are taken in order."""
        taken = [0] * len(self.kinds)
        found = []
        for route in solution.routes():
            kind = route.vehicle_type()
            found.append(Trip(self.kinds[kind][taken[kind]], self._stops(route)))
            taken[kind] += 1
        return tuple(found)

    def solution(self, trips: Trips) -> Any:
        """Trips as a solution to begin with."""
        kind_of = {truck: k for k, group in enumerate(self.kinds) for truck in group}
        client = {stop: number for number, stop in reversed(list(enumerate(self.clients)))}
        pickups = {pair[0]: number for number, pair in enumerate(self.shipments)}
        drops = {pair[1]: number for number, pair in enumerate(self.shipments)}
        kinds = pyvrp.ActivityType
        routes = []
        for trip in trips:
            activities = []
            for stop in trip.stops:
                if stop in pickups:
                    activities.append(pyvrp.Activity(kinds.PICKUP, pickups[stop]))
                elif stop in drops:
                    activities.append(pyvrp.Activity(kinds.DELIVERY, drops[stop]))
                else:
                    activities.append(pyvrp.Activity(kinds.CLIENT, client[stop]))
            routes.append(pyvrp.Route(self.data, activities, kind_of[trip.truck]))
        return pyvrp.Solution(self.data, routes)


