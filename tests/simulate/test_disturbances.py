"""Scenarios: demand, capacity, policies, sources, visibility; and how they compose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulate.chains import delivered, ordered, scenario, shelf, tally
from twin.scenario import Scenario, ScenarioError


def orders(network: Any, hours: float, what: Scenario) -> list[float]:
    """When customers asked."""
    return [time for time, _ in delivered(network, hours, what)]


DAILY = shelf({"on_hand": 1000})


def test_twice_the_demand() -> None:
    twice = scenario(type="demand", factor=2, start="42h", duration="30h")
    # The gap under way at 42 h has 18 h left, then 9; gaps of 12 h until 72 h, when 3 h are gone.
    assert orders(DAILY, 120, twice) == [12.0, 36.0, 51.0, 63.0, 78.0, 102.0]


def test_no_demand_for_a_while() -> None:
    """The next order came all the same, and after it none ever again."""
    none = scenario(type="demand", factor=0, start="13h", duration="48h")
    assert orders(DAILY, 150, none) == [12.0, 84.0, 108.0, 132.0]


def test_the_rate_counts_from_the_first_gap_on() -> None:
    network = shelf({"on_hand": 1000}, {"start": None})
    twice = scenario(type="demand", factor=2)
    assert orders(network, 40, twice) == [12.0, 24.0, 36.0]


def test_an_order_beyond_the_end_of_a_stream_is_brought_forward() -> None:
    """A stream whose next order lay beyond its end could not be quickened any more."""
    network = shelf({"on_hand": 1000}, {"end": "48h"})
    quick = scenario(type="demand", factor=12, start="40h")
    assert orders(network, 96, quick) == [12.0, 36.0, pytest.approx(40 + 20 / 12),
                                          pytest.approx(43 + 2 / 3), pytest.approx(45 + 2 / 3),
                                          pytest.approx(47 + 2 / 3)]


def test_regions_products_and_streams_are_addressed_by_name() -> None:
    network = shelf({"on_hand": 1000}).replace(demand=[
        {"site": "W", "product": "A", "stream": stream, "region": region, "interarrival": "1d",
         "start": "12h"} for stream, region in (("a", "north"), ("b", "south"))])
    north = scenario(type="demand", regions="nor*", factor=4)
    sums = tally(network, 240, north)
    assert (sums.total("orders", stream="a"), sums.total("orders", stream="b")) == (38, 10)
    with pytest.raises(ScenarioError, match="addresses nothing"):
        tally(network, 24, scenario(type="demand", regions="east", factor=4))


def both(*events: dict[str, Any]) -> Scenario:
    """A scenario of several events."""
    return Scenario(name="both", events={f"e{n}": event for n, event in enumerate(events)})


def test_factors_of_several_events_are_multiplied_in_any_order() -> None:
    first = {"type": "demand", "factor": 2, "start": "0h", "duration": "240h"}
    second = {"type": "demand", "factor": 3, "start": "120h"}
    for what in (both(first, second), both(second, first)):
        assert tally(DAILY, 360, what).total("orders") == 9 + 30 + 15


def test_other_reorder_points() -> None:
    network = shelf({"policy": "s_S", "reorder_point": 4, "order_up_to": 10})
    more = scenario(type="policy", sites="W", reorder_point_factor=2, start="30h",
                    duration="10h")
    # At 30 h the position of 9 is above 8; at 36 h it is 8: order 2.
    assert ordered(network, 48, what=more) == [(36.0, 2.0)]
    at_once = scenario(type="policy", sites="W", reorder_point=9, order_up_to=20, start="30h")
    assert ordered(network, 31, what=at_once) == [(30.0, 11.0)]


def test_two_changes_of_policy_overlap() -> None:
    """The end of one ended the other as well."""
    network = shelf({"policy": "base_stock", "order_up_to": 10})
    what = both({"type": "policy", "order_up_to_factor": 2, "start": "1h", "duration": "48h"},
                {"type": "policy", "order_up_to_factor": 3, "start": "2h", "duration": "70h"})
    found = ordered(network, 100, what=what)
    assert found[:2] == [(1.0, 10.0), (2.0, 40.0)]
    # From 49 h the level is 30, from 72 h it is 10: nothing for twenty days.
    assert found[2:] == [(12.0, 1.0), (36.0, 1.0)]


def test_an_alternate_source() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10}).replace(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "X", "kind": "supplier"},
               {"site": "W", "kind": "warehouse"}],
        supply=[{"site": s, "product": "A"} for s in "SX"],
        lanes=[{"origin": s, "destination": "W", "transit": t} for s, t in (("S", "1d"),
                                                                             ("X", "5d"))])
    for source, units in (("other", (2, 1)), ("X", (2, 1)), ("fastest", (3, 0))):
        what = scenario(type="alternate_source", sites="W", source=source, start="20h",
                        duration="24h")
        sums = tally(network, 72, what)
        assert (sums.total("supply_orders", "S"), sums.total("supply_orders", "X")) == units


def test_a_smaller_warehouse() -> None:
    network = shelf({"on_hand": 2}, {"start": "100d"}, product={"volume_m3": 1},
                    storage=[{"site": "W", "area": "hall", "capacity_m3": 10}],
                    orders=[{"order": "1", "site": "W", "product": "A", "quantity": 8,
                             "placed": "0h", "source": "S"}])
    small = scenario(type="capacity", storage="W/hall", factor=0.5, start="0h", duration="48h")
    samples = tally(network, 72, small, sample_every_h=12.0).samples["on_hand", "W", "A", ""]
    assert samples.tolist() == [2, 2, 5, 5, 10, 10]


def test_a_cold_store_that_warms_up() -> None:
    network = shelf({"on_hand": 6, "policy": "base_stock", "order_up_to": 6}, {"start": "100d"},
                    product={"min_c": 2, "max_c": 8},
                    storage=[{"site": "W", "area": "cold", "min_c": 2, "max_c": 8}])
    for hours, wasted in ((1.5, 0), (3, 6)):
        warm = scenario(type="refrigeration", areas="W/cold", start="5h", duration=f"{hours}h")
        sums = tally(network, 72, warm)
        assert sums.total("units_spoiled") == wasted
        assert sums.total("excursions", "W/cold") == 1
        assert sums.total("units_received") == wasted


def test_goods_that_come_into_a_warm_store_spoil_too() -> None:
    """Only what stood there two hours after the failure was thrown away."""
    network = shelf({"on_hand": 6, "policy": "base_stock", "order_up_to": 6}, {"start": "100d"},
                    product={"max_c": 8},
                    storage=[{"site": "W", "area": "cold", "min_c": 2, "max_c": 8}])
    warm = scenario(type="refrigeration", areas="W/cold", start="5h")
    assert tally(network, 72, warm).total("units_spoiled") == 6 * 3


# -- the record ----------------------------------------------------------------------------------

BASE = {"policy": "s_S", "reorder_point": 7, "order_up_to": 10}


def test_a_record_that_lags_orders_later() -> None:
    assert ordered(shelf(BASE), 100) == [(60.0, 3.0)]
    assert ordered(shelf(BASE, site={"record_delay": "30h"}), 100)[0] == (90.0, 3.0)


def test_batch_reporting_is_known_at_the_end_of_the_batch() -> None:
    batch = scenario(type="visibility", mode="batch_reporting", delay="48h")
    assert ordered(shelf(BASE), 100, what=batch) == [(96.0, 4.0)]


def test_a_lost_record_is_trued_up_when_it_comes_back() -> None:
    lost = scenario(type="visibility", mode="lost_visibility", start="20h", duration="100h")
    assert ordered(shelf(BASE), 200, what=lost)[0] == (120.0, 5.0)


def test_a_count_closes_the_gap() -> None:
    network = shelf(BASE, site={"record_delay": "1000h", "count_period": "50h"})
    assert ordered(network, 120) == [(100.0, 4.0)]


def test_a_record_that_errs_is_never_right_for_long() -> None:
    network = shelf({**BASE, "on_hand": 10}, site={"record_error": "uniform(low=0.1, high=0.3)"})
    sums = tally(network, 2400)
    assert sums.total("record_gap_time") > 0
    counted = shelf({**BASE, "on_hand": 10}, site={"record_error": "uniform(low=0.1, high=0.3)",
                                                   "count_period": "1d"})
    assert tally(counted, 2400).total("record_gap_time") < sums.total("record_gap_time")


def test_the_same_site_may_err_by_itself_and_in_a_scenario() -> None:
    """One stream of luck was asked for two laws, and refused."""
    network = shelf(BASE, site={"record_error": "normal(mean=0, sd=0.01)"})
    what = both(
        {"type": "visibility", "mode": "batch_reporting", "error": 0.05, "duration": "20d"},
        {"type": "visibility", "mode": "batch_reporting", "error": 0.1, "start": "10d",
         "duration": "20d"})
    assert tally(network, 2400, what).total("orders") == 100


def test_seeing_everything_at_once_is_the_thing_itself() -> None:
    network = shelf(BASE, {"interarrival": "exponential(mean=1d)"})
    real = scenario(type="visibility", mode="real_time")
    late = shelf(BASE, {"interarrival": "exponential(mean=1d)"}, site={
        "record_delay": "36h", "record_error": "normal(mean=0, sd=0.1)"})
    assert ordered(late, 2400, what=real) == ordered(network, 2400)
    assert ordered(late, 2400) != ordered(network, 2400)
