"""Which rows of a ledger make which observation: small worlds, exact numbers."""

from __future__ import annotations

import numpy as np
import pytest

from twin.calibrate.evidence import Evidence
from twin.calibrate.likelihood import CENSORED, EXACT, RENEWING
from twin.calibrate.observations import OBSERVERS
from twin.calibrate.timeline import Timeline
from twin.ledger import Ledger
from twin.network import Network


def chain(**tables):
    """A supplier, a plant, a warehouse and a shop."""
    rows = {
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "P", "kind": "plant"},
                  {"site": "W", "kind": "warehouse"}, {"site": "C", "kind": "customer"}],
        "products": [{"product": "tea", "volume_m3": 0.1}],
        "supply": [{"site": "S", "product": "tea", "lead_time": "1d"}],
        "lanes": [{"origin": "S", "destination": "W", "mode": "sea", "transit": "5d"},
                  {"origin": "W", "destination": "C", "mode": "road", "transit": "1d"}],
        "stock": [{"site": "W", "product": "tea", "policy": "base_stock", "order_up_to": 9}],
        "demand": [{"site": "C", "product": "tea", "interarrival": "8h"}],
    }
    return Network(**{**rows, **tables})


PLANT = {
    "routings": [{"site": "P", "product": "tea", "step": 10, "group": "g", "process_time": "2h",
                  "per": "lot", "yield": "0.9", "setup_time": "1h"},
                 {"site": "P", "product": "tea", "step": 20, "process_time": "3h",
                  "per": "lot"}],
    "machines": [{"machine": "M", "site": "P", "group": "g", "speed": 2.0}],
}


def watched(network, *rows, now=100.0, **others):
    """Evidence of rows (time, event, columns)."""
    ledger = Ledger()
    for time, event, columns in rows:
        ledger.add(time, event, **columns)
    return Evidence(network, ledger.frame(), now, **others)


def seen(name, evidence):
    """Cell -> (values, states), in order of time."""
    found = {}
    for cell, batch in OBSERVERS[name](evidence):
        order = np.argsort(batch.at, kind="stable")
        found[str(cell)] = (batch.value[order].round(6).tolist(), batch.state[order].tolist())
    return found


def ship(time, event, number, **others):
    site = {"departing": {"site": "S", "to_site": "W"}, "arriving": {"site": "W"}}[event]
    return time, event, {"product": "tea", "quantity": 4.0, "order": number, "shipment": number,
                         "asset": "S:W:sea", **site, **others}


def test_transit_from_departing_to_arriving_and_what_is_under_way_is_censored():
    evidence = watched(chain(), ship(10.0, "departing", 1), ship(20.0, "departing", 2),
                       ship(25.0, "arriving", 1))
    assert seen("transits", evidence) == {
        "lanes[S,W,sea].transit": ([15.0, 80.0], [EXACT, CENSORED])}


def test_a_shipment_of_several_lots_counts_once():
    evidence = watched(chain(), ship(10.0, "departing", 1), ship(10.0, "departing", 1),
                       ship(25.0, "arriving", 1), ship(25.0, "arriving", 1))
    assert seen("transits", evidence)["lanes[S,W,sea].transit"] == ([15.0], [EXACT])


def test_the_gate_counts_and_without_one_the_dock_is_taken_off():
    docked = chain(docks=[{"site": "W", "direction": "in", "time": "2h", "time_per_m3": "1h"}])
    told = watched(docked, ship(10.0, "departing", 1), ship(22.0, "arriving", 1, role="gate"),
                   ship(26.0, "arriving", 1))
    assert seen("transits", told)["lanes[S,W,sea].transit"][0] == [12.0]
    untold = watched(docked, ship(10.0, "departing", 1), ship(25.0, "arriving", 1))
    assert seen("transits", untold)["lanes[S,W,sea].transit"][0] == [pytest.approx(12.6)]


def test_what_was_under_way_when_the_record_began_is_left_out():
    evidence = watched(chain(), ship(0.0, "departing", 1), ship(25.0, "arriving", 1))
    assert seen("transits", evidence) == {}


def order(time, number, site="W", **others):
    return time, "ordering", {"site": site, "product": "tea", "quantity": 10.0, "order": number,
                              **others}


def ready(time, number, quantity=10.0):
    return time, "commissioning", {"site": "S", "product": "tea", "quantity": quantity,
                                   "order": number, "lot": number}


