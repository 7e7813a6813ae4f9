"""Work as plain arrays, and the compiled search over the order of its operations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from twin.optimize.dispatch_rules import RULES, Floor, dispatch, follow
from twin.optimize.schedule_repair import repaired
from twin.optimize.schedule_score import BROKEN, Schedule, firsts, in_turn, moved, score
from twin.optimize.schedule_work import Work

_NEVER = 1 << 60
_LONG, _SHORT = 3000, 300  #: tries that late acceptance looks back on
#: Placements under a bound on moves before it comes down, and while it first does.
_BEFORE, _DESCENT = 5_000_000, 20_000_000
_STEPS, _END, _AGAIN = 10, 0.4, 3  #: of a descent: its steps, the share of the last of them, and
#: from how many times as many moves as may the next ones come


class Tables(NamedTuple):
    """Work as `sequence_moves` reads it; jobs in an order in which each follows what it waits for.
    """

    first: Any
    job: Any
    way_from: Any
    way_machine: Any
    way_minutes: Any
    least: Any
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
    batches: int
    batch: Any
    room: Any
    crew: Any  #: that may be short; else -1
    tool_crew: Any
    people_from: Any
    service_from: Any
    service: Any  #: by machine, in the order in which they are due
    latest: Any  #: end of a service, by operation
    #: As a schedule is placed: when people are free; operations that are placed; the batch of a
    #: machine, its start, its end, its room; the next service of a machine.
    people: Any
    gone: Any
    word: Any
    begun: Any
    over: Any
    space: Any
    turn: Any
    #: Prices of four goals; moves that may be; a broken rule; toll; moves beyond; toll at first.
    goal: Any
    reach: Any
    tolerance: int
    holding: bool
    plan: bool


def fits(work: Work) -> bool:
    """Whether the compiled search can do it."""
    return find_spec("numba") is not None and work.size > 0


class SequenceSearch:
    """A search over the order of operations, in tries that all take about as long.

    Where few operations of a plan in force may move, the bound on them, kept at first, comes down
    in steps from as many as a good schedule moves, then again and again from a few times as many
    as may. A search that keeps to it all the time lets one lot wait for all others, and is stuck.

    Parameters
    ----------
    seed
        Same work, start, seed and tries: same schedule.
    """

    def __init__(self, work: Work, start: Schedule, seed: int = 1,
                 memory: int | None = None) -> None:
        self.work = work
        self.luck = np.random.default_rng([seed, 0x0DE5])
        self.tries = 0
        first = firsts(work)
        self._turn = in_turn(work)
        #: number here -> number in the work
        self._own = np.array([v for j in self._turn for v in range(first[j], first[j + 1])])
        self.tables = _tables(work, self._turn, self._own)
        #: operations that move in any case: what the plan has them on cannot do them
        self._lost = sum(one is not None for one in work.plan) - int(
            np.count_nonzero(self.tables.planned_on >= 0))
        bounded = work.holding and work.most_moved is not None
        self._size = memory or (_SHORT if bounded else _LONG)
        self._bounds = self._descents() if bounded else None
        self._left = 0 if bounded else _NEVER  #: tries under the bound of now
        self._begin(start, work.most_moved)
        self.best, self.best_cost = start, int(self._costs[1])

    def take(self, schedule: Schedule) -> None:
        """Search on from a schedule; where the bound comes down, the next time it does."""
        self.best, self.best_cost = schedule, score(self.work, schedule).cost
        if self._bounds is None:
            self._begin(schedule, None)

    def _begin(self, schedule: Schedule, most: int | None) -> None:
        """Search from a schedule, where so many operations may move."""
        tables, own, work = self.tables, self._own, replace(self.work, most_moved=most)
        self._most = most
        tables.goal[4] = 1 << 40 if most is None else most - self._lost
        tables.goal[6] = tables.goal[8]
        self._now = np.array(schedule.start, float)[own]
        self._on = np.array(schedule.machine)[own]
        self._held = (tables.planned_on >= 0) & (self._on == tables.planned_on) & (
            np.abs(self._now - tables.planned) <= tables.tolerance) & tables.holding
        found = score(work, schedule)
        soft = found.cost - found.beyond * (BROKEN - int(tables.goal[6]))
        self._costs = np.array([soft, found.cost, found.beyond])
        self._memory = np.full(self._size, soft)
        self._best = (self._now.copy(), self._on.copy(), self._held.copy())

    def _descents(self) -> Iterator[tuple[Schedule, int, int]]:
        """From where to search on, how many operations may move meanwhile, and for how many tries.
        """
        work, size = self.work, max(1, self.work.size)
        most = work.most_moved
        assert most is not None
        yield self.best, most, 1 + _BEFORE // size
        start = min([*repaired(work), *(dispatch(work, rule) for rule in RULES.values())],
                    key=lambda one: score(replace(work, most_moved=None), one).cost)
        high, placed = len(moved(work, start)), _DESCENT
        while True:
            high = max(high, most + 1)
            for step in range(1, _STEPS):
                bound = high * (max(most, 0.5) / high) ** (step / _STEPS)
                yield start, round(bound), 1 + int(placed * (1.0 - _END) / (_STEPS - 1)) // size
                start = self._made()
            yield start, most, 1 + int(placed * _END) // size
            start, high, placed = self.best, _AGAIN * most, _DESCENT // 2

    def make_ready(self) -> None:
        """Have it compiled, which a machine does once and takes some ten seconds."""
        self._try(0)

    def _try(self, some: int) -> None:
        from twin.optimize import sequence_moves  # Numba takes a while to come

        sequence_moves.search(self.tables, self._now, self._on, self._held, self._memory,
                              some, self.tries, *self._best, self._costs, self.luck)

    def search(self, *, tries: int, until: float = float("inf"), told: Any = None) -> Schedule:
        """Try on; the best schedule so far."""
        last = self.tries + tries
        while self.tries < last and time.time() < until:
            if not self._left and self._bounds is not None:
                start, bound, self._left = next(self._bounds)
                self._begin(start, bound)
            some = min(last - self.tries, self._left, 1 + 400_000 // len(self._now))
            self._try(some)
            self.tries += some
            self._left -= some
            if self._most == self.work.most_moved and self._costs[1] < self.best_cost:
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


def _toll(work: Work) -> int:
    """What a move beyond the bound costs at first."""
    return 60 * max(work.goal.tardiness, work.goal.makespan)


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
    goal = work.goal

    def whole(values: Any) -> Any:
        return np.array(list(values), dtype=np.int64)

    def starts(parts: Any) -> Any:
        return np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)

    shop = Floor(work)
    batches = {name: i for i, name in enumerate(sorted({task.batch for task in tasks} - {""}))}
    here = {int(v): i for i, v in enumerate(own)}
    services = [[here[shop.first[j]] for _, _, j in line] for line in shop.services]
    tools = len(work.tools)

    def short(crew: int) -> int:
        return crew if crew >= 0 and shop.people[crew] else -1

    return Tables(
        first=starts([job.tasks for job in jobs]),
        job=whole(i for i, job in enumerate(jobs) for _ in job.tasks),
        way_from=starts([task.ways for task in tasks]),
        way_machine=whole(m for task in tasks for m, _ in task.ways),
        way_minutes=whole(least for task in tasks for _, least in task.ways),
        least=whole(min(minutes for _, minutes in task.ways) for task in tasks),
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
        batches=len(batches), batch=whole(batches.get(task.batch, -1) for task in tasks),
        room=whole(task.room for task in tasks), crew=whole(short(task.crew) for task in tasks),
        tool_crew=whole(short(tool.crew) for tool in work.tools),
        people_from=starts(shop.people), service_from=starts(services),
        service=whole(v for line in services for v in line),
        latest=whole(_NEVER if job.deadline is None else job.deadline - job.tail
                     for job in jobs for _ in job.tasks),
        people=np.zeros(sum(map(len, shop.people)), np.int64), gone=np.zeros(len(tasks), np.bool_),
        word=np.zeros(tools, np.int64), begun=np.zeros(tools, np.int64),
        over=np.zeros(tools, np.int64), space=np.zeros(tools, np.int64),
        turn=np.zeros(tools, np.int64),
        goal=whole([goal.tardiness, goal.makespan, goal.setup, goal.moved, 1 << 40, BROKEN,
                    _toll(work), 0, _toll(work)]),
        reach=np.array([0.003, 0.02, 0.12]), tolerance=work.tolerance, holding=work.holding,
        plan=any(one is not None for one in able))
