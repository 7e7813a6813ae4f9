"""The Sparkplug B codec: what it writes it reads, others read it too, and no bytes break it."""

from __future__ import annotations

import math
import random
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.readings import BadReading
from twin.sense.source import LARGEST
from twin.sense.sparkplug_payload import Datatype, Metric, Payload, decode_payload, encode_payload

_RANGES = {Datatype.INT8: (-2**7, 2**7 - 1), Datatype.INT16: (-2**15, 2**15 - 1),
           Datatype.INT32: (-2**31, 2**31 - 1), Datatype.INT64: (-2**63, 2**63 - 1),
           Datatype.UINT8: (0, 2**8 - 1), Datatype.UINT16: (0, 2**16 - 1),
           Datatype.UINT32: (0, 2**32 - 1), Datatype.UINT64: (0, 2**64 - 1),
           Datatype.DATETIME: (0, 2**64 - 1)}
_PROPERTIES = st.dictionaries(st.text(max_size=8), st.one_of(
    st.none(), st.booleans(), st.integers(-2**63, 2**63 - 1), st.text(max_size=8),
    st.floats(allow_nan=False)), max_size=3)


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    datatype = draw(st.sampled_from([d for d in Datatype if d != Datatype.UNKNOWN]))
    if datatype in _RANGES:
        value: Any = draw(st.integers(*_RANGES[datatype]))
    elif datatype == Datatype.BOOLEAN:
        value = draw(st.booleans())
    elif datatype in (Datatype.FLOAT, Datatype.DOUBLE):
        value = draw(st.floats(width=32 if datatype == Datatype.FLOAT else 64, allow_nan=False))
    elif datatype in (Datatype.BYTES, Datatype.FILE):
        value = draw(st.binary(max_size=20))
    else:
        value = draw(st.text(max_size=20))
    return Metric(draw(st.text(max_size=20)), draw(st.none() | st.integers(0, 2**64 - 1)),
                  draw(st.none() | st.integers(0, 2**64 - 1)), datatype,
                  draw(st.just(value) | st.none()), draw(st.booleans()), draw(st.booleans()),
                  draw(_PROPERTIES))


PAYLOADS = st.builds(Payload, st.none() | st.integers(0, 2**64 - 1),
                     st.lists(metrics(), max_size=4).map(tuple), st.none() | st.integers(0, 255))


@given(PAYLOADS)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(payload: Payload) -> None:
    assert decode_payload(encode_payload(payload)) == payload


@pytest.fixture(scope="module")
def tahu() -> Any:
    """The payload by Google's own protobuf, from the fields that the specification lists."""
    file = descriptor_pb2.FileDescriptorProto(name="spb_test.proto", package="t", syntax="proto2")
    kinds = {"u64": 4, "u32": 13, "bool": 8, "string": 9, "bytes": 12, "float": 2, "double": 1}

    def message(name: str, *fields: tuple[str, int, str, bool]) -> None:
        made = file.message_type.add(name=name)
        for label, number, kind, repeated in fields:
            one = made.field.add(name=label, number=number, label=3 if repeated else 1)
            if kind in kinds:
                one.type = kinds[kind]
            else:
                one.type, one.type_name = 11, f".t.{kind}"

    values = ("int_value", "u32"), ("long_value", "u64"), ("float_value", "float"), \
        ("double_value", "double"), ("boolean_value", "bool"), ("string_value", "string"), \
        ("bytes_value", "bytes")
    message("Property", ("type", 1, "u32", False), ("is_null", 2, "bool", False),
            *((name, number, kind, False) for number, (name, kind) in enumerate(values[:6], 3)))
    message("Properties", ("keys", 1, "string", True), ("values", 2, "Property", True))
    message("Metric", ("name", 1, "string", False), ("alias", 2, "u64", False),
            ("timestamp", 3, "u64", False), ("datatype", 4, "u32", False),
            ("is_historical", 5, "bool", False), ("is_transient", 6, "bool", False),
            ("is_null", 7, "bool", False), ("properties", 9, "Properties", False),
            *((name, number, kind, False) for number, (name, kind) in enumerate(values, 10)))
    message("Payload", ("timestamp", 1, "u64", False), ("metrics", 2, "Metric", True),
            ("seq", 3, "u64", False), ("uuid", 4, "string", False), ("body", 5, "bytes", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Payload"))


@given(payload=PAYLOADS)
@settings(max_examples=60, deadline=None)
def test_others_read_and_write_the_same_bytes(tahu: Any, payload: Payload) -> None:
    raw = encode_payload(payload)
    theirs = tahu.FromString(raw)
    assert decode_payload(theirs.SerializeToString()) == payload
    assert [metric.name for metric in theirs.metrics] == [one.name for one in payload.metrics]
    for mine, other in zip(payload.metrics, theirs.metrics, strict=True):
        if isinstance(mine.value, bool | str | bytes | float):
            word = {bool: "boolean_value", str: "string_value", bytes: "bytes_value",
                    float: "float_value" if mine.datatype == Datatype.FLOAT else "double_value"}
            assert getattr(other, word[type(mine.value)]) == mine.value
        assert other.is_null == (mine.value is None)


def test_fields_that_are_not_known_are_passed_over(tahu: Any) -> None:
    theirs = tahu(timestamp=5, seq=3, uuid="template", body=b"\x00" * 10)
    theirs.metrics.add(name="x", alias=1, timestamp=5, datatype=Datatype.DOUBLE, double_value=2.0)
    assert decode_payload(theirs.SerializeToString()) == Payload(
        5, (Metric("x", 1, 5, Datatype.DOUBLE, 2.0),), 3)


def test_a_number_that_is_not_finite_is_read_as_it_stands() -> None:
    raw = encode_payload(Payload(1, (Metric("x", None, 1, Datatype.DOUBLE, math.inf),), 0))
    assert decode_payload(raw).metrics[0].value == math.inf  # refused at the door


@given(st.binary(max_size=300))
@settings(max_examples=1000, deadline=None)
def test_no_bytes_break_it(raw: bytes) -> None:
    with suppress(BadReading):
        decode_payload(raw)


def test_no_broken_payload_breaks_it() -> None:
    luck = random.Random(11)
    metric = Metric("M1/temperature", 3, 1_700_000_000_000, Datatype.FLOAT, 21.5, False, False,
                    {"engUnit": "C", "Quality": 192})
    whole = encode_payload(Payload(1_700_000_000_000, (metric,) * 5, 7))
    for _ in range(20_000):
        raw = bytearray(whole)
        for _ in range(luck.randrange(1, 5)):
            at = luck.randrange(len(raw))
            raw[at:at + luck.randrange(3)] = luck.randbytes(luck.randrange(3))
        with suppress(BadReading):
            decode_payload(bytes(raw))


@pytest.mark.parametrize(("raw", "reason"), [
    (b"\x12" + b"\xff" * 9 + b"\x01", "malformed"),     # a metric of 2**64 bytes
    (b"\x08" + b"\xff" * 11, "malformed"),              # a number without an end
    (b"\x18\x80\x02", "malformed"),                     # seq 256
    (b"\x12\x00" * 10_001, "oversize"),
    (b"\x00" * (LARGEST + 1), "oversize"),
])
def test_bombs_are_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(BadReading) as caught:
        decode_payload(raw)
    assert caught.value.reason == reason
