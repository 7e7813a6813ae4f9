"""Values of Sparkplug B that are more than one: arrays, data sets and templates (6.4.16 to 6.4.19).

A template is a part with metrics of its own, named below it. A data set is a table: of one row, its
columns are metrics below it; of several, each row needs a column of time to say when it was so. An
array has no meaning of its own; it stays what it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.sense.sparkplug_payload import Metric, Value

DATETIME, BOOLEANS, STRINGS, DATETIMES = 13, 32, 33, 34
#: Datatype of an array -> how one element is packed, little-endian.
PACKED = {22: "b", 23: "h", 24: "i", 25: "q", 26: "B", 27: "H", 28: "I", 29: "Q", 30: "f", 31: "d",
          DATETIMES: "q"}
ARRAYS = frozenset({*PACKED, BOOLEANS, STRINGS})


@dataclass(frozen=True, slots=True)
class Table:
    """A data set.

    Parameters
    ----------
    columns, types
        Name and datatype of each column.
    rows
        A value for each column.
    """

    columns: tuple[str, ...]
    types: tuple[int, ...]
    rows: tuple[tuple[Value | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """An instance of a template, or its definition, which says no values."""

    metrics: tuple[Metric, ...]
    definition: bool = False


def array_of(raw: bytes, datatype: int) -> tuple[Value, ...]:
    """The elements of a packed array.

    Raises
    ------
    ValueError
        If the bytes do not make whole elements.

    Examples
    --------
    >>> array_of(bytes([0x17, 0xFE]), 22), array_of(b"A\\0b\\0", 33)
    ((23, -2), ('A', 'b'))
    >>> array_of(bytes([3, 0, 0, 0, 0b10100000]), 32)
    (True, False, True)
    """
    if datatype == STRINGS:
        if raw and not raw.endswith(b"\0"):
            raise ValueError("a text of an array has no end")
        return tuple(part.decode() for part in raw.split(b"\0")[:-1])
    if datatype == BOOLEANS:
        count = int.from_bytes(raw[:4], "little")
        if len(raw) < 4 or (count + 7) // 8 != len(raw) - 4:
            raise ValueError("an array of booleans has another length than it says")
        return tuple(bool(raw[4 + place // 8] >> (7 - place % 8) & 1) for place in range(count))
    code = PACKED[datatype]
    size = struct.calcsize(f"<{code}")
    if len(raw) % size:
        raise ValueError(f"an array of {len(raw)} bytes has no whole elements of {size}")
    return struct.unpack(f"<{len(raw) // size}{code}", raw)


def flat(metric: Metric, name: str) -> Iterator[tuple[str, Metric]]:
    """The single values of a metric, each with its whole name.

    Raises
    ------
    ValueError
        If it is a table of several rows without a time.
    """
    from dataclasses import replace

    value = metric.value
    if isinstance(value, Part):
        for inner in () if value.definition else value.metrics:
            stamped = inner if inner.timestamp is not None else replace(
                inner, timestamp=metric.timestamp)
            yield from flat(stamped, f"{name}/{inner.name}")
    elif isinstance(value, Table):
        when = next((place for place, kind in enumerate(value.types) if kind == DATETIME), None)
        if when is None and len(value.rows) > 1:
            raise ValueError(f"data set '{name[:60]}' has {len(value.rows)} rows and no column of "
                             "time. Send one row, or a column of the type DateTime")
        for row in value.rows:
            stamp = metric.timestamp if when is None else row[when]
            for place, (column, kind) in enumerate(zip(value.columns, value.types, strict=True)):
                if place != when:
                    yield f"{name}/{column}", replace(
                        metric, value=row[place], datatype=kind,
                        timestamp=stamp if isinstance(stamp, int) else metric.timestamp)
    elif isinstance(value, tuple) and len(value) == 1:
        yield name, replace(metric, value=value[0])
    else:
        yield name, metric
