"""Inventory routing by ruin and recreate: customers are taken out of all tours and planned anew.

A customer's deliveries are planned exactly against the tours of all others, by dynamic programming
over the periods and its stock: on which days it is called on, by which tour, with how much. Trucks
may be overloaded on the way, at a price that rises and falls (Zhao, Archetti, Pham and Vidal 2025
use the same move; the ruin is that of Christiaens and Vanden Berghe 2020).
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass

from twin.optimize.inventory_problem import DeliveryPlan, Replenished, Tour
from twin.plan import Progress

_MOST_OUT = 10  #: customers taken out at once
_HOT, _COLD = 0.01, 0.0001  #: share of the cost by which a plan may worsen, at first and at last
_BLINK = 0.01  #: share of places overlooked
_ADAPT = 100  #: rounds after which the price of overload is looked at
_HURRY = 1.05  #: by which it rises each round until there is a plan
_WANTED = 0.4  #: share of rounds that should end without overload
_FASTEST, _VISITS = 4500, 400_000  #: rounds a second at most; visits planned in one

#: Where a visit would go: its detour, the tour, the place in it, the room in its truck.
Place = tuple[float, int, int, int]


@dataclass(slots=True)
class _Draft:
    """Tours and loads by period and truck, units by customer and period, holding by customer."""

    tours: list[list[list[int]]]
    loads: list[list[int]]
    units: list[tuple[int, ...]]
    held: list[float]
    driven: float = 0.0

    def copy(self) -> _Draft:
        """Another that may be changed."""
        return _Draft([[tour[:] for tour in day] for day in self.tours],
                     [day[:] for day in self.loads], self.units[:], self.held[:], self.driven)

    def overload(self, capacity: int) -> int:
        """Units that trucks carry too many."""
        return sum(load - capacity for day in self.loads for load in day if load > capacity)


@dataclass(frozen=True, slots=True)
class Ruined:
    """What a search came to: its best plan, the tours that it met, its rounds; and whether the
    clock stopped it.
    """

    plan: DeliveryPlan | None
    pool: tuple[Tour, ...]
    progress: tuple[Progress, ...]
    rounds: int
    by_clock: bool


def rounds_in(problem: Replenished, seconds: float) -> int:
    """Rounds that even a slow machine makes in so many seconds."""
    visits = max(1, len(problem.start) * problem.periods)
    return max(20, int(seconds * min(_FASTEST, _VISITS / visits)))


class Ruin:
    """The search on one problem.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.array([[0, 3, 4], [3, 0, 1], [4, 1, 0]])
    >>> shops = Replenished((4, 2), (8, 8), (2, 2), (0.1, 0.1), 9, 9, 0.3, line, 9, 1, 3)
    >>> found = Ruin(shops, 1).run(50, math.inf)
    >>> round(found.plan.cost, 2), found.plan.quantities, found.plan.tours, found.by_clock
    (26.3, ((3, 0, 0), (6, 0, 0)), (((1, 2),), (), ()), False)
    """

    def __init__(self, problem: Replenished, seed: int) -> None:
        self.problem = problem
        self.random = random.Random(seed)
        self.km: list[list[float]] = problem.km.tolist()
        self.size, self.days = len(problem.start), problem.periods
        self.near = [sorted(range(1, self.size + 1), key=row.__getitem__) for row in self.km[1:]]
        demand = max(1, sum(problem.demand))
        self.price: float = sum(self.km[0]) / demand  #: of a unit that a truck carries too many
        self.pool: dict[frozenset[int], Tour] = {}
        self.best = math.inf
        self.plan: DeliveryPlan | None = None
        self.progress: list[Progress] = []
        self.began = time.monotonic()
        # the depot holds what it gets and has not sent yet
        self.base: float = problem.depot_holding * sum(
            problem.depot_start + problem.made * (t + 1) for t in range(self.days))

    def run(self, rounds: int, until: float) -> Ruined:
        """Search for so many rounds, or until a time of `time.monotonic`."""
        done = self._rounds(rounds, until)
        return Ruined(self.plan, tuple(self.pool.values()), tuple(self.progress), done,
                      done < rounds)

    def _rounds(self, rounds: int, until: float) -> int:
        now = self._start()
        sound = 0
        for done in range(rounds if now is not None else 0):
            assert now is not None
            clock = time.monotonic()
            if clock > until:
                return done
            spent = max(done / rounds, (clock - self.began) / (until - self.began))
            new = self._changed(now)
            if new is not None:
                excess = new.overload(self.problem.capacity)
                sound += not excess
                cost = self._cost(new)
                if not excess and cost < self.best - 1e-9:
                    self._keep(new, cost)
                heat = self.best if self.best < math.inf else cost
                heat *= _HOT * (_COLD / _HOT) ** spent
                if self._paid(new) < self._paid(now) - heat * math.log(1.0 - self.random.random()):
                    now = new
                    if not excess:
                        self._pool(new)
            if self.best == math.inf:
                self.price *= _HURRY
            elif done % _ADAPT == _ADAPT - 1:
                self.price *= 1.2 if sound < _WANTED * _ADAPT else 1.0 / 1.2
                sound = 0
        return rounds

    def _cost(self, plan: _Draft) -> float:
        return self.base + plan.driven + sum(plan.held)

    def _paid(self, plan: _Draft) -> float:
        return self._cost(plan) + self.price * plan.overload(self.problem.capacity)

    def _start(self) -> _Draft | None:
        """Everybody planned one after another; None where some order of them does not do."""
        trucks = self.problem.trucks
        for _ in range(20):
            plan = _Draft([[[] for _ in range(trucks)] for _ in range(self.days)],
                         [[0] * trucks for _ in range(self.days)],
                         [(0,) * self.days] * self.size, [0.0] * self.size)
            order = list(range(1, self.size + 1))
            self.random.shuffle(order)
            if all(self._insert(plan, i) for i in order):
                if not plan.overload(self.problem.capacity):
                    self._keep(plan, self._cost(plan))
                return plan
        return None

    def _changed(self, now: _Draft) -> _Draft | None:
        """The plan with some neighbours taken out and put back; None if one finds no place."""
        rng, plan = self.random, now.copy()
        middle = rng.randrange(self.size)
        many = rng.randint(1, min(_MOST_OUT, self.size))
        out = [j for j in self.near[middle][:2 * many] if rng.random() < 0.6][:many] \
            or [middle + 1]
        for i in out:
            self._remove(plan, i)
        order = rng.random()
        if order < 0.5:
            rng.shuffle(out)
        elif order < 0.75:
            out.sort(key=lambda i: -self.problem.demand[i - 1])
        else:
            out.sort(key=lambda i: -self.km[0][i])
        return plan if all(self._insert(plan, i) for i in out) else None

    def _remove(self, plan: _Draft, i: int) -> None:
        for t, units in enumerate(plan.units[i - 1]):
            if units:
                for k, tour in enumerate(plan.tours[t]):
                    if i in tour:
                        at = tour.index(i)
                        a = tour[at - 1] if at else 0
                        b = tour[at + 1] if at + 1 < len(tour) else 0
                        plan.driven -= self.km[a][i] + self.km[i][b] - self.km[a][b]
                        del tour[at]
                        plan.loads[t][k] -= units
                        break
        plan.units[i - 1] = (0,) * self.days
        plan.held[i - 1] = 0.0

    def _insert(self, plan: _Draft, i: int) -> bool:
        """Plan a customer's deliveries where they cost least; False if there is no way."""
        found = self._deliveries(plan, i)
        if found is None:
            return False
        held, visits = found
        units = [0] * self.days
        for t, (amount, (detour, k, at, _)) in visits.items():
            units[t] = amount
            plan.tours[t][k].insert(at, i)
            plan.loads[t][k] += amount
            plan.driven += detour
        plan.units[i - 1] = tuple(units)
        plan.held[i - 1] = held
        return True

    def _places(self, plan: _Draft, i: int, t: int) -> list[Place]:
        """Places in a day's tours, the nearest first; further ones only with more room."""
        km, own, capacity, blink = self.km, self.km[i], self.problem.capacity, self.random.random
        found: list[Place] = []
        empty = False
        for k, tour in enumerate(plan.tours[t]):
            if not tour:
                if not empty:  # all empty trucks are alike
                    found.append((km[0][i] + own[0], k, 0, capacity))
                empty = True
                continue
            least, at, before = math.inf, 0, 0
            for place, after in enumerate(tour):
                detour = km[before][i] + own[after] - km[before][after]
                if detour < least and blink() > _BLINK:
                    least, at = detour, place
                before = after
            detour = km[before][i] + own[0] - km[before][0]
            if detour < least:
                least, at = detour, len(tour)
            found.append((least, k, at, capacity - plan.loads[t][k]))
        found.sort()
        kept: list[Place] = []
        for one in found:
            if not kept or one[3] > kept[-1][3]:
                kept.append(one)
        return kept

    def _deliveries(self, plan: _Draft, i: int,
                    ) -> tuple[float, dict[int, tuple[int, Place]]] | None:
        """What holding costs, and by day how much by which place: the cheapest way.

        Stock before each day, with the cheapest way to it. Amounts that matter are those that last
        to the end of a day, that fill the store, or that fill a truck.
        """
        problem, days = self.problem, self.days
        demand, most = problem.demand[i - 1], problem.most[i - 1]
        hold, saved = problem.holding[i - 1], problem.depot_holding
        others = 0
        ways: dict[int, tuple[float, float, tuple[tuple[int, int, Place], ...]]] = {
            problem.start[i - 1]: (0.0, 0.0, ())}
        for t in range(days):
            others += sum(plan.loads[t])
            there = problem.depot_start + problem.made * t - others
            places = self._places(plan, i, t)
            after: dict[int, tuple[float, float, tuple[tuple[int, int, Place], ...]]] = {}
            for level, (cost, held, calls) in ways.items():
                brought = level + demand * t - problem.start[i - 1]
                room = min(most - level, there - brought, problem.capacity)
                amounts = {demand * (k + 1) - level for k in range(days - t)}
                amounts.add(room)
                amounts.update(place[3] for place in places)
                least = max(1, demand - level)
                for amount in amounts if places else ():
                    if not least <= amount <= room:
                        continue
                    way, place = self._cheapest(places, amount)
                    left = level + amount - demand
                    kept = held + hold * left - saved * amount * (days - t)
                    total = cost + way + kept - held
                    if left not in after or total < after[left][0]:
                        after[left] = total, kept, (*calls, (t, amount, place))
                if level >= demand:
                    left = level - demand
                    total = cost + hold * left
                    if left not in after or total < after[left][0]:
                        after[left] = total, held + hold * left, calls
            ways = after
        if not ways:
            return None
        _, held, calls = min(ways.values(), key=lambda way: way[0])
        return held, {t: (amount, place) for t, amount, place in calls}

    def _cheapest(self, places: list[Place], amount: int) -> tuple[float, Place]:
        """The best place for so many units, and what it costs with the overload."""
        least, best = math.inf, places[0]
        for place in places:
            if place[0] >= least:
                break
            cost = place[0] + self.price * max(0, amount - place[3])
            if cost < least:
                least, best = cost, place
        return least, best

    def _keep(self, plan: _Draft, cost: float) -> None:
        self.best = cost
        self._pool(plan)
        self.plan = DeliveryPlan(cost, tuple(plan.units), tuple(
            tuple(tuple(tour) for tour in day if tour) for day in plan.tours))
        self.progress.append(Progress(time.monotonic() - self.began, cost, None,
                                      "ruin and recreate"))

    def _pool(self, plan: _Draft) -> None:
        """Remember the tours; of several through the same customers the shortest."""
        for day in plan.tours:
            for tour in map(tuple, day):
                known = self.pool.get(frozenset(tour))
                if tour and (known is None
                             or self.problem.length(tour) < self.problem.length(known)):
                    self.pool[frozenset(tour)] = tour
