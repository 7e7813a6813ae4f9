"""The tank of a truck: what was burnt, refuelled and taken, from a level that sloshes."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from twin.readings import Reading
from twin.sense.moving_median import MovingMedian
from twin.sense.statistic import Statistic


@dataclass(frozen=True, slots=True)
class Fill:
    """Fuel that came or went at once: `litres` above zero is a refuelling, below zero a theft."""

    time: float
    litres: float


@dataclass(frozen=True, slots=True)
class FuelUse:
    """What a truck has burnt.

    Attributes
    ----------
    burnt
        Litres, without what was refuelled or taken.
    km
        By its odometer; NaN without one.
    fills
        The last refuellings and thefts.
    level
        In the tank, smoothed.
    """

    burnt: float = 0.0
    km: float = math.nan
    fills: tuple[Fill, ...] = ()
    level: float = math.nan

    @property
    def l_per_100km(self) -> float:
        """Litres burnt per 100 km."""
        return 100.0 * self.burnt / self.km if self.km and self.km > 0 else math.nan

    @property
    def stolen(self) -> float:
        """Litres taken."""
        return -math.fsum(fill.litres for fill in self.fills if fill.litres < 0)

    def since(self, start: FuelUse) -> FuelUse:
        """The use of a trip: from an earlier answer to this one."""
        fills = tuple(fill for fill in self.fills if fill not in start.fills)
        return FuelUse(self.burnt - start.burnt, self.km - start.km, fills, self.level)


class Tank(Statistic[Reading, FuelUse]):
    """Follows the level of one tank through a median of five, which sloshing does not move.

    Parameters
    ----------
    least
        Litres that must come or go at once to count as refuelled or taken.
    fastest_burn
        Litres an hour that the engine can burn; a faster fall is no driving.

    Examples
    --------
    >>> tank = Tank()
    >>> levels = [300 - m for m in range(12)] + [480 - m for m in range(12)] + [400] * 9
    >>> for minute, litres in enumerate(levels):
    ...     tank.update(Reading(sensor="f", id=str(minute), time=300.0 * minute, asset="T1",
    ...                         kind="fuel", value=float(litres)))
    >>> [round(fill.litres) for fill in tank.get().fills]
    [187, -71]
    """

    hears = ("fuel", "odometer")

    def __init__(self, least: float = 25.0, fastest_burn: float = 60.0, kept: int = 50) -> None:
        self.least, self.fastest_burn = least, fastest_burn
        self._level = MovingMedian(5)
        self._recent: deque[tuple[float, float]] = deque(maxlen=3)
        self._fills: deque[Fill] = deque(maxlen=kept)
        self._first = math.nan
        self._filled = 0.0
        self._km = [math.nan, math.nan]
        self._time = -math.inf

    def update(self, heard: Reading) -> None:
        """Take in a level (l) or the odometer (km)."""
        if heard.kind == "odometer":
            first, last = self._km
            self._km = [heard.value, heard.value] if first != first else \
                [first, max(last, heard.value)]
            return
        if heard.time < self._time:
            return
        self._time = heard.time
        self._level.update(heard.value)
        level = self._level.get().median
        if self._first != self._first:
            self._first = level
        if self._recent:
            self._compare(heard.time, level)
        self._recent.append((heard.time, level))

    def get(self) -> FuelUse:
        """The use so far."""
        level = self._level.get().median
        burnt = self._first + self._filled - level if level == level else 0.0
        return FuelUse(max(0.0, burnt), self._km[1] - self._km[0], tuple(self._fills), level)

    def _compare(self, time: float, level: float) -> None:
        """Against the level of a few readings ago; what comes in two steps is one event."""
        then, before = self._recent[0]
        change, hours = level - before, (time - then) / 3600.0
        if change >= self.least or -change >= self.least + self.fastest_burn * hours:
            last = self._fills[-1] if self._fills else None
            if last is not None and last.litres * change > 0 and then <= last.time:
                change += last.litres
                self._filled -= last.litres
                self._fills.pop()
            self._fills.append(Fill(time, change))
            self._filled += change
            self._recent.clear()
