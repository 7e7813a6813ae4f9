"""Small made-up runs, seeded, for tests of what is computed and drawn from tallies."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.manifest import Manifest
from twin.measure.comparison import compare
from twin.network import Network
from twin.result import Result
from twin.tally import Key, Tally

SITES = [
    {"site": "mill", "kind": "supplier", "latitude": 59.9, "longitude": 10.7},
    {"site": "works", "kind": "plant", "latitude": 52.5, "longitude": 13.4},
    {"site": "hub", "kind": "warehouse", "latitude": 50.1, "longitude": 8.7},
    {"site": "lyon", "kind": "customer", "latitude": 45.8, "longitude": 4.8},
    {"site": "milan", "kind": "customer", "latitude": 45.5, "longitude": 9.2},
    {"site": "vienna", "kind": "customer", "latitude": 48.2, "longitude": 16.4},
]
LANES = [("mill", "works", "sea"), ("works", "hub", "road"), ("hub", "lyon", "road"),
         ("hub", "milan", "road"), ("hub", "vienna", "rail")]


def network(**changes: Any) -> Network:
    """A supplier, a plant with two machines, a warehouse and three customers."""
    tables: dict[str, Any] = {
        "title": "Paper from mill to shop", "currency": "EUR", "sites": SITES,
        "products": [{"product": "reel", "value": 40}],
        "supply": [{"site": "mill", "product": "pulp"}],
        "bom": [{"product": "reel", "component": "pulp"}],
        "groups": [{"site": "works", "group": "press"}],
        "machines": [{"machine": "press_1", "site": "works", "group": "press"},
                     {"machine": "press_2", "site": "works", "group": "press"}],
        "routings": [{"site": "works", "product": "reel", "step": 1, "group": "press",
                      "process_time": "1h"}],
        "stock": [{"site": "hub", "product": "reel", "policy": "base_stock", "order_up_to": 90}],
        "lanes": [{"origin": a, "destination": b, "mode": m, "transit": "1d"}
                  for a, b, m in LANES],
        "demand": [{"site": c, "product": "reel", "interarrival": "1d"}
                   for c in ("lyon", "milan", "vienna")],
    }
    tables["products"].append({"product": "pulp", "value": 5})
    return Network(name="paper", **(tables | changes))


def run(scenario: str, replication: int, strength: float = 0.0, days: int = 180) -> Tally:
    """One replication; `strength` of a closure from day 60 to day 90; luck by replication."""
    luck = np.random.default_rng([7, replication])
    own = np.random.default_rng([zlib.crc32(scenario.encode()), replication])
    hours = 24.0 * days
    day = np.arange(days)
    demand = luck.poisson(30, days).astype(float)
    shut = strength * ((day >= 60) & (day < 90))
    backlog = np.zeros(days)
    for i in range(1, days):
        backlog[i] = max(0.0, backlog[i - 1] + demand[i] * (0.06 + 0.9 * shut[i])
                         - (2.5 + 9 * (backlog[i - 1] > 20)) + own.normal(0, 0.4))
    stock = 260 + 40 * np.sin(day / 7 + luck.uniform(0, 6)) - 7 * np.minimum(backlog, 35)
    stock = np.maximum(stock + luck.normal(0, 9, days), 0.0)
    sums: dict[Key, float] = {}
    for i, customer in enumerate(("lyon", "milan", "vienna")):
        units = float(demand.sum()) / 3 + 20 * i
        late = min(0.9, float(backlog.mean()) / 160) * (1 + 0.2 * i)
        at = (customer, "reel", "")
        sums |= {("orders", *at): units / 5, ("units_ordered", *at): units,
                 ("units_at_once", *at): units * (0.97 - late),
                 ("orders_delivered", *at): units / 5,
                 ("orders_otif", *at): units / 5 * (0.95 - late),
                 ("orders_perfect", *at): units / 5 * (0.93 - late),
                 ("cycle_time", *at): units / 5 * (40 + 120 * late),
                 ("customer_backlog_time", *at): float(backlog.sum()) * 8,
                 ("revenue", *at): units * 60}
    hub = ("hub", "reel", "")
    busy = (0.86 + 0.05 * luck.normal() / 3, 0.61 + 0.05 * luck.normal() / 3)
    sums |= {("on_hand_time", *hub): float(stock.sum()) * 24,
             ("value_on_hand_time", *hub): float(stock.sum()) * 24 * 40,
             ("shelf_units_asked", *hub): float(demand.sum()),
             ("holding_cost", *hub): float(stock.sum()) * 0.02,
             ("units_made", "works", "reel", ""): float(demand.sum()) * (1 - 0.02 * strength)}
    for name, share in zip(("press_1", "press_2"), busy, strict=True):
        at = (name, "", "")
        share *= 1 - 0.1 * strength
        sums |= {("machine_clock_time", *at): hours, ("planned_time", *at): hours,
                 ("busy_time", *at): share * hours, ("down_time", *at): 0.04 * hours,
                 ("setup_time", *at): 0.02 * hours, ("failures", *at): 9.0}
    for origin, destination, mode in LANES:
        at = (f"{origin}:{destination}:{mode}", "", "")
        share = 1.0 if origin != "hub" else 0.33
        sums |= {("shipments_arrived", *at): 90.0, ("units_shipped", *at): demand.sum() * share,
                 ("transit_time", *at): 90 * (30 + 6 * strength), ("shipments", *at): 90.0,
                 ("co2e_total", *at): 900 + 10 * luck.normal(),
                 ("transport_cost", *at): 4000 + 90 * luck.normal() + 500 * strength}
    samples = {("on_hand", *hub): stock, ("customer_backlog", "lyon", "reel", ""): backlog,
               ("wip", "works", "reel", ""): 6 + luck.normal(0, 1, days)}
    return Tally(scenario, replication, 0.0, hours, sums, day * 24.0, samples)


def result(runs: Mapping[str, list[Tally]], world: Network, **content: Any) -> Result:
    """The result of some runs, the first setting being the baseline."""
    table = compare(runs, next(iter(runs)), model=world.name, network=world)
    scenarios = {name: {"name": name, "means": f"{name} happens."} | content for name in runs}
    manifest = Manifest(world.name, "0" * 64, scenarios=scenarios, horizon="180d",
                        replications=len(next(iter(runs.values()))))
    return Result(table, runs, {}, manifest)