def test_lead_time_ends_when_goods_are_ready_and_open_orders_are_censored():
    evidence = watched(chain(), order(10.0, 1, to_site="S"), order(30.0, 2, to_site="S"),
                       ready(50.0, 1))
    assert seen("lead_times", evidence)["supply[S,tea].lead_time"] == (
        [40.0, 70.0], [EXACT, CENSORED])


def test_lead_time_begins_after_the_queue_of_a_supplier_of_limited_capacity():
    """Ten units take 10 h: the second order waits for the first."""
    slow = chain(supply=[{"site": "S", "product": "tea", "lead_time": "1d",
                          "capacity_per_day": 24}])
    evidence = watched(slow, order(10.0, 1, to_site="S"), order(12.0, 2, to_site="S"),
                       ready(25.0, 1), ready(36.0, 2))
    assert seen("lead_times", evidence)["supply[S,tea].lead_time"][0] == [5.0, 6.0]


def test_hours_in_which_the_supplier_stands_still_do_not_count():
    evidence = watched(chain(), order(10.0, 1, to_site="S"),
                       (20.0, "failing", {"asset": "S", "cause": "frost"}),
                       (32.0, "repairing", {"asset": "S", "cause": "frost"}), ready(50.0, 1))
    assert seen("lead_times", evidence)["supply[S,tea].lead_time"][0] == [28.0]


def test_where_open_orders_are_unknown_the_fit_is_told_of_the_window():
    """An order that does not say who owes it: only a short lead time can have ended by now."""
    evidence = watched(chain(), order(60.0, 1, site="C", role="customer"), ready(90.0, 1),
                       order(95.0, 2, site="C", role="customer"))
    (_, batch), = OBSERVERS["lead_times"](evidence)
    assert batch.value.tolist() == [30.0]
    assert batch.limit.tolist() == [40.0]


def test_fill_is_units_ready_of_units_ordered():
    short = chain(supply=[{"site": "S", "product": "tea", "fill": "discrete(1:.5, .5:.5)"}])
    evidence = watched(short, order(1.0, 1, to_site="S"), order(2.0, 2, to_site="S"),
                       ready(5.0, 1, 10.0), ready(6.0, 2, 8.0))
    assert seen("fills", evidence)["supply[S,tea].fill"][0] == [1.0, 0.8]


def work(time, event, number=1, quantity=10.0, asset="M"):
    return time, event, {"site": "P", "product": "tea", "quantity": quantity, "order": number,
                         "asset": asset}


def test_work_counts_at_speed_one_and_not_while_the_machine_is_down():
    evidence = watched(chain(**PLANT), work(10.0, "starting"),
                       (11.0, "failing", {"asset": "M", "cause": "wear"}),
                       (14.0, "repairing", {"asset": "M", "cause": "wear"}),
                       work(15.0, "completing"), work(20.0, "starting", 2))
    assert seen("process_times", evidence)["routings[P,tea,10].process_time"] == (
        [4.0, 160.0], [EXACT, CENSORED])


def test_work_counts_only_while_the_machine_is_open():
    hours = chain(machines=[{"machine": "M", "site": "P", "group": "g", "calendar": "day"}],
                  calendars=[{"calendar": "day", "day": "daily", "from": "08:00", "to": "16:00"}],
                  routings=PLANT["routings"])
    day = Timeline([0.0, 8.0, 16.0, 32.0, 40.0], [0.0, 1.0, 0.0, 1.0, 0.0])
    evidence = watched(hours, work(15.0, "starting"), work(34.0, "completing"),
                       opening=lambda name, site: day)
    assert seen("process_times", evidence)["routings[P,tea,10].process_time"][0] == [3.0]


def test_a_lot_that_gives_way_goes_on_later():
    evidence = watched(chain(**PLANT), work(10.0, "starting", 1), work(11.0, "starting", 2),
                       work(12.0, "completing", 2), work(12.0, "starting", 1),
                       work(15.0, "completing", 1))
    assert sorted(seen("process_times", evidence)["routings[P,tea,10].process_time"][0]) == [
        2.0, 8.0]


def test_a_setup_ends_when_the_operation_starts():
    evidence = watched(chain(**PLANT), work(10.0, "setup"), work(11.5, "starting"),
                       work(12.0, "completing"))
    assert seen("setup_times", evidence)["routings[P,tea,10].setup_time"][0] == [1.5]


