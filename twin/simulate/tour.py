"""Tours: a truck serves the stops of a planned route in order, then comes back.

The goods of a plan are set aside for their truck when the plan is taken up. It leaves at the
planned hour, drives from stop to stop, waits where the plan waits, and unloads at a door or in the
planned time of service. A truck that is on a trip when the plan is taken up ends that trip first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from twin.network import great_circle_km
from twin.plan import Plan, Route, Visit
from twin.simulate.fleet import FleetLane
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
        if truck.load and _carries(truck, route):
            continue  # its present trip delivers them
        tour = Tour(world, route)
        truck.tours.append(tour)
        tours.append(tour)
    return tours


def _carries(truck: Truck, route: Route) -> bool:
    """Whether the goods of a route are those on board already."""
    board = {part.order.number for part in truck.load}
    return bool(board & {order for visit in route.visits for order, _, _ in visit.drops})


class Tour:
    """One route as it is driven; `log` holds what really happened at each stop."""

    def __init__(self, world: World, route: Route) -> None:
        self.world, self.route = world, route
        self.log: list[Visit] = []
        self.km = 0.0
        self.left = self.back = 0.0
        self.goods: dict[int, list[tuple[FleetLane, list[Consignment]]]] = {}
        self.shipments: dict[int, list[tuple[FleetLane, Shipment]]] = {}
        for number, visit in enumerate(route.visits):
            self.goods[number] = self._set_aside(visit)

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
        while env._now < route.depart - _EPS:
            yield truck.pause.until(route.depart, RECEIPT)
        yield from truck.board()
        truck.began = self.left = env._now
        self._load(truck, route.depot)
        here, free = route.depot, route.depart
        for number, visit in enumerate(route.visits):
            yield from self._leg(truck, here, visit.site, visit.arrive - free, number)
            yield from self._stop(truck, number, visit)
            here, free = visit.site, visit.leave
        yield from self._leg(truck, here, route.depot, route.back - free, None)
        self.back = env._now
        truck.shipment = None

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
        between = self._lane_between(truck, begin, end)
        if between is not None:
            km, hours, mean = between.km, between.hours_for(truck), between.mean_transit()
            if between.row.transit is None:
                mean = km / truck.row.speed_kmh
        else:
            sites = self.world.network.sites
            km = great_circle_km(sites[begin], sites[end]) or 0.0
            hours = mean = km / truck.row.speed_kmh
        mine = self.shipments.get(-1 if number is None else number, [])
        lane = mine[0][0] if mine else between or truck.lane or truck.fleet.lanes[0]
        truck.lane = lane
        truck.shipment = mine[0][1] if mine else None
        truck._phase("out" if number is not None else "back")
        self.km += km
        rest = max(0.0, planned - mean)
        if truck.driver is not None and truck.driver.limited:
            until = self.world.env._now + truck.driver.rest_before(mean, rest)
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
