"""Which lot comes next: every dispatching rule, preemption and set-ups, by exact traces."""

from __future__ import annotations

import pytest

from tests.simulate.shops import at, shop, starts, story, tally

TWO = {"A": [at("M", "2h")], "B": [at("M", "1h")]}


def test_first_come_first_served() -> None:
    network = shop(TWO, orders=[{"product": "A"}, {"product": "B", "placed": "1h"},
                                {"product": "A", "placed": "30min"}])
    assert starts(network) == [(0, 1), (2, 2), (4, 3)]  # the third row came second


def test_priority_one_first_even_at_the_same_instant() -> None:
    network = shop(TWO, groups=[{"group": "M", "dispatch": "priority"}],
                   orders=[{"priority": 2}, {"priority": 1}, {"priority": 3},
                           {"priority": 1, "placed": "2h"}])
    assert [order for _, order in starts(network)] == [2, 4, 1, 3]


def test_earliest_due_date() -> None:
    network = shop(TWO, groups=[{"group": "M", "dispatch": "due_date"}],
                   orders=[{"due": "9h"}, {}, {"due": "5h"}])
    assert [order for _, order in starts(network)] == [3, 1, 2]


def test_shortest_expected_work() -> None:
    network = shop(TWO, groups=[{"group": "M", "dispatch": "shortest"}],
                   orders=[{"product": "A"}, {"product": "A"}, {"product": "B"}])
    assert [order for _, order in starts(network)] == [3, 1, 2]


def test_stay_with_the_family_while_it_has_work() -> None:
    steps = {"A": [at("M", "2h", setup_time="1h")], "B": [at("M", "1h", setup_time="1h")]}
    network = shop(steps, groups=[{"group": "M", "dispatch": "family"}],
                   orders=[{"product": "A"}, {"product": "B"}, {"product": "A"}])
    assert story(network, 20, ("setup", "starting")) == [
        (0, "setup", "M", 1), (1, "starting", "M", 1), (3, "starting", "M", 3),
        (5, "setup", "M", 2), (6, "starting", "M", 2)]


def test_the_wheel_turns_even_for_nobody() -> None:
    steps = {"A": [at("M", "2h", setup_time="1h")], "B": [at("M", "1h", setup_time="30min")]}
    network = shop(steps, groups=[{"group": "M", "dispatch": "wheel"}],
                   orders=[{"product": "A", "placed": "2h"}])
    # set up A 0-1, B 1-1.5, A 1.5-2.5: the lot that came at 2 starts
    assert starts(network) == [(2.5, 1)]
    sums = tally(network, 4.5)
    assert sums.total("setups") == 3
    assert sums.total("setup_time") == 2.5
    assert sums.total("busy_time") == 2.0


def test_the_wheel_rests_where_set_ups_take_no_time() -> None:
    network = shop(TWO, groups=[{"group": "M", "dispatch": "wheel"}],
                   orders=[{"product": "B", "placed": "2h"}, {"product": "A", "placed": "2h"}])
    assert starts(network) == [(2, 2), (4, 1)]


def test_the_wheel_passes_a_family_that_nobody_orders() -> None:
    steps = {name: [at("M", "1h", setup_time="1h")] for name in "ABC"}
    network = shop(steps, groups=[{"group": "M", "dispatch": "wheel"}],
                   orders=[{"product": "A"}, {"product": "C"}])
    assert starts(network) == [(1, 1), (4, 2)]  # B is set up in between, 2-3


def test_a_table_of_changeovers_overrides_the_routing() -> None:
    steps = {"A": [at("M", "2h", setup_time="1h")], "B": [at("M", "1h", setup_time="1h")]}
    network = shop(steps, orders=[{"product": "A"}, {"product": "B"}, {"product": "A"}], setups=[
        {"group": "M", "from_family": "A", "to_family": "B", "time": "3h", "cost": 40}])
    assert starts(network) == [(1, 1), (6, 2), (8, 3)]
    sums = tally(network, 20)
    assert sums.total("setup_cost") == 40.0
    assert sums.total("setup_time") == 5.0
    assert sums.total("setups") == 3


