"""Laws of times: families, censoring, truncation, what is no smooth law; coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell
from twin.calibrate.laws import FAMILIES
from twin.calibrate.likelihood import Observed, likelihoods, maximise
from twin.calibrate.outliers import outliers
from twin.calibrate.sample import Batch
from twin.calibrate.wording import wording
from twin.quantity import parse_quantity


def values(text, n, rng):
    """Draws of a law by its own inverse, where it has one."""
    law = parse_quantity(text, True)
    u = rng.random(n)
    if law.kind in FAMILIES:
        family = FAMILIES[law.kind]
        return family.inverse(np.repeat(family.free(law)[:, None], n, axis=1), u)
    if law.kind == "uniform":
        return law.get("low") + u * (law.get("high") - law.get("low"))
    if law.kind == "triangular":
        width = law.get("high") - law.get("low")
        return stats.triang.ppf(u, (law.get("mode") - law.get("low")) / width, law.get("low"),
                                width)
    return rng.choice(law.values, n, p=law.weights)


def learned(text, count, n, *, planned=None, longest=None, seed=1):
    """What `count` streams of `n` values say; with `longest`, censored by exponential horizons."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        one = Distribution(Cell("lanes", f"A,B{number},sea", "transit",
                                text if planned is None else planned))
        value = values(text, n, rng)
        until = np.inf if longest is None else rng.exponential(longest, n)
        one.update(Batch.of(np.arange(n), np.minimum(value, until),
                            state=(value <= until).astype(int)))
        made.append(one)
    return Distribution.learn(made, 1e9)


LAWS = ["exponential(mean=5d)", "lognormal(mean=5d, sd=2d)", "gamma(mean=5d, sd=2d)",
        "weibull(shape=2, scale=5d)", "uniform(low=4h, high=12h)",
        "triangular(low=10min, mode=15min, high=25min)"]


