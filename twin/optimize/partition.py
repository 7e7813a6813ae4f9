"""The best set of trips out of a pool: set partitioning, by CP-SAT.

A linear relaxation first says what each stop is worth; a trip whose reduced cost exceeds the gap to
the incumbent is in no better set, and is left away before CP-SAT begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from twin.optimize.engine import Trips
from twin.optimize.engine_whole import Whole
from twin.optimize.route_problem import RouteProblem, Trip
from twin.optimize.route_times import timed, tour_cost

_SCALE = 100_000
_MOST = 12_000


@dataclass(frozen=True, slots=True)
class Column:
    """A trip by any truck of a kind, and what it costs."""

    kind: int
    stops: tuple[int, ...]
    cost: float


def pricer(problem: RouteProblem) -> Callable[[int, tuple[int, ...]], float]:
    """What a trip costs by truck and stops, infinite where its times cannot be kept.

    One window a stop and no driver hours are reckoned without a timetable, which is many times
    quicker; both ways give the same.
    """
    simple = all(len(stop.windows) == 1 for stop in problem.stops) and not any(
        truck.hours for truck in problem.trucks)
    if not simple:
        return lambda truck, stops: _by_timetable(problem, Trip(truck, stops))
    hours, km = problem.hours.tolist(), problem.km.tolist()
    rows = [(s.place, s.windows[0][0], s.windows[0][1], s.service) for s in problem.stops]

    def price(number: int, stops: tuple[int, ...]) -> float:
        truck = problem.trucks[number]
        here, now, far, pace = truck.start, truck.earliest, 0.0, truck.pace
        waits, slack = 0.0, inf
        for stop in stops:
            place, begin, close, service = rows[stop]
            now += hours[here][place] * pace
            far += km[here][place]
            if now < begin:
                waits += begin - now
                now = begin
            elif now > close + 1e-9:
                return inf
            slack = min(slack, waits + close - now)
            now += service
            here = place
        if truck.end is not None:
            now += hours[here][truck.end] * pace
            far += km[here][truck.end]
        if now > truck.latest + 1e-9:
            return inf
        return (truck.fixed + truck.per_km * far
                + truck.per_hour * (now - truck.earliest - min(slack, waits)))

    return price


def _by_timetable(problem: RouteProblem, trip: Trip) -> float:
    tour = timed(problem, trip)
    return inf if tour is None else tour_cost(problem, tour)


class Pool:
    """Trips met by engines: of those with the same stops and kind of truck, the cheapest."""

    def __init__(self, problem: RouteProblem) -> None:
        self.problem = problem
        self.price = pricer(problem)
        self.kinds = problem.kinds()
        self.kind_of = {truck: k for k, group in enumerate(self.kinds) for truck in group}
        self.extra = Whole(problem).weight / Whole(problem).cents
        self.columns: dict[tuple[int, frozenset[int]], Column] = {}
        self._seen: set[tuple[int, tuple[int, ...]]] = set()

    def add(self, trips: Iterable[Trip]) -> None:
        """Take trips in; those whose times cannot be kept are left out."""
        for trip in sorted(trips, key=lambda one: (one.truck, one.stops)):
            kind = self.kind_of[trip.truck]
            if not trip.stops or (kind, trip.stops) in self._seen:
                continue
            self._seen.add((kind, trip.stops))
            cost = self.price(self.kinds[kind][0], trip.stops) + self.extra
            key = (kind, frozenset(trip.stops))
            if cost < inf and (key not in self.columns or cost < self.columns[key].cost):
                self.columns[key] = Column(kind, trip.stops, cost)

    def best(self, incumbent: Trips | None, seconds: float, *, wall: bool = True,
             seed: int = 1) -> tuple[Trips | None, bool]:
        """The best set of trips, and whether nothing better can be made of the pool.

        Never worse than the incumbent, whose trips should be in the pool.
        """
        return _Choice(self, incumbent, seconds, wall, seed).solve()

    def prices(self) -> tuple[float, ...]:
        """What one more truck of each kind would save, by the relaxation of the pool; 0: nothing.

        For pools of some size this is left out: it is a question for a plan, not a benchmark.
        """
        if not self.columns or len(self.columns) > 20_000:
            return ()
        choice = _Choice(self, None, 5.0, True, 1)
        relaxed = choice.relaxed(list(self.columns.values()))
        return () if relaxed is None else tuple(max(0.0, -float(x)) for x in relaxed[1])


class _Choice:
    """Variables, constraints, objective, solve."""

    def __init__(self, pool: Pool, incumbent: Trips | None, seconds: float, wall: bool,
                 seed: int) -> None:
        self.pool, self.problem = pool, pool.problem
        self.incumbent, self.seconds, self.wall, self.seed = incumbent, seconds, wall, seed
        drops, _ = self.problem.partners()
        self.rows = [n for n in range(len(self.problem.stops)) if n not in set(drops.values())]
        self.row_of = {stop: row for row, stop in enumerate(self.rows)}
        self.optional = self._optional()

    def _optional(self) -> dict[int, float]:
        """What it costs to leave a stop out.

        While it is not known that all can be served together, those that must be have a price too,
        dearer than any set of trips: as few as can be are left out.
        """
        stops = self.problem.stops
        found = {n: price for n in self.rows if (price := stops[n].penalty) is not None}
        served = {stop for trip in self.incumbent or () for stop in trip.stops}
        if all(n in served for n in self.rows if n not in found):
            return found
        dearest = max((column.cost for column in self.pool.columns.values()), default=0.0)
        most = min(len(self.problem.trucks), len(self.rows))
        dear = 1.0 + sum(found.values()) + most * max(0.0, dearest)
        both = {pickup for pickup, _ in self.problem.pairs}  # go with their other half
        return {n: found.get(n, dear * (1 + (n in both))) for n in self.rows}

    def solve(self) -> tuple[Trips | None, bool]:
        """The chosen trips."""
        columns = list(self.pool.columns.values())
        covered = {stop for column in columns for stop in column.stops}
        if not columns or any(n not in covered and n not in self.optional for n in self.rows):
            return self.incumbent, False
        held = self._held()
        kept, whole = self._promising(columns, held)
        return self._choose(kept, held, whole)

    def _held(self) -> set[tuple[int, frozenset[int]]]:
        kind_of = self.pool.kind_of
        return {(kind_of[t.truck], frozenset(t.stops)) for t in self.incumbent or () if t.stops}

    def _cost(self, held: set[tuple[int, frozenset[int]]]) -> float:
        """Of the incumbent, penalties included; infinite without one."""
        if self.incumbent is None or not held <= set(self.pool.columns):
            return inf
        served = {stop for _, stops in held for stop in stops}
        return sum(self.pool.columns[key].cost for key in held) + sum(
            penalty for n, penalty in self.optional.items() if n not in served)

    def _promising(self, columns: list[Column], held: set[tuple[int, frozenset[int]]]
                   ) -> tuple[list[Column], bool]:
        """Columns by reduced cost; and whether those left away could not have helped."""
        if len(columns) < 400:
            return columns, True
        relaxed = self.relaxed(columns)
        if relaxed is None:
            return columns[-_MOST:], False
        reduced, _, least = relaxed
        gap = self._cost(held) - least
        order = [int(j) for j in np.argsort(reduced, kind="stable") if reduced[j] <= gap + 1e-6]
        kept = [columns[j] for j in order[:_MOST]]
        inside = {(c.kind, frozenset(c.stops)) for c in kept}
        kept += [self.pool.columns[key] for key in sorted(held - inside, key=str)
                 if key in self.pool.columns]
        return kept, len(order) <= _MOST

    def relaxed(self, columns: list[Column]) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Reduced cost of each column, price of each kind's last truck, and the least cost."""
        entries = [(self.row_of[s], j) for j, c in enumerate(columns) for s in c.stops
                   if s in self.row_of]
        cost = [c.cost for c in columns] + list(self.optional.values())
        entries += [(self.row_of[n], len(columns) + k) for k, n in enumerate(self.optional)]
        rows, places = np.array(entries).T
        matrix = csr_matrix((np.ones(len(rows)), (rows, places)), (len(self.rows), len(cost)))
        kinds = csr_matrix((np.ones(len(columns)), ([c.kind for c in columns],
                                                    range(len(columns)))),
                           (len(self.pool.kinds), len(cost)))
        found = linprog(  # type: ignore[call-overload]  # the stubs know no sparse matrix
            cost, A_ub=kinds, b_ub=[len(g) for g in self.pool.kinds], A_eq=matrix,
            b_eq=np.ones(len(self.rows)), bounds=(0, None), method="highs",
            options={"time_limit": max(1.0, self.seconds)})
        if found.status != 0:
            return None
        worth, price = found.eqlin.marginals, found.ineqlin.marginals
        return (np.array(cost) - matrix.T @ worth - kinds.T @ price)[:len(columns)], price, \
            float(found.fun)

    def _choose(self, columns: Sequence[Column], held: set[tuple[int, frozenset[int]]],
                whole: bool) -> tuple[Trips | None, bool]:
        model = cp_model.CpModel()
        use = [model.new_bool_var(f"trip {j}") for j in range(len(columns))]
        skip = {n: model.new_bool_var(f"skip {n}") for n in self.optional}
        over: dict[int, list[cp_model.IntVar]] = {n: [] for n in self.rows}
        by_kind: list[list[cp_model.IntVar]] = [[] for _ in self.pool.kinds]
        for column, chosen in zip(columns, use, strict=True):
            by_kind[column.kind].append(chosen)
            for stop in column.stops:
                if stop in over:
                    over[stop].append(chosen)
        for n, choices in over.items():
            model.add_exactly_one(choices + ([skip[n]] if n in skip else []))
        for kind, choices in enumerate(by_kind):
            if len(choices) > len(self.pool.kinds[kind]):
                model.add(sum(choices) <= len(self.pool.kinds[kind]))
        unit = _unit([c.cost for c in columns] + list(self.optional.values()))
        model.minimize(
            sum(round(c.cost * unit) * x for c, x in zip(columns, use, strict=True))
            + sum(round(self.optional[n] * unit) * x for n, x in skip.items()))
        if self.incumbent is not None:
            served = {stop for _, stops in held for stop in stops}
            for column, chosen in zip(columns, use, strict=True):
                model.add_hint(chosen, (column.kind, frozenset(column.stops)) in held)
            for n, x in skip.items():
                model.add_hint(x, n not in served)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.seed
        solver.parameters.max_deterministic_time = max(0.05, self.seconds)
        if self.wall:
            solver.parameters.max_time_in_seconds = max(0.05, self.seconds)
        status = solver.solve(model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return self.incumbent, False
        picked = [c for c, x in zip(columns, use, strict=True) if solver.value(x)]
        left_out = sum(self.optional[n] for n, x in skip.items() if solver.value(x))
        if sum(c.cost for c in picked) + left_out >= self._cost(held) - 1e-9:
            return self.incumbent, status == cp_model.OPTIMAL and whole
        return self._trips(picked), status == cp_model.OPTIMAL and whole

    def _trips(self, columns: Iterable[Column]) -> Trips:
        """Trucks for the picked trips, in order."""
        taken = [0] * len(self.pool.kinds)
        found = []
        for column in sorted(columns, key=lambda c: (c.kind, c.stops)):
            found.append(Trip(self.pool.kinds[column.kind][taken[column.kind]], column.stops))
            taken[column.kind] += 1
        return tuple(found)


def _unit(costs: Sequence[float]) -> float:
    """Whole numbers a unit of cost, so that the sums stay well inside 63 bits."""
    return _SCALE if max(costs, default=1.0) < 1e8 else 1e13 / max(costs)
