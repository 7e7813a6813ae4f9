"""Work as plain arrays, and the compiled search over the order of its operations."""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from twin.optimize.dispatch_rules import Floor, follow
from twin.optimize.schedule_score import BROKEN, Schedule, firsts, in_turn, moved, score
from twin.optimize.schedule_work import Work

_NEVER = 1 << 60


class Tables(NamedTuple):
    """Work as `sequence_moves` reads it; jobs in an order in which each follows what it waits for.
    """

    first: Any
    job: Any
    way_from: Any
    way_machine: Any
    way_minutes: Any
    started: Any
    delay: Any
    family: Any
    setup: Any
    planned_on: Any
    planned: Any
    release: Any
    tail: Any
    due: Any
    weight: Any
    deadline: Any
    after_from: Any
    after: Any
    high: Any
    span_from: Any
    shut: Any
    open: Any
    group: Any
    tool_family: Any
    setup_minutes: Any
    setup_cost: Any
    goal: Any
    reach: Any
    tolerance: int
    holding: bool
    plan: bool


def fits(work: Work) -> bool:
    """Whether the compiled search can do it: no batches, crews that are short, or services."""
    return (find_spec("numba") is not None and work.size > 0 and not any(Floor(work).people)
            and not any(task.batch for job in work.jobs for task in job.tasks)
            and not any(job.service and job.deadline is not None for job in work.jobs))


class SequenceSearch:
    """A search over the order of operations, in tries that all take about as long.

    Parameters
    ----------
    seed
        Same work, start, seed and tries: same schedule.
    """

    def __init__(self, work: Work, start: Schedule, seed: int = 1, memory: int = 3000) -> None:
        self.work = work
        self.luck = np.random.default_rng([seed, 0x0DE5])
        self.tries = 0
        first = firsts(work)
        self._turn = in_turn(work)
        #: number here -> number in the work
        self._own = np.array([v for j in self._turn for v in range(first[j], first[j + 1])])
        self.tables = _tables(work, self._turn, self._own)
        self._size = memory
        self.take(start)

    def take(self, schedule: Schedule) -> None:
        """Search on from a schedule."""
        self.best, self.best_cost = schedule, score(self.work, schedule).cost
        tables, own = self.tables, self._own
        self._now = np.array(schedule.start, float)[own]
        self._on = np.array(schedule.machine)[own]
        self._held = (tables.planned_on >= 0) & (self._on == tables.planned_on) & (
            np.abs(self._now - tables.planned) <= tables.tolerance) & tables.holding
        over = 0 if self.work.most_moved is None else max(
            0, len(moved(self.work, schedule)) - self.work.most_moved)
        soft = self.best_cost - over * (BROKEN - int(tables.goal[6]))
        self._costs = np.array([soft, self.best_cost, over])
        self._memory = np.full(self._size, soft)
        self._best = (self._now.copy(), self._on.copy(), self._held.copy())

    def search(self, *, tries: int, until: float = float("inf"), told: Any = None) -> Schedule:
        """Try on; the best schedule so far."""
        from twin.optimize import sequence_moves  # Numba takes a while to come

        last = self.tries + tries
        while self.tries < last and time.time() < until:
            some = min(last - self.tries, 1 + 400_000 // len(self._now))
            sequence_moves.search(self.tables, self._now, self._on, self._held, self._memory,
                                  some, self.tries, *self._best, self._costs, self.luck)
            self.tries += some
            if self._costs[1] < self.best_cost:
                made = self._made()
                cost = score(self.work, made).cost
                self._costs[1] = min(self._costs[1], cost)
                if cost < self.best_cost:
                    self.best, self.best_cost = made, cost
                    if told is not None:
                        told(made, None)
        return self.best

    def _made(self) -> Schedule:
        """The best orders as a schedule, placed by the same hand as all others."""
        start, on, held = self._best
        keys, machine = np.empty(len(start)), np.empty(len(start), int)
        keys[self._own], machine[self._own] = start, on
        floor = {int(v): max(0, int(time) - self.tables.tolerance) for v, time in zip(
            self._own[held], self.tables.planned[held], strict=True)}
        return follow(self.work, keys.tolist(), machine.tolist(), floor)


def _tables(work: Work, turn: list[int], own: Any) -> Tables:
    jobs = [work.jobs[j] for j in turn]
    place = {j: i for i, j in enumerate(turn)}
    tasks = [task for job in jobs for task in job.tasks]
    families = {name: i for i, name in enumerate(sorted(
        {task.family for task in tasks} | {tool.family for tool in work.tools}
        | {a for _, a, _ in work.setups} - {""})) if name}
    families = {name: i for i, name in enumerate(sorted(families))}
    groups = {name: i for i, name in enumerate(sorted({tool.group for tool in work.tools}))}
    shape = (len(groups), len(families) + 1, max(1, len(families)))
    minutes, costs = np.full(shape, -1), np.zeros(shape, int)
    for (group, before, after), (least, cost) in work.setups.items():
        if group in groups and after in families:
            at = groups[group], families.get(before, -1) + 1, families[after]
            minutes[at], costs[at] = least, cost
    held = [work.plan[v] if v < len(work.plan) else None for v in own.tolist()]
    able = [one if one is not None and any(m == one[0] for m, _ in task.ways) else None
            for one, task in zip(held, tasks, strict=True)]
    lost = sum(one is not None for one in held) - sum(one is not None for one in able)
    goal = work.goal
    most = 1 << 40 if work.most_moved is None else work.most_moved - lost

    def whole(values: Any) -> Any:
        return np.array(list(values), dtype=np.int64)

    def starts(parts: Any) -> Any:
        return np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)

    return Tables(
        first=starts([job.tasks for job in jobs]),
        job=whole(i for i, job in enumerate(jobs) for _ in job.tasks),
        way_from=starts([task.ways for task in tasks]),
        way_machine=whole(m for task in tasks for m, _ in task.ways),
        way_minutes=whole(least for task in tasks for _, least in task.ways),
        started=whole(-1 if task.started is None else task.started for task in tasks),
        delay=whole(task.delay for task in tasks),
        family=whole(families.get(task.family, -1) for task in tasks),
        setup=whole(task.setup for task in tasks),
        planned_on=whole(-1 if one is None else one[0] for one in able),
        planned=whole(0 if one is None else one[1] for one in able),
        release=whole(job.release for job in jobs), tail=whole(job.tail for job in jobs),
        due=whole(_NEVER if job.due is None else job.due for job in jobs),
        weight=whole(job.weight for job in jobs),
        deadline=whole(_NEVER if job.deadline is None else job.deadline for job in jobs),
        after_from=starts([job.after for job in jobs]),
        after=whole(place[other] for job in jobs for other in job.after),
        high=np.zeros(len(jobs)),
        span_from=starts([tool.closed for tool in work.tools]),
        shut=whole(a for tool in work.tools for a, _ in tool.closed),
        open=whole(b for tool in work.tools for _, b in tool.closed),
        group=whole(groups[tool.group] for tool in work.tools),
        tool_family=whole(families.get(tool.family, -1) for tool in work.tools),
        setup_minutes=minutes, setup_cost=costs,
        goal=whole([goal.tardiness, goal.makespan, goal.setup, goal.moved, most, BROKEN,
                    60 * max(goal.tardiness, goal.makespan), 0]),
        reach=np.array([0.003, 0.02, 0.12]), tolerance=work.tolerance, holding=work.holding,
        plan=any(one is not None for one in able))
