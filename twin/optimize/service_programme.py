"""Guaranteed service on any network without cycles: CP-SAT, started from the best forests."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from twin.optimize.service_search import improve
from twin.optimize.service_tree import forest, solve_forest
from twin.plan import Answer, Progress, Status

if TYPE_CHECKING:
    from twin.optimize.guaranteed_service import Quotes, ServiceNetwork

_FINEST = 2**40  #: of the scaled objective
_STATUS = {cp_model.OPTIMAL: Status.OPTIMAL, cp_model.FEASIBLE: Status.FEASIBLE}


def solve_programme(network: ServiceNetwork, seconds: float, workers: int = 2) -> Quotes:
    """The cheapest quotes found within so many seconds, with their bound."""
    from twin.optimize.guaranteed_service import Quotes

    began = time.perf_counter()
    first = network.evaluate(first_quotes(network)).answer.objective
    start = improve(network, network.evaluate(first_quotes(network)), 0.4 * seconds)
    searched = Progress(time.perf_counter() - began, start.answer.objective)
    programme = _Programme(network, start)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, seconds - (time.perf_counter() - began))
    solver.parameters.num_workers = workers
    watch = _Watch(programme.scale, began)
    status = solver.solve(programme.model, watch)
    found = start
    if status in _STATUS:
        quoted = {name: solver.value(var) for name, var in programme.quoted.items()}
        found = min(start, network.evaluate(quoted), key=lambda one: one.answer.objective or 0.0)
    bound = solver.best_objective_bound / programme.scale
    objective = found.answer.objective
    assert objective is not None
    return Quotes(found.quoted, found.net, Answer(
        _STATUS.get(status, Status.FEASIBLE), objective=objective, bound=min(bound, objective),
        engine="cp-sat", seconds=time.perf_counter() - began,
        work=solver.response_proto.deterministic_time,
        stopped_by="proof" if status == cp_model.OPTIMAL else "wall", start=first,
        progress=(Progress(0.0, first), searched, *watch.progress)))


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

    def __init__(self, network: ServiceNetwork, start: Quotes) -> None:
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
