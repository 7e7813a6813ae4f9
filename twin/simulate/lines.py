"""Orders of several lines: a customer who orders other products along with the main one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twin.network import Demand, OrderLine
from twin.simulate.customer import Customer
from twin.simulate.order import Order
from twin.simulate.together import Together

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.world import World


def customers_of(world: World) -> tuple[list[Customer], list[Line]]:
    """Whoever orders by a row of `demand`, and the further lines of their orders."""
    rows = world.network.demand.values()
    found = [ManyLines(world, row) if world.network.lines_of(row) else Customer(world, row)
             for row in rows]
    return found, [line for one in found if isinstance(one, ManyLines) for line in one.lines]


class Whole:
    """Lines ordered at one instant; it is scored as one order when the last of them is closed."""

    __slots__ = ("at_once", "due", "flawed", "left", "number", "placed", "quantity", "short",
                 "tag")

    def __init__(self, number: int, placed: float, due: float | None, quantity: float,
                 left: Iterable[int]) -> None:
        self.number, self.placed, self.due, self.quantity = number, placed, due, quantity
        self.left = set(left)  #: numbers of the lines still open
        self.short = False  #: some unit will never come
        self.tag, self.at_once, self.flawed = 0.0, 0.0, False

    def close(self, line: Order) -> None:
        """A line has all that it will ever have."""
        self.left.discard(line.number)
        self.tag += line.tag or 0.0
        self.at_once += line.at_once
        self.flawed = self.flawed or line.flawed


class ManyLines(Customer):
    """A row of `demand` with rows of `order_lines`: each arrival may order several products."""

    __slots__ = ("lines", "wholes")

    def __init__(self, world: World, row: Demand) -> None:
        super().__init__(world, row)
        self.take = None  # an order of several lines is no walk to one shelf
        self.lines = [Line(self, line) for line in world.network.lines_of(row)]
        self.wholes: dict[int, Whole] = {}  #: by the number of each open line

    def _order(self, quantity: float) -> None:
        """Place the lines of an order; units are drawn for each, whoever has none this time."""
        asked: list[tuple[Customer, float]] = [(self, quantity)]
        for line in self.lines:
            units = line.wanted()
            if units > 0.0:
                line.units += units
                asked.append((line, units))
        placed = [(buyer, buyer._new_order(units)) for buyer, units in asked]
        first = placed[0][1]
        numbers = [order.number for _, order in placed]
        whole = Whole(first.number, first.placed, first.due, sum(u for _, u in asked), numbers)
        self.wholes |= dict.fromkeys(numbers, whole)
        if self.row.complete:
            together = Together(first.number, len(placed)) if len(placed) > 1 else None
            for _, order in placed:
                order.partial, order.together = False, together
        self.slow_orders += 1
        for buyer, order in placed:
            buyer._enter(order, 0 if order is first else first.number)

    def _complete(self, order: Any, now: float) -> None:
        self.closed(order, now)

    def closed(self, order: Order, now: float) -> None:
        """A line of one of the orders has all that it will ever have."""
        self.waiting.pop(order.number, None)
        whole = self.wholes.pop(order.number)
        whole.close(order)
        if not whole.left:
            super()._complete(whole, now)

    def _first_lost(self, order: Order) -> None:
        whole = self.wholes[order.number]
        if not whole.short:
            whole.short = True
            self.lost_orders += 1

    def _unfinished(self) -> Iterable[Any]:
        return dict.fromkeys(self.wholes.values())

    def state(self, book: Book) -> dict[str, Any]:
        """Where the arrival process stands, and what is known of orders with an open line."""
        state, now = super().state(book), self.env._now
        wholes = [{"number": one.number, "age": now - one.placed,
                   "due_in": None if one.due is None else one.due - now,
                   "quantity": one.quantity, "left": sorted(one.left), "short": one.short,
                   "tag": one.tag, "at_once": one.at_once, "flawed": one.flawed}
                  for one in dict.fromkeys(self.wholes.values())]
        return {**state, "wholes": wholes} if wholes else state

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Go on from a state."""
        super().resume(state, book)
        now = self.env._now
        for row in state.get("wholes", ()):
            due = None if row["due_in"] is None else now + row["due_in"]
            whole = Whole(row["number"], now - row["age"], due, row["quantity"], row["left"])
            whole.short, whole.tag = row["short"], row["tag"]
            whole.at_once, whole.flawed = row["at_once"], row["flawed"]
            self.wholes |= dict.fromkeys(whole.left, whole)


class Line(Customer):
    """One row of `order_lines`: units of a product that some orders of a customer contain.

    It keeps the score of units and money; the orders are counted by the customer.
    """

    __slots__ = ("luck", "main", "share")

    def __init__(self, main: ManyLines, line: OrderLine) -> None:
        world = main.world
        own = next((row for row in world.network.demand.values()
                    if (row.site, row.product) == (line.site, line.product)), None)
        value = world.network.products[line.product].value
        super().__init__(world, replace(
            main.row, product=line.product, size=line.size, limit=0,
            price=own.price if own else value, lost_cost=own.lost_cost if own else value))
        self.main, self.share = main, line.share
        self.luck = world.streams.uniform(self.name, "share")

    def wanted(self) -> float:
        """Units in the next order; zero where it has no such line."""
        units = max(0.0, self.size()) if self.fixed is None else self.fixed
        return units if self.luck() < self.share else 0.0

    def _complete(self, order: Order, now: float) -> None:
        self.waiting.pop(order.number, None)
        self.main.closed(order, now)

    def _first_lost(self, order: Order) -> None:
        self.main._first_lost(order)

    def _unfinished(self) -> Iterable[Any]:
        return ()

    def state(self, book: Book) -> dict[str, Any]:
        """Whose orders it is a part of; its open lines stand with the orders."""
        for order in self.waiting.values():
            book.keep(order)
        return {"of": self.main.name}

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Nothing of its own goes on."""
