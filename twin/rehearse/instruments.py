"""Instruments on an operation: what each of its sensors would send, step by step.

An instrument looks at a view of the operation and says what it measures, with noise. Each has luck
of its own, found by its name, so that one more sensor leaves the others' readings as they are.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from twin.network import Network
from twin.network import Sensor as SensorRow
from twin.rehearse.failing import Failing
from twin.simulate.fuel import litres_per_100km
from twin.simulate.operation import Room, Shelf, Vehicle, View

Message = dict[str, Any]
_AMBIENT_C = 24.0
_WARMING_H = 12.0  #: time constant of a room without cooling
_COOLING_H = 1.5
_HARSH_PER_H = 0.08


class Instrument(Protocol):
    """Something that measures."""

    name: str
    site: str
    asset: str
    every: float  #: hours between readings
    charge: float  #: of its battery, per cent

    def read(self, view: View, elapsed: float) -> Iterator[Message]:
        """What it says now; `elapsed` hours after its last reading."""
        ...

    def fails(self, failing: Sequence[Failing], settle_h: float) -> None:
        """Let what it looks at degrade, by hours after a time of the model."""
        ...


def luck_of(seed: int, name: str) -> np.random.Generator:
    """The luck of one instrument."""
    mark = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(mark, "big")])


@dataclass(slots=True)
class _Part:
    """What every instrument has."""

    name: str
    site: str
    asset: str
    every: float
    luck: np.random.Generator
    charge: float = 100.0
    failing: Sequence[Failing] = ()
    settle_h: float = 0.0

    def fails(self, failing: Sequence[Failing], settle_h: float) -> None:
        """Let what it looks at degrade, by hours after a time of the model."""
        self.failing, self.settle_h = failing, settle_h


class Thermometer(_Part):
    """The air of a room or a refrigerated truck: near its set point, off to ambient when cooling
    fails, back when it works again. Humidity follows, and the door now and then.
    """

    __slots__ = ("air", "high", "low")

    def place(self, low: float | None, high: float | None) -> Thermometer:
        """Where the air is kept."""
        self.low = low if low is not None else (_AMBIENT_C - 6.0 if high is None else high - 4.0)
        self.high = high if high is not None else self.low + 6.0
        self.air = (self.low + self.high) / 2.0
        return self

    def read(self, view: View, elapsed: float) -> Iterator[Message]:
        thing: Room | Vehicle | None = next(
            (room for room in view.rooms if room.name == self.asset), None) or next(
            (car for car in view.vehicles if car.name == self.asset), None)
        warm = thing is not None and thing.warm
        target, slow = (_AMBIENT_C, _WARMING_H) if warm else (
            (self.low + self.high) / 2.0, _COOLING_H)
        share = 1.0 - math.exp(-elapsed / slow)
        swing = 0.06 * (self.high - self.low)
        self.air += (target - self.air) * share + swing * math.sqrt(min(1.0, elapsed)) * \
            self.luck.normal()
        yield {"kind": "temperature", "value": round(self.air + 0.05 * self.luck.normal(), 2)}
        humidity = 55.0 + 6.0 * self.luck.normal() + (15.0 if warm else 0.0)
        yield {"kind": "humidity", "value": round(min(100.0, max(0.0, humidity)), 1)}


class Tracker(_Part):
    """The box in a truck: position, speed, kilometres, fuel, harsh manoeuvres."""

    __slots__ = ("burns", "ends", "fuel", "km", "tank", "temper", "was")

    def place(self, ends: Mapping[str, tuple[float, float]],
              burns: tuple[float, ...]) -> Tracker:
        """Where the sites are; litres on 100 km from empty to full."""
        self.ends, self.burns = ends, burns if any(burns) else (28.0,)
        self.tank = self.fuel = 400.0
        self.km = 1_000.0 * self.luck.integers(20, 300)
        self.temper = float(self.luck.gamma(4.0, 0.25))  # how the driver drives
        self.was: tuple[str, float] = ("idle", 0.0)
        return self

    def read(self, view: View, elapsed: float) -> Iterator[Message]:
        car = next((car for car in view.vehicles if car.name == self.asset), None)
        if car is None:
            return
        where = _where(car, self.ends)
        if where is None:
            return
        moving = car.phase in ("to_origin", "out", "back", "home")
        driven = 0.0
        if moving:
            before = self.was[1] if self.was[0] == car.phase else 0.0
            driven = max(0.0, car.share - before) * car.km
        self.was = (car.phase, car.share)
        self.km += driven
        litres = litres_per_100km(self.burns, car.full) / 100.0
        self.fuel -= driven * litres * (1.0 + 0.05 * self.luck.normal())
        if not moving and self.fuel < 0.4 * self.tank:
            self.fuel = self.tank
        jitter = 8e-5 * self.luck.normal(size=2)  # about nine metres
        latitude, longitude = where[0] + jitter[0], where[1] + jitter[1]
        yield {"kind": "position", "latitude": round(float(np.clip(latitude, -90, 90)), 6),
               "longitude": round(_wrapped(float(longitude)), 6),
               "state": car.phase, **({"shipment": str(car.shipment)} if car.shipment else {})}
        speed = driven / elapsed if elapsed else 0.0
        yield {"kind": "speed", "value": round(max(0.0, speed * (1 + 0.05 * self.luck.normal())),
                                               1)}
        yield {"kind": "odometer", "value": round(self.km, 2)}
        yield {"kind": "fuel", "value": round(max(0.0, self.fuel + 0.5 * self.luck.normal()), 1)}
        for _ in range(int(self.luck.poisson(_HARSH_PER_H * self.temper * elapsed * moving))):
            yield {"kind": "driving", "value": round(0.3 + float(self.luck.exponential(0.1)), 2),
                   "state": str(self.luck.choice(["braking", "acceleration", "cornering",
                                                  "speeding"]))}


class Beacon(_Part):
    """A logger that travels with each carrier's shipment: position and shocks."""

    __slots__ = ("ends",)

    def place(self, ends: Mapping[str, tuple[float, float]]) -> Beacon:
        """Where the sites are."""
        self.ends = ends
        return self

    def read(self, view: View, elapsed: float) -> Iterator[Message]:
        for car in view.vehicles:
            if car.truck or not car.name.startswith(f"{self.asset}#"):
                continue
            where = _where(car, self.ends)
            if where is not None:
                yield {"kind": "position", "shipment": str(car.shipment),
                       "latitude": round(where[0], 4), "longitude": round(where[1], 4)}
            if self.luck.random() < 0.002 * elapsed:
                yield {"kind": "shock", "shipment": str(car.shipment),
                       "value": round(2.0 + float(self.luck.exponential(3.0)), 1)}


