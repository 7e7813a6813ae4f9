"""The mixed-integer programme of lots under scenarios, solved by MathOpt; runs in a worker."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from twin.optimize.lot_plan import LotItem, LotProblem
from twin.optimize.lot_quantities import LotQuantities, clean

_SOLVERS = {"highs": mathopt.SolverType.HIGHS, "scip": mathopt.SolverType.GSCIP}
#: Gap at which a solver stops by itself: then the same plan comes on every machine.
GAP = 0.002
_SHARE = 0.97  #: of the time left: a solver ends its step before it looks at the clock
_TANGENTS = 24  #: of the cost of a stretch: more make the bound finer and the programme larger
_COARSE = 8  #: where only prices to start from are asked for


@dataclass(frozen=True, slots=True)
class Solved:
    """What one solver found; `quantities` None: nothing."""

    solver: str
    quantities: tuple[tuple[float, ...], ...] | None
    bound: float
    seconds: float
    ended: str  #: proof, work, wall or infeasible
    work: float = 0.0  #: in seconds' worth of it, where work is counted


def solve(problem: LotProblem, solver: str, seconds: float) -> Solved:
    """Solve with one solver until the gap is closed or the time is used up.

    Examples
    --------
    >>> tea = LotItem("tea", ((20, 50, 10, 50),), setup_cost=100, holding=1)
    >>> found = solve(LotProblem((tea,), (200,) * 4), "highs", 10)
    >>> found.quantities, round(found.bound), found.ended
    (((80.0, 0.0, 0.0, 50.0),), 270, 'proof')
    """
    began = time.perf_counter()
    model, rows, _ = _model(problem, _TANGENTS)
    lots = [row.lots for row in rows]
    left = seconds - (time.perf_counter() - began)
    result = mathopt.solve(model, _SOLVERS[solver], params=mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(_SHARE * left, 0.1)), relative_gap_tolerance=GAP,
        random_seed=1))
    reason = result.termination.reason
    took = time.perf_counter() - began
    if reason in (mathopt.TerminationReason.INFEASIBLE,
                  mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED):
        return Solved(solver, None, math.inf, took, "infeasible")
    ended = "proof" if reason == mathopt.TerminationReason.OPTIMAL else "wall"
    bound = float(result.termination.objective_bounds.dual_bound)
    if not result.has_primal_feasible_solution():
        return Solved(solver, None, bound, took, ended)
    values = result.variable_values()
    quantities = tuple(tuple(clean(values[lot]) for lot in row) for row in lots)
    # of the same set-ups, without the tangents' and the solver's tolerance
    cost, exact = LotQuantities(problem).of(np.array(quantities) > 0.0)
    if cost < problem.cost(quantities):
        quantities = exact
    return Solved(solver, quantities, bound, time.perf_counter() - began, ended)


def relaxed_prices(problem: LotProblem, seconds: float) -> np.ndarray | None:
    """Prices of the programme without whole set-ups, in the order of `LotPrices`; None if there
    are none, or none in time.
    """
    model, rows, hours = _model(problem, _COARSE)
    for variable in model.variables():
        variable.integer = False
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(0.1, seconds))))
    if not result.has_dual_feasible_solution():
        return None
    duals = result.dual_values()
    hour = np.maximum(0.0, [-duals[row] for row in hours])
    below = np.maximum(0.0, [[-duals[one] for one in row.largest] for row in rows])
    unit = np.array([item.unit_time for item in problem.items])[:, None] * hour
    above = np.maximum(0.0, below + unit - [[duals[one] for one in row.totals] for row in rows])
    return np.concatenate([hour, above.ravel(), below.ravel()])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Of a product: its lots, and the constraints on running totals and largest lots, by period."""

    lots: list[mathopt.Variable]
    totals: list[mathopt.LinearConstraint]
    largest: list[mathopt.LinearConstraint]


def _model(problem: LotProblem, tangents: int,
           ) -> tuple[mathopt.Model, list[_Rows], list[mathopt.LinearConstraint]]:
    model = mathopt.Model(name="lots")
    hours: list[list[mathopt.LinearTypes]] = [[] for _ in problem.capacity]
    costs: list[mathopt.LinearTypes] = []
    rows = []
    for item in problem.items:
        row, setups, cost = _item(model, problem, item, tangents)
        rows.append(row)
        costs += cost
        for period, (lot, setup) in enumerate(zip(row.lots, setups, strict=True)):
            hours[period] += [item.unit_time * lot, item.setup_time * setup]
            costs.append(item.setup_cost * setup)
    capacity = [model.add_linear_constraint(mathopt.fast_sum(used) <= most)
                for used, most in zip(hours, problem.capacity, strict=True)]
    model.minimize(mathopt.fast_sum(costs))
    return model, rows, capacity


