"""The joint plan of a rolling horizon: orders, then the schedule and routes that they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twin.network import Network
from twin.plan import Answer, Plan, Status
from twin.state import State

_INSTANT = 0.01  #: hours in which the orders of a plan reach those who make the goods


@dataclass(frozen=True, slots=True)
class Joint:
    """Plans everything that it is asked for from any state; it is called again as time goes on.

    Parameters
    ----------
    network
        With the cells of the plan in it.
    parts
        Which of ``flows``, ``services``, ``schedule`` and ``routes`` are planned.
    firm
        Weeks of which orders are placed.
    leads
        Mean hours from an order of a shelf to its receipt, as they were played.

    Notes
    -----
    The orders come first. The lots that they make of plants are then scheduled with the services
    of their machines, and what waits for trucks is routed.
    """

    network: Network
    parts: frozenset[str]
    service: float = 0.95
    firm: int = 2
    seed: int = 1
    seconds: float = 0.5
    leads: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __call__(self, state: State) -> Plan:
        """The plan of the next weeks."""
        from twin.commands.planning import open_hours
        from twin.optimize.allocation import allocate

        plan = Plan("all", self.network.name, state.clock_h, Answer(Status.FEASIBLE),
                    state_digest=state.digest())
        if "flows" in self.parts:
            flows = allocate(self.network, state, firm=self.firm, service=self.service,
                             hours=open_hours(self.network), leads=self.leads)
            if flows.answer.status is Status.OPTIMAL:
                plan = replace(plan, orders=flows.orders, holds_h=flows.holds_h)
        if "services" in self.parts:
            plan = replace(plan, services=self._services(state))
        if "schedule" in self.parts:
            plan = self._scheduled(plan, state)
        if "routes" in self.parts:
            plan = replace(plan, routes=self._routes(state))
        return plan

    def _services(self, state: State) -> tuple[Any, ...]:
        from twin.optimize.maintenance import maintain

        return maintain(self.network, state, days=self.firm * 7, service=self.service).services

    def _scheduled(self, plan: Plan, state: State) -> Plan:
        """The lots that are there once the orders have been placed, with services among them."""
        from twin.commands.planning import open_hours
        from twin.optimize.schedule import plan_of, quick
        from twin.optimize.schedule_work import GOALS
        from twin.optimize.workload import workload
        from twin.scenario import Scenario
        from twin.simulate.play import play

        told = play(self.network, Scenario.baseline(), horizon_h=_INSTANT, save_at=_INSTANT,
                    state=state, plan=plan).state if plan.orders else state
        assert told is not None
        work = workload(self.network, told, hours=open_hours(self.network),
                        goal=GOALS["tardiness"])
        if not work.size:
            return plan
        made = plan_of(quick(work, seed=self.seed, seconds=self.seconds), plan.model,
                       told.clock_h)
        busy = {one.machine for one in made.operations}
        others = tuple(one for one in plan.services if one.asset not in busy)
        return replace(plan, operations=made.operations, services=(*made.services, *others))

    def _routes(self, state: State) -> tuple[Any, ...]:
        from twin.commands.planning import open_hours
        from twin.optimize.route_plan import plan_routes

        return plan_routes(self.network, state, hours=open_hours(self.network),
                           seconds=2.0 * self.seconds, seed=self.seed).routes
