"""A portfolio of searches, each in a short-lived process, that exchange what they find.

In rounds: every process does its share of work from the best schedule so far, and the best of all
goes into the next round. Counted in work, the same data give the same schedule on any machine that
is quick enough; the clock is a guard, and what it stops is said to be stopped by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from queue import Queue

from twin.optimize.process import News, WorkerProcess, hear
from twin.optimize.schedule_score import Schedule, score
from twin.optimize.schedule_work import Work
from twin.optimize.schedule_worker import Errand, Round, Said, plain
from twin.optimize.sequence_search import fits
from twin.plan import Progress

_ROUNDS = (0.3, 0.3, 0.4)
_MARGIN = 0.15  #: seconds kept for stopping

#: Told of each better cost and bound.
Watcher = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a race came to; `work` says how many operations may move, if that had to be eased."""

    schedule: Schedule
    bound: int | None
    proved: bool
    infeasible: bool
    engine: str
    stopped_by: str
    seconds: float
    spent: float
    progress: tuple[Progress, ...]
    work: Work
    fewest: int | None = None  #: operations that move in any schedule
    compiling: bool = False  #: a search was still being compiled when the clock struck


def race(work: Work, start: Schedule, *, seconds: float, horizon: int, seed: int = 1,
         counted: float | None = None, cores: int = 2, watcher: Watcher | None = None) -> Outcome:
    """Search from a schedule with every engine that fits the work; never worse than the start.

    Parameters
    ----------
    seconds
        The hard limit by the clock, process start included.
    horizon
        Minutes by which everything is done.
    counted
        Stop on the work of so many seconds, so that the same data give the same schedule; None:
        only the clock stops.
    cores
        Processes.
    """
    lines = [("tabu",) * 3, ("model", "tabu", "tabu")] if plain(work) else [
        ("order",) * 3, _beside(work)]
    return _Race(work, start, seconds, horizon, seed, counted, lines[:max(1, cores)],
                 watcher).run()


def _beside(work: Work) -> tuple[str, ...]:
    """What the second process does while the first changes the order."""
    if not fits(work):
        return ("model",) * 3
    return "model" if work.most_moved is None else "fewest", "order", "model"


class _Race:
    def __init__(self, work: Work, start: Schedule, seconds: float, horizon: int, seed: int,
                 counted: float | None, lines: Sequence[tuple[str, ...]],
                 watcher: Watcher | None) -> None:
        self.work, self.seconds, self.counted = work, seconds, counted is not None
        self.spend = seconds if counted is None else counted
        self.began = time.time()
        self.best, self.cost = start, score(work, start).cost
        self.engine, self.bound = "dispatch rule", None  # type: str, int | None
        self.spent, self.infeasible = 0.0, False
        self.fewest: int | None = None
        self.watcher = watcher
        self.progress: list[Progress] = []
        self.own: dict[str, int] = {}  #: the best of each engine
        self._note()
        self.news: News = Queue()
        self.roles = lines
        self.heard: set[int] = set()
        self.runners = [WorkerProcess(i, "schedule_worker",
                                      Errand(work, seed + 1000 * i, start, horizon), self.news)
                        for i in range(len(lines))]

    def run(self) -> Outcome:
        """All rounds, until one proves, the work is done, or the clock strikes."""
        until = self.began + self.seconds - _MARGIN
        stopped = "work"
        try:
            for number, part in enumerate(_ROUNDS):
                stopped = self._round(number, part, until)
                if stopped:
                    break
        finally:
            compiling = [self._compiles(runner.number) for runner in self.runners]
            for runner, unheard in zip(self.runners, compiling, strict=True):
                runner.stop(finish=unheard)
        proved = self.bound is not None and self.cost <= self.bound
        return Outcome(self.best, self.bound, proved, self.infeasible, self.engine,
                       stopped or ("work" if self.counted else "wall"),
                       time.time() - self.began, self.spent, tuple(self.progress),
                       self.work, self.fewest, stopped == "wall" and any(compiling))

    def _compiles(self, who: int) -> bool:
        """Whether a process still waits for what a machine compiles once.

        Killed, it would begin anew with each plan, and under short limits never be done.
        """
        return (fits(self.work) and self.roles[who][0] in ("order", "tabu")
                and who not in self.heard)

    def _round(self, number: int, part: float, until: float) -> str:
        """One round; why all must stop, or blank."""
        end = until if self.counted or number == len(_ROUNDS) - 1 else \
            self.began + self.seconds * sum(_ROUNDS[:number + 1])
        running = {runner.number for runner in self.runners if runner.alive}
        if not running:
            return "work"
        for runner in self.runners:
            runner.say(Round(self.roles[runner.number][number], self.spend * part, self.counted,
                             min(end, until), self.best, self.bound or 0,
                             self.work.most_moved))
        found: dict[int, Schedule] = {}
        while running:
            heard = hear(self.news, until + _MARGIN / 2)
            if heard is None:
                self._settle(found)
                return "wall"
            who, said = heard
            if said is None:
                self.runners[who].alive = False
                running.discard(who)
                continue
            role = self.roles[who][number]
            self.heard.add(who)
            self._hear(said)
            if said.schedule is not None:
                found[who] = said.schedule
                self._improve(said.schedule, role)
            if said.over:
                running.discard(who)
                self.spent += said.work
                if said.infeasible and score(self.work, self.best).overdue:
                    self.infeasible = True
                    return "proof"
                if said.proved and said.schedule is not None:
                    self.best, self.engine = said.schedule, role
                    return "proof"
        self._settle(found)
        if self.bound is not None and self.cost <= self.bound:
            return "proof"
        if not self.counted and number == len(_ROUNDS) - 1:
            return "wall"
        return "wall" if time.time() >= until else ""

    def _hear(self, said: Said) -> None:
        if said.fewest is not None:
            self.fewest = said.fewest
        if said.most_moved is not None and said.most_moved != self.work.most_moved:
            self.work = replace(self.work, most_moved=said.most_moved)
            self.cost = score(self.work, self.best).cost
        if said.bound is not None and (self.bound is None or said.bound > self.bound):
            self.bound = min(said.bound, self.cost)
            self._note()

    def _improve(self, schedule: Schedule, role: str) -> None:
        found = score(self.work, schedule)
        cost = found.cost
        if not found.beyond and self.cost <= cost < self.own.get(role, cost + 1):
            self.progress.append(Progress(time.time() - self.began, float(cost), None, role))
        self.own[role] = min(cost, self.own.get(role, cost))
        if cost < self.cost:
            self.best, self.cost, self.engine = schedule, cost, role
            self._note()

    def _settle(self, found: dict[int, Schedule]) -> None:
        """Of equally good schedules the first process's, whoever was quicker."""
        for who in sorted(found):
            if score(self.work, found[who]).cost == self.cost:
                self.best = found[who]
                return

    def _note(self) -> None:
        told = None if score(self.work, self.best).beyond else float(self.cost)
        self.progress.append(Progress(time.time() - self.began, told,
                                      None if self.bound is None else float(self.bound),
                                      self.engine))
        if self.watcher is not None:
            self.watcher(self.progress[-1])
