"""Ranking and selection on common random numbers: replications are spent where they decide.

The fully sequential procedure of Kim and Nelson (2001): all settings see the same luck, and one is
dropped as soon as its paired difference to another shows that it is not the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Costs of settings (by name) on replications (by number): one row a setting.
Costs = Callable[[Sequence[str], Sequence[int]], Mapping[str, Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Selected:
    """The chosen setting, and what was spent on each.

    Attributes
    ----------
    proved
        Whether all others were dropped; if not, the budget ended the search.
    means, counts
        Mean cost and number of replications of each setting.
    """

    best: str
    proved: bool
    means: Mapping[str, float]
    counts: Mapping[str, int]

    @property
    def spent(self) -> int:
        """Replications of all settings together."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Gain:
    """A paired difference of cost (positive: the new one is cheaper), with its 95 % interval."""

    mean: float
    low: float
    high: float
    replications: int

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``no effect shown``."""
        return "better" if self.low > 0.0 else "worse" if self.high < 0.0 else "no effect shown"


def select(costs: Costs, names: Sequence[str], *, indifference: float, budget: int,
           first: int = 5, step: int = 2, alpha: float = 0.05,
           told: Callable[[int, str, float, int], None] | None = None) -> Selected:
    """The setting of least mean cost.

    Parameters
    ----------
    costs
        Plays settings; replication i has the same luck for all.
    names
        The settings; the first is today's.
    indifference
        A difference of mean cost that does not matter.
    budget
        Replications over all settings.
    first, step
        Replications of every setting before any is dropped, and at a time after that.
    alpha
        Chance of dropping the best when it is better by more than the indifference.
    told
        Told after each step: replications spent, the leader, its mean cost, how many are left.

    Raises
    ------
    ValueError
        If there is nothing to choose, or a cost is not a number.

    Examples
    --------
    >>> import random
    >>> def costs(names, runs):
    ...     luck = {run: random.Random(run).gauss(0, 5) for run in runs}
    ...     return {name: [float(name) + luck[run] for run in runs] for name in names}
    >>> chosen = select(costs, ["3", "2", "1"], indifference=0.5, budget=100)
    >>> chosen.best, chosen.proved, chosen.spent
    ('1', True, 15)
    """
    if not names or len(set(names)) < len(names):
        raise ValueError("settings to choose from are missing or named twice. Name each once.")
    if not indifference > 0.0 or first < 2 or step < 1:
        raise ValueError("indifference must be above 0, first at least 2 and step at least 1.")
    eta = 0.0
    if len(names) > 1:
        eta = 0.5 * ((2.0 * alpha / (len(names) - 1)) ** (-2.0 / (first - 1)) - 1.0)
    h_squared = 2.0 * eta * (first - 1)
    known: dict[str, list[float]] = {name: [] for name in names}
    left = list(names)
    _more(costs, left, known, first)
    spread = {(a, b): float(np.var(np.subtract(known[a], known[b]), ddof=1))
              for a in names for b in names if a != b}
    while True:
        n = len(known[left[0]])
        mean = {name: float(np.mean(known[name][:n])) for name in left}
        left = [one for one in left if not any(
            mean[one] - mean[other] > _slack(h_squared, spread[one, other], indifference, n)
            for other in left if other != one)]
        leader = min(left, key=lambda name: mean[name])
        spent = sum(len(row) for row in known.values())
        if told is not None:
            told(spent, leader, mean[leader], len(left))
        if len(left) == 1 or spent + step * len(left) > budget:
            break
        _more(costs, left, known, step)
    return Selected(leader, len(left) == 1,
                    {name: float(np.mean(row)) for name, row in known.items()},
                    {name: len(row) for name, row in known.items()})


def paired(old: Sequence[float], new: Sequence[float], confidence: float = 0.95) -> Gain:
    """What the new costs less than the old on the same luck.

    Examples
    --------
    >>> gain = paired([10.0, 12.0, 11.0], [9.0, 10.0, 10.0])
    >>> round(gain.mean, 3), round(gain.low, 3), gain.verdict
    (1.333, -0.101, 'no effect shown')
    """
    difference = np.subtract(old, new)
    n = len(difference)
    mean = float(np.mean(difference))
    if n < 2:
        return Gain(mean, -math.inf, math.inf, n)
    half = float(stats.t.ppf((1.0 + confidence) / 2.0, n - 1) * np.std(difference, ddof=1)
                 / math.sqrt(n))
    return Gain(mean, mean - half, mean + half, n)


def _slack(h_squared: float, variance: float, indifference: float, n: int) -> float:
    """The difference of means at n replications that would drop a setting."""
    return max(0.0, indifference / (2.0 * n) * (h_squared * variance / indifference**2 - n))


def _more(costs: Costs, left: Sequence[str], known: dict[str, list[float]], count: int) -> None:
    begin = len(known[left[0]])
    for name, row in costs(left, range(begin, begin + count)).items():
        if len(row) != count or not all(math.isfinite(value) for value in row):
            raise ValueError(f"setting {name}: its costs are not {count} finite numbers.")
        known[name].extend(row)
