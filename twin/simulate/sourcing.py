"""Where an order goes: the possible sources of a product at a site, and the rules to choose."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

from twin.simulate.order import Order

if TYPE_CHECKING:
    from twin.simulate.lane import Lane
    from twin.simulate.world import World

RULES = ("cheapest", "fastest", "fixed", "in_stock", "split")


class Source:
    """One way to get a product: a node that provides it and, from elsewhere, the lane."""

    __slots__ = ("world", "kind", "site", "node", "lane", "share", "given", "lead", "delay",
                 "unit_cost", "minimum", "multiple", "order_cost", "terms")

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
        self.delay = lane.row.order_delay if lane is not None else 0.0
        weight = network.products[product].weight_kg
        self.unit_cost: float = (supply.price if supply else 0.0) + (
            lane.row.cost_per_kg * weight if lane is not None else 0.0)
        self.lead: float = self.node.mean_lead() + (
            lane.mean_transit() + self.delay if lane is not None else 0.0)
        self.minimum = supply.minimum_order if supply else 0.0
        self.multiple = supply.multiple if supply else None
        self.order_cost = supply.order_cost if supply else 0.0
        self.terms = supply.payment if supply else 0.0

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
        delay = 0.0 if order.tag == "seen" else self.delay
        if delay > 0.0 or deferred:
            self.world.post(order, self.node, self.world.env._now + delay)
        else:
            self.node.order(order)


class Sourcing:
    """The sources of one product at one site and the rule that picks among them."""

    __slots__ = ("forced", "product", "rule", "site", "sources", "total", "world")

    def __init__(self, world: World, site: str, product: str, *, named: str | None,
                 own: bool) -> None:
        self.world = world
        self.rule = world.network.sites[site].sourcing
        if named in RULES:
            self.rule, named = str(named), None
        found: list[Source] = []
        if own and named in (None, "make") and (site, product) in world.made:
            found.append(Source(world, "make", site, product, None))
        if own and named in (None, site, "supply") and (site, product) in world.network.supply:
            found.append(Source(world, "supply", site, product, None))
        for lane in world.lanes_into.get(site, ()):
            if named in (None, lane.origin) and world.provides(lane.origin, product, beyond=site):
                found.append(Source(world, "lane", lane.origin, product, lane))
        self.sources = found
        self.site, self.product = site, product
        self.forced: Source | None = None
        self.total = 0.0

    def set_rule(self, rule: str) -> None:
        """Choose by another rule from now on."""
        self.rule = rule

    def lead(self) -> float:
        """Mean lead time of the usual source, hours."""
        if not self.sources:
            return 0.0
        if self.rule == "fixed":
            return self.sources[0].lead
        if self.rule == "cheapest":
            return min(self.sources, key=lambda source: source.unit_cost).lead
        return min(source.lead for source in self.sources)

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

    def choose(self, quantity: float, avoiding: Set[str] = frozenset()) -> Source | None:
        """The source for an order of this size, now; where lanes are closed, another one.

        A fixed source is the first one, open or closed.
        """
        if self.forced is not None:
            return self.forced
        sources = self.sources
        if avoiding:
            sources = [source for source in sources if source.site not in avoiding]
        if not sources:
            return None
        if len(sources) == 1 or self.rule == "fixed":
            return sources[0]
        usable = [source for source in sources if source.open()] or sources
        if self.rule == "cheapest":
            return min(usable, key=lambda source: source.unit_cost)
        if self.rule == "in_stock":
            for source in usable:
                if source.node.available() >= quantity:
                    return source
        if self.rule == "split":
            self.total += quantity
            weight = sum(source.share for source in usable) or 1.0
            best = max(usable, key=lambda s: s.share / weight * self.total - s.given)
            best.given += quantity
            return best
        return min(usable, key=lambda source: source.lead)
