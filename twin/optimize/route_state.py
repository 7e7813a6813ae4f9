"""The routing problem of this moment: goods that wait for own trucks, and trucks on the road.

Times count from the moment of the state. What waits on a lane for one destination is bundled into
loads that a truck can carry; a truck under way with goods is bound to deliver them, from where it
is: between two sites it may go on or turn back. A truck on its way home may leave again from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np

from twin.network import Lane, Network, Truck, great_circle_km
from twin.optimize.route_problem import (
    MOST_STOPS,
    DriverHours,
    RouteProblem,
    RouteTruck,
    Stop,
    Trip,
)
from twin.optimize.route_times import timed
from twin.state import State

#: Open spans of a calendar at a site between two times, hours from the start of the model.
Hours = Callable[[str, str, float, float], Sequence[tuple[float, float]]]

_SPEED = 60.0
_HORIZON = 24.0 * 7

#: (order, product, units)
Drop = tuple[int, str, float]


@dataclass(frozen=True, slots=True)
class Round:
    """The problem and what its numbers stand for.

    Attributes
    ----------
    drops
        Goods of each stop; of a pickup, negative.
    names, depots
        Of each truck of the problem: the vehicle, and its home.
    sites
        Of each stop.
    waiting
        Loads that were left aside, with why.
    """

    problem: RouteProblem | None
    drops: tuple[tuple[Drop, ...], ...] = ()
    names: tuple[str, ...] = ()
    depots: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()


def round_of(network: Network, state: State, *, hours: Hours | None = None,
             penalty: float | None = None) -> Round:
    """What waits for the fleets of a network, and their trucks.

    Parameters
    ----------
    hours
        Opening hours of calendars; None: always open.
    penalty
        Cost of leaving a waiting load for a later trip; None: ten times its own trip there and back
        by the dearest truck.
    """
    return _Round(network, state, hours, penalty).made()


class _Round:
    def __init__(self, network: Network, state: State, hours: Hours | None,
                 penalty: float | None) -> None:
        self.network, self.state, self.hours = network, state, hours
        self.penalty = penalty
        self.lanes = {f"{a.origin}:{a.destination}:{a.mode}": a for a in network.lanes.values()}
        self.orders = {row["number"]: row for row in state.orders}
        self.places: dict[str, int] = {}
        self.far: list[tuple[int, float, int, float, int]] = []  #: trucks between two sites
        self.trucks: list[RouteTruck] = []
        self.rows: list[Truck] = []
        self.names: list[str] = []
        self.stops: list[Stop] = []
        self.sites: list[str] = []
        self.drops: list[tuple[Drop, ...]] = []
        self.pairs: list[tuple[int, int]] = []
        self.waiting: list[tuple[str, str]] = []
        self.again: list[tuple[int, int, list[int]]] = []

    def made(self) -> Round:
        """Trucks first, then what waits; the matrices last."""
        for row in self.network.trucks.values():
            for number in range(1, row.units + 1):
                name = row.truck if row.units == 1 else f"{row.truck}#{number}"
                self._truck(row, name)
        for name in sorted(self.lanes):
            if self.lanes[name].fleet is not None:
                self._lane(self.lanes[name], self.state.actors.get(name, {}).get("waiting", []))
        if not self.stops:
            return Round(None, waiting=tuple(self.waiting))
        km, driven = self._matrices()
        problem = RouteProblem(km, driven, tuple(self.stops), tuple(self.trucks),
                               tuple(self.pairs))
        problem = self._second_trips(problem)
        return Round(self._penalties(problem), tuple(self.drops), tuple(self.names),
                     tuple(row.home for row in self.rows), tuple(self.sites), tuple(self.waiting))

    # -- trucks ----------------------------------------------------------------------------------
    def _truck(self, row: Truck, name: str) -> None:
        """One vehicle, by what it is doing."""
        doing = self.state.actors.get(f"fleet {row.home}", {}).get(name, {})
        phase, lane = doing.get("phase", "idle"), self.lanes.get(doing.get("lane") or "")
        home = self._place(row.home)
        if phase == "idle" or lane is None:
            self._add(row, name, home, self._on_duty(row, 0.0))
            return
        left = float(doing.get("left", 0.0))
        if phase in ("to_origin", "loading", "out") and doing.get("load"):
            start, ready = self._position(row, lane, phase, left)
            number = self._add(row, name, start, ready)
            bound = self._on_board(doing["load"], lane, number)
            self.again.append((self._add(row, f"{name} (next trip)", home, 0.0, name), number,
                               bound))
            return
        back = left
        if phase == "unloading":
            back = self._km(lane.destination, row.home) / row.speed_kmh
        elif lane.origin != row.home and phase == "back":
            back += self._km(lane.origin, row.home) / row.speed_kmh
        self._add(row, name, home, self._on_duty(row, back))

    def _add(self, row: Truck, name: str, start: int, ready: float, vehicle: str = "") -> int:
        crew = self.network.crews.get(row.crew or "")
        limits = None
        if crew is not None and (crew.drive_max or crew.day_max):
            limits = DriverHours(crew.drive_max or inf, crew.break_ or 0.0, crew.day_max or inf)
        self.trucks.append(RouteTruck(
            name, start, self._place(row.home), (row.capacity_kg or inf, row.capacity_m3 or inf),
            row.refrigerated, 0.0, row.cost_per_km, row.cost_per_hour, ready, inf,
            _SPEED / row.speed_kmh, limits, self._co2e(row)))
        self.rows.append(row)
        self.names.append(vehicle or name)
        return len(self.trucks) - 1

    def _co2e(self, row: Truck) -> tuple[float, float]:
        """Kilograms a kilometre, empty and full, by its fuel."""
        factors = self.network.emissions
        litre = factors.get((row.fuel or "", "l"))
        kilo = factors.get((row.fuel or "", "kg"))
        each = litre.total if litre else kilo.total * (kilo.kg_per_l or 1.0) if kilo else 0.0
        points = row.fuel_points
        return points[0] / 100.0 * each, points[-1] / 100.0 * each

    def _on_duty(self, row: Truck, ready: float) -> float:
        """When it and its driver may start a trip."""
        crew = self.network.crews.get(row.crew or "")
        calendars = [(row.calendar, row.home)]
        if crew is not None:
            calendars.append((crew.calendar, crew.site or row.home))
        now = self.state.clock_h
        spans = self._open(calendars, now + ready, now + ready + _HORIZON)
        return spans[0][0] - now if spans else ready + _HORIZON

    def _open(self, calendars: Sequence[tuple[str | None, str]], begin: float, end: float
              ) -> list[tuple[float, float]]:
        """When all of these calendars, each of a site, are open."""
        spans = [(begin, end)]
        for name, site in calendars:
            if name and self.hours is not None:
                spans = [(max(a, c), min(b, d)) for a, b in spans
                         for c, d in self.hours(name, site, begin, end)
                         if max(a, c) < min(b, d)]
        return spans

    def _position(self, row: Truck, lane: Lane, phase: str, left: float) -> tuple[int, float]:
        """Where a loaded truck is, as a place of its own, and when it can go from there."""
        if phase == "loading":
            return self._place(lane.origin), 0.0
        if phase == "to_origin":
            return self._place(lane.origin), left
        whole = self._km(lane.origin, lane.destination)
        ahead = left * row.speed_kmh
        spot = self._place(f"on the way to {lane.destination} ({len(self.far)})")
        self.far.append((spot, max(0.0, whole - ahead), self._place(lane.origin), ahead,
                         self._place(lane.destination)))
        return spot, 0.0

    def _on_board(self, load: list[dict[str, Any]], lane: Lane, truck: int) -> list[int]:
        """The goods of a truck under way are bound to it."""
        drops = tuple(self._drop(part) for part in load)
        self._stop(lane.destination, drops, lane.refrigerated, (truck,))
        return [len(self.stops) - 1]

    # -- goods -----------------------------------------------------------------------------------
    def _drop(self, part: dict[str, Any]) -> Drop:
        return part["order"], self.orders[part["order"]]["product"], float(part["quantity"])

    def _weigh(self, drops: Sequence[Drop]) -> tuple[float, float]:
        products = self.network.products
        return (sum(products[p].weight_kg * units for _, p, units in drops),
                sum(products[p].volume_m3 * units for _, p, units in drops))

    def _lane(self, lane: Lane, waiting: list[dict[str, Any]]) -> None:
        """What waits on a lane, in loads that its trucks can carry."""
        able = [n for n, row in enumerate(self.rows) if row.home == lane.fleet]
        cold = [n for n in able if self.rows[n].refrigerated or not lane.refrigerated]
        if not waiting:
            return
        if not cold:
            self.waiting.append((f"{lane.origin} -> {lane.destination}",
                                 f"no {'refrigerated ' if able else ''}truck has its home at "
                                 f"{lane.fleet}"))
            return
        most = tuple(max(self.trucks[n].capacity[k] for n in cold) for k in (0, 1))
        for drops in self._bundles(waiting, most):
            load = self._weigh(drops)
            if lane.origin == lane.fleet:
                at_home = tuple(n for n in able if self.trucks[n].start == self._place(
                    self.rows[n].home))
                self._stop(lane.destination, drops, lane.refrigerated, at_home)
                continue
            taken = tuple((order, product, -units) for order, product, units in drops)
            self._stop(lane.origin, taken, lane.refrigerated, tuple(able),
                       (-load[0], -load[1]), way="out")
            self._stop(lane.destination, drops, lane.refrigerated, tuple(able))
            self.pairs.append((len(self.stops) - 2, len(self.stops) - 1))

    def _bundles(self, waiting: list[dict[str, Any]], most: tuple[float, ...]
                 ) -> Iterator[tuple[Drop, ...]]:
        """First come, first bundled; orders larger than a truck go in pieces of whole units."""
        bundle: list[Drop] = []
        for part in waiting:
            order, product, units = self._drop(part)
            each = self._weigh([(order, product, 1.0)])
            while units > 1e-9:
                held = self._weigh(bundle)
                room = min(((m - h) / e for m, h, e in zip(most, held, each, strict=True) if e),
                           default=inf) + 1e-9
                take = units if units <= room else float(int(room))
                if take <= 0.0 and bundle:
                    yield tuple(bundle)
                    bundle = []
                    continue
                take = take or units  # a unit larger than any truck: the reasons will say so
                bundle.append((order, product, take))
                units -= take
        if bundle:
            yield tuple(bundle)

    def _stop(self, site: str, drops: tuple[Drop, ...], cold: bool, trucks: tuple[int, ...],
              load: tuple[float, float] | None = None, way: str = "in") -> None:
        if len(self.stops) == MOST_STOPS:
            raise ValueError(f"more than {MOST_STOPS:,} loads wait for trucks at once, too many "
                             "for one plan. Plan each depot or each day apart.")
        weight = self._weigh(drops) if load is None else load
        dock = next((d for d in self.network.docks.values()
                     if d.site == site and d.direction in (way, "both")), None)
        service = 0.0 if dock is None else dock.time.mean() + dock.time_per_m3 * abs(weight[1])
        calendars = [self.network.sites[site].calendar, dock.calendar if dock else None]
        if way == "in":
            rows = [row for row in self.network.windows.values() if row.site == site]
            calendars += [row.calendar for row in rows[:1]]
            service += max((row.service for row in rows), default=0.0)
        orders = ", ".join(str(number) for number, _, _ in drops[:3])
        name = f"{site} (orders {orders}{' ...' if len(drops) > 3 else ''})"
        self.stops.append(Stop(name, self._place(site), weight, self._windows(site, calendars),
                               service, None, cold, trucks))
        self.sites.append(site)
        self.drops.append(drops)

    def _windows(self, site: str, calendars: Sequence[str | None]
                 ) -> tuple[tuple[float, float], ...]:
        """When all of its calendars let it receive, in hours from now."""
        if self.hours is None or not any(calendars):
            return ((0.0, inf),)
        now = self.state.clock_h
        spans = self._open([(name, site) for name in calendars], now, now + _HORIZON)
        return tuple((begin - now, end - now) for begin, end in spans) or ((0.0, inf),)

    # -- distances -------------------------------------------------------------------------------
    def _place(self, name: str) -> int:
        return self.places.setdefault(name, len(self.places))

    def _km(self, a: str, b: str) -> float:
        """Along a lane either way, else over the globe."""
        if a == b:
            return 0.0
        for one, two in ((a, b), (b, a)):
            found = [self.network.distance_km(lane) for lane in self.lanes.values()
                     if (lane.origin, lane.destination) == (one, two) and lane.fleet is not None]
            if found and found[0] is not None:
                return float(found[0])
        sites = self.network.sites
        away = great_circle_km(sites[a], sites[b])
        if away is None:
            raise ValueError(f"no distance is known between {a} and {b}. Give both latitude and "
                             "longitude in sites.csv, or a lane with distance_km.")
        return away

    def _hours(self, a: str, b: str) -> float | None:
        """Mean transit of a fleet's own lane, where the table gives one."""
        for one, two in ((a, b), (b, a)):
            for lane in self.lanes.values():
                if (lane.origin, lane.destination) == (one, two) and lane.fleet is not None \
                        and lane.transit is not None:
                    return lane.transit.mean()
        return None

    def _matrices(self) -> tuple[np.ndarray, np.ndarray]:
        size = len(self.places)
        km, hours = np.zeros((size, size)), np.zeros((size, size))
        spots = {spot for spot, *_ in self.far}
        known = [(name, n) for name, n in self.places.items() if n not in spots]
        pace = self.trucks[0].pace
        for a, i in known:
            for b, j in known:
                if i != j:
                    km[i, j] = self._km(a, b)
                    given = self._hours(a, b)
                    hours[i, j] = km[i, j] / _SPEED if given is None else given / pace
        for spot, behind, origin, ahead, goal in self.far:
            for _, j in known:
                way = min(behind + km[origin, j], ahead + km[goal, j])
                km[spot, j] = km[j, spot] = way
                hours[spot, j] = hours[j, spot] = way / _SPEED
        return km, hours

    # -- what follows from the matrices ----------------------------------------------------------
    def _second_trips(self, problem: RouteProblem) -> RouteProblem:
        """A loaded truck may leave again from home when it is back."""
        trucks = list(problem.trucks)
        for later, now, bound in self.again:
            tour = timed(problem, Trip(now, tuple(bound)))
            back = 0.0 if tour is None else tour.back
            trucks[later] = replace(trucks[later],
                                    earliest=self._on_duty(self.rows[later], back))
        return replace(problem, trucks=tuple(trucks))

    def _penalties(self, problem: RouteProblem) -> RouteProblem:
        """What leaving a load for a later trip costs; what is on board must be delivered."""
        bound = {stop for _, _, stops in self.again for stop in stops}
        drops = dict(problem.pairs)
        pickups = {drop: pickup for pickup, drop in problem.pairs}
        stops = []
        for number, stop in enumerate(problem.stops):
            if number in bound:
                stops.append(stop)
                continue
            goal = problem.stops[drops.get(number, number)].place
            origin = problem.stops[pickups.get(number, number)].place
            price = self.penalty
            if price is None:
                price = 10.0 * max(
                    truck.per_km * 2.0 * (problem.km[truck.start, origin] + problem.km[origin, goal]
                                          + problem.km[truck.start, goal])
                    + truck.per_hour * 2.0 * problem.hours[truck.start, goal] * truck.pace
                    for truck in problem.trucks) + 1.0
            stops.append(replace(stop, penalty=float(price)))
        return replace(problem, stops=tuple(stops))
