"""A routing problem as data: places, stops, trucks, pairs. Hours and kilometres, as floats.

Engines turn it into their own models; nothing here knows any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan

import numpy as np

#: More stops than this are not one plan: the matrices alone would not fit the memory.
MOST_STOPS = 3000


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to call at, once.

    Attributes
    ----------
    name, place
        As the planner names it, and its row of the matrices.
    load
        Per kind of capacity (weight, volume ...): positive is brought, negative is taken along.
        What is brought comes from the truck's start, unless a pair says where it is picked up.
    windows
        Hours (open, close) between which the service may start, in order.
    service
        Hours.
    penalty
        The stop may be left out at this cost; None: it must be served.
    cold
        Only refrigerated trucks.
    trucks
        Only these, by their places in the list; None: any (goods already on board, for example).
    """

    name: str
    place: int
    load: tuple[float, ...] = ()
    windows: tuple[tuple[float, float], ...] = ((0.0, inf),)
    service: float = 0.0
    penalty: float | None = None
    cold: bool = False
    trucks: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class DriverHours:
    """Hours of driving before a break, of the break, and of driving in one route."""

    drive_max: float = inf
    rest: float = 0.0
    day_max: float = inf


@dataclass(frozen=True, slots=True)
class RouteTruck:
    """One vehicle, for one route.

    Attributes
    ----------
    start, end
        Rows of the matrices; `end` None: it need not come back.
    capacity
        Per kind, as `Stop.load`; missing kinds are unlimited.
    fixed, per_km, per_hour
        Cost of using it, of a kilometre, of an hour between leaving and coming back.
    earliest, latest
        Hours between which the route lies.
    pace
        Its hours over the matrix's.
    co2e_per_km
        Kilograms, empty and full.
    """

    name: str
    start: int = 0
    end: int | None = 0
    capacity: tuple[float, ...] = ()
    cold: bool = False
    fixed: float = 0.0
    per_km: float = 1.0
    per_hour: float = 0.0
    earliest: float = 0.0
    latest: float = inf
    pace: float = 1.0
    hours: DriverHours | None = None
    co2e_per_km: tuple[float, float] = (0.0, 0.0)

    @property
    def kind(self) -> tuple[object, ...]:
        """Everything but its name: equal kinds are interchangeable."""
        return (self.start, self.end, self.capacity, self.cold, self.fixed, self.per_km,
                self.per_hour, self.earliest, self.latest, self.pace, self.hours,
                self.co2e_per_km)


@dataclass(frozen=True, slots=True)
class Trip:
    """Which truck calls at which stops, in order: what engines find."""

    truck: int
    stops: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class RouteProblem:
    """What is to be driven.

    Attributes
    ----------
    km, hours
        Matrices between places, shape (places, places).
    pairs
        (pickup, drop): the same truck, in this order, the drop's goods are the pickup's.
    goal
        ``cost``, or ``trucks`` (fewest trucks, then cost).

    Raises
    ------
    ValueError
        If a value cannot be used; all offenders at once.

    Examples
    --------
    >>> line = np.array([[0.0, 30.0], [30.0, 0.0]])
    >>> RouteProblem(line, line / 60.0, (Stop("shop", 1, (4.0,)),),
    ...              (RouteTruck("van", capacity=(10.0,)),)).dimensions
    1
    >>> RouteProblem(line, line / 60.0, (Stop("shop", 1, windows=((9.0, 8.0),)),),
    ...              (RouteTruck("van"),))
    Traceback (most recent call last):
    ValueError: stop 'shop': its window closes at 8 h, before it opens at 9 h. Swap the two.
    """

    km: np.ndarray
    hours: np.ndarray
    stops: tuple[Stop, ...]
    trucks: tuple[RouteTruck, ...]
    pairs: tuple[tuple[int, int], ...] = ()
    goal: str = "cost"

    def __post_init__(self) -> None:
        found = _offenders(self)
        if found:
            more = f"\nand {len(found) - 20} more." if len(found) > 20 else ""
            raise ValueError("\n".join(found[:20]) + more)

    @property
    def dimensions(self) -> int:
        """Kinds of capacity."""
        return max([len(s.load) for s in self.stops] + [len(t.capacity) for t in self.trucks],
                   default=0)

    def load(self, stop: int, kind: int) -> float:
        """What a stop is brought (or, negative, hands over) of a kind of capacity."""
        loads = self.stops[stop].load
        return loads[kind] if kind < len(loads) else 0.0

    def capacity(self, truck: int, kind: int) -> float:
        """What a truck holds of a kind."""
        holds = self.trucks[truck].capacity
        return holds[kind] if kind < len(holds) else inf

    def may(self, stop: int, truck: int) -> bool:
        """Whether the truck may serve the stop at all: cold, and of those named."""
        one = self.stops[stop]
        return (not one.cold or self.trucks[truck].cold) and (
            one.trucks is None or truck in one.trucks)

    def kinds(self) -> list[list[int]]:
        """Trucks that are interchangeable, in order."""
        named = {truck for stop in self.stops for truck in stop.trucks or ()}
        groups: dict[object, list[int]] = {}
        for number, truck in enumerate(self.trucks):
            own = number if number in named else -1
            groups.setdefault((truck.kind, own), []).append(number)
        return list(groups.values())

    def partners(self) -> tuple[dict[int, int], dict[int, int]]:
        """Drop of each pickup, and pickup of each drop."""
        return dict(self.pairs), {drop: pickup for pickup, drop in self.pairs}


