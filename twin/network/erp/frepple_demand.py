"""What frePPLe's demand says: past sales give rates, open orders stay orders."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import datetime
from itertools import pairwise

from twin.network.erp.frepple_file import FreppleFile, Record, moment, pairs
from twin.network.erp.imported import Imported, Names, number, written

Key = tuple[str, str, str]  # customer, location, item
_FEW = 3
_MOST_SIZES = 10
_OVER = ("closed", "canceled", "cancelled")


class Demands:
    """The demand of an export, by customer, location and item."""

    def __init__(self, file: FreppleFile, out: Imported) -> None:
        self.out = out
        self.past: defaultdict[Key, list[tuple[datetime, float]]] = defaultdict(list)
        self.open: list[tuple[Key, Record]] = []
        self.names: dict[Key, None] = {}
        for (location, item), row in pairs(file("demand"), "location", "item"):
            key = (str(row.get("customer") or "customers"), location, item)
            self.names[key] = None
            if row.get("status", "open") == "closed":
                self.past[key].append((moment(row.get("due"), "demand"),
                                       number(row, "quantity", "demand")))
            elif row.get("status") not in _OVER:
                self.open.append((key, row))

    def locations(self) -> set[str]:
        """Places where something is sold."""
        return {location for _, location, _ in self.names}

    def rate(self, location: str, item: str) -> float:
        """Units a day that are sold at a place."""
        total = 0.0
        for (_, place, one), rows in self.past.items():
            if (place, one) == (location, item) and len(rows) >= _FEW:
                total += sum(units for _, units in rows) / (len(rows) * _gap_d(rows))
        return total

    def write(self, site_of: Names, item_of: Names, order_of: Names) -> None:
        """Sites of customers, their lanes, demand and orders."""
        places: defaultdict[str, set[str]] = defaultdict(set)
        for customer, location, _ in self.names:
            places[customer].add(location)

        def site(customer: str, location: str) -> str:
            alone = len(places[customer]) == 1
            return site_of(f"customer {customer}" + ("" if alone else f" at {location}"))

        for customer, locations in sorted(places.items()):
            for location in sorted(locations):
                self.out.add("sites", site=site(customer, location), kind="customer")
                self.out.add("lanes", origin=site_of(location),
                             destination=site(customer, location), mode="collect",
                             transit="constant(0h)")
        if self.names:
            self.out.assume("Customers collect: what leaves a location for a customer is there at "
                            "once.")
        for (customer, location, item), rows in sorted(self.past.items()):
            if len(rows) < _FEW:
                self.out.leave_out(f"Sales of {item} to {customer} at {location}: {len(rows)} of "
                                   "them say no rate.")
                continue
            self.out.add("demand", site=site(customer, location), product=item_of(item),
                         interarrival=_interarrival(rows), size=_sizes(rows))
        if self.past:
            self.out.assume("Sales go on as in the past: closed demand gives gaps (fixed where "
                            "they hardly vary, else exponential) and sizes (its tenths).")
        else:
            self.out.assume("There is no past demand: only the open orders are played.")
        for (customer, location, item), row in self.open:
            due = max(moment(row.get("due"), "demand"), self.out.start)
            self.out.add("orders", order=order_of(f"demand {row.get('name')}"),
                         site=site(customer, location), product=item_of(item),
                         quantity=number(row, "quantity", "demand"), placed="0d",
                         due=f"{due:%Y-%m-%dT%H:%M:%SZ}",
                         priority=max(1, int(number(row, "priority", "demand", 1.0))),
                         status="open")
        if self.open:
            self.out.assume("Open orders were placed at the start; overdue ones are due at once.")


def _gap_d(rows: list[tuple[datetime, float]]) -> float:
    """Mean days between sales; of one day, a day."""
    times = sorted(time for time, _ in rows)
    span = (times[-1] - times[0]).total_seconds() / 86_400.0
    return span / (len(times) - 1) if span else 1.0 / len(times)


def _interarrival(rows: list[tuple[datetime, float]]) -> str:
    times = sorted(time for time, _ in rows)
    gaps = [(b - a).total_seconds() / 86_400.0 for a, b in pairwise(times)]
    mean = written(_gap_d(rows))
    steady = statistics.pstdev(gaps) < 0.1 * statistics.mean(gaps) if any(gaps) else False
    return f"constant({mean}d)" if steady else f"exponential(mean={mean}d)"


def _sizes(rows: list[tuple[datetime, float]]) -> str:
    """The sizes as they were, or their tenths where there are many."""
    sizes = sorted(units for _, units in rows)
    many = min(len(sizes), _MOST_SIZES)
    picked = [sizes[int((place + 0.5) * len(sizes) / many)] for place in range(many)]
    if len(set(picked)) == 1:
        return written(picked[0])
    return "discrete(" + ", ".join(f"{written(float(size))}:{written(picked.count(size) / many)}"
                                   for size in sorted(set(picked))) + ")"
