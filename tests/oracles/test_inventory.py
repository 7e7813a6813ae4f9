"""Reference cases of inventory: newsvendor, base stock, (r, Q), (s, S), echelons, EOQ.

A value is that of the closed form or the published table; a tolerance is four standard errors of
ten replications of the length given.
"""

from __future__ import annotations

from math import exp, factorial, sqrt

import pytest
from scipy import stats

from tests.oracles.job_shop import BASELINE, means
from tests.oracles.warehouse import cost, fill, level, warehouse
from twin.network import Network
from twin.simulate.play import play

DAY = 24.0


def newsvendor(size: str, stock_up_to: float, holding: float, backorder: float) -> Network:
    """Everything comes back at each review: a base stock of one day without lead time."""
    return warehouse(
        {"policy": "base_stock", "order_up_to": stock_up_to, "on_hand": stock_up_to,
         "review": "1d", "holding_cost": holding, "backorder_cost": backorder},
        {"interarrival": "1d", "start": "0d", "size": size})


@pytest.mark.slow
@pytest.mark.parametrize(("size", "holding", "backorder", "best", "expected"), [
    ("normal(mean=50, sd=8)", 0.18, 0.7, 56.60395592743389, 1.9976051931766445),  # I01
    ("poisson(mean=6)", 1.0, 4.0, 8.0, 3.570106945770944),  # I03
])
def test_i01_i03_the_newsvendor(size: str, holding: float, backorder: float, best: float,
                                expected: float) -> None:
    days = 20_000
    [found] = means(newsvendor(size, best, holding, backorder), days * DAY, [cost])
    # The sd of one day's cost is about 0.8 of its mean.
    assert found == pytest.approx(expected, abs=4 * 0.8 * expected / sqrt(9 * days))
    for other in (best - 1, best + 1):  # on the same luck, any other level costs more
        dearer = [play(newsvendor(size, level_, holding, backorder), BASELINE,
                       horizon_h=days * DAY).tally for level_ in (other, best)]
        assert cost(dearer[0]) > cost(dearer[1])


@pytest.mark.slow
def test_i05_base_stock() -> None:
    network = warehouse({"policy": "base_stock", "order_up_to": 9, "on_hand": 9},
                        {"interarrival": "exponential(rate=1.5/d)"}, lane={"transit": "4d"})
    served, on_hand, owed = means(network, 20_000 * DAY, [
        fill, lambda t: level(t, "on_hand_time"), lambda t: level(t, "backorder_time")])
    assert served == pytest.approx(0.8472374939845612, abs=0.0079)
    assert on_hand == pytest.approx(3.1612588831387476, abs=0.038)
    assert owed == pytest.approx(0.1612588831387476, abs=0.013)


@pytest.mark.slow
@pytest.mark.parametrize("transit", [
    "exponential(mean=3d)", "uniform(low=1d, high=5d)", "lognormal(mean=3d, sd=3d)"])
def test_base_stock_under_other_lead_times(transit: str) -> None:
    """Palm: only the mean lead time counts; the number on order is Poisson."""
    rate, lead, stock_up_to = 2.0, 3.0, 8
    network = warehouse(
        {"policy": "base_stock", "order_up_to": stock_up_to, "on_hand": stock_up_to},
        {"interarrival": f"exponential(rate={rate}/d)"}, lane={"transit": transit})
    served, owed = means(network, 10_000 * DAY, [fill, lambda t: level(t, "backorder_time")])
    on_order = stats.poisson(rate * lead)
    assert served == pytest.approx(on_order.cdf(stock_up_to - 1), abs=0.012)
    backorders = sum((n - stock_up_to) * on_order.pmf(n) for n in range(stock_up_to, 60))
    assert owed == pytest.approx(backorders, abs=0.03)


