"""Routes made from a live state, and driven by the simulation: the same times and kilometres."""

from __future__ import annotations

import pytest

from tests.simulate.chains import BASELINE
from twin.commands.optimize_schedule import open_hours
from twin.network import Network
from twin.optimize.route_plan import plan_routes
from twin.optimize.route_state import round_of
from twin.plan import Plan, Status
from twin.simulate.play import play
from twin.simulate.streams import Streams
from twin.simulate.tour import follow_routes
from twin.simulate.world import World
from twin.state import State

#: Three shops in a row beside a warehouse; a degree of latitude is 111.2 km.
SITES = [{"site": "W", "kind": "warehouse", "latitude": 0.0, "longitude": 0.0},
         *[{"site": name, "kind": "customer", "latitude": 0.5 + 0.1 * n, "longitude": 0.0}
           for n, name in enumerate("ABC")]]


def shops(truck: dict[str, object] | None = None, **tables: object) -> Network:
    """One order of each shop, all at noon; a van that could carry them together."""
    return Network(**{
        "sites": SITES,
        "products": [{"product": "P", "weight_kg": 1.0}],
        "stock": [{"site": "W", "product": "P", "on_hand": 1000}],
        "lanes": [{"origin": "W", "destination": name, "fleet": "W", "mode": "van", "min_load": 1,
                   "max_wait": "2d"} for name in "ABC"],
        "trucks": [{"truck": "van", "home": "W", "capacity_kg": 100, "speed_kmh": 50,
                    "cost_per_km": 1, "cost_per_hour": 10, **(truck or {})}],
        "demand": [{"site": name, "product": "P", "size": 20, "interarrival": "90d",
                    "start": "12h"} for name in "ABC"],
        **tables})  # type: ignore[arg-type]


def at_one(network: Network, hours: float = 13.0) -> State:
    state = play(network, BASELINE, horizon_h=hours, save_at=hours).state
    assert state is not None
    return state


def test_what_waits_becomes_stops_and_one_route_serves_them_all() -> None:
    network = shops()
    plan = plan_routes(network, at_one(network), seconds=20.0)
    assert plan.answer.status is Status.OPTIMAL
    (route,) = plan.routes
    assert sorted(visit.site for visit in route.visits) == ["A", "B", "C"]
    assert route.km == pytest.approx(2 * 0.7 * 111.195, rel=1e-3)
    assert route.cost == pytest.approx(route.km + 10 * (route.back - route.depart))
    assert Plan.from_document(plan.document()) == plan


DOORS = [{"site": name, "direction": "in", "time": "15min"} for name in "ABC"]
WINDOWS = [{"site": "A", "open": "17:00", "close": "19:00", "service": "20min"},
           {"site": "B", "open": "13:00", "close": "16:00", "service": "5min"}]

DRIVERS = [{"crew": "drivers", "drive_max": "65min", "break": "20min"}]


@pytest.mark.parametrize("tables", [{}, {"docks": DOORS}, {"windows": WINDOWS},
                                    {"docks": DOORS, "windows": WINDOWS},
                                    {"crews": DRIVERS}, {"crews": DRIVERS, "docks": DOORS,
                                                         "windows": WINDOWS}],
                         ids=["free", "doors", "windows", "both", "drivers", "all"])
def test_a_plan_driven_without_noise_gives_its_times_and_kilometres(
        tables: dict[str, object]) -> None:
    network = shops({"crew": "drivers"} if "crews" in tables else None, **tables)
    state = at_one(network)
    plan = plan_routes(network, state, seconds=20.0, hours=open_hours(network))
    if "windows" in tables:
        starts = {visit.site: visit.start for visit in plan.routes[0].visits}
        assert 17.0 <= starts["A"] <= 19.0
        assert 13.0 <= starts["B"] <= 16.0
    world = World(network, Streams(1, 0), None, state.clock_h)
    world.resume(state)
    tours = follow_routes(world, plan)
    world.start()
    world.env.run(until=40.0)
    (tour,), (route,) = tours, plan.routes
    assert [v.site for v in tour.log] == [v.site for v in route.visits]
    for driven, planned in zip(tour.log, route.visits, strict=True):
        assert (driven.arrive, driven.start, driven.leave) == pytest.approx(
            (planned.arrive, planned.start, planned.leave))
    assert (tour.left, tour.back, tour.km) == pytest.approx((route.depart, route.back, route.km))
    sums = {key[:1]: value for key, value in world.sums().items()}
    assert sums["trips",] == 1.0
    assert sum(v for k, v in world.sums().items() if k[0] == "distance") == pytest.approx(route.km)
    assert sum(v for k, v in world.sums().items() if k[0] == "units_arrived") == 60.0


