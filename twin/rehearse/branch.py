"""Branches: from one real state, the same luck with a piece of advice and without it.

Only a rehearsal can do this. It tells how good P(better) is, and the estimates of what advice that
nobody took would have saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.measure.running_cost import running_cost
from twin.network import Network
from twin.plan import Plan
from twin.recommendation import Recommendation
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State


@dataclass(frozen=True, slots=True)
class Branch:
    """One piece of advice, as promised and as it came true in the chain as it really is.

    Attributes
    ----------
    chance
        P(better) in money, as it was said.
    promised, low, high
        Gain in money a day, with the interval that was said.
    gains
        What it really gained a day, one number a replication, before anything else was changed.
    taken
        Whether it was approved; else nobody took it, and its estimate is all that one would know.
    """

    kind: str
    title: str
    chance: float
    promised: float
    low: float
    high: float
    gains: tuple[float, ...]
    taken: bool

    @property
    def gain(self) -> float:
        """Mean of what it really gained."""
        return float(np.mean(self.gains))


def branch(real: Network, state: State, advice: Recommendation, plan: Plan, taken: bool, *,
           seed: int, replications: int) -> Branch:
    """Play a plan against doing nothing in the chain as it really is, from its real state.

    Parameters
    ----------
    real
        With the hidden parameters, and the settings in force.
    state
        Saved by the operation itself.
    """
    money = advice.effects[0]
    changed = real.with_cells(plan.cells) if plan.cells else real
    gains = []
    for number in range(replications):
        costs = []
        for network, what in ((real, None), (changed, plan)):
            tally = play(network, Scenario.baseline(), horizon_h=advice.horizon_h,
                         seed=seed ^ 0x5EED, replication=number, state=state, plan=what).tally
            costs.append(running_cost(tally, real))
        gains.append(costs[0] - costs[1])
    return Branch(advice.kind, advice.title, money.chance, -money.mean, -money.high, -money.low,
                  tuple(gains), taken)


def brier(branches: Sequence[Branch]) -> tuple[float, float]:
    """Mean squared error of P(better), and that of always saying the base rate.

    A replication in which the advice changes nothing says nothing of it.

    Examples
    --------
    >>> sure = Branch("transfers", "", 0.9, 5.0, 3.0, 7.0, (4.0, 0.0, 6.0), True)
    >>> unsure = Branch("transfers", "", 0.6, 1.0, 0.1, 2.0, (-1.0, 1.0), False)
    >>> [round(float(score), 4) for score in brier([sure, unsure])]
    [0.135, 0.1875]
    """
    said, came = [], []
    for one in branches:
        for gain in one.gains:
            if gain:
                said.append(one.chance)
                came.append(float(gain > 0.0))
    if not came:
        return float("nan"), float("nan")
    chances, better = np.array(said), np.array(came)
    return (float(np.mean((chances - better) ** 2)),
            float(np.mean((better.mean() - better) ** 2)))
