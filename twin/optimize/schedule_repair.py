"""The plan in force, mended after a breakdown: the start of a search for a better one."""

from __future__ import annotations

from bisect import insort
from heapq import heapify, heappop, heappush

from twin.optimize.dispatch_rules import Floor, dispatch, follow
from twin.optimize.schedule_score import Schedule, firsts
from twin.optimize.schedule_work import Work


def repaired(work: Work) -> list[Schedule]:
    """The plan in force, mended in several ways; none where there is no plan.

    Shifted to the right with every machine in its order; with what can go ahead going ahead; with
    what the plan does not hold going elsewhere; and matched up.
    """
    if not any(work.before):
        return []
    every = {v: held for v, held in enumerate(work.before) if held is not None}
    first = firsts(work)
    keys = [0.0] * first[-1]
    for j in range(len(work.jobs)):
        last = 0.0
        for v in range(first[j], first[j + 1]):
            last = max(last, float(every[v][1])) if v in every else last + 1.0
            keys[v] = last

    def planned(shop: Floor, j: int, v: int, machine: int, minutes: int, now: int) -> float:
        return keys[v]

    held = {v: place for v, place in every.items() if work.plan[v] is not None}
    machine = [every[v][0] if v in every else -1 for v in range(first[-1])]
    return [follow(work, keys, machine, {v: start for v, (_, start) in every.items()}),
            dispatch(work, planned, every), dispatch(work, planned, held), matched_up(work)]


def matched_up(work: Work) -> Schedule:
    """What can keep its place does; the rest goes into the gaps (Bean et al. 1991).

    Few operations move, since none makes way for another; those that do may come late.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Job, Task, Tool
    >>> work = Work((Job((Task(((0, 60),)), Task(((1, 60),), 1))), Job((Task(((1, 60),)),))),
    ...             (Tool("saw", closed=((0, 90),)), Tool("drill")),
    ...             plan=(None, (1, 60), (1, 120)), before=((0, 0), (1, 60), (1, 120)))
    >>> matched_up(work).start
    (90, 180, 120)
    """
    gaps = _Gaps(work)
    first = gaps.first
    machine, start = [-1] * first[-1], [0] * first[-1]
    floor: dict[int, int] = {}
    begun = Floor(work)  # with all that has begun already
    ready = list(begun.ready)
    heap = [(ready[j], j, first[j] + begun.next[j]) for j in range(len(work.jobs))
            if begun.next[j] < len(work.jobs[j].tasks)]
    for v in range(first[-1]):
        machine[v], start[v] = begun.machine[v], begun.start[v]
    heapify(heap)
    while heap:
        time, j, v = heappop(heap)
        low = time + gaps.task[v].delay
        machine[v], start[v], end = gaps.put(v, low)
        if v in gaps.kept:
            floor[v] = start[v]
        if v + 1 < first[j + 1]:
            heappush(heap, (end, j, v + 1))
    return follow(work, start, machine, floor)


class _Gaps:
    """Machines by the spans in which they are taken."""

    def __init__(self, work: Work) -> None:
        shop = Floor(work)
        self.task, self.first, self.hours = shop.task, shop.first, shop.hours
        self.taken: list[list[tuple[int, int]]] = [[] for _ in work.tools]
        for v, machine in enumerate(shop.machine):
            if machine >= 0:
                insort(self.taken[machine], (0, shop.end[v]))
        self.kept: dict[int, tuple[int, int, int]] = {}  #: machine, start, end
        self.slack = work.tolerance
        for v, held in enumerate(work.plan):
            minutes = None if held is None else dict(self.task[v].ways).get(held[0])
            if held is not None and minutes is not None and self.task[v].started is None:
                at = self.hours[held[0]].opening(max(0, held[1]))
                self.kept[v] = (held[0], at, self.hours[held[0]].after(at, minutes))
                insort(self.taken[held[0]], self.kept[v][1:])

    def put(self, v: int, low: int) -> tuple[int, int, int]:
        """Where an operation goes that cannot begin before `low`: machine, start, end."""
        if v in self.kept:
            machine, start, end = self.kept[v]
            if low <= start:
                return self.kept[v]
            self.taken[machine].remove((start, end))
            minutes = dict(self.task[v].ways)[machine]
            later = self._first(machine, minutes, low)
            if later[0] <= start + self.slack:
                self.kept[v] = (machine, *later)
                insort(self.taken[machine], later)
                return self.kept[v]
            del self.kept[v]
        end, start, machine = min((*reversed(self._first(machine, minutes, low)), machine)
                                  for machine, minutes in self.task[v].ways)
        insort(self.taken[machine], (start, end))
        return machine, start, end

    def _first(self, machine: int, minutes: int, low: int) -> tuple[int, int]:
        """The first span of so many open minutes in which a machine is not taken."""
        hours = self.hours[machine]
        start = hours.opening(low)
        end = hours.after(start, minutes)
        for begin, over in self.taken[machine]:
            if end <= begin:
                break
            if over > start:
                start = hours.opening(over)
                end = hours.after(start, minutes)
        return start, end
