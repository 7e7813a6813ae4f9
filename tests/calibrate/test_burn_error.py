"""Fuel by load, and errors of a record: 95 % intervals hold what is true."""

from __future__ import annotations

import numpy as np
import pytest

from twin.calibrate.burn import Burn
from twin.calibrate.error import Error
from twin.calibrate.estimator import Cell
from twin.calibrate.ignorance import draw
from twin.calibrate.sample import Batch
from twin.network.forecast import parse_fuel
from twin.parameters import Calibration

VAN = Cell("trucks", "van", "fuel_l_per_100km", "by_load(20, 24, 28)")


def legs(seed: int, empty: float = 25.0, full: float = 37.0, n: int = 60) -> Batch:
    rng = np.random.default_rng(seed)
    load = np.where(np.arange(n) % 2 == 0, 0.0, rng.uniform(0.2, 1.0, n))
    way = rng.uniform(0.5, 2.0, n)
    litres = way * (empty + (full - empty) * load) + rng.normal(0.0, 0.8, n)
    return Batch.of(np.arange(n), litres, size=way, entry=load)


def test_empty_and_full_are_learned_apart() -> None:
    van = Burn(VAN)
    van.update(legs(1))
    points = parse_fuel(van.get(1.0).value)
    assert points[0] == pytest.approx(25.0, rel=0.03)
    assert points[-1] == pytest.approx(37.0, rel=0.03)
    assert points[1] == pytest.approx((points[0] + points[-1]) / 2.0, rel=1e-3)


def test_where_loads_do_not_vary_the_slope_stays_in_proportion() -> None:
    van = Burn(VAN)
    van.update(Batch.of(np.arange(50), np.full(50, 36.0), size=1.0, entry=0.5))
    points = np.array(parse_fuel(van.get(1.0).value))
    assert points == pytest.approx([30.0, 36.0, 42.0], rel=1e-3)


def test_intervals_of_fuel_and_errors_hold_the_truth() -> None:
    inside = {"fuel": 0, "error": 0}
    vans = []
    for seed in range(200):
        vans.append(Burn(VAN))
        vans[-1].update(legs(seed))
    for row in Burn.learn(vans, 1.0):
        inside["fuel"] += row.low <= 31.0 <= row.high
    records = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        size = rng.uniform(10.0, 90.0, 40)
        records.append(Error(Cell("sites", "W", "record_error", "0")))
        records[-1].update(Batch.of(np.arange(40), rng.normal(0.0, 0.03 * size), size=size))
    for row in Error.learn(records, 1.0):
        inside["error"] += row.low <= 0.03 <= row.high
    assert 180 <= inside["fuel"] <= 198
    assert 180 <= inside["error"] <= 198


def test_a_law_of_fuel_that_is_not_known_well_is_drawn_anew() -> None:
    van = Burn(VAN)
    van.update(legs(1, n=12))
    row = van.get(1.0)
    known, rng = Calibration("seen", rows=(row,)), np.random.default_rng(0)
    means = [float(np.mean(parse_fuel(draw(known, rng).rows[0].value))) for _ in range(200)]
    assert np.std(np.log(means)) == pytest.approx(float(row.spread) ** 0.5, rel=0.2)
