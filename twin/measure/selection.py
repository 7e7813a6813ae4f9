"""Choosing the best of several settings: constants of the procedures, and where to spend runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

from twin.measure.intervals import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def dudewicz_dalal(settings: int, first_stage: int, probability: float) -> float:
    """Constant h1 of the two-stage procedure of Dudewicz and Dalal (1975).

    A setting needs max(first_stage + 1, (h1 sd / indifference)^2) replications for the best to
    be chosen with the stated probability.

    Examples
    --------
    >>> round(dudewicz_dalal(settings=2, first_stage=20, probability=0.90), 3)
    1.896
    """
    t = stats.t(first_stage - 1)
    x, w = _on_quantiles()
    at = t.ppf(x)

    def miss(h: float) -> float:
        return float(np.sum(w * t.cdf(at + h) ** (settings - 1))) - probability

    return float(optimize.brentq(miss, 0.0, 100.0, xtol=1e-12))


def rinott(settings: int, first_stage: int, probability: float) -> float:
    """Constant h of Rinott's two-stage procedure (1978).

    Examples
    --------
    >>> round(rinott(settings=5, first_stage=20, probability=0.95), 3)
    3.385
    """
    df = first_stage - 1
    p, w = _on_quantiles()
    inverse = 1.0 / stats.chi2(df).ppf(p)
    spread = np.sqrt(df * (inverse[:, None] + inverse[None, :]))

    def miss(h: float) -> float:
        inner = stats.norm.cdf(h / spread) @ w
        return float(np.sum(w * inner ** (settings - 1))) - probability

    return float(optimize.brentq(miss, 0.0, 100.0, xtol=1e-12))


def kim_nelson(settings: int, first_stage: int, alpha: float, c: int = 1) -> float:
    """Constant h squared of the fully sequential procedure of Kim and Nelson (2001).

    Examples
    --------
    >>> round(kim_nelson(settings=5, first_stage=20, alpha=0.05), 4)
    9.0151
    """
    if c != 1:
        raise ValueError(f"kim_nelson: c={c} has no closed form here. Use c=1.")
    df = first_stage - 1
    eta = 0.5 * ((2.0 * alpha / (settings - 1)) ** (-2.0 / df) - 1.0)
    return float(2.0 * eta * df)


def ocba_shares(means: Sequence[float], sds: Sequence[float], *, minimise: bool = True) -> Array:
    """Shares of the next replications that most raise the chance of picking the best setting.

    Source: Chen, Lin, Yucesan & Chick (2000).

    Examples
    --------
    >>> ocba_shares([1, 2, 3], [6, 6, 6]).round(3).tolist()
    [0.452, 0.438, 0.11]
    """
    mean, sd = np.asarray(means, dtype=float), np.asarray(sds, dtype=float)
    best = int(np.argmin(mean) if minimise else np.argmax(mean))
    others = np.arange(len(mean)) != best
    gap = np.abs(mean - mean[best])
    if np.any(gap[others] == 0.0):
        raise ValueError("ocba_shares: two settings tie for the best mean. Drop one of them.")
    weight = np.zeros(len(mean))
    weight[others] = (sd[others] / gap[others]) ** 2
    weight[best] = sd[best] * np.sqrt(np.sum((weight[others] / sd[others]) ** 2))
    return np.asarray(weight / weight.sum())


def _on_quantiles() -> tuple[Array, Array]:
    """Gauss-Legendre points over probabilities 0 to 1, denser towards both tails."""
    u = (_NODES + 1.0) / 2.0
    x = u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    return x, _WEIGHTS / 2.0 * 30.0 * u**2 * (1.0 - u) ** 2
