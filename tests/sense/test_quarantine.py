"""The quarantine: once a day each, a bounded file, several writers, torn lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from twin.sense.quarantine import Quarantine, Refused
from twin.sense.source import Place, SourceError, open_source


def odd(number: int, reason: str = "unit", **more: object) -> Refused:
    return Refused(reason, "why", 60.0 + number, "t1", "twin/a/W/c/t1",
                   reading={"id": str(number), **more})


def test_the_same_thing_is_kept_once_a_day_however_often_it_comes(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    assert quarantine.add([odd(1), odd(1), odd(2)]) == {"unit": 2}
    assert quarantine.add([odd(2), odd(3)]) == {"unit": 1}
    assert Quarantine(tmp_path).add([odd(1), odd(1, "clock")]) == {"clock": 1}
    assert quarantine.add([odd(1, "clock"), odd(4)]) == {"unit": 1}  # it sees what others wrote
    assert Quarantine(tmp_path).counts() == {"unit": 4, "clock": 1}


def test_a_full_day_keeps_only_counts(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, most_bytes=2_000)
    quarantine.add([odd(number, pad="x" * 100) for number in range(50)])
    quarantine.add([odd(number, "clock", pad="x" * 100) for number in range(7)])
    (path,) = tmp_path.glob("*.jsonl")
    assert path.stat().st_size <= 2_000
    assert quarantine.counts() == {"unit": 50, "clock": 7}


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    Quarantine(tmp_path).add([odd(1)])
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])
    quarantine = Quarantine(tmp_path)
    assert quarantine.add([odd(1), odd(2)]) == {"unit": 1}
    assert [json.loads(line)["reading"]["id"] for line in path.read_text().splitlines()] == [
        "1", "2"]


def test_several_listeners_write_one_file(tmp_path: Path) -> None:
    script = ("import sys\nfrom pathlib import Path\n"
              "from twin.sense.quarantine import Quarantine, Refused\n"
              f"quarantine = Quarantine(Path({str(tmp_path)!r}))\n"
              "for n in range(60):\n"
              "    quarantine.add([Refused('unit', 'why', 1.0, reading={'id': n // 2}),"
              " Refused('clock', 'why', 1.0, reading={'id': n, 'who': sys.argv[1]})])\n")
    both = [subprocess.Popen([sys.executable, "-c", script, who], cwd=Path(__file__).parents[2])
            for who in "ab"]
    assert [one.wait(60) for one in both] == [0, 0]
    assert Quarantine(tmp_path).counts() == {"unit": 30, "clock": 120}
    for path in tmp_path.glob("*.jsonl"):
        assert all(json.loads(line) for line in path.read_text().splitlines())


def test_large_and_unreadable_payloads_are_cut(tmp_path: Path) -> None:
    Quarantine(tmp_path).add([Refused("oversize", "why", 1.0, payload=b"\xff" * 300_000)])
    (path,) = tmp_path.glob("*.jsonl")
    (said,) = map(json.loads, path.read_text().splitlines())
    assert said["cut"] == 300_000
    assert len(said["payload"]) == 4 * 1024


def test_a_day_that_is_not_there_is_said(tmp_path: Path) -> None:
    Quarantine(tmp_path / "quarantine").add([odd(1)])
    with pytest.raises(SourceError, match=r"the quarantine has no day '1999'. There are: 20"):
        open_source(Place("quarantine/1999", "m", folder=tmp_path))
