"""A short-lived process that searches for schedules: data in, incumbents out, killed at the end.

Pickled messages come and go over its standard input and output, from and to the process that
started it.
"""

from __future__ import annotations

import pickle
import sys
import time
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from twin.optimize.dispatch_rules import follow
from twin.optimize.schedule_score import Schedule, firsts, moved, score
from twin.optimize.schedule_work import Goal, Work
from twin.optimize.sequence_search import SequenceSearch, fits

#: Work that a second of the limit stands for, well below what a second does on a quiet machine.
STEPS_A_SECOND, PLACED_A_SECOND, SOLVED_A_SECOND = 150_000, 100_000, 0.05
COMPILED_A_SECOND = 3_000_000
_EACH = 40  #: operations that take as long as what every compiled try costs besides placing
#: Choices up to which a proof is hoped for where few operations may move, above which a model is
#: presolved lightly, and above which it is solved in parts.
_SMALL, _MIDDLE, _LARGE = 200, 10_000, 60_000
_LIGHT = {"cp_model_probing_level": 0, "symmetry_level": 0, "max_presolve_iterations": 1}


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is started with."""

    work: Work
    seed: int
    start: Schedule
    horizon: int


@dataclass(frozen=True, slots=True)
class Round:
    """What to do next: from a better schedule, so many seconds' worth of work, until a time.

    A role is ``tabu``, ``order``, ``model`` or ``fewest``; `target` is a cost that nothing can be
    below, and `most_moved` what may be moved by now.
    """

    role: str
    seconds: float
    counted: bool  #: stop on work; else the clock alone stops
    until: float
    better: Schedule | None = None
    target: int = 0
    most_moved: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A schedule or a bound that a worker found; `over` ends a round; with nothing: it searches.

    `fewest` is how many operations move in any schedule, `most_moved` how many may from now on.
    """

    schedule: Schedule | None = None
    bound: int | None = None
    over: bool = False
    proved: bool = False
    infeasible: bool = False
    work: float = 0.0
    fewest: int | None = None
    most_moved: int | None = None


def plain(work: Work) -> bool:
    """Whether it is a job shop, flexible or not, for the makespan, and nothing else."""
    goal = work.goal
    return (goal.makespan > 0 and not goal.tardiness and not goal.setup and not work.holding
            and not work.crews and not any(tool.closed for tool in work.tools)
            and all(not job.release and not job.after and not job.tail and job.tasks
                    and job.deadline is None
                    and all(not task.delay and not task.batch and task.started is None
                            and min(minutes for _, minutes in task.ways) > 0
                            and not any(work.changeover(m, family, task)[0]
                                        for m, _ in task.ways
                                        for family in ("", work.tools[m].family, "another"))
                            for task in job.tasks)
                    for job in work.jobs)
            and not work.setups)


def literals(work: Work, horizon: int) -> int:
    """About how many choices a model of all the work would have."""
    pieces = [2 * sum(1 for a, _ in tool.closed if a < horizon) for tool in work.tools]
    hard = bool(work.setups) or any(task.setup for job in work.jobs for task in job.tasks)
    on = [0] * len(work.tools)
    total = 0
    for job in work.jobs:
        for task in job.tasks:
            for machine, _ in task.ways:
                total += 1 + pieces[machine]
                on[machine] += 1
    return total + (sum(n * n for n in on) if hard else 0)


