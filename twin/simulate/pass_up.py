"""Sites that neither stock, make nor buy a product: what is asked of them goes up their lanes."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from twin.simulate.order import Goods, Order
from twin.simulate.sourcing import Source, Sourcing
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.world import World

_EPS = 1e-9


class PassUp:
    """Passes orders for one product up the lanes of a site, and the goods on to who asked."""

    kind = "pass"
    take = None

    def __init__(self, world: World, site: str, product: str) -> None:
        self.world, self.site, self.product = world, site, product
        self.name = f"pass {site}/{product}"
        self._found: Sourcing | None = None
        self.looking = False
        self.children: dict[int, Order] = {}
        self.reset(0.0)

    @property
    def sourcing(self) -> Sourcing:
        """The sources, found when first needed."""
        if self._found is None:
            self.looking = True
            self._found = Sourcing(self.world, self.site, self.product, named=None, own=False)
            self.looking = False
        return self._found

    def order(self, order: Order) -> None:
        """Pass an order up; it comes back through this site."""
        source = self.sourcing.choose(order.open, avoiding=self._behind(order))
        if source is None:
            lost, order.open = order.open, 0.0
            order.buyer.short(order, lost)
            return
        self.ordering += source.order_cost
        world = self.world
        if order.lane is None:  # the buyer sits here: the same order goes on
            self._write(order, source)
            source.place(order, deferred=False)
            return
        child = Order(world.order_number(), self, order.product, order.open, world.env._now,
                      due=order.due, priority=order.priority, partial=order.partial,
                      lost_if_short=order.lost_if_short, stream=order.stream)
        child.parent, child.together = order, order.together
        self.children[child.number] = child
        self._write(child, source)
        source.place(child, deferred=False)

    def _write(self, order: Order, source: Source) -> None:
        """Write down where an order goes, and for which other one."""
        ledger = self.world.ledger
        if ledger is not None:
            ledger.add(self.world.env._now, "ordering", site=self.site, to_site=source.site,
                       product=order.product, quantity=order.open, order=order.number,
                       parent=0 if order.parent is None else order.parent.number, role="passed")

    def _behind(self, order: Order) -> set[str]:
        """Sites that the order has passed already."""
        sites: set[str] = set()
        above: Order | None = order
        while above is not None:
            sites.add(above.buyer.site)
            above = above.parent
        return sites - {self.site}

    def receive(self, order: Order, quantity: float, goods: Goods) -> None:
        """Goods for a passed-up order have come: send them on."""
        self.bought += quantity * order.unit_price
        self.paid_later += quantity * order.unit_price * order.terms
        parent = order.parent
        parent.flawed = parent.flawed or order.flawed
        parent.open -= quantity
        self._close(order, quantity)
        self.world.send(parent, quantity, goods)

    def short(self, order: Order, quantity: float) -> None:
        """Some units will never come."""
        parent = order.parent
        parent.open -= quantity
        self._close(order, quantity)
        parent.buyer.short(parent, quantity)

    def _close(self, order: Order, quantity: float) -> None:
        order.undelivered -= quantity
        if order.undelivered <= _EPS:
            self.children.pop(order.number, None)

    # -- what others ask -------------------------------------------------------------------------
    def available(self) -> float:
        """What the sources above have."""
        if self.looking:
            return 0.0
        self.looking = True
        most = max((source.node.available() for source in self.sourcing.sources), default=0.0)
        self.looking = False
        return float(most)

    def mean_lead(self) -> float:
        """Mean hours from order to goods here."""
        return inf if self.looking else self.sourcing.lead()

    # -- state -----------------------------------------------------------------------------------
    def adopt(self, order: Order) -> None:
        """Take back a passed-up order of a saved state."""
        self.children[order.number] = order

    def state(self, book: Book) -> dict[str, Any]:
        """The orders passed up, and how they were shared among sources."""
        for order in self.children.values():
            book.keep(order)
        return {} if self._found is None else self._found.state()

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Take up the shares given."""
        if state:
            self.sourcing.resume(state)

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.ordering = self.bought = self.paid_later = 0.0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        for measure, value in (("ordering_cost", self.ordering), ("purchase_cost", self.bought),
                               ("payable_time", self.paid_later)):
            yield (measure, self.site, self.product, ""), value
