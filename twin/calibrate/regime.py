"""Has something changed? A test of a cell's observations in their order, with few false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from twin.calibrate.laws import FAMILIES, Floats
from twin.calibrate.likelihood import EXACT
from twin.calibrate.sample import Batch
from twin.quantity import Quantity

_FEWEST = 12  #: observations that say anything about a change
_ALIKE = 24  #: others of like size and entry that an observation is compared with, at least
_AT_ONCE = 500  #: observations compared at a time


@dataclass(frozen=True, slots=True)
class Change:
    """A cell whose recent observations contradict the older ones.

    Attributes
    ----------
    at
        When the later regime began, hours after the model's start.
    p
        Chance of so much contradiction without any change, over all cells looked at.
    before, after
        Median of the observations before and after.
    count
        Observations after the change.
    """

    cell: str
    at: float
    p: float
    before: float
    after: float
    count: int


def residuals(quantity: Quantity, batch: Batch) -> tuple[Floats, Floats]:
    """Where each exact value stands in a law: (when it began, share of the law below it).

    Under the right law the shares are uniform and independent: what a monitor of drift watches. Of
    a law with steps, the middle of the step.

    Examples
    --------
    >>> law = Quantity("exponential", (("mean", 10.0),))
    >>> when, share = residuals(law, Batch.of([1, 2], [10.0, 20.0], at=[5.0, 1.0]))
    >>> when.tolist(), share.round(3).tolist()
    ([1.0, 5.0], [0.865, 0.632])
    """
    rows = batch.of_rows(batch.state == EXACT)
    order = np.argsort(rows.at, kind="stable")
    return rows.at[order], share_below(quantity, rows.value[order])


def share_below(quantity: Quantity, values: Floats) -> Floats:
    """The chance that a law gives less than each value (half of what is equal counts as less)."""
    family = FAMILIES.get(quantity.kind)
    p = dict(quantity.params)
    if family is not None and all(value > 0.0 for value in p.values()):
        theta = np.repeat(family.free(quantity)[:, None], len(values), axis=1)
        return family.distribution(theta, values)
    if quantity.kind == "uniform":
        return np.clip((values - p["low"]) / max(p["high"] - p["low"], 1e-12), 0.0, 1.0)
    if quantity.kind == "triangular":
        width = max(p["high"] - p["low"], 1e-12)
        return np.asarray(stats.triang.cdf(values, (p["mode"] - p["low"]) / width, p["low"], width))
    if quantity.kind == "poisson":
        return np.asarray((special.pdtr(values, p["mean"]) + special.pdtr(values - 1.0, p["mean"])
                           ) / 2.0)
    steps = np.array(quantity.values or (p.get("value", quantity.mean()),))
    weights = np.array(quantity.weights or [1.0 / len(steps)] * len(steps))
    slack = 1e-6 * np.maximum(np.abs(values), 1e-9)
    below = (steps[None, :] < (values - slack)[:, None]) @ weights
    equal = (np.abs(steps[None, :] - values[:, None]) <= slack[:, None]) @ weights
    return np.asarray(below + equal / 2.0)


def changes(batches: Mapping[str, Batch], false_alarms: float = 0.01) -> list[Change]:
    """Cells whose level or spread changed at some time, the surest first.

    Of each cell the ranks of its observations are taken in their order, so that no law has to be
    right; where they differ in size or entry, each is ranked among those most like it, since a mean
    of many varies less than one of few, and a full truck burns more. The largest excursion of their
    sum (for the level) and of the sum of their distances from the middle (for the spread) is
    compared with a Brownian bridge. The chances are corrected for all cells together (Holm), so
    that with nothing changed a whole calibration raises an alarm with at most the chance
    `false_alarms`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> slow = np.concatenate([rng.gamma(9.0, 1.0, 60), rng.gamma(9.0, 1.6, 40)])
    >>> same = rng.gamma(9.0, 1.0, 100)
    >>> when = np.arange(100) * 24.0
    >>> found = changes({"a": Batch.of(range(100), slow, at=when),
    ...                  "b": Batch.of(range(100), same, at=when)})
    >>> [(change.cell, change.at / 24.0) for change in found]
    [('a', 59.0)]
    """
    found = [change for name, batch in sorted(batches.items())
             if (change := _largest(name, batch)) is not None]
    found.sort(key=lambda change: change.p)
    told: list[Change] = []
    highest = 0.0
    for place, change in enumerate(found):
        highest = max(highest, min(1.0, change.p * (len(found) - place)))
        if highest > false_alarms:
            break
        told.append(Change(change.cell, change.at, highest, change.before, change.after,
                           change.count))
    return told


def _largest(name: str, batch: Batch) -> Change | None:
    """The most striking split of one cell's observations."""
    rows = batch.of_rows(batch.state == EXACT)
    n = len(rows)
    if n < _FEWEST:
        return None
    order = np.lexsort((rows.id, rows.at))
    values = rows.value[order] / rows.size[order]
    scores = special.ndtri(_standing(values, rows.of_rows(order)))
    best, place = 0.0, 0
    for series in (scores, np.abs(scores)):
        centred = series - series.mean()
        scale = float(np.sqrt(centred @ centred))
        if scale <= 1e-9 * float(np.sqrt(series @ series)):  # equal but for rounding
            continue
        bridge = np.abs(np.cumsum(centred)) / scale
        top = int(np.argmax(bridge[:-1]))
        if bridge[top] > best:
            best, place = float(bridge[top]), top + 1
    if best == 0.0:
        return None
    p = min(1.0, 2.0 * float(special.kolmogorov(best)))
    return Change(name, float(rows.at[order][place]), p, float(np.median(values[:place])),
                  float(np.median(values[place:])), n - place)


def _standing(values: Floats, rows: Batch) -> Floats:
    """The share of like observations that each is above, from 0 to 1."""
    n = len(values)
    level = max(float(np.abs(values).max()), 1e-300)
    values = _coarse(values, level)
    about = [stats.rankdata(column) / n for column in (rows.size, rows.entry)
             if np.ptp(column) > 1e-9 * float(np.abs(column).max())]
    near = max(_ALIKE, n // 5)
    if not about or n <= near:
        return np.asarray((stats.rankdata(values) - 0.5) / n)
    # What runs straight along with them is taken off, since no two are quite alike.
    straight = np.column_stack([np.ones(n), 1.0 / np.maximum(rows.size, 1e-300), rows.entry])
    values = _coarse(values - straight @ np.linalg.lstsq(straight, values)[0], level)
    # Of several that are as like, neither the earlier nor the later ones: any.
    luck = np.random.default_rng(n).random(n) / (4.0 * n)
    found = np.empty(n)
    for first in range(0, n, _AT_ONCE):
        mine = slice(first, first + _AT_ONCE)
        away = np.max([np.abs(column[mine, None] - column[None, :]) for column in about], axis=0)
        away += luck
        away[np.arange(len(away)), np.arange(first, first + len(away))] = -1.0  # itself
        like = values[np.argpartition(away, near - 1, axis=1)[:, :near]]
        own = values[mine, None]
        found[mine] = ((like < own).sum(axis=1) + (like == own).sum(axis=1) / 2.0) / near
    return found


def _coarse(values: Floats, level: float) -> Floats:
    """Values of which no two are told apart by rounding alone."""
    return np.asarray(np.round(values / level, 6) * level)
