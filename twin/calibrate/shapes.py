"""Laws that are no smooth family: always the same, counts, few distinct values, a bounded range."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from twin.calibrate.laws import FAMILIES, Floats
from twin.calibrate.likelihood import EXACT
from twin.quantity import Quantity

_SAME = 1e-6  #: relative differences that count as none
_FEW = 12  #: distinct values of a law that is written out
_WEIGHT = 40.0  #: values that the planner's ratio of sd to mean is worth in an interval


@dataclass(frozen=True, slots=True)
class Shape:
    """A law, the logarithm of its mean, the variance of that, and whether sums of times rule it."""

    quantity: Quantity
    log_mean: float
    variance: float
    note: str


def constant_of(values: Floats, *, time: bool) -> Shape | None:
    """The law of values that are all the same."""
    middle = float(np.median(values))
    if float(np.ptp(values)) > _SAME * max(abs(middle), 1e-9):
        return None
    quantity = Quantity("constant", (("value", middle),), time=time)
    return Shape(quantity, math.log(middle) if middle > 0.0 else 0.0, 0.0, "always the same")


def poisson_of(values: Floats, weight: Floats, planned: Quantity | None) -> Shape | None:
    """Counts that vary as a Poisson quantity does, where the planner wrote one.

    Orders of zero units are no orders and are never seen: where zeros should have been seen but
    were not, the law is taken to be one without them.
    """
    if planned is None or planned.kind != "poisson" or (values != np.rint(values)).any():
        return None
    n, total = float(weight.sum()), float(weight @ values)
    if total <= 0.0:
        return None
    average = total / n
    mean = average
    if values.min() > 0.0 and n * math.exp(-average) > 0.05:
        for _ in range(60):
            mean = average * -math.expm1(-mean)
        if mean < 1e-3:
            return None
    scatter = float(weight @ (values - average) ** 2) / max(n - 1.0, 1.0)
    if n >= 10 and abs(scatter / average - 1.0) > 5.0 * math.sqrt(2.0 / n) + 0.3:
        return None
    return Shape(Quantity("poisson", (("mean", mean),)), math.log(mean), 1.0 / total,
                 "counts (Poisson)")


def steps_of(values: Floats, state: np.ndarray[tuple[int], np.dtype[np.int64]], weight: Floats,
             planned: Quantity | None, *, time: bool) -> Shape | None:
    """A ``discrete`` law of the distinct values, with what is censored shared among longer ones.

    Only where the planner wrote one, or where few values come back again and again.
    """
    exact = values[state == EXACT]
    distinct = np.unique(np.round(exact, 9))
    wanted = planned is not None and planned.kind in ("discrete", "empirical")
    if not wanted and not (len(distinct) <= _FEW and len(exact) >= 4 * len(distinct)):
        return None
    if len(distinct) > 3 * _FEW:
        return None
    shares = _kaplan_meier(values, state, weight, distinct)
    mean = float(shares @ distinct)
    if mean <= 0.0:
        return None
    square = float(shares @ (distinct - mean) ** 2) / mean**2
    n = float(weight[state == EXACT].sum())
    if planned is not None and planned.mean() > 0.0:
        # Values that are rare may not have come yet: the planner's spread counts as well.
        cv = planned.sd() / planned.mean()
        square = max(square, (n * square + _WEIGHT * cv * cv) / (n + _WEIGHT))
    square *= n / max(n - 1.0, 1.0)
    quantity = Quantity("discrete", (), tuple(distinct.tolist()), tuple(shares.tolist()), time)
    return Shape(quantity, math.log(mean), square / n, "values as seen")


def _kaplan_meier(values: Floats, state: np.ndarray[tuple[int], np.dtype[np.int64]],
                  weight: Floats, distinct: Floats) -> Floats:
    """Shares of the distinct values; what outlives them all goes to the longest."""
    alive, shares = 1.0, []
    rounded = np.round(values, 9)
    for value in distinct:
        at_risk = float(weight[rounded >= value].sum())
        died = float(weight[(rounded == value) & (state == EXACT)].sum())
        shares.append(alive * died / at_risk)
        alive *= 1.0 - died / at_risk
    shares[-1] += alive
    found = np.array(shares)
    return np.asarray(found / found.sum())


def bounded_of(values: Floats, planned: Quantity) -> Shape | None:
    """A ``uniform`` or ``triangular`` law in the range seen, a little widened.

    Its mean is that of the values; its ends are the smallest and the largest, moved outwards by
    what they are expected to fall short.
    """
    n = len(values)
    if n < 2 or planned.mean() <= 0.0:
        return None
    mean, low, high = float(values.mean()), float(values.min()), float(values.max())
    if n < 8:
        stretch = mean / planned.mean()
        params: tuple[tuple[str, float], ...] = tuple(
            (name, value * stretch) for name, value in planned.params)
    elif planned.kind == "uniform":
        reach = max(mean - low, high - mean, 0.5 * (high - low)) * (n + 1) / (n - 1)
        low, high = max(0.0, mean - reach), mean + (mean - max(0.0, mean - reach))
        params = (("low", low), ("high", high))
    else:
        short = 0.6 * (high - low) / math.sqrt(n)
        low, high = max(0.0, low - short), high + short
        mode = min(max(3.0 * mean - low - high, low), high)
        params = (("low", low), ("mode", mode), ("high", high))
    quantity = Quantity(planned.kind, params, time=planned.time)
    cv = planned.sd() / planned.mean()
    seen = float(values.var(ddof=1)) / mean**2
    square = (n * seen + _WEIGHT * cv * cv) / (n + _WEIGHT)
    drift = math.log(mean / quantity.mean())
    scaled = tuple((name, value * math.exp(drift)) for name, value in params)
    return Shape(replace(quantity, params=scaled), math.log(mean), square / n, "range as seen")


def with_atom(share: float, quantity: Quantity, pieces: int = 12) -> Quantity:
    """A law that is zero with some chance: its positive part cut into pieces of equal chance.

    Examples
    --------
    >>> late = Quantity("exponential", (("mean", 10.0),))
    >>> mixed = with_atom(0.4, late, 4)
    >>> mixed.weights, round(mixed.mean(), 9)
    ((0.4, 0.15, 0.15, 0.15, 0.15), 6.0)
    """
    family = FAMILIES.get(quantity.kind)
    if family is None:
        return quantity
    theta = np.repeat(family.free(quantity)[:, None], 200 * pieces, axis=1)
    fine = (np.arange(200 * pieces) + 0.5) / (200 * pieces)
    means = family.inverse(theta, fine).reshape(pieces, 200).mean(axis=1)
    means *= quantity.mean() / means.mean()
    values = (0.0, *means.tolist())
    weights = (share, *[(1.0 - share) / pieces] * pieces)
    return Quantity("discrete", (), values, weights, quantity.time)


def with_moments(quantity: Quantity, mean: float, sd: float) -> Quantity:
    """The same shape with another mean and spread.

    Examples
    --------
    >>> str(with_moments(Quantity("gamma", (("mean", 2.0), ("sd", 1.0))), 4.0, 3.0))
    'gamma(mean=4, sd=3)'
    >>> str(with_moments(Quantity("uniform", (("low", 0.0), ("high", 12.0))), 8.0, 3 ** 0.5))
    'uniform(low=5, high=11)'
    """
    kind, time = quantity.kind, quantity.time
    if sd <= 0.0:
        return Quantity("constant", (("value", mean),), time=time)
    if kind == "exponential":
        return Quantity(kind, (("mean", mean),), time=time)
    if kind in ("uniform", "triangular", "discrete") and quantity.sd() > 0.0:
        stretch = min(sd / quantity.sd(), mean / max(quantity.mean() - _lowest(quantity), 1e-12))
        params = tuple((name, mean + stretch * (value - quantity.mean()))
                       for name, value in quantity.params)
        values = tuple(mean + stretch * (value - quantity.mean()) for value in quantity.values)
        return replace(quantity, params=params, values=values)
    if kind in ("lognormal", "normal"):
        return Quantity(kind, (("mean", mean), ("sd", sd)), time=time)
    return Quantity("gamma", (("mean", mean), ("sd", sd)), time=time)


def _lowest(quantity: Quantity) -> float:
    return min(quantity.values) if quantity.values else quantity.get("low")
