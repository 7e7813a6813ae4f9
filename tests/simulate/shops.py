"""Small plants with times that a reader can follow, and their stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.tally import Tally

WORDS = ("setup", "starting", "completing", "scrapping", "failing", "repairing")
BASELINE = Scenario.baseline()


def shop(steps: Mapping[str, Sequence[Mapping[str, Any]]], *, machines: Sequence[Mapping[str, Any]]
         = (), lot_size: float | None = 1, wip_cap: int | None = None,
         orders: Sequence[Mapping[str, Any]] = (), **tables: Any) -> Network:
    """A plant `shop`: the steps of each product, a machine `M` in the group `M` if none are given.

    Orders are firm ones at the shop, of one unit of `A` at the start unless they say otherwise;
    they are numbered in their order.
    """
    machines = machines or [{"machine": "M"}]
    given = {"site": "shop"}
    return Network(
        sites=[{"site": "shop", "kind": "plant", "wip_cap": wip_cap}, *tables.pop("sites", ())],
        products=[{"product": name, "lot_size": lot_size} for name in steps]
        + list(tables.pop("products", ())),
        machines=[given | {"group": "M"} | dict(row) for row in machines],
        routings=[given | {"product": product, "step": 10 * number} | dict(step)
                  for product, rows in steps.items() for number, step in enumerate(rows, 1)],
        orders=[given | {"order": str(number), "product": "A", "quantity": 1} | dict(row)
                for number, row in enumerate(orders, 1)],
        **{table: [given | dict(row) if table in _PLACED else row for row in rows]
           for table, rows in tables.items()})


_PLACED = ("groups", "branches", "setups", "byproducts", "stock", "supply")


def at(group: str | None, process_time: str, **columns: Any) -> dict[str, Any]:
    """A step."""
    return {"group": group, "process_time": process_time, **columns}


def story(network: Network, hours: float, words: Sequence[str] = WORDS,
          scenario: Scenario = BASELINE) -> list[tuple[float, str, str, object]]:
    """What machines did: time, event, machine, and the order's number or the cause."""
    ledger = Ledger()
    play(network, scenario, horizon_h=hours, ledger=ledger)
    rows = ledger.frame()
    return [(round(row.time, 6), row.event, row.asset, row.order or row.cause)
            for row in rows[rows.event.isin(words)].itertuples() if "/" not in row.asset]


def tally(network: Network, hours: float, scenario: Scenario = BASELINE, **settings: Any) -> Tally:
    """The sums of a run without a ledger."""
    return play(network, scenario, horizon_h=hours, **settings).tally


def starts(network: Network, hours: float = 100.0) -> list[tuple[float, object]]:
    """When the work on each order began."""
    return [(time, order) for time, _, _, order in story(network, hours, ("starting",))]
