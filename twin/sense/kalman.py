"""The local level: a quantity that wanders, seen through noise (Kalman filter)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.sense.statistic import Statistic

_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class Level:
    """Where the quantity stands.

    Attributes
    ----------
    mean, variance
        Of the level, given everything heard so far.
    surprise
        The last value against what was expected of it, in standard deviations.
    loglik
        Diffuse log likelihood: of all values after the first, which only says where it begins.
    """

    mean: float
    variance: float
    surprise: float
    loglik: float


class LocalLevel(Statistic[float, Level]):
    """Filter of value = level + noise, level = last level + step (Durbin & Koopman 2012, ch. 2).

    Parameters
    ----------
    noise, step
        Variances of the noise of a value and of the step of the level from one to the next.

    Notes
    -----
    The start is diffuse: the first value is the level. NaN is a value that was not heard.

    Examples
    --------
    >>> level = LocalLevel(noise=1.0, step=0.5)
    >>> for value in [10.0, 12.0, 11.0]:
    ...     level.update(value)
    >>> round(level.get().mean, 3), round(level.get().variance, 3)
    (11.095, 0.524)
    """

    hears = ("number",)

    def __init__(self, noise: float = 1.0, step: float = 0.1) -> None:
        self.noise, self.step = noise, step
        self.mean, self.variance = 0.0, math.inf
        self.surprise, self.loglik = 0.0, 0.0

    def update(self, heard: float) -> None:
        """Take in one value; NaN lets time pass."""
        if math.isinf(self.variance):
            if heard == heard:
                self.mean, self.variance = heard, self.noise
            return
        expected = self.variance + self.step
        if heard != heard:
            self.variance = expected
            return
        spread = expected + self.noise
        error = heard - self.mean
        gain = expected / spread
        self.mean += gain * error
        self.variance = expected * (1.0 - gain)
        self.surprise = error / math.sqrt(spread)
        self.loglik -= (_LOG_2PI + math.log(spread) + error * error / spread) / 2

    def get(self) -> Level:
        """The level now."""
        return Level(self.mean, self.variance, self.surprise, self.loglik)
