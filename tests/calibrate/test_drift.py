"""Drift: the stated rate of false alarms holds, changes are found, and when they were."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from twin.calibrate.drift import _FLAT, Drift, DriftAlarm, Ranks, drift_of, drift_of_pits

Stream = Callable[[np.random.Generator, int], np.ndarray]

QUIET: dict[str, Stream] = {
    "normal": lambda rng, n: rng.normal(5, 2, n),
    "lognormal": lambda rng, n: rng.lognormal(0, 1.5, n),
    "counts": lambda rng, n: rng.poisson(1.3, n).astype(float),
}


def test_bets_are_fair() -> None:
    """Each is a density: it wins one on average from a uniform p."""
    p = (np.arange(400_000) + 0.5) / 400_000
    for _, a, b, constant in _FLAT:
        assert np.exp(constant + (a - 1) * np.log(p) + (b - 1) * np.log1p(-p)).mean() == (
            pytest.approx(1.0, abs=0.03))


@pytest.mark.parametrize("law", [
    pytest.param(law, marks=[] if law == "normal" else pytest.mark.long) for law in QUIET])
def test_of_200_quiet_streams_at_most_the_stated_share_raises_an_alarm(law: str) -> None:
    """At most 5 % of streams of 400 values; the 99.9 % bound of a binomial is 19 of 200."""
    alarms = sum(
        drift_of(f"stream {i}", QUIET[law](np.random.default_rng([11, i]), 400),
                 reference=QUIET[law](np.random.default_rng([12, i]), 50), rate=0.05,
                 over=400) is not None
        for i in range(200))
    assert alarms <= 19


@pytest.mark.parametrize(("kind", "later"), [
    ("higher", lambda rng, n: rng.normal(7, 2, n)),
    ("lower", lambda rng, n: rng.normal(3, 2, n)),
    ("more spread", lambda rng, n: rng.normal(5, 6, n)),
    ("less spread", lambda rng, n: rng.normal(5, 0.4, n)),
])
def test_a_change_is_found_and_named(kind: str, later: Stream) -> None:
    """Of one standard deviation (or a factor of the spread), after 100 values, 100 more to tell."""
    found: list[DriftAlarm] = []
    for i in range(40):
        rng = np.random.default_rng([13, i])
        alarm = drift_of("x", np.concatenate([rng.normal(5, 2, 100), later(rng, 100)]),
                         reference=rng.normal(5, 2, 100))
        if alarm is not None and alarm.at >= 100:
            found.append(alarm)
    assert len(found) >= 34
    assert np.mean([alarm.kind == kind for alarm in found]) >= 0.8
    assert abs(np.median([alarm.since for alarm in found]) - 100) <= 15


def test_wrong_forecasts_are_found_and_right_ones_are_not() -> None:
    rng = np.random.default_rng(14)
    assert drift_of_pits("fill_rate at W", rng.random(500)) is None
    alarm = drift_of_pits("fill_rate at W", np.concatenate([rng.random(100), rng.beta(3, 1, 80)]))
    assert alarm is not None
    assert alarm.kind == "higher"
    assert "Fit it again from there on." in alarm.words


def test_an_alarm_stays() -> None:
    watch = Drift("x", rate=0.1, over=50)
    for _ in range(60):
        watch.update(0.999)
    first = watch.get()
    for _ in range(10):
        watch.update(0.5)
    assert watch.get() == first


def test_ties_are_broken_evenly() -> None:
    ranks = Ranks("ties", [0.0] * 50)
    p = [ranks.p(0.0) for _ in range(2000)]
    assert np.mean(p) == pytest.approx(0.5, abs=0.03)
    assert np.quantile(p, [0.1, 0.9]) == pytest.approx([0.1, 0.9], abs=0.04)


def test_an_impossible_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="rate 0 over 10 values is impossible"):
        Drift("x", rate=0, over=10)
