"""Debounce: a value that flaps around a limit raises one alert, not a hundred."""

from __future__ import annotations

from collections import deque

from twin.sense.statistic import Statistic


class Debounce(Statistic[float, bool]):
    """On after `m` of the last `n` values at or above 1; off after `calm` in a row below `clear`.

    Values are severities: the measured one over its limit, so that 1 is the limit. Between `clear`
    and 1 (hysteresis) an alert neither begins nor ends.

    Parameters
    ----------
    m, n
        How many of how many.
    clear
        Below it, a value is calm.
    calm
        Calm values in a row that end it; 0 is as many as `n`.

    Examples
    --------
    >>> alarm = Debounce(m=2, n=3, calm=2)
    >>> said = []
    >>> for value in [1.2, 0.8, 1.1, 0.95, 0.5, 1.0, 0.6, 0.4]:
    ...     alarm.update(value)
    ...     said.append(alarm.get())
    >>> said
    [False, False, True, True, True, True, True, False]
    """

    hears = ("number",)

    def __init__(self, m: int = 3, n: int = 5, clear: float = 0.9, calm: int = 0) -> None:
        if not 1 <= m <= n:
            raise ValueError(f"m {m} of n {n} cannot be. Write 1 <= m <= n, such as 3 of 5.")
        self.m, self.clear, self.calm = m, clear, calm or n
        self.on = False
        self._over: deque[bool] = deque(maxlen=n)
        self._calm = 0

    def update(self, heard: float) -> None:
        """Take in one severity."""
        if self.on:
            self._calm = self._calm + 1 if heard < self.clear else 0
            if self._calm >= self.calm:
                self.on = False
                self._over.clear()
            return
        self._over.append(heard >= 1.0)
        if sum(self._over) >= self.m:
            self.on, self._calm = True, 0

    def get(self) -> bool:
        """Whether the condition holds."""
        return self.on
