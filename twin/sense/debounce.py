"""Debounce: a value that flaps around a limit raises one alert, not a hundred."""

from __future__ import annotations

from collections import deque

from twin.sense.statistic import Statistic


class Debounce(Statistic[float, bool]):
    """On after `m` of the last `n` values at or above 1, off after `m` of `n` below `clear`.

    Values are severities: the measured one over its limit, so that 1 is the limit. Between `clear`
    and 1 (hysteresis) nothing changes.

    Parameters
    ----------
    m, n
        How many of how many.
    clear
        Below it, a value speaks for the end.

    Examples
    --------
    >>> alarm = Debounce(m=2, n=3)
    >>> said = []
    >>> for value in [1.2, 0.8, 1.1, 0.95, 0.97, 0.5, 1.0, 0.6, 0.4]:
    ...     alarm.update(value)
    ...     said.append(alarm.get())
    >>> said
    [False, False, True, True, True, True, True, False, False]
    """

    hears = ("number",)

    def __init__(self, m: int = 3, n: int = 5, clear: float = 0.9) -> None:
        if not 1 <= m <= n:
            raise ValueError(f"m {m} of n {n} cannot be. Write 1 <= m <= n, such as 3 of 5.")
        self.m, self.n, self.clear = m, n, clear
        self.on = False
        self._votes: deque[bool] = deque(maxlen=n)

    def update(self, heard: float) -> None:
        """Take in one severity."""
        self._votes.append(heard < self.clear if self.on else heard >= 1.0)
        if sum(self._votes) >= self.m:
            self.on = not self.on
            self._votes.clear()

    def get(self) -> bool:
        """Whether the condition holds."""
        return self.on
