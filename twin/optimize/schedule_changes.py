"""What a new schedule changes in the plan in force, and why."""

from __future__ import annotations

from twin.optimize.schedule_hours import Hours
from twin.optimize.schedule_reasons import hours
from twin.optimize.schedule_score import Schedule, moved, places
from twin.optimize.schedule_work import Work
from twin.plan import Reason

_MOST = 5


def changes(work: Work, schedule: Schedule, fewest: int | None = None) -> list[Reason]:
    """How many operations of the plan in force move, and why the first of them do.

    Parameters
    ----------
    fewest
        How many have to in any schedule, if that is known.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Job, Task, Tool
    >>> jobs = (Job((Task(((0, 60),)), Task(((1, 60),), 1)), "a"),)
    >>> work = Work(jobs, (Tool("saw", closed=((0, 90),)), Tool("drill")),
    ...             plan=(None, (1, 60)), before=((0, 0), (1, 60)))
    >>> for reason in changes(work, Schedule((0, 1), (90, 150), (150, 210), (90, 150))):
    ...     print(reason.message)
    1 of 1 operations that the plan in force holds moves: 1 later on its machine.
    a step 1 moves from 1.0 h to 2.5 h on drill because step 0 ends only then.
    """
    counted = sum(held is not None for held in work.plan)
    if not counted:
        return []
    away = moved(work, schedule)
    away.sort(key=lambda v: (schedule.start[v], v))
    how = [_how(work, schedule, v) for v in away]
    parts = [f"{how.count(word)} {word}" for word in ("to another machine", "later on its machine",
                                                      "earlier on its machine") if word in how]
    text = (f"{len(away)} of {counted} operations that the plan in force holds "
            f"{'moves' if len(away) == 1 else 'move'}")
    found = [Reason("moved", "plan in force", f"{text}: {', '.join(parts)}." if parts
                    else f"{text}.")]
    if fewest:
        found.append(Reason("moved", "plan in force",
                            f"At least {fewest} have to move in any schedule."))
    return [*found, *(Reason("moved", _name(work, v), _why(work, schedule, v))
                      for v in away[:_MOST])]


def _name(work: Work, v: int) -> str:
    j, k = places(work)[v]
    return f"{work.jobs[j].name} step {work.jobs[j].tasks[k].step}"


def _how(work: Work, schedule: Schedule, v: int) -> str:
    held = work.plan[v]
    assert held is not None
    if schedule.machine[v] != held[0]:
        return "to another machine"
    return f"{'later' if schedule.start[v] > held[1] else 'earlier'} on its machine"


def _why(work: Work, schedule: Schedule, v: int) -> str:
    """From where and when to where and when, and what stands in the old place."""
    held = work.plan[v]
    assert held is not None
    old, new = work.tools[held[0]].name, work.tools[schedule.machine[v]].name
    text = f"{_name(work, v)} moves from "
    text += (f"{hours(held[1])} to {hours(schedule.start[v])} on {old}" if old == new else
             f"{old} at {hours(held[1])} to {new} at {hours(schedule.start[v])}")
    return f"{text} because {_cause(work, schedule, v, held)}."


def _cause(work: Work, schedule: Schedule, v: int, held: tuple[int, int]) -> str:
    (j, k), (machine, planned) = places(work)[v], held
    task, tool = work.jobs[j].tasks[k], work.tools[machine]
    if k and schedule.end[v - 1] + task.delay > planned + work.tolerance:
        return f"step {work.jobs[j].tasks[k - 1].step} ends only then"
    minutes = dict(task.ways).get(machine)
    if minutes is None:
        return f"{tool.name} cannot do it any more"
    clock = Hours(tool.closed)
    if clock.opening(max(0, planned)) > planned + work.tolerance:
        return f"{tool.name} is down or closed then"
    over = clock.after(clock.opening(max(0, planned)), minutes)
    for u in range(len(schedule.start)):
        if u != v and schedule.machine[u] == machine and schedule.start[u] < over \
                and schedule.end[u] > planned:
            return f"{tool.name} works on {_name(work, u)} then"
    return "the objective gains by it"
