"""Pictures of fits: what was observed of a cell against the law that was learned for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.measure.intervals import Array
from twin.measure.style import (
    BASELINE,
    INK,
    MUTED,
    SERIES,
    clean,
    figure,
    headline,
    plain,
    styled,
    tick,
)

_COLUMNS = 3


@dataclass(frozen=True)
class Fit:
    """One cell's observations and its law.

    Attributes
    ----------
    name
        The cell.
    law
        In words.
    exact, censored
        Values seen whole, and those of which only the beginning was seen.
    below
        The share of the law below each of some values.
    low, high
        95 % interval of the mean.
    unit
        Of the values.
    """

    name: str
    law: str
    exact: Array
    censored: Array
    below: Callable[[Array], Array]
    low: float
    high: float
    unit: str = ""


def fits(cells: Sequence[Fit], title: str, note: str = "") -> Figure:
    """One panel a cell: shares observed as steps (Kaplan-Meier), the law as a line."""
    with styled():
        rows = max(1, -(-len(cells) // _COLUMNS))
        made = figure(11.0, 2.5 * rows + 1.3)
        top = headline(made, title, note or "Steps: observed, allowing for what still goes on. "
                                            "Line: the law learned. Band: 95 % for its mean.")
        grid = made.subplots(rows, _COLUMNS, squeeze=False)
        for axes, cell in zip(grid.flat, cells, strict=False):
            _panel(axes, cell)
        for axes in grid.flat[len(cells):]:
            axes.set_visible(False)
        made.subplots_adjust(left=0.06, right=0.985, top=top - 0.35 / made.get_figheight(),
                             bottom=0.55 / made.get_figheight(), hspace=0.75, wspace=0.2)
    return made


def _panel(axes: Axes, cell: Fit) -> None:
    values, shares = survival(cell.exact, cell.censored)
    plain(axes)
    axes.axvspan(cell.low, cell.high, color=SERIES[5], alpha=0.25, linewidth=0)
    axes.step(np.append(0.0, values), np.append(0.0, 1.0 - shares), where="post", color=BASELINE,
              linewidth=1.6)
    top = max(float(np.max(cell.exact, initial=0.0)), cell.high if np.isfinite(cell.high) else 0.0)
    span = np.linspace(0.0, 1.1 * top if top > 0.0 else 1.0, 300)
    axes.plot(span, cell.below(span), color=SERIES[0], linewidth=1.8)
    axes.set_ylim(0.0, 1.02)
    axes.set_xlim(0.0, span[-1])
    axes.xaxis.set_major_formatter(tick)
    axes.set_title(clean(cell.name, 46), loc="left", fontsize=8.5, color=INK, pad=14)
    counts = f"{len(cell.exact):,} seen"
    if len(cell.censored):
        counts += f", {len(cell.censored):,} still going on"
    axes.text(0.0, 1.03, clean(cell.law, 58), transform=axes.transAxes, fontsize=7, color=MUTED,
              va="bottom")
    axes.set_xlabel(f"{cell.unit}; {counts}", fontsize=8)


def survival(exact: Array, censored: Array) -> tuple[Array, Array]:
    """Share that lasts longer than each distinct exact value (Kaplan and Meier).

    Examples
    --------
    >>> values, shares = survival(np.array([1.0, 2.0, 4.0]), np.array([3.0]))
    >>> values.tolist(), shares.round(3).tolist()
    ([1.0, 2.0, 4.0], [0.75, 0.5, 0.0])
    """
    values, died = np.unique(exact, return_counts=True)
    everything = np.sort(np.concatenate([exact, censored]))
    at_risk = len(everything) - np.searchsorted(everything, values)
    shares: Array = np.cumprod(1.0 - died / np.maximum(at_risk, 1)).astype(float)
    return values.astype(float), shares
