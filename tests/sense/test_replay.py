"""Replay: files of readings as they were, at any speed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from twin.readings import Reading
from twin.sense.listener import Listener
from twin.sense.replay import Replay
from twin.sense.source import Place, SourceError, open_source
from twin.store import Store

ROWS = [Reading(sensor=f"t{number % 2}", id=str(number), time=1_772_344_800.25 + 0.125 * number,
                recorded=1_772_344_801.0 + number, kind="temperature", site="W",
                value=4 + number / 7) for number in range(30)]


def replay(path: Path, store: Store) -> Listener:
    with Listener(open_source(Place(str(path), "m")), store) as listener:
        while listener.step():
            pass
    return listener


def test_a_day_of_a_store_replayed_is_the_same_day(tmp_path: Path) -> None:
    store = Store(tmp_path / "a")
    store.write(ROWS)
    (day,) = store.day_files().values()
    other = Store(tmp_path / "b")
    listener = replay(day, other)
    assert (listener.heard.accepted, listener.heard.quarantined.total()) == (30, 0)
    assert other.frame().equals(store.frame())
    (copy,) = other.day_files().values()
    assert copy.read_bytes() == day.read_bytes()


def test_csv_parquet_and_json_lines_say_the_same(tmp_path: Path) -> None:
    said = [row.message() for row in ROWS]
    lines = map(json.dumps, [said[:10], *said[10:]])
    (tmp_path / "day.jsonl").write_text("\n".join(lines) + "\n\n")
    (tmp_path / "day.csv").write_text("\n".join([
        ",".join(said[0]), *(",".join(map(str, row.values())) for row in said)]))
    stores = [Store(tmp_path / kind) for kind in ("jsonl", "csv")]
    for store in stores:
        assert replay(tmp_path / f"day.{store.folder.name}", store).heard.accepted == 30
    one, other = (store.frame().drop(columns="recorded") for store in stores)
    assert one.equals(other)


def test_bad_rows_are_refused_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text("sensor,id,ts,kind,value\n"
                    "t1,1,1772344800000,battery,50\n"
                    "t1,2,yesterday,battery,50\n"
                    "t1,3,2026-03-01,battery,fifty\n"
                    "t1,4,2026-03-01,battery\n"
                    "t1,5,2026-03-01,battery,50,beyond\n"
                    "\n"
                    "t1,6,2026-03-01,battery,60\n")
    listener = replay(file, Store(tmp_path / "store"))
    assert dict(listener.heard.quarantined) == {"malformed": 3, "missing": 1}
    assert listener.store.frame()["id"].tolist() == ["6", "1"]


def test_at_a_speed_rows_come_when_they_are_due(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(ROWS)  # known over 29 s
    (day,) = store.day_files().values()
    source = Replay(day, speed=100.0)
    began, taken = time.monotonic(), []
    while not source.ended:
        taken += source.take(1000, 0.02)
    took = time.monotonic() - began
    assert len(taken) == 30
    assert 0.29 <= took < 5.0
    assert len(Replay(day).take(1000, 0.0)) == 30


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.csv", None, "is not there"),
        ("a.csv", b"sensor,mood\n", "column 'mood' is unknown"),
        ("a.parquet", b"PAR1 not really", "is not a Parquet file"),
        ("a.txt", b"", "is unknown. Write one of"),
    ],
)
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes | None,
                                            told: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=told):
        open_source(Place(str(tmp_path / name), "m"))
