"""How far a sensor is trusted, and why."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.readings import Reading
from twin.sense.frozen import Frozen
from twin.sense.gaps import Gaps
from twin.sense.quality import Quality, Trust, quality_of
from twin.sense.spikes import Spikes

NOISE = random.Random(4)


def minute(number: int, value: float | None = None, **said: object) -> Reading:
    value = 4.0 + 0.1 * ((number * 7) % 11) if value is None else value
    return Reading(sensor="t1", id=str(number), time=60.0 * number, kind="temperature", site="W",
                   value=value, **said)  # type: ignore[arg-type]


def scored(readings: list[Reading], interval: float = 60.0) -> Trust:
    quality = Quality(interval)
    for reading in readings:
        quality.update(reading)
    return quality.get()


def test_a_flawless_sensor() -> None:
    trust = scored([minute(k) for k in range(500)])
    assert (trust.score, trust.reasons, trust.readings) == (1.0, {}, 500)
    assert trust.why == "nothing to object to"


def test_a_gap_costs_its_share() -> None:
    trust = scored([minute(k) for k in range(100) if not 40 <= k < 60])
    assert trust.reasons == {"gap": 0.2}
    assert trust.score == pytest.approx(0.8)


def test_without_an_interval_it_is_learnt() -> None:
    assert scored([minute(k) for k in range(100) if not 40 <= k < 60], 0.0).reasons == {"gap": 0.2}


def test_a_frozen_value() -> None:
    trust = scored([minute(k, 4.3 if 50 <= k < 90 else None) for k in range(200)])
    assert trust.reasons["frozen"] == pytest.approx(0.2, abs=0.01)


def test_a_door_that_stays_closed_is_not_frozen() -> None:
    trust = scored([minute(k, float(k % 97 == 5)) for k in range(900)])
    assert "frozen" not in trust.reasons


def test_a_value_that_was_never_seen_to_change_is_not_called_frozen() -> None:
    assert scored([minute(k, 4.0) for k in range(300)]).score == 1.0


def test_spikes_are_counted_and_steps_are_not() -> None:
    readings = [minute(k, 85.0 if k in (30, 70) else None) for k in range(100)]
    readings += [minute(k, 20.0 + 0.1 * (k % 5)) for k in range(100, 200)]
    assert scored(readings).reasons == {"spike": 0.01}


def test_duplicates_and_disorder_cost_little() -> None:
    readings = [minute(k) for k in range(100)]
    trust = scored([reading for pair in zip(readings[1::2], readings[::2], strict=True)
                    for reading in pair] + readings[90:])
    assert trust.reasons == {"disorder": 0.5, "duplicate": 0.1}
    assert trust.score == pytest.approx((1 - 0.2 * 0.5) * (1 - 0.2 * 0.1))
    assert trust.readings == 100


def test_a_fast_clock_and_what_the_sensor_says_itself() -> None:
    readings = [minute(k, recorded=60.0 * k - 600.0 * (k < 10), quality="bad" if k >= 90 else "")
                for k in range(100)]
    assert scored(readings).reasons == {"bad": 0.1, "ahead": 0.1}


def test_refused_readings_count() -> None:
    quality = Quality(60.0)
    for k in range(90):
        quality.update(minute(k))
    for k in range(10):
        quality.quarantined(60.0 * k)
    assert quality.get().reasons == {"quarantine": 0.1}


def test_old_days_are_forgotten() -> None:
    quality = Quality(60.0, days=2)
    for k in range(5 * 1440):
        if k >= 1440 or k % 2:
            quality.update(minute(k))
    assert quality.get().reasons == {}
    assert quality.get().readings == 2 * 1440


def test_two_listeners_merge_to_what_one_would_have_counted() -> None:
    days = [minute(k) for k in range(2880) if not 400 <= k < 700]
    one, other = Quality(60.0), Quality(60.0)
    for reading in days:
        (one if reading.time < 86_400 else other).update(reading)
    one.merge(other)
    whole = scored(days)
    assert one.get().reasons == pytest.approx(whole.reasons)
    assert one.get().readings == whole.readings


@given(st.randoms(use_true_random=False), st.integers(0, 60))
def test_recorded_readings_give_one_score_in_any_order(rng: random.Random, again: int) -> None:
    readings = [minute(k, 99.0 if k == 77 else None) for k in range(150) if k % 13]
    shuffled = readings + readings[:again]
    rng.shuffle(shuffled)
    assert quality_of(shuffled, 60.0) == quality_of(readings, 60.0)


@given(st.permutations(range(30)))
def test_disorder_within_the_waiting_line_changes_no_other_reason(order: list[int]) -> None:
    readings = [minute(k, 99.0 if k == 20 else None) for k in range(200)]
    mixed = [readings[100 + k] for k in order]
    trust = scored([*readings[:100], *mixed, *readings[130:]])
    straight = scored(readings)
    assert {k: v for k, v in trust.reasons.items() if k != "disorder"} == straight.reasons


def test_the_parts_alone() -> None:
    gaps, frozen, spikes = Gaps(60.0), Frozen(), Spikes()
    for time in (0.0, 60.0, 60.0, 30.0, 360.0):
        gaps.update(time)
    assert gaps.get() == 4  # 60 to 360 lacks four; going back is no gap
    for value in [float(k % 5) for k in range(30)] + [2.5] * 9 + [1.0]:
        frozen.update(value)
    assert frozen.get() == 0  # nine in a row are fewer than ten
    for value in [5.0] * 30:
        spikes.update(value)
    assert spikes.get() == 0
