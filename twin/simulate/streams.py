"""Named streams of random numbers: the luck of one replication.

The seed enters once. Each (actor, purpose) owns a stream, found by a hash of its name, so that
adding an actor leaves the luck of all others alone and two scenarios share theirs (common random
numbers). Draws come in blocks and are handed out one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from math import inf, log, sqrt

import numpy as np
from scipy import stats

from twin.quantity import Quantity

Draw = Callable[[], float]
_FIRST, _LAST = 16, 1024


class SeriesEnded(RuntimeError):
    """A recorded series was asked for more values than it holds."""


class Streams:
    """The random numbers of one replication.

    Parameters
    ----------
    seed, replication
        Two replications share no luck; the same pair is the same luck.

    Examples
    --------
    >>> from twin.quantity import parse_quantity
    >>> gap = parse_quantity("exponential(mean=2h)", True)
    >>> one, other = Streams(7, 0), Streams(7, 0)
    >>> _ = other.draw("somebody else", "gap", gap)()  # leaves our luck alone
    >>> one.draw("W1", "gap", gap)() == other.draw("W1", "gap", gap)()
    True
    """

    def __init__(self, seed: int, replication: int = 0) -> None:
        self.seed = seed
        self.replication = replication
        self.uses: dict[tuple[str, str], int] = {}

    def generator(self, actor: str, purpose: str) -> np.random.Generator:
        """A generator of its own for an actor's purpose; asked again, a further one."""
        use = self.uses.get((actor, purpose), 0)
        self.uses[actor, purpose] = use + 1
        name = f"{actor}\x00{purpose}\x00{use}".encode()
        words = np.frombuffer(blake2b(name, digest_size=16).digest(), dtype=np.uint32)
        sequence = np.random.SeedSequence(
            self.seed, spawn_key=(self.replication, *(int(word) for word in words)))
        return np.random.Generator(np.random.SFC64(sequence))

    def draw(self, actor: str, purpose: str, quantity: Quantity) -> Draw:
        """A function that gives one value after another; times are never negative.

        Raises
        ------
        SeriesEnded
            When a recorded series has no more values.
        """
        if quantity.kind == "constant":
            value = quantity.mean()
            return lambda: value
        if quantity.kind == "series":
            return _recorded(f"{actor}: {purpose}", quantity)
        block = _BLOCKS[quantity.kind]
        use = self.uses.get((actor, purpose), 0)
        self.uses[actor, purpose] = use + 1
        return _Blocks(self, actor, purpose, use, block, quantity).pop

    def uniform(self, actor: str, purpose: str) -> Draw:
        """A function that gives values between 0 and 1."""
        return self.draw(actor, purpose, Quantity("uniform", (("low", 0.0), ("high", 1.0))))

    def remaining(self, actor: str, purpose: str, quantity: Quantity, age: float) -> float:
        """One draw of what is left of a time that has lasted `age`: T - age given T > age.

        Zero where the time cannot last that long.

        Examples
        --------
        >>> from twin.quantity import parse_quantity
        >>> Streams(1).remaining("M1", "repair", parse_quantity("constant(5h)", True), 3.0)
        2.0
        """
        age = max(0.0, age)
        kind = quantity.kind
        if kind == "constant":
            return max(0.0, quantity.mean() - age)
        luck = self.generator(actor, f"{purpose} left").random()
        if quantity.values:
            weights = quantity.weights or (1.0 / len(quantity.values),) * len(quantity.values)
            rest = [(v, w) for v, w in zip(quantity.values, weights, strict=True) if v > age]
            total = sum(weight for _, weight in rest)
            for value, weight in sorted(rest):
                luck -= weight / total
                if luck <= 0.0:
                    return value - age
            return 0.0
        if kind == "geometric":
            step = quantity.get("step")
            done = int(age / step + 1e-9)
            chance = quantity.get("p")
            more = 1 if chance >= 1.0 else max(1, int(np.ceil(log(1.0 - luck) / log(1.0 - chance))))
            return (done + more) * step - age
        law = _law(quantity)
        alive = float(law.sf(age))
        if alive <= 0.0:
            return 0.0
        value = float(law.isf(alive * (1.0 - luck)))
        return max(0.0, value - age) if value < inf else 0.0


class _Blocks:
    """Hands out pre-drawn values; blocks grow, so that a stream used thrice costs little."""

    __slots__ = ("streams", "actor", "purpose", "use", "block", "quantity", "values", "size",
                 "generator", "clip", "last")

    def __init__(self, streams: Streams, actor: str, purpose: str, use: int,
                 block: Callable[..., np.ndarray], quantity: Quantity) -> None:
        self.streams, self.actor, self.purpose, self.use = streams, actor, purpose, use
        self.block = block
        self.quantity = quantity
        self.values: list[float] = []
        self.size = _FIRST
        self.generator: np.random.Generator | None = None
        self.clip = quantity.time
        self.last = 0.0

    def pop(self) -> float:
        """The next value."""
        try:
            return self.values.pop()
        except IndexError:
            self._fill()
            return self.values.pop()

    def _fill(self) -> None:
        if self.generator is None:
            used = self.streams.uses[self.actor, self.purpose]
            self.streams.uses[self.actor, self.purpose] = self.use
            self.generator = self.streams.generator(self.actor, self.purpose)
            self.streams.uses[self.actor, self.purpose] = max(used, self.use + 1)
        if self.quantity.kind == "ar1":
            drawn = self._autoregressive()
        else:
            drawn = self.block(self.generator, self.quantity, self.size)
        if self.clip:
            drawn = np.maximum(drawn, 0.0)
        self.values = drawn[::-1].tolist()
        self.size = min(_LAST, self.size * 4)

    def _autoregressive(self) -> np.ndarray:
        q = self.quantity
        mean, sd, phi = q.get("mean"), q.get("sd"), q.get("phi")
        assert self.generator is not None
        noise = self.generator.standard_normal(self.size)
        fresh = self.size == _FIRST
        last, step, values = self.last, sd * sqrt(max(0.0, 1.0 - phi * phi)), []
        for place, shock in enumerate(noise):
            last = sd * shock if fresh and place == 0 else phi * last + step * shock
            values.append(last)
        self.last = last
        return mean + np.array(values)


