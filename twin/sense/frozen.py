"""Frozen sensors: a value that stands still where it never stood still before."""

from __future__ import annotations

import math

from twin.sense.statistic import Statistic


class Frozen(Statistic[float, int]):
    """How many values belong to runs of equal values that luck does not explain.

    A value repeats with the chance that this sensor's values have repeated with so far. A run is
    frozen once its chance falls below `luck`; a door that is closed for hours is not frozen, since
    its value nearly always repeats.

    Parameters
    ----------
    luck
        Chance below which a run is not believed.
    shortest
        Values of a run, at least.

    Examples
    --------
    >>> frozen = Frozen()
    >>> for value in [4.1, 4.3, 4.2, 4.2, 4.4, 4.1, 4.0, 4.3] + [4.2] * 12:
    ...     frozen.update(value)
    >>> frozen.get()
    12
    >>> door = Frozen()
    >>> for value in [0.0] * 300 + [1.0] * 3 + [0.0] * 300:
    ...     door.update(value)
    >>> door.get()
    0
    """

    hears = ("number",)

    def __init__(self, luck: float = 1e-6, shortest: int = 10) -> None:
        self.luck, self.shortest = luck, shortest
        self.frozen = 0
        self._last = math.nan
        self._run = 1
        self._changes, self._repeats = 0, 0

    def update(self, heard: float) -> None:
        """Take in one value."""
        if heard == self._last:
            self._run += 1
        elif self._last == self._last:
            # What a frozen run repeats says nothing about how the sensor behaves when it is well.
            if not self._is_frozen():
                self._repeats += self._run - 1
            self._changes += 1
            self.frozen += self._run if self._is_frozen() else 0
            self._run = 1
        self._last = heard

    def get(self) -> int:
        """Frozen values so far, the present run among them."""
        return self.frozen + (self._run if self._is_frozen() else 0)

    def _is_frozen(self) -> bool:
        if self._run < self.shortest or self._changes < 3:
            return False
        repeat = (self._repeats + 1) / (self._repeats + self._changes + 2)
        return (self._run - 1) * math.log(repeat) < math.log(self.luck)