def test_time_by_unit_comes_with_the_units():
    units = chain(**{**PLANT, "routings": [{"site": "P", "product": "tea", "step": 10,
                                            "group": "g", "process_time": "6min",
                                            "per": "unit"}]})
    evidence = watched(units, work(10.0, "starting", quantity=40.0),
                       work(12.0, "completing", quantity=40.0))
    (_, batch), = OBSERVERS["unit_times"](evidence)
    assert (batch.value.tolist(), batch.size.tolist()) == ([4.0], [40.0])


def test_good_units_are_those_not_scrapped_at_the_end():
    evidence = watched(chain(**PLANT), work(10.0, "starting"), work(12.0, "completing"),
                       (12.0, "scrapping", {"site": "P", "product": "tea", "quantity": 2.0,
                                            "order": 1}))
    (_, batch), = OBSERVERS["yields"](evidence)
    assert (batch.value.tolist(), batch.size.tolist()) == ([8.0], [10.0])


def test_a_step_without_a_machine_goes_by_its_own_name():
    evidence = watched(chain(**PLANT), work(10.0, "starting", asset="P/tea/20"),
                       work(13.0, "completing", asset="P/tea/20"),
                       work(98.0, "starting", 2, asset="P/tea/20"))
    assert seen("delays", evidence)["routings[P,tea,20].process_time"] == (
        [3.0, 2.0], [EXACT, CENSORED])


def fails(time, cause="wear", asset="M"):
    return time, "failing", {"asset": asset, "cause": cause}


def mended(time, cause="wear", asset="M"):
    return time, "repairing", {"asset": asset, "cause": cause}


def lives(clock, **others):
    return chain(**PLANT, failures=[{"asset": "M", "cause": "wear", "time_to_failure": "50h",
                                     "clock": clock, "time_to_repair": "2h", **others}])


def test_a_life_goes_from_repair_to_failure_by_the_clock():
    """The first one has an unknown age, unless the record begins with new assets."""
    rows = (fails(20.0), mended(24.0), fails(60.0), mended(61.0))
    old = seen("lives", watched(lives("elapsed"), *rows))
    assert old["failures[M,wear].time_to_failure"] == (
        [20.0, 36.0, 39.0], [RENEWING, EXACT, CENSORED])
    new = seen("lives", watched(lives("elapsed"), *rows, fresh=True))
    assert new["failures[M,wear].time_to_failure"][1] == [EXACT, EXACT, CENSORED]


def test_a_life_by_work_counts_hours_of_operations():
    rows = (work(0.0, "starting"), fails(10.0), mended(12.0), work(20.0, "completing"),
            work(50.0, "starting", 2), fails(55.0))
    found = seen("lives", watched(lives("operating"), *rows, fresh=True))
    assert found["failures[M,wear].time_to_failure"] == ([10.0, 13.0], [EXACT, EXACT])


def test_a_service_cuts_a_life_short():
    rows = (fails(20.0), mended(21.0), fails(51.0, "service"), mended(53.0))
    network = lives("elapsed", service_after="30h", service_time="2h")
    found = seen("lives", watched(network, *rows, fresh=True))
    assert found["failures[M,wear].time_to_failure"] == (
        [20.0, 30.0, 47.0], [EXACT, CENSORED, CENSORED])
    assert seen("repairs", watched(network, *rows))["failures[M,wear].time_to_repair"][0] == [1.0]
    assert seen("services", watched(network, *rows))["failures[M,wear].service_time"][0] == [2.0]


def test_repair_begins_when_the_crew_is_free():
    network = chain(
        **{**PLANT, "machines": [{"machine": name, "site": "P", "group": "g"} for name in "MN"]},
        crews=[{"crew": "fitters", "size": 1}],
        failures=[{"asset": name, "cause": "wear", "time_to_failure": "50h", "crew": "fitters",
                   "clock": "elapsed", "time_to_repair": "2h"} for name in "MN"])
    found = seen("repairs", watched(network, fails(10.0), fails(11.0, asset="N"), mended(14.0),
                                    mended(17.0, asset="N")))
    assert found["failures[M,wear].time_to_repair"][0] == [4.0]
    assert found["failures[N,wear].time_to_repair"][0] == [3.0]


def bought(time, number, quantity=3.0, source=""):
    return time, "ordering", {"site": "C", "product": "tea", "quantity": quantity,
                              "order": number, "role": "customer", "source": source}


def test_gaps_between_orders_the_first_renewing_the_last_censored():
    found = seen("gaps", watched(chain(), bought(10.0, 1), bought(18.0, 2), bought(30.0, 3)))
    assert found["demand[C,tea,].interarrival"] == (
        [10.0, 8.0, 12.0, 70.0], [RENEWING, EXACT, EXACT, CENSORED])


