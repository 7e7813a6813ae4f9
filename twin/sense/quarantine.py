"""The quarantine: what was refused, why, and how to hear it again after a fix.

    store/<model>/quarantine/2026-05-12.jsonl    refused that day, one line each
    store/<model>/quarantine/2026-05-12.more     counts by reason of what no longer fitted

The same refused thing is kept once a day, so that a message that is delivered again is not counted
again. A day's file has a bounded size; beyond it only counts are kept.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.clock import excerpt
from twin.lock import Lock, sync_folder
from twin.readings import BadReading, format_instant
from twin.sense.source import LARGEST, Message, Place, SourceError, decode_json
from twin.store import day_of

#: A day's file grows to this many bytes.
MOST_BYTES = 16 * 2**20
_CUT = 1024

#: Every reason and what it says.
REASONS = {
    "malformed": "not JSON, an unknown key, or a value of the wrong type",
    "oversize": "too many bytes or readings in one message",
    "unknown_kind": "a kind of reading that there is not",
    "missing": "a kind that needs a column says nothing in it",
    "unit": "a unit that is unknown or of another quantity",
    "impossible": "a value that cannot be",
    "identity": "a sensor that speaks for another",
    "unknown_site": "a place that the model does not have",
    "unknown_asset": "a machine, truck, lane or area that the model does not have",
    "unknown_product": "a product that the model does not have",
    "clock": "a time in the future, or too long before it came: the sensor's clock is wrong",
    "late": "came after the watermark had passed it: stored as well, and listed here",
    "conflict": "another reading of the same sensor and id says something else",
    "unknown_device": "a device that is not in the register",
    "revoked": "a device whose credential was revoked",
    "rights": "a device on a topic that is not its own",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused message or reading.

    Parameters
    ----------
    reason
        A word of `REASONS`; a source may have words of its own.
    why
        The message: what is wrong and what to change.
    reading
        The reading as it was on the wire, where the message could be decoded.
    payload
        Else the bytes of the message.
    received, sender, topic
        Of the message.
    """

    reason: str
    why: str
    received: float
    sender: str = ""
    topic: str = ""
    reading: Mapping[str, Any] | None = None
    payload: bytes = b""

    def mark(self) -> str:
        """What tells it apart from others: reason, topic and content, but not when it came."""
        content = self.payload if self.reading is None else json.dumps(
            self.reading, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(b"\0".join((
            self.reason.encode(), self.topic.encode("utf-8", "replace"), content)),
            digest_size=12).hexdigest()

    def line(self) -> str:
        """It as a line of the file."""
        said: dict[str, Any] = {
            "reason": self.reason, "why": self.why, "topic": self.topic, "sender": self.sender,
            "received": format_instant(self.received), "at": self.received, "mark": self.mark()}
        if self.reading is not None:
            said["reading"] = self.reading
        else:
            cut = len(self.payload) > (_CUT if self.reason == "oversize" else LARGEST)
            said["payload"] = self.payload[:_CUT if cut else None].decode("utf-8",
                                                                          "backslashreplace")
            if cut:
                said["cut"] = len(self.payload)
        return json.dumps(said, default=str) + "\n"


@dataclass
class _Day:
    """What a day's file holds already."""

    path: Path
    size: int = 0
    marks: set[str] = field(default_factory=set)


class Quarantine:
    """Where refused things go.

    Parameters
    ----------
    folder
        ``store/<model>/quarantine``.
    most_bytes
        Size of a day's file from which on only counts are kept.

    Examples
    --------
    >>> import tempfile
    >>> quarantine = Quarantine(Path(tempfile.mkdtemp()))
    >>> odd = Refused("unit", "temperature: unit 'psi' is ...", 60.0, "t1", reading={"id": "7"})
    >>> quarantine.add([odd, odd])
    Counter({'unit': 1})
    >>> quarantine.counts()
    Counter({'unit': 1})
    """

    def __init__(self, folder: Path | str, *, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self.most_bytes = Path(folder), most_bytes
        self._day: _Day | None = None

    def add(self, refused: Iterable[Refused]) -> Counter[str]:
        """Keep what was refused, synced to disk; how many of each reason are new today."""
        added: Counter[str] = Counter()
        over: Counter[str] = Counter()
        refused = list(refused)
        if not refused:
            return added
        with Lock(self.folder / "lock"):
            day = self._today()
            lines = []
            size = day.size
            for one in refused:
                mark = one.mark()
                if mark in day.marks:
                    continue
                added[one.reason] += 1
                line = one.line()
                if size + len(line) > self.most_bytes:
                    over[one.reason] += 1
                    continue
                size += len(line)
                day.marks.add(mark)
                lines.append(line)
            self._write(day, "".join(lines))
            if over:
                _count(day.path.with_suffix(".more"), over)
        return added

    def _today(self) -> _Day:
        """Today's file, with what others wrote to it since we last looked."""
        path = self.folder / f"{day_of(time.time()).isoformat()}.jsonl"
        day = self._day
        there = path.stat().st_size if path.exists() else 0
        if day is None or day.path != path or there < day.size:
            day = self._day = _Day(path)
        if there > day.size:
            with path.open("rb") as file:
                file.seek(day.size)
                for line in file:
                    if not line.endswith(b"\n"):  # torn when the power went
                        with path.open("r+b") as whole:
                            whole.truncate(day.size)
                        break
                    day.size += len(line)
                    day.marks.add(str(_entry(line).get("mark", "")))
        return day

    def _write(self, day: _Day, text: str) -> None:
        if text:
            fresh = not day.path.exists()
            with day.path.open("ab") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            day.size += len(text.encode())
            if fresh:
                sync_folder(self.folder)

    def refused(self, since: float, until: float) -> list[tuple[float, str]]:
        """When readings of which sensor were refused, from `since` to `until`, in order of time.

        Times are those of receipt, seconds since 1970. What is stored although it is late is not
        among them.
        """
        found = []
        for path in self.folder.glob("*.jsonl"):
            with path.open("rb") as file:
                for line in file:
                    entry = _entry(line)
                    sensor = speaker(str(entry.get("sender", "")), entry.get("reading"))
                    at = float(entry.get("at", math.nan))
                    if sensor and entry.get("reason") != "late" and since <= at <= until:
                        found.append((at, sensor))
        return sorted(found)

    def counts(self) -> Counter[str]:
        """How many were refused, by reason, over all days."""
        found: Counter[str] = Counter()
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open("rb") as file:
                found.update(str(_entry(line).get("reason", "")) for line in file
                             if line.endswith(b"\n"))
        for path in self.folder.glob("*.more"):
            found.update(_counted(path))
        return found


def speaker(sender: str, reading: object) -> str:
    """The sensor that a refused thing came from; empty if nobody can tell.

    Examples
    --------
    >>> speaker("t1", {"sensor": "t2"}), speaker("", {"sensor": "t2"}), speaker("", None)
    ('t1', 't2', '')
    """
    said = reading.get("sensor", "") if isinstance(reading, Mapping) else ""
    return sender or (said if isinstance(said, str) else "")


def _count(path: Path, more: Counter[str]) -> None:
    whole = _counted(path) + more
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(whole), "utf-8")
    draft.replace(path)


def _counted(path: Path) -> Counter[str]:
    return Counter(json.loads(path.read_text("utf-8"))) if path.exists() else Counter()


def _entry(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class QuarantineSource:
    """What was refused, heard again. What is refused again comes back to today's file.

    The files are put aside as they are first read and removed when all of them was acknowledged: a
    crash in between loses nothing.
    """

    live = True

    def __init__(self, folder: Path, only: str = "") -> None:
        self.folder = folder
        with Lock(folder / "lock"):
            for path in folder.glob("*.jsonl"):
                if path.stem.startswith(only):
                    path.rename(path.with_name(f"{path.stem}-{time.time_ns()}.again"))
        self._files = sorted(folder.glob("*.again"))
        self._lines = [line for path in self._files for line in path.read_bytes().splitlines()]
        self._next = self._acknowledged = 0

    @property
    def ended(self) -> bool:
        """Whether everything was handed over."""
        return self._next == len(self._lines)

    def take(self, most: int, wait_s: float) -> Sequence[Message]:
        """The next refused things; what was stored although it was late is passed over."""
        taken = self._lines[self._next:self._next + most]
        self._next += len(taken)
        entries = [entry for line in taken if (entry := _entry(line))]
        messages = [Message(str(entry.get("payload", "")).encode(), float(entry.get("at", 0.0)),
                            str(entry.get("sender", "")), str(entry.get("topic", "")), entry)
                    for entry in entries if entry.get("reason") != "late"]
        if not messages and self.ended:
            self._forget()
        return messages

    def readings(self, message: Message) -> Iterable[Mapping[str, Any]]:
        """The reading as it was on the wire; a payload that was cut cannot be heard again."""
        entry = message.token
        if entry.get("cut"):
            raise BadReading(str(entry.get("reason")), str(entry.get("why")))
        if isinstance(entry.get("reading"), dict):
            return [entry["reading"]]
        return decode_json(message.payload)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Once all is safe, the files go."""
        if self.ended:
            self._forget()

    def _forget(self) -> None:
        for path in self._files:
            path.unlink(missing_ok=True)
        self._files = []

    def close(self) -> None:
        """Nothing to stop; files that were not heard to their end are heard another time."""


def open_source(place: Place) -> QuarantineSource:
    """``source=quarantine``, or ``quarantine/2026-05-12`` for one day."""
    only = place.address.partition("/")[2]
    folder = place.folder / "quarantine"
    if only and not any(path.stem.startswith(only) for path in folder.glob("*.jsonl")):
        days = ", ".join(sorted(path.stem for path in folder.glob("*.jsonl"))) or "none"
        raise SourceError(f"the quarantine has no day '{excerpt(only)}'. There are: {days}.")
    return QuarantineSource(folder, only)
