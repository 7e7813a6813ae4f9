"""Running cost: what a chain costs a day without what is bought and sold.

Goods bought follow demand: over a few weeks, stock run down would count as a saving. So purchases
are left out, and waste and units owed are priced instead.

Two readings of it. `running_cost` is of a played run, which knows everything. `heard_cost` is of
events, real or played, and counts only what events tell: it is what a promise is held to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from twin.network import Network
from twin.tally import Tally

_PARTS = ("holding_cost", "backorder_cost", "lost_cost", "ordering_cost", "transport_cost",
          "expedite_cost", "machine_cost", "setup_cost", "crew_cost", "maintenance_cost",
          "waste_cost")


def running_cost(tally: Tally, network: Network, service: float = 0.95) -> float:
    """Cost a day of a played run, in the model's currency.

    Parameters
    ----------
    service
        Stands for the backorder cost of shelves that have none.

    Examples
    --------
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}], products=[{"product": "tea"}],
    ...     stock=[{"site": "W", "product": "tea", "holding_cost": 0.1}])
    >>> sums = {("holding_cost", "W", "tea", ""): 48.0, ("backorder_time", "W", "tea", ""): 240.0}
    >>> round(running_cost(Tally("plan", 0, 0.0, 48.0, sums), network, 0.9), 6)
    28.5
    """
    days = tally.hours / 24.0
    total = sum(value for (measure, *_), value in tally.sums.items() if measure in _PARTS)
    for (measure, site, product, _), value in tally.sums.items():
        row = network.stock.get((site, product))
        if measure == "backorder_time" and row is not None and not row.backorder_cost:
            total += value / 24.0 * row.holding_cost * service / (1.0 - service)
    return total / days if days > 0.0 else 0.0


def heard_cost(events: pd.DataFrame, tally: Tally, network: Network,
               service: float = 0.95) -> float:
    """Cost a day of what events tell: stock, units owed and lost, waste, orders, freight of
    carriers, work of machines, repairs and services.

    Parameters
    ----------
    events
        Of the window, with the columns of a ledger.
    tally
        What `tally_of` makes of them.
    """
    days = tally.hours / 24.0
    total = sum(_of_sums(tally, network, service)) + sum(_of_events(events, network))
    return total / days if days > 0.0 else 0.0


def _of_sums(tally: Tally, network: Network, service: float) -> Iterator[float]:
    lanes = {":".join((lane.origin, lane.destination, lane.mode)): lane
             for lane in network.lanes.values() if lane.fleet is None}
    lost = {(row.site, row.product): row.lost_cost for row in network.demand.values()}
    owed = {row.product: max(row.backorder_cost or row.holding_cost * service / (1.0 - service),
                             0.0) for row in network.stock.values()}
    for (measure, place, product, _), value in tally.sums.items():
        row = network.stock.get((place, product))
        if measure == "on_hand_time" and row is not None:
            yield value / 24.0 * row.holding_cost
        elif measure == "customer_backlog_time":
            yield value / 24.0 * owed.get(product, 0.0)
        elif measure == "units_lost":
            yield value * lost.get((place, product), 0.0)
        elif measure == "units_expired":
            yield value * network.products[product].value
        elif measure == "shipments" and place in lanes:
            yield value * lanes[place].cost_per_shipment
        elif measure == "units_shipped" and place in lanes:
            yield value * lanes[place].cost_per_kg * network.products[product].weight_kg
        elif measure == "busy_time" and place.split("#")[0] in network.machines:
            yield value * network.machines[place.split("#")[0]].cost_per_hour


def _of_events(events: pd.DataFrame, network: Network) -> Iterator[float]:
    failing = events[events["event"] == "failing"]
    for (asset, cause), count in Counter(zip(failing["asset"].astype(str),
                                             failing["cause"].astype(str), strict=True)).items():
        name = asset.split("#")[0]
        rows = [row for (known, _), row in network.failures.items() if known == name]
        row = network.failures.get((name, cause)) or (rows[0] if rows else None)
        if row is not None:
            yield count * (row.service_cost if cause == "service" else row.repair_cost)
    placed = events[events["event"] == "ordering"]
    for (source, product), count in Counter(zip(placed["to_site"].astype(str),
                                                placed["product"].astype(str),
                                                strict=True)).items():
        supply = network.supply.get((source, product))
        if supply is not None:
            yield count * supply.order_cost
