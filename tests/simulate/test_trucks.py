"""Own fleets: finite trucks that fill up, queue at docks, burn fuel, and have to come back."""

from __future__ import annotations

import pytest

from tests.simulate.chains import delivered, events, road, scenario, tally
from twin.network import Network

ONCE = {"interarrival": "30d", "start": "0h"}


def fleet(demand: dict[str, object], truck: dict[str, object] | None = None,
          lane: dict[str, object] | None = None, **tables: object) -> Network:
    """Trucks of ten kilograms at the supplier's, an hour from the customer."""
    return road({"mode": "truck", "fleet": "S", "transit": "1h", **(lane or {})}, demand,
                trucks=[{"truck": "T", "home": "S", "capacity_kg": 10, **(truck or {})}],
                **tables)


def test_a_truck_comes_back_before_it_goes_again() -> None:
    network = fleet({"size": 25, **ONCE})
    assert delivered(network, 24) == [(1.0, 10.0), (3.0, 10.0), (5.0, 5.0)]
    sums = tally(network, 24)
    assert (sums.total("trips", "T"), sums.total("trip_time"), sums.total("truck_fill")) == (
        3, 6.0, 2.5)
    assert sums.total("truck_busy_time") == 6.0


def driven(crew: dict[str, object], hours: str, **truck: object) -> Network:
    """Ten kilograms, driven so many hours by a member of a crew."""
    return fleet({"size": 10, **ONCE}, {"crew": "drivers", **truck}, {"transit": hours},
                 crews=[{"crew": "drivers", **crew}],
                 calendars=[{"calendar": "day", "from": "05:00", "to": "08:00"}])


def test_who_has_driven_long_enough_takes_a_break() -> None:
    breaks = {"drive_max": "4h", "break": "45min"}
    assert delivered(driven(breaks, "4h"), 48) == [(4.0, 10.0)]
    assert delivered(driven(breaks, "10h"), 48) == [(11.5, 10.0)]
    # The way back begins with the two hours since the last break: there and back takes four.
    assert tally(driven(breaks, "10h"), 48).total("trip_time") == 20 + 4 * 0.75
    # Nine hours and two breaks end the day; the tenth hour is the next day's first.
    day = {**breaks, "day_max": "9h"}
    assert delivered(driven(day, "9h"), 48) == [(10.5, 10.0)]
    assert delivered(driven(day, "10h"), 48) == [(25.0, 10.0)]


def test_a_long_stop_is_a_break() -> None:
    breaks = {"drive_max": "4h", "break": "45min"}
    for minutes, back in ((40, 3 + 40 / 60 + 1 + 0.75 + 2), (45, 3 + 0.75 + 3)):
        network = driven(breaks, "3h").replace(
            docks=[{"site": "C", "direction": "in", "time": f"{minutes}min"}])
        assert tally(network, 48).total("trip_time") == pytest.approx(back)


def test_trucks_wait_for_drivers_and_drivers_finish_their_trip() -> None:
    one = driven({"size": 1, "cost_per_hour": 7}, "2h", units=2).replace(demand=[
        {"site": "C", "product": "A", "size": 30, **ONCE}])
    assert delivered(one, 48) == [(2.0, 10.0), (6.0, 10.0), (10.0, 10.0)]
    sums = tally(one, 48)
    assert (sums.total("crew_busy_time"), sums.total("crew_cost")) == (12.0, 84.0)
    duty = driven({"size": 1, "calendar": "day"}, "2h").replace(
        demand=[{"site": "C", "product": "A", "size": 20, **ONCE}])
    # The trip that began at five is driven to its end; the next starts on the next morning.
    assert delivered(duty, 48) == [(7.0, 10.0), (24 + 7.0, 10.0)]


def test_two_trucks() -> None:
    network = fleet({"size": 25, **ONCE}, {"units": 2})
    assert delivered(network, 24) == [(1.0, 20.0), (3.0, 5.0)]


def test_what_is_bulky_fills_a_truck_by_its_volume() -> None:
    network = fleet({"size": 7, **ONCE}, {"capacity_m3": 8},
                    products=[{"product": "A", "weight_kg": 1, "volume_m3": 2}])
    assert delivered(network, 24) == [(1.0, 4.0), (3.0, 3.0)]


def test_orders_of_several_customers_travel_together() -> None:
    network = fleet({**ONCE}).replace(demand=[
        {"site": "C", "product": "A", "stream": str(n), "size": 3, "interarrival": "30d",
         "start": "0h"} for n in range(4)])
    assert delivered(network, 24) == [(1.0, 3.0), (1.0, 3.0), (1.0, 3.0), (1.0, 1.0), (3.0, 2.0)]
    assert tally(network, 24).total("shipments") == 2


