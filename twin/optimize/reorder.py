"""Reorder points and order quantities: economic order quantity, (r, Q), safety stock."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from twin.optimize.newsvendor import poisson_cost


@dataclass(frozen=True, slots=True)
class ReorderPolicy:
    """Order `quantity` when the position falls to `point`; expected cost a unit of time."""

    point: float
    quantity: float
    cost: float


@dataclass(frozen=True, slots=True)
class Service:
    """What a reorder point gives: chance of no shortage in a cycle, units short a cycle, share of
    units served at once.
    """

    cycle: float
    short: float
    fill: float


def economic_quantity(rate: float, order_cost: float, holding: float) -> ReorderPolicy:
    """The economic order quantity.

    Parameters
    ----------
    rate, order_cost, holding
        Units a unit of time, cost an order, cost a unit a unit of time.

    Examples
    --------
    >>> best = economic_quantity(1300, 8, 0.225)
    >>> round(best.quantity, 3), round(best.cost, 4)
    (304.047, 68.4105)
    """
    _check(rate=rate, order_cost=order_cost, holding=holding)
    quantity = math.sqrt(2.0 * order_cost * rate / holding)
    return ReorderPolicy(0.0, quantity, math.sqrt(2.0 * order_cost * rate * holding))


def best_poisson(rate: float, lead: float, order_cost: float, holding: float,
                 backorder: float) -> ReorderPolicy:
    """The exact (r, Q) for Poisson demand of single units, continuous review, backorders.

    An order is placed when the inventory position hits `point`. The cost of a position is that of
    a newsvendor over the lead time; the best Q + 1 positions are the best Q and one more beside
    them, so that Q grows until the mean cost would rise (Federgruen and Zheng 1992).

    Examples
    --------
    >>> best = best_poisson(1.5, 2, order_cost=100, holding=20, backorder=150)
    >>> best.point, best.quantity, round(best.cost, 4)
    (3.0, 5.0, 107.9236)
    """
    _check(rate=rate, order_cost=order_cost, holding=holding, backorder=backorder)
    if not lead >= 0.0:
        raise ValueError(f"lead {lead:g} is negative.")

    def cost(level: int) -> float:
        if lead == 0.0:
            return holding * max(level, 0) + backorder * max(-level, 0)
        return poisson_cost(level, rate * lead, holding, backorder)

    low = high = int(stats.poisson.ppf(backorder / (backorder + holding), rate * lead)) \
        if lead > 0.0 else 0
    total = order_cost * rate + cost(low)
    quantity = 1
    below, above = cost(low - 1), cost(high + 1)
    while min(below, above) < total / quantity:
        total += min(below, above)
        if below < above:
            low -= 1
            below = cost(low - 1)
        else:
            high += 1
            above = cost(high + 1)
        quantity += 1
    return ReorderPolicy(float(low - 1), float(quantity), total / quantity)


def normal_service(mean: float, sd: float, point: float, quantity: float) -> Service:
    """What a reorder point gives when demand over the lead time is normal.

    Parameters
    ----------
    mean, sd
        Of demand over the lead time, units.

    Examples
    --------
    >>> got = normal_service(5000, 500 * 2**0.5, 6000, 10000)
    >>> round(got.cycle, 5), round(got.short, 4), round(got.fill, 6)
    (0.92135, 25.1273, 0.997487)

    References
    ----------
    Chopra and Meindl, Supply Chain Management, chapter 12.
    """
    _check(sd=sd, quantity=quantity)
    z = (point - mean) / sd
    short = sd * (float(stats.norm.pdf(z)) - z * float(stats.norm.sf(z)))
    return Service(float(stats.norm.cdf(z)), short, 1.0 - short / quantity)


def lead_time_sd(mean: float, sd: float, lead_mean: float, lead_sd: float) -> float:
    """Standard deviation of demand over a random lead time, units.

    Parameters
    ----------
    mean, sd
        Of demand a period.
    lead_mean, lead_sd
        Of the lead time, periods.

    Examples
    --------
    >>> round(lead_time_sd(2500, 500, 7, 7), 2)
    17549.93
    """
    return math.sqrt(lead_mean * sd * sd + mean * mean * lead_sd * lead_sd)


def safety_stock(sd: float, service: float) -> float:
    """Units beyond mean demand over the lead time for a chance of no shortage in a cycle.

    Examples
    --------
    >>> round(safety_stock(lead_time_sd(2500, 500, 7, 7), 0.90), 1)
    22491.1
    """
    if not 0.0 < service < 1.0:
        raise ValueError(f"service {service:g} is not between 0 and 1.")
    return sd * float(stats.norm.ppf(service))


def _check(**values: float) -> None:
    for name, value in values.items():
        if not value > 0.0 or math.isinf(value):
            raise ValueError(f"{name} {value:g} is not above 0. Give a positive number.")
