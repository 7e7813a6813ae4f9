"""Guards of transport: off route, stopped in the open, late."""

from __future__ import annotations

from twin.readings import Reading
from twin.sense.alerts import Finding
from twin.sense.geofence import fences_of
from twin.sense.guard import Guard, Post, clock
from twin.sense.journey import Journey
from twin.sense.rules import Rule
from twin.sense.tank import Tank
from twin.sense.underway import (
    Arrival,
    OpenOrder,
    Orders,
    Shipments,
    lane_of,
    order_etas,
    promises_of,
    shipment_etas,
)

_POINTS = 100  # values that stand for the law of a waiting time


class RouteGuard(Guard):
    """Shipments that have left the corridor of their lane, or stand still outside every place."""

    hears = frozenset({"departing", "arriving", "receiving", "position"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self.shipments = Shipments()
        self.journeys: dict[str, Journey] = {}
        self.fences = fences_of(self.network)
        self._told: dict[tuple[str, str], float] = {}

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in what departs, arrives or is seen."""
        before = self.shipments.aboard(reading.asset)
        self.shipments.update(reading)
        if reading.kind == "position":
            return self._seen(reading)
        over = [finding for name in sorted(before - self.shipments.aboard(reading.asset))
                if name != reading.shipment for finding in self._over(name, reading.time)]
        if reading.kind == "departing" and reading.shipment not in self.journeys \
                and self.shipments.has(reading.shipment):
            lane = lane_of(self.network, reading.site, reading.to_site, reading.asset)
            if lane is not None:
                rule = self.rules.find("stopped", reading.shipment)
                hours = rule.after if rule and rule.after == rule.after else 1.0
                self.journeys[reading.shipment] = Journey.on(
                    self.network, lane, fences=self.fences, longest_stop_h=hours)
        elif reading.kind != "departing":
            over += self._over(reading.shipment, reading.time)
        return over

    def _over(self, name: str, time: float) -> list[Finding]:
        """A shipment is under way no longer, or nobody knows on what."""
        self.journeys.pop(name, None)
        return [Finding(kind, f"shipment {name}", "", time) for kind in ("off_route", "stopped")
                if self._told.pop((kind, name), None) is not None]

    def look(self, now: float) -> list[Finding]:
        """Nothing: a vehicle is judged by where it is seen."""
        return []

    def _seen(self, reading: Reading) -> list[Finding]:
        found: list[Finding] = []
        for shipment in self.shipments.of(reading):
            name = shipment.shipment
            journey = self.journeys.get(name)
            if journey is None:
                continue
            journey.update(reading)
            progress = journey.get()
            found += self._say("off_route", name, progress.off_route, reading.time,
                               f"outside the corridor from {shipment.origin} to "
                               f"{shipment.destination}", progress.covered)
            found += self._say("stopped", name, progress.stuck, reading.time - 3600.0 *
                               progress.stopped_h, f"stands for {progress.stopped_h:.1f} h outside "
                               "every known place", progress.stopped_h, reading.time)
        return found

    def _say(self, kind: str, name: str, holds: bool, since: float, meaning: str, value: float,
             now: float | None = None) -> list[Finding]:
        rule, time = self.rules.find(kind, name), since if now is None else now
        if rule is None:
            return []
        if holds:
            began = self._told.setdefault((kind, name), since)
            return [Finding(kind, f"shipment {name}", rule.severity, time, began, value,
                            meaning=meaning)]
        if self._told.pop((kind, name), None) is None:
            return []
        return [Finding(kind, f"shipment {name}", "", time)]


class TankGuard(Guard):
    """Fuel that was taken from a tank: an alert that is over as soon as it is raised."""

    hears = frozenset({"fuel"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self.tanks: dict[str, Tank] = {}
        self._told: dict[str, float] = {}

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in the level of a tank."""
        truck = reading.asset
        rule = self.rules.find("theft", truck)
        if rule is None or truck.partition("#")[0] not in self.network.trucks:
            return []
        tank = self.tanks.setdefault(truck, Tank())
        tank.update(reading)
        fills = tank.get().fills
        if not fills or fills[-1].litres >= 0 or fills[-1].time <= self._told.get(truck, -1.0):
            return []
        last = self._told[truck] = fills[-1].time
        subject, litres = f"truck {truck}", -fills[-1].litres
        return [Finding("theft", subject, rule.severity, last, last, litres, tank.least, 0.0,
                        f"{litres:.0f} l have left the tank faster than it can burn them"),
                Finding("theft", subject, "", last)]

    def look(self, now: float) -> list[Finding]:
        """Nothing: a tank is judged by its level."""
        return []


class LateGuard(Guard):
    """Orders that will probably come after they are due, and those that are due already.

    An order is looked at again when a twentieth of the time until it is due has passed, after half
    an hour at the earliest and a day at the latest, or when a shipment leaves with it.
    """

    hears = frozenset({"ordering", "delivering", "lost", "departing", "arriving", "receiving",
                       "position"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self.orders, self.shipments = Orders(), Shipments()
        self._late: dict[str, float] = {}
        self._promises = promises_of(self.network)
        self._again: dict[str, float] = {}

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in what is ordered, shipped and delivered."""
        self.shipments.update(reading)
        if reading.kind == "departing":
            self._again.pop(reading.order, None)
        if reading.kind not in ("ordering", "delivering", "lost"):
            return []
        self.orders.update(reading)
        if reading.kind == "ordering" or self.orders.has(reading.order):
            return []
        self._late.pop(reading.order, None)
        self._again.pop(reading.order, None)
        return [Finding("late", f"order {reading.order}", "", reading.time)]

    def look(self, now: float) -> list[Finding]:
        """Which will be late, by the law of what is left of their way."""
        if self.left is None:
            return []
        due = [order for order in self._promised() if self._again.get(order.order, now) <= now]
        if not due:
            return []
        found = []
        for arrival in order_etas(self.network, due, self.shipments.get(), now, self.left,
                                  points=_POINTS):
            name = arrival.subject.removeprefix("order ")
            self._again[name] = now + 3600.0 * min(24.0, max(0.5, abs(arrival.due_h) / 20.0))
            rule = self.rules.find("late", name)
            if rule is not None and arrival.due_h == arrival.due_h:
                found += self._judge(name, arrival, now, rule)
        return found

    def _judge(self, name: str, arrival: Arrival, now: float, rule: Rule) -> list[Finding]:
        due, chance = now + 3600.0 * arrival.due_h, arrival.chance_late
        if arrival.due_h >= 0 and chance <= rule.high:
            over = self._late.pop(name, None) is not None
            return [Finding("late", f"order {name}", "", now)] if over else []
        low, high = arrival.eta.interval(0.8)
        since = self._late.setdefault(name, now)
        meaning = (f"due at {arrival.at} on {clock(due)}; expected in {arrival.eta.median:.1f} h "
                   f"(80 %: {low:.1f} to {high:.1f} h), late with {100 * chance:.0f} %")
        return [Finding("late", f"order {name}", "critical" if arrival.due_h < 0 else rule.severity,
                        now, since, chance, rule.high, 0.0, meaning)]

    def _promised(self) -> list[OpenOrder]:
        return [order for order in self.orders.get()
                if (order.site, order.product) in self._promises
                or order.order in self.network.orders]

    def arrivals(self, now: float) -> list[Arrival]:
        """The expected arrival of every order with a promise; none without a law of waiting."""
        if self.left is None:
            return []
        return order_etas(self.network, self._promised(), self.shipments.get(), now, self.left)

    def shipment_arrivals(self, now: float) -> list[Arrival]:
        """The expected arrival of every shipment."""
        if self.left is None:
            return []
        return shipment_etas(self.network, self.shipments.get(), now, self.left)
