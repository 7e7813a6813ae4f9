"""Trucks: how fast they drive, by truck and by the hour, and how long they drove."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.sample import Batch
from twin.calibrate.timeline import Timeline
from twin.driver_hours import DriverHours
from twin.network import Lane, Truck

Found = Iterator[tuple[Cell, Batch]]


@dataclass(frozen=True, slots=True)
class Leg:
    """One drive of a truck from one place to another."""

    id: int  #: of the row that says it left
    asset: str
    truck: Truck
    lane: Lane | None  #: whose way it is, out or back
    left: float
    came: float
    wheel: tuple[tuple[float, float], ...]  #: spans in which it rolled: rests left out

    @property
    def hours(self) -> float:
        """Hours at the wheel."""
        return sum(end - begin for begin, end in self.wheel)


def speeds(evidence: Evidence) -> Found:
    """Kilometres and hours of each leg, those that touch a breakdown left out.

    Hours count by the factor of the truck's and the lane's profile; hours whose factor is learned
    as well are left out as long as there are others.
    """
    for name, legs in _by_truck(evidence).items():
        km = np.array([evidence.network.distance_km(leg.lane) or 0.0 for leg in legs if leg.lane])
        left, hours = _times(legs)
        factor = np.ones(len(legs))
        for place, leg in enumerate(legs):
            for profile in (leg.truck.profile, leg.lane.profile if leg.lane else None):
                if profile:
                    factor[place] *= float(evidence.pattern(profile).rate(leg.left))
        use = km > 0.0
        if (usual := use & (factor == 1.0)).any():
            use = usual
        if use.any():
            batch = Batch.of([leg.id for leg in legs], km, at=left, size=hours / factor)
            planned = f"{evidence.network.trucks[name].speed_kmh:g}"
            yield Cell("trucks", name, "speed_kmh", planned), batch.of_rows(use)


def speed_factors(evidence: Evidence) -> Found:
    """Hours of a leg over its usual hours, by hour of departure.

    For profiles of trucks whose rows name an hour and no weekday: each such row is a cell; usual is
    the median speed in the hours without a row.
    """
    network = evidence.network
    offset = network.start.hour + network.start.minute / 60.0
    for name, legs in _by_truck(evidence).items():
        profile = network.trucks[name].profile
        hourly = {int(row.hour): row for row in network.profiles.values()
                  if row.profile == profile and row.hour is not None
                  and row.weekday is None and row.month is None}
        if not hourly:
            continue
        km = np.array([network.distance_km(leg.lane) or 0.0 for leg in legs if leg.lane])
        left, hours = _times(legs)
        clock = np.floor((offset + left) % 24.0).astype(int)
        usual = ~np.isin(clock, list(hourly)) & (km > 0.0)
        if not usual.any():
            continue
        slowness = float(np.median(hours[usual] / km[usual]))
        ids = np.array([leg.id for leg in legs])
        for hour, row in hourly.items():
            chosen = (clock == hour) & (km > 0.0)
            if chosen.any():
                cell = Cell("profiles", f"{row.profile},{hour},,", "factor", f"{row.factor:g}")
                yield cell, Batch.of(ids[chosen], hours[chosen], at=left[chosen],
                                     size=slowness * km[chosen])


class Wheels:
    """When each truck of a fleet rolls, its legs asked for in their order."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.hours: dict[str, DriverHours] = {}

    def spans(self, asset: str, left: float, came: float) -> tuple[tuple[float, float], ...]:
        """Spans of a leg in which the truck was neither down nor its driver at rest."""
        rolling, begin = [], left
        for down, up in sorted(self.evidence.downs.get(asset, ())):
            if down < came and up > begin:
                rolling.append((begin, down))
                begin = up
        rolling = [span for span in (*rolling, (begin, came)) if span[1] > span[0]]
        truck = self.evidence.truck(asset)
        if truck is None or truck.crew is None or "+" in asset:  # hired with a driver
            return tuple(rolling)
        hours = self.hours.setdefault(asset, DriverHours(self.evidence.network.crews[truck.crew]))
        return tuple(span for begin, end in rolling for span in hours.drive(begin, end))


