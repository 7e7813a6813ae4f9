"""The quality of a sensor: how far its readings can be trusted, from 0 to 1, with the reasons."""

from __future__ import annotations

import copy
import heapq
import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field

from twin.kinds import KINDS
from twin.readings import Reading
from twin.sense.arrivals import Arrivals
from twin.sense.frozen import Frozen
from twin.sense.gaps import Gaps
from twin.sense.spikes import Spikes
from twin.sense.statistic import Statistic

#: Reason -> share of the trust that is lost when every reading has it.
WEIGHTS = {
    "gap": 1.0, "frozen": 1.0, "spike": 1.0, "quarantine": 1.0, "bad": 1.0, "ahead": 0.8,
    "uncertain": 0.5, "disorder": 0.2, "duplicate": 0.2,
}
#: Reason -> what a person reads.
MEANINGS = {
    "gap": "readings are missing", "frozen": "the value stands still", "spike": "values stand out",
    "quarantine": "readings were refused", "bad": "the sensor calls itself bad",
    "ahead": "its clock is fast", "uncertain": "the sensor calls itself uncertain",
    "disorder": "readings come out of order", "duplicate": "readings come twice",
}
_DAY_S = 86_400.0
_WAITING = 32


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a sensor can be trusted.

    Attributes
    ----------
    score
        1 is flawless, 0 is worthless; NaN before the first reading.
    reasons
        Share of the readings by reason, largest loss first; only what was seen.
    readings
        Different readings that this is based on.
    latest
        Time of the last one, seconds since 1970.
    """

    score: float = float("nan")
    reasons: dict[str, float] = field(default_factory=dict)
    readings: int = 0
    latest: float = float("nan")

    @property
    def why(self) -> str:
        """The reasons in words.

        Examples
        --------
        >>> Trust(0.7, {"gap": 0.3}, 70).why
        'readings are missing (30 %)'
        """
        return ", ".join(f"{MEANINGS[reason]} ({share:.0%})".replace("%", " %")
                         for reason, share in self.reasons.items()) or "nothing to object to"


class Quality(Statistic[Reading, Trust]):
    """Scores one sensor by its readings of the last days.

    Readings wait until 32 later ones have come, so that small disorder changes nothing but the
    share of disorder itself. Counts are kept by day; two of them (two listeners, two days) can be
    merged.

    Parameters
    ----------
    interval
        Seconds between its readings; 0 is learnt.
    days
        Days that count.

    Examples
    --------
    >>> quality = Quality(interval=60.0)
    >>> for minute in [*range(60), *range(90, 120)]:
    ...     quality.update(Reading(sensor="t", id=str(minute), time=60.0 * minute, site="W",
    ...                            kind="temperature", value=4.0 + 0.1 * (minute % 7)))
    >>> quality.get().score, quality.get().why
    (0.75, 'readings are missing (25 %)')
    """

    hears = ("temperature",)

    def __init__(self, interval: float = 0.0, days: int = 7) -> None:
        self.days = days
        self.arrivals, self.gaps = Arrivals(), Gaps(interval)
        self.frozen, self.spikes = Frozen(), Spikes()
        self._waiting: list[tuple[float, str, float, str]] = []
        self._by_day: dict[int, dict[str, float]] = {}
        self._latest = float("-inf")

    def update(self, heard: Reading) -> None:
        """Take in one reading that has passed the door."""
        before = self.arrivals.get()
        self.arrivals.update(heard)
        after, time = self.arrivals.get(), heard.time
        if after.duplicates > before.duplicates:
            self._count(time, "duplicate", 1)
            return
        self._latest = max(self._latest, time)
        self._count(time, "disorder", after.disordered - before.disordered)
        self._count(time, "ahead", after.ahead - before.ahead)
        # A signal without a value (a position) still has gaps.
        value = heard.value if KINDS[heard.kind].signal else float("nan")
        heapq.heappush(self._waiting, (time, heard.id, value, heard.quality))
        if len(self._waiting) > _WAITING:
            self._settle()

    def quarantined(self, time: float) -> None:
        """Count a reading of this sensor that was refused."""
        self._count(time, "quarantine", 1)

    def merge(self, other: Quality) -> None:
        """Add what another one has counted of the same sensor, at other times or elsewhere."""
        other = other._ahead()
        for day, counts in other._by_day.items():
            for reason, number in counts.items():
                mine = self._by_day.setdefault(day, {})
                mine[reason] = mine.get(reason, 0.0) + number
        self._latest = max(self._latest, other._latest)
        self._forget()

    def get(self) -> Trust:
        """The score now, with readings that still wait."""
        seen = self._ahead()
        totals: dict[str, float] = {}
        for counts in seen._by_day.values():
            for reason, number in counts.items():
                totals[reason] = totals.get(reason, 0.0) + number
        good = totals.pop("good", 0.0)
        whole = good + totals.get("gap", 0.0) + totals.get("quarantine", 0.0)
        if not whole:
            return Trust()
        shares = {reason: min(1.0, number / whole) for reason, number in totals.items() if number}
        score = 1.0
        for reason, share in shares.items():
            score *= 1.0 - WEIGHTS[reason] * share
        worst = sorted(shares, key=lambda reason: (-WEIGHTS[reason] * shares[reason], reason))
        return Trust(score, {reason: shares[reason] for reason in worst}, int(good), seen._latest)

    def _ahead(self) -> Quality:
        """This one, when all that waits is judged; without its arrivals, which are counted."""
        seen = copy.copy(self)
        seen.gaps, seen.frozen, seen.spikes, seen._by_day = pickle.loads(pickle.dumps(
            (self.gaps, self.frozen, self.spikes, self._by_day), pickle.HIGHEST_PROTOCOL))
        seen._waiting = self._waiting.copy()
        while seen._waiting:
            seen._settle()
        return seen

    def _settle(self) -> None:
        """Judge the earliest reading that waits."""
        time, _, value, declared = heapq.heappop(self._waiting)
        before = self.gaps.get(), self.frozen.get(), self.spikes.get()
        self.gaps.update(time)
        if value == value:
            self.frozen.update(value)
            self.spikes.update(value)
        after = self.gaps.get(), self.frozen.get(), self.spikes.get()
        for reason, old, new in zip(("gap", "frozen", "spike"), before, after, strict=True):
            self._count(time, reason, new - old)
        self._count(time, "good", 1)
        if declared in ("bad", "uncertain"):
            self._count(time, declared, 1)

    def _count(self, time: float, reason: str, number: float) -> None:
        if number:
            day = self._by_day.setdefault(int(time // _DAY_S), {})
            day[reason] = day.get(reason, 0.0) + number
            self._forget()

    def _forget(self) -> None:
        while len(self._by_day) > self.days:
            del self._by_day[min(self._by_day)]


def quality_of(readings: Iterable[Reading], interval: float = 0.0) -> Trust:
    """The trust in one sensor by recorded readings, in whatever order they are given.

    What depends on how they arrived (duplicates, disorder) does not count here.

    Examples
    --------
    >>> minutes = [Reading(sensor="t", id=str(m), time=60.0 * m, kind="temperature", site="W",
    ...                    value=4.0 + 0.1 * (m % 7)) for m in range(90)]
    >>> quality_of(minutes[::-1] + minutes[:9]) == quality_of(minutes)
    True
    """
    quality = Quality(interval)
    seen: set[str] = set()
    for reading in sorted(readings, key=lambda reading: (reading.time, reading.id)):
        if reading.id not in seen:
            seen.add(reading.id)
            quality.update(reading)
    return quality.get()
