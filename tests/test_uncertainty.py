"""A run that carries ignorance: draws shared by scenarios, intervals, report, reference case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import twin
from twin.commands.folder import write
from twin.commands.show import Screen
from twin.manifest import Manifest
from twin.measure.ignorance import nested
from twin.measure.worth import worth
from twin.network import ModelError, Network
from twin.parameters import Calibration, Parameter
from twin.scenario import Scenario
from twin.settings import SettingError

SHOP = Network(
    name="tea", sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
    products=[{"product": "tea", "value": 3}],
    supply=[{"site": "S", "product": "tea", "lead_time": "1d"}],
    lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "2d"}],
    stock=[{"site": "W", "product": "tea", "policy": "base_stock", "order_up_to": 12}],
    demand=[{"site": "W", "product": "tea", "interarrival": "exponential(mean=8h)"}],
)
LEARNED = Calibration("may", rows=(
    Parameter("demand", "W,tea", "interarrival", value="exponential(mean=8h)"),
    Parameter("lanes", "S,W,road", "transit", value="2d"),
))
SPIKE = Scenario(name="spike", events={"more": {"type": "demand", "factor": 2}})


def draw(calibration: Calibration, rng: np.random.Generator) -> Calibration:
    """The mean gap known from 25 orders, the transit time from 400 trips."""
    gap, transit = 8 * rng.gamma(25) / 25, 48 * rng.gamma(400) / 400
    demand, lane = calibration.rows
    return replace(calibration, rows=(replace(demand, value=f"exponential(mean={gap!r}h)"),
                                      replace(lane, value=f"{transit!r}h")))


@pytest.fixture(scope="module")
def result() -> twin.Result:
    return twin.run(SHOP, [SPIKE], horizon="60d", replications=24, workers=1, calibration=LEARNED,
                    uncertainty=draw)


@pytest.mark.long
def test_intervals_cover_luck_and_ignorance(result: twin.Result) -> None:
    plain = twin.run(SHOP, [SPIKE], horizon="60d", replications=24, workers=1, calibration=LEARNED)
    kpis = ("fill_rate", "inventory_value")
    for kpi in kpis:
        wide, narrow = (r.headline.query(f"kpi == '{kpi}' and scenario == 'baseline'").iloc[0]
                        for r in (result, plain))
        assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])
        assert 0.8 < wide["ignorance"] <= 1.0
        assert wide["draws"] == 12
    assert "ignorance" not in plain.kpis.columns
    assert plain.worth is None


def test_scenarios_share_the_draws(result: twin.Result) -> None:
    """Transit lead time depends on the drawn transit alone: no difference, replication by one."""
    one, other = result.tallies["baseline"], result.tallies["spike"]
    for a, b in zip(one, other, strict=True):
        assert a.total("transit_time") / a.total("shipments_arrived") == pytest.approx(
            b.total("transit_time") / b.total("shipments_arrived"))
    times = [t.total("transit_time") / t.total("shipments_arrived") for t in one]
    assert times[0] == pytest.approx(times[1])
    assert times[0] != pytest.approx(times[2])


def test_the_thinnest_parameter_is_worth_most(result: twin.Result) -> None:
    assert result.worth is not None
    fill = result.worth.query("scenario == 'baseline' and kpi == 'fill_rate'").iloc[0]
    assert fill["parameter"] == "demand[W,tea].interarrival"
    assert fill["shown"]
    lead = result.worth.query("scenario == 'baseline' and kpi == 'lead_time'").iloc[0]
    assert lead["parameter"] == "lanes[S,W,road].transit"


def test_the_same_seed_draws_the_same(result: twin.Result) -> None:
    again = twin.run(SHOP, [SPIKE], horizon="60d", replications=24, workers=1,
                     calibration=LEARNED, uncertainty=draw)
    assert again.manifest.kpis_digest == result.manifest.kpis_digest
    assert Manifest.from_text(result.manifest.text()).draws == 12


def test_report_and_files_tell_luck_from_ignorance(result: twin.Result, tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    folder = write([(result, SHOP, "")], tmp_path, Screen(quiet=True))
    page = (folder / "report.html").read_text()
    assert "Luck and ignorance" in page
    assert "Worth more data" in page
    assert (folder / "figures" / "ignorance.png").stat().st_size > 10_000
    assert "ignorance_low" in (folder / "kpis.csv").read_text().splitlines()[0]
    assert "lanes[S,W,road].transit" in (folder / "worth.csv").read_text()
    Screen(quiet=True).show([(result, "")], folder)
    said = capsys.readouterr().out
    assert "ignorance is: Fill rate" in said
    assert "Worth more data: demand[W,tea].interarrival" in said


def test_nothing_learned_means_no_ignorance_to_carry() -> None:
    with pytest.raises(SettingError, match="calibration nominal holds no learned values"):
        twin.run("harbour", horizon="5d", replications=2, uncertainty=draw)


def test_a_draw_that_no_cell_can_hold_is_named() -> None:
    def wild(calibration: Calibration, rng: np.random.Generator) -> Calibration:
        return replace(calibration, rows=(replace(calibration.rows[1], value="-2d"),))

    with pytest.raises(ModelError, match=r"draw 1 of calibration may: .*negative"):
        twin.run(SHOP, horizon="5d", replications=2, workers=1, calibration=LEARNED,
                 uncertainty=wild)


@pytest.mark.long
def test_s11_input_uncertainty_played() -> None:
    """M/M/1/10, both rates from 100 observations: sd of the mean number in the system 0.804.

    The two rates weigh the same, as only their ratio counts.
    """
    world = Network(
        sites=[{"site": "P", "kind": "plant", "wip_cap": 10}], products=[{"product": "job"}],
        groups=[{"site": "P", "group": "G"}], machines=[{"machine": "M", "site": "P",
                                                         "group": "G"}],
        routings=[{"site": "P", "product": "job", "step": 1, "group": "G",
                   "process_time": "exponential(mean=1h)"}],
        demand=[{"site": "P", "product": "job", "unmet": "lost",
                 "interarrival": f"exponential(mean={1 / 0.7!r}h)"}])
    learned = Calibration("hundred", rows=(
        Parameter("demand", "P,job", "interarrival", value=f"exponential(mean={1 / 0.7!r}h)"),
        Parameter("routings", "P,job,1", "process_time", value="exponential(mean=1h)")))

    drawn: list[tuple[float, float]] = []

    def rates(calibration: Calibration, rng: np.random.Generator) -> Calibration:
        gaps, services = (rng.gamma(100, size=2) / 100).tolist()
        demand, step = calibration.rows
        drawn.append((gaps, services))
        return replace(calibration, rows=(
            replace(demand, value=f"exponential(mean={gaps / 0.7!r}h)"),
            replace(step, value=f"exponential(mean={services!r}h)")))

    result = twin.run(world, horizon="100d", warmup="5d", replications=600, workers=2,
                      calibration=learned, uncertainty=rates)
    wip = np.array([[t.total("wip_time") / t.hours for t in result.tallies["baseline"]]])
    split = nested(wip, [i // 2 for i in range(600)])
    assert split.mean.item() == pytest.approx(2.259, abs=4 * 0.82 / 300**0.5)
    assert split.ignorance.item() ** 0.5 == pytest.approx(0.804, abs=0.11)
    assert split.share_bounds()[0].item() > 0.99
    telling = worth(wip[0].reshape(300, 2).mean(axis=1), dict(zip(
        ("gap", "service"), np.array(drawn).T, strict=True)),
        reliability=split.reliability.item())
    assert [one.share for one in telling] == pytest.approx([0.48, 0.48], abs=0.15)  # of ranks
