"""Carrying out a plan: its orders are placed and changed, its services begin at their time.

While a plan of orders holds, the policies of the shelves place none of their own. What cannot be
done when its time comes (an order has left, a machine is down) is left undone, as in a real chain.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from heapq import heapify
from typing import TYPE_CHECKING, Any

from twin.plan import Order as Planned
from twin.plan import Plan, Service
from twin.simulate.kernel import FAILURE, RECEIPT, REORDER, REVIEW
from twin.simulate.maker import Maker
from twin.simulate.order import Order
from twin.simulate.shelf import Shelf
from twin.simulate.shipment import Shipment, hurry
from twin.simulate.sourcing import Source
from twin.simulate.supplier import Supplier

if TYPE_CHECKING:
    from twin.simulate.lane import Lane
    from twin.simulate.world import World

_EPS = 1e-9


def carry_out(world: World, plan: Plan, served: Collection[str] = ()) -> None:
    """Do what a plan says about orders and services, each at its time.

    Parameters
    ----------
    served
        Machines whose services somebody else sees to, in the turn of their work.

    Raises
    ------
    ValueError
        If the plan orders for a place that does not stock the product.
    """
    for one in plan.orders:
        if (one.site, one.product) not in world.network.stock:
            raise ValueError(f"the plan orders {one.product} for {one.site}, which does not stock "
                             "it. Make a plan for this model with `twin optimize`.")
    desk, env = _Desk(world), world.env
    if plan.holds_h > 0.0:
        for call in world.told:  # what an earlier plan still had to order is planned anew
            call.cancel()
        world.told = []
        until = plan.made_h + plan.holds_h
        for shelf in world.shelves:
            if plan.holds and (shelf.site, shelf.product) not in plan.holds:
                continue
            shelf.held_until = until
            env.call(max(env._now, until), REORDER, _let_go, shelf)
    for one in plan.orders:
        world.told.append(env.call(max(env._now, one.when), REVIEW, desk.do, one))
    for service in plan.services:
        if service.asset not in served:
            env.call(max(env._now, service.start), FAILURE, desk.serve, service)


def _let_go(shelf: Shelf) -> None:
    shelf.consider()


class _Desk:
    """Places and changes orders as a plan says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.verbs: dict[str, Callable[[Planned, Shelf], None]] = {
            "order": self._place, "transfer": self._place, "expedite": self._expedite,
            "defer": self._defer, "cancel": self._drop, "decrease": self._drop,
            "increase": self._increase}

    def do(self, one: Planned) -> None:
        """Carry out one order."""
        self.verbs[one.verb](one, self.world.node(one.site, one.product, "stock"))

    def serve(self, service: Service) -> None:
        """Begin a service; nothing happens if the asset is down, or has no such cause."""
        for failure in self.world.failures.values():
            if (failure.asset.name, failure.row.cause) == (service.asset, service.cause):
                failure.serve()

    # -- placing ---------------------------------------------------------------------------------
    def _place(self, one: Planned, shelf: Shelf) -> None:
        source = self._source(shelf, one.source, one.mode)
        if source is not None or not one.source:
            shelf.replenish(one.quantity, deferred=True, source=source)

    def _source(self, shelf: Shelf, site: str, mode: str) -> Source | None:
        """The source that a plan names; None: whom the shelf would ask."""
        fitting = [source for source in shelf.every_source().sources
                   if site in (source.site, source.kind) and (
                       not mode or source.lane is None or source.lane.row.mode == mode)]
        return fitting[0] if fitting else None

    # -- changing --------------------------------------------------------------------------------
    def _drop(self, one: Planned, shelf: Shelf) -> None:
        order = shelf.orders_out.get(one.order)
        if order is not None:
            self._withdraw(order, one.quantity)

    def _defer(self, one: Planned, shelf: Shelf) -> None:
        """Take units back, and order them again in time for the later day."""
        order = shelf.orders_out.get(one.order)
        lane = None if order is None else order.lane
        units = 0.0 if order is None else self._withdraw(order, one.quantity)
        if units > _EPS:
            source = self._source(shelf, shelf.site if lane is None else lane.origin,
                                  "" if lane is None else lane.row.mode)
            lead = 0.0 if source is None else source.lead
            again = Planned("order", one.site, one.product, units, one.when,
                            "" if source is None else source.site,
                            "" if lane is None else lane.row.mode)
            now = self.world.env._now
            self.world.told.append(self.world.env.call(
                max(now, (one.due or now) - lead), REVIEW, self.do, again))

    def _increase(self, one: Planned, shelf: Shelf) -> None:
        """Make an order larger while nobody works on it; else order the units anew."""
        order = shelf.orders_out.get(one.order)
        node = None if order is None else self._waits_at(order)
        if order is None or node is None:
            self._place(one, shelf)
            return
        if isinstance(node, Shelf):
            node.owe(one.quantity)
        order.open += one.quantity
        order.quantity += one.quantity
        order.undelivered += one.quantity
        shelf.expect_units(one.quantity)

    def _withdraw(self, order: Order, units: float) -> float:
        """Take back units that nobody has sent or made; how many."""
        node = self._waits_at(order, also_preparing=True)
        units = min(units, order.open)
        if isinstance(node, Maker):
            units = min(units, order.open - node.pending.get(order.number, 0.0))
        if node is None or units <= _EPS:
            return 0.0
        order.open = 0.0 if order.open - units <= _EPS else order.open - units
        order.quantity -= units
        if isinstance(node, Shelf):
            node.owe(-units)
            node._clear()
        elif isinstance(node, Supplier) and order.open == 0.0:
            node.forget(order)
        order.buyer.close(order, units)
        return units

    def _owners(self, order: Order) -> Iterator[Any]:
        """Places that could owe an order."""
        site = order.buyer.site if order.lane is None else order.lane.origin
        for (at, product, _), node in self.world.nodes.items():
            if (at, product) == (site, order.product) and node is not order.buyer:
                yield node

    def _waits_at(self, order: Order, *, also_preparing: bool = False) -> Any:
        """Who owes an order that nobody works on yet; None if there is nobody."""
        for node in self._owners(order):
            if isinstance(node, Shelf) and any(one is order for *_, one in node.book):
                return node
            if isinstance(node, Supplier) and (
                    any(one is order for one in list(node.queue)[int(node.working):])
                    or (also_preparing and order.number in node.preparing)):
                return node
            if isinstance(node, Maker) and any(one is order for *_, one in node.book):
                return node
        return None

    # -- hurrying --------------------------------------------------------------------------------
    def _expedite(self, one: Planned, shelf: Shelf) -> None:
        """Halve what is left of an order's way, wherever it is, and of every leg to come."""
        order = shelf.orders_out.get(one.order)
        if order is None:
            return
        order.hurried = True
        for lane in self.world.lanes.values():
            for shipment in list(lane.moving.values()):
                if shipment.call is not None and any(p.order is order for p in shipment.load):
                    _hurry(lane, shipment)
        for node in self._owners(order):
            if isinstance(node, Supplier):
                node.hurry(order)
            elif isinstance(node, Shelf | Maker):
                _to_the_front(node, order)


def _hurry(lane: Lane, shipment: Shipment) -> None:
    """Halve what is left of a shipment's way."""
    now = lane.env._now
    assert shipment.call is not None
    shipment.call.cancel()
    shipment.delayed = True
    shipment.due = now + (shipment.due - now) * hurry(lane, shipment)
    shipment.call = lane.env.call(shipment.due, RECEIPT, lane.arrive, shipment)


def _to_the_front(node: Any, order: Order) -> None:
    """Let an order be served before all others of a book."""
    if any(one is order for *_, one in node.book):
        order.priority = 0
        if isinstance(node, Maker):
            node.book = [(outer, one.priority, number, one)
                         for outer, _, number, one in node.book]
        else:
            node.book = [(one.priority, turn, one) for _, turn, one in node.book]
        heapify(node.book)
