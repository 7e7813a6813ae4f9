"""A short-lived process that solves one programme of lots: data in, data out, killed at the end."""

from __future__ import annotations

import pickle
import sys
import time
from dataclasses import dataclass

from twin.optimize import lot_branches, lot_programme
from twin.optimize.lot_plan import LotProblem


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is started with: its work in seconds' worth, and the time to end at."""

    problem: LotProblem
    solver: str
    work: float
    until: float


def main() -> None:
    """Read an errand from standard input; write what was found."""
    errand: Errand = pickle.load(sys.stdin.buffer)
    said = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a solver prints is no answer
    left = errand.until - time.time()
    found = lot_branches.solve(errand.problem, left, errand.work) \
        if errand.solver == "branches" else lot_programme.solve(errand.problem, errand.solver, left)
    pickle.dump(found, said)
    said.flush()
