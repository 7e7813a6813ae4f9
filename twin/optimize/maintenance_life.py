"""Life laws as survival functions, and the age at which a service is cheapest for any of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from twin.optimize.age_replacement import Replacement, weibull_age
from twin.quantity import Quantity

_GRID = 4001


@dataclass(frozen=True, slots=True)
class Life:
    """A life law: the chance to be alive at an age, and the rate of failure at it.

    Examples
    --------
    >>> from twin.quantity import parse_quantity
    >>> life = life_of(parse_quantity("weibull(shape=2, scale=100h)", True))
    >>> round(life.alive(100.0), 4), round(life.hazard(100.0), 4)
    (0.3679, 0.02)
    """

    alive: Callable[[float], float]
    hazard: Callable[[float], float]
    mean: float
    ages: bool  #: whether old ones fail sooner at all


def life_of(law: Quantity) -> Life:
    """The life that a quantity of time says.

    Raises
    ------
    ValueError
        If it is no continuous law.
    """
    p = dict(law.params)
    frozen: Any
    match law.kind:
        case "exponential":
            frozen = stats.expon(scale=p["mean"])
        case "weibull":
            frozen = stats.weibull_min(p["shape"], scale=p["scale"])
        case "gamma" | "erlang":
            shape = (law.mean() / law.sd()) ** 2
            frozen = stats.gamma(shape, scale=law.mean() / shape)
        case "lognormal":
            spread = math.sqrt(math.log1p((law.sd() / law.mean()) ** 2))
            frozen = stats.lognorm(spread, scale=law.mean() / math.exp(spread**2 / 2))
        case "normal":
            frozen = stats.norm(law.mean(), law.sd())
        case "uniform":
            frozen = stats.uniform(p["low"], p["high"] - p["low"])
        case _:
            raise ValueError(f"a life of {law} has no rate of failure. Use weibull, gamma, "
                             "lognormal, exponential or uniform.")

    def alive(age: float) -> float:
        return float(frozen.sf(age))

    def hazard(age: float) -> float:
        left = alive(age)
        return float(frozen.pdf(age)) / left if left > 0.0 else math.inf

    ages = not (law.kind == "exponential" or (law.kind == "weibull" and p["shape"] <= 1.0))
    return Life(alive, hazard, law.mean(), ages)


def best_age(law: Quantity, service_cost: float, failure_cost: float, service_time: float = 0.0,
             repair_time: float = 0.0) -> Replacement:
    """The age at which a planned service is cheapest in the long run, for any life law.

    Examples
    --------
    >>> from twin.quantity import parse_quantity
    >>> best = best_age(parse_quantity("gamma(mean=1000h, sd=300h)", True), 1, 5)
    >>> round(best.age), best.cost_rate < best.run_to_failure
    (564, True)
    """
    p = dict(law.params)
    if law.kind == "weibull":
        return weibull_age(p["shape"], p["scale"], service_cost, failure_cost, service_time,
                           repair_time)
    for name, value in (("service_cost", service_cost), ("failure_cost", failure_cost)):
        if not 0.0 < value < math.inf:
            raise ValueError(f"{name} {value:g} is not above 0. Give a positive number.")
    life = life_of(law)
    to_failure = failure_cost / (life.mean + repair_time)
    if not life.ages:
        return Replacement(math.inf, to_failure, to_failure)
    ages = np.linspace(0.0, law.mean() + 6.0 * law.sd(), _GRID)
    alive = np.array([life.alive(float(age)) for age in ages])
    lived = np.concatenate([[0.0], np.cumsum((alive[1:] + alive[:-1]) / 2.0 * np.diff(ages))])
    cost = service_cost * alive + failure_cost * (1.0 - alive)
    cycle = lived + service_time * alive + repair_time * (1.0 - alive)
    rate = cost[1:] / cycle[1:]
    place = int(np.argmin(rate))
    if rate[place] >= to_failure * (1.0 - 1e-6):
        return Replacement(math.inf, to_failure, to_failure)
    return Replacement(float(ages[place + 1]), float(rate[place]), to_failure)