class Worker:
    """One role of the portfolio, kept between rounds."""

    def __init__(self, task: Errand, out: BinaryIO) -> None:
        self.task, self.work, self.out = task, task.work, out
        self.best, self.cost = task.start, score(task.work, task.start).cost
        self.engines: dict[str, Any] = {}

    def tell(self, said: Said) -> None:
        """Write a message."""
        pickle.dump(said, self.out, protocol=pickle.HIGHEST_PROTOCOL)
        self.out.flush()

    def told(self, schedule: Schedule, bound: int | None) -> None:
        """A schedule; it is passed on if it is better."""
        cost = score(self.work, schedule).cost
        if cost < self.cost:
            self.best, self.cost = schedule, cost
            self.tell(Said(schedule, bound))

    def round(self, turn: Round) -> None:
        """Do one round and say that it is over."""
        if turn.most_moved != self.work.most_moved:
            self._ease(turn.most_moved)
        if turn.better is not None and score(self.work, turn.better).cost < self.cost:
            self.best = turn.better
            self.cost = score(self.work, turn.better).cost
        self.tell(getattr(self, f"_{turn.role}")(turn))

    def _ease(self, most: int | None) -> None:
        """Let more operations move than was asked for, since fewer cannot."""
        self.work = replace(self.work, most_moved=most)
        self.cost = score(self.work, self.best).cost
        self.engines.clear()

    def _tabu(self, turn: Round) -> Said:
        import numpy as np

        from twin.optimize.tabu import JobShop, TabuSearch, Timetable

        work = self.work
        if "tabu" not in self.engines:
            self.engines["tabu"] = TabuSearch(
                JobShop(tuple(tuple(task.ways for task in job.tasks) for job in work.jobs)),
                self.task.seed)
        engine, first = self.engines["tabu"], firsts(work)

        def told(found: Timetable) -> None:
            machine, start = found.machine.tolist(), found.start.tolist()
            self.told(follow(work, start, machine), None)

        known = engine.best.makespan if engine.best else 1 << 60
        if self.cost < known * work.goal.makespan:
            engine.start_from(np.array(self.best.machine), np.array(self.best.start))
            self.tell(Said())
            told(engine.best)
        begun = engine.done
        steps = int(turn.seconds * STEPS_A_SECOND * 200 / max(200, first[-1]))
        engine.search(iterations=steps if turn.counted else 1 << 60,
                      until=turn.until - time.time() + time.perf_counter(), told=told,
                      target=turn.target // work.goal.makespan)
        return Said(self.best, over=True, work=(engine.done - begun) / STEPS_A_SECOND)

    def _order(self, turn: Round) -> Said:
        from twin.optimize.schedule_search import Reordering

        fast = fits(self.work)
        if "order" not in self.engines:
            self.engines["order"] = (SequenceSearch if fast else Reordering)(
                self.work, self.best, self.task.seed)
            if fast:
                self.engines["order"].make_ready()
                self.tell(Said())
        engine = self.engines["order"]
        if engine.best_cost > self.cost:
            engine.take(self.best)
        begun, size = engine.tries, self.work.size + _EACH if fast else max(1, self.work.size)
        placed = COMPILED_A_SECOND if fast else PLACED_A_SECOND
        tries = max(1, int(turn.seconds * placed / size))
        engine.search(tries=tries if turn.counted else 1 << 60, until=turn.until,
                      told=self.told)
        return Said(self.best, over=True, work=(engine.tries - begun) * size / placed)

    def _fewest(self, turn: Round) -> Said:
        """How many operations have to move, for half of the round; then whatever promises more."""
        size = literals(self.work, self.task.horizon)
        if size <= _SMALL:
            return self._model(turn)
        if size > _LARGE:
            return self._order(turn)
        spend, now = turn.seconds * SOLVED_A_SECOND, time.time()
        took = self._least_moves(replace(turn, until=now + (turn.until - now) / 2),
                                 spend / 2 if turn.counted else None)
        said = self._order(replace(turn, seconds=turn.seconds * max(0.0, 1.0 - took / spend)))
        return replace(said, work=said.work + took)

    def _least_moves(self, turn: Round, spend: float | None) -> float:
        """Move as few operations as can be; if more must than may, so many may. The work of it."""
        from twin.optimize.schedule_model import ScheduleModel

        assert self.work.most_moved is not None
        model = ScheduleModel(replace(self.work, goal=Goal("moved", 0, 0, 0, 1), most_moved=None),
                              self.task.horizon)
        model.hint(self.best)
        found = model.solve(seconds=turn.until - time.time(), work=spend, seed=self.task.seed)
        least = min((one for one in (self.best, found.schedule) if one is not None),
                    key=lambda one: len(moved(self.work, one)))
        if found.status == "optimal" and len(moved(self.work, least)) > self.work.most_moved:
            self._ease(len(moved(self.work, least)))
        self.told(least, None)
        self.tell(Said(least, fewest=found.bound, most_moved=self.work.most_moved))
        return found.work

    def _model(self, turn: Round) -> Said:
        from twin.optimize.schedule_model import ScheduleModel
        from twin.optimize.schedule_search import Neighbourhoods

        task, work = self.task, self.work
        spend = turn.seconds * SOLVED_A_SECOND if turn.counted else None
        size = literals(work, task.horizon)
        if size > _LARGE:
            parts = self.engines.setdefault(
                "parts", Neighbourhoods(work, self.best, task.seed))
            if parts.cost > self.cost:
                parts.take(self.best)
            begun = parts.spent
            parts.search(spend=float("inf") if spend is None else spend, until=turn.until,
                         told=self.told)
            return Said(self.best, over=True, work=parts.spent - begun)
        took = 0.0
        if work.most_moved is not None and len(moved(work, self.best)) > work.most_moved:
            took = self._least_moves(turn, spend)
            if spend is not None:
                spend = max(0.01, spend - took)
        most = self.work.most_moved  # what the model keeps to, the best schedule has to keep
        if most is not None:
            most = max(most, len(moved(self.work, self.best)))
        if "model" not in self.engines or self.engines["model"].work.most_moved != most:
            self.engines["model"] = ScheduleModel(replace(self.work, most_moved=most),
                                                  task.horizon)
        model = self.engines["model"]
        model.hint(self.best)
        ways: dict[str, Any] = _LIGHT if size > _MIDDLE else {}
        if most is not None and size > _SMALL:  # no hope of a proof
            ways = {**ways, "use_lns_only": True}
        found = model.solve(seconds=turn.until - time.time(), work=spend, seed=task.seed,
                            told=self.told, **ways)
        if found.schedule is not None:
            self.told(found.schedule, found.bound)
        bound = found.bound if most == self.work.most_moved else None
        proved = found.status == "optimal" and bound is not None and self.cost <= bound
        return Said(self.best, bound, over=True, proved=proved,
                    infeasible=found.status == "infeasible", work=found.work + took)


def main() -> None:
    """Serve rounds until the input ends."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing else may write between messages
    worker = Worker(pickle.load(source), out)
    while True:
        try:
            turn = pickle.load(source)
        except EOFError:
            return
        worker.round(turn)
