"""``twin optimize KIND``: plans from a state, in seconds. Each kind of plan is a line of a table.

A new kind is a line in `KINDS` and a module of `twin.commands` with two names: ``ABOUT``, the text
of ``twin optimize KIND --help``, and ``KIND_plan(call)``, which answers a `Call` (without the word
of the kind) with an exit code. The module is imported when the kind is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import cast

from twin.commands.verbs import Call
from twin.settings import SettingError, options


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of plan, and the module of `twin.commands` that makes it."""

    name: str
    meaning: str
    module: str

    def about(self) -> str:
        """What ``twin optimize KIND`` says about itself."""
        return str(import_module(f"twin.commands.{self.module}").ABOUT)

    def run(self, call: Call) -> int:
        """Make the plan; the exit code."""
        answer = getattr(import_module(f"twin.commands.{self.module}"), f"{self.name}_plan")
        return cast("Callable[[Call], int]", answer)(call)


#: Every kind of plan, in the order of ``twin optimize --help``.
KINDS = {kind.name: kind for kind in (
    Kind("schedule", "which machine works on which lot when", "optimize_schedule"),
    Kind("replenishment", "reorder points and levels, tuned in the simulation",
         "optimize_replenishment"),
    Kind("lots", "how much a plant makes of what and when, under sampled demand", "optimize_lots"),
    Kind("allocation", "what to make, order, move and hurry in the next weeks",
         "optimize_allocation"),
    Kind("maintenance", "when to service which machine, and spare parts", "optimize_maintenance"),
    Kind("all", "all of it together, replayed against today's policies", "optimize_all"),
    Kind("routes", "which truck calls where, in which order", "optimize_routes"),
)}

ABOUT = {"optimize": """\
twin optimize KIND [key=value ...]

Makes a plan from a state of the chain, in seconds: what to do, how good it is, how good it could
be at best, and why it is as it is. Everything goes to outputs/<time>-<model>-<kind>/.

""" + "".join(f"  {kind.name:<14}{kind.meaning}\n" for kind in KINDS.values()) + """
  twin optimize schedule models=workshop limit=10s
  twin optimize schedule help                                  the keys of a kind
"""}


def optimize_command(call: Call) -> int:
    """Make a plan of the kind that the first word names."""
    kinds = [word for word in call.arguments if "=" not in word and word != "help"]
    if not kinds:
        raise SettingError(f"twin optimize needs a kind of plan. {options('', KINDS)}")
    if len(kinds) > 1 or kinds[0] not in KINDS:
        raise SettingError(f"there is no kind of plan '{kinds[-1][:60]}'. "
                           f"{options(kinds[-1], KINDS)}")
    kind = KINDS[kinds[0]]
    if "help" in call.arguments:
        call.screen.say(kind.about().rstrip())
        return 0
    rest = [word for word in call.arguments if word != kind.name]
    return kind.run(replace(call, arguments=rest))
