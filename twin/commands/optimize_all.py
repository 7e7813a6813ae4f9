"""``twin optimize all``: stock, dispatch, services, flows, schedule and routes, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from twin.commands.joint import Joint
from twin.commands.optimize_stocking import (
    FROM,
    MODEL,
    TUNING,
    answer,
    cells_of,
    model_of,
    player,
    state_of,
    watcher,
)
from twin.commands.planning import leads_asked
from twin.commands.replay import PAIRS, Shown, lines, replay
from twin.commands.verbs import Call
from twin.network import Network
from twin.plan import Answer, Plan, Reason, Status
from twin.settings import Key, describe, duration, read
from twin.state import State

SETTINGS: dict[str, Key] = {key.name: key for key in (
    *MODEL, FROM, *(key for key in TUNING if key.name != "confirm"), PAIRS,
    Key("window", "played against today's policies", "91d", duration),
    Key("replan", "after how long the joint plan is made anew", "14d", duration))}

ABOUT = """\
twin optimize all [key=value ...]

Policy parameters, dispatch rules, ages of service, flows, schedule and routes: each part is tuned
or planned, tried alone, and kept if it saves money and is not shown to serve customers worse. The
parts that are left are played together, planned anew as time goes on, against today's policies on
luck that no search saw. If they do not save money, or cost on time in full or fill rate, the answer
is to keep today's policies. Writes plan.json, cells.csv, orders.csv, services.csv, replay.csv.

  twin optimize all models=medicines
  twin optimize all models=workshop horizon=180d

""" + describe(SETTINGS)

_PILOTS = 10  #: pairs in which each part is tried alone
_CAREFUL = 0.995  #: availability of the careful policies
_LOSS = 0.005  #: a lower mean of a service figure than this is not put down to luck


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the joint plan may do: cells to set, or a thing to plan again and again."""

    name: str
    cells: Mapping[str, str]
    planned: str = ""
    rival: str = ""  #: only one part of the same word is kept


def all_plan(call: Call) -> int:
    """Tune and try every part, play those that help together, show, write."""
    asked = read(call.arguments, SETTINGS, "optimize all")
    network = model_of(call, asked)
    state = _begun(state_of(asked["from"], network, asked["seed"]), network, asked["seed"])
    desk = _Desk(call, asked, network, state)
    tried = {}
    for part in desk.parts():
        tried[part.name] = part, desk.played([part], _PILOTS, apart=7)
        call.screen.note(f"{part.name}: {_told(tried[part.name][1])}")
    kept, rows = desk.settled(chosen(tried))
    plan = desk.joined(kept, rows, tried)
    return answer(plan, call, cells_of(network, plan), lines(rows, asked["window"]), rows)


def _begun(state: State | None, network: Network, seed: int) -> State:
    """The state, or that of the opening."""
    from twin.scenario import Scenario
    from twin.simulate.play import play

    if state is None:
        state = play(network, Scenario.baseline(), horizon_h=1.0, seed=seed, save_at=0.0).state
    assert state is not None
    return state


def _money(rows: Sequence[Shown]) -> Shown | None:
    return next((row for row in rows if row.kpi == "running_cost"), None)


def verdict(rows: Sequence[Shown]) -> str:
    """Why a plan is not proposed; blank if it is: money better, service no worse.

    A chain without any cost is judged by its service alone.
    """
    for row in rows:
        if row.kpi in ("otif", "fill_rate") and (row.verdict == "worse" or row.change < -_LOSS):
            return (f"{row.kpi} {row.change:+.4f} ({row.low:+.4f} to {row.high:+.4f}): it would "
                    "serve customers worse")
    money = _money(rows)
    shown = [row for row in rows if row is money or row.kpi in ("otif", "fill_rate")]
    if not any(row.verdict == "better" for row in ([money] if money is not None else shown)):
        return "no saving was shown" if money is not None else "no better service was shown"
    return ""


def chosen(tried: Mapping[str, tuple[Part, Sequence[Shown]]]) -> list[Part]:
    """Parts that save money (or serve better, where nothing costs) and do not serve worse."""
    worth: dict[str, tuple[float, Part]] = {}
    for name, (part, rows) in tried.items():
        money = _money(rows)
        gain = -money.change if money is not None else min(
            [row.change for row in rows if row.kpi in ("otif", "fill_rate")], default=0.0)
        poorer = any(row.kpi in ("otif", "fill_rate") and (
            row.verdict == "worse" or row.change < -_LOSS) for row in rows)
        if gain > 0.0 and not poorer:
            place = part.rival or name
            if place not in worth or gain > worth[place][0]:
                worth[place] = gain, part
    return [part for _, part in sorted(worth.values(), key=lambda one: -one[0])]


def _told(rows: Sequence[Shown]) -> str:
    return ", ".join(f"{row.kpi} {row.change:+,.4g} ({row.low:+,.4g} to {row.high:+,.4g})"
                     for row in rows if row.kpi in ("running_cost", "otif", "fill_rate"))


