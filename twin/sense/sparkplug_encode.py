"""Writing a payload of Sparkplug B: single values, as a host and an edge node of tests send."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from twin.sense.sparkplug_payload import (
    BOOLEAN,
    BYTES,
    DOUBLE,
    FLOAT,
    INT,
    LONG,
    STRING,
    TEXTS,
    U32,
    U64,
    Datatype,
    Metric,
    Payload,
    Value,
)
from twin.sense.sparkplug_values import Part, Table


def encode_payload(payload: Payload) -> bytes:
    """The bytes of a payload.

    Examples
    --------
    >>> from twin.sense.sparkplug_payload import decode_payload
    >>> warm = Metric("M1/temperature", 3, 1_700_000_000_000, Datatype.FLOAT, 21.5)
    >>> raw = encode_payload(Payload(1_700_000_000_000, (warm,), 7))
    >>> len(raw), decode_payload(raw).metrics[0].value
    (43, 21.5)
    """
    out = bytearray()
    if payload.timestamp is not None:
        out += _tag(1, 0) + _varint(payload.timestamp)
    for metric in payload.metrics:
        out += _block(2, _encode_metric(metric))
    if payload.seq is not None:
        out += _tag(3, 0) + _varint(payload.seq)
    return bytes(out)


def _encode_metric(metric: Metric) -> bytes:
    out = bytearray()
    if metric.name:
        out += _block(1, metric.name.encode())
    if metric.alias is not None:
        out += _tag(2, 0) + _varint(metric.alias)
    if metric.timestamp is not None:
        out += _tag(3, 0) + _varint(metric.timestamp)
    if metric.datatype:
        out += _tag(4, 0) + _varint(metric.datatype)
    for number, flag in ((5, metric.historical), (6, metric.transient), (7, metric.value is None)):
        if flag:
            out += _tag(number, 0) + b"\x01"
    if metric.properties:
        out += _block(9, _encode_properties(metric.properties))
    if metric.value is not None:
        assert not isinstance(metric.value, tuple | Table | Part), "only single values are written"
        out += _encode_value(metric.value, metric.datatype, 0)
    return bytes(out)


def _encode_properties(properties: Mapping[str, Value | None]) -> bytes:
    out = bytearray()
    for key in properties:
        out += _block(1, key.encode())
    for value in properties.values():
        datatype = _datatype_of(value)
        inner = _tag(1, 0) + _varint(datatype)
        inner += _tag(2, 0) + b"\x01" if value is None else _encode_value(value, datatype, -7)
        out += _block(2, inner)
    return bytes(out)


def _datatype_of(value: Value | None) -> Datatype:
    if isinstance(value, bool):
        return Datatype.BOOLEAN
    if isinstance(value, int):
        return Datatype.INT64
    return Datatype.DOUBLE if isinstance(value, float) else Datatype.STRING


def _encode_value(value: Value, datatype: int, shift: int) -> bytes:
    if datatype == Datatype.BOOLEAN:
        return _tag(BOOLEAN + shift, 0) + _varint(int(bool(value)))
    if datatype in TEXTS or isinstance(value, str):
        return _block(STRING + shift, str(value).encode())
    if isinstance(value, bytes):
        return _block(BYTES + shift, value)
    if datatype == Datatype.FLOAT:
        return _tag(FLOAT + shift, 5) + struct.pack("<f", value)
    if datatype == Datatype.DOUBLE or isinstance(value, float):
        return _tag(DOUBLE + shift, 1) + struct.pack("<d", value)
    if datatype in (Datatype.INT64, Datatype.UINT64, Datatype.DATETIME):
        return _tag(LONG + shift, 0) + _varint(value & U64)
    return _tag(INT + shift, 0) + _varint(value & U32)


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _block(number: int, content: bytes) -> bytes:
    return _tag(number, 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