def test_gaps_count_by_the_rate_of_the_profile():
    twice = chain(demand=[{"site": "C", "product": "tea", "interarrival": "8h",
                           "profile": "rush"}],
                  profiles=[{"profile": "rush", "hour": 8, "factor": 2}])
    evidence = watched(twice, bought(10.0, 1), bought(18.0, 2),
                       pattern=lambda name: Timeline([0.0, 12.0], [1.0, 2.0]))
    assert seen("gaps", evidence)["demand[C,tea,].interarrival"][0][1] == 14.0


def test_walk_in_customers_are_orders_too():
    walk_in = (12.0, "delivering", {"site": "C", "product": "tea", "quantity": 2.0,
                                    "role": "walk_in"})
    found = seen("sizes", watched(chain(), bought(10.0, 1), walk_in))
    assert found["demand[C,tea,].size"][0] == [3.0, 2.0]


STREAMS = {"demand": [{"site": "C", "product": "tea", "interarrival": "exponential(mean=8h)"},
                      {"site": "C", "product": "tea", "stream": "weekly",
                       "interarrival": "constant(24h)", "start": "24h"}]}


def test_streams_are_told_apart_by_name():
    rows = (bought(10.0, 1), bought(24.0, 2, 9.0, "weekly"), bought(31.0, 3),
            bought(48.0, 4, 9.0, "weekly"))
    found = seen("sizes", watched(chain(**STREAMS), *rows))
    assert found["demand[C,tea,].size"][0] == [3.0, 3.0]
    assert found["demand[C,tea,weekly].size"][0] == [9.0, 9.0]


def test_streams_without_a_name_are_told_apart_by_their_times():
    rows = (bought(10.0, 1), bought(24.0, 2, 9.0), bought(31.0, 3), bought(48.0, 4, 9.0))
    found = seen("sizes", watched(chain(**STREAMS), *rows))
    assert found["demand[C,tea,].size"][0] == [3.0, 3.0]


def test_firm_orders_are_no_demand():
    firm = chain(orders=[{"order": "SO", "site": "C", "product": "tea", "quantity": 3,
                          "placed": "10h", "due": "5d"}])
    assert seen("sizes", watched(firm, bought(10.0, 1), bought(18.0, 2)))[
        "demand[C,tea,].size"][0] == [3.0]


FLEET = {
    "lanes": [{"origin": "S", "destination": "W", "mode": "sea", "transit": "5d"},
              {"origin": "W", "destination": "C", "mode": "van", "distance_km": 100,
               "fleet": "W"}],
    "trucks": [{"truck": "van", "home": "W", "speed_kmh": 50, "units": 2, "profile": "rush"}],
    "profiles": [{"profile": "rush", "hour": 8, "factor": 1.5}],
}


def drive(left, came, site="W", to_site="C", asset="van#1"):
    return ((left, "departing", {"site": site, "to_site": to_site, "asset": asset,
                                 "role": "truck"}),
            (came, "arriving", {"site": to_site, "asset": asset, "role": "truck"}))


def rush(name):
    return Timeline([0.0, 8.0, 9.0, 32.0, 33.0], [1.0, 1.5, 1.0, 1.5, 1.0])


def test_speed_comes_from_legs_out_and_back_that_nothing_disturbed():
    evidence = watched(chain(**FLEET), *drive(2.0, 4.0), *drive(5.0, 7.5, "C", "W"),
                       *drive(40.0, 60.0), fails(41.0, "flat", "van#1"),
                       mended(58.0, "flat", "van#1"), *drive(8.5, 12.0, asset="van#2"),
                       pattern=rush)
    (cell, batch), = OBSERVERS["speeds"](evidence)
    assert str(cell) == "trucks[van].speed_kmh"
    assert (batch.value.tolist(), batch.size.tolist()) == ([100.0, 100.0], [2.0, 2.5])


def test_the_rests_of_drivers_are_no_driving():
    fleet = chain(**{**FLEET, "trucks": [{**FLEET["trucks"][0], "profile": None, "units": 1,
                                          "crew": "drivers"}]},
                  crews=[{"crew": "drivers", "drive_max": "3h", "break": "1h", "day_max": "5h"}])
    # 2 h; 1 h, a break, 1 h; no more that day: 1 h, and the rest of the leg from the 24th hour on
    evidence = watched(fleet, *drive(0.0, 2.0, asset="van"), *drive(2.5, 5.5, "C", "W", "van"),
                       *drive(5.75, 25.0, asset="van"))
    (_, batch), = OBSERVERS["speeds"](evidence)
    assert batch.size.tolist() == [2.0, 2.0, 2.0]


