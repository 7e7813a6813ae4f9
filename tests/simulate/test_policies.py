"""Every policy orders what theory says, when it says."""

from __future__ import annotations

import pytest

from tests.simulate.chains import events, levels, ordered, shelf, tally
from twin.network import Network
from twin.simulate.policies import Forecaster


def test_s_S_orders_up_to_S_as_soon_as_the_position_is_at_s() -> None:
    network = shelf({"policy": "s_S", "reorder_point": 7, "order_up_to": 10})
    # 9, 8, 7: order 3, which come a day later; then 9, 8, 7 again.
    assert ordered(network, 168) == [(60.0, 3.0), (132.0, 3.0)]


def test_the_trigger_below_waits_for_one_unit_more() -> None:
    network = shelf({"policy": "s_S", "reorder_point": 7, "order_up_to": 10, "trigger": "below"})
    assert ordered(network, 168) == [(84.0, 4.0)]


def test_tenths_of_a_unit_reach_the_reorder_point() -> None:
    """After seven tenths of 0.7 a rounding error was left above zero, and the order came late."""
    network = shelf({"policy": "s_Q", "reorder_point": 0, "order_quantity": 5, "on_hand": 0.7},
                    {"size": 0.1})
    assert ordered(network, 24 * 7) == [(156.0, 5.0)]


def test_s_Q_orders_as_many_batches_as_bring_the_position_above_s() -> None:
    network = shelf({"policy": "s_Q", "reorder_point": 4, "order_quantity": 5},
                    {"size": 13, "interarrival": "30d"})
    assert ordered(network, 48) == [(12.0, 10.0)]  # from -3 to 7
    exactly = shelf({"policy": "s_Q", "reorder_point": 4, "order_quantity": 5, "on_hand": 4},
                    {"start": "30d"})
    assert ordered(exactly, 24) == [(0.0, 5.0)]


def test_base_stock_orders_what_was_asked() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10}, {"size": 2.5})
    assert ordered(network, 72) == [(12.0, 2.5), (36.0, 2.5), (60.0, 2.5)]


def test_R_S_orders_at_reviews_only() -> None:
    network = shelf({"policy": "R_S", "order_up_to": 10, "review": "2d", "first_review": "1d"})
    assert ordered(network, 168) == [(24.0, 1.0), (72.0, 2.0), (120.0, 2.0)]


def test_a_review_comes_before_or_after_the_demand_of_the_same_instant() -> None:
    for review, expected in (("before_demand", [(24.0, 1.0), (48.0, 1.0)]),
                             ("after_demand", [(0.0, 1.0), (24.0, 1.0), (48.0, 1.0)])):
        network = shelf({"policy": "R_S", "order_up_to": 10, "review": "1d"}, {"start": "0h"},
                        review=review)
        assert ordered(network, 72) == expected


def test_kanban_orders_whole_bins_and_backorders_free_no_card() -> None:
    network = shelf({"policy": "kanban", "order_up_to": 10, "order_quantity": 5}, {"size": 3})
    # 7, 4 (one bin empty), 1 + 5 on order: the next card is free when two bins' worth is used.
    assert ordered(network, 72) == [(36.0, 5.0)]
    starved = shelf({"policy": "kanban", "order_up_to": 10, "order_quantity": 5},
                    {"size": 30, "interarrival": "30d"})
    assert ordered(starved, 48) == [(12.0, 10.0), (36.0, 10.0)]


def test_an_emptied_bin_is_ordered_when_a_receipt_goes_to_those_who_wait() -> None:
    """A receipt that was handed on at once emptied its bin, and nobody ordered it again."""
    network = shelf({"policy": "kanban", "order_up_to": 5, "order_quantity": 5, "on_hand": 5},
                    {"size": 15, "interarrival": "30d"})
    assert ordered(network, 72) == [(12.0, 5.0), (36.0, 5.0), (60.0, 5.0)]


def test_forecast_covers_lead_time_and_review() -> None:
    network = shelf({"policy": "forecast", "review": "1d", "forecast": "moving_average(n=2)",
                     "on_hand": 0}, {"size": "series(4, 8, 6, 6, 6)"})
    # Level 2 days x mean of the last two: at 24 h 2*4+4 owed; at 48 h 2*6+12-8 on order ...
    assert ordered(network, 96) == [(24.0, 12.0), (48.0, 12.0), (72.0, 8.0)]


def test_a_constant_forecast_with_cover_and_safety_stock() -> None:
    network = shelf({"policy": "forecast", "review": "1d", "forecast": "4", "cover": "3d",
                     "safety_stock": 5, "on_hand": 0}, {"start": "30d"})
    assert ordered(network, 48) == [(0.0, 17.0)]


