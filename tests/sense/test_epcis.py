"""EPCIS 2.0 documents: what follows the standard becomes readings, what does not is refused."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from twin.readings import BadReading, Reading
from twin.sense.epcis import MOST_BYTES, check_epcis, open_source, read_epcis
from twin.sense.epcis_hash import event_hash, pre_hash
from twin.sense.epcis_words import BIZ_STEP, DISPOSITION, PARTY, TRANSACTION
from twin.sense.listener import Listener
from twin.sense.source import Place, SourceError
from twin.store import Store

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
EVENT: dict[str, Any] = {
    "@context": CONTEXT, "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "receiving",
    "eventTime": "2026-03-01T07:00:00+01:00", "eventTimeZoneOffset": "+01:00",
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0"},
    "epcList": ["urn:epc:id:sgtin:9521141.001234.2017"],
}
HERE = "414/4012345000054"


def good(*parts: dict[str, Any], **changes: Any) -> list[Reading]:
    event = {key: value for key, value in {**EVENT, **changes}.items() if value is not None}
    rows = read_epcis(document(event, *parts))
    assert all(isinstance(row, Reading) for row in rows), rows
    return [row for row in rows if isinstance(row, Reading)]


def document(*events: dict[str, Any]) -> dict[str, Any]:
    return {"@context": [CONTEXT, {"example": "https://ns.example.com/"}], "type": "EPCISDocument",
            "schemaVersion": "2.0", "creationDate": "2026-03-01T08:00:00Z",
            "epcisBody": {"eventList": list(events)}}


def refused(**changes: Any) -> str:
    event = {key: value for key, value in {**EVENT, **changes}.items() if value is not None}
    with pytest.raises(BadReading) as caught:
        read_epcis(document(event))
    assert caught.value.reason == "malformed"
    return str(caught.value)


# -- what a document says --------------------------------------------------------------------------
def test_a_receipt_names_place_product_lot_and_paper() -> None:
    [row] = good(bizTransactionList=[
        {"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000009:PO-7"},
        {"type": "desadv", "bizTransaction": "https://id.gs1.org/402/40123459999876541"}])
    assert (row.kind, row.site, row.product, row.lot, row.quantity) == (
        "receiving", HERE, "01/09521141012345", "01/09521141012345/21/2017", 1.0)
    assert (row.order, row.shipment) == ("4012345000009:PO-7", "402/40123459999876541")
    assert row.time == 1772344800.0


def test_an_urn_and_a_digital_link_are_the_same_thing() -> None:
    [one] = good()
    [other] = good(epcList=["https://id.gs1.org/01/09521141012345/21/2017"])
    assert (one.lot, one.product) == (other.lot, other.product)


def test_names_of_the_model_take_the_place_of_keys() -> None:
    rows = read_epcis(document(EVENT), names={HERE: "harbour", "01/09521141012345": "tea"})
    assert [(row.site, row.product) for row in rows if isinstance(row, Reading)] == [
        ("harbour", "tea")]


def test_a_pallet_is_the_shipment_of_what_stands_on_it() -> None:
    rows = good(type="AggregationEvent", epcList=None,
                parentID="urn:epc:id:sscc:4012345.0111111111",
                childEPCs=["urn:epc:id:sgtin:9521141.001234.1"],
                childQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877",
                                    "quantity": 200.5, "uom": "EA"}])
    assert [(row.kind, row.shipment, row.quantity) for row in rows] == [
        ("receiving", "00/040123451111111110", 1.0), ("receiving", "00/040123451111111110", 200.5)]


@pytest.mark.parametrize(("uom", "units"), [
    (None, 12.0), ("EA", 12.0), ("KGM", 6.0), ("GRM", 0.006), ("LTR", 3.0), ("MTR", None),
    ("TNE", 6000.0)])
def test_kilograms_and_litres_become_units_of_the_product(uom: str | None,
                                                          units: float | None) -> None:
    """A unit weighs 2 kg and takes 4 litres."""
    line = {"epcClass": "urn:epc:class:lgtin:9521141.001234.A", "quantity": 12, "uom": uom}
    said = {**EVENT, "epcList": None, "quantityList": [
        {key: value for key, value in line.items() if value is not None}]}
    said = {key: value for key, value in said.items() if value is not None}
    [row] = read_epcis(document(said), names={"01/09521141012345": "tea"},
                       sizes={"tea": (2.0, 0.004)})
    if units is None:
        assert isinstance(row, BadReading)
        assert row.reason == "unit"
        assert "quantity 12 in 'MTR' are no units of a product" in str(row)
    else:
        assert isinstance(row, Reading)
        assert row.quantity == pytest.approx(units)
    [unsized] = read_epcis(document(said), names={"01/09521141012345": "tea"})
    assert isinstance(unsized, BadReading) == (uom not in (None, "EA"))


#: Events of the reference implementation of CBV 2.0, section 8.9, with the hashes it publishes.
REFERENCE: list[tuple[dict[str, Any], str]] = [
    ({"type": "ObjectEvent", "eventTime": "2020-03-04T11:00:30.000+01:00",
      "eventTimeZoneOffset": "+01:00", "recordTime": "2020-03-04T11:00:30.999+01:00",
      "epcList": [f"urn:epc:id:sscc:4012345.0000000{n}" for n in (333, 111, 222)],
      "action": "OBSERVE", "bizStep": "departing",
      "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
      "example:myField1": {"example:mySubField1": "2", "example:mySubField2": "5"},
      "example:myField2": "0", "example:myField3": {"example:mySubField3": ["3", "1"]}},
     "6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7"),
    ({"type": "ObjectEvent", "eventTime": "2020-04-01T15:00:00+01:00",
      "eventTimeZoneOffset": "+01:00", "epcList": ["urn:epc:id:sgtin:4012345.011111.9876"],
      "action": "OBSERVE", "bizStep": "inspecting",
      "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0"},
      "sensorElementList": [{
          "sensorMetadata": {"deviceID": "urn:epc:id:giai:4000001.111",
                             "deviceMetadata": "https://id.gs1.org/8004/4000001111"},
          "sensorReport": [
              {"type": "Temperature", "value": 26.0, "sDev": 0.1, "uom": "CEL"},
              {"type": "AbsoluteHumidity", "value": 12.1, "uom": "A93"},
              {"type": "Dimensionless", "value": 0.05, "uom": "C35", "microorganism":
               "https://www.ncbi.nlm.nih.gov/taxonomy/1126011"},
              {"type": "Dimensionless", "value": 0.18, "uom": "C35", "chemicalSubstance":
               "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N"}]}]},
     "49b13037c36e84ad9307c531671b00e901318c3957e4b1151f816ec49eb668da"),
    ({"type": "ObjectEvent", "eventTime": "2020-03-04T11:00:30+01:00",
      "eventTimeZoneOffset": "+01:00", "epcList": ["urn:epc:id:sgtin:0614141.011111.987"],
      "action": "OBSERVE", "bizStep": "departing", "disposition": "in_transit",
      "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.0", "example:myField1": "AB-12"},
      "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:4012345.11111.123"}],
      "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00000"}],
      "destinationList": [{"type": "owning_party",
                           "destination": "urn:epc:id:pgln:0614141.00000"}],
      "example:userExt": "CD-34"},
     "a13cbe6c8bb6df3710b3edaeff760a1365ec8fd69ca1f4d7e0c10eb5189a883a"),
]


@pytest.mark.parametrize(("event", "published"), REFERENCE, ids=["1", "2", "3"])
def test_an_event_has_the_hash_that_the_standard_gives_it(event: Any, published: str) -> None:
    spaces = {"example": "https://ns.example.com/epcis/"}
    assert event_hash(event, spaces) == f"ni:///sha-256;{published}?ver=CBV2.0"
    [row, *_] = read_epcis({**document(event), "@context": [
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", spaces]})
    assert isinstance(row, Reading)
    assert row.id.startswith(f"ni:///sha-256;{published}?ver=CBV2.0#")


def test_the_same_event_written_otherwise_has_the_same_hash() -> None:
    event = REFERENCE[2][0]
    other = {**dict(reversed(event.items())), "eventTime": "2020-03-04T10:00:30.0004Z",
             "bizStep": "urn:epcglobal:cbv:bizstep:departing",
             "disposition": "https://ref.gs1.org/cbv/Disp-in_transit",
             "epcList": ["https://shop.example/01/00614141111114/21/987?17=261231"],
             "recordTime": "2026-01-01T00:00:00Z", "eventID": "urn:uuid:1"}
    assert pre_hash(other) == pre_hash(event)
    assert pre_hash({**event, "disposition": "in_progress"}) != pre_hash(event)


def test_a_transformation_uses_up_its_inputs_and_begins_its_output() -> None:
    rows = good(type="TransformationEvent", action=None, epcList=None, bizStep="commissioning",
                inputQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.011111.A",
                                    "quantity": 10}],
                outputQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.077889.B",
                                     "quantity": 4}])
    assert [(row.kind, row.lot, row.parent, row.quantity) for row in rows] == [
        ("consuming", "01/04012345778892/10/B", "01/04012345111118/10/A", 10.0),
        ("commissioning", "01/04012345778892/10/B", "", 4.0)]


def test_a_step_without_a_word_in_the_ledger_is_a_sighting() -> None:
    [row] = good(bizStep="https://example.com/steps/blessing")
    assert (row.kind, row.state) == ("sighting", "https://example.com/steps/blessing")


def test_departing_without_a_goal_is_a_sighting_and_with_one_a_departure() -> None:
    [lost] = good(bizStep="departing")
    assert (lost.kind, lost.state) == ("sighting", "departing")
    [row] = good(bizStep="departing", destinationList=[
        {"type": "location", "destination": "urn:epc:id:sgln:0614141.00777.0"}])
    assert (row.kind, row.to_site) == ("departing", "414/0614141007776")


def test_sensor_reports_are_converted_to_the_units_of_their_kinds() -> None:
    report = [{"type": "Temperature", "value": 41, "uom": "FAH"},
              {"type": "gs1:RelativeHumidity", "value": 60, "uom": "P1"},
              {"type": "AbsoluteHumidity", "value": 12.1, "uom": "A93"},
              {"type": "Temperature", "minValue": 2, "maxValue": 9, "meanValue": 5, "uom": "CEL"}]
    rows = good(bizStep="sensor_reporting", sensorElementList=[
        {"sensorMetadata": {"time": "2026-03-01T06:30:00Z",
                            "deviceID": "urn:epc:id:giai:4000001.111"}, "sensorReport": report}])
    assert [(row.kind, round(row.value, 6), row.state) for row in rows] == [
        ("temperature", 5.0, ""), ("humidity", 60.0, ""), ("health", 12.1, "AbsoluteHumidity A93"),
        ("temperature", 5.0, ""), ("temperature", 2.0, "minimum"),
        ("temperature", 9.0, "maximum")]
    assert {(row.sensor, row.time) for row in rows} == {("8004/4000001111", 1772346600.0)}


def test_latitude_and_longitude_are_one_position() -> None:
    report = [{"type": "Angle", "component": f"cbv:Comp-{axis}", "value": value, "uom": "DD"}
              for axis, value in (("latitude", 42.7), ("longitude", 23.3))]
    [row] = good(bizStep="sensor_reporting", epcList=["urn:epc:id:giai:4000001.12345"],
                 sensorElementList=[{"sensorReport": report}])
    assert (row.kind, row.latitude, row.longitude) == ("position", 42.7, 23.3)
    assert row.asset == "8004/400000112345"


def test_a_statement_that_no_reading_can_hold_is_told_and_the_rest_is_read() -> None:
    nowhere = {key: value for key, value in EVENT.items() if key != "readPoint"}
    bad, fine = read_epcis(document(nowhere, EVENT))
    assert isinstance(bad, BadReading)
    assert bad.reason == "missing"
    assert isinstance(fine, Reading)


# -- which reading it is ---------------------------------------------------------------------------
def test_an_event_without_an_id_is_known_by_what_it_says() -> None:
    [one] = good()
    [same] = good(eventTime="2026-03-01T06:00:00.000Z",
                  bizStep="https://ref.gs1.org/cbv/BizStep-receiving",
                  recordTime="2026-03-02T00:00:00Z")
    [other] = good(disposition="in_progress")
    assert one.key == same.key != other.key


def test_the_order_of_a_list_says_nothing() -> None:
    tags = [f"urn:epc:id:sgtin:9521141.001234.{n}" for n in range(4)]
    assert {row.key for row in good(epcList=tags)} == {row.key for row in good(epcList=tags[::-1])}


def test_an_error_declaration_is_a_row_of_its_own() -> None:
    """It repeats the event with the same id, and must not fall away as a duplicate."""
    said = {"eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"}
    error = {"declarationTime": "2026-03-03T10:00:00Z", "reason": "did_not_occur"}
    [first] = good(**said)
    [wrong] = good(**said, errorDeclaration=error)
    assert (wrong.quality, wrong.cause) == ("bad", "error:did_not_occur")
    assert wrong.id == f"{first.id}!2026-03-03T10:00:00+00:00"
    assert (wrong.kind, wrong.time, wrong.lot) == (first.kind, first.time, first.lot)


def test_ids_stay_short_however_long_the_identifier() -> None:
    [row] = good(eventID="https://example.com/" + "x" * 500)
    assert len(row.id) <= 200


# -- what the standard refuses ---------------------------------------------------------------------
@pytest.mark.parametrize(("changes", "offender"), [
    ({"bizStep": "recieving"}, "bizStep: 'recieving' is no business step of CBV 2.0. "
                               "Did you mean 'receiving'?"),
    ({"bizStep": "urn:epcglobal:cbv:bizstep:recieving"}, "Did you mean 'receiving'?"),
    ({"bizStep": "https://ref.gs1.org/cbv/BizStep-recieving"}, "Did you mean 'receiving'?"),
    ({"bizStep": "urn:epcglobal:cbv:disp:in_transit"}, "is no business step"),
    ({"disposition": "in_transport"}, "Did you mean 'in_transit'?"),
    ({"action": "CREATE"}, "Write ADD, OBSERVE or DELETE"),
    ({"action": None}, "action is missing"),
    ({"eventTime": "2026-03-01T07:00:00"}, "is not a date and time with a zone"),
    ({"eventTimeZoneOffset": "+1:00"}, "eventTimeZoneOffset"),
    ({"eventTimeZoneOffset": None}, "eventTimeZoneOffset is missing"),
    ({"epcList": ["tea"]}, "epcList[0]: 'tea' is not a URI"),
    ({"epcList": ["urn:epc:id:sgitn:9521141.001234.1"]}, "is not an EPC of a known scheme"),
    ({"epcList": []}, "names no object"),
    ({"epclist": []}, "epclist is neither a field of EPCIS 2.0 nor an extension"),
    ({"quantityList": [{"epcClass": "urn:epc:idpat:sgtin:4012345.098765.*", "quantity": "ten"}]},
     "quantity"),
    ({"quantityList": [{"epcClass": "urn:epc:idpat:sgtin:4012345.098765.*", "quantity": 1,
                        "uom": "kilogram"}]}, "uom"),
    ({"ilmd": {"example:lot": 1}}, "ilmd, which goes with action ADD alone"),
    ({"action": "ADD", "ilmd": {"lot": 1}}, "ilmd.lot is neither"),
    ({"type": "ObjektEvent"}, "ObjectEvent, AggregationEvent"),
    ({"bizTransactionList": [{"type": "purchase", "bizTransaction": "urn:uuid:1"}]}, "purchase"),
    ({"sourceList": [{"type": "place", "source": "urn:uuid:1"}]}, "sourceList[0].type: 'place'"),
    ({"sensorElementList": [{"sensorReport": [{"value": 4}]}]}, "neither type nor exception"),
    ({"sensorElementList": [{"sensorReport": [{"type": "Temprature", "value": 4}]}]},
     "Did you mean 'Temperature'?"),
    ({"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": True}]}]}, "value"),
    ({"errorDeclaration": {"reason": "did_not_occur"}}, "declarationTime is missing"),
    ({"type": "AggregationEvent", "action": "ADD", "epcList": None, "childEPCs": ["urn:uuid:1"]},
     "has no parentID, which ADD needs"),
    ({"type": "TransactionEvent"}, "bizTransactionList is missing"),
    ({"type": "TransformationEvent", "action": None, "epcList": None,
      "inputEPCList": ["urn:uuid:1"]}, "has no inputs or no outputs"),
])
def test_what_breaks_the_standard_is_refused(changes: dict[str, Any], offender: str) -> None:
    assert offender in refused(**changes)


def test_all_offenders_are_named_at_once() -> None:
    with pytest.raises(BadReading) as caught:
        read_epcis(document({**EVENT, "action": "CREATE"}, EVENT, {**EVENT, "bizStep": "x"}))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "epcisBody.eventList[0].action", "epcisBody.eventList[2].bizStep"]


@pytest.mark.parametrize("changes", [
    {"example:field": {"anything": {"goes": [1, None]}}},
    {"https://ns.example.com/field": 1},
    {"bizStep": "example:blessing"},
    {"epcList": [], "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4}]}]},
    {"type": "example:Ceremony", "action": None, "epcList": None, "example:guests": 4},
    {"type": "AggregationEvent", "action": "DELETE", "epcList": None, "parentID": "urn:uuid:1"},
])
def test_what_the_standard_leaves_open_is_taken(changes: dict[str, Any]) -> None:
    good(**changes)


@pytest.mark.parametrize("text", [
    b"", b"[]", b"7", b"{}", b"\xff\xfe\x00", b"{" * 100_000, b'{"a":' * 100_000, b"[" * 200_000,
    b'{"type": "ObjectEvent", "type": "ObjectEvent"}', b'{"type": NaN}', b'{"type": {"a": 1}}',
    b'{"type": "EPCISDocument", "epcisBody": 7}', b'{"eventType": 7}', b'{"query": []}',
    b'{"type": ["ObjectEvent"], "eventTime": 1}', b'{"query": {"query": {"query": 1}}}',
])
def test_hostile_bytes_are_refused(text: bytes) -> None:
    with pytest.raises(BadReading):
        read_epcis(text)


def test_a_document_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadReading) as caught:
        read_epcis(b" " * (MOST_BYTES + 1))
    assert caught.value.reason == "oversize"


def test_a_document_broken_anywhere_is_refused_or_read_and_never_fails() -> None:
    luck = random.Random(7)
    whole = json.dumps(document({**EVENT, "sensorElementList": [
        {"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}]})).encode()
    for _ in range(2000):
        text = bytearray(whole)
        for _ in range(luck.randrange(1, 4)):
            at = luck.randrange(len(text))
            text[at:at + luck.randrange(3)] = bytes([luck.randrange(256)])
        with suppress(BadReading):
            read_epcis(bytes(text))


# -- a folder of documents -------------------------------------------------------------------------
def test_a_folder_is_read_once_and_again_when_a_document_changes(tmp_path: Path) -> None:
    inbox = tmp_path / "epcis"
    inbox.mkdir()
    (inbox / "a.json").write_text(json.dumps(document(EVENT)))
    (inbox / "names.yaml").write_text(f"{HERE}: harbour\n")
    place = Place(str(inbox), "tea", folder=tmp_path / "store")

    source = open_source(place)
    [message] = source.take(10, 0.0)
    assert [row["site"] for row in source.readings(message)] == ["harbour"]
    assert source.take(10, 0.0) == []
    assert source.ended
    source.close()

    again = open_source(place)  # never acknowledged: it comes again
    again.acknowledge(again.take(10, 0.0))
    assert open_source(place).take(10, 0.0) == []

    (inbox / "a.json").write_text(json.dumps(document(EVENT, EVENT)))
    assert len(open_source(place).take(10, 0.0)) == 2


def test_a_listener_keeps_events_and_corrections_and_quarantines_what_is_broken(
        tmp_path: Path) -> None:
    inbox = tmp_path / "epcis"
    inbox.mkdir()
    said = {**EVENT, "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"}
    error = {"declarationTime": "2026-03-03T10:00:00Z", "reason": "incorrect_data"}
    (inbox / "a.json").write_text(json.dumps(document(said, said)))
    (inbox / "b.json").write_text(json.dumps(document({**said, "errorDeclaration": error})))
    (inbox / "c.jsonld").write_text(json.dumps(document(EVENT, {**EVENT, "action": "CREATE"})))
    store = Store(tmp_path / "store")
    source = open_source(Place(str(inbox), "tea", folder=store.folder))
    with Listener(source, store) as listener:
        while listener.step():
            pass
    frame = store.frame()
    assert frame["quality"].tolist() == ["", "bad"]
    assert frame["cause"].tolist() == ["", "error:incorrect_data"]
    assert dict(listener.heard.quarantined) == {"malformed": 1}


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a folder"):
        open_source(Place(str(tmp_path / "epcis"), "tea", folder=tmp_path))


# -- documents of others ---------------------------------------------------------------------------
def examples() -> list[Path]:
    folder = Path(os.environ.get("TWIN_DATA", "")) / "epcis_examples"
    if "TWIN_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("TWIN_DATA names no folder with epcis_examples")
    from benchmarks.evidence.epcis import documents

    return [path for path, _ in documents(folder)]


def test_every_public_document_gets_its_verdict() -> None:
    wrong = {}
    for path in examples():
        try:
            check_epcis(path.read_bytes())
            verdict = True
        except BadReading as bad:
            verdict, wrong[path.name] = False, str(bad)
        if verdict == ("Invalid" not in path.parts):
            wrong.pop(path.name, None)
        else:
            wrong.setdefault(path.name, "taken")
    assert wrong == {}


def test_every_misspelt_word_in_a_public_document_is_refused() -> None:
    """The published JSON Schema lets these pass."""
    spoilt = 0
    for path in examples():
        if "Invalid" in path.parts:
            continue
        whole = json.loads(path.read_bytes())
        for where, key in list(_words(whole, ())):
            broken = copy.deepcopy(whole)
            part: Any = broken
            for step in where:
                part = part[step]
            part[key] += "x"
            with pytest.raises(BadReading):
                check_epcis(broken)
            spoilt += 1
    assert spoilt > 50


def _words(part: Any, where: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Where a bare word of a vocabulary stands, outside of extensions."""
    known = {"bizStep": BIZ_STEP.words, "disposition": DISPOSITION.words,
             "action": {"ADD", "OBSERVE", "DELETE"}, "type": TRANSACTION.words | PARTY.words}
    for key, value in (part.items() if isinstance(part, dict) else enumerate(part)):
        if isinstance(value, dict | list) and ":" not in str(key):
            yield from _words(value, (*where, key))
        elif key in known and value in known[key]:
            yield where, key
