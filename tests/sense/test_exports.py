"""Exports of other systems: a folder of tables and a mapping that a planner wrote."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from twin.readings import BadReading, Reading, parse_reading
from twin.sense.exports import Exports, open_source
from twin.sense.source import Place, SourceError

ROOT = Path(__file__).parents[2]
MAPPING = """
sensor: erp
timezone: Europe/Amsterdam
date_format: "%d.%m.%Y %H:%M"
decimal: ","
thousands: "."
delimiter: ";"
encoding: cp1252
empty: [n/a]
streams:
  - file: "orders*.csv*"
    kind: ordering
    key: [PO, Line]
    time: Ordered
    columns: {order: PO, product: Item, quantity: Qty, amount: Value}
    constants: {site: W}
  - file: "orders*.csv*"
    kind: receiving
    key: [PO, Line]
    time: Came
    where: {Status: [4, done]}
    columns: {order: PO, product: Item, quantity: Qty}
    constants: {site: W}
"""
HEAD = "PO;Line;Item;Qty;Value;Ordered;Came;Status\n"
ROWS = """P1;1;thé vert;1.200,5;3.600,00;29.03.2026 01:30;29.03.2026 12:00;done
P1;2;tea;5;n/a;28.03.2026 09:00;;open
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "exports"
    made.mkdir()
    (made / "mapping.yaml").write_text(MAPPING)
    (made / "orders_march.csv").write_text(HEAD + ROWS, encoding="cp1252")
    return made


def opened(folder: Path, **options: Any) -> Exports:
    return open_source(Place(str(folder), "tea", folder=folder.parent / "store", options=options))


def heard(source: Exports, acknowledge: bool = True) -> list[Reading | BadReading]:
    rows: list[Reading | BadReading] = []
    while not source.ended:
        messages = source.take(3, 0.0)
        for message in messages:
            try:
                rows += [parse_reading(said) for said in source.readings(message)]
            except BadReading as bad:
                rows.append(bad)
        if acknowledge:
            source.acknowledge(messages)
    return rows


def test_each_row_is_a_reading_of_each_stream(folder: Path) -> None:
    rows = heard(opened(folder))
    assert [(row.sensor, row.kind, row.id, row.site, row.product, row.quantity)
            for row in rows if isinstance(row, Reading)] == [
        ("erp", "ordering", "ordering:P1/1", "W", "thé vert", 1200.5),
        ("erp", "ordering", "ordering:P1/2", "W", "tea", 5.0),
        ("erp", "receiving", "receiving:P1/1", "W", "thé vert", 1200.5)]
    assert isinstance(rows[0], Reading)
    assert (rows[0].amount, rows[0].time) == (3600.0, 1774744200.0)  # 00:30 UTC, an hour of winter
    assert isinstance(rows[2], Reading)
    assert rows[2].time == 1774778400.0  # 10:00 UTC: summer time has begun


def test_a_file_is_read_again_when_it_changes_and_repeats_have_the_same_key(folder: Path) -> None:
    first = heard(opened(folder))
    assert heard(opened(folder)) == []
    (folder / "orders_march.csv").unlink()
    more = ROWS + "P2;1;tea;7;1,00;30.03.2026 09:00;;open\n"
    (folder / "orders_april.csv.gz").write_bytes(gzip.compress((HEAD + more).encode("cp1252")))
    again = heard(opened(folder))
    keys = {row.key for row in first if isinstance(row, Reading)}
    assert [row.id for row in again if isinstance(row, Reading) and row.key not in keys] == [
        "ordering:P2/1"]


def test_what_was_not_acknowledged_comes_again(folder: Path) -> None:
    first = heard(opened(folder), acknowledge=False)
    assert [row.id for row in heard(opened(folder)) if isinstance(row, Reading)] == [
        row.id for row in first if isinstance(row, Reading)]


def test_a_changed_mapping_reads_every_file_again(folder: Path) -> None:
    heard(opened(folder))
    (folder / "mapping.yaml").write_text(MAPPING.replace("sensor: erp", "sensor: sap"))
    assert len(heard(opened(folder))) == 3


def test_a_row_that_cannot_be_read_is_told_with_its_line_and_the_rest_goes_on(folder: Path) -> None:
    (folder / "orders_march.csv").write_text(
        HEAD + "P3;1;tea;five;1;28.03.2026 09:00;;open\nP3;2;tea;5;1;2026-03-28;;open\n"
        ";;tea;5;1;28.03.2026 09:00;;open\nP3;4;tea;5;1;28.03.2026 09:00;;open\n")
    source = opened(folder)
    messages = source.take(100, 0.0)
    reasons = []
    for message in messages:
        try:
            source.readings(message)
        except BadReading as bad:
            reasons.append((message.topic.rpartition("/")[2], str(bad).partition(" Row:")[0]))
    assert reasons == [
        ("orders_march.csv:2", "quantity 'five' is not a number with the decimal mark ','."),
        ("orders_march.csv:3", "Ordered '2026-03-28' is not a date such as %d.%m.%Y %H:%M."),
        ("orders_march.csv:4", "PO and Line are blank; they tell rows apart.")]


