"""Recorded events: the sums that they add up to, event by event."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.measure import worlds
from twin.ledger import Ledger
from twin.measure import kpis, tally_of
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.play import play

SHOP = Network(
    sites=[{"site": "W", "kind": "warehouse"}], products=[{"product": "tea", "value": 3}],
    stock=[{"site": "W", "product": "tea", "on_hand": 5}],
    demand=[{"site": "W", "product": "tea", "interarrival": "1d", "promise": "2h", "late": "1h"}],
)


def test_customer_orders() -> None:
    """Served at once; late and split; half lost; turned away; still open at the end."""
    book = Ledger()
    at = {"site": "W", "product": "tea"}
    for time, event, quantity, order in [
            (0, "ordering", 1, 1), (0, "delivering", 1, 1),
            (1, "ordering", 4, 2), (2, "delivering", 3, 2), (5, "delivering", 1, 2),
            (3, "ordering", 2, 3), (4, "delivering", 1, 3), (4, "lost", 1, 3),
            (6, "ordering", 2, 4), (6, "lost", 2, 4), (7, "ordering", 2, 5)]:
        book.add(float(time), event, quantity=float(quantity), order=order, role="customer", **at)
    tally = tally_of(book.frame(), SHOP, end_h=20.0)
    found = {key[0]: value for key, value in tally.sums.items() if key[1:] == ("W", "tea", "")}
    assert {name: found[name] for name in (
        "orders", "units_ordered", "units_at_once", "orders_at_once", "orders_delivered",
        "orders_on_time", "orders_in_full", "orders_otif", "orders_lost", "orders_refused",
        "orders_overdue", "units_lost", "lateness", "cycle_time", "customer_backlog_time")} == {
        "orders": 5, "units_ordered": 11, "units_at_once": 1, "orders_at_once": 1,
        "orders_delivered": 3, "orders_on_time": 2, "orders_in_full": 2, "orders_otif": 1,
        "orders_lost": 2, "orders_refused": 1, "orders_overdue": 1, "units_lost": 3,
        "lateness": 2, "cycle_time": 5, "customer_backlog_time": 3 * 1 + 4 + 2 + 2 * 13}
    assert kpis(tally)["otif", "", "", ""] == 1 / 5


def test_shelves_start_from_the_opening_stock() -> None:
    book = Ledger()
    for time, event, quantity in [(2.0, "picking", 3.0), (6.0, "storing", 8.0),
                                  (8.0, "expiring", 1.0)]:
        book.add(time, event, site="W", product="tea", quantity=quantity)
    tally = tally_of(book.frame(), SHOP, start_h=1.0, end_h=10.0)
    assert tally.total("on_hand_time") == 5 * 1 + 2 * 4 + 10 * 2 + 9 * 2
    assert tally.total("value_on_hand_time") == 3 * 51
    assert tally.total("units_issued") == 3
    assert tally.total("units_expired") == 1
    assert kpis(tally)["on_hand", "W", "", ""] == pytest.approx(51 / 9)


def test_shipments_of_several_lots_arrive_once() -> None:
    book = Ledger()
    for time, event, number, quantity in [(0.0, "departing", 7, 2.0), (0.0, "departing", 7, 3.0),
                                          (10.0, "departing", 8, 1.0), (48.0, "arriving", 7, 2.0),
                                          (48.0, "arriving", 7, 3.0)]:
        book.add(time, event, site="hub", product="reel", quantity=quantity, shipment=number,
                 asset="hub:lyon:road")
    found = kpis(tally_of(book.frame(), worlds.network(), end_h=48.0))
    assert found["lead_time", "hub:lyon:road", "", ""] == 2.0
    assert found["shipments", "*:*:road", "", ""] == 1.0
    assert found["in_transit", "", "", ""] == pytest.approx(5 + 38 / 48)


def test_a_machine_that_is_still_down_at_the_end() -> None:
    events = pd.DataFrame({"time": [0.0, 4.0, 5.0, 8.0], "asset": "press_1",
                           "event": ["starting", "failing", "repairing", "failing"]})
    found = kpis(tally_of(events, worlds.network(), end_h=10.0))
    assert found["availability", "press_1", "", ""] == pytest.approx(0.7)
    assert found["utilisation", "press_1", "", ""] == pytest.approx(0.7)
    assert found["mtbf", "press_1", "", ""] == pytest.approx(3.5)


def test_a_ledger_file_reads_back_to_the_same_sums(tmp_path: Path) -> None:
    book = Ledger()
    book.add(1.0, "ordering", site="W", product="tea", quantity=2.0, order=1, role="customer")
    book.add(3.0, "delivering", site="W", product="tea", quantity=2.0, order=1, role="customer")
    book.write(tmp_path / "ledger.parquet")
    again = Ledger.read(tmp_path / "ledger.parquet")
    assert tally_of(again.frame(), SHOP).sums == tally_of(book.frame(), SHOP).sums


def test_a_simulated_ledger_adds_up_to_the_tally_of_its_run() -> None:
    chain = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"},
               {"site": "C", "kind": "customer"}],
        products=[{"product": "tea", "value": 3}],
        supply=[{"site": "S", "product": "tea", "lead_time": "1d"}],
        lanes=[{"origin": "S", "destination": "W", "mode": "sea", "transit": "uniform(6d, 9d)"},
               {"origin": "W", "destination": "C", "mode": "road", "transit": "uniform(1d, 2d)"}],
        stock=[{"site": "W", "product": "tea", "on_hand": 90, "policy": "s_S",
                "reorder_point": 50, "order_up_to": 120}],
        demand=[{"site": "C", "product": "tea", "interarrival": "exponential(mean=6h)",
                 "size": "discrete(1:.5, 3:.5)", "promise": "30h", "late": "12h"}],
    )
    book = Ledger()
    run = play(chain, Scenario.baseline(), horizon_h=2400.0, seed=4, ledger=book).tally
    recorded = tally_of(book.frame(), chain, end_h=2400.0)
    for measure in (
            "orders", "units_ordered", "orders_delivered", "units_delivered", "orders_on_time",
            "orders_otif", "orders_in_full", "cycle_time", "cycle_time_squared", "lateness",
            "customer_backlog_time", "on_hand_time", "value_on_hand_time", "units_received",
            "units_issued", "shipments", "units_shipped", "shipments_arrived", "units_arrived",
            "transit_time", "transit_time_squared", "in_transit_time"):
        assert recorded.total(measure) == pytest.approx(run.total(measure)), measure
        assert run.total(measure) > 0, measure


@pytest.mark.parametrize(("events", "message"), [
    (pd.DataFrame({"time": [1.0]}), "column 'event' is missing"),
    (pd.DataFrame({"time": [float("nan")], "event": ["ordering"]}), "a time is missing"),
])
def test_what_cannot_be_read_is_said(events: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tally_of(events, SHOP, end_h=5.0)
