"""When to service which machine: from its life law and its age, with others where that is cheaper.

Each cause of failure has an age at which a service is cheapest. Doing it earlier or later costs
what the law says; a visit of a crew costs once, however many machines it services one after
another in that slot. CP-SAT picks the slots (opportunistic grouping; crews are limited).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model
from scipy import stats

from twin.network import Network
from twin.network.components import Failure
from twin.optimize.maintenance_life import best_age, life_of
from twin.optimize.policy_flow import PolicyFlow
from twin.optimize.policy_parameters import service_target
from twin.plan import Answer, Plan, Reason, Service, Status
from twin.state import State

_SCALE = 100.0  #: cents, so that CP-SAT sees whole numbers
_WORK = 20.0  #: deterministic time after which the search stops


@dataclass(frozen=True, slots=True)
class Due:
    """A service that falls into the horizon.

    Attributes
    ----------
    due
        Hours from now at which it is cheapest.
    hours
        That it takes.
    cost
        By slot: what it costs beyond the cheapest moment.
    skip
        What leaving it out of the horizon costs.
    """

    asset: str
    cause: str
    crew: str
    spare: str
    due: float
    hours: float
    cost: tuple[float, ...]
    skip: float


def maintain(network: Network, state: State | None = None, *, days: int = 60, slot_h: float = 8.0,
             visit_cost: float = 0.0, use: Mapping[str, float] | None = None,
             hour_value: float | None = None, service: float = 0.95,
             seconds: float = 10.0) -> Plan:
    """Services of the next days.

    Parameters
    ----------
    network
        With the calibrated life laws applied.
    state
        For the ages of machines; all new if None.
    days, slot_h
        Horizon, and length of the slots in which services begin.
    visit_cost
        Cost of a crew's coming, once a slot: what makes it pay to service several at once.
    use
        Share of the clock that an asset works, for causes that age by operating hours; 1 if not
        given.
    hour_value
        What an hour of standstill costs; the machine's own cost per hour if None.
    service
        Chance that a spare part is there when it is needed.

    Returns
    -------
    Plan
        Of kind ``maintenance``: services, ages of service and stocks of spare parts as cells, and
        why a machine is run to failure.

    Raises
    ------
    ValueError
        If a number cannot be.

    Examples
    --------
    >>> network = Network(
    ...     sites=[{"site": "P", "kind": "plant"}], products=[{"product": "tea"}],
    ...     machines=[{"machine": "M", "site": "P", "group": "g", "cost_per_hour": 10}],
    ...     crews=[{"crew": "fitters", "size": 1}],
    ...     failures=[{"asset": "M", "cause": "wear", "time_to_repair": "20h", "clock": "elapsed",
    ...                "time_to_failure": "weibull(shape=3, scale=1000h)", "crew": "fitters",
    ...                "repair_cost": 500, "service_time": "4h", "service_cost": 60,
    ...                "service_after": "900h"}])
    >>> plan = maintain(network, days=30)
    >>> [(one.asset, one.start) for one in plan.services], plan.answer.status.value
    ([('M', 432.0)], 'optimal')
    >>> dict(plan.cells)
    {'failures[M,wear].service_after': '438h'}
    """
    began = time.perf_counter()
    if days < 1 or not 0.0 < slot_h <= 24.0 or not 0.0 <= visit_cost < math.inf:
        raise ValueError(f"days {days}, slot {slot_h:g} h or visit cost {visit_cost:g} cannot be. "
                         "Give at least 1 day, a slot up to 24 h, a cost from 0 up.")
    slots = int(days * 24.0 / slot_h)
    reasons: list[Reason] = []
    due: list[Due] = []
    cells: dict[str, str] = {}
    for row in network.failures.values():
        due += _due(network, row, state, slots, slot_h, use or {}, hour_value, reasons, cells)
    cells |= spares(network, service, reasons, use or {})
    now = state.clock_h if state is not None else 0.0
    services, answer = _placed(network, due, slots, slot_h, visit_cost, seconds, reasons, now)
    answer = Answer(answer.status, answer.objective, answer.bound, network.currency, "cp-sat",
                    time.perf_counter() - began, answer.work, answer.stopped_by,
                    reasons=tuple(reasons))
    return Plan("maintenance", network.name, now, answer, services=services, cells=cells,
                state_digest=state.digest() if state is not None else "")


def _due(network: Network, row: Failure, state: State | None, slots: int, slot_h: float,
         use: Mapping[str, float], hour_value: float | None,
         reasons: list[Reason], cells: dict[str, str]) -> list[Due]:
    """The services of a cause of failure, for each unit of its asset."""
    name = f"{row.asset}/{row.cause}"
    machine = network.machines.get(row.asset)
    hour = hour_value if hour_value is not None else machine.cost_per_hour if machine else 0.0
    crew = network.crews.get(row.crew or "")
    crew_hour = crew.cost_per_hour if crew else 0.0
    repair, work = row.time_to_repair.mean(), row.service_time.mean()
    planned = row.service_cost + work * (hour + crew_hour)
    failed = row.repair_cost + repair * (hour + crew_hour)
    if row.time_to_failure is None:
        return []
    if not planned > 0.0:
        reasons.append(Reason("why_not", name, "no service is described (service_time and "
                              "service_cost are blank): it is run to failure"))
        return []
    try:
        life = life_of(row.time_to_failure)
        best = best_age(row.time_to_failure, planned, failed, work, repair)
    except ValueError as problem:
        reasons.append(Reason("why_not", name, str(problem)))
        return []
    if math.isinf(best.age):
        why = "an old one fails no sooner than a new one" if not life.ages else (
            f"a failure costs {failed:,.0f}, a service {planned:,.0f}: too little between them")
        reasons.append(Reason("why_not", name, f"run to failure: {why}"))
        return []
    reasons.append(Reason(
        "binding", name, f"cheapest at {best.age:,.0f} h of age: {best.cost_rate:.4g} "
        f"{network.currency}/h against {best.run_to_failure:.4g} run to failure",
        price=best.run_to_failure - best.cost_rate))
    cells[f"failures[{row.asset},{row.cause}].service_after"] = f"{best.age:.0f}h"
    pace = use.get(row.asset, 1.0) if row.clock == "operating" else 1.0
    if not 0.0 < pace <= 1.0:
        raise ValueError(f"use of {row.asset}: {pace:g} is not between 0 and 1.")
    found = []
    for asset, age in _ages(network, row, state):
        wait = max(0.0, (best.age - age) / pace)
        if wait >= slots * slot_h:
            continue
        # Waiting costs the risk of a failure that hour, and saves the pace of the best policy.
        grid = age + pace * slot_h * np.arange(slots + 1)
        slope = np.array([min(life.hazard(float(a)), 1e6) * (failed - planned) - best.cost_rate
                          for a in grid]) * pace * slot_h
        total = np.concatenate([[0.0], np.cumsum((slope[1:] + slope[:-1]) / 2.0)])
        total -= total.min()
        found.append(Due(asset, row.cause, row.crew or "", row.spare or "", wait, work,
                         tuple(float(value) for value in total[:slots]), float(total[-1]) + 1.0))
    return found


def _ages(network: Network, row: Failure, state: State | None) -> list[tuple[str, float]]:
    """Every unit of the asset, with its age on the clock of the cause."""
    if state is not None:
        found = []
        for name, actor in state.actors.items():
            unit = name.removeprefix("failure ").rsplit("/", 1)
            if name.startswith("failure ") and unit[-1] == row.cause \
                    and unit[0].split("#")[0] == row.asset and actor.get("phase", "up") == "up":
                found.append((unit[0], float(actor.get("age") or 0.0)))
        if found:
            return found
    machine = network.machines.get(row.asset)
    truck = network.trucks.get(row.asset)
    units = machine.units if machine else truck.units if truck else 1
    return [(row.asset if units == 1 else f"{row.asset}#{unit}", 0.0)
            for unit in range(1, units + 1)]


def _placed(network: Network, due: list[Due], slots: int, slot_h: float, visit_cost: float,
            seconds: float, reasons: list[Reason],
            now: float) -> tuple[tuple[Service, ...], Answer]:
    """Slots for all services; a crew works on one machine a member, one after another."""
    if not due:
        return (), Answer(Status.OPTIMAL, 0.0, 0.0)
    model = cp_model.CpModel()
    costs = []
    chosen = {}
    visits: dict[tuple[str, int], list[cp_model.IntVar]] = {}
    work: dict[tuple[str, int], list[tuple[cp_model.IntVar, int]]] = {}
    for place, one in enumerate(due):
        long = max(1, math.ceil(one.hours / slot_h - 1e-9))
        skip = model.new_bool_var(f"skip {place}")
        costs.append((skip, one.skip + visit_cost))  # the crew then comes after the horizon
        options = [skip]
        for slot in range(slots - long + 1):
            taken = model.new_bool_var(f"{place} in {slot}")
            chosen[place, slot] = taken
            options.append(taken)
            costs.append((taken, one.cost[slot]))
            visits.setdefault((one.crew, slot), []).append(taken)
            for hours in range(slot, slot + long):
                minutes = round(60 * min(one.hours, slot_h)) if long == 1 else round(60 * slot_h)
                work.setdefault((one.crew, hours), []).append((taken, minutes))
        model.add_exactly_one(options)
    for (crew, _), busy in work.items():
        row = network.crews.get(crew)
        if row is not None:
            model.add(sum(minutes * taken for taken, minutes in busy)
                      <= round(60 * slot_h) * row.size)
    if visit_cost > 0.0:
        for (crew, slot), takers in visits.items():
            comes = model.new_bool_var(f"{crew} comes in {slot}")
            for taken in takers:
                model.add_implication(taken, comes)
            costs.append((comes, visit_cost))
    model.minimize(sum(round(_SCALE * min(cost, 1e9)) * var for var, cost in costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = _WORK
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return (), Answer(Status.UNKNOWN, stopped_by="wall")
    services = []
    at: dict[tuple[str, int], float] = {}
    for place, one in enumerate(due):
        at_slot = next((s for s in range(slots) if (place, s) in chosen
                        and solver.value(chosen[place, s])), None)
        if at_slot is None:
            reasons.append(Reason("why_not", one.asset, f"the service against {one.cause} finds no "
                                  f"slot: crew {one.crew or 'none'} has no hours left"))
            continue
        row = network.crews.get(one.crew)
        after = at.get((one.crew, at_slot), 0.0) if row is not None and row.size == 1 else 0.0
        start = now + at_slot * slot_h + after
        at[one.crew, at_slot] = after + one.hours
        services.append(Service(one.asset, one.cause, start, start + one.hours, one.crew,
                                one.spare))
    proved = status == cp_model.OPTIMAL
    wall = solver.wall_time >= seconds
    return tuple(sorted(services, key=lambda s: (s.start, s.asset, s.cause))), Answer(
        Status.OPTIMAL if proved else Status.FEASIBLE, solver.objective_value / _SCALE,
        solver.best_objective_bound / _SCALE, work=solver.response_proto.deterministic_time,
        stopped_by="proof" if proved else "wall" if wall else "work")


def spares(network: Network, service: float, reasons: list[Reason],
           use: Mapping[str, float]) -> dict[str, str]:
    """Base stocks of spare parts: failures over the lead time are Poisson, nearly."""
    rate: dict[tuple[str, str], float] = {}
    for row in network.failures.values():
        if row.spare is None or row.time_to_failure is None:
            continue
        machine, truck = network.machines.get(row.asset), network.trucks.get(row.asset)
        site = machine.site if machine else truck.home if truck else ""
        units = machine.units if machine else truck.units if truck else 1
        pace = use.get(row.asset, 1.0) if row.clock == "operating" else 1.0
        key = site, row.spare
        rate[key] = rate.get(key, 0.0) + units * pace / row.time_to_failure.mean()
    flow = PolicyFlow(network)
    cells: dict[str, str] = {}
    for node, failures in rate.items():
        stock = network.stock.get(node)
        lead = flow.lead(node).mean + ((stock.review or 0.0) if stock else 0.0)
        target = service if stock is None else service_target(stock, service)
        level = int(stats.poisson.ppf(target, failures * lead))
        reasons.append(Reason("binding", f"spare {node[1]} at {node[0]}", f"{failures * lead:.2f} "
                              f"are needed over a lead time of {lead / 24.0:.1f} d: keep "
                              f"{max(1, level)} for a {target:.0%} chance"))
        if stock is not None and stock.policy in ("base_stock", "R_S"):
            cells[f"stock[{node[0]},{node[1]}].order_up_to"] = str(max(1, level))
    return cells
