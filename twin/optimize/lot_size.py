"""Lot sizes for known demand, one product: the dynamic programme of Wagner and Whitin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LotPlan:
    """Units to make or order in each period, and the cost of all."""

    quantities: tuple[float, ...]
    cost: float


def wagner_whitin(demand: Sequence[float], order_cost: Sequence[float] | float,
                  holding: Sequence[float] | float,
                  unit_cost: Sequence[float] | float = 0.0) -> LotPlan:
    """The cheapest plan that meets each period's demand in time.

    Parameters
    ----------
    demand
        Units a period.
    order_cost, holding, unit_cost
        An order, a unit held from one period to the next, a unit; one number or one a period.

    Raises
    ------
    ValueError
        If a number is negative or none.

    Examples
    --------
    >>> plan = wagner_whitin([20, 50, 10, 50], 100, 1)
    >>> plan.quantities, plan.cost
    ((80.0, 0.0, 0.0, 50.0), 270.0)
    """
    n = len(demand)
    if not n:
        raise ValueError("demand is empty. Give at least one period.")
    fixed, held, price = (_per_period(name, value, n) for name, value in (
        ("order_cost", order_cost), ("holding", holding), ("unit_cost", unit_cost)))
    need = _per_period("demand", demand, n)
    best = [0.0] + [math.inf] * n  # of the first t periods
    last = [0] * (n + 1)
    for first in range(n):
        lot = carry = kept = 0.0
        for end in range(first, n):
            lot += need[end]
            carry += need[end] * kept
            cost = best[first] + carry + (fixed[first] if lot > 0.0 else 0.0) + price[first] * lot
            if cost < best[end + 1] - 1e-12:
                best[end + 1], last[end + 1] = cost, first
            kept += held[end]
    quantities = [0.0] * n
    end = n
    while end:
        quantities[last[end]] = float(sum(need[last[end]:end]))
        end = last[end]
    return LotPlan(tuple(quantities), best[n])


def _per_period(name: str, value: Sequence[float] | float, n: int) -> list[float]:
    values = [float(value)] * n if isinstance(value, int | float) else [float(v) for v in value]
    if len(values) != n:
        raise ValueError(f"{name} has {len(values)} periods, demand has {n}. Give one a period.")
    for period, number in enumerate(values, start=1):
        if not 0.0 <= number < math.inf:
            raise ValueError(f"{name} of period {period} is {number:g}. Give a number from 0 up.")
    return values
