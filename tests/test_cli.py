"""The command line: what each verb prints, writes and answers with."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

import twin
from tests.tea import write_tea
from twin.__main__ import VERBS, main
from twin.commands.folder import point
from twin.result import COLUMNS
from twin.scenario import Scenario

ROOT = Path(__file__).parents[1]
QUICK = ("models=tea", "horizon=60d", "replications=4", "simulate.workers=1")
PLAIN = (*QUICK, "report=no")


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that is the current directory."""
    monkeypatch.chdir(write_tea(tmp_path))
    return tmp_path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# ---- twin run -------------------------------------------------------------------------------


def test_a_run_prints_a_table_and_writes_its_folder(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *QUICK, "scenarios=double,port_closure"]) == 0
    shown = capsys.readouterr()
    assert "tea: 4 replications of 60d, seed 1, calibration nominal" in shown.out
    assert "On time in full" in shown.out
    assert "±" in shown.out
    assert any(word in shown.out for word in ("worse", "better", "no effect shown"))
    assert "port_closure: 4 of 4 replications" in shown.err
    latest = chain / "outputs" / "latest"
    assert latest.resolve().name.endswith("-tea")
    assert {path.name for path in latest.iterdir()} == {
        "manifest.json", "kpis.csv", "ledger.parquet", "report.html", "figures"}
    assert any((latest / "figures").glob("*.png"))
    rows = table(latest / "kpis.csv")
    assert list(rows[0])[: len(COLUMNS)] == list(COLUMNS)
    assert {row["scenario"] for row in rows} == {"baseline", "double", "port_closure"}
    assert {row["verdict"] for row in rows} <= {
        "", "better", "worse", "no effect shown", "higher", "lower"}


def test_the_ledger_holds_one_replication_of_each_scenario(chain: Path) -> None:
    assert main(["run", *PLAIN, "scenarios=double", "--quiet"]) == 0
    file = chain / "outputs" / "latest" / "ledger.parquet"
    with duckdb.connect() as base:
        found = base.execute("select scenario, count(*) n from read_parquet(?) group by 1 "
                             "order by 1", [str(file)]).fetchall()
    assert [name for name, _ in found] == ["baseline", "double"]
    assert found[1][1] > found[0][1] > 50


def test_no_ledger_if_not_wanted(chain: Path) -> None:
    assert main(["run", *PLAIN, "scenarios=double", "ledger=no", "--quiet"]) == 0
    assert not (chain / "outputs" / "latest" / "ledger.parquet").exists()


@pytest.mark.long
def test_a_sweep_lands_in_one_table_on_the_same_luck(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *QUICK, "scenarios=double", "events.double.factor=1.2,1.5,2"]) == 0
    assert "factor=1.5" in capsys.readouterr().out
    rows = [row for row in table(chain / "outputs" / "latest" / "kpis.csv")
            if row["kpi"] == "demand" and not row["place"] and not row["product"]
            and not row["stream"]]
    assert [row["settings"] for row in rows] == [
        "", *(f"events.double.factor={factor}" for factor in ("1.2", "1.5", "2"))]
    means = [float(row["mean"]) for row in rows]
    assert means == sorted(means)
    assert list((chain / "outputs" / "latest" / "figures").glob("sweep_*.png"))


def test_a_cell_is_played_beside_the_model_as_it_is(chain: Path) -> None:
    assert main(["run", *PLAIN, "scenarios=baseline", "--quiet",
                 "lanes[garden,depot,sea].transit=2d,uniform(3d, 5d)"]) == 0
    rows = table(chain / "outputs" / "latest" / "kpis.csv")
    assert list(dict.fromkeys(row["settings"] for row in rows)) == [
        "", "lanes[garden,depot,sea].transit=2d", "lanes[garden,depot,sea].transit=uniform(3d,5d)"]


@pytest.mark.long
def test_several_seeds_are_several_runs_in_one_table(chain: Path) -> None:
    assert main(["run", *QUICK, "scenarios=double", "seed=1,2", "--quiet"]) == 0
    latest = chain / "outputs" / "latest"
    assert {path.name for path in latest.iterdir()} == {
        "1-tea", "2-tea", "manifest.json", "kpis.csv", "report.html", "figures"}
    assert {row["settings"] for row in table(latest / "kpis.csv")} == {"seed=1", "seed=2"}
    assert len(json.loads((latest / "manifest.json").read_text())["runs"]) == 2


def test_json_is_for_a_program(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *PLAIN, "scenarios=double", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    run = answer["runs"][0]
    assert (chain / answer["folder"] / "kpis.csv").is_file()
    assert run["manifest"]["model"] == "tea"
    row = next(row for row in run["kpis"]
               if (row["scenario"], row["kpi"]) == ("double", "customer_backlog"))
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    assert row["replications"] == 4


def test_the_usual_scenarios_that_a_model_cannot_play_are_left_out(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *PLAIN]) == 0
    shown = capsys.readouterr()
    assert "breakdown is left out: model tea has no machines." in shown.err
    assert "demand_spike" in shown.out


