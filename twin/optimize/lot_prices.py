"""Lots with the hours of capacity priced: each product alone, for many prices and set-ups at once.

With a price on the hours of each period the products no longer meet (Lagrangian relaxation). What
is left of one is a shortest path over stretches, the periods from one lot to the next, each with
the running total that is cheapest at these prices: at a price of p for a unit of the total it is
that of the sampled totals below which a share (backlog - p) / (holding + backlog) lies, as for a
newsvendor. A step up along the hours lacking raises the bound (subgradients, Polyak's step).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from twin.optimize.lot_plan import LotProblem

_DAMP, _PATIENCE, _MEMORY = 0.6, 4, 0.15  #: of steps


@dataclass(frozen=True, slots=True)
class Ascent:
    """Best bounds (one a branch), their prices, and how often each set-up was made on the way."""

    bound: np.ndarray
    prices: np.ndarray
    made: np.ndarray


class LotPrices:
    """Bounds on a problem's cost. Prices come as rows, one a branch: of an hour by period; then, by
    product and period, of lots above nothing, and of lots below the largest.

    Examples
    --------
    >>> from twin.optimize.lot_plan import LotItem, LotProblem
    >>> tea = LotItem("tea", ((20, 50, 10, 50),), setup_cost=100, holding=1)
    >>> priced = LotPrices(LotProblem((tea,), (200,) * 4))
    >>> free = np.zeros((1, 1, 4), bool)
    >>> found = priced.ascend(np.zeros((1, 12)), free, free, 300.0, 1)
    >>> found.bound, found.made.astype(int)
    (array([270.]), array([[[1, 0, 0, 1]]]))
    """

    def __init__(self, problem: LotProblem) -> None:
        items, n = problem.items, problem.periods
        self.shape = len(items), n
        self.looked = 0  #: stretches priced so far, over all branches
        self.hours = np.array(problem.capacity, dtype=float)
        self.unit, self.setup_time, self.setup_cost, self.holding = (
            np.array([getattr(item, name) for item in items], dtype=float)
            for name in ("unit_time", "setup_time", "setup_cost", "holding"))
        self.backlog = np.array([0.0 if item.backlog == math.inf else item.backlog
                                 for item in items])
        self.scenarios = len(items[0].demand)
        lengths = np.arange(n)[None, :] - np.arange(n)[:, None] + 1
        self._samples = np.maximum(lengths, 0) * self.scenarios
        self._totals = np.zeros((*self.shape, n, self.scenarios * n + 2))
        self._costs = np.full(self._totals.shape, np.inf)
        self._none = np.zeros((len(items), n + 1))  # cost up to a period if nothing is made
        self.largest = np.zeros(self.shape)
        for i, item in enumerate(items):
            totals = problem.totals(item)
            most = max(0.0, float(totals.max()))
            strict = item.backlog == math.inf
            for first in range(n):
                for last in range(first, n):
                    sampled = np.sort(totals[:, first:last + 1].ravel())
                    places = np.concatenate([[0.0], np.maximum(sampled, 0.0), [most]])
                    if strict:  # nothing may be owed when the stretch ends
                        places[:-1] = max(0.0, float(totals[-1, last]))
                    below = np.searchsorted(sampled, places, side="right")
                    sums = np.concatenate([[0.0], np.cumsum(sampled)])
                    over = below * places - sums[below]
                    short = sums[-1] - sums[below] - (len(sampled) - below) * places
                    cost = item.holding * over + self.backlog[i] * short
                    self._totals[i, first, last, :len(places)] = places
                    self._costs[i, first, last, :len(places)] = cost / self.scenarios
            owed = np.maximum(totals, 0.0)
            each = (item.holding * np.maximum(-totals, 0.0) + self.backlog[i] * owed).mean(axis=0)
            if strict:
                each = np.where(owed.max(axis=0) > 0.0, np.inf, each)
            self._none[i, 1:] = np.cumsum(each)
            for period, hours in enumerate(problem.capacity):
                fits = (hours - item.setup_time) / item.unit_time if item.unit_time else most
                self.largest[i, period] = max(0.0, min(fits, most))

    def ascend(self, prices: np.ndarray, one: np.ndarray, zero: np.ndarray, target: float,
               steps: int, pace: float = 0.8, until: float = math.inf) -> Ascent:
        """Raise the bounds of branches, in each of which some set-ups are (not) made for sure.

        Parameters
        ----------
        one, zero
            Set-ups made, and not made, shape (branches, products, periods).
        target
            A cost that the best plan does not exceed: it sets the length of steps.
        until
            Guard, by `time.perf_counter`: no step after the first begins later.
        """
        branches = len(prices)
        closed = self._closed(one, zero)
        best = np.full(branches, -np.inf)
        kept = prices.copy()
        paces = np.full(branches, pace)
        idle = np.zeros(branches, int)
        made: np.ndarray | None = None
        way = np.zeros_like(prices)
        for _ in range(steps):
            if made is not None and time.perf_counter() > until:
                break
            self.looked += branches * len(self.unit) * len(self.hours) ** 2
            hour, above, below = self._parts(prices)
            value, lots, setups = self._paths(
                hour[:, None, :] * self.unit[:, None] - above + below,
                self.setup_cost[:, None] + hour[:, None, :] * self.setup_time[:, None]
                - below * self.largest, closed)
            bound = value.sum(axis=1) - hour @ self.hours
            lacking = np.concatenate([
                (lots * self.unit[:, None] + setups * self.setup_time[:, None]).sum(axis=1)
                - self.hours, -lots.reshape(branches, -1),
                (lots - self.largest * setups).reshape(branches, -1)], axis=1)
            better = bound > best + 1e-9
            best = np.where(better, bound, best)
            kept[better] = prices[better]
            idle = np.where(better, 0, idle + 1)
            back = idle >= _PATIENCE
            paces, idle = np.where(back, _DAMP * paces, paces), np.where(back, 0, idle)
            prices = np.where(back[:, None], kept, prices)
            made = setups if made is None else (1.0 - _MEMORY) * made + _MEMORY * setups
            way = np.where(back[:, None], 0.0, _DAMP * way) + lacking
            way = np.where((prices <= 0.0) & (way < 0.0), 0.0, way)
            room = np.maximum(target - np.where(np.isfinite(bound), bound, target),
                              1e-6 * abs(target))
            length = paces * room / np.maximum((way * way).sum(axis=1), 1e-9)
            prices = np.maximum(0.0, prices + length[:, None] * way)
        assert made is not None
        return Ascent(best, kept, made)

    def _parts(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        items, n = self.shape
        above = prices[:, n:n + items * n].reshape(-1, items, n)
        return prices[:, :n], above, prices[:, n + items * n:].reshape(-1, items, n)

    def _closed(self, one: np.ndarray, zero: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Infinite for stretches that cannot be taken, shape (branches, products, first, last); and
        for making nothing up to a period.
        """
        start = np.zeros((*one.shape[:2], 1), int)
        sure = np.concatenate([start, np.cumsum(one, axis=2)], axis=2)
        inside = sure[:, :, None, 1:] - sure[:, :, 1:, None]  # set-ups made after the first period
        barred = (inside > 0) | zero[:, :, :, None] | (self._samples == 0)
        return np.where(barred, np.inf, 0.0), np.where(sure > 0, np.inf, 0.0)

    def _paths(self, price: np.ndarray, setup: np.ndarray, closed: tuple[np.ndarray, np.ndarray],
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each product's least cost (branches, products), with its lots and set-ups by period."""
        items, n = self.shape
        branches = len(price)
        after = np.concatenate([price[:, :, 1:], np.zeros((branches, items, 1))], axis=2)
        slope = price[:, :, :, None] - after[:, :, None, :]
        spread = np.maximum(self.holding + self.backlog, 1e-12)[:, None, None]
        below = (self.backlog[:, None, None] * self._samples - self.scenarios * slope) / spread
        at = np.ceil(np.clip(below - 1e-9, 0, self._samples + 1)).astype(int)
        pick = (np.arange(items)[:, None, None], np.arange(n)[:, None], np.arange(n), at)
        totals = self._totals[pick]
        values = self._costs[pick] + slope * totals + setup[:, :, :, None] + closed[0]
        best = self._none + closed[1]
        began = np.full((branches, items, n + 1), -1)
        for last in range(n):
            ways = best[:, :, :last + 1] + values[:, :, :last + 1, last]
            first = ways.argmin(axis=2)
            least = np.take_along_axis(ways, first[:, :, None], axis=2)[:, :, 0]
            began[:, :, last + 1] = np.where(least < best[:, :, last + 1], first, -1)
            best[:, :, last + 1] = np.minimum(least, best[:, :, last + 1])
        return best[:, :, n], *_traced(began, totals)


def _traced(began: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lots and set-ups on the paths, from the last period back."""
    branches, items, n = began.shape[0], began.shape[1], began.shape[2] - 1
    lots = np.zeros((branches, items, n))
    setups = np.zeros((branches, items, n))
    end = np.full((branches, items), n)
    for last in range(n - 1, -1, -1):
        branch, item = np.nonzero((end == last + 1) & (began[:, :, last + 1] >= 0))
        first = began[branch, item, last + 1]
        total = totals[branch, item, first, last]
        setups[branch, item, first] = 1.0
        lots[branch, item, first] += total
        if last + 1 < n:  # the next lot adds to this total
            lots[branch, item, last + 1] -= total * setups[branch, item, last + 1]
        end[branch, item] = first
    return lots, setups
