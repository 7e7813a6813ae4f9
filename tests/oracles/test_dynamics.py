"""Reference cases of dynamics: the bullwhip, alone and in a chain, and the beer game."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracles.job_shop import BASELINE, means
from tests.oracles.warehouse import bullwhip
from twin.network import Network
from twin.simulate.play import play

DAY = 24.0
PERIODS = 50_000


def chain(forecasts: list[str], leads: list[int]) -> Network:
    """Shelves W1 (at the customer), W2, ... that order up to lead times the forecast."""
    count = len(forecasts)
    names = [f"W{stage}" for stage in range(1, count + 1)]
    return Network(
        sites=[{"site": "S", "kind": "supplier"},
               *({"site": name, "kind": "warehouse"} for name in names)],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": origin, "destination": name, "transit": f"{lead}d"}
               for origin, name, lead in zip([*names[1:], "S"], names, leads, strict=True)],
        stock=[{"site": name, "product": "A", "policy": "forecast", "review": "1d",
                "cover": f"{lead}d", "forecast": forecast, "on_hand": 1_000_000}
               for name, forecast, lead in zip(names, forecasts, leads, strict=True)],
        demand=[{"site": "W1", "product": "A", "interarrival": "1d",
                 "size": "normal(mean=1000000, sd=100)"}])


@pytest.mark.slow
@pytest.mark.parametrize(("lead", "periods", "length", "tolerance"), [
    (2, 5, PERIODS, 0.0063),  # D01
    (1, 3, 5_000, 0.025), (4, 8, 5_000, 0.03), (3, 12, 5_000, 0.02),
])
def test_d01_bullwhip_of_a_moving_average(lead: int, periods: int, length: int,
                                          tolerance: float) -> None:
    """Chen, Drezner, Ryan and Simchi-Levi: 1 + 2L/p + 2L2/p2."""
    expected = 1 + 2 * lead / periods + 2 * lead ** 2 / periods ** 2
    [ratio] = means(chain([f"moving_average(n={periods})"], [lead]), length * DAY,
                    [lambda t: bullwhip(t, "W1")])
    assert ratio == pytest.approx(expected, abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(("lead", "alpha", "length", "tolerance"), [
    (2, 0.3, PERIODS, 0.0043),  # D03
    (1, 0.5, 5_000, 0.02), (5, 0.1, 5_000, 0.02),
])
def test_d03_bullwhip_of_exponential_smoothing(lead: int, alpha: float, length: int,
                                               tolerance: float) -> None:
    expected = 1 + 2 * lead * alpha + 2 * lead ** 2 * alpha ** 2 / (2 - alpha)
    [ratio] = means(chain([f"smoothing(alpha={alpha}, start=1000000)"], [lead]), length * DAY,
                    [lambda t: bullwhip(t, "W1")])
    assert ratio == pytest.approx(expected, abs=tolerance)


@pytest.mark.slow
def test_d05_bullwhip_of_a_chain() -> None:
    """Each stage orders on the orders of the one below; the filter's squares add up exactly."""
    ratios = means(chain(["moving_average(n=5)"] * 3, [2, 2, 2]), PERIODS * DAY, [
        lambda t: bullwhip(t, "W1"),
        lambda t: bullwhip(t, "W1") * bullwhip(t, "W2"),
        lambda t: bullwhip(t, "W1") * bullwhip(t, "W2") * bullwhip(t, "W3")])
    one = np.array([1 + 2 / 5, 0, 0, 0, 0, -2 / 5])
    exact, weights = [], np.array([1.0])
    for _ in range(3):
        weights = np.convolve(weights, one)
        exact.append(float((weights ** 2).sum()))
    assert exact == pytest.approx([2.12, 5.1216, 13.51712])
    for ratio, value, tolerance in zip(ratios, exact, (0.0063, 0.027, 0.094), strict=True):
        assert ratio == pytest.approx(value, abs=tolerance)


def beer_game() -> Network:
    """The board: 12 in stock, 4 in each box; everybody orders 4 for four weeks, then by the rule.

    Orders take two weeks up (firm orders fill the boxes), goods two weeks down, brewing three.
    """
    names = "RWDF"
    stock, lanes, orders = [], [], []
    for place, name in enumerate(names):
        above = names[place + 1] if place < 3 else "X"
        stock.append({
            "site": name, "product": "A", "policy": "smoothed", "review": "7d",
            "first_review": "28d", "on_hand": 12, "order_up_to": (28, 28, 28, 20)[place],
            "adjust": 1, "pipeline_weight": 1, "forecast": "4", "holding_cost": 0.5 / 7,
            "backorder_cost": 1 / 7})
        if place < 3:
            lanes.append({"origin": above, "destination": name, "transit": "14d",
                          "order_delay": "14d"})
            orders += [{"order": f"{name} sent {days}", "site": name, "placed": f"-{days}d",
                        "source": above} for days in (14, 7)]
        else:
            orders.append({"order": "brewing", "site": name, "placed": "0d", "source": above,
                           "status": "shipped", "due": "14d"})
        orders += [{"order": f"{name} box {box}", "site": name, "placed": f"-{7 * box}d",
                    "due": f"{due}d", "source": above, "status": "shipped"}
                   for box, due in ((1, 0), (2, 7))]
        orders += [{"order": f"{name} week {week}", "site": name, "placed": f"{7 * week}d",
                    "source": above} for week in range(4)]
    return Network(
        review="after_demand", sites=[{"site": name, "kind": "warehouse"} for name in "RWDFX"],
        products=[{"product": "A"}], stock=stock,
        supply=[{"site": "X", "product": "A", "lead_time": "21d"}],
        lanes=[*lanes, {"origin": "X", "destination": "F", "transit": "0d"}],
        orders=[{"product": "A", "quantity": 4, **order} for order in orders],
        demand=[{"site": "R", "product": "A", "stream": "1", "interarrival": "7d", "start": "0d",
                 "end": "28d", "size": 4},
                {"site": "R", "product": "A", "stream": "2", "interarrival": "7d",
                 "start": "28d", "size": 8}])


def test_d07_the_beer_game() -> None:
    """Sterman's benchmark: 46, 50, 54 and 54 dollars in 36 weeks."""
    tally = play(beer_game(), BASELINE, horizon_h=36 * 7 * DAY).tally
    costs = [tally.total("holding_cost", name) + tally.total("backorder_cost", name)
             for name in "RWDF"]
    assert costs == pytest.approx([46.0, 50.0, 54.0, 54.0])
    assert sum(costs) == pytest.approx(204.0)
