"""Textbook inventory policies: printed values, and every optimum against brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from twin.optimize import order_up_to, reorder
from twin.optimize.age_replacement import weibull_age
from twin.optimize.echelon import serial_normal
from twin.optimize.lot_size import wagner_whitin
from twin.optimize.newsvendor import newsvendor_normal, newsvendor_poisson, poisson_cost
from twin.optimize.spares import metric, two_echelon

positive = st.floats(0.1, 20.0)


# ---- published values ----

def test_newsvendors() -> None:
    normal = newsvendor_normal(50, 8, 0.18, 0.70)
    assert normal.level == pytest.approx(56.60395592743389, abs=1e-4)
    assert normal.cost == pytest.approx(1.9976051931766445, abs=1e-5)
    poisson = newsvendor_poisson(6, 1, 4)
    assert poisson.level == 8
    assert poisson.cost == pytest.approx(3.570106945770944, abs=1e-5)


def test_reorder_points() -> None:
    best = reorder.best_poisson(1.5, 2, 100, 20, 150)
    assert (best.point, best.quantity) == (3, 5)
    assert best.cost == pytest.approx(107.92358063314977, abs=1e-6)
    eoq = reorder.economic_quantity(1300, 8, 0.225)
    assert eoq.quantity == pytest.approx(304.0467800264368, abs=1e-3)
    assert eoq.cost == pytest.approx(68.41052550594829, abs=1e-3)
    got = reorder.normal_service(5000, 500 * math.sqrt(2), 6000, 10000)
    assert got.cycle == pytest.approx(0.9213503964748574, abs=1e-4)
    assert got.short == pytest.approx(25.12727083000614, abs=1e-2)
    assert got.fill == pytest.approx(0.9974872729169993, abs=1e-5)
    sd = reorder.lead_time_sd(2500, 500, 7, 7)
    assert sd == pytest.approx(17549.928774784243, abs=0.01)
    assert reorder.safety_stock(sd, 0.90) == pytest.approx(22491.138696520975, abs=1)


@pytest.mark.parametrize(("mean", "low", "high", "cost"), [
    (10, 6, 40, 35.02155527232038), (25, 19, 56, 54.2621667185892),
    (40, 33, 87, 64.51184709794079)])
def test_order_up_to(mean: float, low: float, high: float, cost: float) -> None:
    best = order_up_to.best_poisson(mean, 0, 64, 1, 9)
    assert (best.low, best.high) == (low, high)
    assert best.cost == pytest.approx(cost, abs=5e-4)


def test_series() -> None:
    best = serial_normal(5, 1, [1, 1, 2], [7, 4, 2], 37.12)
    assert best.echelon == pytest.approx((6.49, 12.02, 22.71), abs=0.011)
    assert best.local == pytest.approx((6.49, 5.53, 10.69), abs=0.011)
    assert best.cost == pytest.approx(47.66017912773374, abs=0.01)


def test_spares_at_a_depot_and_two_bases() -> None:
    place = 5, 2.0, (3, 3), (1.0, 1.0), (1.0, 1.0)
    exact, hoped = two_echelon(*place), metric(*place)
    assert exact.depot_owed == pytest.approx(0.41030419443253097, abs=1e-9)
    assert exact.fill == pytest.approx((0.8719416606725912,) * 2, abs=1e-9)
    assert exact.owed == pytest.approx((0.05858803742230697,) * 2, abs=1e-9)
    assert hoped.fill == pytest.approx((0.878367901729769,) * 2, abs=1e-6)
    assert hoped.depot_owed == exact.depot_owed


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 4), st.lists(st.tuples(st.integers(0, 4), st.floats(0.1, 2.0),
                                             st.floats(0.1, 2.0)), min_size=1, max_size=3))
def test_spares_owed_are_those_on_order_beyond_the_stock(
        depot: int, bases: list[tuple[int, float, float]]) -> None:
    stocks, transport, rates = zip(*bases, strict=True)
    found = two_echelon(depot, 1.5, stocks, transport, rates)
    none = two_echelon(depot, 1.5, (0,) * len(bases), transport, rates)
    # Little: without stock at a base all that is on order is owed
    for owed, time, rate in zip(none.owed, transport, rates, strict=True):
        assert owed == pytest.approx(rate * time + found.depot_owed * rate / sum(rates))
    one = two_echelon(depot, 1.5, tuple(stock + 1 for stock in stocks), transport, rates)
    for before, after, fill in zip(found.owed, one.owed, one.fill, strict=True):
        assert before - after == pytest.approx(1.0 - fill)  # another unit serves those that wait
    plenty = two_echelon(200, 1.5, stocks, transport, rates)
    assert plenty.fill == pytest.approx([stats.poisson.cdf(stock - 1, rate * time)
                                         for stock, time, rate in bases])


def test_lot_sizes() -> None:
    plan = wagner_whitin([69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56],
                         [85, 102, 102, 101, 98, 114, 105, 86, 119, 110, 98, 114], 1)
    assert plan.cost == 864


def test_age_replacement() -> None:
    best = weibull_age(2.5, 1000, 1, 5)
    assert best.age == pytest.approx(493.0469575996782, abs=0.01)
    assert best.cost_rate == pytest.approx(0.0034620427387892683, rel=1e-6)
    assert best.run_to_failure == pytest.approx(0.005635302489930136, abs=1e-8)
    assert weibull_age(0.8, 1000, 1, 5).age == math.inf
    assert weibull_age(2.5, 1000, 5, 5).age == math.inf


# ---- against brute force ----

@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 12.0), positive, positive)
def test_no_level_beats_the_newsvendor(mean: float, holding: float, penalty: float) -> None:
    best = newsvendor_poisson(mean, holding, penalty)
    demand = np.arange(80)
    pmf = stats.poisson.pmf(demand, mean)
    for level in range(60):
        cost = float(pmf @ (holding * np.maximum(level - demand, 0)
                            + penalty * np.maximum(demand - level, 0)))
        assert cost == pytest.approx(poisson_cost(level, mean, holding, penalty), abs=1e-6)
        assert cost >= best.cost - 1e-9


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(st.floats(0.2, 5.0), st.floats(0.0, 3.0), st.floats(1.0, 100.0), positive, positive)
def test_no_reorder_policy_is_cheaper(rate: float, lead: float, order: float, holding: float,
                                      backorder: float) -> None:
    best = reorder.best_poisson(rate, lead, order, holding, backorder)

    def cost(level: int) -> float:
        return poisson_cost(level, rate * lead, holding, backorder) if lead else \
            holding * max(level, 0) + backorder * max(-level, 0)

    near = range(int(best.point) - 6, int(best.point) + 7)
    for point, quantity in itertools.product(near, range(1, int(best.quantity) + 12)):
        mean = (order * rate + sum(cost(point + k) for k in range(1, quantity + 1))) / quantity
        assert mean >= best.cost - 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.05, 1.0), min_size=2, max_size=5), st.integers(0, 2),
       st.floats(1.0, 60.0), positive, positive)
def test_no_s_and_s_are_cheaper(weights: list[float], lead: int, order: float, holding: float,
                                backorder: float) -> None:
    pmf = np.array(weights) / sum(weights)
    over = np.array([1.0])
    for _ in range(lead + 1):
        over = np.convolve(over, pmf)
    best = order_up_to.best_discrete(pmf, over, order, holding, backorder)
    units = np.arange(len(over))
    for low in range(int(best.low) - 4, int(best.low) + 5):
        for high in range(low + 1, int(best.high) + 8):
            visits = [1.0 / (1.0 - pmf[0])]
            for n in range(1, high - low):
                reached = range(1, min(n, len(pmf) - 1) + 1)
                visits.append(sum(pmf[k] * visits[n - k] for k in reached) / (1.0 - pmf[0]))
            run = sum(v * float(over @ (holding * np.maximum(high - n - units, 0)
                                        + backorder * np.maximum(units - high + n, 0)))
                      for n, v in enumerate(visits))
            assert (order + run) / sum(visits) >= best.cost - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=7), st.data())
def test_no_lots_are_cheaper(demand: list[int], data: st.DataObject) -> None:
    n = len(demand)
    fixed = data.draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
    held = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    price = data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    plan = wagner_whitin(demand, fixed, held, price)
    assert sum(plan.quantities) == sum(demand)
    cheapest = math.inf
    for makes in itertools.product((False, True), repeat=n):  # when to make; each unit from the
        total = float(sum(f for f, made in zip(fixed, makes, strict=True) if made))  # cheapest
        for period, units in enumerate(demand):
            ways = [price[s] + sum(held[s:period]) for s in range(period + 1) if makes[s]]
            total += units * min(ways) if ways else (math.inf if units else 0.0)
        cheapest = min(cheapest, total)
    assert plan.cost == pytest.approx(cheapest)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.6, 4.0), st.floats(10.0, 1e4), st.floats(0.1, 5.0), st.floats(0.1, 20.0))
def test_no_age_is_cheaper(shape: float, scale: float, service: float, failure: float) -> None:
    best = weibull_age(shape, scale, service, failure)
    grid = np.linspace(0.0, 4.0 * scale, 4001)
    alive = np.exp(-((grid / scale) ** shape))
    lived = np.concatenate([[0.0], np.cumsum((alive[1:] + alive[:-1]) / 2.0 * np.diff(grid))])
    rate = (service * alive[40:] + failure * (1.0 - alive[40:])) / lived[40:]
    assert best.cost_rate <= rate.min() * (1.0 + 2e-3)


@pytest.mark.parametrize("call", [
    lambda: newsvendor_normal(5, -1, 1, 1), lambda: newsvendor_poisson(5, 1, math.nan),
    lambda: reorder.best_poisson(-1, 2, 1, 1, 1), lambda: reorder.safety_stock(1, 1.5),
    lambda: order_up_to.best_poisson(5, 1.5, 1, 1, 1),  # type: ignore[arg-type]
    lambda: order_up_to.best_discrete([0.5, 0.6], [1.0], 1, 1, 1),
    lambda: serial_normal(5, 1, [1, 0], [2, 1], 3), lambda: serial_normal(5, 1, [1, 1], [1, 2], 3),
    lambda: wagner_whitin([], 1, 1), lambda: wagner_whitin([5, -1], 1, 1),
    lambda: wagner_whitin([5, 1], [1], 1), lambda: weibull_age(0, 1, 1, 1),
    lambda: metric(-1, 1, [1], [1], [1]), lambda: two_echelon(1, 1, [1], [1, 2], [1])])
def test_impossible_numbers_are_refused(call: object) -> None:
    with pytest.raises(ValueError, match=r"\w+ .*\."):
        call()  # type: ignore[operator]
