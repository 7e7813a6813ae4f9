"""Lots of products that share a work centre: capacity, shelves further down, and who is held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.network import Network
from twin.optimize.capacity import Capacity
from twin.optimize.lots import even_cover, plan_lots
from twin.plan import Answer, Plan, Status
from twin.scenario import Scenario
from twin.simulate import play


def plant(**tables: Any) -> Network:
    """Two teas packed on one machine for the shelves of two warehouses; paper is bought."""
    base: dict[str, Any] = {
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "P", "kind": "plant"},
                  {"site": "A", "kind": "warehouse"}, {"site": "B", "kind": "warehouse"}],
        "products": [{"product": "green"}, {"product": "black"}, {"product": "paper"}],
        "supply": [{"site": "S", "product": "paper", "lead_time": "1d"}],
        "groups": [{"site": "P", "group": "pack"}],
        "machines": [{"machine": "M", "site": "P", "group": "pack"}],
        "routings": [{"site": "P", "product": tea, "step": 1, "group": "pack",
                      "process_time": "1h", "setup_time": "4h"} for tea in ("green", "black")],
        "lanes": [{"origin": "P", "destination": "A", "mode": "road", "transit": "1d"},
                  {"origin": "P", "destination": "B", "mode": "road", "transit": "2d"},
                  {"origin": "S", "destination": "A", "mode": "road", "transit": "1d"}],
        "stock": [{"site": site, "product": tea, "on_hand": 40, "policy": "base_stock",
                   "order_up_to": 60, "holding_cost": 1, "backorder_cost": 20}
                  for site in ("A", "B") for tea in ("green", "black")]
        + [{"site": "A", "product": "paper", "on_hand": 5, "policy": "base_stock",
            "order_up_to": 9}],
        "demand": [{"site": site, "product": product, "interarrival": "exponential(mean=8h)"}
                   for site in ("A", "B") for product in ("green", "black")]
        + [{"site": "A", "product": "paper", "interarrival": "1d"}]}
    return Network(**{**base, **tables})


def test_lots_keep_within_the_hours_and_go_to_the_shelves_that_order() -> None:
    network = plant()
    plan = plan_lots(network, periods=3, firm=3, scenarios=4, seconds=4.0)
    assert plan.answer.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert set(plan.holds) == {(site, tea) for site in "AB" for tea in ("green", "black")}
    assert {(one.site, one.source) for one in plan.orders} == {("A", "P"), ("B", "P")}
    for when in {one.when for one in plan.orders}:
        now = [one for one in plan.orders if one.when == when]
        hours = sum(one.quantity for one in now) + 4.0 * len({one.product for one in now})
        assert hours <= Capacity(network).week("P", "pack") + 2.0  # whole units
    assert Plan.from_document(plan.document()) == plan


def test_other_shelves_go_on_with_their_policies() -> None:
    network = plant()
    plan = Plan("lots", "tea", 0.0, Answer(Status.FEASIBLE), holds_h=240.0,
                holds=(("A", "green"),))
    tally = play(network, Scenario.baseline(), horizon_h=240.0, seed=2, plan=plan).tally
    ordered = {(site, product) for (what, site, product, _), units in tally.sums.items()
               if what == "units_received" and units}
    assert ("A", "green") not in ordered
    assert {("A", "black"), ("B", "green"), ("A", "paper")} <= ordered


def test_lots_of_which_little_is_proved_leave_the_policies_alone(
        monkeypatch: pytest.MonkeyPatch) -> None:
    from twin.optimize import lots
    from twin.optimize.lot_plan import LotAnswer

    monkeypatch.setattr(lots, "solve_lots", lambda problem, *_: LotAnswer(
        ((0.0,) * problem.periods,) * len(problem.items),
        Answer(Status.FEASIBLE, objective=100.0, bound=4.0)))
    plan = plan_lots(plant(), periods=3, firm=1)
    assert (plan.answer.status, plan.orders, plan.holds_h) == (Status.UNKNOWN, (), 0.0)
    assert "up to 96% of what these lots cost" in plan.answer.reasons[-1].message


def test_shifts_and_failures_take_hours() -> None:
    network = plant(
        calendars=[{"calendar": "day", "day": "mon-fri", "from": "08:00", "to": "16:00"}],
        machines=[{"machine": "M", "site": "P", "group": "pack", "units": 2, "calendar": "day"}],
        failures=[{"asset": "M", "time_to_failure": "30h", "time_to_repair": "10h"}])

    def hours(name: str, site: str, begin: float, end: float) -> list[tuple[float, float]]:
        return [(24.0 * day + 8.0, 24.0 * day + 16.0) for day in range(28) if day % 7 < 5]

    assert Capacity(network, hours).week("P", "pack") == pytest.approx(2 * 40 * 0.75)
    assert Capacity(network).week("P", "pack") == pytest.approx(2 * 168 * 0.75)


def test_a_chain_without_lots_and_firm_beyond_the_horizon_are_answered() -> None:
    plan = plan_lots(plant(stock=[]), periods=2, firm=1)
    assert (plan.answer.status, plan.orders) == (Status.UNKNOWN, ())
    assert "there are no lots to choose" in plan.answer.reasons[0].message
    with pytest.raises(ValueError, match="firm 9 must be from 1 to the 4 periods"):
        plan_lots(plant(), periods=4, firm=9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 200), st.floats(0.1, 9)), min_size=1, max_size=6),
       st.floats(0.0, 500))
def test_who_gets_some_serves_as_long_and_no_longer_than_the_rest(
        places: list[tuple[float, float]], units: float) -> None:
    stock, rates = [one for one, _ in places], [rate for _, rate in places]
    parts = even_cover(stock, rates, units)
    assert sum(parts) == pytest.approx(units, abs=1e-6)
    cover = (np.array(stock) + parts) / rates
    fed = np.array(parts) > 1e-9
    if fed.any():
        assert np.ptp(cover[fed]) <= 1e-6
        assert (cover[~fed] >= cover[fed].max() - 1e-6).all()
