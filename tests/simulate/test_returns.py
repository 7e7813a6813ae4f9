"""Goods that customers send back: how many, when, by which way, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulate.chains import BASELINE, events, road, scenario, shelf, tally
from twin.ledger import Ledger
from twin.measure.genealogy import Genealogy
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State

DAY = 24.0
LEVEL = {"on_hand": 20, "policy": "base_stock", "order_up_to": 20}


def back(**row: Any) -> dict[str, Any]:
    """What comes back of product A from the customers of W to its shelf."""
    return {"site": "W", "product": "A", "share": 1, "to": "W", **row}


def test_a_unit_comes_back_after_its_receipt_and_is_shelved() -> None:
    network = shelf({"on_hand": 1}, {"limit": 1}, returns=[back(after="6h")])
    assert events(network, 48, "delivering returning storing") == [
        (0.0, 1.0), (12.0, 1.0), (18.0, 1.0), (18.0, 1.0)]
    assert tally(network, 48).sums["units_restocked", "W", "A", ""] == 1.0


def test_where_no_shelf_is_all_is_waste() -> None:
    network = shelf({"on_hand": 10}, {"size": 10, "limit": 1}, product={"value": 3},
                    returns=[back(to="S")])
    sums = tally(network, 48).sums
    assert sums["waste_cost", "S", "A", ""] == 30.0
    assert sums["units_returned", "W", "A", ""] == 10.0


def test_no_money_is_given_back() -> None:
    network = shelf({"on_hand": 10}, {"size": 10, "limit": 1, "price": 2}, returns=[back()])
    assert tally(network, 48).sums["revenue", "W", "A", ""] == 20.0


def test_a_full_hall_lets_them_wait_outside() -> None:
    stock = {"on_hand": 5, "policy": "base_stock", "order_up_to": 10}
    network = shelf(stock, {"size": 5, "limit": 1},
                    product={"volume_m3": 1}, lane={"transit": "3h"},
                    storage=[{"site": "W", "area": "hall", "capacity_m3": 7}],
                    returns=[back(after="6h")])
    sums = tally(network, 48).sums
    assert sums["units_restocked", "W", "A", ""] == 5.0
    assert sums["full_time", "W/hall", "", ""] > 0.0
    assert sums["volume_time", "W/hall", "", ""] <= 7 * 48


def test_what_is_not_shelved_is_waste_of_the_place() -> None:
    network = shelf({"on_hand": 10}, {"size": 10, "limit": 1}, product={"value": 3},
                    returns=[back(restock=0)])
    sums = tally(network, 48).sums
    assert sums["units_returned", "W", "A", ""] == 10.0
    assert sums["waste_cost", "W", "A", ""] == 30.0
    assert ("units_restocked", "W", "A", "") not in sums


def test_a_lot_that_expired_at_the_customer_is_waste() -> None:
    network = shelf({"on_hand": 1}, {"limit": 1}, product={"shelf_life": "1d"},
                    returns=[back(after="20h")])
    assert tally(network, 48).sums["units_expired", "W", "A", ""] == 1.0


def test_returns_lower_what_is_ordered_upstream() -> None:
    """A part r of the demand comes back as good as new: the supplier is asked for 1 - r."""
    demand = {"interarrival": "exponential(mean=2h)", "start": None}
    sums = tally(shelf(LEVEL, demand, returns=[back(share=0.3, after="1d")]), 2000 * DAY,
                 warmup_h=50 * DAY)
    ordered, asked = sums.total("units_supplied"), sums.total("units_delivered")
    # 1950 d of 12 a day: sd of the ratio of returned units is 0.003.
    assert sums.total("units_returned") / asked == pytest.approx(0.3, abs=0.012)
    assert ordered / asked == pytest.approx(0.7, abs=0.012)


def test_returns_leave_the_luck_of_demand_alone() -> None:
    demand = {"interarrival": "exponential(mean=5h)", "size": "poisson(mean=3)", "start": None}
    network = shelf({"on_hand": 9999}, demand)
    more = network.replace(returns=[back(share=0.4, after="exponential(mean=9h)")])
    one, other = (events(n, 30 * DAY, "delivering") for n in (network, more))
    assert one == other


def test_a_recall_reaches_what_came_back() -> None:
    ledger = Ledger()
    network = shelf({"on_hand": 10}, {"size": 4, "limit": 1}, returns=[back(share=0.5)])
    play(network, BASELINE, horizon_h=48, ledger=ledger)
    recall = Genealogy(ledger.frame()).recall(1)
    assert (recall.delivered, recall.to_stop, recall.lost, recall.rest) == (2.0, 8.0, 0.0, 0.0)


def test_waste_of_a_return_adds_up_in_the_account() -> None:
    ledger = Ledger()
    network = shelf({"on_hand": 10}, {"size": 4, "limit": 1}, returns=[back(restock=0.5)])
    play(network, BASELINE, horizon_h=48, ledger=ledger)
    account = Genealogy(ledger.frame()).account(1)
    assert account.held == {"W": 8.0}
    assert (account.lost, account.delivered, account.unseen, account.rest) == (2.0, 0.0, 0.0, 0.0)


def test_a_saved_run_goes_on_with_what_is_to_come_back() -> None:
    at = 10.2 * DAY
    network = road(demand={"interarrival": "7h", "size": 2},
                   sites=[{"site": "S", "kind": "supplier"}, {"site": "D", "kind": "warehouse"},
                          {"site": "C", "kind": "customer"}],
                   products=[{"product": "A", "shelf_life": "9d"}],
                   stock=[{"site": "D", "product": "A", **LEVEL}],
                   lanes=[{"origin": "S", "destination": "D", "transit": "1d"},
                          {"origin": "D", "destination": "C", "transit": "9h"}],
                   returns=[back(site="C", to="D", after="51h")])
    whole = play(network, BASELINE, horizon_h=30 * DAY, warmup_h=at, save_at=at)
    assert whole.state is not None
    state = State.from_document(json.loads(json.dumps(whole.state.document())))
    assert len(state.actors["returns C/A"]["kept"]) > 3
    rest = play(network, BASELINE, horizon_h=30 * DAY - at, state=state)
    assert rest.tally.sums == pytest.approx(whole.tally.sums)
    assert whole.tally.total("units_restocked") > 0


def test_more_demand_brings_more_back() -> None:
    network = shelf({"on_hand": 500}, returns=[back()])
    what: Scenario = scenario(type="demand", factor=2, start="0d")
    assert tally(network, 30 * DAY, what).total("units_returned") > 1.8 * tally(
        network, 30 * DAY).total("units_returned")
