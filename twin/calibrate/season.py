"""Seasons: whether a series has one, its factors, and the series without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

_RECENT = 8  #: seasons that factors are learned from
_NEGLIGIBLE = 0.25  #: factor below which a place in the season tells little of the level


@dataclass(frozen=True, slots=True)
class Season:
    """Factors (or, of a series that goes below zero, amounts) of each place in the season.

    Examples
    --------
    >>> week = season_of(np.tile([1.0, 3.0], 10), [2])
    >>> week.length, week.factors.tolist()
    (2, [0.5, 1.5])
    >>> week.take_out(np.array([2.0, 6.0, 2.0])).tolist(), week.put_back(np.array([4.0]), 3)
    ([4.0, 4.0, 4.0], array([6.]))
    """

    factors: Array
    additive: bool = False

    @property
    def length(self) -> int:
        """Steps of one season."""
        return len(self.factors)

    def take_out(self, y: Array) -> Array:
        """The series without its season; steps that are as good as closed are left out."""
        factors = np.resize(self.factors, len(y))
        if self.additive:
            return y - factors
        open_ = factors > _NEGLIGIBLE
        return np.asarray(y[open_] / factors[open_])

    def put_back(self, values: Array, after: int) -> Array:
        """Values that follow a series of `after` steps, with the season."""
        factors = np.resize(self.factors, after + len(values))[after:]
        return values + factors if self.additive else values * factors


NONE = Season(np.ones(1))


def season_of(y: Array, lengths: Sequence[int]) -> Season:
    """The season of a series, of the lengths that it may have; `NONE` if it shows none.

    A length counts if the series holds three of it and its autocorrelation there is beyond what a
    series without it would show (90 %, as in the M competitions). Of several, the one whose
    factors tell the last season best.

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), Naive 2.
    """
    shown = [m for m in lengths if m > 1 and len(y) >= 3 * m and _is_seasonal(y, m)]
    if not shown:
        return NONE
    if len(shown) == 1:
        return factors_of(y, shown[0])
    kept = max(shown)
    errors = {}
    for m in shown:
        season = factors_of(y[:-kept], m)
        level = season.take_out(y[-2 * kept:-kept]) if not season.additive else y[:-kept]
        told = season.put_back(np.full(kept, float(np.mean(level))), len(y) - kept)
        errors[m] = float(np.abs(told - y[-kept:]).mean())
    return factors_of(y, min(errors, key=lambda m: (errors[m], m)))


def factors_of(y: Array, length: int) -> Season:
    """Factors of the last eight seasons, by classical decomposition, so that habits may change.

    Of a series with zeros, medians over seasons of the share that each place has in its season;
    amounts instead of factors where a value is below zero.
    """
    y = y[max(0, len(y) // length - _RECENT) * length:]
    places = np.arange(len(y)) % length
    if y.min() > 0.0:
        detrended = y / _trend(y, length)
    elif y.min() >= 0.0:
        return _with_zeros(y, length)
    else:
        detrended = y - _trend(y, length)
    there = np.isfinite(detrended)
    factors = np.array([np.median(detrended[there & (places == i)]) for i in range(length)])
    if y.min() > 0.0:
        return Season(factors / factors.mean())
    return Season(factors - factors.mean(), additive=True)


def _with_zeros(y: Array, length: int) -> Season:
    """Typical share of each place; where most are zero, the mean share."""
    whole = y[: len(y) // length * length].reshape(-1, length)
    whole = whole[whole.sum(axis=1) > 0.0]
    if not len(whole):
        return NONE
    shares = whole / whole.mean(axis=1, keepdims=True)
    factors = np.median(shares, axis=0)
    if (factors == 0.0).sum() * 2 > length:
        factors = whole.mean(axis=0)
    return Season(factors / factors.mean())


def _is_seasonal(y: Array, length: int) -> bool:
    """Whether the autocorrelation at the length of the season is beyond its 90 % bound."""
    x = y - y.mean()
    total = float(x @ x)
    if total <= 0.0:
        return False
    x = x - np.polyval(np.polyfit(np.arange(len(x)), x, 1), np.arange(len(x)))
    total = float(x @ x)
    if total <= 1e-12 * float(y @ y):
        return False
    r = np.array([float(x[lag:] @ x[:-lag]) / total for lag in range(1, length + 1)])
    bound = 1.645 * np.sqrt((1.0 + 2.0 * float((r[:-1] ** 2).sum())) / len(y))
    return bool(r[-1] > bound)


def _trend(y: Array, length: int) -> Array:
    """Centred moving average over one season; NaN where it does not reach."""
    if length % 2:
        window = np.full(length, 1.0 / length)
    else:
        window = np.concatenate([[0.5], np.ones(length - 1), [0.5]]) / length
    trend = np.full(len(y), np.nan)
    half = len(window) // 2
    trend[half:len(y) - half] = np.convolve(y, window, mode="valid")
    return trend
