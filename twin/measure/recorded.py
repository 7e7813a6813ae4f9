"""From recorded events to the sums that KPIs are computed from.

The events are a ledger's, whichever world it came from: columns `time` (h), `event`, `site`,
`product`, `quantity` and, where they apply, `order`, `shipment`, `asset`, `cause`, `role`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from twin.events import WALK_IN
from twin.network import Network
from twin.tally import Key, Tally

#: Causes that make a delivery less than perfect.
FLAWS = frozenset({"damaged", "wrong_documents"})

#: Cause of a `storing` row that tells the opening stock.
_OPENING = "stock"

#: Roles of rows that tell where a vehicle, or a lot in a plant, is: no shipment came.
_PLACES = frozenset({"truck", "gate", "lot"})

_EPS = 1e-9
_BLANKS: dict[str, Any] = {"site": "", "to_site": "", "product": "", "quantity": 0.0, "order": 0,
                           "shipment": 0, "asset": "", "cause": "", "role": ""}


def tally_of(events: pd.DataFrame, network: Network, *, start_h: float = 0.0,
             end_h: float | None = None, planned_h: Mapping[str, float] | None = None,
             name: str = "recorded") -> Tally:
    """Add recorded events up to the sums of one run.

    Customer orders: `ordering` and `delivering` (or `lost`) with an order number; the promise and
    the OTIF window are those of the demand row, and a row whose cause is `damaged` or
    `wrong_documents` spoils the order's perfection. Machines: `starting` to `completing` is work,
    with the good units on the latter and rejects on `scrapping`; `failing` to `repairing` is
    down-time and no work. Lanes: `departing` to `arriving` by shipment. Shelves: `storing`,
    `picking`, `consuming`, `expiring`, from the opening stock: a `storing` row with cause
    `stock`, or else the tables.

    Parameters
    ----------
    events
        One row an event; times in hours from the start of the model.
    end_h
        End of the record; the last event if left out.
    planned_h
        Hours inside its calendar by machine; the length of the record if left out.

    Examples
    --------
    >>> from twin.measure import kpis
    >>> shop = Network(sites=[{"site": "W", "kind": "warehouse"}], products=[{"product": "tea"}],
    ...                stock=[{"site": "W", "product": "tea", "on_hand": 5}],
    ...                demand=[{"site": "W", "product": "tea", "interarrival": "1d"}])
    >>> rows = pd.DataFrame({"time": [1.0, 4.0], "event": ["ordering", "delivering"], "site": "W",
    ...                      "product": "tea", "quantity": 2.0, "order": 1})
    >>> tally = tally_of(rows, shop)
    >>> tally.total("cycle_time"), kpis(tally)["on_time", "W", "", ""]
    (3.0, 0.0)
    """
    missing = sorted({"time", "event"} - set(events.columns))
    if missing:
        raise ValueError(f"events: column '{missing[0]}' is missing. Give time (h) and event.")
    rows = events.copy()
    for column, blank in _BLANKS.items():
        if column not in rows.columns:
            rows[column] = blank
    if not np.isfinite(rows["time"].to_numpy(dtype=float)).all():
        raise ValueError("events: a time is missing or infinite. Give hours from the start.")
    rows = rows.sort_values("time", kind="stable")
    end = end_h if end_h is not None else float(rows["time"].max()) if len(rows) else start_h
    rows = rows[rows["time"] <= end]
    sums: defaultdict[Key, float] = defaultdict(float)
    listed = list(rows.itertuples(index=False))
    parts = (_orders(listed, network, start_h, end), _shelves(listed, network, start_h, end),
             _lanes(listed, start_h, end),
             _machines(listed, network, start_h, end, planned_h or {}))
    for part in parts:
        for key, value in part:
            if value:
                sums[key] += value
    return Tally(name, 0, start_h, end, dict(sums))


@dataclass(slots=True)
class _Order:
    site: str
    product: str
    quantity: float
    placed: float
    delivered: float = 0.0
    lost: float = 0.0
    at_once: float = 0.0
    waiting: float = 0.0
    last: float = 0.0
    flawed: bool = False


def _orders(rows: Iterable[Any], network: Network, start: float,
            end: float) -> Iterator[tuple[Key, float]]:
    """Sums of customer demand; an order counts when it was placed, or closed, in the record."""
    orders: dict[int, _Order] = {}
    for row in rows:
        if row.role == WALK_IN:
            orders[row.order] = _Order(row.site, row.product, row.quantity, row.time)
            _settle(orders[row.order], row, start)
        elif row.event == "ordering" and row.order and _from_customer(row, network):
            known = orders.get(row.order)
            if known is None:
                orders[row.order] = _Order(row.site, row.product, row.quantity, row.time)
            else:
                known.quantity += row.quantity
        elif row.order in orders:
            order = orders[row.order]
            order.flawed = order.flawed or row.cause in FLAWS
            if row.event in ("delivering", "lost") and row.site == order.site:
                _settle(order, row, start)
    for order in orders.values():
        yield from _order_sums(order, network, start, end)


def _from_customer(row: Any, network: Network) -> bool:
    if row.role:
        return bool(row.role == "customer")
    return any(site == row.site for site, _, _ in network.demand) and not row.to_site


def _settle(order: _Order, row: Any, start: float) -> None:
    quantity = row.quantity or order.quantity
    order.last = row.time
    order.waiting += quantity * max(0.0, row.time - max(order.placed, start))
    if row.event == "lost":
        order.lost += quantity
    else:
        order.delivered += quantity
        order.at_once += quantity * (row.time == order.placed)


def _order_sums(order: _Order, network: Network, start: float,
                end: float) -> Iterator[tuple[Key, float]]:
    row = next((r for (site, product, _), r in network.demand.items()
                if site == order.site and product in (order.product, "")), None)
    promise, late = (row.promise, row.late) if row else (0.0, 0.0)
    early = row.early if row and row.early is not None else float("inf")
    due, left = order.placed + promise, order.quantity - order.delivered - order.lost
    found: dict[str, float] = {
        "customer_backlog_time": order.waiting
        + max(0.0, left) * max(0.0, end - max(order.placed, start)),
        "units_delivered": order.delivered, "units_lost": order.lost,
        "orders_lost": order.lost > 0,
    }
    if order.placed >= start:
        found |= {"orders": 1, "units_ordered": order.quantity, "units_at_once": order.at_once,
                  "orders_at_once": order.at_once >= order.quantity - _EPS}
    if left > _EPS:
        found["orders_overdue"] = end > due + late
    elif order.delivered <= _EPS:
        found["orders_refused"] = order.lost > 0
    elif order.last >= start:
        wait = order.last - order.placed
        on_time = due - early - _EPS <= order.last <= due + late + _EPS
        in_full = order.lost <= _EPS
        found |= {"orders_delivered": 1, "cycle_time": wait, "cycle_time_squared": wait**2,
                  "lateness": max(0.0, order.last - due), "orders_on_time": on_time,
                  "orders_in_full": in_full, "orders_otif": on_time and in_full,
                  "orders_perfect": on_time and in_full and not order.flawed}
    for measure, value in found.items():
        yield (measure, order.site, order.product, ""), float(value)


def _shelves(rows: Sequence[Any], network: Network, start: float,
             end: float) -> Iterator[tuple[Key, float]]:
    """Stock on hand over time, and what came in, went out and was thrown away."""
    told = {(row.site, row.product) for row in rows if row.cause == _OPENING}
    level = {key: 0.0 if key in told else row.on_hand for key, row in network.stock.items()}
    since = dict.fromkeys(level, start)
    areas: defaultdict[tuple[str, str], float] = defaultdict(float)
    measure = {"storing": "units_received", "picking": "units_issued",
               "consuming": "units_issued", "expiring": "units_expired"}
    for row in rows:
        at = (row.site, row.product)
        event = "picking" if row.role == WALK_IN else row.event
        if event not in measure or at not in level:
            continue
        moment = max(row.time, start)
        areas[at] += level[at] * (moment - since[at])
        since[at] = moment
        level[at] += row.quantity if event == "storing" else -row.quantity
        if row.time >= start and row.cause != _OPENING:
            yield (measure[event], *at, ""), row.quantity
    for at, units in level.items():
        area = areas[at] + units * (end - since[at])
        value = network.products[at[1]].value if at[1] in network.products else 0.0
        yield ("on_hand_time", *at, ""), area
        yield ("value_on_hand_time", *at, ""), area * value
        yield ("shelf_time", *at, ""), end - start


def _lanes(rows: Iterable[Any], start: float, end: float) -> Iterator[tuple[Key, float]]:
    """Shipments by lane, whose name stands as the asset of their departure."""
    left: dict[int, tuple[str, float]] = {}
    arrived: set[int] = set()
    for row in rows:
        if row.role in _PLACES:
            continue
        if row.event == "departing" and row.shipment:
            if row.shipment not in left:
                left[row.shipment] = (str(row.asset), row.time)
                yield ("shipments", row.asset, "", ""), float(row.time >= start)
            yield ("units_shipped", row.asset, row.product, ""), row.quantity * (row.time >= start)
            yield ("in_transit_time", row.asset, row.product, ""), row.quantity * (
                end - max(row.time, start))
        elif row.event == "arriving" and row.shipment in left:
            lane, departed = left[row.shipment]
            if row.time < start:
                yield ("in_transit_time", lane, row.product, ""), row.quantity * (start - end)
                continue
            hours = row.time - departed
            yield ("units_arrived", lane, row.product, ""), row.quantity
            yield ("in_transit_time", lane, row.product, ""), row.quantity * (row.time - end)
            if row.shipment not in arrived:
                arrived.add(row.shipment)
                yield ("shipments_arrived", lane, "", ""), 1.0
                yield ("transit_time", lane, "", ""), hours
                yield ("transit_time_squared", lane, "", ""), hours**2


@dataclass(slots=True)
class _Machine:
    """Spells of work and of down-time of one machine, and what it made."""

    work: list[tuple[float, float]] = field(default_factory=list)
    down: list[tuple[float, float]] = field(default_factory=list)
    started: float | None = None
    failed: float | None = None
    repaired: float | None = None
    failures: int = 0

    def resume(self) -> None:
        """The last repair before work goes on, or before the next failure, ended the down-time."""
        if self.failed is not None and self.repaired is not None:
            self.down.append((self.failed, self.repaired))
            self.failed = self.repaired = None


def _machines(rows: Iterable[Any], network: Network, start: float, end: float,
              planned: Mapping[str, float]) -> Iterator[tuple[Key, float]]:
    """Time and output of each machine, and of its work centre."""
    machines: dict[str, _Machine] = {}
    for row in rows:
        name = str(row.asset)
        if name.split("#")[0] not in network.machines:
            continue
        machine = machines.setdefault(name, _Machine())
        group = _group(name, network)
        if row.event == "repairing" and machine.failed is not None:
            machine.repaired = row.time
            continue
        machine.resume()
        if row.event == "starting":
            machine.started = row.time
        elif row.event == "failing":
            machine.failed = row.time
            machine.failures += row.time >= start
        elif row.event in ("completing", "scrapping") and row.time >= start:
            good = row.event == "completing"
            yield ("units_good" if good else "units_scrapped", group, row.product, ""), row.quantity
            yield ("ideal_time", group, row.product, ""), row.quantity * _ideal(
                name, row.product, network)
        if row.event == "completing" and machine.started is not None:
            machine.work.append((machine.started, row.time))
            machine.started = None
    for name, machine in machines.items():
        machine.resume()
        if machine.failed is not None:
            machine.down.append((machine.failed, end))
        if machine.started is not None:
            machine.work.append((machine.started, end))
        down = sum(_overlap(spell, (start, end)) for spell in machine.down)
        lost = sum(_overlap(spell, other) for spell in machine.work for other in machine.down
                   if other[1] > start)
        busy = sum(_overlap(spell, (start, end)) for spell in machine.work) - lost
        for measure, value in (("machine_clock_time", end - start), ("down_time", down),
                               ("planned_time", planned.get(name, end - start)),
                               ("busy_time", busy), ("failures", float(machine.failures)),
                               ("repair_time", down)):
            yield (measure, name, "", ""), value


def _overlap(spell: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(spell[1], other[1]) - max(spell[0], other[0]))


def _group(machine: str, network: Network) -> str:
    row = network.machines[machine.split("#")[0]]
    return f"{row.site}/{row.group}"


def _ideal(machine: str, product: str, network: Network) -> float:
    """Ideal hours for one unit: the ideal time of the routing's step, else its mean."""
    row = network.machines[machine.split("#")[0]]
    for (site, made, _), step in network.routings.items():
        if site == row.site and step.group == row.group and made == product:
            return step.process_time.mean() if step.ideal_time is None else step.ideal_time
    return 0.0
