"""Lanes with a carrier: time tables, closures, delays, docks, hands, damage and papers."""

from __future__ import annotations

import pytest

from tests.simulate.chains import delivered, events, road, scenario, shelf, tally

ONCE = {"interarrival": "30d"}


def test_information_lead_time_and_transit() -> None:
    assert delivered(road({"order_delay": "6h"}), 72) == [(42.0, 1.0), (66.0, 1.0)]


def test_a_time_table_takes_all_that_waits() -> None:
    network = road({"departures": "3d", "transit": "5h", "cost_per_shipment": 10})
    assert delivered(network, 90) == [(77.0, 1.0)] * 3
    sums = tally(network, 90)
    assert (sums.total("shipments"), sums.total("transport_cost")) == (1, 10)
    assert sums.total("wait_to_depart") == 60 + 36 + 12


def test_goods_ready_at_the_departure_leave_with_it() -> None:
    """A departure a rounding error before the goods were ready set the clock back."""
    network = road({"departures": "0.1h", "transit": "1h"}, {"start": "0.3h"})
    [(time, _), *_] = delivered(network, 3)
    assert time == pytest.approx(1.3)
    assert time >= 1.3


def test_shipments_overtake() -> None:
    network = road({"transit": "series(50h, 10h)"}, {"limit": 2})
    assert delivered(network, 96) == [(46.0, 1.0), (62.0, 1.0)]


def test_cost_weight_distance_and_co2e() -> None:
    network = road({"mode": "rail", "distance_km": 500, "cost_per_shipment": 7, "cost_per_kg": 2},
                   {"size": 4000, **ONCE},
                   emissions=[{"source": "rail", "per": "tkm", "direct": 0.02, "total": 0.03}])
    sums = tally(network, 72)
    assert sums.total("transport_cost") == 7 + 8000
    assert sums.total("weight_distance") == 2000
    assert (sums.total("co2e_direct"), sums.total("co2e_total")) == (40.0, 60.0)
    assert sums.total("in_transit_time") == 4000 * 24


def test_a_profile_stretches_the_time_by_the_hour_of_departure() -> None:
    network = road({"profile": "rush", "transit": "2h"},
                   profiles=[{"profile": "rush", "hour": 12, "factor": 1.5}])
    assert delivered(network, 24) == [(15.0, 1.0)]


def test_who_owns_the_goods_in_transit_bears_their_holding_cost() -> None:
    for owner, cost in (("destination", 2.0), ("none", 0.0)):
        network = shelf({"policy": "base_stock", "order_up_to": 10, "holding_cost": 2},
                        {**ONCE, "size": 10}, lane={"owner": owner})
        assert tally(network, 36).total("holding_cost", "W") == pytest.approx(
            2 * 10 * 12 / 24 + cost * 10)


# -- closures and delays -------------------------------------------------------------------------


def test_nothing_leaves_a_closed_lane() -> None:
    closed = scenario(type="closure", lanes="S:C:*", start="0h", duration="20h")
    assert delivered(road(), 60, closed) == [(44.0, 1.0)]


def test_goods_that_come_to_a_closed_place_wait_for_its_opening() -> None:
    closed = scenario(type="closure", sites="C", start="13h", duration="40h")
    assert delivered(road(demand={"limit": 1}), 96, closed) == [(53.0, 1.0)]
    assert tally(road(demand={"limit": 1}), 96, closed).total("transit_time") == 41


def test_a_closed_port_on_the_way() -> None:
    network = road({"via": "P"}, {"limit": 2}, sites=[
        {"site": "S", "kind": "supplier"}, {"site": "P", "kind": "port"},
        {"site": "C", "kind": "customer"}])
    closed = scenario(type="closure", sites="P", start="13h", duration="40h")
    assert delivered(network, 96, closed) == [(53.0, 1.0), (77.0, 1.0)]


def test_two_closures_overlap() -> None:
    twice = scenario(type="closure", lanes="S:*", start="10h", duration="10h")
    events_ = {**twice.events, "other": {"type": "closure", "lanes": "S:*", "start": "15h",
                                         "duration": "15h"}}
    both = type(twice)(name="both", events=events_)
    assert delivered(road(demand={"limit": 1}), 96, both) == [(54.0, 1.0)]


@pytest.mark.parametrize(("in_transit", "times"), [(True, [48.0, 72.0]), (False, [36.0, 72.0])])
def test_a_delay_of_goods_that_have_left_and_of_those_to_come(in_transit: bool,
                                                              times: list[float]) -> None:
    late = scenario(type="transit", origins="S", add="12h", start="20h", in_transit=in_transit)
    assert [time for time, _ in delivered(road(demand={"limit": 2}), 96, late)] == times


def test_a_slower_lane_stretches_what_is_left_of_the_way() -> None:
    slow = scenario(type="transit", origins="S", factor=2, start="24h", duration="18h")
    # Half of the first way is left at 24 h and takes twice as long; the second leaves at 36 h.
    assert delivered(road(demand={"limit": 3}), 120, slow) == [
        (48.0, 1.0), (84.0, 1.0), (84.0, 1.0)]


