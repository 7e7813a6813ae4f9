"""Whether there are enough replications: every headline KPI known to a stated precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isfinite

import numpy as np

from twin.measure.intervals import student
from twin.measure.kpis import KPIS, kpi_arrays
from twin.tally import Tally


def enough(runs: Mapping[str, Sequence[Tally]], precision: float,
           confidence: float = 0.95) -> bool:
    """Yes when the interval of every headline KPI is narrow enough, in every setting.

    The half-width may be `precision` times the mean; for shares, whose mean may be near zero,
    `precision` itself.

    Examples
    --------
    >>> def run(i, made):
    ...     return Tally("baseline", i, 0.0, 24.0, {("units_made", "P1", "A", ""): made})
    >>> enough({"baseline": [run(i, 100.0 + i) for i in range(5)]}, precision=0.02)
    True
    >>> enough({"baseline": [run(i, 100.0 + 9 * i) for i in range(5)]}, precision=0.02)
    False
    """
    return all(worst <= 1.0 for worst in _ratios(runs, precision, confidence).values())


def more_needed(runs: Mapping[str, Sequence[Tally]], precision: float,
                confidence: float = 0.95) -> int:
    """Estimate of how many replications to add until `enough`.

    Examples
    --------
    >>> def run(i, made):
    ...     return Tally("baseline", i, 0.0, 24.0, {("units_made", "P1", "A", ""): made})
    >>> more_needed({"baseline": [run(i, 100.0 + 9 * i) for i in range(5)]}, precision=0.05)
    40
    """
    most = 0
    for setting, worst in _ratios(runs, precision, confidence).items():
        n = len(runs[setting])
        if not isfinite(worst):
            most = max(most, 5 - n, 1)
        elif worst > 1.0:
            most = max(most, ceil(n * worst**2) - n, 1)
    return most


def _ratios(runs: Mapping[str, Sequence[Tally]], precision: float,
            confidence: float) -> dict[str, float]:
    """For every setting, the worst half-width over what is allowed."""
    if not precision > 0.0:
        raise ValueError(f"precision {precision} can never be reached. Write 0.02, say.")
    worst: dict[str, float] = {}
    for setting, tallies in runs.items():
        worst[setting] = 0.0
        for (name, *_), values in kpi_arrays(tallies, chain_only=True).items():
            if not KPIS[name].headline:
                continue
            there = values[np.isfinite(values)]
            interval = student(there, confidence)
            if interval.n < 2:
                worst[setting] = float("inf")
                continue
            scale = 1.0 if KPIS[name].unit == "share" else abs(interval.mean)
            if interval.half_width > 0.0:
                allowed = precision * scale
                ratio = interval.half_width / allowed if allowed else float("inf")
                worst[setting] = max(worst[setting], ratio)
    return worst
