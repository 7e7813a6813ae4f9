"""The tables of `workshop`: well formed, sufficient, and the very ones that the log gives."""

import csv
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from twin.network import Network, read_network

FOLDER = Path(__file__).parents[2] / "models" / "workshop"


@pytest.fixture(scope="module")
def network() -> Network:
    """The model as planners read it."""
    return read_network(FOLDER.with_suffix(".yaml"))


@pytest.mark.slow
def test_tables_follow_from_the_log(tmp_path: Path) -> None:
    data = os.environ.get("TWIN_DATA")
    if not data or not (Path(data) / "production_log").exists():
        pytest.skip("TWIN_DATA names no folder with production_log: tables not derived again")
    derive = [sys.executable, str(FOLDER / "derive.py"), "--data", data, "--to", str(tmp_path)]
    subprocess.run(derive, check=True)
    written = {path.name: path.read_text() for path in tmp_path.glob("*.csv")}
    kept = {path.name: path.read_text() for path in FOLDER.glob("*.csv")}
    assert written == kept


@pytest.mark.slow
def test_derive_without_data_says_what_it_needs() -> None:
    derive = [sys.executable, str(FOLDER / "derive.py"), "--data", "nowhere"]
    answer = subprocess.run(derive, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "nowhere holds no production_log" in answer.stderr


def test_no_worker_of_the_log_is_named() -> None:
    with (FOLDER / "crews.csv").open(newline="") as file:
        assert all(row["crew"].startswith("worker_") for row in csv.DictReader(file))
    assert not any("ID0" in path.read_text() for path in FOLDER.glob("*.*"))


def test_branch_shares_add_up_to_one(network: Network) -> None:
    total: dict[tuple[str, int], float] = defaultdict(float)
    for branch in network.branches.values():
        total[branch.product, branch.step] += branch.share
    assert all(share == pytest.approx(1) for share in total.values())


def test_every_route_ends(network: Network) -> None:
    """From each step of a routing that can be reached, `done` can be reached."""
    for product in network.products:
        after: dict[str, set[str]] = defaultdict(set)
        steps = sorted(row.step for row in network.routings.values() if row.product == product)
        for branch in network.branches.values():
            if branch.product == product:
                after[str(branch.step)].add(branch.next)
        for place, step in enumerate(steps):
            if str(step) not in after:
                after[str(step)].add(str(steps[place + 1]))
        ends = {"done"}
        for _ in steps:
            ends |= {step for step in after if after[step] & ends}
        assert {str(step) for step in steps} <= ends


def test_every_centre_has_hours_enough(network: Network) -> None:
    """Hours that orders ask of each centre stay under the hours that its workers are in."""
    visits = expected_visits(network)
    asked: dict[str, float] = defaultdict(float)
    for (product, step), count in visits.items():
        row = network.routings["shop", product, step]
        if row.group:
            asked[row.group] += count * row.process_time.mean()
    planned: dict[str, float] = defaultdict(float)
    for shift in network.calendars.values():
        planned[shift.calendar] += shift.to - shift.from_
    for group, load in asked.items():
        crews = {row.crew for row in network.machines.values() if row.group == group}
        has = sum(network.crews[crew].size * planned[crew] for crew in crews if crew)
        assert load < 0.9 * has, group


def expected_visits(network: Network) -> dict[tuple[str, int], float]:
    """Visits a week of each step of each product, by following the shares until they fade."""
    found: dict[tuple[str, int], float] = defaultdict(float)
    ways_on = defaultdict(list)
    for row in network.branches.values():
        ways_on[row.product, row.step].append(row)
    for demand in network.demand.values():
        product = demand.product
        steps = sorted(row.step for row in network.routings.values() if row.product == product)
        flow = {steps[0]: 168 / demand.interarrival.mean()}
        while sum(flow.values()) > 1e-9:
            onward: dict[int, float] = defaultdict(float)
            for step, count in flow.items():
                found[product, step] += count
                ways = ways_on[product, step]
                for row in ways:
                    if row.next != "done":
                        onward[int(row.next)] += count * row.share
                if not ways:
                    onward[steps[steps.index(step) + 1]] += count
            flow = onward
    return found
