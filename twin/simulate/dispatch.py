"""Dispatching rules: which of the waiting lots a machine takes next.

One sibling a rule. `push` adds a lot, `pop` gives the next one for a machine, `ranked` says whether
a later arrival of the same instant could come first (then starts wait for the end of it); a rule
with a `key` lets a lot with a smaller one interrupt work, where the work centre preempts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from twin.simulate.job import Job


class Queue(Protocol):
    """The contract of all siblings."""

    ranked: bool
    key: Callable[[Job], float] | None

    def push(self, job: Job) -> None: ...

    def pop(self, machine: Any) -> Job | None: ...

    def jobs(self) -> Iterator[Job]: ...

    def take(self, job: Job) -> None: ...

    def __len__(self) -> int: ...


class First:
    """First come, first served."""

    ranked = False
    key: Callable[[Job], float] | None = None

    def __init__(self) -> None:
        self.line: deque[Job] = deque()

    def push(self, job: Job) -> None:
        self.line.append(job)

    def pop(self, machine: Any) -> Job | None:
        return self.line.popleft() if self.line else None

    def jobs(self) -> Iterator[Job]:
        return iter(self.line)

    def take(self, job: Job) -> None:
        self.line.remove(job)

    def __len__(self) -> int:
        return len(self.line)


class Ranked:
    """The lot with the smallest key first; ties by arrival, also after an interruption."""

    ranked = True

    def __init__(self, key: Callable[[Job], float]) -> None:
        self.key: Callable[[Job], float] | None = key
        self.rank = key
        self.heap: list[tuple[float, float, int, Job]] = []

    def push(self, job: Job) -> None:
        heappush(self.heap, (self.rank(job), job.arrived, job.number, job))

    def pop(self, machine: Any) -> Job | None:
        return heappop(self.heap)[3] if self.heap else None

    def jobs(self) -> Iterator[Job]:
        return (entry[3] for entry in sorted(self.heap, key=lambda entry: entry[:3]))

    def take(self, job: Job) -> None:
        self.heap = [entry for entry in self.heap if entry[3] is not job]
        heapify(self.heap)

    def __len__(self) -> int:
        return len(self.heap)


class Family(First):
    """Stay with the family that is set up while it has work, then the oldest lot."""

    ranked = True

    def pop(self, machine: Any) -> Job | None:
        for place, job in enumerate(self.line):
            if job.operation.family == machine.family:
                del self.line[place]
                return job
        return self.line.popleft() if self.line else None


class Wheel:
    """Each family in turn until it is empty; the machine is set up even for an empty one."""

    ranked = True
    key: Callable[[Job], float] | None = None

    def __init__(self, families: list[str]) -> None:
        self.families = families
        self.lines: dict[str, deque[Job]] = {family: deque() for family in families}

    def push(self, job: Job) -> None:
        self.lines[job.operation.family].append(job)

    def pop(self, machine: Any) -> Job | None:
        line = self.lines.get(machine.family)
        return line.popleft() if line else None

    def following(self, family: str | None) -> str:
        """The family whose turn is next."""
        if family not in self.families:
            return self.families[0]
        return self.families[(self.families.index(family) + 1) % len(self.families)]

    def jobs(self) -> Iterator[Job]:
        for line in self.lines.values():
            yield from line

    def take(self, job: Job) -> None:
        self.lines[job.operation.family].remove(job)

    def __len__(self) -> int:
        return sum(len(line) for line in self.lines.values())


def queue_of(rule: str, families: list[str]) -> Queue:
    """The queue that a row of `groups` names."""
    if rule == "fifo":
        return First()
    if rule == "priority":
        return Ranked(lambda job: job.order.priority)
    if rule == "due_date":
        return Ranked(lambda job: inf if job.order.due is None else job.order.due)
    if rule == "shortest":
        return Ranked(lambda job: job.operation.expected(job.units))
    if rule == "family":
        return Family()
    if rule == "wheel":
        return Wheel(families)
    raise ValueError(f"dispatch '{rule}' is unknown")
