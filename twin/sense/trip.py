"""Trips: the stops and moves of a vehicle, and at which places it was, from positions alone."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from twin.readings import Reading
from twin.sense.geofence import Fence, Fences, Point, km_between
from twin.sense.movement import Movement
from twin.sense.statistic import Statistic

_FASTEST_KMH = 200.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A stop or a move.

    Attributes
    ----------
    moving
        Whether it is a move.
    begin, end
        Seconds since 1970.
    km
        Driven.
    point
        Where it began.
    place
        Of a stop: the site whose fence holds it, or empty.
    """

    moving: bool
    begin: float
    end: float
    km: float
    point: Point
    place: str = ""

    @property
    def hours(self) -> float:
        """How long it took."""
        return (self.end - self.begin) / 3600.0


@dataclass(frozen=True, slots=True)
class Track:
    """Where a vehicle has been, and what it does now."""

    segments: tuple[Segment, ...] = ()
    moving: bool = False
    point: Point = (math.nan, math.nan)
    km: float = 0.0

    @property
    def visits(self) -> tuple[Segment, ...]:
        """The stops at known places: `begin` is the arrival, `end` the departure."""
        return tuple(part for part in self.segments if part.place)


class Trips(Statistic[Reading, Track]):
    """Cuts the positions of one vehicle into stops and moves.

    Parameters
    ----------
    fences
        Of the places that it may visit.
    shortest_stop_s
        A shorter stop elsewhere is part of the move.
    kept
        Segments that are remembered.
    movement
        How stops are told from moves.

    Examples
    --------
    Ten minutes at W, then north at 60 km/h:

    >>> trips = Trips(Fences([Fence("W", (52.0, 5.0))]))
    >>> for minute in range(30):
    ...     north = 52.0 + max(0, minute - 10) / 111.2
    ...     trips.update(Reading(sensor="gps", id=str(minute), time=60.0 * minute, asset="T1",
    ...                          kind="position", latitude=north, longitude=5.0))
    >>> track = trips.get()
    >>> [(part.moving, part.place, round(part.hours * 60)) for part in track.segments]
    [(False, 'W', 11), (True, '', 18)]
    """

    hears = ("position",)

    def __init__(self, fences: Fences | None = None, shortest_stop_s: float = 180.0,
                 kept: int = 100, movement: Movement | None = None) -> None:
        self.fences, self.shortest_stop_s = fences or Fences(()), shortest_stop_s
        self.movement = movement or Movement()
        self._done: deque[Segment] = deque(maxlen=kept)
        self._waiting: deque[tuple[float, Point, float]] = deque()
        self._now: Segment | None = None
        self._last: tuple[float, Point] | None = None
        self.km = 0.0  #: driven so far

    def update(self, heard: Reading) -> None:
        """Take in one position; late ones, and jumps faster than 200 km/h, are dropped."""
        point = (heard.latitude, heard.longitude)
        speed = km = 0.0
        if self._last is not None:
            seconds = heard.time - self._last[0]
            if seconds <= 0:
                return
            km = km_between(self._last[1], point)
            speed = 3600.0 * km / seconds
            if speed > _FASTEST_KMH:
                return
        self._last = (heard.time, point)
        self.km += km
        self._waiting.append((heard.time, point, km))
        self.movement.update((heard.time, speed))
        self._take(self.movement.get().settled)

    def get(self) -> Track:
        """Where it has been, the last readings judged by what is known of them."""
        if self._last is None:
            return Track()
        done, now = list(self._done), self._now
        verdicts = self.movement.rest()
        for (time, point, km), (_, moving) in zip(self._waiting, verdicts, strict=True):
            now = self._extend(done, now, time, point, km, moving)
        moving = now.moving if now else False
        return Track((*done, *([now] if now else [])), moving, self._last[1], self.km)

    def _take(self, settled: Iterable[tuple[float, bool]]) -> None:
        for _, moving in settled:
            time, point, km = self._waiting.popleft()
            done: list[Segment] = []
            self._now = self._extend(done, self._now, time, point, km, moving)
            for part in done:
                self._join(part)

    def _join(self, part: Segment) -> None:
        """Close a segment; a short stop in the open becomes part of the moves around it."""
        last = self._done[-1] if self._done else None
        short = not part.moving and not part.place and last is not None \
            and part.end - part.begin < self.shortest_stop_s
        part = replace(part, moving=True) if short else part
        if last is not None and last.moving and part.moving:
            self._done[-1] = replace(last, end=part.end, km=last.km + part.km)
        else:
            self._done.append(part)

    def _extend(self, done: list[Segment], now: Segment | None, time: float, point: Point,
                km: float, moving: bool) -> Segment:
        """The present segment after one more position; a finished one goes to `done`."""
        if now is not None and now.moving == moving:
            place = now.place or ("" if moving else self.fences.at(point))
            return replace(now, end=time, km=now.km + km, place=place)
        if now is not None:
            done.append(replace(now, end=time))
        return Segment(moving, time, time, km, point, "" if moving else self.fences.at(point))


__all__ = ["Fence", "Segment", "Track", "Trips"]
