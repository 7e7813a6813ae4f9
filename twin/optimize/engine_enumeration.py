"""Every trip there is, for a handful of stops: the partition of its pool is then the optimum."""

from __future__ import annotations

from itertools import permutations

from twin.optimize.engine import Found, Limit, Told, Trips
from twin.optimize.partition import pricer
from twin.optimize.route_checker import faults
from twin.optimize.route_problem import RouteProblem, Trip
from twin.optimize.route_times import timed

MOST_STOPS = 6


def lacks(problem: RouteProblem) -> str:
    """What keeps this engine away."""
    return "" if len(problem.stops) <= MOST_STOPS else f"more than {MOST_STOPS} stops"


def solve(problem: RouteProblem, limit: Limit, seed: int, told: Told,
          start: Trips | None = None) -> Found:
    """All trips of every kind of truck that keep every requirement."""
    price, pool = pricer(problem), set()
    for group in problem.kinds():
        for count in range(1, len(problem.stops) + 1):
            for stops in permutations(range(len(problem.stops)), count):
                if price(group[0], stops) == float("inf"):
                    continue
                tour = timed(problem, Trip(group[0], stops))
                if tour is not None and not faults(problem, [tour], complete=False):
                    pool.add(tour.trip)
    return Found(None, frozenset(pool), len(pool), "proof")
