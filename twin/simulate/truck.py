"""Trucks: finite, each out on one trip at a time, and they have to come back."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Truck as TruckRow
from twin.network import great_circle_km
from twin.simulate.fuel import litres_per_100km
from twin.simulate.kernel import FAILURE, RECEIPT, Pause
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.fleet import Fleet, FleetLane
    from twin.simulate.lane import Consignment, Shipment
    from twin.simulate.world import World

_EPS = 1e-9


class Truck:
    """One vehicle: loads, drives out, unloads, drives back."""

    def __init__(self, world: World, row: TruckRow, name: str, fleet: Fleet) -> None:
        self.world, self.env, self.row, self.name, self.fleet = world, world.env, row, name, fleet
        self.fuel_points = row.fuel_points
        self.capacity_kg = inf if row.capacity_kg is None else row.capacity_kg
        self.capacity_m3 = inf if row.capacity_m3 is None else row.capacity_m3
        self.refrigerated = row.refrigerated
        self.pattern = world.patterns[row.profile] if row.profile else None
        self.pause = Pause(self.env)
        self.phase = "idle"
        self.lane: FleetLane | None = None
        self.load: list[Consignment] = []
        self.shipment: Shipment | None = None
        self.left = 0.0
        self.slow = 1.0
        self.began = 0.0
        self.since = 0.0
        self.leg = 0.0
        self.moving = self.rolling = False
        self.stops: dict[str, None] = {}
        self.warm_since: float | None = None  #: when the refrigeration failed
        self.warm_tolerance = 0.0
        self.on_duty = True
        self.hooks: list[Any] = []  #: failures that age while this truck drives
        self.reset(0.0)

    # -- life ------------------------------------------------------------------------------------
    def run(self) -> Generator[Pause, Any, None]:
        """One trip after another."""
        while True:
            self._phase("idle")
            while not self.load:
                yield self.pause.idle()
            lane = self.lane
            assert lane is not None
            self.began = self.env._now
            yield from self._to_origin(lane)
            volume = self.load_m3()
            share = self.load_share()
            if lane.dock_out is not None:
                self._phase("loading")
                lane.dock_out.visit(volume, self._docked, None)
                yield self.pause.idle()
            shipment = self.shipment = lane.start(self.load, self.env._now)
            self.fill += share
            self._phase("out")
            yield from self._drive(lane.hours_for(self), lane, share)
            lane.unmove(shipment)
            self._phase("unloading")
            if lane.dock_in is not None:
                lane.dock_in.visit(volume, self._docked, None)
                yield self.pause.idle()
            while not lane.room(shipment):
                yield self.pause.idle()
            self.load = []
            self.shipment = None
            lane.hand_over(shipment, self)
            self._phase("back")
            home = lane.reverse or lane
            yield from self._drive(home.hours_for(self), home, 0.0)
            self.trips += 1
            self.trip_hours += self.env._now - self.began
            self.lane = None
            self._phase("idle")
            self.fleet.wake()

    def _docked(self, _: Any) -> None:
        self.pause.wake(RECEIPT)

    def _phase(self, phase: str) -> None:
        now = self.env._now
        if self.phase != "idle":
            self.busy += now - max(self.since, self.reset_at)
        self.phase, self.since = phase, now

    def _to_origin(self, lane: FleetLane) -> Generator[Pause, Any, None]:
        if lane.origin != self.row.home:
            sites = self.world.network.sites
            km = great_circle_km(sites[self.row.home], sites[lane.origin]) or 0.0
            self._phase("out")
            yield from self._drive(km / self.row.speed_kmh, lane, 0.0, km)

    def _drive(self, hours: float, lane: FleetLane, share: float,
               km: float | None = None) -> Generator[Pause, Any, None]:
        """Drive for so many hours, less or more as stops and delays will have it."""
        km = lane.km if km is None else km
        row, env = self.row, self.env
        litres = litres_per_100km(self.fuel_points, share) * km / 100.0
        lane.drove(self, km, litres, share)
        self.left = hours
        started = env._now
        for hook in self.hooks:
            hook.working(hours)
        self.moving = True
        while self.left > _EPS or self.stops:
            if self.stops:
                yield self.pause.idle()
                continue
            self.leg, self.rolling = env._now, True
            yield self.pause.until(self.leg + self.left, RECEIPT)
            self.left, self.rolling = self.left_now(), False
        self.moving = False
        for hook in self.hooks:
            hook.resting()
        lane.cost += row.cost_per_hour * (env._now - started)

    def left_now(self) -> float:
        """Hours left of the present leg."""
        return self.left if not self.rolling else self.left - (self.env._now - self.leg)

    def relate(self, stretch: float, extra: float) -> None:
        """Stretch what is left of the leg, and add to it."""
        self.left = max(0.0, self.left_now() * stretch + extra)
        self.leg = self.env._now
        self.poke()

    def poke(self) -> None:
        """Look again at how long the present leg will take."""
        if self.moving and self.pause.callbacks:
            self.pause = self.pause.moved(self.env._now, FAILURE)

    def nudge(self) -> None:
        """Wake a truck that waits for room or a load."""
        self.pause.wake(RECEIPT)

    # -- load ------------------------------------------------------------------------------------
    def load_m3(self) -> float:
        """Volume on board."""
        products = self.world.network.products
        return sum(products[p.order.product].volume_m3 * p.quantity for p in self.load)

    def load_share(self) -> float:
        """Share of the capacity in use, by weight or volume, whichever is larger."""
        products = self.world.network.products
        weight = sum(products[p.order.product].weight_kg * p.quantity for p in self.load)
        shares = [0.0]
        if self.capacity_kg < inf:
            shares.append(weight / self.capacity_kg)
        if self.capacity_m3 < inf:
            shares.append(self.load_m3() / self.capacity_m3)
        return max(shares)

    # -- stops -----------------------------------------------------------------------------------
    def stop(self, cause: str) -> None:
        """Stand still (a breakdown) until `restart`."""
        self.stops[cause] = None
        self.failed += 1
        self.poke()

    def restart(self, cause: str) -> None:
        """One cause of standing still has gone."""
        self.stops.pop(cause, None)
        if not self.stops:
            if self.moving:
                self.pause.wake(FAILURE)
            self.fleet.wake()

    def warm(self, tolerance: float) -> None:
        """The refrigeration fails: a cold load spoils after so many hours."""
        self.warm_since, self.warm_tolerance = self.env._now, tolerance

    def cold(self) -> None:
        """The refrigeration works again."""
        self._spoil()
        self.warm_since = None

    def _spoil(self) -> None:
        if self.warm_since is None or self.shipment is None:
            return
        start = max(self.warm_since, self.shipment.departed)
        if self.env._now - start > self.warm_tolerance:
            self.shipment.spoiled = True

    def set_duty(self, on: bool) -> None:
        """On or off duty by the calendar: trips start only on duty."""
        self.on_duty = on
        if on:
            self.fleet.wake()

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.reset_at = now
        self.trips = 0
        self.trip_hours = self.busy = self.fill = 0.0
        self.failed = 0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        busy = self.busy
        if self.phase != "idle":
            busy += now - max(self.since, self.reset_at)
        values = {"trips": float(self.trips), "trip_time": self.trip_hours,
                  "truck_busy_time": busy, "truck_clock_time": now - self.reset_at,
                  "truck_fill": self.fill, "truck_stops": float(self.failed)}
        for measure, value in values.items():
            yield (measure, self.name, "", ""), value

    def samples(self, now: float) -> Iterator[tuple[Key, float]]:
        """What a snapshot shows."""
        yield ("busy", self.name, "", ""), float(self.phase != "idle")
