"""Open orders of a sensed chain, as a state says them, and who owes each one."""

from __future__ import annotations

import hashlib
from typing import Any

from twin.network import Demand, FirmOrder, Network
from twin.network import Lane as LaneRow
from twin.sense.fold import Fold
from twin.sense.fold_rules import Rules
from twin.sense.fold_shelves import EPS

Row = dict[str, Any]


def luck(*words: object) -> float:
    """A number from 0 to 1 that follows from the words alone.

    What nobody can know and a state has to say (how much is left of a lot's work) is drawn by it,
    so that the same history gives the same state.
    """
    mark = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(mark, "big") / 2.0**64


class Scene:
    """What is known at a moment, and the questions that every part of a state asks about it."""

    def __init__(self, fold: Fold, at: float, rules: Rules, actors: dict[str, Row]) -> None:
        self.fold, self.at, self.rules = fold, at, rules
        self.actors = actors  #: of a world that has just begun
        self.network: Network = fold.network
        self.goods, self.work, self.trucks = fold.goods, fold.work, fold.trucks
        self.made = {(row.site, row.product) for row in self.network.routings.values()}
        self.into: dict[str, list[LaneRow]] = {}
        for lane in self.network.lanes.values():
            self.into.setdefault(lane.destination, []).append(lane)
        self.gathering = _gathering(self)
        self.orders = Orders(self)

    # -- places ----------------------------------------------------------------------------------
    def node(self, site: str, product: str, *, own: bool = False) -> str:
        """The name of who answers an order for a product at a site; `own`: not from its shelf."""
        if (site, product) in self.network.stock and not own:
            return f"shelf {site}/{product}"
        if (site, product) in self.made:
            return f"maker {site}/{product}"
        if (site, product) in self.network.supply:
            return f"supplier {site}/{product}"
        return f"pass {site}/{product}"

    def provides(self, site: str, product: str, *, beyond: str) -> bool:
        """Whether a site can meet orders for a product without coming back."""
        seen, look = {beyond, site}, [site]
        for place in look:
            key = (place, product)
            if key in self.network.stock or key in self.made or key in self.network.supply:
                return True
            for lane in self.into.get(place, ()):
                if lane.origin not in seen:
                    seen.add(lane.origin)
                    look.append(lane.origin)
        return False

    def lane(self, origin: str, destination: str, used: str = "") -> LaneRow | None:
        """The lane between two places: the one used, or else the quickest."""
        found = [lane for lane in self.into.get(destination, ()) if lane.origin == origin]
        for lane in found:
            if lane_name(lane) == used:
                return lane
        return min(found, key=self.mean_transit, default=None)

    def mean_transit(self, lane: LaneRow) -> float:
        """Mean hours on a lane."""
        if lane.transit is not None:
            return lane.transit.mean()
        km = self.network.distance_km(lane) or 0.0
        speeds = [row.speed_kmh for row in self.network.trucks.values() if row.home == lane.fleet]
        return km / (speeds[0] if speeds else 60.0)

    def volume(self, product: str) -> float:
        """Cubic metres of a unit."""
        return self.network.products[product].volume_m3

    # -- goods -----------------------------------------------------------------------------------
    def lot(self, number: int, product: str, units: float, since: float) -> list[float]:
        """A lot as a row of a state: number, units, hours to expiry (-1: never), parent, warmth."""
        life = self.network.products[product].shelf_life
        born = self.goods.lots.get(number, {}).get("born", since)
        return [number, units, -1.0 if life is None else born + life - self.at, 0, 0.0]

    def load(self, parts: list[list[Any]]) -> list[Row]:
        """Parts (order, lot, product, units, ready) as consignments: one an order and moment."""
        found: dict[tuple[int, float], Row] = {}
        for order, lot, product, units, ready in parts:
            if order not in self.orders.rows or product not in self.network.products:
                continue
            row = found.setdefault((order, ready), {
                "order": order, "quantity": 0.0, "goods": [], "age": self.at - ready})
            row["quantity"] += units
            row["goods"].append(self.lot(lot, product, units, ready))
        return list(found.values())


def lane_name(lane: LaneRow) -> str:
    """The name of a lane."""
    return f"{lane.origin}:{lane.destination}:{lane.mode}"


