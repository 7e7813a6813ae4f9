"""KPIs: what is added up before a ratio is taken, and what is left out."""

from __future__ import annotations

import math

import pytest

from tests.measure import worlds
from twin.measure import KPIS, Kpi, kpis
from twin.measure.kpis import kpi_arrays
from twin.tally import MEASURES, Tally

PLACES = {place for _, place, _ in MEASURES.values()} | {"mode"}


def tally(sums: dict[tuple[str, str, str, str], float], hours: float = 240.0) -> Tally:
    return Tally("baseline", 0, 0.0, hours, sums)


def test_every_kpi_says_its_unit_places_and_direction() -> None:
    for kpi in KPIS.values():
        assert kpi.title
        assert kpi.unit
        assert kpi.better in ("higher", "lower", "neutral")
        assert set(kpi.places) <= PLACES
        assert set(kpi.levels) <= {"total", "place", "product", "place product"}
        assert kpi.measures <= set(MEASURES)
    assert all(kpi.better != "neutral" for kpi in KPIS.values() if kpi.headline)


def test_a_formula_that_names_no_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="'speed': its formula names 'velocity', which is no"):
        Kpi("speed", "Speed", "km/h", "velocity / hours", ("lane",), "higher")


def test_sums_are_added_before_the_ratio() -> None:
    found = kpis(tally({
        ("queue_time", "P/saw", "A", ""): 30.0, ("jobs_queued", "P/saw", "A", ""): 10.0,
        ("queue_time", "P/saw", "B", ""): 10.0, ("jobs_queued", "P/saw", "B", ""): 30.0,
    }))
    queue = {key[1:]: value for key, value in found.items() if key[0] == "queue_time"}
    assert queue == {
        ("", "", ""): 1.0, ("", "A", ""): 3.0, ("", "B", ""): 1 / 3,
        ("P/saw", "", ""): 1.0, ("P/saw", "A", ""): 3.0, ("P/saw", "B", ""): 1 / 3,
        ("P", "", ""): 1.0, ("P", "A", ""): 3.0, ("P", "B", ""): 1 / 3,
    }


def test_streams_are_split_too() -> None:
    found = kpis(tally({
        ("queue_time", "P/saw", "A", "rush"): 2.0, ("jobs_queued", "P/saw", "A", "rush"): 4.0,
        ("queue_time", "P/saw", "A", "slow"): 6.0, ("jobs_queued", "P/saw", "A", "slow"): 4.0,
    }))
    assert found["queue_time", "", "", "rush"] == 0.5
    assert found["queue_time", "P/saw", "A", "slow"] == 1.5
    assert found["queue_time", "P/saw", "A", ""] == 1.0


def test_a_kpi_without_a_denominator_is_absent() -> None:
    found = kpis(tally({("units_lost", "C", "A", ""): 0.0, ("failures", "M", "", ""): 0.0,
                        ("planned_time", "M", "", ""): 24.0}))
    assert "mtbf" not in {key[0] for key in found}
    assert "lost_share" not in {key[0] for key in found}
    assert all(math.isfinite(value) for value in found.values())


def test_machines_are_added_up_to_work_centres_and_sites_by_the_network() -> None:
    sums = {("busy_time", "press_1", "", ""): 90.0, ("planned_time", "press_1", "", ""): 100.0,
            ("busy_time", "press_2#1", "", ""): 30.0, ("planned_time", "press_2#1", "", ""): 100.0}
    found = kpis(tally(sums), worlds.network())
    assert {key[1]: value for key, value in found.items() if key[0] == "utilisation"} == {
        "": 0.6, "press_1": 0.9, "press_2#1": 0.3, "works/press": 0.6, "works": 0.6}


def test_lanes_are_added_up_by_mode_and_by_origin() -> None:
    near, far = ("A:C:sea", "", ""), ("A:B:sea", "", "")
    sums = {("transit_time", *far): 480.0, ("shipments_arrived", *far): 2.0,
            ("transit_time_squared", *far): 120000.0, ("transit_time", *near): 120.0,
            ("shipments_arrived", *near): 1.0, ("transit_time_squared", *near): 14400.0}
    found = kpis(tally(sums))
    assert found["lead_time", "*:*:sea", "", ""] == pytest.approx(600 / 3 / 24)
    assert found["lead_time", "A", "", ""] == found["lead_time", "", "", ""]
    assert found["lead_time_sd", "A:B:sea", "", ""] == pytest.approx((60000 - 240**2) ** 0.5 / 24)


def test_order_variance_ratio_is_by_shelf_only() -> None:
    """Orders 0 and 4 on demand 1 and 3: variances 4 and 1."""
    at = ("W", "A", "")
    found = kpis(tally({("demand_periods", *at): 2.0, ("demand_sum", *at): 4.0,
                        ("demand_squares", *at): 10.0, ("order_sum", *at): 4.0,
                        ("order_squares", *at): 16.0}))
    assert found == {("order_variance_ratio", "W", "A", ""): 4.0}


def test_profit_is_revenue_less_every_cost() -> None:
    sums = {("revenue", "C", "A", ""): 1000.0, ("purchase_cost", "W", "A", ""): 300.0,
            ("transport_cost", "W:C:road", "", ""): 50.0, ("crew_cost", "team", "", ""): 20.0,
            ("waste_cost", "W", "A", ""): 7.0}
    found = kpis(tally(sums))
    assert found["total_cost", "", "", ""] == 37.0  # waste was paid for when it was bought
    assert found["profit", "", "", ""] == 63.0
    assert found["total_cost", "W", "", ""] == 35.0


def test_effective_process_time_has_mean_and_scv() -> None:
    at = ("P/saw", "A", "")
    found = kpis(tally({("process_time", *at): 40.0, ("process_time_squared", *at): 1000.0,
                        ("jobs_processed", *at): 2.0}))
    assert found["process_time", "P/saw", "", ""] == 20.0
    assert found["process_time_scv", "P/saw", "", ""] == pytest.approx(0.25)


def test_a_run_that_lacks_a_kpi_is_nan_among_others() -> None:
    runs = [tally({("failures", "M", "", ""): 2.0, ("planned_time", "M", "", ""): 8.0}),
            tally({("planned_time", "M", "", ""): 8.0})]
    values = kpi_arrays(runs)["mtbf", "M", "", ""]
    assert values[0] == 4.0
    assert math.isnan(values[1])


def test_chain_only_gives_the_same_totals() -> None:
    runs = [worlds.run("baseline", i) for i in range(2)]
    whole = {key: values.tolist() for key, values in kpi_arrays(runs).items()
             if key[1:] == ("", "", "")}
    alone = {key: values.tolist() for key, values in kpi_arrays(runs, chain_only=True).items()}
    assert alone.keys() == whole.keys()
    assert all(alone[key] == pytest.approx(whole[key]) for key in whole)
