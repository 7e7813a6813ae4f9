"""When a truck is where: the timetable of one trip, with breaks, and what it costs.

Each trip comes back as early as it can, and then leaves as late as it can without coming back
later. Breaks are taken while waiting, at a stop, or on the way where the driving limit falls due.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, inf

from twin.optimize.route_problem import DriverHours, RouteProblem, Trip

_EPS = 1e-9


@dataclass(frozen=True, slots=True)
class StopTime:
    """When a stop is reached, served from, and left."""

    stop: int
    arrive: float
    start: float
    leave: float


@dataclass(frozen=True, slots=True)
class Tour:
    """A trip with its times; `rests` are breaks (begin, end) at stops or on the way."""

    truck: int
    depart: float
    back: float
    calls: tuple[StopTime, ...]
    rests: tuple[tuple[float, float], ...] = ()

    @property
    def trip(self) -> Trip:
        """Without its times."""
        return Trip(self.truck, tuple(call.stop for call in self.calls))


@dataclass(frozen=True, slots=True)
class _Label:
    """One way to have come so far: the time, hours driven since a break, and how."""

    time: float
    driven: float
    calls: tuple[StopTime, ...] = ()
    rests: tuple[tuple[float, float], ...] = ()


def timed(problem: RouteProblem, trip: Trip) -> Tour | None:
    """The timetable of a trip; None if windows, working time or driver hours cannot be kept.

    Examples
    --------
    >>> import numpy as np
    >>> from twin.optimize.route_problem import RouteTruck, Stop
    >>> line = np.array([[0.0, 60.0], [60.0, 0.0]])
    >>> problem = RouteProblem(line, line / 60.0, (Stop("shop", 1, windows=((9.0, 12.0),)),),
    ...                        (RouteTruck("van"),))
    >>> tour = timed(problem, Trip(0, (0,)))
    >>> tour.depart, tour.calls[0].start, tour.back
    (8.0, 9.0, 10.0)
    """
    truck = problem.trucks[trip.truck]
    soonest = _drive(problem, trip, truck.earliest)
    if soonest is None:
        return None
    slack = _slack(problem, trip, soonest)
    if slack > _EPS:
        later = _drive(problem, trip, truck.earliest + slack)
        if later is not None and later.back <= soonest.back + _EPS:
            return later
    return soonest


def _drive(problem: RouteProblem, trip: Trip, depart: float) -> Tour | None:
    """As early as possible, leaving at a given time."""
    truck = problem.trucks[trip.truck]
    limits = truck.hours
    if limits is not None and sum(legs(problem, trip)) > limits.day_max + _EPS:
        return None
    labels, here = [_Label(depart, 0.0)], truck.start
    for stop in trip.stops:
        there = problem.stops[stop].place
        leg = float(problem.hours[here, there]) * truck.pace
        labels = _fewest(served for label in labels for come in _legs(label, leg, limits)
                         for served in _serve(problem, come, stop, limits))
        here = there
        if not labels:
            return None
    leg = 0.0 if truck.end is None else float(problem.hours[here, truck.end]) * truck.pace
    ends = [come for label in labels for come in _legs(label, leg, limits)
            if come.time <= truck.latest + _EPS]
    if not ends:
        return None
    best = min(ends, key=lambda label: label.time)
    return Tour(trip.truck, depart, best.time, best.calls, best.rests)


def _legs(label: _Label, leg: float, limits: DriverHours | None) -> list[_Label]:
    """Drive a leg: with breaks as late as they may be, or after one before it."""
    if limits is None or limits.drive_max == inf:
        return [replace(label, time=label.time + leg)]
    rested = replace(label, time=label.time + limits.rest, driven=0.0,
                     rests=(*label.rests, (label.time, label.time + limits.rest)))
    starts = [label, rested] if label.driven > _EPS else [label]
    return [_late_breaks(one, leg, limits) for one in starts]


def _late_breaks(label: _Label, leg: float, limits: DriverHours) -> _Label:
    breaks = max(0, ceil((label.driven + leg) / limits.drive_max - 1.0 - _EPS))
    rests, time, left = list(label.rests), label.time, leg
    due = limits.drive_max - label.driven
    for _ in range(breaks):
        time, left = time + due, left - due
        rests.append((time, time + limits.rest))
        time, due = time + limits.rest, limits.drive_max
    driven = left if breaks else label.driven + leg
    return _Label(time + left, driven, label.calls, tuple(rests))


def _serve(problem: RouteProblem, come: _Label, stop: int,
           limits: DriverHours | None) -> list[_Label]:
    """Wait for a window and serve; a long wait is a break, a short one may become one."""
    one, found = problem.stops[stop], []
    for start, driven, rests in _starts(one.windows, come, limits):
        call = StopTime(stop, come.time, start, start + one.service)
        found.append(_Label(call.leave, driven, (*come.calls, call), rests))
    return found


def _starts(windows: Sequence[tuple[float, float]], come: _Label, limits: DriverHours | None
            ) -> list[tuple[float, float, tuple[tuple[float, float], ...]]]:
    start = _open(windows, come.time)
    found = []
    if limits is None or limits.drive_max == inf:
        return [] if start is None else [(start, 0.0, come.rests)]
    if start is not None and start - come.time < limits.rest - _EPS:
        found.append((start, come.driven, come.rests))
    rested = _open(windows, come.time + limits.rest)
    if rested is not None:
        found.append((rested, 0.0, (*come.rests, (come.time, come.time + limits.rest))))
    return found


def _open(windows: Sequence[tuple[float, float]], time: float) -> float | None:
    """The first time at or after `time` within a window."""
    for start, close in windows:
        if time <= close + _EPS:
            return max(start, time)
    return None


def _fewest(labels: Iterable[_Label]) -> list[_Label]:
    """Those that no other beats in both time and hours driven."""
    kept: list[_Label] = []
    for label in sorted(labels, key=lambda one: (one.time, one.driven)):
        if not kept or label.driven < kept[-1].driven - _EPS:
            kept.append(label)
    return kept


def _slack(problem: RouteProblem, trip: Trip, tour: Tour) -> float:
    """How much later it may leave without coming back later."""
    waits, slack = 0.0, inf
    for call in tour.calls:
        waits += max(0.0, call.start - call.arrive)
        close = next((close for start, close in problem.stops[call.stop].windows
                      if start - _EPS <= call.start <= close + _EPS), call.start)
        slack = min(slack, waits + close - call.start)
    return min(slack, waits)


def legs(problem: RouteProblem, trip: Trip) -> list[float]:
    """Hours of driving of each leg, the way back last."""
    truck = problem.trucks[trip.truck]
    places = [truck.start, *(problem.stops[stop].place for stop in trip.stops)]
    if truck.end is not None:
        places.append(truck.end)
    return [float(problem.hours[a, b]) * truck.pace
            for a, b in pairwise(places)]


def leg_km(problem: RouteProblem, trip: Trip) -> list[float]:
    """Kilometres of each leg, the way back last."""
    truck = problem.trucks[trip.truck]
    places = [truck.start, *(problem.stops[stop].place for stop in trip.stops)]
    if truck.end is not None:
        places.append(truck.end)
    return [float(problem.km[a, b]) for a, b in pairwise(places)]


def tour_cost(problem: RouteProblem, tour: Tour) -> float:
    """Fixed cost, kilometres and hours."""
    truck = problem.trucks[tour.truck]
    return truck.fixed + truck.per_km * sum(leg_km(problem, tour.trip)) + truck.per_hour * (
        tour.back - tour.depart)


def start_load(problem: RouteProblem, trip: Trip, kind: int) -> float:
    """On board when it leaves: all that is brought and not picked up on the way."""
    _, picked = problem.partners()
    return sum(max(0.0, problem.load(stop, kind)) for stop in trip.stops if stop not in picked)


def tour_co2e(problem: RouteProblem, trip: Trip) -> float:
    """Kilograms, between empty and full by the largest share of a capacity in use on each leg."""
    truck = problem.trucks[trip.truck]
    empty, full = truck.co2e_per_km
    limited = [k for k in range(problem.dimensions) if 0.0 < problem.capacity(trip.truck, k) < inf]
    board = {k: start_load(problem, trip, k) for k in limited}
    total = 0.0
    for place, km in enumerate(leg_km(problem, trip)):
        share = max((board[k] / problem.capacity(trip.truck, k) for k in limited), default=0.0)
        total += km * (empty + (full - empty) * share)
        if place < len(trip.stops):
            for k in limited:
                board[k] -= problem.load(trip.stops[place], k)
    return total


@dataclass(frozen=True, slots=True, order=True)
class Score:
    """What a set of tours comes to; smaller is better, left to right."""

    missing: int  #: stops that must be served and are not
    trucks: int  #: counted only where the goal is fewest trucks
    cost: float  #: of the tours, and the penalties of stops left out


def score(problem: RouteProblem, tours: Iterable[Tour]) -> Score:
    """The score of a set of tours."""
    served: set[int] = set()
    cost, count = 0.0, 0
    for tour in tours:
        if tour.calls:
            count += 1
            cost += tour_cost(problem, tour)
            served |= {call.stop for call in tour.calls}
    _, picked = problem.partners()
    missing = 0
    for number, stop in enumerate(problem.stops):
        if number in served:
            continue
        if stop.penalty is None:
            missing += 1
        elif number not in picked:  # a pair is left out as one, at the pickup's penalty
            cost += stop.penalty
    return Score(missing, count if problem.goal == "trucks" else 0, cost)
