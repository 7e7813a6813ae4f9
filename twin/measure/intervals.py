"""Student intervals, paired differences, and corrections for judging many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the bounds that a stated confidence puts around it."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the distance from low to high."""
        return (self.high - self.low) / 2.0


def student(values: Sequence[float] | Array, confidence: float = 0.95) -> Interval:
    """Interval of a mean from independent replications.

    With one value there is no interval: its bounds are NaN.

    Examples
    --------
    >>> interval = student([8.0, 9.0, 10.0, 11.0, 12.0])
    >>> round(interval.low, 3), interval.mean, round(interval.high, 3)
    (8.037, 10.0, 11.963)
    """
    x = np.asarray(values, dtype=float)
    n = len(x)
    if n == 0:
        raise ValueError("student: 0 values have no mean. Give at least one replication.")
    mean = float(x.mean())
    if n == 1:
        return Interval(mean, float("nan"), float("nan"), 1)
    half = float(special.stdtrit(n - 1, (1.0 + confidence) / 2.0) * x.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def paired(values: Sequence[float] | Array, baseline: Sequence[float] | Array,
           confidence: float = 0.95) -> Interval:
    """Interval of the mean difference of runs that shared their luck, replication by replication.

    Examples
    --------
    >>> paired([11.0, 13.0, 15.0], [10.0, 12.0, 13.0]).mean.__round__(4)
    1.3333
    """
    x, y = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if x.shape != y.shape:
        raise ValueError(f"paired: {len(x)} replications cannot be paired with {len(y)}. "
                         "Give both settings the same replications.")
    return student(x - y, confidence)


def holm(p_values: Sequence[float] | Array) -> Array:
    """Holm's step-down p-values: those at most alpha are shown, familywise error alpha.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def dunnett(treatments: Sequence[Sequence[float]], control: Sequence[float],
            confidence: float = 0.95) -> list[Interval]:
    """Joint intervals of several settings against one control, for *independent* runs.

    Runs on common random numbers are compared by `paired`, which is sharper.

    Source: Dunnett (1955), by `scipy.stats.dunnett`.

    Examples
    --------
    >>> two = dunnett([[5.1, 4.9, 5.3, 5.0], [7.2, 6.8, 7.1, 7.0]], [5.0, 5.2, 4.8, 5.1])
    >>> [i.low > 0 or i.high < 0 for i in two]
    [False, True]
    """
    arrays = [np.asarray(t, dtype=float) for t in treatments]
    base = np.asarray(control, dtype=float)
    from scipy import stats  # a second to import, for this alone

    result = stats.dunnett(*arrays, control=base, rng=np.random.default_rng(0))
    bounds = result.confidence_interval(confidence)
    return [Interval(float(x.mean() - base.mean()), float(low), float(high), len(x))
            for x, low, high in zip(arrays, bounds.low, bounds.high, strict=True)]


def false_coverage_level(p_values: Sequence[float] | Array, alpha: float) -> float:
    """Level at which Benjamini-Hochberg calls and intervals agree, row by row.

    A row is called when its p-value is at most this level, which is when its interval at
    confidence 1 - level leaves out zero. At most a share alpha of the calls is wrong, and of
    their intervals misses, on average. Source: Benjamini & Yekutieli (2005).

    Examples
    --------
    >>> false_coverage_level([0.001, 0.02, 0.3, 0.9], 0.05)
    0.025
    """
    p = np.sort(np.asarray(p_values, dtype=float))
    if len(p) == 0:
        return alpha
    called = np.flatnonzero(p <= alpha * np.arange(1, len(p) + 1) / len(p))
    count = int(called[-1]) + 1 if len(called) else 1
    return alpha * count / len(p)
