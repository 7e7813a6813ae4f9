"""How each kind of random quantity is drawn: whole blocks from a generator, or what is left of one.

Wherever it can be done, a draw is an increasing transformation of one standard draw. So the same
luck means the same *rank*: with another mean or spread, a long transit stays a long transit, and
two scenarios differ by what was changed, not by chance. The values do not depend on how they are
cut into blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp, expm1, floor, inf, log, log1p, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from twin.quantity import Quantity

Values = NDArray[np.floating[Any]]
#: The next `n` values from a generator.
Block = Callable[[np.random.Generator, int], Values]

_SUMMED = 16  #: an Erlang of up to so many phases is a sum of exponentials
_COUNTED = 1e6  #: a Poisson of a larger mean is a rounded normal


def certain(quantity: Quantity) -> float | None:
    """The one value of a quantity that has no luck in it, else None.

    Examples
    --------
    >>> certain(Quantity("normal", (("mean", 5.0), ("sd", 0.0))))
    5.0
    """
    p = dict(quantity.params)
    match quantity.kind:
        case "constant":
            return p["value"]
        case "lognormal" | "gamma" | "normal" | "ar1" if p["sd"] == 0.0:
            return p["mean"]
        case "uniform" | "triangular" if p["low"] == p["high"]:
            return p["low"]
        case "poisson" if p["mean"] == 0.0:
            return 0.0
    return None


def block_of(quantity: Quantity) -> Block:
    """How a quantity is drawn; the function may remember (``ar1`` does): one a stream.

    A time is never negative: a ``normal`` or ``ar1`` time below zero becomes zero.

    Examples
    --------
    >>> draw = block_of(Quantity("uniform", (("low", 2.0), ("high", 3.0))))
    >>> draw(np.random.default_rng(1), 3).round(3).tolist()
    [2.512, 2.95, 2.144]
    """
    block = _KINDS[quantity.kind](quantity)
    if quantity.time and quantity.kind in ("normal", "ar1"):
        return lambda g, n: np.maximum(block(g, n), 0.0)
    return block


def log_moments(mean: float, sd: float) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm of a lognormal.

    Examples
    --------
    >>> mu, sigma = log_moments(5.0, 2.0)
    >>> round(mu, 4), round(sigma, 4)
    (1.5352, 0.3853)
    """
    variance = log1p((sd / mean) ** 2)
    return log(mean) - variance / 2, sqrt(variance)


# ---- blocks, by kind ----------------------------------------------------------------------------


def _exponential(q: Quantity) -> Block:
    mean = q.get("mean")
    return lambda g, n: mean * g.standard_exponential(n)


def _lognormal(q: Quantity) -> Block:
    mu, sigma = log_moments(q.get("mean"), q.get("sd"))
    return lambda g, n: np.exp(mu + sigma * g.standard_normal(n))


def _gamma(q: Quantity) -> Block:
    # Inverted, since NumPy's rejection uses up more or less luck as the shape changes.
    shape, scale = _gamma_terms(q)
    return lambda g, n: scale * special.gammaincinv(shape, g.random(n))


def _erlang(q: Quantity) -> Block:
    phases, mean = int(q.get("k")), q.get("mean")
    if phases > _SUMMED:
        return _gamma(q)
    return lambda g, n: g.standard_exponential((n, phases)).sum(axis=1) * (mean / phases)


def _weibull(q: Quantity) -> Block:
    scale, power = q.get("scale"), 1.0 / q.get("shape")
    return lambda g, n: scale * g.standard_exponential(n) ** power


def _normal(q: Quantity) -> Block:
    mean, sd = q.get("mean"), q.get("sd")
    return lambda g, n: mean + sd * g.standard_normal(n)


def _uniform(q: Quantity) -> Block:
    low, width = q.get("low"), q.get("high") - q.get("low")
    return lambda g, n: low + width * g.random(n)


