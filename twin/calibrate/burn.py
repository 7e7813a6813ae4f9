"""Learns what a truck burns by how full it is: `by_load(empty, ..., full)`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twin.calibrate.estimator import Estimate, Estimator, log_interval
from twin.calibrate.likelihood import Observed
from twin.calibrate.outliers import outliers
from twin.calibrate.wording import number
from twin.network.forecast import parse_fuel
from twin.quantity import Quantity

_PLANNED = 4.0  #: legs that the planner's slope, against the level, is worth


class Burn(Estimator):
    """Litres of a leg (`value`) over hundreds of kilometres (`size`) at a load 0 to 1 (`entry`).

    Two numbers are learned: how much it burns on the whole, and how much more when it is full. The
    bends between are the planner's. Where every leg has the same load, only the first can be told,
    and the slope stays in proportion.

    Examples
    --------
    >>> from twin.calibrate.estimator import Cell
    >>> from twin.calibrate.sample import Batch
    >>> van = Burn(Cell("trucks", "van", "fuel_l_per_100km", "by_load(20, 24, 28)"))
    >>> van.update(Batch.of(range(40), [22.0, 36.0] * 20, size=1.0, entry=[0.0, 1.0] * 20))
    >>> van.get(as_of=9.0).value
    'by_load(22.229, 29.033, 35.836)'
    """

    @classmethod
    def learn(cls, estimators: Sequence[Burn], as_of: float) -> list[Estimate]:
        """The law of each cell."""
        return [each._one(as_of) for each in estimators]

    def prior(self) -> Estimate:
        """What the planner says."""
        mean = float(np.mean(parse_fuel(self.cell.planned or "0")))
        return replace(super().prior(), quantity=Quantity("constant", (("value", mean),)),
                       log_mean=math.log(mean) if mean > 0.0 else 0.0, low=mean, high=mean,
                       text=self.cell.planned)

    def _one(self, as_of: float) -> Estimate:
        rows, weight = self.known(as_of)
        points = np.array(parse_fuel(self.cell.planned or "1"))
        level, bend = float(points.mean()), points - points.mean()
        sound = (rows.size > 0.0) & np.isfinite(rows.value) & (rows.value >= 0.0)
        if not sound.any() or level <= 0.0:
            return self.prior()
        litres, way, weight = rows.value[sound], rows.size[sound], weight[sound]
        at = np.clip(rows.entry[sound], 0.0, 1.0) * (len(points) - 1)
        slope = np.interp(at, np.arange(len(points)), bend)
        odd = outliers(Observed.one(litres / (way * (level + slope))), 1)
        litres, way, weight, slope = (each[~odd] for each in (litres, way, weight, slope))
        notes = ["level and slope by load; the interval is of the mean of empty to full"]
        if odd.any():
            notes.append(f"{int(odd.sum())} of {len(odd)} left out as outliers")
        design = np.column_stack([way * level, way * slope])
        # The slope is pulled towards the level's own factor, as by a few legs at either end.
        pull = math.sqrt(_PLANNED) * float(np.mean(way)) * max(
            float(np.ptp(bend)) / 2.0, 1e-3 * level)
        wall = np.array([[-pull, pull]])
        top = np.vstack([design * np.sqrt(weight)[:, None], wall])
        gram = np.linalg.inv(top.T @ top)
        factor = gram @ (top.T @ np.append(litres * np.sqrt(weight), 0.0))
        n = len(litres)
        rest = litres - design @ factor
        spread = float(weight @ rest**2) / max(float(weight.sum()) - 2.0, 1.0)
        variance = max(spread * float(gram[0, 0]) / float(factor[0]) ** 2, 0.0) if n > 2 else 0.04
        mean = float(factor[0]) * level
        if mean <= 0.0:
            return self.prior()
        low, high = log_interval(math.log(mean), variance, max(1.0, n - 2.0))
        learned = np.maximum(factor[0] * level + factor[1] * bend, 0.0)
        text = f"by_load({', '.join(number(float(point), 5) for point in learned)})"
        return Estimate(self.cell, Quantity("constant", (("value", mean),)), math.log(mean),
                        variance, low, high, float(weight.sum()), f"{variance:.6g}",
                        tuple(notes), text)
