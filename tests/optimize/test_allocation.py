"""Flows against brute force, prices of limits, spikes, stores that cannot hold their stock."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from twin.commands.planning import played_leads
from twin.commands.proposals import Ground, flows
from twin.network import Network
from twin.optimize.allocation import allocate
from twin.optimize.allocation_conflict import smallest_conflict
from twin.optimize.flow_network import FlowProblem, Move, solve_flow
from twin.optimize.policy_flow import PolicyFlow
from twin.plan import Status
from twin.scenario import Scenario
from twin.simulate.play import play

A, B = ("A", "tea"), ("B", "tea")


def small(rng: np.random.Generator) -> FlowProblem:
    return FlowProblem(
        3, {B: float(rng.integers(0, 4)), A: 0.0},
        (Move("near", "B", "A", "tea", 1, float(rng.integers(0, 3)), limit=2),
         Move("bought", "", "B", "tea", int(rng.integers(0, 2)), float(rng.integers(1, 5)),
              limit=2)),
        {A: tuple(float(v) for v in rng.integers(0, 3, 3))}, {A: float(rng.integers(2, 9))},
        {A: 1.0, B: 0.5})


def cost_of(problem: FlowProblem, near: tuple[int, ...], bought: tuple[int, ...]) -> float:
    stock, owed, total = {A: problem.stock[A], B: problem.stock[B]}, 0.0, 0.0
    for t in range(3):
        for move, units in zip(problem.moves, (near, bought), strict=True):
            stock[(move.site, "tea")] += units[t - move.lead] if t >= move.lead else 0.0
        stock[B] -= near[t]
        if stock[B] < 0:
            return math.inf
        served = min(stock[A], owed + problem.demand[A][t])
        owed += problem.demand[A][t] - served
        stock[A] -= served
        total += (problem.moves[0].cost * near[t] + problem.moves[1].cost * bought[t]
                  + problem.late[A] * owed + stock[A] * 1.0 + stock[B] * 0.5)
    return total


@pytest.mark.parametrize("seed", range(12))
def test_the_cheapest_flow_is_brute_forces(seed: int) -> None:
    problem = small(np.random.default_rng(seed))
    plans = list(itertools.product(range(3), repeat=3))
    best = min(cost_of(problem, near, bought) for near in plans for bought in plans)
    assert solve_flow(problem).cost == pytest.approx(best)


def chain(**tables: object) -> Network:
    base: dict[str, object] = {
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "A", "kind": "warehouse"},
                  {"site": "B", "kind": "warehouse"}],
        "products": [{"product": "tea", "value": 10, "volume_m3": 1}],
        "supply": [{"site": "S", "product": "tea", "lead_time": "21d", "capacity_per_day": 2}],
        "lanes": [{"origin": "S", "destination": "A", "transit": "7d"},
                  {"origin": "S", "destination": "B", "transit": "7d"},
                  {"origin": "B", "destination": "A", "transit": "7d", "mode": "truck"}],
        "stock": [{"site": "A", "product": "tea", "on_hand": 10, "policy": "base_stock",
                   "order_up_to": 40, "holding_cost": 0.1, "source": "S"},
                  {"site": "B", "product": "tea", "on_hand": 90, "policy": "base_stock",
                   "order_up_to": 40, "holding_cost": 0.1, "source": "S"}],
        "demand": [{"site": "A", "product": "tea", "interarrival": "24h", "region": "north"},
                   {"site": "B", "product": "tea", "interarrival": "24h", "region": "south"}]}
    return Network(**{**base, **tables})  # type: ignore[arg-type]


def test_a_spike_in_a_region_is_met_by_a_transfer_and_prices_the_supply() -> None:
    plan = allocate(chain(), periods=8, surge={"north": (3.0, 3.0, 3.0)})
    first = next(one for one in plan.orders if one.verb == "transfer")
    assert (first.source, first.site, first.when) == ("B", "A", 0.0)
    calm = allocate(chain(), periods=8)
    moved = [sum(one.quantity for one in each.orders if one.verb == "transfer")
             for each in (calm, plan)]
    assert moved[1] > moved[0] + 10.0
    scarce = chain(supply=[{"site": "S", "product": "tea", "lead_time": "7d",
                            "capacity_per_day": 1}])
    plan = allocate(scarce, periods=20)
    priced = {reason.subject: reason.price for reason in plan.answer.reasons
              if reason.kind == "binding"}
    assert (priced["supply of tea at S"] or 0.0) > 0.0
    assert plan.answer.status is Status.OPTIMAL


def test_an_order_that_would_come_late_is_hurried() -> None:
    late = chain(orders=[{"order": "1", "site": "A", "product": "tea", "quantity": 60,
                          "placed": "0h", "due": "28d", "source": "S"}],
                 lanes=[{"origin": "S", "destination": "A", "transit": "7d"},
                        {"origin": "S", "destination": "B", "transit": "7d"}])
    plan = allocate(late, periods=8)
    hurried = [one for one in plan.orders if one.verb == "expedite"]
    assert {one.order for one in hurried} == {1}
    assert min(one.due or 0.0 for one in hurried) == pytest.approx(14 * 24.0)


def test_a_store_that_cannot_hold_its_stock_is_named_with_it() -> None:
    full = chain(storage=[{"site": "B", "area": "hall", "capacity_m3": 95}],
                 orders=[{"order": "1", "site": "B", "product": "tea", "quantity": 80,
                          "placed": "-9d", "due": "1d", "source": "S", "status": "shipped"}],
                 lanes=[{"origin": "S", "destination": "A", "transit": "7d"},
                        {"origin": "S", "destination": "B", "transit": "7d"}])
    plan = allocate(full, periods=4)
    assert plan.answer.status is Status.INFEASIBLE
    assert {reason.subject for reason in plan.answer.reasons} == {
        "room at B", "tea arriving at B", "tea in stock at B"}


@pytest.mark.parametrize("seed", range(10))
def test_a_conflict_is_one_and_none_of_it_can_be_spared(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"r{k}" for k in range(7)]
    bad = [set(rng.choice(names, 3, replace=False).tolist()) for _ in range(3)]

    def feasible(kept: object) -> bool:
        return not any(one <= set(kept) for one in bad)  # type: ignore[call-overload]

    found = smallest_conflict(names, feasible)
    assert not feasible(found)
    assert all(feasible([name for name in found if name != left]) for left in found)


def test_bad_numbers_are_all_named() -> None:
    with pytest.raises(ValueError, match=r"demand of tea at A: -1(.|\n)*bought: its cost"):
        FlowProblem(1, {}, (Move("bought", "", "A", "tea", 0, math.nan),), {A: (-1.0,)}, {A: 1.0})


def test_the_same_state_gives_the_same_plan() -> None:
    assert allocate(chain(), periods=8).digest() == allocate(chain(), periods=8).digest()


def test_advice_on_a_few_orders_lets_the_policies_go_on() -> None:
    network = chain()
    state = play(network, Scenario.baseline(), horizon_h=1.0, save_at=0.0).state
    assert state is not None
    assert allocate(network, state).holds_h == 336.0
    told = dict(flows(Ground(network, state, 1, 168.0, 0.0, 1.0, 1, 1)))
    assert told
    assert {plan.holds_h for plan in told.values()} == {0.0}


def test_lead_times_as_played_hold_the_waiting_for_a_machine() -> None:
    busy = Network(
        sites=[{"site": "P", "kind": "plant"}, {"site": "C", "kind": "customer"}],
        products=[{"product": "tea"}], groups=[{"site": "P", "group": "pack"}],
        machines=[{"machine": "M", "site": "P", "group": "pack"}],
        routings=[{"site": "P", "product": "tea", "step": 1, "group": "pack",
                   "process_time": "8h"}],
        lanes=[{"origin": "P", "destination": "C", "mode": "road", "transit": "1h"}],
        stock=[{"site": "P", "product": "tea", "on_hand": 3, "policy": "base_stock",
                "order_up_to": 3, "source": "make"}],
        demand=[{"site": "C", "product": "tea", "interarrival": "exponential(mean=10h)"}])
    found = played_leads(busy, None, 1, workers=1)
    assert PolicyFlow(busy).lead(("P", "tea")).mean == 8.0
    # a lot is in an M/D/1 queue: 8 h and 0.8 / (2 x 0.2) times as much before
    assert found[("P", "tea")] == pytest.approx(24.0, rel=0.3)
    assert found == played_leads(busy, None, 1, workers=1)


def test_goods_that_take_longer_as_played_are_ordered_sooner() -> None:
    def ahead(leads: dict[tuple[str, str], float]) -> set[float]:
        plan = allocate(chain(), periods=20, firm=16, leads=leads)
        return {((one.due or 0.0) - one.when) / 24.0 for one in plan.orders
                if (one.source, one.site) == ("S", "A")}

    assert ahead({}) == ahead({A: 28 * 24.0}) == ahead({A: 1.0}) == {28.0}
    assert ahead({A: 42 * 24.0}) == {42.0}


def test_components_have_a_cushion_too() -> None:
    def beans(gap: str) -> float:
        network = Network(
            sites=[{"site": "S", "kind": "supplier"}, {"site": "P", "kind": "plant"},
                   {"site": "C", "kind": "customer"}],
            products=[{"product": "tea"}, {"product": "beans"}],
            bom=[{"product": "tea", "component": "beans", "quantity": 2}],
            groups=[{"site": "P", "group": "pack"}],
            machines=[{"machine": "M", "site": "P", "group": "pack"}],
            routings=[{"site": "P", "product": "tea", "step": 1, "group": "pack",
                       "process_time": "1h"}],
            supply=[{"site": "S", "product": "beans", "lead_time": "14d"}],
            lanes=[{"origin": "P", "destination": "C", "mode": "road", "transit": "1h"},
                   {"origin": "S", "destination": "P", "mode": "road", "transit": "1h"}],
            stock=[{"site": "P", "product": name, "on_hand": 100, "policy": "base_stock",
                    "order_up_to": 200, "holding_cost": 0.1, "source": source}
                   for name, source in (("tea", "make"), ("beans", "S"))],
            demand=[{"site": "C", "product": "tea", "interarrival": gap}])
        return sum(one.quantity for one in allocate(network, periods=6, firm=6).orders
                   if one.product == "beans")

    assert beans("exponential(mean=6h)") > beans("6h") + 20.0
