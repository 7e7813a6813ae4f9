"""Why a plan of routes is as it is: what keeps a stop out, and what one more truck would save."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import inf

from twin.optimize.route_checker import faults
from twin.optimize.route_problem import RouteProblem, Trip
from twin.optimize.route_times import Tour, timed, tour_cost
from twin.plan import Reason

_EPS = 1e-6


def reasons(problem: RouteProblem, tours: Sequence[Tour]) -> tuple[Reason, ...]:
    """A sentence for each stop left out, and for each truck that is full."""
    served = {call.stop for tour in tours for call in tour.calls}
    _, pickups = problem.partners()
    left = [n for n in range(len(problem.stops)) if n not in served and n not in pickups]
    return (*(why_not(problem, tours, n) for n in left[:50]), *full(problem, tours))


def why_not(problem: RouteProblem, tours: Sequence[Tour], stop: int) -> Reason:
    """What keeps a stop out of the routes as they are; what would be needed.

    Requirements are given up one at a time, and the first without which it fits is named.
    """
    one = problem.stops[stop]
    kind = "why_not" if one.penalty is not None else "conflict"
    able = [t for t in range(len(problem.trucks)) if problem.may(stop, t)]
    if not able:
        why = "it needs a refrigerated truck that may serve it, and there is none"
        return Reason(kind, one.name, why)
    for size in range(problem.dimensions):
        most = max(problem.capacity(t, size) for t in able)
        if abs(problem.load(stop, size)) > most + _EPS:
            return Reason(kind, one.name,
                          f"its load of {abs(problem.load(stop, size)):g} (capacity {size + 1}) is "
                          f"more than the largest truck holds, {most:g}. Split it")
    for name, easier in _RELAXED.items():
        cost = _cheapest(easier(problem), tours, stop)
        if cost < inf:
            return Reason(kind, one.name, _words(problem, stop, name, cost), cost)
    return Reason(kind, one.name, "more than one requirement keeps it out: windows, hours and "
                                  "capacity together")


def _words(problem: RouteProblem, stop: int, name: str, cost: float) -> str:
    one = problem.stops[stop]
    if name == "cost":
        return (f"serving it would add {cost:,.6g}, more than the {one.penalty or 0.0:,.6g} of "
                "leaving it out")
    if name == "capacity":
        loads = " and ".join(f"{abs(q):g}" for q in one.load)
        return f"the trucks that may serve it are full or out: room for {loads} would be needed"
    if name == "windows":
        spans = ", ".join(f"{a:g} to {b:g} h" for a, b in one.windows[:3])
        soonest = min((_soonest(problem, t, stop) for t in range(len(problem.trucks))
                       if problem.may(stop, t)), default=inf)
        return (f"no route reaches it in its window ({spans}): the first truck could be there at "
                f"{soonest:g} h")
    if name == "driver hours":
        return "no driver has hours left for it: longer driving, or another driver, is needed"
    return "every truck that may serve it is on a route that comes back too late for it"


def _soonest(problem: RouteProblem, truck: int, stop: int) -> float:
    row = problem.trucks[truck]
    return row.earliest + float(problem.hours[row.start, problem.stops[stop].place]) * row.pace


def _no_windows(problem: RouteProblem) -> RouteProblem:
    return replace(problem, stops=tuple(replace(s, windows=((0.0, inf),)) for s in problem.stops))


def _no_hours(problem: RouteProblem) -> RouteProblem:
    return replace(problem, trucks=tuple(replace(t, hours=None) for t in problem.trucks))


def _no_capacity(problem: RouteProblem) -> RouteProblem:
    return replace(problem, trucks=tuple(replace(t, capacity=()) for t in problem.trucks))


def _no_end(problem: RouteProblem) -> RouteProblem:
    return replace(problem, trucks=tuple(replace(t, latest=inf) for t in problem.trucks))


#: What is given up, in the order in which a planner would ask.
_RELAXED: dict[str, Callable[[RouteProblem], RouteProblem]] = {
    "cost": lambda problem: problem, "capacity": _no_capacity, "windows": _no_windows,
    "driver hours": _no_hours, "working time": _no_end}


def _cheapest(problem: RouteProblem, tours: Sequence[Tour], stop: int) -> float:
    """Least cost that serving a stop adds to the routes, or to an idle truck."""
    drops, _ = problem.partners()
    used = {tour.truck: tour for tour in tours}
    best = inf
    for truck in range(len(problem.trucks)):
        if not problem.may(stop, truck):
            continue
        now = used[truck].trip.stops if truck in used else ()
        before = tour_cost(problem, used[truck]) if truck in used else 0.0
        for stops in _insertions(now, stop, drops.get(stop)):
            tour = timed(problem, Trip(truck, stops))
            if tour is not None and not faults(problem, [tour], complete=False):
                best = min(best, tour_cost(problem, tour) - before)
    return best


def _insertions(stops: tuple[int, ...], stop: int, drop: int | None) -> Iterator[tuple[int, ...]]:
    for p in range(len(stops) + 1):
        first = (*stops[:p], stop, *stops[p:])
        if drop is None:
            yield first
            continue
        for q in range(p + 1, len(first) + 1):
            yield (*first[:q], drop, *first[q:])


def full(problem: RouteProblem, tours: Sequence[Tour]) -> Iterator[Reason]:
    """Trucks whose capacity binds."""
    _, pickups = problem.partners()
    for tour in tours:
        for kind in range(problem.dimensions):
            limit = problem.capacity(tour.truck, kind)
            stops = [c.stop for c in tour.calls]
            board = sum(max(0.0, problem.load(s, kind)) for s in stops if s not in pickups)
            most = board
            for stop in stops:
                board -= problem.load(stop, kind)
                most = max(most, board)
            if 0.0 < limit < inf and most >= 0.98 * limit:
                name = problem.trucks[tour.truck].name
                yield Reason("binding", name, f"its capacity {kind + 1} of {limit:g} is in use to "
                                              f"{100.0 * most / limit:.0f} %")