class Monitor(_Part):
    """A machine's condition: vibration, bearing temperature and pressure tell how worn it is."""

    __slots__ = ("hours", "power_kw", "shape")

    def place(self, power_kw: float) -> Monitor:
        """What it draws while it works."""
        self.power_kw = power_kw or 5.0
        self.hours = float(self.luck.integers(200, 9000))
        self.shape = 3.0 + self.luck.random()
        return self

    def read(self, view: View, elapsed: float) -> Iterator[Message]:
        tool = next((tool for tool in view.tools if tool.name == self.asset), None)
        if tool is None:
            return
        works = tool.state == "processing"
        self.hours += elapsed * works
        yield {"kind": "machine_state", "state": tool.state,
               **({"product": tool.product} if tool.product else {})}
        yield {"kind": "runtime", "value": round(self.hours, 2)}
        load = 1.0 if works else 0.15
        yield {"kind": "power", "value": round(self.power_kw * load * (
            1.0 + 0.04 * self.luck.normal()), 3)}
        if not works:
            return
        worn: float = tool.wear ** self.shape
        gone = sum(one.gone(view.time - self.settle_h) for one in self.failing)
        yield {"kind": "vibration", "value": round(
            (1.8 + 5.5 * worn + 9.0 * gone) * math.exp(0.08 * self.luck.normal()), 3)}
        yield {"kind": "temperature", "value": round(
            48.0 + 22.0 * worn + 35.0 * gone + self.luck.normal(), 2)}
        yield {"kind": "pressure", "value": round(max(0.0, 6.0 - 1.2 * worn
                                                      + 0.05 * self.luck.normal()), 3)}


