"""Learns the law of one from sums of many: the time a unit takes, from the time of whole lots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from twin.calibrate.estimator import Estimate, Estimator, log_interval
from twin.calibrate.laws import Floats
from twin.calibrate.likelihood import EXACT, Observed
from twin.calibrate.outliers import outliers
from twin.calibrate.shapes import with_moments
from twin.quantity import Quantity

_WEIGHT = 4.0  #: sums that the planner's spread is worth


class Total(Estimator):
    """The mean and spread of one, where `value` is the sum of `size` of them.

    A sum of many says nothing of the shape of one: that stays the planner's, with the mean and the
    spread that the sums show.

    Examples
    --------
    >>> from twin.calibrate.estimator import Cell
    >>> from twin.calibrate.sample import Batch
    >>> fill = Total(Cell("routings", "P,tea,30", "process_time", "gamma(mean=3min, sd=30s)"))
    >>> fill.update(Batch.of([1, 2, 3], [2.0, 2.1, 1.05], size=[40, 40, 20]))
    >>> row = fill.get(as_of=10.0)
    >>> row.value, row.low, row.high, row.n
    ('gamma(mean=3.09min, sd=30.993s)', '2.958min', '3.228min', '3')
    """

    @classmethod
    def learn(cls, estimators: Sequence[Total], as_of: float) -> list[Estimate]:
        """The law of one, of each cell."""
        return [each._one(as_of) for each in estimators]

    def _one(self, as_of: float) -> Estimate:
        rows, weight = self.known(as_of)
        sound = (rows.state == EXACT) & (rows.size > 0.0) & (rows.value > 0.0) & np.isfinite(
            rows.value)
        sums, sizes, weight = rows.value[sound], rows.size[sound], weight[sound]
        notes = []
        if len(sums):
            odd = outliers(Observed.one(_levelled(sums / sizes, sizes)), 1)
            sums, sizes, weight = sums[~odd], sizes[~odd], weight[~odd]
            if odd.any():
                notes.append(f"{int(odd.sum())} of {len(odd)} left out as outliers")
        if not len(sums):
            return self.prior()
        n, many = len(sums), float(weight @ sizes)
        mean = float(weight @ sums) / many
        scatter = float(weight @ ((sums - sizes * mean) ** 2 / sizes))
        plan = self.cell.quantity or Quantity("gamma", (("mean", 1.0), ("sd", 0.5)),
                                              time=self.cell.time)
        cv = plan.sd() / plan.mean() if plan.mean() > 0.0 else 0.0
        counted = float(weight.sum())
        if scatter <= 1e-12 * mean**2 * counted and n > 1:
            square = 0.0
        else:
            square = (scatter / mean**2 + _WEIGHT * cv * cv) / (max(counted - 1.0, 0.0) + _WEIGHT)
        variance = square / many * float(weight @ (weight * sizes)) / many
        if n > 1:  # sums that scatter more than independent ones would
            rest = weight * (sums - sizes * mean)
            variance = max(variance, float(rest @ rest) / float(weight @ sums) ** 2 * n / (n - 1))
        low, high = log_interval(math.log(mean), variance, max(n - 1.0, 1.0) + _WEIGHT)
        return Estimate(self.cell, with_moments(plan, mean, math.sqrt(square) * mean),
                        math.log(mean), variance, low, high, counted,
                        _spread(plan, variance, square, counted),
                        (f"from sums of {many / n:.3g}", *notes))


def _levelled(values: Floats, sizes: Floats) -> Floats:
    """Means of sums as far from their middle as if all sums were of the median size."""
    middle = float(np.median(values))
    return np.asarray(middle * (values / middle) ** np.sqrt(sizes / np.median(sizes)))


def _spread(plan: Quantity, variance: float, square: float, n: float) -> str:
    """Covariance of the logarithms of mean and sd, where both are parameters."""
    if plan.kind in ("gamma", "lognormal") and square > 0.0:
        return f"{variance:.6g} {variance:.6g} {variance + 0.5 / (n + _WEIGHT):.6g}"
    return f"{variance:.6g}"