def test_traffic_is_a_leg_over_its_usual_time_by_the_hour():
    evidence = watched(chain(**FLEET), *drive(2.0, 4.0), *drive(8.5, 12.0, asset="van#2"),
                       pattern=rush)
    (cell, batch), = OBSERVERS["speed_factors"](evidence)
    assert (str(cell), batch.value.tolist(), batch.size.tolist()) == (
        "profiles[rush,8,,].factor", [3.5], [2.0])


def test_damage_and_papers_by_consignment():
    flawed = chain(lanes=[{"origin": "S", "destination": "W", "mode": "sea", "transit": "5d",
                           "damage": 0.1, "wrong_documents": 0.1},
                          {"origin": "W", "destination": "C", "mode": "road", "transit": "1d"}])
    evidence = watched(flawed, ship(25.0, "arriving", 1, cause="wrong_documents"),
                       ship(30.0, "arriving", 2),
                       (30.0, "expiring", {"to_site": "W", "product": "tea", "quantity": 1.0,
                                           "order": 2, "shipment": 2, "asset": "S:W:sea",
                                           "cause": "damaged"}))
    (_, damage), = OBSERVERS["damages"](evidence)
    assert (damage.value.tolist(), damage.size.tolist()) == ([0.0, 1.0], [4.0, 4.0])
    (_, papers), = OBSERVERS["wrong_papers"](evidence)
    assert papers.value.tolist() == [1.0, 0.0]


def test_records_that_come_late():
    evidence = watched(chain(), (10.0, "picking", {"site": "W", "product": "tea", "quantity": 1.0,
                                                   "recorded": 11.5}))
    assert seen("record_delays", evidence)["sites[W].record_delay"][0] == [1.5]


def signal(*rows):
    import pandas as pd

    return pd.DataFrame(rows, columns=["time", "asset", "site", "value"])


def test_fuel_is_what_left_the_tank_over_the_way_driven():
    """Filled up on the way: a rising tank is not negative fuel."""
    fleet = chain(**{**FLEET, "trucks": [{"truck": "van", "home": "W", "speed_kmh": 50,
                                          "fuel": "diesel", "fuel_l_per_100km": "12"}],
                     "profiles": [], "emissions": [{"source": "diesel", "per": "l", "direct": 2.6,
                                                    "total": 3.3}]})
    tank = signal((1.0, "van", "", 50.0), (3.0, "van", "", 40.0), (4.0, "van", "", 60.0),
                  (6.0, "van", "", 45.0))
    road = signal((1.0, "van", "", 0.0), (3.0, "van", "", 100.0), (4.0, "van", "", 100.0),
                  (6.0, "van", "", 200.0))
    (cell, batch), = OBSERVERS["fuels"](watched(fleet, signals={"fuel": tank, "odometer": road}))
    assert (str(cell), batch.value.tolist(), batch.size.tolist()) == (
        "trucks[van].fuel_l_per_100km", [25.0], [2.0])


def test_a_dock_is_taken_while_its_door_is_open():
    docked = chain(docks=[{"site": "W", "direction": "in", "time": "30min"}])
    doors = signal((1.0, "W/in", "W", 1.0), (1.5, "W/in", "W", 0.0), (4.0, "W/in", "W", 1.0),
                   (4.75, "W/in", "W", 0.0), (9.0, "W/in", "W", 1.0))
    assert seen("dock_times", watched(docked, signals={"door": doors}))["docks[W,in].time"][0] \
        == [0.5, 0.75]


REWORK = {**PLANT, "routings": [{"site": "P", "product": "tea", "step": step, "group": group,
                                 "process_time": "1h"} for step, group in
                                ((10, "a"), (20, "b"), (30, "c"))],
          "machines": [{"machine": name, "site": "P", "group": name.lower()} for name in "ABC"],
          "branches": [{"site": "P", "product": "tea", "step": 30, "next": "20", "share": 0.1},
                       {"site": "P", "product": "tea", "step": 30, "next": "scrap",
                        "share": 0.1}]}


