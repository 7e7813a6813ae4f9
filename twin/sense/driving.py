"""How a truck is driven: harsh manoeuvres per 100 km, speeding, and a score of the trip."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from twin.readings import Reading
from twin.sense.statistic import Statistic

#: From so many g a manoeuvre counts twice.
SEVERE_G = 0.5


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a trip was driven.

    Attributes
    ----------
    events
        Harsh manoeuvres by word.
    km, hours
        Driven.
    speeding
        Share of the driving time above the limit.
    score
        100 is faultless; it halves with every ten weighted events per 100 km and falls with the
        share of speeding. NaN before anything was driven.
    """

    events: dict[str, int] = field(default_factory=dict)
    km: float = 0.0
    hours: float = 0.0
    speeding: float = 0.0
    score: float = math.nan

    @property
    def per_100km(self) -> float:
        """Harsh manoeuvres per 100 km."""
        return 100.0 * sum(self.events.values()) / self.km if self.km > 0 else math.nan


class Driving(Statistic[Reading, Conduct]):
    """Scores the driving of one truck since it was begun; `restart` begins a new trip.

    Distance is that of the odometer, or else speed times time.

    Parameters
    ----------
    limit_kmh
        Faster is speeding.
    longest_s
        A speed is believed for so long.

    Examples
    --------
    >>> driving = Driving()
    >>> for minute in range(61):
    ...     driving.update(Reading(sensor="s", id=str(minute), time=60.0 * minute, asset="T1",
    ...                            kind="speed", value=80.0))
    >>> driving.update(Reading(sensor="d", id="1", time=1800.0, asset="T1", kind="driving",
    ...                        state="braking", value=0.4))
    >>> conduct = driving.get()
    >>> round(conduct.km), round(conduct.per_100km, 2), round(conduct.score)
    (80, 1.25, 92)
    """

    hears = ("speed", "driving", "odometer")

    def __init__(self, limit_kmh: float = 90.0, longest_s: float = 300.0) -> None:
        self.limit_kmh, self.longest_s = limit_kmh, longest_s
        self.restart()

    def restart(self) -> None:
        """Begin a new trip."""
        self._events: dict[str, int] = {}
        self._weight = 0.0
        self._km = self._hours = self._fast = 0.0
        self._odometer = [math.nan, math.nan]
        self._last = (math.nan, 0.0)

    def update(self, heard: Reading) -> None:
        """Take in a speed, a manoeuvre or the odometer."""
        if heard.kind == "driving":
            self._events[heard.state] = self._events.get(heard.state, 0) + 1
            self._weight += 2.0 if heard.value >= SEVERE_G else 1.0
        elif heard.kind == "odometer":
            first, last = self._odometer
            self._odometer = [first, max(last, heard.value)] if first == first else \
                [heard.value, heard.value]
        elif not heard.time < self._last[0]:
            seconds, speed = min(heard.time - self._last[0], self.longest_s), self._last[1]
            if seconds > 0 and speed > 0:
                self._hours += seconds / 3600.0
                self._km += speed * seconds / 3600.0
                self._fast += seconds / 3600.0 * (speed > self.limit_kmh)
            self._last = (heard.time, heard.value)

    def get(self) -> Conduct:
        """How it was driven so far."""
        by_odometer = self._odometer[1] - self._odometer[0]
        km = by_odometer if by_odometer > 0 else self._km
        fast = self._fast / self._hours if self._hours else 0.0
        score = 100.0 * 0.5 ** (10.0 * self._weight / km) * (1.0 - fast) if km > 0 else math.nan
        return Conduct(dict(sorted(self._events.items())), km, self._hours, fast, score)
