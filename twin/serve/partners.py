"""What partners see: a supplier its items on our shelves, a customer its orders with us.

Only the fields that were agreed are worked out; there is nothing else that could slip out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from scipy import stats

from twin.calibrate.forecast import forecast
from twin.events import WALK_IN
from twin.knowledge import Knowledge
from twin.network import Network
from twin.readings import format_instant, from_frame
from twin.sense.underway import OpenOrder, Orders, Shipments, order_etas
from twin.simulate.draws import left
from twin.store import Store, day_of

_DAY_S = 86_400.0
_OUT = ("consuming", "picking", "delivering")
_MOVES = ("ordering", "delivering", "lost", "departing", "arriving", "receiving", "position")
_WEEKS_D, _LEARN_D, _AHEAD = 28, 182, 14
_ORDERS_D = 120.0  #: an order that is older and still open is looked after by people


def items_of(network: Network, supplier: str) -> list[tuple[str, str]]:
    """The shelves (site, product) that a supplier may fill, sorted.

    Examples
    --------
    >>> import twin
    >>> items_of(twin.read_model("harbour"), "glassworks")
    [('juicery', 'bottles'), ('juicery', 'cartons'), ('juicery', 'seals')]
    """
    reached = {lane.destination for lane in network.lanes.values() if lane.origin == supplier}
    return sorted(
        (row.site, row.product) for row in network.stock.values()
        if (supplier, row.product) in network.supply and row.site in reached
        and row.source in (None, "", supplier))


def supplier_items(network: Network, store: Store, knowledge: Knowledge, supplier: str,
                   fields: Sequence[str]) -> list[dict[str, Any]]:
    """The items of a supplier with the fields asked for, see `twin.operate.agreement.ITEM_FIELDS`.

    Parameters
    ----------
    knowledge
        What is known now.
    """
    items = items_of(network, supplier)
    series: dict[tuple[str, str], list[float]] = {}
    if items and {"consumption", "forecast"} & set(fields):
        series = _daily(store, items, knowledge.at)
    rows = []
    for site, product in items:
        row: dict[str, Any] = {"site": site, "product": product}
        for field in fields:
            if field in ("stock", "on_order"):
                row[field] = _fact(knowledge, f"{site}/{product}",
                                   "on hand" if field == "stock" else "on order")
            elif field == "consumption":
                row[field] = consumption(series[site, product][-_WEEKS_D:])
            else:
                row[field] = _forecast(f"{site}/{product}", series[site, product], knowledge.at)
        rows.append(row)
    return rows


def _fact(knowledge: Knowledge, subject: str, attribute: str) -> dict[str, Any] | None:
    for fact in knowledge.facts:
        if (fact.kind, fact.subject, fact.attribute) == ("stock", subject, attribute):
            return {"units": fact.value, "quality": fact.quality, "age_h": fact.age_h}
    return {"units": 0.0, "quality": "good", "age_h": None} if attribute == "on order" else None


def _daily(store: Store, items: Sequence[tuple[str, str]],
           at: float) -> dict[tuple[str, str], list[float]]:
    """Units that left each shelf, by whole day before a moment, from the first day heard on."""
    end = math.floor(at / _DAY_S) * _DAY_S
    frame = store.frame(since=end - _LEARN_D * _DAY_S, until=end, kinds=_OUT,
                        columns=("time", "kind", "site", "product", "quantity", "role", "cause"))
    taken = frame[(frame["kind"] != "delivering") | (frame["role"] == WALK_IN)]
    first = min(store.day_files(), default=None)
    begin = end if first is None else max(
        end - _LEARN_D * _DAY_S, (first - day_of(0.0)).days * _DAY_S)
    days = round((end - begin) / _DAY_S)
    found = {}
    for site, product in items:
        mine = taken[(taken["site"] == site) & (taken["product"] == product)]
        place = ((mine["time"] - begin) // _DAY_S).astype(int)
        keep = (place >= 0) & (place < days)
        found[site, product] = np.bincount(place[keep], weights=mine["quantity"][keep],
                                           minlength=days).tolist() if days else []
    return found


def consumption(daily: Sequence[float]) -> dict[str, Any] | None:
    """Units a day with the 95 % interval of their mean; None of fewer than seven days.

    Examples
    --------
    >>> consumption([4.0, 6.0] * 7)
    {'per_day': 5.0, 'low': 4.401, 'high': 5.599, 'days': 14}
    """
    if len(daily) < 7:
        return None
    values = np.asarray(daily)
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    mean = float(values.mean())
    return {"per_day": round(mean, 3), "low": round(max(0.0, mean - half), 3),
            "high": round(mean + half, 3), "days": len(values)}


def _forecast(series: str, daily: Sequence[float], at: float) -> list[dict[str, Any]] | None:
    """The next days, each with the band that holds four times in five; None without a history."""
    if len(daily) < 14:
        return None
    found = forecast(daily, _AHEAD, series=series, origin=format_instant(at), library=False)
    first = day_of(at)
    return [{"day": (first + timedelta(days=step)).isoformat(),
             "mean": round(found.mean[step], 3),
             "low": round(found.at(step, 0.1), 3) if found.levels else None,
             "high": round(found.at(step, 0.9), 3) if found.levels else None}
            for step in range(found.horizon)]


def customer_orders(network: Network, store: Store, customer: str, fields: Sequence[str],
                    now: float) -> list[dict[str, Any]]:
    """The open orders of a customer with the fields asked for, see
    `twin.operate.agreement.ORDER_FIELDS`.

    Parameters
    ----------
    now
        Seconds since 1970: what was heard until then counts.
    """
    orders, shipments = Orders(), Shipments()
    for reading in from_frame(store.frame(since=now - _ORDERS_D * _DAY_S,
                                          until=math.nextafter(now, math.inf), kinds=_MOVES)):
        shipments.update(reading)
        if reading.kind in ("ordering", "delivering", "lost"):
            orders.update(reading)
    mine = [order for order in orders.get() if order.site == customer]
    return list(_told(network, mine, shipments, fields, now))


def _told(network: Network, mine: Sequence[OpenOrder], shipments: Shipments,
          fields: Sequence[str], now: float) -> Iterable[dict[str, Any]]:
    for order in mine:
        arrival = next(iter(order_etas(network, [order], shipments.get(), now, left)), None)
        row: dict[str, Any] = {"order": order.order, "product": order.product}
        for field in fields:
            if field == "quantity":
                row[field] = order.quantity
            elif field == "source":
                row[field] = order.source or None
            elif arrival is None:
                row[field] = None
            elif field == "promise":
                row[field] = _instant(now, arrival.due_h)
            elif field == "eta":
                low, high = arrival.eta.interval(0.8)
                row[field] = {"median": _instant(now, round(arrival.eta.median, 6)),
                              "low": _instant(now, low), "high": _instant(now, high)}
            else:
                chance = arrival.chance_late
                row[field] = round(chance, 3) if chance == chance else None
        yield row


def _instant(now: float, hours: float) -> str | None:
    return format_instant(now + 3600.0 * hours) if hours == hours else None
