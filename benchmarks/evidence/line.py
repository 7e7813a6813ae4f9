"""One line of evidence: a figure on real data, its target, and a baseline computed beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A figure measured on a data set.

    Attributes
    ----------
    data, what
        The data set, and what was measured on it.
    value
        The figure.
    sign, target
        How the figure should stand to its target, such as ``>=``; no target is None.
    baseline, baseline_value
        What was computed beside it on the same data, and what that gave.
    note
        How it was computed, in one sentence.
    """

    data: str
    what: str
    value: float
    sign: str
    target: float | None
    baseline: str
    baseline_value: float | None
    note: str
