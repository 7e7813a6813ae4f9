"""Inventory routing: a choice among pooled tours, with what they carry, by CP-SAT."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from twin.optimize.inventory_problem import CENTS, DeliveryPlan, Replenished, Tour

_MOST_TOURS = 150
_NEAR = 0.75  #: share of the tours that are those of the best plan, a little changed

#: Tours by the customers that they call on.
Pool = Mapping[frozenset[int], Tour]


def choose(problem: Replenished, pool: Pool, best: DeliveryPlan | None, rng: np.random.Generator,
           until: float, work: float, cores: int) -> DeliveryPlan | None:
    """Each day's set of tours and what they carry: those of the best plan, some like them, and
    some of the pool. None if there is no plan of them.

    Parameters
    ----------
    best
        None: pairs of customers are added to the pool, so that there is some plan.
    until, work
        Guard by the clock (`time.monotonic`), and deterministic work of CP-SAT.
    """
    tours = _some(problem, pool, best, rng)
    programme = _Programme(problem, tours, best)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = min(1e6, max(0.01, until - time.monotonic()))
    solver.parameters.max_deterministic_time = work
    solver.parameters.num_workers = cores
    solver.parameters.interleave_search = True
    if solver.solve(programme.model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    lots = tuple(tuple(solver.value(units) for units in row) for row in programme.brought)
    chosen = tuple(tuple(tour for tour, one in zip(tours, driven, strict=True)
                         if solver.value(one)) for driven in programme.driven)
    return DeliveryPlan(problem.cost(lots, chosen), lots, chosen)


def _some(problem: Replenished, pool: Pool, best: DeliveryPlan | None,
          rng: np.random.Generator) -> list[Tour]:
    """Tours to choose from: the best plan's, a sample of those around them, and of the pool."""
    used = {frozenset(tour): tour for day in best.tours for tour in day} if best else {}
    changes = _changes(problem, list(used.values()))
    rng.shuffle(changes)
    near: dict[frozenset[int], Tour] = {}
    for tour, out, new in changes[:int(_NEAR * _MOST_TOURS)]:
        made = _with(problem, tuple(i for i in tour if i != out), new)
        if made and frozenset(made) not in used:
            near[frozenset(made)] = made
    if best is None:
        size = range(1, len(problem.start) + 1)
        near = {frozenset(two): _with(problem, two[:1], two[1])
                for two in combinations_with_replacement(size, 2)}
    rest = sorted(pool.keys() - near.keys() - used.keys(), key=sorted)
    rng.shuffle(rest)
    found = {**used, **near, **{key: pool[key] for key in rest[:_MOST_TOURS]}}
    for key, tour in found.items():
        if key in pool and problem.length(pool[key]) < problem.length(tour):
            found[key] = pool[key]
    return list(found.values())[:max(_MOST_TOURS, len(near))]


def _changes(problem: Replenished, tours: list[Tour]) -> list[tuple[Tour, int, int]]:
    """A customer less in a tour (it is named first), one more, or a near one instead of another;
    0 is none.
    """
    km = problem.km
    size = len(problem.start)
    near = float(np.quantile(km[1:, 1:], 0.25))
    found: list[tuple[Tour, int, int]] = []
    for tour in tours:
        others = sorted(set(range(1, size + 1)) - set(tour))
        close = [i for i in others if km[i, list(tour)].min() <= near]
        found += [(tour, out, 0) for out in tour] + [(tour, 0, new) for new in others]
        found += [(tour, out, new) for out in tour for new in close]
    return found


def _with(problem: Replenished, tour: Tour, i: int) -> Tour:
    """A tour with one customer more, where it is the smallest detour."""
    if not i or i in tour:
        return tour
    km, way = problem.km, (0, *tour, 0)
    at = min(range(len(tour) + 1), key=lambda k: (
        km[way[k], i] + km[i, way[k + 1]] - km[way[k], way[k + 1]]))
    return (*tour[:at], i, *tour[at:])


class _Programme:
    """Quantities, stock at customers and at the depot, tours driven each day, and costs."""

    def __init__(self, problem: Replenished, tours: list[Tour], best: DeliveryPlan | None) -> None:
        self.model, self.problem = cp_model.CpModel(), problem
        self.brought: list[list[cp_model.IntVar]] = []
        self.driven: list[list[cp_model.IntVar]] = []
        self.terms: list[Any] = []
        self._customers()
        self._depot()
        for t in range(problem.periods):
            self._day(t, tours)
        if best is not None:
            self._hint(tours, best)
        self.model.minimize(sum(self.terms))

    def _customers(self) -> None:
        """No customer is short, or is brought more than it has room for."""
        problem = self.problem
        for i, most in enumerate(problem.most):
            level: Any = problem.start[i]
            row = []
            for t in range(problem.periods):
                units = self.model.new_int_var(0, min(most, problem.capacity), f"q{i}_{t}")
                left = self.model.new_int_var(0, most, "")
                self.model.add(level + units <= most)
                self.model.add(left == level + units - problem.demand[i])
                self.terms.append(round(problem.holding[i] * CENTS) * left)
                level = left
                row.append(units)
            self.brought.append(row)

    def _depot(self) -> None:
        """The depot sends what it has."""
        problem = self.problem
        depot: Any = problem.depot_start
        for t in range(problem.periods):
            total = sum(row[t] for row in self.brought)
            self.model.add(total <= depot)
            left = self.model.new_int_var(0, problem.depot_start + problem.made * (t + 1), "")
            self.model.add(left == depot + problem.made - total)
            self.terms.append(round(problem.depot_holding * CENTS) * left)
            depot = left

    def _day(self, t: int, tours: list[Tour]) -> None:
        """Each customer is called on at most once a day: its load is that of the tour."""
        problem, model = self.problem, self.model
        driven = [model.new_bool_var("") for _ in tours]
        model.add(sum(driven) <= problem.trucks)
        calls: list[list[Any]] = [[] for _ in problem.start]
        for tour, one in zip(tours, driven, strict=True):
            self.terms.append(round(problem.length(tour) * CENTS) * one)
            for i in tour:
                calls[i - 1].append(one)
            model.add(sum(self.brought[i - 1][t] for i in tour) <= problem.capacity
                      ).only_enforce_if(one)
        for i, there in enumerate(calls):
            units = self.brought[i][t]
            model.add_at_most_one(there)
            model.add(units <= min(problem.most[i], problem.capacity) * sum(there))
            model.add(units >= sum(there))
        model.add(sum(row[t] for row in self.brought) <= problem.capacity * sum(driven))
        self.driven.append(driven)

    def _hint(self, tours: list[Tour], best: DeliveryPlan) -> None:
        for t, driven in enumerate(self.driven):
            now = {frozenset(tour) for tour in best.tours[t]}
            for tour, one in zip(tours, driven, strict=True):
                self.model.add_hint(one, frozenset(tour) in now)
        for row, known in zip(self.brought, best.quantities, strict=True):
            for var, value in zip(row, known, strict=True):
                self.model.add_hint(var, value)
