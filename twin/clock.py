"""Durations, times of day, days of the week and dates, as planners write them.

Inside the twin a time is a float number of hours. This page turns text into hours at the door
and hours back into text.
"""

import math
import re
from datetime import UTC, date, datetime

HOURS_IN = {
    "s": 1 / 3600,
    "min": 1 / 60,
    "h": 1.0,
    "d": 24.0,
    "w": 168.0,
    "mo": 720.0,
    "y": 8760.0,
}
_PER_HOUR = {"min": 60, "s": 3600}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
_PART = re.compile(rf"({_NUMBER})\s*(s|min|mo|h|d|w|y)(?![a-zA-Z])\s*", re.ASCII)
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_HINT = "Write a duration such as '2d 4h' (units s, min, h, d, w, mo of 30 d, y of 365 d)."


def parse_duration(text: str) -> float:
    """Read a duration such as ``3d 4h`` into hours.

    Parameters
    ----------
    text
        One or more numbers with a unit each; a leading minus makes the whole negative;
        a plain ``0`` needs no unit.

    Returns
    -------
    float
        Hours.

    Raises
    ------
    ValueError
        If the text is not a duration. The message says how to write one.

    Examples
    --------
    >>> parse_duration("3d 4h")
    76.0
    >>> parse_duration("90min")
    1.5
    >>> parse_duration("5")
    Traceback (most recent call last):
    ...
    ValueError: '5' has no unit. Write 5h or 5d.
    """
    stripped = text.strip()
    body = stripped.removeprefix("-").lstrip()
    hours, position = 0.0, 0
    while position < len(body):
        part = _PART.match(body, position)
        if part is None:
            break
        amount, unit = part.groups()
        # Minutes and seconds divide, so that 20min is exactly 1/3 h.
        hours += (
            float(amount) / _PER_HOUR[unit]
            if unit in _PER_HOUR
            else (float(amount) * HOURS_IN[unit])
        )
        position = part.end()
    if not body or position < len(body):
        return _bare_duration(stripped)
    if not math.isfinite(hours):
        raise ValueError(f"'{excerpt(stripped)}' is too long. {_HINT}")
    return -hours if stripped.startswith("-") else hours


def _bare_duration(text: str) -> float:
    """A number without a unit: only zero is a duration."""
    if not re.fullmatch(rf"-?(?:{_NUMBER})", text, re.ASCII):
        raise ValueError(f"'{excerpt(text)}' is not a duration. {_HINT}")
    if float(text) == 0:
        return 0.0
    raise ValueError(f"'{excerpt(text)}' has no unit. Write {excerpt(text)}h or {excerpt(text)}d.")


def format_duration(hours: float) -> str:
    """Write hours as a duration that `parse_duration` reads back to the same float.

    Examples
    --------
    >>> format_duration(76.0)
    '3d 4h'
    >>> format_duration(1.5)
    '1h 30min'
    >>> format_duration(0.1234)
    '0.1234h'
    """
    if hours == 0:
        return "0h"
    sign, size = ("-", -hours) if hours < 0 else ("", hours)
    seconds = round(size * 3600) if size < 1e9 else 0
    days, rest = divmod(seconds, 86400)
    amounts = ((days, "d"), (rest // 3600, "h"), (rest // 60 % 60, "min"), (rest % 60, "s"))
    text = sign + " ".join(f"{amount}{unit}" for amount, unit in amounts if amount)
    if seconds and parse_duration(text) == hours:
        return text
    return f"{hours!r}h"


def parse_time_of_day(text: str) -> float:
    """Read ``HH:MM`` into hours after midnight; ``24:00`` ends a day.

    Examples
    --------
    >>> parse_time_of_day("06:30")
    6.5
    """
    match = _TIME_OF_DAY.fullmatch(text.strip())
    if match:
        hour, minute = int(match[1]), int(match[2])
        if minute < 60 and (hour < 24 or (hour == 24 and minute == 0)):
            return hour + minute / 60
    raise ValueError(f"'{excerpt(text)}' is not a time of day. Write HH:MM from 00:00 to 24:00.")


def format_time_of_day(hours: float) -> str:
    """Write hours after midnight as ``HH:MM``.

    Examples
    --------
    >>> format_time_of_day(6.5)
    '06:30'
    """
    minutes = round(hours * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def parse_days(text: str) -> tuple[int, ...] | date:
    """Read the days that a row holds for: ``daily``, ``mon``, ``mon-fri`` or a date.

    Returns
    -------
    tuple of int, or date
        Weekdays with Monday as 0, or the one date.

    Examples
    --------
    >>> parse_days("mon-fri")
    (0, 1, 2, 3, 4)
    >>> parse_days("sat-mon")
    (5, 6, 0)
    >>> parse_days("2026-12-25")
    datetime.date(2026, 12, 25)
    """
    word = text.strip().lower()
    if word == "daily":
        return tuple(range(7))
    first, _, last = word.partition("-")
    if first in DAYS and (last or first) in DAYS and not word.endswith("-"):
        low, high = DAYS.index(first), DAYS.index(last or first)
        return tuple((low + step) % 7 for step in range((high - low) % 7 + 1))
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise ValueError(
            f"'{excerpt(text)}' is not a day. "
            "Write daily, mon, mon-fri or a date such as 2026-12-25."
        ) from None


def parse_moment(text: str) -> datetime:
    """Read an ISO date or date and time; without a zone it is UTC.

    Examples
    --------
    >>> parse_moment("2026-03-01").isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"'{excerpt(text)}' is not a date. Write it such as 2026-03-01 or 2026-03-01T06:00Z."
        ) from None


def hours_after(start: datetime, moment: datetime) -> float:
    """Hours from the model's start to a moment.

    Examples
    --------
    >>> hours_after(parse_moment("2026-03-01"), parse_moment("2026-03-02T12:00"))
    36.0
    """
    return (moment - start).total_seconds() / 3600


def excerpt(text: str) -> str:
    """At most 60 characters of a value, on one line, for a message.

    Examples
    --------
    >>> len(excerpt("x" * 1000))
    60
    """
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
