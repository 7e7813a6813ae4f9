"""The smallest set of requirements that cannot hold together, for work that no schedule can do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ortools.sat.python import cp_model

from twin.optimize.dispatch_rules import RULES, dispatch
from twin.optimize.schedule_model import ScheduleModel
from twin.optimize.schedule_reasons import Requirement, requirements
from twin.optimize.schedule_score import score
from twin.optimize.schedule_work import Work
from twin.plan import Reason


def horizon_of(work: Work) -> int:
    """Minutes within which everything fits, if deadlines allow it at all."""
    longest = max((score(work, dispatch(work, rule)).makespan
                   for name, rule in RULES.items() if name in ("fifo", "due_date")), default=0)
    latest = max((job.deadline or 0 for job in work.jobs), default=0)
    return int(1.5 * longest) + latest + 60


def conflict(work: Work, seconds: float = 5.0) -> tuple[Reason, ...]:
    """Requirements of which none can be left out without making the rest possible.

    Deadlines are first asked as assumptions of one model, which gives a set that conflicts; then
    every requirement is left out in turn, and stays out if the rest still conflicts.

    Parameters
    ----------
    seconds
        Of search; a set may be larger than it must be if they run out.
    """
    until = time.time() + seconds
    every = requirements(work)
    kept = _assumed(work, every, until)
    for one in list(kept):
        rest = [other for other in kept if other is not one]
        if time.time() < until and _impossible(work, every, rest, until):
            kept = rest
    return tuple(Reason("conflict", subject, f"{said}.") for subject, said, _ in kept)


def _without(work: Work, every: Sequence[Requirement], kept: Sequence[Requirement]) -> Work:
    for one in every:
        if not any(one is other for other in kept):
            work = one[2](work)
    return work


def _impossible(work: Work, every: Sequence[Requirement], kept: Sequence[Requirement],
                until: float) -> bool:
    eased = _without(work, every, kept)
    model = ScheduleModel(eased, horizon_of(eased))
    model.model.clear_objective()
    return model.solve(seconds=max(0.05, until - time.time())).status == "infeasible"


def _assumed(work: Work, every: list[Requirement], until: float) -> list[Requirement]:
    """The requirements, but of the deadlines only those that a proof of the conflict needs."""
    timed = [(j, job.deadline) for j, job in enumerate(work.jobs) if job.deadline is not None]
    loose = _without(work, every, [one for one in every if " is done within " not in one[1]])
    scheme = ScheduleModel(loose, horizon_of(work))
    scheme.model.clear_objective()
    literals: dict[int, tuple[Any, str]] = {}
    for j, deadline in timed:
        literal = scheme.model.new_bool_var("")
        scheme.model.add(scheme.done[j] <= deadline).only_enforce_if(literal)
        literals[literal.index] = (literal, work.jobs[j].name)
    scheme.model.add_assumptions([literal for literal, _ in literals.values()])
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.05, until - time.time())
    solver.parameters.num_workers = 1
    if solver.solve(scheme.model) != cp_model.INFEASIBLE:
        return every
    core = {literals[index][1] for index in solver.sufficient_assumptions_for_infeasibility()
            if index in literals}
    return [one for one in every if " is done within " not in one[1] or one[0] in core]
