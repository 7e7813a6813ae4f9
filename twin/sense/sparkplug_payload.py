"""The payload of Sparkplug B 3.0: protobuf.

Written and read here, since the libraries for it pin a protobuf that nothing else agrees with.
Arrays, data sets and templates are read (`twin.sense.sparkplug_values`), and not written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from twin.readings import BadReading
from twin.sense.source import LARGEST, MOST_READINGS
from twin.sense.sparkplug_values import ARRAYS, Part, Table, array_of

Value = int | float | bool | str | bytes
#: What a metric may hold.
Whole = Value | tuple[Value, ...] | Table | Part

U32, U64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


class Datatype(IntEnum):
    """What a metric's value is (Sparkplug B 3.0, 6.4.16)."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    BYTES = 17
    FILE = 18


_SIGNED = {Datatype.INT8: 8, Datatype.INT16: 16, Datatype.INT32: 32, Datatype.INT64: 64}
TEXTS = (Datatype.STRING, Datatype.TEXT, Datatype.UUID)
#: Field number of a value: in a metric; a property has the same, shifted by -7.
INT, LONG, FLOAT, DOUBLE, BOOLEAN, STRING, BYTES, _DATASET, _TEMPLATE = range(10, 19)
_DEEPEST = 8  # templates within templates


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a payload.

    Parameters
    ----------
    name
        Its name; blank where only the alias is sent.
    alias
        The number that a birth gave it.
    timestamp
        Milliseconds since 1970-01-01 UTC.
    datatype
        A word of `Datatype`; 0 where only the birth said it.
    value
        None is null.
    historical, transient
        Whether it is of the past; whether it is not to be kept.
    properties
        Such as ``engUnit`` and ``Quality``.
    """

    name: str = ""
    alias: int | None = None
    timestamp: int | None = None
    datatype: int = 0
    value: Whole | None = None
    historical: bool = False
    transient: bool = False
    properties: Mapping[str, Value | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payload:
    """What one Sparkplug message says.

    Parameters
    ----------
    timestamp
        When it was sent; milliseconds since 1970-01-01 UTC.
    metrics
        In order.
    seq
        0 to 255, one more with every message of an edge node; None in a death.
    """

    timestamp: int | None = None
    metrics: tuple[Metric, ...] = ()
    seq: int | None = None

    def metric(self, name: str) -> Metric | None:
        """The first metric of a name."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def decode_payload(raw: bytes) -> Payload:
    """The payload that bytes hold.

    Raises
    ------
    BadReading
        Reason `oversize` or `malformed`. Nothing else comes of any bytes.

    Examples
    --------
    >>> decode_payload(bytes.fromhex("0880a4c6e7bc311807"))
    Payload(timestamp=1699950465536, metrics=(), seq=7)
    >>> decode_payload(b"hello")
    Traceback (most recent call last):
    ...
    twin.readings.BadReading: the payload is no Sparkplug B: wire type 4 is not of Sparkplug B.
    """
    if len(raw) > LARGEST:
        raise BadReading("oversize", f"the payload has {len(raw):,} bytes; at most {LARGEST:,} "
                         "are read. Send fewer metrics at once.")
    timestamp: int | None = None
    seq: int | None = None
    metrics: list[Metric] = []
    for number, value in _fields(raw):
        if number == 1 and isinstance(value, int):
            timestamp = value
        elif number == 2 and isinstance(value, bytes):
            metrics.append(_decode_metric(value))
        elif number == 3 and isinstance(value, int):
            seq = value
        if len(metrics) > MOST_READINGS:
            raise BadReading("oversize", f"the payload has more than {MOST_READINGS:,} metrics. "
                             "Send fewer at once.")
    if seq is not None and seq > 255:
        raise _broken(f"seq {seq} is not from 0 to 255")
    return Payload(timestamp, tuple(metrics), seq)


def _decode_metric(raw: bytes, depth: int = 0) -> Metric:
    name, alias, timestamp, datatype = "", None, None, 0
    flags = {5: False, 6: False, 7: False}
    properties: dict[str, Value | None] = {}
    held: tuple[int, int | bytes] | None = None
    for number, value in _fields(raw):
        if number == 1 and isinstance(value, bytes):
            name = _text(value)
        elif number in flags:
            flags[number] = bool(value)
        elif number == 9 and isinstance(value, bytes):
            properties = _decode_properties(value)
        elif number == 2 and isinstance(value, int):
            alias = value
        elif number == 3 and isinstance(value, int):
            timestamp = value
        elif number == 4 and isinstance(value, int):
            datatype = value
        elif INT <= number <= _TEMPLATE:
            held = (number, value)
    found = None if held is None or flags[7] else _decode_whole(*held, datatype, depth)
    return Metric(name, alias, timestamp, datatype, found, flags[5], flags[6], properties)


