"""Why a schedule is as it is: what binds it, why a lot is late, why nothing can be moved earlier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twin.optimize.dispatch_rules import tidy
from twin.optimize.schedule_hours import Hours
from twin.optimize.schedule_score import Schedule, ends, firsts, places, score, sequences
from twin.optimize.schedule_work import Job, Work
from twin.plan import Reason

_MOST = 5


def hours(minutes: float) -> str:
    """Minutes as a planner reads them.

    Examples
    --------
    >>> hours(90), hours(30), hours(4320)
    ('1.5 h', '30 min', '3.0 d')
    """
    if abs(minutes) < 60:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if abs(minutes) < 2880 else f"{minutes / 1440:.1f} d"


def reasons(work: Work, schedule: Schedule, scale: float) -> tuple[Reason, ...]:
    """What binds, and why the lots that are latest are late.

    Parameters
    ----------
    scale
        Cost of one unit of the objective as it is told.
    """
    return (*binding(work, schedule, scale), *late(work, schedule))


# -- what binds ----------------------------------------------------------------------------------
def binding(work: Work, schedule: Schedule, scale: float) -> list[Reason]:
    """Machines by what one hour more of each would save: the same order with an hour less to do.

    It is a bound from below: with the hour, another order may be better still.
    """
    cost = score(work, schedule).cost
    found = []
    for machine, line in enumerate(sequences(work, schedule)):
        if not line:
            continue
        eased = _eased(work, schedule, machine, line)
        saved = cost - score(eased, tidy(eased, schedule.machine, schedule.start)).cost
        if saved > 0:
            found.append((saved, machine, len(line)))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    return [Reason("binding", work.tools[machine].name,
                   f"An hour more of {work.tools[machine].name} before its busiest stretch saves "
                   f"at least {saved / scale:.3g} of the objective ({count} operations wait "
                   "their turn there).", saved / scale)
            for saved, machine, count in found[:_MOST]]


def _eased(work: Work, schedule: Schedule, machine: int, line: list[int]) -> Work:
    """The work with an hour less of it on a machine, taken where operations press on each other."""
    place, left = places(work), 60
    less: dict[int, int] = {}
    pressed = sorted(line, key=lambda v: (not _pressed(schedule, line, v), schedule.start[v]))
    for v in pressed:
        j, k = place[v]
        here = dict(work.jobs[j].tasks[k].ways)[machine]
        less[v] = min(left, here)
        left -= less[v]
        if left <= 0:
            break
    jobs = []
    first = firsts(work)
    for j, job in enumerate(work.jobs):
        tasks = tuple(replace(task, ways=tuple(
            (m, t - less[first[j] + k] if m == machine else t) for m, t in task.ways))
            if first[j] + k in less else task for k, task in enumerate(job.tasks))
        jobs.append(replace(job, tasks=tasks))
    return replace(work, jobs=tuple(jobs))


def _pressed(schedule: Schedule, line: list[int], v: int) -> bool:
    """Whether the operation after it begins, or is set up for, as soon as it ends."""
    place = line.index(v)
    return place + 1 < len(line) and schedule.setup[line[place + 1]] <= schedule.end[v]


# -- why not -------------------------------------------------------------------------------------
def late(work: Work, schedule: Schedule) -> list[Reason]:
    """Why lots are late, those that cost most first."""
    done = ends(work, schedule)
    found = []
    for j, job in enumerate(work.jobs):
        if job.due is not None and done[j] > job.due:
            found.append((job.weight * (done[j] - job.due), j))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    return [Reason("why_not", work.jobs[j].name, _why_late(work, schedule, j, done[j]))
            for _, j in found[:_MOST]]


def _why_late(work: Work, schedule: Schedule, j: int, done: int) -> str:
    job, first = work.jobs[j], firsts(work)
    assert job.due is not None
    text = f"{job.name} is {hours(done - job.due)} late"
    alone = _alone(work, job)
    if alone > job.due:
        why = f" since {job.waits_for} comes only then" if job.waits_for else ""
        return (f"{text}: alone in the plant it would still be {hours(alone - job.due)} late"
                f"{why}.")
    waits = []
    ready = job.release
    for k, task in enumerate(job.tasks):
        v = first[j] + k
        waits.append((schedule.start[v] - ready - task.delay, v))
        ready = schedule.end[v]
    wait, v = max(waits)
    if wait <= 0:
        return f"{text}: it never waits, but machines are closed or slower than the quickest."
    ahead = _ahead(work, schedule, v, wait)
    name = work.tools[schedule.machine[v]].name
    behind = f" behind {', '.join(ahead)}" if ahead else \
        " until it opens or a crew is free"
    return f"{text}: it waits {hours(wait)} at {name}{behind}."


def _alone(work: Work, job: Job) -> int:
    """When a lot would be done if it were alone, on its quickest machines."""
    ready = job.release
    for task in job.tasks:
        at = ready + task.delay if task.started is None else 0
        ready = min(Hours(work.tools[m].closed).after(Hours(work.tools[m].closed).opening(at), t)
                    for m, t in task.ways)
    return ready + job.tail


def _ahead(work: Work, schedule: Schedule, v: int, wait: int) -> list[str]:
    """Lots that are worked on while an operation waits for its machine."""
    place = places(work)
    names = [work.jobs[place[u][0]].name for u in sequences(work, schedule)[schedule.machine[v]]
             if u != v and schedule.start[u] < schedule.start[v]
             and schedule.end[u] > schedule.start[v] - wait]
    return names[-3:]


def why_not_earlier(work: Work, schedule: Schedule, j: int, k: int) -> Reason:
    """What an operation is pushed against.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Job, Task, Tool
    >>> work = Work((Job((Task(((0, 60),)),), "a"), Job((Task(((0, 30),)),), "b")), (Tool("saw"),))
    >>> why_not_earlier(work, Schedule((0, 0), (0, 60), (60, 90), (0, 60)), 1, 0).message
    'b step 0 cannot begin earlier: saw works on a step 0 until then.'
    """
    first, place = firsts(work), places(work)
    v, job = first[j] + k, work.jobs[j]
    task, start = job.tasks[k], schedule.start[v]
    tool = work.tools[schedule.machine[v]]
    name = f"{job.name} step {task.step}"

    def says(why: str) -> Reason:
        return Reason("why_not", name, f"{name} cannot begin earlier: {why}")

    if task.started is not None:
        return says(f"it has begun already, on {tool.name}.")
    done = ends(work, schedule)
    ready = schedule.end[v - 1] if k else max([job.release, *(done[o] for o in job.after)])
    if ready + task.delay >= start:
        if k:
            return says(f"step {job.tasks[k - 1].step} ends only then.")
        return says(f"{job.waits_for} is there only then." if job.waits_for
                    else "its lot is there only then.")
    line = sequences(work, schedule)[schedule.machine[v]]
    before = [u for u in line if u != v and schedule.end[u] <= start]
    if schedule.setup[v] < start and before and schedule.end[before[-1]] >= schedule.setup[v]:
        return says(f"{tool.name} is set up for it after "
                    f"{_task_name(work, place[before[-1]])}.")
    if before and schedule.end[before[-1]] >= start:
        return says(f"{tool.name} works on {_task_name(work, place[before[-1]])} until then.")
    if any(b == start for _, b in tool.closed):
        return says(f"{tool.name} opens only then.")
    return says("its crew is at work elsewhere." if tool.crew >= 0 or task.crew >= 0
                else f"{tool.name} would have to change its order of work.")


def _task_name(work: Work, at: tuple[int, int]) -> str:
    job = work.jobs[at[0]]
    return f"{job.name} step {job.tasks[at[1]].step}"


# -- conflicts -----------------------------------------------------------------------------------
#: A requirement: how the planner says it, and the work without it.
Requirement = tuple[str, str, Callable[[Work], Work]]


def requirements(work: Work) -> list[Requirement]:
    """Everything in the work that could be let go, in the planner's words."""
    found: list[Requirement] = []
    for j, job in enumerate(work.jobs):
        if job.deadline is not None:
            what = (f"{job.name} is done within {hours(job.deadline)}")
            found.append((job.name, what, _job(j, deadline=None)))
        if job.release > 0:
            why = f" ({job.waits_for})" if job.waits_for else ""
            found.append((job.name, f"{job.name} cannot begin for {hours(job.release)}{why}",
                          _job(j, release=0)))
    for m, tool in enumerate(work.tools):
        if tool.closed:
            found.append((tool.name, f"{tool.name} is closed or down for "
                          f"{hours(sum(b - a for a, b in tool.closed[:1]))} from "
                          f"{hours(tool.closed[0][0])} on, and later",
                          _tool(m, closed=())))
    for c, (name, size) in enumerate(zip(work.crew_names, work.crews, strict=True)):
        found.append((name, f"crew {name} has {size} people", _crew(c)))
    return found


def _job(j: int, **changes: object) -> Callable[[Work], Work]:
    return lambda work: replace(work, jobs=tuple(
        replace(job, **changes) if i == j else job  # type: ignore[arg-type]
        for i, job in enumerate(work.jobs)))


def _tool(m: int, **changes: object) -> Callable[[Work], Work]:
    return lambda work: replace(work, tools=tuple(
        replace(tool, **changes) if i == m else tool  # type: ignore[arg-type]
        for i, tool in enumerate(work.tools)))


def _crew(c: int) -> Callable[[Work], Work]:
    return lambda work: replace(work, crews=tuple(
        size + len(work.tools) if i == c else size for i, size in enumerate(work.crews)))