def test_an_event_after_the_end_is_said(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "models=tea", "horizon=5d", "replications=2", "simulate.workers=1",
                 "report=no", "scenarios=double"]) == 0
    assert "double: double starts at 10d, after the end of the run." in capsys.readouterr().err


def test_one_replication_has_no_interval(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "models=tea", "horizon=20d", "replications=1", "simulate.workers=1",
                 "report=no", "scenarios=double"]) == 0
    assert "One replication gives no interval." in capsys.readouterr().err


# ---- wrong input ----------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "message"), [
    (["rnu"], "there is no verb 'rnu'. Did you mean 'run'?"),
    (["run", "--jsn"], "there is no flag '--jsn'. Did you mean '--json'?"),
    (["run", "--workspace"], "--workspace names no folder."),
    (["run", "--workspace", "nowhere"], "workspace 'nowhere' is not a folder."),
    (["run", "tea"], "'tea' is not a setting. Write key=value"),
    (["run", "models=tee"], "there is no model 'tee'. Did you mean 'tea'?"),
    (["run", "models=tea", "scenarios=doubel"], "there is no scenario 'doubel'."),
    (["run", "models=tea", "calibration=nomnal"], "there is no calibration 'nomnal'."),
    (["run", "models=tea", "horizn=30d"], "there is no setting 'horizn'. Did you mean 'horizon'?"),
    (["run", "models=tea", "horizon=30"], "horizon '30' has no unit. Write 30h or 30d."),
    (["run", "models=tea", "scenarios=breakdown"], "scenario breakdown needs 'machines'"),
    (["run", "models=tea", "scenarios=double", "events.double.factr=2"],
     "has no events.double.factr. Did you mean 'factor'?"),
    (["run", "models=tea", "scenarios=double,port_closure", "events.double.factor=2"],
     "scenario port_closure has no events.double.factor."),
    (["run", "models=tea", "scenarios=double", "events.double.sites=shpo"],
     "'shpo' is not in model tea. Did you mean 'shop'?"),
    (["run", "models=tea", "scenarios=double", "events.double.sites=x*"],
     "addresses nothing in model tea. There are sites: shop"),
    (["run", "models=tea", "events.nothing.factor=2"], "name the scenario that has it"),
    (["run", "models=tea", "scenarios=double", "lanes[garden,depot,air].transit=2d"],
     "no such row. Did you mean 'lanes[garden,depot,sea]'?"),
    (["run", "models=tea", "scenarios=double", "lanes[garden,depot,sea].transit=soon"], "soon"),
    (["run", "models=tea", "from=nowhere.json"], "nowhere.json"),
    (["run", "models=../tea"], "'../tea' is not a name"),
    (["check", "models=tea", "seed=1"], "twin check has no setting 'seed'."),
    (["models", "tea"], "twin models takes no settings"),
    (["init"], "twin init takes one FOLDER, not 0."),
    (["reproduce", "nowhere.json"], "nowhere.json cannot be read"),
    (["reproduce", "models/tea.yaml"], "tea.yaml is not JSON"),
])
def test_a_wrong_input_gives_one_message_and_two(
        chain: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
        message: str) -> None:
    assert main([*arguments, "--quiet"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert not (chain / "outputs").exists()


def test_every_offender_of_a_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(write_tea(tmp_path, models_tea_lanes_csv=(
        "origin,destination,mode,via,transit\ngarden,depot,sea,quay,-2d\ndepot,shop,road,,1x\n")))
    assert main(["check", "models=tea"]) == 2
    text = capsys.readouterr().err
    for part in ("models/tea/lanes.csv row 2", "'-2d' is negative",
                 "models/tea/lanes.csv row 3", "'1x'"):
        assert part in text


def test_an_accident_is_one_and_no_traceback(chain: Path, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    (chain / "outputs").mkdir()
    (chain / "outputs" / "latest").mkdir()
    monkeypatch.setattr("twin.commands.look.fit", None)
    assert main(["check", "models=tea", "scenarios=double"]) == 1
    text = capsys.readouterr().err
    assert "This should not have happened: TypeError" in text
    assert "Traceback" not in text


# ---- the other verbs ------------------------------------------------------------------------


def test_check_says_what_a_model_can_play(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "models=tea"]) == 0
    text = capsys.readouterr().out
    assert "tea is sound: 4 sites, 1 products, 1 supply, 1 stock, 2 lanes, 1 demand" in text
    assert "not for breakdown: needs machines" in text
    assert main(["check", "models=tea", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sound"][0]["lacks"]["breakdown"] == ["machines"]


def test_init_makes_a_workspace_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "our-chain"]) == 0
    assert "twin run models=harbour" in capsys.readouterr().out
    here = tmp_path / "our-chain"
    assert {path.name for path in here.iterdir()} == {
        "models", "scenarios", "calibration", "README.md"}
    assert main(["check", "models=harbour", "--workspace", str(here)]) == 0
    assert main(["init", "our-chain"]) == 2
    assert "is not an empty folder" in capsys.readouterr().err


def test_listings_name_everything(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    for name in ("tea", "harbour", "nominal", "quick"):
        assert f"  {name} " in text
    assert main(["scenarios"]) == 0
    text = capsys.readouterr().out
    assert "Twice the demand. Needs demand." in text
    assert main(["scenarios", "--json"]) == 0
    assert {"name": "double", "means": "Twice the demand.", "needs": ["demand"]} in json.loads(
        capsys.readouterr().out)


def test_a_listing_shows_a_broken_document(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (chain / "scenarios" / "broken.yaml").write_text("titel: x\n")
    assert main(["scenarios"]) == 0
    assert "IS WRONG: scenario broken: titel: unknown key" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_help_teaches_by_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert f"  twin {verb}" in capsys.readouterr().out


def test_help_of_run_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    from twin.settings import KEYS

    assert main(["run", "-h"]) == 0
    text = capsys.readouterr().out
    for key in KEYS:
        assert f"  {key} " in text
    assert main([]) == 0
    assert "twin run" in capsys.readouterr().out


def test_a_result_is_reproduced_from_its_manifest(chain: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *PLAIN, "scenarios=double", "events.double.factor=3"]) == 0
    file = chain / "outputs" / "latest" / "manifest.json"
    assert main(["reproduce", str(file), "simulate.workers=1"]) == 0
    assert "The same figures and the same events" in capsys.readouterr().err

    changed = json.loads(file.read_text())
    changed["kpis_digest"] = "0"
    (chain / "other.json").write_text(json.dumps(changed))
    assert main(["reproduce", "other.json", "simulate.workers=1"]) == 1
    assert "NOT the same as in the manifest." in capsys.readouterr().err

    stock = chain / "models" / "tea" / "stock.csv"
    stock.write_text(stock.read_text().replace("60", "61"))
    assert main(["reproduce", str(file)]) == 2
    assert "model tea has changed since" in capsys.readouterr().err


def test_a_result_from_a_state_is_reproduced(chain: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    """The state lies beside the manifest; without it, or with another one, nothing is played."""
    from twin.simulate import play

    saved = play(twin.read_model("tea", chain), Scenario.baseline(), horizon_h=240.0,
                 save_at=239.0).state
    assert saved is not None
    saved.write(chain / "monday.json")
    assert main(["run", *PLAIN, "scenarios=double", "from=monday.json"]) == 0
    (chain / "monday.json").unlink()
    folder = (chain / "outputs" / "latest").resolve()
    file = folder / "manifest.json"
    assert main(["reproduce", str(file), "simulate.workers=1"]) == 0
    assert "The same figures and the same events" in capsys.readouterr().err

    replace(saved, clock_h=250.0).write(folder / "state.json")
    assert main(["reproduce", str(file)]) == 2
    assert "is not the state that the runs" in capsys.readouterr().err
    (folder / "state.json").unlink()
    assert main(["reproduce", str(file)]) == 2
    assert "state.json is not beside the manifest" in capsys.readouterr().err


def test_a_manifest_names_no_machine(chain: Path) -> None:
    assert main(["run", *PLAIN, "scenarios=double", "--quiet"]) == 0
    text = (chain / "outputs" / "latest" / "manifest.json").read_text()
    for secret in (str(chain), str(ROOT), "workers", "address"):
        assert secret not in text


# ---- folders and processes --------------------------------------------------------------------


def test_latest_is_a_copy_where_links_are_impossible(tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "symlink", refuse)
    latest = tmp_path / "latest"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(name)
        point(latest, tmp_path / name)
        assert (latest / "manifest.json").read_text() == name
        assert not latest.is_symlink()


def test_a_folder_of_someone_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "notes.txt").write_text("mine")
    (tmp_path / "one").mkdir()
    point(tmp_path / "latest", tmp_path / "one")
    assert (tmp_path / "latest" / "notes.txt").read_text() == "mine"


def test_as_a_process_it_answers_with_its_exit_code(chain: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "twin", *arguments], capture_output=True,
                              text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)

    done = run("check", "models=tea", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["sound"]
    done = run("check", "models=tee")
    assert (done.returncode, done.stdout) == (2, "")
