"""The rhythm of a signal: what to expect now, from its recent level, its days and its weeks."""

from __future__ import annotations

import math

from twin.sense.statistic import Statistic

_DAY_S, _WEEK_S = 86_400.0, 604_800.0


class Habit:
    """What a signal usually is in each slot of a period, and how well that has foretold it.

    Parameters
    ----------
    period, slot
        Seconds; a period of 0 is no period: one slot, which is the recent level.
    gain
        Share of each new error that is learnt.
    """

    def __init__(self, period: float, slot: float, gain: float) -> None:
        self.period, self.slot, self.gain = period, slot, gain
        self.known: dict[int, tuple[float, int]] = {}
        self.error, self.tried = 0.0, 0

    def expect(self, time: float) -> float:
        """The value expected at a time; NaN in a slot that was never seen."""
        return self.known.get(self._slot(time), (math.nan, 0))[0]

    def learn(self, time: float, value: float, memory: int) -> None:
        """Take in a value."""
        slot = self._slot(time)
        mean, seen = self.known.get(slot, (value, 0))
        error = value - mean
        if seen:
            self.tried += 1
            self.error += max(1 / memory, 1 / self.tried) * (abs(error) - self.error)
        self.known[slot] = (mean + max(self.gain, 1 / (seen + 1)) * error, seen + 1)

    def _slot(self, time: float) -> int:
        return int(time % self.period // self.slot) if self.period else 0


class Rhythm(Statistic[tuple[float, float], float]):
    """What to expect next: of three habits, the one that has foretold the signal best so far.

    The recent level, the same half hour of other days, and the same half hour of other weeks. A
    habit counts once it was tried 200 times.

    Parameters
    ----------
    gain
        Share of each error that a habit learns.
    memory
        Values over which the errors of the habits are compared.

    Examples
    --------
    Warm days, cold nights; the third day is expected to be like the first two.

    >>> rhythm = Rhythm()
    >>> for half_hour in range(480):
    ...     rhythm.update((1800.0 * half_hour, 20.0 if half_hour % 48 >= 24 else 10.0))
    >>> rhythm.expect(1800.0 * 480), rhythm.expect(1800.0 * 504)
    (10.0, 20.0)
    """

    hears = ("timed",)
    tries = 200

    def __init__(self, gain: float = 0.3, memory: int = 2000) -> None:
        self.memory = memory
        self.habits = [Habit(0.0, 1.0, gain), Habit(_DAY_S, 1800.0, gain),
                       Habit(_WEEK_S, 1800.0, gain)]
        self._last = math.nan

    def update(self, heard: tuple[float, float]) -> None:
        """Take in a time (seconds) and a value."""
        time, value = heard
        self._last = time
        for habit in self.habits:
            habit.learn(time, value, self.memory)

    def expect(self, time: float) -> float:
        """The value expected at a time, before it is heard; NaN before the first."""
        best, least = self.habits[0].expect(time), math.inf
        for habit in self.habits:
            if habit.tried > self.tries and habit.error < least:
                expected = habit.expect(time)
                if expected == expected:
                    best, least = expected, habit.error
        return best

    def get(self) -> float:
        """The value expected if the last moment came again."""
        return self.expect(self._last) if self._last == self._last else math.nan
