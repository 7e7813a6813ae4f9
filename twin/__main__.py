"""The command line: ``twin VERB key=value ... --flag``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin.commands import Unanswered
from twin.settings import KEYS, SettingError, options

VERBS = ("run", "check", "init", "models", "scenarios", "reproduce")

_HELP = """\
twin: a digital twin of a supply chain

  twin run                 play what-ifs on a model and compare them with the baseline
  twin check               is a model sound, and which scenarios can it play?
  twin init FOLDER         a starter workspace to edit
  twin models              which models and calibrations there are
  twin scenarios           which what-ifs there are, what each means and needs
  twin reproduce MANIFEST  play a result again from its manifest.json

Flags: --workspace FOLDER, --output FOLDER, --json, --quiet, --help, --version
Try:   twin run --help
"""

_ABOUT = {
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

""",
    "check": """\
twin check [models=NAME] [scenarios=NAME] [calibration=NAME]

Reads models and names every offender with file, row, value and remedy; says which scenarios the
model can play. Without settings it checks every model.

  twin check
  twin check models=harbour
  twin check models=mine --workspace ~/our-chain
""",
    "init": """\
twin init FOLDER

Copies a starter workspace: the model harbour, the scenarios, the nominal calibration and a README.
The folder must be new or empty.

  twin init our-chain
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
    "reproduce": """\
twin reproduce MANIFEST [simulate.workers=N]

Plays a result again from its manifest.json and says whether every figure is the same: 0 if it is,
1 if not.

  twin reproduce outputs/latest/manifest.json
""",
}


@dataclass
class _Line:
    """A command line taken apart: the verb, its arguments, the flags."""

    verb: str = ""
    arguments: list[str] = field(default_factory=list)
    workspace: str | None = None
    output: str = "outputs"
    as_json: bool = False
    quiet: bool = False
    wants_help: bool = False
    wants_version: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 answered, 2 the input is wrong, 1 anything else."""
    try:
        line = _read(list(sys.argv[1:] if arguments is None else arguments))
        code = _perform(line)
        sys.stdout.flush()
        return code
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except Unanswered as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except Exception as error:
        if os.environ.get("TWIN_TRACEBACK"):
            raise
        reason = " ".join(str(error).split())[:500]
        print(f"This should not have happened: {type(error).__name__}: {reason}\n"
              "Please report it, with what TWIN_TRACEBACK=1 shows.", file=sys.stderr)
        return 1


def _read(arguments: list[str]) -> _Line:
    """Flags may stand anywhere; the first other word is the verb."""
    line = _Line()
    words = iter(arguments)
    for word in words:
        flag, equals, value = word.partition("=")
        if flag in ("--workspace", "--output"):
            value = value if equals else next(words, "")
            if not value or value.startswith("-"):
                raise SettingError(f"{flag} names no folder. Write {flag} FOLDER.")
            setattr(line, flag[2:], value)
        elif word == "--json":
            line.as_json = True
        elif word in ("--quiet", "-q"):
            line.quiet = True
        elif word in ("--help", "-h"):
            line.wants_help = True
        elif word == "--version":
            line.wants_version = True
        elif word.startswith("-"):
            raise SettingError(f"there is no flag '{word[:60]}'. " + options(
                word, ("--workspace", "--output", "--json", "--quiet", "--help", "--version")))
        elif not line.verb:
            if word not in VERBS:
                raise SettingError(f"there is no verb '{word[:60]}'. {options(word, VERBS)}")
            line.verb = word
        else:
            line.arguments.append(word)
    return line


def _perform(line: _Line) -> int:
    if line.wants_version:
        from importlib.metadata import version

        print(f"twin {version('twin')}")
        return 0
    if line.wants_help or not line.verb:
        print(_ABOUT[line.verb] + (_keys() if line.verb == "run" else "") if line.verb else _HELP,
              end="")
        return 0
    from twin.commands.show import Screen

    screen = Screen(as_json=line.as_json, quiet=line.quiet)
    if line.verb == "init":
        from twin.commands.start import init_command

        return init_command(Path(_one(line, "FOLDER")).expanduser(), screen)
    from twin.workspace import Workspace

    workspace = Workspace(line.workspace)
    if line.verb == "run":
        from twin.commands.play import run_command

        return run_command(line.arguments, workspace, screen, Path(line.output).expanduser())
    if line.verb == "reproduce":
        from twin.commands.play import reproduce_command

        if not line.arguments:
            raise SettingError("twin reproduce takes a MANIFEST. See twin reproduce --help.")
        file = Path(line.arguments[0]).expanduser()
        return reproduce_command(file, line.arguments[1:], workspace, screen)
    from twin.commands.look import check_command, models_command, scenarios_command

    if line.verb == "check":
        return check_command(line.arguments, workspace, screen)
    if line.arguments:
        raise SettingError(f"twin {line.verb} takes no settings, not '{line.arguments[0][:60]}'.")
    return (models_command if line.verb == "models" else scenarios_command)(workspace, screen)


def _one(line: _Line, what: str) -> str:
    if len(line.arguments) != 1:
        raise SettingError(f"twin {line.verb} takes one {what}, not {len(line.arguments)}. "
                           f"See twin {line.verb} --help.")
    return line.arguments[0]


def _keys() -> str:
    width = max(len(name) for name in KEYS)
    lines = [f"  {key.name:<{width}}  {key.meaning}" + (f" [{key.default}]" if key.default else "")
             for key in KEYS.values()]
    lines += [f"  {'events.NAME.KEY':<{width}}  a key of an event of the chosen scenarios",
              f"  {'table[key].column':<{width}}  a cell of the model, played beside the model as "
              "it is"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
