"""Snapshots: written whole, read back the same, compared without crying wolf."""

from __future__ import annotations

import numpy as np
import pytest

from twin.calibrate.snapshot import kept, last_snapshot, moves, write_snapshot
from twin.calibrate.streams import ESTIMATORS, read_stream, read_streams
from twin.document import DocumentError
from twin.parameters import Calibration, Parameter, read_calibration
from twin.workspace import starter


def row(cell="A,B,sea", mean=10.0, half=2.0, **others):
    return Parameter("lanes", cell, "transit", value=f"gamma(mean={mean}d, sd=3d)",
                     **{"low": f"{mean - half}d", "high": f"{mean + half}d", "n": "20",
                        "as_of": "2026-03-01", "source": 'say "hm", 7\\8', "spread": "0.1 0.0 0.2",
                        **others})


def test_a_snapshot_reads_back_as_it_was(tmp_path):
    before = Calibration("tea-2026-03-01", "What's learned: \"all\"", "", "2026-03-01", "the store",
                         (row(), row("A,C,sea", 4.0, 1.0)))
    path = write_snapshot(tmp_path, before)
    after = read_calibration(path)
    assert after.rows == before.rows
    assert (after.title, after.as_of, after.source) == (before.title, "2026-03-01", "the store")
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "tea-2026-03-01.csv", "tea-2026-03-01.yaml"]


def test_the_last_snapshot_is_the_newest_of_that_model(tmp_path):
    for name in ("tea-2026-03-01", "tea-2026-04-01", "teapot-2026-05-01", "tea-notes"):
        write_snapshot(tmp_path, Calibration(name, rows=(row(),)))
    assert last_snapshot([tmp_path], "tea").name == "tea-2026-04-01"
    assert last_snapshot([tmp_path], "tea", before="tea-2026-04-01").name == "tea-2026-03-01"
    assert last_snapshot([tmp_path / "nowhere"], "tea") is None


@pytest.mark.parametrize(("mean", "verdict"), [(10.0, "same"), (11.5, "within"), (20.0, "moved"),
                                               (5.0, "moved")])
def test_a_verdict_weighs_both_intervals(mean, verdict):
    move, = moves(Calibration("a", rows=(row(),)), Calibration("b", rows=(row(mean=mean),)))
    assert move.verdict == verdict


@pytest.mark.long
def test_of_cells_that_have_not_changed_few_are_said_to_have_moved():
    """200 pairs of snapshots of 50 cells: at most 5 % name one, by more than luck."""
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(200):
        pair = []
        for _ in range(2):
            means = 10.0 + rng.normal(0.0, 0.5, 50)
            pair.append(Calibration("x", rows=tuple(
                row(f"A,B{number},sea", float(mean), 0.98) for number, mean in enumerate(means))))
        named += any(move.verdict == "moved" for move in moves(*pair))
    assert named / 200 <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5


def test_what_was_not_seen_again_is_kept_with_its_date():
    before = Calibration("a", rows=(row("A,B,sea"), row("A,C,sea")))
    after = kept(before, Calibration("b", rows=(row("A,B,sea", as_of="2026-04-01"),)))
    assert [(each.key, each.as_of) for each in after.rows] == [
        ("A,B,sea", "2026-04-01"), ("A,C,sea", "2026-03-01")]
    assert {move.cell: move.verdict for move in moves(before, after)}[
        "lanes[A,C,sea].transit"] == "kept"
    assert kept(after, after).rows == after.rows


# ---- streams -------------------------------------------------------------------------------------


def test_the_streams_that_ship_are_sound():
    streams = read_streams([starter() / "calibration" / "streams"])
    assert len(streams) >= 20
    assert {stream.estimator for stream in streams} == set(ESTIMATORS)
    assert all(stream.means and stream.readings for stream in streams)


def test_of_two_streams_of_one_name_the_first_folder_counts(tmp_path):
    text = (starter() / "calibration" / "streams" / "transit_time.yaml").read_text()
    (tmp_path / "transit_time.yaml").write_text(text + "half_life: 90d\nsince: 1y\n")
    mine = {stream.name: stream for stream in
            read_streams([tmp_path, starter() / "calibration" / "streams"])}["transit_time"]
    assert (mine.half_life, mine.since_h) == (2160.0, 8760.0)


def test_every_problem_of_a_stream_is_named(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("table: lanes\ncolumn: speed\nobserve: dreams\nestimator: oracle\n"
                    "readings: [rumour]\nhalf_life: 5\nsince: 0h\npool: maybe\nwishes: 1\n")
    with pytest.raises(DocumentError) as told:
        read_stream(path)
    lines = str(told.value).splitlines()
    for word in ("'wishes' is unknown", "no column 'speed'", "observe 'dreams'",
                 "estimator 'oracle'", "reading 'rumour'", "half_life '5' has no unit",
                 "since '0h' is not above 0", "pool 'maybe'"):
        assert any(word in line for line in lines), word
