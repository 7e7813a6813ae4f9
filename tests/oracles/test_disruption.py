"""Reference cases of disruption: an economic order quantity and a base stock whose supply fails."""

from __future__ import annotations

from math import exp

import pytest

from tests.oracles.job_shop import means
from tests.oracles.warehouse import cost, warehouse
from twin.network import Network

DAY = 24.0
YEAR = 365 * DAY


def interrupted(quantity: float, customers: int) -> Network:
    """Demand of 1300 a year in steps, so many an order cycle; orders when nothing is left."""
    unit = quantity / customers
    return warehouse(
        {"policy": "s_Q", "reorder_point": 0, "order_quantity": quantity, "on_hand": quantity,
         "holding_cost": 0.225 / 365},
        {"interarrival": f"{unit * YEAR / 1300!r}h", "size": unit, "unmet": "lost", "lost_cost": 5},
        supply={"order_cost": 8},
        failures=[{"asset": "S", "clock": "elapsed",
                   "time_to_failure": "exponential(rate=1.5/y)",
                   "time_to_repair": "exponential(rate=14/y)"}])


@pytest.mark.slow
def test_r01_order_quantity_under_disruptions() -> None:
    """Berk and Arreola-Risa: about 174 dollars a year at 773 units, more at the EOQ."""
    [found] = means(interrupted(772.8110683130764, 200), 5_000 * YEAR, [lambda t: cost(t) * 365])
    assert found == pytest.approx(173.95000257319708, abs=3.4)


@pytest.mark.slow
def test_order_quantity_under_disruptions_by_renewal() -> None:
    """The same cost by the renewal argument, at another quantity.

    A cycle sells Q units; at its end the supplier is down with probability
    f (1 - exp(-(f + r) Q / D)) / (f + r), and then 1/r of a year's demand is lost in the mean.
    """
    quantity, fail, recover, demand = 304.0, 1.5, 14.0, 1300.0
    down = fail / (fail + recover) * (1 - exp(-(fail + recover) * quantity / demand))
    cycle = quantity / demand + down / recover
    expected = (8 + 0.225 * quantity ** 2 / (2 * demand) + 5 * demand * down / recover) / cycle
    [found] = means(interrupted(quantity, 100), 1_000 * YEAR, [lambda t: cost(t) * 365])
    assert found == pytest.approx(expected, abs=12)


def up_and_down(up_to: float, fail: float, recover: float, size: float = 2000.0) -> Network:
    """Demand every day from a base stock; whether supply is up is drawn first on each day."""
    return warehouse(
        {"policy": "base_stock", "order_up_to": up_to, "on_hand": up_to, "review": "1d",
         "holding_cost": 0.25, "backorder_cost": 3},
        {"interarrival": "1d", "start": "0d", "size": size},
        failures=[{"asset": "S", "clock": "elapsed",
                   "time_to_failure": f"geometric(p={fail}, step=1d)",
                   "time_to_repair": f"geometric(p={recover}, step=1d)"}])


def yearly(up_to: float, fail: float, recover: float, size: float = 2000.0) -> float:
    """Tomlin: cost of a period from the distribution of the number of periods down."""
    up = recover / (fail + recover)
    total = up * (0.25 * max(0.0, up_to - size) + 3 * max(0.0, size - up_to))
    share = fail * up
    for down in range(1, 2000):
        left = up_to - (down + 1) * size
        total += share * (0.25 * max(0.0, left) + 3 * max(0.0, -left))
        share *= 1 - recover
    return total


@pytest.mark.slow
@pytest.mark.parametrize(("up_to", "fail", "recover", "days", "tolerance"), [
    (8000, 0.04, 0.25, 100_000, 89.0), (2000, 0.04, 0.25, 100_000, 130.0),  # R03
    (6000, 0.1, 0.5, 10_000, 120.0), (10000, 0.02, 0.4, 10_000, 100.0),
])
def test_r03_base_stock_under_disruptions(up_to: float, fail: float, recover: float, days: int,
                                          tolerance: float) -> None:
    [found] = means(up_and_down(up_to, fail, recover), days * DAY, [cost])
    assert found == pytest.approx(yearly(up_to, fail, recover), abs=tolerance)


def test_r03_values() -> None:
    assert yearly(8000, 0.04, 0.25) == pytest.approx(2737.0689655172414)
    assert yearly(2000, 0.04, 0.25) == pytest.approx(3310.3448275862056)
