"""The Sparkplug B codec: what it writes it reads, others read it too, and no bytes break it."""

from __future__ import annotations

import math
import random
import struct
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.readings import BadReading, parse_reading
from twin.sense.declared import Dictionary
from twin.sense.source import LARGEST
from twin.sense.sparkplug_encode import encode_payload
from twin.sense.sparkplug_payload import Datatype, Metric, Payload, decode_payload
from twin.sense.sparkplug_session import Session
from twin.sense.sparkplug_values import Part, Table

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
            *((name, number, kind, False) for number, (name, kind) in enumerate(values, 10)),
            ("dataset_value", 17, "DataSet", False), ("template_value", 18, "Template", False))
    message("Cell", *((name, number, kind, False)
                      for number, (name, kind) in enumerate(values[:6], 1)))
    message("Row", ("elements", 1, "Cell", True))
    message("DataSet", ("num_of_columns", 1, "u64", False), ("columns", 2, "string", True),
            ("types", 3, "u32", True), ("rows", 4, "Row", True))
    message("Template", ("version", 1, "string", False), ("metrics", 2, "Metric", True),
            ("template_ref", 4, "string", False), ("is_definition", 5, "bool", False))
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


def test_arrays_are_their_elements(tahu: Any) -> None:
    theirs = tahu(seq=1)
    for datatype, raw in ((23, struct.pack("<2h", -5, 7)), (30, struct.pack("<2f", 1.5, -2.0)),
                          (32, b"\x03\0\0\0\xa0"), (33, b"ab\0c\0")):
        theirs.metrics.add(name="x", datatype=datatype, bytes_value=raw)
    assert [one.value for one in decode_payload(theirs.SerializeToString()).metrics] == [
        (-5, 7), (1.5, -2.0), (True, False, True), ("ab", "c")]


@pytest.mark.parametrize(("datatype", "raw"), [(23, b"abc"), (32, b"\x09\0\0\0\xa0"), (33, b"ab")],
                         ids=["halves", "booleans", "text"])
def test_a_broken_array_is_refused(tahu: Any, datatype: int, raw: bytes) -> None:
    theirs = tahu(seq=1)
    theirs.metrics.add(name="x", datatype=datatype, bytes_value=raw)
    with pytest.raises(BadReading, match="the payload is no Sparkplug B: a"):
        decode_payload(theirs.SerializeToString())


def test_a_data_set_is_a_table(tahu: Any) -> None:
    theirs = tahu(seq=1)
    table = theirs.metrics.add(name="t", datatype=16).dataset_value
    table.num_of_columns = 2
    table.columns.extend(["temperature", "state"])
    table.types.extend([Datatype.DOUBLE, Datatype.STRING])
    for warm, state in ((4.5, "open"), (5.0, "shut")):
        row = table.rows.add()
        row.elements.add(double_value=warm)
        row.elements.add(string_value=state)
    assert decode_payload(theirs.SerializeToString()).metrics[0].value == Table(
        ("temperature", "state"), (10, 12), ((4.5, "open"), (5.0, "shut")))
    table.rows.add()
    with pytest.raises(BadReading, match="a row of a data set has 0 values for 2 columns"):
        decode_payload(theirs.SerializeToString())


def test_a_template_has_metrics_of_its_own(tahu: Any) -> None:
    theirs = tahu(seq=1)
    part = theirs.metrics.add(name="M3", datatype=19).template_value
    part.template_ref = "Motor"
    part.metrics.add(name="temperature", datatype=Datatype.DOUBLE, double_value=61.0)
    [metric] = decode_payload(theirs.SerializeToString()).metrics
    assert metric.value == Part((Metric("temperature", None, None, Datatype.DOUBLE, 61.0),))
    deep = part
    for _ in range(12):
        deep = deep.metrics.add(name="in", datatype=19).template_value
    with pytest.raises(BadReading, match="nested too deep"):
        decode_payload(theirs.SerializeToString())


def test_a_number_that_is_not_finite_is_read_as_it_stands() -> None:
    raw = encode_payload(Payload(1, (Metric("x", None, 1, Datatype.DOUBLE, math.inf),), 0))
    assert decode_payload(raw).metrics[0].value == math.inf  # refused at the door


@given(st.binary(max_size=300))
@settings(max_examples=160, deadline=None)
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


# -- what a session makes of them ------------------------------------------------------------------


def heard(theirs: Any) -> list[Any]:
    """The readings of a birth with these metrics."""
    said = Session(Dictionary()).hear("spBv1.0/acme/NBIRTH/press", theirs.SerializeToString(), 9.0)
    return [parse_reading(one) for one in said if one["kind"] != "alive"]


def test_a_template_names_its_metrics_below_itself(tahu: Any) -> None:
    theirs = tahu(seq=0, timestamp=9_000)
    part = theirs.metrics.add(name="M7", timestamp=8_000, datatype=19).template_value
    part.metrics.add(name="temperature", datatype=Datatype.DOUBLE, double_value=61.0)
    part.metrics.add(name="vibration", datatype=Datatype.DOUBLE, double_value=2.5)
    what = theirs.metrics.add(name="_types_/Motor", datatype=19).template_value
    what.is_definition = True
    what.metrics.add(name="temperature", datatype=Datatype.DOUBLE, double_value=0.0)
    assert [(row.kind, row.asset, row.value, row.time) for row in heard(theirs)] == [
        ("temperature", "M7", 61.0, 8.0), ("vibration", "M7", 2.5, 8.0)]


def test_rows_of_a_data_set_need_a_time(tahu: Any) -> None:
    theirs = tahu(seq=0, timestamp=9_000)
    table = theirs.metrics.add(name="M7", datatype=16).dataset_value
    table.columns.extend(["at", "temperature"])
    table.types.extend([Datatype.DATETIME, Datatype.DOUBLE])
    for second, warm in ((1, 20.0), (2, 21.0)):
        row = table.rows.add()
        row.elements.add(long_value=1000 * second)
        row.elements.add(double_value=warm)
    assert [(row.asset, row.value, row.time) for row in heard(theirs)] == [
        ("M7", 20.0, 1.0), ("M7", 21.0, 2.0)]
    table.types[0] = Datatype.INT64
    with pytest.raises(BadReading, match="data set 'acme/press/M7' has 2 rows and no column of ti"):
        heard(theirs)


def test_an_array_of_one_is_a_value_and_a_longer_one_is_refused(tahu: Any) -> None:
    theirs = tahu(seq=0, timestamp=9_000)
    theirs.metrics.add(name="M7/temperature", datatype=31, bytes_value=struct.pack("<d", 20.0))
    assert [row.value for row in heard(theirs)] == [20.0]
    theirs.metrics[0].bytes_value = struct.pack("<2d", 20.0, 21.0)
    with pytest.raises(BadReading, match="value 'an array of 2 values' is not a finite number"):
        heard(theirs)
