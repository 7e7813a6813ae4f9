"""How far one long run's mean can be trusted: its observations depend on one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from twin.measure.intervals import Array, Interval, student


def variance_of_mean(variance: float, correlation: Callable[[Array], Array], n: int) -> float:
    """Variance of the mean of n successive observations of a stationary series.

    `correlation` gives the autocorrelation at an array of lags 1, 2, ...

    Examples
    --------
    Ignoring a correlation of 0.5 would claim 0.01 here:

    >>> round(variance_of_mean(1.0, lambda lag: 0.5**lag, 100), 4)
    0.0296
    """
    lags = np.arange(1, n, dtype=float)
    return float(variance / n * (1.0 + 2.0 * np.sum((1.0 - lags / n) * correlation(lags))))


def batch_means(series: Sequence[float] | Array, batches: int = 20,
                confidence: float = 0.95) -> Interval:
    """Interval of the mean of one long run, from the means of equal batches.

    Examples
    --------
    >>> batch_means([1.0, 3.0, 2.0, 4.0, 2.0, 2.0, 5.0, 1.0], batches=4).mean
    2.5
    """
    return student(_batched(series, batches).mean(axis=1), confidence)


def asymptotic_variance(series: Sequence[float] | Array, batches: int = 20) -> float:
    """n times the variance of the mean of n observations, n large, from batch means.

    Examples
    --------
    >>> asymptotic_variance([0.0, 2.0, 1.0, 3.0, 0.0, 0.0], batches=3)
    2.0
    """
    rows = _batched(series, batches)
    return float(rows.shape[1] * rows.mean(axis=1).var(ddof=1))


def queue_variance(utilisation: float, service_rate: float = 1.0, of: str = "length") -> float:
    """Asymptotic variance of an M/M/1 queue, for planning how long to run before running.

    `of="length"`: of the time-average number in system (per unit of time); `of="delay"`: of the
    mean wait in queue (per customer).

    Source: Whitt (1989), *Planning queueing simulations*; Daley (1968).

    Examples
    --------
    >>> round(queue_variance(0.5), 6), round(queue_variance(0.5, of="delay"), 6)
    (24.0, 29.0)
    """
    r = utilisation
    if not 0.0 < r < 1.0:
        raise ValueError(f"queue_variance: utilisation {r} leaves no steady state. "
                         "Give a share above 0 and below 1.")
    if of == "length":
        return 2.0 * r * (1.0 + r) / (1.0 - r) ** 4 / service_rate
    if of == "delay":
        return r * (2.0 + 5.0 * r - 4.0 * r**2 + r**3) / (1.0 - r) ** 4 / service_rate**2
    raise ValueError(f"queue_variance: of='{of}' is not known. Use 'length' or 'delay'.")


def run_length(mean: float, variance: float, relative: float, confidence: float = 0.95) -> float:
    """Length of run whose interval is within a relative half-width of the mean.

    Examples
    --------
    A queue at 80 %, to 5 %, takes some 170,000 service times:

    >>> round(run_length(4.0, queue_variance(0.8), 0.05), -3)
    173000.0
    """
    z = float(stats.norm.ppf((1.0 + confidence) / 2.0))
    return variance * (z / (relative * mean)) ** 2


def _batched(series: Sequence[float] | Array, batches: int) -> Array:
    x = np.asarray(series, dtype=float)
    size = len(x) // batches
    if size < 1:
        raise ValueError(f"batch means: {len(x)} observations cannot fill {batches} batches. "
                         "Ask for fewer batches or run longer.")
    return x[len(x) - size * batches:].reshape(batches, size)
