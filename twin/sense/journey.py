"""A journey: one vehicle on one lane, from its positions: has it left, is it stuck, is it there?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.network import Lane, Network
from twin.readings import Reading
from twin.sense.debounce import Debounce
from twin.sense.geofence import Corridor, Fence, Fences, corridor_of, fences_of, km_between
from twin.sense.statistic import Statistic
from twin.sense.trip import Trips

_NEAR_KM = 1.0  #: what stands stays within so much of where it came to stand


@dataclass(frozen=True, slots=True)
class Progress:
    """How a journey stands.

    Attributes
    ----------
    state
        ``unknown``, ``loading`` (at the origin), ``under way`` or ``arrived``.
    covered
        Share of the way that lies behind.
    departed, arrived
        Seconds since 1970; NaN when not yet, or when it was not seen.
    off_route
        Whether it has left the corridor.
    stopped_h
        Hours of the present stop outside every known place.
    stuck
        Whether that is longer than allowed.
    """

    state: str = "unknown"
    covered: float = 0.0
    departed: float = math.nan
    arrived: float = math.nan
    off_route: bool = False
    stopped_h: float = 0.0
    stuck: bool = False


class Journey(Statistic[Reading, Progress]):
    """Follows one vehicle from an origin to a destination by its positions alone.

    It has arrived when it is inside the fence of the destination at two positions in a row, and has
    departed when it is outside the fence of the origin, with a fifth of slack, at two in a row.

    Parameters
    ----------
    origin, destination
        Names of places with a fence.
    fences
        Of all places, where stopping is no trouble.
    corridor
        The ground of the journey; none means that it is never off route.
    longest_stop_h
        A longer stop outside every place is stuck.

    Examples
    --------
    >>> journey = Journey.sample()
    >>> for minute in range(0, 130, 2):
    ...     east = 5.0 + min(1.0, max(0.0, (minute - 10) / 100))
    ...     journey.update(Reading(sensor="gps", id=str(minute), time=60.0 * minute, asset="T1",
    ...                            kind="position", latitude=52.0, longitude=east))
    >>> progress = journey.get()
    >>> progress.state, progress.departed / 60.0, progress.arrived / 60.0
    ('arrived', 12.0, 110.0)
    """

    hears = ("position",)

    def __init__(self, origin: str, destination: str, fences: Fences,
                 corridor: Corridor | None = None, longest_stop_h: float = 1.0) -> None:
        self.origin, self.destination, self.fences = origin, destination, fences
        self.corridor, self.longest_stop_h = corridor, longest_stop_h
        self.trips = Trips(fences, kept=10)
        self._off = Debounce(m=2, n=3, clear=1.0, calm=2)
        self._left = Debounce(m=2, n=2, clear=1.0)
        self._there = Debounce(m=2, n=2, clear=1.0)
        self._covered, self._time = 0.0, math.nan
        self._stay: tuple[float, tuple[float, float]] | None = None  #: since when it is near where
        self._departed = self._arrived = self._out_since = self._in_since = math.nan

    @classmethod
    def sample(cls, *given: object) -> Journey:
        """From A to B, 68 km east of it."""
        a, b = (52.0, 5.0), (52.0, 6.0)
        return cls("A", "B", Fences([Fence("A", a), Fence("B", b)]), Corridor((a, b)))

    @classmethod
    def on(cls, network: Network, lane: Lane, *, fences: Fences | None = None,
           longest_stop_h: float = 1.0) -> Journey:
        """A journey on a lane of a network; `fences` saves making them anew."""
        return cls(lane.origin, lane.destination, fences or fences_of(network),
                   corridor_of(network, lane), longest_stop_h)

    def update(self, heard: Reading) -> None:
        """Take in one position; one from before the last is dropped."""
        if heard.time <= self._time or self._arrived == self._arrived:
            return
        self._time = heard.time
        point = (heard.latitude, heard.longitude)
        if self._stay is None or km_between(self._stay[1], point) > _NEAR_KM:
            self._stay = (heard.time, point)
        self.trips.update(heard)
        outside = self.fences.at(point, 1.2) != self.origin
        inside = self.fences.at(point) == self.destination
        self._out_since = _since(self._out_since, outside, heard.time)
        self._in_since = _since(self._in_since, inside, heard.time)
        self._left.update(float(outside))
        self._there.update(float(inside))
        if self._departed != self._departed and self._left.get():
            self._departed = self._out_since
        if self._there.get():
            self._arrived, self._covered = self._in_since, 1.0
        elif self.corridor is not None:
            self._covered = self.corridor.covered(point)
            self._off.update(float(not self.corridor.holds(point)))

    def get(self) -> Progress:
        """How it stands at the last position."""
        if self._time != self._time:
            return Progress()
        there = self._arrived == self._arrived
        state = "arrived" if there else "under way" if self._departed == self._departed else \
            "loading"
        segments = self.trips.get().segments
        last = segments[-1] if segments else None
        stopped = 0.0
        if last and not last.moving and not last.place and not there and self._stay:
            # However slow it seems between positions far apart, a ship on its way does not stand.
            stopped = min(last.hours, (self._time - self._stay[0]) / 3600.0)
        return Progress(state, self._covered, self._departed, self._arrived,
                        self._off.get() and not there, stopped, stopped > self.longest_stop_h)


def _since(since: float, holds: bool, now: float) -> float:
    """When a condition began to hold; NaN while it does not."""
    return (since if since == since else now) if holds else math.nan
