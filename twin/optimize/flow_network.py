"""Goods moving through places and periods, as a linear programme with prices (GLOP).

Every place and product has stock from period to period; moves and making carry it on; demand asks
for it and may wait at a price. What limits the plan has a price: what one unit more would save.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from twin.plan import Status

Node = tuple[str, str]  #: (site, product)


@dataclass(frozen=True, slots=True)
class Move:
    """A way to get a product: from another place, or from outside (`origin` empty).

    Attributes
    ----------
    name
        As the plan and its reasons call it.
    lead
        Whole periods from departure to arrival.
    limit
        Units a period; None where nothing limits them.
    uses
        Units taken at the destination's site of other products a unit (components), when made.
    group, load
        What it shares a limit with, such as ``hours of plant_A``, and how much a unit takes of it.
    """

    name: str
    origin: str
    site: str
    product: str
    lead: int
    cost: float
    limit: float | None = None
    uses: tuple[tuple[str, float], ...] = ()
    group: str = ""
    load: float = 1.0
    kind: str = "transfer"


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """What there is, comes, is asked for, and how it can be moved.

    Attributes
    ----------
    stock, arriving, demand
        Units by node; by node and period.
    holding, late
        Cost of a unit held, and of a unit owed, a period.
    groups
        Units of load a period that the moves of a group share.
    room
        Most units that may lie at a site at the end of a period, weighted by `volume` of products.
    floor
        Units that are to be left at the end (so that the horizon does not run the chain down).
    closing
        Periods that units still owed at the end go on waiting for.
    """

    periods: int
    stock: dict[Node, float]
    moves: tuple[Move, ...]
    demand: dict[Node, tuple[float, ...]]
    late: dict[Node, float]
    holding: dict[Node, float] = field(default_factory=dict)
    arriving: dict[Node, tuple[float, ...]] = field(default_factory=dict)
    groups: dict[str, tuple[float, ...]] = field(default_factory=dict)
    room: dict[str, float] = field(default_factory=dict)
    volume: dict[str, float] = field(default_factory=dict)
    floor: dict[Node, float] = field(default_factory=dict)
    closing: float = 1.0

    def __post_init__(self) -> None:
        problems = []
        if self.periods < 1:
            problems.append(f"periods {self.periods} is below 1.")
        for what, rows in (("demand", self.demand), ("arriving", self.arriving)):
            for node, row in rows.items():
                if len(row) != self.periods:
                    problems.append(f"{what} of {_said(node)}: {len(row)} values for "
                                    f"{self.periods} periods.")
                problems += [f"{what} of {_said(node)}: {value:g} is not a number from 0 up."
                             for value in row if not 0.0 <= value < math.inf][:1]
        for what, values in (("stock", self.stock), ("late", self.late),
                             ("holding", self.holding), ("floor", self.floor)):
            problems += [f"{what} of {_said(node)}: {value:g} is not a number from 0 up."
                         for node, value in values.items() if not 0.0 <= value < math.inf]
        for move in self.moves:
            if not (0.0 <= move.cost < math.inf and move.lead >= 0 and move.load >= 0.0
                    and (move.limit is None or 0.0 <= move.limit < math.inf)):
                problems.append(f"{move.name}: its cost, lead, load or limit is not a number "
                                "from 0 up.")
        problems += [f"{_said(node)}: no cost of late delivery is given."
                     for node in self.demand if node not in self.late]
        if problems:
            raise ValueError("\n".join(problems))


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """Units moved by move and period, units owed by node and period, and prices of limits.

    A price is what one unit more of the limit would save: of the group's load in that period, of
    room at a site, of a move's own limit.
    """

    status: Status
    cost: float | None
    moved: dict[tuple[str, int], float] = field(default_factory=dict)
    owed: dict[tuple[Node, int], float] = field(default_factory=dict)
    prices: dict[tuple[str, int], float] = field(default_factory=dict)


def solve_flow(problem: FlowProblem) -> FlowAnswer:
    """The cheapest way to serve the demand.

    Examples
    --------
    >>> near = Move("near", "B", "A", "tea", lead=1, cost=1.0, limit=5)
    >>> far = Move("far", "", "A", "tea", lead=2, cost=4.0)
    >>> problem = FlowProblem(3, {("B", "tea"): 20.0}, (near, far), {("A", "tea"): (0, 9, 0)},
    ...                       late={("A", "tea"): 10.0})
    >>> best = solve_flow(problem)
    >>> best.cost, best.moved, {k: round(v, 6) for k, v in best.prices.items()}
    (49.0, {('near', 0): 5.0, ('near', 1): 4.0}, {('near', 0): 10.0})
    """
    model = mathopt.Model(name="flow")
    n = problem.periods
    nodes = {*problem.stock, *problem.demand, *problem.arriving,
             *((move.site, move.product) for move in problem.moves),
             *((move.origin, move.product) for move in problem.moves if move.origin),
             *((move.site, part) for move in problem.moves for part, _ in move.uses)}
    ordered = sorted(nodes)
    moved = {(move.name, t): model.add_variable(
        lb=0.0, ub=math.inf) for move in problem.moves for t in range(n)}
    held = {(node, t): model.add_variable(lb=0.0) for node in ordered for t in range(n)}
    owed = {(node, t): model.add_variable(lb=0.0) for node in problem.demand for t in range(n)}
    limits: dict[tuple[str, int], mathopt.LinearConstraint] = {}
    terms: dict[tuple[Node, int], list[mathopt.LinearTypes]] = {
        (node, t): [] for node in ordered for t in range(n)}
    costs: list[mathopt.LinearTypes] = []
    loads: dict[tuple[str, int], list[mathopt.LinearTypes]] = {}
    for move in problem.moves:
        for t in range(n):
            units = moved[move.name, t]
            # what arrives after the horizon is of no use in it, and costs
            costs.append(move.cost * units)
            if move.origin:
                terms[(move.origin, move.product), t].append(-1.0 * units)
            for part, quantity in move.uses:
                terms[(move.site, part), t].append(-quantity * units)
            if t + move.lead < n:
                terms[(move.site, move.product), t + move.lead].append(units)
            if move.limit is not None:
                limits[move.name, t] = model.add_linear_constraint(units <= move.limit)
            if move.group:
                loads.setdefault((move.group, t), []).append(move.load * units)
    for (group, t), load in loads.items():
        limits[group, t] = model.add_linear_constraint(
            mathopt.fast_sum(load) <= problem.groups[group][t])
    for node in ordered:
        asked = problem.demand.get(node, (0.0,) * n)
        coming = problem.arriving.get(node, (0.0,) * n)
        for t in range(n):
            balance = [*terms[node, t], -1.0 * held[node, t]]
            if t:
                balance.append(held[node, t - 1])
            if node in problem.demand:
                balance.append(owed[node, t])
                if t:
                    balance.append(-1.0 * owed[node, t - 1])
                wait = problem.closing if t == n - 1 else 1.0
                costs.append(problem.late[node] * wait * owed[node, t])
            opening = problem.stock.get(node, 0.0) if t == 0 else 0.0
            model.add_linear_constraint(mathopt.fast_sum(balance)
                                        == asked[t] - coming[t] - opening)
            costs.append(problem.holding.get(node, 0.0) * held[node, t])
        if problem.floor.get(node):
            limits[f"closing stock of {_said(node)}", n - 1] = model.add_linear_constraint(
                held[node, n - 1] >= problem.floor[node])
    for site, most in problem.room.items():
        for t in range(n):
            inside = [problem.volume.get(node[1], 1.0) * held[node, t]
                      for node in ordered if node[0] == site]
            if inside:
                limits[f"room at {site}", t] = model.add_linear_constraint(
                    mathopt.fast_sum(inside) <= most)
    model.minimize(mathopt.fast_sum(costs))
    result = mathopt.solve(model, mathopt.SolverType.GLOP)
    if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
        infeasible = result.termination.reason in (
            mathopt.TerminationReason.INFEASIBLE,
            mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED)
        return FlowAnswer(Status.INFEASIBLE if infeasible else Status.UNKNOWN, None)
    value = result.variable_values()
    duals = result.dual_values()
    return FlowAnswer(
        Status.OPTIMAL, float(result.objective_value()),
        {key: round(value[var], 9) for key, var in moved.items() if value[var] > 1e-7},
        {key: round(value[var], 9) for key, var in owed.items() if value[var] > 1e-7},
        {key: abs(duals[row]) for key, row in limits.items() if abs(duals[row]) > 1e-9})


def _said(node: Node) -> str:
    return f"{node[1]} at {node[0]}"
