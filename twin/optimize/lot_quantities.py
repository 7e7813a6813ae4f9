"""The best quantities of lots when the set-ups are given: a linear programme, solved again and
again for other set-ups.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from twin.optimize.lot_plan import LotProblem


class LotQuantities:
    """Cost and quantities by set-ups (a boolean array, products x periods).

    Examples
    --------
    >>> from twin.optimize.lot_plan import LotItem
    >>> tea = LotItem("tea", ((20, 50, 10, 50),), setup_cost=100, holding=1)
    >>> best = LotQuantities(LotProblem((tea,), (200,) * 4))
    >>> best.of(np.array([[True, False, False, True]]))
    (270.0, ((80.0, 0.0, 0.0, 50.0),))

    With an hour more in the second period one unit less is made, and held, in the first:

    >>> short = LotQuantities(LotProblem((tea,), (50,) * 4))
    >>> short.saved(np.array([[True, True, False, True]]), 1)
    1.0
    """

    def __init__(self, problem: LotProblem) -> None:
        self.problem = problem
        self.model = model = mathopt.Model(name="quantities")
        self.lots: list[list[mathopt.Variable]] = []
        hours: list[list[mathopt.LinearTypes]] = [[] for _ in problem.capacity]
        costs = []
        for item in problem.items:
            totals = problem.totals(item)
            strict = item.backlog == math.inf
            slopes, starts = _pieces(totals, item.holding, 0.0 if strict else item.backlog)
            before: mathopt.LinearTypes = 0.0
            row = []
            for period in range(problem.periods):
                lot = model.add_variable(lb=0.0, ub=0.0)
                least = max(0.0, float(totals[-1, period])) if strict else 0.0
                total, cost = model.add_variable(lb=least), model.add_variable(lb=0.0)
                model.add_linear_constraint(total == before + lot)
                for slope, start in zip(slopes, starts[:, period], strict=True):
                    model.add_linear_constraint(cost >= float(slope) * total + float(start))
                costs.append(cost)
                hours[period].append(item.unit_time * lot)
                row.append(lot)
                before = total
            self.lots.append(row)
        self.hours = [model.add_linear_constraint(mathopt.fast_sum(used) <= 0.0) for used in hours]
        model.minimize(mathopt.fast_sum(costs))
        self._solver = mathopt.IncrementalSolver(model, mathopt.SolverType.GLOP)
        self._asked = mathopt.ModelSolveParameters(  # reading all else takes longer than solving
            variable_values_filter=mathopt.VariableFilter(
                filtered_items=[lot for row in self.lots for lot in row]),
            dual_values_filter=mathopt.LinearConstraintFilter(filtered_items=[]),
            reduced_costs_filter=mathopt.VariableFilter(filtered_items=[]))
        self._known: dict[bytes, tuple[float, tuple[tuple[float, ...], ...]]] = {}

    def of(self, setups: np.ndarray) -> tuple[float, tuple[tuple[float, ...], ...]]:
        """Expected cost and quantities; infinite and none where the hours do not suffice."""
        key = setups.tobytes()
        if key not in self._known:
            self._known[key] = self._solve(setups, self.problem)
        return self._known[key]

    def saved(self, setups: np.ndarray, period: int) -> float:
        """What an hour more in a period saves with the same set-ups; other set-ups may save more.
        """
        hours = list(self.problem.capacity)
        hours[period] += 1.0
        more, _ = self._solve(setups, replace(self.problem, capacity=tuple(hours)))
        return max(0.0, self.of(setups)[0] - more)

    @property
    def solved(self) -> int:
        """How many set-ups have been asked for."""
        return len(self._known)

    def knows(self, setups: np.ndarray) -> bool:
        """Whether these set-ups have been asked for before."""
        return setups.tobytes() in self._known

    def _solve(self, setups: np.ndarray, problem: LotProblem,
               ) -> tuple[float, tuple[tuple[float, ...], ...]]:
        """With the hours of a problem that is the same but for them."""
        items = problem.items
        for period, hours in enumerate(problem.capacity):
            left = hours - sum(item.setup_time for item, row in zip(items, setups, strict=True)
                               if row[period])
            if left < 0.0:
                return math.inf, ()
            self.hours[period].upper_bound = left
        for lots, row in zip(self.lots, setups, strict=True):
            for lot, made in zip(lots, row, strict=True):
                lot.upper_bound = math.inf if made else 0.0
        result = self._solver.solve(model_params=self._asked)
        if not result.has_primal_feasible_solution():
            return math.inf, ()
        values = result.variable_values()
        quantities = tuple(tuple(clean(values[lot]) for lot in row) for row in self.lots)
        return problem.cost(quantities), quantities


def clean(value: float) -> float:
    """Units of a lot without the dust of a solver."""
    return 0.0 if value < 1e-6 else round(value, 9)


def _pieces(totals: np.ndarray, holding: float, backlog: float) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of the expected cost of a period, and its starts by slope and period: of the piece
    with k totals below, for each k.
    """
    scenarios = len(totals)
    below = np.arange(scenarios + 1)
    slopes = (holding * below - backlog * (scenarios - below)) / scenarios
    sums = np.concatenate([np.zeros((1, totals.shape[1])), np.cumsum(totals, axis=0)])
    starts = (-holding * sums + backlog * (sums[-1] - sums)) / scenarios
    return slopes, starts
