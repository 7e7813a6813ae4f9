"""Orders, changes of orders and services of a plan, carried out in a world."""

from __future__ import annotations

from typing import Any

import pytest

from twin.ledger import Ledger
from twin.network import Network
from twin.plan import Answer, Order, Plan, Service, Status
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State

ANSWER = Answer(Status.FEASIBLE)


def shop(**stock: Any) -> Network:
    return Network(
        name="shop",
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "tea", "value": 2, "weight_kg": 1}],
        supply=[{"site": "S", "product": "tea", "lead_time": "4d"}],
        lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "1d",
                "cost_per_kg": 0.5}],
        stock=[{"site": "W", "product": "tea", "on_hand": 10, **stock}],
        demand=[{"site": "W", "product": "tea", "interarrival": "constant(1d)"}])


def happened(network: Network, *orders: Order, state: State | None = None,
             days: float = 12.0) -> list[tuple[float, str, float]]:
    book = Ledger()
    play(network, Scenario.baseline(), horizon_h=24.0 * days, ledger=book, state=state,
         plan=Plan("replenishment", network.name, 0.0, ANSWER, orders=orders))
    rows = book.frame()
    rows = rows[(rows["product"] == "tea") & (rows["site"] == "W")
                & rows["event"].isin(["storing", "lost", "ordering"])
                & (rows["role"] != "customer") & (rows["cause"] != "stock")]
    return [(time / 24.0, str(event), units) for time, event, units in
            zip(rows["time"], rows["event"], rows["quantity"], strict=True)]


def open_order() -> tuple[Network, State, int]:
    """A shop on day 3 whose order of day 1 is half way through its supplier's 4 days."""
    network = shop(policy="s_Q", reorder_point=9, order_quantity=20)
    state = play(network, Scenario.baseline(), horizon_h=72.0, save_at=72.0).state
    assert state is not None
    number, = [row["number"] for row in state.orders if row["buyer"].startswith("shelf")]
    return network, state, number


def test_an_order_is_placed_at_its_time() -> None:
    said = Order("order", "W", "tea", 7.0, 48.0, "S", "road")
    assert happened(shop(), said) == [(2.0, "ordering", 7.0), (7.0, "storing", 7.0)]


def test_an_order_from_nowhere_is_left_undone() -> None:
    assert happened(shop(), Order("order", "W", "tea", 7.0, 48.0, "X")) == []


def test_an_order_for_a_place_without_a_shelf_is_refused() -> None:
    with pytest.raises(ValueError, match="which does not stock it"):
        happened(shop(), Order("order", "S", "tea", 7.0, 48.0))


def test_hurrying_halves_what_is_left_at_the_supplier_and_the_lane() -> None:
    network, state, number = open_order()
    usual = [row for row in happened(network, state=state, days=6.0) if row[1] == "storing"]
    hurried = [row for row in happened(
        network, Order("expedite", "W", "tea", 20.0, 72.0, order=number), state=state, days=6.0)
        if row[1] == "storing"]
    assert usual[0] == (6.0, "storing", 20.0)
    assert hurried[0] == (4.5, "storing", 20.0)  # and half a day on the lane


def test_a_hurried_order_costs_twice_its_freight() -> None:
    network, state, number = open_order()

    def cost(*orders: Order) -> float:
        plan = Plan("expedite", "shop", 72.0, ANSWER, orders=orders)
        return play(network, Scenario.baseline(), horizon_h=96.0, state=state,
                    plan=plan).tally.total("expedite_cost")

    assert cost(Order("expedite", "W", "tea", 20.0, 72.0, order=number)) - cost() == 20.0


@pytest.mark.parametrize(("verb", "units", "arrives"), [
    ("cancel", 20.0, []), ("decrease", 5.0, [(6.0, "storing", 15.0)])])
def test_an_order_that_has_not_left_is_shortened(verb: str, units: float,
                                                 arrives: list[Any]) -> None:
    network, state, number = open_order()
    network = network.with_cell("stock[W,tea].reorder_point", 0)
    rows = happened(network, Order(verb, "W", "tea", units, 72.0, order=number), state=state,
                    days=4.0)
    assert [row for row in rows if row[1] == "storing"] == arrives


def test_a_service_begins_when_the_plan_says() -> None:
    network = Network(
        sites=[{"site": "P", "kind": "plant"}], products=[{"product": "tea"}],
        machines=[{"machine": "M", "site": "P", "group": "g"}],
        failures=[{"asset": "M", "cause": "wear", "clock": "elapsed", "time_to_repair": "20h",
                   "time_to_failure": "constant(500h)", "service_time": "4h",
                   "service_after": "300h"}])
    book = Ledger()
    play(network, Scenario.baseline(), horizon_h=200.0, ledger=book, plan=Plan(
        "maintenance", "network", 0.0, ANSWER, services=(Service("M", "wear", 50.0, 54.0),)))
    rows = book.frame()
    assert [(row.time, row.event, row.cause) for row in rows.itertuples() if row.asset == "M"] == [
        (50.0, "failing", "service"), (54.0, "repairing", "wear")]
