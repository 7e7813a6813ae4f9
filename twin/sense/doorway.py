"""Doors: the heat that comes in while the door of a cold room is open."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.readings import Reading
from twin.sense.statistic import Statistic

_GRAVITY = 9.81


@dataclass(frozen=True, slots=True)
class Doorway:
    """A doorway between warm and cold air (Gosney and Olama 1975; ASHRAE Refrigeration, ch. 24).

    Parameters
    ----------
    area_m2, height_m
        Of the opening.
    warm_kj_kg, cold_kj_kg
        Enthalpy of the air outside and inside.
    warm_kg_m3, cold_kg_m3
        Density of the air outside and inside.

    Examples
    --------
    >>> door = Doorway(6.24, 2.6, 64.6, -18.6, 1.146, 1.394)
    >>> round(door.load_kw), round(door.energy_mj(5 / 60), 1)
    (324, 97.2)
    """

    area_m2: float
    height_m: float
    warm_kj_kg: float
    cold_kj_kg: float
    warm_kg_m3: float
    cold_kg_m3: float

    @property
    def density_factor(self) -> float:
        """F_m: what the difference of densities does to the flow."""
        ratio = (self.cold_kg_m3 / self.warm_kg_m3) ** (1 / 3)
        return float((2.0 / (1.0 + ratio)) ** 1.5)

    @property
    def load_kw(self) -> float:
        """Heat through the fully open door, kW."""
        lift = max(0.0, 1.0 - self.warm_kg_m3 / self.cold_kg_m3)
        return (0.221 * self.area_m2 * (self.warm_kj_kg - self.cold_kj_kg) * self.cold_kg_m3
                * math.sqrt(lift) * math.sqrt(_GRAVITY * self.height_m) * self.density_factor)

    def energy_mj(self, hours: float) -> float:
        """Heat that came in while it was open, MJ."""
        return self.load_kw * hours * 3.6


@dataclass(frozen=True, slots=True)
class Openings:
    """How often and how long a door was open."""

    count: int = 0
    hours: float = 0.0
    longest: float = 0.0  #: hours
    open_since: float = math.nan  #: seconds since 1970; NaN when closed


class DoorWatch(Statistic[Reading, Openings]):
    """Adds up the openings of one door.

    Examples
    --------
    >>> door = DoorWatch()
    >>> for minute, value in [(0, 0.0), (10, 1.0), (12, 1.0), (16, 0.0)]:
    ...     door.update(Reading(sensor="d", id=str(minute), time=60.0 * minute, site="W",
    ...                         kind="door", value=value))
    >>> door.get().count, round(door.get().hours, 3)
    (1, 0.1)
    """

    hears = ("door",)

    def __init__(self) -> None:
        self._count, self._hours, self._longest = 0, 0.0, 0.0
        self._since = self._time = math.nan

    def update(self, heard: Reading) -> None:
        """Take in one reading; one from before the last is too late to count."""
        if heard.time < self._time:
            return
        if self._since == self._since:
            self._hours += (heard.time - self._time) / 3600.0
            self._longest = max(self._longest, (heard.time - self._since) / 3600.0)
            if heard.value < 0.5:
                self._since = math.nan
        elif heard.value >= 0.5:
            self._count, self._since = self._count + 1, heard.time
        self._time = heard.time

    def get(self) -> Openings:
        """The openings so far."""
        return Openings(self._count, self._hours, self._longest, self._since)
