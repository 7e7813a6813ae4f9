"""Lots under scenarios by branch and bound: bounds by priced hours, plans by linear programmes.

Branches say of some set-ups whether they are made. Those with the lowest bounds are split further,
many at once, on the set-up that the priced products made about half of the time. Set-ups made more
often than not are a plan to try; around the best one, set-ups are added, dropped and moved.
"""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import dataclass

import numpy as np

from twin.optimize.lot_plan import LotProblem
from twin.optimize.lot_prices import Ascent, LotPrices
from twin.optimize.lot_programme import GAP, Solved, relaxed_prices
from twin.optimize.lot_quantities import LotQuantities

#: Sampled totals by stretch that are kept at most: beyond them a general solver does better.
MOST_TOTALS = 8_000_000
_ROOT, _STEPS, _NEAR = 150, 24, 6  #: ascents of the whole problem, of a branch, of a changed plan
_PACE = 0.1  #: of ascents from the prices of the relaxed programme
_CELLS = 60_000  #: stretches that are priced at once
_MOST_STRETCHES = 3_000  #: beyond them the relaxed programme takes longer to write than it saves
_LOOKED = 2_500_000  #: stretches that are priced in a search around a plan
_TRIED, _ROUNDED = 4, 2  #: changed plans, and rounded ones, solved exactly each time
#: Stretches that a second of work stands for, well below what a second prices on a quiet machine;
#: and what an exact plan counts as, for each product, period and scenario.
_A_SECOND, _EXACT = 4_000_000, 60


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    bound: float
    one: np.ndarray  #: set-ups made for sure, shape (products, periods)
    zero: np.ndarray  #: set-ups not made for sure
    prices: np.ndarray
    made: np.ndarray

    def split(self) -> tuple[np.ndarray, np.ndarray]:
        """Product and period whose set-up is the least decided."""
        undecided = np.where(self.one | self.zero, 9.0, np.abs(self.made - 0.5))
        return np.unravel_index(int(undecided.argmin()), undecided.shape)  # type: ignore[return-value]


def suits(problem: LotProblem) -> bool:
    """Whether the sampled totals of all stretches are few enough to be tabulated."""
    n, scenarios = problem.periods, len(problem.items[0].demand)
    return len(problem.items) * n * n * (n * scenarios + 2) <= MOST_TOTALS


def solve(problem: LotProblem, seconds: float, work: float = math.inf) -> Solved:
    """Plan and bound, until they are within `GAP` of one another or the work or time is used up.

    Parameters
    ----------
    work
        In seconds' worth of it: what it stops is the same on every machine.

    Examples
    --------
    >>> from twin.optimize.lot_plan import LotItem, LotProblem
    >>> tea = LotItem("tea", ((20, 50, 10, 50),), setup_cost=100, holding=1)
    >>> found = solve(LotProblem((tea,), (200,) * 4), 10)
    >>> found.quantities, round(found.bound), found.ended
    (((80.0, 0.0, 0.0, 50.0),), 270, 'proof')
    """
    return _Search(problem, seconds, work).run()


