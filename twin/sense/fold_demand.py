"""Demand, folded from history: what the forecasts of reviewed shelves have learned from it.

A shelf that is replenished by a forecast learns, at each of its reviews, the demand that its record
has seen since the last one. No ledger tells what a policy remembers; past demand and the timetable
of reviews do.
"""

from __future__ import annotations

from math import floor
from typing import Any

from twin.events import WALK_IN
from twin.network import Network, Stock
from twin.sense.fold_rules import Rules
from twin.sense.history import Event

_FORECASTING = ("forecast", "smoothed")


class Demand:
    """Takes rows of history that ask a shelf for goods."""

    def __init__(self, network: Network, rules: Rules) -> None:
        self.network = network
        self.after = network.review == "after_demand"
        self.rows: dict[str, Stock] = {
            f"{row.site}/{row.product}": row for row in network.stock.values()
            if row.policy in _FORECASTING and row.review}
        self.shelves: dict[str, dict[str, Any]] = {}
        self.forecasters: dict[str, Any] = {}
        for key, row in self.rows.items():
            law = row.forecast
            self.forecasters[key] = rules.forecaster(*(
                ("constant", {}) if law is None else (law.kind, dict(law.params))))
            self.shelves[key] = {"next": row.first_review, "seen_at": 0.0, "seen": 0.0,
                                 "coming": [], "policy": self.forecasters[key].state()}
        self._late: dict[tuple[str, str], float] = {}
        for lane in network.lanes.values():
            self._late.setdefault((lane.origin, lane.destination), lane.order_delay)

    def take(self, row: Event) -> None:
        """Somebody asks for units."""
        if row.event == "delivering":
            if row.role == WALK_IN:
                self._asked(row.site, row, 0.0)
        elif row.role == "customer":
            self._asked(row.site, row, 0.0)
        elif row.to_site:
            delay = 0.0 if row.site == row.to_site else self._late.get(
                (row.to_site, row.site), 0.0)
            self._asked(row.to_site, row, delay)

    def _asked(self, site: str, row: Event, delay: float) -> None:
        shelf = self.shelves.get(f"{site}/{row.product}")
        if shelf is None or (row.site == site and row.role in ("", "firm")):
            return
        place = self.network.sites.get(site)
        known = asked = row.time + delay
        if place is not None and place.record_delay > 0.0:
            known = asked + place.record_delay
            if place.count_period:  # who counts a shelf learns what is not yet recorded
                known = min(known, place.count_period * (floor(asked / place.count_period) + 1.0))
        shelf["coming"].append([known, row.quantity, known > asked])

    def advance(self, now: float) -> None:
        """Let every review before now have taken place."""
        for key, shelf in self.shelves.items():
            while shelf["next"] < now or (shelf["next"] == now and not self.after):
                self._review(key, shelf)

    def _review(self, key: str, shelf: dict[str, Any]) -> None:
        row, now = self.rows[key], shelf["next"]
        shelf["next"] = now + (row.review or 24.0)
        self._see(shelf, now)
        elapsed, demand = now - shelf["seen_at"], shelf["seen"]
        shelf["seen_at"], shelf["seen"] = now, 0.0
        period = row.review or 24.0
        known: float | None = demand * period / elapsed if elapsed > 0.0 else demand or None
        forecaster = self.forecasters[key]
        forecaster.update(known)
        shelf["policy"] = forecaster.state()

    def _see(self, shelf: dict[str, Any], now: float) -> None:
        """Demand that has come to the notice of the record by now.

        Of what comes at the instant of a review, bookings come before it and demand after it.
        """
        later = []
        for time, units, booked in shelf["coming"]:
            if time < now or (time == now and (booked or self.after)):
                shelf["seen"] += units
            else:
                later.append([time, units, booked])
        shelf["coming"] = later

    def settle(self, now: float) -> None:
        """Let the record have seen what it has seen by now."""
        self.advance(now)
        for shelf in self.shelves.values():
            self._see(shelf, now)

    def resume(self, shelves: dict[str, dict[str, Any]]) -> None:
        """Take up what was folded before."""
        for key, shelf in shelves.items():
            if key in self.shelves:
                self.shelves[key] = shelf
                fresh = self.forecasters[key]
                fresh.resume(shelf["policy"])
