"""Lots under scenarios: against brute force, Wagner-Whitin, and impossible requirements."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from twin.optimize import lot_branches
from twin.optimize.lot_plan import LotItem, LotProblem, sampled
from twin.optimize.lot_prices import LotPrices
from twin.optimize.lot_programme import solve
from twin.optimize.lot_quantities import LotQuantities
from twin.optimize.lot_race import conflicts, solve_lots
from twin.optimize.lot_size import wagner_whitin
from twin.plan import Status


@pytest.mark.parametrize("seed", range(5))
def test_one_product_without_limits_is_wagner_whitin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    demand = tuple(float(v) for v in rng.integers(0, 60, 7))
    item = LotItem("tea", (demand,), setup_cost=float(rng.integers(20, 200)), holding=1.0)
    found = solve(LotProblem((item,), (1e4,) * 7), "highs", 20)
    assert found.quantities is not None
    cost = LotProblem((item,), (1e4,) * 7).cost(found.quantities)
    assert cost == pytest.approx(wagner_whitin(demand, item.setup_cost, 1.0).cost, rel=2.5e-3)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("backlog", [4.0, math.inf])
def test_two_products_share_hours_as_brute_force_says(seed: int, backlog: float) -> None:
    rng = np.random.default_rng(seed)
    items = tuple(
        LotItem(name, tuple(tuple(float(v) for v in rng.integers(0, 3, 3)) for _ in range(2)),
                setup_cost=float(rng.integers(1, 6)), holding=1.0, backlog=backlog,
                setup_time=1.0, initial=2.0 if backlog == math.inf else 0.0)
        for name in "ab")
    problem = LotProblem(items, (5.0, 5.0, 5.0))
    fits = [(a, b) for a in range(5) for b in range(5) if a + b + (a > 0) + (b > 0) <= 5]
    best = min(problem.cost(list(zip(*days, strict=True)))
               for days in itertools.product(fits, repeat=3))
    found, branched = solve(problem, "highs", 20), lot_branches.solve(problem, 20)
    if best == math.inf:
        assert found.ended == "infeasible"
        assert (branched.quantities, branched.ended) == (None, "wall")
        return
    for one in (found, branched):
        assert one.quantities is not None
        cost = problem.cost(one.quantities)
        assert cost <= best * (1 + 2.5e-3) + 1e-6  # whole units are no better than any units
        assert one.bound <= cost + 1e-6
        assert one.ended == "proof"
    assert branched.bound >= cost * (1 - 2.5e-3)


def season(seed: int) -> LotProblem:
    """Three products over six periods, eight scenarios."""
    rng = np.random.default_rng(seed)
    return LotProblem(tuple(
        LotItem(f"p{i}", sampled(rng.uniform(30, 90, 6).tolist(), 0.3, 8, rng), 150.0, 1.0, 9.0,
                5.0) for i in range(3)), (220.0,) * 6)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_branches_prove_what_the_programme_finds_and_always_alike(seed: int) -> None:
    problem = season(seed)
    branched, again = lot_branches.solve(problem, 30), lot_branches.solve(problem, 30)
    assert branched.quantities is not None
    assert branched.quantities == again.quantities
    assert branched.ended == "proof"
    cost = problem.cost(branched.quantities)
    assert branched.bound >= cost * (1.0 - 2.01e-3)
    found = solve(problem, "highs", 30)
    assert found.quantities is not None
    other = problem.cost(found.quantities)
    assert branched.bound <= other
    assert found.bound <= cost
    assert cost == pytest.approx(other, rel=4e-3)


@pytest.mark.long
def test_counted_work_ends_the_search_and_gives_the_same_plan() -> None:
    problem = season(5)
    whole = lot_branches.solve(problem, 60)
    part = [lot_branches.solve(problem, 60, 0.25 * whole.work) for _ in range(2)]
    assert whole.ended == "proof"
    assert part[0].ended == "work"
    assert 0.25 * whole.work <= part[0].work < whole.work
    assert (part[0].quantities, part[0].bound, part[0].work) == (
        part[1].quantities, part[1].bound, part[1].work)
    assert part[0].bound <= problem.cost(whole.quantities or ())
    raced = solve_lots(problem, 60, work=0.25 * whole.work)
    assert raced.answer.stopped_by == "work"
    assert raced.quantities == part[0].quantities


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_an_hour_more_saves_at_least_its_price(seed: int) -> None:
    rng = np.random.default_rng(seed)
    items = tuple(
        LotItem(name, tuple(tuple(float(v) for v in rng.integers(0, 9, 4)) for _ in range(3)),
                setup_cost=float(rng.integers(2, 12)), holding=1.0, backlog=6.0, setup_time=1.0)
        for name in "ab")
    problem = LotProblem(items, (7.0, 8.0, 7.0, 8.0))
    best = solve_lots(problem, 20)
    priced = [one for one in best.answer.reasons if one.kind == "binding"]
    assert priced
    assert any(one.price for one in priced)
    for one in priced:
        period = int(one.subject.split()[-1]) - 1
        hours = tuple(h + (k == period) for k, h in enumerate(problem.capacity))
        more = lot_branches.solve(replace(problem, capacity=hours), 20)
        assert more.quantities is not None
        saved = problem.cost(best.quantities) - replace(problem, capacity=hours).cost(
            more.quantities)
        assert one.price is not None
        # both plans are proved to two in a thousand
        assert saved >= one.price - 2.5e-3 * problem.cost(best.quantities)
        assert ("would save nothing" if one.price < 0.005 else
                f"saves at least {one.price:,.2f}") in one.message


def test_bounds_stay_below_every_plan_at_any_prices() -> None:
    problem = season(3)
    priced, exact = LotPrices(problem), LotQuantities(problem)
    rng = np.random.default_rng(4)
    items, n = priced.shape
    setups = rng.random((20, items, n)) < 0.6
    prices = rng.uniform(0.0, 3.0, (20, n + 2 * items * n))
    bounds = priced.ascend(prices, setups, ~setups, 5000.0, 40).bound
    costs = np.full(20, math.inf)
    for k, one in enumerate(setups):
        cost, quantities = exact.of(one)
        if quantities:  # a set-up for no units costs nothing in a plan, and something in a branch
            costs[k] = cost + 150.0 * (one & (np.array(quantities) <= 1e-9)).sum()
    assert np.isfinite(costs).any()
    assert (bounds <= costs + 1e-6).all()
    free = np.zeros((20, items, n), bool)
    assert priced.ascend(prices, free, free, 5000.0, 5).bound.max() <= costs.min()


def test_both_solvers_race_in_processes_and_the_bound_is_below() -> None:
    rng = np.random.default_rng(3)
    items = tuple(LotItem(f"p{i}", sampled([50.0 + 10 * i] * 5, 0.3, 6, rng), 120.0, 1.0, 9.0, 5.0)
                  for i in range(2))
    problem = LotProblem(items, (130.0,) * 5)
    best = solve_lots(problem, 8)
    assert best.answer.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert best.answer.objective == pytest.approx(problem.cost(best.quantities))
    assert best.answer.gap is not None
    assert 0.0 <= best.answer.gap < 0.02
    orders = best.orders(problem, "plant", 24.0, 168.0)
    assert sum(order.quantity for order in orders) == pytest.approx(
        sum(map(sum, best.quantities)))


def test_impossible_requirements_are_named() -> None:
    small = LotItem("small", ((1.0, 1.0),), 1.0, 1.0)
    large = LotItem("large", ((9.0, 30.0),), 1.0, 1.0, setup_time=2.0)
    said = conflicts(LotProblem((small, large), (12.0, 20.0)))
    assert [one.subject for one in said] == ["large", "capacity to period 2"]
    assert "41.0 h" in said[0].message
    assert "32.0 h" in said[1].message
    best = solve_lots(LotProblem((small, large), (12.0, 20.0)), 5)
    assert best.answer.status is Status.INFEASIBLE
    assert best.quantities == ()


def test_bad_numbers_are_all_named() -> None:
    bad = LotItem("tea", ((1.0, -2.0),), setup_cost=math.nan, holding=1.0)
    with pytest.raises(ValueError, match=r"setup_cost nan(.|\n)*demand -2(.|\n)*period 1: -1"):
        LotProblem((bad,), (-1.0, 3.0))


def test_without_time_a_plan_by_hand_stands() -> None:
    rng = np.random.default_rng(5)
    items = tuple(LotItem(f"p{i}", sampled([50.0] * 12, 0.3, 20, rng), 120.0, 1.0, 9.0)
                  for i in range(5))
    problem = LotProblem(items, (400.0,) * 12)
    best = solve_lots(problem, 0.01, solvers=())
    assert best.answer.status is Status.FEASIBLE
    assert best.answer.objective == pytest.approx(problem.cost(best.quantities))
    assert best.answer.engine in ("each product alone", "lot for lot", "no lots")
