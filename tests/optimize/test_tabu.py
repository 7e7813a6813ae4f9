"""Tabu search: schedules keep every rule, and small shops come to their optimum.

Slow, since on a fresh machine the search is compiled first.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.optimize.tabu import JobShop, TabuSearch, Timetable

#: Fisher and Thompson's 6 x 6, 1963: the optimum is 55.
FT06 = ("2 1 0 3 1 6 3 7 5 3 4 6", "1 8 2 5 4 10 5 10 0 10 3 4", "2 5 3 4 5 8 0 9 1 1 4 7",
        "1 5 0 5 2 5 3 3 4 8 5 9", "2 9 1 3 4 5 5 4 0 3 3 1", "1 3 3 3 5 9 0 10 4 4 2 1")


def ft06() -> JobShop:
    rows = [[int(word) for word in row.split()] for row in FT06]
    return JobShop([[[(row[k], row[k + 1])] for k in range(0, 12, 2)] for row in rows])


def check(shop: JobShop, found: Timetable) -> None:
    """Every rule of a job shop, read off the timetable alone."""
    v, ends = 0, []
    busy: dict[int, list[tuple[int, int]]] = {}
    for job in shop.jobs:
        ready = 0
        for ways in job:
            machine, start = int(found.machine[v]), int(found.start[v])
            end = start + dict(sorted(ways, reverse=True))[machine]
            assert start >= ready
            busy.setdefault(machine, []).append((start, end))
            ready = end
            v += 1
        ends.append(ready)
    assert max(ends) == found.makespan
    for spans in busy.values():
        for (_, end), (start, _) in itertools.pairwise(sorted(spans)):
            assert start >= end


@pytest.mark.long
def test_the_famous_six_by_six() -> None:
    found = TabuSearch(ft06(), seed=3).search(iterations=40_000, target=55)
    check(ft06(), found)
    assert found.makespan == 55


@pytest.mark.long
def test_the_same_work_gives_the_same_schedule() -> None:
    one, other = (TabuSearch(ft06(), seed=5).search(iterations=3_000) for _ in range(2))
    assert one.makespan == other.makespan
    assert np.array_equal(one.start, other.start)


@pytest.mark.long
def test_a_start_is_never_made_worse() -> None:
    good = TabuSearch(ft06(), seed=3).search(iterations=40_000, target=55)
    other = TabuSearch(ft06(), seed=9)
    other.start_from(good.machine, good.start)
    assert other.search(iterations=1).makespan == 55


shops = st.lists(st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6)), min_size=1,
                                   max_size=2, unique_by=lambda way: way[0]),
                          min_size=1, max_size=3), min_size=1, max_size=3).map(JobShop)


def brute_force(shop: JobShop) -> int:
    """Every order of starting operations and every choice of machine."""
    best = 10**9

    def go(places: list[int], ready: list[int], free: dict[int, int]) -> None:
        nonlocal best
        if max(ready) >= best:
            return
        if all(places[j] == len(job) for j, job in enumerate(shop.jobs)):
            best = max(ready)
            return
        for j, job in enumerate(shop.jobs):
            if places[j] < len(job):
                for machine, hours in job[places[j]]:
                    end = max(ready[j], free.get(machine, 0)) + hours
                    go([p + (i == j) for i, p in enumerate(places)],
                       [end if i == j else r for i, r in enumerate(ready)],
                       {**free, machine: end})

    go([0] * len(shop.jobs), [0] * len(shop.jobs), {})
    return best


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(shops)
def test_small_shops_come_to_their_optimum(shop: JobShop) -> None:
    best = brute_force(shop)
    found = TabuSearch(shop, seed=1).search(iterations=20_000, target=best)
    check(shop, found)
    assert found.makespan == best


def test_a_shop_without_a_way_is_refused() -> None:
    with pytest.raises(ValueError, match="job 0 operation 1 has no way"):
        JobShop(((((0, 3),), ()),))
