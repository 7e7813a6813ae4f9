"""Searches over schedules: a new order of the operations, and a part of them solved anew.

`Reordering` shuffles the order in which operations are placed and keeps what is good enough (late
acceptance, Burke and Bykov 2017): it knows every rule of the shop, since placing does.
`Neighbourhoods` frees some operations of a schedule too large for one model and solves for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from twin.optimize.dispatch_rules import follow
from twin.optimize.schedule_score import Schedule, ends, firsts, places, score
from twin.optimize.schedule_work import Work

Told = Callable[[Schedule, int | None], None]

_MEMORY = 40
_FREED = 45
_WORK_EACH = 0.4
_BUILT = 1.5e-6  #: solver's units of work that building a constraint takes as long as


class Reordering:
    """A search from a schedule, in tries that all take about as long.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Job, Task, Tool
    >>> jobs = tuple(Job((Task(((0, minutes),)),), due=due) for minutes, due in ((9, 30), (2, 2)))
    >>> work = Work(jobs, (Tool("saw"),))
    >>> search = Reordering(work, follow(work, [0, 1]))
    >>> search.search(tries=200).start
    (2, 0)
    """

    def __init__(self, work: Work, start: Schedule, seed: int = 1) -> None:
        self.work, self.luck = work, Random(seed)
        self.place, self.first = places(work), firsts(work)
        self.tries = 0
        self.held: set[int] = set()
        self.take(start)

    def take(self, schedule: Schedule) -> None:
        """Search on from a schedule."""
        self.now = self.best = schedule
        self.cost = self.best_cost = score(self.work, schedule).cost
        self.memory = [self.cost] * _MEMORY
        if self.work.holding:
            self.held = {v for v, held in enumerate(self.work.plan) if held is not None
                         and schedule.machine[v] == held[0]
                         and abs(schedule.start[v] - held[1]) <= self.work.tolerance}

    def search(self, *, tries: int = 1 << 60, until: float = float("inf"),
               told: Told | None = None) -> Schedule:
        """Try on; the best schedule so far.

        Parameters
        ----------
        tries
            The deterministic stop.
        until
            Wall clock, as `time.time`.
        """
        last = self.tries + tries
        if not self.first[-1]:
            return self.best
        while self.tries < last and time.time() < until:
            self.tries += 1
            made, held = self._changed()
            cost = score(self.work, made).cost
            slot = self.tries % _MEMORY
            if cost <= self.cost or cost <= self.memory[slot]:
                self.now, self.cost, self.held = made, cost, held
            self.memory[slot] = self.cost
            if cost < self.best_cost:
                self.best, self.best_cost = made, cost
                if told is not None:
                    told(made, None)
        return self.best

    def _changed(self) -> tuple[Schedule, set[int]]:
        """The schedule with a few operations elsewhere in the order."""
        luck, now = self.luck, self.now
        keys: list[float] = list(map(float, now.start))
        machine, held = list(now.machine), set(self.held)
        size = len(keys)
        span = max(now.end) - min(now.start) or 1
        for _ in range(1 + (luck.random() < 0.4) + (luck.random() < 0.15)):
            v = self._pick()
            choice = luck.random()
            held.discard(v)
            if choice < 0.35:  # before another operation of its machine
                line = [u for u in range(size) if machine[u] == machine[v]]
                other = line[luck.randrange(len(line))]
                keys[v] = keys[other] + luck.choice((-0.5, 0.5))
            elif choice < 0.7:  # earlier or later, with what comes before or after in the lot
                shift = luck.gauss(0.0, 0.12) * span
                j, _ = self.place[v]
                lot = range(self.first[j], v + 1) if shift < 0.0 else range(v, self.first[j + 1])
                for u in lot:
                    keys[u] += shift
                    held.discard(u)
            else:  # wherever it is done first
                j, _ = self.place[v]
                lot = range(self.first[j], self.first[j + 1]) if luck.random() < 0.3 else \
                    range(v, v + 1)
                for u in lot:
                    machine[u] = -1
                    held.discard(u)
                    keys[u] += luck.gauss(0.0, 0.05) * span
            if self.work.holding and luck.random() < 0.3:
                u = luck.randrange(size)
                if u < len(self.work.plan) and (plan := self.work.plan[u]) is not None:
                    machine[u], keys[u] = plan[0], float(plan[1])
                    held.add(u)
        floor = {}
        if self.work.holding:
            floor = {v: max(0, plan[1] - self.work.tolerance) for v in held
                     if (plan := self.work.plan[v]) is not None}
        return follow(self.work, keys, machine, floor), held

    def _pick(self) -> int:
        """An operation, of a late lot more often than not."""
        luck = self.luck
        if luck.random() < 0.5:
            done = ends(self.work, self.now)
            late = [j for j, job in enumerate(self.work.jobs) if job.tasks
                    and job.due is not None and done[j] > job.due]
            if late:
                j = luck.choice(late)
                return luck.randrange(self.first[j], self.first[j + 1])
        return luck.randrange(self.first[-1])


class Neighbourhoods:
    """Part after part of a large schedule, each solved for with the rest kept in order."""

    def __init__(self, work: Work, start: Schedule, seed: int = 1) -> None:
        self.work, self.luck = work, Random(seed)
        self.place, self.first = places(work), firsts(work)
        self.spent = 0.0  #: solver's units of work
        self.take(start)

    def take(self, schedule: Schedule) -> None:
        """Search on from a schedule."""
        self.best, self.cost = schedule, score(self.work, schedule).cost

    def search(self, *, spend: float = float("inf"), until: float = float("inf"),
               told: Told | None = None) -> Schedule:
        """Solve on; the best schedule so far."""
        from twin.optimize.schedule_model import ScheduleModel  # a second, for those who need it

        last = self.spent + spend
        span = max(self.best.end, default=0)
        while self.spent < last and (left := until - time.time()) > 0.05 and span:
            free = self._free()
            keep = [v for v in range(self.first[-1]) if v not in free]
            within = max(60, span // 6)
            model = ScheduleModel(self.work, span + span // 4, self.best, keep, within)
            model.hint(self.best)
            found = model.solve(seconds=left, work=min(_WORK_EACH, last - self.spent),
                                seed=self.luck.randrange(1 << 30))
            self.spent += max(found.work, 0.01) + _BUILT * len(model.model.proto.constraints)
            if found.schedule is not None and found.cost is not None and found.cost < self.cost:
                self.best, self.cost = found.schedule, found.cost
                span = max(self.best.end)
                if told is not None:
                    told(self.best, None)
        return self.best

    def _free(self) -> set[int]:
        """Operations that stand near each other in time, or those of a few lots."""
        luck, now, size = self.luck, self.best, self.first[-1]
        if luck.random() < 0.5:
            order = sorted(range(size), key=lambda v: now.start[v])
            begin = luck.randrange(max(1, size - _FREED))
            return set(order[begin:begin + _FREED])
        done = ends(self.work, now)
        late = [j for j, job in enumerate(self.work.jobs)
                if job.due is not None and done[j] > job.due and job.tasks]
        every = [j for j, job in enumerate(self.work.jobs) if job.tasks]
        found: set[int] = set()
        while len(found) < min(_FREED, size):
            j = luck.choice(late if late and luck.random() < 0.6 else every)
            before = len(found)
            found.update(range(self.first[j], self.first[j + 1]))
            if len(found) == before and luck.random() < 0.2:
                break
        return found

