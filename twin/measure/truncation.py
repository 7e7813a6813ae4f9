"""Where a steady-state run has forgotten how it began: MSER-5 on snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.measure.intervals import Array
from twin.tally import Tally


@dataclass(frozen=True, slots=True)
class Truncation:
    """How many observations to drop, the mean of the rest, and whether the series settled."""

    drop: int
    mean: float
    settled: bool


@dataclass(frozen=True, slots=True)
class Warmup:
    """The warm-up that every sampled measure asks for, in hours from the start of the run.

    `settled` is no when the best cut is the last one allowed: the run is too short to tell.
    """

    hours: float
    settled: bool
    by_measure: dict[str, float] = field(default_factory=dict)


def mser(series: Sequence[float] | Array, batch: int = 5) -> Truncation:
    """Cut that minimises the standard error of what is left, among cuts in the first half.

    Source: White (1997), with batches of five MSER-5.

    Examples
    --------
    >>> mser([40.0, 30.0, 20.0, 10.0, 5.0] + [1.0, 0.0] * 20).drop
    5
    """
    x = np.asarray(series, dtype=float)
    batches = len(x) // batch
    if batches < 4:
        raise ValueError(f"mser: {len(x)} observations make {batches} batches of {batch}. "
                         f"Give at least {4 * batch}.")
    means = x[: batches * batch].reshape(batches, batch).mean(axis=1)
    left = np.arange(batches, 0, -1)
    tail = np.cumsum(means[::-1])[::-1] / left
    squares = np.cumsum(means[::-1] ** 2)[::-1]
    spread = np.maximum(squares - left * tail**2, 0.0)
    last = batches // 2
    score = (spread / left.astype(float) ** 2)[: last + 1]
    best = int(np.argmin(score))
    return Truncation(best * batch, float(tail[best]),
                      bool(best < last or score[best] == 0.0))


def warmup(runs: Sequence[Tally], batch: int = 5) -> Warmup:
    """Warm-up of a model, from the snapshots of a few pilot runs without one.

    Each measure is added up over places and averaged over replications; the warm-up is the
    longest that any of them asks for.

    Examples
    --------
    >>> times = np.arange(60) * 24.0
    >>> wip = np.minimum(np.arange(60) / 10.0, 1.0) * 8.0 + np.arange(60) % 2
    >>> run = Tally("baseline", 0, 0.0, 1440.0, {}, times, {("wip", "P1", "", ""): wip})
    >>> warmup([run])
    Warmup(hours=240.0, settled=True, by_measure={'wip': 240.0})
    """
    if not runs:
        raise ValueError("warmup: 0 runs. Give at least one pilot run with snapshots.")
    times = runs[0].times
    measures = sorted({key[0] for run in runs for key in run.samples})
    cuts: dict[str, float] = {}
    settled = True
    for measure in measures:
        total = np.zeros(len(times))
        for run in runs:
            for key, samples in run.samples.items():
                if key[0] == measure:
                    total += samples
        found = mser(total / len(runs), batch)
        cuts[measure] = float(times[found.drop] - runs[0].start_h) if found.drop else 0.0
        settled = settled and found.settled
    return Warmup(max(cuts.values(), default=0.0), settled, cuts)
