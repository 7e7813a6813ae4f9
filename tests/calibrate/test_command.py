"""``twin calibrate``: from a ledger or the store to a snapshot that a run can play with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tea import write_tea
from twin.__main__ import main
from twin.ledger import Ledger
from twin.simulate.play import play
from twin.witness import readings_of_ledger
from twin.workspace import Workspace

DAY = 24.0


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that is the current directory, with 400 days of a world slower than planned."""
    monkeypatch.chdir(write_tea(tmp_path))
    workspace = Workspace()
    slow = workspace.network("tea").with_cell("lanes[garden,depot,sea].transit",
                                              "gamma(mean=15d, sd=3d)")
    for name, days in (("short", 120.0), ("long", 400.0)):
        ledger = Ledger()
        play(slow, workspace.scenario("baseline"), horizon_h=days * DAY, ledger=ledger)
        ledger.write(tmp_path / f"{name}.parquet")
    return tmp_path


def calibrate(capsys: pytest.CaptureFixture[str], *settings: str) -> dict[str, Any]:
    assert main(["calibrate", "models=tea", *settings, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def rows(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {f"{row['table']}[{row['key']}].{row['column']}": row
            for row in document["parameters"]}


def test_a_ledger_becomes_a_snapshot_that_a_run_plays(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = calibrate(capsys, "ledger=long.parquet")
    assert found["calibration"].startswith("tea-2027-02-0")
    transit = rows(found)["lanes[garden,depot,sea].transit"]
    assert int(transit["n"]) > 15
    assert float(transit["low"].rstrip("d")) < 15.0 < float(transit["high"].rstrip("d"))
    assert transit["source"].startswith("transit_time: ")
    assert (chain / found["file"]).is_file()
    assert (chain / found["picture"]).stat().st_size > 10_000
    assert {move["verdict"] for move in found["moves"]} == {"new"}
    assert main(["run", "models=tea", f"calibration={found['calibration']}", "scenarios=double",
                 "horizon=30d", "replications=2", "simulate.workers=1", "report=no", "-q"]) == 0


def test_the_store_says_what_the_ledger_says(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = Workspace().network("tea")
    ledger = Ledger.read(chain / "short.parquet")
    first = network.start.timestamp()
    told = [reading for reading in readings_of_ledger(ledger, network.start)
            if reading.time <= first + 40 * 86_400]
    Workspace().store("tea").write(told)
    heard = calibrate(capsys, "pictures=0", "write=no", "at=40d")
    read = calibrate(capsys, "ledger=short.parquet", "pictures=0", "write=no", "at=40d")
    told = {cell: (row["value"], row["n"]) for cell, row in rows(heard).items()}
    assert told == {cell: (row["value"], row["n"]) for cell, row in rows(read).items()}
    assert not list((chain / "calibration").glob("tea-*"))


def test_the_second_snapshot_is_held_against_the_first(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = calibrate(capsys, "ledger=short.parquet", "pictures=0")
    assert main(["calibrate", "models=tea", "ledger=long.parquet", "since=100d"]) == 0
    said = capsys.readouterr().out
    assert f"against {first['calibration']}" in said
    assert "half widths" in said
    assert "within  lanes[garden,depot,sea].transit" in said
    assert "In " in said


def test_a_change_is_told(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Customers begin to order twice as often."""
    network = Workspace().network("tea")
    ledger, early = Ledger(), network
    play(early, Workspace().scenario("baseline"), horizon_h=100 * DAY, ledger=ledger)
    later = Ledger()
    play(network.with_cell("demand[shop,tea,].interarrival", "exponential(mean=3h)"),
         Workspace().scenario("baseline"), horizon_h=100 * DAY, ledger=later)
    whole = Ledger()
    for shift, part in ((0.0, ledger), (100 * DAY, later)):
        frame = part.frame()
        for row in frame[frame["role"] == "customer"].itertuples():
            whole.add(row.time + shift, row.event, site=row.site, product=row.product,
                      quantity=row.quantity, order=row.order + int(shift) * 1000, role=row.role)
    whole.write(chain / "turned.parquet")
    found = calibrate(capsys, "ledger=turned.parquet", "pictures=0", "write=no")
    change = found["changes"][0]
    assert change["cell"] == "demand[shop,tea,].interarrival"
    assert abs(change["at"] / DAY - 100.0) < 8.0


def test_a_record_that_begins_late_does_not_count_what_was_before_it(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first gap and the first life count from the first event, not from day 0 of the model."""
    frame = Ledger.read(chain / "short.parquet").frame()
    late = Ledger()
    for row in frame[frame["role"] == "customer"].itertuples():
        late.add(row.time + 1_000 * DAY, row.event, site=row.site, product=row.product,
                 quantity=row.quantity, order=row.order, role=row.role)
    late.write(chain / "late.parquet")
    found = rows(calibrate(capsys, "ledger=late.parquet", "pictures=0", "write=no"))
    gap = found["demand[shop,tea,].interarrival"]
    assert gap["high"].endswith("h")
    assert float(gap["low"].rstrip("h")) < 8.0 < float(gap["high"].rstrip("h"))


@pytest.mark.parametrize(("settings", "word"), [
    ([], "store/tea is empty"),
    (["ledger=nowhere.parquet"], "nowhere.parquet is not there"),
    (["ledger=short.parquet", "at=2025-01-01"], "lies before the first event"),
    (["ledger=short.parquet", "at=soon"], "at 'soon' is not a duration"),
    (["ledger=short.parquet", "since=-3d"], "since '-3d' is negative"),
    (["ledger=short.parquet", "fresh=maybe"], "fresh 'maybe' is unknown"),
    (["ledger=short.parquet", "wish=1"], "no setting 'wish'"),
])
def test_what_cannot_be_is_refused(chain: Path, capsys: pytest.CaptureFixture[str],
                                   settings: list[str], word: str) -> None:
    assert main(["calibrate", "models=tea", *settings]) == 2
    assert word in capsys.readouterr().err
