"""A checker that shares nothing with those who make schedules: which rule does one break?"""

from __future__ import annotations

from itertools import pairwise

from twin.optimize.schedule_hours import Hours
from twin.optimize.schedule_score import Schedule, ends, firsts, places, sequences
from twin.optimize.schedule_work import Work


def broken_rules(work: Work, schedule: Schedule) -> list[str]:
    """Every rule that a schedule breaks, a sentence each; none for a sound one.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Job, Task, Tool
    >>> work = Work((Job((Task(((0, 3),)),), "a"), Job((Task(((0, 2),)),), "b")), (Tool("saw"),))
    >>> broken_rules(work, Schedule((0, 0), (0, 2), (3, 4), (0, 2)))
    ['saw works on two lots at 2 min: a step 0 and b step 0.']
    """
    return [*_jobs(work, schedule), *_tools(work, schedule), *_crews(work, schedule)]


def _name(work: Work, v: int) -> str:
    j, k = places(work)[v]
    return f"{work.jobs[j].name} step {work.jobs[j].tasks[k].step}"


def _jobs(work: Work, schedule: Schedule) -> list[str]:
    found = []
    first, done = firsts(work), ends(work, schedule)
    for j, job in enumerate(work.jobs):
        ready = max([job.release, *(done[other] for other in job.after)])
        for k, task in enumerate(job.tasks):
            v = first[j] + k
            minutes = dict(task.ways).get(schedule.machine[v])
            if minutes is None:
                found.append(f"{_name(work, v)} is on a machine that cannot do it.")
                continue
            hours = Hours(work.tools[schedule.machine[v]].closed)
            begun = schedule.start[v] if task.started is None else 0
            if task.started is not None and schedule.start[v] != -task.started:
                found.append(f"{_name(work, v)} has begun already, and is moved.")
            if task.started is None and schedule.start[v] < max(0, ready + task.delay):
                found.append(f"{_name(work, v)} begins before its lot is there.")
            if task.started is None and hours.opening(begun) != begun:
                found.append(f"{_name(work, v)} begins in closed hours.")
            if schedule.end[v] != hours.after(begun, minutes):
                found.append(f"{_name(work, v)} does not take its {minutes} min.")
            ready = schedule.end[v]
        if job.deadline is not None and done[j] > job.deadline:
            found.append(f"{job.name} is done at {done[j]} min, beyond its deadline.")
    return found


def _tools(work: Work, schedule: Schedule) -> list[str]:
    found = []
    place = places(work)
    for machine, line in enumerate(sequences(work, schedule)):
        tool = work.tools[machine]
        hours, family, free = Hours(tool.closed), tool.family, 0
        held: list[int] = []
        for v in line:
            task = work.jobs[place[v][0]].tasks[place[v][1]]
            head = work.jobs[place[held[0]][0]].tasks[place[held[0]][1]] if held else None
            if held and head is not None and task.batch and task.batch == head.batch \
                    and schedule.start[v] == schedule.start[held[0]] and len(held) < head.room:
                held.append(v)
                continue
            if held and schedule.start[v] < schedule.end[held[0]]:
                found.append(f"{tool.name} works on two lots at {schedule.start[v]} min: "
                             f"{_name(work, held[0])} and {_name(work, v)}.")
            if task.started is None:
                minutes, _ = work.changeover(machine, family, task)
                if minutes and hours.after(hours.opening(max(free, 0)), minutes) \
                        > schedule.start[v]:
                    found.append(f"{tool.name} is not set up for {_name(work, v)} in time.")
            family = task.family or family
            free, held = max(free, schedule.end[v]), [v]
    return found


def _crews(work: Work, schedule: Schedule) -> list[str]:
    found = []
    place = places(work)
    for crew, size in enumerate(work.crews):
        spans = set()
        for v, machine in enumerate(schedule.machine):
            task = work.jobs[place[v][0]].tasks[place[v][1]]
            if crew in (task.crew, work.tools[machine].crew):
                spans.add((max(0, schedule.start[v]), schedule.end[v], machine))
        moments = sorted([(a, 1) for a, b, _ in spans if b > a]
                         + [(b, -1) for a, b, _ in spans if b > a])
        busy = 0
        for time, change in moments:
            busy += change
            if busy > size:
                found.append(f"crew {work.crew_names[crew]} of {size} is short at {time} min.")
                break
    return found


def triangular(work: Work) -> bool:
    """Whether no changeover is quicker by way of a third family."""
    groups: dict[str, set[str]] = {}
    for group, before, after in work.setups:
        groups.setdefault(group, set()).update((before, after))
    for group, families in groups.items():
        minutes = {(a, b): m for (g, a, b), (m, _) in work.setups.items() if g == group}
        for a, b in pairwise(sorted(families) * 2) if len(families) < 2 else [
                (a, b) for a in families for b in families if a != b and b]:
            for c in families - {a, b, ""}:
                direct, one, two = minutes.get((a, b)), minutes.get((a, c)), minutes.get((c, b))
                if None not in (direct, one, two) and direct > one + two:  # type: ignore[operator]
                    return False
    return True
