"""Two questions about spread: what shared luck gains, and what unsure inputs add."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.measure.intervals import Array


@dataclass(frozen=True, slots=True)
class Luck:
    """Variance of a difference on shared luck, on separate luck, and replications saved."""

    shared: float
    separate: float

    @property
    def gain(self) -> float:
        """How many times more replications separate luck would need."""
        return self.separate / self.shared if self.shared else float("inf")


def common_luck(values: Sequence[float] | Array, baseline: Sequence[float] | Array) -> Luck:
    """Variance of the paired difference against that of independent runs.

    Examples
    --------
    >>> luck = common_luck([11.0, 14.0, 12.0], [10.0, 12.0, 11.0])
    >>> round(luck.shared, 3), round(luck.separate, 3), round(luck.gain)
    (0.333, 3.333, 10)
    """
    x, y = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    return Luck(float((x - y).var(ddof=1)), float(x.var(ddof=1) + y.var(ddof=1)))


@dataclass(frozen=True, slots=True)
class InputSpread:
    """Mean and standard deviation of a response over what its inputs might be."""

    mean: float
    sd: float
    draws: int


def input_uncertainty(response: Callable[..., float], inputs: Callable[[], Sequence[float]],
                      draws: int = 1000) -> InputSpread:
    """Play a response on many draws of its estimated inputs: how much is due to thin data.

    `inputs` draws one set of parameters, for example a bootstrap of their estimates.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> spread = input_uncertainty(lambda rate: 1 / rate, lambda: [rng.gamma(100, 0.01)], 2000)
    >>> round(spread.mean, 2), round(spread.sd, 2)
    (1.01, 0.1)
    """
    x = np.array([response(*inputs()) for _ in range(draws)])
    return InputSpread(float(x.mean()), float(x.std(ddof=1)), draws)


def delta_method(response: Callable[..., float], at: Sequence[float],
                 sds: Sequence[float]) -> float:
    """First-order standard deviation of a response to independent errors of its inputs.

    Examples
    --------
    >>> round(delta_method(lambda x, y: x * y, [2.0, 3.0], [0.1, 0.2]), 6)
    0.5
    """
    point = np.asarray(at, dtype=float)
    total = 0.0
    for i, sd in enumerate(sds):
        step = np.zeros(len(point))
        step[i] = 1e-5 * max(abs(point[i]), 1e-5)
        slope = (response(*(point + step)) - response(*(point - step))) / (2.0 * step[i])
        total += (slope * sd) ** 2
    return float(np.sqrt(total))
