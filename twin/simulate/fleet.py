"""A fleet: the trucks of one home, and the lanes that they serve."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, inf
from typing import TYPE_CHECKING, Any

from twin.network import Lane as LaneRow
from twin.network import Truck as TruckRow
from twin.simulate.kernel import START
from twin.simulate.lane import Lane
from twin.simulate.shipment import Consignment, Shipment, split_goods
from twin.simulate.truck import Truck
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.world import World

_EPS = 1e-9


class FleetLane(Lane):
    """A lane that an own fleet drives: loads wait for a truck, and for being full enough."""

    def __init__(self, world: World, row: LaneRow) -> None:
        super().__init__(world, row)
        self.fleet = world.fleets[row.fleet or ""]
        self.fleet.lanes.append(self)
        self.direct = False
        self.reverse: FleetLane | None = None
        self.max_wait = inf if row.max_wait is None else row.max_wait

    def connect(self) -> None:
        """Bind docks and the way back."""
        super().connect()
        back = self.world.lanes.get(f"{self.destination}:{self.origin}:{self.row.mode}")
        self.reverse = back if isinstance(back, FleetLane) else None

    def mean_transit(self) -> float:
        """Mean hours of the way out."""
        if self.row.transit is not None:
            return self.row.transit.mean()
        return self.km / self.fleet.speed_kmh()

    def hours_for(self, truck: Truck) -> float:
        """Hours of one way, drawn or by distance and speed."""
        hours = self.transit() if self.row.transit is not None else self.km / truck.row.speed_kmh
        hours = hours * self.transit_factor + self.transit_add
        for pattern in (self.pattern, truck.pattern):
            if pattern is not None:
                hours *= pattern(self.env._now)
        return max(0.0, hours)

    def left_of(self, age: float, planned: float) -> float:
        """Hours left of a leg that has lasted `age`; as planned where it is not random."""
        transit = self.row.transit
        if transit is None or transit.kind in ("constant", "series", "ar1") or (
                self.transit_factor, self.transit_add, self.pattern) != (1.0, 0.0, None):
            return planned
        return self.world.streams.remaining(self.name, "transit", transit, age)

    # -- loading ---------------------------------------------------------------------------------
    def picked(self, load: list[Consignment]) -> None:
        """Goods are ready and wait for a truck."""
        super().picked(load)
        self._remind(load)

    def _remind(self, load: list[Consignment]) -> None:
        """Look again when goods have waited as long as they may."""
        if self.row.min_load and self.max_wait < inf:
            for part in load:
                due = max(self.env._now, part.ready + self.max_wait)
                self.env.call(due, START, self._overdue)

    def wake(self) -> None:
        """See at the end of this instant whether a truck can go."""
        self.fleet.wake()

    def _overdue(self, _: Any) -> None:
        self.fleet.wake()

    def ready(self, truck: Truck) -> bool:
        """Whether a load for this truck may leave now."""
        if not self.waiting or self.closures or (self.row.refrigerated and not truck.refrigerated):
            return False
        now = self.env._now
        if self.row.departures is not None and self._next_departure() > now + _EPS:
            self.fleet.wake_at(self._next_departure())
            return False
        if not self.row.min_load or now - self.waiting[0].ready >= self.max_wait - _EPS:
            return True
        weight = volume = 0.0
        for part in self.waiting:
            thing = self.products[part.order.product]
            weight += thing.weight_kg * part.quantity
            volume += thing.volume_m3 * part.quantity
            if max(weight / truck.capacity_kg, volume / truck.capacity_m3) \
                    >= self.row.min_load - _EPS:
                return True
        return False

    def take_load(self, truck: Truck) -> list[Consignment]:
        """Fill a truck from the goods that wait, first come first, whole units."""
        load: list[Consignment] = []
        kg, m3 = truck.capacity_kg, truck.capacity_m3
        while self.waiting:
            part = self.waiting[0]
            thing = self.products[part.order.product]
            units = min(kg / thing.weight_kg if thing.weight_kg else inf,
                        m3 / thing.volume_m3 if thing.volume_m3 else inf) + _EPS
            if units >= part.quantity:
                load.append(self.waiting.pop(0))
                took = part.quantity
            else:
                took = float(floor(units))
                if took < 1.0 and load:
                    break
                took = took or units  # a unit larger than the truck goes in pieces
                goods = split_goods(part.goods, took)
                part.quantity -= took
                load.append(Consignment(part.order, took, goods, part.ready))
                kg = m3 = 0.0
            kg -= took * thing.weight_kg
            m3 -= took * thing.volume_m3
            if min(kg, m3) <= _EPS:
                break
        return load

    # -- on the way ------------------------------------------------------------------------------
    def drove(self, truck: Truck, km: float, litres: float) -> None:
        """Book a leg: distance, fuel, cost and CO2e."""
        self.distance += km
        self.fuel += litres
        self.pay(km * truck.row.cost_per_km * self.world.fuel_price.get(
            truck.row.fuel or "", 1.0))
        shipment = truck.shipment  # None on empty legs
        tkm = shipment.weight_kg * km / 1000.0 if shipment is not None else 0.0
        self.tkm += tkm
        if shipment is not None:
            self.pay(self.row.cost_per_shipment + self.row.cost_per_kg * shipment.weight_kg)
        fuel = truck.row.fuel
        emissions = self.world.network.emissions
        if fuel is not None and (row := emissions.get((fuel, "l"))) is not None:
            amount = litres
        elif fuel is not None and (row := emissions.get((fuel, "kg"))) is not None:
            amount = litres * (row.kg_per_l or 1.0)
        else:
            row, amount = None, 0.0
        if row is not None:
            self.direct_kg += amount * row.direct
            self.total_kg += amount * row.total
        elif self.factors is not None:
            self.direct_kg += tkm * self.factors[0]
            self.total_kg += tkm * self.factors[1]

    def pay(self, amount: float) -> None:
        """Pay for transport; what expediting adds is counted apart."""
        self.cost += amount
        self.expedited += amount * (self.cost_factor - 1.0)

    def delay(self, factor: float, add: float, *, in_transit: bool = True) -> None:
        """Change the time of the legs, of those under way too."""
        stretch = factor / self.transit_factor if self.transit_factor else 1.0
        extra = add - self.transit_add
        self.transit_factor, self.transit_add = factor, add
        if not in_transit:
            return
        for truck in self.fleet.trucks:
            if truck.lane is self and truck.phase == "out" and truck.moving:
                truck.relate(stretch, extra)

    def room(self, shipment: Shipment) -> bool:
        """Whether what came may be unloaded: the way in is open and the storage has room."""
        waits = bool(self.arrivals_closed)
        for part in shipment.load:
            area = getattr(part.order.buyer, "area", None)
            if area is not None and area.waiting:
                waits = True
                break
        if waits:
            self.fleet.watch(self)
        return not waits

    def reopen(self, cause: str) -> None:
        """One cause of closure has gone."""
        super().reopen(cause)
        self.fleet.wake()
        self.unblock()

    restart = reopen

    def unblock(self) -> None:
        """Let trucks that wait to leave or to unload look again."""
        for truck in self.fleet.trucks:
            if truck.lane is self and truck.phase in ("loading", "unloading"):
                truck.nudge()

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Take up what waits and what is under way."""
        super().resume(state, book)
        self._remind(self.waiting)

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        super().reset(now)
        self.cost = self.tkm = self.distance = self.fuel = self.direct_kg = self.total_kg = 0.0

    def transport(self) -> dict[str, float]:
        """What transport took, as the trucks drove it."""
        return {"transport_cost": self.cost, "weight_distance": self.tkm,
                "distance": self.distance, "fuel": self.fuel, "co2e_direct": self.direct_kg,
                "co2e_total": self.total_kg}