def _by_truck(evidence: Evidence) -> dict[str, list[Leg]]:
    """Undisturbed legs on lanes whose time follows from the speed, by row of `trucks`."""
    found: dict[str, list[Leg]] = {}
    for leg in legs_of(evidence):
        if leg.lane is None or leg.lane.transit is not None or leg.left < evidence.begin:
            continue
        up = float(evidence.up(leg.asset).between(leg.left, leg.came))
        if leg.came > leg.left and up >= leg.came - leg.left - 1e-9:
            found.setdefault(leg.truck.truck, []).append(leg)
    return found


def _times(legs: list[Leg]) -> tuple[np.ndarray, np.ndarray]:
    left = np.array([leg.left for leg in legs])
    return left, np.array([leg.hours for leg in legs])


def legs_of(evidence: Evidence) -> list[Leg]:
    """Every leg that ended, in order; worked out once for each evidence.

    Where nobody tells of the trucks themselves, shipments of a fleet of one truck tell of its legs
    out. Breakdowns and the rests that a driver has to take are no driving.
    """
    found = evidence.memory.get("legs")
    if isinstance(found, list):
        return found
    rows = evidence.rows("departing", "arriving")
    told = rows[rows["role"] == "truck"]
    legs = evidence.memory["legs"] = list(_own(evidence, told) if len(told) else
                                          _shipped(evidence, rows))
    return legs


def _own(evidence: Evidence, rows: pd.DataFrame) -> Iterator[Leg]:
    """Legs that trucks tell of themselves."""
    lanes: dict[tuple[str, str, str], Lane] = {}
    for lane in evidence.network.lanes.values():
        if lane.fleet is not None:
            lanes.setdefault((lane.fleet, lane.destination, lane.origin), lane)
    for lane in evidence.network.lanes.values():
        if lane.fleet is not None:
            lanes[lane.fleet, lane.origin, lane.destination] = lane
    since: dict[str, tuple[int, float, str, str]] = {}
    wheels = Wheels(evidence)
    columns = ("id", "time", "event", "asset", "site", "to_site")
    for id_, time, event, asset, site, to_site in zip(*evidence.arrays(rows, *columns),
                                                      strict=True):
        if event == "departing":
            since[asset] = (id_, time, site, to_site)
        elif asset in since:
            begun, left, origin, end = since.pop(asset)
            truck = evidence.truck(asset)
            if truck is not None and end == site:
                way = lanes.get((truck.home, origin, end))
                yield Leg(begun, asset, truck, way, left, time, wheels.spans(asset, left, time))


def _shipped(evidence: Evidence, rows: pd.DataFrame) -> Iterator[Leg]:
    """Legs out of fleets of one truck, from departing to arriving of what they carry."""
    since: dict[tuple[str, int], tuple[int, float]] = {}
    done: set[tuple[str, int]] = set()
    wheels = Wheels(evidence)
    columns = ("id", "time", "event", "asset", "shipment")
    for id_, time, event, asset, shipment in zip(*evidence.arrays(rows, *columns), strict=True):
        parts = asset.split(":")
        way = evidence.network.lanes.get((parts[0], parts[1], parts[2])) if len(parts) == 3 \
            else None
        if way is None or way.fleet is None:
            continue
        if event == "departing":
            since.setdefault((asset, shipment), (id_, time))
            continue
        trucks = [row for row in evidence.network.trucks.values() if row.home == way.fleet]
        docks = {(way.destination, "in"), (way.destination, "both")}
        if len(trucks) == 1 and not docks & set(evidence.network.docks) \
                and (asset, shipment) in since and (asset, shipment) not in done:
            done.add((asset, shipment))
            begun, left = since[asset, shipment]
            name = trucks[0].truck if trucks[0].units == 1 else ""
            yield Leg(begun, name, trucks[0], way, left, time, wheels.spans(name, left, time))


def driving(evidence: Evidence, asset: str) -> Timeline | None:
    """The hours that a truck drove; None where nobody tells."""
    legs = [leg for leg in legs_of(evidence) if leg.asset == asset]
    return Timeline.spans([span for leg in legs for span in leg.wheel]) if legs else None
