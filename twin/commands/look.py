"""``twin check``, ``twin models``, ``twin scenarios``: what there is, and whether it is sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twin.commands.verbs import Call
from twin.network import Network
from twin.network.attributes import TABLES
from twin.scenario import Scenario
from twin.settings import SettingError, options, parse
from twin.targets import fit, unmet
from twin.workspace import Workspace

ABOUT = {
    "check": """\
twin check [models=NAME] [scenarios=NAME] [calibration=NAME]

Reads models and names every offender with file, row, value and remedy; says which scenarios the
model can play. Without settings it checks every model.

  twin check
  twin check models=harbour
  twin check models=mine --workspace ~/our-chain
""",
    "models": """\
twin models

Lists the models and calibrations of the workspace (and of the starter workspace).

  twin models
  twin models --workspace our-chain
""",
    "scenarios": """\
twin scenarios

Lists the scenarios: what each means, and what it needs of a model.

  twin scenarios
  twin scenarios --json
""",
}


def check_command(call: Call) -> int:
    """Check models with calibrations and scenarios; every offender of every model is named."""
    workspace, screen = call.workspace, call.screen
    settings = parse(call.arguments)
    for key in settings:
        if key not in ("models", "calibration", "scenarios"):
            raise SettingError(f"twin check has no setting '{key}'. "
                               f"{options(key, ('models', 'calibration', 'scenarios'))}")
    problems: list[str] = []
    sound = []
    for name in settings.get("models", workspace.names("models")):
        try:
            network = workspace.network(name)
            for calibration in settings.get("calibration", ("nominal",)):
                workspace.calibration(calibration).apply(network)
            sound.append(checked(network, settings.get("scenarios"), workspace, problems))
        except ValueError as error:
            problems.append(str(error))
    if screen.as_json:
        screen.print_json({"sound": sound, "problems": "\n".join(problems).splitlines()})
    else:
        for model in sound:
            screen.say(f"{model['model']} is sound: {model['holds']}")
            screen.say(f"  plays   {', '.join(model['plays'])}")
            for other, lacking in model["lacks"].items():
                screen.say(f"  not for {other}: needs {', '.join(lacking)}")
    if problems:
        raise ValueError("\n".join(problems))
    return 0


def checked(network: Network, named: Sequence[str] | None, workspace: Workspace,
             problems: list[str]) -> dict[str, Any]:
    """What a model holds, which scenarios it plays, and what it lacks for the others."""
    plays: list[str] = []
    lacks: dict[str, list[str]] = {}
    names = named or workspace.names("scenarios")
    workspace.read_ahead("scenarios", names)
    for name in names:
        try:
            scenario = workspace.scenario(name)
            missing = unmet(scenario, network)
            if missing and named is None:
                lacks[name] = missing
            else:
                fit(scenario, network)
                plays.append(name)
        except ValueError as error:
            problems.append(str(error))
    sizes = {table: len(network.table(table)) for table in TABLES}
    holds = ", ".join(f"{count} {table}" for table, count in sizes.items() if count)
    return {"model": network.name, "holds": holds, "plays": plays, "lacks": lacks}


def models_command(call: Call) -> int:
    """List the models and calibrations."""
    call.take_nothing("models")
    workspace, screen = call.workspace, call.screen
    found = {group: {name: titled(content) for name, content in workspace.describe(group)}
             for group in ("models", "calibration")}
    if screen.as_json:
        screen.print_json(found)
        return 0
    for group, titles in found.items():
        screen.say(f"{group}=")
        width = max((len(name) for name in titles), default=0)
        for name, title in titles.items():
            screen.say(f"  {name:<{width}}  {title}")
    return 0


def scenarios_command(call: Call) -> int:
    """List the scenarios: what each means and needs."""
    call.take_nothing("scenarios")
    screen, found = call.screen, scenario_rows(call.workspace)
    if screen.as_json:
        screen.print_json(found)
        return 0
    width = max((len(str(row["name"])) for row in found), default=0)
    for row in found:
        needs = f" Needs {', '.join(row['needs'])}." if row["needs"] else ""
        screen.say(f"{row['name']:<{width}}  {row['means']}{needs}")
    return 0


def scenario_rows(workspace: Workspace) -> list[dict[str, Any]]:
    """Every what-if of a workspace: its name, what it means and needs."""
    found: list[dict[str, Any]] = []
    for name, content in workspace.describe("scenarios"):
        row: dict[str, Any] = {"name": name, "means": titled(content), "needs": []}
        if isinstance(content, dict):
            try:
                scenario = Scenario.from_document(name, content)
                row |= {"means": scenario.means, "needs": list(scenario.needs)}
            except ValueError as error:
                row["means"] = titled(str(error))
        found.append(row)
    return found


def titled(content: dict[str, object] | str) -> str:
    """The title of a document, or what is wrong with it."""
    if isinstance(content, str):
        return f"IS WRONG: {content.splitlines()[0]}"
    return str(content.get("title") or content.get("means") or "")
