"""Know: every fact about a chain at any moment, with its age, quality, source and evidence."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from twin.knowledge import Difference, Fact, Knowledge
from twin.network import Network
from twin.sense.begin import begin_from
from twin.sense.begin_orders import Scene
from twin.sense.begin_stock import area_of
from twin.sense.checkpoint import Checkpoints, Told
from twin.sense.fold import Fold
from twin.sense.fold_goods import Goods
from twin.sense.fold_rules import Rules
from twin.sense.fold_shelves import EPS
from twin.sense.fold_signals import Signals
from twin.sense.history import events_of
from twin.sense.knowledge_etas import Arrivals, expected
from twin.sense.knowledge_moves import moves
from twin.sense.knowledge_work import work
from twin.sense.reconcile import Sightings, corrections, reconcile
from twin.state import State
from twin.store import Store


def know(readings: Store | pd.DataFrame, network: Network, at: float, *, rules: Rules,
         fresh: State, checkpoints: bool = True, told: Told | None = None) -> Knowledge:
    """What is known about a chain from all readings before a moment.

    Parameters
    ----------
    readings
        A store, or a table of readings with the columns of `twin.kinds.FIELDS`.
    at
        The moment, seconds since 1970-01-01 UTC; any moment, past ones too.
    rules, fresh
        What the simulation knows about time, and a state of the network that has just begun.
    checkpoints
        Whether whole days that are folded are kept beside the store.
    told
        Called with days folded and days to fold, as they are.
    """
    if isinstance(readings, Store):
        fold, signals = Checkpoints(readings, network, rules, keep=checkpoints).until(
            at, told)
    else:
        fold, signals = Fold(network, rules), Signals(network)
        if len(readings):
            fold.take(events_of(readings[readings["time"] < at], network.start))
            signals.take_frame(readings, at)
    return knowledge_of(fold, signals, network, at, rules, fresh)


def knowledge_of(fold: Fold, signals: Signals, network: Network, at: float, rules: Rules,
                 fresh: State) -> Knowledge:
    """The facts that a fold and its signals tell at a moment."""
    zero = network.start.timestamp()
    clock = (at - zero) / 3600.0
    going_on = json.loads(json.dumps(fold.state()))
    differences = tuple(reconcile(fold.goods, Sightings(signals.last, zero), network, clock))
    fold = Fold.resumed(network, rules, json.loads(json.dumps(going_on)))
    fold.demand.settle(clock)
    telling = Telling(Scene(fold, clock, rules, fresh.actors), signals, at)
    arrivals = Arrivals(telling)
    facts = (*stock(telling), *orders(telling, arrivals), *moves(telling, arrivals),
             *work(telling), *areas(telling))
    return Knowledge(network.name, at, clock, fold.rows + signals.readings, facts, differences,
                     going_on)


def begin(knowledge: Knowledge, network: Network, *, rules: Rules, fresh: State) -> State:
    """The state from which a simulation goes on from what is known.

    Where a count found something else than was booked, the shelf holds what was found, and its
    record what was booked.
    """
    goods = Goods(network)
    goods.shelves = knowledge.going_on["shelves"]
    return begin_from(knowledge.going_on, knowledge.clock_h, network, fresh, rules,
                      corrections(knowledge.differences, goods))


class Telling:
    """Makes facts: fills in when each was so, how old and how good it is."""

    def __init__(self, scene: Scene, signals: Signals, at: float) -> None:
        self.scene, self.signals, self.at = scene, signals, at
        self.network = scene.network
        self.zero = self.network.start.timestamp()
        self.interval = {row.sensor: row.interval for row in self.network.sensors.values()
                         if row.interval is not None}

    def fact(self, kind: str, subject: str, attribute: str, value: Any, unit: str = "",
             record: dict[str, Any] | None = None, quality: str = "") -> Fact:
        """A fact that rests on a folded record, or on the tables alone."""
        if isinstance(value, float) and not math.isfinite(value):
            value = str(value)
        if not record or "last" not in record:
            return Fact(kind, subject, attribute, value, unit, self.zero, self._age(self.zero),
                        quality or "assumed", "tables", 0)
        time = self.zero + record["last"] * 3600.0
        return Fact(kind, subject, attribute, value, unit, time, self._age(time),
                    quality or record["quality"] or "good", record["by"], record["n"])

    def signal(self, kind: str, subject: str, attribute: str, unit: str, reading: dict[str, Any],
               name: str = "value") -> Fact:
        """A fact that is the last value of a signal."""
        age = self._age(reading["time"])
        interval = self.interval.get(reading["sensor"])
        stale = interval is not None and age > 3.0 * interval
        quality = "stale" if stale else reading.get("quality") or "good"
        return Fact(kind, subject, attribute, reading.get(name, ""), unit, reading["time"], age,
                    quality, reading["sensor"], reading["n"])

    def _age(self, time: float) -> float:
        return (self.at - time) / 3600.0

    def series(self) -> Iterator[tuple[dict[str, str], str, dict[str, Any]]]:
        """Every signal: what it is about, the name of the series, its last reading."""
        names = ("kind", "asset", "shipment", "lot", "site", "area", "name")
        for key, reading in sorted(self.signals.last.items()):
            yield dict(zip(names, json.loads(key), strict=True)), key, reading


# -- stock ---------------------------------------------------------------------------------------


def stock(telling: Telling) -> Iterator[Fact]:
    """Units on each shelf, expected, owed and not yet put away; each lot and its condition."""
    scene = telling.scene
    for (site, product), row in sorted(scene.network.stock.items()):
        subject = f"{site}/{product}"
        shelf = scene.goods.shelves.get(subject)
        lots = shelf["lots"] if shelf is not None else {0: [row.on_hand, 0.0]}
        rows = [order for order in scene.orders.rows.values()
                if order["buyer"] == f"shelf {subject}"]
        owed = sum(scene.orders.rows[number]["open"]
                   for number in scene.orders.owed_by(f"shelf {subject}"))
        outside = sum(units for units, _ in shelf["outside"].values()) if shelf else 0.0
        for attribute, value in (("on hand", sum(units for units, _ in lots.values())),
                                 ("on order", sum(order["undelivered"] for order in rows)),
                                 ("owed", owed), ("not put away", outside)):
            if value or attribute == "on hand":
                yield telling.fact("stock", subject, attribute, float(value), "units", shelf)
        if shelf is not None and shelf["count"] is not None:
            yield telling.fact("stock", subject, "last count", shelf["count"]["units"], "units", {
                "last": shelf["count"]["time"], "by": shelf["count"]["by"], "n": 1,
                "quality": shelf["count"]["quality"]})
        warm = _series_of(telling, site, product)
        for lot, (units, since) in sorted(lots.items()):
            if units > EPS:
                yield from _lot(telling, subject, product, lot, units, since, shelf, warm)


def _lot(telling: Telling, subject: str, product: str, lot: int, units: float, since: float,
         shelf: dict[str, Any] | None, warm: str) -> Iterator[Fact]:
    name = f"{subject} lot {lot or 'unknown'}"
    yield telling.fact("lot", name, "units", float(units), "units", shelf)
    expires = telling.scene.lot(lot, product, units, since)[2]
    if expires != -1.0:
        yield telling.fact("lot", name, "expires in", expires, "h", shelf,
                           "" if lot in telling.scene.goods.lots else "uncertain")
    if warm and warm in telling.signals.last:
        reading = telling.signals.last[warm]
        yield telling.signal("lot", name, "temperature", "C", reading)
        hours = telling.signals.hours_out(warm, since, telling.scene.at)
        yield Fact("lot", name, "hours out of range", hours, "h", reading["time"],
                   (telling.at - reading["time"]) / 3600.0, "good", reading["sensor"],
                   reading["n"])


def _series_of(telling: Telling, site: str, product: str) -> str:
    """The temperature series of the place where a product stands; empty if it has no range."""
    thing = telling.network.products[product]
    row = area_of(telling.scene, product, site)
    if row is None or (thing.min_c is None and thing.max_c is None):
        return ""
    for about, key, _ in telling.series():
        if about["kind"] == "temperature" and (
                about["asset"] in (f"{site}:{row.area}", f"{site}/{row.area}")
                or (about["site"] == site and about["area"] in ("", row.area))):
            return key
    return ""


# -- orders --------------------------------------------------------------------------------------


def orders(telling: Telling, arrivals: Arrivals) -> Iterator[Fact]:
    """Open orders: for whom, what is still to come, when it is due and expected, who owes it."""
    scene = telling.scene
    for number, row in sorted(scene.orders.rows.items()):
        subject, record = f"order {number}", scene.goods.orders[number]
        values: list[tuple[str, Any, str]] = [
            ("buyer", row["buyer"], ""), ("product", row["product"], ""),
            ("ordered", float(row["quantity"]), "units"), ("to leave", float(row["open"]), "units"),
            ("to come", float(row["undelivered"]), "units")]
        if row["due_in"] is not None:
            values.append(("due in", float(row["due_in"]), "h"))
        if number in scene.orders.owes:
            values.append(("owed by", scene.orders.owes[number], ""))
        for attribute, value, unit in values:
            yield telling.fact("order", subject, attribute, value, unit, record)
        yield from expected(telling, "order", subject, arrivals.order(number), record,
                            row["due_in"], source=arrivals.source(number))


# -- places --------------------------------------------------------------------------------------


def areas(telling: Telling) -> Iterator[Fact]:
    """Storage areas and other places: what sensors say of them, and the volume in use."""
    scene = telling.scene
    used: dict[str, float] = {f"{row.site}/{row.area}": 0.0
                              for row in scene.network.storage.values()}
    for key, shelf in scene.goods.shelves.items():
        site, _, product = key.partition("/")
        area = area_of(scene, product, site) if product in scene.network.products else None
        if area is not None:
            used[f"{area.site}/{area.area}"] += scene.volume(product) * sum(
                units for units, _ in shelf["lots"].values())
    for name, volume in sorted(used.items()):
        yield telling.fact("area", name, "volume in use", volume, "m3",
                           {"last": scene.fold.time, "by": "fold", "n": scene.fold.rows,
                            "quality": "uncertain"} if scene.fold.rows else None)
    machines, trucks = scene.work.tables, scene.trucks.homes
    for about, key, reading in telling.series():
        subject = about["asset"].replace(":", "/") or "/".join(
            filter(None, (about["site"], about["area"])))
        if not subject or about["kind"] in ("sighting", "position") or about["shipment"] \
                or about["lot"] or about["asset"] in machines or about["asset"] in trucks:
            continue
        yield telling.signal("area", subject, about["name"] or about["kind"],
                             _unit(about["kind"]), reading)
        spans = telling.signals.excursions.get(key, [])
        if spans and spans[-1][1] is None:
            yield telling.signal("area", subject, "out of range since", "h",
                                 {**reading, "value": scene.at - (spans[-1][0] or 0.0)})


def _unit(kind: str) -> str:
    from twin.kinds import KINDS

    return KINDS[kind].unit


def flagged(knowledge: Knowledge) -> tuple[Difference, ...]:
    """The differences that somebody should look at."""
    return tuple(row for row in knowledge.differences if row.flagged)
