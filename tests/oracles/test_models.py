"""Complete published models: T04 (a job shop)."""

from __future__ import annotations

from statistics import fmean

import pytest

from tests.oracles.job_shop import BASELINE, job_shop, wait
from twin.network import Demand
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
