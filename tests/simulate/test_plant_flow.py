"""Lots on their way: routings, batches, yield, branches, components, caps, buffers, blocking."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulate.shops import BASELINE, at, shop, starts, story, tally
from twin.ledger import Ledger
from twin.network import Network
from twin.simulate.play import play

LINE = {"A": [at("1", "1h"), at("2", "3h")]}
TWO = [{"machine": "1", "group": "1"}, {"machine": "2", "group": "2"}]


def test_a_lot_goes_from_step_to_step() -> None:
    network = shop(LINE, machines=TWO, orders=[{"quantity": 2}])
    assert story(network, 20) == [
        (0, "starting", "1", 1), (1, "completing", "1", 1), (1, "starting", "1", 1),
        (1, "starting", "2", 1), (2, "completing", "1", 1), (4, "completing", "2", 1),
        (4, "starting", "2", 1), (7, "completing", "2", 1)]
    sums = tally(network, 20)
    assert sums.total("make_time") == 4 + 7
    assert sums.total("lots_finished") == 2
    assert sums.total("wip_time") == 11
    assert sums.total("cycle_time") == 7  # of the order
    assert sums.total("queue_time", "shop/1") == 1
    assert sums.total("queue_time", "shop/2") == 2


def test_a_step_without_a_machine_takes_everybody_at_once() -> None:
    network = shop({"A": [at(None, "5h"), at("M", "1h")]}, orders=[{"quantity": 3}])
    assert starts(network) == [(5, 1), (6, 1), (7, 1)]


def test_a_lot_of_many_takes_as_long_per_unit_or_per_lot() -> None:
    unit = shop({"A": [at("M", "1h")]}, lot_size=5, orders=[{"quantity": 12}])
    assert starts(unit) == [(0, 1), (5, 1), (10, 1)]  # lots of 5, 5 and 2
    assert tally(unit, 20).total("busy_time") == 12.0
    lot = shop({"A": [at("M", "1h", per="lot")]}, lot_size=5, orders=[{"quantity": 12}])
    assert tally(lot, 20).total("busy_time") == 3.0
    whole = shop({"A": [at("M", "1h")]}, lot_size=None, orders=[{"quantity": 12}])
    assert tally(whole, 20).total("lots_finished") == 1


def test_random_times_of_a_lot_are_drawn_unit_by_unit() -> None:
    network = shop({"A": [at("M", "exponential(mean=1h)")]}, lot_size=100,
                   orders=[{"quantity": 10_000}])
    sums = tally(network, 20_000)
    assert sums.total("process_time") == pytest.approx(10_000, rel=0.05)
    spread = sums.total("process_time_squared") / 100 - (sums.total("process_time") / 100) ** 2
    assert spread == pytest.approx(100, rel=0.5)


def test_a_machine_has_its_own_time_and_speed() -> None:
    network = shop({"A": [at("M", "2h")]}, orders=[{"quantity": 4}],
                   machines=[{"machine": "fast", "speed": 2.0}, {"machine": "own"}],
                   capabilities=[{"machine": "own", "product": "A", "step": 10,
                                  "process_time": "3h"}])
    assert [(t, m) for t, w, m, _ in story(network, 20, ("starting",))] == [
        (0, "fast"), (0, "own"), (1, "fast"), (2, "fast")]


def test_a_batch_is_processed_together() -> None:
    steps = {"A": [at("M", "4h", per="batch", batch=3)]}
    network = shop(steps, orders=[{"quantity": 1}, {"quantity": 4, "placed": "1h"}])
    assert story(network, 20, ("starting",)) == [
        (0, "starting", "M", 1), *[(4, "starting", "M", 2)] * 3, (8, "starting", "M", 2)]
    sums = tally(network, 20)
    assert sums.total("busy_time") == 12
    assert sums.total("jobs_processed") == 5
    assert sums.total("queue_time") == 3 * 3 + 7


def test_a_batch_is_of_one_operation() -> None:
    steps = {name: [at("M", "4h", per="batch", batch=3)] for name in "AB"}
    network = shop(steps, orders=[{"product": name} for name in "ABAB"])
    assert starts(network) == [(0, 1), (0, 3), (4, 2), (4, 4)]


# -- yield and branches ----------------------------------------------------------------------
def test_what_is_lost_is_made_again() -> None:
    """Half of the units are lost; lots are released until the order is whole."""
    network = shop({"A": [at("M", "1h", **{"yield": 0.5})]}, orders=[{"quantity": 20}])
    sums = tally(network, 200)
    assert sums.total("units_delivered") == 20
    assert sums.total("units_good") == 20
    assert sums.total("units_scrapped") == sums.total("jobs_processed") - 20 > 0
    assert sums.total("lots_released") == sums.total("jobs_processed")


def test_units_stay_whole_in_lots() -> None:
    network = shop({"A": [at("M", "1h", **{"yield": 0.9})]}, lot_size=10,
                   orders=[{"quantity": 40}])
    ledger = Ledger()
    play(network, BASELINE, horizon_h=500, ledger=ledger)
    rows = ledger.frame()
    made = rows[rows.event == "commissioning"].quantity
    assert made.sum() == 40
    assert all(quantity == int(quantity) for quantity in made)


def test_rework_and_scrap_by_shares() -> None:
    network = shop({"A": [at("M", "1h"), at("I", "0h")]}, orders=[{"quantity": 2000}],
                   machines=[{"machine": "M"}, {"machine": "I", "group": "I"}],
                   branches=[{"product": "A", "step": 20, "next": "10", "share": 0.2},
                             {"product": "A", "step": 20, "next": "scrap", "share": 0.1}])
    sums = tally(network, 10_000)
    assert sums.total("units_delivered") == 2000
    inspected = sums.total("jobs_processed", "shop/I")
    assert 2000 / inspected == pytest.approx(0.7, abs=0.03)
    assert sums.total("lots_released") == pytest.approx(2000 * 0.8 / 0.7, rel=0.05)


def test_done_before_the_last_step() -> None:
    network = shop({"A": [at("M", "1h"), at("M", "5h")]}, orders=[{}],
                   branches=[{"product": "A", "step": 10, "next": "done", "share": 1}])
    assert tally(network, 20).total("cycle_time") == 1


# -- components ------------------------------------------------------------------------------
def test_components_are_made_in_parallel() -> None:
    network = shop({"P": [at(None, "1h")], "A": [at("1", "2h")], "B": [at("2", "5h")]},
                   machines=TWO, orders=[{"product": "P"}],
                   bom=[{"product": "P", "component": "A", "quantity": 2},
                        {"product": "P", "component": "B"}])
    assert story(network, 20, ("starting",)) == [
        (0, "starting", "1", 2), (0, "starting", "2", 3), (2, "starting", "1", 2)]
    assert tally(network, 20).total("cycle_time") == 6  # both parts at 5, one hour to join them


def stocked(*bom: dict[str, Any], **tables: Any) -> Network:
    """Product A of components that a shelf of the shop holds; steel comes in 10 hours."""
    names = dict.fromkeys([row["component"] for row in bom])
    return shop(
        {"A": [at("M", "1h")]}, orders=tables.pop("orders", [{}]),
        sites=[{"site": "mill", "kind": "supplier"}],
        products=[{"product": name} for name in names],
        supply=[{"site": "mill", "product": name} for name in names],
        lanes=[{"origin": "mill", "destination": "shop", "transit": "10h"}],
        bom=[{"product": "A", **row} for row in bom], **tables)


def test_a_component_is_taken_from_the_shelf() -> None:
    network = stocked({"component": "steel", "quantity": 2}, orders=[{"quantity": 2}],
                      stock=[{"product": "steel", "on_hand": 3, "policy": "base_stock",
                              "order_up_to": 3}])
    assert starts(network) == [(0, 1), (10, 1)]
    sums = tally(network, 20)
    assert sums.total("units_issued") == 4
    assert sums.total("wip_time") == 1 + 11


def test_a_component_without_a_shelf_is_ordered_for_the_lot() -> None:
    assert starts(stocked({"component": "steel"})) == [(10, 1)]


def test_the_first_alternative_in_stock_is_taken() -> None:
    bom = [{"component": "steel", "alternative": "metal", "rank": 1},
           {"component": "zinc", "alternative": "metal", "rank": 2}]
    both = [{"product": "steel", "on_hand": 1}, {"product": "zinc", "on_hand": 5}]
    network = stocked(*bom, stock=both, orders=[{"quantity": 3}])
    sums = tally(network, 20)
    assert sums.total("units_issued", product="steel") == 1
    assert sums.total("units_issued", product="zinc") == 2
    none = [{"product": "steel", "on_hand": 0, "policy": "base_stock", "order_up_to": 1},
            {"product": "zinc", "on_hand": 0}]
    assert starts(stocked(*bom, stock=none)) == [(10, 1)]  # neither: the first is waited for


def test_by_products_go_to_the_shelf() -> None:
    network = shop({"A": [at("M", "1h")]}, orders=[{"quantity": 3}],
                   products=[{"product": "swarf"}], stock=[{"product": "swarf"}],
                   byproducts=[{"product": "A", "byproduct": "swarf", "quantity": 0.5}])
    sums = tally(network, 20)
    assert sums.total("units_received", product="swarf") == 1.5


def test_lots_join_their_components() -> None:
    network = stocked({"component": "steel", "quantity": 2},
                      stock=[{"product": "steel", "on_hand": 3}])
    ledger = Ledger()
    play(network, BASELINE, horizon_h=20, ledger=ledger)
    rows = ledger.frame()
    [used] = rows[rows.event == "consuming"].itertuples()
    [made] = rows[rows.event == "commissioning"].itertuples()
    [stored] = rows[(rows.event == "storing") & (rows["product"] == "steel")].itertuples()
    assert (used.lot, used.parent, used.quantity) == (made.lot, stored.lot, 2.0)


def test_a_shelf_is_filled_by_making() -> None:
    network = shop({"A": [at("M", "2h")]}, lot_size=None,
                   stock=[{"product": "A", "on_hand": 5, "policy": "s_Q", "reorder_point": 3,
                           "order_quantity": 4}],
                   demand=[{"site": "shop", "product": "A", "interarrival": "1h", "start": "0h"}])
    assert [time for time, _ in starts(network, 12)] == [1, 9]  # 2 hours for each of 4 units
    assert tally(network, 12).total("units_received") == 4


# -- order book, cap, buffers ----------------------------------------------------------------
def test_the_cap_holds_lots_in_the_order_book() -> None:
    network = shop(LINE, machines=TWO, wip_cap=2, orders=[{"quantity": 4}])
    assert sorted((t, m) for t, _, m, _ in story(network, 20, ("starting",))) == [
        (0, "1"), (1, "1"), (1, "2"), (4, "1"), (4, "2"), (7, "1"), (7, "2"), (10, "2")]
    assert tally(network, 20).total("wip_time") == 2 * 10 + 3


def test_urgent_orders_leave_the_book_first() -> None:
    network = shop({"A": [at("M", "1h")]}, wip_cap=1,
                   orders=[{}, {"priority": 3}, {"priority": 2}])
    assert [order for _, order in starts(network)] == [1, 3, 2]


def test_components_of_a_released_lot_pass_the_cap() -> None:
    network = shop({"P": [at(None, "1h")], "A": [at("1", "2h")], "B": [at("2", "5h")]},
                   machines=TWO, orders=[{"product": "P", "quantity": 2}], wip_cap=1,
                   bom=[{"product": "P", "component": "A"}, {"product": "P", "component": "B"}])
    assert [time for time, _ in starts(network)] == [0, 0, 6, 6]


def test_what_the_cap_turns_away_is_lost() -> None:
    network = shop({"A": [at("M", "3h")]}, wip_cap=2, demand=[
        {"site": "shop", "product": "A", "interarrival": "1h", "start": "0h", "limit": 5,
         "unmet": "lost"}])
    sums = tally(network, 20)
    # at 0 and 1 in; at 2 full; at 3 the first has just gone, one more in; at 4 full
    assert sums.total("orders_lost") == 2
    assert sums.total("lots_finished") == 3


def test_a_full_first_buffer_turns_away_too() -> None:
    network = shop({"A": [at("M", "3h")]}, groups=[{"group": "M", "buffer": 1}], demand=[
        {"site": "shop", "product": "A", "interarrival": "1h", "start": "0h", "limit": 5,
         "unmet": "lost"}])
    assert tally(network, 20).total("orders_lost") == 2


def test_blocking_after_work_holds_the_done_lot() -> None:
    network = shop(LINE, machines=TWO, orders=[{"quantity": 4}],
                   groups=[{"group": "1", "buffer": 0}, {"group": "2", "buffer": 0}])
    assert sorted((t, m) for t, _, m, _ in story(network, 20, ("starting",))) == [
        (0, "1"), (1, "1"), (1, "2"), (4, "1"), (4, "2"), (7, "1"), (7, "2"), (10, "2")]
    sums = tally(network, 20)
    assert sums.total("blocked_time", "1") == 2 + 2 + 2
    assert sums.total("blocked_time", "2") == 0
    assert sums.total("group_wip_time", "shop/1") == 4 + 6  # the held lot still stands there


def test_blocking_before_work_waits_for_room() -> None:
    groups = [{"group": "1", "buffer": 0, "blocking": "before"}, {"group": "2", "buffer": 0}]
    network = shop(LINE, machines=TWO, groups=groups, orders=[{"quantity": 3}])
    assert [(t, m) for t, _, m, _ in story(network, 20, ("starting",))] == [
        (0, "1"), (1, "2"), (4, "1"), (5, "2"), (8, "1"), (9, "2")]
    assert tally(network, 20).total("blocked_time") == 0


def test_two_machines_before_one_place() -> None:
    """Only one of them may start: the place is kept for its lot."""
    groups = [{"group": "1", "blocking": "before"}, {"group": "2", "buffer": 0}]
    machines = [{"machine": "1", "group": "1", "units": 2}, {"machine": "2", "group": "2"}]
    network = shop({"A": [at("1", "2h"), at("2", "1h")]}, machines=machines, groups=groups,
                   orders=[{"quantity": 2}])
    assert [(t, m[0]) for t, _, m, _ in story(network, 20, ("starting",))] == [
        (0, "1"), (2, "2"), (3, "1"), (5, "2")]


def test_a_long_line_without_buffers_moves_at_one_instant() -> None:
    count = 150
    network = shop({"A": [at(str(n), "1h") for n in range(count)]},
                   orders=[{"quantity": 3 * count}],
                   machines=[{"machine": str(n), "group": str(n)} for n in range(count)],
                   groups=[{"group": str(n), "buffer": 0} for n in range(count)])
    assert tally(network, 2 * count).total("lots_finished") == count


def test_lots_before_a_blocked_delay_wait_outside() -> None:
    network = shop({"A": [at(None, "1h"), at("M", "3h")]}, orders=[{"quantity": 3}],
                   groups=[{"group": "M", "buffer": 0}])
    assert starts(network) == [(1, 1), (4, 1), (7, 1)]


def test_a_batch_leaves_room_for_all_its_lots() -> None:
    """Lots waited outside although a batch had taken those before them."""
    network = shop({"A": [at("M", "4h", per="batch", batch=3)]},
                   groups=[{"group": "M", "buffer": 3}], orders=[{"quantity": 9}])
    ledger = Ledger()
    play(network, BASELINE, horizon_h=3, ledger=ledger)
    rows = ledger.frame()
    assert len(rows[rows.event == "transforming"]) == 3 + 3


def test_blocking_before_work_looks_where_the_lot_will_go() -> None:
    """Every lot passes over the full work centre 2; the place kept there was not its place."""
    line = {"A": [at("1", "1h"), at("2", "9h"), at("3", "2h")], "B": [at("2", "9h")]}
    network = shop(line, machines=[*TWO, {"machine": "3", "group": "3"}],
                   groups=[{"group": "1", "blocking": "before"}, {"group": "2", "buffer": 0},
                           {"group": "3", "buffer": 0}],
                   branches=[{"product": "A", "step": 10, "next": "30", "share": 1}],
                   orders=[{"product": "B"}, {"quantity": 3}])
    # at 0 the place at 3 is kept; at 1 it is taken until 3, when the next lot may start
    assert [(time, machine) for time, _, machine, order in story(network, 12, ("starting",))
            if order == 2] == [(0, "1"), (1, "3"), (3, "1"), (4, "3"), (6, "1"), (7, "3")]


def test_what_a_scrapped_lot_was_made_of() -> None:
    """It had left the shelf and was nowhere in the ledger."""
    network = shop({"P": [at("M", "1h")]}, products=[{"product": "A"}],
                   stock=[{"product": "A", "on_hand": 99}],
                   orders=[{"product": "P", "quantity": 9}],
                   bom=[{"product": "P", "component": "A", "quantity": 2}],
                   branches=[{"product": "P", "step": 10, "next": "scrap", "share": 0.5}])
    ledger = Ledger()
    play(network, BASELINE, horizon_h=50, ledger=ledger)
    rows = ledger.frame()
    used = rows[rows.event == "consuming"]
    assert used.quantity.tolist() == [2.0] * len(used)
    scrapped = rows[rows.event == "scrapping"].time.tolist()
    assert used[used.lot == 0].time.tolist() == scrapped != []
    assert used.quantity.sum() == rows[rows.event == "picking"].quantity.sum()
