"""Changes: found where there are any, and seldom where there are none; residuals of a right law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from twin.calibrate.regime import changes, residuals
from twin.calibrate.sample import Batch
from twin.quantity import parse_quantity


def in_order(values):
    return Batch.of(np.arange(len(values)), values, at=np.arange(len(values)) * 24.0)


@pytest.mark.parametrize("cells", [1, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.parametrize("n", [15, pytest.param(100, marks=pytest.mark.long)])
def test_false_alarms_stay_under_their_rate(cells, n):
    """Of 150 calibrations in which nothing changed at most 5 % may tell of a change."""
    rng = np.random.default_rng(1)
    told = sum(bool(changes({f"{cell}": in_order(rng.lognormal(2.0, 0.8, n))
                             for cell in range(cells)}, 0.05)) for _ in range(150))
    assert told / 150 <= 0.05 + 3 * (0.05 * 0.95 / 150) ** 0.5


def test_larger_lots_and_fuller_trucks_are_no_change():
    """A mean of nine varies less than one of three, a full truck burns more; 10 % more is told."""
    rng, half = np.random.default_rng(6), 60
    few = rng.integers(1, 4, 2 * half) * np.repeat([1, 3], half)
    lots = Batch.of(range(2 * half), [rng.gamma(2.0, 1.0, k).sum() for k in few], size=few,
                    at=np.arange(2.0 * half))
    load, way = rng.uniform(0.0, 0.6, 2 * half) + np.repeat([0.0, 0.3], half), rng.choice(
        [1.0, 3.0], 2 * half)
    litres = way * (20.0 + 8.0 * load) * (1.0 + 0.05 * rng.normal(size=2 * half))
    told = [changes({"a": lots, "b": Batch.of(range(2 * half), litres * more, size=way, entry=load,
                                              at=np.arange(2.0 * half))})
            for more in (1.0, np.repeat([1.0, 1.1], half))]
    assert [[change.cell for change in found] for found in told] == [[], ["b"]]


def test_two_values_as_often_as_each_other_are_no_change():
    """Their ranks lie equally far from the middle but for rounding: that was told as a change."""
    rng = np.random.default_rng(3)
    for n in range(6, 40):
        assert changes({"a": in_order(rng.permutation(np.repeat([30.0, 42.0], n)))}, 1e-6) == []


@pytest.mark.parametrize("factor", [1.5, 0.6])
def test_a_change_of_level_is_found_and_dated(factor):
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(40):
        values = rng.gamma(9.0, 1.0, 120)
        values[80:] *= factor
        told = changes({"a": in_order(values), "b": in_order(rng.gamma(9.0, 1.0, 120))})
        found += [change.cell for change in told] == ["a"] and abs(told[0].at / 24.0 - 80) <= 8
    assert found >= 34


def test_a_change_of_spread_is_found():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(50.0, 2.0, 150), rng.normal(50.0, 8.0, 150)])
    told = changes({"a": in_order(values)})
    assert abs(told[0].at / 24.0 - 150) <= 15


def test_what_only_rounding_tells_apart_has_not_changed():
    values = np.where(np.arange(60) < 30, 50.0, 50.0 + 1e-9)
    assert changes({"a": in_order(values)}) == []


@pytest.mark.parametrize("text", ["gamma(mean=5d, sd=2d)", "weibull(shape=2, scale=3d)",
                                  "uniform(low=2d, high=4d)",
                                  "triangular(low=1d, mode=2d, high=4d)"])
def test_residuals_of_the_right_law_are_uniform(text):
    law = parse_quantity(text, True)
    rng = np.random.default_rng(4)
    draw = {"gamma": lambda: rng.gamma(6.25, law.mean() / 6.25, 2_000),
            "weibull": lambda: 72.0 * rng.weibull(2.0, 2_000),
            "uniform": lambda: rng.uniform(48.0, 96.0, 2_000),
            "triangular": lambda: rng.triangular(24.0, 48.0, 96.0, 2_000)}[law.kind]()
    _, share = residuals(law, in_order(draw))
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_speeds_of_other_legs_have_not_changed():
    """Speeds of legs of three lengths, the same but for milliseconds; later others are driven."""
    rng = np.random.default_rng(3)
    way = np.where(rng.random(900) < np.repeat([0.2, 0.8], 450), 75.0, 55.043)
    way = np.where(rng.random(900) < np.repeat([0.5, 0.1], 450), 62.352, way)
    begun = np.cumsum(rng.integers(3, 9, 900)) / 2.0
    hours = np.round((begun + way / 55.0) * 3.6e6) / 3.6e6 - begun
    batch = Batch.of(range(900), way, at=begun, size=hours)
    assert changes({"speed": batch}) == []
    later = np.where(np.arange(900) < 450, 1.0, 1.001)
    assert [one.cell for one in changes({"speed": Batch.of(
        range(900), way, at=begun, size=hours * later)})] == ["speed"]
