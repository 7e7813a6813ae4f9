"""The verbs of the command line: one entry each.

A new verb is a line in `GROUPS` and a module of `twin.commands` with two names: ``ABOUT[verb]``,
the text of ``twin VERB --help``, and ``VERB_command(call)``, which answers a `Call` with an exit
code. The module is imported when the verb is used, so that a line costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from twin.settings import SettingError

if TYPE_CHECKING:
    from twin.commands.show import Screen
    from twin.workspace import Workspace


@dataclass(frozen=True)
class Call:
    """What a verb is asked.

    Parameters
    ----------
    arguments
        The words after the verb: ``key=value`` settings, or names of files and folders.
    screen
        Where the answer goes.
    output
        The folder of results (``--output``).
    folder
        The folder of the workspace (``--workspace``), as given.
    """

    arguments: Sequence[str]
    screen: Screen
    output: Path
    folder: str | None = None

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace; it is looked for when a verb first asks for it."""
        from twin.workspace import Workspace

        return Workspace(self.folder)

    def take_nothing(self, verb: str) -> None:
        """Refuse words after a verb that has none."""
        if self.arguments:
            raise SettingError(f"twin {verb} takes no settings, not '{self.arguments[0][:60]}'.")


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: what it takes besides settings, what it does, its module, and flags of its own.

    A flag such as ``--by NAME`` reaches the verb as the setting ``by=NAME``.

    Examples
    --------
    >>> print(VERBS["check"].about().splitlines()[0])
    twin check [models=NAME] [scenarios=NAME] [calibration=NAME]
    """

    name: str
    takes: str
    meaning: str
    module: str
    flags: tuple[str, ...] = ()

    def about(self) -> str:
        """What ``twin VERB --help`` prints."""
        return str(import_module(f"twin.commands.{self.module}").ABOUT[self.name])

    def run(self, call: Call) -> int:
        """Answer the call; the exit code."""
        answer = getattr(import_module(f"twin.commands.{self.module}"), f"{self.name}_command")
        return cast("Callable[[Call], int]", answer)(call)


#: Every verb by what it is for, in the order of ``twin --help``.
GROUPS: dict[str, tuple[Verb, ...]] = {
    "Describe a chain": (
        Verb("init", "FOLDER", "a starter workspace to edit", "start"),
        Verb("import", "FORMAT SOURCE", "an export of an ERP or planning system as a model",
             "imports"),
        Verb("check", "", "is a model sound, and which scenarios can it play?", "look"),
        Verb("models", "", "which models and calibrations there are", "look"),
        Verb("scenarios", "", "which what-ifs there are, what each means and needs", "look"),
    ),
    "Try": (
        Verb("run", "", "play what-ifs on a model and compare them with the baseline", "play"),
        Verb("reproduce", "MANIFEST", "play a result again from its manifest.json", "play"),
    ),
    "Hear": (
        Verb("listen", "", "hear sensors and systems into the store of a model", "listen"),
        Verb("state", "", "what the twin knows now or then: each fact, its age, quality and source",
             "state"),
        Verb("alerts", "", "what somebody should look at, worst first", "alerts",
             ("by", "comment")),
        Verb("devices", "", "which devices may speak, and when each was last heard", "devices",
             ("by",)),
        Verb("trace", "", "where a lot came from, what touched it, and who has it", "trace"),
    ),
    "Learn": (
        Verb("calibrate", "", "learn the cells of a model from what was heard", "calibrate"),
        Verb("fidelity", "", "how good the twin's forecasts were, per place and horizon",
             "fidelity"),
    ),
    "Decide and act": (
        Verb("optimize", "KIND", "a plan from the present state: what to do, and how good it is",
             "optimize"),
        Verb("recommend", "", "what to do now, each plan played against doing nothing",
             "recommend"),
        Verb("watch", "", "recommend again and again, and push what waits", "recommend"),
        Verb("inbox", "", "what the twin advises, and what has become of it", "inbox"),
        Verb("show", "NAME", "one recommendation: what, why, how sure, held to what", "inbox"),
        Verb("approve", "NAME", "do it: decided by name, pushed once", "inbox", ("by",)),
        Verb("reject", "NAME", "do not do it, for a reason", "inbox", ("by", "reason")),
        Verb("undo", "NAME", "take an approved one back", "inbox", ("by",)),
        Verb("push", "", "send what waits to be sent", "inbox", ("by",)),
        Verb("outcomes", "", "what was promised, what happened, what ignored advice would have "
             "saved", "outcomes"),
        Verb("audit", "verify", "is the log of decisions whole? and the log for an auditor",
             "audit"),
    ),
    "Serve and govern": (
        Verb("serve", "", "the verbs over HTTP, and a page of the inbox", "serve"),
        Verb("tokens", "", "who may call the API, in which role, until when", "tokens", ("by",)),
        Verb("views", "", "what a supplier or customer sees of its own", "govern"),
        Verb("retain", "", "delete telemetry that is older than agreed", "govern"),
        Verb("forget", "NAME", "erase a person's name from the log", "govern", ("by",)),
    ),
    "Practise": (
        Verb("rehearse", "", "an operation to listen to, with hidden parameters and planted faults",
             "rehearse"),
        Verb("loop", "", "the closed loop: an operation with a twin, and the same one without",
             "loop"),
    ),
}
VERBS = {verb.name: verb for group in GROUPS.values() for verb in group}


def overview() -> str:
    """The lines of ``twin --help``: a heading a group, one line a verb.

    Examples
    --------
    >>> print("\\n".join(overview().splitlines()[:2]))
    Describe a chain
      twin init FOLDER           a starter workspace to edit
    """
    return "\n".join(title + "\n" + "".join(
        f"  {f'twin {verb.name} {verb.takes}':<27}{verb.meaning}\n" for verb in group)
        for title, group in GROUPS.items())
