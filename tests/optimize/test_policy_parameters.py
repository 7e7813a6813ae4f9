"""Textbook parameters: exact where the theory is exact, with the doubts where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from scipy import stats

from twin.network import ModelError, Network
from twin.optimize import order_up_to, reorder
from twin.optimize.policy_flow import PolicyFlow
from twin.optimize.policy_parameters import policies_for
from twin.plan import Status


def shelf(row: dict[str, Any], **tables: Any) -> Network:
    base: dict[str, Any] = {
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        "products": [{"product": "tea"}],
        "supply": [{"site": "S", "product": "tea", "lead_time": "2d", "order_cost": 100}],
        "lanes": [{"origin": "S", "destination": "W", "mode": "road", "transit": "0h"}],
        "demand": [{"site": "W", "product": "tea", "interarrival": "exponential(mean=16h)"}]}
    return Network(**{**base, **tables}, stock=[{"site": "W", "product": "tea", **row}])


def test_a_reorder_point_is_federgruen_and_zhengs() -> None:
    plan = policies_for(shelf({"policy": "s_Q", "reorder_point": 1, "order_quantity": 9,
                               "holding_cost": 20, "backorder_cost": 150}))
    best = reorder.best_poisson(1.5, 2.0, 100, 20, 150)
    assert dict(plan.cells) == {"stock[W,tea].reorder_point": f"{best.point:.0f}",
                                "stock[W,tea].order_quantity": f"{best.quantity:.0f}"}
    assert plan.answer.status is Status.OPTIMAL


def test_a_periodic_review_is_zheng_and_federgruens() -> None:
    plan = policies_for(shelf({"policy": "s_S", "review": "1d", "reorder_point": 1,
                               "order_up_to": 9, "holding_cost": 1, "backorder_cost": 9}))
    best = order_up_to.best_poisson(1.5, 2, 100, 1, 9)
    assert plan.cells["stock[W,tea].reorder_point"] == f"{best.low:.0f}"
    assert plan.cells["stock[W,tea].order_up_to"] == f"{best.high:.0f}"


def test_a_random_lead_time_spreads_demand_and_is_normal() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 9, "review": "7d",
                     "holding_cost": 1, "backorder_cost": 19},
                    supply=[{"site": "S", "product": "tea", "lead_time": "gamma(mean=9d, sd=1d)"}],
                    demand=[{"site": "W", "product": "tea",
                             "interarrival": "exponential(mean=2h)"}])
    level = stats.norm.ppf(0.95, 12 * 16, (12 * 16 + 12**2 * 1) ** 0.5)
    assert policies_for(network).cells["stock[W,tea].order_up_to"] == f"{level:.0f}"


def test_demand_runs_up_to_components_and_shares() -> None:
    network = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "P", "kind": "plant"},
               {"site": "A", "kind": "warehouse"}, {"site": "B", "kind": "warehouse"},
               {"site": "C", "kind": "customer", "sourcing": "split"}],
        products=[{"product": "tea"}, {"product": "leaf"}],
        bom=[{"product": "tea", "component": "leaf", "quantity": 3}],
        groups=[{"site": "P", "group": "g"}],
        machines=[{"machine": "M", "site": "P", "group": "g"}],
        routings=[{"site": "P", "product": "tea", "step": 1, "group": "g", "process_time": "1h"}],
        supply=[{"site": "S", "product": "leaf", "lead_time": "5d"}],
        lanes=[{"origin": "S", "destination": "P", "transit": "1d"},
               {"origin": "P", "destination": "A", "transit": "2d"},
               {"origin": "P", "destination": "B", "transit": "2d"},
               {"origin": "A", "destination": "C", "transit": "1d", "share": 0.25},
               {"origin": "B", "destination": "C", "transit": "1d", "share": 0.75}],
        stock=[{"site": site, "product": "tea", "policy": "base_stock", "order_up_to": 5}
               for site in "AB"] + [{"site": "P", "product": "leaf", "policy": "base_stock",
                                     "order_up_to": 5, "source": "S"}],
        demand=[{"site": "C", "product": "tea", "interarrival": "exponential(mean=1h)",
                 "size": "poisson(mean=4)"}])
    flow = PolicyFlow(network)
    assert flow.demand(("A", "tea")).mean == pytest.approx(1.0)
    assert flow.demand(("B", "tea")).variance == pytest.approx(0.75 * (4 + 16))
    assert flow.demand(("P", "leaf")).mean == pytest.approx(12.0)
    assert flow.lead(("A", "tea")).mean == pytest.approx(49.0)  # an hour to make, two days
    assert flow.lead(("P", "leaf")).mean == pytest.approx(6 * 24.0)


def test_a_service_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        policies_for(shelf({}), service=1.5)


@pytest.mark.parametrize("costs", [{}, {"holding_cost": 1}, {"holding_cost": 1,
                                                             "backorder_cost": 9}])
@pytest.mark.parametrize("target", [0.8, 0.99])
def test_a_shelf_is_planned_for_the_service_level_that_it_names(
        costs: dict[str, float], target: float) -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 9, "review": "7d",
                     "service_level": target, **costs},
                    supply=[{"site": "S", "product": "tea", "lead_time": "gamma(mean=9d, sd=1d)"}],
                    demand=[{"site": "W", "product": "tea",
                             "interarrival": "exponential(mean=2h)"}])
    plan = policies_for(network, service=0.5)
    level = stats.norm.ppf(target, 12 * 16, (12 * 16 + 12**2 * 1) ** 0.5)
    assert plan.cells["stock[W,tea].order_up_to"] == f"{level:.0f}"
    assert f"for a service level of {target:.1%}, as the model asks" in \
        plan.answer.reasons[0].message


def test_a_service_level_of_a_whole_year_is_refused() -> None:
    with pytest.raises(ModelError, match=r"service_level '1'"):
        shelf({"policy": "base_stock", "order_up_to": 9, "service_level": 1})


def test_a_shelf_that_nobody_asks_keeps_its_policy() -> None:
    plan = policies_for(shelf({"policy": "base_stock", "order_up_to": 9}, demand=[]))
    assert not plan.cells
    assert "nobody asks" in plan.answer.reasons[0].message
