"""Replenishment: what a shelf knows, whom it asks, and when it orders."""

from __future__ import annotations

from collections.abc import Generator
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Stock
from twin.simulate.kernel import LATE_REVIEW, REORDER, REVIEW, Pause
from twin.simulate.order import Order
from twin.simulate.policies import VendorManaged, policy_of
from twin.simulate.record import Record
from twin.simulate.shelf_score import EPS, ShelfScore
from twin.simulate.sourcing import RULES, Source, Sourcing

if TYPE_CHECKING:
    from twin.quantity import Quantity
    from twin.simulate.world import World


class Replenishment(ShelfScore):
    """Orders by a policy that acts on the record of the stock."""

    __slots__ = (
        "_site", "held_until", "next_review", "orders_out", "pause", "policy", "seen_at",
        "sourcing", "wanting",
    )

    sourcing: Sourcing

    def __init__(self, world: World, row: Stock) -> None:
        super().__init__(world, row)
        self._site = world.network.sites[row.site]
        self.orders_out: dict[int, Order] = {}  #: replenishment orders under way
        self.policy: Any = None
        self.trigger = -inf
        self.watch()
        self.asking = False
        self.seen_at = self.env._now
        self.pause = Pause(self.env)
        self.next_review = row.first_review
        #: shelves managed from here that wait for this one to have something
        self.wanting: dict[str, Replenishment] = {}
        self.held_until = -inf  #: until then a plan orders, and the policy does not

    # -- settings --------------------------------------------------------------------------------
    def connect(self) -> None:
        """Bind sources and policy, once every node can be found."""
        self.sourcing = self._usual()
        self.set_policy(self.row)
        self.keep_own_record()
        self.consider()

    def set_policy(self, row: Stock) -> None:
        """Replenish by another row's settings from now on; the policy keeps its memory."""
        memory = self.policy.state() if self.policy is not None else None
        self.policy = policy_of(row, self.sourcing.lead() + self._site.record_delay)
        self.trigger = self.policy.trigger if self.row.review is None else -inf
        self.watch()
        if memory is not None:
            self.policy.resume(memory)
            self.consider()

    def _usual(self) -> Sourcing:
        return Sourcing(self.world, self.site, self.product, named=self.row.source, own=True)

    def every_source(self) -> Sourcing:
        """All places that could send the product, whatever the row names."""
        return Sourcing(self.world, self.site, self.product, named=None, own=True)

    def source_from(self, name: str | None) -> None:
        """Order by another rule or from another place (`other`: not the usual); None: as usual."""
        usual = self._usual()
        if name is None:
            self.sourcing = usual
            return
        wide = self.every_source()
        if name in RULES:
            wide.set_rule(name)
        elif name == "other":
            first = usual.choose(0.0)
            rest = [s for s in wide.sources if first is None or s.site != first.site]
            if rest:
                wide.forced = min(rest, key=lambda source: source.lead)
        elif not wide.force(name):
            return
        self.sourcing = wide

    # -- the record ------------------------------------------------------------------------------
    def keep_own_record(self) -> None:
        """Know the stock as well as the site's row says."""
        site = self._site
        self.keep_record(site.record_delay, site.count_period, site.record_error)

    def keep_record(self, delay: float, count_period: float | None, error: Quantity | None, *,
                    batch: bool = False) -> None:
        """Change how well the stock is known; no delay and no error is the stock itself."""
        if self.record is not None:
            self.record.close()
            self.record = None
        wrong = error is not None and (error.mean() != 0.0 or error.sd() != 0.0)
        if delay > 0.0 or wrong:
            # Each law of errors has luck of its own.
            draw = self.world.streams.draw(self.name, f"record_error {error}", error) \
                if error is not None and wrong else None
            self.record = Record(self, delay, count_period, draw, batch=batch)
        self.be_quick()

    def be_quick(self) -> None:
        """Decide whether walk-in customers concern nobody but the shelf."""

    def known_position(self) -> float:
        """The inventory position by the record."""
        position = self.on_hand + self.on_order + self.outside - self.owed
        return position if self.record is None else position + self.record.gap

    def known_on_hand(self) -> float:
        """The stock on hand by the record."""
        return self.on_hand if self.record is None else self.on_hand + self.record.gap

    def demand_seen(self) -> float | None:
        """Demand that the record learned since the last review, scaled to one review period."""
        self.settle()
        now = self.env._now
        elapsed, self.seen_at = now - self.seen_at, now
        demand, self.seen_demand = self.seen_demand, 0.0
        if elapsed <= 0.0:
            return demand or None  # of the first instant, if the review comes after it
        return demand if abs(elapsed - self.period) < EPS else demand * self.period / elapsed

    def vendor_has(self, wanted: float) -> float:
        """What a vendor could send now; one that has too little will say when it has more."""
        source = self.sourcing.choose(0.0)
        if source is None:
            return 0.0
        has = float(source.node.available())
        wanting = getattr(source.node, "wanting", None)
        if has < wanted and wanting is not None and self.row.review is None:
            wanting[self.name] = self
        return has

    def tell_wanting(self) -> None:
        """Say to managed shelves that there is something now."""
        wanting, self.wanting = self.wanting, {}
        for shelf in wanting.values():
            shelf.consider()

    # -- ordering --------------------------------------------------------------------------------
    def consider(self) -> None:
        """Ask the policy at the end of this instant, if it is reviewed continuously."""
        if not self.asking and self.known_position() <= self.trigger:
            self.asking = True
            self.env.call(self.env._now, REORDER, self._reorder)

    def _reorder(self, _: Any) -> None:
        self.asking = False
        if self.env._now < self.held_until - EPS:
            return
        quantity = self.policy.quantity(self)
        if quantity > EPS:
            self.replenish(quantity, deferred=False)

    def run(self) -> Generator[Pause, Any, None]:
        """The periodic review."""
        review = self.row.review
        assert review is not None
        late = self.world.network.review == "after_demand"
        first, count = self.next_review, 0
        while True:
            self.next_review = first + count * review
            yield self.pause.until(self.next_review, LATE_REVIEW if late else REVIEW)
            count += 1
            self.next_review = first + count * review
            self.roll(self.env._now)
            quantity = self.policy.quantity(self)
            if quantity > EPS and self.env._now >= self.held_until - EPS:
                self.replenish(quantity, deferred=not late)

    def replenish(self, quantity: float, *, deferred: bool, source: Source | None = None) -> None:
        """Place one replenishment order."""
        source = source or self.sourcing.choose(quantity)
        if source is None:
            return
        quantity = source.rounded(quantity)
        world, now = self.world, self.env._now
        order = Order(world.order_number(), self, self.product, quantity, now)
        if isinstance(self.policy, VendorManaged):
            order.tag = "seen"
        self.expect(order)
        if source.order_cost:
            self.ordering += source.order_cost
        self.close_periods(now)
        self.period_ordered += quantity
        self.placed += 1
        self.ordered += quantity
        if self.ledger is not None:
            self.ledger.add(now, "ordering", site=self.site, to_site=source.site,
                            product=self.product, quantity=quantity, order=order.number)
        source.place(order, deferred=deferred)

    def expect(self, order: Order) -> None:
        """Count an order's units as on order."""
        self.orders_out[order.number] = order
        self.expect_units(order.undelivered)

    def close(self, order: Order, quantity: float) -> None:
        """So many units of an order are no longer expected."""
        order.undelivered -= quantity
        if order.undelivered <= EPS:
            self.orders_out.pop(order.number, None)
        self.expect_units(-quantity)

    def short(self, order: Order, quantity: float) -> None:
        """The supplier will not deliver so many of the units ordered."""
        self.close(order, quantity)
        if self.ledger is not None:
            self.ledger.add(self.env._now, "lost", site=self.site, product=self.product,
                            quantity=quantity, order=order.number)
        if order.placed < self.env._now:  # else it would be ordered again and again at once
            self.consider()

    def adopt(self, order: Order) -> None:
        """Take back a replenishment order of a saved state."""
        self.orders_out[order.number] = order

    # -- state -----------------------------------------------------------------------------------
    def plans(self) -> dict[str, Any]:
        """What the record and the policy know, and when they look again."""
        now = self.env._now
        self.close_periods(now)
        return {
            "record": None if self.record is None else self.record.state(),
            "policy": self.policy.state(),
            "review_in": None if self.row.review is None else self.next_review - now,
            "seen_demand": self.seen_demand, "seen_age": now - self.seen_at,
            "period": [self.period_units, self.period_ordered,
                       None if self.period_end == inf else self.period_end - now],
            "sourcing": self.sourcing.state(),
        }

    def resume_plans(self, state: dict[str, Any]) -> None:
        """Take up the plans of a saved shelf."""
        now = self.env._now
        if state["record"] is not None and self.record is not None:
            self.record.resume(state["record"])
        self.policy.resume(state["policy"])
        if state["review_in"] is not None:
            self.next_review = now + state["review_in"]
        self.seen_demand, self.seen_at = state["seen_demand"], now - state["seen_age"]
        self.period_units, self.period_ordered, left = state["period"]
        self.period_end = inf if left is None else now + left
        self.sourcing.resume(state["sourcing"])
