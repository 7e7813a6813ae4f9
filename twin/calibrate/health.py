"""Machine health: from degradation signals to the distribution of the life that remains.

A learner predicts remaining life from the signals; above a cap it may say no more than *healthy*.
What that prediction is worth is told by assets it had not seen: each reference asset was predicted
by a learner without it, and the moment at which it looked most like this one tells a remaining
life. Those lives, one an asset, are the distribution: calibrated by asset, not by reading, and no
law is assumed. Source: split conformal prediction by group (Dunn, Wasserman & Ramdas 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.calibrate.health_learners import Learner, learner
from twin.calibrate.health_signals import Life, Scale
from twin.calibrate.season import Array
from twin.clock import format_duration
from twin.parameters import Parameter

_FOLDS = 5
_LEAST = 8  #: failed assets to learn from
_EVERY = 600  #: readings of an asset, at most, that are learned from
_VALUES = 39  #: values that a law is written with


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is left of the life of one asset.

    Attributes
    ----------
    asset, age_h
        Which, and its age at the last reading.
    index
        Health: 1 is as good as new, 0 fails now.
    expected_h
        Predicted remaining life, at most the cap.
    remaining_h
        What was left of the reference assets when they looked the same, hours, rising.
    """

    asset: str
    age_h: float
    index: float
    expected_h: float
    remaining_h: tuple[float, ...] = field(repr=False)

    def quantile(self, level: float) -> float:
        """A quantile of the remaining life, hours, with the conformal correction for few assets.

        Examples
        --------
        >>> Outlook("M3", 10.0, 0.5, 3.0, (1.0, 2.0, 3.0, 4.0)).quantile(0.5)
        2.5
        """
        n = len(self.remaining_h)
        rank = level * (n + 1) - 1
        return float(np.interp(rank, np.arange(n), self.remaining_h))

    def chance(self, within_h: float) -> float:
        """Chance that it fails within so many hours."""
        return float(np.searchsorted(self.remaining_h, within_h, side="right")
                     / (len(self.remaining_h) + 1))

    def parameter(self, failure: str, *, as_of: str = "", source: str = "") -> Parameter:
        """The row of a calibration that gives this asset its own law of `time_to_failure`.

        The law is of the whole life, so that given the present age (which a state holds) what is
        left of it is `remaining_h`. Later lives of the same asset are then drawn from it too.

        Parameters
        ----------
        failure
            Key of the row of `failures`: ``M3,wear``.

        Examples
        --------
        >>> Outlook("M3", 10.0, 0.5, 3.0, (1.0, 2.0, 3.0)).parameter("M3,wear").cell
        'failures[M3,wear].time_to_failure'
        """
        levels = (np.arange(_VALUES) + 0.5) / _VALUES
        lives = [self.age_h + max(self.quantile(float(level)), 1e-3) for level in levels]
        text = f"empirical({', '.join(format_duration(round(life, 3)) for life in lives)})"
        low, high = (format_duration(round(self.age_h + self.quantile(level), 3))
                     for level in (0.025, 0.975))
        return Parameter("failures", failure, "time_to_failure", value=text, low=low, high=high,
                         n=str(len(self.remaining_h)), as_of=as_of, source=source)


@dataclass(frozen=True, slots=True)
class Health:
    """A model of the health of a fleet of like assets.

    Attributes
    ----------
    cap_h
        Remaining life above which assets count as healthy.
    references
        Per reference asset: predictions by a learner without it, ages, and what was left (h).
    error_h
        Root mean square error of these predictions, capped lives.
    """

    scale: Scale
    model: Learner = field(repr=False)
    cap_h: float
    error_h: float
    reach_h: tuple[float, float]
    references: tuple[tuple[Array, Array, Array], ...] = field(repr=False)

    @classmethod
    def learn(cls, lives: Sequence[Life], *, cap_h: float | None = None, how: str = "") -> Health:
        """Learn from assets that failed; those that still run teach nothing yet.

        Parameters
        ----------
        cap_h
            See above; None is 60 % of the median life.
        how
            ``ridge`` or ``trees``; blank is the latter where it is installed.

        Raises
        ------
        ValueError
            With fewer than eight failed assets, or signals of different numbers.
        """
        failed = [life for life in lives if life.failed]
        if len(failed) < _LEAST:
            raise ValueError(f"health: {len(failed)} assets have failed, at least {_LEAST} are "
                             "needed to learn from. Wait, or pool like machines.")
        if len({life.signals.shape[1] for life in failed}) > 1:
            raise ValueError("health: assets have different numbers of signals. Give each the "
                             "same, in the same order.")
        cap = cap_h or 0.6 * float(np.median([life.age_h[-1] for life in failed]))
        scale = Scale.of(failed)
        made = [scale.features(life.age_h, life.signals) for life in failed]
        fresh = learner(how)
        references: list[tuple[Array, Array, Array]] = [None] * len(failed)  # type: ignore[list-item]
        for fold in range(_FOLDS):
            held = range(fold, len(failed), _FOLDS)
            model = _taught(fresh(), failed, made, cap, set(held))
            for i in held:
                references[i] = (_capped(model.predict(made[i]), cap), failed[i].age_h,
                                 failed[i].remaining_h)
        gaps = np.concatenate([told - np.minimum(left, cap) for told, _, left in references])
        error = float(np.sqrt(np.mean(gaps**2)))
        ages = float(np.std([life.age_h[-1] for life in failed]))
        return cls(scale, _taught(fresh(), failed, made, cap, set()), cap, error,
                   (max(error, 1e-9), max(2.0 * ages, 1e-9)), tuple(references))

    def outlook(self, life: Life) -> Outlook:
        """What is left of an asset that still runs, from what was read of it so far."""
        features = self.scale.features(life.age_h, life.signals)
        told = float(_capped(self.model.predict(features[-1:]), self.cap_h)[0])
        age = float(life.age_h[-1])
        return Outlook(life.asset, age, told / self.cap_h, told, self._alike(told, age))

    def _alike(self, told: float, age: float) -> tuple[float, ...]:
        """What each reference asset had left when it looked most like this one."""
        reach, years = self.reach_h
        left = []
        for predictions, ages, remaining in self.references:
            distance = ((predictions - told) / reach) ** 2 + ((ages - age) / years) ** 2
            left.append(float(remaining[int(np.argmin(distance))]))
        return tuple(sorted(left))


def _taught(model: Learner, lives: Sequence[Life], made: Sequence[Array], cap: float,
            without: set[int]) -> Learner:
    """A learner taught by all assets but some."""
    rows, targets = [], []
    for i, (life, features) in enumerate(zip(lives, made, strict=True)):
        if i not in without:
            step = max(1, len(features) // _EVERY + (len(features) * len(lives) > 8000))
            rows.append(features[::-1][::step])
            targets.append(np.minimum(life.remaining_h[::-1][::step], cap))
    return model.fit(np.vstack(rows), np.concatenate(targets))


def _capped(told: Array, cap: float) -> Array:
    return np.clip(told, 0.0, cap)
