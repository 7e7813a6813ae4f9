"""Suppliers: hours from an order's arrival to goods ready to ship, and the share delivered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.likelihood import CENSORED, EXACT
from twin.calibrate.sample import Batch
from twin.network import Supply

Found = Iterator[tuple[Cell, Batch]]


@dataclass(slots=True)
class _Order:
    """An order that a supplier owes."""

    number: int
    placed: float
    quantity: float
    ready: float | None = None
    shipped: float = 0.0
    delay: float = 0.0  #: until it reaches the supplier


def lead_times(evidence: Evidence) -> Found:
    """Hours from reaching a supplier to being ready, less its queue and its stops.

    A supplier of limited capacity makes one order after another before the lead time begins: that
    is replayed. Where the record says who owes each order, open ones are censored; where it only
    shows once the goods are ready, an order is seen only if its lead time was short enough to end
    before now, and the fit allows for that (right truncation).
    """
    told = _orders(evidence)
    for key, (orders, named) in told.items():
        row = evidence.network.supply[key]
        up = evidence.up(row.site)
        now = float(up.upto(evidence.now))
        orders.sort(key=lambda order: (order.placed + order.delay, order.number))
        rate = None if row.capacity_per_day is None else row.capacity_per_day / 24.0
        free = -np.inf
        table = []
        for order in orders:
            begun = float(up.upto(order.placed + order.delay))
            if rate:
                free = begun = max(begun, free) + order.quantity / rate
            if order.ready is not None:
                hours, state = float(up.upto(order.ready)) - begun, EXACT
            elif named and now > begun:
                hours, state = now - begun, CENSORED
            else:
                continue
            if order.placed >= evidence.begin and hours >= -1e-6:
                limit = np.inf if named else max(now - begun, 1e-9)
                table.append((order.number, max(hours, 0.0), order.placed, state, limit))
        if table:
            number, value, at, states, limits = zip(*table, strict=True)
            yield (_cell(row, "lead_time", str(row.lead_time)),
                   Batch.of(number, value, at=at, state=states, limit=limits))


def fills(evidence: Evidence) -> Found:
    """Units made ready of units ordered, order by order."""
    for key, (orders, _) in _orders(evidence).items():
        row = evidence.network.supply[key]
        done = [order for order in orders if order.ready is not None and order.quantity > 0.0
                and order.placed >= evidence.begin]
        shares = [min(1.0, order.shipped / order.quantity) for order in done]
        if not done or (row.fill.mean() == 1.0 and min(shares) > 1.0 - 1e-9):
            continue
        yield (_cell(row, "fill", str(row.fill)),
               Batch.of([order.number for order in done], np.round(shares, 6),
                        at=[order.placed for order in done]))


def _cell(row: Supply, column: str, planned: str) -> Cell:
    return Cell("supply", f"{row.site},{row.product}", column, planned, row.site)


def _orders(evidence: Evidence) -> dict[tuple[str, str], tuple[list[_Order], bool]]:
    """The orders of each row of `supply`, and whether the open ones are known as well."""
    network = evidence.network
    placed: dict[int, tuple[float, str, str, str, float]] = {}
    rows = evidence.rows("ordering")
    for number, time, site, owes, product, quantity in zip(*evidence.arrays(
            rows, "order", "time", "site", "to_site", "product", "quantity"), strict=True):
        placed[number] = (time, site, owes, product, quantity)
    ready: dict[tuple[int, str], tuple[float, float]] = {}
    rows = evidence.rows("commissioning", "shipping", "departing")
    first: dict[tuple[int, str], str] = {}
    for number, time, event, site, quantity in zip(*evidence.arrays(
            rows, "order", "time", "event", "site", "quantity"), strict=True):
        if number:
            word = first.setdefault((number, site), event)
            if event == word:  # the goods are told of once more when they leave
                begun, units = ready.get((number, site), (time, 0.0))
                ready[number, site] = (begun, units + quantity)
    by_number: dict[int, list[str]] = {}
    for number, site in ready:
        by_number.setdefault(number, []).append(site)
    found: dict[tuple[str, str], tuple[list[_Order], bool]] = {}
    named: dict[tuple[str, str], bool] = {}
    for number, (when, site, owes, product, quantity) in placed.items():
        sources = [owes] if owes else by_number.get(number, [])
        for source in sources:
            key = (source, product)
            if key not in network.supply:
                continue
            order = _Order(number, when, quantity, delay=_delay(evidence, source, site))
            if (number, source) in ready:
                order.ready, order.shipped = ready[number, source]
            found.setdefault(key, ([], True))[0].append(order)
            named[key] = named.get(key, True) and bool(owes)
    return {key: (orders, named[key]) for key, (orders, _) in found.items()}


def _delay(evidence: Evidence, source: str, site: str) -> float:
    """Hours that an order takes to reach its supplier."""
    delays = [lane.order_delay for lane in evidence.network.lanes.values()
              if (lane.origin, lane.destination) == (source, site)]
    return min((delay or 0.0 for delay in delays), default=0.0)
