"""Anomalies of one signal: a value far from what was expected, or a spell far from the usual."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.sense.rhythm import Rhythm
from twin.sense.statistic import Statistic


@dataclass(frozen=True, slots=True)
class Strangeness:
    """How strange a signal is now; 1 or more is an anomaly.

    Attributes
    ----------
    spike
        The last value against its expectation, over its limit.
    shift
        The mean of the last spell against the long run, over its limit.
    expected
        What was expected of the last value.
    """

    spike: float = 0.0
    shift: float = 0.0
    expected: float = math.nan

    @property
    def score(self) -> float:
        """The larger of both."""
        return max(self.spike, self.shift)

    @property
    def what(self) -> str:
        """In words."""
        if self.score < 1.0:
            return "as usual"
        return "a value far from its expectation" if self.spike >= self.shift else \
            "a spell far from the long run"


class Spread:
    """Mean and standard deviation with a long memory; all values weigh alike until it is full."""

    def __init__(self, memory: int) -> None:
        self.memory, self.count, self.mean, self.variance = memory, 0, 0.0, 0.0

    def learn(self, value: float) -> None:
        """Take in a value."""
        self.count += 1
        gain = max(1 / self.count, 1 / self.memory)
        error = value - self.mean
        self.mean += gain * error
        self.variance = (1 - gain) * (self.variance + gain * error * error)

    def distance(self, value: float) -> float:
        """Standard deviations from the mean; 0 where nothing has varied yet."""
        sd = math.sqrt(self.variance)
        floor = 1e-9 * (abs(self.mean) + 1.0)
        return abs(value - self.mean) / sd if sd > floor else 0.0


class SignalWatch(Statistic[tuple[float, float], Strangeness]):
    """Watches one signal of any unit, without being told what is normal.

    Parameters
    ----------
    spike
        Limit of a single value: standard deviations of past errors of expectation.
    shift
        Limit of a spell: standard deviations of past spells.
    spell
        Values in a spell.
    memory
        Values after which the past fades.

    Notes
    -----
    The limits are wider than the 3 sigma of control charts, since a false alarm costs attention: of
    normal noise one in about 30,000 values raises one; where errors have heavy tails, single values
    do so more often, and two of three should agree. Both are the same for every signal. Nothing is
    said before `spell` values were heard.

    Examples
    --------
    >>> watch = SignalWatch()
    >>> for minute in range(600):
    ...     watch.update((60.0 * minute, 20.0 + 0.1 * (minute % 7)))
    >>> watch.get().what
    'as usual'
    >>> watch.update((36_000.0, 26.0))
    >>> watch.get().what
    'a value far from its expectation'
    """

    hears = ("timed",)

    def __init__(self, spike: float = 5.0, shift: float = 3.5, spell: int = 100,
                 memory: int = 4000) -> None:
        self.spike, self.shift, self.spell = spike, shift, spell
        self.rhythm = Rhythm(memory=memory // 2)
        self.errors, self.spells = Spread(memory // 2), Spread(memory)
        self._mean, self._seen = 0.0, 0
        self._now = Strangeness()

    def update(self, heard: tuple[float, float]) -> None:
        """Take in a time (seconds) and a value."""
        time, value = heard
        self._seen += 1
        expected = self.rhythm.expect(time)
        error = value - expected if expected == expected else 0.0
        spike = self.errors.distance(error) / self.spike
        if spike > 1.0 and self._seen > self.spell:
            value = expected + error / spike  # one wild value makes no spell, and no habit
        self._mean += max(2 / (self.spell + 1), 1 / self._seen) * (value - self._mean)
        if self._seen > self.spell:
            self._now = Strangeness(spike, self.spells.distance(self._mean) / self.shift, expected)
        self.errors.learn(error)
        self.spells.learn(self._mean)
        self.rhythm.update((time, value))

    def get(self) -> Strangeness:
        """How strange the last value was."""
        return self._now
