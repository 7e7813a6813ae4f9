"""Blocks: readings of one kind by columns, checked together.

A gateway sends a hundred readings of the same shape in one message. To check them column by column
is ten times as fast as one by one, and says the same: what is not plainly good in every row is no
block, and is checked row by row (`twin.readings.check_message`), which finds what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from twin.kinds import FIELDS, KINDS, PIECES, Kind, in_unit
from twin.readings import EARLIEST, LATEST, LONGEST, NEEDS, QUALITIES, WIRE, Reading

#: Fewer readings are as fast row by row.
FEWEST = 16
_NUMBERS = ({float}, {int}, {float, int})
_TEXTS = ({str}, {int}, {str, int})


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of one kind, each sound.

    Parameters
    ----------
    size
        How many.
    columns
        By name of `twin.kinds.FIELDS` a list of so many values, or the one that all of them share.

    Examples
    --------
    >>> block = Block(2, {"sensor": "t1", "kind": "alive", "id": ["7", "8"], "time": [0.0, 60.0],
    ...                   "value": 1.0})
    >>> [(reading.id, reading.value) for reading in block.readings()]
    [('7', 1.0), ('8', 1.0)]
    >>> block.said("sensor"), block.span()
    ({'t1'}, (0.0, 60.0))
    """

    size: int
    columns: dict[str, Any]

    def values(self, name: str) -> Sequence[Any]:
        """A column, value by value."""
        said = self.columns[name]
        return said if isinstance(said, list) else [said] * self.size

    def said(self, name: str) -> set[Any]:
        """The different values of a column; none where it is blank."""
        said = self.columns.get(name, "")
        return (set(said) if isinstance(said, list) else {said}) - {""}

    def span(self) -> tuple[float, float]:
        """The first and the last time."""
        times = self.values("time")
        return min(times), max(times)

    def readings(self) -> Iterator[Reading]:
        """The readings, one by one."""
        names = tuple(self.columns)
        for row in zip(*map(self.values, names), strict=True):
            yield Reading(**dict(zip(names, row, strict=True)))

    def stored(self) -> dict[str, Any]:
        """The block as a line of a segment holds it."""
        return {"size": self.size, **self.columns}


def check_block(messages: Sequence[Mapping[str, Any]], *, recorded: float,
                sensor: str = "") -> list[Block] | None:
    """Messages as blocks, checked and converted as `check_message` does with each of them.

    Returns
    -------
    list or None
        A block for each shape and kind; None unless every message is plainly good. Then they may
        still be good, and only `check_message` can tell.

    Examples
    --------
    >>> said = [{"id": n, "ts": 1000 * n, "kind": "temperature", "site": "W", "value": 41,
    ...          "unit": "F"} for n in range(3)]
    >>> (block,) = check_block(said, recorded=9.0, sensor="t1")
    >>> block.columns["id"], round(block.columns["value"][0], 3), block.columns["sensor"]
    (['0', '1', '2'], 5.0, 't1')
    >>> check_block([*said, {**said[0], "value": -600}], recorded=9.0, sensor="t1")
    """
    if recorded - recorded != 0.0 or not messages:
        return None
    blocks = []
    for names, alike in _by_shape(messages):
        told = dict(zip(names, zip(*[message.values() for message in alike], strict=True),
                        strict=True))
        for part in _by_kind(told):
            block = _block(part, recorded, sensor)
            if block is None:
                return None
            blocks.append(block)
    return blocks


def _by_shape(messages: Sequence[Mapping[str, Any]]
              ) -> Iterable[tuple[tuple[str, ...], Sequence[Mapping[str, Any]]]]:
    """The messages, apart by their keys and the order of these."""
    names = tuple(messages[0])
    if set(map(tuple, messages)) == {names}:
        return [(names, messages)]
    shapes: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for message in messages:
        shapes.setdefault(tuple(message), []).append(message)
    return shapes.items()


def _by_kind(told: dict[str, tuple[Any, ...]]) -> Iterator[dict[str, tuple[Any, ...]]]:
    """The columns, apart by kind and unit."""
    marks = [told[name] for name in ("kind", "unit") if name in told]
    if all(_one(column) for column in marks):
        yield told
        return
    rows: dict[tuple[Any, ...], list[int]] = {}
    for place, mark in enumerate(zip(*map(_texts_only, marks), strict=True)):
        rows.setdefault(mark, []).append(place)
    for places in rows.values():
        yield {name: tuple(map(column.__getitem__, places)) for name, column in told.items()}


