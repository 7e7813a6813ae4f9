"""The listener: takes messages, checks them, keeps them safe on disk, and only then says thank you.

Messages are taken in groups. The readings of a group that are sound go to the listener's segment in
one synced write, the others to the quarantine with their reason; then the group is acknowledged.
Killed at any moment, what was acknowledged is on disk, and what was not comes again and is known by
its sensor and id. Nothing waits in memory but the group in hand: while the disk is slow the broker
keeps the rest.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from twin.block import FEWEST, Block, check_block
from twin.readings import BadReading, Reading, check_message, format_instant
from twin.sense.quarantine import Quarantine, Refused
from twin.sense.register import Register
from twin.sense.source import LARGEST, Message, Source
from twin.store import Merged, Store

if TYPE_CHECKING:
    from twin.sense.known import Known

_LINGER_S = 0.02
_NOTE_S = 5.0
_CLASH = "another reading of sensor '{}' and id '{}' on that day says something else. Ids must " \
         "not repeat within a day."


@dataclass(frozen=True, slots=True)
class Rules:
    """What a listener takes, and when it syncs and merges.

    Parameters
    ----------
    skew_s
        How far in the future of its receipt a reading may be.
    oldest_s
        How long before its receipt a reading may have been taken.
    late_s
        How far behind the latest reading the watermark runs; what comes behind it is late.
    group
        Messages that are taken together at most.
    most_rows
        Readings after which a group is synced, whatever it has still to come.
    merge_rows, merge_s
        Segments are merged after so many readings, or so many seconds.
    """

    skew_s: float = 300.0
    oldest_s: float = 30 * 86_400.0
    late_s: float = 3_600.0
    group: int = 1_000
    most_rows: int = 10_000
    merge_rows: int = 200_000
    merge_s: float = 60.0


@dataclass
class Heard:
    """What a listener has heard so far.

    Parameters
    ----------
    messages, readings
        Taken from the source.
    accepted
        Readings written to the segment; some of them may be known already.
    late
        Accepted readings that came behind the watermark.
    quarantined
        Refused, by reason; the same thing refused again today is not counted again.
    merged
        What merges have found: readings read, and new among them.
    merged_at
        When the last merge ended, seconds since 1970.
    """

    messages: int = 0
    readings: int = 0
    accepted: int = 0
    late: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    merged: Merged = field(default_factory=Merged)
    merged_at: float = math.nan


class Listener:
    """Hears one source into a store.

    Parameters
    ----------
    source
        What to listen to; the caller closes it.
    store
        Where readings go.
    name
        Of this listener: its segment's; listeners that share a load have different ones.
    known
        The places, products and assets of the model; None takes any.
    register
        The devices that may speak; None lets all.
    fold
        Called with the readings of each group once they are safe.
    refused
        Called with what of each group was refused, or is late, once that is safe.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from twin.sense.source import Place, open_source
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "day.csv").write_text('''sensor,id,ts,kind,site,value,unit
    ... t1,1,2026-03-01T06:00:00Z,temperature,W,41,F
    ... t1,2,2026-03-01T06:05:00Z,temperature,W,41,psi
    ... ''')
    >>> store = Store(folder / "store")
    >>> with Listener(open_source(Place(str(folder / "day.csv"), "harbour")), store) as listener:
    ...     while listener.step():
    ...         pass
    >>> listener.heard.accepted, dict(listener.heard.quarantined)
    (1, {'unit': 1})
    >>> store.frame()["value"].round(3).tolist()
    [5.0]
    """

    def __init__(self, source: Source, store: Store, *, name: str = "1",
                 known: Known | None = None, register: Register | None = None,
                 rules: Rules | None = None,
                 fold: Callable[[Sequence[Reading]], None] | None = None,
                 refused: Callable[[Sequence[Refused]], None] | None = None) -> None:
        self.source, self.store = source, store
        self.known, self.register, self.fold, self.refused = known, register, fold, refused
        self.rules = rules or Rules()
        self.heard = Heard()
        self.quarantine = Quarantine(store.folder / "quarantine")
        self._segment = store.segment(name)
        self._latest = store.watermark() or -math.inf
        self._oldest_s = -self.rules.oldest_s if source.live else -math.inf
        self._skew_s = self.rules.skew_s if source.live else math.inf
        self._late_s = self.rules.late_s
        self._rows: list[dict[str, Any]] = []
        self._blocks: list[Block] = []
        self._refused: list[Refused] = []
        self._seen: dict[str, float] = {}
        self._battery: dict[str, float] = {}
        self._unmerged, self._merge_due, self._note_due = 0, _now() + self.rules.merge_s, 0.0
        self._merge: _Merge | None = None
        self._merge_rest = 0.0

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def step(self, wait_s: float = 0.2) -> bool:
        """Take a group, keep it, acknowledge it; False when nothing will come any more.

        Raises
        ------
        SourceError
            If the source can be heard no longer.
        SegmentError
            If the disk takes no more; the group was not acknowledged.
        """
        messages = self._gather(wait_s)
        first = 0
        for last, message in enumerate(messages, start=1):
            self._hear(message)
            if last == len(messages) or self._held() >= self.rules.most_rows:
                self._keep(messages[first:last])
                first = last
        self._tend()
        return bool(messages) or not self.source.ended

    def close(self) -> None:
        """Merge what was heard and let the segment go."""
        try:
            self._segment.close()
            if self._merge is not None:
                self._merge.join()
                self._take_merge()
            merged = self.store.merge()
            if merged is not None:
                self._merged(merged)
            self._note(force=True)
        finally:
            self._segment.close()

    # ---- a group ----

    def _gather(self, wait_s: float) -> Sequence[Message]:
        """A group: what is there, and what follows closely."""
        most = self.rules.group
        messages = list(self.source.take(most, wait_s))
        if messages and len(messages) < most and not self.source.ended:
            until = _now() + _LINGER_S
            while len(messages) < most and (left := until - _now()) > 0:
                more = self.source.take(most - len(messages), min(left, _LINGER_S / 4))
                if not more:
                    break
                messages += more
        return messages

    def _hear(self, message: Message) -> None:
        """Sort the readings of a message into sound ones and refused ones."""
        heard = self.heard
        heard.messages += 1
        try:
            if len(message.payload) > LARGEST:
                raise BadReading("oversize", f"the payload has {len(message.payload):,} bytes; at "
                                 f"most {LARGEST:,} are read. Send fewer readings at once.")
            if self.register is not None and self.source.live and message.sender:
                self.register.allow(message.sender, message.topic)
            said = list(self.source.readings(message))
        except BadReading as bad:
            self._refuse(bad, message)
            return
        heard.readings += len(said)
        self._sort(message, said)
        if message.sender:
            self._seen[message.sender] = message.received

    def _sort(self, message: Message, said: Sequence[Mapping[str, Any]]) -> None:
        """Take readings as blocks where all of them are plainly good, else half by half."""
        if len(said) >= FEWEST:
            blocks = check_block(said, recorded=message.received, sensor=message.sender)
            if blocks is not None and self._fit(blocks, message.received):
                self._blocks += blocks
                return
            if len(said) >= 2 * FEWEST:
                middle = len(said) // 2
                self._sort(message, said[:middle])
                self._sort(message, said[middle:])
                return
        for reading in said:
            try:
                values = check_message(reading, recorded=message.received, sensor=message.sender)
                self._judge(values)
            except BadReading as bad:
                self._refuse(bad, message, reading)
            else:
                self._rows.append(values)

    def _fit(self, blocks: Sequence[Block], received: float) -> bool:
        """Whether `_judge` would have nothing to say of any reading, in whatever order."""
        spans = [block.span() for block in blocks]
        first, last = min(spans)[0], max(span[1] for span in spans)
        if not (self._oldest_s <= first - received and last - received <= self._skew_s
                and first >= max(self._latest, last) - self._late_s):
            return False
        if self.known is not None and not all(map(self.known.knows, blocks)):
            return False
        self._latest = max(self._latest, last)
        for block in blocks:
            if block.said("kind") == {"battery"}:
                self._battery.update(zip(block.values("sensor"), block.values("value"),
                                         strict=True))
        return True

    def _held(self) -> int:
        """Readings that are sound and not on disk yet."""
        return len(self._rows) + sum(block.size for block in self._blocks)

    def _judge(self, values: dict[str, Any]) -> None:
        """Refuse what does not fit the model or the time; note what is late."""
        if self.known is not None:
            self.known.check(values)
        at, received = values["time"], values["recorded"]
        if not self._oldest_s <= at - received <= self._skew_s:
            side = "after" if at > received else "before"
            raise BadReading("clock", f"ts {format_instant(at)} is {abs(at - received):,.0f} s "
                             f"{side} it came ({format_instant(received)}). Set the clock of "
                             f"'{values['sensor']}'.")
        if at > self._latest:
            self._latest = at
        elif at < self._latest - self._late_s:
            self._late(values)
        if values["kind"] == "battery":
            self._battery[values["sensor"]] = values["value"]

    def _late(self, values: dict[str, Any]) -> None:
        self.heard.late += 1
        why = (f"taken at {format_instant(values['time'])}, when the latest was "
               f"{format_instant(self._latest)}. It is stored.")
        self._refused.append(Refused("late", why, values["recorded"], values["sensor"],
                                     reading=values))

    def _refuse(self, bad: BadReading, message: Message,
                reading: Mapping[str, Any] | None = None) -> None:
        self._refused.append(Refused(bad.reason, str(bad), message.received, message.sender,
                                     message.topic, reading, message.payload))

    def _keep(self, messages: Sequence[Message]) -> None:
        """Sync the group, acknowledge it, and hand it on."""
        count = self._held()
        rows, self._rows = self._rows, []
        blocks, self._blocks = self._blocks, []
        refused, self._refused = self._refused, []
        if count:
            self._segment.append(rows, [block.stored() for block in blocks])
        added = self.quarantine.add(refused)
        del added["late"]  # counted as what it is: stored
        self.heard.quarantined += added
        self.source.acknowledge(messages)
        self.heard.accepted += count
        self._unmerged += count
        if self.fold is not None and count:
            self.fold([*(Reading(**values) for values in rows),
                       *chain.from_iterable(block.readings() for block in blocks)])
        if self.refused is not None and refused:
            self.refused(refused)

    # ---- between groups ----

    def _tend(self) -> None:
        """Start a merge when one is due, take one that has ended, note who was heard."""
        if self._merge is not None:
            if self._merge.is_alive():
                return
            self._take_merge()
        now = _now()
        rows = self._unmerged >= self.rules.merge_rows and now >= self._merge_rest
        if self._unmerged and (rows or now >= self._merge_due):
            self._segment.rotate()
            self._unmerged = 0
            self._merge = _Merge(self.store)
            self._merge.start()
        if now >= self._note_due:
            self._note()

    def _take_merge(self) -> None:
        assert self._merge is not None
        merge, self._merge = self._merge, None
        # A merge rewrites whole days: as these grow, merge more seldom than it takes.
        self._merge_rest = _now() + 4 * merge.took_s
        self._merge_due = max(self._merge_rest, _now() + self.rules.merge_s)
        if merge.error is not None:
            raise merge.error
        if merge.merged is not None:
            self._merged(merge.merged)

    def _merged(self, merged: Merged) -> None:
        self.heard.merged += merged
        self.heard.merged_at = time.time()
        clashes = [Refused("conflict", _CLASH.format(one.sensor, one.id), one.recorded
                           if math.isfinite(one.recorded) else one.time, one.sensor,
                           reading=one.message()) for one in merged.conflicts]
        self.heard.quarantined += self.quarantine.add(clashes)
        if self.refused is not None and clashes:
            self.refused(clashes)

    def _note(self, *, force: bool = False) -> None:
        if self.register is not None and (self._seen or self._battery):
            self.register.heard(self._seen, self._battery)
            self._seen, self._battery = {}, {}
        self._note_due = _now() + _NOTE_S


class _Merge(threading.Thread):
    """A merge beside the listening; one at a time."""

    def __init__(self, store: Store) -> None:
        super().__init__(name="merge")
        self.store = store
        self.merged: Merged | None = None
        self.error: Exception | None = None
        self.took_s = 0.0

    def run(self) -> None:
        began = _now()
        try:
            self.merged = self.store.merge(wait=False)
        except Exception as error:
            self.error = error
        self.took_s = _now() - began


_now = time.monotonic
