"""Reference cases of life data: renewals, growth, trend, censored lives, wear."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell
from twin.calibrate.life import (
    WearOut,
    crow_amsaa,
    expected_renewals,
    laplace_trend,
    wear_of,
    weibull_life,
)
from twin.calibrate.sample import Batch
from twin.quantity import Quantity, parse_quantity

CROW = [2.7, 10.3, 12.5, 30.6, 57.0, 61.3, 80.0, 109.5, 125.0, 128.6, 143.8, 167.9, 229.2, 296.7,
        320.6, 328.2, 366.2, 396.7, 421.1, 438.2, 501.2, 620.0]
GAPS = [104, 131, 1597, 59, 4, 503, 157, 6, 118, 173, 114, 62, 101, 216, 106, 140, 1, 102, 3, 393,
        96, 232, 89, 61, 37, 293, 7, 165, 87, 99]
NIST = [54, 187, 216, 240, 244, 335, 361, 373, 375, 386]


def test_r09_expected_renewals():
    """An Erlang-2 life of rate 1 a stage: t/2 - 1/4 + exp(-2t)/4 renewals (Cox, Renewal Theory)."""
    for hours in (0.5, 2.0, 5.0):
        exact = hours / 2.0 - 0.25 + math.exp(-2.0 * hours) / 4.0
        assert expected_renewals(parse_quantity("erlang(k=2, mean=2)", False), hours) \
            == pytest.approx(exact, abs=2e-6)
    assert expected_renewals(parse_quantity("erlang(k=2, mean=2)", False), 5.0) \
        == pytest.approx(2.2500113499824406, abs=0.0092)


def test_renewals_of_a_weibull_life_agree_with_counting():
    """20,000 places over 300 h, replaced as often as parts fail."""
    rng = np.random.default_rng(1)
    ends = np.cumsum(100.0 * rng.weibull(2.0, (20_000, 12)), axis=1)
    counted = (ends <= 300.0).sum(axis=1)
    expected = expected_renewals(Quantity("weibull", (("shape", 2.0), ("scale", 100.0))), 300.0)
    assert expected == pytest.approx(counted.mean(), abs=4 * counted.std() / 20_000**0.5)


def test_r11_crow_amsaa():
    """MIL-HDBK-189: 22 failures of a test that ends with the last one."""
    growth = crow_amsaa(CROW)
    assert growth.shape == pytest.approx(0.6142103999317298, abs=1e-5)
    assert growth.rate == pytest.approx(0.42394221488057476, abs=1e-5)
    assert growth.mtbf == pytest.approx(45.883003910306016, abs=1e-3)


def test_r13_censored_weibull():
    """NIST 8.4.1.2: ten failures, ten that lived on at 500 h."""
    fit = weibull_life(NIST, [500.0] * 10)
    assert fit.shape == pytest.approx(1.7207972608013582, abs=1e-3)
    assert fit.scale == pytest.approx(606.5275580035718, abs=0.1)
    assert fit.loglik == pytest.approx(-75.13461816447487, abs=1e-3)


def test_r13_through_the_estimator_of_cells():
    """The estimator of cells leans on the planner a little: within a twentieth of the exact fit."""
    life = Distribution(Cell("failures", "M,wear", "time_to_failure", "weibull(2, 500h)"))
    life.update(Batch.of(range(20), [*NIST, *[500.0] * 10], state=[1] * 10 + [0] * 10))
    found = parse_quantity(life.get(500.0).value, True)
    assert found.kind == "weibull"
    assert found.get("shape") == pytest.approx(1.7208, rel=0.06)
    assert found.get("scale") == pytest.approx(606.53, rel=0.05)


def test_r17_laplace_trend():
    """Modarres 5.11: failures come quicker, at two and a half sigma."""
    assert laplace_trend(GAPS) == pytest.approx(2.4094382960447107, abs=1e-3)


def test_laplace_score_is_standard_normal_without_a_trend():
    rng = np.random.default_rng(2)
    scores = [laplace_trend(rng.exponential(1.0, 40).tolist()) for _ in range(2_000)]
    assert np.mean(scores) == pytest.approx(0.0, abs=4 / 2_000**0.5)
    assert np.std(scores) == pytest.approx(1.0, abs=0.07)


def test_r20_wear_out_life():
    """Drift 2, diffusion 5, threshold 100: the first passage of a Wiener process."""
    life = WearOut(2.0, 5.0, 100.0)
    assert life.mean() == pytest.approx(50.0, abs=1e-12)
    assert life.variance() == pytest.approx(312.5, abs=1e-12)
    assert life.chance(40.0) == pytest.approx(0.3192989627061205, abs=1e-9)
    assert life.quantile(0.05) == pytest.approx(26.830448995306067, abs=1e-6)


def test_wear_is_read_off_a_signal():
    rng = np.random.default_rng(3)
    hours = np.cumsum(rng.uniform(0.5, 2.0, 4_000))
    steps = np.diff(hours, prepend=0.0)
    level = np.cumsum(2.0 * steps + 5.0 * np.sqrt(steps) * rng.standard_normal(4_000))
    drift, diffusion = wear_of(hours.tolist(), level.tolist())
    assert drift == pytest.approx(2.0, abs=4 * 5.0 / hours[-1] ** 0.5)
    assert diffusion == pytest.approx(5.0, rel=0.05)


@pytest.mark.parametrize(("call", "word"), [
    (lambda: weibull_life([5.0], [9.0]), "at least two"),
    (lambda: weibull_life([0.0, 5.0]), "above 0"),
    (lambda: crow_amsaa([3.0, 2.0]), "rise"),
    (lambda: crow_amsaa([3.0, 8.0], until=5.0), "later"),
    (lambda: laplace_trend([5.0]), "at least two"),
    (lambda: WearOut(-1.0, 5.0, 10.0), "drift -1"),
    (lambda: WearOut(1.0, 5.0, 10.0).quantile(1.0), "share 1"),
    (lambda: wear_of([0.0, 0.0, 1.0], [1.0, 2.0, 3.0]), "rising"),
    (lambda: expected_renewals(parse_quantity("uniform(1, 2)", False), 3.0), "cannot be renewed"),
])
def test_what_cannot_be_is_refused_with_a_remedy(call, word):
    with pytest.raises(ValueError, match=word):
        call()
