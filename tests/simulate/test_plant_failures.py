"""What stops machines: wear, accidents, repairs and services, each by an exact trace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulate.shops import at, shop, starts, story, tally
from twin.network import Network

WORK = {"A": [at("M", "3h")]}


def failing(quantity: int = 1, *, steps: Any = None, machines: Any = (), orders: Any = None,
            crews: Any = (), **columns: Any) -> Network:
    """A machine that fails after 4 hours and takes 2 to mend."""
    row = {"asset": "M", "time_to_failure": "4h", "time_to_repair": "2h", **columns}
    return shop(steps or WORK, machines=machines, crews=crews, failures=[row],
                orders=orders or [{"quantity": quantity}])


def test_a_machine_ages_only_while_it_works() -> None:
    network = failing(orders=[{}, {"placed": "10h"}])
    assert story(network, 30) == [
        (0, "starting", "M", 1), (3, "completing", "M", 1), (10, "starting", "M", 2),
        (11, "failing", "M", "breakdown"), (13, "repairing", "M", "breakdown"),
        (15, "completing", "M", 2)]
    sums = tally(network, 30)
    assert sums.total("busy_time") == 6
    assert sums.total("down_time") == sums.total("repair_time") == 2
    assert sums.total("process_time") == 3 + 5
    assert sums.total("process_time_squared") == 9 + 25
    assert sums.total("failures") == 1


def test_a_machine_ages_by_the_clock() -> None:
    network = failing(orders=[{"placed": "3h"}, {"placed": "12h"}], clock="elapsed")
    assert story(network, 15) == [
        (3, "starting", "M", 1), (4, "failing", "M", "breakdown"),
        (6, "repairing", "M", "breakdown"), (8, "completing", "M", 1),
        (10, "failing", "M", "breakdown"), (12, "repairing", "M", "breakdown"),
        (12, "starting", "M", 2)]
    sums = tally(network, 15)
    assert sums.total("down_time") == 4
    assert sums.total("busy_time") == 3 + 3


def test_a_failure_due_as_the_work_ends_strikes_at_the_next_start() -> None:
    network = failing(orders=[{}, {}, {"placed": "10h"}], time_to_failure="6h")
    assert story(network, 20)[3:] == [
        (6, "completing", "M", 2), (10, "starting", "M", 3), (10, "failing", "M", "breakdown"),
        (12, "repairing", "M", "breakdown"), (15, "completing", "M", 3)]


def test_a_clocked_failure_as_the_work_ends_leaves_the_lot_alone() -> None:
    network = failing(2, time_to_failure="3h", clock="elapsed", after="scrap")
    assert story(network, 6) == [
        (0, "starting", "M", 1), (3, "failing", "M", "breakdown"), (3, "completing", "M", 1),
        (5, "repairing", "M", "breakdown"), (5, "starting", "M", 1)]


@pytest.mark.parametrize(("after", "made", "scrapped"), [
    ("resume", [3, 8, 13], []), ("restart", [3, 9, 15], []), ("scrap", [3, 9, 15], [4, 10])])
def test_interrupted_work_goes_on_or_starts_again_or_is_lost(
        after: str, made: list[float], scrapped: list[float]) -> None:
    """It fails after every four hours of work."""
    network = failing(9, after=after)
    assert [time for time, *_ in story(network, 15.5, ("commissioning",))] == made
    assert [time for time, *_ in story(network, 15.5, ("scrapping",))] == scrapped
    assert tally(network, 15.5).total("units_scrapped") == len(scrapped)


def test_work_restarted_by_the_clock_keeps_failing() -> None:
    network = failing(clock="elapsed", after="restart", steps={"A": [at("M", "5h")]})
    assert tally(network, 59).total("lots_finished") == 0
    assert tally(network, 59).total("busy_time") == 4 * 10


def test_each_cause_has_its_age() -> None:
    rows = [{"asset": "M", "cause": "belt", "time_to_failure": "4h", "time_to_repair": "1h"},
            {"asset": "M", "cause": "motor", "time_to_failure": "5h", "time_to_repair": "2h"}]
    network = shop(WORK, failures=rows, orders=[{"quantity": 4}])
    assert story(network, 20, ("failing", "repairing")) == [
        (4, "failing", "M", "belt"), (5, "repairing", "M", "belt"),
        (6, "failing", "M", "motor"), (8, "repairing", "M", "motor"),
        (11, "failing", "M", "belt"), (12, "repairing", "M", "belt"),
        (14, "failing", "M", "motor"), (16, "repairing", "M", "motor")]


def test_three_machines_and_one_fitter() -> None:
    network = shop(WORK, machines=[{"machine": "M", "units": 3}], crews=[{"crew": "fitter"}],
                   groups=[{"group": "M", "needed": 2}],
                   failures=[{"asset": "M", "time_to_failure": "10h", "time_to_repair": "2h",
                              "clock": "elapsed", "crew": "fitter"}])
    assert [(t, w, m) for t, w, m, _ in story(network, 17)] == [
        (10, "failing", "M#1"), (10, "failing", "M#2"), (10, "failing", "M#3"),
        (12, "repairing", "M#1"), (14, "repairing", "M#2"), (16, "repairing", "M#3")]
    sums = tally(network, 17)
    assert sums.total("repair_wait") == 2 + 4
    assert sums.total("repair_time") == 6
    assert sums.total("down_time") == 2 + 4 + 6
    assert sums.total("group_up_time") == 10 + 3
    assert sums.total("crew_busy_time") == 6


def test_a_fitter_off_duty_mends_tomorrow() -> None:
    network = shop(
        WORK, orders=[{}], crews=[{"crew": "fitter", "site": "shop", "calendar": "day"}],
        calendars=[{"calendar": "day", "day": "daily", "from": "00:00", "to": "04:00"}],
        failures=[{"asset": "M", "time_to_failure": "2h", "time_to_repair": "5h",
                   "crew": "fitter"}])
    assert story(network, 40, ("failing", "repairing")) == [
        (2, "failing", "M", "breakdown"), (27, "repairing", "M", "breakdown")]
    assert tally(network, 40).total("crew_busy_time") == 5


def test_a_spare_is_taken_or_waited_for() -> None:
    network = shop(
        WORK, orders=[{"quantity": 5}], products=[{"product": "belt"}],
        sites=[{"site": "mill", "kind": "supplier"}], supply=[{"site": "mill", "product": "belt"}],
        lanes=[{"origin": "mill", "destination": "shop", "transit": "10h"}],
        stock=[{"product": "belt", "on_hand": 1, "policy": "base_stock", "order_up_to": 1}],
        failures=[{"asset": "M", "time_to_failure": "4h", "time_to_repair": "1h",
                   "spare": "belt"}])
    assert story(network, 40, ("failing", "repairing")) == [
        (4, "failing", "M", "breakdown"), (5, "repairing", "M", "breakdown"),
        (9, "failing", "M", "breakdown"), (15, "repairing", "M", "breakdown"),
        (19, "failing", "M", "breakdown"), (20, "repairing", "M", "breakdown")]


def test_service_renews_a_machine_before_it_fails() -> None:
    network = shop(WORK, orders=[{"quantity": 4}], failures=[
        {"asset": "M", "cause": "wear", "time_to_failure": "5h", "time_to_repair": "9h",
         "repair_cost": 100, "service_after": "4h", "service_time": "1h", "service_cost": 7}])
    assert story(network, 30, ("failing", "repairing")) == [
        (4, "failing", "M", "service"), (5, "repairing", "M", "wear"),
        (9, "failing", "M", "service"), (10, "repairing", "M", "wear")]
    sums = tally(network, 30)
    assert (sums.total("services"), sums.total("failures")) == (2, 0)
    assert sums.total("maintenance_cost") == 14
    assert starts(network, 30) == [(0, 1), (3, 1), (7, 1), (11, 1)]


def test_costs_of_repairs() -> None:
    assert tally(failing(3, repair_cost=50), 30).total("maintenance_cost") == 100


def test_a_machine_down_holds_its_lot_and_others_work_on() -> None:
    network = failing(4, machines=[{"machine": "M"}, {"machine": "N"}])
    assert [(t, m) for t, w, m, _ in story(network, 20, ("completing",))] == [
        (3, "M"), (3, "N"), (6, "N"), (8, "M")]
