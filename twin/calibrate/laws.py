"""Families of random quantities that can be learned, each a few functions over arrays.

A family has free parameters without bounds (logarithms of what a planner writes), so that a search
cannot leave what is possible and a normal distribution around an estimate makes sense. Every
function takes one array a parameter and one of values, all of the same length.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy import special

from twin.quantity import Quantity

Floats = NDArray[np.float64]
_TINY = 1e-300
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


class Family(ABC):
    """One family: its name is a kind of `twin.quantity.KINDS`."""

    name = ""
    params: tuple[str, ...] = ()  #: as a planner writes them; the free ones are their logarithms

    @property
    def size(self) -> int:
        """Number of free parameters."""
        return len(self.params)

    @abstractmethod
    def start(self, mean: Floats, cv: Floats) -> Floats:
        """Free parameters, shape (streams, size), with about this mean and sd over mean."""

    @abstractmethod
    def log_density(self, theta: Floats, x: Floats) -> Floats:
        """Logarithm of the density; `theta` has shape (size, values)."""

    @abstractmethod
    def log_survival(self, theta: Floats, x: Floats) -> Floats:
        """Logarithm of the chance of more than `x`."""

    def distribution(self, theta: Floats, x: Floats) -> Floats:
        """The chance of at most `x`."""
        return -np.expm1(self.log_survival(theta, x))

    @abstractmethod
    def log_mean(self, theta: Floats) -> Floats:
        """Logarithm of the mean."""

    def quantity(self, theta: Floats, *, time: bool) -> Quantity:
        """The one law of a vector of free parameters."""
        values = zip(self.params, np.exp(theta).tolist(), strict=True)
        return Quantity(self.name, tuple(values), time=time)

    def free(self, quantity: Quantity) -> Floats:
        """The free parameters of a quantity of this family."""
        return np.log([quantity.get(name) for name in self.params])

    @abstractmethod
    def inverse(self, theta: Floats, share: Floats) -> Floats:
        """The value that a share of draws stays below."""


class Exponential(Family):
    """``exponential(mean)``."""

    name, params = "exponential", ("mean",)

    def start(self, mean: Floats, cv: Floats) -> Floats:
        return np.log(mean)[:, None]

    def log_density(self, theta: Floats, x: Floats) -> Floats:
        return np.asarray(-theta[0] - x * np.exp(-theta[0]))

    def log_survival(self, theta: Floats, x: Floats) -> Floats:
        return np.asarray(-x * np.exp(-theta[0]))

    def log_mean(self, theta: Floats) -> Floats:
        return np.asarray(theta[0])

    def inverse(self, theta: Floats, share: Floats) -> Floats:
        return np.asarray(-np.exp(theta[0]) * np.log1p(-share))


class Lognormal(Family):
    """``lognormal(mean, sd)``."""

    name, params = "lognormal", ("mean", "sd")

    @staticmethod
    def _terms(theta: Floats) -> tuple[Floats, Floats]:
        variance = np.log1p(np.exp(2.0 * (theta[1] - theta[0])))
        return theta[0] - variance / 2.0, np.sqrt(variance)

    def start(self, mean: Floats, cv: Floats) -> Floats:
        return np.stack([np.log(mean), np.log(mean * cv)], axis=1)

    def log_density(self, theta: Floats, x: Floats) -> Floats:
        mu, sigma = self._terms(theta)
        log_x = np.log(np.maximum(x, _TINY))
        return -0.5 * ((log_x - mu) / sigma) ** 2 - np.log(sigma) - log_x - _HALF_LOG_2PI

    def log_survival(self, theta: Floats, x: Floats) -> Floats:
        mu, sigma = self._terms(theta)
        return np.asarray(special.log_ndtr((mu - np.log(np.maximum(x, _TINY))) / sigma))

    def log_mean(self, theta: Floats) -> Floats:
        return np.asarray(theta[0])

    def inverse(self, theta: Floats, share: Floats) -> Floats:
        mu, sigma = self._terms(theta)
        return np.exp(mu + sigma * special.ndtri(share))


class Gamma(Family):
    """``gamma(mean, sd)``."""

    name, params = "gamma", ("mean", "sd")

    @staticmethod
    def _terms(theta: Floats) -> tuple[Floats, Floats]:
        shape = np.exp(2.0 * (theta[0] - theta[1]))
        return shape, np.exp(2.0 * theta[1] - theta[0])

    def start(self, mean: Floats, cv: Floats) -> Floats:
        return np.stack([np.log(mean), np.log(mean * cv)], axis=1)

    def log_density(self, theta: Floats, x: Floats) -> Floats:
        shape, scale = self._terms(theta)
        x = np.maximum(x, _TINY)
        return (shape - 1.0) * np.log(x) - x / scale - special.gammaln(shape) \
            - shape * np.log(scale)

    def log_survival(self, theta: Floats, x: Floats) -> Floats:
        shape, scale = self._terms(theta)
        return np.asarray(np.log(np.maximum(special.gammaincc(shape, x / scale), _TINY)))

    def log_mean(self, theta: Floats) -> Floats:
        return np.asarray(theta[0])

    def inverse(self, theta: Floats, share: Floats) -> Floats:
        shape, scale = self._terms(theta)
        return np.asarray(scale * special.gammaincinv(shape, share))


class Weibull(Family):
    """``weibull(shape, scale)``."""

    name, params = "weibull", ("shape", "scale")

    def start(self, mean: Floats, cv: Floats) -> Floats:
        shape = np.clip(cv, 0.02, 20.0) ** -1.086  # Justus' rule of thumb
        return np.stack([np.log(shape), np.log(mean) - special.gammaln(1.0 + 1.0 / shape)], axis=1)

    def log_density(self, theta: Floats, x: Floats) -> Floats:
        shape = np.exp(theta[0])
        rank = np.log(np.maximum(x, _TINY)) - theta[1]
        risk = np.exp(np.minimum(shape * rank, 700.0))
        return np.asarray(theta[0] - theta[1] + (shape - 1.0) * rank - risk)

    def log_survival(self, theta: Floats, x: Floats) -> Floats:
        rank = np.log(np.maximum(x, _TINY)) - theta[1]
        return np.asarray(-np.exp(np.minimum(np.exp(theta[0]) * rank, 700.0)))

    def log_mean(self, theta: Floats) -> Floats:
        return np.asarray(theta[1] + special.gammaln(1.0 + np.exp(-theta[0])))

    def inverse(self, theta: Floats, share: Floats) -> Floats:
        return np.asarray(np.exp(theta[1]) * (-np.log1p(-share)) ** np.exp(-theta[0]))


class Normal(Family):
    """``normal(mean, sd)``; its mean is free as it is, since it may be negative."""

    name, params = "normal", ("mean", "sd")

    def start(self, mean: Floats, cv: Floats) -> Floats:
        return np.stack([mean, np.log(np.abs(mean) * cv + _TINY)], axis=1)

    def log_density(self, theta: Floats, x: Floats) -> Floats:
        rank = (x - theta[0]) * np.exp(-theta[1])
        return np.asarray(-0.5 * rank**2 - theta[1] - _HALF_LOG_2PI)

    def log_survival(self, theta: Floats, x: Floats) -> Floats:
        return np.asarray(special.log_ndtr((theta[0] - x) * np.exp(-theta[1])))

    def log_mean(self, theta: Floats) -> Floats:
        return np.asarray(np.log(np.maximum(theta[0], _TINY)))

    def quantity(self, theta: Floats, *, time: bool) -> Quantity:
        values = (("mean", float(theta[0])), ("sd", float(np.exp(theta[1]))))
        return Quantity(self.name, values, time=time)

    def free(self, quantity: Quantity) -> Floats:
        return np.array([quantity.get("mean"), math.log(quantity.get("sd"))])

    def inverse(self, theta: Floats, share: Floats) -> Floats:
        return np.asarray(theta[0] + np.exp(theta[1]) * special.ndtri(share))


#: Families by name, the simplest first.
FAMILIES: dict[str, Family] = {family.name: family for family in (
    Exponential(), Lognormal(), Gamma(), Weibull(), Normal())}
