"""``twin optimize all``: stock, dispatch, services and flows together, replayed against today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twin.commands.optimize_stocking import (
    FROM,
    MODEL,
    TUNING,
    answer,
    model_of,
    player,
    state_of,
    watcher,
)
from twin.commands.verbs import Call
from twin.network import Network
from twin.plan import Answer, Plan, Reason, Status
from twin.result import Result
from twin.settings import Key, describe, read

SETTINGS: dict[str, Key] = {key.name: key for key in (*MODEL, FROM, *TUNING)}

ABOUT = """\
twin optimize all [key=value ...]

Policy parameters, dispatch rules and ages of service, each tuned, then together played against
today's policies on luck that no search saw: at least 30 pairs, every headline figure with its
interval. Orders of the next weeks and service slots from the current state come with it. Writes
plan.json, cells.csv, orders.csv, services.csv.

  twin optimize all models=medicines
  twin optimize all models=workshop horizon=180d

""" + describe(SETTINGS)

_SEED_APART = 2_000_003  #: of the luck of the replay from that of all searches


def all_plan(call: Call) -> int:
    """Plan everything, replay it, show, write."""
    from twin.optimize.allocation import allocate
    from twin.optimize.maintenance import maintain
    from twin.optimize.tuning import tunable, tune
    from twin.optimize.tuning_rules import rule_settings, tune_rules

    asked = read(call.arguments, SETTINGS, "optimize all")
    network = model_of(call, asked)
    state = state_of(asked["from"], network, asked["seed"])
    play = player(network, asked["horizon"], asked["simulate.workers"])
    parts: list[Plan] = []
    if tunable(network):
        parts.append(tune(network, play, seed=asked["seed"], service=asked["service"],
                          budget=asked["budget"], confirm=max(5, asked["confirm"] // 3),
                          told=watcher(call.screen, f"{network.currency}/d")).plan)
        parts.append(allocate(network, state, service=asked["service"]))
    if len(rule_settings(network)) > 1:
        parts.append(tune_rules(network, play, seed=asked["seed"], budget=asked["budget"],
                                confirm=max(5, asked["confirm"] // 3),
                                told=watcher(call.screen, "h late/d"))[0])
    if network.failures:
        parts.append(maintain(network, state, service=asked["service"]))
    cells = {cell: value for part in parts for cell, value in part.cells.items()}
    result = replayed(network, cells, asked["horizon"], max(30, asked["confirm"]),
                      asked["seed"] + _SEED_APART, asked["simulate.workers"])
    plan = joined(network, parts, cells, result)
    lines = [f"  {row.kpi:<22} today {row.base:>14,.4g}   change {row.difference:>12,.4g} "
             f"({row.low:,.4g} to {row.high:,.4g})  {row.verdict}"
             for row in _headline(result)]
    rows = [{"cell": cell, "today": getattr(network.table(at[0])[at[1]], at[2]),
             "proposed": value} for cell, value in cells.items() for at in (network.find(cell),)]
    return answer(plan, call, rows, lines)


def replayed(network: Network, cells: dict[str, str], horizon_h: float, pairs: int, seed: int,
             workers: int | None) -> Result | None:
    """Today's policies and the plan's on the same luck; None where nothing would change."""
    from twin.experiment import run
    from twin.scenario import Scenario

    if not cells:
        return None
    return run(network, {"plan": Scenario(name="plan", settings=cells)}, horizon=horizon_h,
               replications=pairs, seed=seed, workers=workers)


class _Row:
    """One headline figure of the replay."""

    def __init__(self, kpi: str, base: float, difference: float, low: float, high: float,
                 verdict: str) -> None:
        self.kpi, self.base, self.difference = kpi, base, difference
        self.low, self.high, self.verdict = low, high, verdict


def _headline(result: Result | None) -> Sequence[_Row]:
    if result is None:
        return []
    frame = result.headline
    base = frame[frame["scenario"] == "baseline"].set_index("kpi")["mean"]
    plan = frame[frame["scenario"] == "plan"]
    return [_Row(row["kpi"], float(base.get(row["kpi"], float("nan"))), float(row["difference"]),
                 float(row["difference_low"]), float(row["difference_high"]), str(row["verdict"]))
            for _, row in plan.iterrows()]


def joined(network: Network, parts: Sequence[Plan], cells: dict[str, str],
           result: Result | None) -> Plan:
    """One plan of all parts, with what the replay showed first among its reasons."""
    shown = tuple(Reason("binding", row.kpi, f"against today {row.difference:+,.4g} "
                         f"({row.low:,.4g} to {row.high:,.4g}): {row.verdict}")
                  for row in _headline(result))
    if result is None:
        shown = (Reason("why_not", network.name, "no change of a policy was shown to be better: "
                        "today's stay"),)
    reasons = (*shown, *(reason for part in parts for reason in part.answer.reasons))
    rows = {row.kpi: row for row in _headline(result)}
    cost = rows.get("total_cost")
    answer = Answer(Status.FEASIBLE, unit=f"{network.currency}/d", engine="all, replayed",
                    seconds=sum(part.answer.seconds for part in parts), stopped_by="work",
                    objective=cost.base + cost.difference if cost else None,
                    start=cost.base if cost else None, reasons=reasons)
    first = parts[0] if parts else Plan("all", network.name, 0.0, answer)
    return replace(first, kind="all", answer=answer, cells=cells,
                   made_h=max((part.made_h for part in parts), default=0.0),
                   orders=tuple(order for part in parts for order in part.orders),
                   services=tuple(one for part in parts for one in part.services),
                   state_digest=next((p.state_digest for p in parts if p.state_digest), ""))
