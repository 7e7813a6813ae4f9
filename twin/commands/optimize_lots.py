"""``twin optimize lots``: how much a plant makes of what and when, under sampled demand."""

from __future__ import annotations

from dataclasses import dataclass

from twin.commands.optimize_stocking import FROM, MODEL, count, opened, period, proposed, share
from twin.commands.replay import PAIRS
from twin.commands.verbs import Call
from twin.network import Network
from twin.plan import Plan
from twin.settings import KEYS, Key, describe, duration
from twin.state import State

SETTINGS: dict[str, Key] = {key.name: key for key in (
    *MODEL, FROM, Key("period", "length of a period", "7d", period),
    Key("periods", "looked ahead", "12", count),
    Key("firm", "periods of which lots are ordered; then it is planned anew", "2", count),
    Key("scenarios", "sampled demands", "20", count),
    Key("service", "target of shelves with neither a service level nor a backorder cost", "0.95",
        share),
    Key("limit", "work of a plan, and its hard limit by the clock", "5s", duration), PAIRS,
    Key("window", "played against today's policies", "28d", duration), KEYS["seed"],
    KEYS["simulate.workers"])}

ABOUT = """\
twin optimize lots [key=value ...]

Lots of all products that a plant makes for its own shelves, where they share a work centre: the
cheapest in set-ups, holding and what is owed, on average over sampled demands and within the hours
that there are. Two solvers race for the plan and its bound. It is played against today's policies,
and planned again whenever its firm periods are over. Writes plan.json, orders.csv and replay.csv.

  twin optimize lots models=medicines
  twin optimize lots models=harbour scenarios=50 pairs=10

""" + describe(SETTINGS)


def lots_plan(call: Call) -> int:
    """Choose lots, show, write."""
    asked, network, state = opened(call, SETTINGS, "optimize lots")
    planner = LotPlanner(network, asked["period"], asked["periods"], asked["firm"],
                         asked["scenarios"], asked["service"], asked["limit"] * 3600.0,
                         asked["seed"])
    with call.screen.working("Choosing lots"):
        plan = planner(state)
    return proposed(plan, call, asked, network, state, asked["window"],
                    planner=planner, every_h=asked["firm"] * asked["period"])


@dataclass(frozen=True, slots=True)
class LotPlanner:
    """Chooses lots from any state."""

    network: Network
    period_h: float
    periods: int
    firm: int
    scenarios: int
    service: float
    seconds: float
    seed: int

    def __call__(self, state: State | None) -> Plan:
        """The lots of the next periods."""
        from twin.commands.planning import open_hours
        from twin.optimize.lots import plan_lots

        return plan_lots(self.network, state, periods=self.periods, period_h=self.period_h,
                         firm=self.firm, scenarios=self.scenarios, service=self.service,
                         seconds=self.seconds, seed=self.seed, hours=open_hours(self.network))
