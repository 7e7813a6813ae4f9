"""What is under way: shipments between places and orders not yet delivered, and when they arrive.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from twin.network import Lane, Network
from twin.quantity import Quantity, constant
from twin.readings import Reading
from twin.sense.eta import Eta, Left, Leg, eta
from twin.sense.geofence import corridor_of
from twin.sense.statistic import Statistic

_REMEMBERED = 10_000  # shipments that have arrived


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods between two places.

    Attributes
    ----------
    departed
        Seconds since 1970.
    vehicle
        The truck, or the lane ``A:B:mode`` where no truck is known.
    orders
        That it carries something for.
    latitude, longitude
        Where it was last seen; NaN when nowhere.
    seen
        When that was.
    """

    shipment: str
    origin: str
    destination: str
    departed: float
    vehicle: str = ""
    orders: tuple[str, ...] = ()
    latitude: float = math.nan
    longitude: float = math.nan
    seen: float = math.nan


class Shipments(Statistic[Reading, tuple[Shipment, ...]]):
    """The shipments under way, by what departs, arrives and is seen on the road.

    Examples
    --------
    >>> shipments = Shipments()
    >>> shipments.update(Reading(sensor="tms", id="1", time=0.0, kind="departing", site="A",
    ...                          to_site="B", shipment="S7", asset="T1"))
    >>> shipments.update(Reading(sensor="gps", id="1", time=3600.0, kind="position", asset="T1",
    ...                          latitude=52.0, longitude=5.5))
    >>> shipments.get()[0].shipment, shipments.get()[0].longitude
    ('S7', 5.5)
    >>> shipments.update(Reading(sensor="tms", id="2", time=7200.0, kind="arriving", site="B",
    ...                          shipment="S7"))
    >>> shipments.get()
    ()
    """

    hears = ("departing", "position", "arriving")

    def __init__(self) -> None:
        self._open: dict[str, Shipment] = {}
        self._aboard: dict[str, set[str]] = {}  # by vehicle
        self._on: dict[str, set[str]] = {}  # the vehicles that a shipment was said to be on
        self._over: dict[str, float] = {}  # when those arrived that nobody waits for any more

    def update(self, heard: Reading) -> None:
        """Take in one reading."""
        if heard.kind == "position":
            self._see(heard)
        elif not heard.shipment:
            return
        elif heard.kind == "departing" and heard.time > self._over.get(heard.shipment, -math.inf):
            known = self._open.get(heard.shipment)
            orders = known.orders if known else ()
            if heard.order and heard.order not in orders:
                orders = (*orders, heard.order)
            self._open[heard.shipment] = replace(known, orders=orders) if known else Shipment(
                heard.shipment, heard.site, heard.to_site, heard.time, heard.asset, orders)
            if heard.asset:
                aboard = self._aboard.setdefault(heard.asset, set())
                if ":" not in heard.asset:
                    for name in self._left_behind(aboard, heard):
                        aboard.discard(name)
                        self._on[name].discard(heard.asset)
                aboard.add(heard.shipment)
                self._on.setdefault(heard.shipment, set()).add(heard.asset)
        elif heard.kind in ("arriving", "receiving"):
            self._open.pop(heard.shipment, None)
            for vehicle in self._on.pop(heard.shipment, ()):
                self._aboard[vehicle].discard(heard.shipment)
                if not self._aboard[vehicle]:
                    del self._aboard[vehicle]
            # That it departed may be told after that.
            self._over.pop(heard.shipment, None)
            self._over[heard.shipment] = heard.time
            if len(self._over) > _REMEMBERED:
                del self._over[next(iter(self._over))]

    def get(self) -> tuple[Shipment, ...]:
        """Those under way, by name."""
        return tuple(self._open[name] for name in sorted(self._open))

    def of(self, heard: Reading) -> list[Shipment]:
        """The shipments that a position speaks of."""
        names = self._aboard.get(heard.asset, set()) | {heard.shipment}
        return [self._open[name] for name in sorted(names & self._open.keys())]

    def has(self, shipment: str) -> bool:
        """Whether a shipment is under way."""
        return shipment in self._open

    def aboard(self, vehicle: str) -> frozenset[str]:
        """The shipments that a vehicle carries."""
        return frozenset(self._aboard.get(vehicle, ()))

    def _left_behind(self, aboard: set[str], heard: Reading) -> set[str]:
        """Of a truck that leaves a place again: what it took from there before. Nobody has told
        that it arrived."""
        before = {name: self._open[name] for name in aboard - {heard.shipment}
                  if name in self._open}
        return {name for name, one in before.items()
                if one.origin == heard.site and one.departed < heard.time}

    def _see(self, heard: Reading) -> None:
        for shipment in self.of(heard):
            if heard.time >= shipment.departed and not heard.time < shipment.seen:
                self._open[shipment.shipment] = replace(
                    shipment, latitude=heard.latitude, longitude=heard.longitude, seen=heard.time)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a shipment or order will be there.

    Attributes
    ----------
    subject
        ``shipment S7`` or ``order 12``.
    at
        The site that waits for it.
    eta
        In hours from the moment asked.
    due_h
        Hours until it is due; NaN when nothing was promised.
    """

    subject: str
    at: str
    eta: Eta
    due_h: float = math.nan

    @property
    def chance_late(self) -> float:
        """Chance of coming after it is due; NaN without a promise."""
        return self.eta.chance_after(self.due_h) if self.due_h == self.due_h else math.nan


def lane_of(network: Network, origin: str, destination: str, asset: str = "") -> Lane | None:
    """The lane of a shipment: of ``A:B:mode``, or the first one between two sites."""
    named = network.lanes.get(tuple(asset.split(":")))  # type: ignore[arg-type]
    if named is not None:
        return named
    return next((lane for lane in network.lanes.values()
                 if (lane.origin, lane.destination) == (origin, destination)), None)


def transit_law(network: Network, lane: Lane) -> Quantity:
    """The transit time of a lane, hours: its own, or its distance by the speed of its trucks."""
    if lane.transit is not None:
        return lane.transit
    speeds = [truck.speed_kmh for truck in network.trucks.values() if truck.home == lane.fleet]
    return constant((network.distance_km(lane) or 0.0) / (min(speeds) if speeds else 60.0),
                    time=True)


def shipment_leg(network: Network, shipment: Shipment, now: float) -> Leg | None:
    """What is left of a shipment's way at a time (s); None when its lane is not in the network."""
    lane = lane_of(network, shipment.origin, shipment.destination, shipment.vehicle)
    if lane is None:
        return None
    law, age, covered = transit_law(network, lane), (now - shipment.departed) / 3600.0, math.nan
    corridor = corridor_of(network, lane)
    if corridor is not None and shipment.seen == shipment.seen:
        # Where it was when it was seen, brought to now at the same pace.
        share = corridor.covered((shipment.latitude, shipment.longitude))
        old = (shipment.seen - shipment.departed) / 3600.0
        covered = min(0.999, share * age / old) if old > 0 else math.nan
    return Leg(law, max(0.0, age), covered)


