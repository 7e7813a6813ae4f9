"""One cell: from what a planner or a script wrote to what the simulation reads, or a refusal."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from twin.clock import (
    DAYS,
    excerpt,
    format_duration,
    format_time_of_day,
    parse_days,
    parse_duration,
    parse_moment,
    parse_time_of_day,
)
from twin.network.attributes import Attribute
from twin.network.forecast import Forecast, parse_forecast
from twin.quantity import Quantity, Reader, constant, parse_number, parse_quantity

_BAD_NAME = re.compile(r"[,:\[\]#*?\"'`\x00-\x1f\x7f]")
_LONGEST_NAME, _LONGEST_TEXT = 80, 500
_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")


def read_cell(attribute: Attribute, text: str, read: Reader | None = None) -> object:
    """The value of a filled or blank cell.

    Raises
    ------
    ValueError
        With the value and the remedy, to be put after the name of the column.

    Examples
    --------
    >>> from twin.network.attributes import TABLES
    >>> read_cell(TABLES["lanes"].by_column["order_delay"], "2d 4h")
    52.0
    """
    text = text.strip()
    if text == "":
        return blank(attribute)
    if attribute.base in ("rq", "rq_time"):
        value: object = parse_quantity(text, attribute.base == "rq_time", read)
    else:
        value = _READERS[attribute.base](attribute, text)
    return _within(attribute, value, text)


def blank(attribute: Attribute) -> object:
    """What a blank cell means."""
    if attribute.default is None:
        raise ValueError(f"is blank. Write {_an_example(attribute)}.")
    if attribute.default:
        return read_cell(attribute, attribute.default)
    is_name = attribute.base in ("id", "ref", "text", "choice")
    return "" if attribute.key and is_name else None


def take(attribute: Attribute, value: Any) -> object:
    """The value of an attribute given in code: text is read, numbers are hours where times are.

    Examples
    --------
    >>> from twin.network.attributes import TABLES
    >>> take(TABLES["lanes"].by_column["transit"], 3).mean()
    3.0
    """
    if isinstance(value, str):
        return read_cell(attribute, value)
    if value is None:
        return blank(attribute)
    base = attribute.base
    if base in ("rq", "rq_time"):
        if _is_number(value):
            value = constant(float(value), time=base == "rq_time")
        if isinstance(value, Quantity):
            return _within(attribute, value, str(value))
    elif base == "yn" and isinstance(value, bool):
        return value
    elif base in ("int", "weekday") and _is_number(value) and value == int(value):
        return _within(attribute, int(value), str(value))
    elif base in ("num", "share", "dur", "time", "moment") and _is_number(value):
        number = float(value)
        return _within(attribute, number, write_cell(attribute, number))
    elif base == "forecast" and (isinstance(value, Forecast) or _is_number(value)):
        return value if isinstance(value, Forecast) else parse_forecast(str(value))
    elif base == "moment" and isinstance(value, datetime):
        return parse_moment(value.isoformat())
    elif base == "day" and isinstance(value, date):
        return value.isoformat()
    elif base in ("id", "text") and _is_number(value):
        return read_cell(attribute, f"{value}")
    raise ValueError(f"{excerpt(repr(value))} is not {_kind(attribute)}.")


def write_cell(attribute: Attribute, value: object) -> str:
    """A value as a planner writes it, so that `read_cell` gives it back.

    Examples
    --------
    >>> from twin.network.attributes import TABLES
    >>> write_cell(TABLES["lanes"].by_column["order_delay"], 52.0)
    '2d 4h'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if attribute.base in ("dur", "moment"):
            return format_duration(value)
        if attribute.base == "time":
            return format_time_of_day(value)
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return DAYS[value] if attribute.base == "weekday" and isinstance(value, int) else str(value)


def _is_number(value: Any) -> bool:
    if type(value).__name__ in ("bool", "bool_") or not hasattr(value, "__float__"):
        return False
    try:
        return math.isfinite(float(value))
    except (OverflowError, TypeError, ValueError):
        return False


def _name(attribute: Attribute, text: str) -> str:
    bad = _BAD_NAME.search(text)
    if bad or not text.isprintable():
        raise ValueError(
            f"'{excerpt(text)}' is not a name. Leave out commas, colons, brackets, #, *, ?, quotes."
        )
    if len(text) > _LONGEST_NAME:
        raise ValueError(f"'{excerpt(text)}' is too long. Keep names to {_LONGEST_NAME} letters.")
    return text


def _words(attribute: Attribute, text: str) -> str:
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise ValueError(
            f"'{excerpt(text)}' is not one line of text. Keep it to {_LONGEST_TEXT} letters."
        )
    return text


