"""Drift: whether a stream has changed, at a stated rate of false alarms.

While nothing changes, each new value is as likely to take any rank among those before it, whatever
their law, so its rank is a p-value that is uniform and independent of the others. A detector bets
against that: on values that run high or low, or that spread or huddle. Bets that begin anew at
every moment are added up (Shiryaev & Roberts); what they win from a quiet stream is, on average,
the number of values seen. So the chance that it ever reaches `over / rate` within `over` values is
at most `rate`, by Doob's inequality, for any number of values and any law.

Source: Vovk, Nouretdinov & Gammerman (2003); Shin, Ramdas & Rinaldo, e-detectors (2022).
"""

from __future__ import annotations

import bisect
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

#: Densities on (0, 1) that are bet on: what each is good at, and exponents of p and of 1 - p.
_BETS = {
    "lower": ((0.5, 1.0), (0.25, 1.0)), "higher": ((1.0, 0.5), (1.0, 0.25)),
    "more spread": ((0.5, 0.5),), "less spread": ((3.0, 3.0),),
}
_FLAT = [(kind, a, b, math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
         for kind, exponents in _BETS.items() for a, b in exponents]
_EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class DriftAlarm:
    """A change that was found; it proposes a refit and is never acted on by itself.

    Attributes
    ----------
    subject
        What drifts: a cell of the model, or a KPI at a place.
    kind
        How: lower, higher, more spread, less spread.
    at, since
        Number of the value that raised the alarm, and of the first one after the change.
    evidence, needed
        What the bets had won, and what was asked for.
    rate, over
        At most this share of quiet streams of `over` values raises an alarm.
    """

    subject: str
    kind: str
    at: int
    since: int
    evidence: float
    needed: float
    rate: float
    over: int

    @property
    def words(self) -> str:
        """The alarm as a sentence, with what to do."""
        return (f"{self.subject} has changed: values run {self.kind} since value {self.since + 1}, "
                f"found at value {self.at + 1} (at most {100 * self.rate:g} % of quiet streams of "
                f"{self.over:,} values raise an alarm). Fit it again from there on.")


class Drift:
    """Watches one stream of p-values; two verbs, `update` and `get`.

    Parameters
    ----------
    rate, over
        At most this share of quiet streams of so many values raises an alarm.

    Examples
    --------
    >>> watch = Drift("lanes[A,B,sea].transit", rate=0.05, over=500)
    >>> for p in [0.3, 0.8, 0.5] * 5 + [0.99, 0.97, 0.995, 0.999] * 8:
    ...     watch.update(p)
    >>> alarm = watch.get()
    >>> alarm.kind, alarm.since, 15 < alarm.at < 47
    ('higher', 15, True)
    """

    def __init__(self, subject: str, *, rate: float = 0.05, over: int = 1000) -> None:
        if not 0.0 < rate < 1.0 or over < 1:
            raise ValueError(f"drift of {subject}: rate {rate} over {over} values is impossible. "
                             "Write a share such as 0.05, and a number of values.")
        self.subject, self.rate, self.over = subject, rate, over
        self.needed = over / rate
        self.seen = 0
        self._won = [0.0] * len(_FLAT)
        self._run = [0.0] * len(_FLAT)
        self._since = [0] * len(_FLAT)
        self._alarm: DriftAlarm | None = None

    def update(self, p: float) -> None:
        """One more p-value: the share of the stream, or of the forecast, below what came."""
        low = min(max(p, _EDGE), 1.0 - _EDGE)
        left, right = math.log(low), math.log1p(-low)
        for i, (_, a, b, constant) in enumerate(_FLAT):
            gain = constant + (a - 1.0) * left + (b - 1.0) * right
            self._won[i] = (1.0 + self._won[i]) * math.exp(min(gain, 300.0))
            if self._run[i] <= 0.0:
                self._run[i], self._since[i] = 0.0, self.seen
            self._run[i] += gain
        total = sum(self._won) / len(self._won)
        if self._alarm is None and total >= self.needed:
            best = max(range(len(_FLAT)), key=lambda i: self._won[i])
            self._alarm = DriftAlarm(self.subject, _FLAT[best][0], self.seen, self._since[best],
                                     total, self.needed, self.rate, self.over)
        self._won = [min(won, 1e200) for won in self._won]
        self.seen += 1

    def get(self) -> DriftAlarm | None:
        """The alarm, if there is one; it stays until the subject is fitted again."""
        return self._alarm


class Ranks:
    """Turns values into p-values by their rank among all before them; ties are broken by luck.

    Examples
    --------
    >>> ranks = Ranks("x", [1.0, 2.0, 3.0])
    >>> 0.75 < ranks.p(9.0) <= 1.0
    True
    """

    def __init__(self, name: str, reference: Iterable[float] = ()) -> None:
        self._sorted = sorted(float(value) for value in reference)
        self._luck = np.random.default_rng(zlib.crc32(name.encode()))

    def p(self, value: float) -> float:
        """The p-value of one more value, which then joins those before."""
        below = bisect.bisect_left(self._sorted, value)
        ties = bisect.bisect_right(self._sorted, value) - below
        self._sorted.insert(below + ties, value)
        return float(below + self._luck.random() * (ties + 1)) / len(self._sorted)


def drift_of(subject: str, later: Sequence[float], *, reference: Sequence[float] = (),
             rate: float = 0.05, over: int = 1000) -> DriftAlarm | None:
    """Whether later values have changed, from those that a fit was made from, or among themselves.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> fitted, same, slower = rng.gamma(4, 12, 80), rng.gamma(4, 12, 60), rng.gamma(4, 18, 60)
    >>> drift_of("lanes[A,B,sea].transit", same, reference=fitted)
    >>> drift_of("lanes[A,B,sea].transit", slower, reference=fitted).kind
    'higher'
    """
    ranks = Ranks(subject, reference)
    return drift_of_pits(subject, [ranks.p(float(value)) for value in later], rate=rate, over=over)


def drift_of_pits(subject: str, pits: Iterable[float], *, rate: float = 0.05,
                  over: int = 1000) -> DriftAlarm | None:
    """Whether forecasts have become wrong: PIT values, in order of time, that are not uniform."""
    watch = Drift(subject, rate=rate, over=over)
    for pit in pits:
        watch.update(pit)
    return watch.get()
