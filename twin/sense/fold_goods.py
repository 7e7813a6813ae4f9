"""Goods, folded from history: open orders, lots and where each unit of them is.

A unit is on a shelf, handed over and waiting to leave, on a truck or under way with a shipment,
before a shelf that has not taken it in, or a part of a lot that is being made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.events import RETURNED, WALK_IN
from twin.network import Network
from twin.sense.fold_shelves import EPS, Shelves, mark
from twin.sense.history import Event

FLAWS = ("wrong_documents", "damaged")

Part = list[Any]  #: order, lot, product, units, ready since


class Goods(Shelves):
    """Takes rows of history about orders and goods."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.orders: dict[int, dict[str, Any]] = {}
        self.shipments: dict[int, dict[str, Any]] = {}
        self.streams: dict[str, dict[str, Any]] = {}
        self.given: dict[str, dict[str, float]] = {}
        self.served: dict[str, float] = {}  #: lane -> when a dock last ended with it
        self.loads: dict[str, list[Part]] = {}  #: truck -> what it has loaded and not left with
        self.free: dict[str, float] = {}  #: supplier -> when its capacity is free again
        self.halts: dict[str, list[list[Any]]] = {}  #: supplier's site -> [stopped, went on]
        self.closing: dict[int, None] = {}
        self._late: dict[tuple[str, str], float] = {}
        for lane in network.lanes.values():
            self._late.setdefault((lane.origin, lane.destination), lane.order_delay)
        self._walk: dict[tuple[str, str], str] = {}
        self._lines = {(line.site, line.stream): True for line in network.order_lines.values()}
        for site, product, stream in network.demand:
            self._walk.setdefault((site, product), stream)

    # -- records ---------------------------------------------------------------------------------
    def order(self, number: int, row: Event) -> dict[str, Any]:
        """What is known of an order; one that nobody has told yet is begun."""
        found = self.orders.get(number)
        if found is None:
            found = self.orders[number] = {
                "role": None, "site": "", "to": "", "product": row.product, "quantity": 0.0,
                "time": row.time, "parent": 0, "asset": "", "cause": "", "source": "",
                "picked": 0.0, "at_once": 0.0, "ready": 0.0, "came": 0.0, "delivered": 0.0,
                "lost": 0.0, "flawed": False, "passes": [], "out": [], "parts": [], "job": ""}
        mark(found, row)
        return found

    def local(self, order: dict[str, Any], site: str) -> bool:
        """Whether goods for an order need no lane: who asked for them is here."""
        return bool(order["site"] == site)

    # -- orders ----------------------------------------------------------------------------------
    def ordering(self, row: Event) -> bool:
        """An order is placed, or passed on."""
        if row.role == "passed" and not row.parent:
            known = self.orders.get(row.order)
            if known is None or known["role"] is None:
                return False
            mark(known, row)
            known["passes"].append([row.site, row.to_site, row.time, row.order])
            self._queue_up(row, known)
            self._give(row)
            return True
        if row.role == "passed":
            above = self.orders.get(row.parent)
            if above is None:
                return False
            if row.order in self._chain(row.parent):
                return True  # an order that is passed on for itself is none
            above["passes"].append([row.site, row.to_site, row.time, row.order])
        order = self.order(row.order, row)
        order |= {"role": row.role, "site": row.site, "to": row.to_site, "product": row.product,
                  "quantity": row.quantity, "time": row.time, "parent": row.parent,
                  "asset": row.asset, "cause": row.cause, "source": row.source}
        self._queue_up(row, order)
        if row.role == "customer":
            self._came(row, row.source)
        elif row.role in ("", "passed"):
            self._give(row)
        return True

    def _chain(self, number: int) -> set[int]:
        """An order and those behind it for which it was passed on."""
        chain: set[int] = set()
        while number and number not in chain:
            chain.add(number)
            number = self.orders.get(number, {}).get("parent", 0)
        return chain

    def _queue_up(self, row: Event, order: dict[str, Any]) -> None:
        """When a supplier's capacity will have been given to an order: first come, first served."""
        site = row.to_site or row.site
        supply = self.network.supply.get((site, row.product))
        if supply is None or ((site, row.product) in self.network.stock and site != row.site):
            return
        key, rate = f"{site}/{row.product}", supply.capacity_per_day
        shelf = self.network.stock.get((row.site, row.product))
        seen = shelf is not None and shelf.policy == "vendor_managed"
        made = row.time + (0.0 if seen or site == row.site else self.late(site, row.site))
        if rate is not None:
            made = max(made, self.free.get(key, 0.0)) + row.quantity * 24.0 / rate
            self.free[key] = made
        order["made"] = made

    def halt(self, site: str, time: float) -> None:
        """A supplier stands still."""
        if any(at == site for at, _ in self.network.supply):
            self.halts.setdefault(site, []).append([time, None])

    def go_on(self, site: str, time: float) -> None:
        """A supplier works again: what waited for its capacity waits as much longer."""
        halts = self.halts.get(site, [])
        if not halts or halts[-1][1] is not None:
            return
        halts[-1][1] = time
        hours = time - halts[-1][0]
        self.halts[site] = halts[-20:]
        for key in self.free:
            if key.startswith(f"{site}/") and self.free[key] > halts[-1][0]:
                self.free[key] += hours
        for order in self.orders.values():
            owes = order["passes"][-1][1] if order["passes"] else order["to"]
            made = order.get("made")
            if owes == site and made is not None and made > halts[-1][0] and not order["ready"]:
                order["made"] = made + hours

    def _give(self, row: Event) -> None:
        given = self.given.setdefault(f"{row.site}/{row.product}", {})
        given[row.to_site] = given.get(row.to_site, 0.0) + row.quantity

    def _came(self, row: Event, stream: str) -> None:
        """A customer of a stream has ordered."""
        key = f"{row.site}/{row.product}/{stream}"
        found = self.streams.setdefault(key, {"placed": 0, "last": 0.0})
        found["placed"] += 1
        mark(found, row)

    def _close(self, number: int) -> None:
        """See at the end of this instant whether an order has all it will ever have."""
        self.closing[number] = None

    def settle(self) -> None:
        """Forget the orders that have all they will ever have: the instant is over."""
        closing, self.closing = self.closing, {}
        for number in closing:
            self._forget(number)

    def _forget(self, number: int) -> None:
        order = self.orders.get(number)
        if order is None or order["role"] is None:
            return
        got = order["delivered"] if order["role"] == "customer" else order["came"]
        if order["role"] == "component":  # kept until what it was for is made
            return
        above = self.orders.get(order["parent"])
        lost = above["lost"] if order["role"] == "passed" and above is not None else order["lost"]
        if order["quantity"] - got - lost > EPS * max(1.0, order["quantity"]):
            return
        lines = [number]
        if order["role"] == "customer" and self._lines.get((order["site"], order["source"])):
            first = order["parent"] or number  # its lines are one order: kept until all are closed
            lines = [other for other, one in self.orders.items()
                     if one["role"] == "customer" and (one["parent"] or other) == first]
            if any(not _closed(self.orders[other]) for other in lines):
                return
        for line in lines:
            for *_, child in self.orders.pop(line)["passes"]:
                if child != line:
                    self.orders.pop(child, None)

    # -- beginning and ending ---------------------------------------------------------------------
    def commissioning(self, row: Event) -> bool:
        """A lot begins to exist, ready for an order."""
        self.lots[row.lot] = {"product": row.product, "site": row.site, "born": row.time}
        if not row.order:
            return True
        order = self.order(row.order, row)
        order["ready"] += row.quantity
        self._at_once(order, row)
        if order["role"] == "component" and self.local(order, row.site):
            order["parts"].append([row.product, row.lot, row.quantity])
        elif not self.local(order, row.site) or order["passes"]:
            order["out"].append([row.lot, row.product, row.quantity, row.time])
        elif order["role"] not in ("customer", "spare"):
            order["came"] += row.quantity
            self._before(row)
            self._close(row.order)
        return True

    def _at_once(self, order: dict[str, Any], row: Event) -> None:
        """Units that leave as soon as a customer's order has reached who owes it."""
        if order["role"] == "customer" and row.time <= order["time"] + EPS + self.late(
                row.site, order["site"]):
            order["at_once"] += row.quantity

    def late(self, origin: str, destination: str) -> float:
        """Hours that an order takes up the lane from a destination to an origin."""
        return self._late.get((origin, destination), 0.0)

    def delivering(self, row: Event) -> bool:
        """A buyer has goods."""
        if row.role == WALK_IN:
            self._off(row, row.lot, row.quantity)
            self._came(row, self._walk.get((row.site, row.product), ""))
            return True
        order = self.order(row.order, row)
        order["delivered"] += row.quantity
        self._close(row.order)
        return True

    def lost(self, row: Event) -> bool:
        """Units of an order will never come."""
        order = self.order(row.order, row)
        order["lost"] += row.quantity
        for *_, child in list(order["passes"]):
            self._close(child)
        self._close(row.order)
        return True

    # -- shelves ---------------------------------------------------------------------------------
    def picking(self, row: Event) -> bool:
        """Goods are taken from a shelf for an order."""
        self._off(row, row.lot, row.quantity)
        if not row.order:
            return True
        order = self.order(row.order, row)
        order["picked"] += row.quantity
        self._at_once(order, row)
        if order["role"] == "component":
            order["parts"].append([row.product, row.lot, row.quantity])
        elif order["role"] == "spare":
            order["came"] += row.quantity
            self._close(row.order)
        elif not self.local(order, row.site) or order["passes"]:
            order["out"].append([row.lot, row.product, row.quantity, row.time])
        return True

    def expiring(self, row: Event) -> bool:
        """Goods are thrown away: from a shelf, or refused at the door."""
        if row.cause == RETURNED:  # it came from a customer, to the door of the shelf at most
            if (row.site, row.product) in self.network.stock:
                outside = self.shelf(row.site, row.product, row)["outside"]
                self._put_away(outside, row.lot, row.quantity)
            return True
        if not row.to_site or row.site:
            self._off(row, row.lot, row.quantity)
            return True
        order = self.order(row.order, row)
        order["flawed"] = order["flawed"] or row.cause in FLAWS
        if order["role"] == "passed":
            above = self.orders.get(order["parent"], order)
            _take(above["out"], row.lot, row.quantity)
        order["came"] -= row.quantity
        outside = self.shelves.get(f"{row.to_site}/{row.product}", {}).get("outside", {})
        if row.lot in outside:
            outside[row.lot][0] -= row.quantity
            if outside[row.lot][0] <= EPS:
                del outside[row.lot]
        return True

    def returning(self, row: Event) -> bool:
        """Goods are back from a customer, before the shelf that may take them."""
        if (row.to_site, row.product) in self.network.stock:
            self._before(row._replace(site=row.to_site))
        return True

    # -- on the way ------------------------------------------------------------------------------
    def loading(self, row: Event) -> bool:
        """A truck loads goods of an order."""
        order = self.orders.get(row.order)
        if order is None:
            return False
        since = _take(order["out"], row.lot, row.quantity)
        self.loads.setdefault(row.asset, []).append(
            [row.order, row.lot, row.product, row.quantity, row.time if since is None else since])
        return True

    def departing(self, row: Event) -> bool:
        """Goods leave with a shipment."""
        order = self.order(row.order, row)
        truck, since = self._unload(row)
        if since is None:
            since = _take(order["out"], row.lot, row.quantity)
        shipment = self.shipments.get(row.shipment)
        if shipment is None:
            self.served[f"{row.asset} out"] = row.time
            shipment = self.shipments[row.shipment] = {
                "lane": row.asset, "site": row.site, "to": row.to_site, "departed": row.time,
                "gate": None, "unloaded": None, "truck": truck, "parts": []}
        mark(shipment, row)
        shipment["parts"].append([row.order, row.lot, row.product, row.quantity,
                                  row.time if since is None else since])
        return True

    def _unload(self, row: Event) -> tuple[str, float | None]:
        """The truck that had loaded these goods, and since when they were ready."""
        for truck, load in self.loads.items():
            for part in load:
                if part[0] == row.order and part[1] == row.lot and part[3] >= row.quantity - EPS:
                    part[3] -= row.quantity
                    if part[3] <= EPS:
                        load.remove(part)
                    return truck, part[4]
        return "", None

    def unloaded(self, number: int, time: float) -> None:
        """The truck of a shipment has gone: its goods are in somebody's hands."""
        if number in self.shipments:
            self.shipments[number]["unloaded"] = time

    def gate(self, row: Event) -> bool:
        """A carrier's shipment is at the gate."""
        shipment = self.shipments.get(row.shipment)
        if shipment is None:
            return False
        mark(shipment, row)
        if shipment["gate"] is None:
            shipment["gate"] = row.time
        return True

    def arriving(self, row: Event) -> bool:
        """Goods of a shipment are taken in."""
        shipment = self.shipments.get(row.shipment)
        if shipment is None and row.shipment:
            return False
        if shipment is not None:
            mark(shipment, row)
            left = row.quantity
            for part in shipment["parts"]:
                if part[0] == row.order and part[1] == row.lot:
                    took = min(left, part[3])
                    part[3] -= took
                    left -= took
            shipment["parts"] = [part for part in shipment["parts"] if part[3] > EPS]
            self.served[shipment["lane"]] = row.time
            if not shipment["parts"]:
                del self.shipments[row.shipment]
        order = self.order(row.order, row)
        order["flawed"] = order["flawed"] or row.cause in FLAWS
        if order["role"] == "passed":
            order["came"] += row.quantity
            above = self.orders.get(order["parent"])
            if above is not None:
                above["flawed"] = above["flawed"] or order["flawed"]
                above["out"].append([row.lot, row.product, row.quantity, row.time])
            self._close(row.order)
        elif self.local(order, row.site) and order["role"] in ("", "firm"):
            order["came"] += row.quantity
            self._before(row)
            self._close(row.order)
        return True

    # -- order in the house ----------------------------------------------------------------------
    def sweep(self) -> None:
        """Forget lots that are nowhere any more."""
        there = set(self._lots_there())
        self.lots = {lot: found for lot, found in self.lots.items() if lot in there}
        self.loads = {truck: load for truck, load in self.loads.items() if load}

    def _lots_there(self) -> Iterator[int]:
        for shelf in self.shelves.values():
            yield from shelf["lots"]
            yield from shelf["outside"]
        for order in self.orders.values():
            yield from (part[0] for part in order["out"])
            yield from (part[1] for part in order["parts"])
        for shipment in self.shipments.values():
            yield from (part[1] for part in shipment["parts"])
        for load in self.loads.values():
            yield from (part[1] for part in load)


def _closed(order: dict[str, Any]) -> bool:
    """Whether a customer's order has all it will ever have."""
    left = order["quantity"] - order["delivered"] - order["lost"]
    return bool(left <= EPS * max(1.0, order["quantity"]))


def _take(parts: list[list[Any]], lot: int, units: float) -> float | None:
    """Take units of a lot out of what waits; since when they waited, None if they did not."""
    since = None
    for part in list(parts):
        if part[0] == lot and units > EPS:
            took = min(units, part[2])
            part[2] -= took
            units -= took
            since = part[3] if since is None else since
            if part[2] <= EPS:
                parts.remove(part)
    return since