def test_rework_shows_as_operations_beyond_those_that_came():
    """Order 1: one lot, checked, sent back, checked again. Order 2: one lot, scrapped."""
    rows = []
    for time, asset, number in ((0.0, "A", 1), (2.0, "B", 1), (4.0, "C", 1), (6.0, "B", 1),
                                (8.0, "C", 1), (10.0, "A", 2), (12.0, "B", 2), (14.0, "C", 2)):
        rows += [work(time, "starting", number, asset=asset),
                 work(time + 1.0, "completing", number, asset=asset)]
    rows.append((15.0, "scrapping", {"site": "P", "product": "tea", "quantity": 10.0, "order": 2}))
    found = {str(cell): (batch.value.tolist(), batch.size.tolist())
             for cell, batch in OBSERVERS["branches"](watched(chain(**REWORK), *rows))}
    assert found == {"branches[P,tea,30,20].share": ([1.0, 0.0], [2.0, 1.0]),
                     "branches[P,tea,30,scrap].share": ([0.0, 1.0], [2.0, 1.0])}


def test_fuel_by_load_is_told_leg_by_leg():
    """Out with half a load, back with none, out with nobody knows what: filled up on the way."""
    fleet = chain(**{**FLEET, "profiles": [],
                     "products": [{"product": "tea", "volume_m3": 0.1, "weight_kg": 10}],
                     "trucks": [{"truck": "van", "home": "W", "speed_kmh": 50,
                                 "capacity_kg": 1000, "fuel_l_per_100km": "by_load(10, 14)"}]})
    loads = [(left - 0.1, "starting", {"site": "W", "to_site": "C", "asset": "van", "role": "truck",
                                       "product": "tea", "quantity": 50.0, "order": 1})
             for left in (2.0, 7.0)]
    rows = (loads[0], *drive(2.0, 4.0, asset="van"), *drive(4.5, 6.5, "C", "W", asset="van"),
            loads[1], *drive(7.0, 9.0, asset="van"))
    tank = signal((2.0, "van", "", 80.0), (4.0, "van", "", 68.0), (4.5, "van", "", 68.0),
                  (6.5, "van", "", 58.0), (7.0, "van", "", 58.0), (8.0, "van", "", 90.0),
                  (9.0, "van", "", 84.0))
    road = signal((2.0, "van", "", 0.0), (4.0, "van", "", 100.0), (4.5, "van", "", 100.0),
                  (6.5, "van", "", 200.0), (7.0, "van", "", 200.0), (9.0, "van", "", 300.0))
    evidence = watched(fleet, *rows, signals={"fuel": tank, "odometer": road})
    (cell, batch), = OBSERVERS["burns"](evidence)
    assert str(cell) == "trucks[van].fuel_l_per_100km"
    assert [(value, size, load) for value, size, load in zip(
        batch.value.tolist(), batch.size.tolist(), batch.entry.tolist(), strict=True)] == [
        (12.0, 1.0, 0.5), (10.0, 1.0, 0.0)]
    assert list(OBSERVERS["fuels"](evidence)) == []  # which are for trucks of one number


def count(*rows):
    import pandas as pd

    return pd.DataFrame(rows, columns=["time", "site", "product", "value"])


def test_errors_of_the_record_are_what_counts_find_beyond_the_bookings():
    def book(time, event, quantity):
        return time, event, {"site": "W", "product": "tea", "quantity": quantity}

    counts = count((1.0, "W", "tea", 100.0), (10.0, "W", "tea", 128.0), (20.0, "W", "tea", 127.0),
                   (30.0, "W", "tea", 87.5))
    evidence = watched(chain(), book(0.5, "storing", 9.0), book(5.0, "storing", 40.0),
                       book(6.0, "picking", 10.0), book(25.0, "picking", 30.0),
                       book(28.0, "picking", 10.0), signals={"count": counts})
    (cell, batch), = OBSERVERS["record_errors"](evidence)
    assert (str(cell), cell.planned) == ("sites[W].record_error", "0")
    assert batch.value.tolist() == [-2.0, 0.5]  # nothing was booked between the second and third
    assert batch.size.tolist() == pytest.approx([1700.0**0.5, 1000.0**0.5])
    right = counts.assign(value=[100.0, 130.0, 130.0, 90.0])  # the pick at 10.0 was not seen by it
    assert list(OBSERVERS["record_errors"](watched(
        chain(), book(5.0, "storing", 40.0), book(6.0, "picking", 10.0), book(10.0, "picking", 4.0),
        book(11.0, "storing", 4.0), book(25.0, "picking", 30.0), book(28.0, "picking", 10.0),
        signals={"count": right}))) == []
