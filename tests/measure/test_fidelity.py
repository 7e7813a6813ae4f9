"""Fidelity: a perfect twin gets what it deserves, and a wrong one is found out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from twin.calibrate.drift import drift_of_pits
from twin.ledger import Ledger
from twin.measure.fidelity import Case, backtest, play_by
from twin.measure.fidelity_record import Record
from twin.measure.fidelity_table import apart, binomial, by_kpi, by_place
from twin.network import Network
from twin.parameters import Calibration, Parameter
from twin.scenario import Scenario
from twin.simulate import play
from twin.state import State

WEEK = 168.0
REAL = 10_001  # the luck of the real world, which no replication has


def shop(gap: str = "exponential(mean=4h)", transit: str = "lognormal(mean=2d, sd=1d)") -> Network:
    return Network(
        name="tea", sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "tea", "value": 3}], supply=[{"site": "S", "product": "tea"}],
        lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": transit}],
        stock=[{"site": "W", "product": "tea", "on_hand": 16, "policy": "base_stock",
                "order_up_to": 16}],
        demand=[{"site": "W", "product": "tea", "interarrival": gap, "size": "poisson(mean=1)"}])


@lru_cache(maxsize=4)
def reality(weeks: int, change: bool = False) -> tuple[Record, dict[float, State]]:
    """A real year by the hidden seed, with the state at the start of every week.

    With `change` customers order half as often again from the middle on.
    """
    states: dict[float, State] = {}
    frames = []
    state: State | None = None
    for week in range(weeks):
        gap = "exponential(mean=2.7h)" if change and week >= weeks // 2 else "exponential(mean=4h)"
        ledger = Ledger()
        state = play(shop(gap), Scenario.baseline(), horizon_h=WEEK, seed=REAL, replication=week,
                     ledger=ledger, state=state, save_at=WEEK).state
        assert state is not None
        states[WEEK * (week + 1)] = state
        frame = ledger.frame()
        if week:  # what was going on already
            frame = frame[frame["time"] > WEEK * week]
        for name in ("order", "shipment"):
            frame[name] = frame[name] + 100_000 * week * (frame[name] > 0)
        frames.append(frame)
    return Record(pd.concat(frames, ignore_index=True), shop()), states


def cases_of(model: Network, weeks: int = 45, *, change: bool = False, replications: int = 24,
             horizons: Sequence[float] = (WEEK,), first: int = 5,
             learned: Calibration | None = None) -> list[Case]:
    record, states = reality(weeks, change)

    def events(state: State, calibration: Calibration | None, horizon: float,
               replication: int) -> pd.DataFrame:
        ledger = Ledger()
        network = calibration.apply(model) if calibration else model
        play(network, Scenario.baseline(), horizon_h=horizon, state=state, ledger=ledger,
             seed=int(state.clock_h), replication=replication)
        return ledger.frame()

    origins = [WEEK * i for i in range(first, weeks - int(max(horizons) // WEEK) + 1)]
    return list(backtest(record, origins, horizons, state_at=states.__getitem__,
                         play=play_by(events, record.tally, replications),
                         calibrate_until=None if learned is None else lambda at: learned))


@pytest.fixture(scope="module")
def perfect() -> list[Case]:
    return cases_of(shop())


def cell(table: pd.DataFrame, kpi: str, column: str, place: str = "") -> float:
    rows = table[(table["kpi"] == kpi) & (table["place"] == place)]
    return float(rows[column].iloc[0])


@pytest.mark.long
def test_a_perfect_twin_holds_what_its_bands_say(perfect: list[Case]) -> None:
    """Forty weeks; each 80 % band holds 0.62 to 0.94 of them (99.9 % of binomials), bias none."""
    table = by_kpi([case for case in perfect if case.place == ""])
    assert {"demand", "otif", "on_hand", "lead_time"} <= set(table["kpi"])
    for row in table.itertuples():
        assert 0.58 <= row.cover_80 <= 0.97, row.kpi
        assert row.cover_50 == pytest.approx(0.5, abs=0.25), row.kpi
        assert row.cover_95 >= 0.82, row.kpi
        assert row.cover_80_low <= 0.8 <= row.cover_80_high, row.kpi
    pits = np.array([case.pit for case in perfect if case.place == ""])
    assert pits.mean() == pytest.approx(0.5, abs=0.08)


@pytest.mark.long
def test_a_perfect_twin_knows_more_than_the_past_alone(perfect: list[Case]) -> None:
    table = by_kpi([case for case in perfect if case.place == ""])
    for kpi in ("demand", "otif", "on_hand"):
        assert cell(table, kpi, "skill_last") > 0.1
        assert cell(table, kpi, "skill_past") > -0.1
    assert by_place(perfect).query("place == ''")["skill"].iloc[0] > -0.05


@pytest.mark.long
def test_a_twin_with_half_the_demand_is_found_out() -> None:
    table = by_kpi(cases_of(shop(gap="exponential(mean=8h)"), first=20, replications=12))
    assert cell(table, "demand", "cover_80") < 0.4
    assert cell(table, "demand", "bias_high") < 0.0
    assert cell(table, "demand", "skill_past") < 0.0
    assert cell(table, "demand", "cover_80_high") < 0.8


@pytest.mark.long
def test_learned_parameters_put_a_wrong_twin_right() -> None:
    learned = Calibration("may", rows=(
        Parameter("demand", "W,tea", "interarrival", value="exponential(mean=4h)"),))
    wrong = shop(gap="exponential(mean=8h)")
    table = by_kpi(cases_of(wrong, first=20, replications=12, learned=learned))
    assert cell(table, "demand", "cover_80") >= 0.58


@pytest.mark.long
def test_a_change_of_the_real_world_is_flagged_as_drift(perfect: list[Case]) -> None:
    def watch(what: str, pits: Sequence[float]) -> str:
        alarm = drift_of_pits(what, pits, rate=0.05, over=len(pits))
        return alarm.words if alarm else ""

    table = by_kpi(cases_of(shop(), change=True, replications=12), watch)
    said = table[(table["kpi"] == "demand") & (table["place"] == "W")]["drift"].iloc[0]
    assert said.startswith("demand at W, 7 d ahead has changed: values run higher since value ")
    since = int(said.split("since value ")[1].split(",")[0])
    assert 14 <= since <= 22  # the 18th origin is the first week of the change
    quiet = by_kpi(perfect, watch)
    assert (quiet["drift"] != "").sum() <= 1


def test_windows_that_overlap_count_once() -> None:
    cases = [Case("", "demand", 100.0 * i, 168.0, 1.0, np.arange(3.0)) for i in range(6)]
    assert apart(cases) == 3
    row = by_kpi(cases).iloc[0]
    assert (row["origins"], row["apart"]) == (6, 3)
    low, high = binomial(1.0, 3)
    assert (row["cover_95_low"], row["cover_95_high"]) == (pytest.approx(low), high)


def test_scores_of_one_case_by_hand() -> None:
    case = Case("W", "demand", 0.0, 168.0, 3.0, np.array([1.0, 2.0, 4.0]),
                {"last": np.array([5.0]), "past": np.array([1.0, 5.0])})
    assert case.crps == pytest.approx(1 / 3)
    assert case.naive_crps("last") == 2.0
    assert case.error == pytest.approx(-2 / 3)
    assert case.pinball(0.5) == 0.5
    assert 0.5 <= case.pit <= 0.75
    row = by_kpi([case]).iloc[0]
    assert row["skill_last"] == pytest.approx(1 - 1 / 6, abs=0.005)
    assert np.isnan(row["skill_season"])


def test_windows_count_what_happened_in_them_and_the_stock_at_their_start() -> None:
    rows = pd.DataFrame({
        "time": [1.0, 20.0, 30.0, 40.0], "event": ["ordering", "picking", "ordering", "delivering"],
        "site": "W", "product": "tea", "quantity": [2.0, 6.0, 3.0, 3.0], "order": [1, 0, 2, 2],
        "role": ["customer", "", "customer", ""]})
    record = Record(rows, shop())
    window = record.window(24.0, 48.0)
    assert window.total("orders") == 1.0
    assert window.total("on_hand_time") == 10.0 * 24.0
    assert record.window(0.0, 24.0).total("on_hand_time") == 16.0 * 20.0 + 10.0 * 4.0
    assert record.tally(rows, 24.0, 48.0).sums == window.sums


def test_an_origin_too_late_is_refused() -> None:
    record = Record(pd.DataFrame({"time": [700.0], "event": "ordering"}), shop())
    with pytest.raises(ValueError, match="origin 21 d with a horizon of 28 d ends after"):
        list(backtest(record, [3 * WEEK], [4 * WEEK], state_at=lambda at: State("tea", at),
                      play=lambda *_: []))
