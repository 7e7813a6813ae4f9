"""What a ledger tells so that somebody who only listens knows what is going on."""

from __future__ import annotations

from typing import Any

from tests.simulate.chains import BASELINE
from tests.simulate.shops import at, shop
from twin.ledger import Ledger
from twin.network import Network
from twin.simulate.play import play


def rows(network: Network, hours: float, **wanted: str) -> list[Any]:
    """The rows of a run whose columns are as wanted."""
    ledger = Ledger()
    play(network, BASELINE, horizon_h=hours, ledger=ledger)
    return [row for row in ledger.frame().itertuples()
            if all(getattr(row, name) == value for name, value in wanted.items())]


CHAIN: dict[str, Any] = {
    "sites": [{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"},
              {"site": "R", "kind": "warehouse"}, {"site": "C", "kind": "customer"}],
    "products": [{"product": "A", "weight_kg": 1}],
    "supply": [{"site": "S", "product": "A", "lead_time": "3h"}],
    "lanes": [{"origin": "S", "destination": "W", "mode": "sea", "transit": "9h"},
              {"origin": "W", "destination": "R", "mode": "truck", "transit": "2h", "fleet": "H",
               "distance_km": 20},
              {"origin": "R", "destination": "C", "mode": "van", "transit": "1h"}],
    "trucks": [{"truck": "T", "home": "H", "capacity_kg": 50, "speed_kmh": 111.19}],
    "stock": [{"site": "W", "product": "A", "on_hand": 20}],
    "docks": [{"site": "W", "direction": "in", "time": "1h"}],
    "orders": [{"order": "PO-9", "site": "W", "product": "A", "quantity": 7, "placed": "-9h",
                "due": "5h", "source": "S", "status": "shipped"}],
    "demand": [{"site": "C", "product": "A", "stream": "web", "interarrival": "1000h",
                "start": "1h", "size": 4}],
}
CHAIN["sites"].append({"site": "H", "kind": "warehouse", "latitude": 1, "longitude": 0})
CHAIN["sites"][1] |= {"latitude": 0, "longitude": 0}


def test_where_an_order_goes_is_written() -> None:
    told = rows(Network(**CHAIN), 30, event="ordering")
    assert [(row.site, row.to_site, row.order, row.parent, row.role, row.source)
            for row in told] == [
        ("W", "S", 1, 0, "firm", "PO-9"), ("C", "", 2, 0, "customer", "web"),
        ("C", "R", 2, 0, "passed", ""), ("R", "W", 3, 2, "passed", "")]


def test_a_truck_tells_each_leg_and_what_it_loads() -> None:
    told = rows(Network(**CHAIN), 30, role="truck")
    assert [(round(row.time, 2), row.event, row.site, row.to_site, row.shipment) for row in told
            ] == [(1, "departing", "H", "W", 0), (2, "arriving", "W", "", 0),
                  (2, "starting", "W", "R", 0), (2, "departing", "W", "R", 2),
                  (4, "arriving", "R", "", 2), (4, "departing", "R", "W", 0),
                  (6, "arriving", "W", "", 0), (6, "departing", "W", "H", 0),
                  (7, "arriving", "H", "", 0)]
    assert {row.asset for row in told} == {"T"}
    [loaded] = [row for row in told if row.event == "starting"]
    assert (loaded.product, loaded.quantity, loaded.order, loaded.lot > 0) == ("A", 4, 3, True)


def test_a_shipment_is_seen_at_the_gate_before_it_is_taken_in() -> None:
    told = rows(Network(**CHAIN), 30, event="arriving", site="W", asset="S:W:sea")
    assert [(row.time, row.role, row.quantity, row.shipment) for row in told] == [
        (5, "gate", 0, 1), (6, "", 7, 1)]


def test_components_spares_and_steps_without_a_machine() -> None:
    network = shop(
        {"P": [at(None, "2h"), at("M", "4h")], "B": [at(None, "1h")]}, orders=[{"product": "P"}],
        bom=[{"product": "P", "component": "B", "quantity": 2}],
        failures=[{"asset": "M", "cause": "wear", "time_to_failure": "3h", "spare": "B",
                   "time_to_repair": "1h"}])
    asked = rows(network, 30, event="ordering")
    assert [(row.product, row.quantity, row.role, row.order, row.parent, row.asset)
            for row in asked] == [
        ("P", 1, "customer", 1, 0, ""), ("B", 2, "component", 2, 1, ""),
        ("B", 1, "spare", 3, 0, "M")]
    queued = rows(network, 30, role="lot")
    assert [(row.time, row.event, row.asset, row.order, row.quantity) for row in queued] == [
        (3, "arriving", "shop/P/20", 1, 1)]
    steps = rows(network, 30, asset="shop/P/10")
    assert [(row.time, row.event, row.order, row.quantity) for row in steps] == [
        (1, "starting", 1, 1), (3, "completing", 1, 1)]
