"""Stock at the end of a horizon has a price: what is only put off is no gain."""

from __future__ import annotations

import pytest

from twin.commands.trials import COST, Stage, player
from twin.measure.running_cost import running_cost
from twin.network import Network
from twin.operate.gate import Trial
from twin.optimize.end_stock import EndPrice, end_prices, useful_level
from twin.parameters import Calibration
from twin.plan import Answer, Plan, Status
from twin.scenario import Scenario
from twin.simulate.play import play

HORIZON_H = 240.0


def shop() -> Network:
    """One unit every twelve hours; an order costs 40 and comes within two days."""
    return Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "tea", "value": 2}],
        supply=[{"site": "S", "product": "tea", "lead_time": "1d"}],
        lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "1d",
                "cost_per_shipment": 40}],
        stock=[{"site": "W", "product": "tea", "on_hand": 24, "policy": "s_S", "reorder_point": 9,
                "order_up_to": 25, "holding_cost": 0.01, "backorder_cost": 1}],
        demand=[{"site": "W", "product": "tea", "interarrival": "12h"}])


def test_a_plan_that_only_lets_stock_run_down_is_no_gain() -> None:
    network = shop()
    state = play(network, Scenario.baseline(), horizon_h=0.0, save_at=0.0).state
    assert state is not None
    idle = Plan("replenishment", "shop", 0.0, Answer(Status.FEASIBLE), holds_h=HORIZON_H)
    stage = Stage(network, Calibration("nominal"), state, HORIZON_H, 5)
    asked, nothing = player(stage, 1)([Trial(idle, 0), Trial(None, 0)])

    def bare(plan: Plan | None) -> float:
        return running_cost(play(network, Scenario.baseline(), horizon_h=HORIZON_H, seed=5,
                                 state=state, plan=plan).tally, network)

    # It orders nothing. The order would have cost 40, and is to be placed just after the end.
    assert bare(None) - bare(idle) > 3.9
    assert nothing[COST] - asked[COST] == pytest.approx(0.0, abs=0.02)  # a little less was held


def test_the_price_follows_from_the_tables() -> None:
    price = end_prices(shop())["W", "tea"]
    assert (price.useful, price.per_day, price.owed, price.value) == (25.0, 2.0, 1.0, 2.0)
    assert price.lead_demand == pytest.approx(4.0)
    assert price.refill == pytest.approx(40.0 / 16.0)


def test_a_unit_that_nobody_asks_for_costs_its_value() -> None:
    price = EndPrice(10.0, 0.0, 0.0, 0.5, 0.1, 1.0, 3.0)
    assert (price.cost(12.0), price.cost(10.0), price.cost(8.0)) == (6.0, 0.0, 1.0)


def test_a_shelf_without_a_level_has_no_price() -> None:
    network = shop()
    row = network.with_cells({"stock[W,tea].order_up_to": "", "stock[W,tea].policy": "",
                              "stock[W,tea].reorder_point": ""}).stock["W", "tea"]
    assert useful_level(row) is None
