"""The settings of the command line: what a comma separates, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.settings import KEYS, SettingError, as_list, check, is_cell, parse, product, unquote


@pytest.mark.parametrize(("argument", "key", "values"), [
    ("models=harbour", "models", ("harbour",)),
    ("scenarios=a,b", "scenarios", ("a", "b")),
    ("scenarios=a+b,c", "scenarios", ("a+b", "c")),
    ("events.spike.factor=1.2,1.5,2", "events.spike.factor", ("1.2", "1.5", "2")),
    ("lanes[A,B,sea].transit=5d", "lanes[A,B,sea].transit", ("5d",)),
    ("lanes[A,B,sea].transit=uniform(2d, 6d),5d", "lanes[A,B,sea].transit",
     ("uniform(2d, 6d)", "5d")),
    ("events.spike.regions=[north,south],[east]", "events.spike.regions",
     ("[north,south]", "[east]")),
    ("x='a,b',\"c,d\"", "x", ("a,b", "c,d")),
    ("x=a=b", "x", ("a=b",)),
    ("x[a=b].c=d", "x[a=b].c", ("d",)),
    (" horizon = 30d ", "horizon", ("30d",)),
    ("x={a,b},(c,[d,e])", "x", ("{a,b}", "(c,[d,e])")),
])
def test_a_comma_inside_brackets_or_quotes_belongs_to_the_value(
        argument: str, key: str, values: tuple[str, ...]) -> None:
    assert parse([argument]) == {key: values}


@pytest.mark.parametrize(("arguments", "message"), [
    (["models"], "'models' is not a setting. Write key=value, such as models=harbour."),
    (["=x"], "'=x' has no key."),
    (["models="], "models= has a blank value"),
    (["seed=1,,2"], "seed= has a blank value"),
    (["seed=1,"], "seed= has a blank value"),
    (["seed=1", "seed=2"], "seed is given twice."),
    (["seed=1,1"], "seed: '1' is given twice."),
    (["x=uniform(2d"], "opens a ( and does not close it."),
    (["x=2d)"], "has a ')' that nothing opens."),
    (["x=[a)"], "has a ')' that nothing opens."),
    (["x='a"], "opens a ' and does not close it."),
])
def test_a_refusal_says_what_to_write(arguments: list[str], message: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse(arguments)
    assert message in str(caught.value)


def test_all_wrong_values_are_named_at_once() -> None:
    settings = parse(["modles=x", "horizon=5", "replications=0", "seed=x", "precision=2",
                      "simulate.engine=ray", "simulate.workers=1,2"])
    with pytest.raises(SettingError) as caught:
        check(settings)
    text = str(caught.value)
    assert len(text.splitlines()) == 7
    for part in ("no setting 'modles'. Did you mean 'models'?", "horizon '5' has no unit.",
                 "replications '0' is out of range.", "seed 'x' is not a whole number.",
                 "precision '2' is not between 0 and 1.", "simulate.engine 'ray' is unknown.",
                 "simulate.workers takes one value, not 2."):
        assert part in text


def test_event_keys_and_cells_are_left_to_the_scenario_and_the_model() -> None:
    check(parse(["events.spike.factor=2", "lanes[A,B,sea].transit=5d"]))
    assert is_cell("lanes[A,B,sea].transit")
    assert not is_cell("lanes.transit")


@pytest.mark.parametrize("key", KEYS)
def test_every_default_can_be_read(key: str) -> None:
    KEYS[key].read(KEYS[key].default.split(",")[0])


def test_several_keys_give_their_product_the_last_fastest() -> None:
    found = product({"a": ("1", "2"), "b": ("x", "y")})
    assert [tuple(one.values()) for one in found] == [
        ("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")]
    assert product({}) == [{}]


def test_too_many_combinations_are_refused_before_any_is_made() -> None:
    with pytest.raises(SettingError, match="1,000,000 combinations; at most 500"):
        product({key: tuple(map(str, range(100))) for key in "abc"})


def test_a_bracketed_value_is_a_list() -> None:
    assert as_list("[north, 'a,b']") == ["north", "a,b"]
    assert as_list("north") == "north"


@given(st.lists(st.text(alphabet="abc01.d ()[]{}'\",=+", max_size=12), max_size=4))
def test_any_arguments_are_read_or_refused(arguments: list[str]) -> None:
    try:
        found = parse(arguments)
    except SettingError:
        return
    assert all(key and values and all(values) for key, values in found.items())


@given(st.lists(st.text(alphabet="abc,()[] ", min_size=1, max_size=8), min_size=1, max_size=4,
                unique=True))
def test_quoted_values_come_back_as_they_were(values: list[str]) -> None:
    text = ",".join(f"'{value}'" for value in values)
    assert parse([f"x={text}"]) == {"x": tuple(values)}
    assert unquote("'a'b'") == "'a'b'"
