"""Pictures: what they say, and that any name and any shape of result can be drawn."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.measure import worlds
from twin.measure.charts import comparison, over_time, utilisation
from twin.measure.figures import draw, lane_flows, pictures
from twin.measure.maps import network_map
from twin.measure.style import number, title_of
from twin.measure.sweeps import sweep_picture, sweeps
from twin.network import Network
from twin.tally import Tally

NASTY = "<b>$x^2$</b> \U0001f69a\u4ed3\u5e93 & $\\frac$"


@pytest.fixture(scope="module")
def runs() -> dict[str, list[Tally]]:
    return {"baseline": [worlds.run("baseline", i) for i in range(8)],
            "port_closure": [worlds.run("port_closure", i, 1.0) for i in range(8)],
            "expedite": [worlds.run("expedite", i) for i in range(8)]}


def test_titles_say_the_finding(runs: dict[str, list[Tally]]) -> None:
    result = worlds.result(runs, worlds.network())
    world = worlds.network()
    assert str(comparison(result.kpis).get_label()).startswith("Port closure worsens ")
    assert str(over_time(runs, world).get_label()).startswith(
        "Port closure raises customer backlog to 5")
    assert str(utilisation(result.kpis, world).get_label()) == (
        "press_1 is the busiest, at 86 % in the baseline")
    assert "of all units that move go from" in str(
        network_map(world, lane_flows(result.kpis)).get_label())


def test_flows_are_those_of_lanes_not_of_modes(runs: dict[str, list[Tally]]) -> None:
    flows = lane_flows(worlds.result(runs, worlds.network()).kpis)
    assert set(flows) == {":".join(lane) for lane in worlds.LANES}


def test_no_effect_is_said_when_none_shows() -> None:
    runs = {name: [worlds.run("baseline", i) for i in range(4)] for name in ("baseline", "again")}
    figure = comparison(worlds.result(runs, worlds.network()).kpis)
    assert figure.get_label() == "No effect is shown on any headline KPI"


def test_a_sweep_is_found_and_drawn() -> None:
    runs = {"baseline": [worlds.run("baseline", i) for i in range(4)]}
    for value in (0.1, 0.5, 1.0):
        label = f"closure events.closure.factor={value}"
        runs[label] = [worlds.run("closure", i, value) for i in range(4)]
    kpis = worlds.result(runs, worlds.network()).kpis
    found = list(sweeps(kpis))
    assert [(s.scenario, s.key, list(s.values.values())) for s in found] == [
        ("closure", "events.closure.factor", [0.1, 0.5, 1.0])]
    assert str(sweep_picture(kpis, found[0]).get_label()).startswith("Closure: fill rate falls")


def test_a_sweep_over_two_keys_is_one_picture_for_each_value_of_the_other() -> None:
    runs = {"baseline": [worlds.run("baseline", 0)]}
    for factor in (1, 2):
        for days in ("3d", "10d"):
            runs[f"late e.factor={factor} e.duration={days}"] = [worlds.run("late", 0, factor / 9)]
    found = list(sweeps(worlds.result(runs, worlds.network()).kpis))
    assert {(s.scenario, s.key, tuple(s.values.values()), s.in_hours) for s in found} == {
        ("late e.duration=3d", "e.factor", (1.0, 2.0), False),
        ("late e.duration=10d", "e.factor", (1.0, 2.0), False),
        ("late e.factor=1", "e.duration", (72.0, 240.0), True),
        ("late e.factor=2", "e.duration", (72.0, 240.0), True)}


def test_every_picture_is_written_as_png(runs: dict[str, list[Tally]], tmp_path: Path) -> None:
    files = draw(worlds.result(runs, worlds.network()), worlds.network(), tmp_path)
    assert [file.name for file in files] == [
        "network.png", "comparison.png", "inventory.png", "utilisation.png"]
    for file in files:
        head = file.read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        assert min(struct.unpack(">II", head[16:])) > 250


@pytest.mark.long
def test_the_same_result_draws_the_same_bytes(runs: dict[str, list[Tally]]) -> None:
    result, world = worlds.result(runs, worlds.network()), worlds.network()
    assert pictures(result, world) == pictures(result, world)


@pytest.mark.parametrize("count", [1, 3, 40, 300])
def test_a_map_of_any_size(count: int) -> None:
    rng = np.random.default_rng(count)
    sites = [{"site": f"site number {i}", "kind": ("supplier", "warehouse", "customer")[i % 3],
              "latitude": float(rng.uniform(-40, 60)), "longitude": float(rng.uniform(-150, 150))}
             for i in range(count)]
    network_map(Network(sites=sites)).savefig(_Nowhere(), dpi=50)


def test_a_map_of_sites_without_a_place_stands_in_columns() -> None:
    sites = [{"site": name, "kind": kind} for name, kind in (
        ("S", "supplier"), ("W", "warehouse"), ("C", "customer"), ("D", "customer"))]
    assert "stand in columns" in network_map(Network(sites=sites)).texts[1].get_text()


def test_a_plant_shows_where_lots_wait() -> None:
    steps = enumerate(("press", "cut", "pack"))
    world = worlds.network(
        groups=[{"site": "works", "group": name} for name in ("press", "cut", "pack")],
        routings=[{"site": "works", "product": "reel", "step": step, "group": group,
                   "process_time": "1h"} for step, group in steps],
        machines=[{"machine": name, "site": "works", "group": name[:-1]}
                  for name in ("press1", "cut1", "pack1")])
    sums = {("queue_time", "works/cut", "reel", ""): 30.0,
            ("jobs_queued", "works/cut", "reel", ""): 4.0}
    runs = {"baseline": [Tally("baseline", 0, 0.0, 24.0, sums)]}
    drawn = pictures(worlds.result(runs, world), world)
    assert drawn["plant"].finding == "Lots wait longest for cut: 7.50 h on average"
    assert list(drawn) == ["network", "plant", "utilisation"]


def test_hostile_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    world = Network(title=NASTY, sites=[{"site": NASTY, "kind": "warehouse"}])
    sums = {("units_ordered", NASTY, NASTY, ""): 9.0, ("units_at_once", NASTY, NASTY, ""): 3.0,
            ("units_made", NASTY, NASTY, ""): 3.0}
    runs = {name: [Tally(name, i, 0.0, 48.0, sums, np.array([0.0, 24.0]),
                         {("on_hand", NASTY, NASTY, ""): np.array([1.0, 2.0])}) for i in range(2)]
            for name in ("baseline", "$\\frac$", "x a.b=$_{^")}
    assert len(draw(worlds.result(runs, world), world, tmp_path)) == 3


def test_numbers_are_short_and_exact_enough() -> None:
    assert [number(x) for x in (0.0, 999.96, 9999.0, 12345.0, -3.14159, float("nan"))] == [
        "0", "1,000", "10.0 k", "12.3 k", "\u22123.14", "\u2013"]
    assert title_of("a_b+c_d lanes[A,B,sea].transit=3d") == "A b + c d, lanes[A,B,sea].transit=3d"


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None:
        """Nothing is kept."""

    def seek(self, *_: int) -> int:
        return 0

    def tell(self) -> int:
        return 0
