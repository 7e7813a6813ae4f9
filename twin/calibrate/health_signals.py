"""Degradation signals as features: level, trend and change since new, at every reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.calibrate.season import Array

WINDOW = 30  #: readings that a level and a trend are taken over
_RECENT = 10


@dataclass(frozen=True, slots=True)
class Life:
    """What was read of one asset from its renewal on.

    Parameters
    ----------
    asset
        Its name.
    age_h
        Age at each reading, hours, rising.
    signals
        One row a reading, one column a signal (vibration, temperature, pressure, load ...).
    failed
        Whether the last reading is at its failure; else it still runs.

    Raises
    ------
    ValueError
        If ages and signals do not fit together.
    """

    asset: str
    age_h: Array
    signals: Array
    failed: bool = True

    def __post_init__(self) -> None:
        age, signals = np.asarray(self.age_h, float), np.asarray(self.signals, float)
        object.__setattr__(self, "age_h", age)
        object.__setattr__(self, "signals", signals)
        if signals.ndim != 2 or len(age) != len(signals) or len(age) < 2:
            raise ValueError(f"life of {self.asset}: {len(age)} ages and signals of shape "
                             f"{signals.shape} do not fit. Give one row of signals an age, two or "
                             "more.")
        if not (np.diff(age) > 0.0).all() or not np.isfinite(age).all():
            raise ValueError(f"life of {self.asset}: ages do not rise. Sort the readings and leave "
                             "out doubles.")
        if not np.isfinite(signals).all():
            raise ValueError(f"life of {self.asset}: a signal is missing. Fill gaps with the "
                             "reading before.")

    @property
    def remaining_h(self) -> Array:
        """Hours from each reading to the last one."""
        return np.asarray(self.age_h[-1] - self.age_h)


@dataclass(frozen=True, slots=True)
class Scale:
    """How signals are made comparable: mean and spread over the fleet; constant ones drop out."""

    mean: Array
    sd: Array
    keep: np.ndarray

    @classmethod
    def of(cls, lives: Sequence[Life]) -> Scale:
        """The scale of a fleet."""
        rows = np.vstack([life.signals for life in lives])
        mean, sd = rows.mean(axis=0), rows.std(axis=0)
        return cls(mean, sd, np.asarray(sd > 1e-9 * np.maximum(np.abs(mean), 1e-12)))

    def features(self, age_h: Array, signals: Array) -> Array:
        """Level over a window and of late, trend, change since new, and age: a row a reading.

        Examples
        --------
        >>> scale = Scale(np.zeros(1), np.ones(1), np.array([True]))
        >>> scale.features(np.arange(3.0), np.array([[1.0], [2.0], [3.0]]))[-1].round(6).tolist()
        [2.0, 2.0, 1.0, 0.0, 2.0]
        """
        x = ((signals - self.mean) / np.where(self.keep, self.sd, 1.0))[:, self.keep]
        level, slope = _rolling(age_h, x, WINDOW)
        late, _ = _rolling(age_h, x, _RECENT)
        return np.column_stack([level, late, slope, level - _when_new(x), age_h])


def _when_new(x: Array) -> Array:
    """What the asset was like when new, as far as it was known at each reading."""
    known = np.minimum(np.arange(1, len(x) + 1), _RECENT)
    return np.asarray(np.cumsum(x, axis=0)[known - 1] / known[:, None])


def _rolling(age_h: Array, x: Array, window: int) -> tuple[Array, Array]:
    """Mean and least-squares slope over the last so many readings; slope 0 of one reading."""
    n = len(x)
    t = age_h[:, None] - age_h.mean()

    def sums(values: Array) -> Array:
        total = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
        return np.asarray(total[1:] - total[np.maximum(np.arange(1, n + 1) - window, 0)])

    count = np.minimum(np.arange(1, n + 1), window)[:, None].astype(float)
    mean, mean_t = sums(x) / count, sums(t) / count
    spread = sums(t * t) / count - mean_t**2
    together = sums(t * x) / count - mean_t * mean
    enough = (count >= 3) & (spread > 1e-12)
    return mean, np.where(enough, together / np.where(enough, spread, 1.0), 0.0)
