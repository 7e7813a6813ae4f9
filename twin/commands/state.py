"""``twin state``: what the twin knows about a chain at one moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from twin.clock import parse_duration, parse_moment
from twin.commands import Unanswered
from twin.commands.arrivals import REPLICATIONS, foreseen
from twin.commands.folding import folding
from twin.commands.rules import SimulationRules
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.knowledge import SUBJECTS, Fact, Knowledge
from twin.network import Network
from twin.readings import format_instant
from twin.sense.knowledge import begin, know
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, options, parse, read, text, whole, word
from twin.state import State
from twin.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from twin.measure.situation import Mover, Shelf

STATE_KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("at", "now, a date such as 2026-05-12T06:00, or a time ago such as -3d", "now", text),
    Key("clock", "what now is: the last reading heard (store) or the clock on the wall",
        "store", word("store", "wall")),
    Key("arrivals", "replications that foresee when open orders come; 0 asks the tables alone",
        f"{REPLICATIONS}", whole(0, 10_000)),
    Key("only", f"kinds of subject, separated by commas: {', '.join(SUBJECTS)}", "all", text),
)}

ABOUT = {"state": """\
twin state [key=value ...]

What the twin knows at a moment, from everything heard before it: stock and lots, work in process,
machines, trucks, shipments and open orders, each fact with its age, its quality and its source.
Shipments and orders say when they are expected (as likely earlier as later, with an 80 % interval
from 10 % to 90 %) and how likely they come late. What is under way and was seen comes as its
position tells; every other order as replications from the present state have it, which foresee
that it waits for machines, trucks, docks and goods that nobody has ordered yet.
What was seen (counts, sightings) is held against what systems have booked; differences that nobody
can explain stand on top. Writes state.json, from which 'twin run from=...' goes on, knowledge.json
and state.png into outputs/<model>-state/.

  twin state models=harbour
  twin state models=harbour at=-3d only=stock,truck
  twin state models=medicines at=2012-03-01 --json