class Fleet:
    """Gives loads to trucks: what has waited longest first, to the first truck that fits."""

    def __init__(self, world: World, home: str, rows: list[TruckRow]) -> None:
        self.world, self.env, self.home = world, world.env, home
        self.name = f"fleet {home}"
        self.lanes: list[FleetLane] = []
        self.trucks: list[Truck] = []
        self.waking = self.started = False
        self.wakes: set[float] = set()
        for row in rows:
            for number in range(1, row.units + 1):
                name = row.truck if row.units == 1 else f"{row.truck}#{number}"
                self.trucks.append(Truck(world, row, name, self))

    def speed_kmh(self) -> float:
        """Speed of the first truck."""
        return self.trucks[0].row.speed_kmh if self.trucks else 60.0

    def start(self) -> None:
        """Start every truck."""
        self.started = True
        for truck in self.trucks:
            self.env.process(truck.run())

    def add(self, row: TruckRow, units: int, label: str) -> list[Truck]:
        """Hire more trucks like `row`."""
        fresh = []
        for number in range(1, units + 1):
            truck = Truck(self.world, row, f"{row.truck}+{label}{number}", self, hired=True)
            truck.reset(self.env._now)
            self.trucks.append(truck)
            if self.started:
                self.env.process(truck.run())
            fresh.append(truck)
        self.wake()
        return fresh

    def dismiss(self, trucks: list[Truck]) -> None:
        """Give hired trucks no more trips."""
        for truck in trucks:
            truck.hired, truck.dismissed_at = False, self.env._now

    def wake(self) -> None:
        """Give out loads at the end of this instant."""
        if not self.waking:
            self.waking = True
            self.env.call(self.env._now, START, self._assign)

    def wake_at(self, time: float) -> None:
        """Look again at a departure time."""
        if time not in self.wakes:
            self.wakes.add(time)
            self.env.call(time, START, self._timetable, time)

    def _timetable(self, time: float) -> None:
        self.wakes.discard(time)
        self.wake()

    def watch(self, lane: FleetLane) -> None:
        """A truck waits at a full storage: look again when something leaves it."""
        for part_area in self.world.areas.values():
            if part_area.site == lane.destination:
                part_area.watchers[lane.name] = lane

    def _assign(self, _: Any) -> None:
        self.waking = False
        lanes = [lane for lane in self.lanes if lane.waiting]
        if not lanes:
            return
        lanes.sort(key=lambda lane: lane.waiting[0].ready)
        for lane in lanes:
            for truck in self.trucks:
                if not truck.free:
                    continue
                if not lane.waiting:
                    break
                if lane.ready(truck) and (truck.driver is None or truck.driver.take_seat()):
                    truck.lane = lane
                    truck.load = lane.take_load(truck)
                    truck.pause.wake(START)

    def state(self, book: Any) -> dict[str, Any]:
        """Every truck's trip."""
        return {truck.name: truck.state(book) for truck in self.trucks}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up every trip."""
        trucks = {truck.name: truck for truck in self.trucks}
        rows = {row.truck: row for row in self.world.network.trucks.values()}
        for name, values in state.items():
            truck = trucks.get(name)
            if truck is None and values["lane"] is not None:  # hired for a time, still on its way
                truck = Truck(self.world, rows[name.split("+")[0]], name, self, hired=True)
                self.trucks.append(truck)
                self.dismiss([truck])
            if truck is not None:
                truck.resume(values, book)
        self.wake()

    # -- score: the trucks keep it ---------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        for truck in self.trucks:
            truck.reset(now)

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums of every truck."""
        for truck in self.trucks:
            yield from truck.measures(now)

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        for truck in self.trucks:
            yield from truck.gauges()


def fleets_of(world: World) -> dict[str, Fleet]:
    """The fleets of a network, by home site."""
    homes: dict[str, list[TruckRow]] = {}
    for row in world.network.trucks.values():
        homes.setdefault(row.home, []).append(row)
    return {home: Fleet(world, home, rows) for home, rows in homes.items()}
