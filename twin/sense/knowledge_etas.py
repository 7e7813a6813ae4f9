"""When open orders and shipments under way are expected, with intervals, as facts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twin.driver_hours import DriverHours
from twin.knowledge import Fact
from twin.quantity import constant
from twin.sense.begin_orders import lane_name
from twin.sense.eta import Eta, Leg, eta
from twin.sense.fold_shelves import EPS
from twin.sense.underway import Shipment, shipment_leg, transit_law

if TYPE_CHECKING:
    from twin.sense.knowledge import Telling

#: How the attributes begin that say when something is expected.
EXPECTED = ("expected in", "chance late")
_LEVEL = 0.8
_POINTS = 100
_DEEPEST = 6  # shelves that wait for one another


class Arrivals:
    """Expected arrivals at one moment.

    An order comes with the shipment that carries it. One that is still to leave waits for who owes
    it: a supplier's lead time given how long it has been there already, a plant's work on it, or,
    at a shelf that is short, the replenishment under way to that shelf; then for the lane. Rests of
    drivers are foreseen, waiting for machines, trucks and docks is not: that takes a simulation
    (`twin.commands.arrivals`), and intervals of orders still to leave are too narrow without one.
    """

    def __init__(self, telling: Telling) -> None:
        self.telling, self.scene = telling, telling.scene
        self._carried: dict[int, int] = {}
        self._aboard_units: dict[int, float] = {}
        for number, shipment in sorted(self.scene.goods.shipments.items()):
            for order, _, _, units, _ in shipment["parts"]:
                self._carried[order] = number
                self._aboard_units[order] = self._aboard_units.get(order, 0.0) + units
        self._seen: dict[str, dict[str, Any]] = {}
        for about, _, reading in telling.series():
            if about["kind"] == "position":
                for name in filter(None, (about["asset"], about["shipment"])):
                    self._seen[name] = reading

    def order(self, number: int) -> Eta | None:
        """When an open order is there; None when nothing tells."""
        legs = self._legs(number, 0)
        return None if legs is None else eta(legs, self.scene.rules.left, points=_POINTS)

    def source(self, number: int) -> str:
        """On what rests when an order comes: where what carries it is, or the tables alone."""
        return self.shipment_source(self._carried[number]) if self._on_board(number) else "tables"

    def shipment_source(self, number: int) -> str:
        """The same of a shipment."""
        leg = self._aboard(number)
        return "tables" if leg is None or math.isnan(leg.covered) else "position"

    def shipment(self, number: int) -> Eta | None:
        """When a shipment is there; None at the door, or on a lane that the model lacks."""
        leg = self._aboard(number)
        return None if leg is None else eta([leg], self.scene.rules.left, points=_POINTS)

    def _aboard(self, number: int) -> Leg | None:
        shipment = self.scene.goods.shipments[number]
        lane = self.scene.lane(shipment["site"], shipment["to"], shipment["lane"])
        if shipment["gate"] is not None or shipment["unloaded"] is not None or lane is None \
                or lane_name(lane) != shipment["lane"]:
            return None
        zero, seen = self.telling.zero, self._seen.get(shipment["truck"] or str(number), {})
        truck = self.scene.trucks.trucks.get(shipment["truck"])
        if truck is not None and truck["shipment"] != number:
            seen = {}  # the truck has left with another since: nobody told that this one arrived
        departed = zero + 3600.0 * shipment["departed"]
        known = seen.get("time", math.nan) >= departed
        leg = shipment_leg(self.scene.network, Shipment(
            str(number), shipment["site"], shipment["to"], departed, shipment["lane"], (),
            seen["latitude"] if known else math.nan, seen["longitude"] if known else math.nan,
            seen["time"] if known else math.nan), self.telling.at)
        return leg if leg is None else self._driven(leg, shipment["truck"], number)

    def _driven(self, leg: Leg, truck: str, number: int) -> Leg:
        """A leg as its driver can drive it: hours at the wheel count, and rests come on top."""
        trucks, at = self.scene.trucks, self.scene.at
        known = trucks.trucks.get(truck)
        if known is None or known["phase"] != "out" or known["shipment"] != number:
            return leg
        hours = trucks.hours(truck, at)
        return replace(leg, age=trucks.at_wheel(truck, at), rests=None if hours is None else
                       lambda rest: hours.over(at, rest) - at)

    def _on_board(self, number: int) -> bool:
        """Whether all that is still to come of an order is under way."""
        units = self._aboard_units.get(number, 0.0)
        return units + EPS >= float(self.scene.orders.rows[number]["undelivered"])

    def _legs(self, number: int, deep: int) -> list[Leg] | None:
        scene, row = self.scene, self.scene.orders.rows[number]
        if self._on_board(number):
            leg = self._aboard(self._carried[number])
            return [Leg(constant(0.0, time=True)) if leg is None else leg]
        if number not in scene.orders.owes:
            return self._onward(row)  # picked, or ready at the supplier: it leaves next
        kind, _, place = scene.orders.owes[number].partition(" ")
        onward = self._onward(row)
        since = max(0.0, scene.at - scene.orders.reaches[number])
        site, _, product = place.partition("/")
        if kind == "supplier":
            return [Leg(scene.network.supply[site, product].lead_time, since), *onward]
        if kind == "maker":
            return [Leg(constant(max(0.0, self._work(site, product, row["open"]) - since),
                                 time=True)), *onward]
        if kind == "shelf" and deep < _DEEPEST:
            return self._from_shelf(number, place, onward, deep)
        return None

    def _from_shelf(self, number: int, place: str, onward: list[Leg],
                    deep: int) -> list[Leg] | None:
        """On hand, or with the first replenishment that is enough for all that stand before it."""
        scene = self.scene
        shelf = scene.goods.shelves.get(place)
        there = sum(units for units, _ in shelf["lots"].values()) if shelf else \
            scene.network.stock[tuple(place.split("/", 1))].on_hand  # type: ignore[index]
        needed = 0.0
        for other in scene.orders.owed_by(f"shelf {place}"):
            needed += scene.orders.rows[other]["open"]
            if other == number:
                break
        if there + EPS >= needed:
            return onward
        for other, row in sorted(scene.orders.rows.items()):
            if row["buyer"] == f"shelf {place}" and other != number:
                there += row["undelivered"]
                if there + EPS >= needed:
                    before = self._legs(other, deep + 1)
                    return None if before is None else [*before, *onward]
        return None  # nobody has ordered what it waits for

    def _onward(self, row: dict[str, Any]) -> list[Leg]:
        lane = next((lane for lane in self.scene.network.lanes.values()
                     if lane_name(lane) == row["lane"]), None)
        if lane is None:
            return []
        crew = next((self.scene.network.crews[truck.crew]
                     for truck in self.scene.network.trucks.values()
                     if truck.crew and truck.home == lane.fleet), None)
        fresh = None if crew is None else DriverHours(crew)
        return [Leg(transit_law(self.scene.network, lane), rests=None if fresh is None else
                    lambda hours: fresh.over(0.0, hours))]

    def _work(self, site: str, product: str, units: float) -> float:
        """Mean working hours on a lot of so many units, one step after another."""
        return sum(step.process_time.mean() * (units if step.per == "unit" else 1.0)
                   for step in self.scene.network.routings.values()
                   if (step.site, step.product) == (site, product))


def expected(telling: Telling, kind: str, subject: str, found: Eta | None,
             record: dict[str, Any] | None, due_in: float | None = None, *,
             source: str = "tables") -> Iterator[Fact]:
    """An expected arrival as facts; `source` says what it rests on."""
    for attribute, value, unit in () if found is None else as_facts(found, due_in):
        yield replace(telling.fact(kind, subject, attribute, value, unit, record, "uncertain"),
                      source=source)


def as_facts(found: Eta, due_in: float | None = None) -> Iterator[tuple[str, float, str]]:
    """Attributes, values and units: the median, an 80 % interval, the chance of coming late.

    A time that nobody foresees, since it lies too far away, is left out.
    """
    low, high = found.interval(_LEVEL)
    values = [("expected in", found.median)]
    if high > low:  # else the tables know no spread, and none is claimed
        values += [("expected in, 10 %", low), ("expected in, 90 %", high)]
    for attribute, value in values:
        if math.isfinite(value):
            yield attribute, float(value), "h"
    if due_in is not None:
        yield "chance late", float(found.chance_after(due_in)), ""
