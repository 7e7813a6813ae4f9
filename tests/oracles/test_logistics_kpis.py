"""Reference cases of logistics KPIs from recorded events: L07 and L09."""

from __future__ import annotations

import pandas as pd
import pytest

from twin.measure import kpis, tally_of
from twin.network import Network
from twin.tally import Tally

MINUTE, SECOND = 1 / 60, 1 / 3600


def test_l07_oee_of_a_recorded_shift() -> None:
    """A shift of 480 min with an hour of breaks and 47 min of down-time; 19,271 made, 423 bad."""
    plant = Network(
        sites=[{"site": "P", "kind": "plant"}], products=[{"product": "cap"}],
        groups=[{"site": "P", "group": "line"}],
        machines=[{"machine": "M", "site": "P", "group": "line"}],
        routings=[{"site": "P", "product": "cap", "step": 1, "group": "line",
                   "process_time": "1.16s", "ideal_time": "1s"}],
        demand=[{"site": "P", "product": "cap", "interarrival": "1d"}],
    )
    shift = [(0, "starting", 0), (100, "failing", 0), (147, "repairing", 0),
             (240, "completing", 9000), (300, "starting", 0), (480, "completing", 9848),
             (480, "scrapping", 423)]
    events = pd.DataFrame({
        "time": [at * MINUTE for at, _, _ in shift], "event": [what for _, what, _ in shift],
        "quantity": [float(n) for _, _, n in shift], "site": "P", "product": "cap", "asset": "M",
    })
    tally = tally_of(events, plant, planned_h={"M": 420 * MINUTE})
    found = kpis(tally, plant)
    for place in ("", "P", "P/line"):
        assert found["oee_availability", place, "", ""] == pytest.approx(0.888095238095238)
        assert found["oee_performance", place, "", ""] == pytest.approx(0.8610813226094728)
        assert found["oee_quality", place, "", ""] == pytest.approx(0.9780499195682631)
        assert found["oee", place, "", ""] == pytest.approx(0.7479365079365079)
    assert tally.total("planned_time") == pytest.approx(7.0)
    assert found["utilisation", "M", "", ""] == pytest.approx(373 / 420)
    assert found["mttr", "M", "", ""] == pytest.approx(47 * MINUTE)


def test_l09_perfect_order_counts_orders_that_pass_everything() -> None:
    """200 orders: 180 on time, 188 in full, 195 with right documents, 196 undamaged, 168 all."""
    shop = Network(
        sites=[{"site": "W", "kind": "warehouse"}], products=[{"product": "tea"}],
        stock=[{"site": "W", "product": "tea", "on_hand": 5000}],
        demand=[{"site": "W", "product": "tea", "interarrival": "1d", "promise": "2d"}],
    )
    late, short = set(range(20)), set(range(13, 25))  # 7 orders are both
    papers, damaged = {25, 26, 27, 0, 1}, {28, 29, 30, 31}
    rows = []
    for i in range(200):
        placed = 10.0 * i
        arrived = placed + (60.0 if i in late else 40.0)
        cause = "wrong_documents" if i in papers else "damaged" if i in damaged else ""
        rows.append((placed, "ordering", 10.0, i + 1, ""))
        rows.append((arrived, "delivering", 8.0 if i in short else 10.0, i + 1, cause))
        if i in short:
            rows.append((arrived, "lost", 2.0, i + 1, ""))
    events = pd.DataFrame(rows, columns=["time", "event", "quantity", "order", "cause"])
    found = kpis(tally_of(events.assign(site="W", product="tea"), shop), shop)
    assert found["on_time", "", "", ""] == pytest.approx(180 / 200)
    assert found["in_full", "", "", ""] == pytest.approx(188 / 200)
    assert found["perfect_order", "", "", ""] == pytest.approx(0.84, abs=1e-9)
    assert found["otif", "", "", ""] <= min(0.90, 0.94)
    assert found["order_cycle_time", "", "", ""] == pytest.approx((20 * 60 + 180 * 40) / 200 / 24)


def test_l09_cash_to_cash_from_recorded_sums() -> None:
    """45 days of stock, 38 days of sales outstanding, 30 days of payables."""
    year = 365.0 * 24
    sums = {
        ("value_on_hand_time", "W", "tea", ""): 45 * 24 * 7300.0,
        ("cost_of_sales", "W", "tea", ""): 7300.0,
        ("revenue", "W", "tea", ""): 9000.0,
        ("receivable_time", "W", "tea", ""): 38 * 24 * 9000.0,
        ("purchase_cost", "W", "tea", ""): 6100.0,
        ("payable_time", "W", "tea", ""): 30 * 24 * 6100.0,
    }
    found = kpis(Tally("recorded", 0, 0.0, year, sums))
    assert found["days_inventory", "", "", ""] == pytest.approx(45.0)
    assert found["days_sales", "", "", ""] == pytest.approx(38.0)
    assert found["days_payable", "", "", ""] == pytest.approx(30.0)
    assert found["cash_to_cash", "", "", ""] == pytest.approx(53.0, abs=1e-9)
    assert found["inventory_turns", "", "", ""] == pytest.approx(365 / 45)