def _one(column: Sequence[Any]) -> bool:
    """Whether all values are the same; of one type too, since 1 and True are equal."""
    return column.count(column[0]) == len(column) and len(set(map(type, column))) == 1


def _texts_only(column: Sequence[Any]) -> Iterator[Any]:
    return (value if isinstance(value, str) else None for value in column)


def _block(told: dict[str, tuple[Any, ...]], recorded: float, sensor: str) -> Block | None:
    """One block, of one kind; None if any row is not plainly good."""
    kind = KINDS.get(told["kind"][0]) if "kind" in told and isinstance(told["kind"][0], str) \
        else None
    times = _times(told.get("ts", ()))
    if kind is None or times is None:
        return None
    columns: dict[str, Any] = {"kind": kind.name, "recorded": recorded}
    for name, column in told.items():
        what = WIRE.get(name)
        values = _texts(column) if what == "s" else _numbers(column) if what == "d" else ()
        if what is None or values is None:
            return None
        if values:
            columns[name] = values
    if not _converted(columns, told.get("unit"), kind):
        return None
    columns["time"] = times
    size = len(times)
    if sensor and columns.setdefault("sensor", sensor) not in (sensor, [sensor] * size):
        return None
    return Block(size, columns) if _sound(columns, kind) else None


def _times(stamps: Sequence[Any]) -> list[float] | None:
    """Seconds since 1970 of ISO texts that end in Z, or of milliseconds."""
    types = set(map(type, stamps))
    try:
        if types == {str}:
            if set(map(itemgetter(-1), stamps)) != {"Z"}:
                return None
            times = list(map(datetime.timestamp, map(datetime.fromisoformat, stamps)))
        elif types in _NUMBERS:
            times = [float(stamp) / 1000.0 for stamp in stamps]
        else:
            return None
    except (ValueError, OverflowError, IndexError):
        return None
    good = sum(times) - sum(times) == 0.0 and min(times) >= EARLIEST and max(times) < LATEST
    return times if good else None


def _texts(column: tuple[Any, ...]) -> list[str] | str | None:
    """A column of texts, the one that all share, or None if any cannot be."""
    types = set(map(type, column))
    if types not in _TEXTS:
        return None
    if column.count(column[0]) == len(column) and len(types) == 1:
        column = column[:1]
    texts = list(map(str, column)) if int in types else list(column)
    if max(map(len, texts)) > LONGEST or not "".join(texts).isprintable():
        return None
    return texts[0] if len(texts) == 1 else texts


def _numbers(column: tuple[Any, ...]) -> list[float] | None:
    """A column of numbers, or None if any is not finite."""
    types = set(map(type, column))
    if types not in _NUMBERS:
        return None
    try:
        numbers = list(map(float, column)) if int in types else list(column)
    except OverflowError:
        return None
    whole = sum(numbers)
    return numbers if whole - whole == 0.0 else None


def _converted(columns: dict[str, Any], unit: tuple[Any, ...] | None, kind: Kind) -> bool:
    """Bring the values into the unit of their kind; False where that takes a closer look."""
    if unit is None:
        return True
    word = unit[0]
    if not isinstance(word, str) or len(word) > LONGEST or not word.isprintable():
        return False
    if "value" not in columns:
        return "quantity" not in columns or word in PIECES
    try:
        if word != kind.unit:
            columns["value"] = [in_unit(value, word, kind.unit) for value in columns["value"]]
    except ValueError:
        return False
    return True


def _sound(columns: Mapping[str, Any], kind: Kind) -> bool:
    """Whether a block has what its kind needs, and says only what can be."""
    full = {name for name, said in columns.items()
            if said != "" and not (isinstance(said, list) and FIELDS[name].type == "s"
                                   and "" in said)}
    return (
        {"sensor", "id"} <= full
        and all(any(name in full for name in names) for names in NEEDS[kind.name])
        and _within(columns, "value", kind.low, kind.high)
        and all(_within(columns, name, FIELDS[name].low, FIELDS[name].high)
                for name in ("latitude", "longitude"))
        and _within(columns, "quantity", 0.0, None)
        and ("quality" not in columns or _said(columns["quality"]) <= {"", *QUALITIES}))


def _within(columns: Mapping[str, Any], name: str, low: float | None, high: float | None) -> bool:
    column = columns.get(name)
    return column is None or ((low is None or min(column) >= low)
                              and (high is None or max(column) <= high))


def _said(column: Any) -> set[Any]:
    return set(column) if isinstance(column, list) else {column}
