"""Arrivals: how readings reach us, one by one: twice, out of order, or with a wrong clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from twin.readings import Reading
from twin.sense.statistic import Statistic


@dataclass(frozen=True, slots=True)
class Manners:
    """Readings that came, by what was wrong with how they came."""

    heard: int = 0
    duplicates: int = 0
    disordered: int = 0
    ahead: int = 0  #: dated after they became known: the sensor's clock is fast


class Arrivals(Statistic[Reading, Manners]):
    """Counts readings of one sensor as they arrive.

    Parameters
    ----------
    remembered
        Ids that are kept to know a duplicate by.
    tolerance
        Seconds that two clocks may differ.

    Examples
    --------
    >>> arrivals = Arrivals()
    >>> for id, time in [("1", 60.0), ("3", 180.0), ("2", 120.0), ("3", 180.0)]:
    ...     arrivals.update(Reading(sensor="t", id=id, time=time, kind="temperature",
    ...                             recorded=200.0, site="W", value=4.0))
    >>> arrivals.get()
    Manners(heard=4, duplicates=1, disordered=1, ahead=0)
    """

    hears = ("temperature",)

    def __init__(self, remembered: int = 512, tolerance: float = 60.0) -> None:
        self.tolerance = tolerance
        self._order: deque[str] = deque(maxlen=remembered)
        self._ids: set[str] = set()
        self._latest = float("-inf")
        self._counts = [0, 0, 0, 0]

    def update(self, heard: Reading) -> None:
        """Take in one reading."""
        self._counts[0] += 1
        if heard.id in self._ids:
            self._counts[1] += 1
            return
        if len(self._order) == self._order.maxlen:
            self._ids.discard(self._order[0])
        self._order.append(heard.id)
        self._ids.add(heard.id)
        self._counts[2] += heard.time < self._latest
        self._counts[3] += heard.time > heard.recorded + self.tolerance
        self._latest = max(self._latest, heard.time)

    def get(self) -> Manners:
        """The counts so far."""
        return Manners(*self._counts)
