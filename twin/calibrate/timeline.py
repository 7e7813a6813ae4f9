"""Hours that count: opening hours, times when an asset is up or works, rates that vary."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from twin.calibrate.laws import Floats


class Timeline:
    """A rate that is constant between edges; what passes is its integral.

    Parameters
    ----------
    edges
        Rising times, hours; the first is the earliest known.
    rates
        The rate from each edge to the next; the last goes on for ever.

    Examples
    --------
    >>> shift = Timeline([0.0, 8.0, 16.0], [0.0, 1.0, 0.0])
    >>> shift.between(np.array([6.0, 10.0]), np.array([9.0, 20.0])).tolist()
    [1.0, 6.0]
    """

    def __init__(self, edges: Iterable[float], rates: Iterable[float]) -> None:
        self.edges = np.fromiter(edges, float)
        self.rates = np.fromiter(rates, float)
        self.passed = np.concatenate(
            [[0.0], np.cumsum(np.diff(self.edges) * self.rates[:-1])])

    @classmethod
    def always(cls) -> Timeline:
        """Every hour counts."""
        return cls([0.0], [1.0])

    @classmethod
    def spans(cls, spans: Iterable[tuple[float, float]], *, inside: float = 1.0) -> Timeline:
        """The rate `inside` within spans of time and its opposite outside; they may overlap.

        Examples
        --------
        >>> down = Timeline.spans([(2.0, 3.0), (2.5, 4.0)], inside=0.0)
        >>> float(down.upto(10.0))
        8.0
        """
        edges, rates = [-1e9], [1.0 - inside]
        for begin, end in sorted(spans):
            if begin <= edges[-1] and rates[-1] == 1.0 - inside and len(edges) > 1:
                edges[-1] = max(edges[-1], end)
            elif end > begin:
                edges += [begin, end]
                rates += [inside, 1.0 - inside]
        whole = cls(edges, rates)
        whole.passed -= whole.upto(0.0)
        return whole

    def upto(self, time: float | Floats) -> Floats:
        """What has passed from the first edge (of `spans`: from time 0) to a time."""
        place = np.maximum(np.searchsorted(self.edges, time, side="right") - 1, 0)
        return np.asarray(self.passed[place] + (time - self.edges[place]) * self.rates[place])

    def between(self, start: float | Floats, end: float | Floats) -> Floats:
        """What passes within a span."""
        return self.upto(end) - self.upto(start)

    def rate(self, time: float | Floats) -> Floats:
        """The rate at a time (an edge counts as what follows it)."""
        place = np.maximum(np.searchsorted(self.edges, time, side="right") - 1, 0)
        return np.asarray(self.rates[place])

    def times(self, other: Timeline) -> Timeline:
        """Both rates at once.

        Examples
        --------
        >>> early = Timeline([0.0, 8.0], [1.0, 0.0])
        >>> late = Timeline([0.0, 6.0], [0.0, 1.0])
        >>> float(early.times(late).between(0.0, 24.0))
        2.0
        """
        if len(other.edges) == 1 and other.rates[0] == 1.0:
            return self
        if len(self.edges) == 1 and self.rates[0] == 1.0:
            return other
        edges = np.union1d(self.edges, other.edges)
        return Timeline(edges, self.rate(edges) * other.rate(edges))
