"""Spare parts at a depot and at bases that it supplies, one for one, in the order of their demands.

Demands are Poisson, and what is missing is owed. A base waits for its transport, and for the depot
where that has none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

_TAIL = 1e-14  #: chance of more units on order than are looked at


@dataclass(frozen=True, slots=True)
class SparesService:
    """What stocks of spare parts give.

    Attributes
    ----------
    depot_owed
        Units that the depot owes its bases, on average.
    fill
        Share of demands that each base meets at once.
    owed
        Units that each base owes, on average.
    """

    depot_owed: float
    fill: tuple[float, ...]
    owed: tuple[float, ...]


def two_echelon(depot_stock: int, depot_lead: float, stocks: Sequence[int],
                transport: Sequence[float], rates: Sequence[float]) -> SparesService:
    """The service of base stocks at a depot and at its bases, exactly.

    Of what the depot owes, each unit is a base's with the chance of that base's share in demand.

    Parameters
    ----------
    depot_stock, stocks
        Units, at the depot and at each base.
    depot_lead, transport
        Time to the depot, and from it to each base.
    rates
        Demands at each base in a unit of that time.

    Raises
    ------
    ValueError
        If a number is negative, or the lists differ in length.

    Examples
    --------
    >>> found = two_echelon(5, 2.0, (3, 3), (1.0, 1.0), (1.0, 1.0))
    >>> round(found.depot_owed, 4), round(found.fill[0], 5), round(found.owed[0], 6)
    (0.4103, 0.87194, 0.058588)

    References
    ----------
    Graves, A multi-echelon inventory model for a repairable item with one-for-one replenishment,
    Management Science 31 (1985).
    """
    _check(depot_stock, depot_lead, stocks, transport, rates)
    owed = _depot_owed(depot_stock, depot_lead * sum(rates))
    units = np.arange(len(owed))
    found = []
    for stock, time, rate in zip(stocks, transport, rates, strict=True):
        share = rate / sum(rates) if rate else 0.0
        waiting = np.array([owed @ stats.binom.pmf(n, units, share) for n in units])
        on_way = stats.poisson.pmf(np.arange(_reach(rate * time)), rate * time)
        found.append(_service(np.convolve(waiting, on_way), stock))
    return SparesService(float(owed @ units), tuple(fill for fill, _ in found),
                         tuple(short for _, short in found))


def metric(depot_stock: int, depot_lead: float, stocks: Sequence[int],
           transport: Sequence[float], rates: Sequence[float]) -> SparesService:
    """The same by METRIC: as if each unit waited for the depot's average delay, on its own.

    It is quick to compute and a little too hopeful.

    Examples
    --------
    >>> round(metric(5, 2.0, (3, 3), (1.0, 1.0), (1.0, 1.0)).fill[0], 6)
    0.878368

    References
    ----------
    Sherbrooke, METRIC: a multi-echelon technique for recoverable item control, Operations Research
    16 (1968).
    """
    _check(depot_stock, depot_lead, stocks, transport, rates)
    owed = _depot_owed(depot_stock, depot_lead * sum(rates))
    mean = float(owed @ np.arange(len(owed)))
    delay = mean / sum(rates) if sum(rates) else 0.0
    found = []
    for stock, time, rate in zip(stocks, transport, rates, strict=True):
        pipeline = rate * (time + delay)
        found.append(_service(stats.poisson.pmf(np.arange(_reach(pipeline)), pipeline), stock))
    return SparesService(mean, tuple(fill for fill, _ in found),
                         tuple(short for _, short in found))


def _reach(mean: float) -> int:
    return int(stats.poisson.isf(_TAIL, mean)) + 2


def _depot_owed(stock: int, mean: float) -> np.ndarray:
    """Chance of each number of units that the depot owes."""
    on_order = stats.poisson.pmf(np.arange(stock + _reach(mean)), mean)
    return np.concatenate([[on_order[:stock + 1].sum()], on_order[stock + 1:]])


def _service(on_order: np.ndarray, stock: int) -> tuple[float, float]:
    """Share met at once, and units owed, when so many units are on order."""
    short = np.maximum(np.arange(len(on_order)) - stock, 0)
    return float(on_order[:stock].sum()), float(on_order @ short)


def _check(depot_stock: int, depot_lead: float, stocks: Sequence[int], transport: Sequence[float],
           rates: Sequence[float]) -> None:
    if not len(stocks) == len(transport) == len(rates):
        raise ValueError(f"stocks, transport and rates are of {len(stocks)}, {len(transport)} and "
                         f"{len(rates)} bases. Give one number a base.")
    for name, values in (("depot_stock", [depot_stock]), ("depot_lead", [depot_lead]),
                         ("stocks", stocks), ("transport", transport), ("rates", rates)):
        for value in values:
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name} {value:g} is not a number from 0 up.")
