"""Lots of several products on one capacity, when demand is known only as sampled scenarios.

Quantities and set-ups are decided now; what is left over or owed then depends on the scenario
(sample-average approximation, Shapiro). Since only the running total of a product's lots meets its
running total of demand, the expected cost of each product and period is one convex function of
that total, however many scenarios there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.plan import Answer, Order


@dataclass(frozen=True, slots=True)
class LotItem:
    """A product.

    Attributes
    ----------
    name, demand
        `demand` is units by scenario and period, shape (scenarios, periods).
    setup_cost, setup_time, unit_time
        Of a lot, and of a unit; time in hours of the capacity.
    holding, backlog
        A unit left over, and a unit owed, at the end of a period; an infinite backlog cost means
        that no scenario may be short.
    initial
        Units in stock at the start.
    """

    name: str
    demand: tuple[tuple[float, ...], ...]
    setup_cost: float
    holding: float
    backlog: float = math.inf
    setup_time: float = 0.0
    unit_time: float = 1.0
    initial: float = 0.0


@dataclass(frozen=True, slots=True)
class LotProblem:
    """Products, and hours of capacity in each period.

    Examples
    --------
    >>> tea = LotItem("tea", ((20, 50, 10, 50),), setup_cost=100, holding=1)
    >>> LotProblem((tea,), (200,) * 4).cost([[80, 0, 0, 50]])
    270.0
    """

    items: tuple[LotItem, ...]
    capacity: tuple[float, ...]

    def __post_init__(self) -> None:
        problems = [] if self.items and self.capacity else ["there is no product or no period."]
        shapes = set()
        for item in self.items:
            shapes.add((len(item.demand), *{len(row) for row in item.demand}))
            for name in ("setup_cost", "holding", "backlog", "setup_time", "unit_time", "initial"):
                value = getattr(item, name)
                fine = 0.0 <= value < math.inf or (name == "backlog" and value == math.inf)
                if not fine:
                    problems.append(f"{item.name}: {name} {value:g} is not a number from 0 up.")
            bad = [value for row in item.demand for value in row if not 0.0 <= value < math.inf]
            if bad:
                problems.append(f"{item.name}: demand {bad[0]:g} is not a number from 0 up.")
        if len({item.name for item in self.items}) < len(self.items):
            problems.append("two products have the same name.")
        if self.items and (len(shapes) > 1 or any(len(one) != 2 for one in shapes)
                           or next(iter(shapes))[1] != len(self.capacity)):
            problems.append(f"demand must be scenarios x {len(self.capacity)} periods for every "
                            "product.")
        problems += [f"capacity of period {period}: {hours:g} is not a number from 0 up."
                     for period, hours in enumerate(self.capacity, 1)
                     if not 0.0 <= hours < math.inf]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def periods(self) -> int:
        """Number of periods."""
        return len(self.capacity)

    def totals(self, item: LotItem) -> np.ndarray:
        """Demand up to each period less the opening stock, shape (scenarios, periods), sorted."""
        return np.sort(np.cumsum(np.asarray(item.demand, dtype=float), axis=1) - item.initial,
                       axis=0)

    def cost(self, quantities: Sequence[Sequence[float]]) -> float:
        """Expected cost of lots (products x periods); infinite if a requirement is broken."""
        lots = np.asarray(quantities, dtype=float)
        used = np.zeros(self.periods)
        cost = 0.0
        for item, row in zip(self.items, lots, strict=True):
            made = row > 1e-9
            used += row * item.unit_time + made * item.setup_time
            over = np.cumsum(row) - self.totals(item)
            short = np.maximum(-over, 0.0)
            if item.backlog == math.inf:
                if short.max() > 1e-6:
                    return math.inf
            else:
                cost += item.backlog * float(short.mean(axis=0).sum())
            cost += item.holding * float(np.maximum(over, 0.0).mean(axis=0).sum())
            cost += item.setup_cost * int(made.sum())
        return math.inf if (used > np.asarray(self.capacity) + 1e-6).any() else cost


@dataclass(frozen=True, slots=True)
class LotAnswer:
    """Units of each product in each period, and the answer."""

    quantities: tuple[tuple[float, ...], ...]
    answer: Answer

    def orders(self, problem: LotProblem, site: str, start_h: float,
               period_h: float) -> tuple[Order, ...]:
        """The lots as orders of a plan."""
        return tuple(
            Order("order", site, item.name, quantity, start_h + period * period_h, site,
                  due=start_h + (period + 1) * period_h)
            for item, row in zip(problem.items, self.quantities, strict=True)
            for period, quantity in enumerate(row) if quantity > 1e-6)


def sampled(mean: Sequence[float], cv: float, scenarios: int,
            rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """Demand of a product by scenario and period: gamma with the means and one spread.

    Examples
    --------
    >>> rows = sampled([10, 0, 20], 0.3, 4, np.random.default_rng(1))
    >>> len(rows), len(rows[0]), rows[0][1]
    (4, 3, 0.0)
    """
    shape = 1.0 / cv**2
    draws = rng.gamma(shape, 1.0 / shape, (scenarios, len(mean))) * np.asarray(mean)
    return tuple(tuple(float(round(value, 3)) for value in row) for row in draws)
