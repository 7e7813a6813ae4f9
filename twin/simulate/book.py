"""Turning what is under way into plain values and back: orders, lots, consignments."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from twin.simulate.order import Goods, Lot, Order
from twin.simulate.shipment import Consignment
from twin.simulate.together import Together
from twin.state import State

if TYPE_CHECKING:
    from twin.simulate.world import World


def _lots_in(values: Any) -> Iterator[list[list[float]]]:
    """Every list of lots within plain values."""
    if isinstance(values, dict):
        for key, value in values.items():
            if key in ("lots", "goods") and value:
                yield value
            else:
                yield from _lots_in(value)
    elif isinstance(values, list):
        for value in values:
            yield from _lots_in(value)


class Book:
    """Knows every open order by number, while a state is written or taken up."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.env._now
        self.rows: dict[int, dict[str, Any]] = {}
        self.orders: dict[int, Order] = {}
        self.groups: dict[int, Together] = {}

    # -- writing ---------------------------------------------------------------------------------
    def keep(self, order: Order) -> int:
        """Write an order down, once; its number."""
        number = order.number
        if number not in self.rows:
            self.rows[number] = {}  # the parent may be reached again
            self.rows[number] = {
                "number": number, "buyer": order.buyer.name, "product": order.product,
                "quantity": order.quantity, "open": order.open, "undelivered": order.undelivered,
                "age": self.now - order.placed,
                "due_in": None if order.due is None else order.due - self.now,
                "priority": order.priority, "partial": order.partial,
                "lost_if_short": order.lost_if_short,
                "lane": None if order.lane is None else order.lane.name,
                "unit_price": order.unit_price, "terms": order.terms,
                "stream": order.stream, "tag": order.tag,
                "flawed": order.flawed, "hurried": order.hurried, "at_once": order.at_once,
                "parent": None if order.parent is None else self.keep(order.parent),
            }
            if order.together is not None:
                self.rows[number]["together"] = [order.together.number, order.together.count]
        return number

    def goods(self, goods: Goods) -> list[list[float]] | None:
        """Lots as rows: number, quantity, hours to expiry (-1: never), parent, exposure."""
        if goods is None:
            return None
        return [[lot.number, lot.quantity, -1.0 if lot.expires == inf else lot.expires - self.now,
                 lot.parent, lot.exposure] for lot in goods]

    def load(self, parts: list[Consignment]) -> list[dict[str, Any]]:
        """Consignments as rows."""
        return [{"order": self.keep(part.order), "quantity": part.quantity,
                 "goods": self.goods(part.goods), "age": self.now - part.ready}
                for part in parts]

    # -- reading ---------------------------------------------------------------------------------
    def open(self, rows: list[dict[str, Any]]) -> None:
        """Rebuild the orders; every actor must exist."""
        world, now = self.world, self.now
        for row in rows:
            order = Order(
                row["number"], world.named(row["buyer"]), row["product"], row["quantity"],
                now - row["age"], due=None if row["due_in"] is None else now + row["due_in"],
                priority=row["priority"], partial=row["partial"],
                lost_if_short=row["lost_if_short"],
                lane=None if row["lane"] is None else world.lanes[row["lane"]],
                stream=row["stream"])
            order.open, order.undelivered = row["open"], row["undelivered"]
            order.unit_price, order.terms = row["unit_price"], row["terms"]
            order.hurried = row.get("hurried", False)
            order.tag, order.flawed, order.at_once = row["tag"], row["flawed"], row["at_once"]
            if "together" in row:
                first, count = row["together"]
                order.together = self.groups.setdefault(first, Together(first, count))
            self.orders[order.number] = order
        for row in rows:
            order = self.orders[row["number"]]
            order.parent = None if row["parent"] is None else self.orders[row["parent"]]

    @staticmethod
    def last_lot(state: State) -> int:
        """The highest number of a lot that stands anywhere in a state."""
        last = 0
        for values in state.actors.values():
            for lots in _lots_in(values):
                last = max(last, *(int(row[0]) for row in lots), 0)
        return last

    def lots(self, rows: list[list[float]] | None, product: str) -> Goods:
        """Lots from rows."""
        if rows is None:
            return None
        goods = []
        for number, quantity, wait, parent, exposure in rows:
            lot = Lot(int(number), product, quantity, inf if wait == -1.0 else self.now + wait,
                      int(parent))
            lot.exposure = exposure
            goods.append(lot)
        return goods

    def parts(self, rows: list[dict[str, Any]]) -> list[Consignment]:
        """Consignments from rows."""
        found = []
        for row in rows:
            order = self.orders[row["order"]]
            found.append(Consignment(order, row["quantity"],
                                     self.lots(row["goods"], order.product),
                                     self.now - row["age"]))
        return found
