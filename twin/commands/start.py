"""``twin init``: a workspace to edit."""

from __future__ import annotations

import shutil
from pathlib import Path

from twin.commands.verbs import Call
from twin.settings import SettingError
from twin.workspace import starter

_README = """\
# Our chain

A workspace of the twin: a supply chain in tables, what was learned about it, and what-ifs.

| folder | holds |
|---|---|
| `models/` | `NAME.yaml` and a folder `NAME/` of CSV tables: one file a table |
| `calibration/` | learned values that replace cells; `nominal` replaces none |
| `scenarios/` | what-ifs, one file each |

Begin with the model `harbour`, a small chain that uses every table once:

    twin check models=harbour
    twin run models=harbour scenarios=demand_spike,port_closure horizon=90d replications=10

Then copy `models/harbour.yaml` and `models/harbour/` under a name of your own, and edit the tables.
You need four of them (sites, products, lanes, demand); every other one has a default. `twin check`
names every offender with file, row, value and remedy.
"""


ABOUT = {
    "init": """\
twin init FOLDER

Copies a starter workspace: the model harbour, the scenarios, the nominal calibration and a README.
The folder must be new or empty.

  twin init our-chain
""",
}


def init_command(call: Call) -> int:
    """Copy a starter workspace into a folder that is empty or not there yet."""
    if len(call.arguments) != 1:
        raise SettingError(f"twin init takes one FOLDER, not {len(call.arguments)}. "
                           "See twin init --help.")
    folder, screen = Path(call.arguments[0]).expanduser(), call.screen
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"'{folder}' is not an empty folder. Name a new one: twin init "
                             "our-chain.")
        source = starter()
        for group in ("scenarios", "calibration"):
            shutil.copytree(source / group, folder / group, ignore=_only_documents)
        shutil.copytree(source / "models" / "harbour", folder / "models" / "harbour",
                        ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        shutil.copy(source / "models" / "harbour.yaml", folder / "models" / "harbour.yaml")
        if (source / "models" / "README.md").is_file():
            shutil.copy(source / "models" / "README.md", folder / "models" / "README.md")
        (folder / "README.md").write_text(_README, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"'{folder}' cannot be written: {error.strerror}. Name another "
                         "folder.") from None
    screen.say(f"A workspace is in {folder}: models/harbour, {len(_names(folder))} scenarios and "
               "the nominal calibration.")
    screen.say(f"Try: cd {folder} && twin run models=harbour horizon=90d replications=10")
    return 0


def _only_documents(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith((".yaml", ".csv", ".md"))]


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "scenarios").glob("*.yaml"))
