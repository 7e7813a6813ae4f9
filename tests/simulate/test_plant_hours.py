"""Who works when: shifts, operators, disturbances, energy and costs, each by an exact trace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulate.shops import at, shop, starts, story, tally
from twin.scenario import Scenario

WORK = {"A": [at("M", "3h")]}
DAY = [{"calendar": "day", "day": "daily", "from": "08:00", "to": "16:00"}]


def test_work_pauses_at_the_end_of_the_shift() -> None:
    network = shop(WORK, machines=[{"machine": "M", "calendar": "day"}], calendars=DAY,
                   orders=[{"quantity": 4}])
    assert story(network, 48) == [
        (8, "starting", "M", 1), (11, "completing", "M", 1), (11, "starting", "M", 1),
        (14, "completing", "M", 1), (14, "starting", "M", 1), (33, "completing", "M", 1),
        (33, "starting", "M", 1), (36, "completing", "M", 1)]
    sums = tally(network, 48)
    assert sums.total("planned_time") == 16
    assert sums.total("busy_time") == 12
    assert sums.total("down_time") == 0


def test_a_shift_over_midnight_in_the_time_of_the_site() -> None:
    """22 to 06 in Kolkata is 16:30 to 00:30 UTC."""
    network = shop(WORK, machines=[{"machine": "M", "calendar": "night"}], orders=[{"quantity": 3}],
                   calendars=[{"calendar": "night", "day": "daily", "from": "22:00",
                               "to": "06:00"}])
    local = network.replace(
        start=datetime(2026, 1, 5, tzinfo=UTC),
        sites=[{"site": "shop", "kind": "plant", "timezone": "Asia/Kolkata"}])
    assert [time for time, _ in starts(local, 48)] == [0, 19, 22]  # half an hour, then at 16:30


def test_closed_on_a_date() -> None:
    network = shop(WORK, machines=[{"machine": "M", "calendar": "day"}], orders=[{"quantity": 9}],
                   calendars=[*DAY, {"calendar": "day", "day": "2026-01-02"}])
    assert [time for time, _ in starts(network, 72)] == [8, 11, 14, 57, 60, 63]


def test_an_operator_minds_one_machine_at_a_time() -> None:
    network = shop(WORK, machines=[{"machine": "M", "units": 2, "crew": "hands"}],
                   crews=[{"crew": "hands"}], orders=[{"quantity": 3}])
    assert [time for time, _ in starts(network)] == [0, 3, 6]
    sums = tally(network, 20)
    assert sums.total("crew_busy_time") == 9
    assert sums.total("crew_requests") == 3
    assert sums.total("queue_time") == 3 + 6
    assert sums.total("queue_length_time") == 3 + 6
    assert sums.total("group_wip_time") == 3 * 3 + 2 * 3 + 3


def test_the_step_may_need_somebody_else() -> None:
    network = shop({"A": [at("M", "3h", crew="expert")]}, crews=[{"crew": "expert"}],
                   machines=[{"machine": "M", "units": 2}], orders=[{"quantity": 2}])
    assert [time for time, _ in starts(network)] == [0, 3]


def test_operators_go_home() -> None:
    network = shop(WORK, machines=[{"machine": "M", "crew": "hands"}], calendars=DAY,
                   crews=[{"crew": "hands", "site": "shop", "calendar": "day",
                           "cost_per_hour": 20}], orders=[{"quantity": 3}])
    assert [t for t, *_ in story(network, 48, ("completing",))] == [11, 14, 33]
    sums = tally(network, 48)
    assert sums.total("crew_planned_time") == 16
    assert sums.total("crew_cost") == 9 * 20


def test_an_operator_does_not_stand_by_a_broken_machine() -> None:
    network = shop(WORK, machines=[{"machine": "M", "crew": "hands"},
                                   {"machine": "N", "crew": "hands"}],
                   crews=[{"crew": "hands"}], orders=[{"quantity": 2}], failures=[
                       {"asset": "M", "time_to_failure": "1h", "time_to_repair": "1h",
                        "crew": "hands"}])
    # M fails at 1 and its operator mends it until 2; N was asked first and works until 5
    assert story(network, 12) == [
        (0, "starting", "M", 1), (1, "failing", "M", "breakdown"),
        (2, "repairing", "M", "breakdown"), (2, "starting", "N", 1), (5, "completing", "N", 1),
        (6, "failing", "M", "breakdown"), (7, "repairing", "M", "breakdown"),
        (8, "completing", "M", 1)]


def test_urgent_work_gets_the_operator_first() -> None:
    network = shop(WORK, machines=[{"machine": "M", "units": 3, "crew": "hands"}],
                   crews=[{"crew": "hands"}],
                   orders=[{}, {"priority": 3, "placed": "1h"}, {"priority": 2, "placed": "2h"}])
    assert [order for _, order in starts(network)] == [1, 3, 2]


def test_energy_and_cost_of_working() -> None:
    network = shop({"A": [at("M", "3h", setup_time="1h")]}, orders=[{"quantity": 2}],
                   machines=[{"machine": "M", "power_kw": 5, "cost_per_hour": 30}])
    sums = tally(network, 20)
    assert sums.total("energy") == 5 * 7
    assert sums.total("machine_cost") == 30 * 7


def test_ideal_time_of_what_was_made() -> None:
    network = shop({"A": [at("M", "3h", ideal_time="2h")]}, orders=[{"quantity": 2}])
    assert tally(network, 20).total("ideal_time") == 4


def test_sums_of_a_warm_up_are_forgotten() -> None:
    network = shop(WORK, orders=[{"quantity": 3}])
    sums = tally(network, 10, warmup_h=4)
    assert sums.total("busy_time") == 5
    assert sums.total("jobs_processed") == 2
    assert sums.total("queue_length_time") == 2
    assert sums.total("wip_time") == 2 + 2 + 3


# -- disturbances ----------------------------------------------------------------------------
def happening(type_: str, start: str, **values: Any) -> Scenario:
    return Scenario(name="it", events={"it": {"type": type_, "start": start, **values}})


def test_a_breakdown_stops_the_work_at_once() -> None:
    network = shop(WORK, orders=[{"quantity": 2}])
    broken = happening("breakdown", "1h", machines="M", repair="5h")
    assert [t for t, *_ in story(network, 20, ("completing",), broken)] == [8, 11]
    sums = tally(network, 20, broken)
    assert (sums.total("failures"), sums.total("down_time")) == (1, 5)


def test_a_breakdown_of_a_machine_that_wears() -> None:
    network = shop(WORK, orders=[{"quantity": 3}], failures=[
        {"asset": "M", "time_to_failure": "4h", "time_to_repair": "1h"}])
    broken = happening("breakdown", "1h", machines="M", repair="5h")
    assert story(network, 20, ("failing", "repairing"), broken) == [
        (1, "failing", "M", "breakdown"), (6, "repairing", "M", "breakdown"),
        (10, "failing", "M", "breakdown"), (11, "repairing", "M", "breakdown")]


def test_a_slower_machine_takes_longer_for_what_is_left() -> None:
    network = shop(WORK, orders=[{"quantity": 3}])
    slow = happening("slowdown", "1h", duration="6h", machines="M", factor=0.5)
    # one hour done, two left take four until 5; then one hour's work until 7, two more until 9
    assert [t for t, *_ in story(network, 20, ("completing",), slow)] == [5, 9, 12]
    assert tally(network, 20, slow).total("busy_time") == 12


def test_a_slower_machine_wears_by_its_hours() -> None:
    network = shop(WORK, orders=[{"quantity": 3}], failures=[
        {"asset": "M", "time_to_failure": "4h", "time_to_repair": "10h"}])
    slow = happening("slowdown", "1h", machines="M", factor=0.5)
    assert story(network, 10, ("failing",), slow) == [(4, "failing", "M", "breakdown")]


@pytest.mark.parametrize(("factor", "made"), [(0.5, 6), (0.0, 4), (1.0, 8)])
def test_a_capacity_cut_holds_machines(factor: float, made: int) -> None:
    network = shop({"A": [at("M", "2h")]}, machines=[{"machine": "M", "units": 2}],
                   orders=[{"quantity": 20}])
    cut = happening("capacity", "1h", duration="4h", groups="shop/M", factor=factor)
    assert tally(network, 8.5, cut).total("lots_finished") == made


def test_a_quality_drop_loses_units() -> None:
    network = shop({"A": [at("M", "1h")]}, orders=[{"quantity": 400}])
    worse = happening("quality", "0h", products="A", yield_factor=0.5)
    sums = tally(network, 400.5, worse)
    assert sums.total("units_scrapped") == pytest.approx(200, abs=50)
    assert sums.total("units_good") + sums.total("units_scrapped") == 400
