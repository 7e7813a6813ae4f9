"""Replay of a file of readings: CSV, Parquet or JSON lines, at any speed.

Columns are those of a reading, as on the wire; a file of a store's days has ``time`` and
``recorded`` (seconds since 1970) instead of ``ts``.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from twin.clock import excerpt, parse_moment
from twin.kinds import FIELDS
from twin.parquet import quoted
from twin.readings import BadReading
from twin.sense.source import Message, Place, SourceError, decode_json

_ROWS = 1_000
_COLUMNS = {*FIELDS, "ts", "unit"}


class Replay:
    """A file, heard again.

    Parameters
    ----------
    path
        Its ending says what it is.
    speed
        Times as fast as it was recorded; 0 is as fast as it can be read.

    Raises
    ------
    SourceError
        If it is not there, or has a column that no reading has.
    """

    live = False

    def __init__(self, path: Path, speed: float = 0.0) -> None:
        if not path.is_file():
            raise SourceError(f"source '{path}' is not there. Give a file of readings: CSV, "
                              "Parquet or JSON lines.")
        self.path, self.speed = path, speed
        self._messages = _READERS[path.suffix.lower()](path)
        self._next: Message | None = next(self._messages, None)
        self._began: tuple[float, float] | None = None

    @property
    def ended(self) -> bool:
        """Whether the whole file was handed over."""
        return self._next is None

    def take(self, most: int, wait_s: float) -> Sequence[Message]:
        """The next rows whose time has come."""
        if self._next is None:
            return []
        if not self.speed:
            taken = [self._next, *islice(self._messages, most - 1)]
            self._next = next(self._messages, None)
            return taken
        until, taken = time.monotonic() + wait_s, []
        while self._next is not None and len(taken) < most:
            due = self._due(self._next)
            if due > time.monotonic():
                if taken or due > until:
                    time.sleep(0 if taken else max(0.0, until - time.monotonic()))
                    break
                time.sleep(max(0.0, due - time.monotonic()))
            taken.append(self._next)
            self._next = next(self._messages, None)
        return taken

    def _due(self, message: Message) -> float:
        """When a message is to be heard, by the monotonic clock."""
        if self._began is None:
            self._began = (message.received, time.monotonic())
        return self._began[1] + (message.received - self._began[0]) / self.speed

    def readings(self, message: Message) -> Iterable[Mapping[str, Any]]:
        """The row, or the readings of a JSON line."""
        return [message.token] if message.token is not None else decode_json(message.payload)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Nothing to do: a file can be read again, and what it says is known by its keys."""

    def close(self) -> None:
        """Stop reading."""
        self._messages.close()
        self._next = None


def open_source(place: Place) -> Replay:
    """``source=replay/day.parquet``; the option `speed` says how fast."""
    return Replay(Path(place.address).expanduser(), float(place.option("speed", 0.0)))


def _check(path: Path, columns: Iterable[str]) -> None:
    strange = [name for name in columns if name not in _COLUMNS]
    if strange:
        raise SourceError(f"{path}: column '{excerpt(str(strange[0]))}' is unknown. Use "
                          f"{', '.join(sorted(_COLUMNS))}.")


def _parquet(path: Path) -> Generator[Message, None, None]:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as base:
        try:
            rows = base.execute(f"select * from read_parquet({quoted(path)})")
        except duckdb.Error as error:
            reason = " ".join(str(error).split())[:200]
            raise SourceError(f"{path} is not a Parquet file: {reason}") from None
        names = [column[0] for column in rows.description or ()]
        _check(path, names)
        number = 0
        while found := rows.fetchmany(_ROWS):
            for row in found:
                number += 1
                yield _message(path, number, names, row)


def _csv(path: Path) -> Generator[Message, None, None]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        rows = csv.reader(file)
        names = [name.strip() for name in next(rows, [])]
        _check(path, names)
        for number, row in enumerate(rows, start=1):
            if row:
                cells = [_cell(name, text) for name, text in zip(names, row, strict=False)]
                yield _message(path, number, names, [*cells, *row[len(names):]])


def _cell(name: str, text: str) -> Any:
    """A cell as on the wire: a number where its column has numbers; else what it says."""
    if FIELDS[name].type == "d" if name in FIELDS else name == "ts" and text.isdigit():
        try:
            return float(text) if text else ""
        except ValueError:
            return text
    return text


def _message(path: Path, number: int, names: Sequence[str], row: Sequence[Any]) -> Message:
    """A row as a message; blanks are left out."""
    said = {name: value for name, value in zip(names, row, strict=False)
            if value is not None and value != "" and value == value}
    if len(row) > len(names):
        said["(beyond the last column)"] = row[len(names)]
    recorded = said.pop("recorded", None)
    if isinstance(said.get("time"), float):
        said["ts"] = round(1000.0 * said.pop("time"), 3)
    received = recorded if isinstance(recorded, float) else _instant(said.get("ts"))
    return Message(b"", received, "", f"{path.name} row {number}", said)


def _lines(path: Path) -> Generator[Message, None, None]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    received = _instant(decode_json(line)[0].get("ts"))
                except (BadReading, IndexError):
                    received = time.time()
                yield Message(line.strip(), received, "", f"{path.name} line {number}")


def _instant(ts: object) -> float:
    if isinstance(ts, int | float):
        return ts / 1000.0
    try:
        return parse_moment(str(ts)).timestamp()
    except ValueError:
        return 0.0


_READERS = {".csv": _csv, ".parquet": _parquet, ".jsonl": _lines}
