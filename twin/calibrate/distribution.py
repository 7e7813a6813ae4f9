"""Learns the law of a time or a size from single values, some of them censored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twin.calibrate.choice import Chosen, choose
from twin.calibrate.estimator import (
    Estimate,
    Estimator,
    gamma_interval,
    log_interval,
    triangle,
)
from twin.calibrate.laws import Floats
from twin.calibrate.likelihood import CENSORED, EXACT, Observed
from twin.calibrate.outliers import outliers
from twin.calibrate.shapes import (
    Shape,
    bounded_of,
    constant_of,
    poisson_of,
    steps_of,
    with_atom,
)
from twin.quantity import Quantity

_SMOOTH = ("exponential", "lognormal", "gamma", "weibull")


class Distribution(Estimator):
    """A random time or size: which law, with which parameters.

    Censored values (what still goes on) and truncated ones (what could not have been seen) count
    as what they are. The family is chosen by AICc, with a leaning to the planner's: another one has
    to be 20 times as likely. Values that the middle half of the sample makes next to impossible
    are left out, and their number is told.

    Examples
    --------
    >>> from twin.calibrate.estimator import Cell
    >>> from twin.calibrate.sample import Batch
    >>> life = Distribution(Cell("failures", "M,wear", "time_to_failure", "weibull(2, 100h)"))
    >>> life.update(Batch.of(range(5), [54.0, 187.0, 216.0, 240.0, 244.0]))
    >>> life.update(Batch.of(range(5, 10), [335.0, 361.0, 373.0, 375.0, 386.0]))
    >>> life.update(Batch.of(range(10, 20), [500.0] * 10, state=0))
    >>> row = life.get(as_of=500.0)
    >>> row.value, row.low, row.high, row.n
    ('weibull(shape=1.7566, scale=25.109d)', '14.23d', '35.14d', '10')
    """

    @classmethod
    def learn(cls, estimators: Sequence[Distribution], as_of: float) -> list[Estimate]:
        """The law of each cell; all smooth families are fitted over all cells together."""
        looks = [_Look(each, as_of) for each in estimators]
        smooth = [place for place, look in enumerate(looks) if look.smooth]
        if smooth:
            _fit([looks[place] for place in smooth])
        return [look.estimate() for look in looks]


class _Look:
    """One cell's observations on their way to an estimate."""

    def __init__(self, estimator: Distribution, as_of: float) -> None:
        self.estimator, self.cell = estimator, estimator.cell
        self.planned = self.cell.quantity
        rows, weight = estimator.known(as_of)
        sound = np.isfinite(rows.value) & (rows.value >= 0.0) & (rows.value <= rows.limit)
        self.notes: list[str] = []
        if not sound.all():
            self.notes.append(f"{int((~sound).sum())} impossible left out")
            rows, weight = rows.of_rows(sound), weight[sound]
        self.rows, self.weight = rows, weight
        exact = rows.state == EXACT
        self.n = float(weight[exact].sum())
        self.zeros = float(weight[exact & (rows.value <= 0.0)].sum())
        self.shape: Shape | None = None
        self.chosen: Chosen | None = None
        self.rivals = ""
        self.out = 0
        events = int(exact.sum())
        self.smooth = False
        if events:
            self.shape = self._special(rows.value[exact], weight[exact])
            self.smooth = self.shape is None

    def _special(self, exact: Floats, weight: Floats) -> Shape | None:
        """The law, if it is no smooth one."""
        time, planned = self.cell.time, self.planned
        sure = planned is not None and planned.kind == "constant"
        if len(exact) >= (1 if sure else 5) and (same := constant_of(exact, time=time)):
            varied = planned is not None and planned.sd() > 0.0
            rare = varied and planned is not None and planned.kind in ("discrete", "empirical")
            if not varied or (len(exact) >= 20 and not rare):
                return same
        if not time and (counts := poisson_of(exact, weight, planned)):
            return counts
        if steps := steps_of(self.rows.value, self.rows.state, self.weight, planned, time=time):
            return steps
        if planned is not None and planned.kind in ("uniform", "triangular") \
                and len(exact) == len(self.rows) and len(exact) > 1:
            return bounded_of(exact, planned)
        return None

    def families(self) -> tuple[str, ...]:
        """What may be fitted: little evidence keeps to the planner's family."""
        kind = self.kind()
        if kind and self.n < 8:
            return (kind,)
        if self.n < 4:
            return ("exponential",) if self.planned is None else (kind or "gamma",)
        return (*_SMOOTH, "normal") if kind == "normal" else _SMOOTH

    def kind(self) -> str:
        """The planner's family, if it is a smooth one."""
        kind = "" if self.planned is None else self.planned.kind
        kind = "gamma" if kind == "erlang" else kind
        return kind if kind in (*_SMOOTH, "normal") else ""

    def cv(self) -> float:
        """The planner's sd over mean; NaN where there is none."""
        if self.planned is None or self.planned.mean() <= 0.0 or self.planned.sd() <= 0.0:
            return math.nan
        return self.planned.sd() / self.planned.mean()

    # -- the estimate ----------------------------------------------------------------------------
    def estimate(self) -> Estimate:
        """What was found."""
        if self.shape is not None:
            return self._shaped(self.shape)
        if self.chosen is None:
            found = self.estimator.prior()
            if len(self.rows):
                return replace(found, notes=("as planned: nothing has ended yet", *self.notes))
            return found
        return self._fitted(self.chosen)

    def _shaped(self, shape: Shape) -> Estimate:
        poisson = shape.quantity.kind == "poisson"
        interval = gamma_interval if poisson else log_interval
        df = math.inf if poisson else max(1.0, self.n - 1.0) + 3.0
        low, high = interval(shape.log_mean, shape.variance, df)
        if self.cell.attribute.bounds[1] <= 1.0:
            high = min(high, 1.0)
        return Estimate(self.cell, shape.quantity, shape.log_mean, shape.variance, low, high,
                        self.n, f"{shape.variance:.6g}" if shape.quantity.kind != "discrete" else
                        "", (shape.note, *self.notes))

    def _fitted(self, chosen: Chosen) -> Estimate:
        family = chosen.family
        quantity = family.quantity(chosen.theta, time=self.cell.time)
        log_mean, variance = _mean_of(chosen)
        note = f"{family.name} by AICc" if chosen.rival else family.name
        if chosen.rival and math.isfinite(chosen.ahead):
            note += f", {chosen.ahead:.1f} ahead of {chosen.rival}"
        notes = [note, *self.notes]
        if self.out:
            notes.append(f"{self.out} of {len(self.rows)} left out as outliers")
        censored = int((self.rows.state == CENSORED).sum())
        if censored:
            notes.append(f"{censored} censored")
        gone = family.name in ("exponential", "gamma")
        df = math.inf if family.size == 1 else self.n + (0.0 if math.isnan(self.cv()) else 1.0)
        low, high = (gamma_interval if gone else log_interval)(log_mean, variance, df)
        covariance = triangle(chosen.covariance)
        if self.zeros > 0.0:
            return self._with_zeros(quantity, log_mean, variance, notes)
        return Estimate(self.cell, quantity, log_mean, variance, low, high, self.n, covariance,
                        tuple(notes))

    def _with_zeros(self, quantity: Quantity, log_mean: float, variance: float,
                    notes: list[str]) -> Estimate:
        """The atom at zero put back: a share of zeros, and the law of the rest."""
        share = (self.zeros + 0.5) / (self.n + 1.0)
        mixed = with_atom(share, quantity)
        log_mean += math.log1p(-share)
        variance += share / (1.0 - share) / (self.n + 1.0)
        low, high = log_interval(log_mean, variance, max(1.0, self.n - 1.0))
        return Estimate(self.cell, mixed, log_mean, variance, low, high, self.n, "",
                        (f"zero in {share:.0%}, else {quantity.kind}", *notes))


