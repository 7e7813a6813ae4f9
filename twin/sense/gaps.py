"""Gaps: readings that a sensor should have sent and did not."""

from __future__ import annotations

import math

from twin.sense.moving_median import MovingMedian
from twin.sense.statistic import Statistic


class Gaps(Statistic[float, float]):
    """How many readings are missing between those that came, in order of time.

    Parameters
    ----------
    interval
        Seconds between readings; 0 is the median of the last 25 pauses.
    patience
        A pause of so many intervals is no gap yet.

    Examples
    --------
    A reading every minute, five of them missing:

    >>> gaps = Gaps(interval=60.0)
    >>> for time in [0.0, 60.0, 120.0, 480.0, 540.0]:
    ...     gaps.update(time)
    >>> gaps.get()
    5.0
    """

    hears = ("number",)

    def __init__(self, interval: float = 0.0, patience: float = 2.5) -> None:
        self.interval, self.patience = interval, patience
        self.missing = 0.0
        self._last = math.nan
        self._pauses = MovingMedian(25)

    def update(self, heard: float) -> None:
        """Take in the time of a reading, seconds."""
        pause = heard - self._last
        if pause <= 0:
            return
        self._last = heard
        if pause != pause:
            return
        usual = self.interval or self._pauses.median
        if usual > 0 and pause > self.patience * usual:
            self.missing += round(pause / usual) - 1
        elif not self.interval:
            self._pauses.update(pause)

    def get(self) -> float:
        """Readings missing so far."""
        return self.missing
