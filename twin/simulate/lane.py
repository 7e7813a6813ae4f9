"""Lanes: goods go from an origin to a destination by one mode, with a carrier or an own fleet."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor
from typing import TYPE_CHECKING, Any

from twin.network import Lane as LaneRow
from twin.simulate.kernel import RECEIPT, START
from twin.simulate.order import Goods, Order
from twin.simulate.shipment import Consignment, Flow, Shipment, hurry, needs_range, split_goods
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.world import World

_EPS = 1e-9
_SPEED_KMH = 60.0


class Lane:
    """One row of `lanes` served by a carrier: any number of shipments, each of its own transit."""

    # A network may have thousands of lanes: slots keep each of them close together in memory.
    __slots__ = (
        "arrivals_closed", "arrived", "closures", "cost_factor", "damage_luck", "damaged",
        "departures", "destination", "direct", "dock_in", "dock_out", "env", "expedited",
        "factors", "flows", "hands_in", "hands_out", "held", "hours", "hours_squared", "km",
        "leaving", "ledger", "load_kg", "loads", "moving", "name", "origin", "papers_luck",
        "pattern", "products", "row", "spoiled_by", "transit", "transit_add", "transit_factor",
        "waited", "waiting", "world",
    )

    def __init__(self, world: World, row: LaneRow) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.origin, self.destination = row.origin, row.destination
        self.name = f"{row.origin}:{row.destination}:{row.mode}"
        self.km = world.network.distance_km(row) or 0.0
        self.ledger = world.ledger
        self.products = world.network.products
        self.pattern = world.patterns[row.profile] if row.profile else None
        self.transit = self._transit()
        self.transit_factor = 1.0
        self.transit_add = 0.0
        self.cost_factor = 1.0
        self.closures: dict[str, None] = {}
        self.waiting: list[Consignment] = []
        self.moving: dict[int, Shipment] = {}
        self.held: list[Shipment] = []  #: shipments due while an arrival is impossible
        self.arrivals_closed: dict[str, None] = {}
        self.direct = row.departures is None  #: goods leave as soon as they are ready
        self.leaving = False
        chance = world.streams.uniform
        self.damage_luck = chance(self.name, "damage") if row.damage else None
        self.papers_luck = chance(self.name, "papers") if row.wrong_documents else None
        self.factors = world.emission_factors(row.mode, "tkm")
        self.dock_out: Any = None
        self.dock_in: Any = None
        self.hands_out: Any = None  #: who picks at the origin
        self.hands_in: Any = None  #: who puts away at the destination
        self.flows: dict[str, Flow] = {}  #: by product
        self.reset(self.env._now)

    def connect(self) -> None:
        """Bind docks and hands, once they exist."""
        self.dock_out = self.world.docks.get((self.origin, "out"))
        self.dock_in = (self.world.receptions.get(self.destination)
                        or self.world.docks.get((self.destination, "in")))
        self.hands_out = self.world.hands.get(self.origin)
        self.hands_in = self.world.hands.get(self.destination)
        if self.dock_out is not None or self.hands_out is not None:
            self.direct = False

    @property
    def closed(self) -> bool:
        """Whether nothing may leave now."""
        return bool(self.closures)

    def _transit(self) -> Any:
        if self.row.transit is not None:
            return self.world.streams.draw(self.name, "transit", self.row.transit)
        hours = self.km / _SPEED_KMH
        return lambda: hours

    def mean_transit(self) -> float:
        """Mean hours under way."""
        return self.row.transit.mean() if self.row.transit is not None else self.km / _SPEED_KMH

    # -- leaving ---------------------------------------------------------------------------------
    def send(self, order: Order, quantity: float, goods: Goods) -> None:
        """Goods are handed over; they may have to be picked first."""
        part = Consignment(order, quantity, goods, self.env._now)
        if self.direct and not self.closures:
            self.depart([part])
        elif self.hands_out is not None:
            self.hands_out.visit(0.0, self.picked, [part])
        else:
            self.picked([part])

    def picked(self, load: list[Consignment]) -> None:
        """Goods are ready to leave."""
        for part in load:
            part.ready = self.env._now
        self.waiting += load
        self.wake()

    def wake(self) -> None:
        """See at the end of this instant whether a load can leave."""
        if not self.leaving:
            self.leaving = True
            self.env.call(self._next_departure(), START, self._leave)

    def _next_departure(self) -> float:
        now = self.env._now
        every = self.row.departures
        if every is None:
            return now
        whole = int(now / every + 1e-9)
        return now if abs(whole * every - now) < 1e-9 else (whole + 1) * every

    def _leave(self, _: Any) -> None:
        self.leaving = False
        if self.closures or not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        for load in [[part] for part in waiting] if self.row.departures is None else [waiting]:
            self._load(load)

    def _load(self, load: list[Consignment]) -> None:
        if self.dock_out is None:
            self.depart(load)
        else:
            volume = sum(self.products[p.order.product].volume_m3 * p.quantity for p in load)
            self.dock_out.visit(volume, self.depart, load)

    def depart(self, load: list[Consignment]) -> None:
        """A carrier takes a load; closed meanwhile, the lane lets it wait."""
        if self.closures:
            self.waiting = load + self.waiting
            return
        now = self.env._now
        shipment = self.start(load, now)
        hours = self.transit() * self.transit_factor + self.transit_add
        if self.pattern is not None:
            hours *= self.pattern(now)
        if any(part.order.hurried for part in load):
            hours *= hurry(self, shipment)
        shipment.due = now + max(0.0, hours)
        shipment.call = self.env.call(shipment.due, RECEIPT, self.arrive, shipment)
        self.loads += 1
        self.load_kg += shipment.weight_kg
        if self.cost_factor != 1.0:  # what expediting adds is counted apart
            self.expedited += self._freight(1, shipment.weight_kg) * (self.cost_factor - 1.0)

    def _freight(self, loads: int, kg: float) -> float:
        """What a carrier asks."""
        return self.row.cost_per_shipment * loads + self.row.cost_per_kg * kg

    def start(self, load: list[Consignment], now: float) -> Shipment:
        """A load is under way."""
        shipment = Shipment(self.world.shipment_number(), load, now)
        self.moving[shipment.number] = shipment
        self.departures += 1
        for part in load:
            quantity = part.quantity
            flow = self.flow(part.order.product)
            flow.moving += quantity
            flow.moment += quantity * now
            flow.departed += quantity
            if part.ready < now:
                self.waited += (now - part.ready) * quantity
            shipment.weight_kg += flow.product.weight_kg * quantity
            if self.ledger is not None:
                self._write("departing", part, shipment, site=self.origin,
                            to_site=self.destination)
        return shipment

    def flow(self, product: str) -> Flow:
        """What is carried of a product."""
        flow = self.flows.get(product)
        if flow is None:
            flow = self.flows[product] = Flow(self.products[product])
        return flow

    def under_way(self, load: list[Consignment], due: float) -> Shipment:
        """Take over a shipment that left before the run, due at a time."""
        shipment = self.start(load, self.env._now)
        shipment.due = due
        shipment.call = self.env.call(due, RECEIPT, self.arrive, shipment)
        return shipment

    def at_door(self, load: list[Consignment]) -> Shipment:
        """A shipment that has arrived and stands at a dock."""
        return Shipment(self.world.shipment_number(), load, self.env._now)

    # -- arriving --------------------------------------------------------------------------------
    def arrive(self, shipment: Shipment) -> None:
        """A shipment reaches its destination."""
        if self.ledger is not None and (self.dock_in or self.hands_in or self.arrivals_closed):
            self.ledger.add(self.env._now, "arriving", site=self.destination,
                            shipment=shipment.number, asset=self.name, role="gate")
        if self.arrivals_closed:
            self.held.append(shipment)
            return
        self.unmove(shipment)
        if self.dock_in is None:
            self.unload(shipment)
        else:
            volume = sum(self.products[p.order.product].volume_m3 * p.quantity
                         for p in shipment.load)
            self.dock_in.visit(volume, self.unload, shipment)

    def unmove(self, shipment: Shipment) -> None:
        """A shipment is no longer under way."""
        now = self.env._now
        del self.moving[shipment.number]
        shipment.call = None
        hours = now - shipment.departed
        self.arrived += 1
        self.hours += hours
        self.hours_squared += hours * hours
        for part in shipment.load:
            flow = self.flows[part.order.product]
            flow.moving -= part.quantity
            flow.moment -= part.quantity * now

    def unload(self, shipment: Shipment) -> None:
        """What came leaves the vehicle and is put away."""
        if self.hands_in is None:
            self.put_away(shipment)
        else:
            self.hands_in.visit(0.0, self.put_away, shipment)

    def put_away(self, shipment: Shipment) -> None:
        """Hand over what came; what was damaged or got too warm is refused."""
        for part in shipment.load:
            order = part.order
            flow = self.flow(order.product)
            flow.arrived += part.quantity
            cause = ""
            if self.papers_luck is not None and self.papers_luck() < self.row.wrong_documents:
                order.flawed, cause = True, "wrong_documents"
            if self.ledger is not None:
                self._write("arriving", part, shipment, cause, site=self.destination)
            if shipment.warm and needs_range(flow.product):
                self.refuse(part, part.quantity, shipment, "excursion")
            elif self.damage_luck is not None:
                share = part.quantity * self.row.damage
                # Whole units, in the mean the share: one draw a consignment.
                damaged = min(float(floor(share + self.damage_luck())), part.quantity)
                if damaged > 0.0:
                    order.flawed = True
                    self.damaged += damaged
                    self.refuse(part, damaged, shipment, "damaged")
            if part.quantity > _EPS:
                order.buyer.receive(order, part.quantity, part.goods)

    def refuse(self, part: Consignment, quantity: float, shipment: Shipment, why: str) -> None:
        """Throw units away at the door: those who ordered them learn that they are missing."""
        order, product = part.order, part.order.product
        gone = Consignment(order, quantity, split_goods(part.goods, quantity), part.ready)
        part.quantity -= quantity
        self.spoiled_by[product] = self.spoiled_by.get(product, 0.0) + quantity
        if self.ledger is not None:
            self._write("expiring", gone, shipment, why, to_site=self.destination)
        order.buyer.short(order, quantity)

    def _write(self, event: str, part: Consignment, shipment: Shipment, cause: str = "", *,
               site: str = "", to_site: str = "") -> None:
        """Write one row a lot."""
        assert self.ledger is not None
        order = part.order
        for lot in part.goods or (None,):
            self.ledger.add(
                self.env._now, event, site=site, to_site=to_site,
                product=lot.product if lot else order.product,
                quantity=lot.quantity if lot else part.quantity, lot=lot.number if lot else 0,
                order=order.number, shipment=shipment.number, asset=self.name, cause=cause)

    # -- disturbances ----------------------------------------------------------------------------
    def close(self, cause: str, *, arrivals: bool = False) -> None:
        """Let nothing leave (and, with `arrivals`, nothing come in) until `reopen`."""
        self.closures[cause] = None
        if arrivals:
            self.arrivals_closed[cause] = None

    def shut_gate(self, cause: str) -> None:
        """Keep what comes waiting at the destination until `reopen`."""
        self.arrivals_closed[cause] = None

    def reopen(self, cause: str) -> None:
        """One cause of closure has gone."""
        self.closures.pop(cause, None)
        self.arrivals_closed.pop(cause, None)
        if not self.closures and self.waiting:
            self.wake()
        if not self.arrivals_closed:
            held, self.held = self.held, []
            for shipment in held:
                self.arrive(shipment)

    stop, restart = close, reopen

    def delay(self, factor: float, add: float, *, in_transit: bool = True) -> None:
        """Change the transit time from now on: what is left of it for goods under way too."""
        now = self.env._now
        stretch = factor / self.transit_factor if self.transit_factor else 1.0
        extra = add - self.transit_add
        self.transit_factor, self.transit_add = factor, add
        if not in_transit:
            return
        for shipment in self.moving.values():
            if shipment.call is None or shipment.call.callbacks is None:
                continue
            shipment.call.cancel()
            shipment.delayed = True
            shipment.due = max(now, now + (shipment.due - now) * stretch + extra)
            shipment.call = self.env.call(shipment.due, RECEIPT, self.arrive, shipment)

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Book) -> dict[str, Any]:
        """What waits, and what is under way with its age."""
        now = self.env._now
        return {
            "waiting": book.load(self.waiting),
            "moving": [{"load": book.load(s.load), "age": now - s.departed, "due_in": s.due - now,
                        "delayed": s.delayed}
                       for s in self.moving.values() if s.call is not None and s not in self.held],
            "held": [{"load": book.load(s.load), "age": now - s.departed} for s in self.held],
            "certain": self.row.transit is None or self.pattern is not None
            or self.transit_factor != 1.0 or self.transit_add != 0.0
            or self.row.transit.kind in ("constant", "series", "ar1"),
        }

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Take up what waits and what is under way."""
        now = self.env._now
        self.waiting = book.parts(state["waiting"])
        for row in state["moving"]:
            left = row["due_in"]
            if not state["certain"] and not row["delayed"] and self.row.transit is not None:
                left = self.world.streams.remaining(
                    self.name, "transit", self.row.transit, row["age"])
            shipment = self.under_way(book.parts(row["load"]), now + left)
            shipment.departed, shipment.delayed = now - row["age"], row["delayed"]
        for row in state["held"]:
            shipment = self.under_way(book.parts(row["load"]), now)
            shipment.departed = now - row["age"]
        if self.waiting:
            self.wake()

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.departures = self.arrived = self.loads = 0
        self.load_kg = self.hours = self.hours_squared = self.waited = 0.0
        self.damaged = self.expedited = 0.0
        self.spoiled_by: dict[str, float] = {}
        for flow in self.flows.values():
            flow.reset(now)

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        stock = self.world.network.stock
        values = {"shipments": self.departures, "shipments_arrived": self.arrived,
                  "transit_time": self.hours, "transit_time_squared": self.hours_squared,
                  "wait_to_depart": self.waited, "units_damaged": self.damaged,
                  "expedite_cost": self.expedited, **self.transport()}
        for measure, value in values.items():
            if value:
                yield (measure, self.name, "", ""), float(value)
        owner = {"origin": self.origin, "destination": self.destination}.get(self.row.owner or "")
        for product, flow in self.flows.items():
            area = flow.moving * now - flow.moment
            yield ("in_transit_time", self.name, product, ""), area
            yield ("units_shipped", self.name, product, ""), flow.departed
            yield ("units_arrived", self.name, product, ""), flow.arrived
            row = stock.get((owner, product)) if owner else None
            if row is not None and row.holding_cost:
                yield ("holding_cost", row.site, product, ""), area / 24.0 * row.holding_cost
        for product, units in self.spoiled_by.items():
            yield ("units_spoiled", self.destination, product, ""), units
            waste = units * self.products[product].value
            yield ("waste_cost", self.destination, product, ""), waste

    def transport(self) -> dict[str, float]:
        """What transport took; of a carrier it follows from the loads that have left."""
        tkm = self.load_kg * self.km / 1000.0
        direct, total = self.factors or (0.0, 0.0)
        return {"transport_cost": self._freight(self.loads, self.load_kg),
                "weight_distance": tkm, "distance": self.km * self.loads,
                "co2e_direct": tkm * direct, "co2e_total": tkm * total}

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        flows = self.flows
        yield ("in_transit", self.name, "", ""), lambda: sum([f.moving for f in flows.values()])