def _triangular(q: Quantity) -> Block:
    low, mode, high = q.get("low"), q.get("mode"), q.get("high")
    width = high - low
    rising, falling, peak = width * (mode - low), width * (high - mode), (mode - low) / width

    def block(g: np.random.Generator, n: int) -> Values:
        u = g.random(n)
        return np.where(u < peak, low + np.sqrt(u * rising), high - np.sqrt((1.0 - u) * falling))

    return block


def _poisson(q: Quantity) -> Block:
    mean = q.get("mean")
    if mean > _COUNTED:
        return lambda g, n: np.maximum(np.rint(mean + sqrt(mean) * g.standard_normal(n)), 0.0)
    least, below = _poisson_table(mean)
    return lambda g, n: least + np.searchsorted(below, g.random(n), side="right").astype(float)


def _geometric(q: Quantity) -> Block:
    step, rate = q.get("step"), _rate(q.get("p"))
    return lambda g, n: step * np.maximum(np.ceil(g.standard_exponential(n) / rate), 1.0)


def _chosen(q: Quantity) -> Block:
    values, below = _steps(q.values, q.weights)
    return lambda g, n: values[np.searchsorted(below, g.random(n), side="right")]


def _ar1(q: Quantity) -> Block:
    mean, sd, phi = q.get("mean"), q.get("sd"), q.get("phi")
    shock, last = sd * sqrt(1.0 - phi * phi), None

    def block(g: np.random.Generator, n: int) -> Values:
        nonlocal last
        found = []
        for z in g.standard_normal(n).tolist():
            last = sd * z if last is None else phi * last + shock * z
            found.append(last)
        return mean + np.array(found)

    return block


_KINDS: dict[str, Callable[[Quantity], Block]] = {
    "exponential": _exponential, "lognormal": _lognormal, "gamma": _gamma, "erlang": _erlang,
    "weibull": _weibull, "normal": _normal, "uniform": _uniform, "triangular": _triangular,
    "poisson": _poisson, "geometric": _geometric, "discrete": _chosen, "empirical": _chosen,
    "ar1": _ar1,
}


def _gamma_terms(q: Quantity) -> tuple[float, float]:
    """Shape and scale of a gamma or an Erlang."""
    mean = q.get("mean")
    shape = q.get("k") if q.kind == "erlang" else (mean / q.get("sd")) ** 2
    return shape, mean / shape


def _rate(p: float) -> float:
    """The exponential rate whose rounded-up draws are geometric with chance `p`."""
    return inf if p >= 1.0 else -log1p(-p)


def _poisson_table(mean: float) -> tuple[int, Values]:
    """The least count of any likelihood, and P(count <= k) from there on."""
    sd = sqrt(mean)
    least = max(0, floor(mean - 10 * sd))
    return least, special.pdtr(np.arange(least, ceil(mean + 12 * sd) + 40), mean)


def _steps(values: Sequence[float], weights: Sequence[float]) -> tuple[Values, Values]:
    """Values in rising order, and the share at or below each but the last."""
    array = np.array(values)
    order = np.argsort(array, kind="stable")
    shares = np.array(weights)[order] if weights else np.ones(len(array))
    below = np.cumsum(shares)
    # Luck is below 1, but a rounded sum may be too: values of weight 0 at the end are never drawn.
    last = int(np.flatnonzero(shares)[-1])
    return array[order], (below / below[-1])[:last]


# ---- what is left, by kind ----------------------------------------------------------------------


def left(quantity: Quantity, age: float, luck: float) -> float:
    """What is left of a time that has lasted `age`: T - age given T > age, zero if it cannot.

    Parameters
    ----------
    quantity
        The law of the whole time T. An ``ar1`` counts as the normal that it is in the long run; of
        a ``series``, any value longer than `age` is as likely.
    luck
        Uniform in [0, 1); more luck is a longer rest.

    Examples
    --------
    >>> left(Quantity("uniform", (("low", 2.0), ("high", 6.0))), 4.0, 0.5)
    1.0
    """
    age = max(0.0, age)
    sure = certain(quantity)
    if sure is not None:
        return max(0.0, sure - age)
    return max(0.0, _LEFT[quantity.kind](quantity, age, luck))


def _left_exponential(q: Quantity, age: float, luck: float) -> float:
    return -q.get("mean") * log1p(-luck)