def test_safety_factor_is_times_the_spread_of_errors() -> None:
    network = shelf({"policy": "forecast", "review": "1d", "cover": "4d", "safety_factor": 1.5,
                     "forecast": "smoothing(alpha=0.5, start=4)", "on_hand": 100},
                    {"size": "series(10, 4, 4)"})
    # After 10 the level is 7 and the error 6: 7*4 + 1.5*6*2 = 46; position 90: nothing yet.
    assert ordered(network, 48) == []
    hungry = shelf({"policy": "forecast", "review": "1d", "cover": "4d", "safety_factor": 1.5,
                    "forecast": "smoothing(alpha=0.5, start=4)", "on_hand": 20},
                   {"size": "series(10, 4, 4)"})
    assert ordered(hungry, 36) == [(24.0, 36.0)]


def test_smoothed_adds_part_of_the_gaps() -> None:
    network = shelf({"policy": "smoothed", "review": "1d", "forecast": "4", "order_up_to": 12,
                     "adjust": 0.5, "pipeline_weight": 0.25, "on_hand": 10}, {"start": "30d"},
                    lane={"transit": "30d"})
    # 4 + .5 (12 - 10) = 5; then 4 + .5 (12 - 10 - .25 * 5) = 4.375
    assert ordered(network, 48) == [(0.0, 5.0), (24.0, 4.375)]


def test_a_forecaster_is_asked_before_it_knows_anything() -> None:
    forecaster = Forecaster("moving_average", {"n": 3})
    forecaster.update(None)
    assert forecaster.level is None
    for demand in (3.0, 6.0, 9.0, 12.0):
        forecaster.update(demand)
    assert forecaster.level == 9.0


def vendor(on_hand: float, **columns: object) -> Network:
    """A vendor's shelf V that a supplier fills, and a customer's shelf W that V looks after."""
    return Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "V", "kind": "warehouse"},
               {"site": "W", "kind": "warehouse"}],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "V", "transit": "2d"},
               {"origin": "V", "destination": "W", "transit": "1d", "order_delay": "5d"}],
        stock=[{"site": "V", "product": "A", "on_hand": on_hand, "policy": "base_stock",
                "order_up_to": 6},
               {"site": "W", "product": "A", "on_hand": 10, "policy": "vendor_managed",
                "reorder_point": 6, "order_up_to": 10, **columns}],
        demand=[{"site": "W", "product": "A", "interarrival": "1d", "start": "12h", "size": 4}])


def test_a_vendor_sees_consumption_at_once() -> None:
    """No order is written, so that no information lead time passes."""
    rows = events(vendor(6), 48, "departing", columns="time quantity site")
    assert ("V", 12.0, 4.0) in [(site, time, units) for time, units, site in rows]


def test_a_vendor_sends_no_more_than_it_has_and_the_rest_when_it_has_more() -> None:
    """Nothing told the vendor of a full shelf W again, until the next customer came."""
    network = vendor(6, reorder_point=None)
    rows = [(time, units) for time, units, site in
            events(network, 84, "departing", columns="time quantity site") if site == "V"]
    # 4 at 12 h, the 2 left at 36 h; at 60 h the vendor's own order of 4 comes in.
    assert rows[:3] == [(12.0, 4.0), (36.0, 2.0), (60.0, 4.0)]
    assert all(level >= 0 for level in levels(network, 240, 12, place="V"))
    assert tally(network, 240).total("backorder_time", "V") == 0.0


@pytest.mark.parametrize("policy", [
    {"policy": "s_S", "reorder_point": 2, "order_up_to": 10},
    {"policy": "s_Q", "reorder_point": 2, "order_quantity": 5},
    {"policy": "base_stock", "order_up_to": 10},
])
def test_no_stock_row_orders_what_nobody_asked_for(policy: dict[str, object]) -> None:
    assert ordered(shelf(policy, {"start": "30d"}), 240) == []


def test_a_shelf_without_policy_never_orders() -> None:
    assert ordered(shelf({}), 480) == []


def test_minimum_order_and_multiple() -> None:
    network = shelf({"policy": "base_stock", "order_up_to": 10},
                    {"size": "series(1, 7, 1)"}, supply={"minimum_order": 4, "multiple": 3})
    # 1 -> at least 4, in threes: 6; then the position is 15 - 7 = 8: again 6; 14 - 1 = 13.
    assert ordered(network, 72) == [(12.0, 6.0), (36.0, 6.0)]
