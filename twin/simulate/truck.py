"""Trucks: finite, each out on one trip at a time, and they have to come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from math import inf
from typing import TYPE_CHECKING, Any, cast

from twin.network import Truck as TruckRow
from twin.network import great_circle_km
from twin.simulate.driver import Driver
from twin.simulate.fuel import litres_per_100km
from twin.simulate.kernel import FAILURE, RECEIPT, Pause
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.fleet import Fleet, FleetLane
    from twin.simulate.shipment import Consignment, Shipment
    from twin.simulate.tour import Tour
    from twin.simulate.world import World

_EPS = 1e-9
STEPS = ("to_origin", "loading", "out", "unloading", "back", "home")
_LOADED = STEPS.index("out")


class Truck:
    """One vehicle: loads, drives out, unloads, drives back."""

    def __init__(self, world: World, row: TruckRow, name: str, fleet: Fleet, *,
                 hired: bool = False) -> None:
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
        self.left_of_leg: float | None = None  #: of a leg taken up from a saved state
        self.leg_began = 0.0
        self.delayed = False  #: the present leg no longer takes the time drawn
        self.began = 0.0
        self.since = 0.0
        self.leg = 0.0
        self.moving = self.rolling = False
        self.stops: dict[str, None] = {}
        self.warm_since: float | None = None  #: when the refrigeration failed
        self.warm_tolerance = 0.0
        self.on_duty = True  #: by its calendar
        self.hired = True  #: False: no more trips
        self.dismissed_at = inf
        self.at_dock = False  #: waiting for a door, or standing at one
        self.tours: deque[Tour] = deque()  #: planned routes still to be driven
        self.tour: Tour | None = None  #: the one that is being driven
        self.hooks: list[Any] = []  #: failures that age while this truck drives
        crew = None if row.crew is None or hired else world.network.crews[row.crew]
        #: None: always there; who is hired brings a driver
        self.driver: Driver | None = None if crew is None else Driver(self, crew)
        self.reset(self.env._now)

    # -- life ------------------------------------------------------------------------------------
    def run(self) -> Generator[Pause, Any, None]:
        """One trip after another, each step by step."""
        first = STEPS.index(self.phase) if self.phase in STEPS else 0
        while True:
            while not self.load and first == 0 and not self.tours:
                yield self.pause.idle()
            step = first if self.load or first else len(STEPS)
            while step < len(STEPS) and not (step >= _LOADED and self.rerouted):
                yield from _STEP[STEPS[step]](self)
                step += 1
            if self.tours and (self.rerouted or not (self.load or first)):
                yield from self.tours[0].drive(self)
                self.tours.popleft()
            first = 0
            self.trips += 1
            self.trip_hours += self.env._now - self.began
            self.lane = None
            self._phase("idle")
            if self.driver is not None:
                self.driver.get_out()
            self.fleet.wake()

    def board(self) -> Generator[Pause, Any, None]:
        """Wait for a driver."""
        driver = self.driver
        if driver is not None:
            driver.call()
            while not driver.crew.holds(driver):
                yield self.pause.idle()

    def _go(self) -> Generator[Pause, Any, None]:
        """Drive empty to the origin of the load, if that is not home."""
        if self.left_of_leg is None:
            self.began = self.env._now
        yield from self._empty("to_origin")

    def _loading(self) -> Generator[Pause, Any, None]:
        lane = self._lane()
        if self.phase != "loading":
            self._phase("loading")
            self._write_load()
            if lane.dock_out is not None:
                self.at_dock = True
                lane.dock_out.visit(self.load_m3(), self.docked, None)
        while self.at_dock or lane.closures:
            yield self.pause.idle()

    def _out(self) -> Generator[Pause, Any, None]:
        lane = self._lane()
        share = self.load_share()
        if self.shipment is None:
            self.shipment = lane.start(self.load, self.env._now)
            self.fill += share
        self._phase("out")
        yield from self._drive(lane.hours_for(self), lane, share, lane.origin, lane.destination)
        if not self.rerouted:
            lane.unmove(self.shipment)

    def _unloading(self) -> Generator[Pause, Any, None]:
        lane = self._lane()
        if self.phase != "unloading":
            self._phase("unloading")
            if lane.dock_in is not None:
                self.at_dock = True
                lane.dock_in.visit(self.load_m3(), self.docked, None)
        while self.at_dock:
            yield self.pause.idle()
        shipment = self.shipment
        assert shipment is not None
        while not lane.room(shipment):
            yield self.pause.idle()
        self.check_cold()
        self.load, self.shipment = [], None
        lane.unload(shipment)

    def _back(self) -> Generator[Pause, Any, None]:
        lane = self._lane()
        home = lane.reverse or lane
        self._phase("back")
        yield from self._drive(home.hours_for(self), home, 0.0, lane.destination, lane.origin)

    def _home(self) -> Generator[Pause, Any, None]:
        """Drive home from the origin of the load, if that is not home."""
        yield from self._empty("home")

    def _empty(self, phase: str) -> Generator[Pause, Any, None]:
        """Drive between home and the origin of the load."""
        lane, home = self._lane(), self.row.home
        if lane.origin != home:
            sites = self.world.network.sites
            km = great_circle_km(sites[home], sites[lane.origin]) or 0.0
            self._phase(phase)
            ends = (home, lane.origin) if phase == "to_origin" else (lane.origin, home)
            yield from self._drive(km / self.row.speed_kmh, lane, 0.0, *ends, km)
        self.left_of_leg = None

    def _lane(self) -> FleetLane:
        assert self.lane is not None
        return self.lane

    def docked(self, _: Any) -> None:
        """The dock has done its work."""
        self.at_dock = False
        self.pause.wake(RECEIPT)

    def _phase(self, phase: str) -> None:
        now = self.env._now
        if self.phase != "idle":
            self.busy += now - max(self.since, self.reset_at)
        self.phase, self.since = phase, now

    def _write(self, event: str, site: str, to_site: str = "") -> None:
        """Write that the truck itself leaves or comes, with or without a shipment."""
        ledger = self.world.ledger
        if ledger is not None:
            ledger.add(self.env._now, event, site=site, to_site=to_site, asset=self.name,
                       shipment=0 if self.shipment is None else self.shipment.number,
                       role="truck")

    def _write_load(self) -> None:
        """Write what is loaded."""
        lane, ledger = self._lane(), self.world.ledger
        if ledger is None:
            return
        for part in self.load:
            for lot in part.goods or ():
                ledger.add(self.env._now, "starting", site=lane.origin, to_site=lane.destination,
                           product=lot.product, lot=lot.number, quantity=lot.quantity,
                           order=part.order.number, asset=self.name, role="truck")

    def _drive(self, hours: float, lane: FleetLane, share: float, begin: str, end: str,
               km: float | None = None) -> Generator[Pause, Any, None]:
        """Drive for so many hours, less or more as stops and delays will have it."""
        km = lane.km if km is None else km
        row, env = self.row, self.env
        started = env._now
        if self.left_of_leg is not None:  # taken up from a saved state
            self.left, self.left_of_leg = self.left_of_leg, None
        else:
            self.left, self.delayed = hours, False
            litres = litres_per_100km(self.fuel_points, share) * km / 100.0
            lane.drove(self, km, litres)
            self.leg_began = started
            self._write("departing", begin, end)
            if self.driver is not None:
                self.driver.hours.rested = 0.0
        self.moving = True
        while (self.left > _EPS or self.stops) and not (self.rerouted and self.phase == "out"):
            if self.stops:
                yield self.pause.idle()
                continue
            span, began = self.left, env._now
            if self.driver is not None and self.driver.limited:
                span = min(span, self.driver.hours.may_drive(began))
                if span <= 0.0:
                    yield self.pause.until(self.driver.hours.until, RECEIPT)
                    continue
                self.driver.start(began)
            self.leg, self.rolling = began, True
            for hook in self.hooks:
                hook.working()
            yield self.pause.until(began + span, RECEIPT)
            self.left, self.rolling = self.left_now(), False
            if self.driver is not None:
                self.driver.halt(env._now)
            for hook in self.hooks:
                hook.resting()
        self.moving = False
        if self.left <= _EPS:
            self._write("arriving", end)
        lane.pay(row.cost_per_hour * (env._now - started))

    @property
    def rerouted(self) -> bool:
        """Whether its next planned route takes over what is on board now."""
        return self.tour is None and bool(self.tours) and self.tours[0].takes_over

    def left_now(self) -> float:
        """Hours left of the present leg."""
        return self.left if not self.rolling else self.left - (self.env._now - self.leg)

    def relate(self, stretch: float, extra: float) -> None:
        """Stretch what is left of the leg, and add to it."""
        self.delayed = True
        self.left = max(0.0, self.left_now() * stretch + extra)
        self.leg = self.env._now
        self.poke()

    def poke(self) -> None:
        """Look again at how long the present leg will take."""
        if self.moving and self.pause.callbacks:
            self.pause = self.pause.moved(self.env._now, FAILURE)

    @property
    def free(self) -> bool:
        """Whether it could take a load."""
        return (self.lane is None and not self.tours and not self.stops and self.on_duty
                and self.hired)

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

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Book) -> dict[str, Any]:
        """Where the truck is on its trip, and with what."""
        now = self.env._now
        rested = 0.0 if self.driver is None else self.driver.hours.resting(now)
        return {
            "phase": self.phase, "lane": None if self.lane is None else self.lane.name,
            "load": book.load(self.load), "age": now - self.began,
            "leg_age": now - self.leg_began - rested,
            "left": self.left_now() if self.moving else 0.0,
            "departed_age": None if self.shipment is None else now - self.shipment.departed,
            "warm_age": None if self.warm_since is None else now - self.warm_since,
            "at_dock": self.at_dock, "delayed": self.delayed,
            "warm": self.shipment is not None and self.shipment.warm,
        }

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Take up a trip; what is left of a leg depends on how long it has lasted."""
        now = self.env._now
        self.phase, self.since = state["phase"], now
        if state["warm_age"] is not None:
            self.warm_since = now - state["warm_age"]
        if state["lane"] is None:
            return
        lane = self.lane = cast("FleetLane", self.world.lanes[state["lane"]])
        self.load = book.parts(state["load"])
        self.began, self.leg_began = now - state["age"], now - state["leg_age"]
        self.at_dock, self.delayed = state["at_dock"], state["delayed"]
        if self.phase == "out":
            self.shipment = lane.start(self.load, now)
        elif self.phase == "unloading":
            self.shipment = lane.at_door(self.load)
        if self.shipment is not None:
            self.shipment.departed = now - state["departed_age"]
            self.shipment.warm = state["warm"]
        if self.phase in ("out", "back") and not self.delayed:
            leg = lane.reverse or lane if self.phase == "back" else lane
            self.left_of_leg = leg.left_of(state["leg_age"], state["left"])
        elif self.phase in ("to_origin", "out", "back", "home"):
            self.left_of_leg = state["left"]

    # -- stops -----------------------------------------------------------------------------------
    def stop(self, cause: str) -> None:
        """Stand still (a breakdown) until `restart`."""
        self.stops[cause] = None
        self.delayed = True
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
        self.check_cold()
        self.warm_since = None

    def check_cold(self) -> None:
        """Mark a load that was without refrigeration for too long."""
        if self.warm_since is None or self.shipment is None:
            return
        start = max(self.warm_since, self.shipment.departed)
        if self.env._now - start > self.warm_tolerance:
            self.shipment.warm = True

    def set_open(self, is_open: bool) -> None:
        """On or off duty by the calendar: trips start only on duty."""
        self.on_duty = is_open
        if is_open:
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
        elapsed = max(0.0, min(now, self.dismissed_at) - self.reset_at)
        values = {"trips": float(self.trips), "trip_time": self.trip_hours,
                  "truck_busy_time": busy, "truck_clock_time": elapsed,
                  "truck_fill": self.fill, "truck_stops": float(self.failed)}
        for measure, value in values.items():
            yield (measure, self.name, "", ""), value

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("busy", self.name, "", ""), lambda: float(self.phase != "idle")


_STEP = {"to_origin": Truck._go, "loading": Truck._loading, "out": Truck._out,
         "unloading": Truck._unloading, "back": Truck._back, "home": Truck._home}
