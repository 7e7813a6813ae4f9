"""A shelf: who is served, in what order, with which lots, and where goods wait."""

from __future__ import annotations

import pytest

from tests.simulate.chains import delivered, events, levels, shelf, tally
from twin.network import Network

ASKED = {"interarrival": "30d"}


def test_what_is_there_goes_out_and_the_rest_follows() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10}, {**ASKED, "size": 13})
    assert delivered(network, 72) == [(12.0, 10.0), (36.0, 3.0)]


def test_an_order_that_is_not_partial_waits_for_its_last_unit() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10},
                    {**ASKED, "size": 13, "partial": False})
    assert delivered(network, 72) == [(36.0, 13.0)]


@pytest.mark.parametrize(("partial", "sold", "lost"), [(True, 10.0, 3.0), (False, 0.0, 13.0)])
def test_lost_sales(partial: bool, sold: float, lost: float) -> None:
    sums = tally(shelf({}, {**ASKED, "size": 13, "unmet": "lost", "partial": partial,
                            "lost_cost": 2}), 72)
    assert sums.total("units_delivered") == sold
    assert sums.total("units_lost") == lost
    assert sums.total("lost_cost") == 2 * lost
    assert sums.total("orders_lost") == 1
    assert sums.total("orders_refused") == (sold == 0)
    assert sums.total("backorder_time") == 0.0
    assert sums.total("on_hand_time") == 10.0 * 12 + (10 - sold) * 60


def two_streams(first: dict[str, object], second: dict[str, object]) -> Network:
    """An empty shelf that gets ten units at 24 h, and two customers' streams."""
    return shelf(
        {"on_hand": 0, "policy": "base_stock", "order_up_to": 0},
        orders=[{"order": "1", "site": "W", "product": "A", "quantity": 10, "source": "S",
                 "placed": "0h"}]).replace(
        demand=[{"site": "W", "product": "A", "interarrival": "30d", **row}
                for row in ({"stream": "1", "start": "6h", "size": 8, **first},
                            {"stream": "2", "start": "12h", "size": 4, **second})])


def test_first_come_first_served() -> None:
    assert delivered(two_streams({}, {}), 30) == [(24.0, 8.0), (24.0, 2.0)]


def test_priority_one_is_served_first() -> None:
    network = two_streams({"priority": 2}, {"priority": 1})
    assert delivered(network, 30) == [(24.0, 4.0), (24.0, 6.0)]


def test_a_small_order_does_not_overtake_a_large_one_that_waits() -> None:
    network = two_streams({"size": 12, "partial": False}, {})
    assert delivered(network, 30) == []  # ten units are not twelve
    assert delivered(network, 48) == [(30.0, 12.0), (36.0, 4.0)]


def test_whoever_is_in_a_hurry_is_served_from_what_others_wait_for() -> None:
    network = two_streams({"size": 12, "partial": False, "priority": 2}, {"priority": 1,
                                                                           "start": "26h"})
    assert delivered(network, 28) == [(26.0, 4.0)]


def test_a_substitute_is_delivered_when_the_product_is_short() -> None:
    network = shelf({}, {**ASKED, "size": 13}).replace(
        products=[{"product": "A", "substitute": "B"}, {"product": "B"}],
        stock=[{"site": "W", "product": "A", "on_hand": 10},
               {"site": "W", "product": "B", "on_hand": 20}])
    assert events(network, 24, "delivering", columns="time product quantity") == [
        (12.0, "B", 3.0), (12.0, "A", 10.0)]
    sums = tally(network, 24)
    assert sums.total("units_issued", product="B") == 3.0
    assert sums.total("backorder_time") == 0.0
    assert sums.total("orders_at_once") == 1


def test_a_customer_who_asks_for_nothing_is_no_customer() -> None:
    """An order of zero units was never complete with lots on, and complete at once without."""
    network = shelf({}, {"size": "series(0, 2, 0, 1)"})
    for ledger in (False, True):
        found = delivered(network, 96) if ledger else None
        assert found in (None, [(36.0, 2.0), (84.0, 1.0)])
    assert tally(network, 96).total("orders") == 2


