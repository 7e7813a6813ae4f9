"""Estimated time of arrival: what is left of a way, given how long it has taken already.

The law of the whole time comes from the network; how it is conditioned on an age is passed in as a
function, `left`, since drawing is the simulation's business.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.quantity import Quantity

#: What is left of a time of this law after an age (h), at a luck in [0, 1); more luck is longer.
Left = Callable[[Quantity, float, float], float]
Values = NDArray[np.floating[Any]]

_POINTS = 200
#: Chance that the law of the network does not hold for this trip (closed road, other route).
_SURPRISE = 0.05


@dataclass(frozen=True, slots=True)
class Leg:
    """A time that has to pass before the goods are there.

    Parameters
    ----------
    law
        Of the whole time, hours.
    age
        Hours that it has lasted; only the first leg of a way has one.
    covered
        Share of the way that lies behind, where positions tell; NaN when they do not.
    rests
        What so many hours of it take by the clock, where a driver has to rest.
    """

    law: Quantity
    age: float = 0.0
    covered: float = math.nan
    rests: Callable[[float], float] | None = None


@dataclass(frozen=True, slots=True)
class Eta:
    """When something will arrive, in hours from now: equally likely values in rising order.

    A value may be inf: not within any time that was looked at.

    Examples
    --------
    >>> eta = Eta(tuple(float(hour) for hour in range(1, 101)))
    >>> eta.median, eta.interval(0.8), eta.chance_after(90.0)
    (50.5, (10.9, 90.1), 0.1)
    """

    hours: tuple[float, ...]

    @property
    def median(self) -> float:
        """As likely earlier as later."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """The time by which it is there with this chance."""
        return _between(self.hours, share * (len(self.hours) - 1))

    @classmethod
    def of_sample(cls, values: Sequence[float]) -> Eta:
        """What some draws tell of the next one, which lies below the i-th of n with chance i/(n+1).

        Examples
        --------
        >>> Eta.of_sample([3.0, 1.0, 2.0, 9.0]).interval(0.5)
        (1.25625, 7.4625)
        """
        told = sorted(values)
        return cls(tuple(_between(told, min(max((k + 0.5) / _POINTS * (len(told) + 1) - 1, 0.0),
                                            len(told) - 1.0)) for k in range(_POINTS)))

    def interval(self, level: float = 0.8) -> tuple[float, float]:
        """The central interval of this level."""
        return (round(self.quantile((1 - level) / 2), 6), round(self.quantile((1 + level) / 2), 6))

    def chance_after(self, hours: float) -> float:
        """Chance that it is not there by then."""
        return (len(self.hours) - bisect_right(self.hours, hours)) / len(self.hours)


def _between(rising: Sequence[float], place: float) -> float:
    """The value at a place between two, by a straight line; inf beyond the last finite one."""
    low, high = rising[int(place)], rising[math.ceil(place)]
    return low if low == high else low + (place - int(place)) * (high - low)


def eta(legs: Sequence[Leg], left: Left, *, pace_spread: float = 0.2,
        points: int = _POINTS) -> Eta:
    """When a way of several legs will be over.

    Parameters
    ----------
    legs
        In order; the first is under way, the others have not begun.
    left
        The conditional law of a time (see `Left`).
    pace_spread
        How unevenly a way is covered: standard deviation of the logarithm of pace at half-way.
    points
        Values that stand for the law.

    Notes
    -----
    A share c covered after an age a says that the whole takes about a/c. It is weighed against the
    law of the lane as evidence with spread ``pace_spread * sqrt((1 - c) / c)``, so that it counts
    little at the start and nearly everything at the end (a Brownian bridge of progress).

    Examples
    --------
    Six hours are usual, 4 to 8 possible; after 4 hours with half of the way covered it looks late.

    >>> def left(law, age, luck):
    ...     low, high = max(law.get("low"), age), law.get("high")
    ...     return low + luck * (high - low) - age
    >>> law = Quantity("uniform", (("low", 4.0), ("high", 8.0)), time=True)
    >>> round(eta([Leg(law, 4.0)], left).median, 1)
    2.0
    >>> eta([Leg(law, 4.0, covered=0.5)], left).median > 2.5
    True
    """
    rng = np.random.default_rng(0)  # only the pairing of the legs' quantiles, the same every time
    total = np.zeros(points)
    for place, leg in enumerate(legs):
        whole = leg if place == 0 else replace(leg, age=0.0, covered=math.nan)
        values = _left_of(whole, left, pace_spread, points)
        if leg.rests is not None:
            values = np.array([leg.rests(hours) for hours in values.tolist()])
        total += values if place == 0 else rng.permutation(values)
    return Eta(tuple(sorted(total.tolist())))


def _left_of(leg: Leg, left: Left, pace_spread: float, points: int) -> Values:
    """Equally likely values of what is left of one leg."""
    lucks = (np.arange(points) + 0.5) / points
    rests = np.array([left(leg.law, leg.age, float(luck)) for luck in lucks])
    share = leg.covered
    if not share > 0.0 or leg.age <= 0.0:
        return rests
    if share >= 1.0:
        return np.zeros(points)
    spread = pace_spread * math.sqrt((1.0 - share) / share)
    pace = leg.age / share  # the whole time at the pace so far
    off = np.log(pace / np.maximum(leg.age + rests, 1e-9)) / spread
    fits = np.exp(-off * off / 2) / spread
    # The law may not hold for this trip: then the pace alone says how long it takes.
    z = np.sqrt(2.0) * _erfinv(2 * lucks - 1)
    by_pace = np.maximum(pace * np.exp(spread * z) - leg.age, 0.0)
    surprise = _SURPRISE / math.sqrt(1.0 + spread * spread)
    weights = np.concatenate([(1 - _SURPRISE) * fits / points,
                              np.full(points, surprise / points)])
    return _resampled(np.concatenate([rests, by_pace]), weights, lucks)


def _erfinv(values: Values) -> Values:
    from scipy.special import erfinv

    return np.asarray(erfinv(values))


def _resampled(values: Values, weights: Values, lucks: Values) -> Values:
    """Equally likely values of a weighted sample."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    places = np.searchsorted(below / below[-1], lucks)
    return np.asarray(values[order][np.minimum(places, len(values) - 1)])
