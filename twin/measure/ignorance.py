"""Luck and ignorance: how much of a spread is chance, and how much is not knowing the parameters.

Replications are nested in outer draws of the parameters: a one-way random-effects design. Within
a draw results differ by luck alone; between draws they differ by what the parameters might be.
Source: Searle, Casella & McCulloch, *Variance Components* (1992); intervals by the generalised
pivots of Weerahandi (1993), which hold with few draws too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from twin.measure.intervals import Array

_MOST = 10_000_000  # replications; beyond it a difference will not show in anyone's lifetime
_BETWEEN, _WITHIN = 40, 12  # nodes of the integral over what the two variances may be
_CHUNK = 4096  # rows at a time
_STEPS = 14  # of Newton's method, which comes from below and cannot overshoot


@dataclass(frozen=True)
class Luck:
    """Rows of results that differ by luck alone: number, mean and standard deviation.

    Examples
    --------
    >>> luck = Luck(*moments(np.array([[8.0, 9.0, 10.0, 11.0, 12.0]])))
    >>> luck.half_width(np.array([0.05])).round(3).tolist()
    [1.963]
    """

    n: Array
    mean: Array
    sd: Array

    def half_width(self, level: Array) -> Array:
        """Half-width of Student's interval at confidence 1 - level; NaN with one result."""
        with np.errstate(divide="ignore", invalid="ignore"):
            half = _t(self.n, level) * self.sd / np.sqrt(self.n)
        half = np.where(self.sd == 0.0, 0.0, half)
        return np.where(self.n < 2, np.nan, half)

    def p(self) -> Array:
        """Chance of a mean so far from zero by luck; 1 where there is none to judge."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.mean) / (self.sd / np.sqrt(self.n))
            p = 2.0 * special.stdtr(self.n - 1.0, -t)
        p = np.where((self.sd == 0.0) & (self.mean != 0.0), 0.0, p)
        return np.where((self.n < 2) | (self.mean == 0.0), 1.0, p)

    def more(self, level: Array) -> Array:
        """Results to add until the observed mean shows; NaN if it is zero."""
        low = np.maximum(self.n, 2.0)
        high = np.full(len(low), float(_MOST))
        with np.errstate(divide="ignore", invalid="ignore"):
            for _ in range(25):
                middle = np.floor((low + high) / 2.0)
                shows = _t(middle, level) * self.sd < np.abs(self.mean) * np.sqrt(middle)
                high = np.where(shows, middle, high)
                low = np.where(shows, low, middle)
            at_start = _t(np.maximum(self.n, 2.0), level) * self.sd < (
                np.abs(self.mean) * np.sqrt(np.maximum(self.n, 2.0)))
        needed = np.where(at_start, np.maximum(self.n, 2.0), high)
        return np.where((self.mean == 0.0) | (self.n < 2), np.nan, needed - self.n)


@dataclass(frozen=True)
class Nested:
    """Rows of results nested in draws of the parameters: an analysis of variance of each.

    The interval is for the expected result under the true parameters, which are one more draw of
    what they might be: more replications average luck out, but not ignorance.

    Attributes
    ----------
    n, mean, draws
        Results and draws that are there, and the mean of the results.
    between, within
        Mean squares between and within draws.
    size
        Results a draw (their effective number, where they differ).
    imbalance
        One over the effective number of draws.

    Examples
    --------
    >>> two = nested(np.array([[10.0, 12.0, 20.0, 22.0, 30.0, 32.0]]), [0, 0, 1, 1, 2, 2])
    >>> two.mean.item(), two.within.item(), two.ignorance.item(), round(two.share.item(), 3)
    (21.0, 2.0, 99.0, 0.997)
    >>> [round(bound.item(), 2) for bound in two.share_bounds()]
    [0.95, 1.0]
    """

    n: Array
    mean: Array
    draws: Array
    between: Array
    within: Array
    size: Array
    imbalance: Array

    @cached_property
    def ignorance(self) -> Array:
        """Variance of the expected result over what the parameters might be, at least zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.maximum((self.between - self.within) / self.size, 0.0))

    @cached_property
    def share(self) -> Array:
        """Share of the interval's variance that more replications will not take away."""
        ignorance = self.ignorance * (1.0 + self.imbalance)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(ignorance / (ignorance + self.within / self.n))

    @property
    def reliability(self) -> Array:
        """Share of the variance between the draws' means that is ignorance."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.maximum(1.0 - self.within / self.between, 0.0))

    def share_bounds(self) -> tuple[Array, Array]:
        """95 % bounds of the share, from the F distribution; exact for equal numbers."""
        bounds = []
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.between / self.within
            for tail in (0.975, 0.025):
                quantile = special.fdtri(self.draws - 1.0, self.n - self.draws, tail)
                odds = np.maximum((ratio / quantile - 1.0) / self.size, 0.0)
                odds = odds * (1.0 + self.imbalance) * self.n
                share = np.where(np.isinf(odds), 1.0, odds / (1.0 + odds))
                bounds.append(np.where(self._untold, np.nan, share))
        return bounds[0], bounds[1]

    @property
    def _untold(self) -> np.ndarray:
        """Rows with too few draws, or none played twice, to tell luck from ignorance."""
        return np.asarray((self.draws < 2) | (self.n <= self.draws))

    @property
    def _same(self) -> np.ndarray:
        """Rows whose results are all the same."""
        return np.asarray((self.between == 0.0) & (self.within == 0.0))

    def half_width(self, level: Array) -> Array:
        """Half-width of the interval at confidence 1 - level; NaN where it cannot be told."""
        half = np.full(len(self.n), np.nan)
        rows = np.flatnonzero(~self._untold & ~self._same)
        for some in np.array_split(rows, max(1, -(-len(rows) // _CHUNK))):
            sd, weight = self._plausible(some)
            at = np.zeros(len(some))
            for _ in range(_STEPS):  # P(|Z| sd > at) is convex in `at`
                z = at[:, None] / sd
                gap = (2.0 * special.ndtr(-z) * weight).sum(axis=1) - level[some]
                slope = (2.0 * np.exp(-z**2 / 2.0) / np.sqrt(2.0 * np.pi) / sd * weight).sum(axis=1)
                at += gap / slope
            half[some] = at
        return np.where(~self._untold & self._same, 0.0, half)

    def p(self) -> Array:
        """The level whose interval would just reach zero; 1 where there is none to judge."""
        p = np.ones(len(self.n))
        rows = np.flatnonzero(~self._untold & ~self._same & (self.mean != 0.0))
        for some in np.array_split(rows, max(1, -(-len(rows) // _CHUNK))):
            sd, weight = self._plausible(some)
            z = np.abs(self.mean[some])[:, None] / sd
            p[some] = (2.0 * special.ndtr(-z) * weight).sum(axis=1)
        return np.where(~self._untold & self._same & (self.mean != 0.0), 0.0, p)

    def more(self, level: Array) -> Array:
        """Results to add until the mean shows; as good as never where ignorance alone hides it."""
        half = self.half_width(level)
        with np.errstate(divide="ignore", invalid="ignore"):
            now = self.ignorance * (1.0 + self.imbalance) + self.within / self.n
            wanted = now * (self.mean / half) ** 2 - self.ignorance * (1.0 + self.imbalance)
            needed = np.where(wanted > 0.0, np.ceil(self.within / wanted) + 1.0, _MOST)
        needed = np.where(half < np.abs(self.mean), self.n, np.clip(needed, self.n + 1.0, _MOST))
        return np.where((self.mean == 0.0) | self._untold, np.nan, needed - self.n)

    def _plausible(self, rows: np.ndarray) -> tuple[Array, Array]:
        """Standard deviations of the mean that the two mean squares leave plausible, weighted."""
        u, wu = _legendre(_BETWEEN)
        v, wv = _legendre(_WITHIN)
        first, rest = self.draws[rows, None] - 1.0, self.n[rows, None] - self.draws[rows, None]
        among = first * self.between[rows, None] / special.chdtri(first, 1.0 - u)
        luck = rest * self.within[rows, None] / special.chdtri(rest, 1.0 - v)
        ignorance = np.maximum(among[:, :, None] - luck[:, None, :], 0.0)
        ignorance *= ((1.0 + self.imbalance[rows]) / self.size[rows])[:, None, None]
        variance = ignorance + luck[:, None, :] / self.n[rows, None, None]
        weight = (wu[:, None] * wv[None, :]).reshape(1, -1)
        floor = 1e-24 * (self.between[rows] + self.within[rows])[:, None]
        return np.sqrt(np.maximum(variance.reshape(len(rows), _BETWEEN * _WITHIN), floor)), weight


def nested(values: Array, draws: Sequence[int]) -> Nested:
    """Analyse rows of results, one column a replication, NaN where a row has none.

    Parameters
    ----------
    draws
        Which draw of the parameters each column was played with.
    """
    n, mean, _ = moments(values)
    there = np.isfinite(values)
    member = (np.asarray(draws)[:, None] == np.unique(draws)[None, :]).astype(float)
    counts = there.astype(float) @ member
    groups = (counts > 0).sum(axis=1).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(there, values - mean[:, None], 0.0)
        total = (off**2).sum(axis=1)
        among = np.where(counts > 0, (off @ member) ** 2 / counts, 0.0).sum(axis=1)
        rest = np.maximum(total - among, 0.0)
        rest = np.where(rest <= 1e-12 * total, 0.0, rest)
        noise = total <= 1e-24 * n * mean**2
        between = np.where(noise, 0.0, among / (groups - 1.0))
        within = np.where(noise, 0.0, rest / (n - groups))
        size = (n - (counts**2).sum(axis=1) / n) / (groups - 1.0)
        imbalance = (counts**2).sum(axis=1) / n**2
    return Nested(n, mean, groups, between, within, size, imbalance)


def moments(values: Array) -> tuple[Array, Array, Array]:
    """Number, mean and standard deviation of each row's values that are there."""
    there = np.isfinite(values)
    n = there.sum(axis=1).astype(float)
    filled = np.where(there, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=1) / n
        squares = (np.where(there, values - mean[:, None], 0.0) ** 2).sum(axis=1)
        sd = np.sqrt(squares / (n - 1.0))
    return n, mean, np.where(n < 2, np.nan, sd)


def _t(n: Array, level: Array) -> Array:
    """Student quantile for a two-sided interval."""
    return np.asarray(special.stdtrit(n - 1.0, 1.0 - level / 2.0))


def _legendre(nodes: int) -> tuple[Array, Array]:
    """Nodes and weights on (0, 1), denser towards zero, where variances are largest."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    s = (x + 1.0) / 2.0
    return s**2 * (3.0 - 2.0 * s), w / 2.0 * 6.0 * s * (1.0 - s)
