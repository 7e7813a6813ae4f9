"""The command line: ``twin VERB key=value ... --flag``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin.commands import Unanswered
from twin.commands.verbs import VERBS, Call, overview
from twin.settings import SettingError, options

_HELP = """\
twin: a digital twin of a supply chain

{verbs}
Flags: --workspace FOLDER, --output FOLDER, --json, --quiet, --help, --version
Try:   twin run --help
"""


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
        elif line.verb and flag.startswith("--") and flag[2:] in VERBS[line.verb].flags:
            line.arguments.append(f"{flag[2:]}={value if equals else next(words, '')}")
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
        print(VERBS[line.verb].about() if line.verb else _HELP.format(verbs=overview()), end="")
        return 0
    from twin.commands.show import Screen

    screen = Screen(as_json=line.as_json, quiet=line.quiet)
    return VERBS[line.verb].run(
        Call(line.arguments, screen, Path(line.output).expanduser(), line.workspace))


if __name__ == "__main__":
    sys.exit(main())
