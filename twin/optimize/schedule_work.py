"""Work to be scheduled: lots, their operations, machines, hours, crews, what a plan costs.

Times are whole minutes from the moment of planning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

#: Longer than any plan; a time at or above it is taken for a mistake.
LATEST = 1 << 30


class WorkError(ValueError):
    """Work that nobody could schedule; the message has one offender a line."""


@dataclass(frozen=True, slots=True)
class Task:
    """An operation on a lot.

    Attributes
    ----------
    ways
        Machines that can do it, and the minutes that each takes.
    delay
        Minutes between the end of the operation before (or the release) and its earliest start.
    family, setup
        It needs its machine set up for this family; minutes where no row of `setups` says
        otherwise. A blank family leaves the machine as it is.
    crew
        People it takes besides the machine's own, by number; -1 for none.
    batch, room
        Lots with the same batch word may be worked on together, as many as there is room for.
    started
        Minutes ago at which it began; None if it has not. Its minutes are those that are left.
    """

    ways: tuple[tuple[int, int], ...]
    step: int = 0
    delay: int = 0
    family: str = ""
    setup: int = 0
    crew: int = -1
    batch: str = ""
    room: int = 1
    started: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A lot, or a service of a machine: operations in order.

    Attributes
    ----------
    due, weight
        Minutes late count `weight` times; None is never late.
    deadline
        It must be done by then.
    tail
        Minutes that it takes after the last operation.
    after
        Jobs, by number, whose end it waits for: components made in the same plant.
    waits_for
        What its release waits for, in the planner's words.
    service
        A service of a machine: the cause that it prevents.
    """

    tasks: tuple[Task, ...]
    name: str = ""
    release: int = 0
    due: int | None = None
    weight: int = 1
    deadline: int | None = None
    tail: int = 0
    after: tuple[int, ...] = ()
    waits_for: str = ""
    service: str = ""
    site: str = ""
    product: str = ""
    order: int = 0
    lot: int = 0
    quantity: float = 0.0
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A machine: its work centre, closed spans, the family it is set up for, its crew."""

    name: str
    group: str = ""
    closed: tuple[tuple[int, int], ...] = ()
    family: str = ""
    crew: int = -1
    site: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a schedule should be good at: the weight of each part in its cost.

    Attributes
    ----------
    tardiness
        Of a weighted minute late.
    makespan
        Of a minute until all is done.
    setup
        Of a unit of setup cost.
    moved
        Of an operation that is moved against the plan in force.
    """

    name: str = "tardiness"
    tardiness: int = 100
    makespan: int = 1
    setup: int = 0
    moved: int = 0


