"""Schedules: from work to a plan, never worse than the best dispatch rule, with its reasons."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from twin.optimize.dispatch_rules import RULES, dispatch
from twin.optimize.portfolio import Outcome, Watcher, race
from twin.optimize.schedule_changes import changes
from twin.optimize.schedule_check import broken_rules
from twin.optimize.schedule_reasons import reasons
from twin.optimize.schedule_repair import repaired
from twin.optimize.schedule_score import Schedule, Score, ends, firsts, moved, places, score
from twin.optimize.schedule_search import Reordering
from twin.optimize.schedule_work import Work
from twin.optimize.schedule_worker import PLACED_A_SECOND, plain
from twin.optimize.sequence_search import fits
from twin.plan import Answer, Operation, Plan, Progress, Reason, Service, Status

_HERE = 0.1  #: share of the limit's work that is done before processes start
_RACED = 0.8  #: and by them: the rest is for rules, starting processes, and reasons
_SLACK = 1.3  #: how much longer than the rules' a schedule may be, if that is not its goal


@dataclass(frozen=True, slots=True)
class Solved:
    """A schedule, what it comes to, the answer, and what each dispatch rule came to.

    `fewest` is how many operations of a plan in force move in any schedule, if that was asked.
    """

    work: Work
    schedule: Schedule
    score: Score
    answer: Answer
    rules: Mapping[str, Score]
    fewest: int | None = None


def solve(work: Work, *, seconds: float = 10.0, seed: int = 1, counted: bool = True,
          cores: int = 2, starts: Iterable[Schedule] = (), watcher: Watcher | None = None,
          explain: bool = True) -> Solved:
    """Schedule work.

    Parameters
    ----------
    seconds
        The hard limit by the clock, process start included.
    seed
        Same work, seed and limit: same schedule, unless the clock stopped the search.
    counted
        Stop on work done; else on the clock alone, using all of `seconds`.
    starts
        Schedules to start from besides those of the dispatch rules.
    watcher
        Told of incumbent and bound, in the unit of the answer.

    Raises
    ------
    WorkError
        If the work is no work: every offender.

    Examples
    --------
    >>> from twin.optimize.schedule_work import GOALS, Job, Task, Tool
    >>> work = Work((Job((Task(((0, 3),)), Task(((1, 2),)))), Job((Task(((1, 4),)),
    ...             Task(((0, 1),))))), (Tool("saw"), Tool("drill")), goal=GOALS["makespan"])
    >>> found = solve(work, seconds=20)
    >>> found.answer.status.value, found.score.makespan, found.answer.stopped_by
    ('optimal', 6, 'proof')
    """
    if not seconds > 0.0:
        raise ValueError(f"limit {seconds:g} s leaves no time. Give more than 0.")
    began = time.time()
    work.check()
    ruled = {name: dispatch(work, rule) for name, rule in RULES.items()}
    scores = {name: score(work, schedule) for name, schedule in ruled.items()}
    explaining = min(time.time() - began, 0.05 * seconds) if explain else 0.0  # takes as long
    candidates = [*ruled.values(), *repaired(work), *starts]
    best = first = min(candidates, key=lambda schedule: score(work, schedule).cost)
    start = score(work, best)
    scale = scale_of(work)
    watch = None if watcher is None else _scaled(watcher, scale)
    if work.size == 0:
        answer = Answer(Status.OPTIMAL, start.cost / scale, start.cost / scale, unit_of(work),
                        "none", time.time() - began, start=start.cost / scale)
        return Solved(work, best, start, answer, scores)
    best = _improved(work, best, seconds, seed, began)
    horizon = horizon_for(work, candidates)
    outcome = race(work, best, seconds=seconds - (time.time() - began) - explaining,
                   horizon=horizon, seed=seed, counted=_RACED * seconds if counted else None,
                   cores=cores, watcher=watch)
    broken = broken_rules(work, outcome.schedule)
    work = _eased(outcome.work, outcome.schedule)
    start, final = score(work, first), score(work, outcome.schedule)
    if broken and not final.overdue:
        raise RuntimeError(f"a schedule breaks a rule: {broken[0]}")
    answer = _answer(work, outcome, final, start, scale, began, explain)
    return Solved(work, outcome.schedule, final, answer, scores, outcome.fewest)


def _eased(work: Work, schedule: Schedule) -> Work:
    """The work with as many moves allowed as a schedule makes, where it found no way to fewer."""
    if work.most_moved is None:
        return work
    return replace(work, most_moved=max(work.most_moved, len(moved(work, schedule))))


def quick(work: Work, *, seed: int = 1, seconds: float = 0.5) -> Solved:
    """The best dispatch rule, improved by a fixed number of tries in this process.

    For whoever plans again and again; it proves nothing. `seconds` is what the tries take on an
    ordinary core.

    Examples
    --------
    >>> from twin.optimize.schedule_work import Job, Task, Tool
    >>> work = Work((Job((Task(((0, 3),)),), due=3), Job((Task(((0, 2),)),), due=2)),
    ...             (Tool("saw"),))
    >>> quick(work).score.tardiness
    2
    """
    began = time.time()
    work.check()
    ruled = {name: dispatch(work, rule) for name, rule in RULES.items()}
    scores = {name: score(work, schedule) for name, schedule in ruled.items()}
    first = min([*ruled.values(), *repaired(work)], key=lambda one: score(work, one).cost)
    tries = int(seconds * PLACED_A_SECOND / max(1, work.size))
    best = Reordering(work, first, seed).search(tries=tries) if work.size else first
    final, scale = score(work, best), scale_of(work)
    status = Status.UNKNOWN if final.overdue else Status.FEASIBLE
    answer = Answer(status, None if final.overdue else final.cost / scale, unit=unit_of(work),
                    engine="dispatch rule, reordered", seconds=time.time() - began,
                    work=float(tries), stopped_by="work", start=score(work, first).cost / scale)
    return Solved(work, best, final, answer, scores)


def _improved(work: Work, best: Schedule, seconds: float, seed: int, began: float) -> Schedule:
    """A first search here, while other processes would only start: a fixed number of tries.

    Few where the compiled search will make many, which on a machine's first run is late.
    """
    if plain(work):
        return best
    share = _HERE / 4 if fits(work) else _HERE
    tries = int(share * seconds * PLACED_A_SECOND / work.size)
    return Reordering(work, best, seed).search(tries=tries, until=began + 0.4 * seconds)


def horizon_for(work: Work, candidates: Sequence[Schedule]) -> int:
    """Minutes by which everything is done in any schedule that is worth a look."""
    made = [max(schedule.end, default=0) for schedule in candidates]
    if plain(work):
        return min(made)
    longest = max(made) + max((job.release for job in work.jobs), default=0) // 4
    return int(_SLACK * longest) + max((job.deadline or 0 for job in work.jobs), default=0) + 60


def scale_of(work: Work) -> float:
    """Cost of one unit of the objective as it is told: a (weighted) hour."""
    return 60.0 * max(1, work.goal.tardiness or work.goal.makespan)


def unit_of(work: Work) -> str:
    """What the objective is told in."""
    return "weighted h late" if work.goal.tardiness else "h"


def _scaled(watcher: Watcher, scale: float) -> Watcher:
    return lambda seen: watcher(_told(seen, scale))


def _told(seen: Progress, scale: float) -> Progress:
    return Progress(seen.seconds,
                    None if seen.objective is None else seen.objective / scale,
                    None if seen.bound is None else max(0.0, seen.bound / scale), seen.engine)


def _answer(work: Work, outcome: Outcome, final: Score, start: Score, scale: float, began: float,
            explain: bool) -> Answer:
    status = Status.OPTIMAL if outcome.proved else Status.FEASIBLE
    why: tuple[Reason, ...] = ()
    if final.overdue:
        from twin.optimize.schedule_conflict import conflict

        status = Status.INFEASIBLE if outcome.infeasible else Status.UNKNOWN
        if outcome.infeasible and explain:
            why = conflict(work)
    elif explain:
        why = (*_unsearched(outcome), *changes(work, outcome.schedule, outcome.fewest),
               *reasons(work, outcome.schedule, scale))
    if final.overdue:
        objective = bound = None
    else:
        objective = final.cost / scale
        bound = None if outcome.bound is None else max(0.0, min(outcome.bound / scale, objective))
    return Answer(status, objective, bound, unit_of(work), outcome.engine, time.time() - began,
                  outcome.spent, outcome.stopped_by,
                  None if start.broken else start.cost / scale,
                  tuple(_told(seen, scale) for seen in outcome.progress), why)


def _unsearched(outcome: Outcome) -> tuple[Reason, ...]:
    if not outcome.compiling:
        return ()
    return (Reason("why_not", "search", "The search had not begun when the limit struck: a machine "
                   "compiles it once, for some ten seconds. That goes on in the background: plan "
                   "again for a better schedule."),)


def plan_of(solved: Solved, model: str, now: float, digest: str = "") -> Plan:
    """The plan that a solved piece of work is, in hours from the start of the model.

    An answer without a schedule that holds (infeasible, unknown) still carries the incumbent's
    operations if it is only late against a deadline; the answer says so.
    """
    work, schedule = solved.work, solved.schedule
    operations, services = [], []
    first = firsts(work)
    for v, (j, k) in enumerate(places(work)):
        job, tool = work.jobs[j], work.tools[schedule.machine[v]]
        start, end = now + schedule.start[v] / 60.0, now + schedule.end[v] / 60.0
        if job.service:
            crew = job.tasks[k].crew
            services.append(Service(tool.name, job.service, start, end,
                                    work.crew_names[crew] if crew >= 0 else ""))
            continue
        operations.append(Operation(
            job.site, tool.name, tool.group.partition("/")[2], job.product, job.order, job.lot,
            job.tasks[v - first[j]].step, start, end,
            (schedule.start[v] - schedule.setup[v]) / 60.0, job.quantity,
            job.tasks[k].started is not None))
    operations.sort(key=lambda o: (o.site, o.machine, o.start, o.end))
    return Plan("schedule", model, now, solved.answer, tuple(operations),
                services=tuple(sorted(services, key=lambda s: (s.start, s.asset))),
                state_digest=digest)


def promises(solved: Solved, now: float) -> list[tuple[str, float, float | None]]:
    """Name, end and due date of every lot, hours from the start of the model."""
    done = ends(solved.work, solved.schedule)
    return [(job.name, now + end / 60.0, None if job.due is None else now + job.due / 60.0)
            for job, end in zip(solved.work.jobs, done, strict=True) if not job.service]
