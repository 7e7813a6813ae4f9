"""Orders, goods and shipments: the data that actors pass to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from twin.simulate.lane import Lane
    from twin.simulate.together import Together


class Lot:
    """Units that were made or received together; `expires` is an absolute time in hours."""

    __slots__ = ("number", "product", "quantity", "expires", "parent", "exposure")

    def __init__(self, number: int, product: str, quantity: float, expires: float,
                 parent: int = 0) -> None:
        self.number = number
        self.product = product
        self.quantity = quantity
        self.expires = expires
        self.parent = parent
        self.exposure = 0.0

    def split(self, quantity: float) -> Lot:
        """Take `quantity` units out as a lot of the same number and expiry."""
        self.quantity -= quantity
        part = Lot(self.number, self.product, quantity, self.expires, self.parent)
        part.exposure = self.exposure
        return part


#: Lots are followed only where somebody asks for them (shelf life, a ledger); else None.
Goods = list[Lot] | None


class Buyer(Protocol):
    """Whoever placed an order: a customer, a shelf, a plant, a site that passes orders up."""

    site: str

    def receive(self, order: Order, quantity: float, goods: Goods) -> None:
        """Take delivery of some units of an order."""

    def short(self, order: Order, quantity: float) -> None:
        """Learn that so many units of an order will never come."""


class Order:
    """One request for units of a product, from a buyer, owed by one place.

    `open` counts units not yet sent on their way, `undelivered` those not yet with the buyer.
    """

    __slots__ = ("number", "buyer", "product", "quantity", "open", "undelivered", "placed", "due",
                 "priority", "partial", "lost_if_short", "lane", "unit_price", "stream",
                 "tag", "flawed", "parent", "at_once", "terms", "hurried", "together")

    def __init__(self, number: int, buyer: Any, product: str, quantity: float, placed: float,
                 *, due: float | None = None, priority: int = 1, partial: bool = True,
                 lost_if_short: bool = False, lane: Lane | None = None, stream: str = "") -> None:
        self.number = number
        self.buyer = buyer
        self.product = product
        self.quantity = quantity
        self.open = quantity
        self.undelivered = quantity
        self.placed = placed
        self.due = due
        self.priority = priority
        self.partial = partial
        self.lost_if_short = lost_if_short
        self.lane = lane  #: the lane from the place that owes it to the buyer; None = same site
        self.unit_price = 0.0  #: what the buyer pays for a unit at receipt
        self.terms = 0.0  #: and how many hours later
        self.stream = stream
        self.tag: Any = None  #: the buyer's own note
        self.parent: Any = None  #: the order that this one was passed up for
        self.together: Together | None = None  #: lines with which alone it leaves
        self.at_once = 0.0  #: units that left as soon as the order reached who owes it
        self.hurried = False  #: every leg to come takes half its time, at an extra freight
        self.flawed = False  #: damaged under way, or sent with wrong documents