GOALS = {goal.name: goal for goal in (
    Goal("tardiness"), Goal("makespan", 0, 1), Goal("setups", 100, 1, 100))}


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that a schedule has to do with.

    Attributes
    ----------
    setups
        (work centre, from family, to family) -> minutes and cost, over a task's own setup.
    crews
        How many people there are in each.
    crew_names
        For messages.
    plan
        The plan in force: machine and start of each operation that it holds, else None.
    before
        The same of all its operations, also of those that may be moved freely.
    tolerance
        An operation is moved if it is on another machine, or starts more than so many minutes
        earlier or later.
    most_moved
        How many operations may be moved; None for any number.

    Examples
    --------
    >>> work = Work((Job((Task(((0, 3),)), Task(((1, 2),))),), Job((Task(((1, 4),)),),)),
    ...             (Tool("saw"), Tool("drill")))
    >>> work.size, work.check() is work
    (3, True)
    """

    jobs: tuple[Job, ...]
    tools: tuple[Tool, ...]
    setups: Mapping[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    crews: tuple[int, ...] = ()
    crew_names: tuple[str, ...] = ()
    goal: Goal = Goal()
    plan: tuple[tuple[int, int] | None, ...] = ()
    before: tuple[tuple[int, int] | None, ...] = ()
    tolerance: int = 30
    notes: tuple[str, ...] = ()
    most_moved: int | None = None

    @property
    def size(self) -> int:
        """How many operations."""
        return sum(len(job.tasks) for job in self.jobs)

    @property
    def holding(self) -> bool:
        """Whether moving an operation of the plan in force counts for anything."""
        return self.goal.moved > 0 or self.most_moved is not None

    def changeover(self, machine: int, before: str, task: Task) -> tuple[int, int]:
        """Minutes and cost of making a machine ready for an operation."""
        if not task.family or task.family == before:
            return 0, 0
        found = self.setups.get((self.tools[machine].group, before, task.family))
        return (task.setup, 0) if found is None else found

    def check(self) -> Work:
        """The work itself, if it can be scheduled at all.

        Raises
        ------
        WorkError
            With every offender.
        """
        problems = [*self._bad_jobs(), *self._bad_tools()]
        if problems:
            raise WorkError("\n".join(problems))
        return self

    def _bad_jobs(self) -> Iterator[str]:
        for number, job in enumerate(self.jobs):
            name = job.name or f"lot {number}"
            for what, value in (("release", job.release), ("due", job.due), ("tail", job.tail),
                                ("deadline", job.deadline), ("weight", job.weight)):
                if value is not None and (not _whole(value) or (value < 0 and what != "due")):
                    yield f"{name}: {what} {value} is no whole number from 0 up. Give minutes."
            if any(not 0 <= other < len(self.jobs) or other == number for other in job.after):
                yield f"{name}: waits for a lot that is not there. Name one of the lots."
            for task in job.tasks:
                yield from self._bad_task(f"{name} step {task.step}", task)
        mixed: dict[str, set[str]] = {}
        for job in self.jobs:
            for task in job.tasks:
                mixed.setdefault(task.batch, set()).add(task.family)
        for batch, families in sorted(mixed.items()):
            if batch and len(families) > 1:
                yield (f"batch {batch} is of families {', '.join(sorted(families))}. Give what is "
                       "worked on together one family.")
        if self._circle():
            yield "lots wait for each other in a circle. Let one of them go first."

    def _bad_task(self, name: str, task: Task) -> Iterator[str]:
        if not task.ways:
            yield f"{name} has no machine. Give its work centre a machine."
        for machine, minutes in task.ways:
            if not 0 <= machine < len(self.tools):
                yield f"{name}: machine {machine} is not there. Name one of the machines."
            if not _whole(minutes) or minutes < 0:
                yield f"{name}: {minutes} minutes is no whole number from 0 up. Give minutes."
        for what, value in (("delay", task.delay), ("setup", task.setup)):
            if not _whole(value) or value < 0:
                yield f"{name}: {what} {value} is no whole number from 0 up. Give minutes."
        if task.started is not None and len(task.ways) != 1:
            yield f"{name} has started on no machine, or on several. Say on which."
        if not -1 <= task.crew < len(self.crews):
            yield f"{name}: crew {task.crew} is not there. Name one of the crews."

    def _bad_tools(self) -> Iterator[str]:
        for tool in self.tools:
            spans = [bound for span in tool.closed for bound in span]
            if any(not _whole(bound) for bound in spans) or any(
                    b <= a for a, b in pairwise(spans)):
                yield (f"{tool.name}: closed hours {tool.closed[:3]} overlap or end before they "
                       "begin. Give spans apart and in order.")
            if not -1 <= tool.crew < len(self.crews):
                yield f"{tool.name}: crew {tool.crew} is not there. Name one of the crews."
        for name, size in zip(self.crew_names, self.crews, strict=False):
            if size < 1:
                yield f"crew {name} has {size} people. Give it one at least."

    def _circle(self) -> bool:
        state = [0] * len(self.jobs)

        def visit(number: int) -> bool:
            if state[number] == 1:
                return True
            if state[number] == 0:
                state[number] = 1
                if any(visit(other) for other in self.jobs[number].after
                       if 0 <= other < len(self.jobs)):
                    return True
                state[number] = 2
            return False

        return any(visit(number) for number in range(len(self.jobs)))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LATEST
