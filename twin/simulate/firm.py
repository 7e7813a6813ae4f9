"""Firm orders: the rows of `orders`, from the order book to goods already under way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twin.network import Demand, FirmOrder
from twin.quantity import constant
from twin.simulate.customer import Customer
from twin.simulate.kernel import DEMAND, LATE_REVIEW, REVIEW
from twin.simulate.order import Order
from twin.simulate.shipment import Consignment

if TYPE_CHECKING:
    from twin.simulate.world import World


def firm_customers(world: World) -> Iterator[Customer]:
    """The customers behind firm orders, one for each site and product."""
    places = [(row.site, row.product) for row in world.network.orders.values()
              if row.source is None]
    for site, product in dict.fromkeys(places):
        rows = [d for d in world.network.demand.values() if (d.site, d.product) == (site, product)]
        first = rows[0] if rows else None
        yield Customer(world, Demand(
            site=site, product=product, stream="firm", interarrival=constant(24.0, time=True),
            limit=0, price=first.price if first else 0.0,
            payment=first.payment if first else 0.0))


def book_firm_orders(world: World) -> None:
    """Put every row of `orders` where it belongs at the start of the run.

    A row without `source` is a customer's order at its site. One with a `source` replenishes the
    shelf of its site: shipped, it arrives at `due`; open, it reaches its source when the
    information lead time since `placed` has passed. A run that goes on from a state knows of all
    those placed before it.
    """
    now = world.env._now
    for row in world.network.orders.values():
        if world.resumed and (row.placed < now or row.status == "shipped"):
            continue
        if row.source is None:
            customer = world.actors[f"customer {row.site}/{row.product}/firm"]
            world.env.call(max(now, row.placed), DEMAND, _ask, (customer, row))
        elif row.status == "shipped":
            _under_way(world, row)
        elif row.placed < 0.0:
            _on_its_way_up(world, row)
        else:
            late = world.network.review == "after_demand"
            world.env.call(row.placed, LATE_REVIEW if late else REVIEW, _plan, (world, row))


def _ask(pair: tuple[Customer, FirmOrder]) -> None:
    customer, row = pair
    customer.place_firm(row.quantity, row.placed, row.due, row.priority)


def _source(world: World, row: FirmOrder) -> Any:
    shelf = world.node(row.site, row.product)
    for source in shelf.every_source().sources:
        if row.source in (source.site, source.kind) and (
                source.kind == "lane" or row.source in ("make", "supply", row.site)):
            return shelf, source
    raise ValueError(
        f"orders row '{row.order}': source '{row.source}' does not send {row.product} to "
        f"{row.site}. Write a site with a lane to {row.site}, or leave it blank.")


def _plan(pair: tuple[World, FirmOrder]) -> None:
    world, row = pair
    shelf, source = _source(world, row)
    shelf.replenish(row.quantity, deferred=world.network.review != "after_demand", source=source)


def _order(world: World, row: FirmOrder, shelf: Any, source: Any) -> Order:
    order = Order(world.order_number(), shelf, row.product, row.quantity, row.placed,
                  due=row.due, priority=row.priority, lane=source.lane)
    shelf.expect(order)
    if world.ledger is not None:
        world.ledger.add(world.env._now, "ordering", site=row.site, to_site=source.site,
                         product=row.product, quantity=row.quantity, order=order.number,
                         role="firm", source=row.order)
    return order


def _on_its_way_up(world: World, row: FirmOrder) -> None:
    shelf, source = _source(world, row)
    order = _order(world, row, shelf, source)
    delay = source.lane.row.order_delay if source.lane is not None else 0.0
    world.post(order, source.node, max(0.0, row.placed + delay))


def _under_way(world: World, row: FirmOrder) -> None:
    shelf, source = _source(world, row)
    order = _order(world, row, shelf, source)
    order.open = 0.0
    order.unit_price, order.terms = source.price_of(row.quantity), source.terms
    due = 0.0 if row.due is None else row.due
    if source.lane is None:
        world.post(order, None, due)
    else:
        load = [Consignment(order, row.quantity, None, row.placed)]
        source.lane.under_way(load, due).delayed = True  # it comes when the row says
