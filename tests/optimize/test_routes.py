"""Routes: small problems against brute force, the checker against mutations, bad input, engines."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from math import inf, nan

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.optimize import engine_elimination, engine_ortools, engine_pyvrp
from twin.optimize.engine import Limit, out_of_reach
from twin.optimize.partition import Pool, pricer
from twin.optimize.route_checker import faults
from twin.optimize.route_plan import solve_routes
from twin.optimize.route_problem import DriverHours, RouteProblem, RouteTruck, Stop, Trip
from twin.optimize.route_times import Tour, score, timed, tour_co2e, tour_cost
from twin.plan import Status

SOON = Limit(20.0, 0.05)
ENGINES = [engine_pyvrp, engine_ortools]


def on_a_map(points: list[tuple[float, float]], **more: object) -> dict[str, object]:
    """Matrices of points in kilometres, driven at 60 km/h."""
    at = np.array(points, dtype=float)
    km = np.linalg.norm(at[:, None] - at[None], axis=2)
    return {"km": km, "hours": km / 60.0, **more}


def town(stops: list[Stop], trucks: list[RouteTruck], points: list[tuple[float, float]],
         **more: object) -> RouteProblem:
    return RouteProblem(stops=tuple(stops), trucks=tuple(trucks),
                        **on_a_map(points, **more))  # type: ignore[arg-type]


def brute_force(problem: RouteProblem) -> tuple[int, int, float]:
    """Every assignment of stops to trucks, in every order."""
    count, best = len(problem.stops), (99, 0, inf)
    for choice in product(range(-1, len(problem.trucks)), repeat=count):
        orders = []
        for truck in range(len(problem.trucks)):
            mine = [s for s in range(count) if choice[s] == truck]
            tours = [tour for order in permutations(mine)
                     if (tour := timed(problem, Trip(truck, order))) is not None
                     and not faults(problem, [tour], complete=False)] if mine else []
            if mine and not tours:
                break
            if mine:
                orders.append(min(tours, key=lambda tour: tour_cost(problem, tour)))
        else:
            found = score(problem, orders)
            best = min(best, (found.missing, found.trucks, found.cost))
    return best


@st.composite
def problems(draw: st.DrawFn) -> RouteProblem:
    """Up to four stops, two trucks, with any mix of requirements."""
    count = draw(st.integers(1, 4))
    points = [(0.0, 0.0), *[(float(draw(st.integers(-40, 40))), float(draw(st.integers(-40, 40))))
                            for _ in range(count)]]
    stops = []
    for n in range(count):
        begin = draw(st.integers(0, 3))
        stops.append(Stop(
            f"s{n}", n + 1, (float(draw(st.integers(1, 6))), float(draw(st.integers(-2, 2)))),
            ((float(begin), float(begin + draw(st.integers(1, 4)))),),
            draw(st.sampled_from([0.0, 0.25])), draw(st.sampled_from([None, 30.0])),
            draw(st.booleans())))
    trucks = [RouteTruck("reefer", capacity=(8.0, 3.0), cold=True, fixed=5.0, per_km=0.5,
                         per_hour=draw(st.sampled_from([0.0, 8.0]))),
              RouteTruck("van", capacity=(float(draw(st.integers(4, 12))), 3.0), per_km=0.4,
                         pace=1.25, latest=9.0,
                         hours=draw(st.sampled_from([None, DriverHours(1.0, 0.5, 4.0)])))]
    pairs: tuple[tuple[int, int], ...] = ()
    if count > 1 and draw(st.booleans()):
        stops[0] = replace(stops[0], load=(-3.0, -1.0), penalty=None)
        stops[1] = replace(stops[1], load=(3.0, 1.0), penalty=None)
        pairs = ((0, 1),)
    goal = draw(st.sampled_from(["cost", "trucks"]))
    if goal == "trucks":
        stops = [replace(stop, penalty=None) for stop in stops]
    return town(stops, trucks, points, pairs=pairs, goal=goal)


def test_where_not_all_can_be_served_as_many_as_can_be_are() -> None:
    """Either cold stop can be reached in time, not both: the other three were left out as well."""
    window = ((0.0, 1.0),)
    problem = town(
        [Stop("a", 1, (1.0,), window, cold=True), Stop("b", 2, (1.0,), window, cold=True),
         Stop("c", 3, (1.0,), window), Stop("d", 4, (1.0,), window)],
        [RouteTruck("reefer", capacity=(8.0,), cold=True, fixed=5.0, per_km=0.5),
         RouteTruck("van", capacity=(4.0,), per_km=0.4, pace=1.25, latest=9.0)],
        [(0, 0), (21, 0), (0, 33), (0, 0), (0, 0)])
    tours, answer = solve_routes(problem, seconds=20.0)
    assert score(problem, tours).missing == 1
    assert answer.status is Status.INFEASIBLE


# ---- timetables ----


def test_a_truck_leaves_as_late_as_it_can_and_waits_no_longer_than_it_must() -> None:
    problem = town([Stop("a", 1, windows=((3.0, 4.0),), service=0.5),
                    Stop("b", 2, windows=((0.0, 9.0),))],
                   [RouteTruck("t")], [(0, 0), (60, 0), (60, 60)])
    tour = timed(problem, Trip(0, (0, 1)))
    assert tour is not None
    assert (tour.depart, [(c.arrive, c.start, c.leave) for c in tour.calls]) == (
        2.0, [(3.0, 3.0, 3.5), (4.5, 4.5, 4.5)])
    assert tour.back == pytest.approx(4.5 + 2**0.5)


def test_of_several_windows_the_first_that_is_reached_counts() -> None:
    problem = town([Stop("a", 1, windows=((0.0, 0.5), (4.0, 5.0)))], [RouteTruck("t")],
                   [(0, 0), (60, 0)])
    tour = timed(problem, Trip(0, (0,)))
    assert tour is not None
    assert (tour.depart, tour.calls[0].start) == (3.0, 4.0)
    assert faults(problem, [tour]) == []


def test_a_break_is_taken_on_the_way_where_it_falls_due() -> None:
    hours = DriverHours(4.5, 0.75, 9.0)
    problem = town([Stop("far", 1)], [RouteTruck("t", hours=hours)], [(0, 0), (240, 0)])
    tour = timed(problem, Trip(0, (0,)))
    assert tour is not None
    assert tour.rests == ((4.5, 5.25),)
    assert tour.back == 8.75
    assert faults(problem, [tour]) == []
    further = town([Stop("far", 1)], [RouteTruck("t", hours=hours)], [(0, 0), (300, 0)])
    assert timed(further, Trip(0, (0,))) is None  # ten hours of driving, nine in a day


def test_waiting_for_a_window_is_a_break() -> None:
    problem = town([Stop("shop", 1, windows=((5.0, 6.0),))],
                   [RouteTruck("t", hours=DriverHours(4.5, 0.75), latest=inf, earliest=0.0)],
                   [(0, 0), (180, 0)])
    tour = timed(problem, Trip(0, (0,)))
    assert tour is not None
    assert faults(problem, [tour]) == []
    assert tour.back == 8.0  # six hours of driving, and no break but the wait


def test_co2e_follows_the_load() -> None:
    problem = town([Stop("a", 1, (10.0,))], [RouteTruck("t", capacity=(20.0,),
                                                       co2e_per_km=(0.2, 0.4))],
                   [(0, 0), (100, 0)])
    assert tour_co2e(problem, Trip(0, (0,))) == pytest.approx(100 * 0.3 + 100 * 0.2)


@given(problems())
@settings(max_examples=60, deadline=None)
def test_the_quick_price_is_the_cost_of_the_timetable(problem: RouteProblem) -> None:
    price = pricer(problem)
    for truck in range(2):
        for count in range(1, len(problem.stops) + 1):
            for stops in permutations(range(len(problem.stops)), count):
                tour = timed(problem, Trip(truck, stops))
                if tour is None:
                    assert price(truck, stops) == inf
                else:
                    assert price(truck, stops) == pytest.approx(tour_cost(problem, tour))


# ---- the checker ----


DAY = town([Stop("a", 1, (4.0,), ((1.0, 3.0),), 0.5), Stop("b", 2, (4.0,)),
            Stop("from", 1, (-3.0,)), Stop("to", 2, (3.0,))],
           [RouteTruck("t", capacity=(8.0,), latest=12.0, hours=DriverHours(2.5, 0.5, 8.0)),
            RouteTruck("u", capacity=(2.0,))],
           [(0, 0), (60, 0), (60, 60)], pairs=((2, 3),))


def day() -> Tour:
    tour = timed(DAY, Trip(0, (0, 2, 1, 3)))
    assert tour is not None
    return tour


def test_a_good_tour_has_no_faults() -> None:
    assert faults(DAY, [day()]) == []


@pytest.mark.parametrize(("change", "fault"), [
    (lambda t: replace(t, truck=1), "carries"),
    (lambda t: replace(t, truck=7), "does not exist"),
    (lambda t: replace(t, depart=t.depart + 0.5), "drives"),
    (lambda t: replace(t, depart=-1.0), "before"),
    (lambda t: replace(t, back=t.back - 0.2), "drives"),
    (lambda t: replace(t, back=13.0), "after"),
    (lambda t: replace(t, calls=t.calls[:-1]), "is not served"),
    (lambda t: replace(t, calls=(*t.calls, t.calls[0])), "is served 2 times"),
    (lambda t: replace(t, rests=()), "without a break"),
    (lambda t: replace(t, calls=(replace(t.calls[0], start=t.calls[0].start + 9), *t.calls[1:])),
     "outside its windows"),
    (lambda t: replace(t, calls=(replace(t.calls[0], leave=t.calls[0].start), *t.calls[1:])),
     "less than its time"),
    (lambda t: replace(t, calls=(t.calls[0], t.calls[3], t.calls[2], t.calls[1])),
     "before picking it up"),
    (lambda t: replace(t, calls=(t.calls[0], t.calls[1], t.calls[2])), "without its other half"),
    (lambda t: replace(t, calls=(replace(t.calls[0], stop=99), *t.calls[1:])), "does not exist"),
])
def test_a_mutated_tour_is_caught(change: object, fault: str) -> None:
    found = faults(DAY, [change(day())])  # type: ignore[operator]
    assert any(fault in one for one in found), found


def test_a_truck_drives_one_route_and_cold_goods_go_cold() -> None:
    assert "truck 't': drives two routes at once" in faults(DAY, [day(), day()])
    cold = replace(DAY, stops=(replace(DAY.stops[0], cold=True), *DAY.stops[1:]))
    assert any("refrigeration" in one for one in faults(cold, [day()]))


# ---- engines ----


@pytest.mark.parametrize("engine", ENGINES)
@given(problem=problems())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_an_engine_finds_keeps_every_requirement(engine: object,
                                                      problem: RouteProblem) -> None:
    if engine.lacks(problem) or out_of_reach(problem):  # type: ignore[attr-defined]
        return
    found = engine.solve(problem, Limit(0.3, 0.05), 1, lambda trips: None)  # type: ignore[attr-defined]
    if found.best is not None:
        tours = [timed(problem, trip) for trip in found.best]
        assert None not in tours
        kept = [tour for tour in tours if tour is not None]
        assert faults(problem, kept, complete=True) == []
        assert score(problem, kept).cost >= brute_force(problem)[2] - 1e-3


@pytest.mark.long
@given(problem=problems())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_small_problems_are_solved_to_the_optimum_of_brute_force(problem: RouteProblem) -> None:
    tours, answer = solve_routes(problem, seconds=20.0)
    least = brute_force(problem)
    found = score(problem, tours)
    assert (found.missing, found.trucks, round(found.cost, 4)) == (
        least[0], least[1], round(least[2], 4))
    assert answer.status is (Status.INFEASIBLE if least[0] else Status.OPTIMAL)
    assert answer.bound == (None if least[0] else answer.objective)


@pytest.mark.long
@pytest.mark.parametrize("goal", ["cost", "trucks"])
def test_of_more_than_all_trucks_hold_as_much_as_can_be_is_served(goal: str) -> None:
    luck = np.random.default_rng(4)
    points = [(0.0, 0.0), *[tuple(p) for p in luck.uniform(-40, 40, (24, 2))]]
    problem = town([Stop(f"s{n}", n + 1, (5.0,)) for n in range(24)],
                   [RouteTruck(f"t{k}", capacity=(30.0,)) for k in range(3)], points,
                   goal=goal)  # type: ignore[arg-type]
    tours, answer = solve_routes(problem, seconds=8.0)
    assert score(problem, tours).missing == 6  # six stops fill a truck
    assert answer.status is Status.UNKNOWN  # that no more can be is not proved


def grid(count: int, goal: str = "cost", seed: int = 1) -> RouteProblem:
    """Stops with windows around a depot."""
    luck = np.random.default_rng(seed)
    points = [(0.0, 0.0), *[tuple(p) for p in luck.uniform(-60, 60, (count, 2))]]
    opening = luck.uniform(0, 6, count)
    stops = [Stop(f"s{n}", n + 1, (float(luck.integers(1, 9)),),
                  ((float(opening[n]), float(opening[n] + 3)),), 0.1) for n in range(count)]
    trucks = [RouteTruck(f"t{k}", capacity=(30.0,)) for k in range(count)]
    return town(stops, trucks, points, goal=goal)  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_seed_and_work_give_the_same_trips(engine: object) -> None:
    problem = grid(20)
    both = [engine.solve(problem, SOON, 3, lambda t: None) for _ in range(2)]  # type: ignore[attr-defined]
    assert both[0].best == both[1].best
    assert both[0].pool == both[1].pool
    assert both[0].stopped_by == "work"


@pytest.mark.long
@pytest.mark.parametrize("goal", ["cost", "trucks"])
def test_a_race_is_no_worse_than_its_engines(goal: str) -> None:
    problem = grid(25, goal)
    tours, answer = solve_routes(problem, seconds=8.0, seed=2)
    assert faults(problem, tours) == []
    alone = engine_pyvrp.solve(problem, Limit(8.0, 0.3), 2, lambda t: None)
    assert alone.best is not None
    theirs = score(problem, [t for trip in alone.best if (t := timed(problem, trip)) is not None])
    assert score(problem, tours) <= replace(theirs, cost=theirs.cost + 1e-6)
    assert answer.progress
    # Each engine's own steps are told too, so that the last need not be the incumbent's.
    assert any(step.objective == pytest.approx(answer.objective) and step.engine == answer.engine
               for step in answer.progress)


@pytest.mark.long
@pytest.mark.skipif("Numba" in engine_elimination.lacks(grid(3, "trucks")), reason="needs Numba")
def test_routes_are_dissolved_until_no_fewer_could_carry_the_loads() -> None:
    problem = town([Stop(f"s{n}", n + 1, (5.0,)) for n in range(8)],
                   [RouteTruck(f"t{k}", capacity=(20.0,)) for k in range(8)],
                   [(0, 0), *[(10.0 * n, 5.0) for n in range(8)]], goal="trucks")
    found = engine_elimination.solve(problem, Limit(120.0, 1.0), 1, lambda t: None)
    assert found.best is not None
    assert len(found.best) == 2
    assert found.stopped_by == "proof"


def test_the_partition_chooses_the_best_set_and_never_a_worse_one() -> None:
    problem = town([Stop(f"s{n}", n + 1, (1.0,)) for n in range(4)],
                   [RouteTruck("t", capacity=(2.0,)), RouteTruck("u", capacity=(2.0,))],
                   [(0, 0), (10, 1), (10, -1), (-10, 1), (-10, -1)])
    pool = Pool(problem)
    bad = (Trip(0, (0, 2)), Trip(1, (1, 3)))
    pool.add([*bad, Trip(0, (0, 1)), Trip(0, (2, 3))])
    best, proved = pool.best(bad, 5.0)
    assert best is not None
    assert {trip.stops for trip in best} == {(0, 1), (2, 3)}
    assert proved
    lonely = Pool(problem)
    lonely.add(bad)
    assert lonely.best(bad, 5.0)[0] == bad


# ---- reasons ----


def why(problem: RouteProblem) -> tuple[Status, list[str]]:
    _, answer = solve_routes(problem, seconds=15.0)
    return answer.status, [f"{one.kind} {one.subject}: {one.message}" for one in answer.reasons]


def test_a_truck_that_fits_nothing_is_an_answer() -> None:
    status, said = why(town([Stop("shop", 1, (50.0,))], [RouteTruck("van", capacity=(10.0,))],
                            [(0, 0), (30, 0)]))
    assert status is Status.INFEASIBLE
    assert said == ["conflict shop: its load of 50 (capacity 1) is more than the largest truck "
                    "holds, 10. Split it"]


def test_a_window_that_cannot_be_reached_says_when_the_truck_could_be_there() -> None:
    status, said = why(town([Stop("shop", 1, windows=((0.0, 0.25),), penalty=5.0), Stop("b", 1)],
                            [RouteTruck("van")], [(0, 0), (60, 0)]))
    assert status is Status.OPTIMAL
    assert said[0] == ("why_not shop: no route reaches it in its window (0 to 0.25 h): the first "
                       "truck could be there at 1 h")


def test_a_stop_that_costs_more_than_its_penalty_is_left_out() -> None:
    _, said = why(town([Stop("far", 1, penalty=10.0)], [RouteTruck("van")], [(0, 0), (60, 0)]))
    assert said == ["why_not far: serving it would add 120, more than the 10 of leaving it out"]


def test_cold_goods_without_a_refrigerated_truck() -> None:
    status, said = why(town([Stop("ice", 1, cold=True)], [RouteTruck("van")], [(0, 0), (60, 0)]))
    assert status is Status.INFEASIBLE
    assert "refrigerated" in said[0]


def test_driver_hours_are_named() -> None:
    _, said = why(town([Stop("far", 1, penalty=1000.0)],
                       [RouteTruck("van", hours=DriverHours(4.5, 0.75, 3.0))],
                       [(0, 0), (120, 0)]))
    assert "no driver has hours left" in said[0]


# ---- bad input ----


@pytest.mark.parametrize(("change", "message"), [
    ({"stops": (Stop("s", 1, (nan,)),)}, "stop 's': load (nan,) is not a number"),
    ({"stops": (Stop("s", 1, windows=((5.0, 4.0),)),)}, "closes at 4 h, before it opens at 5 h"),
    ({"stops": (Stop("s", 9),)}, "place 9 is not in the matrices"),
    ({"stops": (Stop("s", 1, service=-1.0),)}, "service -1 h"),
    ({"stops": (Stop("s", 1, penalty=-1.0),)}, "penalty -1"),
    ({"trucks": ()}, "there is no truck"),
    ({"trucks": (RouteTruck("t", per_km=nan),)}, "truck 't': per_km nan is no cost"),
    ({"trucks": (RouteTruck("t", capacity=(-1.0,)),)}, "capacity (-1.0,)"),
    ({"trucks": (RouteTruck("t", earliest=5.0, latest=4.0),)}, "works from 5 to 4 h"),
    ({"km": np.array([[0.0, nan], [1.0, 0.0]])}, "kilometres from place 0 to 1 are nan"),
    ({"hours": np.array([[0.0, -2.0], [1.0, 0.0]])}, "hours from place 0 to 1 are -2"),
    ({"stops": (Stop("s", 1),) * 1_000_000}, "1,000,000 stops are too many for one plan"),
    ({"stops": (Stop("p", 1, (4.0,)), Stop("d", 1, (-4.0,))), "pairs": ((0, 1),)},
     "The pickup is negative"),
    ({"goal": "trucks", "stops": (Stop("s", 1, penalty=3.0),)}, "would leave it out"),
    ({"goal": "speed"}, "goal 'speed' is unknown"),
])
def test_what_cannot_be_used_is_refused_in_one_sentence(change: dict[str, object],
                                                        message: str) -> None:
    good = {"km": np.ones((2, 2)), "hours": np.ones((2, 2)), "stops": (Stop("s", 1),),
            "trucks": (RouteTruck("t"),)}
    with pytest.raises(ValueError) as caught:
        RouteProblem(**(good | change))  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
