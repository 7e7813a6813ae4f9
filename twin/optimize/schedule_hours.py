"""Open hours of a machine, in whole minutes, and the arithmetic of its own clock.

An operation that meets the end of the open hours goes on when they begin again, as in the
simulation.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence


class Hours:
    """Open hours of a machine, and the arithmetic of its own clock.

    Parameters
    ----------
    closed
        Spans (from, to) in minutes in which it stands; sorted and apart.

    Examples
    --------
    >>> nights = Hours(((480, 1440), (1920, 2880)))
    >>> nights.after(400, 100), nights.opening(500), nights.worked(1500)
    (1460, 1440, 540)
    """

    __slots__ = ("_clock", "_open", "_shut", "closed")

    def __init__(self, closed: Sequence[tuple[int, int]] = ()) -> None:
        self.closed = tuple(closed)
        self._shut = [a for a, _ in closed]
        self._open = [b for _, b in closed]
        self._clock: list[int] = []  # the machine's own clock where each closed span begins
        lost = 0
        for a, b in closed:
            self._clock.append(a - lost)
            lost += b - a

    def opening(self, time: int) -> int:
        """The first open minute at or after a time."""
        place = bisect_right(self._shut, time) - 1
        return self._open[place] if place >= 0 and time < self._open[place] else time

    def worked(self, time: int) -> int:
        """Open minutes before a time."""
        place = bisect_right(self._shut, time) - 1
        if place < 0:
            return time
        return self._clock[place] + max(0, time - self._open[place])

    def after(self, time: int, minutes: int) -> int:
        """When so many minutes of work are done that begin at a time, at the earliest."""
        if not self._shut:
            return time + minutes
        if minutes == 0:
            return time
        clock = self.worked(time) + minutes
        place = bisect_left(self._clock, clock) - 1
        if place < 0:
            return clock
        return self._open[place] + clock - self._clock[place]

    def segments(self) -> Iterator[tuple[int, int | None, int]]:
        """Own clock from, own clock to (None: for ever), and what to add for the time of day."""
        before, lost = 0, 0
        for (a, b), clock in zip(self.closed, self._clock, strict=True):
            if clock > before:
                yield before, clock, lost
            before, lost = clock, lost + b - a
        yield before, None, lost
