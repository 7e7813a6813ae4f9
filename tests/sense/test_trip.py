"""Stops, moves, arrivals and departures from positions; fuel and driving of a trip."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.network import Lane, Network, Site
from twin.readings import Reading
from twin.sense.driving import Driving
from twin.sense.geofence import Corridor, Fence, Fences, corridor_of, fences_of, km_between
from twin.sense.journey import Journey
from twin.sense.logbook import Logbook
from twin.sense.movement import Movement
from twin.sense.tank import Tank
from twin.sense.trip import Trips

KM = 1 / 111.195  # degrees of latitude


def seen(time: float, north_km: float, id: str = "") -> Reading:
    return Reading(sensor="gps", id=id or repr(time), time=time, kind="position", asset="T1",
                   latitude=52.0 + north_km * KM, longitude=5.0)


def day() -> list[Reading]:
    """Half an hour at A, an hour north at 60 km/h with a light, half an hour at B, back half-way.
    """
    rng, positions, north = random.Random(1), [], 0.0
    for step in range(12 * 60 * 5 // 2):  # every 10 s, 2.5 h
        time = 10.0 * step
        if 1800 <= time < 5400 and not 3000 <= time < 3060:
            north += 10 / 60
        elif time >= 7200:
            north -= 10 / 60
        positions.append(seen(time, north + rng.gauss(0.0, 0.003)))
    return positions


FENCES = Fences([Fence("A", (52.0, 5.0)), Fence("B", (52.0 + 59 * KM, 5.0))])


def test_a_day_of_a_truck() -> None:
    trips = Trips(FENCES)
    for position in day():
        trips.update(position)
    track = trips.get()
    assert [(part.moving, part.place) for part in track.segments] == [
        (False, "A"), (True, ""), (False, "B"), (True, "")]
    assert [part.begin for part in track.segments] == pytest.approx([0, 1800, 5400, 7200], abs=40)
    assert track.segments[1].km == pytest.approx(59.0, rel=0.03)
    assert [visit.place for visit in track.visits] == ["A", "B"]
    assert track.moving


def test_jumps_and_late_positions_are_dropped() -> None:
    clean, dirty = Trips(FENCES), Trips(FENCES)
    for number, position in enumerate(day()):
        clean.update(position)
        dirty.update(position)
        if number % 50 == 10:
            dirty.update(seen(position.time + 1.0, 3000.0, "jump"))
            dirty.update(seen(position.time - 500.0, 0.0, "late"))
    assert dirty.get() == clean.get()


def test_every_reading_is_decided_once_and_in_order() -> None:
    movement, decided = Movement(), []
    for step in range(200):
        movement.update((5.0 * step, 30.0 if step < 100 else 0.5))
        decided += movement.get().settled
    decided += movement.rest()
    assert [time for time, _ in decided] == [5.0 * step for step in range(200)]
    assert [moved for _, moved in decided] == [step < 100 for step in range(200)]


def test_a_red_light_is_no_stop_and_a_walk_is_no_move() -> None:
    movement, decided = Movement(), []
    speeds = [40.0] * 30 + [0.0] * 4 + [40.0] * 30 + [0.5] * 30 + [5.0] * 3 + [0.5] * 30
    for step, speed in enumerate(speeds):
        movement.update((5.0 * step, speed))
        decided += movement.get().settled
    decided += movement.rest()
    assert [moved for _, moved in decided] == [True] * 64 + [False] * 63


# ---- ground ----


@given(st.floats(-80, 80), st.floats(-170, 170), st.floats(0.01, 0.99))
def test_a_corridor_holds_its_own_way(north: float, east: float, share: float) -> None:
    stops = ((north, east), (north + 1.0, east))
    corridor = Corridor(stops)
    point = (north + share, east)
    assert corridor.holds(point)
    assert corridor.covered(point) == pytest.approx(share, abs=0.01)
    assert not corridor.holds((north + 0.5, east + 60.0))


def test_a_corridor_through_a_port() -> None:
    network = Network(sites=[
        Site(site="A", kind="plant", latitude=52, longitude=5),
        Site(site="P", kind="port", latitude=53, longitude=5),
        Site(site="B", kind="warehouse", latitude=53, longitude=8),
        Site(site="X", kind="customer")])
    corridor = corridor_of(network, Lane(origin="A", destination="B", via="P"))
    assert corridor is not None
    assert corridor.holds((53.0, 5.0))
    first, second = km_between((52, 5), (53, 5)), km_between((53, 5), (53, 8))
    assert corridor.covered((53.0, 5.0)) == pytest.approx(first / (first + second), abs=0.01)
    assert corridor_of(network, Lane(origin="A", destination="X")) is None
    assert set(fences_of(network).fences) == {"A", "P", "B"}


def test_the_nearest_of_two_fences() -> None:
    fences = Fences([Fence("far", (52.0, 5.0), 5.0), Fence("near", (52.01, 5.0), 5.0)])
    assert fences.at((52.008, 5.0)) == "near"


# ---- journey ----


def journey(positions: list[tuple[float, float, float]], hours: float = 1.0) -> Journey:
    a, b = (52.0, 5.0), (52.0, 6.0)
    found = Journey("A", "B", Fences([Fence("A", a), Fence("B", b)]), Corridor((a, b)), hours)
    for minute, north, east in positions:
        found.update(Reading(sensor="g", id=repr(minute), time=60.0 * minute, kind="position",
                             asset="T", latitude=north, longitude=east))
    return found


def test_one_stray_position_is_neither_departure_nor_off_route() -> None:
    progress = journey([(0, 52.0, 5.0), (5, 52.0, 5.1), (10, 52.0, 5.0)]).get()
    assert (progress.state, progress.off_route) == ("loading", False)


def test_on_the_way_and_stuck() -> None:
    way = [(5.0 * k, 52.0, 5.0 + 0.05 * k) for k in range(6)]
    stuck = [(25.0 + 5.0 * k, 52.0, 5.25) for k in range(1, 20)]
    progress = journey(way + stuck).get()
    assert (progress.state, progress.stuck, progress.off_route) == ("under way", True, False)
    assert progress.covered == pytest.approx(0.25, abs=0.01)
    assert progress.stopped_h == pytest.approx(95 / 60, abs=0.1)


# ---- fuel and driving ----


def test_a_tank_that_sloshes() -> None:
    """A trip of 240 km at 30 l/100 km, a refuelling of 200 l, a theft of 60 l in the night."""
    rng, tank, level, burnt = random.Random(2), Tank(), 250.0, 0.0
    for minute in range(0, 900, 5):
        if minute < 240:
            level -= 1.5
            burnt += 1.5
            tank.update(Reading(sensor="o", id=str(minute), time=60.0 * minute, kind="odometer",
                                asset="T1", value=1000.0 + minute + 5))
        level += 200.0 * (minute == 300) - 60.0 * (minute == 600)
        tank.update(Reading(sensor="f", id=str(minute), time=60.0 * minute, kind="fuel",
                            asset="T1", value=level + rng.gauss(0.0, 3.0)))
    use = tank.get()
    assert [round(fill.litres, -1) for fill in use.fills] == [200.0, -60.0]
    assert use.burnt == pytest.approx(burnt, abs=12.0)
    assert use.stolen == pytest.approx(60.0, abs=12.0)
    assert use.l_per_100km == pytest.approx(30.0, abs=6.0)


def test_fuel_of_one_trip() -> None:
    tank, answers = Tank(), []
    for minute in range(0, 600, 5):
        tank.update(Reading(sensor="f", id=str(minute), time=60.0 * minute, kind="fuel",
                            asset="T1", value=300.0 - 0.2 * minute))
        answers.append(tank.get())
    assert answers[-1].since(answers[59]).burnt == pytest.approx(60.0)
    assert math.isnan(answers[-1].l_per_100km)


def test_driving_scores_fall_with_harshness_and_speeding() -> None:
    def trip(events: int, speed: float, g: float = 0.3) -> Driving:
        driving = Driving(limit_kmh=90.0)
        for minute in range(61):
            driving.update(Reading(sensor="s", id=str(minute), time=60.0 * minute, kind="speed",
                                   asset="T1", value=speed))
        for number in range(events):
            driving.update(Reading(sensor="d", id=str(number), time=60.0 * number, kind="driving",
                                   asset="T1", state="braking", value=g))
        return driving

    calm, harsh, severe, fast = (trip(0, 80.0), trip(8, 80.0), trip(8, 80.0, 0.6), trip(0, 100.0))
    assert calm.get().score == 100.0
    assert harsh.get().per_100km == pytest.approx(10.0)
    assert harsh.get().score == pytest.approx(50.0)
    assert severe.get().score == pytest.approx(25.0)
    assert (fast.get().speeding, fast.get().score) == (1.0, 0.0)
    harsh.restart()
    assert (harsh.get().events, harsh.get().km) == ({}, 0.0)


def test_a_logbook_of_two_trips() -> None:
    """A to B at 60 km/h with a harsh brake, an hour there, and back with a theft of 80 l."""
    book, level, odometer = Logbook(FENCES), 300.0, 5000.0
    for step in range(240):  # every minute
        time = 60.0 * step
        north = min(59.0, max(0.0, step - 20.0)) if step < 150 else max(0.0, 59.0 - (step - 150.0))
        moving = 20 <= step < 79 or 150 <= step < 209
        level -= 0.3 * moving + 80.0 * (step == 180)
        odometer += moving
        book.update(seen(time, north))
        for kind, value in (("fuel", level), ("odometer", odometer), ("speed", 60.0 * moving)):
            book.update(Reading(sensor="can", id=f"{kind}{step}", time=time, kind=kind, asset="T1",
                                value=value))
        if step == 40:
            book.update(Reading(sensor="can", id="brake", time=time, kind="driving", asset="T1",
                                state="braking", value=0.4))
    out, back = book.get()
    assert [(trip.origin, trip.destination) for trip in (out, back)] == [("A", "B"), ("B", "A")]
    assert [out.departed / 60, out.arrived / 60] == pytest.approx([21, 79], abs=2)
    assert [out.km, back.km] == pytest.approx([59.0, 59.0], abs=3.0)
    assert [out.l_per_100km, back.l_per_100km] == pytest.approx([30.0, 30.0], abs=4.0)
    assert (out.fuel.stolen, back.fuel.stolen) == (0.0, pytest.approx(80.0, abs=5.0))
    assert out.conduct.events == {"braking": 1}
    assert out.conduct.score < back.conduct.score == 100.0


def test_driving_past_a_place_is_no_arrival() -> None:
    fences = Fences([*FENCES.fences.values(), Fence("past", (52.0 + 30 * KM, 5.0), 2.0)])
    book = Logbook(fences)
    for step in range(120):
        book.update(seen(60.0 * step, min(59.0, max(0.0, step - 20.0))))
    assert [(trip.origin, trip.destination) for trip in book.get()] == [("A", "B")]


@pytest.mark.parametrize(("kmh", "stuck"), [(7.5, False), (3.0, False), (0.0, True), (0.02, True)])
def test_a_slow_ship_of_which_little_is_seen_does_not_stand(kmh: float, stuck: bool) -> None:
    """A position each six hours: what stands is where it was, give or take its swinging."""
    km_east = 111.2 * math.cos(math.radians(52.0))
    progress = journey([(360.0 * fix, 52.0, 5.2 + 6.0 * fix * kmh / km_east)
                        for fix in range(5)]).get()
    assert progress.stuck is stuck
    assert progress.stopped_h == (pytest.approx(24.0) if stuck else 0.0)