def test_a_truck_waits_until_it_is_full_enough() -> None:
    hourly = {"interarrival": "1h", "start": "0h", "limit": 4}
    network = fleet(hourly, lane={"min_load": 0.4})
    assert delivered(network, 24) == [(4.0, 1.0)] * 4
    assert tally(network, 24).total("wait_to_depart") == 3 + 2 + 1


def test_but_no_longer_than_it_may() -> None:
    network = fleet({"interarrival": "1h", "start": "0h", "limit": 3},
                    lane={"min_load": 0.8, "max_wait": "5h"})
    assert delivered(network, 24) == [(6.0, 1.0)] * 3


def test_the_way_back_by_the_reverse_row() -> None:
    network = fleet({"size": 20, **ONCE})
    lanes = [*network.lanes.values(), {"origin": "C", "destination": "S", "mode": "truck",
                                       "fleet": "S", "transit": "3h"}]
    assert delivered(network.replace(lanes=lanes), 24) == [(1.0, 10.0), (5.0, 10.0)]


def test_by_distance_and_speed() -> None:
    network = fleet({"size": 20, **ONCE}, {"speed_kmh": 50, "cost_per_km": 2, "cost_per_hour": 5},
                    lane={"transit": None, "distance_km": 100, "cost_per_shipment": 7})
    assert delivered(network, 24) == [(2.0, 10.0), (6.0, 10.0)]
    sums = tally(network, 24)
    assert sums.total("distance") == 400
    assert sums.total("transport_cost") == 800 + 8 * 5 + 2 * 7


def test_a_truck_without_a_limit_pays_for_its_load_too() -> None:
    """A load that was no share of any capacity counted as no load."""
    network = fleet({"size": 20, **ONCE}, {"capacity_kg": None},
                    lane={"cost_per_shipment": 7, "distance_km": 100})
    sums = tally(network, 24)
    assert (sums.total("transport_cost"), sums.total("weight_distance")) == (7.0, 2.0)


def test_fuel_and_co2e_by_how_full_it_is() -> None:
    network = fleet({"size": 5, **ONCE}, {"fuel": "diesel",
                                          "fuel_l_per_100km": "by_load(20, 30, 50)"},
                    lane={"distance_km": 200},
                    emissions=[{"source": "diesel", "per": "l", "direct": 2.5, "total": 3}])
    sums = tally(network, 24)
    assert sums.total("fuel") == 60 + 40  # half full, then empty
    assert sums.total("co2e_direct") == 250


def test_a_truck_fetches_loads_elsewhere_and_goes_home() -> None:
    """It was back at the origin of its load, and yet it set out from home the next time."""
    network = Network(
        sites=[{"site": "H", "kind": "plant", "latitude": 0, "longitude": 0},
               {"site": "S", "kind": "supplier", "latitude": 0, "longitude": 1},
               {"site": "C", "kind": "customer", "latitude": 0, "longitude": 2}],
        products=[{"product": "A", "weight_kg": 1}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "C", "mode": "truck", "fleet": "H",
                "transit": "4h", "distance_km": 100}],
        trucks=[{"truck": "T", "home": "H", "capacity_kg": 10, "speed_kmh": 111.19492664455873}],
        demand=[{"site": "C", "product": "A", "size": 20, **ONCE}])
    times = [time for time, _ in delivered(network, 48)]
    assert times == pytest.approx([5.0, 15.0])
    assert tally(network, 48).total("trip_time") == pytest.approx(20.0)


def test_docks_at_both_ends() -> None:
    network = fleet({"size": 20, **ONCE}, {"units": 2}, docks=[
        {"site": "S", "direction": "out", "time": "30min"},
        {"site": "C", "direction": "in", "time": "2h"}])
    assert delivered(network, 24) == [(3.5, 10.0), (5.5, 10.0)]
    sums = tally(network, 24)
    assert sums.total("dock_wait", "S/out") == 0.5
    assert sums.total("dock_wait", "C/in") == 1.5


def stored(**lane: object) -> Network:
    """A shelf with room for ten; a truck brings twenty and then ten, one goes out every 5 h."""
    return Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "A", "weight_kg": 1, "volume_m3": 1}],
        supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "W", "mode": "truck", "fleet": "S",
                "transit": "1h", **lane}],
        trucks=[{"truck": "T", "home": "S", "capacity_kg": 11}],
        storage=[{"site": "W", "area": "hall", "capacity_m3": 10}],
        stock=[{"site": "W", "product": "A", "on_hand": 0}],
        docks=[{"site": "W", "direction": "in", "time": "1h"}],
        orders=[{"order": "1", "site": "W", "product": "A", "quantity": 33, "placed": "0h",
                 "source": "S"}],
        demand=[{"site": "W", "product": "A", "interarrival": "5h", "start": "5h", "size": 1}])