class Counter(_Part):
    """Somebody counts the shelves of a site, with a slip now and then."""

    __slots__ = ()

    def read(self, view: View, elapsed: float) -> Iterator[Message]:
        for shelf in view.shelves:
            if shelf.site == self.site:
                yield {"kind": "count", "product": shelf.product, "quantity": self._seen(shelf)}

    def _seen(self, shelf: Shelf) -> float:
        slip = int(self.luck.integers(-2, 3)) if self.luck.random() < 0.03 else 0
        return max(0.0, round(shelf.on_hand + slip, 6))


def instruments_of(network: Network, seed: int) -> list[Instrument]:
    """The instruments of a model: its rows of `sensors`, and what any chain would have besides.

    Names are unique; a row of `sensors` for the same asset and measure gives its interval.
    """
    rows = _rows_by_asset(network)
    ends = {site.site: (site.latitude, site.longitude) for site in network.sites.values()
            if site.latitude is not None and site.longitude is not None}
    found: list[Instrument] = []

    def part(cls: Any, measure: str, site: str, asset: str, every: float) -> Any:
        row = rows.get((asset, measure))
        name = row.sensor if row is not None else f"{measure}_{asset or site}".replace(
            ":", "_").replace("/", "_").replace("#", "_")
        return cls(name, site, asset, (row.interval if row and row.interval else every),
                   luck_of(seed, name))

    for area in network.storage.values():
        asset = f"{area.site}/{area.area}"
        found.append(part(Thermometer, "temperature", area.site, asset, 0.25)
                     .place(area.min_c, area.max_c))
    for truck in network.trucks.values():
        for name in _units(truck.truck, truck.units):
            found.append(part(Tracker, "position", truck.home, name, 0.25)
                         .place(ends, truck.fuel_points))
            if truck.refrigerated:
                found.append(part(Thermometer, "temperature", truck.home, name, 0.25)
                             .place(2.0, 8.0))
    for lane in network.lanes.values():
        if lane.fleet is None:
            name = f"{lane.origin}:{lane.destination}:{lane.mode}"
            found.append(part(Beacon, "position", lane.origin, name, 6.0).place(ends))
    for machine in network.machines.values():
        for name in _units(machine.machine, machine.units):
            found.append(part(Monitor, "vibration", machine.site, name, 0.5)
                         .place(machine.power_kw))
    for site in dict.fromkeys(site for site, _ in network.stock):
        found.append(part(Counter, "count", site, "", 24.0))
    return found


def _rows_by_asset(network: Network) -> dict[tuple[str, str], SensorRow]:
    rows: dict[tuple[str, str], SensorRow] = {}
    for row in network.sensors.values():
        asset = (row.asset or "").replace(":", "/", 1) if row.asset and row.asset.count(":") == 1 \
            else row.asset or ""
        rows.setdefault((asset, row.measure or ""), row)
    return rows


def _units(name: str, units: int) -> list[str]:
    return [name] if units == 1 else [f"{name}#{number}" for number in range(1, units + 1)]


def _where(car: Vehicle, ends: Mapping[str, tuple[float, float]]) -> tuple[float, float] | None:
    """Latitude and longitude of a vehicle, on the straight way between its sites."""
    places = {"idle": (car.home, car.home), "to_origin": (car.home, car.origin),
              "loading": (car.origin, car.origin), "out": (car.origin, car.destination),
              "unloading": (car.destination, car.destination),
              "back": (car.destination, car.origin), "home": (car.origin, car.home)}
    first, last = places.get(car.phase, ("", ""))
    if first not in ends or last not in ends:
        return None
    (lat0, lon0), (lat1, lon1) = ends[first], ends[last]
    across = (lon1 - lon0 + 180.0) % 360.0 - 180.0
    return lat0 + (lat1 - lat0) * car.share, _wrapped(lon0 + across * car.share)


def _wrapped(longitude: float) -> float:
    """The same meridian, from -180 to 180."""
    return (longitude + 180.0) % 360.0 - 180.0
