"""Learns how wrong bookings are: relative errors around nothing, of which only sums are seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from twin.calibrate.estimator import Estimate, Estimator
from twin.quantity import Quantity

_OUTLYING = 5.0  #: robust standard deviations beyond which something else has happened


class Error(Estimator):
    """The standard deviation of a relative error with mean 0: `value` is a sum of errors, and
    `size` the root of the sum of squares of what they are relative to.

    Examples
    --------
    >>> from twin.calibrate.estimator import Cell
    >>> from twin.calibrate.sample import Batch
    >>> wrong = Error(Cell("sites", "W", "record_error", "0"))
    >>> wrong.update(Batch.of(range(6), [1.0, -2.0, 1.0, 3.0, -2.0, -1.0], size=100.0))
    >>> row = wrong.get(as_of=9.0)
    >>> row.value, row.low, row.high
    ('normal(mean=0, sd=0.018257)', '0.01176', '0.0402')
    """

    @classmethod
    def learn(cls, estimators: Sequence[Error], as_of: float) -> list[Estimate]:
        """The law of errors of each cell."""
        return [each._one(as_of) for each in estimators]

    def _one(self, as_of: float) -> Estimate:
        rows, weight = self.known(as_of)
        sound = (rows.size > 0.0) & np.isfinite(rows.value)
        errors, weight = rows.value[sound] / rows.size[sound], weight[sound]
        usual = 1.4826 * float(np.median(np.abs(errors))) if len(errors) else 0.0
        kept = np.abs(errors) <= _OUTLYING * usual
        odd = len(errors) - int(kept.sum())
        errors, weight = errors[kept], weight[kept]
        if usual <= 0.0 or not len(errors):
            return self.prior()
        n = float(weight.sum())
        sd = math.sqrt(float(weight @ errors**2) / n)
        low, high = (sd * math.sqrt(n / float(stats.chi2.ppf(share, n)))
                     for share in (0.975, 0.025))
        notes = ["errors of counts against bookings; the interval is of the standard deviation"]
        if odd:
            notes.append(f"{odd} of {odd + len(errors)} left out as outliers")
        return Estimate(self.cell, Quantity("normal", (("mean", 0.0), ("sd", sd))), math.log(sd),
                        0.5 / n, low, high, n, f"{0.5 / n:.6g}", tuple(notes))
