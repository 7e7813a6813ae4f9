"""Life data by hand: renewals, growth, trend, censored lives and wear that ends a life.

Small functions of the reliability trade that people ask for by name; estimators of table cells are
in `twin.calibrate.distribution`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from twin.calibrate.laws import FAMILIES, Floats
from twin.calibrate.likelihood import Observed, maximise
from twin.quantity import Quantity


@dataclass(frozen=True, slots=True)
class WeibullFit:
    """The most likely Weibull life: shape, scale, covariance of their logarithms, likelihood."""

    shape: float
    scale: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    loglik: float

    def mean(self) -> float:
        """Mean life."""
        return self.scale * math.gamma(1.0 + 1.0 / self.shape)


def weibull_life(failures: Sequence[float], censored: Sequence[float] = ()) -> WeibullFit:
    """The most likely Weibull law of lives that ended and of lives that did not.

    Parameters
    ----------
    failures, censored
        Ages at failure; ages of what still lived (or was taken out) when last seen.

    Raises
    ------
    ValueError
        If fewer than two different failures were seen, or an age is not above 0.

    Examples
    --------
    >>> fit = weibull_life([54, 187, 216, 240, 244, 335, 361, 373, 375, 386], [500] * 10)
    >>> round(fit.shape, 4), round(fit.scale, 2), round(fit.loglik, 4)
    (1.7208, 606.53, -75.1346)
    """
    ages = np.array([*failures, *censored], float)
    if len(ages) and ages.min() <= 0.0:
        raise ValueError(f"age {ages.min():g} is not above 0. Leave it out, or give its hours.")
    if len(set(failures)) < 2:
        raise ValueError(f"{len(set(failures))} different failures say nothing of a shape. Give at "
                         "least two.")
    weibull = FAMILIES["weibull"]
    data = Observed.one(np.array(failures, float), np.array(censored, float))
    mean = np.array([ages.sum() / len(failures)])
    fit = maximise(weibull, data, weibull.start(mean, np.array([0.8])))
    shape, scale = np.exp(fit.theta[0]).tolist()
    (a, b), (c, d) = fit.covariance[0].tolist()
    return WeibullFit(shape, scale, ((a, b), (c, d)), float(fit.loglik[0]))


@dataclass(frozen=True, slots=True)
class Growth:
    """A power-law process of failures: ``expected failures = rate * hours**shape``.

    A shape below 1 is reliability growth.
    """

    shape: float
    rate: float
    mtbf: float  #: instantaneous, at the end of the test


def crow_amsaa(times: Sequence[float], until: float | None = None) -> Growth:
    """The power law of the failures of one system that is repaired and improved (Crow-AMSAA).

    Parameters
    ----------
    times
        Total time of the system at each failure, rising.
    until
        Total time when the test ended; None: with the last failure.

    Examples
    --------
    >>> growth = crow_amsaa([2.7, 10.3, 12.5, 30.6, 57.0, 61.3, 80.0, 109.5, 125.0, 128.6, 143.8])
    >>> round(growth.shape, 3), growth.mtbf > 15.0
    (0.815, True)
    """
    at = _rising(times)
    end = float(at[-1]) if until is None else until
    if end < at[-1]:
        raise ValueError(f"until {end:g} lies before the last failure at {at[-1]:g}. Write a later "
                         "end.")
    n = len(at)
    logs = float(np.log(end / at).sum())
    if logs <= 0.0:
        raise ValueError("one failure at the end says nothing of a trend. Give at least two.")
    shape = n / logs
    rate = n / end**shape
    return Growth(shape, rate, 1.0 / (rate * shape * end ** (shape - 1.0)))


def laplace_trend(gaps: Sequence[float], until: float | None = None) -> float:
    """Laplace's score of a trend in failures: standard normal if there is none.

    Above 0, failures come quicker as time goes by (wear); below 0, slower (growth).

    Parameters
    ----------
    gaps
        Times between failures, in their order.
    until
        Total time when the watch ended; None: with the last failure.

    Examples
    --------
    >>> round(laplace_trend([100.0, 80.0, 60.0, 40.0, 20.0, 10.0, 5.0]), 3)
    2.088
    """
    at = _rising(np.cumsum(np.asarray(gaps, float)).tolist())
    end = float(at[-1]) if until is None else until
    inside = at[:-1] if until is None else at
    n = len(inside)
    if n < 1:
        raise ValueError("one failure says nothing of a trend. Give at least two.")
    return float((inside.mean() - end / 2.0) / (end * math.sqrt(1.0 / (12.0 * n))))


def _rising(times: Sequence[float]) -> Floats:
    at = np.asarray(times, float)
    if not len(at) or at[0] <= 0.0 or (np.diff(at) < 0.0).any():
        raise ValueError("failure times must rise from above 0. Sort them, and leave zeros out.")
    return at


def expected_renewals(life: Quantity, hours: float, steps: int = 2_000) -> float:
    """How many spares one place uses up, on average: the renewal function.

    Parameters
    ----------
    life
        The law of one life; the place starts with a new part.
    hours
        How long.
    steps
        Of the grid on which the renewal equation is solved (trapezium, second order).

    Examples
    --------
    >>> round(expected_renewals(Quantity("exponential", (("mean", 2.0),)), 10.0), 4)
    5.0
    """
    family = FAMILIES.get("gamma" if life.kind == "erlang" else life.kind)
    if family is None or hours < 0.0:
        raise ValueError(f"'{life}' over {hours:g} h cannot be renewed here. Use one of "
                         f"{', '.join(FAMILIES)}, erlang, and a time of 0 or more.")
    if life.kind == "erlang":
        life = Quantity("gamma", (("mean", life.mean()), ("sd", life.sd())))
    grid = np.linspace(0.0, hours, steps + 1)
    theta = np.repeat(family.free(life)[:, None], steps + 1, axis=1)
    below = np.where(grid > 0.0, family.distribution(theta, np.maximum(grid, 1e-300)), 0.0)
    jump = np.diff(below)
    renewals = np.zeros(steps + 1)
    for k in range(1, steps + 1):
        # The sum of renewals after the first, which falls into one of the steps; the earliest step
        # holds the unknown itself.
        middle = 0.5 * (renewals[k - 1::-1][:k] + np.concatenate([[0.0], renewals[k - 1:0:-1]]))
        known = below[k] + float(jump[:k] @ middle)
        renewals[k] = known / (1.0 - 0.5 * jump[0])
    return float(renewals[-1])


@dataclass(frozen=True, slots=True)
class WearOut:
    """The life of what wears at a rate with noise until it reaches a threshold: inverse Gaussian.

    Parameters
    ----------
    drift
        Wear an hour.
    diffusion
        Noise of the wear, per root of an hour.
    threshold
        Wear that is still to come.

    Examples
    --------
    >>> life = WearOut(drift=2.0, diffusion=5.0, threshold=100.0)
    >>> life.mean(), life.variance(), round(life.chance(40.0), 6), round(life.quantile(0.05), 4)
    (50.0, 312.5, 0.319299, 26.8304)
    """

    drift: float
    diffusion: float
    threshold: float

    def __post_init__(self) -> None:
        for name in ("drift", "diffusion", "threshold"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} {getattr(self, name):g} is not above 0: the threshold "
                                 "may never be reached. Write a positive one.")

    def mean(self) -> float:
        """Mean life, hours."""
        return self.threshold / self.drift

    def variance(self) -> float:
        """Variance of the life."""
        return self.threshold * self.diffusion**2 / self.drift**3

    def chance(self, hours: float) -> float:
        """The chance that the threshold is reached by then."""
        if hours <= 0.0:
            return 0.0
        root = self.diffusion * math.sqrt(hours)
        first = (self.drift * hours - self.threshold) / root
        second = -(self.drift * hours + self.threshold) / root
        tail = 2.0 * self.drift * self.threshold / self.diffusion**2 + float(
            special.log_ndtr(second))
        return float(special.ndtr(first)) + math.exp(tail)

    def quantile(self, share: float) -> float:
        """The life that a share of them does not reach: 0.05 for B5."""
        if not 0.0 < share < 1.0:
            raise ValueError(f"share {share:g} does not lie between 0 and 1. Write such as 0.05.")
        low, high = 0.0, self.mean()
        while self.chance(high) < share:
            high *= 2.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.chance(middle) < share else (low, middle)
        return 0.5 * (low + high)


def wear_of(times: Sequence[float], levels: Sequence[float]) -> tuple[float, float]:
    """Drift and diffusion of a degradation signal, by its increments.

    Parameters
    ----------
    times, levels
        Rising hours, and the signal at them.

    Examples
    --------
    >>> drift, diffusion = wear_of([0.0, 1.0, 3.0, 4.0], [0.0, 2.5, 5.5, 8.0])
    >>> drift, round(diffusion, 3)
    (2.0, 0.707)
    """
    at, level = np.asarray(times, float), np.asarray(levels, float)
    hours, steps = np.diff(at), np.diff(level)
    if len(hours) < 2 or (hours <= 0.0).any():
        raise ValueError("a signal needs three or more readings at rising times. Sort them.")
    drift = float(steps.sum() / hours.sum())
    return drift, math.sqrt(float(((steps - drift * hours) ** 2 / hours).sum()) / (len(hours) - 1))
