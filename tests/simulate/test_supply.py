"""Suppliers: capacity, prices, short deliveries, stops; and where orders are sent."""

from __future__ import annotations

import pytest

from tests.simulate.chains import delivered, events, ordered, road, scenario, shelf, tally
from twin.network import Network

ONCE = {"interarrival": "30d", "start": "0h"}


def test_capacity_makes_one_order_after_another() -> None:
    network = road({"transit": "0h"}, {"size": 6, "interarrival": "1h", "start": "0h",
                                       "limit": 3},
                   supply=[{"site": "S", "product": "A", "capacity_per_day": 24,
                            "lead_time": "2h"}])
    assert delivered(network, 48) == [(8.0, 6.0), (14.0, 6.0), (20.0, 6.0)]
    assert tally(network, 48).total("supply_time") == 8 + 13 + 18


def test_lead_times_run_side_by_side() -> None:
    network = road({"transit": "0h"}, {"interarrival": "1h", "start": "0h", "limit": 2},
                   supply=[{"site": "S", "product": "A", "lead_time": "5h"}])
    assert delivered(network, 48) == [(5.0, 1.0), (6.0, 1.0)]


def test_a_price_break_holds_for_the_whole_order() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10}, {"size": "series(4, 6, 1)"},
                    supply={"price": 5},
                    prices=[{"site": "S", "product": "A", "from_quantity": 5, "price": 3}])
    assert tally(network, 72).total("purchase_cost") == 4 * 5 + 6 * 3


def test_amounts_in_another_currency() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10},
                    {"size": 4, "price": 10, "currency": "GBP"},
                    supply={"price": 5, "order_cost": 7, "currency": "GBP"},
                    fx=[{"currency": "GBP", "rate": 0.5}])
    sums = tally(network, 40)
    assert [sums.total(name) for name in ("purchase_cost", "ordering_cost", "revenue")] == [
        10.0, 7.0, 40.0]


def test_a_short_delivery_is_ordered_again_by_the_position() -> None:
    network = shelf({"policy": "s_S", "reorder_point": 7, "order_up_to": 11}, {"size": 4, **ONCE},
                    supply={"fill": "series(.5, 1)", "lead_time": "6h"})
    # 11 - 6 = 5 are asked for; half of them come; 8.5 is above the point, so nothing follows.
    assert ordered(network, 240) == [(0.0, 5.0)]
    short = shelf({"policy": "base_stock", "order_up_to": 10}, {"size": 4, **ONCE},
                  supply={"fill": "series(.5, 1)", "lead_time": "6h"})
    assert ordered(short, 240) == [(0.0, 4.0), (6.0, 2.0)]
    sums = tally(short, 240)
    assert (sums.total("units_short"), sums.total("units_received")) == (2.0, 4.0)
    assert sums.total("on_order_time") == 4 * 6 + 2 * 24 + 2 * 30


def test_a_supplier_that_delivers_nothing_at_once_is_not_asked_for_ever() -> None:
    """Short at the instant of the order, it was ordered again at the same instant, without end."""
    network = shelf({"policy": "base_stock", "order_up_to": 10}, supply={"fill": 0})
    assert len(ordered(network, 72)) == 3


def test_a_customer_of_a_short_supplier_loses_the_rest() -> None:
    network = road({}, {"size": 8, **ONCE}, supply=[{"site": "S", "product": "A", "fill": 0.75}])
    sums = tally(network, 72)
    assert (sums.total("units_delivered"), sums.total("units_lost")) == (6.0, 2.0)
    assert sums.total("orders_in_full") == 0


def test_an_outage_lets_work_stand_still_and_orders_wait() -> None:
    """What was in preparation came out of a supplier that made nothing ready."""
    network = road({"transit": "0h"}, {"interarrival": "4h", "start": "0h", "limit": 3},
                   supply=[{"site": "S", "product": "A", "lead_time": "5h"}])
    outage = scenario(type="outage", suppliers="S", start="3h", duration="10h")
    assert delivered(network, 48, outage) == [(15.0, 1.0), (18.0, 1.0), (18.0, 1.0)]


def test_half_the_capacity_from_the_middle_of_an_order() -> None:
    network = road({"transit": "0h"}, {"size": 12, **ONCE},
                   supply=[{"site": "S", "product": "A", "capacity_per_day": 24}])
    cut = scenario(type="capacity", sites="S", factor=0.5, start="6h", duration="4h")
    assert delivered(network, 48, cut) == [(14.0, 12.0)]
    none = scenario(type="capacity", sites="S", factor=0, start="6h", duration="4h")
    assert delivered(network, 48, none) == [(16.0, 12.0)]


def test_a_customer_who_buys_through_a_site_without_stock_pays_for_the_goods() -> None:
    """Purchases of goods that no shelf took in stood in no account."""
    network = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "H", "kind": "warehouse"},
               {"site": "C", "kind": "customer"}],
        products=[{"product": "A"}],
        supply=[{"site": "S", "product": "A", "price": 3, "order_cost": 2}],
        lanes=[{"origin": "S", "destination": "H", "transit": "1d"},
               {"origin": "H", "destination": "C", "transit": "2d"}],
        demand=[{"site": "C", "product": "A", "size": 5, "price": 4, **ONCE}])
    assert delivered(network, 96) == [(72.0, 5.0)]
    sums = tally(network, 96)
    assert sums.total("purchase_cost") == 15
    assert sums.total("ordering_cost") == 2
    assert sums.total("revenue") == 20


