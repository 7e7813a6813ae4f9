"""The settings of a command line: ``key=value``, with commas between values to compare.

A comma inside brackets, parentheses or quotes belongs to the value. Several keys with several
values give their product.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin.clock import excerpt, parse_duration

_OPEN, _CLOSE = "([{", ")]}"
_CELL = re.compile(r"\w+\[.*\]\.\w+")
_MOST = 500


class SettingError(ValueError):
    """A setting that cannot be used; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the command line: what it means, its default as text, and how it is read."""

    name: str
    meaning: str
    default: str
    read: Callable[[str], Any]


def text(value: str) -> str:
    """A value as it is."""
    return value


def duration(value: str) -> float:
    """Hours from a duration such as ``2d 4h``; not negative."""
    hours = parse_duration(value)
    if hours < 0:
        raise ValueError(f"'{excerpt(value)}' is negative. Write a duration such as '180d'.")
    return hours


def _horizon(value: str) -> float:
    hours = duration(value)
    if hours <= 0:
        raise ValueError(f"'{excerpt(value)}' is no time at all. Write a duration such as '180d'.")
    return hours


def _warmup(value: str) -> float | str:
    return "auto" if value == "auto" else duration(value)


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`."""
    def read(value: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", value):
            raise ValueError(f"'{excerpt(value)}' is not a whole number. Write digits, such as 30.")
        if not low <= int(value) <= high:
            raise ValueError(f"'{value}' is out of range. Write a number from {low} to {high:,}.")
        return int(value)
    return read


def share(value: str) -> float:
    """A number between 0 and 1."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < 1:
        raise ValueError(f"'{excerpt(value)}' is not between 0 and 1. Write a share such as 0.95.")
    return number


def word(*words: str) -> Callable[[str], str]:
    """A reader of one of these words."""
    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"'{excerpt(value)}' is unknown. {options(value, words)}")
        return value
    return read


def maybe(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader that takes a blank for None."""
    return lambda value: None if value == "" else read(value)


#: Every plain key of ``twin run``; events.* and table cells come on top.
KEYS: dict[str, Key] = {key.name: key for key in (
    Key("models", "which model", "medicines", text),
    Key("calibration", "which learned values go into its cells", "nominal", text),
    Key("scenarios", "what-ifs; a+b plays two at once",
        "demand_spike,delayed_shipment,breakdown", text),
    Key("horizon", "length of a run, after its warm-up", "365d", _horizon),
    Key("warmup", "time before day 0 that is not counted; blank is the model's own, auto finds it",
        "", maybe(_warmup)),
    Key("replications", "runs of each scenario", "30", whole(1, 100_000)),
    Key("seed", "the luck of the run", "1", whole(0, 2**63 - 1)),
    Key("precision", "stop when headline half-widths are this share of their mean", "",
        maybe(share)),
    Key("uncertainty", "carry what the calibration does not know into the intervals: yes or no",
        "no", word("yes", "no")),
    Key("confidence", "level of the intervals", "0.95", share),
    Key("simulate.workers", "processes; blank is one a core", "", maybe(whole(1, 10_000))),
    Key("simulate.engine", "joblib, dask or serial", "joblib",
        word("joblib", "dask", "serial")),
    Key("simulate.address", "of a Dask scheduler, such as tcp://host:8786; blank starts one here",
        "", maybe(text)),
    Key("from", "a state document to start from", "", maybe(text)),
    Key("ledger", "write the events of one replication a scenario: yes or no", "yes",
        word("yes", "no")),
    Key("report", "write report.html and figures: yes or no", "yes", word("yes", "no")),
)}

#: What a run also takes, as its help tells it.
PATHS: dict[str, Key] = {key.name: key for key in (
    Key("events.NAME.KEY", "a key of an event of the chosen scenarios", "", text),
    Key("table[key].column", "a cell of the model, played beside the model as it is", "", text),
)}

#: Keys whose values may not be swept: one run has one of each.
ONCE = ("simulate.workers", "simulate.engine", "simulate.address", "ledger", "report",
        "confidence", "uncertainty")


def parse(arguments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read ``key=value,value`` arguments into the values of each key, in the order given.

    Raises
    ------
    SettingError
        If an argument is no setting, a bracket or quote stays open, or a key comes twice.

    Examples
    --------
    >>> parse(["scenarios=demand_spike+breakdown,port_closure", "seed=1,2"])
    {'scenarios': ('demand_spike+breakdown', 'port_closure'), 'seed': ('1', '2')}
    >>> parse(["lanes[A,B,sea].transit=uniform(2d, 6d),5d"])
    {'lanes[A,B,sea].transit': ('uniform(2d, 6d)', '5d')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        parts = split(argument, "=", 1)
        if len(parts) < 2:
            raise SettingError(f"'{excerpt(argument)}' is not a setting. Write key=value, such as "
                               "models=harbour.")
        key, text = parts[0].strip(), parts[1].strip()
        if not key:
            raise SettingError(f"'{excerpt(argument)}' has no key. Write key=value.")
        if key in found:
            raise SettingError(f"{key} is given twice. Give it once, its values separated by "
                               "commas.")
        values = tuple(unquote(value) for value in split(text, ","))
        if "" in values:
            raise SettingError(f"{key}= has a blank value in '{excerpt(argument)}'. Write "
                               f"{key}=value, or leave it out.")
        if len(set(values)) < len(values):
            again = next(v for v in values if values.count(v) > 1)
            raise SettingError(f"{key}: '{excerpt(again)}' is given twice. Give each value once.")
        found[key] = values
    return found


def split(text: str, mark: str, most: int = -1) -> list[str]:
    """Split at a mark outside brackets, parentheses and quotes.

    Examples
    --------
    >>> split("1.5, [north,south], 'a,b'", ",")
    ['1.5', '[north,south]', "'a,b'"]
    """
    parts, start, opened, quote = [], 0, "", ""
    for position, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _OPEN:
            opened += letter
        elif letter in _CLOSE:
            if not opened or opened[-1] != _OPEN[_CLOSE.index(letter)]:
                raise SettingError(f"'{excerpt(text)}' has a '{letter}' that nothing opens. "
                                   "Put the value in quotes, or close brackets in order.")
            opened = opened[:-1]
        elif letter == mark and not opened and most != 0:
            parts.append(text[start:position].strip())
            start, most = position + 1, most - 1
            if most == 0:
                break
    if quote or (opened and most != 0):
        raise SettingError(f"'{excerpt(text)}' opens a {quote or opened[-1]} and does not close it."
                           " Close it.")
    return [*parts, text[start:].strip()]


def unquote(value: str) -> str:
    """The value without the quotes around the whole of it."""
    whole = len(value) > 1 and value[0] in "\"'" and value.find(value[0], 1) == len(value) - 1
    return value[1:-1] if whole else value


def as_list(value: str) -> str | list[str]:
    """A bracketed value as a list: ``[north, south]``.

    Examples
    --------
    >>> as_list("[north, south]"), as_list("1.5")
    (['north', 'south'], '1.5')
    """
    if value.startswith("[") and value.endswith("]"):
        return [unquote(part) for part in split(value[1:-1], ",") if part]
    return value


def is_cell(key: str) -> bool:
    """Whether a key names a table cell, such as ``lanes[A,B,sea].transit``."""
    return _CELL.fullmatch(key) is not None


def is_event(key: str) -> bool:
    """Whether a key leads into the chosen scenarios, such as ``events.spike.factor``."""
    return key.startswith("events.")


def read(arguments: Sequence[str], keys: Mapping[str, Key], verb: str) -> dict[str, Any]:
    """The value of each key of a verb that compares nothing: one value a key, or its default.

    Raises
    ------
    SettingError
        With every key that the verb lacks, value that cannot be read, and key of several values.

    Examples
    --------
    >>> read(["seed=7"], {"seed": KEYS["seed"], "horizon": KEYS["horizon"]}, "rehearse")
    {'seed': 7, 'horizon': 8760.0}
    """
    settings, problems = parse(arguments), []
    found: dict[str, Any] = {}
    for name, values in settings.items():
        if name not in keys:
            problems.append(f"twin {verb} has no setting '{excerpt(name)}'. {options(name, keys)}")
        elif len(values) > 1:
            problems.append(f"{name} takes one value, not {len(values)}. Write {name}={values[0]}.")
    for name, key in keys.items():
        try:
            found[name] = key.read(settings.get(name, (key.default,))[0])
        except ValueError as error:
            problems.append(f"{name} {error}")
    if problems:
        raise SettingError("\n".join(problems))
    return found


def describe(keys: Mapping[str, Key]) -> str:
    """The keys of a verb for its help, one a line.

    Examples
    --------
    >>> print(describe({"seed": KEYS["seed"]}), end="")
      seed  the luck of the run [1]
    """
    width = max(len(name) for name in keys)
    return "".join(f"  {key.name:<{width}}  {key.meaning}"
                   + (f" [{key.default}]" if key.default else "") + "\n" for key in keys.values())


def check(settings: Mapping[str, Sequence[str]], known: Iterable[str] = KEYS) -> None:
    """Refuse keys that do not exist, and values that cannot be read, all at once."""
    problems = []
    known = list(known)
    for key, values in settings.items():
        if is_cell(key) or is_event(key):
            continue
        if key not in known:
            problems.append(f"there is no setting '{excerpt(key)}'. {options(key, known)}")
            if "events" in key or "[" in key:
                problems[-1] += (" A key of a scenario is written events.NAME.KEY, a cell such as "
                                 "lanes[A,B,sea].transit.")
            continue
        if key in ONCE and len(values) > 1:
            problems.append(f"{key} takes one value, not {len(values)}. Write {key}={values[0]}.")
        for value in values:
            try:
                KEYS[key].read(value)
            except ValueError as error:
                problems.append(f"{key} {error}")
    if problems:
        raise SettingError("\n".join(problems))


def product(settings: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Every combination of the values, the last key varying fastest.

    Examples
    --------
    >>> product({"seed": ("1", "2"), "horizon": ("30d",)})
    [{'seed': '1', 'horizon': '30d'}, {'seed': '2', 'horizon': '30d'}]
    """
    count = math.prod(len(values) for values in settings.values())
    if count > _MOST:
        raise SettingError(f"these settings make {count:,} combinations; at most {_MOST} are "
                           "played in one go. Give fewer values.")
    return [dict(zip(settings, values, strict=True))
            for values in itertools.product(*settings.values())]


def options(word: str, known: Iterable[str]) -> str:
    """What could have been meant.

    Examples
    --------
    >>> options("modles", ["models", "seed"])
    "Did you mean 'models'? There are models, seed."
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, 1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"{hint}There are {', '.join(names) or 'none'}."