def shipment_etas(network: Network, shipments: Iterable[Shipment], now: float,
                  left: Left) -> list[Arrival]:
    """When each shipment will be at its destination.

    Parameters
    ----------
    now
        Seconds since 1970.
    left
        The conditional law of a time (see `twin.sense.eta.Left`).
    """
    found = []
    for shipment in shipments:
        leg = shipment_leg(network, shipment, now)
        if leg is not None:
            found.append(Arrival(f"shipment {shipment.shipment}", shipment.destination,
                                 eta([leg], left)))
    return found


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that is not delivered yet.

    Attributes
    ----------
    site, source
        Who waits, and who owes it; `source` may be empty.
    placed
        Seconds since 1970.
    quantity
        Units still to come.
    """

    order: str
    site: str
    product: str
    quantity: float
    placed: float
    source: str = ""


class Orders(Statistic[Reading, tuple[OpenOrder, ...]]):
    """The orders not yet delivered, by what is ordered, delivered and lost.

    Examples
    --------
    >>> orders = Orders()
    >>> for kind, units in [("ordering", 10.0), ("delivering", 4.0)]:
    ...     orders.update(Reading(sensor="erp", id=kind, time=0.0, kind=kind, site="C", order="12",
    ...                           product="tea", quantity=units, to_site="W"))
    >>> orders.get()[0].quantity, orders.get()[0].source
    (6.0, 'W')
    """

    hears = ("ordering", "delivering")

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], OpenOrder] = {}
        self._lines: dict[str, int] = {}  # open products by order

    def update(self, heard: Reading) -> None:
        """Take in one reading."""
        if not heard.order or not heard.quantity > 0:
            return
        key = (heard.order, heard.product)
        known = self._open.get(key)
        if heard.kind == "ordering":
            if known is None:
                self._open[key] = OpenOrder(heard.order, heard.site, heard.product,
                                            heard.quantity, heard.time, heard.to_site)
                self._lines[heard.order] = self._lines.get(heard.order, 0) + 1
        elif heard.kind in ("delivering", "lost") and known is not None:
            rest = known.quantity - heard.quantity
            if rest > 1e-9:
                self._open[key] = replace(known, quantity=rest)
            else:
                del self._open[key]
                self._lines[heard.order] -= 1
                if not self._lines[heard.order]:
                    del self._lines[heard.order]

    def has(self, order: str) -> bool:
        """Whether something of an order is still to come."""
        return self._lines.get(order, 0) > 0

    def get(self) -> tuple[OpenOrder, ...]:
        """Those open, by name."""
        return tuple(self._open[key] for key in sorted(self._open))


def order_etas(network: Network, orders: Iterable[OpenOrder], shipments: Iterable[Shipment],
               now: float, left: Left, *, points: int = 200) -> list[Arrival]:
    """When each open order will be delivered, against what was promised.

    One that a shipment carries comes with it; any other has its source's lead time (given how long
    it has waited) and the transit before it. Waiting in a queue that no table describes is not
    foreseen.
    """
    carried = {order: shipment for shipment in shipments for order in shipment.orders
               if shipment.destination}
    promises, firm = promises_of(network), network.orders
    found = []
    for order in orders:
        legs = _order_legs(network, order, carried.get(order.order), now)
        if legs:
            promise = promises.get((order.site, order.product), math.nan)
            due = promise - (now - order.placed) / 3600.0
            row = firm.get(order.order)
            if row is not None and row.due is not None:
                due = row.due - (now - network.start.timestamp()) / 3600.0
            found.append(Arrival(f"order {order.order}", order.site,
                                 eta(legs, left, points=points), due))
    return found


def promises_of(network: Network) -> dict[tuple[str, str], float]:
    """Hours in which an order is promised, by site and product."""
    return {(row.site, row.product): row.promise + row.late for row in network.demand.values()}


def _order_legs(network: Network, order: OpenOrder, carrier: Shipment | None,
                now: float) -> list[Leg]:
    if carrier is not None:
        leg = shipment_leg(network, carrier, now)
        legs = [leg] if leg is not None else []
        if carrier.destination != order.site:  # it is carried on from a place between
            onward = lane_of(network, carrier.destination, order.site)
            legs += [Leg(transit_law(network, onward))] if onward is not None else []
        return legs
    lane = lane_of(network, order.source, order.site) if order.source else \
        next((lane for lane in network.lanes.values() if lane.destination == order.site), None)
    source = order.source or (lane.origin if lane else "")
    supply = network.supply.get((source, order.product))
    age = max(0.0, (now - order.placed) / 3600.0)
    legs = [Leg(supply.lead_time, age)] if supply is not None else []
    return legs + ([Leg(transit_law(network, lane))] if lane is not None else [])
