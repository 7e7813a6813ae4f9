"""Times as planners write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.clock import (
    format_duration,
    format_time_of_day,
    hours_after,
    parse_days,
    parse_duration,
    parse_moment,
    parse_time_of_day,
)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("3d 4h", 76.0),
        ("3d4h", 76.0),
        (".5h", 0.5),
        ("20min", 1 / 3),
        ("1mo", 720.0),
        ("1y", 8760.0),
        ("2w", 336.0),
        ("36s", 0.01),
        ("0", 0.0),
        ("-3d", -72.0),
    ],
)
def test_a_duration_is_read_in_hours(text: str, hours: float) -> None:
    assert parse_duration(text) == hours


@pytest.mark.parametrize("text", ["", "5", "d", "2 days", "2d-4h", "nan", "inf", "1e400h", "2m"])
def test_what_is_no_duration_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="Write"):
        parse_duration(text)


@given(st.floats(min_value=-1e12, max_value=1e12))
def test_a_duration_reads_back_exactly(hours: float) -> None:
    assert parse_duration(format_duration(hours)) == hours


def test_a_time_of_day_reads_back() -> None:
    assert format_time_of_day(parse_time_of_day("22:05")) == "22:05"
    with pytest.raises(ValueError, match="HH:MM"):
        parse_time_of_day("24:30")


def test_days_wrap_around_the_weekend() -> None:
    assert parse_days("fri-mon") == (4, 5, 6, 0)
    assert parse_days("wed") == (2,)
    assert parse_days("2026-05-01") == date(2026, 5, 1)
    for text in ("mon-", "someday", "mon-xyz", ""):
        with pytest.raises(ValueError, match="Write daily"):
            parse_days(text)


def test_a_moment_without_a_zone_is_utc() -> None:
    start = parse_moment("2026-01-01")
    assert start == datetime(2026, 1, 1, tzinfo=UTC)
    assert hours_after(start, parse_moment("2026-01-01T02:00+01:00")) == 1.0
