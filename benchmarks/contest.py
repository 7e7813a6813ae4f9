"""Contestants side by side: turns alternate, and what is compared is the ratio within a round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
PEERS = HERE / ".venv" / "bin" / "python"


class Contestant:
    """A process that plays on request; see contestant.py."""

    def __init__(self, name: str) -> None:
        python = str(PEERS) if name in ("supplynetpy", "ciw") else sys.executable
        paths = [str(HERE)] if name in ("supplynetpy", "ciw") else [str(HERE), str(HERE.parent)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": "agg",
                                    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.name = name
        self.process = subprocess.Popen(
            [python, str(HERE / f"play_{name}.py")], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def play(self, what: str, **figures: Any) -> dict[str, Any]:
        """One turn."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        try:
            self.process.stdin.write(json.dumps({"play": what, **figures}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            told = self.process.stderr.read().strip().splitlines()
            raise RuntimeError(f"{self.name}: {told[-1] if told else 'no answer'}")
        result: dict[str, Any] = json.loads(answer)
        return result

    def leave(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)


def cost(result: dict[str, Any]) -> float:
    """Seconds a customer order (or event)."""
    return float(result["seconds"]) / float(result.get("orders", result.get("events", 1.0)))


def rounds(count: int, turns: dict[str, tuple[Contestant, str, dict[str, Any]]],
           ) -> list[dict[str, dict[str, Any]]]:
    """`count` rounds in which each takes its turn, in an order that reverses every round."""
    played: list[dict[str, dict[str, Any]]] = []
    for number in range(count + 1):  # the first round warms up and does not count
        names = list(turns) if number % 2 else list(reversed(turns))
        one = {}
        for name in names:
            who, what, figures = turns[name]
            one[name] = who.play(what, seed=number + 1, **figures)
        played.append(one)
    return played[1:]


def ratio(played: list[dict[str, dict[str, Any]]], over: str, under: str) -> float:
    """Median over the rounds of one's cost divided by the other's."""
    return median(cost(one[over]) / cost(one[under]) for one in played)


def typical(played: list[dict[str, dict[str, Any]]], who: str, what: str) -> float:
    """Median over the rounds of a figure that `who` reported."""
    return median(float(one[who][what]) for one in played)
