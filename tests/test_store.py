"""The store: one file a day, each reading once, the same rows in whatever order they came."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from twin import merging
from twin.parquet import connected
from twin.readings import Reading
from twin.store import Store


def degrees(sensor: str, number: int, time: float) -> Reading:
    return Reading(sensor=sensor, id=str(number), time=time, recorded=time, kind="temperature",
                   site="W", value=float(number))


def test_shuffled_and_doubled_readings_leave_the_same_files(tmp_path: Path) -> None:
    rows = [degrees(f"t{i % 3}", i, 50_000.0 + 997.0 * i) for i in range(200)]
    Store(tmp_path / "a").write(rows)
    mixed = rows + rows[::3]
    random.Random(7).shuffle(mixed)
    other = Store(tmp_path / "b")
    assert sum(other.write(mixed[i:i + 37]) for i in range(0, len(mixed), 37)) == len(rows)
    a, b = Store(tmp_path / "a").day_files(), other.day_files()
    assert list(a) == list(b)
    assert len(a) == 3
    assert Store(tmp_path / "a").frame().equals(other.frame())


def test_a_question_reads_only_what_it_asks_for(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.watermark() is None
    assert store.frame().empty
    store.write([degrees("t1", 1, 10.0), degrees("t2", 2, 90_000.0), degrees("t1", 3, 200_000.0)])
    assert store.watermark() == 200_000.0
    assert store.frame(since=10.0, until=90_000.0)["value"].tolist() == [1.0]
    assert store.frame(sensors=["t1"], kinds=["temperature"])["value"].tolist() == [1.0, 3.0]
    assert store.frame(kinds=["battery"]).empty
    assert store.frame(columns=["value"]).columns.tolist() == ["value"]


@pytest.mark.long
def test_a_large_day_is_rewritten_in_slices(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [degrees(f"t{i % 3}", i, 50_000.0 + (i * 7919) % 30_000) for i in range(20_000)]
    whole = Store(tmp_path / "a")
    whole.write(rows)
    monkeypatch.setattr(merging, "_FORMAT", "format parquet, row_group_size 2048")
    monkeypatch.setattr(merging, "_SLICE", 2)
    sliced = Store(tmp_path / "b")
    random.Random(3).shuffle(rows)
    for first in range(0, 20_000, 5_000):
        assert sliced.write(rows[first:first + 5_000]) == 5_000
    assert sliced.write(rows[:100]) == 0
    (path,) = sliced.day_files().values()
    with connected() as base:
        assert len(merging._bounds(base, path)) >= 3  # so it was cut
        told = base.execute(f"select id from read_parquet('{path}')").fetchall()
    assert [row[0] for row in told] == whole.frame()["id"].tolist()
    assert list((tmp_path / "b" / "days").iterdir()) == [path]
