"""Sparse cells borrow strength from their like: shrinkage of means on the log scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from twin.calibrate.estimator import Estimate, quantile_t
from twin.calibrate.laws import Floats

_FEWEST = 4  #: cells that a pool needs to say how much they differ
_LEAST = 0.05  #: a smaller pull is not worth a word


def pooled(estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates, those with little evidence pulled towards the cells of the same pool.

    What is pooled is the logarithm of the ratio of a mean to the planner's (without a plan: of the
    mean), as a normal quantity that differs from cell to cell: empirical Bayes. How much it differs
    is estimated by the method of moments; what little is known of that, and of the middle, widens
    the intervals. Cells that were never observed stay as planned.

    Examples
    --------
    >>> from twin.calibrate.estimator import Cell
    >>> from twin.quantity import Quantity
    >>> def lane(name, days, variance):
    ...     law = Quantity("exponential", (("mean", 24.0 * days),), time=True)
    ...     cell = Cell("lanes", name, "transit", "exponential(mean=10d)", pool="sea")
    ...     return Estimate(cell, law, math.log(24.0 * days), variance, 0.0, 0.0, 1 / variance)
    >>> seen = [lane("A,B,sea", 12.0, 0.01), lane("A,C,sea", 12.5, 0.01), lane("A,D,sea", 12.2,
    ...         0.01), lane("A,E,sea", 11.8, 0.01), lane("A,F,sea", 30.0, 0.5)]
    >>> round(pooled(seen)[4].quantity.mean() / 24.0, 1)
    19.1
    """
    found = list(estimates)
    groups: dict[str, list[int]] = {}
    for place, estimate in enumerate(found):
        # Laws with rare long steps look short until one comes: their logarithms do not pool.
        smooth = estimate.quantity.kind != "discrete"
        if smooth and estimate.cell.pool and 0.0 < estimate.variance < math.inf \
                and estimate.n > 0.0:
            groups.setdefault(f"{estimate.cell.table}.{estimate.cell.column} "
                              f"{estimate.cell.pool}", []).append(place)
    for places in groups.values():
        if len(places) >= _FEWEST:
            for place, better in zip(places, _shrunk([found[p] for p in places]), strict=True):
                found[place] = better
    return found


def _shrunk(cells: list[Estimate]) -> list[Estimate]:
    """The cells of one pool."""
    plans = np.array([_plan(cell) for cell in cells])
    gaps = np.array([cell.log_mean for cell in cells]) - plans
    # An interval wider than a normal one (few values) speaks of a larger variance.
    own = np.array([max(cell.variance, _variance_of(cell)) for cell in cells])
    spread = _between(gaps, own)
    weight = 1.0 / (own + spread)
    middle, doubt = float(weight @ gaps / weight.sum()), float(1.0 / weight.sum())
    count = len(cells)
    result = []
    for cell, plan, gap, variance in zip(cells, plans.tolist(), gaps.tolist(), own.tolist(),
                                         strict=True):
        pull = variance / (variance + spread) * (count - 3.0) / (count - 1.0)
        if pull < _LEAST:
            result.append(cell)
            continue
        log_mean = plan + (1.0 - pull) * gap + pull * middle
        # Morris: own evidence, the middle, and what is not known of the spread between cells.
        after = variance * (1.0 - pull) + pull**2 * doubt + \
            2.0 / (count - 3.0) * pull**2 * (gap - middle) ** 2
        where = cell.cell.pool
        result.append(cell.moved(log_mean, min(after, variance),
                                 f"pulled {pull:.0%} towards {count} cells of {where}"))
    return result


def _plan(cell: Estimate) -> float:
    quantity = cell.cell.quantity
    mean = 0.0 if quantity is None else quantity.mean()
    return math.log(mean) if mean > 0.0 else 0.0


def _variance_of(cell: Estimate) -> float:
    if cell.low <= 0.0 or not math.isfinite(cell.high) or cell.high <= cell.low:
        return 0.0
    return (math.log(cell.high / cell.low) / (2.0 * quantile_t(math.inf))) ** 2


def _between(gaps: Floats, own: Floats) -> float:
    """Variance between cells, by Paule and Mandel: its scatter is what it should be."""
    def excess(spread: float) -> float:
        weight = 1.0 / (own + spread)
        middle = weight @ gaps / weight.sum()
        return float(weight @ (gaps - middle) ** 2) - (len(gaps) - 1.0)

    if excess(0.0) <= 0.0:
        return 0.0
    low, high = 0.0, 1.0
    while excess(high) > 0.0 and high < 1e6:
        high *= 4.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)