def _item(model: mathopt.Model, problem: LotProblem, item: LotItem, tangents: int,
          ) -> tuple[_Rows, list[mathopt.LinearTypes], list[mathopt.LinearTypes]]:
    """Lots and set-ups of a product by period, and its costs.

    The periods from one lot to the next form a stretch, in which the running total of lots stands
    still. A product's plan is a path of stretches from the first period to the last; the cost of a
    stretch is convex in its total. This is the convex hull of what one product can do alone
    (Eppen and Martin 1987), but for its capacity.
    """
    n = problem.periods
    totals = problem.totals(item)
    most = max(0.0, float(totals.max()))
    begins: list[list[tuple[mathopt.Variable, mathopt.Variable | None]]] = [[] for _ in range(n)]
    ends: list[list[tuple[mathopt.Variable, mathopt.Variable | None]]] = [[] for _ in range(n)]
    costs: list[mathopt.LinearTypes] = []
    never = []  # stretches from the start without a lot
    for last in range(-1, n):
        taken = model.add_binary_variable()
        if last >= 0:
            ends[last].append((taken, None))
            value = sum(_at_zero(item, totals[:, period]) for period in range(last + 1))
            if math.isinf(value):
                model.add_linear_constraint(taken == 0)
            else:
                costs.append(value * taken)
        never.append(taken)
    model.add_linear_constraint(mathopt.fast_sum(never) == 1)
    for first in range(n):
        for last in range(first, n):
            taken, total = model.add_binary_variable(), model.add_variable(lb=0.0, ub=most)
            begins[first].append((taken, total))
            ends[last].append((taken, total))
            model.add_linear_constraint(total <= most * taken)
            costs.append(_stretch_cost(model, item, totals[:, first:last + 1], taken, total,
                                       tangents))
    found = _Rows([], [], [])
    setups: list[mathopt.LinearTypes] = []
    for period in range(n):
        setup = mathopt.fast_sum([taken for taken, _ in begins[period]])
        over = ends[period - 1] if period else [(never[0], None)]
        # a lot begins where a stretch has ended
        model.add_linear_constraint(setup == mathopt.fast_sum([taken for taken, _ in over]))
        fits = (problem.capacity[period] - item.setup_time) / item.unit_time \
            if item.unit_time > 0.0 else most
        largest = max(0.0, min(fits, most))
        lot = model.add_variable(lb=0.0, ub=largest)
        found.totals.append(model.add_linear_constraint(
            lot + mathopt.fast_sum([total for _, total in over if total is not None])
            == mathopt.fast_sum([total for _, total in begins[period] if total is not None])))
        found.largest.append(model.add_linear_constraint(lot <= largest * setup))
        found.lots.append(lot)
        setups.append(setup)
    return found, setups, costs


def _stretch_cost(model: mathopt.Model, item: LotItem, totals: np.ndarray,
                  taken: mathopt.Variable, total: mathopt.Variable,
                  tangents: int) -> mathopt.Variable:
    """Expected cost of a stretch, as a variable above tangents of its convex function."""
    cost = model.add_variable(lb=0.0)
    if item.backlog == math.inf:  # nothing may be owed when the stretch ends
        model.add_linear_constraint(total >= max(0.0, float(totals[-1, -1])) * taken)
        length = totals.shape[1]
        model.add_linear_constraint(
            cost >= item.holding * (length * total - float(totals.mean(axis=0).sum()) * taken))
        return cost
    for slope, start in _tangents(item, totals, tangents):
        model.add_linear_constraint(cost >= slope * total + start * taken)
    return cost


def _tangents(item: LotItem, totals: np.ndarray, most: int) -> list[tuple[float, float]]:
    """Slopes and starts of tangents from below: first the lowest piece and the outer ones, then
    each time the piece where the cost lies highest above the tangents so far. Places that cost
    some set-ups more than the cheapest count less: no good plan goes there.
    """
    bends = np.unique(np.concatenate([[0.0], np.maximum(totals.ravel(), 0.0)]))
    places = np.concatenate([(bends[1:] + bends[:-1]) / 2.0, [bends[-1] + 1.0]])
    over = bends[:, None, None] - totals[None]
    cost = (item.holding * np.maximum(over, 0.0) + item.backlog * np.maximum(-over, 0.0)
            ).sum(axis=2).sum(axis=1) / totals.shape[0]
    ahead = (places[:, None, None] > totals[None]).sum(axis=2).sum(axis=1)
    slopes = (item.holding * ahead - item.backlog * (totals.size - ahead)) / totals.shape[0]
    starts = cost - slopes * bends  # piece k begins at bend k
    least = int(np.argmin(cost))
    at_place = slopes * places + starts  # piece k is the cost between bends k and k + 1
    weight = np.where(at_place <= cost[least] + 2.0 * item.setup_cost, 1.0, 0.05)
    chosen = {0, len(slopes) - 1, least}
    under = np.max([slopes[k] * places + starts[k] for k in chosen], axis=0)
    while len(chosen) < most:
        worst = int(np.argmax((at_place - under) * weight))
        if at_place[worst] - under[worst] <= 1e-9 * max(1.0, at_place[worst]):
            break
        chosen.add(worst)
        under = np.maximum(under, slopes[worst] * places + starts[worst])
    return [(float(slopes[k]), float(starts[k])) for k in sorted(chosen)]


def _at_zero(item: LotItem, totals: np.ndarray) -> float:
    """Expected cost of a period in which nothing has been made yet."""
    short = np.maximum(totals, 0.0)
    if item.backlog == math.inf:
        return math.inf if short.max() > 0.0 else item.holding * float(np.mean(-totals))
    return float(np.mean(item.holding * np.maximum(-totals, 0.0) + item.backlog * short))
