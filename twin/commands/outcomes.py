"""``twin outcomes``: what was promised, what happened, what ignored advice would have saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from twin.commands.show import Screen
from twin.commands.trials import as_heard
from twin.commands.verbs import Call
from twin.network import Network
from twin.operate.desk import Desk
from twin.operate.outcomes import GAIN, Happened, Outcome, months
from twin.operate.shared_promise import COST
from twin.sense.history import ledger_of
from twin.settings import KEYS as RUN_KEYS
from twin.settings import describe, read
from twin.store import Store

KEYS = {"models": RUN_KEYS["models"]}

ABOUT = {"outcomes": """\
twin outcomes [key=value ...]

Holds every recommendation whose horizon is over to its promise. Of what was taken: the money that
it saved (the twin's estimate of doing nothing, less what events tell), and whether cost and OTIF
fell into their 80 % band. Of what was rejected or left to expire: what the twin believes it would
have saved, marked as an estimate. By month and kind; the ladder of autonomy looks at the same.

  twin outcomes models=harbour

""" + describe(KEYS)}


def outcomes_command(call: Call) -> int:
    """Settle what is over, and tell all."""
    asked = read(call.arguments, KEYS, "outcomes")
    model = asked["models"]
    network, store = call.workspace.network(model), call.workspace.store(model)
    with Desk.open(call.workspace, model) as desk:
        with call.screen.working("Looking back"):
            desk.settle(happened(store, network))
        found, rungs = desk.outcomes(), desk.rungs()
    if call.screen.as_json:
        call.screen.print_json({
            "model": model, "outcomes": [asdict(one) for one in found],
            "months": [asdict(one) for one in months(found)],
            "rungs": {kind: {"rung": rung.value, "why": why}
                      for kind, (rung, why) in rungs.items()}})
        return 0
    show(found, network.currency, model, call.screen)
    for kind, (rung, why) in rungs.items():
        call.screen.say(f"{kind}: {rung.value} ({why.removesuffix('.')})")
    return 0


def happened(store: Store, network: Network) -> Happened:
    """What was heard between two times of the model, as KPIs."""
    frames: dict[str, Any] = {}

    def look(start_h: float, end_h: float) -> Mapping[str, float] | None:
        if "events" not in frames:
            frames["events"] = ledger_of(store.frame(), network.start).frame()
        events = frames["events"]
        inside = events[(events["time"] > start_h) & (events["time"] < end_h)]
        return as_heard(events, network, start_h, end_h) if len(inside) else None

    return look


def show(found: list[Outcome], currency: str, model: str, screen: Screen) -> None:
    """Each outcome, then months."""
    if not found:
        screen.say(f"No outcome of {model} is known yet: a promise is held against what was heard "
                   "when its horizon is over.")
        return
    table = _table("name", "kind", "what", f"promised, {currency}", f"saved, {currency}",
                   f"cost a day, {currency}", "its band", "")
    costs = {one.name: one for one in found if one.kpi == COST}
    for one in found:
        if one.kpi != GAIN:
            continue
        cost = costs.get(one.name)
        promised = f"{one.promised:,.0f} ({one.low:,.0f} to {one.high:,.0f})"
        if one.estimated or one.realised is None:
            table.add_row(one.name, one.kind, Text(one.title), promised, "", "", "",
                          "not taken: an estimate")
            continue
        kept = cost is not None and cost.realised is not None \
            and cost.low <= cost.realised <= cost.high
        table.add_row(
            one.name, one.kind, Text(one.title), promised, f"{one.realised:,.0f}",
            "" if cost is None else f"{cost.realised:,.0f}",
            "" if cost is None else f"{cost.low:,.0f} to {cost.high:,.0f}",
            Text("kept" if kept else "broken", style="green" if kept else "red"))
    screen.out.print(table)
    screen.say()
    table = _table("month", "kind", "taken", f"promised, {currency}", f"saved, {currency}",
                   "promises kept", "not taken", f"would have saved, {currency} (estimate)")
    for month in months(found):
        table.add_row(month.month, month.kind, str(month.taken), f"{month.promised:,.0f}",
                      f"{month.realised:,.0f}", str(month.kept), str(month.ignored),
                      f"{month.missed:,.0f}")
    screen.out.print(table)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        words = heading in ("name", "kind", "what", "month", "")
        table.add_column(heading, justify="left" if words else "right", overflow="fold")
    return table
