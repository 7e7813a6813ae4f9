"""Forecasts: seasons found, methods chosen only when shown, bands that hold, patterns played."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.calibrate import forecast_methods
from twin.calibrate.forecast import bands, choose, forecast
from twin.calibrate.forecast_cells import demand_cells, demand_pattern
from twin.calibrate.forecast_methods import LibraryMissing, methods
from twin.calibrate.intermittent import croston, sba, tsb
from twin.calibrate.season import NONE, season_of
from twin.forecast import Forecast, read_forecasts, write_forecasts
from twin.ledger import Ledger
from twin.network import Network
from twin.parameters import Calibration
from twin.scenario import Scenario
from twin.simulate import play


def test_a_season_is_found_and_noise_has_none() -> None:
    rng = np.random.default_rng(1)
    week = np.tile([5.0, 5.0, 5.0, 5.0, 9.0, 2.0, 1.0], 10) * rng.lognormal(0, 0.1, 70)
    assert season_of(week, [7]).length == 7
    assert season_of(week, [7]).factors == pytest.approx(
        np.array([5, 5, 5, 5, 9, 2, 1]) / (32 / 7), rel=0.15)
    found = [season_of(rng.normal(10, 1, 70), [7]) is NONE for _ in range(100)]
    assert sum(found) >= 85


def test_of_two_seasons_the_one_that_tells_more() -> None:
    hours = np.arange(24 * 7 * 5)
    day = 10 + 5 * np.sin(2 * np.pi * hours / 24)
    weekend = np.where(hours // 24 % 7 >= 5, 0.3, 1.0)
    rng = np.random.default_rng(2)
    assert season_of(day * weekend + rng.normal(0, 0.2, len(hours)), [24, 168]).length == 168


def test_a_series_below_zero_has_amounts_instead_of_factors() -> None:
    y = np.tile([-5.0, 0.0, 5.0, 10.0], 8) + np.arange(32) * 0.1
    season = season_of(y, [4])
    assert season.additive
    assert season.put_back(season.take_out(y), 0) == pytest.approx(y)


def test_croston_by_hand() -> None:
    """Demands 3 and 5 after gaps of 2 and 3: sizes 3.2, intervals 2.1 by a tenth each."""
    y = np.array([0.0, 3.0, 0.0, 0.0, 5.0])
    assert croston(y) == pytest.approx(3.2 / 2.1)
    assert sba(y) == pytest.approx(0.95 * 3.2 / 2.1)
    assert tsb(np.zeros(5)) == croston(np.zeros(5)) == 0.0


@pytest.mark.long
@pytest.mark.skipif(not forecast_methods.has_library(), reason="needs the extra forecast")
def test_own_intermittent_methods_agree_with_the_library() -> None:
    from statsforecast import models

    rng = np.random.default_rng(3)
    for _ in range(20):
        y = rng.poisson(0.4, 60).astype(float)
        y[0] = 1.0
        assert croston(y) == pytest.approx(
            models.CrostonClassic().forecast(y=y, h=1)["mean"][0], rel=1e-6)
        assert sba(y) == pytest.approx(models.CrostonSBA().forecast(y=y, h=1)["mean"][0], rel=1e-6)


def test_without_the_library_own_methods_serve_and_asking_for_it_says_what_to_install(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast_methods, "find_spec", lambda name: None)
    names = [method.name for method in methods(np.arange(20.0) + 1)]
    assert names == ["naive", "SES", "Theta"]
    with pytest.raises(LibraryMissing, match=r"pip install 'twin\[forecast\]'"):
        methods(np.arange(20.0), library=True)


def test_the_combination_stays_unless_another_is_shown_to_be_better() -> None:
    """On 60 random walks nearly all keep it; where the past repeats exactly, another is shown."""
    rng = np.random.default_rng(4)
    kept = [choose(100 + rng.normal(size=80).cumsum(), 5, library=False).method == "combination"
            for _ in range(60)]
    assert np.mean(kept) > 0.75
    week = np.tile([10.0, 3.0, 8.0, 1.0, 9.0, 2.0, 4.0], 12)
    found = choose(week, 7, seasons=[7], library=False)
    assert found.mean == pytest.approx(week[:7], rel=0.1)


@pytest.mark.long
@pytest.mark.parametrize("steps", [1, 8])
def test_bands_hold_as_often_as_they_say(steps: int) -> None:
    """Independent demand with a weekly season; 80 and 95 % bands, own methods."""
    rng = np.random.default_rng(5)
    pattern = np.array([10.0, 11.0, 12.0, 11.0, 15.0, 6.0, 5.0])
    inside = np.zeros((150, 2))
    for i in range(150):
        y = rng.poisson(np.resize(pattern, 140 + steps)).astype(float)
        choice = choose(y[:140], steps, seasons=[7], library=False)
        band = bands(choice, (0.025, 0.1, 0.9, 0.975))
        actual = y[140:]
        inside[i] = [np.mean((band[:, a] <= actual) & (actual <= band[:, b]))
                     for a, b in ((1, 2), (0, 3))]
    assert inside[:, 0].mean() == pytest.approx(0.8, abs=0.08)
    assert inside[:, 1].mean() == pytest.approx(0.95, abs=0.04)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.just(0.0), st.floats(0, 1e6)), min_size=3, max_size=60),
       st.integers(1, 12))
def test_any_demand_is_forecast_without_going_below_zero(values: list[float], h: int) -> None:
    found = forecast(values, h, series="x", origin="2026-01-01", library=False)
    assert found.horizon == h
    assert min(found.mean) >= 0.0
    assert all(np.isfinite(found.mean))
    for step in found.quantiles:
        assert list(step) == sorted(step)
        assert step[0] >= 0.0


def test_too_short_a_series_is_refused() -> None:
    with pytest.raises(ValueError, match="2 values and a horizon of 3 steps are too few"):
        choose(np.array([1.0, 2.0]), 3)


def test_forecasts_go_to_a_file_and_back(tmp_path: Path) -> None:
    made = [forecast(np.arange(30.0), 4, series=name, origin="2026-05-12", library=False)
            for name in ("a", "b")]
    write_forecasts(tmp_path / "f.json", made)
    assert read_forecasts(tmp_path / "f.json") == made
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(ValueError, match="holds no forecasts"):
        read_forecasts(tmp_path / "bad.json")
    with pytest.raises(ValueError, match="do not rise"):
        Forecast("x", "2026-01-01", 24.0, (1.0,), (0.1, 0.9), ((3.0, 2.0),))


# ---- the pattern that the simulation plays ----

SHOP = Network(
    name="tea", start=datetime(2026, 1, 5), products=[{"product": "tea"}],
    sites=[{"site": "W", "kind": "warehouse"}, {"site": "S", "kind": "supplier"}],
    supply=[{"site": "S", "product": "tea"}],
    lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "1d"}],
    stock=[{"site": "W", "product": "tea", "policy": "base_stock", "order_up_to": 500}],
    demand=[{"site": "W", "product": "tea", "interarrival": "exponential(mean=3h)",
             "profile": "truth"}],
    profiles=[{"profile": "truth", "weekday": day, "factor": factor, "trend": trend}
              for day, factor, trend in (("sat", 0.4, 0.8), ("sun", 0.1, 0.0))],
)


def orders(network: Network, seed: int, days: int = 364) -> np.ndarray:
    ledger = Ledger()
    play(network, Scenario.baseline(), horizon_h=24.0 * days, seed=seed, ledger=ledger)
    rows = ledger.frame()
    return np.sort(rows.loc[(rows["role"].isin(["customer", "walk_in"])
                             | (rows["event"] == "ordering")) & (rows["site"] == "W")
                            & (rows["to_site"] == ""), "time"].to_numpy())


def test_a_pattern_is_learned_from_a_played_year_and_played_again() -> None:
    times = orders(SHOP, seed=3)
    pattern = demand_pattern(times, SHOP.start, until_h=24.0 * 364)
    saturday, sunday = (pattern.weekdays[i] / np.mean(pattern.weekdays[:5]) for i in (5, 6))
    assert saturday == pytest.approx(0.4, abs=0.08)
    assert sunday == pytest.approx(0.1, abs=0.05)
    assert pattern.trend == pytest.approx(0.8, abs=0.3)
    rows = demand_cells("W,tea", pattern, source="test")
    plain = SHOP.replace(profiles=[], demand=[replace(next(iter(SHOP.demand.values())),
                                                      profile=None)])
    learned = Calibration("may", rows=tuple(rows)).apply(plain)
    again = orders(learned, seed=4)
    assert len(again) == pytest.approx(len(times), rel=0.1)
    for day, share in ((5, 0.4), (6, 0.1)):
        on = (again // 24 % 7 == day).sum()
        other = (again // 24 % 7 < 5).sum() / 5
        assert on / other == pytest.approx(share, abs=0.1)


def test_steady_demand_has_no_pattern() -> None:
    rng = np.random.default_rng(6)
    patterned = 0
    for _ in range(60):
        pattern = demand_pattern(rng.exponential(5.0, 700).cumsum(), datetime(2026, 1, 5))
        patterned += bool(pattern.weekdays or pattern.trend)
    assert patterned <= 4
    [row] = demand_cells("W,tea", pattern)
    assert row.profile == ""
    assert row.value.startswith("exponential(mean=")


def test_no_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="too few to learn a demand"):
        demand_pattern([], datetime(2026, 1, 5))
