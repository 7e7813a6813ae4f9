"""Named streams of random numbers: the luck of one replication.

The seed enters once. Each (actor, purpose) owns a stream, found by a hash of its name, so that
adding an actor leaves the luck of all others alone and two scenarios share theirs (common random
numbers). Draws come in blocks and are handed out one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import chain, repeat

import numpy as np

from twin.quantity import Quantity
from twin.simulate.draws import block_of, certain, left

Draw = Callable[[], float]

#: Sizes of a stream's first block and of its largest. A stream used thrice costs little; blocks
#: beyond 256 are no quicker and hold more memory, and there may be tens of thousands.
_FIRST, _LARGEST = 16, 256
_UNIT = Quantity("uniform", (("low", 0.0), ("high", 1.0)))


class SeriesEnded(ValueError):
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

    __slots__ = ("_given", "_root", "replication", "seed")

    def __init__(self, seed: int, replication: int = 0) -> None:
        self.seed = seed
        self.replication = replication
        # What a SeedSequence makes of ``seed, spawn_key=(replication, ...)``, made once for all.
        self._root = _words(seed, 4) + _words(replication, 1)
        self._given: dict[tuple[str, str], tuple[Quantity, Draw]] = {}

    def draw(self, actor: str, purpose: str, quantity: Quantity) -> Draw:
        """A function that gives one value after another.

        Asked again for the same quantity, the function is the same one: it continues the stream.
        A time is never negative: a ``normal`` or ``ar1`` time below zero becomes zero.

        Raises
        ------
        ValueError
            If the stream draws another quantity already: whose luck would the values be?
        SeriesEnded
            By the function, when a recorded series has no more values.

        Examples
        --------
        >>> from twin.quantity import parse_quantity
        >>> size = Streams(1).draw("C1", "size", parse_quantity("series(3, 5)", False))
        >>> size(), size()
        (3.0, 5.0)
        """
        name = (actor, purpose)
        given = self._given.get(name)
        if given is not None:
            if given[0] != quantity:
                raise ValueError(
                    f"the stream '{actor}, {purpose}' draws {given[0]} already, so it cannot draw "
                    f"{quantity}. Give each quantity a purpose of its own."
                )
            return given[1]
        draw = self._draw(actor, purpose, quantity)
        self._given[name] = (quantity, draw)
        return draw

    def uniform(self, actor: str, purpose: str) -> Draw:
        """A function that gives values in [0, 1)."""
        return self.draw(actor, purpose, _UNIT)

    def remaining(self, actor: str, purpose: str, quantity: Quantity, age: float) -> float:
        """One draw of what is left of a time that has lasted `age`: T - age given T > age.

        Zero where the time cannot last that long. These draws have a stream of their own.

        Examples
        --------
        >>> from twin.quantity import parse_quantity
        >>> Streams(1).remaining("M1", "repair", parse_quantity("constant(5h)", True), 3.0)
        2.0
        """
        return left(quantity, age, self.uniform(actor, f"{purpose}, left")())

    def _draw(self, actor: str, purpose: str, quantity: Quantity) -> Draw:
        value = certain(quantity)
        if value is not None:
            return repeat(value).__next__
        if quantity.kind == "series":
            return _recorded(actor, purpose, quantity)
        # Of all ways to hand out a block, the quickest measured: no Python frame for each value,
        # and the values of thousands of streams stay small, eight bytes each.
        return chain.from_iterable(self._blocks(actor, purpose, quantity)).__next__

    def _blocks(self, actor: str, purpose: str, quantity: Quantity) -> Iterator[array[float]]:
        """Growing blocks of values; nothing is made before the first is asked for."""
        generator = self.generator(actor, purpose)
        block = block_of(quantity)
        size = _FIRST
        while True:
            yield array("d", block(generator, size).astype(float, copy=False).tobytes())
            size = min(_LARGEST, 2 * size)

    def generator(self, actor: str, purpose: str) -> np.random.Generator:
        """The generator of a name, at its beginning."""
        name = f"{actor}\x00{purpose}".encode()
        words = np.frombuffer(self._root + blake2b(name, digest_size=16).digest(), "<u4")
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(words)))


def _words(number: int, least: int) -> bytes:
    """A whole number as words of four bytes, so many at least."""
    return number.to_bytes(4 * max(least, (number.bit_length() + 31) // 32), "little")


def _recorded(actor: str, purpose: str, quantity: Quantity) -> Draw:
    """Recorded values, in order."""
    values = iter(quantity.values)

    def following() -> float:
        for value in values:
            return value
        raise SeriesEnded(
            f"{actor}, {purpose}: the series holds {len(quantity.values)} values and the run needs "
            "more. Shorten the horizon, or use empirical(...) to draw from them."
        )

    return following
