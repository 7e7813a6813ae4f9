"""A schedule, and what it comes to under the goal of its work."""

from __future__ import annotations

from dataclasses import dataclass

from twin.optimize.schedule_work import Work


@dataclass(frozen=True, slots=True)
class Schedule:
    """A machine, a start and an end for every operation, job after job.

    Attributes
    ----------
    machine, start, end
        By operation, jobs one after another.
    setup
        When the set-up before it begins; its start where there is none.
    """

    machine: tuple[int, ...]
    start: tuple[int, ...]
    end: tuple[int, ...]
    setup: tuple[int, ...]


def places(work: Work) -> list[tuple[int, int]]:
    """Job and place of each operation, as schedules count them."""
    return [(j, k) for j, job in enumerate(work.jobs) for k in range(len(job.tasks))]


def firsts(work: Work) -> list[int]:
    """The number of the first operation of each job, and the number of all."""
    found = [0]
    for job in work.jobs:
        found.append(found[-1] + len(job.tasks))
    return found


def ends(work: Work, schedule: Schedule) -> list[int]:
    """When each job is done."""
    first, done = firsts(work), [0] * len(work.jobs)
    for j in in_turn(work):
        job = work.jobs[j]
        begun = max([job.release, *(done[other] for other in job.after)])
        done[j] = (schedule.end[first[j + 1] - 1] if job.tasks else begun) + job.tail
    return done


def in_turn(work: Work) -> list[int]:
    """Jobs in an order in which each comes after those that it waits for."""
    found: list[int] = []
    seen: set[int] = set()

    def visit(j: int) -> None:
        if j not in seen:
            seen.add(j)
            for other in work.jobs[j].after:
                visit(other)
            found.append(j)

    for j in range(len(work.jobs)):
        visit(j)
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """What a schedule comes to; `cost` is what the goal makes of it."""

    cost: int
    tardiness: int
    makespan: int
    setup: int
    moved: int
    late: int
    overdue: int  #: minutes beyond deadlines: above 0 it is no plan
    beyond: int = 0  #: operations moved beyond those that may

    @property
    def broken(self) -> bool:
        """Whether its cost is that of rules that it breaks."""
        return self.overdue > 0 or self.beyond > 0


BROKEN = 1_000_000  #: cost of a minute beyond a deadline, or of a move beyond what
#: may be moved, for searches that pass through such


def moved(work: Work, schedule: Schedule) -> list[int]:
    """Operations that are moved against the plan in force."""
    found = []
    for v, held in enumerate(work.plan):
        if held is not None and (schedule.machine[v] != held[0]
                                 or abs(schedule.start[v] - held[1]) > work.tolerance):
            found.append(v)
    return found


def score(work: Work, schedule: Schedule) -> Score:
    """What a schedule comes to.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Job, Task, Tool
    >>> work = Work((Job((Task(((0, 3),)),), due=2, weight=5),), (Tool("saw"),))
    >>> score(work, Schedule((0,), (0,), (3,), (0,)))
    Score(cost=503, tardiness=5, makespan=3, setup=0, moved=0, late=1, overdue=0, beyond=0)
    """
    done = ends(work, schedule)
    late = [max(0, end - job.due) if job.due is not None else 0
            for job, end in zip(work.jobs, done, strict=True)]
    tardiness = sum(job.weight * minutes for job, minutes in zip(work.jobs, late, strict=True))
    overdue = sum(max(0, end - job.deadline) for job, end in zip(work.jobs, done, strict=True)
                  if job.deadline is not None)
    goal, makespan = work.goal, max(done, default=0)
    setup = setup_cost(work, schedule) if goal.setup else 0
    away = len(moved(work, schedule)) if work.plan else 0
    beyond = 0 if work.most_moved is None else max(0, away - work.most_moved)
    cost = (goal.tardiness * tardiness + goal.makespan * makespan + goal.setup * setup
            + goal.moved * away + BROKEN * (overdue + beyond))
    return Score(cost, tardiness, makespan, setup, away, sum(m > 0 for m in late), overdue,
                 beyond)


def sequences(work: Work, schedule: Schedule) -> list[list[int]]:
    """Operations of each machine as they follow each other."""
    found: list[list[int]] = [[] for _ in work.tools]
    for v in sorted(range(len(schedule.start)), key=lambda v: (schedule.start[v], schedule.end[v],
                                                               v)):
        found[schedule.machine[v]].append(v)
    return found


def setup_cost(work: Work, schedule: Schedule) -> int:
    """What changing over costs."""
    place = places(work)
    total = 0
    for machine, line in enumerate(sequences(work, schedule)):
        family = work.tools[machine].family
        for v in line:
            task = work.jobs[place[v][0]].tasks[place[v][1]]
            total += work.changeover(machine, family, task)[1]
            family = task.family or family
    return total
