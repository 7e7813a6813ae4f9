"""Guaranteed service on any network without cycles: prices on quotes, then CP-SAT.

Where prices leave a gap between quotes and bound, a programme starts from both.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from twin.optimize.service_prices import CLOSED, sweep
from twin.optimize.service_tree import forest, solve_forest
from twin.plan import Answer, Progress, Status

if TYPE_CHECKING:
    from twin.optimize.guaranteed_service import Quotes, ServiceNetwork

_FINEST = 2**40  #: of the scaled objective
_SWEEPS = 0.97  #: share of the time in which prices may be raised
_WORTH = 0.05  #: share of the time below which a programme is not worth building


def solve_programme(network: ServiceNetwork, seconds: float, workers: int = 2) -> Quotes:
    """The cheapest quotes found within so many seconds, with their bound."""
    began = time.perf_counter()
    start = network.evaluate(first_quotes(network))
    first = start.answer.objective
    offset = time.perf_counter() - began
    swept = sweep(network, start, began + _SWEEPS * seconds)
    progress = [replace(one, seconds=one.seconds + offset) for one in swept.progress]
    best, bound, work = swept.best, swept.bound, float(swept.rounds)
    engine = "prices on quotes"
    if not _met(best, bound) and time.perf_counter() < began + (1.0 - _WORTH) * seconds:
        programme = _Programme(network, best, bound)
        solver = cp_model.CpSolver()
        left = began + seconds - time.perf_counter()
        solver.parameters.max_time_in_seconds = max(0.1, left)
        solver.parameters.num_workers = workers
        watch = _Watch(programme.scale, began)
        status = solver.solve(programme.model, watch)
        engine, work = "cp-sat", work + solver.response_proto.deterministic_time
        progress += watch.progress
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            quoted = {name: solver.value(var) for name, var in programme.quoted.items()}
            best = min(best, network.evaluate(quoted), key=lambda one: one.answer.objective or 0.0)
            bound = max(bound, solver.best_objective_bound / programme.scale)
        if status == cp_model.OPTIMAL:
            bound = math.inf
    objective = best.answer.objective
    assert objective is not None
    proved = _met(best, bound)
    return replace(best, answer=Answer(
        Status.OPTIMAL if proved else Status.FEASIBLE, objective=objective,
        bound=objective if proved else bound, engine=engine, seconds=time.perf_counter() - began,
        work=work, stopped_by="proof" if proved else "wall", start=first,
        progress=(Progress(0.0, first), *progress)))


def _met(best: Quotes, bound: float) -> bool:
    """Whether no quotes can be cheaper."""
    cost = best.answer.objective or 0.0
    return cost - bound <= CLOSED * cost


def first_quotes(network: ServiceNetwork) -> dict[str, int]:
    """Quotes of the forest that keeps the arcs into the dearest stages: feasible on the whole."""
    from twin.optimize.guaranteed_service import ServiceNetwork as Whole

    longest = network.longest()
    weight = {stage.name: stage.cost(longest[stage.name]) for stage in network.stages}
    kept = forest(sorted(network.arcs, key=lambda arc: (-weight[arc[0]], -weight[arc[1]], arc)))
    most = network.most(longest)
    quoted = solve_forest(Whole(network.stages, tuple(kept)))
    return {name: min(quote, most[name]) for name, quote in quoted.items()}


class _Programme:
    """Variables, constraints and objective."""

    def __init__(self, network: ServiceNetwork, start: Quotes, bound: float) -> None:
        self.model = model = cp_model.CpModel()
        longest = network.longest()
        most = network.most(longest)
        dearest = sum(stage.cost(longest[stage.name]) for stage in network.stages)
        self.scale = 2.0 ** math.floor(math.log2(_FINEST / max(dearest, 1e-9)))
        self.quoted = {stage.name: model.new_int_var(0, most[stage.name], f"S {stage.name}")
                       for stage in network.stages}
        suppliers = network.suppliers()
        costs = []
        for stage in network.stages:
            name = stage.name
            waits = model.new_int_var(stage.inbound, longest[name] - stage.time, f"SI {name}")
            for up in suppliers[name]:
                model.add(waits >= self.quoted[up])
            net = model.new_int_var(0, longest[name], f"net {name}")
            model.add(net >= waits + stage.time - self.quoted[name])
            table = [round(stage.cost(n) * self.scale) for n in range(longest[name] + 1)]
            cost = model.new_int_var(0, max(table), f"cost {name}")
            model.add_element(net, table, cost)
            costs.append(cost)
            model.add_hint(self.quoted[name], start.quoted[name])
            model.add_hint(net, start.net[name])
            model.add_hint(waits, max([stage.inbound,
                                       *(start.quoted[up] for up in suppliers[name])]))
            model.add_hint(cost, table[start.net[name]])
        # each cost is rounded by half a unit of the scale at most
        model.add(sum(costs) >= math.floor(bound * self.scale) - len(costs))
        model.minimize(sum(costs))


class _Watch(cp_model.CpSolverSolutionCallback):
    """Keeps incumbent and bound over time."""

    def __init__(self, scale: float, began: float) -> None:
        super().__init__()
        self.scale, self.began = scale, began
        self.progress: list[Progress] = []

    def on_solution_callback(self) -> None:
        self.progress.append(Progress(time.perf_counter() - self.began,
                                      self.objective_value / self.scale,
                                      self.best_objective_bound / self.scale))
