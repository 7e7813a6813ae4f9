"""Where an order goes: the possible sources of a product at a site, and the rules to choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twin.simulate.order import Order
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.lane import Lane
    from twin.simulate.world import World


class Source:
    """One way to get a product: a node that provides it and, from elsewhere, the lane."""

    __slots__ = ("world", "kind", "site", "node", "lane", "share", "given", "lead", "unit_cost",
                 "minimum", "multiple", "order_cost")

    def __init__(self, world: World, kind: str, site: str, product: str, lane: Lane | None) -> None:
        network = world.network
        self.world = world
        self.kind = kind  #: make, supply or lane
        self.site = site  #: the site that provides
        self.lane = lane
        self.node = world.node(site, product, kind)
        self.share = lane.row.share if lane is not None else 1.0
        self.given = 0.0
        supply = network.supply.get((site, product)) if self.node.kind == "supply" else None
        weight = network.products[product].weight_kg
        self.unit_cost = (supply.price if supply else 0.0) + (
            lane.row.cost_per_kg * weight if lane is not None else 0.0)
        self.lead = self.node.mean_lead() + (
            lane.mean_transit() + lane.row.order_delay if lane is not None else 0.0)
        self.minimum = supply.minimum_order if supply else 0.0
        self.multiple = supply.multiple if supply else None
        self.order_cost = supply.order_cost if supply else 0.0

    def rounded(self, quantity: float) -> float:
        """The quantity that the supplier accepts: at least the minimum, in multiples."""
        quantity = max(quantity, self.minimum)
        if self.multiple:
            count = quantity / self.multiple
            whole = int(count + 1e-9)
            quantity = (whole if whole >= count - 1e-9 else whole + 1) * self.multiple
        return quantity

    def price_of(self, quantity: float) -> float:
        """What a unit costs at this source; nothing unless it is bought."""
        return float(self.node.price(quantity)) if self.node.kind == "supply" else 0.0

    def open(self) -> bool:
        """Whether goods can leave now."""
        return self.lane is None or not self.lane.closed

    def place(self, order: Order, *, deferred: bool) -> None:
        """Send the order on its way; one of a periodic review arrives in the demand phase."""
        order.lane = self.lane
        delay = 0.0 if self.lane is None or order.tag == "seen" else self.lane.row.order_delay
        env = self.world.env
        if delay > 0.0 or deferred:
            self.world.post(order, self.node, env._now + delay)
        else:
            order.owner = self.node
            self.node.order(order)


class Sourcing:
    """The sources of one product at one site and the rule that picks among them."""

    def __init__(self, world: World, site: str, product: str, *, named: str | None,
                 own: bool) -> None:
        self.world = world
        self.rule = world.network.sites[site].sourcing
        found: list[Source] = []
        if own and named in (None, "make") and (site, product) in world.made:
            found.append(Source(world, "make", site, product, None))
        if own and named in (None, site, "supply") and (site, product) in world.network.supply:
            found.append(Source(world, "supply", site, product, None))
        for lane in world.lanes_into.get(site, ()):
            if named in (None, lane.row.origin) and world.provides(lane.row.origin, product):
                found.append(Source(world, "lane", lane.row.origin, product, lane))
        self.sources = found
        self.site, self.product = site, product
        self.forced: Source | None = None
        self.total = 0.0
        self.fixed = self._fixed() if found else None

    def _fixed(self) -> Source | None:
        """The source that never changes, if the rule names one."""
        if len(self.sources) == 1 or self.rule == "fixed":
            return self.sources[0]
        if self.rule == "cheapest":
            return min(self.sources, key=lambda source: source.unit_cost)
        if self.rule == "fastest":
            return min(self.sources, key=lambda source: source.lead)
        return None

    def set_rule(self, rule: str) -> None:
        """Choose by another rule from now on."""
        self.rule = rule
        self.fixed = self._fixed() if self.sources else None

    def lead(self) -> float:
        """Mean lead time of the usual source, hours."""
        if not self.sources:
            return 0.0
        return (self.fixed or min(self.sources, key=lambda source: source.lead)).lead

    def force(self, site: str | None) -> bool:
        """Buy from `site` from now on (None: by the rule again); False if it is no source."""
        if site is None:
            self.forced = None
            return True
        for source in self.sources:
            if source.site == site:
                self.forced = source
                return True
        return False

    def state(self) -> dict[str, Any]:
        """How much each source was given (for split orders)."""
        return {"total": self.total, "given": [source.given for source in self.sources]}

    def resume(self, state: dict[str, Any]) -> None:
        """Take up the shares given."""
        self.total = state["total"]
        for source, given in zip(self.sources, state["given"], strict=False):
            source.given = given

    def choose(self, quantity: float) -> Source | None:
        """The source for an order of this size, now."""
        if self.forced is not None:
            return self.forced
        if self.rule == "fixed" or len(self.sources) < 2:
            return self.fixed
        usable = [source for source in self.sources if source.open()] or self.sources
        if self.rule == "cheapest":
            return min(usable, key=lambda source: source.unit_cost)
        if self.rule == "in_stock":
            for source in usable:
                if source.node.available() >= quantity:
                    return source
            return min(usable, key=lambda source: source.lead)
        if self.rule == "split":
            self.total += quantity
            weight = sum(source.share for source in usable) or 1.0
            best = max(usable, key=lambda s: s.share / weight * self.total - s.given)
            best.given += quantity
            return best
        return min(usable, key=lambda source: source.lead)


class PassUp:
    """A site that neither stocks, makes nor buys a product: its orders go up its lanes."""

    kind = "pass"
    take = None

    def __init__(self, world: World, site: str, product: str) -> None:
        self.world, self.site, self.product = world, site, product
        self.name = f"pass {site}/{product}"
        self.sourcing: Sourcing | None = None
        self.children: dict[int, Order] = {}

    def _sourcing(self) -> Sourcing:
        if self.sourcing is None:
            self.sourcing = Sourcing(self.world, self.site, self.product, named=None, own=False)
        return self.sourcing

    def order(self, order: Order) -> None:
        """Pass an order up; it comes back through this site."""
        source = self._sourcing().choose(order.open)
        if source is None:
            order.buyer.short(order, order.open)
            return
        if order.lane is None:  # the buyer sits here: the same order goes on
            source.place(order, deferred=False)
            return
        world = self.world
        child = Order(world.order_number(), self, order.product, order.open, world.env._now,
                      due=order.due, priority=order.priority, partial=order.partial,
                      lost_if_short=order.lost_if_short, stream=order.stream)
        child.parent = order
        self.children[child.number] = child
        source.place(child, deferred=False)

    def receive(self, order: Order, quantity: float, goods: Any) -> None:
        """Goods for a passed-up order have come: send them on."""
        order.undelivered -= quantity
        parent = order.parent
        parent.open -= quantity
        if order.undelivered <= 1e-9:
            self.children.pop(order.number, None)
        self.world.send(parent, quantity, goods)

    def short(self, order: Order, quantity: float) -> None:
        """Some units will never come."""
        parent = order.parent
        parent.open -= quantity
        order.undelivered -= quantity
        if order.undelivered <= 1e-9:
            self.children.pop(order.number, None)
        parent.buyer.short(parent, quantity)

    def adopt(self, order: Order) -> None:
        """Take back a passed-up order of a saved state."""
        self.children[order.number] = order

    def state(self, book: Any) -> dict[str, Any]:
        """The orders passed up, and how they were shared among sources."""
        for order in self.children.values():
            book.keep(order)
        return {} if self.sourcing is None else self.sourcing.state()

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up the shares given."""
        if state:
            self._sourcing().resume(state)

    def reset(self, now: float) -> None:
        """It counts nothing."""

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """It counts nothing."""
        return iter(())

    samples = measures

    def available(self) -> float:
        """What the sources above have."""
        return max((s.node.available() for s in self._sourcing().sources), default=0.0)

    def mean_lead(self) -> float:
        """Mean hours from order to goods here."""
        return self._sourcing().lead()



