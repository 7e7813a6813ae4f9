"""Orders of several products: how often each line, when they leave, and how they are scored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulate.chains import BASELINE, events, scenario, tally
from twin.network import Network
from twin.simulate.play import play
from twin.state import State

DAY = 24.0
UP_TO = {"policy": "base_stock"}


def shop(a: dict[str, Any] | None = None, b: dict[str, Any] | None = None,
         line: dict[str, Any] | None = None, ask: dict[str, Any] | None = None,
         **tables: Any) -> Network:
    """Warehouse `W` with `A` and `B` a day from `S`, where an `A` and a `B` are asked at noon."""
    return Network(**{
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        "products": [{"product": "A", "value": 3}, {"product": "B", "value": 5}],
        "supply": [{"site": "S", "product": "A"}, {"site": "S", "product": "B"}],
        "lanes": [{"origin": "S", "destination": "W", "transit": "1d"}],
        "stock": [{"site": "W", "product": "A", "on_hand": 9, **(a or {})},
                  {"site": "W", "product": "B", "on_hand": 9, **(b or {})}],
        "demand": [{"site": "W", "product": "A", "interarrival": "1d", "start": "12h",
                    "price": 10, **(ask or {})}],
        "order_lines": [{"site": "W", "stream": "", "product": "B", "size": 1, **(line or {})}],
        **tables})


def test_an_order_is_counted_once_and_its_units_by_product() -> None:
    sums = tally(shop(line={"size": 2}, ask={"limit": 3}), 4 * DAY).sums
    for name in ("orders", "orders_delivered", "orders_at_once", "orders_otif", "orders_perfect"):
        assert [sums[key] for key in sums if key[0] == name] == [3.0], name
    assert (sums["units_ordered", "W", "A", ""], sums["units_ordered", "W", "B", ""]) == (3, 6)
    assert (sums["revenue", "W", "A", ""], sums["revenue", "W", "B", ""]) == (30, 30)


def test_the_price_of_a_line_is_that_of_the_demand_for_its_product() -> None:
    rows = [{"site": "W", "product": "A", "stream": "x", "interarrival": "1d", "limit": 1},
            {"site": "W", "product": "B", "interarrival": "99d", "price": 7}]
    network = shop(demand=rows, order_lines=[
        {"site": "W", "stream": "x", "product": "B", "size": 2}])
    assert tally(network, 3 * DAY).sums["revenue", "W", "B", "x"] == 14.0


def test_lines_go_separately_and_the_last_decides() -> None:
    """B comes a day later: A leaves at noon, B at noon of the next day, and the order is late."""
    network = shop(b={"on_hand": 0, **UP_TO, "order_up_to": 0}, ask={"limit": 1})
    assert events(network, 3 * DAY, "delivering", columns="time product") == [
        (12.0, "A"), (36.0, "B")]
    sums = tally(network, 3 * DAY).sums
    assert sums["cycle_time", "W", "A", ""] == 24.0
    assert ("orders_otif", "W", "A", "") not in sums
    assert sums["orders_in_full", "W", "A", ""] == 1.0


def test_a_complete_order_leaves_when_all_can() -> None:
    network = shop(b={"on_hand": 0, **UP_TO, "order_up_to": 0},
                   ask={"limit": 1, "complete": True})
    assert events(network, 3 * DAY, "delivering", columns="time product") == [
        (36.0, "A"), (36.0, "B")]


def test_who_comes_later_waits_behind_a_complete_order() -> None:
    rows = [{"site": "W", "product": "A", "stream": "x", "interarrival": "1d", "start": "12h",
             "limit": 1, "complete": True},
            {"site": "W", "product": "A", "stream": "y", "interarrival": "1d", "start": "20h",
             "limit": 1}]
    network = shop(b={"on_hand": 0, **UP_TO, "order_up_to": 0}, demand=rows, order_lines=[
            {"site": "W", "stream": "x", "product": "B", "size": 1}])
    assert events(network, 3 * DAY, "delivering", columns="time product") == [
        (36.0, "A"), (36.0, "B"), (36.0, "A")]


def test_a_complete_order_is_lost_as_a_whole() -> None:
    network = shop(b={"on_hand": 0}, ask={"limit": 1, "complete": True, "unmet": "lost",
                                             "lost_cost": 2})
    sums = tally(network, 3 * DAY).sums
    assert (sums["units_lost", "W", "A", ""], sums["units_lost", "W", "B", ""]) == (1, 1)
    assert (sums["orders_lost", "W", "A", ""], sums["orders_refused", "W", "A", ""]) == (1, 1)
    assert sums["lost_cost", "W", "A", ""] == 2.0
    apart = tally(shop(b={"on_hand": 0}, ask={"limit": 1, "unmet": "lost"}), 3 * DAY).sums
    assert ("units_lost", "W", "A", "") not in apart
    assert apart["orders_lost", "W", "A", ""] == 1.0
    assert ("orders_refused", "W", "A", "") not in apart


def test_complete_orders_climb_a_lane_to_where_all_stands() -> None:
    places = {"S": "supplier", "W": "warehouse", "C": "customer"}
    network = shop(
        b={"on_hand": 0, **UP_TO, "order_up_to": 0},
        sites=[{"site": site, "kind": kind} for site, kind in places.items()],
        lanes=[{"origin": "S", "destination": "W", "transit": "1d"},
               {"origin": "W", "destination": "C", "transit": "2h", "order_delay": "1h"}],
        demand=[{"site": "C", "product": "A", "interarrival": "1d", "start": "12h", "limit": 1,
                 "complete": True}],
        order_lines=[{"site": "C", "stream": "", "product": "B", "size": 1}])
    assert events(network, 3 * DAY, "delivering", columns="time product") == [
        (39.0, "A"), (39.0, "B")]


def test_fill_of_complete_orders_is_the_product_of_the_lines() -> None:
    """Two shelves that are full with chance 1/2 each: a quarter of the orders is served.

    A unit comes with chance 1/2 a day; not sold, it expires before the next can come.
    """
    fill = {"fill": "discrete(0:.5, 1:.5)"}
    review = {"on_hand": 0, "policy": "R_S", "order_up_to": 1, "review": "1d"}

    def network(**line: Any) -> Network:
        return shop(
            review, review, line, {"complete": True, "unmet": "lost"},
            products=[{"product": name, "shelf_life": "20h"} for name in "AB"],
            lanes=[{"origin": "S", "destination": "W", "transit": "1h"}],
            supply=[{"site": "S", "product": name, **fill} for name in "AB"])

    sums = tally(network(), 2000 * DAY)
    share = sums.total("orders_otif") / sums.total("orders")
    assert share == pytest.approx(0.25, abs=0.03)  # sd 0.0097
    some = tally(network(share=0.4), 2000 * DAY)
    assert some.total("orders_otif") / some.total("orders") == pytest.approx(
        0.5 * (1 - 0.4 * 0.5), abs=0.034)


def test_lines_leave_the_luck_of_the_main_line_alone() -> None:
    demand = {"interarrival": "exponential(mean=5h)", "size": "poisson(mean=3)", "start": None}
    network = shop({"on_hand": 9999}, {"on_hand": 9999}, {"share": 0.5}, demand)
    one, other, more = (
        [row for row in events(n, 20 * DAY, "delivering", columns="time quantity product")
         if row[2] == "A"]
        for n in (network, network.replace(order_lines=[]),
                  shop({"on_hand": 9999}, {"on_hand": 9999}, {"size": 7}, demand)))
    assert one == other == more


def test_more_demand_is_more_lines() -> None:
    network = shop({"on_hand": 500}, {"on_hand": 500})
    factor = scenario(type="demand", factor=2, start="0d")
    assert tally(network, 30 * DAY, factor).total("units_delivered", "W", "B") == 59


@pytest.mark.parametrize("complete", [True, False])
def test_a_saved_run_goes_on_with_open_lines(complete: bool) -> None:
    network = shop({"on_hand": 8, **UP_TO, "order_up_to": 8}, {"on_hand": 4, **UP_TO,
                                                               "order_up_to": 4},
                   {"size": 3}, {"interarrival": "7h", "size": 2, "complete": complete,
                                 "partial": False},
                   lanes=[{"origin": "S", "destination": "W", "transit": "31h"}])
    at, end = 10.2 * DAY, 30 * DAY
    whole = play(network, BASELINE, horizon_h=end, warmup_h=at, save_at=at)
    assert whole.state is not None
    document = json.loads(json.dumps(whole.state.document()))
    state = State.from_document(document)
    assert len(state.actors["customer W/A/"]["wholes"]) > 1
    rest = play(network, BASELINE, horizon_h=end - at, state=state)
    assert rest.tally.sums == pytest.approx(whole.tally.sums)
