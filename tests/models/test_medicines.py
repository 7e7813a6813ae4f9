"""The tables of `medicines`: well formed, anonymous, and the very ones that the lines give."""

import csv
import gzip
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import pytest

from twin.network import Network, read_network

FOLDER = Path(__file__).parents[2] / "models" / "medicines"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
#: Words of the trade and of geography that vendors' names share with these pages.
ORDINARY = {
    "africa", "china", "diagnostic", "export", "france", "group", "health", "import", "ireland",
    "institute", "international", "kenya", "logistics", "medical", "nigeria", "pharma", "research",
    "services", "shanghai", "south", "standard", "supplies", "system", "wholesaler",
}
HISTORY = Path("scms_delivery") / "scms_delivery_history.csv.gz"


@pytest.fixture(scope="module")
def network() -> Network:
    """The model as planners read it."""
    return read_network(FOLDER.with_suffix(".yaml"))


@pytest.fixture(scope="module")
def evidence() -> dict[tuple[str, str], dict[str, str]]:
    """What the lines say, by figure and group."""
    with (FOLDER / "evidence" / "evidence.csv").open(newline="") as file:
        return {(row["figure"], row["group"]): row for row in csv.DictReader(file)}


def data() -> Path:
    """The folder with the shipment lines, or a skip that says so."""
    folder = os.environ.get("TWIN_DATA")
    if not folder or not (Path(folder) / HISTORY).is_file():
        pytest.skip("TWIN_DATA names no folder with scms_delivery: tables not derived again")
    return Path(folder)


@pytest.mark.slow
def test_tables_follow_from_the_lines(tmp_path: Path) -> None:
    derive = [sys.executable, str(FOLDER / "derive.py"), "--data", str(data()), "--to"]
    subprocess.run([*derive, str(tmp_path)], check=True, env=ENVIRONMENT)
    written = {p.relative_to(tmp_path): p.read_text() for p in tmp_path.rglob("*.csv")}
    kept = {p.relative_to(FOLDER): p.read_text() for p in FOLDER.rglob("*.csv")}
    assert written == kept


@pytest.mark.slow
def test_derive_without_data_says_what_it_needs() -> None:
    derive = [sys.executable, str(FOLDER / "derive.py"), "--data", "nowhere"]
    answer = subprocess.run(derive, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert answer.returncode == 2
    assert "nowhere holds no scms_delivery" in answer.stderr


def test_no_vendor_or_factory_of_the_lines_is_named() -> None:
    """No word of five letters or more of a vendor's name stands in a table."""
    with gzip.open(data() / HISTORY, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {row["Vendor"] for row in rows if not row["Vendor"].startswith("SCMS")}
    words = {word for name in names for word in re.findall(r"[a-z]{5,}", name.lower())}
    text = " ".join(path.read_text().lower() for path in FOLDER.rglob("*.*")
                    if path.suffix in (".csv", ".py", ".md"))
    found = set(re.findall(r"[a-z]{5,}", text))
    assert sorted((words & found) - ORDINARY) == []


def test_size_is_a_planners(network: Network) -> None:
    kinds = [site.kind for site in network.sites.values()]
    countries = {site.country for site in network.sites.values() if site.kind == "customer"}
    assert 8 <= kinds.count("supplier") <= 15
    assert kinds.count("plant") == 2
    assert sum(site.startswith("centre_") for site in network.sites) == 3
    assert 15 <= len(countries) <= 25
    assert 60 <= len(network.lanes) <= 150
    assert {row.region for row in network.demand.values()} == {
        "asia", "caribbean", "east_africa", "southern_africa", "west_africa"}


def test_four_policies_at_the_centres(network: Network) -> None:
    assert {row.policy for row in network.stock.values()} == {
        "s_S", "R_S", "base_stock", "forecast"}


def test_direct_lanes_keep_the_atom_at_zero(
    network: Network, evidence: dict[tuple[str, str], dict[str, str]]
) -> None:
    """The share of lines that are not late is the weight of the shortest transit of the lane."""
    seen = set()
    for (origin, destination, mode), lane in network.lanes.items():
        if not (origin.startswith("supplier_") and "-" in destination):
            continue
        assert lane.transit is not None
        pairs = dict(zip(lane.transit.values, lane.transit.weights, strict=True))
        on_time = float(evidence["on_time_share", f"direct {mode}"]["fit"])
        assert pairs[min(pairs)] == pytest.approx(on_time, abs=1e-3)
        seen.add(mode)
    assert seen == {"air", "sea", "road"}


def test_sea_lanes_pass_a_port(network: Network) -> None:
    """So that closing the ports means something; the ingredient's way is left open."""
    sea = [lane for lane in network.lanes.values() if lane.mode == "sea"]
    ports = {lane.via for lane in sea if not lane.origin.startswith("supplier_ingredient")}
    assert ports == {"port_tema", "port_mombasa", "port_dar_es_salaam", "port_durban"}


def test_every_figure_has_a_source(evidence: dict[tuple[str, str], dict[str, str]]) -> None:
    sources = {row["source"] for row in evidence.values()}
    assert sources == {"data", "assumption", "Defra/DECC 2012 annex 7e, all HGVs"}
    assert all(row["column"] and row["lines"] for row in evidence.values()
               if row["source"] == "data")


@pytest.mark.slow
def test_direct_air_takes_what_it_took_later(
    network: Network, evidence: dict[tuple[str, str], dict[str, str]]
) -> None:
    """Three years of the twin against 2012, which was not used for fitting."""
    sys.path.insert(0, str(FOLDER))
    try:
        compare = importlib.import_module("compare")
    finally:
        sys.path.remove(str(FOLDER))
        sys.modules.pop("compare", None)
    twin = compare.played(network, 3)
    for figure, tolerance in (("lead_time_mean", 0.15), ("lead_time_sd", 0.25),
                              ("on_time_share", 0.05)):
        later = float(evidence[figure, "direct air"]["later"])
        assert fmean(twin[figure, "direct air"]) == pytest.approx(later, rel=tolerance)
