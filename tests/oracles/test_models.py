"""Complete published models: T04 (a job shop), T06 (deterministic chains)."""

from __future__ import annotations

from statistics import fmean

import pytest

from tests.oracles.job_shop import BASELINE, job_shop, wait
from twin.network import Demand, Network
from twin.simulate.play import play

ROUTES = {
    "1": [("3", 0.5), ("1", 0.6), ("2", 0.85), ("5", 0.5)],
    "2": [("4", 1.1), ("1", 0.8), ("3", 0.75)],
    "3": [("2", 1.2), ("5", 0.25), ("1", 0.7), ("4", 0.9), ("3", 1.0)],
}
SHARES = {"1": 0.3, "2": 0.5, "3": 0.2}
MACHINES = {"1": 3, "2": 2, "3": 4, "4": 3, "5": 1}
#: Mean total delay of a job of each type over 600 runs of an independent model, tolerance for 40.
DELAYS = {"1": (21.72742200224046, 6.829), "2": (10.707698841661015, 2.968),
          "3": (29.148541041319724, 7.723)}
USE = {"1": 0.9545, "2": 0.9813, "3": 0.72, "4": 0.9673, "5": 0.7918}


@pytest.mark.slow
def test_t04_the_job_shop_of_law() -> None:
    """Forty runs of 365 days of eight hours from empty: long before a steady state."""
    network = job_shop(
        {product: [(centre, f"erlang(k=2, mean={mean}h)") for centre, mean in steps]
         for product, steps in ROUTES.items()}, units=MACHINES,
        demand=[Demand(site="shop", product=product,
                       interarrival=f"exponential(mean={0.25 / share!r}h)")
                for product, share in SHARES.items()])
    tallies = [play(network, BASELINE, horizon_h=2920.0, replication=number).tally
               for number in range(40)]
    delays = {product: fmean(wait(t, product=product) for t in tallies) * len(steps)
              for product, steps in ROUTES.items()}
    for product, (delay, tolerance) in DELAYS.items():
        assert delays[product] == pytest.approx(delay, abs=tolerance), product
    overall = sum(share * delays[product] for product, share in SHARES.items())
    assert overall == pytest.approx(17.70178422976659, abs=4.232)
    second = fmean(wait(t, place="shop/2") for t in tallies)
    assert second == pytest.approx(17.550948674153744, abs=6.753)
    for centre, share in USE.items():
        names = [centre] if MACHINES[centre] == 1 else [
            f"{centre}#{number}" for number in range(1, MACHINES[centre] + 1)]
        found = fmean(t.total("busy_time", place=name) / t.hours for t in tallies for name in names)
        assert found == pytest.approx(share, abs=0.01), centre


def deterministic_chain(sizes: list[int]) -> Network:
    """Supplier, distribution centre and one customer with a stream of orders for each size."""
    return Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "D", "kind": "warehouse"},
               {"site": "C", "kind": "customer"}],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A", "price": 200}],
        lanes=[{"origin": origin, "destination": destination, "transit": "2d",
                "cost_per_shipment": 10} for origin, destination in (("S", "D"), ("D", "C"))],
        stock=[{"site": "D", "product": "A", "policy": "s_Q", "reorder_point": 500,
                "order_quantity": 500, "on_hand": 1000, "holding_cost": 0.2}],
        demand=[{"site": "C", "product": "A", "stream": f"of {size}", "interarrival": "2d",
                 "start": "0d", "size": size, "price": 250} for size in sizes])


@pytest.mark.parametrize(("sizes", "stock", "orders", "received", "delivered", "money"), [
    ([120], 400, 7, 3000, 29, (7600, 370, 600_000, 292_030)),
    ([120, 80], 500, 12, 5500, 58, (7100, 720, 1_100_000, 392_180)),
])
def test_t06_deterministic_chains(sizes: list[int], stock: float, orders: int, received: float,
                                  delivered: int, money: tuple[float, ...]) -> None:
    """Stock at the end, orders, units and money of 59 days as AnyLogistix has them."""
    tally = play(deterministic_chain(sizes), BASELINE, horizon_h=59 * 24.0,
                 sample_every_h=24.0).tally
    assert tally.samples["on_hand", "D", "A", ""][-1] == stock
    assert tally.total("replenishments") == orders
    assert tally.total("units_received") == received
    assert tally.total("orders_delivered") == delivered
    spent = [tally.total(kind) for kind in ("holding_cost", "transport_cost", "purchase_cost")]
    assert [*spent, tally.total("revenue") - sum(spent)] == pytest.approx(list(money))
