"""Spikes: single values that neither their past nor their future agrees with (Hampel filter)."""

from __future__ import annotations

from twin.sense.moving_median import MovingMedian
from twin.sense.statistic import Statistic


class Spikes(Statistic[float, int]):
    """How many values stood out from the values around them.

    A value is judged when `half` later ones are known, so that a step to a new level is no spike.

    Parameters
    ----------
    half
        Values before and after.
    limit
        Robust standard deviations from the median around it.

    Examples
    --------
    >>> spikes = Spikes()
    >>> for value in [4.0, 4.1, 3.9, 4.0, 85.0, 4.1, 4.0, 3.9, 4.0, 4.2] + [9.0, 9.1] * 9:
    ...     spikes.update(value)
    >>> spikes.get()
    1
    """

    hears = ("number",)

    def __init__(self, half: int = 5, limit: float = 8.0) -> None:
        self.half, self.limit = half, limit
        self.spikes = 0
        self._around = MovingMedian(2 * half + 1)
        self._seen, self._step = 0, 0.0

    def update(self, heard: float) -> None:
        """Take in one value."""
        around = self._around
        around.update(heard)
        self._seen += 1
        if self._seen > 1:
            # The usual step is a floor for the spread: a coarse sensor repeats its values.
            step = abs(heard - around.last(1))
            step = min(step, 4.0 * self._step) if self._step else step
            self._step += max(1 / self._seen, 0.01) * (step - self._step)
        if self._seen > self.half:
            median = around.median
            away, floor = abs(around.last(self.half) - median), max(self._step, 1e-9 * abs(median))
            if away > self.limit * floor:  # else no spread, however small, makes it a spike
                self.spikes += away > self.limit * max(around.get().sd, floor) > 0

    def get(self) -> int:
        """Spikes so far; the last `half` values are not judged yet."""
        return self.spikes
