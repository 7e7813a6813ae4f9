"""Does the twin help? The closed loop over many hidden truths, each with and without.

One pair is an example; this is the figure: the paired gain with its interval, whichever way it
falls. Each piece of advice is also played in both branches from the real state, so that P(better)
and the estimates for advice that nobody took can be scored.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from twin.rehearse.branch import Branch, brier
from twin.rehearse.channel import InProcess
from twin.rehearse.loop import Looped, Terms, close_loop

#: Edges of the classes of P(better) in the table of reliability.
_CLASSES = ((0.0, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.001))


@dataclass(frozen=True, slots=True)
class Pair:
    """One hidden truth to try."""

    workspace: str | None
    model: str
    seed: int
    spread: float
    terms: Terms


def run_pair(pair: Pair) -> Looped:
    """One truth, with a twin and without; runs in a worker."""
    from twin.commands.calibrate import streams_of
    from twin.rehearse.truth import hide
    from twin.workspace import Workspace

    workspace = Workspace(pair.workspace)
    network = workspace.network(pair.model)
    with tempfile.TemporaryDirectory() as folder:
        return close_loop(network, hide(network, pair.seed, pair.spread), pair.terms, InProcess,
                          Path(folder), streams=streams_of(workspace))


def summary(those: Sequence[Looped], tell: Callable[[str], None]) -> None:
    """Tell what came of it."""
    currency = those[0].currency
    gains = [one.gain for one in those]
    mean, low, high = interval(gains)
    word = "saves" if low > 0.0 else "costs" if high < 0.0 else "no effect shown:"
    tell(f"{len(those)} hidden truths of {those[0].model}, {those[0].plain[-1].day:g} days each, "
         "with a twin and without on the same luck.")
    tell(f"Running cost: {word} {mean:,.0f} {currency} a day (95 % interval {low:,.0f} to "
         f"{high:,.0f}); in {sum(gain > 0 for gain in gains)} of {len(gains)} truths it was less "
         f"with the twin, in {sum(gain == 0 for gain in gains)} the same.")
    shares = interval([one.share for one in those])
    tell(f"As a share of the cost without: {shares[0]:+.1%} ({shares[1]:+.1%} to {shares[2]:+.1%})")
    points = interval([100 * (one.otif[0] - one.otif[1]) for one in those])
    tell(f"On time in full: {points[0]:+.2f} points ({points[1]:+.2f} to {points[2]:+.2f})")
    branches = [one for looped in those for one in looped.branches]
    advised = sum(len(one.advised) for looped in those for one in looped.rounds)
    tell(f"{advised} pieces of advice in {sum(len(one.rounds) for one in those)} rounds.")
    if branches:
        _score(branches, currency, tell)
    refused = sorted({text for one in those for text in one.refused})
    for text in refused[:5]:
        tell(f"The operation refused: {text}")


def _score(branches: Sequence[Branch], currency: str, tell: Callable[[str], None]) -> None:
    mine, usual = brier(branches)
    tell(f"P(better): Brier score {mine:.3f}; always saying how often advice helped would score "
         f"{usual:.3f}.")
    for low, high in _CLASSES:
        inside = [one for one in branches if low <= one.chance < high]
        came = [gain > 0.0 for one in inside for gain in one.gains if gain]
        if came:
            said = float(np.mean([one.chance for one in inside]))
            better = stats.binomtest(sum(came), len(came)).proportion_ci(method="wilson")
            tell(f"  said {said:.0%} on average: {sum(came) / len(came):.0%} "
                 f"({better.low:.0%} to {better.high:.0%}) came better "
                 f"({len(inside)} pieces of advice)")
    # What would be shown of each, had it been ignored, held against its branch.
    for title, some in (("", list(branches)),
                        (" that was ignored", [one for one in branches if not one.taken])):
        if len(some) > 1:
            misses = interval([one.promised - one.gain for one in some])
            held = sum(one.low <= one.gain <= one.high for one in some)
            tell(f"Estimates of advice{title}: "
                 f"{np.mean([one.promised for one in some]):,.0f} {currency} a day; in its branch "
                 f"it gained {np.mean([one.gain for one in some]):,.0f}; estimated too high by "
                 f"{misses[0]:,.0f} ({misses[1]:,.0f} to {misses[2]:,.0f}); {held} of {len(some)} "
                 "within the stated interval")


def interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and its Student interval; blanks are left out.

    Examples
    --------
    >>> [round(value, 3) for value in interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    there = [value for value in values if math.isfinite(value)]
    if not there:
        return math.nan, math.nan, math.nan
    mean = float(np.mean(there))
    if len(there) < 2:
        return mean, -math.inf, math.inf
    half = float(stats.t.ppf(0.5 + confidence / 2.0, len(there) - 1)
                 * np.std(there, ddof=1) / math.sqrt(len(there)))
    return mean, mean - half, mean + half
