"""Luck and ignorance: the split of a spread, its intervals, and what is worth more data."""

from __future__ import annotations

import numpy as np
import pytest

from twin.measure.ignorance import Luck, moments, nested
from twin.measure.intervals import student
from twin.measure.worth import worth, worth_table
from twin.tally import Tally


def rows(rng: np.random.Generator, many: int, draws: int, each: int, ignorance: float,
         ) -> tuple[np.ndarray, list[int], np.ndarray]:
    """Results of `many` experiments with luck of sd 1, their draws, and true expected results."""
    among = rng.normal(0.0, ignorance, (many, draws))
    values = np.repeat(among, each, axis=1) + rng.normal(0.0, 1.0, (many, draws * each))
    return values, np.repeat(np.arange(draws), each).tolist(), rng.normal(0.0, ignorance, many)


def test_luck_alone_is_students_interval() -> None:
    values = np.array([[3.0, 5.0, 4.0, 8.0], [1.0, np.nan, 2.0, np.nan]])
    half = Luck(*moments(values)).half_width(np.full(2, 0.1))
    assert half[0] == pytest.approx(student(values[0], 0.9).half_width)
    assert half[1] == pytest.approx(student([1.0, 2.0], 0.9).half_width)


def test_mean_squares_of_a_small_table() -> None:
    """Three draws of two: between mean square 200, within 2, by hand."""
    found = nested(np.array([[10.0, 12.0, 20.0, 22.0, 30.0, 32.0]]), [0, 0, 1, 1, 2, 2])
    assert (found.between.item(), found.within.item()) == (200.0, 2.0)
    assert found.ignorance.item() == 99.0
    assert found.reliability.item() == pytest.approx(0.99)


def test_draws_of_unequal_numbers() -> None:
    """Groups of 2, 2 and 1: n0 = (5 - 9/5) / 2."""
    found = nested(np.array([[1.0, 3.0, 5.0, 7.0, 9.0, np.nan]]), [0, 0, 1, 1, 2, 2])
    assert found.size.item() == pytest.approx(1.6)
    assert found.within.item() == pytest.approx(2.0)
    assert found.between.item() == pytest.approx((2 * 9 + 2 * 1 + 1 * 16) / 2)


@pytest.mark.long
@pytest.mark.parametrize(("draws", "each", "ignorance"), [
    (5, 2, 1.0), (15, 2, 0.0), (15, 2, 0.3), (15, 2, 3.0), (40, 5, 0.5)])
def test_intervals_hold_the_true_result_as_often_as_they_say(draws: int, each: int,
                                                             ignorance: float) -> None:
    """With few draws and little ignorance they may hold it more often, never much less."""
    values, at, truth = rows(np.random.default_rng(3), 3000, draws, each, ignorance)
    found = nested(values, at)
    held = np.abs(found.mean - truth) <= found.half_width(np.full(3000, 0.05))
    assert 0.93 <= held.mean() <= (1.0 if ignorance < 1 else 0.965)


def test_luck_alone_would_hold_it_too_seldom() -> None:
    values, _, truth = rows(np.random.default_rng(3), 2000, 15, 2, 1.0)
    luck = Luck(*moments(values))
    assert (np.abs(luck.mean - truth) <= luck.half_width(np.full(2000, 0.05))).mean() < 0.5


def test_the_share_of_ignorance_has_an_honest_interval() -> None:
    values, at, _ = rows(np.random.default_rng(4), 3000, 15, 2, 0.5)
    true = 0.25 * (1 + 1 / 15) / (0.25 * (1 + 1 / 15) + 1 / 30)
    low, high = nested(values, at).share_bounds()
    assert 0.93 <= ((low <= true) & (true <= high)).mean() <= 0.97


def test_p_and_interval_agree() -> None:
    values, at, _ = rows(np.random.default_rng(5), 50, 8, 3, 0.7)
    found = nested(values + 1.0, at)
    shown = found.half_width(np.full(50, 0.05)) < np.abs(found.mean)
    assert (shown == (found.p() < 0.05)).all()
    assert 0 < shown.sum() < 50
    more = found.more(np.full(50, 0.05))
    assert (more[shown] == 0).all()
    assert (more[~shown] > 0).all()


def test_nothing_varies() -> None:
    found = nested(np.array([[2.0] * 4, [0.0] * 4]), [0, 0, 1, 1])
    assert found.half_width(np.full(2, 0.05)).tolist() == [0.0, 0.0]
    assert found.p().tolist() == [0.0, 1.0]


def test_one_draw_or_one_result_a_draw_tells_nothing() -> None:
    values = np.array([[1.0, 2.0, 4.0]])
    for draws in ([0, 0, 0], [0, 1, 2]):
        assert np.isnan(nested(values, draws).half_width(np.array([0.05]))).all()


def test_worth_of_parameters_with_known_indices() -> None:
    """y = 3 a + 1 b + luck: first-order indices 0.9 and 0.1, c none; averaged over 60 studies."""
    rng = np.random.default_rng(6)
    shares, hits = [], 0
    for _ in range(60):
        a, b, c = rng.normal(size=(3, 100))
        luck = rng.normal(0, 1.0, 100)
        found = {one.parameter: one for one in worth(
            3 * a + b + luck, {"a": a, "b": b, "c": c}, reliability=10 / 11)}
        shares.append([found[name].share for name in "abc"])
        hits += found["a"].low <= 0.9 <= found["a"].high
    assert np.mean(shares, axis=0) == pytest.approx([0.9, 0.1, 0.0], abs=0.04)
    assert hits >= 50


def test_no_parameter_is_called_by_luck() -> None:
    """Of 200 studies of 50 parameters that do nothing, about one in twenty calls one."""
    rng = np.random.default_rng(7)
    called = sum(any(one.shown for one in worth(
        rng.normal(size=20), {f"p{i}": rng.normal(size=20) for i in range(50)}))
        for _ in range(200))
    assert called <= 20


def test_too_few_draws_say_nothing() -> None:
    assert worth(np.arange(4.0), {"a": np.arange(4.0)}) == []


def test_the_table_names_the_parameter_that_moves_a_kpi() -> None:
    rng = np.random.default_rng(8)
    rates = rng.normal(100.0, 10.0, 12)
    draws = [i // 2 for i in range(24)]
    runs = [Tally("baseline", i, 0.0, 24.0, {("units_made", "P", "A", ""): rates[draws[i]]
                                             + rng.normal()}) for i in range(24)]
    table = worth_table({"baseline": runs}, draws, {"rate": rates.tolist(), "idle": [1.0] * 12,
                                                    "other": rng.normal(size=12).tolist()})
    best = table[(table["kpi"] == "throughput") & (table["rank"] == 1)].iloc[0]
    assert (best["parameter"], bool(best["shown"])) == ("rate", True)
    assert "idle" not in set(table["parameter"])
