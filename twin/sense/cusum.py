"""CUSUM: has the mean of a standardised signal moved, by sums of what exceeds an allowance."""

from __future__ import annotations

from dataclasses import dataclass

from twin.sense.statistic import Statistic


@dataclass(frozen=True, slots=True)
class Drift:
    """What a CUSUM knows: the two sums, whether one is above its limit, and since which update."""

    up: float
    down: float
    alarm: bool
    began: int  #: the update after which the sum last stood at zero: where the change began

    @property
    def size(self) -> float:
        """The larger sum."""
        return max(self.up, self.down)


class Cusum(Statistic[float, Drift]):
    """Two one-sided sums of standardised values (tabular CUSUM, Page 1954).

    Parameters
    ----------
    allowance
        k, in standard deviations: half of the shift worth finding.
    limit
        h, in standard deviations. With k 0.5 and h 5 a false alarm comes every 465 values on
        average, a shift of one standard deviation is found after 10.4 (Montgomery, *Introduction
        to Statistical Quality Control*).

    Examples
    --------
    >>> cusum = Cusum()
    >>> for value in [0.2, -0.3, 2.0, 2.0, 2.0, 2.0]:
    ...     cusum.update(value)
    >>> cusum.get()
    Drift(up=6.0, down=0.0, alarm=True, began=2)
    """

    hears = ("number",)

    def __init__(self, allowance: float = 0.5, limit: float = 5.0) -> None:
        self.allowance, self.limit = allowance, limit
        self.up = self.down = 0.0
        self.seen = self._up_from = self._down_from = 0

    def update(self, heard: float) -> None:
        """Take in one standardised value."""
        self.seen += 1
        self.up = max(0.0, self.up + heard - self.allowance)
        self.down = max(0.0, self.down - heard - self.allowance)
        if self.up == 0.0:
            self._up_from = self.seen
        if self.down == 0.0:
            self._down_from = self.seen

    def get(self) -> Drift:
        """The sums now."""
        began = self._up_from if self.up >= self.down else self._down_from
        return Drift(self.up, self.down, max(self.up, self.down) > self.limit, began)

    def restart(self) -> None:
        """Begin again at zero, as after an alarm that was dealt with."""
        self.up = self.down = 0.0
        self._up_from = self._down_from = self.seen
