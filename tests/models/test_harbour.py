"""The model to learn on: its tables are well formed and its supply suffices, by mean flows."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from twin.network import Network, read_network
from twin.network.attributes import TABLES
from twin.network.not_played import NOT_PLAYED

MODELS = Path(__file__).parents[2] / "models"
SHIFT_HOURS = 80.0  # two shifts of eight hours, Monday to Friday


@pytest.fixture(scope="module")
def network() -> Network:
    """The model as planners read it."""
    return read_network(MODELS / "harbour.yaml")


def daily_demand(network: Network) -> dict[str, float]:
    """Mean units a day by product, without the summer action and what the gate sells."""
    found: dict[str, float] = defaultdict(float)
    for row in network.demand.values():
        if row.limit is not None or network.sites[row.site].kind != "customer":
            continue
        found[row.product] += row.size.mean() / row.interarrival.mean() * 24
    return found


def daily_starts(network: Network) -> dict[str, float]:
    """Mean units started a day: demand, scrap and yield included."""
    demand = daily_demand(network)
    demand["juice"] /= 0.98 * 0.99
    return demand


def test_it_can_be_read_in_one_sitting() -> None:
    for table in (MODELS / "harbour").glob("*.csv"):
        assert len(table.read_text().splitlines()) <= 12, table.name


@pytest.mark.parametrize("table", sorted(set(TABLES) - {entry.table for entry in NOT_PLAYED}))
def test_every_column_is_used(table: str) -> None:
    with (MODELS / "harbour" / f"{table}.csv").open() as file:
        used = {column for row in csv.DictReader(file) for column, cell in row.items() if cell}
    assert used == set(TABLES[table].by_column)


def test_it_has_the_cast_of_the_guides(network: Network) -> None:
    kinds = [site.kind for site in network.sites.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "supplier": 2,
        "port": 1,
        "plant": 1,
        "warehouse": 2,
        "customer": 5,
    }
    assert sum(truck.units for truck in network.trucks.values()) == 4


def test_demand_is_what_the_readme_says(network: Network) -> None:
    assert daily_demand(network) == pytest.approx({"juice": 60, "lemonade": 56})


def test_suppliers_have_room(network: Network) -> None:
    starts = daily_starts(network)
    needs: dict[str, float] = defaultdict(float)
    for row in network.bom.values():
        if row.rank > 1:  # cartons stand in for bottles
            continue
        needs[row.component] += row.quantity * starts[row.product]
    assert needs == pytest.approx({"concentrate": 8.98, "bottles": 117.8}, rel=0.01)
    for row in network.supply.values():
        assert row.capacity_per_day is None or needs[row.product] < 0.5 * row.capacity_per_day


def test_work_centres_are_busy_but_not_full(network: Network) -> None:
    lots = {product: 7 * units / 40 for product, units in daily_starts(network).items()}
    hours: dict[str, float] = defaultdict(float)
    for row in network.routings.values():
        if row.group:
            per_lot = {"unit": 40.0, "lot": 1.0, "batch": 1 / row.batch}[row.per]
            hours[row.group] += lots[row.product] * per_lot * row.process_time.mean()
    load = {
        "mixing": hours["mixing"] / (1.9 * SHIFT_HOURS),
        "settling": hours["settling"] / 168,
        "bottling": hours["bottling"] / SHIFT_HOURS,
        "inspection": hours["inspection"] / SHIFT_HOURS,
    }
    assert load == pytest.approx(
        {"mixing": 0.516, "settling": 0.322, "bottling": 0.515, "inspection": 0.516}, abs=0.01
    )