def test_expediting_is_quick_and_dear() -> None:
    network = road({"cost_per_shipment": 10}, {"limit": 2})
    quick = scenario(type="expedite", lanes="S:*", factor=0.25, cost_factor=3, start="20h")
    assert delivered(network, 96, quick) == [(36.0, 1.0), (42.0, 1.0)]
    sums = tally(network, 96, quick)
    assert (sums.total("transport_cost"), sums.total("expedite_cost")) == (20, 20)


# -- docks, hands, damage ------------------------------------------------------------------------


def test_one_door_serves_one_vehicle_at_a_time() -> None:
    network = road({"transit": "10h"}, {"interarrival": "1h", "limit": 3, "start": "0h"},
                   products=[{"product": "A", "volume_m3": 2}],
                   docks=[{"site": "C", "direction": "in", "time": "3h", "time_per_m3": "30min"}])
    assert delivered(network, 48) == [(14.0, 1.0), (18.0, 1.0), (22.0, 1.0)]
    sums = tally(network, 48)
    assert (sums.total("dock_wait"), sums.total("dock_visits")) == (3 + 6, 3)
    assert sums.total("dock_busy_time") == 12


def test_a_load_at_the_dock_does_not_leave_on_a_lane_that_was_closed_meanwhile() -> None:
    network = road({"transit": "1h"}, {"start": "0h", "limit": 1},
                   docks=[{"site": "S", "direction": "out", "time": "3h"}])
    closed = scenario(type="closure", lanes="S:*", start="2h", duration="10h")
    assert delivered(network, 48, closed) == [(16.0, 1.0)]


WINDOWS = {"start": "2026-01-05T00:00:00Z",
           "windows": [{"site": "C", "day": "mon-fri", "open": "08:00", "close": "11:00",
                        "service": "30min"},
                       {"site": "C", "day": "sat", "open": "09:00", "close": "10:00",
                        "service": "2h"}]}


def test_a_site_receives_within_its_windows() -> None:
    # Monday; what comes at noon waits for the next morning, and each stop takes its time.
    assert delivered(road(demand={"limit": 2}, **WINDOWS), 96) == [(56.5, 1.0), (80.5, 1.0)]
    # Within a window nothing waits, and a stop begun in time is served to its end.
    begun = road({"transit": "22h 50min"}, {"limit": 1}, **WINDOWS)
    assert delivered(begun, 96) == [(pytest.approx(24 + 10 + 50 / 60 + 0.5), 1.0)]
    last = road({"transit": "23h"}, {"limit": 1}, **WINDOWS)
    assert delivered(last, 96) == [(35.5, 1.0)]
    late = road({"transit": "23h 1min"}, {"limit": 1}, **WINDOWS)
    assert delivered(late, 96) == [(56.5, 1.0)]
    # Friday's noon is too late for Friday; Saturday's stop takes longer.
    friday = road(demand={"limit": 1, "start": f"{3 * 24 + 12}h"}, **WINDOWS)
    assert delivered(friday, 240) == [(5 * 24 + 9 + 2.0, 1.0)]
    assert tally(friday, 240).total("dock_wait") == 21.0


def test_behind_a_window_stands_a_door() -> None:
    network = road({"transit": "10h"}, {"interarrival": "1h", "limit": 3, "start": "0h"},
                   docks=[{"site": "C", "direction": "both", "time": "1h"}], **WINDOWS)
    # 10:00 and 11:00 are in time, 12:00 waits for Tuesday; the door is held for the stop too.
    assert delivered(network, 48) == [(11.5, 1.0), (13.0, 1.0), (33.5, 1.0)]
    assert tally(network, 48).total("dock_visits") == 3
    assert tally(network, 48).total("dock_wait") == 0.5 + 20.0


def test_handling_takes_time_at_both_ends() -> None:
    network = road(sites=[{"site": "S", "kind": "supplier", "handling_time": "2h"},
                          {"site": "C", "kind": "customer", "handling_time": "3h"}],
                   demand={"limit": 1})
    assert delivered(network, 96) == [(12 + 2 + 24 + 3.0, 1.0)]
    assert tally(network, 96).total("wait_to_depart") == 0.0


def test_damaged_units_are_refused_and_ordered_again() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 100, "on_hand": 100},
                    {"size": 40, **ONCE}, lane={"damage": 0.25}, product={"value": 3})
    sums = tally(network, 240)
    assert sums.total("units_received") == 40
    assert sums.total("units_damaged") >= 10
    assert sums.total("waste_cost") == 3 * sums.total("units_damaged")
    rows = events(network, 240, "ordering", columns="time quantity role")
    assert rows[:2] == [(12.0, 40.0, ""), (36.0, 10.0, "")]


def test_damage_is_whole_units_and_in_the_mean_the_share() -> None:
    network = road({"damage": 0.1}, {"interarrival": "1h", "size": 3})
    sums = tally(network, 20_000)
    share = sums.total("units_damaged") / sums.total("units_arrived")
    assert share == pytest.approx(0.1, abs=0.01)
    assert sums.total("units_damaged") == int(sums.total("units_damaged"))


def test_wrong_documents_spoil_the_perfect_order_only() -> None:
    sums = tally(road({"wrong_documents": 1.0}, {"promise": "2d"}), 96)
    assert (sums.total("orders_otif"), sums.total("orders_perfect")) == (3, 0)