@pytest.mark.slow
def test_i07_r_q() -> None:
    network = warehouse(
        {"policy": "s_Q", "reorder_point": 3, "order_quantity": 5, "on_hand": 8,
         "holding_cost": 20, "backorder_cost": 150},
        {"interarrival": "exponential(rate=1.5/d)"}, lane={"transit": "2d"},
        supply={"order_cost": 100})
    spent, served = means(network, 30_000 * DAY, [cost, fill])
    assert spent == pytest.approx(107.92358063314977, abs=0.6)
    assert served == pytest.approx(0.8666328304219002, abs=0.004)


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "point", "up_to", "expected", "tolerance"), [
    (10, 6, 40, 35.02155527232038, 0.075),
    (25, 19, 56, 54.2621667185892, 0.075 * 54.26 / 35.02),
    (40, 33, 87, 64.51184709794079, 0.075 * 64.51 / 35.02),
])
def test_i09_periodic_s_s(mean: int, point: int, up_to: int, expected: float,
                          tolerance: float) -> None:
    network = warehouse(
        {"policy": "s_S", "review": "1d", "reorder_point": point, "order_up_to": up_to,
         "on_hand": up_to, "holding_cost": 1, "backorder_cost": 9},
        {"interarrival": "1d", "start": "0d", "size": f"poisson(mean={mean})"},
        supply={"order_cost": 64})
    [found] = means(network, 20_000 * DAY, [cost])
    assert found == pytest.approx(expected, abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "up_to", "expected", "tolerance"), [
    (20, 40, 114.1762804484484, 0.2), (20, 80, 112.74242440932022, 0.21),
    (40, 60, 130.54982133625677, 0.21),
])
def test_i11_thirty_periods(point: int, up_to: int, expected: float, tolerance: float) -> None:
    """Koenig and Law: 10,000 runs of 30 periods from full; the order is placed below s."""
    network = warehouse(
        {"policy": "s_S", "review": "1d", "trigger": "below", "reorder_point": point,
         "order_up_to": up_to, "on_hand": up_to, "holding_cost": 1, "backorder_cost": 5},
        {"interarrival": "1d", "start": "0d", "size": "poisson(mean=25)"},
        supply={"order_cost": 32, "price": 3})
    [found] = means(network, 30 * DAY, [cost], replications=10_000, warmup=0.0)
    assert found == pytest.approx(expected, abs=tolerance)


def erlang_b(servers: int, load: float) -> float:
    """Share of the calls that find all servers busy."""
    terms = [load ** n / factorial(n) for n in range(servers + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.slow
@pytest.mark.parametrize(("transit", "rate", "up_to", "days", "tolerance"), [
    ("gamma(mean=2d, sd=1.4142135623730951d)", 2.0, 5, 20_000, 0.003),  # I13
    ("2d", 2.0, 5, 20_000, 0.003),
    ("exponential(mean=6h)", 8.0, 3, 5_000, 0.004),
    ("uniform(low=1d, high=9d)", 0.5, 4, 40_000, 0.004),
])
def test_i13_lost_sales(transit: str, rate: float, up_to: int, days: int,
                        tolerance: float) -> None:
    """Karush: a base stock without backorders loses as Erlang's trunks do, whatever the law."""
    network = warehouse({"policy": "base_stock", "order_up_to": up_to, "on_hand": up_to},
                        {"interarrival": f"exponential(rate={rate}/d)", "unmet": "lost"},
                        lane={"transit": transit})
    [lost] = means(network, days * DAY, [lambda t: t.total("orders_lost") / t.total("orders")])
    lead = network.lanes["S", "W", "road"].transit.mean() / DAY  # type: ignore[union-attr]
    assert lost == pytest.approx(erlang_b(up_to, rate * lead), abs=tolerance)


@pytest.mark.slow
def test_i15_three_stages_in_series() -> None:
    """Clark and Scarf; goods in transit are held at the cost of the stage that sent them."""
    stages = [(1, 6.49, 7.0, 37.12), (2, 5.53, 4.0, 0.0), (3, 10.69, 2.0, 0.0)]
    network = Network(
        sites=[{"site": "S", "kind": "supplier"},
               *({"site": f"W{n}", "kind": "warehouse"} for n, *_ in stages)],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "W3", "transit": "2d"},
               {"origin": "W3", "destination": "W2", "transit": "1d", "owner": "origin"},
               {"origin": "W2", "destination": "W1", "transit": "1d", "owner": "origin"}],
        stock=[{"site": f"W{n}", "product": "A", "policy": "base_stock", "order_up_to": up_to,
                "on_hand": up_to, "holding_cost": holding, "backorder_cost": backorder}
               for n, up_to, holding, backorder in stages],
        demand=[{"site": "W1", "product": "A", "interarrival": "1d",
                 "size": "normal(mean=5, sd=1)"}])
    spent, owed = means(network, 40_000 * DAY, [
        cost, lambda t: level(t, "backorder_time", "W1")])
    assert spent == pytest.approx(47.66017912773374, abs=0.13)
    assert owed == pytest.approx(0.12118720824141638, abs=0.0042)