def _choice(attribute: Attribute, text: str) -> str:
    for word in attribute.words:
        if word.lower() == text.lower():
            return word
    raise ValueError(f"'{excerpt(text)}' is unknown. Write one of {', '.join(attribute.words)}.")


def _yes(attribute: Attribute, text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError(f"'{excerpt(text)}' is neither yes nor no. Write yes or no.")


def _whole(attribute: Attribute, text: str) -> int:
    try:
        number = parse_number(text)
    except ValueError:
        number = math.inf
    if abs(number) > 1e9 or number != int(number):
        raise ValueError(f"'{excerpt(text)}' is not a whole number. Write digits, such as 3.")
    return int(number)


def _number(attribute: Attribute, text: str) -> float:
    return parse_number(text)


def _weekday(attribute: Attribute, text: str) -> int:
    if text.lower() in DAYS:
        return DAYS.index(text.lower())
    raise ValueError(f"'{excerpt(text)}' is not a weekday. Write one of {', '.join(DAYS)}.")


def _day(attribute: Attribute, text: str) -> str:
    parse_days(text)
    return text.lower()


def _moment(attribute: Attribute, text: str) -> float | datetime:
    if re.match(r"\d{4}-\d", text):
        return parse_moment(text)
    return parse_duration(text)


_READERS: dict[str, Callable[[Attribute, str], object]] = {
    "id": _name,
    "ref": _name,
    "text": _words,
    "choice": _choice,
    "yn": _yes,
    "int": _whole,
    "num": _number,
    "share": _number,
    "dur": lambda attribute, text: parse_duration(text),
    "time": lambda attribute, text: parse_time_of_day(text),
    "day": _day,
    "weekday": _weekday,
    "moment": _moment,
    "forecast": lambda attribute, text: parse_forecast(text),
}


def _within(attribute: Attribute, value: object, text: str) -> object:
    """Refuse a number outside the range of its column."""
    if isinstance(value, Quantity):
        problems = value.problems()
        if problems and value.kind != "constant":
            raise ValueError(f"'{excerpt(text)}' is impossible: {'; '.join(problems)}.")
        number, lowest = value.mean(), _lowest(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = lowest = float(value)
    else:
        return value
    low, high, open_ = attribute.bounds
    if low <= lowest and number <= high and not (open_ and number <= low):
        return value
    is_time = attribute.base in ("dur", "rq_time")
    write = format_duration if is_time else "{:.15g}".format
    if low == 0 and lowest < 0:
        remedy = " Write a duration such as '2d 4h'." if is_time else " Write 0 or more."
        raise ValueError(f"'{excerpt(text)}' is negative.{remedy}")
    if open_ and number <= low:
        raise ValueError(f"'{excerpt(text)}' is not above {write(low)}. {_remedy(attribute)}")
    wanted = f"at least {write(low)}" if high == math.inf else f"from {write(low)} to {write(high)}"
    raise ValueError(f"'{excerpt(text)}' is out of range. Write {_kind(attribute)} {wanted}.")


def _lowest(quantity: Quantity) -> float:
    """The smallest value that can plainly be drawn; families with a tail count by their mean."""
    p = dict(quantity.params)
    if quantity.values:
        return min(quantity.values)
    return p.get("value", p.get("low", quantity.mean()))


def _remedy(attribute: Attribute) -> str:
    blank_too = " or leave it blank" if attribute.default == "" else ""
    return f"Write {_an_example(attribute)}{blank_too}."


_KINDS = {
    "id": "a name",
    "ref": "a name",
    "text": "text",
    "yn": "yes or no",
    "int": "a whole number",
    "num": "a number",
    "share": "a share",
    "dur": "a duration",
    "rq_time": "a duration",
    "rq": "a number",
    "time": "a time of day",
    "day": "a day",
    "weekday": "a weekday",
    "moment": "a duration or date",
    "forecast": "a forecast",
}


def _kind(attribute: Attribute) -> str:
    if attribute.base == "choice":
        return f"one of {', '.join(attribute.words)}"
    return _KINDS[attribute.base]


_SAMPLES = {
    "dur": "a duration such as '2d 4h'",
    "rq_time": "a duration such as '2d 4h' or exponential(mean=2h)",
    "rq": "a number such as 3 or poisson(mean=3)",
    "num": "a number such as 12.5",
    "int": "a whole number such as 3",
    "share": "a share such as 0.25",
    "time": "a time of day such as 06:00",
}


def _an_example(attribute: Attribute) -> str:
    if attribute.base == "ref":
        return f"a name from {attribute.words[0]}"
    return _SAMPLES.get(attribute.base, _kind(attribute))
