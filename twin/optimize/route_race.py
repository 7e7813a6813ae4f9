"""Engines raced on all cores, their trips pooled, and the best set chosen; never worse than any.

In rounds: every process runs an engine for its share of the limit, and after a round the pool is
partitioned and the best of all starts the next. Where the first round does not serve every stop
that must be, the others may leave some out. Counted in work the same problem and seed give the
same routes on any machine that is quick enough; the clock is a guard, and what it stops is said to
be stopped by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from queue import Queue

from twin.optimize.engine import Found, Limit, Trips
from twin.optimize.engine_whole import Whole
from twin.optimize.partition import Pool
from twin.optimize.process import News, WorkerProcess, hear
from twin.optimize.route_checker import faults
from twin.optimize.route_problem import RouteProblem
from twin.optimize.route_times import Score, Tour, score, timed
from twin.optimize.route_worker import Turn, engine
from twin.plan import Progress

_MARGIN = 0.2  #: seconds kept for stopping
#: Stops, over the root of the seconds, above which a search is far from its end when the time is
#: up, and is not interrupted: how often it comes by a stop falls with the square of their number.
_CROWD = 63.0
_NOTHING = Score(1 << 30, 0, 0.0)

#: Told of each better cost.
Watcher = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Leg:
    """A round of the race: its share of the limit, an engine a core, and from where they start."""

    share: float
    engines: tuple[str, ...]
    from_best: bool = True
    partition: float = 0.0  #: share of the limit for the partition after it


@dataclass(frozen=True, slots=True)
class Course:
    """The rounds of a race."""

    legs: tuple[Leg, ...]


def course(problem: RouteProblem, seconds: float) -> Course:
    """Which engines run when: by what each can say, and by what the goal needs."""
    if not engine("enumeration").lacks(problem):
        return Course((Leg(0.6, ("enumeration",), partition=0.3),))
    if engine("pyvrp").lacks(problem):
        return Course((Leg(0.6, ("ortools", "ortools"), partition=0.08),
                       Leg(0.2, ("ortools", "ortools"), partition=0.08)))
    if problem.goal == "trucks" and not engine("elimination").lacks(problem):
        return Course((Leg(0.4, ("elimination", "pyvrp")),
                       Leg(0.28, ("pyvrp", "pyvrp"), partition=0.06),
                       Leg(0.12, ("pyvrp", "pyvrp"), partition=0.06)))
    if len(problem.stops) > _CROWD * sqrt(seconds):
        return Course((Leg(0.9, ("pyvrp", "pyvrp"), from_best=False),
                       Leg(0.07, ("pyvrp", "pyvrp"))))
    return Course((Leg(0.08, ("pyvrp", "ortools")),
                   Leg(0.54, ("pyvrp", "pyvrp"), from_best=False, partition=0.07),
                   Leg(0.18, ("pyvrp", "pyvrp"), partition=0.08)))


def ransomed(problem: RouteProblem) -> RouteProblem:
    """The problem with stops that must be served left out where it cannot be helped, and dearly.

    Each can be reached, but maybe not all of them together: then as many as can be are.
    """
    whole = Whole(problem)
    trucks = tuple(replace(truck, fixed=truck.fixed + whole.weight / whole.cents)
                   for truck in problem.trucks)  # fewest trucks is the goal by their price
    far, long = (2.0 * float(matrix.max(initial=0.0)) for matrix in (problem.km, problem.hours))
    dear = 2.0 * (1.0 + max((truck.fixed + truck.per_km * far + truck.per_hour * truck.pace * long
                             for truck in trucks), default=0.0))  # than a way round to a stop
    both = {pickup for pickup, _ in problem.pairs}  # go with their other half
    return replace(problem, goal="cost", trucks=trucks, stops=tuple(
        replace(stop, penalty=dear * (1 + (n in both))) if stop.penalty is None else stop
        for n, stop in enumerate(problem.stops)))


def overfull(problem: RouteProblem) -> bool:
    """Whether the loads of stops that must be served are plainly more than all trucks hold."""
    paired = {stop for pair in problem.pairs for stop in pair}
    must = [n for n, stop in enumerate(problem.stops) if stop.penalty is None and n not in paired]
    return any(
        sum(max(0.0, sign * problem.load(n, kind)) for n in must) > 1e-9 + sum(
            problem.capacity(truck, kind) for truck in range(len(problem.trucks)))
        for kind in range(problem.dimensions) for sign in (1, -1))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a race came to. `tours` has passed the checker; None: nothing feasible was found."""

    tours: tuple[Tour, ...] | None
    score: Score
    engine: str
    proved: bool
    stopped_by: str
    seconds: float
    work: float
    progress: tuple[Progress, ...]
    troubles: tuple[str, ...] = ()
    prices: tuple[float, ...] = ()  #: what one more truck of each kind would save, at most


def race(problem: RouteProblem, *, seconds: float, seed: int = 1, counted: bool = True,
         clock: str = "wall", cores: int = 2, watcher: Watcher | None = None,
         over: Course | None = None) -> Outcome:
    """Search with every engine that can say the problem.

    Parameters
    ----------
    seconds
        The hard limit, start of the processes included.
    counted
        Stop on work; else the clock alone stops.
    clock
        ``wall``; or ``cpu``, seconds of each process, to measure on a shared machine.
    over
        Another course than the usual one.
    """
    given = ransomed(problem) if overfull(problem) else problem
    return _Race(problem, given, seconds, seed, counted, clock, cores, watcher,
                 over or course(given, seconds)).run()