@pytest.mark.parametrize("n", [10, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.parametrize("text", LAWS)
def test_intervals_of_the_mean_cover_it(text, n):
    """300 streams; 95 % intervals must cover 91.5 to 98.5 %: four standard errors of 95 %, and the
    few per cent that an interval of a few values may be off."""
    truth = parse_quantity(text, True).mean()
    found = learned(text, 300, n)
    inside = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.915 <= inside <= 0.99


@pytest.mark.long
@pytest.mark.parametrize("text", LAWS[:4])
def test_intervals_cover_where_half_is_censored(text):
    law = parse_quantity(text, True)
    found = learned(text, 300, 40, longest=1.5 * law.mean())
    inside = np.mean([one.low <= law.mean() <= one.high for one in found])
    assert 0.915 <= inside <= 0.99


@pytest.mark.long
@pytest.mark.parametrize("text", LAWS[:4])
def test_without_a_plan_the_family_is_found(text):
    """By AICc alone, 1,000 values: at least nine of ten streams."""
    kind = parse_quantity(text, True).kind
    found = learned(text, 40, 1_000, planned="")
    assert np.mean([one.quantity.kind == kind or kind == "exponential" for one in found]) >= 0.9


def test_the_planners_family_stays_unless_another_is_twenty_times_as_likely():
    kept = learned("gamma(mean=5d, sd=2d)", 100, 30, planned="lognormal(mean=5d, sd=2d)")
    assert np.mean([one.quantity.kind == "lognormal" for one in kept]) >= 0.8
    turned = learned("gamma(mean=5d, sd=4d)", 40, 1_000, planned="lognormal(mean=5d, sd=4d)")
    assert np.mean([one.quantity.kind != "lognormal" for one in turned]) >= 0.95


def test_a_likelihood_equals_the_librarys():
    """Censored and truncated values of four families against scipy.stats."""
    data = Observed(np.zeros(4, int), np.array([3.0, 5.0, 7.0, 4.0]), np.array([1, 0, 1, 1]),
                    np.array([0.0, 0.0, 2.0, 0.0]), np.array([np.inf, np.inf, np.inf, 9.0]),
                    np.ones(4))
    shape = 4.0
    sigma = math.sqrt(math.log1p(0.25))
    laws = {
        "exponential": stats.expon(scale=6.0), "gamma": stats.gamma(shape, scale=1.5),
        "lognormal": stats.lognorm(sigma, scale=6.0 * math.exp(-sigma**2 / 2)),
        "weibull": stats.weibull_min(2.0, scale=6.0)}
    free = {"exponential": [math.log(6.0)], "gamma": [math.log(6.0), math.log(3.0)],
            "lognormal": [math.log(6.0), math.log(3.0)], "weibull": [math.log(2.0), math.log(6.0)]}
    for name, law in laws.items():
        expected = (law.logpdf(3.0) + law.logsf(5.0) + law.logpdf(7.0) - law.logsf(2.0)
                    + law.logpdf(4.0) - law.logcdf(9.0))
        found = likelihoods(FAMILIES[name], np.array([free[name]]), data)[0]
        assert found == pytest.approx(expected, rel=1e-9), name


@pytest.mark.parametrize("name", ["exponential", "lognormal", "gamma", "weibull"])
def test_many_streams_together_are_as_one_by_one(name):
    rng = np.random.default_rng(4)
    family = FAMILIES[name]
    parts = [np.exp(rng.normal(rng.normal(3.0, 1.0), 0.5, 40)) for _ in range(6)]
    stream = np.repeat(np.arange(6), 40)
    flat = np.concatenate(parts)
    both = Observed(stream, flat, np.ones(240, int), np.zeros(240), np.full(240, np.inf),
                    np.ones(240))
    start = family.start(np.array([part.mean() for part in parts]), np.full(6, 0.5))
    together = maximise(family, both, start)
    for number, part in enumerate(parts):
        alone = maximise(family, Observed.one(part), start[number: number + 1])
        assert together.theta[number] == pytest.approx(alone.theta[0], abs=1e-6)


def test_what_only_shows_when_it_has_ended_is_not_taken_for_quick():
    """Lead times seen only if they ended before now: told of the limit, the fit is not fooled."""
    rng = np.random.default_rng(5)
    begun = rng.uniform(0.0, 1_000.0, 3_000)
    lead = values("gamma(mean=400h, sd=200h)", 3_000, rng)
    done = begun + lead <= 1_000.0
    batch = {"value": lead[done], "at": begun[done]}
    means = []
    for limit in (np.inf, 1_000.0 - begun[done]):
        one = Distribution(Cell("supply", "S,tea", "lead_time", "gamma(mean=400h, sd=200h)"))
        one.update(Batch.of(np.arange(done.sum()), **batch, limit=limit))
        means.append(Distribution.learn([one], 1e9)[0].quantity.mean())
    assert means[0] < 340.0
    assert means[1] == pytest.approx(400.0, rel=0.1)


def test_lives_that_were_old_when_first_seen():
    """Entered at an age: only those that lived so long are there to be seen."""
    rng = np.random.default_rng(6)
    life = values("weibull(shape=2, scale=100h)", 4_000, rng)
    entry = rng.uniform(0.0, 120.0, 4_000)
    there = life > entry
    one = Distribution(Cell("failures", "M,wear", "time_to_failure", "weibull(2, 100h)"))
    one.update(Batch.of(np.arange(there.sum()), life[there], entry=entry[there]))
    law = Distribution.learn([one], 1e9)[0].quantity
    assert law.get("shape") == pytest.approx(2.0, rel=0.06)
    assert law.get("scale") == pytest.approx(100.0, rel=0.04)


def test_a_constant_stays_a_constant():
    one = Distribution(Cell("routings", "P,tea,20", "process_time", "10h"))
    one.update(Batch.of(range(6), [10.0, 10.0, 10.0000001, 10.0, 10.0, 10.0]))
    row = one.get(100.0)
    assert (row.value, row.low, row.high, row.n) == ("10h", "10h", "10h", "6")


def test_steps_stay_steps_and_rare_ones_widen_the_interval():
    planned = "discrete(7d:0.95, 60d:0.05)"
    one = Distribution(Cell("lanes", "A,B,air", "transit", planned))
    one.update(Batch.of(range(30), np.full(30, 168.0)))
    found = Distribution.learn([one], 1e9)[0]
    assert found.quantity.values == (168.0,)
    assert found.high > parse_quantity(planned, True).mean()


@pytest.mark.parametrize("text", [
    "discrete(35d:0.75, 42d:0.03, 50d:0.03, 60d:0.03, 70d:0.03, 85d:0.03, 100d:0.05, 140d:0.05)",
    "discrete(10d:0.95, 60d:0.05)", "discrete(10d:0.9, 12d:0.08, 100d:0.02)"])
def test_intervals_of_laws_with_rare_long_values_hold_the_mean(text):
    """Of 30 observations, the longest value is often not among them."""
    law, rng = parse_quantity(text, True), np.random.default_rng(6)
    streams = []
    for _ in range(200):
        streams.append(Distribution(Cell("lanes", "A,B,sea", "transit", text)))
        streams[-1].update(Batch.of(np.arange(30), rng.choice(law.values, 30, p=law.weights)))
    found = Distribution.learn(streams, 1.0)
    assert np.mean([row.low <= law.mean() <= row.high for row in found]) >= 0.9


def test_counts_stay_counts():
    rng = np.random.default_rng(7)
    one = Distribution(Cell("demand", "C,tea,", "size", "poisson(mean=4)"))
    counts = rng.poisson(2.0, 400)
    one.update(Batch.of(range((counts > 0).sum()), counts[counts > 0].astype(float)))
    found = Distribution.learn([one], 1e9)[0]
    assert found.quantity.kind == "poisson"
    assert found.quantity.mean() == pytest.approx(2.0, abs=0.25)  # zeros were never seen


def test_lateness_is_mostly_none_at_all():
    rng = np.random.default_rng(8)
    late = np.where(rng.random(500) < 0.7, 0.0, rng.exponential(48.0, 500))
    one = Distribution(Cell("lanes", "A,B,sea", "transit", ""))
    one.update(Batch.of(range(500), late))
    found = Distribution.learn([one], 1e9)[0]
    assert found.quantity.kind == "discrete"
    assert found.quantity.weights[0] == pytest.approx(0.7, abs=0.06)
    assert found.low < 0.3 * 48.0 < found.high
    assert "zero in" in found.notes[0]


@pytest.mark.parametrize("text", LAWS[:4])
@pytest.mark.parametrize("n", [20, 1_000])
def test_clean_streams_lose_nothing(text, n):
    """Of 300 clean streams at most one in a hundred loses a value as an outlier."""
    rng = np.random.default_rng(9)
    lost = sum(outliers(Observed.one(values(text, n, rng)), 1).any() for _ in range(300))
    assert lost <= 3


def test_a_value_as_a_planner_writes_it_reads_back():
    for text in [*LAWS, "constant(2h)", "poisson(mean=4)", "discrete(1:0.333333, 2:0.666667)"]:
        time = "poisson" not in text and "discrete" not in text
        law = parse_quantity(text, time)
        again = parse_quantity(wording(law, 6), time)
        assert again.mean() == pytest.approx(law.mean(), rel=1e-5)
        assert again.sd() == pytest.approx(law.sd(), rel=1e-4, abs=1e-12)
