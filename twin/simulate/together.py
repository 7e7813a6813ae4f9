"""Lines of one order that leave only together: each waits on its shelf for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.simulate.order import Order

if TYPE_CHECKING:
    from twin.simulate.shelf import Shelf

_EPS = 1e-9


class Together:
    """The lines of an order that is served whole or not at all, at shelves of one place.

    Each line stands in its shelf's book like any order that wants all its units; whoever comes
    later waits behind it. They are handed over when all stand first and all shelves have enough.
    """

    __slots__ = ("count", "number", "parts")

    def __init__(self, number: int, count: int) -> None:
        self.number, self.count = number, count
        self.parts: list[tuple[Shelf, Order]] = []  #: lines that have reached their shelf

    def reach(self, shelf: Shelf, order: Order) -> None:
        """A line reaches its shelf; when the last has, serve them, or let them wait or be lost."""
        self.parts.append((shelf, order))
        if len(self.parts) < self.count:
            return
        for stand, line in self.parts:
            stand.ask(line)
            stand.stand(line)
        for stand, _ in self.parts:
            stand._work_off()
        for stand, line in self.parts:
            stand.miss(line)
        for stand, _ in self.parts:
            stand.consider()

    def give(self) -> None:
        """Hand all lines over, if all can be."""
        for shelf, order in self.parts:
            shelf._clear()
            first = shelf.book[0][2] is order if shelf.book else False
            if not first or shelf.on_hand < order.open - _EPS:
                return
        if len(self.parts) < self.count:
            return
        for shelf, order in self.parts:
            quantity = min(order.open, shelf.on_hand)
            shelf.owe(-order.open)
            shelf._issue(order, quantity)
            order.open = 0.0
        for shelf, _ in self.parts:
            shelf._work_off()
            shelf.consider()
