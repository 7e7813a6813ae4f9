"""``twin optimize maintenance``: when to service which machine, and spare parts."""

from __future__ import annotations

from twin.commands.optimize_stocking import (
    FROM,
    MODEL,
    amount,
    count,
    opened,
    proposed,
    share,
)
from twin.commands.replay import PAIRS
from twin.commands.verbs import Call
from twin.settings import KEYS, Key, describe, maybe

SETTINGS: dict[str, Key] = {key.name: key for key in (
    *MODEL, FROM, Key("days", "looked ahead", "60", count),
    Key("visit_cost", "of a crew's coming, once for all that it services then", "0", amount),
    Key("hour_value", "of an hour of standstill; blank: the machine's own cost per hour", "",
        maybe(amount)),
    Key("service", "chance that a spare part is there when it is needed", "0.95", share),
    PAIRS, KEYS["seed"], KEYS["simulate.workers"])}

ABOUT = """\
twin optimize maintenance [key=value ...]

Services of the next days from life laws, ages, costs and crews, grouped where a common visit is
cheaper; ages of service and stocks of spare parts as cells. The plan is played against today's
ages of service. Writes plan.json, services.csv and replay.csv.

  twin optimize maintenance models=medicines visit_cost=200

""" + describe(SETTINGS)


def maintenance_plan(call: Call) -> int:
    """Place services, show, write."""
    from twin.optimize.maintenance import maintain

    asked, network, state = opened(call, SETTINGS, "optimize maintenance")
    plan = maintain(network, state, days=asked["days"], visit_cost=asked["visit_cost"],
                    hour_value=asked["hour_value"], service=asked["service"])
    return proposed(plan, call, asked, network, state, asked["days"] * 24.0)
