"""The logbook of a truck: each trip from place to place, with its fuel and how it was driven."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from twin.readings import Reading
from twin.sense.driving import Conduct, Driving
from twin.sense.geofence import Fence, Fences
from twin.sense.statistic import Statistic
from twin.sense.tank import FuelUse, Tank
from twin.sense.trip import Trips


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip.

    Attributes
    ----------
    origin, destination
        Places; the origin of a trip whose beginning was not seen is empty.
    departed, arrived
        Seconds since 1970.
    km
        By the odometer, or else along the positions.
    fuel
        Burnt, refuelled and taken on the way.
    conduct
        How it was driven.
    """

    origin: str
    destination: str
    departed: float
    arrived: float
    km: float
    fuel: FuelUse
    conduct: Conduct

    @property
    def l_per_100km(self) -> float:
        """Litres burnt per 100 km."""
        return 100.0 * self.fuel.burnt / self.km if self.km > 0 else math.nan


class Logbook(Statistic[Reading, tuple[Trip, ...]]):
    """Writes down the trips of one truck, from all that it sends.

    It has departed once it is outside the fence where it stood, with a fifth of slack, at two
    positions in a row; it has arrived once it is inside a fence and more likely stands than moves,
    at two in a row.

    Parameters
    ----------
    fences
        Of the places.
    limit_kmh
        Faster is speeding.
    kept
        Trips that are remembered.

    Examples
    --------
    >>> book = Logbook(Fences([Fence("A", (52.0, 5.0)), Fence("B", (52.0, 5.5))]))
    >>> for minute in range(80):
    ...     east = 5.0 + 0.5 * min(1.0, max(0.0, (minute - 10) / 40))
    ...     book.update(Reading(sensor="g", id=f"p{minute}", time=60.0 * minute, asset="T1",
    ...                         kind="position", latitude=52.0, longitude=east))
    ...     book.update(Reading(sensor="g", id=f"f{minute}", time=60.0 * minute, asset="T1",
    ...                         kind="fuel", value=200.0 - 20.0 * (east - 5.0)))
    >>> (trip,) = book.get()
    >>> trip.origin, trip.destination, round(trip.km), round(trip.l_per_100km)
    ('A', 'B', 34, 28)
    """

    hears = ("position", "fuel", "odometer", "speed", "driving")

    def __init__(self, fences: Fences | None = None, limit_kmh: float = 90.0,
                 kept: int = 50) -> None:
        self.fences = fences or Fences([Fence("A", (52.0, 5.0)), Fence("B", (53.0, 5.0))])
        self.trips = Trips(self.fences, kept=4)
        self.tank, self.driving = Tank(), Driving(limit_kmh)
        self._done: deque[Trip] = deque(maxlen=kept)
        self._place, self._last, self._outside, self._inside = "", "", 0, 0
        self._edge = math.nan
        self._departed = math.nan
        self._start = self.tank.get(), 0.0

    def update(self, heard: Reading) -> None:
        """Take in a reading of the truck."""
        if heard.kind == "position":
            self._seen(heard)
        elif heard.kind == "fuel":
            self.tank.update(heard)
        elif heard.kind == "odometer":
            self.tank.update(heard)
            self.driving.update(heard)
        else:
            self.driving.update(heard)

    def get(self) -> tuple[Trip, ...]:
        """The trips that have ended, oldest first."""
        return tuple(self._done)

    def _seen(self, heard: Reading) -> None:
        self.trips.update(heard)
        point = (heard.latitude, heard.longitude)
        if self._place:
            out = self.fences.at(point, 1.2) != self._place
            self._edge = heard.time if out and not self._outside else self._edge
            self._outside = self._outside + 1 if out else 0
            if self._outside >= 2:
                self._place, self._outside, self._departed = "", 0, self._edge
            elif not out:  # fuel burnt and ways driven so far are not this trip's
                self._start = self.tank.get(), self.trips.km
                self.driving.restart()
            return
        there = self.fences.at(point) if self.trips.movement.get().moving < 0.5 else ""
        self._edge = heard.time if there and not self._inside else self._edge
        self._inside = self._inside + 1 if there else 0
        if self._inside >= 2:
            self._arrive(there)

    def _arrive(self, place: str) -> None:
        if self._departed == self._departed:
            (fuel, km), conduct = self._start, self.driving.get()
            use = self.tank.get().since(fuel)
            driven = use.km if use.km > 0 else self.trips.km - km
            self._done.append(Trip(self._last, place, self._departed, self._edge, driven, use,
                                   conduct))
        self._place, self._last, self._inside = place, place, 0
        self._start = self.tank.get(), self.trips.km
        self.driving.restart()
