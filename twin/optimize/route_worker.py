"""A short-lived process that searches for routes: data in, trips out, killed at the end.

Pickled messages come over its standard input and go over its standard output. It is started with
data alone: the models of the engines cannot be passed on, and their memory grows with each solve.
"""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO

from twin.optimize.engine import Found, Limit, Trips
from twin.optimize.route_problem import RouteProblem


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do next: an engine by its name, for how long, from which trips."""

    engine: str
    limit: Limit
    seed: int
    start: Trips | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A better set of trips; or, at the end of a turn, what the engine came to."""

    trips: Trips | None = None
    found: Found | None = None
    trouble: str = ""


def engine(name: str) -> Any:
    """The module of an engine."""
    return import_module(f"twin.optimize.engine_{name}")


def serve(source: BinaryIO, out: BinaryIO) -> None:
    """Answer turns until the input ends."""

    def tell(heard: Heard) -> None:
        pickle.dump(heard, out, protocol=pickle.HIGHEST_PROTOCOL)
        out.flush()

    problem: RouteProblem = pickle.load(source)
    while True:
        try:
            turn: Turn = pickle.load(source)
        except EOFError:
            return
        try:
            found = engine(turn.engine).solve(problem, turn.limit, turn.seed,
                                              lambda trips: tell(Heard(trips)), turn.start)
            tell(Heard(found=found))
        except Exception as error:  # an engine's own trouble must not end the race
            tell(Heard(trouble=f"{turn.engine}: {type(error).__name__}: {error}"))


def main() -> None:
    """The process: what it prints by mistake must not mix with its messages."""
    out = sys.stdout.buffer
    sys.stdout = sys.stderr
    serve(sys.stdin.buffer, out)
