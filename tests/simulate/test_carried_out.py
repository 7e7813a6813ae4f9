"""Orders and services of a plan, carried out by the simulation: small worlds, exact times."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulate.chains import BASELINE, events, shelf
from twin.network import Network
from twin.optimize.allocation import allocate
from twin.plan import Answer, Order, Plan, Service, Status
from twin.simulate.play import play

POLICY = {"policy": "s_Q", "reorder_point": 5, "order_quantity": 20}


def plan(*orders: Order, holds_h: float = 0.0, services: tuple[Service, ...] = ()) -> Plan:
    return Plan("allocation", "test", 0.0, Answer(Status.OPTIMAL), orders=orders,
                services=services, holds_h=holds_h)


def order(verb: str, when: float, quantity: float = 5.0, **more: Any) -> Order:
    return Order(verb, "W", "A", quantity, when, **more)


def depots(*stock: dict[str, Any], **tables: Any) -> Network:
    """Supplier S and depots V and W of product A."""
    return Network(**{
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"},
                  {"site": "V", "kind": "warehouse"}],
        "products": [{"product": "A"}], "supply": [{"site": "S", "product": "A"}],
        "stock": [{"product": "A", **row} for row in stock], **tables})


def arrivals(network: Network, told: Plan, hours: float = 300.0) -> list[tuple[Any, ...]]:
    return [row for row in events(network, hours, "arriving", plan=told) if row[1]]


def open_order(quantity: float = 8.0) -> dict[str, Any]:
    """An order that W places at once, at a supplier who takes four days."""
    return {"supply": {"lead_time": "4d"}, "orders": [
        {"order": "1", "site": "W", "product": "A", "quantity": quantity, "placed": "0h",
         "source": "S"}]}


def test_an_order_and_a_transfer_come_from_the_source_that_they_name() -> None:
    chain = depots({"site": "W", "on_hand": 50}, {"site": "V", "on_hand": 7},
                   lanes=[{"origin": "S", "destination": "W", "transit": "1d"},
                          {"origin": "V", "destination": "W", "transit": "3d"}])
    told = plan(order("order", 10.0, source="S"), order("transfer", 20.0, 6.0, source="V"),
                order("order", 30.0, source="nobody"))
    assert arrivals(chain, told) == [(34.0, 5.0), (92.0, 6.0)]


def test_while_a_plan_holds_the_policy_places_no_order() -> None:
    chain = shelf({"on_hand": 8, **POLICY})
    assert events(chain, 200, "ordering", plan=plan())[0] == (60.0, 20.0)
    assert events(chain, 200, "ordering", plan=plan(holds_h=100.0))[0] == (100.0, 20.0)
    daily = shelf({"on_hand": 10, "policy": "R_S", "order_up_to": 20, "review": "24h"})
    assert events(daily, 60, "ordering", plan=plan(holds_h=30.0)) == [(48.0, 12.0)]


@pytest.mark.parametrize(("verb", "extra", "found"), [
    ("expedite", {}, [(10 + (96 - 10) / 2 + 12, 8.0)]),
    ("cancel", {}, []),
    ("decrease", {"quantity": 3.0}, [(120.0, 5.0)]),
    ("increase", {"quantity": 2.0}, [(120.0, 8.0), (130.0, 2.0)]),
    ("defer", {"due": 200.0}, [(200.0, 8.0)]),
], ids=["expedite", "cancel", "decrease", "increase", "defer"])
def test_an_order_in_preparation_is_changed(verb: str, extra: dict[str, Any],
                                            found: list[tuple[float, float]]) -> None:
    told = plan(order(verb, 10.0, **{"quantity": 8.0, "order": 1, **extra}))
    assert arrivals(shelf({"on_hand": 50}, **open_order()), told) == found


def test_an_order_that_waits_for_capacity_is_increased_itself() -> None:
    busy = shelf({"on_hand": 8}, supply={"capacity_per_day": 1}, orders=[
        {"order": str(number), "site": "W", "product": "A", "quantity": 2, "placed": "0h",
         "source": "S"} for number in (1, 2)])
    told = plan(order("increase", 10.0, 3.0, order=2))
    assert arrivals(busy, told) == [(48 + 24.0, 2.0), (48 + 120 + 24.0, 5.0)]
    state = play(busy, BASELINE, horizon_h=12.0, save_at=12.0).state
    assert state is not None
    two = next(row for row in state.orders if row["number"] == 2)
    needy = shelf({"on_hand": 0, "policy": "base_stock", "order_up_to": 30}, {"size": 4},
                  supply={"capacity_per_day": 40, "lead_time": "0h"})
    made = [one for one in allocate(needy, state, periods=6).orders if one.verb == "increase"]
    assert [(one.order, one.source, one.when) for one in made] == [(two["number"], "S", 12.0)]


def test_a_shipment_under_way_is_hurried_and_costs_its_freight_again() -> None:
    chain = shelf({"on_hand": 50}, lane={"transit": "4d", "cost_per_kg": 3},
                  product={"weight_kg": 2, "value": 1}, orders=open_order()["orders"])
    told = plan(order("expedite", 16.0, 8.0, order=1))
    assert arrivals(chain, told) == [(16 + 40.0, 8.0)]
    tally = play(chain, BASELINE, horizon_h=200.0, plan=told).tally
    assert tally.total("expedite_cost") == 2 * 3 * 2 * 8.0


def test_a_backorder_at_a_warehouse_is_withdrawn_before_it_is_sent() -> None:
    chain = depots({"site": "W", "on_hand": 50}, {"site": "V", "on_hand": 3},
                   lanes=[{"origin": "S", "destination": "V", "transit": "9d"},
                          {"origin": "V", "destination": "W", "transit": "1d"}],
                   orders=[{"order": "1", "site": "W", "product": "A", "quantity": 8,
                            "placed": "0h", "source": "V"}])
    told = plan(order("cancel", 10.0, 8.0, order=1))
    tally = play(chain, BASELINE, horizon_h=40.0, plan=told).tally
    assert tally.total("units_shipped") == 3.0
    saved = play(chain, BASELINE, horizon_h=40.0, plan=told, save_at=40.0).state
    assert saved is not None
    assert (saved.actors["shelf V/A"]["owed"], saved.actors["shelf W/A"]["on_order"]) == (0.0, 0.0)


def shop(**failure: Any) -> Network:
    """One machine; lots of ten hours, at noon of every second day."""
    return Network(
        sites=[{"site": "P", "kind": "plant"}, {"site": "C", "kind": "customer"}],
        products=[{"product": "A"}],
        groups=[{"site": "P", "group": "saws"}],
        machines=[{"machine": "saw", "site": "P", "group": "saws"}],
        routings=[{"site": "P", "product": "A", "step": 1, "group": "saws",
                   "process_time": "10h"}],
        lanes=[{"origin": "P", "destination": "C", "transit": "0h"}],
        demand=[{"site": "C", "product": "A", "interarrival": "2d", "start": "12h"}],
        failures=[{"asset": "saw", "cause": "wear", "service_time": "3h", "service_cost": 70,
                   "service_after": "500h", **failure}])


@pytest.mark.parametrize("failure", [{}, {"time_to_failure": "400h", "clock": "elapsed"}],
                         ids=["working", "elapsed"])
def test_a_service_begins_at_its_planned_time_and_moves_the_delivery(failure: dict[str, Any]
                                                                     ) -> None:
    told = plan(services=(Service("saw", "wear", 16.0, 19.0),))
    assert arrivals(shop(**failure), told, 47.0) == [(25.0, 1.0)]  # 12 + 10 + 3
    tally = play(shop(**failure), BASELINE, horizon_h=47.0, plan=told).tally
    assert (tally.total("services"), tally.total("failures")) == (1.0, 0.0)


def test_an_order_for_a_place_without_stock_is_refused() -> None:
    with pytest.raises(ValueError, match="for S, which does not stock it"):
        play(shelf(), BASELINE, horizon_h=1.0, plan=plan(Order("order", "S", "A", 1, 0.0)))
