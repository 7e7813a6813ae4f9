"""When to stop adding replications, and how much of a run to drop."""

from __future__ import annotations

import numpy as np
import pytest

from twin.measure import enough, more_needed, warmup
from twin.measure.intervals import student
from twin.measure.truncation import mser
from twin.tally import Tally


def run(i: int, made: float, lost: float = 0.0) -> Tally:
    return Tally("baseline", i, 0.0, 24.0, {
        ("units_made", "P", "A", ""): made, ("units_ordered", "C", "A", ""): 1000.0,
        ("units_lost", "C", "A", ""): lost})


def test_enough_looks_at_every_setting() -> None:
    steady = [run(i, 100 + i / 10) for i in range(6)]
    wild = [run(i, 100 + 20 * (i % 2)) for i in range(6)]
    assert enough({"baseline": steady}, 0.02)
    assert not enough({"baseline": steady, "spike": wild}, 0.02)


def test_shares_near_zero_are_held_to_the_precision_itself() -> None:
    runs = {"baseline": [run(i, 100.0, lost=i % 2) for i in range(6)]}
    assert enough(runs, 0.02)  # 0.05 % lost, give or take 0.06 %


def test_one_replication_is_never_enough() -> None:
    assert not enough({"baseline": [run(0, 100.0)]}, 0.5)
    assert more_needed({"baseline": [run(0, 100.0)]}, 0.5) == 4


def test_more_needed_leads_to_the_precision() -> None:
    made = np.random.default_rng(1).normal(100, 8, 2000)
    runs = [run(i, x) for i, x in enumerate(made)]
    n = 10
    while not enough({"baseline": runs[:n]}, 0.01):
        n += more_needed({"baseline": runs[:n]}, 0.01)
    assert student(made[:n]).half_width <= 0.01 * made[:n].mean()
    assert 150 < n < 450  # about (1.96 * 8 / 1)^2 = 246


def test_precision_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"precision 0.0 can never be reached. Write 0.02"):
        enough({"baseline": [run(0, 1.0)]}, 0.0)


def test_warmup_is_the_longest_that_any_measure_asks_for() -> None:
    day = np.arange(400)
    rng = np.random.default_rng(3)

    def pilot(i: int) -> Tally:
        slow = 40 * np.exp(-day / 12) + rng.normal(10, 1, 400)
        flat = rng.normal(5, 1, 400)
        return Tally("baseline", i, 0.0, 9600.0, {}, day * 24.0,
                     {("wip", "P1", "", ""): slow, ("on_hand", "W", "A", ""): flat})

    found = warmup([pilot(i) for i in range(5)])
    assert found.settled
    assert found.hours == found.by_measure["wip"]
    assert 30 * 24 <= found.hours <= 150 * 24
    assert found.by_measure["on_hand"] < found.hours


def test_a_series_that_never_settles_says_so() -> None:
    assert not mser(np.arange(200.0)).settled
    assert mser(np.full(200, 7.0)).settled


def test_a_short_series_is_refused() -> None:
    with pytest.raises(ValueError, match=r"12 observations make 2 batches of 5. Give at least 20"):
        mser(np.zeros(12))
