"""How good a forecast distribution was: the CRPS, and how often intervals hold the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from twin.measure.intervals import Array


def crps_normal(mean: float, sd: float, observed: float) -> float:
    """Continuous ranked probability score of a normal forecast; lower is better.

    Source: Gneiting & Raftery (2007).

    Examples
    --------
    >>> round(crps_normal(10.0, 2.0, 13.0), 5)
    1.98885
    """
    z = (observed - mean) / sd
    return float(sd * (z * (2.0 * stats.norm.cdf(z) - 1.0) + 2.0 * stats.norm.pdf(z)
                       - 1.0 / np.sqrt(np.pi)))


def crps_ensemble(members: Sequence[float] | Array, observed: float, *,
                  fair: bool = False) -> float:
    """CRPS of an ensemble of replications; `fair` removes the bias of a small ensemble.

    Examples
    --------
    >>> round(crps_ensemble([1, 2, 4], 3), 4), round(crps_ensemble([1, 2, 4], 3, fair=True), 4)
    (0.6667, 0.3333)
    """
    x = np.sort(np.asarray(members, dtype=float))
    n = len(x)
    pairs = 2.0 * float(np.sum((2.0 * np.arange(1, n + 1) - n - 1.0) * x))
    return float(np.mean(np.abs(x - observed))) - pairs / (2.0 * n * (n - 1 if fair else n))


def expected_hits(points: int, level: float, confidence: float = 0.99) -> tuple[int, int]:
    """How many of so many points intervals of a level should hold, lowest and highest.

    Examples
    --------
    >>> expected_hits(200, 0.90)
    (168, 190)
    """
    tail = (1.0 - confidence) / 2.0
    law = stats.binom(points, level)
    return int(law.ppf(tail)), int(law.ppf(1.0 - tail))


def quantile_ranks(n: int, probability: float = 0.5,
                   confidence: float = 0.95) -> tuple[int, int, float]:
    """Ranks (from 1) of the two sorted values that bracket a quantile, and their coverage.

    Source: Conover, *Practical Nonparametric Statistics*.

    Examples
    --------
    >>> low, high, coverage = quantile_ranks(100)
    >>> low, high, round(coverage, 4)
    (40, 61, 0.9648)
    """
    tail = (1.0 - confidence) / 2.0
    law = stats.binom(n, probability)
    low, high = int(law.ppf(tail)), int(law.ppf(1.0 - tail)) + 1
    if low < 1 or high > n:
        raise ValueError(f"quantile_ranks: {n} values cannot bracket the {probability} quantile "
                         f"at confidence {confidence}. Give more values or lower the confidence.")
    return low, high, float(law.cdf(high - 1) - law.cdf(low - 1))
