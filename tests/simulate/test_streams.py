"""Named streams: stable, cut into blocks without a trace, right in law, and right given an age."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from math import log

import numpy as np
import pytest
from scipy import stats

from twin.quantity import Quantity, parse_quantity
from twin.simulate.draws import block_of, left
from twin.simulate.streams import SeriesEnded, Streams

TIMES = [
    "exponential(mean=2h)", "lognormal(mean=5h, sd=2h)", "gamma(mean=5h, sd=2h)",
    "gamma(mean=2h, sd=5h)", "weibull(shape=1.5, scale=4h)", "weibull(shape=.7, scale=4h)",
    "normal(5h, 2h)", "uniform(2h, 6h)", "triangular(2h, 3h, 9h)", "triangular(2h, 2h, 9h)",
    "triangular(2h, 9h, 9h)", "erlang(k=3, mean=6h)", "erlang(k=40, mean=6h)",
    "discrete(4h:.2, 1h:.5, 9h:.3)", "empirical(7h, 1h, 2h, 2h, 9h)", "geometric(p=.3, step=2h)",
    "ar1(mean=5h, sd=1h, phi=.6)",
]
COUNTS = ["poisson(0.4)", "poisson(7)", "poisson(4000)", "poisson(3000000)", "normal(1, 4)"]


def quantity(text: str) -> Quantity:
    return parse_quantity(text, time="h" in text.replace("shape", "").replace("phi", ""))


def drawn(text: str, n: int, seed: int = 1, actor: str = "A") -> list[float]:
    draw = Streams(seed).draw(actor, "time", quantity(text))
    return [draw() for _ in range(n)]


# ---- streams and their names ----


def test_the_luck_of_a_name_is_written_in_stone() -> None:
    """Other values mean that every golden digest and published run changes."""
    draw = Streams(1, 2).uniform("W1", "gap")
    assert [round(draw(), 12) for _ in range(3)] == [
        0.545061236344, 0.448391636411, 0.969272317071]


def test_other_streams_leave_a_stream_alone() -> None:
    alone, crowded = Streams(7), Streams(7)
    gap = quantity("exponential(mean=2h)")
    others = [crowded.draw(f"C{n}", "gap", gap) for n in range(50)]
    mine, same = alone.draw("W1", "gap", gap), crowded.draw("W1", "gap", gap)
    for _ in range(40):
        assert mine() == same()
        assert all(other() > 0 for other in others)


@pytest.mark.parametrize(
    "other",
    [Streams(8, 3).uniform("W1", "gap"), Streams(7, 4).uniform("W1", "gap"),
     Streams(7, 3).uniform("W2", "gap"), Streams(7, 3).uniform("W1", "size"),
     Streams(7, 3).uniform("W1g", "ap")],
    ids=["seed", "replication", "actor", "purpose", "boundary of the names"],
)
def test_another_name_is_other_luck(other: Callable[[], float]) -> None:
    mine = Streams(7, 3).uniform("W1", "gap")
    assert not {mine() for _ in range(20)} & {other() for _ in range(20)}


def test_names_may_be_in_any_script() -> None:
    assert 0 <= Streams(1).uniform("Köln 上海", "gap")() < 1


def test_asked_twice_the_stream_goes_on() -> None:
    streams = Streams(1)
    gap = quantity("exponential(mean=2h)")
    both = [streams.draw("A", "time", gap)() for _ in range(30)]
    assert both == drawn("exponential(mean=2h)", 30)


def test_a_stream_draws_one_quantity() -> None:
    streams = Streams(1)
    streams.draw("M1", "time", quantity("constant(2h)"))
    with pytest.raises(ValueError, match=r"'M1, time' draws 2h already, so it cannot draw 3h"):
        streams.draw("M1", "time", quantity("constant(3h)"))


def test_streams_are_not_correlated() -> None:
    streams = Streams(5)
    luck = np.array([list(islice(iter(streams.uniform(f"A{n}", "gap"), None), 2000))
                     for n in range(30)])
    between = np.corrcoef(luck)[np.triu_indices(30, 1)]
    assert np.abs(between).max() < 5 / np.sqrt(2000)
    assert stats.kstest(luck.ravel(), "uniform").pvalue > 1e-3


# ---- values ----


@pytest.mark.parametrize("text", TIMES + COUNTS)
def test_blocks_leave_no_trace(text: str) -> None:
    whole = block_of(quantity(text))(np.random.default_rng(3), 700)
    cut, block = np.random.default_rng(3), block_of(quantity(text))
    pieces = np.concatenate([block(cut, n) for n in (1, 2, 13, 16, 32, 64, 128, 256, 188)])
    assert whole.tolist() == pieces.tolist()


@pytest.mark.parametrize("text", TIMES + COUNTS)
def test_a_long_stream_continues_a_short_one(text: str) -> None:
    assert drawn(text, 900)[:20] == drawn(text, 20)
    assert all(type(value) is float for value in drawn(text, 3))


@pytest.mark.parametrize("text", [t for t in TIMES + COUNTS if not t.startswith("ar1")])
def test_mean_and_spread(text: str) -> None:
    what, n = quantity(text), 20_000
    values = np.array(drawn(text, n))
    # at most 0.6 % of normal(5h, 2h) is cut at zero
    assert values.mean() == pytest.approx(what.mean(), abs=4.5 * what.sd() / np.sqrt(n) + 0.003)
    assert values.std() == pytest.approx(what.sd(), rel=0.08)


@pytest.mark.parametrize(
    ("text", "law"),
    [
        ("exponential(mean=2h)", stats.expon(scale=2)),
        ("gamma(mean=5h, sd=2h)", stats.gamma(6.25, scale=0.8)),
        ("weibull(shape=1.5, scale=4h)", stats.weibull_min(1.5, scale=4)),
        ("triangular(2h, 3h, 9h)", stats.triang(1 / 7, loc=2, scale=7)),
        ("erlang(k=3, mean=6h)", stats.gamma(3, scale=2)),
        ("erlang(k=40, mean=6h)", stats.gamma(40, scale=6 / 40)),
        ("lognormal(mean=5h, sd=2h)", stats.lognorm(
            np.sqrt(log(1.16)), scale=5 / np.sqrt(1.16))),
    ],
)
def test_continuous_laws(text: str, law: stats.rv_continuous) -> None:
    assert stats.kstest(drawn(text, 20_000), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("text", "law", "step"),
    [
        ("poisson(0.4)", stats.poisson(0.4), 1), ("poisson(7)", stats.poisson(7), 1),
        ("geometric(p=.3, step=2h)", stats.geom(0.3), 2),
        ("geometric(p=1, step=2h)", stats.geom(1), 2),
    ],
)
def test_discrete_laws(text: str, law: stats.rv_discrete, step: float) -> None:
    n = 20_000
    counts = np.array(drawn(text, n)) / step
    for k in range(12):
        share = float(law.pmf(k))
        assert np.mean(counts == k) == pytest.approx(
            share, abs=4.5 * np.sqrt(share * (1 - share) / n) + 1e-12)


def test_values_of_weight_zero_are_never_drawn() -> None:
    draw = Streams(1).draw("A", "size", Quantity("discrete", (), (1.0, 2.0, 9.0), (0.3, 0.7, 0.0)))
    assert {draw() for _ in range(2000)} == {1.0, 2.0}


def test_an_ar1_remembers_and_keeps_its_spread() -> None:
    values = np.array(drawn("ar1(mean=50, sd=3, phi=.8)", 40_000)) - 50
    assert values.std() == pytest.approx(3, rel=0.05)
    assert np.corrcoef(values[1:], values[:-1])[0, 1] == pytest.approx(0.8, abs=0.02)
    first = [drawn("ar1(mean=50, sd=3, phi=.8)", 1, seed)[0] - 50 for seed in range(800)]
    assert np.std(first) == pytest.approx(3, rel=0.12)  # it starts in the long run


def test_a_time_is_cut_at_zero_and_a_number_is_not() -> None:
    assert min(drawn("normal(1h, 4h)", 200)) == 0.0
    assert min(drawn("ar1(mean=1h, sd=4h, phi=.5)", 200)) == 0.0
    assert min(drawn("normal(1, 4)", 200)) < -1


def test_a_series_comes_in_order_and_ends_in_words() -> None:
    draw = Streams(1).draw("C1", "gap", quantity("series(3h, 1h, 2h)"))
    assert [draw(), draw(), draw()] == [3.0, 1.0, 2.0]
    for _ in range(2):  # the second time too
        with pytest.raises(SeriesEnded, match="C1, gap: the series holds 3 values and the run"):
            draw()


@pytest.mark.parametrize(
    ("text", "value"),
    [("4h", 4.0), ("lognormal(mean=5d, sd=0h)", 120.0), ("gamma(mean=5d, sd=0h)", 120.0),
     ("normal(mean=5d, sd=0h)", 120.0), ("uniform(3h, 3h)", 3.0), ("triangular(3h, 3h, 3h)", 3.0),
     ("poisson(0)", 0.0)],
)
def test_without_spread_a_value_is_exact(text: str, value: float) -> None:
    assert drawn(text, 20) == [value] * 20
    assert left(quantity(text), 1.0, 0.5) == max(0.0, value - 1.0)
    assert left(quantity(text), 200.0, 0.5) == 0.0


# ---- common random numbers ----


@pytest.mark.parametrize("family", [
    "exponential(mean={m}h)", "lognormal(mean={m}h, sd={s}h)", "gamma(mean={m}h, sd={s}h)",
    "normal({m}h, {s}h)", "weibull(shape={s}, scale={m}h)", "geometric(p={p}, step=1h)",
    "erlang(k=3, mean={m}h)", "uniform({p}h, {m}h)", "poisson({m})",
])
def test_the_same_luck_has_the_same_rank(family: str) -> None:
    """A long transit is still a long one when its mean or spread changes."""
    one = drawn(family.format(m=20, s=3, p=0.2), 400)
    other = drawn(family.format(m=26, s=4, p=0.3), 400)
    assert stats.spearmanr(one, other).statistic > 0.97


@pytest.mark.parametrize("family", ["exponential(mean={}h)", "gamma(mean={}h, sd={}h)",
                                    "lognormal(mean={}h, sd={}h)"])
def test_twice_the_mean_is_twice_each_value(family: str) -> None:
    one, two = drawn(family.format(2, 1), 50), drawn(family.format(4, 2), 50)
    assert two == pytest.approx([2 * value for value in one], rel=1e-9)


# ---- what is left ----


@pytest.mark.parametrize("age", [4.0, pytest.param(0.7, marks=pytest.mark.long)])
@pytest.mark.parametrize("text", [*TIMES, "poisson(7)"])
def test_what_is_left_agrees_with_rejection(text: str, age: float) -> None:
    what = quantity(text)
    if text.startswith("ar1"):  # in the long run: independent normals
        what = quantity("normal(5h, 1h)")
    generator = np.random.default_rng(9)
    times = block_of(what)(generator, 60_000)
    expected = times[times > age][:4000] - age
    if not len(expected):
        assert left(what, age, 0.5) == 0.0
        return
    streams = Streams(2)
    found = [streams.remaining("A", "time", quantity(text), age) for _ in range(4000)]
    assert stats.ks_2samp(found, expected).pvalue > 1e-4
    if len(np.unique(expected)) < 40:  # the same values to the last digit
        assert set(np.round(found, 9)) <= set(np.round(np.unique(times[times > age]) - age, 9))


@pytest.mark.parametrize(
    ("text", "age"),
    [("uniform(2h, 6h)", 6.0), ("triangular(2h, 3h, 9h)", 9.5), ("empirical(1h, 7h)", 7.0),
     ("discrete(1h:.5, 2h:.5)", 2.0), ("series(1h, 7h)", 8.0), ("constant(2h)", 2.0)],
)
def test_nothing_is_left_beyond_the_longest_time(text: str, age: float) -> None:
    assert Streams(1).remaining("A", "time", quantity(text), age) == 0.0


@pytest.mark.parametrize(
    ("text", "age", "mean"),
    [
        ("exponential(mean=2h)", 1e6, 2.0),  # forgets
        ("normal(5h, 1h)", 105.0, 1 / 100),  # hazard 100 an hour
        ("gamma(mean=6h, sd=3h)", 6000.0, 1.5),  # towards its scale
        ("weibull(shape=2, scale=10h)", 4000.0, 1 / (2 * 4000 / 100)),
    ],
)
def test_far_beyond_every_float_the_rest_follows_the_hazard(
    text: str, age: float, mean: float
) -> None:
    rest = [left(quantity(text), age, (i + 0.5) / 4000) for i in range(4000)]
    assert np.mean(rest) == pytest.approx(mean, rel=0.01)


@pytest.mark.parametrize("text", [*TIMES, "series(1h, 7h, 4h)"])
def test_more_luck_is_a_longer_rest(text: str) -> None:
    rests = [left(quantity(text), 1.2, luck) for luck in np.linspace(0, 1, 500, endpoint=False)]
    assert rests == sorted(rests)
    assert rests[0] >= 0


def test_what_is_left_has_luck_of_its_own() -> None:
    """Asking for a remaining time moves no other draw."""
    calm, asked = Streams(3), Streams(3)
    gap = quantity("exponential(mean=2h)")
    one, other = calm.draw("A", "gap", gap), asked.draw("A", "gap", gap)
    for _ in range(30):
        asked.remaining("A", "gap", gap, 1.0)
        assert one() == other()


def test_an_age_that_rounding_made_negative_is_zero() -> None:
    assert left(quantity("constant(2h)"), -1e-12, 0.5) == 2.0
