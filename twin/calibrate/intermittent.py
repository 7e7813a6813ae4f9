"""Demand that is mostly zero: level forecasts for spare parts and other slow movers.

Each function takes a series and gives the expected demand of one step, which is the same for all
steps to come.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

_INTERVAL = 1.32  #: mean steps between demands from which a series is called intermittent


def is_intermittent(y: Array) -> bool:
    """Whether demand comes so seldom that its gaps are worth a model of their own.

    Source: Syntetos, Boylan & Croston (2005).

    Examples
    --------
    >>> is_intermittent(np.array([0.0, 0.0, 3.0, 0.0])), is_intermittent(np.array([2.0, 3.0]))
    (True, False)
    """
    demands = int((y > 0.0).sum())
    return bool(y.min() >= 0.0 and len(y) > _INTERVAL * demands)


def croston(y: Array, alpha: float = 0.1) -> float:
    """Smoothed size over smoothed interval of demands.

    Source: Croston (1972).

    Examples
    --------
    >>> round(croston(np.array([0.0, 2.0, 0.0, 2.0, 0.0, 2.0])), 3)
    1.0
    """
    at = np.flatnonzero(y > 0.0)
    if len(at) == 0:
        return 0.0
    gaps = np.diff(at, prepend=-1).astype(float)
    return _smoothed(y[at], alpha) / _smoothed(gaps, alpha)


def sba(y: Array, alpha: float = 0.1) -> float:
    """Croston's forecast less its bias.

    Source: Syntetos & Boylan (2005).

    Examples
    --------
    >>> round(sba(np.array([0.0, 2.0, 0.0, 2.0, 0.0, 2.0])), 3)
    0.95
    """
    return (1.0 - alpha / 2.0) * croston(y, alpha)


def tsb(y: Array, alpha: float = 0.1, beta: float = 0.1) -> float:
    """Smoothed chance of a demand times its smoothed size; it fades when demand stops.

    Source: Teunter, Syntetos & Babai (2011).

    Examples
    --------
    >>> fading = np.array([2.0] * 10 + [0.0] * 20)
    >>> round(tsb(fading), 3), round(croston(fading), 3)
    (0.243, 2.0)
    """
    at = y > 0.0
    if not at.any():
        return 0.0
    return _smoothed(at.astype(float), beta) * _smoothed(y[at], alpha)


def adida(y: Array) -> float:
    """Demand aggregated over its mean interval, smoothed, and spread again.

    Source: Nikolopoulos, Syntetos, Boylan, Petropoulos & Assimakopoulos (2011).

    Examples
    --------
    >>> round(adida(np.array([0.0, 2.0, 0.0, 2.0, 0.0, 2.0])), 3)
    1.0
    """
    demands = int((y > 0.0).sum())
    if demands == 0:
        return 0.0
    bucket = max(1, round(len(y) / demands))
    whole = y[len(y) % bucket:].reshape(-1, bucket).sum(axis=1)
    return ses(whole)[0] / bucket


def ses(y: Array) -> tuple[float, float]:
    """Level by simple exponential smoothing, and the weight with the least squared errors.

    Examples
    --------
    >>> level, alpha = ses(np.array([4.0, 6.0, 4.0, 6.0, 4.0, 6.0]))
    >>> round(level, 1), alpha
    (5.0, 0.05)
    """
    alphas = np.concatenate([np.arange(0.05, 1.0, 0.05), [0.99]])
    start = float(y[: max(2, min(6, len(y)))].mean())
    level = np.full(len(alphas), start)
    errors = np.zeros(len(alphas))
    for value in y.tolist():
        gap = value - level
        errors += gap**2
        level += alphas * gap
    best = int(np.argmin(errors))
    return float(level[best]), round(float(alphas[best]), 2)


def _smoothed(values: Array, alpha: float) -> float:
    """Exponential smoothing that starts at the first value."""
    level = float(values[0])
    for value in values[1:].tolist():
        level += alpha * (value - level)
    return level
