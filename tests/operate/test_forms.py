"""What each form writes is read back by a reader that knows only the form."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operate.edi import read_edifact, read_x12
from twin.operate.configuration import ConfigurationError, read_configuration
from twin.operate.connectors.contract import Message, Refused
from twin.operate.connectors.folder import Folder
from twin.operate.forms import FORMS, Form, form_of
from twin.operate.ways import open_ways
from twin.sense.epcis import check_epcis, read_epcis
from twin.sense.epcis_export import to_epcis

HOSTILE = ["a+b:c'd?e", "?'", "trailing?", "a*b~c>d|e", '"quoted", ""', "ends in colon:", "ünïcödé",
           "五菱 茶", "=1+1", " spaced ", "a/b"]


def clock() -> datetime:
    return datetime(2026, 5, 12, 6, 30, tzinfo=UTC)


def form(name: str, **more: Any) -> Form:
    if name in ("edifact", "x12"):
        more = {"sender": "TWIN", "receiver": "ACME", "clock": clock, **more}
    if name == "epcis":
        more = {"to_epcis": to_epcis, "clock": clock, **more}
    return form_of(name, more)


def order(product: str = "tea", key: str = "harbour/R-17/1", **more: Any) -> Message:
    return Message(key, "order", {
        "verb": "order", "site": "W", "product": product, "quantity": 40.5, "unit": "units",
        "source": "ACME", "when": "2026-05-12T06:00:00+00:00", **more})


def undone(message: Message) -> Message:
    """As the outbox makes it."""
    return Message(f"{message.key}/undo", "undo", {"of": message.kind, **message.body},
                   undoes=message.key)


def elements(segments: Any, tag: str) -> Any:
    return next(parts for name, *parts in segments if name == tag)


def product_of(name: str, said: bytes) -> str:
    """What was ordered, by a reader of each form."""
    if name == "edifact":
        return str(elements(read_edifact(said), "LIN")[0][2][0])
    if name == "x12":
        return str(elements(read_x12(said), "PO1")[6])
    if name == "csv":
        rows = list(csv.DictReader(io.StringIO(said.decode(), newline="")))
        assert len(rows) == 1
        return rows[0]["product"]
    document = json.loads(said)
    if name == "cloudevents":
        return str(document["data"]["product"])
    if name == "json":
        return str(document["product"])
    if name == "epcis":
        return str(read_epcis(document)[0].product)
    job = document["OperationsSchedule"]["OperationsRequest"][0]["SegmentRequirement"][0] \
        if name == "isa95" else document["JobList"]["JobOrder"][0]
    return str(job["MaterialRequirement"][0]["MaterialDefinitionID"])


@pytest.mark.parametrize("name", sorted(FORMS))
@pytest.mark.parametrize("product", HOSTILE)
def test_a_hostile_name_comes_back_as_it_was(name: str, product: str) -> None:
    assert product_of(name, form(name).write(order(product))) == product


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=35)
       .filter(lambda text: text.strip()))
def test_any_name_survives_edifact(product: str) -> None:
    assert product_of("edifact", form("edifact").write(order(product))) == product


@pytest.mark.parametrize("name", ["edifact", "x12"])
@pytest.mark.parametrize("product", ["x" * 10_000, "two\nlines", "tab\there", ""])
def test_a_name_that_a_code_cannot_hold_is_refused_not_cut(name: str, product: str) -> None:
    with pytest.raises(ValueError, match=r"codes|no name"):
        form(name).write(order(product))
    if product:
        coded = form(name, codes={product: "4006381333931"}).write(order(product))
        assert product_of(name, coded) == "4006381333931"


@pytest.mark.parametrize("name", ["csv", "json", "isa95", "job_order"])
def test_forms_without_limits_take_anything(name: str) -> None:
    product = "two\r\nlines, \"quoted\" " + "x" * 10_000
    assert product_of(name, form(name).write(order(product))) == product


def test_an_edifact_order_and_its_cancellation() -> None:
    write = form("edifact", currency="EUR").write
    first = order(price=2.25, due="2026-05-20T00:00:00+00:00", note="cold\nchain " + "x" * 500)
    placed, taken_back = read_edifact(write(first)), read_edifact(write(undone(first)))
    assert elements(placed, "BGM")[0] == [["220"], ["harbour/R-17/1"], ["9"]]
    assert elements(taken_back, "BGM")[0] == [["220"], ["harbour/R-17/1"], ["1"]]
    assert elements(placed, "QTY")[0] == [["21", "40.5", "PCE"]]
    assert elements(placed, "PRI")[0] == [["AAA", "2.25"]]
    assert elements(placed, "CUX")[0] == [["2", "EUR", "9"]]
    assert "".join(row for tag, parts in placed if tag == "FTX" for row in parts[3]) == (
        "cold chain " + "x" * 500)
    assert [parts for tag, parts in placed if tag == "NAD"] == [
        [["BY"], ["TWIN", "", "92"]], [["SU"], ["ACME", "", "92"]], [["DP"], ["W", "", "92"]]]
    assert [parts[0][0] for tag, parts in placed if tag == "DTM"] == ["137", "4", "2"]
    # The same message again has the same reference; another message another one.
    assert elements(read_edifact(write(first)), "UNZ") == elements(placed, "UNZ")
    assert elements(taken_back, "UNZ") != elements(placed, "UNZ")


def test_an_x12_order_its_cancellation_and_a_change() -> None:
    write = form("x12").write
    first = order(key="the medicines of the north/R-17/1")
    placed, taken_back = read_x12(write(first)), read_x12(write(undone(first)))
    number = placed[3][3]
    assert placed[3][1:4] == ["00", "SA", number]
    assert taken_back[3][1:4] == ["01", "SA", number]
    assert placed[0][13] != taken_back[0][13]
    assert len(number) == 22
    later = Message("R-18/1", "defer", {"target": "W/tea", "quantity": 4, "order": number})
    assert read_x12(write(later))[3][1:4] == ["04", "SA", number]


@pytest.mark.parametrize(("kind", "body", "why"), [
    ("service", {"target": "M1"}, "no purchase order"),
    ("expedite", {"target": "W/tea"}, "names no order"),
    ("order", {"target": "W/tea", "quantity": 0}, "orders nothing"),
    ("order", {"target": "W/tea", "quantity": "many"}, "no number"),
    ("order", {"target": "W/tea", "quantity": 1, "when": "soon"}, "no moment"),
])
def test_what_is_no_purchase_order_is_refused(tmp_path: Path, kind: str, body: dict[str, Any],
                                              why: str) -> None:
    out = Folder("acme", tmp_path, form("edifact"))
    with pytest.raises(Refused, match=why):
        out.send(Message("k", kind, body))
    assert not list(tmp_path.iterdir())


def test_jobs_of_a_schedule_become_segments_and_jobs() -> None:
    jobs = [{"machine": f"M{n}", "product": "tea", "quantity": 40, "lot": f"L{n}",
             "start": f"2026-05-12T0{n}:00:00+00:00", "end": f"2026-05-12T0{n + 2}:00:00+00:00"}
            for n in (3, 1)]
    message = Message("R-4/1", "set", {"site": "plant", "target": "plant", "jobs": jobs})
    request = json.loads(form("isa95").write(message))["OperationsSchedule"]["OperationsRequest"][0]
    assert (request["StartTime"], request["EndTime"], request["RequestState"]) == (
        "2026-05-12T01:00:00+00:00", "2026-05-12T05:00:00+00:00", "Released")
    assert [one["EquipmentRequirement"][0]["EquipmentID"]
            for one in request["SegmentRequirement"]] == ["M3", "M1"]
    listed = json.loads(form("job_order").write(undone(message)))["JobList"]["JobOrder"]
    assert [(one["ID"], one["Command"]) for one in listed] == [("R-4/1/1", "Cancel"),
                                                              ("R-4/1/2", "Cancel")]
    assert listed[0]["MaterialRequirement"][0]["MaterialLotID"] == "L3"


def test_a_movement_is_sound_epcis_and_its_undoing_declares_the_error() -> None:
    move = Message("R-5/1", "transfer", order(lot="L7").body)
    document = json.loads(form("epcis").write(move))
    event = check_epcis(document)[0]
    back = json.loads(form("epcis").write(undone(move)))["epcisBody"]["eventList"][0]
    said = read_epcis(document)[0]
    assert (said.site, said.to_site, said.lot, said.quantity, said.kind) == (
        "ACME", "W", "L7", 40.5, "shipping")
    assert event is not None
    assert back["errorDeclaration"]["reason"] == "did_not_occur"
    assert back["eventID"] == document["epcisBody"]["eventList"][0]["eventID"]
    with pytest.raises(ValueError, match="moves nothing"):
        form("epcis").write(Message("k", "service", {"target": "M1"}))


def opened(home: Path, way: dict[str, Any]) -> Any:
    """The way out that a model file describes."""
    said = read_configuration({"connectors": {"acme": way}}, "tea.yaml")
    return open_ways(said, home, home / "pushed", to_epcis)["acme"]


def test_a_folder_of_orders_from_the_configuration(tmp_path: Path) -> None:
    out = opened(tmp_path, {"type": "folder", "folder": "acme", "format": "edifact",
                            "settings": {"sender": "TWIN", "receiver": "ACME"}})
    name = out.send(order())
    assert product_of("edifact", (tmp_path / "acme" / name).read_bytes()) == "tea"
    assert name.endswith(".edi")
    assert out.send(order()) == f"{name} was there"


@pytest.mark.parametrize(("way", "why"), [
    ({"format": "edifact", "settings": {"sender": "A"}}, "form edifact: receiver is missing"),
    ({"format": "csv", "settings": {"colour": "red"}}, "form csv: 'colour' is unknown"),
    ({"format": "fax"}, "form 'fax' is unknown"),
    ({"settings": {"sender": "A"}}, "settings are of a format"),
])
def test_a_wrong_configuration_is_named(tmp_path: Path, way: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=f"connector acme: {why}"):
        opened(tmp_path, {"type": "folder", "folder": "x", **way})


def test_a_movement_is_wired_to_the_writer_of_another_room(tmp_path: Path) -> None:
    out = opened(tmp_path, {"type": "folder", "folder": "moves", "format": "epcis"})
    name = out.send(order())
    assert product_of("epcis", (tmp_path / "moves" / name).read_bytes()) == "tea"


def test_rest_sends_the_form_and_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver is a real one, on a socket."""
    import http.server
    import threading

    heard: list[tuple[dict[str, str], bytes]] = []

    class Erp(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(({name.lower(): value for name, value in self.headers.items()},
                          body))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Erp)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TWIN_ERP_SECRET", "s")
    out = opened(Path(), {"type": "rest", "secret": "TWIN_ERP_SECRET", "format": "x12",
                          "url": f"http://127.0.0.1:{server.server_port}/",
                          "settings": {"sender": "TWIN", "receiver": "ACME"}})
    out.send(order("thé", key="clé\n/1"))
    out.close()
    server.shutdown()
    server.server_close()
    headers, body = heard[0]
    assert product_of("x12", body) == "thé"
    assert headers["content-type"] == "application/EDI-X12"
    assert headers["ce-id"] == "cl%C3%A9%0A/1"
    assert headers["ce-type"] == "twin.order"