def test_families_share_a_set_up() -> None:
    steps = {name: [at("M", "1h", setup_time="1h", setup_family="blue")] for name in "AB"}
    assert starts(shop(steps, orders=[{"product": "A"}, {"product": "B"}])) == [(1, 1), (2, 2)]


def test_no_set_ups_are_counted_where_there_are_none() -> None:
    network = shop(TWO, orders=[{"product": "A"}, {"product": "B"}])
    assert tally(network, 10).total("setups") == 0


PREEMPT = [{"group": "M", "dispatch": "priority", "preempt": True}]


def test_a_preempted_lot_keeps_its_work_and_its_place() -> None:
    network = shop({"A": [at("M", "4h")]}, groups=PREEMPT,
                   orders=[{"priority": 2}, {"priority": 2}, {"priority": 1, "placed": "1h"}])
    assert starts(network) == [(0, 1), (1, 3), (5, 1), (8, 2)]
    sums = tally(network, 20)
    assert sums.total("queue_time") == 4 + 8  # the first waited again from 1 to 5
    assert sums.total("queue_length_time") == 4 + 8
    assert sums.total("jobs_queued") == sums.total("jobs_processed") == 3
    assert sums.total("process_time") == 12.0
    assert sums.total("busy_time") == 12.0


def test_two_rush_lots_interrupt_two_machines() -> None:
    network = shop({"A": [at("M", "4h")]}, machines=[{"machine": "M", "units": 2}], groups=PREEMPT,
                   orders=[{"priority": 2}, {"priority": 3}, {"priority": 1, "placed": "1h"},
                           {"priority": 1, "placed": "1h"}])
    assert starts(network) == [(0, 1), (0, 2), (1, 3), (1, 4), (5, 1), (5, 2)]


def test_equals_do_not_interrupt() -> None:
    network = shop({"A": [at("M", "4h")]}, groups=PREEMPT,
                   orders=[{"priority": 1}, {"priority": 1, "placed": "1h"}])
    assert starts(network) == [(0, 1), (4, 2)]


@pytest.mark.parametrize("rule", ["fifo", "priority", "due_date", "shortest", "family", "wheel"])
def test_every_rule_serves_everybody(rule: str) -> None:
    network = shop(TWO, groups=[{"group": "M", "dispatch": rule}],
                   machines=[{"machine": "M", "units": 2}],
                   orders=[{"product": name, "placed": f"{hour}h", "priority": 1 + hour % 3}
                           for hour in range(12) for name in "AB"])
    sums = tally(network, 100)
    assert sums.total("jobs_processed") == 24
    assert sums.total("busy_time") == 36.0
    assert sums.total("queue_time") == pytest.approx(sums.total("queue_length_time"))


def test_part_done_work_is_not_carried_over_to_the_next_step() -> None:
    """An interrupted lot came along in a batch: its rest served as the work of its next step."""
    network = shop({"A": [at("M", "4h", batch=2), at("N", "3h")]},
                   machines=[{"machine": "M"}, {"machine": "N", "group": "N"}],
                   groups=[{"group": "M", "dispatch": "priority", "preempt": True}],
                   orders=[{"priority": 2}, {"priority": 1, "placed": "1h"},
                           {"priority": 1, "placed": "2h"}])
    # order 2 interrupts order 1, three hours of which are left; order 3 has a batch of its own
    assert story(network, 40, ("starting", "completing")) == [
        (0, "starting", "M", 1), (1, "starting", "M", 2), (5, "completing", "M", 2),
        (5, "starting", "N", 2), (5, "starting", "M", 3), (8, "completing", "N", 2),
        (9, "completing", "M", 3), (9, "starting", "N", 3), (9, "starting", "M", 1),
        (12, "completing", "N", 3), (12, "completing", "M", 1), (12, "starting", "N", 1),
        (15, "completing", "N", 1)]
    assert tally(network, 40).total("jobs_queued") == tally(network, 40).total("jobs_processed")


