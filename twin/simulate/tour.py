"""Tours: a truck serves the stops of a planned route in order, then comes back.

The goods of a plan are set aside for their truck when the plan is taken up. It leaves at the
planned hour, drives from stop to stop, waits where the plan waits, and unloads at a door or in the
planned time of service. A truck that is on the road with goods of its first route drives on to the
first stop of that from where it is; any other truck on a trip ends that first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from twin.network import great_circle_km
from twin.plan import Plan, Route, Visit
from twin.simulate.fleet import FleetLane
from twin.simulate.fuel import litres_per_100km
from twin.simulate.kernel import RECEIPT, Pause
from twin.simulate.shipment import Consignment, Shipment, split_goods

if TYPE_CHECKING:
    from twin.simulate.truck import Truck
    from twin.simulate.world import World

_EPS = 1e-9


def follow_routes(world: World, plan: Plan) -> list[Tour]:
    """Give every truck its routes, in order of departure; call it before the world starts.

    Raises
    ------
    ValueError
        If the plan names a truck that the model does not have.
    """
    trucks = {truck.name: truck for fleet in world.fleets.values() for truck in fleet.trucks}
    strange = sorted({route.truck for route in plan.routes} - set(trucks))
    if strange:
        raise ValueError(f"the plan sends truck '{strange[0]}', which this model does not have. "
                         "Make the plan again with `twin optimize routes`.")
    tours = []
    for route in sorted(plan.routes, key=lambda one: (one.depart, one.truck)):
        truck = trucks[route.truck]
        carried = _carried(truck, route)
        if carried is not None and (truck.tour is not None or truck.phase == "unloading"):
            continue  # its present trip delivers them
        if truck.tours and truck.tours[0].takes_over:
            carried = None  # what is on board goes by the route before
        tour = Tour(world, route, carried)
        if carried is None:
            truck.tours.append(tour)
        else:  # it cannot drive what an earlier plan still has for it with these goods on board
            truck.tours.appendleft(tour)
        tours.append(tour)
        truck.poke()
        if truck.pause.asleep:
            truck.nudge()
    return tours


def _carried(truck: Truck, route: Route) -> int | None:
    """Which stop of a route is for the goods on board already; None if there is none."""
    if not truck.load or truck.lane is None:
        return None
    board = {part.order.number for part in truck.load}
    return next((number for number, visit in enumerate(route.visits)
                 if visit.site == truck.lane.destination
                 and board & {order for order, _, _ in visit.drops}), None)


class Tour:
    """One route as it is driven; `log` holds what really happened at each stop.

    Parameters
    ----------
    carried
        The stop whose goods its truck has on board already.
    """

    def __init__(self, world: World, route: Route, carried: int | None = None) -> None:
        self.world, self.route, self.carried = world, route, carried
        self.log: list[Visit] = []
        self.km = 0.0
        self.left = self.back = 0.0
        self.midway: tuple[FleetLane, float, float] | None = None  #: km behind and ahead of it
        self.goods: dict[int, list[tuple[FleetLane, list[Consignment]]]] = {}
        self.shipments: dict[int, list[tuple[FleetLane, Shipment]]] = {}
        for number, visit in enumerate(route.visits):
            self.goods[number] = [] if number == carried else self._set_aside(visit)

    @property
    def takes_over(self) -> bool:
        """Whether its truck is on its way with goods of it."""
        return self.carried is not None

    def _set_aside(self, visit: Visit) -> list[tuple[FleetLane, list[Consignment]]]:
        """Take the goods of a stop from what waits for a truck."""
        found = []
        for lane in self.world.lanes_into.get(visit.site, ()):
            if not isinstance(lane, FleetLane):
                continue
            parts = [part for order, _, units in visit.drops if units > 0.0
                     for part in _taken(lane, order, units)]
            if parts:
                found.append((lane, parts))
        return found

    def drive(self, truck: Truck) -> Generator[Pause, Any, None]:
        """Leave, serve every stop, come back."""
        env, route = self.world.env, self.route
        truck.tour = self
        while env._now < route.depart - _EPS and self.carried is None:
            yield truck.pause.until(route.depart, RECEIPT)
        if self.carried is None:
            yield from truck.board()
        self.left = env._now
        here, free = route.depot, route.depart
        if self.carried is None:
            truck.began = env._now
            self._load(truck, route.depot)
        else:
            here = self._take_over(truck)
        for number, visit in enumerate(route.visits):
            yield from self._leg(truck, here, visit.site, visit.arrive - free, number)
            yield from self._stop(truck, number, visit)
            here, free = visit.site, visit.leave
        yield from self._leg(truck, here, route.depot, route.back - free, None)
        self.back = env._now
        truck.shipment = truck.tour = None

    def _take_over(self, truck: Truck) -> str:
        """What is on board is a stop of this route; where the truck is (blank: between places)."""
        assert self.carried is not None
        lane = truck._lane()
        on_the_road = truck.phase == "out"
        if truck.shipment is None:
            truck.shipment = lane.start(truck.load, self.world.env._now)
        self.shipments[self.carried] = [(lane, truck.shipment)]
        truck.load = list(truck.load)  # more will come on board than the shipment
        if not on_the_road:
            return lane.origin
        if truck.left_of_leg is not None:
            truck.left, truck.left_of_leg = truck.left_of_leg, None
        ahead = truck.left * truck.row.speed_kmh
        self.midway = lane, max(0.0, lane.km - ahead), ahead
        litres = litres_per_100km(truck.fuel_points, truck.load_share()) * ahead / 100.0
        shipment, truck.shipment = truck.shipment, None  # its freight has been paid
        lane.drove(truck, -ahead, -litres)
        truck.shipment = shipment
        return ""

    def _way(self, truck: Truck, begin: str, end: str
             ) -> tuple[FleetLane | None, float, float, float]:
        """Own lane, kilometres, hours and mean hours from one place (blank: midway) to another."""
        between = self._lane_between(truck, begin, end)
        speed = truck.row.speed_kmh
        if between is not None:
            mean = between.mean_transit() if between.row.transit is not None else between.km / speed
            return between, between.km, between.hours_for(truck), mean
        if begin:
            sites = self.world.network.sites
            km = great_circle_km(sites[begin], sites[end]) or 0.0
            return None, km, km / speed, km / speed
        assert self.midway is not None
        lane, behind, ahead = self.midway
        ways = []
        for place, driven in ((lane.origin, behind), (lane.destination, ahead)):
            km = driven + (0.0 if place == end else self._way(truck, place, end)[1])
            ways.append((km, place == lane.destination == end))
        km, straight_on = min(ways)
        return None, km, truck.left if straight_on else km / speed, km / speed

    def _load(self, truck: Truck, site: str) -> None:
        """Everything that leaves from a site goes on board."""
        for number, bound in self.goods.items():
            for lane, parts in bound:
                if lane.origin == site:
                    shipment = lane.start(parts, self.world.env._now)
                    self.shipments.setdefault(number, []).append((lane, shipment))
                    truck.load += parts
                    truck.lane = lane
                    truck.fill += truck.load_share()
                    truck._write_load()

    def _leg(self, truck: Truck, begin: str, end: str, planned: float, number: int | None
             ) -> Generator[Pause, Any, None]:
        """Drive to the next stop; what the plan has beyond the driving is a break."""
        between, km, hours, mean = self._way(truck, begin, end)
        mine = self.shipments.get(-1 if number is None else number, [])
        lane = mine[0][0] if mine else between or truck.lane or truck.fleet.lanes[0]
        truck.lane = lane
        truck.shipment = mine[0][1] if mine else None
        truck._phase("out" if number is not None else "back")
        self.km += km
        rest = max(0.0, planned - mean)
        if truck.driver is not None and truck.driver.limited:
            until = self.world.env._now + truck.driver.hours.rest_before(mean, rest)
            rest = 0.0
            while self.world.env._now < until - _EPS:
                yield truck.pause.until(until, RECEIPT)
        yield from truck._drive(hours + (rest if rest > 1e-6 else 0.0), lane, truck.load_share(),
                                begin, end, km)

    def _lane_between(self, truck: Truck, begin: str, end: str) -> FleetLane | None:
        """An own lane between two sites, either way."""
        for one, two in ((begin, end), (end, begin)):
            for lane in self.world.lanes_into.get(two, ()):
                if lane.origin == one and isinstance(lane, FleetLane):
                    return lane
        return None

    def _stop(self, truck: Truck, number: int, visit: Visit) -> Generator[Pause, Any, None]:
        """Wait as planned, unload at a door or in the planned time, hand over."""
        env = self.world.env
        arrived = env._now
        truck._phase("unloading")
        if visit.start > visit.arrive + _EPS:
            while env._now < visit.start - _EPS:
                yield truck.pause.until(visit.start, RECEIPT)
        began = env._now
        lane = truck._lane()
        dock = lane.dock_in if lane.destination == visit.site else None
        if dock is not None:
            truck.at_dock = True
            volume = sum(self.world.network.products[part.order.product].volume_m3 * part.quantity
                         for _, shipment in self.shipments.get(number, ())
                         for part in shipment.load)
            dock.visit(volume, truck.docked, None)
            while truck.at_dock:
                yield truck.pause.idle()
        else:
            done = began + visit.leave - visit.start
            while env._now < done - _EPS:
                yield truck.pause.until(done, RECEIPT)
        for lane, shipment in self.shipments.pop(number, []):
            while not lane.room(shipment):
                yield truck.pause.idle()
            truck.shipment = shipment
            truck.check_cold()
            truck.load = [part for part in truck.load if part not in shipment.load]
            truck.shipment = None
            lane.unmove(shipment)
            lane.unload(shipment)
        self._load(truck, visit.site)
        self.log.append(Visit(visit.site, arrived, began, env._now, visit.drops))


def _taken(lane: FleetLane, order: int, units: float) -> list[Consignment]:
    """Units of an order out of what waits on a lane."""
    found, left = [], deque(lane.waiting)
    lane.waiting = []
    while left:
        part = left.popleft()
        if part.order.number != order or units <= _EPS:
            lane.waiting.append(part)
        elif part.quantity <= units + _EPS:
            found.append(part)
            units -= part.quantity
        else:
            goods = split_goods(part.goods, units)
            part.quantity -= units
            lane.waiting.append(part)
            found.append(Consignment(part.order, units, goods, part.ready))
            units = 0.0
    return found
