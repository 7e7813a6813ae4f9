"""What the kinds of plan about stock, goods and services share: model, state, replays, folders."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from twin.clock import excerpt, format_duration
from twin.commands.folder import fresh, point
from twin.commands.planning import from_zero
from twin.commands.replay import Shown, document, lines, replay, write
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.network import Network
from twin.optimize.tuning import Play, Trial
from twin.plan import Plan, Status
from twin.settings import KEYS, Key, SettingError, duration, read, text
from twin.state import State
from twin.tally import Tally

_MOST_LINES = 40


def share(value: str) -> float:
    """A share between 0 and 1."""
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0.0 < found < 1.0:
        raise ValueError(f"'{excerpt(value)}' is no share. Write a number such as 0.95.")
    return found


def cells_of(network: Network, plan: Plan) -> list[dict[str, object]]:
    """The cells of a plan beside today's."""
    found = []
    for cell, value in plan.cells.items():
        table, key, column = network.find(cell)
        found.append({"cell": cell, "today": getattr(network.table(table)[key], column),
                      "proposed": value})
    return found


def count(value: str) -> int:
    """A whole number from 1 to 100,000."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 100_000:
        raise ValueError(f"'{excerpt(value)}' is no count. Write a whole number from 1 up.")
    return int(value)


def period(value: str) -> float:
    """Hours of a period, at least one."""
    hours = duration(value)
    if hours < 1.0:
        raise ValueError(f"'{excerpt(value)}' is shorter than an hour. Write a duration such as "
                         "'7d'.")
    return hours


amount = from_zero("amount", 1e12)
MODEL = (Key("models", "which model", "medicines", text),
         Key("calibration", "which learned values go into its cells", "nominal", text))
FROM = Key("from", "a state document; opening; blank: the state after the model's own warm-up, if "
           "it has one, else opening", "", text)
TUNING = (Key("horizon", "of a replication, after the model's own warm-up", "365d", duration),
          Key("service", "target of shelves with neither a service level nor a backorder cost",
              "0.95", share),
          Key("budget", "replications of the search", "90", count),
          Key("confirm", "pairs of replications on new luck that confirm the winner", "30", count),
          KEYS["seed"], KEYS["simulate.workers"])


def model_of(call: Call, asked: Mapping[str, Any]) -> Network:
    """The model with its calibration."""
    return call.workspace.calibration(asked["calibration"]).apply(
        call.workspace.network(asked["models"]))


def state_of(source: str, network: Network, seed: int) -> State | None:
    """The state to plan from."""
    if source == "opening" or (not source and not network.warmup):
        return None
    if source:
        try:
            return State.read(source)
        except OSError as error:
            raise SettingError(f"from '{excerpt(source)}' cannot be read: {error.strerror}. Give "
                               "a state document, or from=opening.") from None
    from twin.scenario import Scenario
    from twin.simulate.play import play

    return play(network, Scenario.baseline(), horizon_h=network.warmup, seed=seed,
                save_at=network.warmup).state


def opened(call: Call, settings: Mapping[str, Key], verb: str
           ) -> tuple[dict[str, Any], Network, State | None]:
    """What is asked of a kind of plan: its settings, the model, and the state to plan from."""
    asked = read(call.arguments, settings, verb)
    network = model_of(call, asked)
    return asked, network, state_of(asked["from"], network, asked["seed"])


def proposed(plan: Plan, call: Call, asked: Mapping[str, Any], network: Network,
             state: State | None, hours: float, **more: Any) -> int:
    """Play a plan against today's policies, then show and write both.

    `more` goes to `twin.commands.replay.replay`.
    """
    rows: tuple[Shown, ...] = ()
    if plan.answer.status in (Status.OPTIMAL, Status.FEASIBLE):
        with call.screen.working("Playing it"):
            rows = replay(network, plan, state, horizon_h=hours, count=asked["pairs"],
                          seed=asked["seed"], workers=asked["simulate.workers"], **more)
    return answer(plan, call, cells_of(network, plan), lines(rows, hours), rows)


def player(network: Network, horizon_h: float, workers: int | None) -> Play:
    """Plays trials of a model in worker processes."""
    from twin.experiment import Task, perform
    from twin.scenario import Scenario
    from twin.simulate.replications import replicate

    known: dict[tuple[tuple[str, str], ...], Network] = {(): network}

    def play(trials: Sequence[Trial]) -> Sequence[Tally]:
        for trial in trials:
            if trial.cells not in known:
                known[trial.cells] = network.with_cells(dict(trial.cells))
        tasks = [Task("trial", known[trial.cells], Scenario.baseline(),
                      network.warmup + horizon_h, network.warmup, trial.seed, trial.replication)
                 for trial in trials]
        return [played.tally for played in replicate(perform, tasks, workers=workers)]

    return play


def watcher(screen: Screen, unit: str) -> Callable[[str, int, str, float], None]:
    """Shows the search as it goes."""
    def watch(what: str, played: int, leader: str, cost: float) -> None:
        screen.note(f"{played:5,} replications  {what}: {leader} leads at {cost:,.2f} {unit}")
    return watch


def answer(plan: Plan, call: Call, rows: Iterable[Mapping[str, object]] = (),
           more: Sequence[str] = (), replayed: Sequence[Shown] = ()) -> int:
    """Write the plan (and how it did against today's policies) into a folder, and show it."""
    screen = call.screen
    folder = fresh(call.output, f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{plan.model[:80]}-{plan.kind}")
    plan.write(folder / "plan.json")
    table = list(rows)
    _csv(folder / "cells.csv", table)
    _csv(folder / "orders.csv", [asdict(one) for one in plan.orders])
    _csv(folder / "services.csv", [asdict(one) for one in plan.services])
    write(replayed, folder)
    point(call.output / "latest", folder)
    if screen.as_json:
        screen.print_json({"folder": folder.as_posix(), "plan": plan.document(),
                           "replay": document(replayed)})
        return 0
    said = plan.answer
    value = "" if said.objective is None else f", {said.objective:,.2f} {said.unit}"
    start = "" if said.start is None else f" (today {said.start:,.2f})"
    screen.say(f"{plan.model}: {said.status.value}{value}{start}, by {said.engine} in "
               f"{said.seconds:.1f} s, stopped by {said.stopped_by}")
    for row in table[:_MOST_LINES]:
        screen.say(f"  {row['cell']!s:<52} {row['today']!s:>14} -> {row['proposed']!s:>12}"
                   + _effect(row))
    for order in plan.orders[:_MOST_LINES]:
        source = f" from {order.source}" if order.source else ""
        named = f" (order {order.order})" if order.order else ""
        screen.say(f"  {format_duration(round(order.when)):>10}  {order.verb} "
                   f"{order.quantity:,.0f} {order.product} at {order.site}{source}{named}")
    for one in plan.services[:_MOST_LINES]:
        screen.say(f"  {format_duration(round(one.start)):>10}  service {one.asset} against "
                   f"{one.cause}")
    for reason in said.reasons[:_MOST_LINES]:
        screen.say(f"{reason.kind.replace('_', ' ')}: {reason.subject}: {reason.message}")
    for line in more:
        screen.say(line)
    screen.say(f"In {folder.as_posix()}: plan.json and tables.")
    return 0


def _effect(row: Mapping[str, object]) -> str:
    saves, low, high = (row.get(name) for name in ("saves", "low", "high"))
    if not (isinstance(saves, float) and isinstance(low, float) and isinstance(high, float)):
        return ""
    return f"   saves {saves:,.2f} a day ({low:,.2f} to {high:,.2f})"


def _csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    if not rows:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
