"""Tabu search for the makespan of job shops, flexible or not, from many starts.

Short searches fill a small population; then two of its schedules are mixed (each operation's
place is a weighted mean of its places in both, which keeps every precedence) and searched again.
The inner loop is `twin.optimize.tabu_moves`.

References
----------
Balas and Vazacopoulos, Management Science 44 (1998), for the moves and their estimates; Peng, Lu
and Cheng, Computers and Operations Research 53 (2015), for searching between good schedules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.optimize import tabu_moves

_PATIENCE = 12_000
_MEMBERS = 8
_FOREVER = 1 << 60


@dataclass(frozen=True, slots=True)
class JobShop:
    """Jobs of operations in order, each with its ways: machine and whole time.

    Examples
    --------
    >>> shop = JobShop(((((0, 3),), ((1, 2),)), (((1, 4),), ((0, 1),))))
    >>> shop.machines, shop.operations
    (2, 4)
    """

    jobs: Sequence[Sequence[Sequence[tuple[int, int]]]]

    def __post_init__(self) -> None:
        problems = [f"job {j} operation {k} has no way, or one that takes less than no time."
                    for j, job in enumerate(self.jobs) for k, ways in enumerate(job)
                    if not ways or any(machine < 0 or hours < 0 for machine, hours in ways)]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def machines(self) -> int:
        """How many machines."""
        return 1 + max((machine for job in self.jobs for ways in job for machine, _ in ways),
                       default=-1)

    @property
    def operations(self) -> int:
        """How many operations."""
        return sum(len(job) for job in self.jobs)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Machine and start of every operation, job after job, and when all is done."""

    makespan: int
    machine: np.ndarray
    start: np.ndarray


class TabuSearch:
    """A search that goes on for as long as it is asked to.

    Parameters
    ----------
    seed
        Same shop, seed and iterations: same schedule.

    Examples
    --------
    >>> shop = JobShop(((((0, 3),), ((1, 2),)), (((1, 4),), ((0, 1),))))
    >>> TabuSearch(shop, seed=1).search(iterations=1000).makespan
    6
    """

    def __init__(self, shop: JobShop, seed: int = 1, members: int = _MEMBERS) -> None:
        self.shop = shop
        self.members = members
        self.done = 0  #: iterations so far
        self.population: list[Timetable] = []
        self._luck = np.random.default_rng([seed, 0x7AB0])
        jobs = shop.jobs
        n = self.shop.operations
        self._job = np.repeat(np.arange(len(jobs)), [len(job) for job in jobs])
        self._place = np.concatenate([np.arange(len(job)) for job in jobs] or [np.zeros(0, int)])
        before = np.arange(n) - 1
        before[self._place == 0] = -1
        after = np.full(n, -1)
        after[before[before >= 0]] = np.flatnonzero(before >= 0)
        ways = [ways for job in jobs for ways in job]
        self._before, self._after = before.astype(np.int64), after.astype(np.int64)
        self._from = np.cumsum([0, *map(len, ways)]).astype(np.int64)
        self._machine = np.array([m for found in ways for m, _ in found], dtype=np.int64)
        self._time = np.array([t for found in ways for _, t in found], dtype=np.int64)

    @property
    def best(self) -> Timetable | None:
        """The best schedule so far."""
        return min(self.population, key=lambda one: one.makespan, default=None)

    def start_from(self, machine: np.ndarray, start: np.ndarray) -> None:
        """Search from a schedule that somebody else found."""
        self._search(machine, start, _FOREVER, 0)

    def search(self, *, iterations: int = _FOREVER, until: float = float("inf"), target: int = 0,
               told: Callable[[Timetable], None] | None = None) -> Timetable:
        """Search on; the best schedule of all.

        Parameters
        ----------
        iterations
            As many more at most: the deterministic stop.
        until
            Wall clock, as `time.perf_counter`: the guard, looked at between short searches.
        target
            Good enough.
        told
            Called with each better schedule.
        """
        last = self.done + iterations
        known = self.best.makespan if self.best else _FOREVER
        while self.done < last and time.perf_counter() < until:
            self._search(*self._seedling(), last - self.done, target)
            best = self.best
            assert best is not None
            if best.makespan < known:
                known = best.makespan
                if told is not None:
                    told(best)
            if known <= target or not self.shop.operations:
                break
        if self.best is None:
            self._search(*self._seedling(), 0, target)
        assert self.best is not None
        return self.best

    # -- where to search from --------------------------------------------------------------------
    def _seedling(self) -> tuple[np.ndarray, np.ndarray]:
        """Machines, and keys whose order is the order on every machine."""
        luck = self._luck
        if len(self.population) < self.members:
            chosen = self._from[:-1] + luck.integers(self._from[1:] - self._from[:-1])
            quickest = np.array([a + int(np.argmin(self._time[a:b])) for a, b in
                                 zip(self._from, self._from[1:], strict=False)], dtype=np.int64)
            way = np.where(luck.random(len(chosen)) < 0.8, quickest, chosen)
            shift = 3.0 * luck.random(len(self.shop.jobs))
            return self._machine[way], self._place + shift[self._job]
        one, other = luck.choice(len(self.population), 2, replace=False)
        a, b = self.population[one], self.population[other]
        share = luck.uniform(0.3, 0.7)
        machine = np.where(luck.random(len(a.machine)) < share, b.machine, a.machine)
        return machine, (1.0 - share) * a.start + share * b.start

    def _search(self, machine: np.ndarray, keys: np.ndarray, iterations: int,
                target: int) -> None:
        """One short search; its best schedule joins the population if it deserves to."""
        n = self.shop.operations
        on = machine.astype(np.int64).copy()
        times = np.zeros(n, np.int64)
        for v in range(n):
            ways = slice(self._from[v], self._from[v + 1])
            times[v] = self._time[ways][self._machine[ways] == on[v]].min()
        before, after, first = self._chains(on, keys)
        best_on, best_start = np.zeros(n, np.int64), np.zeros(n, np.int64)
        makespan, done = tabu_moves.tabu_search(
            self._before, self._after, self._from, self._machine, self._time, on, times, before,
            after, first, iterations, _PATIENCE, target, self._luck, best_on, best_start)
        self.done += max(1, done)
        self._admit(Timetable(int(makespan), best_on, best_start))

    def _chains(self, on: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, ...]:
        """Neighbours on the machines when operations go in the order of their keys.

        Keys rise along each job; equal ones keep the order of jobs and places, so there is no
        circle.
        """
        before = np.full(len(on), -1, np.int64)
        after = np.full(len(on), -1, np.int64)
        first = np.full(self.shop.machines, -1, np.int64)
        last = first.copy()
        for v in np.lexsort((np.arange(len(on)), keys)):
            machine = on[v]
            if last[machine] < 0:
                first[machine] = v
            else:
                before[v], after[last[machine]] = last[machine], v
            last[machine] = v
        return before, after, first

    def _admit(self, one: Timetable) -> None:
        if any(np.array_equal(one.start, other.start) and np.array_equal(one.machine, other.machine)
               for other in self.population):
            return
        self.population.append(one)
        if len(self.population) > self.members:
            self.population.remove(max(self.population, key=lambda found: found.makespan))
