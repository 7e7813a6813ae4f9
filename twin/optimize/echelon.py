"""Base stock levels of a serial chain: exact for linear costs (Clark and Scarf 1960)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.signal import fftconvolve

_SPAN = 6.0  #: standard deviations of demand kept on either side
_TAIL = 8.0


@dataclass(frozen=True, slots=True)
class SerialLevels:
    """Base stock levels, the stage that serves the customer first, and cost a period.

    Attributes
    ----------
    echelon
        Of a stage and all below it.
    local
        Of the stage itself.
    """

    echelon: tuple[float, ...]
    local: tuple[float, ...]
    cost: float


def serial_normal(mean: float, sd: float, lead: Sequence[float], holding: Sequence[float],
                  backorder: float, step: float | None = None) -> SerialLevels:
    """The best base stock levels of stages in series under normal demand.

    Parameters
    ----------
    mean, sd
        Demand a period, units.
    lead
        Lead time to each stage, periods, the customer's stage first.
    holding
        Cost of holding a unit at each stage a period; it falls upstream. Units on their way cost
        what the stage that sent them charges.
    backorder
        Cost of a unit owed a period, at the first stage.
    step
        Of the grid, units; by default a two-hundredth of `sd`.

    Examples
    --------
    >>> best = serial_normal(5, 1, lead=[1, 1, 2], holding=[7, 4, 2], backorder=37.12)
    >>> [round(level, 2) for level in best.local], round(best.cost, 2)
    ([6.49, 5.53, 10.69], 47.66)
    """
    _check(mean, sd, lead, holding, backorder)
    step = sd / 200.0 if step is None else step
    echelon_holding = np.diff([*reversed(holding)], prepend=0.0)[::-1]  # h_j - h_{j+1}
    total = float(sum(echelon_holding))
    reach = mean * sum(lead) + _TAIL * sd * math.sqrt(sum(lead)) + _TAIL * sd
    grid = np.arange(-math.ceil(reach / step), math.ceil(2.0 * reach / step) + 1) * step
    beyond = (backorder + total) * np.maximum(-grid, 0.0)  # what the stages below cost
    levels: list[float] = []
    cost = 0.0
    for hours, charge in zip(lead, echelon_holding, strict=True):
        here = charge * grid + beyond
        expected = _expected(here, mean * hours, sd * math.sqrt(hours), step)
        best = int(np.argmin(expected))
        levels.append(float(grid[best]))
        cost = float(expected[best])
        beyond = np.where(grid >= grid[best], expected[best], expected)
    local = [levels[0], *(above - below for below, above in itertools.pairwise(levels))]
    return SerialLevels(tuple(levels), tuple(local), cost)


def _expected(values: np.ndarray, mean: float, sd: float, step: float) -> np.ndarray:
    """E[f(y - D)] on the grid for normal D, f going on straight beyond the ends."""
    low, high = math.floor((mean - _SPAN * sd) / step), math.ceil((mean + _SPAN * sd) / step)
    edges = (np.arange(low, high + 2) - 0.5) * step
    weights = np.diff(stats.norm.cdf(edges, mean, sd))
    below = values[0] + (values[1] - values[0]) * np.arange(-high, 0)
    above = values[-1] + (values[-1] - values[-2]) * np.arange(1, max(0, -low) + 1)
    padded = np.concatenate([below, values, above])
    smooth = fftconvolve(padded, weights / weights.sum(), mode="valid")
    return np.asarray(smooth[: len(values)])


def _check(mean: float, sd: float, lead: Sequence[float], holding: Sequence[float],
           backorder: float) -> None:
    if not lead or len(lead) != len(holding):
        raise ValueError(f"lead has {len(lead)} stages and holding {len(holding)}. Give one of "
                         "each for every stage.")
    if not sd > 0.0 or not mean >= 0.0 or not backorder > 0.0:
        raise ValueError(f"mean {mean:g}, sd {sd:g}, backorder {backorder:g}: give positive "
                         "numbers.")
    if any(not hours > 0.0 for hours in lead):
        raise ValueError("a lead time is not above 0. Merge the stages on either side of it.")
    if any(up > down for down, up in itertools.pairwise(holding)) \
            or not holding[-1] > 0.0:
        raise ValueError("holding rises upstream, or is not above 0. Value is added on the way "
                         "down.")
