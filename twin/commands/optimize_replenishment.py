"""``twin optimize replenishment``: policy parameters, tuned in the simulation."""

from __future__ import annotations

from twin.commands.optimize_stocking import MODEL, TUNING, answer, model_of, player, watcher
from twin.commands.replay import lines, shown
from twin.commands.verbs import Call
from twin.settings import Key, describe, read

SETTINGS: dict[str, Key] = {key.name: key for key in (*MODEL, *TUNING)}

ABOUT = """\
twin optimize replenishment [key=value ...]

Reorder points, order-up-to levels and safety stocks: textbook values, today's, and scales of
today's are played on common random numbers; replications go where they decide, and the winner is
confirmed on luck that the search never saw. What a plan costs is holding, orders, waste and what
is owed. Writes plan.json, cells.csv and replay.csv.

  twin optimize replenishment models=medicines
  twin optimize replenishment models=harbour horizon=90d budget=60

""" + describe(SETTINGS)


def replenishment_plan(call: Call) -> int:
    """Tune, show, write."""
    from twin.optimize.policy_parameters import policies_for
    from twin.optimize.tuning import table, tunable, tune

    asked = read(call.arguments, SETTINGS, "optimize replenishment")
    network = model_of(call, asked)
    if not tunable(network):
        return answer(policies_for(network, asked["service"]), call)
    unit = f"{network.currency}/d"
    found = tune(network, player(network, asked["horizon"], asked["simulate.workers"]),
                 seed=asked["seed"], service=asked["service"], budget=asked["budget"],
                 confirm=asked["confirm"], told=watcher(call.screen, unit))
    rows = shown(network, *found.tallies)
    return answer(found.plan, call, table(network, found), lines(rows, asked["horizon"]), rows)
