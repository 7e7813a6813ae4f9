"""Sparse cells borrow from their like: nearer to the truth, and still covered."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell
from twin.calibrate.pooling import pooled
from twin.calibrate.sample import Batch


def lanes(rng, n, spread=0.15, count=12):
    """Lanes whose means lie around 1.3 of the plan; each observed `n` times."""
    truth, made = [], []
    for number in range(count):
        plan = float(rng.uniform(100.0, 600.0))
        mean = 1.3 * plan * math.exp(rng.normal(0.0, spread))
        one = Distribution(Cell("lanes", f"A,B{number},sea", "transit",
                                f"gamma(mean={plan}h, sd={plan / 3}h)", pool="sea"))
        one.update(Batch.of(range(n), rng.gamma(9.0, mean / 9.0, n)))
        truth.append(mean)
        made.append(one)
    return truth, Distribution.learn(made, 1e9)


def test_pooling_halves_the_error_of_sparse_cells_and_covers():
    rng = np.random.default_rng(1)
    before, after, inside, cells = [], [], 0, 0
    for _ in range(60):
        truth, alone = lanes(rng, 3)
        for mean, one, other in zip(truth, alone, pooled(alone), strict=True):
            before.append(one.log_mean - math.log(mean))
            after.append(other.log_mean - math.log(mean))
            inside += other.low <= mean <= other.high
            cells += 1
    assert np.std(after) < 0.75 * np.std(before)
    assert 0.9 <= inside / cells <= 0.99


def test_it_is_said_and_rich_cells_stay():
    rng = np.random.default_rng(2)
    _, sparse = lanes(rng, 3)
    assert any("towards 12 cells of sea" in note for note in pooled(sparse)[0].notes)
    _, rich = lanes(rng, 2_000)
    assert pooled(rich) == rich


def test_few_cells_do_not_pool():
    _, alone = lanes(np.random.default_rng(3), 3, count=3)
    assert pooled(alone) == alone


@pytest.mark.parametrize("n", [2, 5, 20])
def test_the_law_moves_with_its_mean(n):
    _, alone = lanes(np.random.default_rng(4), n)
    for before, after in zip(alone, pooled(alone), strict=True):
        assert after.quantity.mean() == pytest.approx(math.exp(after.log_mean), rel=1e-9)
        assert after.quantity.sd() / after.quantity.mean() == pytest.approx(
            before.quantity.sd() / before.quantity.mean(), rel=1e-9)
