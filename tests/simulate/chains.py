"""Ten-line worlds of suppliers, shelves, lanes and customers, and what happened in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.tally import Tally

BASELINE = Scenario.baseline()
Row = Mapping[str, Any]


def shelf(stock: Row | None = None, demand: Row | None = None, *, lane: Row | None = None,
          supply: Row | None = None, product: Row | None = None, site: Row | None = None,
          **tables: Any) -> Network:
    """Supplier `S`, a lane of a day, warehouse `W` with product `A`, one unit asked at noon."""
    return Network(**{
        "sites": [{"site": "S", "kind": "supplier"},
                  {"site": "W", "kind": "warehouse", **(site or {})}],
        "products": [{"product": "A", **(product or {})}],
        "supply": [{"site": "S", "product": "A", **(supply or {})}],
        "lanes": [{"origin": "S", "destination": "W", "transit": "1d", **(lane or {})}],
        "stock": [{"site": "W", "product": "A", "on_hand": 10, **(stock or {})}],
        "demand": [{"site": "W", "product": "A", "interarrival": "1d", "start": "12h",
                    **(demand or {})}],
        **tables})


def road(lane: Row | None = None, demand: Row | None = None, **tables: Any) -> Network:
    """Supplier `S` and customer `C`, who asks for one unit of a kilogram at noon."""
    return Network(**{
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "C", "kind": "customer"}],
        "products": [{"product": "A", "weight_kg": 1}],
        "supply": [{"site": "S", "product": "A"}],
        "lanes": [{"origin": "S", "destination": "C", "transit": "1d", **(lane or {})}],
        "demand": [{"site": "C", "product": "A", "interarrival": "1d", "start": "12h",
                    **(demand or {})}],
        **tables})


def scenario(**event: Any) -> Scenario:
    """A scenario of one event."""
    return Scenario(name="what if", events={"event": event})


def tally(network: Network, hours: float, what: Scenario = BASELINE, **options: Any) -> Tally:
    """The sums of one run."""
    return play(network, what, horizon_h=hours, **options).tally


def events(network: Network, hours: float, words: str, what: Scenario = BASELINE,
           columns: str = "time quantity", **options: Any) -> list[tuple[Any, ...]]:
    """Rows of the ledger with one of these words, as tuples of these columns."""
    ledger = Ledger()
    play(network, what, horizon_h=hours, ledger=ledger, **options)
    rows = ledger.frame()
    rows = rows[rows["event"].isin(words.split()) & ~rows["role"].isin(("truck", "gate", "lot"))]
    return [tuple(row) for row in rows[columns.split()].astype(object).to_numpy().tolist()]


def ordered(network: Network, hours: float, site: str = "W", what: Scenario = BASELINE,
            **options: Any) -> list[tuple[float, float]]:
    """When a shelf ordered, and how much."""
    rows = events(network, hours, "ordering", what, "time quantity site to_site", **options)
    return [(time, quantity) for time, quantity, at, source in rows if at == site and source]


def delivered(network: Network, hours: float, what: Scenario = BASELINE,
              **options: Any) -> list[tuple[float, float]]:
    """When customers had goods, and how many units of an order, lots taken together."""
    found: dict[tuple[float, int], float] = {}
    for time, order, units in events(network, hours, "delivering", what, "time order quantity",
                                     **options):
        found[time, order] = found.get((time, order), 0.0) + units
    return [(time, units) for (time, _), units in found.items()]


def levels(network: Network, hours: float, every: float, measure: str = "on_hand",
           place: str = "W", product: str = "A", what: Scenario = BASELINE) -> list[float]:
    """A level at the end of every so many hours."""
    samples = tally(network, hours, what, sample_every_h=every).samples
    return [float(x) for x in samples[measure, place, product, ""]]