def _recorded(name: str, quantity: Quantity) -> Draw:
    """Recorded values, in order."""
    values = iter(quantity.values)

    def following() -> float:
        try:
            return next(values)
        except StopIteration:
            raise SeriesEnded(
                f"{name}: the series holds {len(quantity.values)} values and the run needs more. "
                "Shorten the horizon, or use empirical(...) to draw from them.") from None

    return following


def lognormal_parameters(mean: float, sd: float) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm."""
    variance = log(1.0 + (sd / mean) ** 2) if mean > 0.0 else 0.0
    return (log(mean) - variance / 2.0 if mean > 0.0 else -inf), sqrt(variance)


def _lognormal(g: np.random.Generator, q: Quantity, n: int) -> np.ndarray:
    mu, sigma = lognormal_parameters(q.get("mean"), q.get("sd"))
    return np.exp(mu + sigma * g.standard_normal(n))


def _gamma(g: np.random.Generator, q: Quantity, n: int) -> np.ndarray:
    mean, sd = q.get("mean"), q.get("sd")
    if sd == 0.0:
        return np.full(n, mean)
    return g.standard_gamma((mean / sd) ** 2, n) * (sd * sd / mean)


def _weibull(g: np.random.Generator, q: Quantity, n: int) -> np.ndarray:
    return q.get("scale") * g.standard_exponential(n) ** (1.0 / q.get("shape"))


def _erlang(g: np.random.Generator, q: Quantity, n: int) -> np.ndarray:
    k = int(q.get("k"))
    return g.standard_exponential((n, k)).sum(axis=1) * (q.get("mean") / k)


def _triangular(g: np.random.Generator, q: Quantity, n: int) -> np.ndarray:
    low, mode, high = q.get("low"), q.get("mode"), q.get("high")
    u = g.random(n)
    if high <= low:
        return np.full(n, low)
    edge = (mode - low) / (high - low)
    return np.where(u < edge, low + np.sqrt(u * (high - low) * (mode - low)),
                    high - np.sqrt((1.0 - u) * (high - low) * (high - mode)))


def _chosen(g: np.random.Generator, q: Quantity, n: int) -> np.ndarray:
    values = np.array(q.values)
    if not q.weights:
        return values[(g.random(n) * len(values)).astype(int)]
    edges = np.cumsum(q.weights)
    places = np.searchsorted(edges / edges[-1], g.random(n), side="right")
    return values[np.minimum(places, len(values) - 1)]


_BLOCKS: dict[str, Callable[[np.random.Generator, Quantity, int], np.ndarray]] = {
    "exponential": lambda g, q, n: q.get("mean") * g.standard_exponential(n),
    "lognormal": _lognormal,
    "gamma": _gamma,
    "weibull": _weibull,
    "poisson": lambda g, q, n: g.poisson(q.get("mean"), n).astype(float),
    "normal": lambda g, q, n: q.get("mean") + q.get("sd") * g.standard_normal(n),
    "uniform": lambda g, q, n: q.get("low") + (q.get("high") - q.get("low")) * g.random(n),
    "triangular": _triangular,
    "erlang": _erlang,
    "geometric": lambda g, q, n: g.geometric(q.get("p"), n) * q.get("step"),
    "discrete": _chosen,
    "empirical": _chosen,
    "ar1": lambda g, q, n: np.empty(0),
}


def _law(q: Quantity) -> stats.rv_continuous:
    """The distribution of a continuous quantity, in scipy's terms."""
    match q.kind:
        case "exponential":
            return stats.expon(scale=q.get("mean"))
        case "lognormal":
            mu, sigma = lognormal_parameters(q.get("mean"), q.get("sd"))
            return stats.lognorm(sigma, scale=np.exp(mu))
        case "gamma":
            shape = (q.get("mean") / q.get("sd")) ** 2
            return stats.gamma(shape, scale=q.get("mean") / shape)
        case "erlang":
            return stats.gamma(q.get("k"), scale=q.get("mean") / q.get("k"))
        case "weibull":
            return stats.weibull_min(q.get("shape"), scale=q.get("scale"))
        case "uniform":
            return stats.uniform(q.get("low"), q.get("high") - q.get("low"))
        case "triangular":
            low, mode, high = q.get("low"), q.get("mode"), q.get("high")
            return stats.triang((mode - low) / (high - low), loc=low, scale=high - low)
        case "poisson":
            return stats.poisson(q.get("mean"))
        case _:
            return stats.norm(q.get("mean"), q.get("sd"))
