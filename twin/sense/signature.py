"""The signature of a machine: how its signals go together when it is well.

Hotelling's T squared of the smoothed signals, where each signal is allowed to wander as much as it
wandered while the signature was learnt. So an oil temperature may drift with the weather, and a
flow, which never drifts, may not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from twin.sense.statistic import Statistic

Row = Sequence[float]
Values = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Departure:
    """How far a machine is from its signature; a score of 1 or more is an anomaly.

    Attributes
    ----------
    score
        T squared over its limit; 0 while the signature is still learnt.
    channel
        Index of the signal that departs most, in its own standard deviations; -1 for none.
    learnt
        Whether the signature is known.
    """

    score: float = 0.0
    channel: int = -1
    learnt: bool = False


class Signature(Statistic[Row, Departure]):
    """Learns how several signals of a machine go together, then says when they do not.

    Parameters
    ----------
    learning
        Rows of which the signature is made; the machine is taken to be well meanwhile.
    chance
        Of a false alarm, at each row, of signals that follow the normal law.
    smoothing
        Weight of a new row in the running mean of each signal.

    Notes
    -----
    The variance of a signal is that of its smoothed values plus its drift: what the mean square of
    differences grows by from a lag of a twentieth to a lag of a quarter of the learning, times an
    eighth of the learning. The centre follows healthy rows with a memory of half the learning, and
    stands still while the machine is ill, so that a fault does not become the rule.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> signature = Signature(learning=200)
    >>> for flow, pressure in rng.normal([32.0, 2.0], [0.3, 0.05], size=(200, 2)):
    ...     signature.update((flow, pressure))
    >>> signature.update((32.0, 2.0))
    >>> signature.get().score < 1.0
    True
    >>> for _ in range(10):
    ...     signature.update((30.0, 2.0))
    >>> signature.get().score > 1.0, signature.get().channel
    (True, 0)
    """

    hears = ("numbers",)

    def __init__(self, learning: int = 400, chance: float = 0.001, smoothing: float = 0.2) -> None:
        if learning < 40:
            raise ValueError(f"learning {learning} is too short. Give at least 40 rows.")
        self.learning, self.chance, self.smoothing = learning, chance, smoothing
        self._rows: list[Values] = []
        self._smooth: Values | None = None
        self._centre: Values = np.zeros(0)
        self._inverse: Values = np.zeros(0)
        self._sd: Values = np.zeros(0)
        self._limit = math.inf
        self._now = Departure()

    def update(self, heard: Row) -> None:
        """Take in one row; a NaN repeats what its signal was."""
        row = np.asarray(heard, dtype=float)
        if self._smooth is None:
            self._smooth = np.nan_to_num(row)
        row = np.where(np.isnan(row), self._smooth, row)
        self._smooth = self._smooth + self.smoothing * (row - self._smooth)
        if self._now.learnt:
            self._judge(row, self._smooth)
            return
        self._rows.append(row)
        if len(self._rows) == self.learning:
            self._learn(np.array(self._rows))
            self._rows = []

    def get(self) -> Departure:
        """How far it was from its signature at the last row."""
        return self._now

    def _learn(self, rows: Values) -> None:
        n, width = rows.shape
        level = rows[:n // 20].mean(axis=0)
        smooth = np.empty_like(rows)
        for place, row in enumerate(rows):
            level = level + self.smoothing * (row - level)
            smooth[place] = level
        smooth = smooth[n // 20:]
        short, long = n // 20, n // 4
        drift = np.maximum(0.0, (_growth(smooth, long) - _growth(smooth, short)) / (long - short))
        floor = 1e-6 * rows.var(axis=0) + 1e-12
        covariance = np.atleast_2d(np.cov(smooth.T)) + np.diag(drift * n / 8 + floor)
        self._centre = rows.mean(axis=0)
        self._inverse = np.linalg.inv(covariance)
        self._sd = np.sqrt(np.diag(covariance))
        # the quantile of chi squared with as many degrees of freedom as signals
        self._limit = 2.0 * float(gammaincinv(width / 2.0, 1.0 - self.chance))
        self._now = Departure(learnt=True)

    def _judge(self, row: Values, smooth: Values) -> None:
        away = smooth - self._centre
        score = float(away @ self._inverse @ away) / self._limit
        self._now = Departure(score, int(np.argmax(np.abs(away) / self._sd)), True)
        if score < 1.0:
            self._centre = self._centre + (2.0 / self.learning) * (row - self._centre)


def _growth(smooth: Values, lag: int) -> Values:
    """Mean square of the differences at a lag, by signal."""
    return np.asarray(((smooth[lag:] - smooth[:-lag]) ** 2).mean(axis=0))
