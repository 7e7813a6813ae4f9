"""The newsvendor: one order before a season of random demand.

Base stock with zero lead time is the same question, period after period.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True, slots=True)
class Level:
    """A stock level and its expected cost a period."""

    level: float
    cost: float


def newsvendor_normal(mean: float, sd: float, holding: float, penalty: float) -> Level:
    """Best order for normal demand.

    Parameters
    ----------
    mean, sd
        Of demand, units.
    holding, penalty
        Cost of a unit left over and of a unit short.

    Raises
    ------
    ValueError
        If a cost or the standard deviation is not above 0.

    Examples
    --------
    >>> newsvendor_normal(50, 8, 0.18, 0.70)
    Level(level=56.60395592743389, cost=1.9976051931766445)

    References
    ----------
    Snyder and Shen, Fundamentals of Supply Chain Theory, section 4.3.
    """
    _positive(sd=sd, holding=holding, penalty=penalty)
    z = float(stats.norm.ppf(penalty / (penalty + holding)))
    return Level(mean + z * sd, (holding + penalty) * sd * float(stats.norm.pdf(z)))


def newsvendor_poisson(mean: float, holding: float, penalty: float) -> Level:
    """Best order for Poisson demand: the smallest level that meets the critical ratio.

    Examples
    --------
    >>> newsvendor_poisson(6, 1, 4).level, round(newsvendor_poisson(6, 1, 4).cost, 6)
    (8.0, 3.570107)
    """
    _positive(mean=mean, holding=holding, penalty=penalty)
    level = float(stats.poisson.ppf(penalty / (penalty + holding), mean))
    return Level(level, poisson_cost(level, mean, holding, penalty))


def poisson_cost(level: float, mean: float, holding: float, penalty: float) -> float:
    """Expected holding and penalty cost of a level when Poisson demand meets it.

    Examples
    --------
    >>> round(poisson_cost(0, 6, 1, 4), 9)
    24.0
    """
    n = math.floor(level)
    below = float(stats.poisson.cdf(n, mean))
    below_less_one = float(stats.poisson.cdf(n - 1, mean))
    over = level * below - mean * below_less_one  # expected units left
    return (holding + penalty) * over + penalty * (mean - level)


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0.0 or math.isinf(value):
            raise ValueError(f"{name} {value:g} is not above 0. Give a positive number.")
