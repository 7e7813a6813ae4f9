"""Rates that follow the hour, the weekday, the month and a trend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from twin.network import Network, Profile

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_YEAR_H = 365 * 24.0


class Pattern:
    """A factor over time: the product of all rows of one profile that match an hour.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> from types import SimpleNamespace as Row
    >>> rows = [Row(hour=None, weekday="sun", month=None, factor=0.0, trend=0.0),
    ...         Row(hour=8, weekday=None, month=None, factor=2.0, trend=0.0)]
    >>> pattern = Pattern(rows, datetime(2026, 1, 5, tzinfo=timezone.utc))  # a Monday
    >>> pattern(8.5), pattern(9.0), pattern(6 * 24 + 8.5)
    (2.0, 1.0, 0.0)
    >>> pattern.after(7.0, 2.0)  # one hour's worth until 8, the second one twice as quick
    8.5
    """

    __slots__ = ("rows", "start", "trend", "_hourly")

    def __init__(self, rows: Sequence[Any], start: datetime) -> None:
        self.rows = rows
        self.start = start
        self.trend = sum(row.trend or 0.0 for row in rows)
        self._hourly = lru_cache(maxsize=4096)(self._of_hour)

    def _of_hour(self, hour: int) -> float:
        when = self.start + timedelta(hours=hour)
        factor = 1.0
        for row in self.rows:
            if row.hour is not None and int(row.hour) != when.hour:
                continue
            if row.weekday is not None and not is_weekday(str(row.weekday), when.weekday()):
                continue
            if row.month is not None and int(row.month) != when.month:
                continue
            factor *= row.factor
        return factor * max(0.0, 1.0 + self.trend * hour / _YEAR_H)

    def __call__(self, time: float) -> float:
        return self._hourly(int(time))

    def between(self, start: float, end: float) -> float:
        """Integral of the factor, hours."""
        total, time = 0.0, start
        while time < end:
            edge = min(end, int(time) + 1.0)
            total += self._hourly(int(time)) * (edge - time)
            time = edge
        return total

    def after(self, start: float, amount: float, most: int = 200_000) -> float:
        """The time at which the integral from `start` reaches `amount`; inf if it never does."""
        time = start
        for _ in range(most):
            factor = self._hourly(int(time))
            edge = int(time) + 1.0
            if factor * (edge - time) >= amount:
                return time + (amount / factor if amount else 0.0)
            amount -= factor * (edge - time)
            time = edge
        return float("inf")


@lru_cache(maxsize=4096)
def is_weekday(text: str, weekday: int) -> bool:
    """Whether `mon-fri`, `sat` or `6` names this weekday (0 is Monday)."""
    first, _, last = text.strip().lower().partition("-")
    if first.isdigit():
        return int(first) == weekday
    low = _WEEKDAYS.index(first[:3])
    high = _WEEKDAYS.index(last[:3]) if last else low
    return low <= weekday <= high if low <= high else weekday >= low or weekday <= high


def patterns(network: Network) -> dict[str, Pattern]:
    """All profiles of a network, by name."""
    rows: dict[str, list[Profile]] = {}
    for row in network.profiles.values():
        rows.setdefault(row.profile, []).append(row)
    return {name: _pattern(tuple(found), network.start) for name, found in rows.items()}


@lru_cache(maxsize=256)
def _pattern(rows: tuple[Profile, ...], start: datetime) -> Pattern:
    """One pattern for all replications: what it has worked out of an hour holds in each."""
    return Pattern(rows, start)
