"""A short-lived process that solves one programme of lots: data in, data out, killed at the end."""

from __future__ import annotations

import pickle
import sys
import time

from twin.optimize import lot_branches, lot_programme


def main() -> None:
    """Read a problem, a solver, its work and the time to end at from standard input; write what was
    found.
    """
    problem, solver, work, until = pickle.load(sys.stdin.buffer)
    said = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a solver prints is no answer
    left = until - time.time()
    found = lot_branches.solve(problem, left, work) if solver == "branches" else \
        lot_programme.solve(problem, solver, left)
    pickle.dump(found, said)
    said.flush()


if __name__ == "__main__":
    main()
