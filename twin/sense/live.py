"""Live watching: alerts are raised as readings come, into the book that `catch_up` writes too."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from twin.alert import Alert
from twin.lock import Lock
from twin.readings import Reading
from twin.segment import others
from twin.sense.alerts import AlertBook, Finding
from twin.sense.catch_up import LASTING, catch_up, write_watched
from twin.sense.quarantine import Refused, speaker
from twin.sense.watch import Watch
from twin.store import Store

_EVERY_S = 5.0  # of the wall clock: between two looks for other listeners
_MARKED_S = 60.0
_REMEMBERED = 100_000  # readings by which one that comes again is known


class LiveWatch:
    """Raises alerts as a listener hears, each once, after catching up with what the store holds.

    A listener that is one of several hears a part of what there is, and a part says little of
    silence or gaps. Then nothing is raised live: the last of them to stop catches up.

    Parameters
    ----------
    store
        Of the model.
    make
        A fresh watch.
    tell
        Called with alerts that were raised or got worse.
    name
        Of the listener.
    late_s
        How far behind the latest reading others may come; so far back it is watched again after a
        crash.

    Examples
    --------
    >>> import tempfile
    >>> from twin.network import Network
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}],
    ...                   storage=[{"site": "W", "area": "cold", "max_c": 8}])
    >>> live = LiveWatch(Store(Path(tempfile.mkdtemp())), lambda: Watch(network),
    ...                  lambda alerts: print([alert.subject for alert in alerts]))
    >>> live.hear([Reading(sensor="t", id=str(minute), time=60.0 * minute, kind="temperature",
    ...                    site="W", area="cold", value=11.0) for minute in range(3)])
    ['area W:cold']
    >>> live.end()
    """

    def __init__(self, store: Store, make: Callable[[], Watch],
                 tell: Callable[[Sequence[Alert]], None], *, name: str = "1",
                 late_s: float = 3600.0) -> None:
        self.store, self.make, self.tell, self.name, self.late_s = store, make, tell, name, late_s
        self.watch = make()
        self.book = AlertBook(store.folder / "alerts.jsonl")
        self._told = len(self.book.steps)
        self.book = catch_up(store, self.watch, warm=True)
        self._show()
        self.alone = True
        self._latest = -math.inf
        self._recent: set[tuple[str, str]] = set()
        self._before: set[tuple[str, str]] = set()
        now = time.monotonic()
        self._look_due, self._mark_due = now, now + _MARKED_S

    def hear(self, readings: Sequence[Reading]) -> None:
        """Take in a group of readings that are safe on disk."""
        self._tend()
        if not self.alone:
            return
        found: list[Finding] = []
        for reading in sorted(readings, key=lambda one: (one.time, one.sensor, one.id)):
            key = reading.sensor, reading.id
            if key in self._recent or key in self._before:
                found += self.watch.again(reading)
                continue
            if len(self._recent) >= _REMEMBERED:
                self._before, self._recent = self._recent, set()
            self._recent.add(key)
            # A signal of long ago would end what has begun since.
            if reading.time >= self._latest - self.late_s or reading.kind in LASTING:
                found += self.watch.hear(reading)
            self._latest = max(self._latest, reading.time)
        self._write(found)

    def refused(self, refused: Sequence[Refused]) -> None:
        """Take note of what went to the quarantine."""
        if self.alone:
            self._write([finding for one in refused
                         if one.reason != "late" and (sensor := speaker(one.sender, one.reading))
                         for finding in self.watch.refused(sensor, one.received)])

    def look(self, now: float) -> None:
        """Let time pass although nothing comes: who is silent is found by the clock on the wall."""
        self._tend()
        if self.alone and now >= self._latest:
            self._write(self.watch.look(now))

    def end(self) -> None:
        """Note how far it was watched; if others listened too, the last one catches up."""
        if self.alone and not others(self._segments, self.name):
            if self._latest > -math.inf:
                write_watched(self.store, self._latest)
        elif not others(self._segments, self.name):
            self._told = len(AlertBook(self.book.path).steps)
            self.book = catch_up(self.store, self.make())
            self._show()

    @property
    def _segments(self) -> Path:
        return self.store.folder / "segments"

    def _tend(self) -> None:
        now = time.monotonic()
        if self.alone and now >= self._look_due:
            self._look_due = now + _EVERY_S
            self.alone = not others(self._segments, self.name)
        if self.alone and now >= self._mark_due and self._latest > -math.inf:
            self._mark_due = now + _MARKED_S
            write_watched(self.store, self._latest - self.late_s)

    def _write(self, findings: Sequence[Finding]) -> None:
        if findings:
            with Lock(self.store.folder / "alerts.lock"):
                self.book.refresh()  # somebody may have acknowledged one meanwhile
                self._told = len(self.book.steps)
                self.book.tell(findings)
            self._show()

    def _show(self) -> None:
        """Say what is new since `_told` steps of the book."""
        fresh = {step.alert for step in self.book.steps[self._told:]
                 if step.what in ("raised", "escalated")}
        self._told = len(self.book.steps)
        if fresh:
            self.tell([alert for alert in self.book.all().values() if alert.id in fresh])
