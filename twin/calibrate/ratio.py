"""Learns a number that is one sum over another: km an hour, litres on 100 km, hours of delay."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from twin.calibrate.estimator import Estimate, Estimator, log_interval
from twin.calibrate.likelihood import Observed
from twin.calibrate.outliers import outliers
from twin.quantity import Quantity

_ALONE = 0.04  #: variance of the logarithm that one observation alone is given


class Ratio(Estimator):
    """The sum of `value` over the sum of `size`.

    Observations whose own ratio the middle half of them makes next to impossible are left out.

    Examples
    --------
    >>> from twin.calibrate.estimator import Cell
    >>> from twin.calibrate.sample import Batch
    >>> speed = Ratio(Cell("trucks", "van", "speed_kmh", "60"))
    >>> speed.update(Batch.of([1, 2, 3, 4], [100.0, 50.0, 80.0, 120.0], size=[2, 1, 1.5, 2.5]))
    >>> row = speed.get(as_of=24.0)
    >>> row.value, row.low, row.high, row.n
    ('50', '46.42', '53.85', '4')
    """

    @classmethod
    def learn(cls, estimators: Sequence[Ratio], as_of: float) -> list[Estimate]:
        """The ratio of each cell."""
        return [each._one(as_of) for each in estimators]

    def _one(self, as_of: float) -> Estimate:
        rows, weight = self.known(as_of)
        sound = (rows.size > 0.0) & np.isfinite(rows.value) & (rows.value >= 0.0)
        top, bottom, weight = rows.value[sound], rows.size[sound], weight[sound]
        notes = []
        if len(top):
            odd = outliers(Observed.one(top / bottom), 1)
            top, bottom, weight = top[~odd], bottom[~odd], weight[~odd]
            if odd.any():
                notes.append(f"{int(odd.sum())} of {len(odd)} left out as outliers")
        over, under = float(weight @ top), float(weight @ bottom)
        if under <= 0.0 or over <= 0.0:
            return self.prior()
        n, ratio = len(top), over / under
        variance = _ALONE
        if n > 1:
            rest = weight * (top - ratio * bottom)
            variance = float(rest @ rest) / over**2 * n / (n - 1)
        variance = 0.0 if variance < 1e-14 else variance
        low, high = log_interval(math.log(ratio), variance, max(1.0, n - 1.0))
        quantity = Quantity("constant", (("value", ratio),), time=self.cell.time)
        return Estimate(self.cell, quantity, math.log(ratio), variance, low, high,
                        float(weight.sum()), f"{variance:.6g}", ("a ratio of sums", *notes))
