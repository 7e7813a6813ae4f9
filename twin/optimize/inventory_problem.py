"""Customers that one depot keeps in stock: what a plan costs, and which requirements it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

CENTS = 100  #: of a unit of cost, in programmes of whole numbers

#: Units brought, shape (customers, periods).
Quantities = tuple[tuple[int, ...], ...]
#: Customers in the order of their visit, from and to the depot.
Tour = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Replenished:
    """Customers that one depot keeps in stock with its own trucks.

    Attributes
    ----------
    start, most, demand, holding
        By customer: stock at first, room, units asked for in each period, cost of a unit held over
        a period.
    made, depot_start, depot_holding
        Units that the depot gets in each period, what it has at first, and what holding costs it.
    km
        Cost of driving, shape (1 + customers, 1 + customers); the depot is first.
    capacity, trucks, periods
        Units a truck, trucks, periods.

    Raises
    ------
    ValueError
        If a number cannot be used.

    Examples
    --------
    >>> line = np.array([[0, 3, 4], [3, 0, 1], [4, 1, 0]])
    >>> shops = Replenished((4, 2), (8, 8), (2, 2), (0.1, 0.1), 9, 9, 0.3, line, 9, 1, 3)
    >>> lots, tours = ((3, 0, 0), (6, 0, 0)), (((1, 2),), (), ())
    >>> round(shops.cost(lots, tours), 2), shops.faults(lots, tours)
    (26.3, [])
    """

    start: tuple[int, ...]
    most: tuple[int, ...]
    demand: tuple[int, ...]
    holding: tuple[float, ...]
    made: int
    depot_start: int
    depot_holding: float
    km: np.ndarray
    capacity: int
    trucks: int
    periods: int

    def __post_init__(self) -> None:
        size = len(self.start)
        wrong = [name for name in ("most", "demand", "holding") if len(getattr(self, name)) != size]
        if wrong or self.km.shape != (size + 1, size + 1):
            raise ValueError(f"{', '.join(wrong) or 'km'} must be of {size} customers.")
        if min((*self.start, *self.demand, *self.holding, self.made, self.capacity, self.periods,
                self.trucks, 0)) < 0 or not np.isfinite(self.km).all():
            raise ValueError("a quantity, cost or distance is not a number from 0 up.")

    @cached_property
    def whole(self) -> np.ndarray:
        """Distances as whole numbers, as the programmes take them."""
        found: np.ndarray = np.rint(self.km * CENTS).astype(int)
        return found

    def holding_of(self, quantities: Quantities) -> float:
        """What holding costs, of what is left at the end of each period."""
        total, depot = 0.0, float(self.depot_start)
        level = list(map(float, self.start))
        for t in range(self.periods):
            depot += self.made - sum(row[t] for row in quantities)
            total += depot * self.depot_holding
            for i, row in enumerate(quantities):
                level[i] += row[t] - self.demand[i]
                total += level[i] * self.holding[i]
        return total

    def cost(self, quantities: Quantities, tours: Sequence[Sequence[Tour]]) -> float:
        """What holding and driving cost together."""
        return self.holding_of(quantities) + sum(self.length(tour) for day in tours for tour in day)

    def length(self, tour: Tour) -> float:
        """What driving a tour costs."""
        way = (0, *tour, 0)
        return float(sum(self.km[a, b] for a, b in pairwise(way)))

    def faults(self, quantities: Quantities, tours: Sequence[Sequence[Tour]]) -> list[str]:
        """Every requirement that is broken; none for a sound plan."""
        found, level, depot = [], list(self.start), self.depot_start
        for t in range(self.periods):
            brought = [row[t] for row in quantities]
            if len(tours[t]) > self.trucks:
                found.append(f"period {t + 1} takes {len(tours[t])} trucks of {self.trucks}.")
            seen = [i for tour in tours[t] for i in tour]
            if sorted(seen) != [i + 1 for i, units in enumerate(brought) if units]:
                found.append(f"period {t + 1}: tours do not call once at each who is brought.")
            found += [f"period {t + 1}: a tour carries more than {self.capacity}."
                      for tour in tours[t] if sum(brought[i - 1] for i in tour) > self.capacity]
            if sum(brought) > depot:
                found.append(f"period {t + 1}: the depot has {depot} of {sum(brought)}.")
            depot += self.made - sum(brought)
            for i, units in enumerate(brought):
                if level[i] + units > self.most[i]:
                    found.append(f"period {t + 1}: customer {i + 1} has no room.")
                level[i] += units - self.demand[i]
                if level[i] < 0:
                    found.append(f"period {t + 1}: customer {i + 1} is short.")
        return found


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """What a plan costs, units by customer and period, and tours by period."""

    cost: float
    quantities: Quantities
    tours: tuple[tuple[Tour, ...], ...]
