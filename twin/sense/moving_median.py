"""A moving median and its spread: what is usual here, whatever the outliers."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass

from twin.sense.statistic import Statistic

#: The median absolute deviation of a normal is this share of its standard deviation.
MAD_OF_SD = 0.6744897501960817


@dataclass(frozen=True, slots=True)
class Usual:
    """Middle and robust standard deviation of the last values; NaN before the first."""

    median: float
    sd: float
    count: int


class MovingMedian(Statistic[float, Usual]):
    """Median and median absolute deviation of the last values.

    Parameters
    ----------
    window
        How many values.

    Examples
    --------
    >>> usual = MovingMedian(5)
    >>> for value in [4.0, 5.0, 90.0, 5.2, 4.9]:
    ...     usual.update(value)
    >>> usual.get().median, round(usual.get().sd, 3)
    (5.0, 0.297)
    """

    hears = ("number",)

    def __init__(self, window: int = 25) -> None:
        self.window = window
        self._last: deque[float] = deque()
        self._sorted: list[float] = []

    def update(self, heard: float) -> None:
        """Take in one value."""
        if len(self._last) == self.window:
            del self._sorted[bisect_left(self._sorted, self._last.popleft())]
        self._last.append(heard)
        insort(self._sorted, heard)

    def get(self) -> Usual:
        """Middle and spread now."""
        if not self._sorted:
            return Usual(math.nan, math.nan, 0)
        median = middle(self._sorted)
        mad = middle(sorted(abs(value - median) for value in self._sorted))
        return Usual(median, mad / MAD_OF_SD, len(self._sorted))

    @property
    def median(self) -> float:
        """The middle alone, which takes less than its spread; NaN before the first value."""
        return middle(self._sorted) if self._sorted else math.nan

    def last(self, back: int) -> float:
        """The value so many before the last one, which is 0."""
        return self._last[-1 - back]


def middle(ordered: list[float]) -> float:
    """The median of values in rising order.

    Examples
    --------
    >>> middle([1.0, 2.0, 9.0]), middle([1.0, 2.0])
    (2.0, 1.5)
    """
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
