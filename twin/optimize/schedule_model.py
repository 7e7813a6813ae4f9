"""The schedule as a CP-SAT model: a flexible job shop with hours, set-ups, batches and crews.

Each machine is told on its own clock, which stands still in closed hours; so an operation takes a
fixed time there, and only its start and end are translated to the time of day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

from ortools.sat.python import cp_model

from twin.optimize.dispatch_rules import Floor, tidy
from twin.optimize.schedule_hint import hint
from twin.optimize.schedule_hours import Hours
from twin.optimize.schedule_machine import share_machine
from twin.optimize.schedule_score import Schedule, firsts, in_turn, places, score, sequences
from twin.optimize.schedule_work import Task, Work

#: Told of each schedule and of the bound on the cost.
Told = Callable[[Schedule, int | None], None] | None


@dataclass(slots=True)
class Way:
    """An operation on one of its machines; times on the machine's own clock."""

    v: int
    machine: int
    minutes: int
    here: Any  #: literal: it is done here
    begin: Any
    end: Any
    own: Any = None  #: the variable of its own clock, where it has one


    def gates(self) -> list[Any]:
        """What must hold for it to be done here; nothing where it cannot be elsewhere."""
        return [] if isinstance(self.here, int) else [self.here]


@dataclass(frozen=True, slots=True)
class Found:
    """What a solve came to; the bound is on the cost, None where the model was narrowed."""

    status: str
    schedule: Schedule | None
    cost: int | None
    bound: int | None
    work: float
    seconds: float


