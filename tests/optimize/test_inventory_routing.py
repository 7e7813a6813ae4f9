"""Inventory routing: small shops against every plan there is, and every requirement checked."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace

import numpy as np
import pytest

from twin.optimize.inventory_choice import choose
from twin.optimize.inventory_problem import Replenished, Tour
from twin.optimize.inventory_routing import deliver
from twin.optimize.inventory_ruin import Ruin
from twin.plan import Status


def shops(seed: int) -> Replenished:
    """Two or three customers over three periods, one or two trucks."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 4))
    places = rng.integers(0, 50, (size + 1, 2)).astype(float)
    km = np.rint(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
    demand = tuple(int(d) for d in rng.integers(1, 3, size))
    return Replenished(demand, tuple(3 * d for d in demand), demand,
                       tuple(float(h) for h in rng.integers(1, 9, size) / 10.0), sum(demand), 6,
                       0.2, km, int(max(demand) + rng.integers(2, 5)), 2, 3)


def partitions(members: list[int]) -> list[list[list[int]]]:
    if not members:
        return [[]]
    first, *rest = members
    found = []
    for parts in partitions(rest):
        found.append([[first], *parts])
        found += [[*parts[:k], [first, *parts[k]], *parts[k + 1:]] for k in range(len(parts))]
    return found


def cheapest_day(problem: Replenished, loads: tuple[int, ...]) -> float:
    """The shortest tours that carry the loads; infinite if the trucks cannot."""
    best = float("inf")
    for parts in partitions([i + 1 for i, units in enumerate(loads) if units]):
        if len(parts) <= problem.trucks and all(
                sum(loads[i - 1] for i in part) <= problem.capacity for part in parts):
            best = min(best, sum(min(problem.length(way) for way in itertools.permutations(part))
                                 for part in parts))
    return best


def brute_force(problem: Replenished) -> float:
    days: dict[tuple[int, ...], float] = {}
    rows = [list(itertools.product(range(most + 1), repeat=problem.periods))
            for most in problem.most]

    def fits(i: int, row: tuple[int, ...]) -> bool:
        level = problem.start[i]
        for units in row:
            if level + units > problem.most[i] or level + units < problem.demand[i]:
                return False
            level += units - problem.demand[i]
        return True

    kept = [[row for row in found if fits(i, row)] for i, found in enumerate(rows)]
    best = float("inf")
    for lots in itertools.product(*kept):
        depot, cost = problem.depot_start, problem.holding_of(lots)
        for t in range(problem.periods):
            loads = tuple(row[t] for row in lots)
            if sum(loads) > depot or cost >= best:
                cost = float("inf")
                break
            depot += problem.made - sum(loads)
            if loads not in days:
                days[loads] = cheapest_day(problem, loads)
            cost += days[loads]
        best = min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.long
def test_small_shops_come_to_the_best_of_all_plans(seed: int) -> None:
    problem = shops(seed)
    found = deliver(problem, 4.0, seed=seed)
    assert found.answer.objective == pytest.approx(brute_force(problem))
    assert problem.faults(found.quantities, found.tours) == []


def test_every_requirement_is_checked() -> None:
    km = np.full((3, 3), 5.0)
    problem = Replenished((1, 2), (3, 4), (1, 2), (0.1, 0.1), 4, 4, 0.1, km, 3, 1, 2)
    good: tuple[tuple[Tour, ...], ...] = (((1,),), ((2,),))
    assert problem.faults(((1, 0), (0, 2)), good) == []
    broken = problem.faults(((3, 0), (2, 0)), (((1,), (2,)), ()))
    assert broken == ["period 1 takes 2 trucks of 1.", "period 1: the depot has 4 of 5.",
                      "period 1: customer 1 has no room."]
    assert problem.faults(((0, 0), (0, 0)), ((), ())) == [
        "period 2: customer 1 is short.", "period 2: customer 2 is short."]
    assert "a tour carries more than 3" in " ".join(
        problem.faults(((2, 0), (2, 0)), (((1, 2),), ())))
    assert "do not call once" in " ".join(problem.faults(((1, 0), (0, 2)), ((), ((2,),))))


def test_what_cannot_be_is_unknown_and_bad_numbers_are_refused() -> None:
    km = np.full((2, 2), 5.0)
    short = Replenished((0,), (9,), (4,), (0.1,), 4, 4, 0.1, km, 3, 1, 2)
    assert deliver(short, 1.0).answer.status is Status.UNKNOWN
    with pytest.raises(ValueError, match="not a number from 0 up"):
        replace(short, demand=(-4,))
    with pytest.raises(ValueError, match="most must be of 1 customers"):
        replace(short, most=(1, 2))


def region(seed: int, size: int, trucks: int) -> Replenished:
    """Customers of the kind of the public instances: room for two or three days, full at first
    but for a day, and trucks that take half as much again as all ask for in a day.
    """
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 501, (size + 1, 2)).astype(float)
    km = np.rint(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
    demand = rng.integers(10, 101, size)
    most = demand * rng.integers(2, 4, size)
    return Replenished(
        tuple(map(int, most - demand)), tuple(map(int, most)), tuple(map(int, demand)),
        tuple(float(h) for h in rng.integers(1, 6, size) / 100.0), int(demand.sum()),
        int(most.sum()), 0.03, km, int(1.5 * demand.sum() / trucks), trucks, 3)


def test_the_same_seed_gives_the_same_plan_and_more_rounds_none_worse() -> None:
    problem = region(1, 8, 2)
    few, again = Ruin(problem, 3).run(40, math.inf), Ruin(problem, 3).run(40, math.inf)
    assert few.plan is not None
    assert again.plan is not None
    assert (few.plan, few.pool) == (again.plan, again.pool)
    assert problem.faults(few.plan.quantities, few.plan.tours) == []
    assert few.plan.cost == pytest.approx(problem.cost(few.plan.quantities, few.plan.tours))
    costs = [one.objective or 0.0 for one in few.progress]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]


def test_a_choice_of_tours_is_never_worse_than_the_plan_it_starts_from() -> None:
    problem = region(2, 6, 2)
    search = Ruin(problem, 1).run(30, math.inf)
    assert search.plan is not None
    pool = {frozenset(tour): tour for tour in search.pool}
    found = choose(problem, pool, search.plan, np.random.default_rng(1), math.inf, 0.2, 1)
    assert found is not None
    assert problem.faults(found.quantities, found.tours) == []
    assert found.cost <= search.plan.cost + 1e-6
    alone = choose(problem, {}, None, np.random.default_rng(1), math.inf, 0.2, 1)
    assert alone is not None  # pairs of customers do where no search has found a plan
    assert problem.faults(alone.quantities, alone.tours) == []


@pytest.mark.long
def test_two_processes_agree_with_themselves_and_keep_the_deadline() -> None:
    problem = region(4, 10, 2)
    began = time.monotonic()
    found = deliver(problem, 6.0)
    assert time.monotonic() - began < 7.5
    alone = Ruin(problem, 1).run(50, math.inf)
    assert alone.plan is not None
    assert (found.answer.objective or 0.0) <= alone.plan.cost
    if found.answer.stopped_by == "work":
        assert deliver(problem, 6.0).quantities == found.quantities
