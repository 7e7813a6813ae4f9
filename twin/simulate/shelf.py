"""A shelf: stock of one product at one site, and its order book."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Stock
from twin.simulate.kernel import RECEIPT
from twin.simulate.lots import Lots
from twin.simulate.order import Goods, Lot, Order
from twin.simulate.replenishment import Replenishment
from twin.simulate.shelf_score import EPS

if TYPE_CHECKING:
    from twin.simulate.ahead import Ahead
    from twin.simulate.book import Book
    from twin.simulate.storage import Area
    from twin.simulate.world import World


class Shelf(Replenishment):
    """Serves orders from stock and keeps those it owes: by priority, then first come first served.

    Whoever waits is served before anybody of the same or a lower priority, even if the stock
    would do for the small order and not for the large one before it.
    """

    kind = "stock"
    __slots__ = (
        "ahead", "area", "arrivals", "substitute",
    )

    def __init__(self, world: World, row: Stock) -> None:
        super().__init__(world, row)
        self.book: list[tuple[int, int, Order]] = []  #: heap of orders owed
        self.arrivals = 0
        self.ahead: Ahead | None = None
        self.area: Area | None = None
        self.substitute: Shelf | None = None
        self.lots: Lots | None = None
        if world.tracing or self.thing.shelf_life is not None:
            self.lots = Lots()
            if self.on_hand > 0.0 and not world.resumed:
                self._store(self.on_hand, None, cause="stock")

    def connect(self) -> None:
        """Bind everything that can be found only when every node is there."""
        super().connect()
        spare = self.thing.substitute
        if spare is not None and (self.site, spare) in self.world.network.stock:
            self.substitute = self.world.node(self.site, spare)

    def stand_in(self, area: Area) -> None:
        """Stand in a storage area, which has to know of every unit."""
        self.area = area
        self.be_quick()

    def be_quick(self) -> None:
        """Decide whether walk-in customers concern nobody but the shelf."""
        free = self.area is None and self.record is None and not self.book
        self.reserve = 0.0 if free else inf

    # -- demand ----------------------------------------------------------------------------------
    def take(self, quantity: float) -> bool:
        """Serve a walk-in customer whole and at once, if a subtraction or two will do."""
        hand = self.on_hand - quantity
        if hand < self.reserve or (self.lots is not None and not self._take_of_lot(quantity)):
            return False
        now = self.env._now
        self.on_hand = hand
        self.hand_moment -= quantity * now
        self.walks += 1
        self.walked += quantity
        if hand <= self.alert:
            if hand <= EPS:
                self.empty_since = now
            self.consider()
        return True

    def _take_of_lot(self, quantity: float) -> bool:
        """Take what a walk-in customer wants from the lot that leaves first, if it will do."""
        assert self.lots is not None
        rows = self.lots.rows
        if not rows or rows[0].quantity < quantity:
            return False
        head = rows[0]
        head.quantity -= quantity
        if head.quantity <= EPS:
            head.quantity = 0.0
            rows.pop(0)
        if self.ledger is not None:
            self.ledger.sell(self.env._now, self.site, self.product, quantity,
                             self.world.order_number(), head.number)
        return True

    def order(self, order: Order) -> None:
        """An order reaches the shelf."""
        if order.together is not None:
            order.together.reach(self, order)
            return
        self.ask(order)
        if 0.0 < order.open <= self.on_hand and not self.book:
            self._issue(order, order.open)
        else:
            self.stand(order)
            self._work_off()
            self.miss(order)
        self.consider()

    def ask(self, order: Order) -> None:
        """Count what an order asks for."""
        quantity = order.open
        self.asked_orders += 1
        self.asked_units += quantity
        self.slow_units += quantity
        self.close_periods(self.env._now)
        self.period_units += quantity
        if self.record is not None:
            self.record.issued(0.0, quantity)
        else:
            self.seen_demand += quantity

    def stand(self, order: Order) -> None:
        """Put an order in the book."""
        self.owe(order.open)
        self.arrivals += 1
        heappush(self.book, (order.priority, self.arrivals, order))
        self.be_quick()

    def miss(self, order: Order) -> None:
        """See what an order that has just come has to wait for, or loses."""
        if order.open > 0.0:
            self.short_orders += 1
            self.short_units += order.open
            if order.lost_if_short:
                lost, order.open = order.open, 0.0
                self.owe(-lost)
                self._clear()
                order.buyer.short(order, lost)

    def _clear(self) -> None:
        """Strike served orders off the head of the book, and lost ones wherever they stand."""
        book = self.book
        if book and book[0][2].open <= 0.0:
            while book and book[0][2].open <= 0.0:
                heappop(book)
            self.be_quick()

    def _work_off(self) -> None:
        """Serve the book from its head, as far as the stock goes.

        Handing over may bring in goods from outside, or new orders: each turn looks anew.
        """
        book = self.book
        while True:
            self._clear()
            if not book or (self.on_hand <= EPS and self.substitute is None):
                return
            order = book[0][2]
            before = order.open
            self._give(order)
            if order.open >= before:
                return

    def _give(self, order: Order) -> None:
        """Give an order what it may have now."""
        if order.together is not None:
            order.together.give()
            return
        want, has = order.open, self.on_hand
        spare = self.substitute
        if has < want - EPS and spare is not None and order.buyer.kind == "customer" \
                and not spare.book:
            lacking = want - has
            extra = min(lacking, spare.on_hand) if order.partial else lacking
            if EPS < extra <= spare.on_hand:
                self.owe(-extra)
                spare._issue(order, extra)
                spare.consider()
                want, has = order.open, self.on_hand
        if want > 0.0 and (has >= want - EPS or (order.partial and has > EPS)):
            quantity = min(want, has)
            self.owe(-want if want - quantity < EPS else -quantity)
            self._issue(order, quantity)

    def _issue(self, order: Order, quantity: float) -> None:
        """Hand units over; the order's owner has struck them off what it owes."""
        goods: Goods = None if self.lots is None else self.lots.pick(quantity)
        self.remove(quantity)
        self.issued += quantity
        order.open -= quantity
        if order.open < EPS:
            order.open = 0.0
        if self.record is not None:
            self.record.issued(quantity, 0.0)
        if self.ledger is not None:
            for lot in goods or ():
                self.ledger.add(self.env._now, "picking", site=self.site, product=self.product,
                                lot=lot.number, quantity=lot.quantity, order=order.number)
        self.world.send(order, quantity, goods)
        if self.area is not None:
            self.area.release(quantity * self.thing.volume_m3)

    # -- supply ----------------------------------------------------------------------------------
    def receive(self, order: Order, quantity: float, goods: Goods) -> None:
        """A replenishment arrives."""
        if order.unit_price:
            self.bought += quantity * order.unit_price
            self.paid_later += quantity * order.unit_price * order.terms
        self.close(order, quantity)
        self.put(quantity, goods)

    def put(self, quantity: float, goods: Goods = None) -> None:
        """Bring units in; where the storage is full they wait outside."""
        if self.area is None or self.thing.volume_m3 <= 0.0:
            self._shelve(quantity, goods)
        else:
            self.outside += quantity
            self.area.admit(self, quantity, goods)

    def admitted(self, quantity: float, goods: Goods) -> None:
        """The storage area let units in."""
        self.outside -= quantity
        self._shelve(quantity, goods)

    def _shelve(self, quantity: float, goods: Goods) -> None:
        """Put units on the shelf and serve those who wait."""
        self.add(quantity)
        if self.record is not None:
            self.record.received(quantity)
        if self.lots is not None:
            self._store(quantity, goods)
        if self.book:
            self._work_off()
            self.consider()  # a kanban bin may have been emptied
        if self.wanting and self.on_hand > self.owed:
            self.tell_wanting()

    # -- lots ------------------------------------------------------------------------------------
    def _store(self, quantity: float, goods: Goods, cause: str = "") -> None:
        now = self.env._now
        life = self.thing.shelf_life
        lots = self.lots
        assert lots is not None
        if goods is None:
            goods = [Lot(self.world.lot_number(), self.product, quantity,
                         inf if life is None else now + life)]
        late = []
        for lot in goods:
            lots.add(lot)
            if lot.expires <= now:
                late.append(lot)
            elif lot.expires < inf:
                self.env.call(lot.expires, RECEIPT, self._expire, lot)
            if self.ledger is not None:
                self.ledger.add(now, "storing", site=self.site, product=self.product,
                                lot=lot.number, quantity=lot.quantity, cause=cause)
        for lot in late:
            self._discard(lot, "expiring")

    def _expire(self, lot: Lot) -> None:
        if lot.quantity > 0.0:
            self._discard(lot, "expiring")
            self.consider()

    def spoil(self) -> None:
        """Throw away everything on the shelf: it got too warm or too cold."""
        if self.lots is not None:
            for lot in self.lots:
                self._discard(lot, "excursion")
        elif self.on_hand > 0.0:
            self._waste(self.on_hand, "excursion", 0)
        self.consider()

    def _discard(self, lot: Lot, why: str) -> None:
        assert self.lots is not None
        if self.lots.remove(lot):
            quantity, lot.quantity = lot.quantity, 0.0
            self._waste(quantity, why, lot.number)

    def _waste(self, quantity: float, why: str, lot: int) -> None:
        """Throw units away."""
        self.remove(quantity)
        if why == "expiring":
            self.expired += quantity
        else:
            self.spoiled += quantity
        if self.ledger is not None:
            self.ledger.add(self.env._now, "expiring", site=self.site, product=self.product,
                            lot=lot, quantity=quantity, cause=why)
        if self.area is not None:
            self.area.release(quantity * self.thing.volume_m3)

    # -- what others ask -------------------------------------------------------------------------
    def available(self) -> float:
        """Units that a new order would get at once."""
        return max(0.0, self.on_hand - self.owed)

    def mean_lead(self) -> float:
        """Mean hours until an order leaves; stock is there."""
        return 0.0

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Book) -> dict[str, Any]:
        """Stock, what is owed and on order, what the record and the policy know."""
        self.settle()
        for order in self.orders_out.values():
            book.keep(order)
        waiting = [order for _, _, order in sorted(self.book, key=lambda entry: entry[:2])
                   if order.open > 0.0]
        return {
            "on_hand": self.on_hand, "owed": self.owed, "on_order": self.on_order,
            "book": [book.keep(order) for order in waiting],
            "lots": None if self.lots is None else book.goods(list(self.lots)),
            **self.plans(),
        }

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Take up a saved shelf."""
        self.on_hand, self.owed = state["on_hand"], state["owed"]
        self.on_order = state["on_order"]
        for number in state["book"]:
            order = book.orders[number]
            self.arrivals += 1
            heappush(self.book, (order.priority, self.arrivals, order))
            if order.together is not None:
                order.together.parts.append((self, order))
        if self.lots is not None:
            saved = book.lots(state["lots"], self.product)
            if saved is not None or self.on_hand > 0.0:
                self._store(self.on_hand, saved, cause="stock")
        self.empty_since = self.env._now if self.on_hand <= EPS else inf
        self.watch()
        self.be_quick()
        self.resume_plans(state)
        self.consider()