def test_what_expires_first_leaves_first() -> None:
    network = shelf(
        {"on_hand": 0}, {"start": "54h", "size": 6, **ASKED}, product={"shelf_life": "5d"},
        lane={"transit": "series(48h, 24h)"},
        orders=[{"order": name, "site": "W", "product": "A", "quantity": 4, "placed": placed,
                 "source": "S"} for name, placed in (("old", "0h"), ("new", "12h"))])
    # The lot made at 0 h comes in last, at 48 h, and goes out first.
    assert events(network, 60, "storing picking", columns="time event lot quantity") == [
        (36.0, "storing", 2, 4.0), (48.0, "storing", 1, 4.0),
        (54.0, "picking", 1, 4.0), (54.0, "picking", 2, 2.0)]
    sums = tally(network, 200)
    assert sums.total("units_expired") == 2.0
    assert events(network, 200, "expiring") == [(132.0, 2.0)]


def test_goods_that_expired_on_the_way_serve_nobody() -> None:
    """They were put on the shelf and handed to those who waited, and thrown away a moment later."""
    network = shelf({"on_hand": 0, "policy": "base_stock", "order_up_to": 0},
                    {**ASKED, "size": 3}, product={"shelf_life": "12h", "value": 7})
    assert delivered(network, 40) == []
    sums = tally(network, 40)
    assert (sums.total("units_expired"), sums.total("waste_cost")) == (3.0, 21.0)
    assert sums.total("on_hand_time") == 0.0


def full(on_hand: float = 5, size: float = 1, **demand: object) -> Network:
    """Room for five units; ten more come at 24 h."""
    return shelf({"on_hand": on_hand}, {"start": "36h", "size": size, **demand},
                 product={"volume_m3": 2},
                 storage=[{"site": "W", "area": "hall", "capacity_m3": 10}],
                 orders=[{"order": "1", "site": "W", "product": "A", "quantity": 10,
                          "placed": "0h", "source": "S"}])


def test_a_full_storage_keeps_goods_outside_until_something_leaves() -> None:
    assert levels(full(), 97, 24) == [5.0] * 5
    sums = tally(full(), 240)
    assert sums.total("full_time", "W/hall") == 240 - 24
    assert sums.total("units_received") == 9.0  # one for each customer
    assert sums.total("volume_time", "W/hall") == 240 * 10.0


def test_goods_from_outside_serve_the_order_that_made_room() -> None:
    """The order for eight got the five on the shelf; the five that came in after them stayed."""
    network = full(size=8, **ASKED)
    assert delivered(network, 40) == [(36.0, 8.0)]
    assert tally(network, 40).total("backorder_time") == 0.0
    assert tally(network, 40).total("shelf_orders_at_once") == 1


def test_a_walk_in_customer_makes_room_too() -> None:
    """The short way of serving a customer forgot to tell the storage area."""
    assert tally(full(), 48).total("units_received") == 1.0


def test_the_stock_is_counted_over_time() -> None:
    sums = tally(shelf({"holding_cost": 2}, {"size": 5}, product={"value": 3}), 48)
    # 10 until 12 h, 5 until 36 h, 0 after
    assert sums.total("on_hand_time") == 10 * 12 + 5 * 24
    assert sums.total("value_on_hand_time") == 3 * 240
    assert sums.total("holding_cost") == 2 * 240 / 24
    assert sums.total("stockout_time") == 12
    assert sums.total("shelf_time") == 48
    assert sums.total("units_issued") == 10


def test_a_shelf_with_nothing_but_a_rounding_error_is_empty() -> None:
    """Its stock-out had no beginning, and lasted minus infinity."""
    network = shelf({"on_hand": 0.7, "policy": "base_stock", "order_up_to": 0.7},
                    {"size": 0.1}, lane={"transit": "20d"})
    # Seven tenths have gone at 156 h, but for 3e-17; what comes at 492 h was waited for.
    assert tally(network, 500).total("stockout_time") == 500 - 156


def test_backorders_are_counted_over_time() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10, "backorder_cost": 1},
                    {**ASKED, "size": 16}, lane={"transit": "2d"})
    sums = tally(network, 96)
    assert sums.total("backorder_time") == 6 * 48
    assert sums.total("backorder_cost") == 12
    assert sums.total("customer_backlog_time") == 6 * 48


def test_expensive_orders_are_bought_at_receipt_and_paid_later() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10}, {"size": 4, "price": 9,
                                                                  "payment": "10d"},
                    supply={"price": 5, "order_cost": 8, "payment": "30d"}, product={"value": 6})
    sums = tally(network, 48)  # asked at 12 and 36 h; received at 36 h
    assert sums.total("ordering_cost") == 16
    assert sums.total("purchase_cost") == 20
    assert sums.total("payable_time") == 20 * 720
    assert sums.total("revenue") == 72
    assert sums.total("receivable_time") == 72 * 240
    assert sums.total("cost_of_sales") == 48
