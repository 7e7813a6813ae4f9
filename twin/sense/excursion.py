"""Excursion and breach: outside the limits is an excursion, outside for too long is a breach.

The alarm types are those of WHO's shipping indicators (PQS E006): a limit with a time, either in
one piece (single) or added up over the journey (cumulative).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from twin.readings import Reading
from twin.sense.statistic import Statistic

_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a value may be at or beyond a threshold.

    Parameters
    ----------
    hours
        Time allowed; 0 allows none: the first value is a breach.
    at_least, at_most
        The threshold, itself included: values from `at_least` up, or from `at_most` down.
    beyond
        The threshold itself is still good: above `at_least`, below `at_most`.
    cumulative
        Times add up, instead of counting one stay in one piece.

    Examples
    --------
    >>> heat = Limit(hours=10.0, at_least=30.0, cumulative=True)
    >>> heat.holds(30.0), str(heat)
    (True, 'at or above 30 for 10 h in all')
    """

    hours: float
    at_least: float = math.inf
    at_most: float = -math.inf
    beyond: bool = False
    cumulative: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value is outside."""
        if self.beyond:
            return value > self.at_least or value < self.at_most
        return value >= self.at_least or value <= self.at_most

    @property
    def threshold(self) -> float:
        """The number that is crossed."""
        return self.at_least if math.isfinite(self.at_least) else self.at_most

    def __str__(self) -> str:
        upper = math.isfinite(self.at_least)
        side = ("above" if upper else "below") if self.beyond else \
            ("at or above" if upper else "at or below")
        how = "in all" if self.cumulative else "in one piece"
        return f"{side} {self.threshold:g} for {self.hours:g} h {how}"


def limits_of(low: float | None, high: float | None, hours: float = 1.0,
              ) -> tuple[Limit, ...]:
    """A range as limits, both ends still good: beyond it for `hours` in one piece is a breach.

    Examples
    --------
    >>> [str(limit) for limit in limits_of(2.0, 8.0, 0.5)]
    ['above 8 for 0.5 h in one piece', 'below 2 for 0.5 h in one piece']
    """
    found = []
    if high is not None:
        found.append(Limit(hours, at_least=high, beyond=True))
    if low is not None:
        found.append(Limit(hours, at_most=low, beyond=True))
    return tuple(found)


#: WHO type 1 shipping alarms: heat, long warmth, frost.
WHO_TYPE_1 = (Limit(1.0, at_least=45.0), Limit(10.0, at_least=30.0, cumulative=True),
              Limit(1.0, at_most=-0.5))


@dataclass(frozen=True, slots=True)
class Stay:
    """How long a value was beyond one limit.

    Attributes
    ----------
    hours
        Of the present stay, or in all where the limit is cumulative.
    since
        Start of the present stay, seconds since 1970; NaN when inside.
    breached
        When the allowed time was used up; NaN when it is not.
    """

    limit: Limit
    hours: float = 0.0
    since: float = math.nan
    breached: float = math.nan


@dataclass(frozen=True, slots=True)
class Condition:
    """What became of a place or lot.

    Attributes
    ----------
    state
        ``unknown``, ``in range``, ``excursion`` (outside, time is left) or ``breach`` (for good).
    stays
        By limit.
    lowest, highest
        Of all values.
    hours_outside
        Beyond any limit, in all.
    """

    state: str
    stays: tuple[Stay, ...]
    lowest: float = math.nan
    highest: float = math.nan
    hours_outside: float = 0.0

    @property
    def breaches(self) -> tuple[Stay, ...]:
        """The stays that went on for too long, first first."""
        found = [stay for stay in self.stays if stay.breached == stay.breached]
        return tuple(sorted(found, key=lambda stay: stay.breached))


class Excursion(Statistic[Reading, Condition]):
    """Watches one value against limits; a value holds until the next one comes.

    Parameters
    ----------
    limits
        Any of them may be crossed.
    longest
        Hours that a value is believed without a new one; after it nothing is known.

    Examples
    --------
    >>> watch = Excursion(limits_of(2.0, 8.0, hours=1.0))
    >>> for minute, value in [(0, 5.0), (30, 9.0), (60, 9.5), (100, 5.0)]:
    ...     watch.update(Reading(sensor="t", id=str(minute), time=60.0 * minute, site="W",
    ...                          kind="temperature", value=value))
    >>> watch.get().state, watch.get().breaches[0].breached / 60.0
    ('breach', 90.0)
    """

    hears = ("temperature",)

    def __init__(self, limits: Sequence[Limit] = WHO_TYPE_1, longest: float = math.inf) -> None:
        self.limits, self.longest = tuple(limits), longest
        self._stays = [Stay(limit) for limit in limits]
        self._time, self._value = math.nan, math.nan
        self._lowest, self._highest = math.inf, -math.inf
        self._outside = 0.0
        #: strictly between these no limit holds
        self._safe = (max((limit.at_most for limit in limits), default=-math.inf),
                      min((limit.at_least for limit in limits), default=math.inf))

    def update(self, heard: Reading) -> None:
        """Take in one reading; one from before the last is too late to count."""
        if heard.time < self._time or heard.value != heard.value:
            return
        low, high = self._safe
        if not (low < heard.value < high and low < self._value < high
                and heard.time - self._time <= self.longest * _SECONDS):
            self.advance(heard.time)
            self._value = heard.value
            self._stays = [self._enter(stay) for stay in self._stays]
        self._time, self._value = heard.time, heard.value
        self._lowest = min(heard.value, self._lowest)
        self._highest = max(heard.value, self._highest)

    def holds(self, value: float) -> bool:
        """Whether a value is beyond any of the limits."""
        low, high = self._safe
        return not low < value < high and any(limit.holds(value) for limit in self.limits)

    def advance(self, time: float) -> None:
        """Let time pass without a reading, to a moment in seconds since 1970."""
        if not time > self._time:
            self._time = time if self._time != self._time else self._time
            return
        known = min(time, self._time + self.longest * _SECONDS)
        hours = (known - self._time) / _SECONDS
        if any(stay.limit.holds(self._value) for stay in self._stays):
            self._outside += hours
        self._stays = [self._stay(stay, hours) for stay in self._stays]
        self._time = time
        if known < time:  # what nobody measured is neither good nor bad
            self._value = math.nan
            self._stays = [self._enter(stay) for stay in self._stays]

    def get(self) -> Condition:
        """The condition at the last reading."""
        if any(stay.breached == stay.breached for stay in self._stays):
            state = "breach"
        elif self._value != self._value:
            state = "unknown"
        else:
            outside = any(stay.limit.holds(self._value) for stay in self._stays)
            state = "excursion" if outside else "in range"
        seen = self._lowest <= self._highest
        return Condition(state, tuple(self._stays), self._lowest if seen else math.nan,
                         self._highest if seen else math.nan, self._outside)

    def _enter(self, stay: Stay) -> Stay:
        """The stay as a new value begins."""
        if not stay.limit.holds(self._value):
            return replace(stay, since=math.nan, hours=stay.hours * stay.limit.cumulative)
        since = stay.since if stay.since == stay.since else self._time
        at_once = stay.limit.hours <= stay.hours and stay.breached != stay.breached
        return replace(stay, since=since, breached=self._time if at_once else stay.breached)

    def _stay(self, stay: Stay, hours: float) -> Stay:
        """The stay after more hours at the same value."""
        if not stay.limit.holds(self._value):
            return stay
        breached, total = stay.breached, stay.hours + hours
        if breached != breached and total >= stay.limit.hours - 1e-12:
            breached = self._time + (stay.limit.hours - stay.hours) * _SECONDS
        return replace(stay, hours=total, breached=breached)
