"""Calendars: when a place, a machine or a crew works, and who is told when that changes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from twin.network import Shift, Window
from twin.simulate.kernel import FAILURE, Environment
from twin.simulate.profile import is_weekday

if TYPE_CHECKING:
    from twin.network import Network

_MOST_DAYS = 400
Dated = TypeVar("Dated", Shift, Window)


class Calendar:
    """Opening hours on the clock of the run.

    A row for a date replaces the rows of that weekday; blank times are a closed day; a shift may
    end after midnight.

    Examples
    --------
    >>> from datetime import timezone
    >>> monday = datetime(2026, 1, 5, tzinfo=timezone.utc)
    >>> shop = Calendar([Shift(calendar="day", day="mon-fri", from_=8, to=16)], monday)
    >>> shop.is_open(9.0), shop.is_open(17.0), shop.next_edge(9.0), shop.next_edge(16.0)
    (True, False, 16.0, 32.0)
    >>> shop.hours_between(0.0, 168.0)
    40.0
    """

    def __init__(self, rows: list[Shift], start: datetime, timezone: str = "UTC") -> None:
        self.rows = rows
        self.name = f"calendar {rows[0].calendar if rows else ''}/{timezone}"
        self.zone = ZoneInfo(timezone)
        self.start = start
        self.first_day = start.astimezone(self.zone).date()
        self.edges: list[float] = []  #: times at which it opens and closes, in turn
        self.days = -1  #: days looked at, from the one before the start
        self.listeners: list[Any] = []

    def _midnight(self, day: date) -> float:
        moment = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return (moment - self.start).total_seconds() / 3600.0

    def _shifts(self, day: date) -> list[tuple[float, float]]:
        """Opening hours of a day, hours after its midnight."""
        shifts = []
        for row in rows_of_day(self.rows, day):
            if row.from_ is None or row.to is None:
                continue
            end = row.to if row.to > row.from_ else row.to + 24.0
            shifts.append((row.from_, end))
        return sorted(shifts)

    def _extend(self) -> None:
        day = self.first_day + timedelta(days=self.days)
        self.days += 1
        base = self._midnight(day)
        for begin, end in self._shifts(day):
            low, high = base + begin, base + end
            if self.edges and low <= self.edges[-1]:
                self.edges[-1] = max(self.edges[-1], high)
            else:
                self.edges += [low, high]

    def _reach(self, time: float) -> None:
        """Know the edges up to a day after `time`."""
        while (self.days - 2) * 24.0 <= time + 24.0:
            self._extend()

    def is_open(self, time: float) -> bool:
        """Whether work goes on at a time (an edge counts as what follows it)."""
        self._reach(time)
        return bisect_right(self.edges, time) % 2 == 1

    def next_edge(self, time: float) -> float:
        """The next opening or closing after a time; inf if there is none for a year."""
        self._reach(time)
        place = bisect_right(self.edges, time)
        tried = 0
        while place >= len(self.edges) or (
                place == len(self.edges) - 1 and self.edges[place] > (self.days - 2) * 24.0):
            if tried > _MOST_DAYS:
                return inf
            self._extend()
            tried += 1
        return self.edges[place]

    def hours_between(self, start: float, end: float) -> float:
        """Opening hours within a span."""
        total = 0.0
        for opens, closes in self.spans(start, end):
            total += closes - opens
        return total

    def spans(self, start: float, end: float) -> Iterator[tuple[float, float]]:
        """From when until when it is open within a span."""
        time = start
        while time < end:
            edge = min(end, self.next_edge(time))
            if self.is_open(time):
                yield time, edge
            time = edge

    # -- telling others --------------------------------------------------------------------------
    def listen(self, listener: Any) -> None:
        """Call ``listener.set_open(bool)`` at the start and at each change."""
        self.listeners.append(listener)

    def run(self, env: Environment, *, resumed: bool = False) -> None:
        """Start telling; a `resumed` run begins before what its first instant brings."""
        if not resumed:
            self._tell(env)
            return
        now = env._now
        self._reach(now)
        place = bisect_left(self.edges, now)
        for listener in self.listeners:
            listener.set_open(place % 2 == 1)
        edge = now if now in self.edges[place:place + 1] else self.next_edge(now)
        if edge < inf:
            env.call(edge, FAILURE, self._tell, env)

    def _tell(self, env: Environment) -> None:
        now = env._now
        is_open = self.is_open(now)
        for listener in self.listeners:
            listener.set_open(is_open)
        edge = self.next_edge(now)
        if edge < inf:
            env.call(edge, FAILURE, self._tell, env)


class OpeningHours:
    """Lanes of a site: closed, nothing leaves it and what comes waits at the gate."""

    def __init__(self, name: str, leaving: list[Any], coming: list[Any]) -> None:
        self.cause = f"hours of {name}"
        self.leaving = leaving
        self.coming = coming

    def set_open(self, is_open: bool) -> None:
        """The site opens or closes."""
        for lane in self.leaving:
            if is_open:
                lane.reopen(self.cause)
            else:
                lane.close(self.cause)
        for lane in self.coming:
            if is_open:
                lane.reopen(self.cause)
            else:
                lane.shut_gate(self.cause)


def rows_of_day(rows: Iterable[Dated], day: date) -> list[Dated]:
    """Rows of calendars or windows that hold for a day: those of its date, else of its weekday."""
    rows, text = list(rows), day.isoformat()
    return [row for row in rows if row.day == text] or [
        row for row in rows if row.day == "daily" or (
            not row.day[:1].isdigit() and is_weekday(row.day, day.weekday()))]


def calendars_of(network: Network) -> dict[str, list[Shift]]:
    """The rows of each calendar, by name; the windows of a site are one too."""
    rows: dict[str, list[Shift]] = {}
    for shift in network.calendars.values():
        rows.setdefault(shift.calendar, []).append(shift)
    for window in network.windows.values():
        rows.setdefault(window.calendar, []).append(Shift(
            calendar=window.calendar, day=window.day, from_=window.open, to=window.close))
    return rows
