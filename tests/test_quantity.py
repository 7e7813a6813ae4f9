"""Random quantities: reading, writing, moments, and what is refused."""


import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.quantity import KINDS, Quantity, constant, parse_quantity

TIMES = [
    ("2d", 48.0, 0.0),
    ("constant(2d)", 48.0, 0.0),
    ("exponential(mean=2h)", 2.0, 2.0),
    ("exponential(rate=1.5/y)", 5840.0, 5840.0),
    ("lognormal(mean=5d, sd=2d)", 120.0, 48.0),
    ("gamma(mean=4h, scv=.25)", 4.0, 2.0),
    ("weibull(shape=1, scale=3h)", 3.0, 3.0),
    ("weibull(shape=2, scale=10h)", 8.862269254527579, 4.63251375176104),
    ("poisson(rate=0.4/d)", 60.0, 60.0),
    ("normal(10h, 2h)", 10.0, 2.0),
    ("uniform(2d, 6d)", 96.0, 27.712812921102035),
    ("triangular(low=0h, mode=3h, high=6h)", 3.0, 1.224744871391589),
    ("erlang(k=4, mean=2h)", 2.0, 1.0),
    ("geometric(p=.04, step=1d)", 600.0, 587.8775382679628),
    ("ar1(mean=10h, sd=2h, phi=.7)", 10.0, 2.0),
    ("discrete(1h:.5, 3h:.5)", 2.0, 1.0),
    ("empirical(1h, 2h, 3h)", 2.0, 0.816496580927726),
    ("series(1h, 2h, 3h)", 2.0, 0.816496580927726),
]


@pytest.mark.parametrize(("text", "mean", "sd"), TIMES)
def test_a_time_has_the_moments_of_its_family(text: str, mean: float, sd: float) -> None:
    quantity = parse_quantity(text, time=True)
    assert quantity.mean() == pytest.approx(mean)
    assert quantity.sd() == pytest.approx(sd, abs=1e-12)


@pytest.mark.parametrize("text", [text for text, _, _ in TIMES])
def test_a_time_reads_back(text: str) -> None:
    quantity = parse_quantity(text, time=True)
    assert parse_quantity(str(quantity), time=True) == quantity


@given(st.floats(0.001, 1e6), st.floats(0.0, 1e6), st.booleans())
def test_any_parameters_read_back(mean: float, sd: float, time: bool) -> None:
    quantity = Quantity("lognormal", (("mean", mean), ("sd", sd)), time=time)
    assert parse_quantity(str(quantity), time=time) == quantity


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-2d", "negative"),
        ("5", "has no unit"),
        ("exponential(mean=0h)", "mean 0h must be above 0"),
        ("exponential(mean=2)", "has no unit"),
        ("exponential(rate=2)", "not a rate"),
        ("exponential(rate=0/d)", "rate 0 must be above 0"),
        ("exponential()", "needs mean, as in exponential(mean=5d)"),
        ("exponential(mean=2h, mean=3h)", "given twice"),
        ("exponential(mean=2h, rate=3/h)", "not both"),
        ("exponential(men=2h)", "has no 'men'"),
        ("exponential(1h, 2h)", "takes 1"),
        ("lognormal(mean=2h, sd=-1h)", "sd -1h must not be negative"),
        ("gamma(mean=2h, scv=-1)", "scv -1 must not be negative"),
        ("uniform(6d, 2d)", "low 6d is above high 2d"),
        ("triangular(0h, 9h, 6h)", "mode 9h is above high 6h"),
        ("geometric(p=1.5, step=1d)", "p 1.5 must be at most 1"),
        ("geometric(p=0, step=1d)", "p 0 must be above 0"),
        ("erlang(k=1.5, mean=2h)", "whole number"),
        ("ar1(mean=2h, sd=1h, phi=1)", "phi 1 must lie"),
        ("weibull(shape=0, scale=1h)", "shape 0 must be above 0"),
        ("weibull(shape=.001, scale=1h)", "too wild"),
        ("discrete(1h:.5, 2h:.2)", "add up to 0.7"),
        ("discrete(1h:-.5, 2h:1.5)", "negative"),
        ("discrete(1h, 2h)", "values and weights"),
        ("discrete()", "values and weights"),
        ("empirical(lags.csv)", "no file 'lags.csv'"),
        ("empirical(nan)", "no file"),
        ("poisson(mean=2h)", "has a rate"),
        ("gausian(1h, 2h)", "Choose one of"),
        ("constant(nan)", "not a duration"),
        ("constant(1e999h)", "too long"),
        ("exponential(mean=2h", "not a duration"),
    ],
)
def test_an_impossible_time_is_refused(text: str, words: str) -> None:
    try:
        reasons = parse_quantity(text, time=True).problems()
    except ValueError as refusal:
        reasons = [str(refusal)]
    assert any(words in reason for reason in reasons)


def test_weights_that_were_rounded_are_normalised() -> None:
    die = parse_quantity("discrete(1:.167, 2:.167, 3:.167, 4:.167, 5:.167, 6:.167)", time=False)
    assert sum(die.weights) == pytest.approx(1, abs=1e-15)
    assert die.mean() == pytest.approx(3.5)


def test_a_count_needs_no_unit() -> None:
    assert parse_quantity("poisson(mean=4)", time=False).sd() == 2.0
    assert parse_quantity("geometric(p=.5)", time=False).mean() == 2.0
    assert str(parse_quantity("12.0", time=False)) == "12"
    with pytest.raises(ValueError, match="has no 'rate'"):
        parse_quantity("poisson(rate=4)", time=False)


def test_a_recorded_series_comes_from_a_file_with_or_without_a_heading() -> None:
    files = {"lags.csv": ["hours", "1h", "", "2h 30min"], "plain.csv": ["4h"], "none.csv": ["x"]}
    lags = parse_quantity("series(lags.csv)", time=True, read=files.__getitem__)
    assert lags.values == (1.0, 2.5)
    assert parse_quantity("empirical(plain.csv)", time=True, read=files.__getitem__).values == (4,)
    with pytest.raises(ValueError, match="no values"):
        parse_quantity("empirical(none.csv)", time=True, read=files.__getitem__)


def test_the_unit_does_not_make_two_quantities_differ() -> None:
    assert constant(2.0, time=True) == constant(2.0)
    assert (
        len({constant(2.0, time=True), constant(2.0)}) == 1
    )


def test_a_parameter_is_asked_by_name() -> None:
    assert parse_quantity("uniform(1, 3)", time=False).get("high") == 3.0
    with pytest.raises(KeyError, match="no parameter 'mean'"):
        constant(1.0).get("mean")


def test_every_kind_is_tried_here() -> None:
    assert {text.partition("(")[0] for text, _, _ in TIMES} - {"2d"} == set(KINDS)
