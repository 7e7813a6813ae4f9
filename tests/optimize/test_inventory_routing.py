"""Inventory routing: small shops against every plan there is, and every requirement checked."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from twin.optimize.inventory_routing import Replenished, Tour, deliver
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
@pytest.mark.slow
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