@pytest.mark.slow
def test_i17_two_echelons_of_spares() -> None:
    bases = ("B1", "B2")
    network = Network(
        sites=[{"site": "S", "kind": "supplier"},
               *({"site": name, "kind": "warehouse"} for name in ("D", *bases))],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "D", "transit": "2d"},
               *({"origin": "D", "destination": base, "transit": "1d"} for base in bases)],
        stock=[{"site": site, "product": "A", "policy": "base_stock", "order_up_to": units,
                "on_hand": units} for site, units in (("D", 5), ("B1", 3), ("B2", 3))],
        demand=[{"site": base, "product": "A", "interarrival": "exponential(mean=1d)"}
                for base in bases])
    depot, served, owed = means(network, 20_000 * DAY, [
        lambda t: level(t, "backorder_time", "D"), lambda t: fill(t, "B1"),
        lambda t: level(t, "backorder_time", "B1")])
    assert depot == pytest.approx(0.41030419443253097, abs=0.013)
    assert served == pytest.approx(0.8719416606725912, abs=0.0043)
    assert owed == pytest.approx(0.05858803742230697, abs=0.0029)


def test_i21_economic_order_quantity() -> None:
    """Unit demand at a constant gap; exact as the unit shrinks, here a twentieth of a unit."""
    setup, holding, yearly, unit = 8.0, 0.225, 1300.0, 0.05
    year = 365 * DAY

    def spent(quantity: float) -> float:
        """Cost of a year of whole cycles, an order each time that the shelf is empty."""
        quantity = round(quantity / unit) * unit
        network = warehouse(
            {"policy": "s_Q", "reorder_point": 0, "order_quantity": quantity,
             "on_hand": quantity, "holding_cost": holding / 365},
            {"interarrival": f"{unit / yearly * year!r}h", "size": unit},
            supply={"order_cost": setup})
        hours = 8 * quantity / yearly * year
        tally = play(network, BASELINE, horizon_h=hours * 1.0000001).tally
        return (tally.total("holding_cost") + tally.total("ordering_cost")) / (hours / year)

    best = sqrt(2 * setup * yearly / holding)
    assert best == pytest.approx(304.0467800264368, abs=0.001)
    assert spent(best) == pytest.approx(68.41052550594829, rel=2e-4)
    assert spent(0.8 * best) > spent(best) < spent(1.25 * best)


@pytest.mark.slow
def test_an_order_up_to_level_under_periodic_review_and_lead_time() -> None:
    """Textbook (R, S): net stock a lead time after a review is S less Poisson demand."""
    rate, review, lead, up_to = 3.0, 4.0, 2.0, 22
    network = warehouse(
        {"policy": "R_S", "review": f"{review}d", "order_up_to": up_to, "on_hand": up_to},
        {"interarrival": f"exponential(rate={rate}/d)"}, lane={"transit": f"{lead}d"})
    [owed] = means(network, 10_000 * DAY, [lambda t: level(t, "backorder_time")])
    grid = [lead + (k + 0.5) * review / 400 for k in range(400)]
    expected = sum(sum((n - up_to) * exp(-rate * t) * (rate * t) ** n / factorial(n)
                       for n in range(up_to, 60)) for t in grid) / 400
    assert owed == pytest.approx(expected, abs=0.04)
