"""Suppliers: one row of `supply`, with its lead time, capacity, short deliveries and stops."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Supply
from twin.simulate.kernel import RECEIPT, Call
from twin.simulate.order import Lot, Order
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.world import World

_EPS = 1e-9


class Preparation:
    """An order that is being made ready: hours left, and hours it has had."""

    __slots__ = ("order", "left", "worked", "since", "call")

    def __init__(self, order: Order, left: float, worked: float) -> None:
        self.order = order
        self.left = left
        self.worked = worked
        self.since = 0.0
        self.call: Call | None = None  #: None while the supplier stands still

    def at(self, now: float) -> tuple[float, float]:
        """Hours left and hours had, now."""
        passed = 0.0 if self.call is None else now - self.since
        return self.left - passed, self.worked + passed


class Supplier:
    """Makes orders ready: first by its capacity, if limited, one by one; then the lead time.

    While stopped nothing is made ready: orders wait for the recovery, those in work stand still.
    """

    kind = "supply"
    take = None

    def __init__(self, world: World, row: Supply) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.site, self.product = row.site, row.product
        self.name = f"supplier {row.site}/{row.product}"
        self.lead = world.streams.draw(self.name, "lead_time", row.lead_time)
        fill = row.fill
        whole = fill.kind == "constant" and fill.mean() == 1.0
        self.fill = None if whole else world.streams.draw(self.name, "fill", fill)
        self.life = world.network.products[row.product].shelf_life
        self.prices = sorted(
            (price.from_quantity, price.price)
            for price in world.network.prices.values()
            if (price.site, price.product) == (row.site, row.product))
        self.ledger = world.ledger
        self.tracing = world.tracing
        self.capacity_factor = 1.0
        self.stops: dict[str, None] = {}  #: causes that hold the supplier now
        self.queue: deque[Order] = deque()  #: orders waiting for capacity or recovery
        self.left = 0.0  #: units of the first order still to be made, if one is in work
        self.working = False
        self.done: Call | None = None
        self.since_work = 0.0
        self.preparing: dict[int, Preparation] = {}
        self.wanting: dict[str, Any] = {}  #: shelves managed from here that wait for its recovery
        self.reset(self.env._now)

    # -- orders ----------------------------------------------------------------------------------
    def order(self, order: Order) -> None:
        """Accept an order."""
        self.orders += 1
        order.unit_price, order.terms = self.price(order.quantity), self.row.payment
        if self.row.capacity_per_day is None and not self.stops and self.capacity_factor == 1.0:
            self._prepare(order)
        else:
            self.queue.append(order)
            self._work()

    def price(self, quantity: float) -> float:
        """Price of a unit in an order of this size."""
        price = self.row.price
        for start, value in self.prices:
            if quantity >= start:
                price = value
        return price

    def _rate(self) -> float:
        """Units an hour, now."""
        if self.stops or self.capacity_factor <= 0.0:
            return 0.0
        per_day = self.row.capacity_per_day
        return inf if per_day is None else per_day * self.capacity_factor / 24.0

    def _work(self) -> None:
        """Go on with the queue at the present rate."""
        rate = self._rate()
        while self.queue and not self.working:
            if rate == 0.0:
                return
            if rate == inf:
                self._prepare(self.queue.popleft())
                continue
            self.working = True
            self.left = self.queue[0].open
            self._schedule(rate)

    def _schedule(self, rate: float) -> None:
        self.since_work = self.env._now
        self.done = self.env.call(self.env._now + self.left / rate, RECEIPT, self._made)

    def _made(self, _: Any) -> None:
        self.working, self.done = False, None
        self._prepare(self.queue.popleft())
        self._work()

    def _prepare(self, order: Order) -> None:
        hours = self.lead()
        if hours <= 0.0:
            self._ready(order)
        else:
            self.prepare(order, hours, 0.0)

    def prepare(self, order: Order, hours: float, worked: float) -> None:
        """Make an order ready in so many hours, of which it has had some."""
        preparation = self.preparing[order.number] = Preparation(order, hours, worked)
        if not self.stops:
            self._go_on(preparation)

    def _go_on(self, preparation: Preparation) -> None:
        now = self.env._now
        preparation.since = now
        preparation.call = self.env.call(now + preparation.left, RECEIPT, self._ready,
                                         preparation.order)

    def _stand_still(self, preparation: Preparation) -> None:
        if preparation.call is not None:
            preparation.call.cancel()
            preparation.left, preparation.worked = preparation.at(self.env._now)
            preparation.call = None

    def _ready(self, order: Order) -> None:
        self.preparing.pop(order.number, None)
        now = self.env._now
        self.ready += 1
        self.supply_time += now - order.placed
        quantity = order.open
        if self.fill is not None:
            share = min(1.0, max(0.0, self.fill()))
            quantity = order.open * share
            missing = order.open - quantity
            if missing > _EPS:
                self.short_units += missing
                order.open = quantity
                order.buyer.short(order, missing)
        if quantity <= _EPS:
            return
        self.supplied += quantity
        order.open = 0.0
        goods = None
        if self.tracing or self.life is not None:
            world = self.world
            goods = [Lot(world.lot_number(), self.product, quantity,
                         inf if self.life is None else now + self.life)]
            if self.ledger is not None:
                self.ledger.add(now, "commissioning", site=self.site, product=self.product,
                                lot=goods[0].number, quantity=quantity, order=order.number)
        self.world.send(order, quantity, goods)

    # -- orders that are changed -----------------------------------------------------------------
    def forget(self, order: Order) -> None:
        """An order is withdrawn before it is ready."""
        preparation = self.preparing.pop(order.number, None)
        if preparation is None:
            self.queue.remove(order)
        elif preparation.call is not None:
            preparation.call.cancel()

    def hurry(self, order: Order) -> None:
        """Halve what is left of making an order ready, or take it up next."""
        preparation = self.preparing.get(order.number)
        if preparation is not None:
            going = preparation.call is not None
            self._stand_still(preparation)
            preparation.left *= 0.5
            if going:
                self._go_on(preparation)
        elif order in self.queue and not (self.working and self.queue[0] is order):
            self.queue.remove(order)
            self.queue.insert(int(self.working), order)

    # -- stops and disturbances ------------------------------------------------------------------
    def stop(self, cause: str) -> None:
        """Stand still until `restart` with the same cause."""
        self._change(lambda: self.stops.__setitem__(cause, None))
        for preparation in self.preparing.values():
            self._stand_still(preparation)

    def restart(self, cause: str) -> None:
        """One cause of standing still has gone."""
        if cause not in self.stops:
            return
        self._change(lambda: self.stops.pop(cause, None))
        if not self.stops:
            for preparation in self.preparing.values():
                self._go_on(preparation)
            wanting, self.wanting = self.wanting, {}
            for shelf in wanting.values():
                shelf.consider()

    def set_capacity_factor(self, factor: float) -> None:
        """Make at a share of the capacity from now on."""
        self._change(lambda: setattr(self, "capacity_factor", factor))

    def _change(self, change: Any) -> None:
        if self.working:
            if self.done is not None:
                self.left -= (self.env._now - self.since_work) * self._rate()
                self.done.cancel()
                self.done = None
            change()
            rate = self._rate()
            if rate > 0.0:
                self._schedule(rate)
            return
        change()
        self._work()

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Book) -> dict[str, Any]:
        """Orders that wait, the one in work, and those in preparation with their ages."""
        now = self.env._now
        left = self.left if self.working else 0.0
        if self.working and self.done is not None:
            left -= (now - self.since_work) * self._rate()
        certain = self.row.lead_time.kind in ("constant", "series", "ar1")
        return {
            "queue": [book.keep(order) for order in self.queue], "working": self.working,
            "left": left, "certain": certain,
            "preparing": [[book.keep(preparation.order), *preparation.at(now)]
                          for preparation in self.preparing.values()],
        }

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Take up a saved supplier."""
        self.queue = deque(book.orders[number] for number in state["queue"])
        for number, left, worked in state["preparing"]:
            if not state["certain"]:
                left = self.world.streams.remaining(
                    self.name, "lead_time", self.row.lead_time, worked)
            self.prepare(book.orders[number], left, worked)
        if state["working"]:
            self.working, self.left = True, state["left"]
            rate = self._rate()
            if rate > 0.0:
                self._schedule(rate)
        else:
            self._work()

    # -- what others ask -------------------------------------------------------------------------
    def available(self) -> float:
        """A supplier takes any order that it can work on."""
        return 0.0 if self.stops else inf

    def mean_lead(self) -> float:
        """Mean hours from order to ready, without queueing."""
        return self.row.lead_time.mean()

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.orders = self.ready = 0
        self.supplied = self.short_units = self.supply_time = 0.0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        values = {"supply_orders": self.orders, "units_supplied": self.supplied,
                  "units_short": self.short_units, "supply_time": self.supply_time,
                  "supply_orders_ready": self.ready}
        for measure, value in values.items():
            yield (measure, self.site, self.product, ""), float(value)