def _left_lognormal(q: Quantity, age: float, luck: float) -> float:
    mu, sigma = log_moments(q.get("mean"), q.get("sd"))
    standing = (log(age) - mu) / sigma if age > 0.0 else -inf
    return exp(mu + sigma * _above(standing, luck)) - age


def _left_normal(q: Quantity, age: float, luck: float) -> float:
    mean, sd = q.get("mean"), q.get("sd")
    return mean + sd * _above((age - mean) / sd, luck) - age


def _above(standing: float, luck: float) -> float:
    """A standard normal draw above `standing`, right in the farthest tail too."""
    return -float(special.ndtri_exp(special.log_ndtr(-standing) + log1p(-luck)))


def _left_gamma(q: Quantity, age: float, luck: float) -> float:
    shape, scale = _gamma_terms(q)
    x = age / scale
    alive = float(special.gammaincc(shape, x))
    if alive < 1e-280:  # beyond the reach of a float the rest is exponential, by the hazard there
        return -scale * log1p(-luck) / (1.0 - (shape - 1.0) / x)
    return scale * float(special.gammainccinv(shape, alive * (1.0 - luck))) - age


def _left_weibull(q: Quantity, age: float, luck: float) -> float:
    scale, shape = q.get("scale"), q.get("shape")
    risk, more = (age / scale) ** shape, -log1p(-luck)  # cumulative hazard, and what is to come
    if risk > more:  # without the cancellation of two long times
        return age * expm1(log1p(more / risk) / shape)
    return scale * float((risk + more) ** (1.0 / shape)) - age


def _left_uniform(q: Quantity, age: float, luck: float) -> float:
    low, high = max(q.get("low"), age), q.get("high")
    return low + luck * (high - low) - age if high > age else 0.0


def _left_triangular(q: Quantity, age: float, luck: float) -> float:
    low, mode, high = q.get("low"), q.get("mode"), q.get("high")
    width = high - low
    if age >= high:
        return 0.0
    if age <= low:
        alive = 1.0
    elif age < mode:
        alive = 1.0 - (age - low) ** 2 / (width * (mode - low))
    else:
        alive = (high - age) ** 2 / (width * (high - mode))
    alive *= 1.0 - luck
    if alive * width <= high - mode:
        return high - sqrt(alive * width * (high - mode)) - age
    return low + sqrt((1.0 - alive) * width * (mode - low)) - age


def _left_poisson(q: Quantity, age: float, luck: float) -> float:
    mean = q.get("mean")
    if mean > _COUNTED:
        return _left_normal(Quantity("normal", (("mean", mean), ("sd", sqrt(mean)))), age, luck)
    least, below = _poisson_table(mean)
    gone = float(special.pdtr(floor(age), mean))
    if gone >= 1.0:
        return 0.0
    place = np.searchsorted(below, gone + (1.0 - gone) * luck, side="right")
    return least + float(place) - age


def _left_geometric(q: Quantity, age: float, luck: float) -> float:
    step = q.get("step")
    done = floor(age / step + 1e-9)
    return (done + max(1, ceil(-log1p(-luck) / _rate(q.get("p"))))) * step - age


def _left_chosen(q: Quantity, age: float, luck: float) -> float:
    longer = [place for place, value in enumerate(q.values) if value > age]
    weights = [q.weights[place] for place in longer] if q.weights else []
    if not longer or (weights and not any(weights)):
        return 0.0
    values, below = _steps([q.values[place] for place in longer], weights)
    return float(values[np.searchsorted(below, luck, side="right")]) - age


_LEFT: dict[str, Callable[[Quantity, float, float], float]] = {
    "exponential": _left_exponential, "lognormal": _left_lognormal, "normal": _left_normal,
    "ar1": _left_normal, "gamma": _left_gamma, "erlang": _left_gamma, "weibull": _left_weibull,
    "uniform": _left_uniform, "triangular": _left_triangular, "poisson": _left_poisson,
    "geometric": _left_geometric, "discrete": _left_chosen, "empirical": _left_chosen,
    "series": _left_chosen,
}
