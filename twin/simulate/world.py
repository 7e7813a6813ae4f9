"""The simulated world: every actor of a network, found by name, on one clock."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import inf
from typing import Any

import numpy as np

from twin.ledger import Ledger
from twin.network import Network
from twin.simulate import agenda
from twin.simulate.ahead import look_ahead
from twin.simulate.assets import failures_of, keep_hours
from twin.simulate.book import Book
from twin.simulate.calendar import Calendar, calendars_of
from twin.simulate.crew import Crew
from twin.simulate.dock import Dock, Hands
from twin.simulate.failure import Failure
from twin.simulate.firm import book_firm_orders, firm_customers
from twin.simulate.kernel import DEMAND, RECEIPT, SAMPLE, Environment
from twin.simulate.lane import Lane
from twin.simulate.lines import customers_of
from twin.simulate.order import Goods, Order
from twin.simulate.pass_up import PassUp
from twin.simulate.profile import patterns
from twin.simulate.reception import Reception, receptions_of
from twin.simulate.returns import Returns
from twin.simulate.shelf import Shelf
from twin.simulate.shelf_score import keep_days
from twin.simulate.storage import Area
from twin.simulate.streams import Streams
from twin.simulate.supplier import Supplier
from twin.state import State
from twin.tally import Key


class World:
    """Builds the actors of a network and lets them live.

    Parameters
    ----------
    network
        What exists.
    streams
        The luck of this replication.
    ledger
        Where every event is written; None for a run that only counts.
    resume_at
        The clock of a state from which the world will go on; None for a world that starts.
    """

    def __init__(self, network: Network, streams: Streams, ledger: Ledger | None = None,
                 resume_at: float | None = None) -> None:
        self.epoch = resume_at or 0.0
        self.env = Environment(self.epoch)
        self.resumed = resume_at is not None
        self.agenda: list[list[Any]] | None = None  #: of the state from which it goes on
        self.under_way: dict[str, tuple[Any, float]] = {}  #: events of scenarios now in force
        self.network = network
        self.streams = streams
        self.ledger = ledger
        self.tracing = ledger is not None
        self.order_number = count(1).__next__
        self.lot_number = count(1).__next__
        self.shipment_number = count(1).__next__
        self.patterns = patterns(network)
        self.made = {(row.site, row.product) for row in network.routings.values()}
        self.posted: dict[int, tuple[Order, Any, float]] = {}
        self.actors: dict[str, Any] = {}
        self.nodes: dict[tuple[str, str, str], Any] = {}
        self.docks: dict[tuple[str, str], Dock] = {}
        self.receptions: dict[str, Reception] = {}
        self.hands: dict[str, Hands] = {}
        self.areas: dict[tuple[str, str], Area] = {}
        self.lanes_into: dict[str, list[Lane]] = {}
        self.lanes_from: dict[str, list[Lane]] = {}
        self.lanes: dict[str, Lane] = {}
        self.fuel_price: dict[str, float] = {}  #: factors of disturbances, by fuel
        self.dials: dict[str, dict[str, float]] = {}  #: what disturbances hold
        self.held: dict[tuple[str, str], dict[str, Any]] = {}  #: and the settings they hold
        self.times: list[float] = []
        self.snapshots: dict[Key, list[float]] = {}
        self._gauges: list[tuple[list[float], Callable[[], float]]] = []
        self.crews: dict[str, Crew] = {}
        self.failures: dict[str, Failure] = {}  #: by the cause that they stop with
        self.calendars: dict[tuple[str, str], Calendar] = {}
        self._shifts = calendars_of(network)
        self._build()

    # -- building --------------------------------------------------------------------------------
    def _build(self) -> None:
        network = self.network
        from twin.simulate.fleet import FleetLane, fleets_of
        from twin.simulate.plant import plants_of

        self.fleets = fleets_of(self)
        for lane_row in network.lanes.values():
            lane = Lane(self, lane_row) if lane_row.fleet is None else FleetLane(self, lane_row)
            self.lanes[lane.name] = lane
            self.lanes_into.setdefault(lane.destination, []).append(lane)
            self.lanes_from.setdefault(lane.origin, []).append(lane)
            self._add(lane)
        for dock_row in network.docks.values():
            dock = Dock(self, dock_row)
            ways = ("in", "out") if dock_row.direction == "both" else (dock_row.direction,)
            for way in ways:
                self.docks[dock_row.site, way] = dock
            self._add(dock)
        self.receptions = receptions_of(self)
        for reception in self.receptions.values():
            self._add(reception)
            if reception.own:
                self._add(reception.dock)
        for site in network.sites.values():
            if site.handling_time.mean() > 0.0:
                self.hands[site.site] = Hands(self, site)
                self._add(self.hands[site.site])
        for area_row in network.storage.values():
            area = Area(self, area_row)
            self.areas[area_row.site, area_row.area] = area
            self._add(area)
        for crew_row in network.crews.values():
            crew = self.crews[crew_row.crew] = Crew(self, crew_row)
            crew.fleets = [fleet for fleet in self.fleets.values()
                           if any(truck.row.crew == crew_row.crew for truck in fleet.trucks)]
            self._add(crew)
        self.plants = plants_of(self)
        for fleet in self.fleets.values():
            self._add(fleet)
            for truck in fleet.trucks:
                if truck.driver is not None:
                    self._add(truck.driver)
        self.told: list[Any] = []  #: calls of a plan whose orders are still to be placed
        self.shelves = [self.node(*key, "stock") for key in network.stock]
        for at, product in network.supply:
            self.node(at, product, "supply")
        for shelf in self.shelves:
            place = self._area_for(shelf)
            if place is not None:
                place.hold(shelf)
        self.returns = {key: Returns(self, row) for key, row in network.returns.items()}
        for back in self.returns.values():
            self._add(back)
        self.customers, lines = customers_of(self)
        for customer in [*self.customers, *lines, *firm_customers(self)]:
            self._add(customer)
        failures_of(self)
        for lane in self.lanes.values():
            lane.connect()
        for shelf in self.shelves:
            shelf.connect()

    def _add(self, actor: Any) -> None:
        self.actors[actor.name] = actor

    def add_failure(self, failure: Failure) -> None:
        """Know a cause of failure by its name."""
        self.failures[failure.cause] = failure
        self._add(failure)

    def calendar(self, name: str | None, site: str | None) -> Calendar | None:
        """A calendar in the time zone of a site."""
        if name is None:
            return None
        zone = self.network.sites[site].timezone if site in self.network.sites else "UTC"
        found = self.calendars.get((name, zone))
        if found is None:
            found = self.calendars[name, zone] = Calendar(
                self._shifts.get(name, []), self.network.start, zone)
        return found

    def _area_for(self, shelf: Shelf) -> Area | None:
        """The first storage area of the site that holds the product's range."""
        low, high = shelf.thing.min_c, shelf.thing.max_c
        for (site, _), area in self.areas.items():
            if site != shelf.site:
                continue
            row = area.row
            if low is None and high is None:
                if row.min_c is None and row.max_c is None:
                    return area
                continue
            if (low is None or (row.min_c is not None and row.min_c >= low)) and (
                    high is None or (row.max_c is not None and row.max_c <= high)):
                return area
        if low is None and high is None:  # only ranged areas: ambient goods go to the first
            return next((a for (site, _), a in self.areas.items() if site == shelf.site), None)
        return None

    def node(self, site: str, product: str, kind: str | None = None) -> Any:
        """Whoever answers an order for a product at a site: by stock, making, supply, or lanes."""
        if kind is None or kind == "lane":
            if (site, product) in self.network.stock:
                kind = "stock"
            elif (site, product) in self.made:
                kind = "make"
            elif (site, product) in self.network.supply:
                kind = "supply"
            else:
                kind = "pass"
        key = (site, product, kind)
        found = self.nodes.get(key)
        if found is None:
            if kind == "stock":
                found = Shelf(self, self.network.stock[site, product])
            elif kind == "make":
                found = self.plants[site].maker(product)
            elif kind == "supply":
                found = Supplier(self, self.network.supply[site, product])
            else:
                found = PassUp(self, site, product)
            self.nodes[key] = found
            self._add(found)
        return found

    def provides(self, site: str, product: str, *, beyond: str) -> bool:
        """Whether orders for a product at a site can be met without coming back to `beyond`."""
        network, seen, look = self.network, {beyond, site}, [site]
        for place in look:
            key = (place, product)
            if key in network.stock or key in self.made or key in network.supply:
                return True
            for lane in self.lanes_into.get(place, ()):
                if lane.origin not in seen:
                    seen.add(lane.origin)
                    look.append(lane.origin)
        return False

    def named(self, name: str) -> Any:
        """An actor by its name: trucks, machines and passing sites too."""
        found = self.actors.get(name)
        if found is not None:
            return found
        for fleet in self.fleets.values():
            for truck in fleet.trucks:
                if truck.name == name:
                    return truck
        if name.startswith("pass "):
            return self.node(*name[5:].split("/", 1))
        if name.startswith("maker "):
            site, product = name[6:].split("/", 1)
            return self.node(site, product, "make")
        if name.startswith("job "):
            site, number = name[4:].rsplit("/", 1)
            return self.plants[site].lot(int(number))
        if name.startswith("delay "):
            site, number = name[6:].rsplit("/", 1)
            return self.plants[site].delays[int(number)]
        raise ValueError(f"names '{name}', which this model does not have")

    def emission_factors(self, source: str, per: str) -> tuple[float, float] | None:
        """Direct and total kg CO2e of one tkm, litre or kilogram."""
        row = self.network.emissions.get((source, per))
        return None if row is None else (row.direct, row.total)

    # -- passing things on -----------------------------------------------------------------------
    def post(self, order: Order, node: Any, time: float) -> None:
        """Let an order reach its node at a later instant, in the demand phase.

        Without a node its goods are at the door then: the buyer receives them.
        """
        self.posted[order.number] = (order, node, time)
        self.env.call(time, RECEIPT if node is None else DEMAND, self._posted, order.number)

    def _posted(self, number: int) -> None:
        order, node, _ = self.posted.pop(number)
        if node is None:
            order.buyer.receive(order, order.undelivered, None)
        else:
            node.order(order)

    def send(self, order: Order, quantity: float, goods: Goods) -> None:
        """Whoever owes an order hands goods over: to the lane, or straight to the buyer."""
        buyer = order.buyer
        if buyer.kind == "customer":
            buyer.shipped(order, quantity)
        if order.lane is None:
            buyer.receive(order, quantity, goods)
        else:
            order.lane.send(order, quantity, goods)

    # -- states ----------------------------------------------------------------------------------
    def save(self) -> State:
        """Everything that is going on now."""
        book, now = Book(self), self.env._now
        actors = {name: actor.state(book) for name, actor in self.actors.items()
                  if hasattr(actor, "state")}
        posted = [{"order": book.keep(order), "node": None if node is None else node.name,
                   "in": time - now}
                  for order, node, time in self.posted.values()]
        past = {"start", "duration", "in_transit"}  # what they said of times that are over
        events = [{"name": name, "event": {"type": event.type, **event.model_dump(
                       mode="json", exclude=past, exclude_none=True)},
                   "left": None if end == inf else end - now}
                  for name, (event, end) in self.under_way.items()]
        return State(self.network.name, now, list(book.rows.values()),
                     {name: values for name, values in actors.items() if values}, posted, events,
                     agenda.pending(self.env))

    def resume(self, state: State) -> None:
        """Go on from a state; call it before `start`.

        Raises
        ------
        ValueError
            If the state does not fit the network, or lacks something.
        """
        at = "its orders"
        try:
            book = Book(self)
            book.open(state.orders)
            self.order_number = count(max(book.orders, default=0) + 1).__next__
            self.lot_number = count(book.last_lot(state) + 1).__next__
            for order in book.orders.values():
                order.buyer.adopt(order)
            turn = {name: place for place, name in enumerate(self.actors)}
            turn |= dict.fromkeys((crew.name for crew in self.crews.values()), len(turn) + 1)
            for name in sorted(state.actors, key=lambda name: turn.get(name, len(turn))):
                at = f"'{name}'"
                self.named(name).resume(state.actors[name], book)
            at = "its posted orders"
            for row in state.posted:
                node = None if row["node"] is None else self.named(row["node"])
                self.post(book.orders[row["order"]], node, self.env._now + row["in"])
            at = "its agenda"
            self.agenda = [[str(whose), float(wait)] for whose, wait in state.agenda]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"the state of model '{state.model}' cannot be taken up by model "
                             f"'{self.network.name}' at {at}: it {what}. Save it again with the "
                             "present model, or correct it (docs/state_document.md).") from error
        self.reset()

    # -- living ----------------------------------------------------------------------------------
    def start(self) -> None:
        """Start every process."""
        self._start()
        if self.agenda is not None:
            agenda.take_up(self.env, self.agenda)

    def _start(self) -> None:
        book_firm_orders(self)
        keep_hours(self)
        keep_days(self.env, self.shelves)
        for failure in self.failures.values():
            failure.start()
        for shelf in self.shelves:
            if shelf.row.review is not None:
                self.env.process(shelf.run())
        for fleet in self.fleets.values():
            fleet.start()
        for plant in self.plants.values():
            plant.start()
        look_ahead(self)
        for customer in self.customers:
            customer.start()

    def snapshot_every(self, hours: float) -> None:
        """Keep a snapshot of all levels, now and every so many hours."""
        self._snapshot_period = hours
        self._gauges = [(self.snapshots.setdefault(key, []), read) for actor in self.actors.values()
                        if hasattr(actor, "gauges") for key, read in actor.gauges()]
        self.env.call(self.env._now, SAMPLE, self._snapshot)

    def _snapshot(self, _: Any) -> None:
        now = self.env._now
        self.times.append(now)
        for level, read in self._gauges:
            level.append(read())
        self.env.call(now + self._snapshot_period, SAMPLE, self._snapshot)

    def reset(self) -> None:
        """Forget all sums: the warm-up is over."""
        now = self.env._now
        for actor in self.actors.values():
            actor.reset(now)

    def sums(self) -> dict[Key, float]:
        """All sums since the last reset; zeros are left out."""
        now = self.env._now
        sums: dict[Key, float] = {}
        for actor in self.actors.values():
            for key, value in actor.measures(now):
                if value:
                    sums[key] = sums.get(key, 0.0) + value
        return sums

    def samples(self) -> tuple[np.ndarray, dict[Key, np.ndarray]]:
        """Snapshot times and levels."""
        levels = {key: np.array(level) for key, level in self.snapshots.items()}
        return np.array(self.times), levels
