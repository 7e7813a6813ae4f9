"""A run from Python: scenarios on the same luck, in one result that can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import twin
from tests.tea import write_tea
from twin.manifest import Manifest
from twin.network import Network
from twin.result import COLUMNS, Result
from twin.scenario import Scenario
from twin.settings import SettingError
from twin.state import State
from twin.workspace import Workspace, WorkspaceError


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(write_tea(tmp_path_factory.mktemp("chain")))


@pytest.fixture(scope="module")
def tea(workspace: Workspace) -> Network:
    return workspace.network("tea")


@pytest.fixture(scope="module")
def result(workspace: Workspace) -> Result:
    return twin.run("tea", ["double", "port_closure"], horizon="90d", replications=10, workers=1,
                    ledger=True, workspace=workspace)


def figures(result: Result) -> pd.DataFrame:
    return result.kpis.drop(columns="replications_for_verdict")


def test_the_baseline_comes_first_and_every_setting_has_its_replications(result: Result) -> None:
    assert list(result.tallies) == ["baseline", "double", "port_closure"]
    assert result.baseline == "baseline"
    for label, tallies in result.tallies.items():
        assert [tally.replication for tally in tallies] == list(range(10))
        assert {tally.scenario for tally in tallies} == {label}


def test_the_table_has_the_columns_of_the_file(result: Result) -> None:
    assert list(result.kpis.columns[: len(COLUMNS)]) == list(COLUMNS)
    assert set(result.kpis["model"]) == {"tea"}
    assert set(result.headline["place"]) == {""}
    assert set(result.headline["kpi"]) <= set(result.headlines)
    verdicts = result.headline.set_index(["scenario", "kpi"])["verdict"]
    assert verdicts["double", "otif"] == "worse"
    assert set(verdicts["baseline"]) == {""}


def test_scenarios_share_their_luck(tea: Network) -> None:
    nothing = Scenario(name="nothing", events={
        "late": {"type": "demand", "factor": 2, "start": "80d"}})
    found = twin.run(tea, [nothing], horizon="60d", replications=3, workers=1)
    differences = found.kpis.query("scenario == 'nothing'")["difference"].dropna()
    assert len(differences) > 20
    assert (differences == 0).all()


def test_a_run_is_a_function_of_its_arguments(result: Result, workspace: Workspace) -> None:
    again = twin.run("tea", ["double", "port_closure"], horizon="90d", replications=10, workers=2,
                     ledger=True, workspace=workspace)
    pd.testing.assert_frame_equal(figures(again), figures(result))
    assert again.manifest.ledgers == result.manifest.ledgers
    assert again.manifest.kpis_digest == result.manifest.kpis_digest
    other = twin.run("tea", ["double"], horizon="90d", replications=10, seed=2, workers=1,
                     ledger=True, workspace=workspace)
    assert other.manifest.ledgers["double"] != result.manifest.ledgers["double"]


def test_the_ledger_changes_no_figure(result: Result, workspace: Workspace) -> None:
    without = twin.run("tea", ["double", "port_closure"], horizon="90d", replications=10,
                       workers=1, workspace=workspace)
    assert without.ledgers == {}
    pd.testing.assert_frame_equal(figures(without), figures(result))


def test_a_sweep_is_a_mapping_of_labels(tea: Network, workspace: Workspace) -> None:
    factors = {f"double events.double.factor={factor}":
               workspace.scenario("double", {"events.double.factor": factor})
               for factor in ("1.1", "2")}
    found = twin.run(tea, factors, horizon="60d", replications=3, workers=1)
    rows = found.kpis.query("kpi == 'demand' and place == '' and product == ''")
    assert rows["settings"].tolist() == ["", *(label.split(" ")[1] for label in factors)]
    assert rows["mean"].is_monotonic_increasing


def test_a_scenario_may_change_cells(tea: Network) -> None:
    quick = Scenario(name="quick", settings={"lanes[garden,depot,sea].transit": "2d"})
    found = twin.run(tea, [quick], horizon="60d", replications=3, workers=1)
    row = found.headline.query("scenario == 'quick' and kpi == 'lead_time'").iloc[0]
    assert row["verdict"] == "better"


def test_a_calibration_changes_baseline_and_scenarios(tea: Network, workspace: Workspace) -> None:
    found = twin.run(tea, horizon="60d", replications=2, workers=1, calibration="quick",
                     workspace=workspace)
    sea = found.kpis.query("kpi == 'lead_time' and place == 'garden:depot:sea' and product == ''")
    assert sea["mean"].tolist() == [4.0]
    assert found.manifest.calibration == "quick"
    assert found.manifest.calibration_digest


def test_precision_adds_replications(tea: Network) -> None:
    found = twin.run(tea, horizon="60d", replications=3, workers=1, precision=0.2)
    assert found.manifest.replications > 3
    assert len(found.tallies["baseline"]) == found.manifest.replications
    again = twin.run(tea, horizon="60d", replications=found.manifest.replications, workers=1)
    pd.testing.assert_frame_equal(figures(again), figures(found))


def test_the_warm_up_is_not_counted(tea: Network) -> None:
    found = twin.run(tea, horizon="60d", warmup="20d", replications=2, workers=1)
    tally = found.tallies["baseline"][0]
    assert (tally.start_h, tally.end_h) == (480.0, 1920.0)
    auto = twin.run(tea, horizon="120d", warmup="auto", replications=2, workers=1)
    assert 0 <= auto.tallies["baseline"][0].start_h <= 60 * 24


def test_progress_is_told_after_each_replication(tea: Network) -> None:
    told: list[tuple[str, int, int]] = []
    twin.run(tea, horizon="5d", replications=2, workers=1,
             progress=lambda label, done, total: told.append((label, done, total)))
    assert told == [("baseline", 1, 2), ("baseline", 2, 2)]


def test_a_run_starts_from_a_state(tea: Network, tmp_path: Path) -> None:
    from twin.simulate import play

    saved = play(tea, Scenario.baseline(), horizon_h=240.0, save_at=239.0).state
    assert saved is not None
    saved.write(tmp_path / "state.json")
    found = twin.run(tea, horizon="30d", replications=2, workers=1, state=tmp_path / "state.json")
    assert found.manifest.state_digest
    fresh = twin.run(tea, horizon="30d", replications=2, workers=1)
    assert found.manifest.kpis_digest != fresh.manifest.kpis_digest


@pytest.mark.parametrize(("change", "message"), [
    ({"actors": {"shelf mill/tea": {}}}, "names 'shelf mill/tea', which this model does not have"),
    ({"orders": [{"number": 1}]}, "lacks 'buyer'"),
    ({"agenda": [["nobody"]]}, "at its agenda"),
    ({"disturbances": [{"event": {}}]}, "'type'"),
])
def test_a_state_that_does_not_fit_is_refused(tea: Network, change: dict[str, Any],
                                              message: str) -> None:
    from twin.simulate import play

    saved = play(tea, Scenario.baseline(), horizon_h=240.0, save_at=239.0).state
    assert saved is not None
    wrong = State.from_document({**saved.document(), **change})
    with pytest.raises(SettingError, match=message):
        twin.run(tea, horizon="30d", replications=2, workers=1, state=wrong)


def test_the_manifest_says_what_was_played_and_no_machine(result: Result, tmp_path: Path) -> None:
    manifest = result.manifest
    assert (manifest.model, manifest.seed, manifest.replications) == ("tea", 1, 10)
    assert manifest.scenarios["double"]["events"]["double"]["factor"] == 2.0
    assert set(manifest.versions) >= {"python", "twin", "simpy", "numpy"}
    text = manifest.text()
    assert str(Path.home()) not in text.replace('"/"', "")
    assert str(Path(__file__).parents[1]) not in text
    assert Manifest.from_text(text) == manifest


@pytest.mark.parametrize(("wrong", "message"), [
    ({"horizon": "0d"}, "horizon '0d' is no time at all"),
    ({"horizon": "soon"}, "horizon 'soon' is not a duration"),
    ({"replications": 0}, "replications '0' is out of range"),
    ({"seed": -1}, "seed '-1' is out of range"),
    ({"confidence": 1.5}, "confidence '1.5' is not between 0 and 1"),
    ({"precision": -1}, "precision '-1' is not between 0 and 1"),
    ({"engine": "ray"}, "simulate.engine 'ray' is unknown"),
    ({"workers": 0}, "simulate.workers '0' is out of range"),
])
def test_wrong_arguments_are_refused_before_anything_is_played(
        tea: Network, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError) as caught:
        twin.run(tea, **{"horizon": "30d", "replications": 1, **wrong})  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_scenario_given_twice_is_refused(tea: Network, workspace: Workspace) -> None:
    with pytest.raises(twin.ScenarioError, match="double is given twice"):
        twin.run(tea, ["double", "double"], workspace=workspace)


def test_a_model_or_scenario_that_is_not_there_says_what_is() -> None:
    with pytest.raises(WorkspaceError, match="Did you mean 'harbour'"):
        twin.read_model("harbor")
    with pytest.raises(WorkspaceError, match="Did you mean 'demand_spike'"):
        twin.read_scenario("demand_spikes")
