"""Reference cases of output analysis: S01 S03 S05 S07 S09 S11 S13 S15."""

from __future__ import annotations

import numpy as np
import pytest

from twin.measure.autocorrelation import asymptotic_variance, queue_variance, variance_of_mean
from twin.measure.intervals import student
from twin.measure.scoring import crps_ensemble, crps_normal, expected_hits, quantile_ranks
from twin.measure.selection import dudewicz_dalal, kim_nelson, ocba_shares, rinott
from twin.measure.truncation import mser
from twin.measure.uncertainty import common_luck, delta_method, input_uncertainty


def test_s01_mser_5_cuts_a_decaying_start() -> None:
    series = [100 * 0.98**t + ((7919 * t) % 101) / 101 for t in range(1000)]
    cut = mser(series)
    assert cut.drop == 370
    assert cut.mean == pytest.approx(0.4978214203013259, abs=1e-6)
    assert cut.settled


def test_s03_variance_of_an_autocorrelated_mean() -> None:
    found = variance_of_mean(1 / (1 - 0.9**2), lambda lag: 0.9**lag, 1000)
    assert found == pytest.approx(0.0990526315789473, abs=1e-6)
    assert queue_variance(0.8, of="length") == pytest.approx(1800.0, abs=1e-6)
    assert queue_variance(0.8, of="delay") == pytest.approx(1976.0, abs=1e-6)


def test_s03_batch_means_find_the_variance_of_a_queue() -> None:
    """Ten runs of 20 batches of 20,000 waits of M/M/1, by Lindley's recursion."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(10):
        step = rng.exponential(1.0, 402_000) - rng.exponential(1.25, 402_000)
        walk = np.cumsum(step)
        wait = walk - np.minimum(np.minimum.accumulate(walk), 0.0)
        found.append(asymptotic_variance(wait[2000:], batches=20))
    # the estimate has 19 degrees of freedom, so its sd is 1976 * sqrt(2/19), and 4 sd over ten runs
    assert student(found).mean == pytest.approx(1976.0, abs=4 * 1976 * (2 / 19) ** 0.5 / 10**0.5)


@pytest.mark.parametrize(("settings", "h1"), [(2, 1.8957), (3, 2.3423), (5, 2.7471)])
def test_s05_dudewicz_dalal(settings: int, h1: float) -> None:
    assert dudewicz_dalal(settings, first_stage=20, probability=0.90) == pytest.approx(h1, abs=1e-4)


def test_s05_rinott_and_kim_nelson() -> None:
    assert rinott(5, first_stage=20, probability=0.95) == pytest.approx(3.385418731626653, abs=1e-5)
    assert kim_nelson(5, first_stage=20, alpha=0.05) == pytest.approx(9.01505599033736, abs=1e-6)


def test_s07_ocba_shares() -> None:
    shares = ocba_shares([1, 2, 3, 4, 5], [6, 6, 6, 6, 6], minimise=True)
    assert shares == pytest.approx([0.421823, 0.406134, 0.101534, 0.045126, 0.025383], abs=1e-6)


def test_s09_common_random_numbers() -> None:
    """Cost of order-up-to levels 8 and 10 on the same Poisson demand, and on separate demand."""
    rng = np.random.default_rng(9)

    def cost(level: int, demand: np.ndarray) -> np.ndarray:
        return 1.0 * np.maximum(level - demand, 0) + 4.0 * np.maximum(demand - level, 0)

    runs = []
    for _ in range(10):
        demand = rng.poisson(6, 100_000)
        at_8, at_10 = cost(8, demand), cost(10, demand)
        luck = common_luck(at_8, at_10)
        runs.append((float((at_8 - at_10).mean()), luck.shared, luck.separate))
    difference, shared, separate = np.mean(runs, axis=0)
    assert difference == pytest.approx(-0.8165673849484278, abs=0.01)
    assert shared == pytest.approx(8.712851170633842, abs=0.072)
    assert separate == pytest.approx(16.54567415741206, abs=0.14)


def test_s11_input_uncertainty() -> None:
    """Mean number in an M/M/1/10 whose two rates were each estimated from 100 observations."""
    rng = np.random.default_rng(11)

    def in_system(arrivals: float, services: float) -> float:
        weights = (arrivals / services) ** np.arange(11)
        return float(np.arange(11) @ weights / weights.sum())

    def rates() -> tuple[float, float]:
        return 0.7 * 100 / rng.gamma(100), 1.0 * 100 / rng.gamma(100)

    assert in_system(0.7, 1.0) == pytest.approx(2.1114398320617096, abs=1e-6)
    spread = [input_uncertainty(in_system, rates, draws=4_000) for _ in range(10)]
    assert np.mean([s.mean for s in spread]) == pytest.approx(2.259160495348346, abs=0.02)
    assert np.mean([s.sd for s in spread]) == pytest.approx(0.8043162310808096, abs=0.05)
    first_order = delta_method(in_system, [0.7, 1.0], [0.07, 0.1])
    assert first_order == pytest.approx(0.7477954785934777, abs=1e-4)


def test_s13_crps() -> None:
    assert crps_normal(10, 2, 13) == pytest.approx(1.9888480079549058, abs=1e-9)
    assert crps_ensemble([1, 2, 4], 3) == pytest.approx(0.6666666666666666, abs=1e-12)
    assert crps_ensemble([1, 2, 4], 3, fair=True) == pytest.approx(0.33333333333333326, abs=1e-12)


def test_s15_coverage() -> None:
    assert expected_hits(200, 0.90, confidence=0.99) == (168, 190)
    low, high, coverage = quantile_ranks(100, 0.5, confidence=0.95)
    assert (low, high) == (40, 61)
    assert coverage == pytest.approx(0.9647997997822952, abs=1e-9)
