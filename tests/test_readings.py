"""Readings at the door: what is taken, what is refused and why."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.kinds import FIELDS, KINDS
from twin.readings import BadReading, Reading, from_frame, parse_reading, reference_number, to_frame

COLD = {"sensor": "t1", "id": "7", "ts": "2026-03-01T06:00:00Z", "kind": "temperature", "site": "W",
        "value": 4.5, "unit": "C"}


@pytest.mark.parametrize(
    ("change", "reason", "told"),
    [
        ({"mood": 1}, "malformed", "key 'mood' is unknown"),
        ({"kind": "heat"}, "unknown_kind", "kind 'heat' is unknown"),
        ({"kind": ["temperature"]}, "unknown_kind", "is unknown"),
        ({"unit": "psi"}, "unit", "unit 'psi' is not one of C, CEL, F, FAH"),
        ({"value": "4.5"}, "malformed", "value '4.5' is not a finite number"),
        ({"value": math.nan}, "malformed", "value 'nan' is not a finite number"),
        ({"value": 10**400}, "malformed", "is not a finite number"),
        ({"value": -300}, "impossible", "value -300 C cannot be; it lies from -273.15 to 1000"),
        ({"value": None}, "malformed", "value 'None' is not a finite number"),
        ({"site": ""}, "missing", "site or asset or shipment or lot is missing"),
        ({"id": ""}, "missing", "id is missing"),
        ({"ts": None}, "missing", "ts is missing"),
        ({"ts": "yesterday"}, "malformed", "'yesterday' is not a date"),
        ({"ts": "2150-01-01"}, "impossible", "is not between 1970 and 2100"),
        ({"sensor": "t2"}, "identity", "sensor 't1' speaks for 't2'"),
        ({"site": "x" * 201}, "malformed", "site has 201 characters; at most 200"),
        ({"site": "W\n"}, "malformed", "site has characters that cannot be printed"),
        ({"quality": "fine"}, "malformed", "quality 'fine' is not good, uncertain or bad"),
    ],
)
def test_a_bad_reading_says_why(change: dict[str, object], reason: str, told: str) -> None:
    with pytest.raises(BadReading) as refused:
        parse_reading({**COLD, **change}, sensor="t1")
    assert refused.value.reason == reason
    assert told in str(refused.value)


def test_milliseconds_and_iso_are_the_same_instant() -> None:
    by_text = parse_reading(COLD)
    by_number = parse_reading({**COLD, "ts": 1772344800000})
    assert by_text.message() == by_number.message()
    assert by_text.time == by_number.time == 1772344800.0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_said_and_read_back(kind: str) -> None:
    said = {"sensor": "s", "id": "1", "ts": 0, "kind": kind}
    for need in KINDS[kind].needs:
        name = need.split("|")[0]
        said[name] = 1.0 if FIELDS[name].type == "d" else "x"
    reading = parse_reading(said)
    again = parse_reading(reading.message())
    assert again.message() == reading.message()
    assert from_frame(to_frame([reading]))[0].message() == reading.message()
    for need in KINDS[kind].needs:
        lacking = {k: v for k, v in said.items() if k not in need.split("|")}
        with pytest.raises(BadReading, match="missing"):
            parse_reading(lacking)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                 max_size=3), max_leaves=5)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from([*FIELDS, "ts", "unit", "other"]), json_values))
def test_whatever_is_sent_is_a_reading_or_a_bad_one(message: dict[str, object]) -> None:
    with suppress(BadReading):
        assert isinstance(parse_reading(message), Reading)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_reference_has_one_number(one: str, other: str) -> None:
    assert 0 <= reference_number(one) < 2**53
    assert (reference_number(one) == reference_number(other)) == (one == other)
