"""Two solvers side by side on the lots under scenarios: the better plan, and the better bound.

Branch and bound with priced hours proves most plans, and stops on counted work, so that its plan is
the same on every machine; a general solver stands beside it for when it finds none. Where the
sampled totals are too many to be tabulated, two general solvers race by the clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from queue import Queue

import numpy as np

from twin.optimize.lot_branches import suits
from twin.optimize.lot_plan import LotAnswer, LotProblem
from twin.optimize.lot_programme import Solved
from twin.optimize.lot_quantities import LotQuantities
from twin.optimize.lot_size import wagner_whitin
from twin.optimize.lot_worker import Errand
from twin.optimize.process import News, WorkerProcess, hear
from twin.plan import Answer, Progress, Reason, Status

SOLVERS, GENERAL = ("branches", "highs"), ("highs", "scip")
_END = 0.4  #: seconds kept for the answer to come back
_GRACE = 3.0  #: seconds after the limit at which a process is killed while nobody has a plan


def solve_lots(problem: LotProblem, seconds: float = 10.0,
               solvers: Sequence[str] | None = None, unit: str = "",
               work: float | None = None) -> LotAnswer:
    """The best lots that either solver finds, with the better of their bounds.

    Each solver runs in a process of its own, which is killed if it overruns. The race ends when
    branch and bound has a proof, or has done its work and found a plan.

    Parameters
    ----------
    seconds
        Wall time for everything, the start of the processes included.
    solvers
        None: those that suit the size of the problem.
    work
        Of branch and bound, in seconds' worth of it; `seconds` if None. Infinite: the clock alone
        ends the race, and either solver's plan may win.

    Returns
    -------
    LotAnswer
        Without quantities where no plan can meet the requirements: the reasons name which.

    Examples
    --------
    >>> from twin.optimize.lot_plan import LotItem
    >>> tea = LotItem("tea", ((20, 50, 10, 50),), setup_cost=100, holding=1)
    >>> best = solve_lots(LotProblem((tea,), (200,) * 4), 5)
    >>> best.quantities, best.answer.objective, best.answer.status.value
    (((80.0, 0.0, 0.0, 50.0),), 270.0, 'optimal')
    """
    began = time.time()
    conflict = conflicts(problem)
    if conflict:
        return LotAnswer((), Answer(Status.INFEASIBLE, unit=unit, engine="capacity check",
                                    reasons=conflict))
    if solvers is None:
        solvers = SOLVERS if suits(problem) else GENERAL
    solved = _raced(problem, solvers, seconds if work is None else work, began + seconds)
    return _answer(problem, solved, time.time() - began, unit)


def _raced(problem: LotProblem, solvers: Sequence[str], work: float, end: float) -> list[Solved]:
    """What the solvers found; only that of branch and bound, if that settles it."""
    news: News = Queue()
    until = max(time.time() + 0.2, end - _END)
    running = [WorkerProcess(number, "lot_worker", Errand(problem, solver, work, until), news)
               for number, solver in enumerate(solvers)]
    solved: dict[int, Solved] = {}
    waiting = set(range(len(running)))
    try:
        while waiting:
            heard = hear(news, end + (0.0 if any(
                one.quantities for one in solved.values()) else _GRACE))
            if heard is None:
                break
            number, said = heard
            waiting.discard(number)
            if said is None:  # it has ended
                continue
            solved[number] = said
            if said.solver == "branches" and (
                    said.ended == "proof" or (said.ended == "work" and said.quantities)):
                return [said]  # whoever was quicker: the same plan on every machine
    finally:
        for process in running:
            process.stop()
    return [solved[number] for number in sorted(solved)]


def conflicts(problem: LotProblem) -> tuple[Reason, ...]:
    """Where demand must be met in time and cannot be: the first period by which the hours of all
    capacity so far are too few, and the fewest products that alone ask for too much.
    """
    strict = [item for item in problem.items if item.backlog == math.inf]
    for period in range(problem.periods):
        hours = sum(problem.capacity[:period + 1])
        need = {}
        for item in strict:
            units = max(0.0, float(problem.totals(item)[-1, period]))
            if units > 0.0:
                need[item.name] = units * item.unit_time + item.setup_time
        if sum(need.values()) <= hours + 1e-6:
            continue
        chosen: dict[str, float] = {}
        for name in sorted(need, key=lambda name: -need[name]):
            chosen[name] = need[name]
            if sum(chosen.values()) > hours:
                break
        said = [Reason("conflict", name, f"{name} must have {more:,.1f} h of work done by the end "
                       f"of period {period + 1}, in every scenario")
                for name, more in chosen.items()]
        return (*said, Reason("conflict", f"capacity to period {period + 1}",
                              f"there are {hours:,.1f} h up to then"))
    return ()


def _answer(problem: LotProblem, solved: Sequence[Solved], seconds: float, unit: str) -> LotAnswer:
    if any(one.ended == "infeasible" for one in solved):
        return LotAnswer((), Answer(
            Status.INFEASIBLE, unit=unit, engine="milp", seconds=seconds,
            reasons=(Reason("conflict", "set-up times", "the hours suffice for the units, but not "
                            "with the set-ups that meeting each period in time takes"),)))
    bound = max((one.bound for one in solved), default=-math.inf)
    costed = [(problem.cost(one.quantities), one.solver, one.quantities)
              for one in solved if one.quantities is not None]
    costed = [one for one in costed if one[0] < math.inf]
    if not costed:
        costed = _by_hand(problem)
    if not costed:
        return LotAnswer((), Answer(Status.UNKNOWN, bound=bound if bound > -math.inf else None,
                                    unit=unit, engine="milp", seconds=seconds, stopped_by="wall"))
    cost, engine, quantities = min(costed)
    bound = max(bound, 0.0)
    bound = min(bound, cost)
    ended = {one.ended for one in solved}
    progress = tuple(Progress(one.seconds, problem.cost(one.quantities), one.bound, one.solver)
                     for one in solved if one.quantities is not None)
    return LotAnswer(quantities, Answer(
        Status.OPTIMAL if cost - bound <= 1e-6 * max(1.0, cost) else Status.FEASIBLE,
        objective=cost, bound=bound, unit=unit, engine=engine, seconds=seconds,
        work=sum(one.work for one in solved), progress=progress,
        stopped_by=next((how for how in ("proof", "wall", "work") if how in ended), "wall"),
        reasons=_tight(problem, quantities, unit)))


def _by_hand(problem: LotProblem) -> list[tuple[float, str, tuple[tuple[float, ...], ...]]]:
    """Plans that take no search: lots for mean demand, each product alone, and no lots at all."""
    mean = [[sum(column) / len(column) for column in zip(*item.demand, strict=True)]
            for item in problem.items]
    alone = tuple(wagner_whitin(row, item.setup_cost, item.holding).quantities
                  for item, row in zip(problem.items, mean, strict=True))
    each = tuple(tuple(row) for row in mean)
    none = tuple((0.0,) * problem.periods for _ in problem.items)
    plans = ((problem.cost(plan), name, plan) for name, plan in (
        ("each product alone", alone), ("lot for lot", each), ("no lots", none)))
    return [plan for plan in plans if plan[0] < math.inf]


def _worth(saved: float | None, unit: str) -> str:
    """What an hour more saves, as the end of a sentence."""
    if saved is None:
        return ""
    if saved < 0.005:
        return "; with the same set-ups an hour more would save nothing"
    return f"; an hour more saves at least {saved:,.2f} {unit}".rstrip()


def _tight(problem: LotProblem, quantities: Sequence[Sequence[float]],
           unit: str) -> tuple[Reason, ...]:
    """Periods whose capacity is used up, and what an hour more of it would save."""
    found = []
    setups = np.array(quantities) > 0.0
    exact: LotQuantities | None = None
    for period, hours in enumerate(problem.capacity):
        used = sum(row[period] * item.unit_time + (row[period] > 1e-9) * item.setup_time
                   for item, row in zip(problem.items, quantities, strict=True))
        if used > hours - 1e-4:
            if exact is None and suits(problem):
                exact = LotQuantities(problem)
            saved = None if exact is None else exact.saved(setups, period)
            found.append(Reason("binding", f"capacity of period {period + 1}",
                                f"all {hours:,.1f} h are used{_worth(saved, unit)}", saved))
    return tuple(found)