def _fit(looks: list[_Look]) -> None:
    """Fit all smooth streams together."""
    parts = []
    for place, look in enumerate(looks):
        rows, weight = look.rows, look.weight
        keep = rows.value > 0.0
        rows, weight = rows.of_rows(keep), weight[keep]
        parts.append(Observed(np.full(len(rows), place), rows.value, rows.state, rows.entry,
                              rows.limit, weight))
    data = Observed(*(np.concatenate([getattr(part, name) for part in parts])
                      for name in ("stream", "value", "state", "entry", "limit", "weight")))
    odd = outliers(data, len(looks))
    lost = np.bincount(data.stream, weights=odd, minlength=len(looks))
    kept = data.of(~odd)
    found = choose(kept, len(looks), [look.kind() for look in looks],
                   np.array([look.cv() for look in looks]), [look.families() for look in looks])
    whole = np.bincount(kept.stream, weights=kept.weight, minlength=len(looks))
    squares = np.bincount(kept.stream, weights=kept.weight**2, minlength=len(looks))
    for look, chosen, out, total, square in zip(looks, found, lost, whole, squares, strict=True):
        look.out = int(out)
        look.n -= out
        if chosen is not None and total > 0.0:
            # Weights of old values say less than whole ones: the covariance tells.
            chosen = Chosen(chosen.family, chosen.theta, chosen.covariance * (square / total),
                            chosen.criterion, chosen.rival, chosen.ahead)
        look.chosen = chosen


def _mean_of(chosen: Chosen) -> tuple[float, float]:
    """Logarithm of the mean, and its variance by the slopes of the parameters."""
    family, theta = chosen.family, chosen.theta
    step = 1e-5 * np.eye(family.size)
    slopes = np.array([
        float((family.log_mean((theta + each)[:, None]) - family.log_mean((theta - each)[:, None])
               )[0]) / 2e-5 for each in step])
    log_mean = float(family.log_mean(theta[:, None])[0])
    return log_mean, float(slopes @ chosen.covariance @ slopes)
