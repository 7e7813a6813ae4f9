"""Proves a set of tours feasible, knowing nothing of how they were found or timed.

It reads each tour as a diary: leave, drive, arrive, wait, serve. Everything is recomputed from the
problem's own numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf

from twin.optimize.route_problem import DriverHours, RouteProblem
from twin.optimize.route_times import Tour

_EPS = 1e-6


def faults(problem: RouteProblem, tours: Sequence[Tour], *, complete: bool = True) -> list[str]:
    """One sentence for each requirement that the tours break; none proves them feasible.

    Parameters
    ----------
    complete
        Also demand that every stop without a penalty is served.

    Examples
    --------
    >>> import numpy as np
    >>> from twin.optimize.route_problem import RouteTruck, Stop, Trip
    >>> from twin.optimize.route_times import timed
    >>> line = np.array([[0.0, 60.0], [60.0, 0.0]])
    >>> problem = RouteProblem(line, line / 60.0, (Stop("shop", 1, (12.0,)),),
    ...                        (RouteTruck("van", capacity=(10.0,)),))
    >>> faults(problem, [timed(problem, Trip(0, (0,)))])
    ["truck 'van': carries 12 of 10 (capacity 1) when it leaves its start"]
    """
    found: list[str] = []
    served: dict[int, int] = {}
    used: set[int] = set()
    for tour in tours:
        if not 0 <= tour.truck < len(problem.trucks):
            found.append(f"truck {tour.truck} does not exist")
            continue
        name = problem.trucks[tour.truck].name
        if tour.truck in used:
            found.append(f"truck '{name}': drives two routes at once")
        used.add(tour.truck)
        strange = [c.stop for c in tour.calls if not 0 <= c.stop < len(problem.stops)]
        if strange:
            found.append(f"truck '{name}': stop {strange[0]} does not exist")
            continue
        for call in tour.calls:
            served[call.stop] = served.get(call.stop, 0) + 1
        found += [f"truck '{name}': {what}" for what in _tour(problem, tour)]
    for number, stop in enumerate(problem.stops):
        times = served.get(number, 0)
        if times > 1:
            found.append(f"stop '{stop.name}': is served {times} times")
        if complete and not times and stop.penalty is None:
            found.append(f"stop '{stop.name}': is not served")
    return found


def _tour(problem: RouteProblem, tour: Tour) -> Iterator[str]:
    yield from _clock(problem, tour)
    yield from _loads(problem, tour)
    yield from _order(problem, tour)
    for call in tour.calls:
        if not problem.may(call.stop, tour.truck):
            yield f"may not serve '{problem.stops[call.stop].name}' (refrigeration or choice)"
    limits = problem.trucks[tour.truck].hours
    if limits is not None:
        yield from _driver(problem, tour, limits)


def _rows(problem: RouteProblem, tour: Tour) -> list[tuple[float, float, float]]:
    """Each leg as (leave, arrive, hours of driving it needs), the way back last."""
    truck = problem.trucks[tour.truck]
    here, left, rows = truck.start, tour.depart, []
    for call in tour.calls:
        there = problem.stops[call.stop].place
        rows.append((left, call.arrive, float(problem.hours[here, there]) * truck.pace))
        here, left = there, call.leave
    home = 0.0 if truck.end is None else float(problem.hours[here, truck.end]) * truck.pace
    return [*rows, (left, tour.back, home)]


def _clock(problem: RouteProblem, tour: Tour) -> Iterator[str]:
    truck = problem.trucks[tour.truck]
    if tour.depart < truck.earliest - _EPS:
        yield f"leaves at {tour.depart:g} h, before {truck.earliest:g} h"
    if tour.back > truck.latest + _EPS:
        yield f"is back at {tour.back:g} h, after {truck.latest:g} h"
    for (_, end), (begin, _) in pairwise(sorted(tour.rests)):
        if begin < end - _EPS:
            yield f"takes two breaks at once at {begin:g} h"
    for leave, arrive, drive in _rows(problem, tour):
        rest = sum(max(0.0, min(b, arrive) - max(a, leave)) for a, b in tour.rests)
        if arrive - leave < drive + rest - _EPS:
            yield f"drives {drive:g} h between {leave:g} and {arrive:g} h"
    for call in tour.calls:
        stop = problem.stops[call.stop]
        if call.start < call.arrive - _EPS or call.leave < call.start + stop.service - _EPS:
            yield f"serves '{stop.name}' in less than its time"
        if not any(a - _EPS <= call.start <= b + _EPS for a, b in stop.windows):
            yield f"serves '{stop.name}' at {call.start:g} h, outside its windows"
        if any(min(b, call.leave) - max(a, call.start) > _EPS for a, b in tour.rests):
            yield f"takes a break during the service of '{stop.name}'"


def _loads(problem: RouteProblem, tour: Tour) -> Iterator[str]:
    drops = {drop for _, drop in problem.pairs}
    for kind in range(problem.dimensions):
        limit = problem.capacity(tour.truck, kind)
        slack = _EPS * max(1.0, limit if limit < inf else 1.0)
        board = sum(max(0.0, problem.load(c.stop, kind)) for c in tour.calls
                    if c.stop not in drops)
        if board > limit + slack:
            yield f"carries {board:g} of {limit:g} (capacity {kind + 1}) when it leaves its start"
        for call in tour.calls:
            board -= problem.load(call.stop, kind)
            if board > limit + slack:
                yield (f"carries {board:g} of {limit:g} (capacity {kind + 1}) after "
                       f"'{problem.stops[call.stop].name}'")
            if board < -slack:
                yield f"brings '{problem.stops[call.stop].name}' what it does not have"


def _order(problem: RouteProblem, tour: Tour) -> Iterator[str]:
    place = {call.stop: number for number, call in enumerate(tour.calls)}
    for pickup, drop in problem.pairs:
        if (pickup in place) != (drop in place):
            one = pickup if pickup in place else drop
            yield f"serves '{problem.stops[one].name}' without its other half"
        elif pickup in place and place[pickup] > place[drop]:
            yield f"drops '{problem.stops[drop].name}' before picking it up"


def _driver(problem: RouteProblem, tour: Tour, limits: DriverHours) -> Iterator[str]:
    """Walk through the day: drive until a break of full length, and count."""
    legs = _rows(problem, tour)
    total = sum(drive for _, _, drive in legs)
    if total > limits.day_max + _EPS:
        yield f"drives {total:g} h in one route, more than {limits.day_max:g} h"
    pauses = [rest for rest in tour.rests if rest[1] - rest[0] >= limits.rest - _EPS]
    pauses += [(c.arrive, c.start) for c in tour.calls if c.start - c.arrive >= limits.rest - _EPS]
    driven = 0.0
    for leave, arrive, drive in legs:
        cuts = sorted(p for p in pauses if leave - _EPS <= p[0] and p[1] <= arrive + _EPS)
        now, left = leave, drive
        for begin, end in cuts:
            stretch = min(left, begin - now)
            driven, left, now = driven + stretch, left - stretch, end
            if driven > limits.drive_max + _EPS:
                yield f"drives {driven:g} h without a break, more than {limits.drive_max:g} h"
            driven = 0.0
        driven += left
        if driven > limits.drive_max + _EPS:
            yield f"drives {driven:g} h without a break, more than {limits.drive_max:g} h"
        if any(arrive - _EPS <= a and b <= next_start + _EPS for a, b in pauses
               for next_start in _starts(tour, arrive)):
            driven = 0.0


def _starts(tour: Tour, arrive: float) -> list[float]:
    """When the service begins of the stop reached at a time."""
    return [call.start for call in tour.calls if abs(call.arrive - arrive) <= _EPS]
