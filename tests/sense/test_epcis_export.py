"""What was heard goes out as EPCIS 2.0 and comes back the same."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.kinds import FIELDS, KINDS
from twin.readings import BadReading, Reading, check_reading
from twin.sense.epcis import check_epcis, read_epcis
from twin.sense.epcis_export import to_epcis

#: The key and the day that it became known are the reader's own.
SAID = [name for name in FIELDS if name not in ("sensor", "id", "recorded")]
NAMES = st.sampled_from(["", "W", "tea", "green tea", "01/09521141012345", "a/b", "Łódź 1", "17"])
NUMBERS = st.one_of(st.just(math.nan), st.integers(0, 50).map(float), st.floats(0.0, 90.0))


def said(reading: Reading) -> tuple[object, ...]:
    values = (getattr(reading, name) for name in SAID)
    return tuple("" if value != value else value for value in values)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    texts = {name: draw(NAMES) for name in ("site", "to_site", "area", "asset", "product", "lot",
                                            "order", "shipment", "role", "source")}
    numbers = {name: draw(NUMBERS) for name in ("quantity", "amount")}
    if kind.name == "position":
        numbers |= {"latitude": draw(st.floats(-90, 90)), "longitude": draw(st.floats(-180, 180))}
    elif kind.signal and kind.name not in ("sighting", "count"):
        numbers["value"] = draw(st.floats(kind.low or 0.0, min(kind.high or 1e6, 1e6)))
        texts["state"] = draw(st.sampled_from(["", "idle", "braking"]))
    return Reading(sensor="s1", id=str(draw(st.integers(0, 10**6))), kind=kind.name,
                   time=draw(st.integers(0, 2_000_000_000)) / 1.0,
                   cause=draw(st.sampled_from(["", "damaged", "error:did_not_occur"])),
                   **texts, **numbers)  # type: ignore[arg-type]


def sound(reading: Reading) -> bool:
    try:
        check_reading(reading)
    except BadReading:
        return False
    return True


@given(readings().filter(sound))
@settings(max_examples=160, deadline=None)
def test_a_reading_comes_back_as_it_went_out(reading: Reading) -> None:
    if reading.cause.startswith("error:"):
        reading = replace(reading, quality="bad", id=f"{reading.id}!2026-03-01T06:00:00+00:00")
    document = json.loads(json.dumps(to_epcis([reading], created=0.0)))
    assert len(check_epcis(document)) == 1
    [back] = read_epcis(document)
    assert isinstance(back, Reading), back
    assert said(back) == said(reading)


def test_a_lot_made_of_lots_is_one_transformation() -> None:
    made = {"time": 3600.0, "site": "F", "order": "J1", "lot": "30", "sensor": "mes"}
    rows = [
        Reading(id="1", kind="consuming", product="leaf", parent="10", quantity=4.0, **made),
        Reading(id="2", kind="consuming", product="bag", parent="11", quantity=100.0, **made),
        Reading(id="3", kind="commissioning", product="tea", quantity=100.0, **made),
    ]
    document = to_epcis(rows, created=7200.0)
    [event] = document["epcisBody"]["eventList"]
    assert event["type"] == "TransformationEvent"
    assert [line["epcClass"] for line in event["inputQuantityList"]] == [
        "https://id.example.org/product/leaf/lot/10", "https://id.example.org/product/bag/lot/11"]
    assert sorted(map(said, read_epcis(document))) == sorted(map(said, rows))


def test_rows_that_one_event_cannot_tell_are_told_one_by_one() -> None:
    made = {"time": 3600.0, "site": "F", "lot": "30", "sensor": "mes", "quantity": 4.0}
    rows = [
        Reading(id="1", kind="consuming", product="leaf", parent="10", amount=9.0, **made),
        Reading(id="3", kind="commissioning", product="tea", amount=9.0, **made),
        Reading(id="4", kind="transforming", product="tea", amount=9.0, **made),
    ]
    document = to_epcis(rows, created=7200.0)
    assert len(document["epcisBody"]["eventList"]) == 3
    assert sorted(map(said, read_epcis(document))) == sorted(map(said, rows))


def test_readings_are_written_in_order_of_time() -> None:
    late = Reading(sensor="t", id="1", time=9.0, kind="temperature", site="W", value=4.0)
    document = to_epcis([late, replace(late, id="2", time=3.0)], created=10.0)
    times = [event["eventTime"] for event in document["epcisBody"]["eventList"]]
    assert times == ["1970-01-01T00:00:03.000Z", "1970-01-01T00:00:09.000Z"]


@pytest.mark.parametrize("name", ["01/09521141012345", "W 1"])
def test_gs1_keys_become_digital_links(name: str) -> None:
    row = Reading(sensor="t", id="1", time=9.0, kind="sighting", site="W", product=name)
    [line] = to_epcis([row], created=0.0)["epcisBody"]["eventList"][0]["quantityList"]
    assert line["epcClass"] in ("https://id.gs1.org/01/09521141012345",
                                "https://id.example.org/product/W%201")
