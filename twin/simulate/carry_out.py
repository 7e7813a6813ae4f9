"""Carrying out what a plan says besides schedules and routes: orders, changes of orders, services.

What cannot be done when its time comes (the order has left, the machine is down) is left undone,
as it would be in the real chain.
"""

from __future__ import annotations

from heapq import heapify
from typing import TYPE_CHECKING, Any

from twin.plan import Order, Plan, Service
from twin.simulate.kernel import FAILURE, REORDER

if TYPE_CHECKING:
    from twin.simulate.world import World

HURRY = 2.0  #: what hurrying an order costs, as a multiple of its freight; it halves what is left
_EPS = 1e-9


def carry_out(world: World, plan: Plan) -> None:
    """Let a world do what a plan says, each thing at its time; call it before the world starts.

    Raises
    ------
    ValueError
        If the plan names a shelf or a machine that the world does not have.
    """
    now = world.env._now
    for order in plan.orders:
        if (order.site, order.product) not in world.network.stock:
            raise ValueError(f"the plan orders {order.product} for {order.site}, which does not "
                             "stock it. Make a plan for this model.")
        world.env.call(max(now, order.when), REORDER, lambda said: _order(world, said), order)
    if not plan.operations:  # else machines serve themselves in the order of the schedule
        known = {failure.asset.name for failure in world.failures.values()}
        for service in plan.services:
            if service.asset not in known:
                raise ValueError(f"the plan services {service.asset}, which never fails here. Make "
                                 "a plan for this model.")
            world.env.call(max(now, service.start), FAILURE,
                           lambda said: _serve(world, said), service)


def _serve(world: World, service: Service) -> None:
    for failure in world.failures.values():
        if failure.asset.name == service.asset and failure.row.cause == service.cause \
                and failure.row.service_after is not None:
            failure.serve()


def _order(world: World, said: Order) -> None:
    shelf = world.node(said.site, said.product, "stock")
    if said.verb in ("order", "transfer"):
        source = None
        if said.source:
            source = next((one for one in shelf.every_source().sources
                           if said.source in (one.site, one.kind) and (
                               not said.mode or one.lane is None
                               or one.lane.row.mode == said.mode)), None)
            if source is None:
                return
        shelf.replenish(said.quantity, deferred=True, source=source)
        return
    order = shelf.orders_out.get(said.order)
    if order is None:
        return
    if said.verb == "expedite":
        _hurry(world, shelf, order)
    elif said.verb in ("cancel", "decrease"):
        _shorten(world, shelf, order, said.quantity if said.verb == "decrease" else order.open)
    elif said.verb == "increase":
        shelf.replenish(said.quantity, deferred=True)


def _supplier_of(world: World, order: Any) -> Any:
    """The supplier that makes an order ready, or has it in its queue."""
    for node in world.nodes.values():
        if getattr(node, "kind", "") == "supply" and (
                order.number in node.preparing or order in node.queue):
            return node
    return None


def _hurry(world: World, shelf: Any, order: Any) -> None:
    """Halve what is left of an order's lead time at its supplier."""
    supplier = _supplier_of(world, order)
    preparation = None if supplier is None else supplier.preparing.pop(order.number, None)
    if preparation is None:
        return
    left, worked = preparation.at(world.env._now)
    if preparation.call is not None:
        preparation.call.cancel()
    supplier.prepare(order, left / 2.0, worked)
    weight = shelf.thing.weight_kg
    rate = order.lane.row.cost_per_kg if order.lane is not None else 0.0
    shelf.ordering += HURRY * max(rate * weight, 0.01 * shelf.thing.value) * order.open


def _shorten(world: World, shelf: Any, order: Any, quantity: float) -> None:
    """Take units off an order, as long as they have not left."""
    quantity = min(quantity, order.open)
    if quantity <= _EPS or order.number in world.posted:
        return
    owner = world.node(order.lane.origin if order.lane is not None else shelf.site, shelf.product)
    if getattr(owner, "kind", "") == "stock":
        if all(one is not order for _, _, one in owner.book):
            return
        owner.owe(-quantity)
    else:
        supplier = _supplier_of(world, order)
        if supplier is None or (supplier.working and supplier.queue[0] is order):
            return
        if quantity > order.open - _EPS:
            _strike(supplier, order)
    order.open -= quantity
    shelf.close(order, quantity)
    if getattr(owner, "kind", "") == "stock":
        owner.book = [entry for entry in owner.book if entry[2].open > _EPS]
        heapify(owner.book)
        owner.be_quick()


def _strike(supplier: Any, order: Any) -> None:
    """Strike an order off what a supplier has to do."""
    if order in supplier.queue:
        supplier.queue.remove(order)
    preparation = supplier.preparing.pop(order.number, None)
    if preparation is not None and preparation.call is not None:
        preparation.call.cancel()
