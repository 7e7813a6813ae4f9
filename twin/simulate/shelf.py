"""A shelf: stock of one product at one site, its order book and its replenishment."""

from __future__ import annotations

from bisect import insort
from collections.abc import Generator, Iterator
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Stock
from twin.simulate.kernel import LATE_REVIEW, RECEIPT, REORDER, REVIEW, Pause
from twin.simulate.order import Goods, Lot, Order
from twin.simulate.policies import VendorManaged, policy_of
from twin.simulate.record import Record
from twin.simulate.sourcing import Sourcing
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.storage import Area
    from twin.simulate.world import World

_EPS = 1e-9
_DAY = 24.0


def _expiry(lot: Lot) -> float:
    return lot.expires


class Shelf:
    """Serves orders from stock, keeps those it owes, and orders by its policy.

    `position` is what the shelf has and expects, less what it owes. Time integrals are kept as
    moments: the integral of x over [0, T] is x(T) T minus the sum of its changes times their times.
    """

    kind = "stock"

    def __init__(self, world: World, row: Stock) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.site, self.product = row.site, row.product
        self.name = f"shelf {row.site}/{row.product}"
        self.thing = world.network.products[row.product]
        site = world.network.sites[row.site]
        self.ledger = world.ledger
        self.on_hand = row.on_hand
        self.owed = 0.0
        self.on_order = 0.0
        self.position = row.on_hand
        self.book: list[tuple[int, int, Order]] = []  #: heap of owed orders
        self.orders_out: dict[int, Order] = {}  #: replenishment orders under way
        self.asking = False
        self.area: Area | None = None
        self.lots: list[Lot] | None = None
        if world.tracing or self.thing.shelf_life is not None:
            self.lots = []
            if self.on_hand > 0.0:
                self._store(self.on_hand, None, first=True)
        self.record: Record | None = None
        self.policy: Any = None
        self._site = site
        self.period = row.review or _DAY
        self.period_end = inf if row.review else self.period
        self.seen_demand = 0.0
        self.seen_at = 0.0
        self.gap_area = self.gap_since = 0.0
        self.pause = Pause(self.env)
        self.next_review = row.first_review
        self.period_units = self.period_ordered = 0.0
        self.substitute: Shelf | None = None
        self.outside = 0.0  #: units that wait for room in the storage
        self.empty_since = 0.0 if self.on_hand <= _EPS else inf
        self.reset(self.env._now)

    def connect(self) -> None:
        """Bind sources and policy, once every node can be found."""
        row = self.row
        self.sourcing = Sourcing(self.world, self.site, self.product, named=row.source, own=True)
        self.set_policy(row)
        self.keep_own_record()
        if self.thing.substitute and (self.site, self.thing.substitute) in self.world.network.stock:
            self.substitute = self.world.node(self.site, self.thing.substitute)
        if row.review is None:
            self.consider()

    def set_policy(self, row: Stock) -> None:
        """Replenish by another row's settings from now on; the policy keeps its memory."""
        memory = self.policy.state() if self.policy is not None else None
        self.policy = policy_of(row, self.sourcing.lead() + self._site.record_delay)
        if memory is not None:
            self.policy.resume(memory)
            self.consider()

    def every_source(self) -> Sourcing:
        """All places that could send the product, whatever the row names."""
        return Sourcing(self.world, self.site, self.product, named=None, own=True)

    def source_from(self, name: str | None) -> None:
        """Order by another rule or from another place (`other`: not the usual); None: as usual."""
        usual = Sourcing(self.world, self.site, self.product, named=self.row.source, own=True)
        if name is None:
            self.sourcing = usual
            return
        wide = self.every_source()
        if name in ("cheapest", "fastest", "in_stock", "split"):
            wide.set_rule(name)
        elif name == "other":
            first = usual.choose(0.0)
            rest = [s for s in wide.sources if first is None or s.site != first.site]
            if rest:
                wide.forced = min(rest, key=lambda source: source.lead)
        elif not wide.force(name):
            return
        self.sourcing = wide

    def keep_own_record(self) -> None:
        """Know the stock as well as the site's row says."""
        site = self._site
        self.keep_record(site.record_delay, site.count_period, site.record_error)

    def keep_record(self, delay: float, count_period: float | None, error: Any, *,
                    batch: bool = False) -> None:
        """Change how well the stock is known; no delay and no error is the stock itself."""
        if self.record is not None:
            self.record.close()
            self.record = None
        wrong = error is not None and (error.mean() != 0.0 or error.sd() != 0.0)
        if delay > 0.0 or wrong:
            draw = self.world.streams.draw(self.name, "record_error", error) if wrong else None
            self.record = Record(self, delay, count_period, draw, batch=batch)

    # -- demand ----------------------------------------------------------------------------------
    def take(self, quantity: float, stream: str) -> bool:
        """Serve a walk-in customer whole and at once, if that needs no more than a subtraction."""
        if self.on_hand < quantity or self.book or self.lots is not None:
            return False
        now = self.env._now
        self.on_hand -= quantity
        self.hand_moment -= quantity * now
        self.position -= quantity
        self.asked_orders += 1
        self.asked_units += quantity
        if now >= self.period_end:
            self._roll(now)
        self.period_units += quantity
        if self.record is not None:
            self.record.issued(quantity, quantity)
        else:
            self.seen_demand += quantity
        if self.on_hand <= 0.0:
            self.empty_since = now
        if self.position <= self.policy.trigger and not self.asking:
            self.consider()
        return True

    def order(self, order: Order) -> None:
        """An order reaches the shelf."""
        now = self.env._now
        order.owner = self
        quantity = order.open
        self.position -= quantity
        self.asked_orders += 1
        self.asked_units += quantity
        self.slow_units += quantity
        if now >= self.period_end:
            self._roll(now)
        self.period_units += quantity
        before = self.on_hand
        waits = self.book and (self.book[0][0], self.book[0][1]) < (order.priority, order.number)
        if not waits:
            self._serve(order)
        issued = before - self.on_hand
        if order.open > _EPS:
            self.short_orders += 1
            self.short_units += order.open
            if order.lost_if_short:
                lost, order.open = order.open, 0.0
                self.position += lost
                order.buyer.short(order, lost)
            else:
                heappush(self.book, (order.priority, order.number, order))
                self.owed += order.open
                self.owed_moment += order.open * now
        if self.record is not None:
            self.record.issued(issued, quantity)
        else:
            self.seen_demand += quantity
        self.consider()

    def _serve(self, order: Order) -> None:
        """Give an order what it may have now."""
        want = order.open
        if self.on_hand >= want - _EPS:
            self._issue(order, min(want, self.on_hand) if self.on_hand < want else want)
            return
        spare = self.substitute
        if spare is not None and order.buyer.kind == "customer" and not spare.book:
            lacking = want - self.on_hand
            extra = min(lacking, spare.on_hand) if order.partial else lacking
            if 0.0 < extra <= spare.on_hand:
                self.position += extra
                spare.position -= extra
                spare._issue(order, extra)
                spare.consider()
                want = order.open
        if self.on_hand >= want - _EPS or (order.partial and self.on_hand > _EPS):
            self._issue(order, min(want, self.on_hand))

    def _issue(self, order: Order, quantity: float) -> None:
        if quantity <= 0.0:
            return
        now = self.env._now
        goods: Goods = self._pick(quantity) if self.lots is not None else None
        self.on_hand -= quantity
        self.hand_moment -= quantity * now
        self.issued += quantity
        if self.on_hand <= _EPS:
            self.on_hand = max(self.on_hand, 0.0)
            self.empty_since = now
        order.open -= quantity
        if order.open < _EPS:
            order.open = 0.0
        if self.ledger is not None:
            for lot in goods or ():
                self.ledger.add(now, "picking", site=self.site, product=self.product,
                                lot=lot.number, quantity=lot.quantity, order=order.number)
        self.world.send(order, quantity, goods)
        if self.area is not None:
            self.area.release(quantity * self.thing.volume_m3)

    def withdraw(self, quantity: float) -> Goods:
        """Take units out for use on the site (a spare part); they must be there."""
        now = self.env._now
        goods: Goods = self._pick(quantity) if self.lots is not None else None
        self.on_hand -= quantity
        self.position -= quantity
        self.hand_moment -= quantity * now
        if self.on_hand <= _EPS:
            self.empty_since = now
        if self.area is not None:
            self.area.release(quantity * self.thing.volume_m3)
        self.consider()
        return goods

    # -- supply ----------------------------------------------------------------------------------
    def receive(self, order: Order, quantity: float, goods: Goods) -> None:
        """A replenishment arrives; where the storage is full it waits outside."""
        self.bought += quantity * order.unit_price
        order.undelivered -= quantity
        if order.undelivered <= _EPS:
            self.orders_out.pop(order.number, None)
        self.on_order -= quantity
        self.order_moment -= quantity * self.env._now
        self.position -= quantity  # put() adds it again
        self.admit(quantity, goods)

    def admit(self, quantity: float, goods: Goods) -> None:
        """Put units on the shelf as far as the storage area has room; the rest waits."""
        if self.area is None or self.thing.volume_m3 <= 0.0:
            self.put(quantity, goods)
        else:
            self.outside += quantity
            self.position += quantity
            self.area.admit(self, quantity, goods)

    def admitted(self, quantity: float, goods: Goods) -> None:
        """The storage area let units in."""
        self.outside -= quantity
        self.position -= quantity
        self.put(quantity, goods)

    def put(self, quantity: float, goods: Goods = None) -> None:
        """Put units on the shelf and serve those who wait."""
        now = self.env._now
        self.received += quantity
        if self.on_hand <= _EPS and quantity > 0.0:
            self.empty_time += now - max(self.empty_since, self.since)
            self.empty_since = inf
        self.on_hand += quantity
        self.hand_moment += quantity * now
        self.position += quantity
        if self.lots is not None:
            self._store(quantity, goods)
        if self.record is not None:
            self.record.received(quantity)
        book = self.book
        while book and self.on_hand > _EPS:
            order = book[0][2]
            before = order.open
            self._serve(order)
            served = before - order.open
            if served <= 0.0:
                break
            self.owed -= served
            self.owed_moment -= served * now
            if self.record is not None:
                self.record.issued(served, 0.0)
            if order.open > 0.0:
                break
            if book and book[0][2] is order:
                heappop(book)
        if abs(self.owed) < _EPS:
            self.owed = 0.0

    def short(self, order: Order, quantity: float) -> None:
        """The supplier will not deliver so many of the units ordered."""
        order.undelivered -= quantity
        if order.undelivered <= _EPS:
            self.orders_out.pop(order.number, None)
        self.on_order -= quantity
        self.order_moment -= quantity * self.env._now
        self.position -= quantity
        self.consider()

    # -- lots ------------------------------------------------------------------------------------
    def _store(self, quantity: float, goods: Goods, *, first: bool = False) -> None:
        now = self.env._now
        life = self.thing.shelf_life
        lots = self.lots
        assert lots is not None
        if goods is None:
            goods = [Lot(self.world.lot_number(), self.product, quantity,
                         inf if life is None else now + life)]
        for lot in goods:
            insort(lots, lot, key=_expiry)
            if lot.expires < inf:
                self.env.call(max(now, lot.expires), RECEIPT, self._expire, lot)
            if self.ledger is not None:
                self.ledger.add(now, "storing", site=self.site, product=self.product,
                                lot=lot.number, quantity=lot.quantity, cause="stock" if first else "")

    def _pick(self, quantity: float) -> list[Lot]:
        """Take units from the lots that expire first."""
        lots, taken, left = self.lots, [], quantity
        assert lots is not None
        while left > _EPS and lots:
            lot = lots[0]
            if lot.quantity <= left + _EPS:
                left -= lot.quantity
                part = lot.split(lot.quantity)
                lots.pop(0)
            else:
                part = lot.split(left)
                left = 0.0
            taken.append(part)
        return taken

    def _expire(self, lot: Lot) -> None:
        if lot.quantity > 0.0:
            self.discard(lot, "expiring")
            self.consider()

    def spoil(self) -> None:
        """Throw away everything on the shelf: it got too warm or too cold."""
        if self.lots is not None:
            for lot in list(self.lots):
                self.discard(lot, "excursion")
        elif self.on_hand > 0.0:
            self.lots = [Lot(0, self.product, self.on_hand, inf)]
            self.discard(self.lots[0], "excursion")
            self.lots = None
        self.consider()

    def discard(self, lot: Lot, why: str) -> None:
        """Throw a lot away."""
        assert self.lots is not None
        quantity, now = lot.quantity, self.env._now
        if lot not in self.lots:
            return
        self.lots.remove(lot)
        lot.quantity = 0.0
        self.on_hand -= quantity
        self.hand_moment -= quantity * now
        self.position -= quantity
        if why == "expiring":
            self.expired += quantity
        else:
            self.spoiled += quantity
        if self.on_hand <= _EPS:
            self.on_hand = max(0.0, self.on_hand)
            self.empty_since = now
        if self.ledger is not None:
            self.ledger.add(now, "expiring", site=self.site, product=self.product, lot=lot.number,
                            quantity=quantity, cause=why)
        if self.area is not None:
            self.area.release(quantity * self.thing.volume_m3)

    # -- replenishment ---------------------------------------------------------------------------
    def known_position(self) -> float:
        """The inventory position by the record."""
        return self.position if self.record is None else self.position + self.record.gap

    def known_on_hand(self) -> float:
        """The stock on hand by the record."""
        return self.on_hand if self.record is None else self.on_hand + self.record.gap

    def demand_seen(self) -> float | None:
        """Demand that the record learned since the last review, scaled to one review period."""
        now = self.env._now
        elapsed, self.seen_at = now - self.seen_at, now
        demand, self.seen_demand = self.seen_demand, 0.0
        if elapsed <= 0.0:
            return None
        return demand if abs(elapsed - self.period) < _EPS else demand * self.period / elapsed

    def vendor_has(self) -> float:
        """What a vendor could send now."""
        source = self.sourcing.choose(0.0)
        return 0.0 if source is None else source.node.available()

    def available(self) -> float:
        """Units that a new order would get at once."""
        return max(0.0, self.on_hand - self.owed)

    def mean_lead(self) -> float:
        """Mean hours until an order leaves; stock is there."""
        return 0.0

    def consider(self) -> None:
        """Ask the policy at the end of this instant, if it is reviewed continuously."""
        if self.asking or self.row.review is not None:
            return
        if self.known_position() <= self.policy.trigger:
            self.asking = True
            self.env.call(self.env._now, REORDER, self._reorder)

    def _reorder(self, _: Any) -> None:
        self.asking = False
        quantity = self.policy.quantity(self)
        if quantity > _EPS:
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
            now = self.env._now
            if now > self.since:
                self._roll(now)
            quantity = self.policy.quantity(self)
            if quantity > _EPS:
                self.replenish(quantity, deferred=not late)

    def replenish(self, quantity: float, *, deferred: bool, source: Any = None) -> None:
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
        self.ordering += source.order_cost
        self.period_ordered += quantity
        if now >= self.period_end:
            self._roll(now)
        self.placed += 1
        self.ordered += quantity
        if self.ledger is not None:
            self.ledger.add(now, "ordering", site=self.site, to_site=source.site,
                            product=self.product, quantity=quantity, order=order.number)
        source.place(order, deferred=deferred)

    def expect(self, order: Order) -> None:
        """Count an order's units as on order."""
        self.orders_out[order.number] = order
        self.on_order += order.undelivered
        self.order_moment += order.undelivered * self.env._now
        self.position += order.undelivered

    # -- state -----------------------------------------------------------------------------------
    def adopt(self, order: Order) -> None:
        """Take back a replenishment order of a saved state."""
        self.orders_out[order.number] = order

    def state(self, book: Book) -> dict[str, Any]:
        """Stock, what is owed and on order, what the record and the policy know."""
        now = self.env._now
        for order in self.orders_out.values():
            book.keep(order)
        return {
            "on_hand": self.on_hand, "owed": self.owed, "on_order": self.on_order,
            "position": self.position, "outside": self.outside,
            "book": [book.keep(order) for _, _, order in sorted(self.book, key=lambda e: e[:2])],
            "lots": book.goods(self.lots),
            "record": None if self.record is None else self.record.state(),
            "policy": self.policy.state(), "review_in": self.next_review - now,
            "seen_demand": self.seen_demand, "seen_age": now - self.seen_at,
            "period": [self.period_units, self.period_ordered,
                       None if self.period_end == inf else self.period_end - now],
            "sourcing": self.sourcing.state(),
            "empty_for": None if self.empty_since == inf else now - self.empty_since,
        }

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Take up a saved shelf."""
        now = self.env._now
        self.on_hand, self.owed, self.on_order = (
            state["on_hand"], state["owed"], state["on_order"])
        self.position, self.outside = state["position"], state["outside"]
        self.book = [(order.priority, order.number, order)
                     for order in (book.orders[number] for number in state["book"])]
        if self.lots is not None:
            self.lots = []
            saved = book.lots(state["lots"], self.product)
            if saved is None and self.on_hand > 0.0:
                self._store(self.on_hand, None, first=True)
            else:
                self._store(self.on_hand, saved or [], first=True)
        if state["record"] is not None and self.record is not None:
            self.record.resume(state["record"])
        self.policy.resume(state["policy"])
        self.next_review = now + state["review_in"]
        self.seen_demand, self.seen_at = state["seen_demand"], now - state["seen_age"]
        self.period_units, self.period_ordered, left = state["period"]
        self.period_end = inf if left is None else now + left
        self.sourcing.resume(state["sourcing"])
        self.empty_since = inf if state["empty_for"] is None else now - state["empty_for"]
        self.consider()

    # -- score -----------------------------------------------------------------------------------
    def _roll(self, now: float) -> None:
        """Close a period of demand and orders."""
        while True:
            self.periods += 1
            self.demand_sum += self.period_units
            self.demand_squares += self.period_units ** 2
            self.order_sum += self.period_ordered
            self.order_squares += self.period_ordered ** 2
            self.period_units = self.period_ordered = 0.0
            if self.period_end == inf:
                return
            self.period_end += self.period
            if now < self.period_end:
                return

    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.since = now
        self.hand_moment = self.on_hand * now
        self.owed_moment = self.owed * now
        self.order_moment = self.on_order * now
        self.asked_orders = self.short_orders = self.placed = self.periods = 0
        self.asked_units = self.slow_units = self.short_units = self.ordered = self.received = self.issued = 0.0
        self.expired = self.spoiled = self.bought = self.ordering = 0.0
        self.demand_sum = self.demand_squares = self.order_sum = self.order_squares = 0.0
        self.empty_time = 0.0
        self.gap_area, self.gap_since = 0.0, now

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        row, value = self.row, self.thing.value
        on_hand = self.on_hand * now - self.hand_moment
        owed = self.owed * now - self.owed_moment
        empty = self.empty_time
        if self.on_hand <= _EPS and self.empty_since < inf:
            empty += now - max(self.empty_since, self.since)
        gap = self.gap_area
        if self.record is not None:
            gap += abs(self.record.gap) * (now - self.gap_since)
        waste = (self.expired + self.spoiled) * value
        values = {
            "on_hand_time": on_hand, "value_on_hand_time": on_hand * value,
            "backorder_time": owed, "on_order_time": self.on_order * now - self.order_moment,
            "stockout_time": empty, "shelf_orders": self.asked_orders,
            "shelf_orders_at_once": self.asked_orders - self.short_orders,
            "shelf_units_asked": self.asked_units,
            "shelf_units_at_once": self.asked_units - self.short_units,
            "units_received": self.received,
            "units_issued": self.issued + self.asked_units - self.slow_units,
            "units_expired": self.expired, "units_spoiled": self.spoiled, "waste_cost": waste,
            "replenishments": self.placed, "units_replenished": self.ordered,
            "holding_cost": on_hand / _DAY * row.holding_cost,
            "backorder_cost": owed / _DAY * row.backorder_cost,
            "ordering_cost": self.ordering, "purchase_cost": self.bought, "record_gap_time": gap,
            "demand_periods": self.periods, "demand_sum": self.demand_sum,
            "demand_squares": self.demand_squares, "order_sum": self.order_sum,
            "order_squares": self.order_squares,
        }
        for measure, amount in values.items():
            yield (measure, self.site, self.product, ""), float(amount)

    def samples(self, now: float) -> Iterator[tuple[Key, float]]:
        """What a snapshot shows."""
        yield ("on_hand", self.site, self.product, ""), self.on_hand
        yield ("backorders", self.site, self.product, ""), self.owed