def test_the_wheel_rests_where_nothing_has_room() -> None:
    """Set-ups that take no time turned it for ever."""
    network = shop({"A": [at("M", "1h"), at("N", "5h")], "B": [at("M", "1h"), at("N", "5h")]},
                   machines=[{"machine": "M"}, {"machine": "N", "group": "N"}],
                   groups=[{"group": "M", "dispatch": "wheel", "blocking": "before"},
                           {"group": "N", "buffer": 0}],
                   orders=[{}, {"product": "B"}, {}])
    assert [time for time, _, machine, _ in story(network, 30, ("starting",))
            if machine == "M"] == [0, 6, 12]


SLOW = {"A": [at("M", "2h", setup_time="3h")], "B": [at("M", "1h", setup_time="1h")]}
RUSH = [{"group": "M", "dispatch": "priority", "preempt": True}]
WORK = ("setup", "starting", "completing")


def test_an_urgent_lot_interrupts_a_set_up() -> None:
    """What was set up of another family is lost; the machine is as it was before."""
    network = shop(SLOW, groups=RUSH, orders=[
        {"priority": 2}, {"product": "B", "priority": 1, "placed": "2h"}])
    assert story(network, 20, WORK) == [
        (0, "setup", "M", 1), (2, "setup", "M", 2), (3, "starting", "M", 2),
        (4, "completing", "M", 2), (4, "setup", "M", 1), (7, "starting", "M", 1),
        (9, "completing", "M", 1)]
    sums = tally(network, 20)
    assert (sums.total("setup_time"), sums.total("setups")) == (2 + 1 + 3, 3)
    assert sums.total("jobs_queued") == sums.total("jobs_processed") == 2
    assert sums.total("queue_time") == sums.total("queue_length_time") == 2


def test_a_set_up_for_the_same_family_goes_on_for_the_urgent_lot() -> None:
    network = shop(SLOW, groups=RUSH, orders=[{"priority": 2}, {"priority": 1, "placed": "2h"}])
    assert story(network, 20, WORK) == [
        (0, "setup", "M", 1), (2, "setup", "M", 2), (3, "starting", "M", 2),
        (5, "completing", "M", 2), (5, "starting", "M", 1), (7, "completing", "M", 1)]
    assert tally(network, 20).total("setups") == 1


def test_an_urgent_lot_goes_before_one_that_waits_for_its_crew() -> None:
    network = shop({"A": [at("M", "2h", crew="hands")], "B": [at("M", "1h")],
                    "C": [at(None, "5h", crew="hands")]}, groups=RUSH, crews=[{"crew": "hands"}],
                   orders=[{"product": "C"}, {"priority": 2, "placed": "1h"},
                           {"product": "B", "priority": 1, "placed": "2h"}])
    assert story(network, 20, WORK) == [
        (2, "starting", "M", 3), (3, "completing", "M", 3), (5, "starting", "M", 2),
        (7, "completing", "M", 2)]
    sums = tally(network, 20)
    assert sums.total("queue_time") == sums.total("queue_length_time") == 4


def test_an_interrupted_lot_keeps_one_place_not_two() -> None:
    """With blocking before service it took another place each time that it went on."""
    network = shop({"A": [at("M", "4h"), at("N", "1h")]},
                   machines=[{"machine": "M"}, {"machine": "N", "group": "N"}],
                   groups=[RUSH[0] | {"blocking": "before"}, {"group": "N", "buffer": 1}],
                   orders=[{"priority": 2}, {"priority": 1, "placed": "1h"},
                           {"priority": 3, "placed": "2h"}])
    assert [time for time, _, machine, _ in story(network, 40, ("completing",))
            if machine == "M"] == [5, 8, 12]
