"""Dispatching rules, played fast: a schedule in milliseconds, to start from and to compare with.

`dispatch` lets a rule choose whenever a machine could begin; `follow` keeps an order that somebody
else thought of. Both place operations one by one on a `Floor`, which knows every rule of the shop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from math import exp

from twin.optimize.schedule_hours import Hours
from twin.optimize.schedule_score import Schedule, firsts, places
from twin.optimize.schedule_work import Job, Task, Work

_NEVER = 1 << 60


class Floor:
    """Machines, crews and lots while operations are placed, each after all before it."""

    def __init__(self, work: Work, kept: Mapping[int, tuple[int, int]] | None = None) -> None:
        self.work = work
        self.kept = kept or {}  #: machine, and earliest start, of operations that a plan has
        self.hours = [Hours(tool.closed) for tool in work.tools]
        self.place = places(work)
        self.first = firsts(work)
        self.task: list[Task] = [work.jobs[j].tasks[k] for j, k in self.place]
        self.free = [0] * len(work.tools)
        self.family = [tool.family for tool in work.tools]
        self.batch: list[tuple[str, int, int, int]] = [("", 0, 0, 0)] * len(work.tools)
        used: list[set[int]] = [set() for _ in work.crews]
        for task in self.task:
            for machine, _ in task.ways:
                for crew in (work.tools[machine].crew, task.crew):
                    if crew >= 0:
                        used[crew].add(machine)
        #: when each person is free; crews that can never be short are left out
        self.people = [[0] * size if size < len(found) else []
                       for size, found in zip(work.crews, used, strict=True)]
        n = len(self.task)
        self.machine, self.start, self.end, self.setup = [-1] * n, [0] * n, [0] * n, [0] * n
        self.next = [0] * len(work.jobs)
        self.ready = [job.release for job in work.jobs]
        self.waits = [len(job.after) for job in work.jobs]
        self.followers: list[list[int]] = [[] for _ in work.jobs]
        for j, job in enumerate(work.jobs):
            for other in job.after:
                self.followers[other].append(j)
        #: services that still have to fit on a machine: latest end, minutes, number
        self.services: list[list[tuple[int, int, int]]] = [[] for _ in work.tools]
        for j, job in enumerate(work.jobs):
            if job.service and job.deadline is not None and len(job.tasks) == 1:
                machine, minutes = job.tasks[0].ways[0]
                self.services[machine].append((job.deadline - job.tail, minutes, j))
        for line in self.services:
            line.sort()
        self.opened: list[int] = []  #: jobs that others have just made ready
        self._take_up()

    def _take_up(self) -> None:
        """Operations that have begun go on; lots without operations are done."""
        for j, job in enumerate(self.work.jobs):
            while self.next[j] < len(job.tasks) and job.tasks[self.next[j]].started is not None:
                task, v = job.tasks[self.next[j]], self.first[j] + self.next[j]
                machine, minutes = task.ways[0]
                end = self.hours[machine].after(0, minutes)
                self.family[machine] = task.family or self.family[machine]
                self.batch[machine] = (task.batch, -(task.started or 0), end, task.room - 1)
                self._book(v, machine, -(task.started or 0), -(task.started or 0), end)
        for j, job in enumerate(self.work.jobs):
            if not job.tasks and not self.waits[j]:
                self._done(j, job.release)

    def crews(self, v: int, machine: int) -> set[int]:
        """The crews, by number, that may be short and that an operation needs."""
        found = {self.work.tools[machine].crew, self.task[v].crew}
        return {crew for crew in found if crew >= 0 and self.people[crew]}

    def earliest(self, v: int) -> int:
        """When an operation could begin for its lot's sake."""
        j, _ = self.place[v]
        return max(self.ready[j] + self.task[v].delay, self.kept[v][1] if v in self.kept else 0)

    def trial(self, v: int, machine: int, minutes: int, floor: int = 0) -> tuple[int, int, int]:
        """When its set-up, the operation and its end would be on a machine, after all before."""
        task, hours, ready = self.task[v], self.hours[machine], max(self.earliest(v), floor)
        word, begun, over, room = self.batch[machine]
        if task.batch and task.batch == word and room > 0 and ready <= begun:
            return begun, begun, over
        setup, _ = self.work.changeover(machine, self.family[machine], task)
        free = hours.opening(self.free[machine])
        start = hours.opening(max(ready, hours.after(free, setup) if setup else free))
        for crew in self.crews(v, machine):
            start = hours.opening(max(start, self.people[crew][0]))
        return free if setup else start, start, hours.after(start, minutes)

    def best_way(self, v: int, floor: int = 0) -> tuple[int, int]:
        """The machine on which an operation would be done first, and its minutes there."""
        ways = self.task[v].ways
        if v in self.kept:
            ways = tuple(way for way in ways if way[0] == self.kept[v][0]) or ways
        if len(ways) == 1:
            return ways[0]
        return min(ways, key=lambda way: (self.trial(v, way[0], way[1], floor)[2], way[1], way[0]))

    def put(self, v: int, machine: int, minutes: int, floor: int = 0) -> None:
        """Place an operation; a service that would else come too late goes first."""
        setup, start, end = self.trial(v, machine, minutes, floor)
        while self.services[machine]:
            latest, length, j = self.services[machine][0]
            if self.first[j] == v:
                break
            if self.next[j] or self.hours[machine].after(end, length) <= latest:
                if not self.next[j]:
                    break
                self.services[machine].pop(0)
                continue
            self.services[machine].pop(0)
            self._put(self.first[j], machine, *self.trial(self.first[j], machine, length))
            setup, start, end = self.trial(v, machine, minutes, floor)
        self._put(v, machine, setup, start, end)

    def _put(self, v: int, machine: int, setup: int, start: int, end: int) -> None:
        task = self.task[v]
        word, begun, over, room = self.batch[machine]
        joins = bool(task.batch) and task.batch == word and room > 0 and start == begun \
            and end == over and self.free[machine] == over
        self.batch[machine] = (task.batch, start, end, (room if joins else task.room) - 1)
        self.family[machine] = task.family or self.family[machine]
        self._book(v, machine, setup, start, end, crews=not joins)

    def _book(self, v: int, machine: int, setup: int, start: int, end: int,
              crews: bool = True) -> None:
        self.machine[v], self.setup[v], self.start[v], self.end[v] = machine, setup, start, end
        self.free[machine] = max(self.free[machine], end)
        if crews:
            for crew in self.crews(v, machine):
                heapreplace(self.people[crew], end)
        j, k = self.place[v]
        self.next[j] = k + 1
        self.ready[j] = end
        if self.next[j] == len(self.work.jobs[j].tasks):
            self._done(j, end)

    def _done(self, j: int, end: int) -> None:
        for other in self.followers[j]:
            self.waits[other] -= 1
            self.ready[other] = max(self.ready[other], end + self.work.jobs[j].tail)
            if not self.waits[other]:
                if self.work.jobs[other].tasks:
                    self.opened.append(other)
                else:
                    self._done(other, self.ready[other])

    def begin(self) -> list[int]:
        """Jobs whose next operation may be placed."""
        self.opened.clear()
        return [j for j, job in enumerate(self.work.jobs)
                if self.next[j] < len(job.tasks) and not self.waits[j]]

    def schedule(self) -> Schedule:
        """What has been placed."""
        return Schedule(tuple(self.machine), tuple(self.start), tuple(self.end),
                        tuple(self.setup))


