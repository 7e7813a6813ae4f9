"""Learns a share: good units of all, lots that take a branch, units damaged on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from twin.calibrate.estimator import Estimate, Estimator
from twin.quantity import Quantity

_PLANNED = 10.0  #: trials that the planner's share is worth


class Share(Estimator):
    """How many of how many.

    An observation has `value` successes in `size` trials. Trials of one observation may be alike
    (a bad lot): where observations scatter more than single trials would, they count for less.

    Examples
    --------
    >>> from twin.calibrate.estimator import Cell
    >>> from twin.calibrate.sample import Batch
    >>> good = Share(Cell("routings", "P,tea,10", "yield", "0.9"))
    >>> good.update(Batch.of([1, 2, 3], [39.0, 40.0, 38.0], size=40.0))
    >>> row = good.get(as_of=100.0)
    >>> row.value, row.low, row.high, row.n
    ('0.96923', '0.9348', '0.9929', '120')
    """

    capacity = 50_000

    @classmethod
    def learn(cls, estimators: Sequence[Share], as_of: float) -> list[Estimate]:
        """The share of each cell."""
        return [each._one(as_of) for each in estimators]

    def _one(self, as_of: float) -> Estimate:
        rows, weight = self.known(as_of)
        sound = (rows.size > 0.0) & (rows.value >= 0.0) & (rows.value <= rows.size + 1e-9)
        trials = float((weight * rows.size)[sound].sum())
        if trials <= 0.0:
            return self.prior()
        hits = float((weight * rows.value)[sound].sum())
        plan = self.cell.quantity
        believed = 0.5 if plan is None else min(max(plan.mean(), 0.0), 1.0)
        share = (hits + _PLANNED * believed) / (trials + _PLANNED)
        excess = _excess(rows.value[sound], rows.size[sound], hits / trials)
        hits, trials = hits / excess, trials / excess
        low = float(special.betaincinv(hits + 0.5, trials - hits + 0.5, 0.025)) if hits else 0.0
        high = float(special.betaincinv(hits + 0.5, trials - hits + 0.5, 0.975)) \
            if hits < trials else 1.0
        inside = min(max(share, 0.25 / (trials + 1.0)), 1.0 - 0.25 / (trials + 1.0))
        odds = 1.0 / (trials * inside * (1.0 - inside) + 0.5)
        notes = [f"{hits * excess:.6g} of {trials * excess:.6g}"]
        if excess > 1.05:
            notes.append(f"observations scatter {excess:.1f} times as much as single trials")
        quantity = Quantity("constant", (("value", share),))
        return Estimate(self.cell, quantity, math.log(max(share, 1e-12)),
                        odds * (1.0 - inside) ** 2, low, high, trials * excess,
                        f"{odds:.6g}", tuple(notes))


def _excess(hits: np.ndarray, trials: np.ndarray, share: float) -> float:
    """How many times as much observations scatter as single trials would (at least once)."""
    if len(hits) < 5 or not 0.0 < share < 1.0:
        return 1.0
    expected = trials * share * (1.0 - share)
    chi = float(((hits - trials * share) ** 2 / expected).sum()) / (len(hits) - 1)
    doubt = 2.0 * math.sqrt(2.0 / (len(hits) - 1)) * max(1.0, 1.0 / math.sqrt(expected.mean()))
    return chi if chi > 1.0 + doubt else 1.0
