"""Inventory routing: who is brought how much when, and on which tour, for holding plus driving.

Two searches by ruin and recreate, each in a process of its own, plan some customers anew again and
again. The tours that they meet are pooled, with others that have a customer more or less, and a
programme chooses among them, with the quantities that they carry.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from queue import Queue

import numpy as np

from twin.optimize.inventory_choice import choose
from twin.optimize.inventory_problem import Quantities, Replenished, Tour
from twin.optimize.inventory_ruin import Ruin, Ruined, rounds_in
from twin.optimize.process import News, WorkerProcess, hear
from twin.plan import Answer, Progress, Status

_RUIN = 0.75  #: share of the time for ruin and recreate
_ALONE = 4.0  #: seconds below which another process would hardly get under way
_CHOICES = 0.05  #: deterministic work of a choice, for each second
_END = 0.2  #: seconds kept for the answer
_STALLED = 3  #: choices without a better plan after which no more are made
_ENGINE, _CHOICE = "ruin and recreate", "a choice of pooled tours"


@dataclass(frozen=True, slots=True)
class Delivered:
    """Quantities by customer and period, tours by period, and the answer on them."""

    quantities: Quantities
    tours: tuple[tuple[Tour, ...], ...]
    answer: Answer



def deliver(problem: Replenished, seconds: float, *, seed: int = 1, cores: int = 2) -> Delivered:
    """The cheapest plan found in so many seconds of the clock.

    Searches and choices end after an amount of work that suits the time; unless the clock stops
    them first, the same seed gives the same plan.

    Examples
    --------
    >>> line = np.array([[0, 3, 4], [3, 0, 1], [4, 1, 0]])
    >>> shops = Replenished((4, 2), (8, 8), (2, 2), (0.1, 0.1), 9, 9, 0.3, line, 9, 1, 3)
    >>> found = deliver(shops, 1.0)
    >>> round(found.answer.objective, 2), shops.faults(found.quantities, found.tours)
    (26.3, [])
    """
    began = time.monotonic()
    until = began + seconds - _END
    searches = _searched(problem, seconds, seed, cores)
    pool: dict[frozenset[int], Tour] = {}
    for search in searches:
        for tour in search.pool:
            pool.setdefault(frozenset(tour), tour)
    plans = [search.plan for search in searches if search.plan is not None]
    best = min(plans, key=lambda plan: plan.cost, default=None)
    progress = sorted((one for search in searches for one in search.progress),
                      key=lambda one: one.seconds)
    stopped = "wall" if any(search.by_clock for search in searches) else "work"
    idle = made = 0
    rng = np.random.default_rng(seed)
    while idle < _STALLED:
        if time.monotonic() > until:
            stopped = "wall"
            break
        found = choose(problem, pool, best, rng, until, _CHOICES * seconds, cores)
        made += 1
        idle += 1
        if found is not None and (best is None or found.cost < best.cost - 1e-9):
            best, idle = found, 0
            progress.append(Progress(time.monotonic() - began, best.cost, None, _CHOICE))
    work = float(sum(search.rounds for search in searches) + made)
    answer = Answer(Status.UNKNOWN, engine=_ENGINE, seconds=time.monotonic() - began, work=work,
                    stopped_by=stopped)
    if best is None:
        return Delivered((), (), answer)
    broken = problem.faults(best.quantities, best.tours)
    assert not broken, broken
    falling: list[Progress] = []
    for one in progress:
        if not falling or (one.objective or 0.0) < (falling[-1].objective or 0.0):
            falling.append(one)
    return Delivered(best.quantities, best.tours, replace(
        answer, status=Status.FEASIBLE, objective=best.cost, start=falling[0].objective,
        engine=falling[-1].engine, progress=tuple(falling)))


def _searched(problem: Replenished, seconds: float, seed: int, cores: int) -> list[Ruined]:
    """Searches with other seeds: one here, and with a second core one in another process."""
    until = _RUIN * seconds
    ends = time.monotonic() + until, time.time() + until
    rounds = rounds_in(problem, until)
    news: News = Queue()
    other = WorkerProcess(0, "inventory_worker", problem, news) \
        if cores > 1 and seconds > _ALONE else None
    try:
        if other is not None:
            other.say((seed + 1_000_003, rounds, ends[1]))
        found = [Ruin(problem, seed).run(rounds, ends[0])]
        if other is not None:
            heard = hear(news, ends[1] + 0.05 * seconds)
            if heard is not None and heard[1] is not None:
                found.append(heard[1])
            else:  # it did not come in time
                found = [replace(found[0], by_clock=True)]
    finally:
        if other is not None:
            other.stop()
    return found