class _Search:
    def __init__(self, problem: LotProblem, seconds: float, work: float) -> None:
        self.problem, self.work = problem, work
        self.began = time.perf_counter()
        self.until = self.began + seconds
        self.priced = LotPrices(problem)
        self.exact = LotQuantities(problem)
        self.cost = math.inf
        self.quantities: tuple[tuple[float, ...], ...] | None = None
        self.setups = np.zeros(self.priced.shape, bool)
        self.prices = np.zeros(0)  #: of the branch that led to the best plan
        self.closed = math.inf  #: lowest bound among branches that are not split further
        self.heap: list[tuple[float, int, _Branch]] = []
        items, n = self.priced.shape
        self.random = np.random.default_rng(1)
        self.cut = False  #: whether there was no time for prices to start from
        self.width = int(np.clip(_CELLS // (2 * items * n * n), 1, 32))

    def run(self) -> Solved:
        items, n = self.priced.shape
        start, pace = None, _PACE
        if items * n * (n + 1) // 2 <= _MOST_STRETCHES:
            start = relaxed_prices(self.problem, 0.5 * (self.until - time.perf_counter()))
            self.cut = start is None
        if start is None:
            start, pace = np.zeros(n + 2 * items * n), 1.0
        nothing = np.zeros((1, items, n), bool)
        rough = self.priced.ascend(start[None], nothing, nothing, 0.0, 1, 0.0)
        self.round(rough)
        root = self.priced.ascend(start[None], nothing, nothing, self.target(rough.bound[0]),
                                  _ROOT, pace, self.until)
        self.round(root)
        number = 0
        self.put(number, _Branch(float(root.bound[0]), nothing[0], nothing[0], root.prices[0],
                                 root.made[0]))
        while self.heap and self.heap[0][0] < self.enough() and not self.over():
            taken = [heapq.heappop(self.heap)[2] for _ in range(min(self.width, len(self.heap)))]
            one, zero = _children(taken)
            found = self.priced.ascend(np.repeat([branch.prices for branch in taken], 2, axis=0),
                                       one, zero, self.target(taken[0].bound), _STEPS,
                                       until=self.until)
            self.round(found)
            for k, made in enumerate(found.made):
                number += 1
                bound = max(float(found.bound[k]), taken[k // 2].bound)
                self.put(number, _Branch(bound, one[k], zero[k], found.prices[k], made))
        bound = min([self.closed, *(entry[0] for entry in self.heap[:1])])
        in_time = time.perf_counter() <= self.until and not self.cut
        ended = "proof" if self.cost < math.inf and bound >= self.enough() else \
            "work" if in_time and self.spent() >= self.work else "wall"
        return Solved("branches", self.quantities, min(bound, self.cost),
                      time.perf_counter() - self.began, ended, self.spent())

    def spent(self) -> float:
        """Work done so far, in seconds' worth of it."""
        items, n = self.priced.shape
        exact = _EXACT * items * n * self.priced.scenarios * self.exact.solved
        return (self.priced.looked + exact) / _A_SECOND

    def over(self) -> bool:
        """Whether work or time is used up."""
        return time.perf_counter() > self.until or self.spent() >= self.work

    def enough(self) -> float:
        """The bound at which no branch matters any more."""
        return self.cost * (1.0 - GAP)

    def target(self, bound: float) -> float:
        """A cost that the best plan does not exceed, as far as is known."""
        return self.cost if self.cost < math.inf else 1.05 * abs(bound) + 1.0

    def put(self, number: int, branch: _Branch) -> None:
        """Keep a branch for splitting, or close it."""
        if (branch.one | branch.zero).all():
            cost = self.attempt(branch.one, branch.prices)
            self.closed = min(self.closed, max(branch.bound, cost))
        elif branch.bound >= self.enough():
            self.closed = min(self.closed, branch.bound)
        else:
            heapq.heappush(self.heap, (branch.bound, number, branch))

    def round(self, found: Ascent) -> None:
        """Try what the most promising branches make more often than not; then search around."""
        before = self.cost
        new = 0
        for k in np.argsort(found.bound, kind="stable"):
            setups = found.made[k] > 0.5
            if new < _ROUNDED and not self.exact.knows(setups):
                self.attempt(setups, found.prices[k])
                new += 1
        while self.cost < before and not self.over():
            before = self.cost
            self.around()

    def attempt(self, setups: np.ndarray, prices: np.ndarray) -> float:
        """The cost of a plan with these set-ups, which is kept if it is the best."""
        cost, quantities = self.exact.of(setups)
        if cost < self.cost:
            self.cost, self.quantities = cost, quantities
            self.setups, self.prices = np.array(quantities) > 0.0, prices
        return cost

    def around(self) -> None:
        """Plans with a set-up more, less or moved by a period: those with the lowest bounds."""
        near = _neighbours(self.setups)
        items, n = self.priced.shape
        most = max(2 * self.width, _LOOKED // (items * n * n))
        if len(near) > most:
            near = near[np.sort(self.random.permutation(len(near))[:most])]
        bounds: list[float] = []
        for part in np.array_split(near, -(-len(near) // (2 * self.width))):
            if self.over():
                return
            prices = np.repeat(self.prices[None], len(part), axis=0)
            bounds += list(self.priced.ascend(prices, part, ~part, self.cost, _NEAR).bound)
        new = 0
        for k in np.argsort(bounds, kind="stable"):
            if new >= _TRIED or bounds[k] >= self.cost:
                break
            if not self.exact.knows(near[k]):
                new += 1
                self.attempt(near[k], self.prices)


def _children(taken: list[_Branch]) -> tuple[np.ndarray, np.ndarray]:
    """Two branches of each: with its least decided set-up made, and not made."""
    one = np.repeat([branch.one for branch in taken], 2, axis=0)
    zero = np.repeat([branch.zero for branch in taken], 2, axis=0)
    for k, branch in enumerate(taken):
        place = branch.split()
        one[2 * k][place] = True
        zero[2 * k + 1][place] = True
    return one, zero


def _neighbours(setups: np.ndarray) -> np.ndarray:
    """All arrays with one set-up changed, or moved by a period."""
    found = []
    for i, t in np.ndindex(setups.shape):
        near = setups.copy()
        near[i, t] ^= True
        found.append(near)
        for other in (t - 1, t + 1):
            if setups[i, t] and 0 <= other < setups.shape[1] and not setups[i, other]:
                moved = near.copy()
                moved[i, other] = True
                found.append(moved)
    return np.array(found)
