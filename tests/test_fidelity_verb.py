"""``twin fidelity``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.tea import write_tea
from twin.__main__ import main
from twin.ledger import Ledger
from twin.scenario import Scenario
from twin.simulate import play
from twin.workspace import Workspace

FAST = ("models=tea", "origins=3", "horizon=7d,14d", "replications=6", "simulate.workers=1",
        "ledger=real.parquet")


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that is the current directory, with a ledger of what happened in 60 days."""
    monkeypatch.chdir(write_tea(tmp_path))
    ledger = Ledger()
    play(Workspace().network("tea"), Scenario.baseline(), horizon_h=24.0 * 60, seed=99,
         ledger=ledger)
    ledger.write(tmp_path / "real.parquet")
    return tmp_path


@pytest.mark.long  # it draws every place
def test_it_prints_a_row_a_place_and_horizon_and_draws_each_place(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fidelity", *FAST]) == 0
    said = capsys.readouterr().out
    assert "3 origins, day 31 to 45; horizons 7d, 14d" in said
    assert "whole chain" in said
    folder = chain / "outputs" / "tea-fidelity"
    with (folder / "fidelity.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["horizon_d"] for row in rows} == {"7", "14"}
    assert {"crps", "skill_last", "cover_80_low", "pit", "drift"} <= set(rows[0])
    places = {row["place"] for row in rows}
    assert len(list((folder / "figures").glob("*.png"))) == len(places)


@pytest.mark.long
def test_json_is_the_same_for_a_program_and_the_same_seed_gives_the_same(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for _ in range(2):
        assert main(["fidelity", *FAST, "report=no", "learn=no", "--json", "--quiet"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]
    assert found[0]["origins_d"] == [31.0, 38.0, 45.0]
    assert found[0]["places"][0]["place"] == ""


@pytest.mark.parametrize(("arguments", "problem"), [
    (["models=tea"], "nothing was heard about tea yet"),
    (["models=tea", "ledger=real.parquet", "horizon=90d"], "too short for two origins"),
    (["models=tea", "ledger=real.parquet", "horizon=soon"], "horizon 'soon' is not a duration"),
    (["models=tea", "origins=1"], "origins '1' is out of range"),
    (["models=tea", "nonsense=1"], "twin fidelity has no setting 'nonsense'"),
])
def test_what_cannot_be_answered_says_what_to_write(
        chain: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
        problem: str) -> None:
    assert main(["fidelity", *arguments]) == 2
    assert problem in capsys.readouterr().err