class _Desk:
    """Makes parts of a joint plan and plays them."""

    def __init__(self, call: Call, asked: Mapping[str, Any], network: Network, state: State
                 ) -> None:
        self.call, self.asked, self.network, self.state = call, asked, network, state
        self.notes: list[Reason] = []

    @cached_property
    def leads(self) -> dict[tuple[str, str], float]:
        """How long goods take, waiting included."""
        return leads_asked(self.call, self.asked, self.network, self.state)

    def parts(self) -> list[Part]:
        """What could be done, as far as the model has it."""
        network, found = self.network, self._policies()
        if network.machines and network.routings:
            found += self._rules()
            found.append(Part("schedule", {}, "schedule"))
        if network.failures:
            cells = self._services()
            found.append(Part("services", cells, "services"))
        if network.stock:
            found.append(Part("flows", {}, "flows", rival="stock"))
        if network.trucks:
            found.append(Part("routes", {}, "routes"))
        return found

    def _policies(self) -> list[Part]:
        from twin.optimize.tuning import tunable, tune

        if not tunable(self.network):
            return []
        play = player(self.network, self.asked["horizon"], self.asked["simulate.workers"])
        found = []
        for name, service in (("policies", self.asked["service"]), ("careful policies", _CAREFUL)):
            plan = tune(self.network, play, seed=self.asked["seed"], service=service,
                        budget=self.asked["budget"], confirm=5,
                        told=watcher(self.call.screen, f"{self.network.currency}/d")).plan
            if plan.cells:
                found.append(Part(name, plan.cells, rival="stock"))
        return found

    def _rules(self) -> list[Part]:
        from twin.optimize.tuning_rules import rule_settings, tune_rules

        if len(rule_settings(self.network)) < 2:
            return []
        play = player(self.network, self.asked["horizon"], self.asked["simulate.workers"])
        plan, _ = tune_rules(self.network, play, seed=self.asked["seed"],
                             budget=self.asked["budget"], confirm=5,
                             told=watcher(self.call.screen, "h late/d"))
        return [Part("dispatch rules", plan.cells)] if plan.cells else []

    def _services(self) -> Mapping[str, str]:
        from twin.optimize.maintenance import maintain

        plan = maintain(self.network, self.state, service=self.asked["service"])
        self.notes += plan.answer.reasons
        return plan.cells

    def together(self, parts: Sequence[Part]) -> tuple[Plan, Joint | None]:
        """The joint plan from the present state, and who makes it again later."""
        cells = {cell: value for part in parts for cell, value in part.cells.items()}
        planned = frozenset(part.planned for part in parts if part.planned)
        if not planned:
            return Plan("all", self.network.name, self.state.clock_h, Answer(Status.FEASIBLE),
                        cells=cells, state_digest=self.state.digest()), None
        changed = self.network.with_cells(cells) if cells else self.network
        joint = Joint(changed, planned, self.asked["service"],
                      max(1, round(self.asked["replan"] / 168.0)), self.asked["seed"],
                      leads=self.leads if "flows" in planned else {})
        return replace(joint(self.state), cells=cells), joint

    def played(self, parts: Sequence[Part], pairs: int, apart: int, error: float = 0.05
               ) -> tuple[Shown, ...]:
        """Parts played together against today's policies."""
        plan, joint = self.together(parts)
        with self.call.screen.working("Playing " + ", ".join(part.name for part in parts)):
            return replay(self.network, plan, self.state, horizon_h=self.asked["window"],
                          count=pairs, seed=self.asked["seed"] + apart,
                          workers=self.asked["simulate.workers"], planner=joint,
                          every_h=self.asked["replan"], error=error)

    def settled(self, parts: Sequence[Part]) -> tuple[list[Part], tuple[Shown, ...]]:
        """Of parts (the most worth first) those that are proposed, and how they did together.

        Together they may get into each other's way: then the one that saves most stands alone, or
        the others without it. Each trial has luck of its own, and a share of the error allowed.
        """
        trials = [list(parts), list(parts[:1]), list(parts[1:])]
        rows: tuple[Shown, ...] = ()
        for turn, trial in enumerate(trials):
            if not trial or trial in trials[:turn]:
                continue
            rows = self.played(trial, self.asked["pairs"], turn * 31, 0.05 / len(trials))
            if not self.asked["pairs"] or verdict(rows) == "":
                return trial, rows
            self.call.screen.note(f"{', '.join(part.name for part in trial)}: {verdict(rows)}")
        return [], rows

    def joined(self, parts: Sequence[Part], rows: Sequence[Shown],
               tried: Mapping[str, tuple[Part, Sequence[Shown]]]) -> Plan:
        """The plan to propose (with nothing in it: keep today's policies), and why."""
        plan, _ = self.together(parts)
        money, reasons = _money(rows), []
        for row in rows:
            reasons.append(Reason("binding" if parts else "why_not", row.kpi,
                                  f"against today {row.change:+,.4g} ({row.low:+,.4g} to "
                                  f"{row.high:+,.4g}) {row.unit}: {row.verdict}"))
        if not parts:
            why = verdict(rows) if rows else "no part saved money without serving worse"
            reasons.insert(0, Reason("why_not", self.network.name,
                                     f"keep today's policies: {why}"))
        names = {part.name for part in parts}
        reasons += [Reason("why_not", name, f"left out; alone: {_told(shown) or 'no change'}")
                    for name, (_, shown) in tried.items() if name not in names]
        cost = None if money is None else money.today + (money.change if parts else 0.0)
        return replace(plan, answer=Answer(
            Status.FEASIBLE, objective=cost, unit=f"{self.network.currency}/d",
            engine=", ".join(part.name for part in parts) or "today's policies",
            stopped_by="work", start=None if money is None else money.today,
            reasons=(*reasons, *self.notes)))
