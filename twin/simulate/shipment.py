"""What goes by lane: units of one order, shipments of several, and how much flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.network import Product
from twin.plan import HURRY, HURRY_VALUE
from twin.simulate.kernel import Call
from twin.simulate.order import Goods, Lot, Order

if TYPE_CHECKING:
    from twin.simulate.lane import Lane

_EPS = 1e-9
_HURRIED = 0.5  #: share of its time that a hurried leg takes


def needs_range(product: Product) -> bool:
    """Whether a product has to be kept warm or cold."""
    return product.min_c is not None or product.max_c is not None


def split_goods(goods: Goods, quantity: float) -> Goods:
    """Take so many units out of goods, first lots first."""
    if goods is None:
        return None
    taken: list[Lot] = []
    while quantity > _EPS and goods:
        lot = goods[0]
        if lot.quantity <= quantity + _EPS:
            taken.append(goods.pop(0))
            quantity -= lot.quantity
        else:
            taken.append(lot.split(quantity))
            quantity = 0.0
    return taken


class Consignment:
    """Units of one order, ready to leave since `ready`."""

    __slots__ = ("order", "quantity", "goods", "ready")

    def __init__(self, order: Order, quantity: float, goods: Goods, ready: float) -> None:
        self.order = order
        self.quantity = quantity
        self.goods = goods
        self.ready = ready


class Shipment:
    """Consignments under way together."""

    __slots__ = ("number", "load", "departed", "due", "call", "weight_kg", "warm",
                 "delayed")

    def __init__(self, number: int, load: list[Consignment], departed: float) -> None:
        self.number = number
        self.load = load
        self.departed = departed
        self.due = departed
        self.call: Call | None = None
        self.weight_kg = 0.0
        self.warm = False  #: too long without refrigeration
        self.delayed = False  #: its time under way is no longer the one drawn


def hurry(lane: Lane, shipment: Shipment) -> float:
    """Pay for hurrying a shipment (its freight again, at least a share of its value); the share of
    its time that it takes then."""
    worth = sum(lane.products[part.order.product].value * part.quantity for part in shipment.load)
    lane.expedited += HURRY * max(lane.row.cost_per_kg * shipment.weight_kg, HURRY_VALUE * worth)
    return _HURRIED


class Flow:
    """What a lane carries of one product: units under way, and what has left and come."""

    __slots__ = ("arrived", "departed", "moment", "moving", "product")

    def __init__(self, product: Product) -> None:
        self.product = product
        self.moving = 0.0
        self.reset(0.0)

    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.departed = self.arrived = 0.0
        self.moment = self.moving * now
