"""A workspace composes by name; and every shipped model plays every scenario or is refused."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import twin.workspace
from tests.tea import write_tea
from twin.document import DocumentError
from twin.network import ModelError, Network
from twin.parameters import Calibration, Parameter, read_calibration
from twin.scenario import NEEDS, ScenarioError
from twin.targets import UnmetNeed, fit, unmet
from twin.workspace import Workspace, WorkspaceError, change, starter

SHIPPED = Workspace(starter())
MODELS = ("harbour", "medicines", "workshop")
SCENARIOS = SHIPPED.names("scenarios")
PAIRS = [(model, scenario) for model in MODELS for scenario in SCENARIOS]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(write_tea(tmp_path))


@cache
def network(model: str) -> Network:
    return SHIPPED.network(model)


# ---- the matrix ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "scenario"), PAIRS)
def test_every_pair_plays_or_is_refused_for_a_stated_need(model: str, scenario: str) -> None:
    found = SHIPPED.scenario(scenario)
    lacking = unmet(found, network(model))
    if lacking:
        with pytest.raises(UnmetNeed) as caught:
            fit(found, network(model))
        for need in lacking:
            assert f"scenario {scenario} needs '{need}' ({NEEDS[need]})" in str(caught.value)
        return
    from twin.simulate import play

    fitted = fit(found, network(model))
    soon = {key: event.model_copy(update={"start": min(event.start, 24.0)})
            for key, event in fitted.events.items()}
    run = play(network(model), fitted.model_copy(update={"events": soon}), horizon_h=72.0)
    assert run.tally.scenario == scenario
    assert run.tally.sums


@pytest.mark.parametrize("model", MODELS)
def test_every_model_plays_a_headline_scenario(model: str) -> None:
    assert [name for name in ("demand_spike", "delayed_shipment", "breakdown")
            if not unmet(SHIPPED.scenario(name), network(model))]


def test_harbour_plays_every_scenario() -> None:
    assert {name: unmet(SHIPPED.scenario(name), network("harbour")) for name in SCENARIOS} == {
        name: [] for name in SCENARIOS}


# ---- finding and composing ----------------------------------------------------------------------


def test_own_documents_come_before_the_starters(workspace: Workspace, tmp_path: Path) -> None:
    assert {"double", "demand_spike"} <= set(workspace.names("scenarios"))
    (tmp_path / "scenarios" / "demand_spike.yaml").write_text(
        "title: Ours\nevents: {e: {type: demand, factor: 2}}\n")
    assert workspace.scenario("demand_spike").title == "Ours"
    assert workspace.network("tea").title == "Tea"


def test_a_changed_file_is_composed_anew(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.scenario("double").title == "Double"
    (tmp_path / "scenarios" / "double.yaml").write_text(
        "title: Doubled\nevents: {e: {type: demand, factor: 2}}\n")
    assert workspace.scenario("double").title == "Doubled"


def test_a_file_that_changes_while_it_is_read_is_not_believed(
        workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hydra

    file, compose = tmp_path / "scenarios" / "double.yaml", hydra.compose
    text = file.read_text().replace("Double", "Just now")
    file.write_text(text)

    def late(**words: object) -> object:
        file.write_text(text.replace("Just now", "Too late"))
        return compose(**words)

    monkeypatch.setattr(hydra, "compose", late)
    with pytest.raises(DocumentError, match=r"double\.yaml was changed while it was read"):
        workspace.scenario("double")
    monkeypatch.undo()
    assert workspace.scenario("double").title == "Too late"


def test_scenarios_compose_by_plus(workspace: Workspace) -> None:
    both = workspace.scenario("double+port_closure")
    assert list(both.events) == ["double", "port_closure"]
    with pytest.raises(WorkspaceError, match="names 'double' twice"):
        workspace.scenario("double+double")


def test_a_folder_with_odd_letters_is_composed(tmp_path: Path) -> None:
    odd = Workspace(write_tea(tmp_path / "our chain, 'A=1' (b)"))
    assert odd.scenario("double").title == "Double"
    assert odd.scenario("demand_spike").title == "Demand spike"


def test_the_current_directory_counts_if_it_has_models(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_tea(tmp_path))
    assert "tea" in Workspace().names("models")
    monkeypatch.chdir(tmp_path / "models")
    assert "tea" not in Workspace().names("models")


@pytest.mark.parametrize(("group", "name", "message"), [
    ("models", "tee", "there is no model 'tee'. Did you mean 'tea'?"),
    ("scenarios", "doubel", "there is no scenario 'doubel'. Did you mean 'double'?"),
    ("scenarios", "../models/tea", "'../models/tea' is not a name: write it without folder"),
    ("scenarios", "double.yaml", "there is no scenario 'double.yaml'. Did you mean 'double'?"),
    ("calibration", "", "calibration '' is not a name"),
    ("models", "/etc/passwd", "'/etc/passwd' is not a name"),
])
def test_a_wrong_name_says_what_there_is(workspace: Workspace, group: str, name: str,
                                         message: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        workspace.path(group, name)
    assert message in str(caught.value)


def test_a_link_out_of_the_workspace_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-secret.yaml"
    outside.write_text("title: Secret\n")
    (tmp_path / "scenarios" / "leak.yaml").symlink_to(outside)
    with pytest.raises(WorkspaceError, match="leads outside the workspace"):
        workspace.scenario("leak")


def test_a_scenario_that_names_nothing_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "scenarios" / "idle.yaml").write_text("title: Idle\nevents: {}\n")
    with pytest.raises(ScenarioError, match="scenario idle names nothing that happens"):
        workspace.scenario("idle")
    (tmp_path / "scenarios" / "idle.yaml").write_text(
        "events: {e: {type: demand, factor: 2, sites: []}}\n")
    with pytest.raises(ScenarioError, match=r"events.e.sites: .* names nothing. Write a name"):
        workspace.scenario("idle")


@pytest.mark.parametrize(("text", "message"), [
    ("title: ${oc.env:HOME}\n", "'${' is not read"),
    ("events: {'${oc.env:HOME}': 1}\n", "'${' is not read"),
    ("defaults: [double]\n", "defaults, hydra and '# @package' are not read"),
    ("hydra: {run: {dir: /tmp}}\n", "defaults, hydra and '# @package' are not read"),
    ("# @package _global_\ntitle: x\n", "defaults, hydra and '# @package' are not read"),
    ("_target_: os.system\n", "_target_: unknown key"),
    ("a: &x [1]\nb: *x\n", "line 1 uses an anchor"),
    ("!!python/object/apply:os.system [ls]\n", "uses the tag"),
    ("", "scenarios/bad.yaml is empty"),
    ("title: \xff\n", "is not UTF-8"),
])
def test_hostile_documents_never_reach_hydra(workspace: Workspace, tmp_path: Path, text: str,
                                             message: str) -> None:
    (tmp_path / "scenarios" / "bad.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises((DocumentError, ScenarioError)) as caught:
        workspace.scenario("bad")
    assert message in str(caught.value)


def test_a_folder_that_is_no_workspace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="has none of the folders models, calibration"):
        Workspace(tmp_path)
    with pytest.raises(WorkspaceError, match=r"is not a folder. Make one with: twin init"):
        Workspace(tmp_path / "none")


# ---- changed keys -------------------------------------------------------------------------------


def test_a_key_of_an_event_and_a_cell_are_changed(workspace: Workspace) -> None:
    found = workspace.scenario("double", {
        "events.double.factor": "3", "events.double.sites": "[shop, depot]",
        "lanes[depot,shop,road].transit": "2d"})
    assert found.events["double"].factor == 3.0
    assert found.events["double"].sites == ("shop", "depot")
    assert found.settings == {"lanes[depot,shop,road].transit": "2d"}


@pytest.mark.parametrize(("key", "value", "message"), [
    ("events.doubel.factor", "2", "has no events.doubel.factor. Did you mean 'double'?"),
    ("events.double.factr", "2", "has no events.double.factr. Did you mean 'factor'?"),
    ("events.double.type", "outage", "has no events.double.type."),
    ("events.double", "2", "has no events.double."),
    ("events.double.factor", "x", "events.double.factor: 'x' is not a number."),
])
def test_a_key_that_a_scenario_lacks_is_refused(workspace: Workspace, key: str, value: str,
                                                message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        change(workspace.scenario("double"), {key: value})
    assert message in str(caught.value)


# ---- calibrations -------------------------------------------------------------------------------


def test_the_nominal_calibration_changes_nothing() -> None:
    harbour = network("harbour")
    assert SHIPPED.calibration("nominal").apply(harbour) is harbour


def test_a_snapshot_replaces_cells_and_keeps_its_evidence(workspace: Workspace) -> None:
    quick = workspace.calibration("quick")
    assert (quick.rows[0].n, quick.rows[0].source) == ("12", "arrivals")
    lanes = quick.apply(workspace.network("tea")).lanes
    assert lanes["garden", "depot", "sea"].transit.mean() == 96.0


def test_a_profile_may_be_learned(tmp_path: Path) -> None:
    chain = Network(
        sites=[{"site": "C", "kind": "plant"}], products=[{"product": "p"}],
        routings=[{"site": "C", "product": "p", "step": 1, "process_time": "1h"}],
        demand=[{"site": "C", "product": "p", "interarrival": "1d"}],
        profiles=[{"profile": "week", "weekday": "mon", "factor": 2}])
    learned = Calibration("c", rows=(Parameter("demand", "C,p", "interarrival", profile="week"),))
    assert next(iter(learned.apply(chain).demand.values())).profile == "week"


@pytest.mark.parametrize(("text", "message"), [
    ("", "column 'table' is missing"),
    ("table,key,colum,value\n", "column 'colum' is unknown."),
    ("table,key,column,column,value\n", "column 'column' is given twice"),
    ("table,key,column,value\nlanes,a,b,sea,transit,4d\n", "row 2: 6 cells where the header has 4"),
    ("table,key,column,value\nlanes,,transit,4d\n", "row 2: key is blank."),
    ("table,key,column,value\nlanes,x,transit,\n", "row 2: value is blank."),
    ('table,key,column,value\nlanes,"x,transit,4d\n', "is not CSV"),
    ("table,key,column,value\nlanes,\xff,transit,4d\n", "is not UTF-8"),
])
def test_a_bad_snapshot_is_refused_with_its_row(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.yaml").write_text("title: Bad\n")
    (tmp_path / "bad.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DocumentError) as caught:
        read_calibration(tmp_path / "bad.yaml")
    assert message in str(caught.value)


def test_cells_that_do_not_exist_are_named_with_their_rows(workspace: Workspace,
                                                           tmp_path: Path) -> None:
    (tmp_path / "calibration" / "quick.csv").write_text(
        'table,key,column,value\nlanes,"garden,depot,air",transit,4d\n'
        'stock,"depot,tea",reorder_pont,4\n'
        'stock,"depot,tea",reorder_point,many\n')
    with pytest.raises(ModelError) as caught:
        workspace.calibration("quick").apply(workspace.network("tea"))
    problems = caught.value.problems
    assert [problem.split(":")[0] for problem in problems] == [
        f"calibration/quick.csv row {row}" for row in (2, 3, 4)]


def test_one_cell_with_two_values_is_refused() -> None:
    rows = tuple(Parameter("sites", "W", "record_delay", value=value) for value in ("1d", "2d"))
    with pytest.raises(ModelError, match=r"c row 3: .* has another value in row 2. Keep one."):
        Calibration("c", rows=rows).apply(Network(sites=[{"site": "W", "kind": "warehouse"}]))


def test_ten_thousand_parameters_are_read(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("title: Big\n")
    with (tmp_path / "big.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "key", "column", "value"])
        writer.writerows(["stock", f"W{i},p{j}", "reorder_point", i + j]
                         for i in range(100) for j in range(100))
    assert len(read_calibration(tmp_path / "big.yaml").rows) == 10_000


# ---- the package --------------------------------------------------------------------------------


def test_importing_the_package_is_quick_and_imports_nothing_heavy() -> None:
    code = ("import json, sys, twin; "
            "print(json.dumps([m for m in sys.modules if m in "
            "('numpy', 'pandas', 'pydantic', 'hydra', 'simpy', 'matplotlib')]))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])})
    assert json.loads(done.stdout) == []


def test_public_names_are_few_sorted_and_there() -> None:
    import twin

    assert twin.__all__ == sorted(twin.__all__)
    for name in twin.__all__:
        assert getattr(twin, name) is not None
    public = {name for name in dir(twin) if not name.startswith("_")}
    modules = {path.stem for path in Path(twin.__file__).parent.iterdir()}
    assert public - modules - {"annotations", "import_module", "Any", "TYPE_CHECKING"} == set(
        twin.__all__)
    with pytest.raises(AttributeError, match=r"module 'twin' has no attribute 'rnu'. There are"):
        _ = twin.rnu


def test_documents_read_ahead_are_the_same_and_composed_at_once(
        workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hydra

    names = workspace.names("scenarios")
    alone = {name: workspace.document("scenarios", name) for name in names}
    twin.workspace._known.clear()
    calls, compose = [], hydra.compose
    monkeypatch.setattr(hydra, "compose", lambda **said: calls.append(said) or compose(**said))
    (tmp_path / "scenarios" / "bad.yaml").write_text("defaults: [x]\n")
    workspace.read_ahead("scenarios", [*names, "bad", "missing"])
    assert len(calls) == 2  # one of our folder, one of the starters'
    assert {name: workspace.document("scenarios", name) for name in names} == alone
    assert len(calls) == 2
    with pytest.raises(DocumentError, match="defaults"):
        workspace.document("scenarios", "bad")