def follow(work: Work, keys: Sequence[float], machine: Sequence[int] | None = None,
           floor: Mapping[int, int] | None = None) -> Schedule:
    """Place operations in the order of their keys, each as early as it can be after the others.

    Parameters
    ----------
    keys
        By operation; smaller first, as far as lots allow.
    machine
        The machine of each; -1, or None for all, lets it take the one that is done first.
    floor
        Operations that may not begin before a minute.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Tool
    >>> work = Work((Job((Task(((0, 3),)), Task(((1, 2),)))), Job((Task(((0, 1),)),))),
    ...             (Tool("saw"), Tool("drill")))
    >>> follow(work, [1, 2, 0]).start
    (1, 4, 0)
    """
    floor_of = floor or {}
    floor_at = floor_of.get
    shop = Floor(work)
    heap = [(keys[shop.first[j] + shop.next[j]], j) for j in shop.begin()]
    heapify(heap)
    while heap:
        _, j = heappop(heap)
        if shop.next[j] >= len(work.jobs[j].tasks):
            continue  # a service that was due has gone before
        v = shop.first[j] + shop.next[j]
        low = floor_at(v, 0)
        if machine is None or machine[v] < 0:
            chosen, minutes = shop.best_way(v, low)
        else:
            chosen = machine[v]
            minutes = next(m for where, m in shop.task[v].ways if where == chosen)
        shop.put(v, chosen, minutes, low)
        if shop.next[j] < len(work.jobs[j].tasks):
            heappush(heap, (keys[v + 1], j))
        while shop.opened:
            other = shop.opened.pop()
            heappush(heap, (keys[shop.first[other] + shop.next[other]], other))
    return shop.schedule()


