"""A short-lived process that searches for deliveries: a problem in, the search's result out."""

from __future__ import annotations

import pickle
import sys
import time

from twin.optimize.inventory_problem import Replenished
from twin.optimize.inventory_ruin import Ruin


def main() -> None:
    """Read a problem, then the seed, the rounds and the time to end at (of the clock)."""
    said = sys.stdout.buffer
    sys.stdout = sys.stderr  # what is printed is no answer
    problem: Replenished = pickle.load(sys.stdin.buffer)
    seed, rounds, until = pickle.load(sys.stdin.buffer)
    found = Ruin(problem, seed).run(rounds, time.monotonic() + until - time.time())
    pickle.dump(found, said, protocol=pickle.HIGHEST_PROTOCOL)
    said.flush()