def _offenders(problem: RouteProblem) -> list[str]:
    """One sentence for each value that cannot be used."""
    if len(problem.stops) > MOST_STOPS:
        return [f"{len(problem.stops):,} stops are too many for one plan; the most is "
                f"{MOST_STOPS:,}. Plan each depot or each day apart."]
    found = []
    shape = problem.km.shape
    if len(shape) != 2 or shape[0] != shape[1] or problem.hours.shape != shape:
        return [f"the matrices have shapes {problem.km.shape} and {problem.hours.shape}. Give "
                "kilometres and hours between all pairs of places."]
    for name, matrix in (("kilometres", problem.km), ("hours", problem.hours)):
        bad = ~(np.isfinite(matrix) & (matrix >= 0.0))
        if bad.any():
            a, b = (int(x) for x in np.argwhere(bad)[0])
            found.append(f"{name} from place {a} to {b} are {matrix[a, b]:g} "
                         f"({int(bad.sum())} such). Give numbers of 0 or more.")
    if problem.goal not in ("cost", "trucks"):
        found.append(f"goal '{problem.goal}' is unknown. Write cost or trucks.")
    paid = [stop.name for stop in problem.stops if stop.penalty]
    if problem.goal == "trucks" and paid:
        found.append(f"stop '{paid[0]}' may be left out at a price ({len(paid)} such), and fewest "
                     "trucks would leave it out. Choose the goal cost, or insist on every stop.")
    if not problem.trucks:
        found.append("there is no truck. Add a row to trucks.csv.")
    places = shape[0]
    for stop in problem.stops:
        found += _stop_offences(stop, places, len(problem.trucks))
    for truck in problem.trucks:
        found += _truck_offences(truck, places)
    return found + _pair_offences(problem)


def _stop_offences(stop: Stop, places: int, trucks: int) -> list[str]:
    at, found = f"stop '{stop.name}'", []
    if not 0 <= stop.place < places:
        found.append(f"{at}: place {stop.place} is not in the matrices (0 to {places - 1}).")
    if not all(isfinite(q) for q in stop.load):
        found.append(f"{at}: load {stop.load} is not a number. Write a quantity.")
    if not 0.0 <= stop.service < inf:
        found.append(f"{at}: service {stop.service:g} h. Write a duration of 0 or more.")
    if stop.penalty is not None and not 0.0 <= stop.penalty < inf:
        found.append(f"{at}: penalty {stop.penalty:g}. Write 0 or more, or none to insist.")
    if not stop.windows:
        found.append(f"{at}: it has no window. Leave it out for any time.")
    for start, close in stop.windows:
        if isnan(start) or isnan(close) or start == inf:
            found.append(f"{at}: window {start:g} to {close:g} h is not a time.")
        elif close < start:
            found.append(f"{at}: its window closes at {close:g} h, before it opens at {start:g} h."
                         " Swap the two.")
    for (_, close), (later, _) in zip(stop.windows, stop.windows[1:], strict=False):
        if later < close:
            found.append(f"{at}: windows overlap or are out of order at {later:g} h.")
    if stop.trucks is not None and not all(0 <= t < trucks for t in stop.trucks):
        found.append(f"{at}: names a truck that does not exist: {stop.trucks}.")
    return found


def _truck_offences(truck: RouteTruck, places: int) -> list[str]:
    at, found = f"truck '{truck.name}'", []
    ends = (truck.start,) if truck.end is None else (truck.start, truck.end)
    if not all(0 <= place < places for place in ends):
        found.append(f"{at}: starts or ends at a place that is not in the matrices: {ends}.")
    if any(isnan(c) or c < 0.0 for c in truck.capacity):
        found.append(f"{at}: capacity {truck.capacity}. Write 0 or more.")
    named = {"fixed": truck.fixed, "per_km": truck.per_km, "per_hour": truck.per_hour,
             "CO2e empty": truck.co2e_per_km[0], "CO2e full": truck.co2e_per_km[1]}
    found += [f"{at}: {name} {value:g} is no cost. Write 0 or more."
              for name, value in named.items() if not 0.0 <= value < inf]
    if not 0.0 < truck.pace < inf:
        found.append(f"{at}: pace {truck.pace:g}. Write more than 0.")
    if not -inf < truck.earliest < inf or not truck.latest >= truck.earliest:
        found.append(f"{at}: works from {truck.earliest:g} to {truck.latest:g} h. Swap the two.")
    hours = truck.hours
    if hours is not None and not (hours.drive_max > 0.0 and 0.0 <= hours.rest < inf
                                  and hours.day_max > 0.0):
        found.append(f"{at}: driver hours {hours.drive_max:g}, {hours.rest:g}, {hours.day_max:g} h "
                     "cannot be kept. Write durations above 0.")
    return found


def _pair_offences(problem: RouteProblem) -> list[str]:
    found = []
    flat: Sequence[int] = [stop for pair in problem.pairs for stop in pair]
    if not all(0 <= stop < len(problem.stops) for stop in flat):
        return ["a pair names a stop that does not exist."]
    if len(set(flat)) < len(flat):
        found.append("a stop stands in two pairs. Split it into two stops.")
    for pickup, drop in problem.pairs:
        one, two = problem.stops[pickup], problem.stops[drop]
        if any(abs(problem.load(pickup, k) + problem.load(drop, k)) > 1e-9
               or problem.load(pickup, k) > 0.0 for k in range(problem.dimensions)):
            found.append(f"pair '{one.name}' -> '{two.name}': picks up {one.load} and drops "
                         f"{two.load}. The pickup is negative and both have the same size.")
        if (one.penalty is None) != (two.penalty is None):
            found.append(f"pair '{one.name}' -> '{two.name}': both must be served, or neither.")
    return found
