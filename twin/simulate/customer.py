"""Customers: an arrival process of orders, what was promised, and what they got."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappush
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Demand
from twin.simulate.kernel import DEMAND, Beat
from twin.simulate.order import Goods, Order
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.ahead import Ahead
    from twin.simulate.book import Book
    from twin.simulate.world import World

_EPS = 1e-9
#: Kinds whose next value is known, or follows from the last.
_CERTAIN = ("constant", "series", "ar1")


class _Arrivals(Beat):
    """What each order touches, close together in memory."""

    __slots__ = (
        "ahead", "end", "factor", "fixed", "gap", "last", "limit", "next", "orders", "pattern",
        "take",
    )


class Customer(_Arrivals):
    """One row of `demand`: places orders, takes deliveries, keeps the score."""

    kind = "customer"
    __slots__ = (
        "at_once", "at_once_on_time", "at_once_units", "backlog", "bought", "complete",
        "early", "firm_orders", "in_full", "late", "lateness", "ledger", "left", "living",
        "lost_orders", "lost_units", "moment", "name", "node", "on_time", "otif", "paid_later",
        "perfect", "product", "refused", "resumed", "returns", "row", "site", "size",
        "slow_delivered", "slow_orders", "slow_units", "sold", "stream", "uncounted",
        "unit_value", "units", "wait", "wait_squared", "waiting", "world",
    )

    def __init__(self, world: World, row: Demand) -> None:
        super().__init__(world.env)
        self.world = world
        self.row = row
        self.site, self.product, self.stream = row.site, row.product, row.stream or ""
        self.name = f"customer {self.site}/{self.product}/{self.stream}"
        self.gap = world.streams.draw(self.name, "gap", row.interarrival)
        self.size = world.streams.draw(self.name, "size", row.size)
        #: units of every order, where they are no matter of luck; those drawn are summed
        self.fixed = max(0.0, row.size.mean()) if row.size.kind == "constant" else None
        self.node = world.node(self.site, self.product)
        self.returns = world.returns.get((self.site, self.product))
        # What may come back is delivered as an order: its lots have to be known.
        self.take = None if self.returns else getattr(self.node, "take", None)
        self.pattern = world.patterns[row.profile] if row.profile else None
        self.factor = 1.0  #: rate multiplier of disturbances
        self.early = inf if row.early is None else row.early
        self.late = row.late
        self.at_once_on_time = row.promise <= self.early
        self.ledger = world.ledger
        self.unit_value = world.network.products[row.product].value
        #: orders since the last reset, and turns that are not among them
        self.orders = self.uncounted = 0
        self.next = 0.0
        self.last = 0.0
        self.end = inf if row.end is None else row.end
        self.limit = row.limit
        self.ahead: Ahead | None = None  #: where many orders may be played together
        self.waiting: dict[int, Order] = {}  #: orders not complete, by number
        self.backlog = 0.0
        self.resumed: float | None = None  #: what is left of the gap of a saved state
        self.living = False
        self.left = 0.0  #: of the gap, while nobody orders at all
        self.reset(self.env._now)

    # -- life ------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin to order."""
        self.living = True
        self.next = self._first()
        self._wait()

    def _wait(self) -> None:
        if self.next < self.end and not self.spent:
            self.beat_at(self.next, DEMAND)

    def come(self) -> None:
        """Place one order, and wait for the next."""
        self.callbacks = self.comes
        now = self.env._now
        if now != self.due:  # the order was brought forward or put off
            return
        self.last = now
        quantity = self.fixed
        if quantity is None:
            quantity = max(0.0, self.size())
            self.units += quantity
        if quantity > 0.0:
            self.orders += 1
            take = self.take
            if take is None or not take(quantity):
                self._order(quantity)
        else:  # a size of zero or less is no order
            self.uncounted += 1
        if self.pattern is None:
            following = now + self.gap() / self.factor
        else:
            following = self._after(now, self.gap())
        self.next = following
        if following < self.end and (self.limit is None or self.placed < self.limit):
            if self.ahead is not None and self.ahead.draw():
                return
            self.due = following
            env = self.env
            heappush(env._queue, (following, DEMAND, next(env._eid), self))  # type: ignore[misc]
        else:
            self.due = inf

    @property
    def placed(self) -> int:
        """Turns of the arrival process since its beginning."""
        return self.orders + self.uncounted

    @property
    def spent(self) -> bool:
        """Whether the arrival process has made all the turns it may."""
        return self.limit is not None and self.placed >= self.limit

    def _first(self) -> float:
        if self.resumed is not None:
            return self._after(self.env._now, self.resumed)
        if self.row.start is not None:
            return self.row.start
        return self._after(self.env._now, self.gap())

    def _after(self, now: float, gap: float) -> float:
        if self.factor <= 0.0:
            return inf
        if self.pattern is None:
            return now + gap / self.factor
        return self.pattern.after(now, gap / self.factor)

    def set_factor(self, factor: float) -> None:
        """Change the rate of orders from now on; the gap under way shrinks or stretches."""
        now, old = self.env._now, self.factor
        self.factor = factor
        if not self.living or self.spent or factor == old:
            return  # the first gap will be of the new rate
        if old <= 0.0:
            left, self.left = self.left, 0.0
        elif self.pattern is None:
            left = (self.next - now) * old
        else:
            left = self.pattern.between(now, self.next) * old
        self.next = self._after(now, left)
        if factor <= 0.0:
            self.left = left
        elif self.placed == 0 and self.row.start is not None:
            self.next = max(now, self.row.start)  # a date, which no rate brings forward
        self.due = inf
        self._wait()

    # -- ordering --------------------------------------------------------------------------------
    def _order(self, quantity: float) -> None:
        """Place an order that a walk to the shelf does not settle."""
        self.slow_orders += 1
        self._enter(self._new_order(quantity))

    def _new_order(self, quantity: float) -> Order:
        """An order of so many units, now."""
        row, now = self.row, self.env._now
        return Order(
            self.world.order_number(), self, self.product, quantity, now,
            due=now + row.promise, priority=row.priority,
            partial=row.partial and not row.complete, lost_if_short=row.unmet == "lost",
            stream=self.stream,
        )

    def _enter(self, order: Order, of: int = 0) -> None:
        """Send an order to who answers it; `of`: the order of which it is another line."""
        quantity, now = order.quantity, self.env._now
        if self.ledger is not None:
            self.ledger.add(now, "ordering", site=self.site, product=self.product,
                            quantity=quantity, order=order.number, role="customer",
                            source=self.stream, parent=of)
        self.waiting[order.number] = order
        self._backlog(quantity)
        self.slow_units += quantity
        self.node.order(order)

    def place_firm(self, quantity: float, placed: float, due: float | None,
                   priority: int) -> None:
        """Place a firm order now; its clock may have started before the run."""
        self.firm_orders += 1
        self.slow_orders += 1
        self.units += quantity
        self._enter(Order(self.world.order_number(), self, self.product, quantity,
                          min(placed, self.env._now), due=due, priority=priority,
                          stream=self.stream))

    def adopt(self, order: Order) -> None:
        """Take back an open order of a saved state."""
        self.waiting[order.number] = order
        self._backlog(order.undelivered)

    def shipped(self, order: Order, quantity: float) -> None:
        """Learn that goods have left: the sale is earned."""
        self.sold += quantity
        delay = 0.0 if order.lane is None else order.lane.row.order_delay
        if self.env._now <= order.placed + delay + _EPS:
            self.at_once_units += quantity
            order.at_once += quantity

    def receive(self, order: Order, quantity: float, goods: Goods) -> None:
        """Take delivery."""
        now = self.env._now
        self._backlog(-quantity)
        order.undelivered -= quantity
        self.slow_delivered += quantity
        if order.unit_price:
            self.bought += quantity * order.unit_price
            self.paid_later += quantity * order.unit_price * order.terms
        if self.ledger is not None:
            for lot in goods or (None,):
                self.ledger.add(now, "delivering", site=self.site,
                                product=lot.product if lot else order.product,
                                quantity=lot.quantity if lot else quantity, order=order.number,
                                lot=lot.number if lot else 0, role="customer")
        if self.returns is not None:
            self.returns.delivered(quantity, goods, order.number)
        if order.undelivered <= _EPS:
            self._complete(order, now)

    def short(self, order: Order, quantity: float) -> None:
        """Learn that some units will never come."""
        self._backlog(-quantity)
        order.undelivered -= quantity
        self.lost_units += quantity
        if self.ledger is not None:
            self.ledger.add(self.env._now, "lost", site=self.site, product=self.product,
                            quantity=quantity, order=order.number, role="customer")
        if order.tag is None:
            order.tag = 0.0
            self._first_lost(order)
        order.tag += quantity
        if order.undelivered <= _EPS:
            self._complete(order, self.env._now)

    def _first_lost(self, order: Order) -> None:
        """Some unit of an order will never come."""
        self.lost_orders += 1

    def _unfinished(self) -> Iterable[Any]:
        """The orders not complete."""
        return self.waiting.values()

    def _complete(self, order: Any, now: float) -> None:
        self.waiting.pop(order.number, None)
        lost = order.tag or 0.0
        if lost >= order.quantity - _EPS:
            self.refused += 1
            return
        wait = now - order.placed
        self.complete += 1
        self.wait += wait
        self.wait_squared += wait * wait
        if order.at_once >= order.quantity - _EPS:
            self.at_once += 1
        due = order.due if order.due is not None else now
        on_time = due - self.early <= now <= due + self.late + _EPS
        if now > due:
            self.lateness += now - due
        self.on_time += on_time
        self.in_full += not lost
        self.otif += on_time and not lost
        self.perfect += on_time and not lost and not order.flawed

    def _backlog(self, change: float) -> None:
        self.backlog += change
        self.moment += change * self.env._now

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.uncounted += self.orders
        self.orders = self.firm_orders = self.slow_orders = self.lost_orders = 0
        self.units = self.slow_units = self.lost_units = self.slow_delivered = self.sold = 0.0
        self.at_once = self.complete = self.on_time = self.in_full = self.otif = self.perfect = 0
        self.at_once_units = self.wait = self.wait_squared = self.lateness = 0.0
        self.moment = self.backlog * now
        self.refused = 0
        self.bought = self.paid_later = 0.0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        orders = self.orders + self.firm_orders
        quick = orders - self.slow_orders
        quick_units = self.units - self.slow_units if self.fixed is None else quick * self.fixed
        on_time = quick * self.at_once_on_time
        area = self.backlog * now - self.moment
        overdue = sum(order.due is not None and now > order.due + self.late + _EPS
                      for order in self._unfinished())
        sold = quick_units + self.sold
        revenue = sold * self.row.price
        values = {
            "orders": orders, "units_ordered": quick_units + self.slow_units,
            "orders_lost": self.lost_orders, "orders_refused": self.refused,
            "orders_overdue": overdue, "units_lost": self.lost_units,
            "orders_at_once": quick + self.at_once,
            "units_at_once": quick_units + self.at_once_units,
            "orders_delivered": quick + self.complete,
            "units_delivered": quick_units + self.slow_delivered,
            "orders_on_time": on_time + self.on_time,
            "orders_in_full": quick + self.in_full,
            "orders_otif": on_time + self.otif,
            "orders_perfect": on_time + self.perfect,
            "lateness": self.lateness, "cycle_time": self.wait,
            "cycle_time_squared": self.wait_squared, "customer_backlog_time": area,
            "revenue": revenue, "cost_of_sales": sold * self.unit_value,
            "receivable_time": revenue * self.row.payment,
            "lost_cost": self.lost_units * self.row.lost_cost,
            "purchase_cost": self.bought, "payable_time": self.paid_later,
        }
        for measure, value in values.items():
            if value:
                yield (measure, self.site, self.product, self.stream), float(value)

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("customer_backlog", self.site, self.product, self.stream), lambda: self.backlog

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Book) -> dict[str, Any]:
        """Where the arrival process stands, and the orders not complete."""
        for order in self.waiting.values():
            book.keep(order)
        now = self.env._now
        first = self.placed == 0 and self.row.start is not None
        left: float | None
        if self.factor <= 0.0:
            left = self.left
        elif self.next == inf:
            left = None
        elif self.pattern is None:
            left = (self.next - now) * self.factor
        else:
            left = self.pattern.between(now, self.next) * self.factor
        worked = now - self.last if self.pattern is None else self.pattern.between(self.last, now)
        return {"age": now - self.last, "worked": worked * (self.factor or 1.0),
                "placed": self.placed, "left": left,
                "certain": first or left is None or self.row.interarrival.kind in _CERTAIN}

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Go on from a state: what is left of the gap depends on how long it has lasted."""
        now = self.env._now
        self.uncounted, self.last = state["placed"] - self.orders, now - state["age"]
        if state["certain"]:
            self.resumed = inf if state["left"] is None else state["left"]
        else:
            self.resumed = self.world.streams.remaining(
                self.name, "gap", self.row.interarrival, state["worked"])


Customer.turn = [Customer.come]