class ScheduleModel:
    """Variables, constraints and objective of one piece of work.

    Parameters
    ----------
    horizon
        Minutes by which everything is done.
    start
        A schedule near which to look, if the search is narrowed.
    keep
        Operations that keep machine and order of `start`.
    within
        Minutes that operations may move from `start`; None for any.
    """

    def __init__(self, work: Work, horizon: int, start: Schedule | None = None,
                 keep: Collection[int] = (), within: int | None = None) -> None:
        self.work, self.horizon = work, horizon
        self.near, self.keep, self.within = start, frozenset(keep), within
        self.narrowed = bool(keep) or within is not None
        self.model = cp_model.CpModel()
        self.place, self.first = places(work), firsts(work)
        self.task: list[Task] = [work.jobs[j].tasks[k] for j, k in self.place]
        self.hours = [Hours(tool.closed) for tool in work.tools]
        self.people = Floor(work).people
        self.begin, self.end = [], []  # type: list[Any], list[Any]
        self.ways: list[list[Way]] = []
        self.on: list[list[Way]] = [[] for _ in work.tools]
        self.done: list[Any] = []
        self.costs: list[Any] = []
        self.pieces: list[tuple[Any, int, int, int, int, bool]] = []
        self.orders: list[tuple[Any, int, int]] = []  #: literal: one is before the other
        self.leads: dict[tuple[int, int], Any] = {}  #: an operation, first of a batch on a machine
        self._variables()
        self._jobs()
        for machine in range(len(work.tools)):
            share_machine(self, machine)
        self._people()
        self._kept_order()
        self._objective()

    # -- variables -------------------------------------------------------------------------------
    def _variables(self) -> None:
        """A start, an end and, on each machine that can do it, a place for every operation."""
        early = self._earliest()
        for v, task in enumerate(self.task):
            low, high = early[v], self.horizon
            if self.near is not None and self.within is not None:
                low = max(low, self.near.start[v] - self.within)
                high = min(high, self.near.end[v] + self.within)
            ways = [way for way in task.ways if v not in self.keep or self.near is None
                    or way[0] == self.near.machine[v]]
            if task.started is not None:
                low = 0
            self.begin.append(0 if task.started is not None
                              else self.model.new_int_var(low, high, f"begin{v}"))
            self.end.append(self.model.new_int_var(low, high, f"end{v}"))
            self.ways.append([self._way(v, machine, minutes, len(ways) == 1, low, high)
                              for machine, minutes in ways])
            if len(ways) > 1:
                self.model.add_exactly_one([way.here for way in self.ways[v]])
                self.model.add(self.end[v] >= self.begin[v] + min(m for _, m in ways))

    def _earliest(self) -> list[int]:
        """When each operation could begin if its lot were alone."""
        found = []
        for job in self.work.jobs:
            ready = job.release
            for task in job.tasks:
                ready = max(0, ready + task.delay) if task.started is None else 0
                found.append(ready)
                ready += min(minutes for _, minutes in task.ways)
        return found

    def _way(self, v: int, machine: int, minutes: int, only: bool, low: int, high: int) -> Way:
        """An operation on one machine: on its own clock it takes its minutes."""
        model, hours = self.model, self.hours[machine]
        here: Any = 1 if only else model.new_bool_var(f"on{v}_{machine}")
        gate = [] if only else [here]
        if not hours.closed or hours.closed[0][0] >= high:
            way = Way(v, machine, minutes, here, self.begin[v], self.begin[v] + minutes)
            model.add(self.end[v] == way.end).only_enforce_if(gate)
        else:
            own: Any = 0  # what has begun may stand in closed hours now
            if self.task[v].started is None:
                own = model.new_int_var(hours.worked(low), hours.worked(high), "")
                self._time_of_day(v, machine, own, self.begin[v], low, high, gate, ending=False)
            way = Way(v, machine, minutes, here, own, own + minutes,
                      own if self.task[v].started is None else None)
            if minutes:
                self._time_of_day(v, machine, own + minutes, self.end[v], low, high, gate,
                                  ending=True)
            else:
                model.add(self.end[v] == self.begin[v]).only_enforce_if(gate)
        self.on[machine].append(way)
        return way

    def _time_of_day(self, v: int, machine: int, own: Any, day: Any, low: int, high: int,
                     gate: list[Any], *, ending: bool) -> None:
        """The time of day is the own clock and all closed hours before it."""
        hours = self.hours[machine]
        model, pieces, lost, own_ = self.model, [], [], own + 0 * day
        clock_low, clock_high = hours.worked(low), hours.worked(high)
        for begin, end, gone in hours.segments():
            if begin > clock_high or (end is not None and end < clock_low):
                continue
            piece = model.new_bool_var("")
            shift = 1 if ending else 0  # an end on the edge belongs before it, a start behind
            model.add(own_ >= begin + shift).only_enforce_if(piece)
            if end is not None:
                model.add(own_ <= end - 1 + shift).only_enforce_if(piece)
            pieces.append(piece)
            lost.append(gone)
            self.pieces.append((piece, v, machine, begin + shift,
                                (1 << 60) if end is None else end - 1 + shift, ending))
        if gate:
            model.add_at_most_one(pieces)
            model.add_bool_or(pieces).only_enforce_if(gate)
        else:
            model.add_exactly_one(pieces)
        model.add(day == own + sum(p * gone for p, gone in zip(pieces, lost, strict=True))
                  ).only_enforce_if(gate)

    # -- constraints -----------------------------------------------------------------------------
    def _jobs(self) -> None:
        """Operations of a lot follow each other; lots wait for release, components, deadlines."""
        model = self.model
        self.done = [0] * len(self.work.jobs)
        for j in in_turn(self.work):
            job = self.work.jobs[j]
            ready: list[Any] = [job.release, *(self.done[other] for other in job.after)]
            for k, task in enumerate(job.tasks):
                v = self.first[j] + k
                if task.started is None:
                    for time in ready:
                        model.add(self.begin[v] >= time + task.delay)
                ready = [self.end[v]]
            if job.tasks:
                self.done[j] = self.end[self.first[j + 1] - 1] + job.tail
            else:
                self.done[j] = model.new_int_var(0, 2 * self.horizon + job.tail, f"done{j}")
                model.add_max_equality(self.done[j], [time + job.tail for time in ready])
            if job.deadline is not None:
                model.add(self.done[j] <= job.deadline)

    def _people(self) -> None:
        """No crew works on more lots than it has people."""
        for crew, people in enumerate(self.people):
            if not people:
                continue
            spans = []
            for v, task in enumerate(self.task):
                ways = [way for way in self.ways[v]
                        if crew in (task.crew, self.work.tools[way.machine].crew)]
                if not ways:
                    continue
                size = self.model.new_int_var(0, self.horizon, "")
                if task.batch:  # one of them stands for all that go together
                    spans += [self.model.new_optional_interval_var(
                        self.begin[v], size, self.end[v], self.leads[v, way.machine], "")
                        for way in ways]
                elif len(ways) == len(self.ways[v]):
                    spans.append(self.model.new_interval_var(self.begin[v], size, self.end[v], ""))
                else:
                    for way in ways:
                        spans.append(self.model.new_optional_interval_var(
                            self.begin[v], size, self.end[v], way.here, ""))
            if len(people) == 1:
                self.model.add_no_overlap(spans)
            else:
                self.model.add_cumulative(spans, [1] * len(spans), len(people))

    def _kept_order(self) -> None:
        """Operations that are kept stay in the order that they have."""
        if self.near is None or not self.keep:
            return
        for line in sequences(self.work, self.near):
            kept = [v for v in line if v in self.keep]
            for first, second in pairwise(kept):
                one, other = self.ways[first][0], self.ways[second][0]
                if self.near.start[second] >= self.near.end[first]:
                    self.model.add(other.begin >= one.end)

    # -- objective -------------------------------------------------------------------------------
    def _objective(self) -> None:
        """Weighted lateness, the end of everything, changeovers, and operations that are moved."""
        goal, model, terms = self.work.goal, self.model, []
        for j, job in enumerate(self.work.jobs):
            if job.due is not None and goal.tardiness:
                late = model.new_int_var(0, max(0, self.horizon + job.tail - job.due), f"late{j}")
                model.add(late >= self.done[j] - job.due)
                terms.append(goal.tardiness * job.weight * late)
        if goal.makespan and self.work.jobs:
            most = max(job.tail for job in self.work.jobs)
            self.makespan = model.new_int_var(0, self.horizon + most, "makespan")
            for done in self.done:
                model.add(self.makespan >= done)
            terms.append(goal.makespan * self.makespan)
        terms += [goal.setup * cost for cost in self.costs]
        if self.work.holding:
            moved = [self._moved(v, held) for v, held in enumerate(self.work.plan)
                     if held is not None]
            terms += [goal.moved * literal for literal in moved if goal.moved]
            if self.work.most_moved is not None:
                model.add(sum(moved) <= self.work.most_moved)
        model.minimize(sum(terms))

    def _moved(self, v: int, held: tuple[int, int]) -> Any:
        """An operation is moved unless it keeps its machine and about its start."""
        literal, model = self.model.new_bool_var(f"moved{v}"), self.model
        way = next((way for way in self.ways[v] if way.machine == held[0]), None)
        if way is None:
            model.add(literal == 1)
            return literal
        for gate in way.gates():
            model.add_implication(~literal, gate)
        model.add(self.begin[v] >= held[1] - self.work.tolerance).only_enforce_if(~literal)
        model.add(self.begin[v] <= held[1] + self.work.tolerance).only_enforce_if(~literal)
        return literal

    # -- solve -----------------------------------------------------------------------------------
    def hint(self, schedule: Schedule) -> None:
        """Search from a schedule that somebody else found."""
        hint(self, schedule)

    def solve(self, *, seconds: float, work: float | None = None, seed: int = 1, workers: int = 1,
              told: Told = None, **parameters: Any) -> Found:
        """Search; what was found, made as early as its order allows."""
        solver = cp_model.CpSolver()
        settings = {"max_time_in_seconds": max(0.01, seconds), "num_workers": workers,
                    "interleave_search": workers == 1, "random_seed": seed, **parameters}
        if work is not None:
            settings["max_deterministic_time"] = work
        for name, value in settings.items():
            setattr(solver.parameters, name, value)
        watch = _Watch(self, told)
        status = solver.solve(self.model, watch)
        known = solver.status_name(status).lower()
        bound = None if self.narrowed or status not in (
            cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN) else ceil(
            solver.best_objective_bound - 1e-6)
        schedule = None
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            schedule = self.read(solver.value)
        cost = None if schedule is None else score(self.work, schedule).cost
        return Found(known, schedule, cost, bound, solver.response_proto.deterministic_time,
                     solver.wall_time)

    def read(self, value: Callable[[Any], int]) -> Schedule:
        """The schedule of a solution, moved up where nothing is lost by it."""
        start = [value(time) for time in self.begin]
        machine = [next(way.machine for way in ways if value(way.here)) for ways in self.ways]
        return tidy(self.work, machine, start)


class _Watch(cp_model.CpSolverSolutionCallback):
    """Tells of each solution."""

    def __init__(self, model: ScheduleModel, told: Told) -> None:
        super().__init__()
        self.scheme, self.told = model, told

    def on_solution_callback(self) -> None:
        """A better solution."""
        if self.told is not None:
            bound = None if self.scheme.narrowed else ceil(
                self.best_objective_bound - 1e-6)
            self.told(self.scheme.read(self.value), bound)
