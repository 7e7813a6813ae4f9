"""Comparisons: paired, corrected together, and verdicts that never contradict their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.measure import worlds
from twin.measure import compare
from twin.measure.comparison import COLUMNS, NO_EFFECT
from twin.measure.intervals import dunnett, false_coverage_level, holm, paired, student
from twin.tally import Tally


def run(name: str, i: int, at_once: float, made: float = 10.0) -> Tally:
    return Tally(name, i, 0.0, 24.0, {("units_ordered", "C", "A", ""): 100.0,
                                      ("units_at_once", "C", "A", ""): at_once,
                                      ("units_made", "P", "A", ""): made})


def row(table: pd.DataFrame, scenario: str, kpi: str, place: str = "") -> pd.Series:
    found = table[(table["scenario"] == scenario) & (table["kpi"] == kpi)
                  & (table["place"] == place) & (table["product"] == "")]
    assert len(found) == 1
    return found.iloc[0]


def test_the_table_begins_with_the_columns_of_kpis_csv() -> None:
    table = compare({"baseline": [run("baseline", i, 90.0) for i in range(2)]}, "baseline")
    assert tuple(table.columns) == COLUMNS
    assert COLUMNS[:13] == (
        "model", "scenario", "settings", "kpi", "unit", "mean", "low", "high", "difference",
        "difference_low", "difference_high", "verdict", "replications")


def test_means_and_paired_differences() -> None:
    base, other = [90.0, 80.0, 70.0, 84.0], [85.0, 77.0, 66.0, 78.0]
    table = compare({"baseline": [run("baseline", i, x) for i, x in enumerate(base)],
                     "spike": [run("spike", i, x) for i, x in enumerate(other)]},
                    "baseline", correction="none", model="shop")
    found = row(table, "spike", "fill_rate")
    alone = student(np.array(other) / 100)
    pair = paired(np.array(other) / 100, np.array(base) / 100)
    assert found[["mean", "low", "high"]].tolist() == pytest.approx(
        [alone.mean, alone.low, alone.high])
    assert found[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx(
        [pair.mean, pair.low, pair.high])
    assert found["verdict"] == "worse"
    assert found["model"] == "shop"
    assert row(table, "baseline", "fill_rate")["verdict"] == ""


def test_headlines_are_judged_together() -> None:
    """Two settings by two KPIs that move: each interval at a quarter of 5 %."""
    luck = np.random.default_rng(1).normal(0, 1, (3, 8))
    runs = {name: [run(name, i, 80 + luck[j, i], 10 + luck[j, i] / 5) for i in range(8)]
            for j, name in enumerate(("baseline", "a", "b"))}
    found = row(compare(runs, "baseline"), "a", "fill_rate")
    pair = paired((80 + luck[1]) / 100, (80 + luck[0]) / 100, 1 - 0.05 / 4)
    assert found["difference_low"] == pytest.approx(pair.low)
    assert found["difference_high"] == pytest.approx(pair.high)


def test_a_difference_without_spread_is_exact() -> None:
    table = compare({"baseline": [run("baseline", i, 90.0 + i) for i in range(3)],
                     "same": [run("same", i, 90.0 + i) for i in range(3)],
                     "plus": [run("plus", i, 92.0 + i) for i in range(3)]}, "baseline")
    same, plus = row(table, "same", "fill_rate"), row(table, "plus", "fill_rate")
    assert same[["difference", "difference_low", "difference_high"]].tolist() == [0.0, 0.0, 0.0]
    assert same["verdict"] == NO_EFFECT
    assert pd.isna(same["replications_for_verdict"])
    assert plus["difference_low"] == plus["difference_high"] == pytest.approx(0.02)
    assert plus["verdict"] == "better"
    assert plus["replications_for_verdict"] == 0


def test_one_replication_gives_no_interval_and_no_verdict() -> None:
    table = compare({"baseline": [run("baseline", 0, 90.0)], "a": [run("a", 0, 10.0)]}, "baseline")
    found = row(table, "a", "fill_rate")
    assert np.isnan(found["low"])
    assert np.isnan(found["difference_low"])
    assert found["verdict"] == NO_EFFECT


def test_how_many_more_replications_a_verdict_needs() -> None:
    rng = np.random.default_rng(5)
    base, other = rng.normal(50, 5, 10), rng.normal(50, 5, 10) + 1.5
    table = compare({"baseline": [run("baseline", i, x) for i, x in enumerate(base)],
                     "a": [run("a", i, x) for i, x in enumerate(other)]},
                    "baseline", correction="none")
    found = row(table, "a", "fill_rate")
    assert found["verdict"] == NO_EFFECT
    gap = other - base
    n = 10 + int(found["replications_for_verdict"])

    def shows(n: int) -> bool:
        return bool(stats.t.ppf(0.975, n - 1) * gap.std(ddof=1) / n**0.5 < abs(gap.mean()))

    assert shows(n)
    assert not shows(n - 1)


def test_a_kpi_that_one_run_lacks_is_compared_on_the_other_pairs() -> None:
    runs = {"baseline": [run("baseline", i, 90.0) for i in range(3)],
            "a": [run("a", i, 80.0 + i) for i in range(3)]}
    runs["a"][0].sums.pop(("units_ordered", "C", "A", ""))
    found = row(compare(runs, "baseline"), "a", "fill_rate")
    assert found["replications"] == 2
    assert found["difference"] == pytest.approx((-0.09 - 0.08) / 2)


def test_neutral_kpis_are_higher_or_lower() -> None:
    runs = {name: [Tally(name, i, 0.0, 24.0, {("units_ordered", "C", "A", ""): x})
                   for i in range(3)] for name, x in (("baseline", 10.0), ("a", 12.0))}
    assert row(compare(runs, "baseline"), "a", "demand")["verdict"] == "higher"


def test_settings_are_told_from_scenarios() -> None:
    label = "spike events.spike.factor=1.2"
    runs = {"baseline": [run("baseline", 0, 9.0)], label: [run("spike", 0, 8.0)]}
    table = compare(runs, "baseline")
    assert table[["scenario", "settings"]].drop_duplicates().values.tolist() == [
        ["baseline", ""], ["spike", "events.spike.factor=1.2"]]


def test_money_is_in_the_currency_of_the_network() -> None:
    runs = {"baseline": [worlds.run("baseline", 0)]}
    table = compare(runs, "baseline", network=worlds.network())
    assert row(table, "baseline", "total_cost")["unit"] == "EUR/d"


@pytest.mark.parametrize(("change", "message"), [
    ({"baseline": "other"}, "baseline 'other' is not among the settings"),
    ({"confidence": 95.0}, "confidence 95.0 is not a share"),
    ({"correction": "magic"}, "correction 'magic' is not known"),
])
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    arguments = {"baseline": "baseline"} | change
    with pytest.raises(ValueError, match=message):
        compare({"baseline": [run("baseline", 0, 1.0)]}, **arguments)  # type: ignore[arg-type]


def test_unlike_replications_are_refused() -> None:
    with pytest.raises(ValueError, match=r"setting 'a' has replications \[1\], the baseline \[0\]"):
        compare({"baseline": [run("baseline", 0, 1.0)], "a": [run("a", 1, 1.0)]}, "baseline")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), spread=st.sampled_from([0.0, 1e-9, 1.0]),
       shift=st.sampled_from([0.0, 0.1, 5.0]),
       correction=st.sampled_from(["bonferroni", "holm", "none"]))
def test_verdict_and_interval_never_contradict(seed: int, n: int, spread: float, shift: float,
                                               correction: str) -> None:
    rng = np.random.default_rng(seed)
    runs = {name: [run(name, i, 50 + k * shift + spread * rng.normal(), 9 + spread * rng.normal())
                   for i in range(n)] for k, name in enumerate(("baseline", "a", "b", "c"))}
    table = compare(runs, "baseline", correction=correction)
    table = table[table["scenario"] != "baseline"]
    leaves_out_zero = (table["difference_low"] > 0) | (table["difference_high"] < 0)
    assert ((table["verdict"] != NO_EFFECT) == leaves_out_zero).all()
    with_interval = table.dropna(subset=["difference_low"])
    assert (with_interval["difference_low"] <= with_interval["difference"]).all()
    assert (with_interval["difference"] <= with_interval["difference_high"]).all()
    assert table["replications_for_verdict"].isna().eq(
        (table["difference"] == 0) | (table["replications"] < 2)).all()


@pytest.mark.long
def test_verdicts_of_nothing_are_rarely_wins() -> None:
    """A hundred comparisons of 3 settings that do nothing: about one in twenty may show a win."""
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(100):
        runs = {name: [run(name, i, 50 + rng.normal(), 9 + rng.normal()) for i in range(6)]
                for name in ("baseline", "a", "b", "c")}
        table = compare(runs, "baseline")
        head = table[(table["place"] == "") & (table["product"] == "")]
        wrong += bool(head["verdict"].isin(["better", "worse"]).any())
    assert wrong <= stats.binom.ppf(0.9999, 100, 0.05)


def test_holm_and_dunnett_agree_with_their_definitions() -> None:
    assert holm([0.2, 0.01, 0.02]).tolist() == pytest.approx([0.2, 0.03, 0.04])
    rng = np.random.default_rng(4)
    control, treated = rng.normal(0, 1, 20), rng.normal(0, 1, 20)
    joint = dunnett([treated], control)[0]
    alone = stats.ttest_ind(treated, control).confidence_interval(0.95)
    assert [joint.low, joint.high] == pytest.approx([alone.low, alone.high], abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_coverage_level_calls_what_benjamini_and_hochberg_call(p: list[float]) -> None:
    level = false_coverage_level(p, 0.05)
    called = stats.false_discovery_control(p) <= 0.05 * (1 + 1e-12)
    assert int((np.array(p) <= level).sum()) == int(called.sum())
