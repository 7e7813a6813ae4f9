"""``twin run`` and ``twin reproduce``: play a plan, show it, write it down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from twin.clock import format_duration
from twin.commands import Unanswered
from twin.commands.folder import STATE, write
from twin.commands.plan import Block, plan
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.experiment import run
from twin.manifest import Manifest, network_digest
from twin.network import Network
from twin.result import Result
from twin.scenario import Scenario
from twin.settings import KEYS, PATHS, SettingError, check, describe, parse
from twin.state import State
from twin.workspace import Workspace

ABOUT = {
    "run": """\
twin run [key=value ...]

Plays the baseline and each scenario on the same luck, and prints one table: the baseline with its
interval, each scenario's paired difference with interval and verdict. Everything goes to
outputs/<time>-<model>/ (and outputs/latest).

  twin run
  twin run models=harbour scenarios=demand_spike,port_closure horizon=90d
  twin run models=workshop scenarios=breakdown horizon=30d seed=7 simulate.workers=2
  twin run scenarios=demand_spike+port_closure                 both at once
  twin run scenarios=demand_spike events.demand_spike.factor=1.2,1.5,2
  twin run models=harbour "lanes[orchard,juicery,sea].transit=14d,28d"
  twin run precision=0.02                                      replications until it is precise

A comma compares; several keys with commas give every combination. A comma inside brackets,
parentheses or quotes belongs to the value. The keys:

""" + describe({**KEYS, **PATHS}),
    "reproduce": """\
twin reproduce MANIFEST [simulate.workers=N]

Plays a result again from its manifest.json and says whether every figure is the same: 0 if it is,
1 if not.

  twin reproduce outputs/latest/manifest.json
""",
}


def run_command(call: Call) -> int:
    """Play what the settings say."""
    workspace, screen = call.workspace, call.screen
    whole = plan(parse(call.arguments), workspace)
    results = []
    for block in whole.blocks:
        for note in (*block.notes, *_too_late(block)):
            screen.note(note)
        results.append((_played(block, whole.once, screen, workspace), block))
    made = [(replace(result, manifest=replace(result.manifest, settings=whole.settings)), block)
            for result, block in results]
    folder = write([(result, block.network, block.text) for result, block in made], call.output,
                   screen, with_report=whole.once["report"] == "yes")
    screen.show([(result, block.text) for result, block in made], folder)
    return 0


def _too_late(block: Block) -> list[str]:
    """Events that the run ends before."""
    return [f"{label}: {name} starts at {format_duration(event.start)}, after the end of the run."
            for label, scenario in block.scenarios.items()
            for name, event in scenario.events.items() if event.start >= block.values["horizon"]]


def _played(block: Block, once: dict[str, Any], screen: Screen, workspace: Workspace) -> Result:
    from twin.simulate.replications import EngineError

    values = block.values
    try:
        return _run(block, values, once, screen, workspace)
    except EngineError as error:
        raise Unanswered(str(error)) from None


def _run(block: Block, values: dict[str, Any], once: dict[str, Any], screen: Screen,
         workspace: Workspace) -> Result:
    with screen.progress(block.text or values["models"]) as progress:
        return run(
            block.network, block.scenarios, horizon=values["horizon"], warmup=values["warmup"],
            replications=values["replications"], seed=values["seed"],
            precision=values["precision"], calibration=values["calibration"],
            uncertainty=once["uncertainty"] == "yes", state=values["from"],
            confidence=once["confidence"],
            workers=once["simulate.workers"], engine=once["simulate.engine"],
            address=once["simulate.address"], ledger=once["ledger"] == "yes",
            progress=progress, workspace=workspace,
        )


def reproduce_command(call: Call) -> int:
    """Play a manifest again and say whether the figures are the same."""
    if not call.arguments:
        raise SettingError("twin reproduce takes a MANIFEST. See twin reproduce --help.")
    path, workspace, screen = Path(call.arguments[0]).expanduser(), call.workspace, call.screen
    settings = parse(call.arguments[1:])
    check(settings, [key for key in KEYS if key.startswith("simulate.")])
    how = {key.removeprefix("simulate."): KEYS[key].read(values[0])
           for key, values in settings.items()}
    manifest = Manifest.from_file(path)
    network = workspace.network(manifest.model)
    _same_model(manifest, network, workspace)
    state = _same_state(manifest, path.with_name(STATE))
    scenarios = {label: Scenario(**content) for label, content in manifest.scenarios.items()}
    with screen.progress(manifest.model) as progress:
        result = run(network, scenarios, horizon=manifest.horizon, warmup=manifest.warmup,
                     replications=manifest.replications, seed=manifest.seed,
                     confidence=manifest.confidence, calibration=manifest.calibration, state=state,
                     uncertainty=bool(manifest.draws),
                     ledger=bool(manifest.ledgers), progress=progress, workspace=workspace,
                     **how)
    screen.show([(result, "")], None)
    same = (result.manifest.kpis_digest == manifest.kpis_digest
            and result.manifest.ledgers == manifest.ledgers)
    if same:
        screen.note("The same figures and the same events as in the manifest.")
        return 0
    other = [f"{name} {version} (now {result.manifest.versions.get(name)})"
             for name, version in manifest.versions.items()
             if result.manifest.versions.get(name) != version]
    screen.note("NOT the same as in the manifest. " + (f"It was made with {', '.join(other)}."
                                                       if other else "The versions are the same."))
    return 1


def _same_state(manifest: Manifest, file: Path) -> State | None:
    if not manifest.state_digest:
        return None
    if not file.is_file():
        raise ValueError(f"the runs started from a state document, and {file.name} is not beside "
                         "the manifest. Put it there.")
    state = State.read(file)
    if state.digest() != manifest.state_digest:
        raise ValueError(f"{file.name} is not the state that the runs of the manifest started "
                         "from. Put that one there, or run it anew with from=FILE.")
    return state


def _same_model(manifest: Manifest, network: Network, workspace: Workspace) -> None:
    if network_digest(network) != manifest.model_digest:
        raise ValueError(f"model {manifest.model} has changed since {manifest.made}: its tables "
                         "are not those of the manifest. Put them back, or run it anew.")
    calibration = workspace.calibration(manifest.calibration)
    if (calibration.digest() if calibration.rows else "") != manifest.calibration_digest:
        raise ValueError(f"calibration {manifest.calibration} has changed since {manifest.made}. "
                         "Put it back, or run it anew.")