""" + describe(STATE_KEYS)}

_SHOWN = 60
_PLURALS = {f"{name}s": name for name in SUBJECTS} | {"stocks": "stock"}


def state_command(call: Call) -> int:
    """Say what is known, and write it down."""
    only = [argument for argument in call.arguments if argument.strip().startswith("only=")]
    settings = read([argument for argument in call.arguments if argument not in only],
                    STATE_KEYS, "state")
    kinds = _kinds(only)
    model = settings["models"]
    network = call.workspace.network(model)
    store = call.workspace.store(model)
    at = moment(settings["at"], store, wall=settings["clock"] == "wall")
    with folding(call.screen) as show_days:
        knowledge, state = sensed(store, network, at, told=show_days)
    with call.screen.progress("When orders come") as show_done:
        knowledge = foreseen(knowledge, state, network, replications=settings["arrivals"],
                             told=show_done)
    folder = call.output / f"{model}-state"
    write(knowledge, state, network, folder)
    if call.screen.as_json:
        call.screen.print_json({
            "model": model, "at": format_instant(at), "digest": knowledge.digest(),
            "readings": knowledge.readings, "files": str(folder),
            "differences": [asdict(row) for row in knowledge.differences],
            "facts": [asdict(fact) for fact in knowledge.select(kinds)]})
        return 0
    show(knowledge, kinds, call.screen)
    call.screen.note(f"{folder}: state.json, knowledge.json, state.png. Go on from it with "
                     f"'twin run models={model} from={folder / 'state.json'}'.")
    return 0


def sensed(readings: Store | pd.DataFrame, network: Network, at: float, *,
           checkpoints: bool = True,
           told: Callable[[int, int], None] | None = None) -> tuple[Knowledge, State]:
    """What is known at a moment, and the state from which a simulation goes on.

    Parameters
    ----------
    readings
        A store, or a table of readings.
    at
        Seconds since 1970-01-01 UTC.
    told
        Called with days folded and days to fold, as they are.
    """
    rules, fresh = SimulationRules(network), fresh_state(network)
    knowledge = know(readings, network, at, rules=rules, fresh=fresh, checkpoints=checkpoints,
                     told=told)
    return knowledge, begin(knowledge, network, rules=rules, fresh=fresh)


def fresh_state(network: Network) -> State:
    """The state of a network that has just begun."""
    from twin.ledger import Ledger
    from twin.scenario import Scenario
    from twin.simulate import play

    state = play(network, Scenario.baseline(), horizon_h=0.0, save_at=0.0, ledger=Ledger()).state
    assert state is not None
    return state


def moment(value: str, store: Store, *, wall: bool = False) -> float:
    """The moment that a setting says, seconds since 1970-01-01 UTC.

    Raises
    ------
    SettingError
        If it is neither now, a date nor a time ago.
    Unanswered
        If now is the last reading heard, and nothing was heard yet.
    """
    if value == "now" or value.startswith("-"):
        now = time.time() if wall else store.watermark()
        if now is None:
            raise Unanswered(f"{store.folder} holds no readings yet. Hear some with 'twin listen', "
                             "or ask with clock=wall.")
        if value == "now":
            return now if wall else now + 1e-3  # the last reading counts, too
        try:
            return now - parse_duration(value[1:]) * 3600.0
        except ValueError as error:
            raise SettingError(f"at {error}") from None
    try:
        return parse_moment(value).timestamp()
    except ValueError:
        raise SettingError(f"at '{value[:40]}' is no moment. Write now, a date such as "
                           "2026-05-12T06:00, or a time ago such as -3d.") from None


def _kinds(arguments: list[str]) -> list[str]:
    """The kinds of subject that `only` names."""
    values = parse(arguments).get("only", ("all",)) if arguments else ("all",)
    if values == ("all",):
        return list(SUBJECTS)
    wanted = [_PLURALS.get(value, value) for value in values]
    wrong = [value for value in wanted if value not in SUBJECTS]
    if wrong:
        raise SettingError(f"only: '{wrong[0][:40]}' is unknown. {options(wrong[0], SUBJECTS)}")
    return wanted


# -- what a person sees --------------------------------------------------------------------------


def show(knowledge: Knowledge, kinds: list[str], screen: Screen) -> None:
    """Print differences on top, then the facts, one table a kind."""
    screen.say(f"{knowledge.model} at {format_instant(knowledge.at)}: {len(knowledge.facts):,} "
               f"facts from {knowledge.readings:,} readings.")
    flagged = [row for row in knowledge.differences if row.flagged]
    if flagged:
        screen.out.print(_differences(knowledge, flagged))
    explained = len(knowledge.differences) - len(flagged)
    if explained:
        screen.say(f"{_many(explained, 'difference')} between what was seen and what was booked "
                   "can be explained.")
    for kind in kinds:
        facts = knowledge.select([kind])
        if facts:
            screen.out.print(_table(kind, facts[:_SHOWN]))
        if len(facts) > _SHOWN:
            screen.say(f"... and {len(facts) - _SHOWN:,} facts more in knowledge.json.")


def _differences(knowledge: Knowledge, rows: list[Any]) -> Table:
    table = Table(title="Look at these: what was seen is not what was booked",
                  title_justify="left")
    for name in ("where", "product", "seen", "booked", "units", "explanation", "evidence", "age",
                 "source"):
        table.add_column(name, justify="right" if name in ("seen", "booked", "units") else "left")
    for row in rows:
        table.add_row(*map(escape, (
            row.site, row.product, f"{row.seen:,.6g}", f"{row.booked:,.6g}", f"{row.units:+,.6g}",
            row.explanation, row.detail, _age((knowledge.at - row.time) / 3600.0), row.source)))
    return table


def _table(kind: str, facts: tuple[Fact, ...]) -> Table:
    table = Table(title=f"{kind}: {SUBJECTS[kind]}", title_justify="left")
    for name in ("subject", "fact", "value", "age", "quality", "source", "readings"):
        table.add_column(name, justify="right" if name in ("value", "readings") else "left")
    last = ""
    for fact in facts:
        subject = "" if fact.subject == last else fact.subject
        last = fact.subject
        table.add_row(escape(subject), fact.attribute, escape(_value(fact)), _age(fact.age_h),
                      fact.quality, escape(fact.source), f"{fact.readings:,}")
    return table


def _value(fact: Fact) -> str:
    if isinstance(fact.value, str):
        return fact.value
    if fact.unit == "h":
        return ("-" if fact.value < 0 else "") + _age(abs(fact.value))
    return f"{fact.value:,.6g} {fact.unit}".strip()


def _age(hours: float) -> str:
    if hours != hours:
        return "?"
    minutes = round(hours * 60.0)
    days, rest = divmod(minutes, 24 * 60)
    if days:
        return f"{days}d {rest // 60}h"
    return f"{rest // 60}h {rest % 60:02}min" if rest >= 60 else f"{rest}min"


# -- files ---------------------------------------------------------------------------------------


def write(knowledge: Knowledge, state: State, network: Network, folder: Path) -> None:
    """Write state.json, knowledge.json and state.png."""
    folder.mkdir(parents=True, exist_ok=True)
    state.write(folder / "state.json")
    knowledge.write(folder / "knowledge.json")
    picture(knowledge, network).savefig(folder / "state.png", dpi=110)


def picture(knowledge: Knowledge, network: Network) -> Any:
    """The map with what moves, and the shelves."""
    from twin.measure.situation import situation_map

    movers = _movers(knowledge)
    away = sum(mover.truck and mover.origin != mover.destination for mover in movers)
    ships = sum(not mover.truck for mover in movers)
    flagged = sum(row.flagged for row in knowledge.differences)
    found = f"{_many(away, 'truck')} on the road, {_many(ships, 'shipment')} under way"
    if flagged:
        found += f", {_many(flagged, 'difference')} to look at"
    detail = (f"{network.title or network.name} at {format_instant(knowledge.at)[:16]} UTC, from "
              f"{knowledge.readings:,} readings; squares are trucks, dots shipments of carriers")
    return situation_map(network, movers, _shelves(knowledge, network), (found, detail))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _movers(knowledge: Knowledge) -> list[Mover]:
    """Trucks and carriers' shipments, placed where they were seen or by the time on their way."""
    from twin.measure.situation import Mover

    told: dict[tuple[str, str], dict[str, Any]] = {}
    for fact in knowledge.select(("truck", "shipment")):
        told.setdefault((fact.kind, fact.subject), {})[fact.attribute] = fact.value
    movers = []
    for (kind, name), facts in told.items():
        if kind == "truck":
            going = facts.get("drives to")
            movers.append(Mover(name, True, facts["place"], going or facts["place"],
                                0.5 if going else 0.0, facts.get("latitude"),
                                facts.get("longitude")))
        elif "truck" not in facts:
            origin, destination, _ = str(facts["lane"]).split(":", 2)
            gone, left = facts["under way"], facts.get("expected in", 0.0)
            movers.append(Mover(name, False, origin, destination, gone / ((gone + left) or 1.0),
                                facts.get("latitude"), facts.get("longitude")))
    return movers


def _shelves(knowledge: Knowledge, network: Network) -> list[Shelf]:
    from twin.measure.situation import Shelf

    found = []
    for (site, product), row in network.stock.items():
        units = knowledge.value("stock", f"{site}/{product}", "on hand")
        full = row.order_up_to or (row.reorder_point or 0.0) + (row.order_quantity or 0.0)
        found.append(Shelf(f"{site}/{product}", float(units or 0.0), float(full or 0.0)))
    return found