@dataclass
class _Race:
    problem: RouteProblem
    given: RouteProblem  #: to the engines: it may let them leave out what they must serve
    seconds: float
    seed: int
    counted: bool
    clock: str
    cores: int
    watcher: Watcher | None
    over: Course
    best: Trips | None = None
    value: Score = _NOTHING
    by: str = ""
    proved: bool = False
    work: float = 0.0
    stopped: str = "work"
    progress: list[Progress] = field(default_factory=list)
    own: dict[str, Score] = field(default_factory=dict)  #: the best of each engine
    troubles: list[str] = field(default_factory=list)

    def run(self) -> Outcome:
        """All rounds, then the tours that the checker passes."""
        self.began = time.monotonic()
        self.until = self.began + (self.seconds - _MARGIN if self.clock == "wall"
                                   else 40.0 * self.seconds + 60.0)
        self.pool = Pool(self.problem)
        first = self.over.legs[0]
        if first.engines == ("enumeration",):  # a handful of stops: quicker than any process
            every = engine("enumeration").solve(self.problem, Limit(self.seconds), self.seed,
                                                lambda trips: None)
            self.work += every.iterations
            self._settle(first, {0: every})
            return self._outcome()
        self._start()
        try:
            for number, leg in enumerate(self.over.legs):
                if number and self.value.missing and self.given is self.problem:
                    self._stop()
                    self.given = ransomed(self.problem)
                    self._start()
                found = self._round(number, leg)
                self._settle(leg, found)
                if self.proved or time.monotonic() >= self.until:
                    break
        finally:
            self._stop()
        return self._outcome()

    def _start(self) -> None:
        """Processes that search."""
        self.news: News = Queue()
        self.runners = [WorkerProcess(n, "route_worker", self.given, self.news) for n in range(
            min(self.cores, max(len(leg.engines) for leg in self.over.legs)))]

    def _stop(self) -> None:
        for runner in self.runners:
            runner.stop()

    def _round(self, number: int, leg: Leg) -> dict[int, Found]:
        """Every process runs its engine; what each came to."""
        share = leg.share * self.seconds
        spent = sum(one.share + one.partition for one in self.over.legs[:number])
        wall = self.until - time.monotonic() if self.counted or self.clock == "cpu" else min(
            self.until - time.monotonic(),
            self.began + (spent + leg.share) * self.seconds - time.monotonic())
        limit = Limit(share if self.clock == "cpu" else max(0.05, wall),
                      share if self.counted else None, self.clock)
        running: dict[int, str] = {}
        for runner, name in zip(self.runners, leg.engines, strict=False):
            if runner.alive:
                start = self.best if leg.from_best else None
                runner.say(Turn(name, limit, self.seed + 1000 * runner.number + number, start))
                running[runner.number] = name
        found: dict[int, Found] = {}
        while running:
            news = hear(self.news, time.time() + self.until - time.monotonic())
            if news is None:
                self.stopped = "wall"
                break
            who, heard = news
            if heard is None or heard.trouble:
                self.runners[who].alive &= heard is not None
                self.troubles.append(heard.trouble if heard else "a process ended")
                running.pop(who, None)
            elif heard.found is not None:
                found[who] = heard.found
                self.work += heard.found.iterations
                if self.counted and heard.found.stopped_by == "wall":
                    self.stopped = "wall"
                running.pop(who)
            elif heard.trips is not None:
                self._improve(heard.trips, leg.engines[who])
        return found

    def _settle(self, leg: Leg, found: dict[int, Found]) -> None:
        """Pool the trips; of equally good sets the first process's, whoever was quicker."""
        for who in sorted(found, reverse=True):
            self.pool.add(found[who].pool)
            trips = found[who].best
            if trips is not None and self._improve(trips, leg.engines[who]) <= self.value:
                self.best, self.by = trips, leg.engines[who]
        if self.best is not None:
            self.pool.add(self.best)
        left = self.until - time.monotonic()
        if leg.partition and left > 0.05:
            trips, whole = self.pool.best(
                self.best, min(left, leg.partition * self.seconds),
                wall=not self.counted and self.clock == "wall", seed=self.seed)
            everything = any(leg.engines[who] == "enumeration" and found[who].stopped_by == "proof"
                             for who in found)
            if trips is not None:
                self._improve(trips, "partition of " + " and ".join(
                    sorted({name for one in self.over.legs for name in one.engines})))
            self.proved = everything and whole

    def _improve(self, trips: Trips, name: str) -> Score:
        """Take a better set, if it keeps every requirement; its score."""
        tours = [timed(self.problem, trip) for trip in trips]
        kept = [tour for tour in tours if tour is not None]
        if len(kept) < len(tours):
            return _NOTHING
        value = score(self.problem, kept)
        elapsed = time.monotonic() - self.began
        if self.value <= value < self.own.get(name, _NOTHING):
            self.progress.append(Progress(elapsed, value.cost, None, name))
        self.own[name] = min(value, self.own.get(name, value))
        if value < self.value and not faults(self.problem, kept, complete=False):
            self.best, self.value, self.by = trips, value, name
            self.progress.append(Progress(elapsed, value.cost, None, name))
            if self.watcher is not None:
                self.watcher(self.progress[-1])
        return value

    def _outcome(self) -> Outcome:
        tours: tuple[Tour, ...] | None = None
        if self.best is not None:
            tours = tuple(tour for trip in self.best
                          if (tour := timed(self.problem, trip)) is not None)
            broken = faults(self.problem, tours, complete=False)
            assert not broken, broken
        by = "proof" if self.proved else self.stopped if self.counted else "wall"
        return Outcome(tours, self.value, self.by, self.proved, by,
                       time.monotonic() - self.began, self.work, tuple(self.progress),
                       tuple(self.troubles), self.pool.prices())


def engines_of(problem: RouteProblem) -> Sequence[str]:
    """Engines that can say the whole problem."""
    return [name for name in ("pyvrp", "ortools") if not engine(name).lacks(problem)]