def tidy(work: Work, machine: Sequence[int], start: Sequence[int]) -> Schedule:
    """A schedule of machines and starts, each operation as early as the order allows.

    Batches wait for their last lot, and what keeps the plan in force is not pulled away from it.
    """
    task = [work.jobs[j].tasks[k] for j, k in places(work)]
    floor = {v: start[v] for v, one in enumerate(task) if one.batch and one.started is None}
    if work.holding:
        for v, held in enumerate(work.plan):
            if held is not None and machine[v] == held[0] \
                    and abs(start[v] - held[1]) <= work.tolerance:
                floor[v] = max(floor.get(v, 0), min(start[v], held[1] - work.tolerance))
    return follow(work, start, machine, floor)


#: What a rule looks at: the floor, the lot, its operation, its machine, minutes, and the moment.
Rule = Callable[[Floor, int, int, int, int, int], float]


def dispatch(work: Work, rule: Rule,
             kept: Mapping[int, tuple[int, int]] | None = None) -> Schedule:
    """Let a rule choose whenever a machine could begin something.

    Parameters
    ----------
    kept
        Machine and earliest start of operations that keep what a plan says.
    """
    shop = Floor(work, kept)
    ready = dict.fromkeys(shop.begin())
    trial: dict[int, tuple[int, int, int]] = {}  # lot -> moment, machine, minutes
    while ready:
        for j in ready:
            if j not in trial:
                v = shop.first[j] + shop.next[j]
                machine, minutes = shop.best_way(v)
                moment = shop.hours[machine].opening(max(shop.free[machine], shop.earliest(v)))
                trial[j] = (moment, machine, minutes)
        now = min(trial[j][0] for j in ready)
        j = min((j for j in ready if trial[j][0] == now), key=lambda j: (
            rule(shop, j, shop.first[j] + shop.next[j], trial[j][1], trial[j][2], now), j))
        _, machine, minutes = trial[j]
        touched = {machine}
        crews = shop.crews(shop.first[j] + shop.next[j], machine)
        shop.put(shop.first[j] + shop.next[j], machine, minutes)
        del trial[j]
        for other in [j, *shop.opened]:
            if shop.next[other] < len(work.jobs[other].tasks):
                ready[other] = None
            else:
                ready.pop(other, None)
        shop.opened.clear()
        for other in list(ready):
            if shop.next[other] >= len(work.jobs[other].tasks):
                ready.pop(other)
                trial.pop(other, None)
            elif other in trial:
                v = shop.first[other] + shop.next[other]
                if any(m in touched for m, _ in shop.task[v].ways) or (
                        crews and crews & {work.tools[m].crew for m, _ in shop.task[v].ways}):
                    del trial[other]
    return shop.schedule()


def _left(job: Job, k: int) -> int:
    """Minutes of work and waiting that a lot still has before it, at its quickest."""
    return job.tail + sum(task.delay + min(m for _, m in task.ways) for task in job.tasks[k:])


def _due(job: Job) -> float:
    if job.service and job.deadline is not None:
        return float(job.deadline)
    return float(_NEVER if job.due is None else job.due)


def _fifo(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    return float(shop.earliest(v))


def _priority(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    return float(-shop.work.jobs[j].weight)


def _due_date(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    return _due(shop.work.jobs[j])


def _shortest(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    return float(minutes)


def _most_work(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    return float(-_left(shop.work.jobs[j], shop.next[j]))


def _slack(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    return _due(shop.work.jobs[j]) - _left(shop.work.jobs[j], shop.next[j])


def _family(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    setup, _ = shop.work.changeover(machine, shop.family[machine], shop.task[v])
    return 1e9 * (setup > 0) + shop.earliest(v)


def _atcs(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
    """Apparent tardiness cost with set-ups (Lee, Bhaskaran and Pinedo 1997)."""
    job = shop.work.jobs[j]
    setup, _ = shop.work.changeover(machine, shop.family[machine], shop.task[v])
    typical = max(1.0, sum(m for task in job.tasks for _, m in task.ways[:1]) / len(job.tasks))
    slack = max(0.0, min(_due(job), 1e9) - _left(job, shop.next[j]) - now)
    urgent = exp(-min(600.0, slack / (2.0 * typical))) * exp(-setup / (0.5 * typical))
    return -job.weight / max(1, minutes) * urgent


#: Every rule, those of the table `groups` by the names that they have there.
RULES: dict[str, Rule] = {
    "fifo": _fifo, "priority": _priority, "due_date": _due_date, "shortest": _shortest,
    "family": _family, "slack": _slack, "most_work": _most_work, "atcs": _atcs,
}
