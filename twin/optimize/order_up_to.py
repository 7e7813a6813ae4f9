"""The best (s, S) of periodic review: order up to S when the position is s or less."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

_MOST = 2_000_000


@dataclass(frozen=True, slots=True)
class OrderUpTo:
    """Order up to `high` when the position is `low` or less; expected cost a period."""

    low: float
    high: float
    cost: float


def best_poisson(mean: float, lead: int, order_cost: float, holding: float,
                 backorder: float) -> OrderUpTo:
    """The exact (s, S) for Poisson demand a period.

    Parameters
    ----------
    mean
        Demand a period, units.
    lead
        Whole periods from order to receipt; 0 is before the demand of the period.
    order_cost, holding, backorder
        Per order; per unit and period, on stock at the end of a period.

    Examples
    --------
    >>> best = best_poisson(10, 0, order_cost=64, holding=1, backorder=9)
    >>> best.low, best.high, round(best.cost, 3)
    (6.0, 40.0, 35.022)
    """
    if lead < 0 or lead != int(lead):
        raise ValueError(f"lead {lead:g} is not a whole number of periods.")
    span = int(stats.poisson.ppf(1.0 - 1e-15, mean)) + 2
    demand = stats.poisson.pmf(np.arange(span), mean)
    over = stats.poisson.pmf(np.arange(int(stats.poisson.ppf(1.0 - 1e-15, mean * (lead + 1))) + 2),
                             mean * (lead + 1))
    return best_discrete(demand, over, order_cost, holding, backorder)


def best_discrete(demand: Sequence[float] | np.ndarray, over: Sequence[float] | np.ndarray,
                  order_cost: float, holding: float, backorder: float) -> OrderUpTo:
    """The exact (s, S) for any demand of whole units.

    Parameters
    ----------
    demand
        Probability of 0, 1, 2 ... units a period.
    over
        The same over the lead time and one period.

    References
    ----------
    Zheng and Federgruen, Operations Research 39 (1991): the cost of the best s for a given S falls
    and rises again, and the search from the newsvendor's level never has to go back.

    Examples
    --------
    >>> best_discrete([0.0, 1.0], [0.0, 1.0], order_cost=8, holding=1, backorder=9)
    OrderUpTo(low=0.0, high=4.0, cost=3.5)
    """
    pmf, lead = _probabilities("demand", demand), _probabilities("over", over)
    for name, value in (("order_cost", order_cost), ("holding", holding), ("backorder", backorder)):
        if not value >= 0.0 or math.isinf(value) or (name != "order_cost" and value == 0.0):
            raise ValueError(f"{name} {value:g} is not above 0. Give a positive number.")
    cost = _one_period(lead, holding, backorder)
    if pmf[0] >= 1.0:
        raise ValueError("demand is always 0. There is nothing to order.")
    renewal = _Renewal(pmf)

    def mean_cost(low: int, high: int) -> float:
        """Cost a period of (low, high): a renewal-reward ratio over one cycle."""
        steps = high - low
        visits = renewal.upto(steps)
        levels = high - np.arange(steps)
        return float((order_cost + visits @ cost(levels)) / visits.sum())

    ratio = backorder / (backorder + holding)
    start = int(np.searchsorted(np.cumsum(lead), ratio - 1e-15))
    low, high = start, start
    while True:  # the best reorder point for S at the newsvendor's level
        low -= 1
        best = mean_cost(low, high)
        if best <= float(cost(np.array([low]))[0]):
            break
    trial = high + 1
    while float(cost(np.array([trial]))[0]) <= best:
        found = mean_cost(low, trial)
        if found < best - 1e-12:
            high, best = trial, found
            while best <= float(cost(np.array([low + 1]))[0]):
                low += 1
                best = mean_cost(low, high)
        trial += 1
    return OrderUpTo(float(low), float(high), best)


class _Renewal:
    """Expected visits to each position below S before the next order, grown as needed."""

    def __init__(self, pmf: np.ndarray) -> None:
        self.pmf = pmf
        self.known = np.array([1.0 / (1.0 - pmf[0])])

    def upto(self, steps: int) -> np.ndarray:
        """Visits to S, S - 1, ..., `steps` of them."""
        if steps > _MOST:
            raise ValueError(f"the best order covers more than {_MOST:,} units. Count in larger "
                             "units.")
        while len(self.known) < steps:
            n = len(self.known)
            reach = min(n, len(self.pmf) - 1)
            more = self.pmf[1:reach + 1] @ self.known[n - reach:n][::-1] if reach else 0.0
            self.known = np.append(self.known, more / (1.0 - self.pmf[0]))
        return self.known[:steps]


def _one_period(lead: np.ndarray, holding: float,
                backorder: float) -> Callable[[np.ndarray], np.ndarray]:
    """Expected holding and backorder cost of a position, as a function of whole positions."""
    units = np.arange(len(lead))
    mean = float(units @ lead)
    share, part = np.cumsum(lead), np.cumsum(units * lead)

    def cost(levels: np.ndarray) -> np.ndarray:
        place = np.clip(levels, 0, len(lead) - 1)
        over = np.where(levels < 0, 0.0, levels * share[place] - part[place])
        return np.asarray((holding + backorder) * over + backorder * (mean - levels))

    return cost


def _probabilities(name: str, values: Sequence[float] | np.ndarray) -> np.ndarray:
    pmf = np.asarray(values, dtype=float)
    if pmf.ndim != 1 or not len(pmf) or not (pmf >= 0.0).all() or abs(pmf.sum() - 1.0) > 1e-6:
        raise ValueError(f"{name} is no list of probabilities that add up to 1.")
    return np.asarray(pmf / pmf.sum())
