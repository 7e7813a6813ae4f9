"""``twin optimize maintenance``: when to service which machine, and spare parts."""

from __future__ import annotations

from twin.commands.optimize_stocking import (
    FROM,
    MODEL,
    amount,
    answer,
    count,
    model_of,
    share,
    state_of,
)
from twin.commands.verbs import Call
from twin.settings import KEYS, Key, describe, maybe, read

SETTINGS: dict[str, Key] = {key.name: key for key in (
    *MODEL, FROM, Key("days", "looked ahead", "60", count),
    Key("visit_cost", "of a crew's coming, once for all that it services then", "0", amount),
    Key("hour_value", "of an hour of standstill; blank: the machine's own cost per hour", "",
        maybe(amount)),
    Key("service", "chance that a spare part is there when it is needed", "0.95", share),
    KEYS["seed"])}

ABOUT = """\
twin optimize maintenance [key=value ...]

Services of the next days from life laws, ages, costs and crews, grouped where a common visit is
cheaper; ages of service and stocks of spare parts as cells. Writes plan.json and services.csv.

  twin optimize maintenance models=medicines visit_cost=200

""" + describe(SETTINGS)


def maintenance_plan(call: Call) -> int:
    """Place services, show, write."""
    from twin.optimize.maintenance import maintain

    asked = read(call.arguments, SETTINGS, "optimize maintenance")
    network = model_of(call, asked)
    plan = maintain(network, state_of(asked["from"], network, asked["seed"]), days=asked["days"],
                    visit_cost=asked["visit_cost"], hour_value=asked["hour_value"],
                    service=asked["service"])
    return answer(plan, call, [{"cell": cell, "today": getattr(network.table(at[0])[at[1]], at[2]),
                                "proposed": value}
                               for cell, value in plan.cells.items()
                               for at in (network.find(cell),)])