def test_play_takes_a_plan_of_routes() -> None:
    network = shops()
    state = at_one(network)
    plan = plan_routes(network, state, seconds=20.0)
    tally = play(network, BASELINE, horizon_h=24.0, state=state, plan=plan).tally
    assert tally.total("units_arrived") == 60.0
    none = play(network, BASELINE, horizon_h=24.0, state=state).tally
    assert none.total("units_arrived") == 0.0  # each lane waits for a full van


def test_a_truck_mid_leg_is_bound_to_its_goods_and_may_leave_again() -> None:
    network = shops(lanes=[{"origin": "W", "destination": name, "fleet": "W", "mode": "van"}
                           for name in "ABC"])
    state = at_one(network, 12.5)
    work = round_of(network, state)
    assert work.problem is not None
    assert work.names == ("van", "van")
    bound = [stop for stop in work.problem.stops if stop.penalty is None]
    assert [stop.trucks for stop in bound] == [(0,)]
    plan = plan_routes(network, state, seconds=20.0)
    first = next(route for route in plan.routes if route.depart == pytest.approx(12.5))
    ahead = state.actors["fleet W"]["van"]["left"]
    assert first.visits[0].arrive == pytest.approx(12.5 + ahead)
    second = next(route for route in plan.routes if route is not first)
    assert second.depart >= first.back - 1e-6
    assert len(second.visits) == 2


def test_a_van_that_is_full_says_so_and_what_is_left() -> None:
    network = shops({"capacity_kg": 45})
    plan = plan_routes(network, at_one(network), seconds=20.0)
    left = [one for one in plan.answer.reasons if one.kind == "why_not"]
    assert len(left) == 1
    assert "full or out: room for 20" in left[0].message


def test_nothing_waiting_is_an_answer() -> None:
    network = shops()
    plan = plan_routes(network, at_one(network, 6.0))
    assert plan.answer.status is Status.OPTIMAL
    assert plan.routes == ()


def between() -> Network:
    """A van on its way to B passes A, where a load for C waits."""
    lanes = [{"origin": "W", "destination": "B"}, {"origin": "A", "destination": "C"}]
    return shops(
        sites=[SITES[0], {**SITES[1], "kind": "warehouse"}, *SITES[2:]],
        stock=[{"site": site, "product": "P", "on_hand": 1000} for site in "WA"],
        lanes=[{**lane, "fleet": "W", "mode": "van"} for lane in lanes],
        demand=[{"site": name, "product": "P", "size": 20, "interarrival": "90d", "start": start}
                for name, start in (("B", "12h"), ("C", "12.4h"))])


@pytest.mark.parametrize("live", [False, True], ids=["from a state", "in a running world"])
def test_a_truck_mid_leg_takes_a_load_on_its_way(live: bool) -> None:
    network = between()
    state = at_one(network, 12.5)
    plan = plan_routes(network, state, seconds=20.0)
    route = next(one for one in plan.routes if one.visits)
    assert route.visits[0].site == "A"
    assert {visit.site for visit in route.visits} == {"A", "B", "C"}
    if live:
        world = World(network, Streams(1, 0), None, None)
        world.start()
        world.env.run(until=12.5)
        (tour,) = follow_routes(world, plan)
    else:
        world = World(network, Streams(1, 0), None, state.clock_h)
        world.resume(state)
        (tour,) = follow_routes(world, plan)
        world.start()
    world.env.run(until=40.0)
    for driven, planned in zip(tour.log, route.visits, strict=True):
        assert (driven.site, driven.arrive, driven.leave) == pytest.approx(
            (planned.site, planned.arrive, planned.leave))
    assert (tour.back, tour.km) == pytest.approx((route.back, route.km))
    sums = world.sums()
    assert sum(v for k, v in sums.items() if k[0] == "units_arrived") == 40.0
    # A leg counts as it begins: of the one that is broken off, half an hour was driven before.
    told = sum(v for k, v in sums.items() if k[0] == "distance")
    assert told == pytest.approx(route.km + 25.0 - (0.0 if live else 0.6 * 111.195), rel=1e-3)
