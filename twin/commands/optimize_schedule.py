"""``twin optimize schedule``: which machine works on which lot when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from twin.clock import excerpt, format_duration
from twin.commands.folder import fresh, point
from twin.commands.optimize_stocking import state_of
from twin.commands.planning import clock_of, open_hours, price, progress_of, seconds
from twin.commands.replay import PAIRS, Shown, document, lines, replay
from twin.commands.replay import write as write_replay
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.network import Network
from twin.plan import Plan, Status
from twin.settings import (
    KEYS,
    Key,
    SettingError,
    describe,
    duration,
    maybe,
    read,
    share,
    text,
    word,
)
from twin.state import State

_MOST_LINES = 60
_AFTER = 24.0  #: hours after the last planned operation that are played too


SETTINGS: dict[str, Key] = {key.name: key for key in (
    Key("models", "which model", "workshop", text),
    Key("calibration", "which learned values go into its cells", "nominal", text),
    Key("from", "a state document; opening; blank: the state after the model's own warm-up, if it "
        "has one, else opening", "", text),
    Key("ahead", "take in the orders that demand lets expect for so long", "7d", duration),
    Key("objective", "tardiness (weighted hours late), makespan, or setups (cost of changing over "
        "besides lateness)", "tardiness", word("tardiness", "makespan", "setups")),
    Key("limit", "seconds of the clock at most; the search is counted in work", "10s", seconds),
    Key("plan", "a plan in force (plan.json): moving what it holds has a price", "", maybe(text)),
    Key("move_price", "of an operation moved to another machine or by over 30 min, in the unit of "
        "the objective", "1", price),
    Key("move_most", "share of the plan's operations that may move; blank for any", "",
        maybe(share)),
    Key("frontier", "draw what moving fewer operations costs: with a plan, more plans of `limit` "
        "each (yes or no)", "no", word("yes", "no")),
    PAIRS, KEYS["seed"], KEYS["simulate.workers"], KEYS["report"],
)}

ABOUT = """\
twin optimize schedule [key=value ...]

Schedules the lots of a model's plants from a state: started work is frozen, calendars, set-ups,
batches, crews, repairs, services and components are kept. It starts from the best dispatch rule,
also as played in the twin, and never returns worse. Machines that follow it are played against
today's rules. Writes plan.json, operations.csv, replay.csv, gantt.png, progress.png, report.html.

  twin optimize schedule models=workshop limit=10s
  twin optimize schedule models=harbour from=opening ahead=3d objective=setups
  twin optimize schedule models=workshop plan=outputs/latest/plan.json move_price=5
  twin optimize schedule models=workshop plan=outputs/latest/plan.json move_most=0.1 frontier=yes

