"""Inventory routing: who is brought how much when, and on which tour, for holding plus driving.

Lots and tours are planned in turns. A programme of lots sees what a visit adds to the tours found
so far; the tours of each period are then driven anew, and tell it the next prices. All tours met on
the way are pooled, with others that have a customer more or less, and a second programme chooses
among them, with the quantities that they carry; again and again, around the best plan so far.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from twin.optimize.engine import Limit
from twin.optimize.engine_pyvrp import solve as drive
from twin.optimize.route_problem import RouteProblem, RouteTruck, Stop
from twin.plan import Answer, Progress, Status

_CENTS = 100  #: of a unit of cost, in the programmes
_POOLED = 0.2  #: share of the time in which lots and tours are only planned in turns
_MOST_TOURS = 150

#: Units brought, shape (customers, periods).
Quantities = tuple[tuple[int, ...], ...]
#: Customers in the order of their visit, from and to the depot.
Tour = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Replenished:
    """Customers that one depot keeps in stock with its own trucks.

    Attributes
    ----------
    start, most, demand, holding
        By customer: stock at first, room, units asked for in each period, cost of a unit held over
        a period.
    made, depot_start, depot_holding
        Units that the depot gets in each period, what it has at first, and what holding costs it.
    km
        Cost of driving, shape (1 + customers, 1 + customers); the depot is first.
    capacity, trucks, periods
        Units a truck, trucks, periods.

    Raises
    ------
    ValueError
        If a number cannot be used.

    Examples
    --------
    >>> line = np.array([[0, 3, 4], [3, 0, 1], [4, 1, 0]])
    >>> shops = Replenished((4, 2), (8, 8), (2, 2), (0.1, 0.1), 9, 9, 0.3, line, 9, 1, 3)
    >>> found = deliver(shops, 2.0)
    >>> round(found.answer.objective, 2), shops.faults(found.quantities, found.tours)
    (26.3, [])
    """

    start: tuple[int, ...]
    most: tuple[int, ...]
    demand: tuple[int, ...]
    holding: tuple[float, ...]
    made: int
    depot_start: int
    depot_holding: float
    km: np.ndarray
    capacity: int
    trucks: int
    periods: int

    def __post_init__(self) -> None:
        size = len(self.start)
        wrong = [name for name in ("most", "demand", "holding") if len(getattr(self, name)) != size]
        if wrong or self.km.shape != (size + 1, size + 1):
            raise ValueError(f"{', '.join(wrong) or 'km'} must be of {size} customers.")
        if min((*self.start, *self.demand, *self.holding, self.made, self.capacity, self.periods,
                self.trucks, 0)) < 0 or not np.isfinite(self.km).all():
            raise ValueError("a quantity, cost or distance is not a number from 0 up.")

    @cached_property
    def whole(self) -> np.ndarray:
        """Distances as whole numbers, as the programmes take them."""
        found: np.ndarray = np.rint(self.km * _CENTS).astype(int)
        return found

    def holding_of(self, quantities: Quantities) -> float:
        """What holding costs, of what is left at the end of each period."""
        total, depot = 0.0, float(self.depot_start)
        level = list(map(float, self.start))
        for t in range(self.periods):
            depot += self.made - sum(row[t] for row in quantities)
            total += depot * self.depot_holding
            for i, row in enumerate(quantities):
                level[i] += row[t] - self.demand[i]
                total += level[i] * self.holding[i]
        return total

    def length(self, tour: Tour) -> float:
        """What driving a tour costs."""
        way = (0, *tour, 0)
        return float(sum(self.km[a, b] for a, b in pairwise(way)))

    def faults(self, quantities: Quantities, tours: Sequence[Sequence[Tour]]) -> list[str]:
        """Every requirement that is broken; none for a sound plan."""
        found, level, depot = [], list(self.start), self.depot_start
        for t in range(self.periods):
            brought = [row[t] for row in quantities]
            if len(tours[t]) > self.trucks:
                found.append(f"period {t + 1} takes {len(tours[t])} trucks of {self.trucks}.")
            seen = [i for tour in tours[t] for i in tour]
            if sorted(seen) != [i + 1 for i, units in enumerate(brought) if units]:
                found.append(f"period {t + 1}: tours do not call once at each who is brought.")
            found += [f"period {t + 1}: a tour carries more than {self.capacity}."
                      for tour in tours[t] if sum(brought[i - 1] for i in tour) > self.capacity]
            if sum(brought) > depot:
                found.append(f"period {t + 1}: the depot has {depot} of {sum(brought)}.")
            depot += self.made - sum(brought)
            for i, units in enumerate(brought):
                if level[i] + units > self.most[i]:
                    found.append(f"period {t + 1}: customer {i + 1} has no room.")
                level[i] += units - self.demand[i]
                if level[i] < 0:
                    found.append(f"period {t + 1}: customer {i + 1} is short.")
        return found


@dataclass(frozen=True, slots=True)
class Delivered:
    """Quantities by customer and period, tours by period, and the answer on them."""

    quantities: Quantities
    tours: tuple[tuple[Tour, ...], ...]
    answer: Answer


def deliver(problem: Replenished, seconds: float, *, seed: int = 1, cores: int = 2) -> Delivered:
    """The cheapest plan found in so many seconds of the clock."""
    return _Search(problem, seconds, seed, cores).run()


def _with(far: Any, tour: Tour, i: int) -> Tour:
    """A tour with one customer more, where it is the smallest detour."""
    way = (0, *tour, 0)
    at = min(range(len(tour) + 1), key=lambda k: (
        far[way[k], i] + far[i, way[k + 1]] - far[way[k], way[k + 1]]))
    return (*tour[:at], i, *tour[at:])


class _Lots:
    """The part that both programmes share: quantities, stock at customers and at the depot."""

    def __init__(self, problem: Replenished) -> None:
        self.model, self.problem = cp_model.CpModel(), problem
        self.brought: list[list[cp_model.IntVar]] = []
        terms = []
        for i, most in enumerate(problem.most):
            level: Any = problem.start[i]
            row = []
            for t in range(problem.periods):
                units = self.model.new_int_var(0, min(most, problem.capacity), f"q{i}_{t}")
                left = self.model.new_int_var(0, most, "")
                self.model.add(level + units <= most)
                self.model.add(left == level + units - problem.demand[i])
                terms.append(round(problem.holding[i] * _CENTS) * left)
                level = left
                row.append(units)
            self.brought.append(row)
        depot: Any = problem.depot_start
        for t in range(problem.periods):
            total = sum(row[t] for row in self.brought)
            self.model.add(total <= depot)
            left = self.model.new_int_var(0, problem.depot_start + problem.made * (t + 1), "")
            self.model.add(left == depot + problem.made - total)
            terms.append(round(problem.depot_holding * _CENTS) * left)
            depot = left
        self.held = sum(terms)

    def solve(self, seconds: float, seed: int, cores: int) -> Quantities | None:
        """Quantities of the best solution; None if there is none."""
        self.solver = cp_model.CpSolver()
        self.solver.parameters.max_time_in_seconds = max(0.05, seconds)
        self.solver.parameters.num_workers = cores
        self.solver.parameters.random_seed = seed
        status = self.solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        return tuple(tuple(self.solver.value(units) for units in row) for row in self.brought)


class _Search:
    def __init__(self, problem: Replenished, seconds: float, seed: int, cores: int) -> None:
        self.problem, self.seed, self.cores = problem, seed, cores
        self.began = time.monotonic()
        self.until = self.began + seconds - 0.1
        self.seconds = seconds
        self.rng = np.random.default_rng(seed)
        self.pool: dict[frozenset[int], Tour] = {}
        self.best: tuple[float, Quantities, tuple[tuple[Tour, ...], ...]] | None = None
        self.progress: list[Progress] = []
        self.tight = 1.0  #: share of all trucks' room that lots may use

    def run(self) -> Delivered:
        problem = self.problem
        far = problem.whole[0, 1:]
        self.visit = np.repeat(far[:, None], problem.periods, axis=1).astype(float)
        gathered = self.began + _POOLED * self.seconds
        turn = 0
        while (time.monotonic() < gathered or turn == 0) and self._turn(turn):
            turn += 1
        if self.best is None:  # no lots that the trucks could carry: let the tours choose
            for i in range(1, len(far) + 1):
                for j in range(i, len(far) + 1):
                    self._keep(tuple(dict.fromkeys((i, j))))
            self._choose(min(self.until - time.monotonic(), max(1.0, 0.3 * self.seconds)))
        while self.best is not None and self.until - time.monotonic() > 0.5:
            before = self.best[0]
            self._choose(min(self.until - time.monotonic(), max(1.0, 0.06 * self.seconds)))
            if self.best[0] >= before - 1e-9 and self.until - time.monotonic() > 0.5:
                self._turn(turn)
            turn += 1
        if self.best is None:
            return Delivered((), (), Answer(Status.UNKNOWN, seconds=time.monotonic() - self.began,
                                            engine="lots and tours in turns", stopped_by="wall"))
        cost, lots, chosen = self.best
        broken = problem.faults(lots, chosen)
        assert not broken, broken
        return Delivered(lots, chosen, Answer(
            Status.FEASIBLE, cost, engine=self.progress[-1].engine,
            seconds=time.monotonic() - self.began, stopped_by="wall", work=float(turn),
            start=self.progress[0].objective, progress=tuple(self.progress)))

    def _turn(self, turn: int) -> bool:
        """Lots at the present prices of visits, then their tours; False if there are no lots."""
        far: Any = self.problem.whole
        fresh = turn % 3 == 2  # now and then as if nothing were known of tours, for other tours
        prices = np.repeat(far[:1, 1:].T, self.problem.periods, axis=1) if fresh else self.visit
        noise = 0.7 if fresh else 0.25
        lots = self._lots(prices * self.rng.uniform(1.0 - noise, 1.0 + noise, prices.shape), turn)
        if lots is None:
            return False
        tours = self._tours(lots)
        if tours is None:
            self.tight = max(0.6, self.tight - 0.04)
        else:
            self._improve(lots, tours, "lots and tours in turns")
            self.visit = 0.5 * self.visit + 0.5 * self._prices(tours)
        return True

    def _around(self) -> list[frozenset[int]]:
        """Tours of the best plan, with one customer more, and with one less."""
        far: Any = self.problem.whole
        near = np.quantile(far[1:, 1:], 0.25)
        found: list[frozenset[int]] = []
        for tour in {tour for day in self.best[2] for tour in day} if self.best else ():
            found.append(frozenset(tour))
            fewer = [tuple(one for one in tour if one != i) for i in tour]
            more = [_with(far, tour, i) for i in range(1, len(far)) if i not in tour]
            other = [_with(far, some, i) for some in fewer for i in range(1, len(far))
                     if i not in tour and min(far[i, one] for one in tour) <= near]
            for some in (*fewer, *more, *other):
                self._keep(some)
                found.append(frozenset(some))
        return [key for key in dict.fromkeys(found) if key]

    def _lots(self, visit: np.ndarray, turn: int) -> Quantities | None:
        """Quantities, when a visit costs so much."""
        problem, lots = self.problem, _Lots(self.problem)
        terms: list[Any] = [lots.held]
        for i, row in enumerate(lots.brought):
            for t, units in enumerate(row):
                there = lots.model.new_bool_var("")
                lots.model.add(units <= problem.capacity * there)
                lots.model.add(units >= there)
                terms.append(max(1, int(visit[i, t])) * there)
        room = int(self.tight * problem.trucks * problem.capacity)
        for t in range(problem.periods):
            lots.model.add(sum(row[t] for row in lots.brought) <= room)
        lots.model.minimize(sum(terms))
        left = self.until - time.monotonic()
        return lots.solve(min(left, max(0.5, 0.015 * self.seconds)), self.seed + turn, self.cores)

    def _tours(self, lots: Quantities) -> tuple[tuple[Tour, ...], ...] | None:
        """Tours of each period; None if the trucks cannot carry its lots."""
        found = []
        for t in range(self.problem.periods):
            tours = self._day([(i, row[t]) for i, row in enumerate(lots, 1) if row[t]])
            if tours is None:
                return None
            found.append(tours)
        return tuple(found)

    def _day(self, loads: list[tuple[int, int]]) -> tuple[Tour, ...] | None:
        if not loads:
            return ()
        problem = self.problem
        places = [0, *(i for i, _ in loads)]
        km = problem.km[np.ix_(places, places)].astype(float)
        day = RouteProblem(km, km * 0.0, tuple(
            Stop(str(i), place, (float(units),), penalty=None)
            for place, (i, units) in enumerate(loads, 1)), tuple(
            RouteTruck(f"truck {n}", 0, 0, (float(problem.capacity),), per_km=1.0)
            for n in range(problem.trucks)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where the trucks cannot carry the lots
            left = min(0.003 * self.seconds, self.until - time.monotonic())
            found = drive(day, Limit(max(0.05, left)), self.seed, lambda trips: None)
        for trip in found.pool:
            self._keep(tuple(places[stop + 1] for stop in trip.stops))
        if found.best is None or sum(len(trip.stops) for trip in found.best) < len(loads):
            return None
        return tuple(tuple(places[stop + 1] for stop in trip.stops)
                     for trip in found.best if trip.stops)

    def _keep(self, tour: Tour) -> None:
        """Pool a tour; of several through the same customers the shortest."""
        if not tour:
            return
        known = self.pool.get(frozenset(tour))
        if known is None or self.problem.length(tour) < self.problem.length(known):
            self.pool[frozenset(tour)] = tour

    def _prices(self, tours: Sequence[Sequence[Tour]]) -> np.ndarray:
        """What a visit in each period saves or adds, by customer."""
        far = self.problem.whole
        found = np.zeros((len(self.problem.start), self.problem.periods))
        for t, day in enumerate(tours):
            legs = [(a, b) for tour in day for a, b in zip((0, *tour), (*tour, 0), strict=True)]
            legs = legs or [(0, 0)]
            for i in range(1, len(found) + 1):
                own = [(a, b) for a, b in legs if i in (a, b)]
                if own:
                    before, after = own[0][0], own[1][1]
                    found[i - 1, t] = far[before, i] + far[i, after] - far[before, after]
                else:
                    found[i - 1, t] = min(far[a, i] + far[i, b] - far[a, b] for a, b in legs)
        return found

    def _improve(self, lots: Quantities, tours: tuple[tuple[Tour, ...], ...], name: str) -> None:
        for day in tours:
            for tour in day:
                self._keep(tour)
        cost = self.problem.holding_of(lots) + sum(
            self.problem.length(tour) for day in tours for tour in day)
        if self.best is None or cost < self.best[0] - 1e-9:
            self.best = cost, lots, tours
            self.progress.append(Progress(time.monotonic() - self.began, cost, None, name))

    def _choose(self, seconds: float) -> None:
        """Of tours around the best plan and some others, each day's set and what they carry."""
        problem, known_tours = self.problem, self.best[2] if self.best else ()
        used = {frozenset(tour) for day in known_tours for tour in day}
        near = sorted(set(self._around()) - used, key=sorted)
        rest = sorted(set(self.pool) - set(near) - used, key=sorted)
        self.rng.shuffle(near)
        self.rng.shuffle(rest)
        some = [*sorted(used, key=sorted), *near[:_MOST_TOURS * 3 // 4], *rest][:_MOST_TOURS]
        tours = [self.pool[key] for key in some]
        lots = _Lots(problem)
        model, chosen = lots.model, []
        terms: list[Any] = [lots.held]
        for t in range(problem.periods):
            driven = [model.new_bool_var("") for _ in tours]
            terms += [round(problem.length(tour) * _CENTS) * one
                      for tour, one in zip(tours, driven, strict=True)]
            model.add(sum(driven) <= problem.trucks)
            calls: list[list[Any]] = [[] for _ in problem.start]
            for tour, one in zip(tours, driven, strict=True):
                for i in tour:
                    calls[i - 1].append(one)
                model.add(sum(lots.brought[i - 1][t] for i in tour) <= problem.capacity
                          ).only_enforce_if(one)
            for i, there in enumerate(calls):  # at most one call a day: its load is that tour's
                model.add_at_most_one(there)
                model.add(lots.brought[i][t] <= min(problem.most[i], problem.capacity) * sum(there))
                model.add(lots.brought[i][t] >= sum(there))
            model.add(sum(row[t] for row in lots.brought) <= problem.capacity * sum(driven))
            for tour, one in zip(tours, driven, strict=True) if known_tours else ():
                model.add_hint(one, any(set(tour) == set(it) for it in known_tours[t]))
            chosen.append(driven)
        for row, known in zip(lots.brought, self.best[1], strict=True) if self.best else ():
            for var, value in zip(row, known, strict=True):
                model.add_hint(var, value)
        model.minimize(sum(terms))
        found = lots.solve(seconds, self.seed, self.cores)
        if found is not None:
            self._improve(found, tuple(
                tuple(tour for tour, one in zip(tours, driven, strict=True)
                      if lots.solver.value(one)) for driven in chosen), "a choice of pooled tours")