def _decode_whole(number: int, value: int | bytes, datatype: int, depth: int) -> Whole:
    """A value, an array, a data set or a template."""
    if number in (_DATASET, _TEMPLATE):
        if not isinstance(value, bytes) or depth >= _DEEPEST:
            raise _broken("a value has the wrong wire type, or templates are nested too deep")
        return _decode_table(value) if number == _DATASET else _decode_part(value, depth + 1)
    found = _decode_value(number, value, datatype)
    if datatype not in ARRAYS or not isinstance(found, bytes):
        return found
    try:
        return array_of(found, datatype)
    except ValueError as error:
        raise _broken(str(error)) from None


def _decode_part(raw: bytes, depth: int) -> Part:
    metrics = [_decode_metric(value, depth) for number, value in _fields(raw)
               if number == 2 and isinstance(value, bytes)]
    definition = any(number == 5 and bool(value) for number, value in _fields(raw))
    return Part(tuple(metrics), definition)


def _decode_table(raw: bytes) -> Table:
    columns: list[str] = []
    types: list[int] = []
    rows: list[bytes] = []
    for number, value in _fields(raw):
        if number == 2 and isinstance(value, bytes):
            columns.append(_text(value))
        elif number == 3 and isinstance(value, int):
            types.append(value)
        elif number == 3 and isinstance(value, bytes):  # packed
            at = 0
            while at < len(value):
                kind, at = _read_varint(value, at)
                types.append(kind)
        elif number == 4 and isinstance(value, bytes):
            rows.append(value)
    if len(types) != len(columns) or len(rows) * max(len(columns), 1) > MOST_READINGS:
        raise _broken(f"a data set has {len(columns)} columns, {len(types)} types and "
                      f"{len(rows)} rows")
    return Table(tuple(columns), tuple(types), tuple(_decode_row(row, types) for row in rows))


def _decode_row(raw: bytes, types: list[int]) -> tuple[Value | None, ...]:
    cells = [value for number, value in _fields(raw) if number == 1 and isinstance(value, bytes)]
    if len(cells) != len(types):
        raise _broken(f"a row of a data set has {len(cells)} values for {len(types)} columns")
    row: list[Value | None] = []
    for cell, kind in zip(cells, types, strict=True):
        held = [(number + 9, value) for number, value in _fields(cell) if 1 <= number <= 6]
        row.append(_decode_value(*held[-1], kind) if held else None)
    return tuple(row)


def _decode_value(number: int, value: int | bytes, datatype: int) -> Value:
    if number in (FLOAT, DOUBLE):
        wide, code = (4, "<f") if number == FLOAT else (8, "<d")
        if not isinstance(value, bytes) or len(value) != wide:
            raise _broken("a floating point value has the wrong wire type")
        return float(struct.unpack(code, value)[0])
    if number in (STRING, BYTES):
        if not isinstance(value, bytes):
            raise _broken("a text has the wrong wire type")
        return _text(value) if number == STRING else value
    if not isinstance(value, int):
        raise _broken("a whole number has the wrong wire type")
    if number == BOOLEAN:
        return bool(value)
    return signed(value, datatype) if number == LONG else signed(value & U32, datatype)


def signed(value: int, datatype: int) -> int:
    """A whole number of a signed type from its two's complement.

    Examples
    --------
    >>> signed(0xFE, Datatype.INT8), signed(0xFFFF_FFFE, Datatype.INT8), signed(254, Datatype.UINT8)
    (-2, -2, 254)
    """
    bits = _SIGNED.get(datatype)  # type: ignore[call-overload]
    if bits is None:
        return value
    value &= (1 << bits) - 1
    return int(value - (1 << bits) if value >> (bits - 1) else value)


def _decode_properties(raw: bytes) -> dict[str, Value | None]:
    keys: list[str] = []
    values: list[Value | None] = []
    for number, value in _fields(raw):
        if not isinstance(value, bytes):
            continue
        if number == 1:
            keys.append(_text(value))
        elif number == 2:
            values.append(_decode_property(value))
    if len(keys) != len(values):
        raise _broken(f"{len(keys)} property keys have {len(values)} values")
    return dict(zip(keys, values, strict=True))


def _decode_property(raw: bytes) -> Value | None:
    datatype, null = 0, False
    held: tuple[int, int | bytes] | None = None
    for number, value in _fields(raw):
        if number == 1 and isinstance(value, int):
            datatype = value
        elif number == 2:
            null = bool(value)
        elif 3 <= number <= 8:
            held = (number + 7, value)
    return None if null or held is None else _decode_value(*held, datatype)


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and content: whole numbers of wire type 0, bytes of the others."""
    at, end = 0, len(raw)
    while at < end:
        key, at = _read_varint(raw, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise _broken("a field has the number 0")
        if wire == 0:
            value, at = _read_varint(raw, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _read_varint(raw, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise _broken(f"wire type {wire} is not of Sparkplug B")
        if size > end - at:
            raise _broken("a field runs past the end")
        yield number, raw[at:at + size]
        at += size


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            raise _broken("a number runs past the end")
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & U64, at
    raise _broken("a number has more than ten bytes")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _broken("a text is not UTF-8") from None


def _broken(what: str) -> BadReading:
    return BadReading("malformed", f"the payload is no Sparkplug B: {what}.")
