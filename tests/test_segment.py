"""Segments: whole lines survive, torn tails are left out, damage is counted, one writer a name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from twin import merging, segment
from twin.readings import Reading
from twin.segment import (
    Damage,
    SegmentError,
    SegmentWriter,
    closed_files,
    read_lines,
    segment_files,
)
from twin.store import Store


def row(number: int, **more: object) -> dict[str, object]:
    return {"sensor": "t1", "id": str(number), "time": 10.0 * number, "recorded": 10.0 * number,
            "kind": "temperature", "site": "W", "value": float(number), **more}


def test_every_cut_of_a_segment_leaves_the_whole_lines_before_it(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, "1")
    for number in range(4):
        writer.append([row(number), row(100 + number, state="Ä")])
    (path,) = segment_files(tmp_path)
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        damage = Damage()
        assert len(list(read_lines(path, damage))) == sum(end <= cut for end in ends)
        assert damage.lines == 0
    path.write_bytes(whole)
    assert json.loads(list(read_lines(path))[2])[1]["state"] == "Ä"
    writer.close()


def test_a_flipped_bit_costs_one_line_and_is_counted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    writer = store.segment("1")
    for number in range(3):
        writer.append([row(number)])
    writer.close()
    (path,) = segment_files(tmp_path / "segments")
    spoiled = bytearray(path.read_bytes())
    spoiled[len(spoiled) // 2] ^= 1
    path.write_bytes(bytes(spoiled))
    merged = store.merge()
    assert merged is not None
    assert (merged.read, merged.new, merged.damaged) == (2, 2, 1)
    assert store.frame()["id"].tolist() == ["0", "2"]


def test_readers_see_open_segments_beside_the_days(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write([Reading(**row(1)), Reading(**row(2))])  # type: ignore[arg-type]
    writer = store.segment("1")
    writer.append([row(2), row(3), row(9000)])
    assert store.frame()["id"].tolist() == ["1", "2", "3", "9000"]
    assert store.frame(until=25.0)["id"].tolist() == ["1", "2"]
    assert store.watermark() == 90_000.0
    assert len(store.day_files()) == 1
    before = store.frame()
    assert store.merge() is not None  # the open segment of a listener that lives stays
    assert len(segment_files(tmp_path / "segments")) == 1
    writer.close()
    merged = store.merge()
    assert merged is not None
    assert (merged.read, merged.new, len(merged.days)) == (3, 2, 2)
    assert segment_files(tmp_path / "segments") == []
    assert store.frame().equals(before)


def test_full_segments_and_small_pieces_hold_the_same(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays flat: a segment is closed when it is full, and decoded a piece at a time."""
    def stored(name: str) -> Store:
        store = Store(tmp_path / name)
        with closing(store.segment("1")) as writer:
            for first in range(0, 240, 24):
                numbers = range(first, first + 12)
                writer.append([row(number + 12) for number in numbers], [
                    {"size": 12, "sensor": "t2", "kind": "temperature", "site": "W",
                     "recorded": 1.0, "id": [str(n) for n in numbers],
                     "time": [float(n) for n in numbers], "value": [0.5 * n for n in numbers]}])
        return store

    whole = stored("a")
    assert len(segment_files(whole.folder / "segments")) == 1
    monkeypatch.setattr(segment, "_FULL", 2_000)
    monkeypatch.setattr(merging, "_PIECE", 1_000)
    parts = stored("b")
    assert len(segment_files(parts.folder / "segments")) > 3
    assert parts.frame().equals(whole.frame())
    assert len(parts.frame()) == 240
    for store in (whole, parts):
        assert store.merge() is not None
    assert parts.frame().equals(whole.frame())


def test_the_copy_known_first_is_kept_in_whatever_order_they_come(tmp_path: Path) -> None:
    early, late = row(1, recorded=5.0, value=1.0), row(1, recorded=9.0, value=2.0)
    for number, order in enumerate([[early, late], [late, early]]):
        store = Store(tmp_path / str(number))
        for name, one in enumerate(order):
            writer = store.segment(str(name))
            writer.append([one])
            writer.close()
            merged = store.merge()
        assert store.frame()["value"].tolist() == [1.0]
        assert merged is not None
        assert [clash.value for clash in merged.conflicts] == [2.0]


def test_merging_again_after_a_crash_before_the_segments_went_changes_nothing(
        tmp_path: Path) -> None:
    store = Store(tmp_path)
    writer = store.segment("1")
    writer.append([row(number) for number in range(50)])
    writer.close()
    (path,) = segment_files(tmp_path / "segments")
    kept = path.read_bytes()
    store.merge()
    before = store.frame()
    path.write_bytes(kept)
    merged = store.merge()
    assert merged is not None
    assert (merged.read, merged.new, merged.conflicts) == (50, 0, ())
    assert store.frame().equals(before)


def test_a_second_listener_of_the_same_name_is_refused(tmp_path: Path) -> None:
    first = SegmentWriter(tmp_path, "1")
    with pytest.raises(SegmentError, match="listening already"):
        SegmentWriter(tmp_path, "1")
    first.close()
    SegmentWriter(tmp_path, "1").close()
    with pytest.raises(SegmentError, match="is not a name"):
        SegmentWriter(tmp_path, "../1")


def test_a_full_disk_is_said_and_nothing_counts_as_written(tmp_path: Path) -> None:
    import resource

    script = ("import resource, sys\n"
              "from twin.segment import SegmentWriter\n"
              "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
              "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
              f"writer = SegmentWriter({str(tmp_path)!r}, '1')\n"
              "for number in range(1000):\n"
              "    writer.append([{'sensor': 't1', 'id': str(number)}])\n"
              "    print(number, flush=True)\n")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                           cwd=Path(__file__).parents[1])
    assert "cannot be written: File too large. Nothing was acknowledged" in ended.stderr
    (path,) = closed_files(tmp_path)
    assert len(list(read_lines(path))) == len(ended.stdout.split())


def test_a_listener_that_died_leaves_a_segment_that_can_be_merged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    script = ("import sys, time\nfrom twin.store import Store\n"
              f"writer = Store({str(tmp_path)!r}).segment('7')\n"
              f"writer.append([{row(1)!r}])\nprint('written', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True,
                          cwd=Path(__file__).parents[1]) as dying:
        assert dying.stdout is not None
        assert dying.stdout.readline() == "written\n"
        assert closed_files(tmp_path / "segments") == []
        os.kill(dying.pid, signal.SIGKILL)
        dying.wait()
    for _ in range(100):
        merged = store.merge()
        assert merged is not None
        if merged.new:
            break
        time.sleep(0.01)
    assert store.frame()["id"].tolist() == ["1"]
    assert segment_files(tmp_path / "segments") == []


def test_readers_see_every_reading_while_days_are_rewritten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    script = ("from twin.store import Store\n"
              f"store, number = Store({str(tmp_path)!r}), 0\n"
              "while True:\n"
              "    writer = store.segment('7')\n"
              "    for _ in range(5):\n"
              "        writer.append([{'sensor': 't1', 'id': str(number), 'time': 10.0 + number,"
              " 'recorded': 10.0, 'kind': 'battery', 'value': 1.0 * number}])\n"
              "        number += 1\n"
              "    writer.close()\n"
              "    store.merge()\n")
    with subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[1]) as writes:
        try:
            seen, until = 0, time.monotonic() + 20
            while seen < 60 and time.monotonic() < until:
                frame = store.frame(columns=["id", "value"])
                assert frame["value"].tolist() == list(range(len(frame)))
                assert len(frame) >= seen
                seen = len(frame)
        finally:
            writes.kill()
    assert seen >= 60
