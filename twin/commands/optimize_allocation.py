"""``twin optimize allocation``: what to make, order, move and hurry in the next weeks."""

from __future__ import annotations

from dataclasses import dataclass

from twin.commands.optimize_stocking import (
    FROM,
    MODEL,
    amount,
    count,
    opened,
    proposed,
    share,
)
from twin.commands.planning import leads_asked
from twin.commands.replay import PAIRS
from twin.commands.verbs import Call
from twin.network import Network
from twin.optimize.allocation import PERIOD_H
from twin.plan import Plan
from twin.scenario import Scenario
from twin.settings import KEYS, Key, SettingError, describe, duration, maybe, text, word
from twin.state import State

SETTINGS: dict[str, Key] = {key.name: key for key in (
    *MODEL, FROM, Key("weeks", "looked ahead", "26", count),
    Key("firm", "weeks of which orders are placed", "2", count),
    Key("leads", "lead times: as played from the state, with all waiting; or as the tables say",
        "played", word("played", "tables")),
    Key("region", "whose demand surges", "", maybe(text)),
    Key("surge", "factor on the demand of that region", "1", amount),
    Key("surge_weeks", "that the surge lasts", "8", count),
    Key("service", "target of shelves with neither a service level nor a backorder cost",
        "0.95", share),
    PAIRS, Key("window", "played against today's policies", "56d", duration), KEYS["seed"],
    KEYS["simulate.workers"])}

ABOUT = """\
twin optimize allocation [key=value ...]

Production, orders, transfers and expedites of the next weeks from the state of the chain, as the
cheapest flow over a rolling horizon; with the price of every limit that costs something. How long
goods take, waiting included, is played first. The plan is played against today's policies, and made
again whenever its firm weeks are over.
Writes plan.json, orders.csv and replay.csv.

  twin optimize allocation models=medicines
  twin optimize allocation models=medicines region=west_africa surge=2

""" + describe(SETTINGS)


def allocation_plan(call: Call) -> int:
    """Allocate, show, write."""
    asked, network, state = opened(call, SETTINGS, "optimize allocation")
    surge = {}
    if asked["region"] is not None:
        regions = sorted({row.region for row in network.demand.values() if row.region})
        if asked["region"] not in regions:
            raise SettingError(f"region '{asked['region']}' has no demand. There are "
                               f"{', '.join(regions) or 'none'}.")
        surge[asked["region"]] = (asked["surge"],) * asked["surge_weeks"]
    leads = leads_asked(call, asked, network, state) if asked["leads"] == "played" else {}
    planner = Allocator(network, asked["weeks"], asked["firm"], asked["service"],
                        0.0 if state is None else state.clock_h, surge, leads)
    return proposed(planner(state), call, asked, network, state, asked["window"],
                    planner=planner, every_h=asked["firm"] * PERIOD_H,
                    scenario=surged(asked["region"], asked["surge"], asked["surge_weeks"]))


@dataclass(frozen=True, slots=True)
class Allocator:
    """Allocates from any state, knowing of a surge that began with the first plan."""

    network: Network
    weeks: int
    firm: int
    service: float
    began_h: float
    surge: dict[str, tuple[float, ...]]
    leads: dict[tuple[str, str], float]

    def __call__(self, state: State | None) -> Plan:
        """The orders of the next weeks."""
        from twin.commands.planning import open_hours
        from twin.optimize.allocation import allocate

        gone = 0 if state is None else round((state.clock_h - self.began_h) / PERIOD_H)
        return allocate(self.network, state, periods=self.weeks, firm=self.firm,
                        surge={region: weeks[gone:] for region, weeks in self.surge.items()},
                        service=self.service, hours=open_hours(self.network), leads=self.leads)


def surged(region: str | None, factor: float, weeks: int) -> Scenario:
    """The surge as the simulation plays it."""
    if region is None or factor == 1.0:
        return Scenario.baseline()
    return Scenario(name="surge", events={"surge": {
        "type": "demand", "region": region, "factor": factor, "duration": f"{weeks * 7}d"}})
