"""Services: the cheapest age by integration, crews, grouping, spares, and machines left alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from scipy import integrate, optimize, stats

from twin.network import Network
from twin.optimize.maintenance import maintain
from twin.optimize.maintenance_life import best_age, life_of
from twin.plan import Status
from twin.quantity import parse_quantity
from twin.state import State


def shop(machines: int = 1, **changes: Any) -> Network:
    row: dict[str, Any] = {"time_to_failure": "weibull(shape=3, scale=1000h)", "clock": "elapsed",
                           "time_to_repair": "20h", "crew": "fitters", "repair_cost": 500,
                           "service_time": "4h", "service_cost": 60, "service_after": "900h",
                           **changes}
    return Network(
        sites=[{"site": "P", "kind": "plant"}], products=[{"product": "tea"}],
        machines=[{"machine": f"M{k}", "site": "P", "group": "g", "cost_per_hour": 10}
                  for k in range(machines)],
        crews=[{"crew": "fitters", "size": 1}],
        failures=[{"asset": f"M{k}", "cause": "wear", **row} for k in range(machines)])


def aged(*ages: float) -> State:
    return State("network", 100.0, actors={
        f"failure M{k}#1/wear": {"phase": "up", "age": age} for k, age in enumerate(ages)})


def test_the_cheapest_age_of_a_gamma_life_is_that_of_the_renewal_reward_ratio() -> None:
    law = stats.gamma((1000 / 300) ** 2, scale=300**2 / 1000)

    def rate(age: float) -> float:
        lived = integrate.quad(law.sf, 0.0, age)[0]
        return float((1 * law.sf(age) + 5 * law.cdf(age)) / (lived + 2 * law.sf(age)
                                                            + 9 * law.cdf(age)))

    found = optimize.minimize_scalar(rate, bounds=(100, 2000), method="bounded")
    best = best_age(parse_quantity("gamma(mean=1000h, sd=300h)", True), 1, 5, 2, 9)
    assert best.age == pytest.approx(found.x, rel=2e-3)
    assert best.cost_rate == pytest.approx(found.fun, rel=1e-5)


def test_an_old_machine_is_due_sooner_by_its_age() -> None:
    new = maintain(shop(), days=30).services[0]
    old = maintain(shop(), aged(200.0), days=30).services[0]
    late = maintain(shop(), aged(900.0), days=30).services[0]
    assert old.asset == "M0#1"
    assert new.start - (old.start - 100.0) == 200.0  # slots of 8 h divide 200
    assert late.start == 100.0
    assert late.end == 104.0


def test_a_crew_of_one_serves_two_machines_after_each_other_or_in_another_slot() -> None:
    plan = maintain(shop(3), aged(900.0, 900.0, 900.0), days=10)
    assert len(plan.services) == 3
    spans = sorted((one.start, one.end) for one in plan.services)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert spans[-1][1] <= 100.0 + 16.0  # two in the first slot, one in the second


def test_a_dear_visit_groups_services_that_would_lie_apart() -> None:
    apart = maintain(shop(2), aged(100.0, 150.0), days=30)
    together = maintain(shop(2), aged(100.0, 150.0), days=30, visit_cost=1000.0)
    assert len({int(one.start // 8) for one in apart.services}) == 2
    first, second = together.services
    assert second.start == first.end
    assert (together.answer.objective or 0.0) < (apart.answer.objective or 0.0) + 2000.0


def test_what_does_not_age_is_run_to_failure_and_says_so() -> None:
    plan = maintain(shop(time_to_failure="exponential(mean=500h)"))
    assert not plan.services
    assert not plan.cells
    assert "no sooner" in plan.answer.reasons[0].message
    free = maintain(shop(service_time="0h", service_cost=0, service_after=None))
    assert "no service is described" in free.answer.reasons[0].message


def test_spares_cover_failures_over_the_lead_time() -> None:
    base = shop()
    network = base.replace(
        failures=[{"asset": "M0", "cause": "wear", "clock": "elapsed", "spare": "belt",
                   "time_to_failure": "weibull(shape=3, scale=1000h)", "time_to_repair": "20h"}],
        sites=[*base.sites.values(), {"site": "S", "kind": "supplier"}],
        products=[*base.products.values(), {"product": "belt"}],
        supply=[{"site": "S", "product": "belt", "lead_time": "60d"}],
        lanes=[{"origin": "S", "destination": "P", "mode": "road", "transit": "0h"}],
        stock=[{"site": "P", "product": "belt", "policy": "base_stock", "order_up_to": 1}])
    plan = maintain(network)
    mean = 60 * 24 / parse_quantity("weibull(shape=3, scale=1000h)", True).mean()
    assert plan.cells["stock[P,belt].order_up_to"] == str(int(stats.poisson.ppf(0.95, mean)))


@pytest.mark.parametrize("bad", [{"days": 0}, {"slot_h": 0.0}, {"visit_cost": float("nan")},
                                 {"use": {"M0": 2.0}}])
def test_bad_numbers_are_refused(bad: dict[str, Any]) -> None:
    network = shop(clock="operating")
    with pytest.raises(ValueError, match=r"cannot be|not between"):
        maintain(network, **bad)


def test_the_same_state_gives_the_same_plan() -> None:
    plans = [maintain(shop(3), aged(300.0, 350.0, 420.0), days=20, visit_cost=50.0)
             for _ in range(2)]
    assert plans[0].digest() == plans[1].digest()
    assert plans[0].answer.status is Status.OPTIMAL


def test_a_life_without_a_density_is_refused() -> None:
    with pytest.raises(ValueError, match="no rate of failure"):
        life_of(parse_quantity("constant(5h)", True))
