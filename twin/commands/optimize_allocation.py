"""``twin optimize allocation``: what to make, order, move and hurry in the next weeks."""

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
from twin.settings import KEYS, Key, SettingError, describe, maybe, read, text

SETTINGS: dict[str, Key] = {key.name: key for key in (
    *MODEL, FROM, Key("weeks", "looked ahead", "26", count),
    Key("firm", "weeks of which orders are placed", "2", count),
    Key("region", "whose demand surges", "", maybe(text)),
    Key("surge", "factor on the demand of that region", "1", amount),
    Key("surge_weeks", "that the surge lasts", "8", count),
    Key("service", "stands for the backorder cost of shelves that have none", "0.95", share),
    KEYS["seed"])}

ABOUT = """\
twin optimize allocation [key=value ...]

Production, orders, transfers and expedites of the next weeks from the state of the chain, as the
cheapest flow over a rolling horizon; with the price of every limit that costs something. Writes
plan.json and orders.csv.

  twin optimize allocation models=medicines
  twin optimize allocation models=medicines region=west_africa surge=2

""" + describe(SETTINGS)


def allocation_plan(call: Call) -> int:
    """Allocate, show, write."""
    from twin.optimize.allocation import allocate

    asked = read(call.arguments, SETTINGS, "optimize allocation")
    network = model_of(call, asked)
    surge = {}
    if asked["region"] is not None:
        regions = sorted({row.region for row in network.demand.values() if row.region})
        if asked["region"] not in regions:
            raise SettingError(f"region '{asked['region']}' has no demand. There are "
                               f"{', '.join(regions) or 'none'}.")
        surge[asked["region"]] = (asked["surge"],) * asked["surge_weeks"]
    return answer(allocate(
        network, state_of(asked["from"], network, asked["seed"]), periods=asked["weeks"],
        firm=asked["firm"], surge=surge, service=asked["service"]), call)