class Orders:
    """Every open order as a row, and the place that owes what is still to leave."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.network = scene.network
        self.rows: dict[int, Row] = {}
        self.owes: dict[int, str] = {}  #: order -> node that has still to send units
        self.reaches: dict[int, float] = {}  #: order -> when it came or will come to that node
        self._lanes: dict[int, str] = {}
        for shipment in scene.goods.shipments.values():
            for order, *_ in shipment["parts"]:
                self._lanes[order] = shipment["lane"]
        for number, order in sorted(scene.goods.orders.items()):
            if order["role"] is not None:
                self._add(number, order)
        for number in list(self.rows):
            self._inherit(number)

    def _add(self, number: int, order: Row) -> None:
        """One order as a row, if anything of it is still to leave or to come."""
        scene, network, role = self.scene, self.network, order["role"]
        site, product = order["site"], order["product"]
        got = order["delivered"] if role == "customer" else order["came"]
        lost = order["lost"]
        above = scene.goods.orders.get(order["parent"])
        if role == "passed" and above is not None:
            lost = above["lost"]
        if role == "component":
            got = sum(units for *_, units in order["parts"])
        undelivered = order["quantity"] - got - lost
        if site not in network.sites or product not in network.products:
            return  # of a place or product that the model lacks
        buyer = self._buyer(number, order)
        if undelivered <= EPS * max(1.0, order["quantity"]) or buyer is None:
            return
        own = [entry for entry in order["passes"] if entry[3] == number]
        owes, asked = (own[-1][1], own[-1][2]) if own else (order["to"] or site, order["time"])
        lane = None if owes == site else scene.lane(owes, site, self._lanes.get(number, ""))
        stocked = role in ("", "firm") and owes == site
        node = scene.node(owes, product, own=stocked)
        if (lane is None and owes != site) or (node.startswith("pass ") and not any(
                scene.provides(each.origin, product, beyond=owes)
                for each in scene.into.get(owes, ()))):
            return  # nobody of the model could send it
        shelf = network.stock.get((site, product)) if role in ("", "firm") else None
        seen = shelf is not None and shelf.policy == "vendor_managed"
        demand, firm = self._demand(order)
        if firm is not None and role == "firm":
            asked = firm.placed
        reaches = asked + (lane.order_delay if lane is not None and not seen else 0.0)
        left = self._left(number, order, node, lost)
        if role == "firm" and firm is not None and firm.status == "shipped":
            left = 0.0
        price, terms = self._price(node, order["quantity"]) if reaches <= scene.at else (0.0, 0.0)
        due = None
        if firm is not None:
            due = firm.due
        elif demand is not None:
            due = order["time"] + demand.promise
        placed = firm.placed if firm is not None else order["time"]
        self.rows[number] = {
            "number": number, "buyer": buyer, "product": product, "quantity": order["quantity"],
            "open": min(left, undelivered), "undelivered": undelivered, "age": scene.at - placed,
            "due_in": None if due is None else due - scene.at,
            "priority": firm.priority if firm else demand.priority if demand else 1,
            "partial": demand.partial and not demand.complete if demand else True,
            "lost_if_short": demand is not None and demand.unmet == "lost",
            "lane": None if lane is None else lane_name(lane), "unit_price": price,
            "terms": terms, "stream": self._stream(buyer) if role == "customer" else "",
            "tag": ("seen" if seen else None) if role != "customer" else order["lost"] or None,
            "flawed": order["flawed"], "hurried": False, "at_once": order["at_once"],
            "parent": order["parent"] or None if role == "passed" else None,
        }
        if left > EPS:
            self.owes[number], self.reaches[number] = node, reaches

    def _left(self, number: int, order: Row, node: str, lost: float) -> float:
        """Units that are still to leave."""
        kind = node.split(" ", 1)[0]
        wanted: float = order["quantity"] - lost
        if kind == "shelf":
            return wanted - float(order["picked"])
        if kind == "supplier":
            return 0.0 if order["ready"] > EPS else wanted
        if kind == "maker":
            return wanted - float(order["ready"])
        children = [child for *_, child in order["passes"] if child != number]
        return wanted - sum(float(self.scene.goods.orders[child]["came"]) for child in children
                            if child in self.scene.goods.orders)

    def _buyer(self, number: int, order: Row) -> str | None:
        """The name of who asked; None if the model has nobody of that kind."""
        site, product, role = order["site"], order["product"], order["role"]
        if role == "customer":
            names = [f"customer {site}/{product}/{order['source']}", f"customer {site}/{product}/",
                     *(name for name in self.scene.actors
                       if name.startswith(f"customer {site}/{product}/"))]
            return next((name for name in names if name in self.scene.actors), None)
        if role == "passed":
            name = self.scene.node(site, product)
            return name if name.startswith("pass ") else None
        if role == "component":
            job = self.scene.gathering.get(number)
            return None if job is None else f"job {site}/{job}"
        if role == "spare":
            name = f"failure {order['asset']}/{order['cause']}"
            return name if name in self.scene.actors else None
        return f"shelf {site}/{product}" if (site, product) in self.network.stock else None

    def _stream(self, buyer: str) -> str:
        return buyer.rsplit("/", 1)[1]

    def _demand(self, order: Row) -> tuple[Demand | None, FirmOrder | None]:
        """The rows of demand or of firm orders behind an order."""
        site, product, source = order["site"], order["product"], order["source"]
        if order["role"] == "firm":
            return None, self.network.orders.get(source)
        if order["role"] != "customer":
            return None, None
        if source == "firm" and (site, product, source) not in self.network.demand:
            fit = [row for row in self.network.orders.values()
                   if (row.site, row.product) == (site, product) and row.source is None
                   and abs(row.quantity - order["quantity"]) <= EPS]
            return None, min(fit, key=lambda row: abs(max(0.0, row.placed) - order["time"]),
                             default=None)
        main = self.main(site, product, source)
        if main is not None:
            return main, None
        rows = {stream: row for (at, what, stream), row in self.network.demand.items()
                if (at, what) == (site, product)}
        return rows.get(source) or next(iter(rows.values()), None), None

    def main(self, site: str, product: str, stream: str) -> Demand | None:
        """The demand whose orders may have a line of a product; None for that of the demand."""
        if (site, stream, product) not in self.network.order_lines:
            return None
        return next((row for row in self.network.demand.values()
                     if (row.site, row.stream) == (site, stream)), None)

    def wholes(self, demand: Demand) -> list[Row]:
        """What is known of the orders of several lines of which one is open."""
        if not self.network.lines_of(demand):
            return []
        groups: dict[int, list[tuple[int, Row]]] = {}
        for number, order in self.scene.goods.orders.items():
            if order["role"] == "customer" and (order["site"], order["source"]) == (
                    demand.site, demand.stream):
                groups.setdefault(order["parent"] or number, []).append((number, order))
        at, found = self.scene.at, []
        for first, lines in sorted(groups.items()):
            left = sorted(number for number, _ in lines if number in self.rows)
            if not left:
                continue
            over = [order for number, order in lines if number not in self.rows]
            placed = lines[0][1]["time"]
            found.append({
                "number": first, "age": at - placed, "due_in": placed + demand.promise - at,
                "quantity": sum(order["quantity"] for _, order in lines), "left": left,
                "short": any(order["lost"] > EPS for _, order in lines),
                "tag": sum(order["lost"] for order in over),
                "at_once": sum(order["at_once"] for order in over),
                "flawed": any(order["flawed"] for order in over)})
            if demand.complete and len(lines) > 1:
                for number in left:
                    self._together(number, [first, len(lines)])
        return found

    def _together(self, number: int, group: list[int]) -> None:
        """An order leaves only with others, and so do those passed on for it."""
        self.rows[number]["together"] = group
        for other, row in self.rows.items():
            if row["parent"] == number:
                self._together(other, group)

    def _price(self, node: str, quantity: float) -> tuple[float, float]:
        """What a unit costs where it is bought, and how many hours later it is paid."""
        kind, _, place = node.partition(" ")
        site, _, product = place.partition("/")
        supply = self.network.supply.get((site, product)) if kind == "supplier" else None
        if supply is None:
            return 0.0, 0.0
        price = supply.price
        for row in sorted((row for row in self.network.prices.values()
                           if (row.site, row.product) == (site, product)),
                          key=lambda row: row.from_quantity):
            if quantity >= row.from_quantity:
                price = row.price
        return price, supply.payment

    def _inherit(self, number: int) -> None:
        """A passed-on order has the promise of the one behind it, a component of its lot's."""
        row = self.rows[number]
        order = self.scene.goods.orders[number]
        if order["role"] not in ("passed", "component"):
            return
        above = self.rows.get(order["parent"])
        made = above is not None and (order["site"], above["product"]) in self.scene.made
        if above is None or (order["role"] == "component" and not made):
            del self.rows[number]
            self.owes.pop(number, None)
            return
        if self.scene.goods.orders[order["parent"]]["role"] == "passed":
            self._inherit(order["parent"])
        for name in ("due_in", "priority", "stream"):
            row[name] = above[name]
        if order["role"] == "passed":
            row["partial"], row["lost_if_short"] = above["partial"], above["lost_if_short"]

    # -- what the parts of a state ask ------------------------------------------------------------
    def owed_by(self, node: str) -> list[int]:
        """Orders that have reached a node and of which it owes units, first come first."""
        found = [number for number, owes in self.owes.items()
                 if owes == node and self.reaches[number] < self.scene.at + EPS]
        return sorted(found, key=lambda number: (self.reaches[number], number))

    def posted(self) -> list[Row]:
        """Orders that have not reached who will owe them."""
        rows = [{"order": number, "node": node, "in": self.reaches[number] - self.scene.at}
                for number, node in self.owes.items() if self.reaches[number] > self.scene.at]
        return sorted(rows, key=lambda row: (row["in"], row["order"]))


def _gathering(scene: Scene) -> dict[int, int]:
    """Component order -> the lot that waits for it, where the lot has not begun.

    The n-th order for each component, of all those for one order, is for the n-th lot of it.
    """
    lots: dict[tuple[int, float, int], int] = {}
    counts: dict[tuple[int, float, str], int] = {}
    found: dict[int, int] = {}
    following = scene.work.next_job
    for number, order in sorted(scene.goods.orders.items()):
        if order["role"] != "component" or order["job"]:
            continue
        key = (order["parent"], order["time"], order["product"])
        place = counts[key] = counts.get(key, -1) + 1
        lot = (order["parent"], order["time"], place)
        if lot not in lots:
            lots[lot] = following
            following += 1
        found[number] = lots[lot]
    return found