# -- sourcing ------------------------------------------------------------------------------------


def sources(rule: str, **tables: object) -> Network:
    """A warehouse between a near, dear supplier and a far, cheap one; a third has a shelf."""
    near, far, third = "near", "far", "third"
    return Network(
        sites=[{"site": near, "kind": "supplier"}, {"site": far, "kind": "supplier"},
               {"site": third, "kind": "warehouse"},
               {"site": "W", "kind": "warehouse", "sourcing": rule}],
        products=[{"product": "A"}],
        supply=[{"site": near, "product": "A", "price": 9}, {"site": far, "product": "A",
                                                             "price": 4}],
        lanes=[{"origin": far, "destination": "W", "transit": "9d", "share": 3},
               {"origin": near, "destination": "W", "transit": "2d", "share": 1},
               {"origin": third, "destination": "W", "transit": "1d", "share": 0}],
        stock=[{"site": third, "product": "A", "on_hand": 2},
               {"site": "W", "product": "A", "on_hand": 10, "policy": "base_stock",
                "order_up_to": 10}],
        demand=[{"site": "W", "product": "A", "interarrival": "1d", "start": "0h", "size": 2}],
        **tables)  # type: ignore[arg-type]


def asked(network: Network, days: int, **options: object) -> list[str]:
    """Whom W asked, day by day."""
    rows = events(network, 24 * days, "ordering", columns="site to_site", **options)
    return [to_site for site, to_site in rows if site == "W" and to_site]


@pytest.mark.parametrize(("rule", "expected"), [
    ("fixed", ["far"] * 4),
    ("fastest", ["third"] * 4),
    ("in_stock", ["far"] * 4),  # the first in the file that has enough
    ("split", ["far", "far", "near", "far"]),
])
def test_sourcing_rules(rule: str, expected: list[str]) -> None:
    assert asked(sources(rule), 4) == expected


def test_the_cheapest_source() -> None:
    """The price counts, and freight by weight."""
    dear = [{"origin": o, "destination": "W", "transit": "1d", "cost_per_kg": c}
            for o, c in (("far", 6), ("near", 0))]
    network = sources("cheapest").replace(lanes=dear)
    assert asked(network, 2) == ["far", "far"]
    heavy = network.replace(products=[{"product": "A", "weight_kg": 1}])
    assert asked(heavy, 2) == ["near", "near"]


def test_first_with_stock() -> None:
    network = sources("in_stock")
    lanes = sorted(network.lanes.values(), key=lambda lane: lane.origin != "third")
    assert asked(network.replace(lanes=lanes), 3) == ["third", "far", "far"]


def test_a_source_of_a_stock_row_is_a_site_or_a_rule() -> None:
    """A rule in `stock.source` found no source at all."""
    network = sources("fastest")
    stock = list(network.stock.values())
    for source, expected in (("near", "near"), ("cheapest", "third"), ("split", "far")):
        row = {"site": "W", "product": "A", "on_hand": 10, "policy": "base_stock",
               "order_up_to": 10, "source": source}
        assert asked(network.replace(stock=[stock[0], row]), 1) == [expected]


def test_a_closed_lane_is_gone_round() -> None:
    network = sources("fastest")
    closed = scenario(type="closure", lanes="third:W:*", start="0h", duration="36h")
    assert asked(network, 3, what=closed) == ["near", "near", "third"]


def test_a_shelf_does_not_order_from_those_whom_it_serves() -> None:
    """The lane back, on which trucks return, made the customer a source of its own supplier."""
    network = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"},
               {"site": "C", "kind": "customer"}],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "C", "destination": "W", "transit": "1h"},
               {"origin": "W", "destination": "C", "transit": "1h"},
               {"origin": "S", "destination": "W", "transit": "9d"}],
        stock=[{"site": "W", "product": "A", "on_hand": 10, "policy": "base_stock",
                "order_up_to": 10}],
        demand=[{"site": "C", "product": "A", "interarrival": "1d", "start": "0h"}])
    assert asked(network, 2) == ["S", "S"]


def test_sites_that_pass_orders_up_to_each_other_do_not_go_round_in_circles() -> None:
    network = Network(
        sites=[{"site": s, "kind": "supplier"} for s in ("S1", "S2")]
        + [{"site": h, "kind": "port"} for h in ("H1", "H2")],
        products=[{"product": "A"}],
        supply=[{"site": s, "product": "A", "lead_time": "1h"} for s in ("S1", "S2")],
        lanes=[{"origin": "H2", "destination": "H1", "transit": "1h"},
               {"origin": "H1", "destination": "H2", "transit": "1h"},
               {"origin": "S1", "destination": "H1", "transit": "9h"},
               {"origin": "S2", "destination": "H2", "transit": "9h"}],
        demand=[{"site": h, "product": "A", **ONCE} for h in ("H1", "H2")])
    assert delivered(network, 48) == [(10.0, 1.0), (10.0, 1.0)]
    shut = scenario(type="closure", lanes=["S1:*", "S2:*"], start="0h", duration="5h")
    # Only the lanes between the two are open; each goes up the one way that leads on.
    assert delivered(network, 48, shut) == [(15.0, 1.0), (15.0, 1.0)]