""" + describe(SETTINGS)


def schedule_plan(call: Call) -> int:
    """Make a schedule, show it, write it."""
    from twin.optimize.rescheduling import frontier, in_force
    from twin.optimize.schedule import plan_of, solve
    from twin.optimize.schedule_work import GOALS
    from twin.optimize.workload import workload

    screen = call.screen
    asked = read(call.arguments, SETTINGS, "optimize schedule")
    network = call.workspace.calibration(asked["calibration"]).apply(
        call.workspace.network(asked["models"]))
    state = state_of(asked["from"], network, asked["seed"])
    now = 0.0 if state is None else state.clock_h
    work = workload(network, state, ahead=asked["ahead"], hours=open_hours(network),
                    goal=GOALS[asked["objective"]])
    if asked["plan"] is not None:
        work = in_force(work, _read(asked["plan"]), now, asked["move_price"],
                        share=asked["move_most"])
    for note in work.notes:
        screen.note(note)
    screen.note(f"{len(work.jobs):,} lots and services, {work.size:,} operations, "
                f"{len(work.tools)} machines, from {format_duration(now)} on.")
    with screen.working("Searching"):
        starts = played_rules(network, state, work, asked["limit"])
        solved = solve(work, seconds=asked["limit"], seed=asked["seed"], starts=starts,
                       watcher=progress_of(screen))
    points = []
    if asked["frontier"] == "yes" and work.plan:
        with screen.working("Searching with fewer and more operations moved"):
            points = frontier(work, [solved], seconds=asked["limit"], seed=asked["seed"],
                              starts=starts)
    plan = plan_of(solved, network.name, now, _digest(state))
    hours = max((one.end for one in plan.operations), default=now) - now + _AFTER
    with screen.working("Playing it"):
        rows = replay(network, plan, state, horizon_h=hours, count=asked["pairs"],
                      seed=asked["seed"], workers=asked["simulate.workers"]
                      ) if plan.operations else ()
    folder = write(plan, call.output, screen, report=asked["report"] == "yes", replayed=rows,
                   points=points)
    if screen.as_json:
        screen.print_json({"folder": folder.as_posix(), "plan": plan.document(),
                           "replay": document(rows)})
    else:
        show(plan, screen, folder)
        for line in lines(rows, hours):
            screen.say(line)
    return 0


def _read(path: str) -> Plan:
    try:
        return Plan.read(path)
    except OSError as error:
        raise SettingError(f"plan '{excerpt(path)}' cannot be read: {error.strerror}. Give a "
                           "plan.json that `twin optimize schedule` wrote.") from None


def _digest(state: State | None) -> str:
    if state is None:
        return ""
    return hashlib.sha256(json.dumps(state.document(), sort_keys=True).encode()).hexdigest()


def played_rules(network: Network, state: State | None, work: Any, limit: float) -> list[Any]:
    """Schedules in the order in which the twin works under each dispatch rule of its own.

    Every work centre gets the rule, times are their means, and the order in which operations
    began is followed; a rule that the model cannot play is left out.
    """
    from twin.ledger import Ledger
    from twin.network import ModelError
    from twin.optimize.dispatch_rules import follow
    from twin.optimize.schedule_score import firsts
    from twin.scenario import Scenario
    from twin.simulate.play import play

    found: list[Any] = []
    first = firsts(work)
    span = max((job.release for job in work.jobs), default=0) / 60.0 + 336.0
    machines = {tool.name for tool in work.tools}
    groups = {(row.site, row.group) for row in network.machines.values()}
    quiet = [{"site": site, "group": group} for site, group in groups - set(network.groups)]
    for rule in ("fifo", "priority", "due_date", "shortest", "family"):
        try:
            ruled = network.replace(groups=[*network.groups.values(), *quiet])
            ruled = ruled.with_cells({f"groups[{site},{group}].dispatch": rule
                                      for site, group in groups})
        except ModelError:
            continue
        book = Ledger()
        play(ruled, Scenario.baseline(), horizon_h=span, ledger=book, state=state)
        begun: dict[tuple[int, str], list[float]] = {}
        events = book.frame()
        events = events[(events["event"] == "starting") & events["asset"].isin(machines)]
        for order, product, time in zip(events["order"].tolist(), events["product"].tolist(),
                                        events["time"].tolist(), strict=True):
            begun.setdefault((order, product), []).append(time * 60.0)
        keys = [0.0] * first[-1]
        for j, job in enumerate(work.jobs):
            times = begun.get((job.order, job.product), [])
            for k in range(len(job.tasks)):
                keys[first[j] + k] = times[k] if k < len(times) and job.order else 1e9 + (
                    job.release + (job.due or 0))
        found.append(follow(work, keys))
    return found


def write(plan: Plan, output: Path, screen: Screen, *, report: bool,
          replayed: Sequence[Shown] = (), points: Sequence[tuple[float, float]] = ()) -> Path:
    """Write the plan into ``<time>-<model>-<kind>/``; the folder.

    `points` are share of operations moved and objective of plans, to be drawn.
    """
    folder = fresh(output, f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{plan.model[:80]}-{plan.kind}")
    plan.write(folder / "plan.json")
    import pandas as pd

    pd.DataFrame([{name: getattr(one, name) for name in one.__slots__}
                  for one in plan.operations]).to_csv(folder / "operations.csv", index=False,
                                                      lineterminator="\n")
    write_replay(replayed, folder)
    if report:
        with screen.working("Drawing"):
            from twin.measure.gantt import frontier as drawn
            from twin.measure.gantt import gantt, progress
            from twin.measure.plan_report import write_plan_report

            pictures = {"gantt": gantt(plan), "progress": progress(plan)}
            if points:
                pictures["frontier"] = drawn(
                    [(100.0 * away, cost) for away, cost in points],
                    "What moving fewer operations costs", "operations moved, %",
                    plan.answer.unit)
            for name, picture in pictures.items():
                picture.savefig(folder / f"{name}.png", dpi=130)
            write_plan_report(plan, folder)
    point(output / "latest", folder)
    return folder


def show(plan: Plan, screen: Screen, folder: Path) -> None:
    """The answer, the operations by machine, the reasons."""
    answer = plan.answer
    if answer.objective is None:
        screen.say(f"{plan.model}: {answer.status.value}, after {answer.seconds:.1f} s")
    else:
        bound = "no bound" if answer.bound is None else f"bound {answer.bound:,.4g}"
        start = "" if answer.start is None else f", best dispatch rule {answer.start:,.4g}"
        screen.say(f"{plan.model}: {answer.status.value}, {answer.objective:,.4g} {answer.unit} "
                   f"({bound}{start}), by {answer.engine} in {answer.seconds:.1f} s, stopped by "
                   f"{answer.stopped_by}")
    if answer.status is not Status.INFEASIBLE:
        screen.say(f"{'machine':<26} {'begins':>12} {'ends':>12} {'order':>7} {'lot':>6} "
                   f"{'step':>5}  product")
        for one in plan.operations[:_MOST_LINES]:
            screen.say(f"{one.machine[:26]:<26} {clock_of(one.start):>12} "
                       f"{clock_of(one.end):>12} {one.order or '-':>7} "
                       f"{one.lot:>6} {one.step:>5}  {one.product}")
        if len(plan.operations) > _MOST_LINES:
            screen.say(f"... and {len(plan.operations) - _MOST_LINES} more in operations.csv")
        for service in plan.services:
            screen.say(f"service of {service.asset} ({service.cause}) at "
                       f"{clock_of(service.start)}")
    for reason in answer.reasons:
        screen.say(f"{reason.kind.replace('_', ' ')}: {reason.message}")
    screen.say(f"In {folder.as_posix()}: plan.json, operations.csv, gantt.png, report.html.")
