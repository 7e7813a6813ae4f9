"""The fold: rows of history, one after another, become what is going on.

The same rows give the same result, whatever came in which order and wherever the fold was put down
and taken up again. Rows of one instant may stand in any order: one that makes no sense yet (a lot
starts that has not come) waits for the others of its instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twin.network import Network
from twin.sense.fold_demand import Demand
from twin.sense.fold_goods import Goods
from twin.sense.fold_rules import Rules
from twin.sense.fold_trucks import Trucks
from twin.sense.fold_work import Work
from twin.sense.history import Event, Translator

DAY_H = 24.0
_NUMBERED = ("orders", "lots", "shipments", "jobs", "of_order")


class Fold:
    """What is going on, as far as the rows taken so far tell.

    Parameters
    ----------
    network
        What exists.
    rules
        What the simulation knows about calendars, profiles and forecasts.

    Examples
    --------
    >>> from twin.network import Network
    >>> shop = Network(sites=[{"site": "W", "kind": "warehouse"}], products=[{"product": "tea"}],
    ...                stock=[{"site": "W", "product": "tea", "on_hand": 5}])
    >>> fold = Fold(shop, None)
    >>> fold.take([Event(1.0, 1.0, "storing", site="W", product="tea", lot=3, quantity=4.0)])
    >>> fold.goods.shelves["W/tea"]["lots"]
    {0: [5.0, 0.0], 3: [4.0, 1.0]}
    """

    def __init__(self, network: Network, rules: Rules | None) -> None:
        self.network = network
        self.time = 0.0
        self.rows = 0
        self.goods = Goods(network)
        self.trucks = Trucks(network)
        self.work = Work(network, self.goods, rules)  # type: ignore[arg-type]
        self.demand = Demand(network, rules)  # type: ignore[arg-type]
        self.translator = Translator()
        self.strange = 0  #: rows that made no sense even at the end of their instant
        self._swept = 0

    # -- taking ----------------------------------------------------------------------------------
    def take(self, rows: Iterable[Event]) -> None:
        """Take rows, in order of time."""
        instant: list[Event] = []
        for row in self.translator.events(rows):
            if instant and row.time != instant[0].time:
                self._instant(instant)
                instant = []
            instant.append(row)
        if instant:
            self._instant(instant)

    def _instant(self, rows: list[Event]) -> None:
        time = rows[0].time
        day = int(time // DAY_H)
        if day > self._swept:
            self._swept = day
            self.goods.sweep()
        self.time = max(self.time, time)
        self.demand.advance(time)
        self.rows += len(rows)
        waiting = [row for row in rows if not self._one(row)]
        while waiting:
            left = [row for row in waiting if not self._one(row)]
            if len(left) == len(waiting):
                if self.work.forced:
                    self.strange += len(left)
                    break
                self.work.forced = True  # nothing more will come: make the best of one row
                if self._one(left[0]):
                    left.pop(0)
                    self.work.forced = False
            waiting = left
        self.work.forced = False
        self.goods.settle()

    def _one(self, row: Event) -> bool:
        """Take one row; False if it makes no sense yet."""
        event, role = row.event, row.role
        goods, work, trucks = self.goods, self.work, self.trucks
        if event == "delivering":
            self.demand.take(row)
            return goods.delivering(row)
        if event == "ordering":
            if not goods.ordering(row):
                return False
            self.demand.take(row)
            return True
        if role == "truck":
            if event == "starting":
                return goods.loading(row) and trucks.loading(row)
            if event == "arriving":
                return trucks.arriving(row)
            carried = trucks.truck(row.asset)["shipment"]
            if not trucks.departing(row):
                return False
            if carried and not row.shipment:
                goods.unloaded(carried, row.time)
            return True
        if event == "departing":
            return goods.departing(row)
        if event == "arriving":
            if role == "lot":
                return work.queueing(row)
            return goods.gate(row) if role == "gate" else goods.arriving(row)
        if event == "commissioning":
            return work.ended(row) and goods.commissioning(row)
        if event in ("failing", "repairing"):
            return self._failure(row)
        taker = _TAKERS.get(event)
        if taker is None:
            return True
        where, name = taker
        return bool(getattr(work if where == "work" else goods, name)(row))

    def _failure(self, row: Event) -> bool:
        truck = row.asset.split("#")[0].split("+")[0] in self.network.trucks
        driven = self.trucks.driven(row.asset, row.time) if truck else 0.0
        if row.event == "failing":
            self.goods.halt(row.asset, row.time)
            if truck:
                self.trucks.stop(row)
            return self.work.stop(row, driven)
        self.goods.go_on(row.asset, row.time)
        if truck:
            self.trucks.restart(row)
        return self.work.restart(row, driven)

    # -- putting down and taking up ---------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Everything folded, as plain values."""
        goods, work = self.goods, self.work
        return {
            "time": self.time, "rows": self.rows, "strange": self.strange, "swept": self._swept,
            "orders": goods.orders, "lots": goods.lots, "shelves": goods.shelves,
            "shipments": goods.shipments, "streams": goods.streams, "given": goods.given,
            "served": goods.served, "free": goods.free, "halts": goods.halts,
            "loads": goods.loads, "trucks": self.trucks.trucks,
            "jobs": work.jobs, "of_order": work.of_order, "next_job": work.next_job,
            "machines": work.machines, "causes": work.causes, "crews": work.crews.crews,
            "demand": self.demand.shelves,
            "signals": self.translator.machines,
        }

    @classmethod
    def resumed(cls, network: Network, rules: Rules | None, state: dict[str, Any]) -> Fold:
        """A fold that goes on from a state that may have been written as JSON."""
        fold = cls(network, rules)
        for name in _NUMBERED:
            state[name] = {int(key): value for key, value in state[name].items()}
        for shelf in state["shelves"].values():
            for name in ("lots", "outside"):
                shelf[name] = {int(lot): held for lot, held in shelf[name].items()}
        fold.time, fold.rows, fold.strange = state["time"], state["rows"], state["strange"]
        fold._swept = state["swept"]
        goods, work = fold.goods, fold.work
        for name in ("orders", "lots", "shelves", "shipments", "streams", "given", "served",
                     "loads", "free", "halts"):
            setattr(goods, name, state[name])
        for name in ("jobs", "of_order", "next_job", "machines", "causes"):
            setattr(work, name, state[name])
        fold.trucks.trucks = state["trucks"]
        work.crews.crews |= state["crews"]
        fold.demand.resume(state["demand"])
        fold.translator.machines = state["signals"]
        return fold


_TAKERS = {
    "storing": ("goods", "storing"), "picking": ("goods", "picking"),
    "expiring": ("goods", "expiring"), "lost": ("goods", "lost"),
    "returning": ("goods", "returning"), "count": ("goods", "counted"),
    "transforming": ("work", "transforming"), "starting": ("work", "starting"),
    "setup": ("work", "setup"), "completing": ("work", "completing"),
    "scrapping": ("work", "scrapping"),
}
