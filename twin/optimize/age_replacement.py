"""When to service a machine before it fails: age replacement (Barlow and Proschan 1965)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import integrate, optimize


@dataclass(frozen=True, slots=True)
class Replacement:
    """Service at this age, hours (infinite: run to failure), and what an hour then costs."""

    age: float
    cost_rate: float
    run_to_failure: float


def weibull_age(shape: float, scale: float, service_cost: float, failure_cost: float,
                service_time: float = 0.0, repair_time: float = 0.0) -> Replacement:
    """The age at which a planned service is cheapest in the long run.

    Parameters
    ----------
    shape, scale
        Of the Weibull life, the scale in hours.
    service_cost, failure_cost
        Of a planned service and of a failure, everything counted.
    service_time, repair_time
        Hours that each takes, during which the machine does not age.

    Returns
    -------
    Replacement
        An infinite age where running to failure is best: always for ``shape <= 1``.

    Examples
    --------
    >>> best = weibull_age(2.5, 1000, service_cost=1, failure_cost=5)
    >>> round(best.age, 3), round(best.cost_rate, 6), round(best.run_to_failure, 8)
    (493.047, 0.003462, 0.0056353)
    """
    for name, value in (("shape", shape), ("scale", scale), ("service_cost", service_cost),
                        ("failure_cost", failure_cost)):
        if not 0.0 < value < math.inf:
            raise ValueError(f"{name} {value:g} is not above 0. Give a positive number.")
    mean = scale * math.gamma(1.0 + 1.0 / shape)
    to_failure = failure_cost / (mean + repair_time)

    def rate(age: float) -> float:
        alive = math.exp(-((age / scale) ** shape))
        lived = integrate.quad(lambda t: math.exp(-((t / scale) ** shape)), 0.0, age,
                               epsabs=0.0, epsrel=1e-12)[0]
        cost = service_cost * alive + failure_cost * (1.0 - alive)
        return float(cost / (lived + service_time * alive + repair_time * (1.0 - alive)))

    if shape <= 1.0 and service_time >= repair_time:
        return Replacement(math.inf, to_failure, to_failure)
    found = optimize.minimize_scalar(
        lambda log: rate(math.exp(log)),
        bounds=(math.log(scale * 1e-4), math.log(scale * 20.0 ** (1.0 / shape))),
        method="bounded", options={"xatol": 1e-12})
    age = math.exp(found.x)
    best = rate(age)
    if best >= to_failure * (1.0 - 1e-9):
        return Replacement(math.inf, to_failure, to_failure)
    return Replacement(age, best, to_failure)