def test_a_full_warehouse_keeps_the_truck() -> None:
    """Woken because there was room, a truck that still stood in the queue skipped the dock."""
    arrivals = events(stored(), 60, "arriving")
    # The first load leaves one unit outside until 5 h; the second waits for nothing then.
    assert arrivals == [(2.0, 11.0), (5.0, 11.0), (55.0 + 5.0, 11.0)][:2]
    third = events(stored(), 120, "arriving")[2]
    assert third[0] > 50.0
    assert tally(stored(), 40).total("units_received") == 10 + 7


def test_refrigerated_lanes_need_refrigerated_trucks() -> None:
    trucks = [{"truck": "warm", "home": "S"}, {"truck": "cold", "home": "S",
                                               "refrigerated": True}]
    lanes = [{"origin": "S", "destination": "C", "mode": "truck", "fleet": "S", "transit": "1h",
              "refrigerated": True}]
    network = fleet({**ONCE, "size": 3}).replace(trucks=trucks, lanes=lanes)
    sums = tally(network, 24)
    assert (sums.total("trips", "warm"), sums.total("trips", "cold")) == (0, 1)


def cold(hours: float) -> Network:
    """Vaccine and salt, so many hours in one cold truck."""
    lane = {"refrigerated": True, "transit": f"{hours}h"}
    return fleet({}, {"refrigerated": True}, lane).replace(
        products=[{"product": "A", "weight_kg": 1, "max_c": 8, "value": 5},
                  {"product": "salt", "weight_kg": 1}],
        supply=[{"site": "S", "product": p} for p in ("A", "salt")],
        demand=[{"site": "C", "product": p, "size": 3, **ONCE} for p in ("A", "salt")])


@pytest.mark.parametrize(("hours", "start", "duration", "wasted"), [
    (6, 1, 4, 3.0), (6, 1, 1.5, 0.0), (6, 5, 9, 0.0), (6, 3.9, None, 3.0), (1.5, 0, None, 0.0),
])
def test_a_load_that_was_too_long_too_warm_is_refused(hours: float, start: float,
                                                      duration: float | None,
                                                      wasted: float) -> None:
    """A failure that lasted spoiled nothing, and one that ended spoiled the salt as well."""
    warm = scenario(type="refrigeration", trucks="T", start=start, duration=duration)
    sums = tally(cold(hours), 24, warm)
    assert sums.total("units_spoiled", "C", "A") == wasted
    assert sums.total("waste_cost") == 5 * wasted
    assert sums.total("units_lost") == wasted
    assert sums.total("units_delivered", product="salt") == 3.0


def test_a_breakdown_stops_a_truck_on_the_road() -> None:
    network = fleet({"size": 10, **ONCE}, lane={"transit": "10h"}, failures=[
        {"asset": "T", "time_to_failure": "series(4h, 90h, 90h)", "time_to_repair": "5h"}])
    assert delivered(network, 48) == [(15.0, 10.0)]
    elapsed = network.replace(failures=[
        {"asset": "T", "clock": "elapsed", "time_to_failure": "series(4h, 90h, 90h)",
         "time_to_repair": "5h"}])
    assert delivered(elapsed, 48) == [(15.0, 10.0)]


def test_fuel_that_costs_twice_as_much() -> None:
    network = fleet({"size": 10, **ONCE}, {"cost_per_km": 1, "fuel": "diesel"},
                    {"distance_km": 100, "transit": "2h"},
                    emissions=[{"source": "diesel", "per": "l", "direct": 0, "total": 0}])
    dear = scenario(type="fuel_price", fuels="diesel", factor=2, start="1h")
    assert tally(network, 24, dear).total("transport_cost") == 100 + 200


def test_extra_trucks_for_some_hours() -> None:
    """They stood in the account of their fleet and once more in one of their own."""
    network = fleet({"size": 60, **ONCE}, lane={"transit": "2h"})
    more = scenario(type="extra_trucks", home="S", units=1, start="3h", duration="2h")
    assert delivered(network, 48, more)[:4] == [(2.0, 10.0), (5.0, 10.0), (6.0, 10.0),
                                                (10.0, 10.0)]
    sums = tally(network, 48, more)
    assert sums.total("trips") == 6
    assert sums.total("truck_fill") == 6.0


def test_a_delay_on_the_road_takes_in_trucks_under_way() -> None:
    network = fleet({"size": 10, **ONCE}, lane={"transit": "4h"})
    slow = scenario(type="transit", origins="S", factor=2, start="2h", duration="1h")
    assert delivered(network, 24, slow) == [(6.0, 10.0)]


def test_a_closed_lane_keeps_the_truck_at_home_and_a_closed_customer_at_the_gate() -> None:
    network = fleet({"size": 10, **ONCE}, lane={"transit": "4h"})
    out = scenario(type="closure", lanes="S:*", start="0h", duration="5h")
    assert delivered(network, 24, out) == [(9.0, 10.0)]
    gate = scenario(type="closure", sites="C", start="1h", duration="5h")
    assert delivered(network, 24, gate) == [(6.0, 10.0)]
