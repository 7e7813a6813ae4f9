"""A plan in force, re-scheduled: few operations move, and what moving fewer costs is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from twin.optimize.schedule import Solved, scale_of, solve
from twin.optimize.schedule_score import Schedule, moved, places
from twin.optimize.schedule_work import Work
from twin.plan import Plan

#: Shares of operations that may move in the plans that make the frontier; None for all.
SHARES: tuple[float | None, ...] = (0.0, 0.05, 0.1, 0.2, None)


def in_force(work: Work, plan: Plan, now: float, price: float, tolerance: float = 0.5,
             share: float | None = None) -> Work:
    """The work with a plan in force: moving one of its operations has a price.

    Operations of the plan are found again by order, lot and step. What has started is frozen
    anyway; operations on a machine that is down now may be moved freely.

    Parameters
    ----------
    price
        Of a moved operation, in the unit of the objective.
    tolerance
        Hours that an operation may shift without counting as moved.
    share
        Of the operations that the plan holds, which may move; None for all. Where more have to,
        as many may as must.
    """
    numbers = {tool.name: m for m, tool in enumerate(work.tools)}
    held = {(one.product, one.order, one.lot, one.step): one for one in plan.operations}
    down = {m for m, tool in enumerate(work.tools) if tool.closed and tool.closed[0][0] == 0}
    kept: list[tuple[int, int] | None] = []
    before: list[tuple[int, int] | None] = []
    for j, k in places(work):
        job, task = work.jobs[j], work.jobs[j].tasks[k]
        one = held.get((job.product, job.order, job.lot, task.step))
        place = None
        if one is not None and task.started is None and one.machine in numbers:
            place = (numbers[one.machine], round((one.start - now) * 60.0))
        before.append(place)
        kept.append(None if place is None or place[0] in down else place)
    goal = replace(work.goal, moved=round(price * scale_of(work)))
    most = None if share is None else int(share * sum(place is not None for place in kept))
    return replace(work, plan=tuple(kept), before=tuple(before),
                   tolerance=round(tolerance * 60.0), goal=goal, most_moved=most)


def frontier(work: Work, known: Sequence[Solved], *, seconds: float, seed: int = 1,
             shares: Iterable[float | None] = SHARES,
             starts: Iterable[Schedule] = ()) -> list[tuple[float, float]]:
    """Share of operations moved and objective, of plans none of which beats another in both.

    Parameters
    ----------
    work
        With a plan in force.
    known
        Plans that are there already.
    seconds
        Limit of each.
    shares
        How many may move in each; where more have to, as many as must.
    """
    held = sum(place is not None for place in work.plan)
    if not held:
        return []
    found, begun = list(known), list(starts)
    goal = replace(work.goal, moved=0)
    for share in shares:
        most = None if share is None else int(share * held)
        found.append(solve(replace(work, goal=goal, most_moved=most), seconds=seconds, seed=seed,
                           starts=[*begun, *(one.schedule for one in found)], explain=False))
    points: list[tuple[float, float]] = []
    scale = scale_of(work)
    for away, cost in sorted({_point(work, one) for one in found if not one.score.overdue}):
        if not points or cost < points[-1][1] * scale:
            points.append((away / held, cost / scale))
    return points


def _point(work: Work, one: Solved) -> tuple[int, int]:
    """Operations moved, and the cost without what moving them costs."""
    away = len(moved(work, one.schedule))
    return away, one.score.cost - one.work.goal.moved * away