@pytest.mark.parametrize(("content", "message"), [
    (b"A;B\n1;2\n", "it has no column"),
    (b"\x81\x8d", "is not cp1252"),
    ((HEAD + 'P1;"open').encode(), "cannot be read on"),
    ((HEAD + "P1;" + "x" * 200_000).encode(), "cannot be read on"),
])
def test_a_file_that_is_no_such_table_is_one_bad_message(folder: Path, content: bytes,
                                                         message: str) -> None:
    (folder / "orders_march.csv").write_bytes(content)
    rows = heard(opened(folder))
    assert {message in str(row) for row in rows} == {True}
    assert heard(opened(folder)) == []  # it is not tried again before it changes


def test_a_broken_archive_is_one_bad_message(folder: Path) -> None:
    (folder / "orders_march.csv").unlink()
    (folder / "orders.csv.gz").write_bytes(gzip.compress((HEAD + ROWS).encode())[:40])
    assert "cannot be read on" in str(heard(opened(folder))[0])


def test_json_is_read_as_rows_too(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("""
streams:
- {file: "*.json", kind: count, key: id, time: at, where: {model: stock},
   columns: {site: fields.place, product: fields.item, quantity: fields.onhand}}
""")
    (tmp_path / "a.json").write_text(
        '[{"model": "stock", "id": 7, "at": "2026-03-01T00:00Z", "fields": {"place": "W", '
        '"item": "tea", "onhand": 12}}, {"model": "other"}, 5]')
    [row] = heard(opened(tmp_path))
    assert isinstance(row, Reading)
    assert (row.id, row.site, row.product, row.quantity) == ("count:7", "W", "tea", 12.0)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("kind: ordering", "kind: orders", "streams[1].kind 'orders' is no kind of reading"),
    ("order: PO, product: Item, quantity: Qty, amount", "order: PO, amount",
     "ordering needs product, quantity"),
    ("columns: {order: PO,", "columns: {orderr: PO,", "'orderr' is no column of a reading"),
    ("    time: Ordered\n", "", "streams[1].time is missing"),
    ("Europe/Amsterdam", "Europe/Delft", "'Europe/Delft' is no time zone"),
    ("cp1252", "cp9999", "'cp9999' is no encoding"),
    ("key: [PO, Line]", "keys: [PO]", "streams[1].keys is unknown"),
    ('file: "orders*.csv*"', "file: ../../secret.csv", "leads out of the folder"),
    ('thousands: "."', 'thousands: ","', "are both ','"),
])
def test_a_mapping_with_a_mistake_names_it(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "mapping.yaml").write_text(MAPPING.replace(old, new))
    with pytest.raises(SourceError) as caught:
        opened(folder)
    assert message in str(caught.value)


def test_a_folder_without_a_mapping_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"mapping\.yaml"):
        opened(tmp_path)


def test_a_folder_that_is_watched_gives_what_is_put_into_it(folder: Path) -> None:
    source = opened(folder, watch=True)
    assert len(source.take(10, 0.0)) == 3
    assert source.take(10, 0.0) == []
    assert not source.ended
    (folder / "orders_new.csv").write_text(HEAD + "P9;1;tea;7;1,00;30.03.2026 09:00;;open\n")
    found = [one for _ in range(2) for one in source.take(10, 0.0)]
    assert "orders_new.csv:2" in {message.topic.rpartition("/")[2] for message in found}


@pytest.mark.long
@pytest.mark.parametrize(("name", "data", "kinds"), [
    ("adventureworks", "adventureworks_erp", {"ordering", "receiving"}),
    ("production_log", "production_log", {"starting", "completing"}),
    ("scms", "scms_delivery", {"ordering", "delivering"}),
    ("truck_trips", "truck_trips_india", {"position"}),
    ("frepple", "frepple_demo", {"ordering"}),
])
def test_public_exports_are_read_with_the_mappings_that_come_along(
        name: str, data: str, kinds: set[str], tmp_path: Path) -> None:
    folder = Path(os.environ.get("TWIN_DATA", "")) / data
    if "TWIN_DATA" not in os.environ or not folder.is_dir():
        pytest.skip(f"TWIN_DATA names no folder with {data}")
    mapping = ROOT / "calibration" / "streams" / "exports" / f"{name}.yaml"
    rows = heard(opened_at(folder, tmp_path, mapping))
    assert {row.kind for row in rows if isinstance(row, Reading)} == kinds
    assert not any(isinstance(row, BadReading) for row in rows)
    assert len(rows) > 1000


def opened_at(folder: Path, store: Path, mapping: Path) -> Exports:
    return open_source(Place(str(folder), "tea", folder=store, options={"mapping": str(mapping)}))
