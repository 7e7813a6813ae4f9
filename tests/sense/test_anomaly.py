"""What is strange in one signal, and in several together."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.sense.anomaly import SignalWatch
from twin.sense.cusum import Cusum
from twin.sense.debounce import Debounce
from twin.sense.kalman import LocalLevel
from twin.sense.moving_median import MovingMedian
from twin.sense.rhythm import Rhythm
from twin.sense.signature import Signature


def scores(values: list[float], pause: float = 300.0) -> list[float]:
    watch, found = SignalWatch(), []
    for place, value in enumerate(values):
        watch.update((pause * place, value))
        found.append(watch.get().score)
    return found


def test_noise_is_not_strange() -> None:
    rng = random.Random(1)
    found = scores([rng.gauss(20.0, 1.0) for _ in range(5000)])
    assert sum(score >= 1.0 for score in found) <= 5


def test_a_constant_signal_is_never_strange() -> None:
    assert max(scores([5.0] * 1000)) == 0.0


def test_a_spike_and_a_shift_are_told_apart() -> None:
    rng = random.Random(2)
    values = [rng.gauss(20.0, 1.0) for _ in range(2000)]
    watch = SignalWatch()
    for place, value in enumerate(values):
        watch.update((300.0 * place, value))
    watch.update((300.0 * 2000, 30.0))
    assert watch.get().what == "a value far from its expectation"
    for place in range(2001, 2120):
        watch.update((300.0 * place, rng.gauss(22.0, 1.0)))
    assert watch.get().shift > 1.0
    assert watch.get().what == "a spell far from the long run"


@given(st.floats(0.01, 1000.0), st.floats(-1000.0, 1000.0))
def test_the_unit_of_a_signal_does_not_matter(scale: float, offset: float) -> None:
    rng = random.Random(3)
    values = [rng.gauss(0.0, 1.0) + 8.0 * (place == 300) for place in range(320)]
    moved = scores([offset + scale * value for value in values])
    assert moved[300] == pytest.approx(scores(values)[300], rel=1e-4)


def test_a_daily_rhythm_makes_a_missing_peak_strange() -> None:
    rng = random.Random(4)

    def value(step: int) -> float:
        peak = 10.0 if 20 <= step % 48 < 30 else 0.0
        return (0.0 if step >= 20 * 48 else peak) + rng.gauss(0.0, 0.5)

    found = scores([value(step) for step in range(21 * 48)], pause=1800.0)
    assert max(found[10 * 48:20 * 48 + 20]) < 1.0
    assert max(found[20 * 48 + 20:20 * 48 + 30]) > 1.0


def test_a_weekly_rhythm_is_preferred_where_it_foretells_better() -> None:
    rhythm = Rhythm()
    for step in range(48 * 7 * 6):
        weekend = step // 48 % 7 >= 5
        rhythm.update((1800.0 * step, 0.0 if weekend else 10.0 * (step % 2)))
    friday, saturday = 1800.0 * (48 * 7 * 6 + 4 * 48 + 1), 1800.0 * (48 * 7 * 6 + 5 * 48 + 1)
    assert (round(rhythm.expect(friday), 3), round(rhythm.expect(saturday), 3)) == (10.0, 0.0)
    assert math.isnan(Rhythm().expect(0.0))


# ---- the parts ----


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 20))
def test_a_moving_median_is_the_median_of_the_last(values: list[float], window: int) -> None:
    moving = MovingMedian(window)
    for value in values:
        moving.update(value)
    last = np.array(values[-window:])
    assert moving.get().median == pytest.approx(float(np.median(last)), abs=1e-9)
    mad = float(np.median(np.abs(last - np.median(last))))
    assert moving.get().sd == pytest.approx(mad / 0.6744897501960817, abs=1e-6)
    assert moving.median == moving.get().median
    assert [moving.last(back) for back in range(len(last))] == values[-window:][::-1]


def test_a_debounced_flapping_value_begins_once() -> None:
    alarm, begun = Debounce(m=3, n=5, clear=0.9), 0
    for place in range(1000):
        before = alarm.get()
        alarm.update(1.05 if place % 2 else 0.95)
        begun += alarm.get() and not before
    assert begun == 1
    with pytest.raises(ValueError, match="m 6 of n 5 cannot be"):
        Debounce(m=6, n=5)


@given(st.lists(st.floats(0.0, 2.0), max_size=80))
def test_a_debounce_is_on_only_after_m_of_n_and_off_only_after_calm(values: list[float]) -> None:
    alarm = Debounce(m=2, n=4, clear=0.8, calm=3)
    for place, value in enumerate(values):
        before = alarm.get()
        alarm.update(value)
        if alarm.get() and not before:
            assert sum(one >= 1.0 for one in values[max(0, place - 3):place + 1]) >= 2
        if before and not alarm.get():
            assert all(one < 0.8 for one in values[place - 2:place + 1])


def test_a_cusum_says_when_the_change_began() -> None:
    cusum = Cusum()
    for value in [-0.4, 0.3, -0.2, 0.1, -1.0] + [1.5] * 6:
        cusum.update(value)
    assert (cusum.get().alarm, cusum.get().began) == (True, 5)
    cusum.restart()
    assert cusum.get().size == 0.0


def test_a_level_that_was_not_heard_grows_uncertain() -> None:
    level = LocalLevel(noise=1.0, step=0.5)
    for value in (10.0, math.nan, math.nan):
        level.update(value)
    assert (level.get().mean, level.get().variance) == (10.0, 2.0)
    level.update(14.0)
    assert level.get().surprise == pytest.approx(4.0 / math.sqrt(3.5))


# ---- several signals ----


def machine(n: int, seed: int = 5) -> np.ndarray:
    """Flow and pressure go together, an oil temperature wanders."""
    rng = np.random.default_rng(seed)
    load = rng.normal(size=n)
    oil = 60.0 + np.cumsum(rng.normal(scale=0.05, size=n))
    return np.column_stack([30 + load + 0.1 * rng.normal(size=n),
                            2 + 0.2 * load + 0.02 * rng.normal(size=n), oil])


def departures(rows: np.ndarray) -> list[float]:
    signature, found = Signature(learning=400), []
    for row in rows:
        signature.update(tuple(row))
        found.append(signature.get().score)
    return found


def test_a_healthy_machine_keeps_its_signature_although_its_oil_wanders() -> None:
    assert np.mean(np.array(departures(machine(1200))[400:]) >= 1.0) < 0.05


def test_signals_that_part_ways_are_found_though_each_is_in_its_range() -> None:
    rows = machine(800)
    rows[600:, 1] -= 0.3  # less pressure than goes with the flow: 1.5 of its own deviations
    found = departures(rows)
    assert np.mean(np.array(found[620:]) >= 1.0) > 0.95
    assert np.mean(np.array(found[400:600]) >= 1.0) < 0.05


def test_a_fault_does_not_become_the_rule() -> None:
    rows = machine(3000)
    rows[600:, 0] += 8.0
    assert min(departures(rows)[640:]) > 1.0


def test_signals_of_no_width_and_gaps_are_borne() -> None:
    signature = Signature(learning=40)
    for place in range(100):
        signature.update((5.0, math.nan if place % 3 else float(place % 4)))
    assert signature.get().learnt
    assert math.isfinite(signature.get().score)
    with pytest.raises(ValueError, match="learning 10 is too short"):
        Signature(learning=10)
