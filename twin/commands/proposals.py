"""Proposals: what each optimiser would do from the present state. A new kind is a line of `KINDS`.

A proposer gets a `Ground` and gives plans by name; the name begins with the kind of recommendation.
Plans of one kind compete: the best is advised, the next is told as the runner-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twin.network import Network
from twin.operate.actions import in_units
from twin.plan import Plan, Reason, Status
from twin.state import State
from twin.tally import Tally

_CONFIRM = 6
#: Hours late that moving an operation of the schedule in force is worth; the second is for where
#: the first moves what is frozen: then only what cannot stay is moved.
_MOVING = (1.0, 1000.0)
#: Policies are tuned for two prices of what is owed: the one that serves too poorly is refused.
_SERVICES = (("replenishment: policies", 0.95), ("replenishment: careful policies", 0.995))


@dataclass(frozen=True, slots=True)
class Ground:
    """What proposers stand on.

    Attributes
    ----------
    network
        With calibration, and what was approved, in its cells.
    seed
        Of searches; verdicts never see it.
    horizon_h
        Over which plans will be judged.
    frozen_h
        Nothing that begins sooner is moved.
    seconds
        Most time of a schedule's or of routes' search by the clock; it is counted in work.
    budget
        Replications of the search for policies.
    standing
        Plans that stand open, by kind: moving what they hold has a price.
    """

    network: Network
    state: State
    seed: int
    horizon_h: float
    frozen_h: float
    seconds: float
    budget: int
    workers: int | None
    standing: Mapping[str, Plan] = field(default_factory=dict)


def policies(ground: Ground) -> Iterator[tuple[str, Plan]]:
    """Reorder points and levels, tuned by playing from the present state."""
    from twin.experiment import Task, perform
    from twin.optimize.tuning import Trial, tunable, tune
    from twin.scenario import Scenario
    from twin.simulate.replications import replicate

    network = ground.network
    if not tunable(network):
        return

    def play(trials: Sequence[Trial]) -> list[Tally]:
        known = {cells: network.with_cells(dict(cells)) if cells else network
                 for cells in {trial.cells for trial in trials}}
        return [one.tally for one in replicate(perform, [
            Task("trial", known[trial.cells], Scenario.baseline(), ground.horizon_h, 0.0,
                 trial.seed, trial.replication, state=ground.state) for trial in trials],
            workers=ground.workers)]

    for name, service in _SERVICES:
        found = tune(network, play, seed=ground.seed, service=service, budget=ground.budget,
                     confirm=_CONFIRM).plan
        if found.cells:
            # what the search saw on a few pairs is no evidence beside the gate's
            how = Reason("binding", "policies", f"found by {found.answer.engine}, "
                         f"{found.answer.work:,.0f} replications of the search")
            yield name, replace(found, made_h=ground.state.clock_h,
                                answer=replace(found.answer, reasons=(how,)))


def flows(ground: Ground) -> Iterator[tuple[str, Plan]]:
    """Orders, transfers and changes of open orders that the cheapest flow of the next weeks asks
    for now.
    """
    from twin.commands.planning import open_hours, played_leads
    from twin.optimize.allocation import allocate

    plan = allocate(ground.network, ground.state, firm=1, hours=open_hours(ground.network),
                    leads=played_leads(ground.network, ground.state, ground.seed, ground.workers))
    if plan.answer.status is not Status.OPTIMAL:
        return
    stocked = [order for order in plan.orders
               if (order.site, order.product) in ground.network.stock]
    for name, verbs in (("replenishment: orders", ("order", "increase")),
                        ("transfers", ("transfer",)), ("expedite", ("expedite",)),
                        ("replenishment: fewer", ("cancel", "decrease")),
                        ("replenishment: later", ("defer",))):
        chosen = tuple(order for order in stocked if order.verb in verbs)
        if chosen:
            yield name, replace(plan, kind=kind_of(name), orders=chosen, holds_h=0.0)


def schedule(ground: Ground) -> Iterator[tuple[str, Plan]]:
    """Which machine works on which lot when."""
    from twin.commands.optimize_schedule import played_rules
    from twin.commands.planning import open_hours
    from twin.optimize.rescheduling import in_force
    from twin.optimize.schedule import plan_of, solve
    from twin.optimize.schedule_work import GOALS
    from twin.optimize.workload import workload

    network, state = ground.network, ground.state
    if not network.machines or not network.routings:
        return
    work = workload(network, state, ahead=7 * 24.0, hours=open_hours(network),
                    goal=GOALS["tardiness"])
    if not work.jobs:
        return
    old, starts = ground.standing.get("schedule"), played_rules(network, state, work,
                                                                ground.seconds)
    for price in _MOVING:
        held = work if old is None else in_force(work, old, state.clock_h, price)
        solved = solve(held, seconds=ground.seconds, seed=ground.seed, starts=starts)
        plan = plan_of(solved, network.name, state.clock_h, state.digest())
        if old is None or not moved_soon(old, plan, state.clock_h, ground.frozen_h):
            break
    if plan.operations and plan.answer.status is not Status.INFEASIBLE:
        yield "schedule", plan


def moved_soon(old: Plan, new: Plan, now_h: float, frozen_h: float) -> int:
    """How many operations of the frozen window a new schedule moves to another machine or time.

    Examples
    --------
    >>> from twin.plan import Answer, Operation
    >>> def plan(start):
    ...     made = Operation("P", "M", "g", "tea", 1, 1, 10, start, start + 2.0)
    ...     return Plan("schedule", "tea", 0.0, Answer(Status.FEASIBLE), operations=(made,))
    >>> moved_soon(plan(5.0), plan(6.0), 0.0, 8.0), moved_soon(plan(9.0), plan(12.0), 0.0, 8.0)
    (1, 0)
    """
    placed = {(one.product, one.order, one.lot, one.step): one for one in new.operations}
    count = 0
    for one in old.operations:
        later = placed.get((one.product, one.order, one.lot, one.step))
        if later is not None and now_h <= one.start < now_h + frozen_h:
            count += later.machine != one.machine or abs(later.start - one.start) > 0.5
    return count


def routes(ground: Ground) -> Iterator[tuple[str, Plan]]:
    """Which truck calls where, in which order; who is about to leave keeps the tour in force."""
    from twin.commands.frozen_tours import keep_soon
    from twin.commands.planning import open_hours
    from twin.optimize.route_plan import plan_routes

    if not ground.network.trucks:
        return
    plan = plan_routes(ground.network, ground.state, hours=open_hours(ground.network),
                       seconds=ground.seconds, seed=ground.seed)
    old = ground.standing.get("routes")
    if old is not None:
        plan = keep_soon(old, plan, ground.state.clock_h, ground.frozen_h,
                         {order["number"] for order in ground.state.orders})
    if plan.routes and (old is None or plan.routes != old.routes):
        yield "routes", plan


def maintenance(ground: Ground) -> Iterator[tuple[str, Plan]]:
    """When to service which machine."""
    from twin.optimize.maintenance import maintain

    if not ground.network.failures:
        return
    now = ground.state.clock_h
    plan = maintain(ground.network, ground.state, days=max(1, int(ground.horizon_h // 24.0)))
    soonest = now + ground.frozen_h
    services = tuple(one if one.start >= soonest else replace(
        one, start=soonest, end=soonest + one.end - one.start) for one in plan.services)
    # A stock of spare parts is a matter of replenishment, and a service needs its age of service.
    cells = {cell: value for cell, value in plan.cells.items() if cell.startswith("failures[")}
    if services or cells:
        about = tuple(reason for reason in plan.answer.reasons
                      if not reason.subject.startswith("spare "))
        yield "maintenance", replace(plan, services=services, cells=cells,
                                     answer=replace(plan.answer, reasons=about))


#: By the word of the setting ``kinds``.
KINDS: dict[str, Callable[[Ground], Iterator[tuple[str, Plan]]]] = {
    "policies": policies, "orders": flows, "maintenance": maintenance, "schedule": schedule,
    "routes": routes}


def kind_of(name: str) -> str:
    """The kind of recommendation of a proposal.

    Examples
    --------
    >>> kind_of("replenishment: policies"), kind_of("transfers")
    ('replenishment', 'transfers')
    """
    return name.partition(":")[0]


def propose(ground: Ground, kinds: Sequence[str], begins: Callable[[str], None],
            told: Callable[[str], None]) -> dict[str, Plan]:
    """Every proposal by name; what a proposer cannot do is told, and the others go on."""
    found: dict[str, Plan] = {}
    for kind in kinds:
        begins(f"Proposing {kind} ...")
        try:
            found |= {name: in_units(plan) for name, plan in KINDS[kind](ground)}
        except (ValueError, ArithmeticError) as error:
            told(f"no proposal of {kind}: {' '.join(str(error).split())[:300]}")
    return {name: plan for name, plan in found.items()
            if plan.orders or plan.cells or plan.services or plan.operations or plan.routes}
