"""A folder of exports: the files that ERP, WMS and MES write, row by row as readings.

CSV and JSON, plain or compressed by gzip. ``mapping.yaml`` in the folder tells what the columns
mean (`twin.sense.exports_mapping`). A file that has changed is read again; rows that were there
before have the same key and fall away.
"""

from __future__ import annotations

import csv
import fnmatch
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from twin.clock import excerpt
from twin.kinds import FIELDS
from twin.readings import BadReading, format_instant
from twin.sense.exports_mapping import Stream, read_mapping, where_of
from twin.sense.inbox import Arrival, Inbox, pause
from twin.sense.source import Message, Place, SourceError, decode_json

_NUMBERS = {name for name, field in FIELDS.items() if field.type == "d"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MOST_LOOKED_UP = 1_000_000
_MOST_JSON = 64_000_000

Row = dict[str, str]


class Exports:
    """Files of other systems (`twin.sense.source`).

    Parameters
    ----------
    place
        Its address is the folder. Options: `mapping` (a YAML instead of the folder's
        ``mapping.yaml``), `watch` (wait for more files).
    """

    live = False

    def __init__(self, place: Place) -> None:
        folder = Path(place.address)
        self.mapping = read_mapping(Path(place.option("mapping", folder / "mapping.yaml")))
        self._inbox = Inbox(folder, self.mapping.files,
                            place.folder / "inbox" / self.mapping.digest)
        self._watch = bool(place.option("watch", False))
        self._rows = self._all_rows()
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether every file was taken and none is waited for."""
        return self._ended and not self._watch

    def take(self, most: int, wait_s: float) -> list[Message]:
        """The next rows."""
        taken = list(islice(self._rows, most))
        if not taken:
            self._ended = True
            if self._watch:
                pause(wait_s)
                self._rows = self._all_rows()
        return taken

    def _all_rows(self) -> Iterator[Message]:
        """Rows of all files that are new or changed; the last of a file carries the file."""
        for arrival in self._inbox.arrivals():
            held: Message | None = None
            for message in self._messages(arrival):
                if held is not None:
                    yield held
                held = message
            if held is None:
                self._inbox.remember(arrival)
            else:
                held.token = (held.token, arrival)
                yield held

    def _messages(self, arrival: Arrival) -> Iterator[Message]:
        for stream in self.mapping.streams:
            if fnmatch.fnmatch(arrival.name, stream.file):
                for line, said in _said(stream, arrival.path, self._inbox.folder):
                    bad = said if isinstance(said, BadReading) else None
                    payload = b"" if bad else json.dumps(said).encode()
                    yield Message(payload, arrival.changed, topic=f"exports/{arrival.name}:{line}",
                                  token=bad)

    def readings(self, message: Message) -> list[Mapping[str, Any]]:
        """What a row says."""
        token = message.token[0] if isinstance(message.token, tuple) else message.token
        if isinstance(token, BadReading):
            raise token
        return decode_json(message.payload)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """These rows are safe; a file is when its last row is."""
        whole = [message.token[1] for message in messages if isinstance(message.token, tuple)]
        if whole:
            self._inbox.remember(*whole)

    def close(self) -> None:
        """Leave the file that is being read."""
        self._rows = iter(())


# -- files -----------------------------------------------------------------------------------------
def _said(stream: Stream, path: Path, folder: Path) -> Iterator[tuple[int, Any]]:
    """Line and message of each row that has happened, or why it cannot be read."""
    try:
        added = _looked_up(stream, folder)
        for line, row in _rows(path, stream):
            if added is not None and stream.lookup is not None:
                row = {**added.get(row.get(stream.lookup.by, ""), {}), **row}
            try:
                said = message_of(stream, row)
            except BadReading as bad:
                yield line, BadReading(bad.reason, f"{bad} Row: {where_of(row)[:1000]}")
                continue
            if said is not None:
                yield line, said
    except UnicodeDecodeError:
        yield 0, BadReading("malformed", f"{path.name} is not {stream.encoding}. Write its "
                            "encoding into the mapping.")
    except (OSError, EOFError, csv.Error, ValueError, RecursionError) as error:
        yield 0, BadReading("malformed", f"{path.name} cannot be read on: {excerpt(str(error))}.")


def _open(path: Path, encoding: str) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _rows(path: Path, stream: Stream) -> Iterator[tuple[int, Row]]:
    """Line and cells of each row: of a CSV, or of a JSON array of objects."""
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind in ("xlsx", "xls", "ods"):
        raise ValueError("it is a workbook; save its sheet as CSV")
    with _open(path, stream.encoding) as file:
        if kind == "json":
            yield from _json_rows(file)
            return
        rows = csv.DictReader(file, delimiter=stream.delimiter, strict=True)
        needed = {*stream.key, stream.time, *stream.columns.values(), *stream.where,
                  *stream.unless}
        if stream.lookup is None and (lacking := needed - set(rows.fieldnames or ())):
            raise ValueError(f"it has no column {', '.join(sorted(lacking))}; it has "
                             f"{', '.join(rows.fieldnames or ())}")
        for row in rows:
            yield rows.line_num, {str(name): value or "" for name, value in row.items()
                                  if not isinstance(value, list)}


def _json_rows(file: TextIO) -> Iterator[tuple[int, Row]]:
    text = file.read(_MOST_JSON + 1)
    if len(text) > _MOST_JSON:
        raise ValueError(f"it has more than {_MOST_JSON:,} characters; write it as CSV")
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError("it is not a JSON array of objects")
    for number, one in enumerate(found, 1):
        if isinstance(one, dict):
            yield number, _flat(one)


def _flat(part: dict[str, Any], before: str = "") -> Row:
    """Cells of a JSON object; of an object inside it, ``outer.inner``."""
    cells: Row = {}
    for name, value in part.items():
        if isinstance(value, dict):
            cells |= _flat(value, f"{before}{name}.")
        elif value is not None:
            cells[f"{before}{name}"] = value if isinstance(value, str) else json.dumps(value)
    return cells


def _looked_up(stream: Stream, folder: Path) -> dict[str, Row] | None:
    """Rows of the other file by their key."""
    if stream.lookup is None:
        return None
    found: dict[str, Row] = {}
    plain = stream.model_copy(update={"key": [stream.lookup.by], "time": stream.lookup.by,
                                      "columns": {}, "where": {}, "unless": {},
                                      "lookup": None})
    for _, row in _rows(folder / stream.lookup.file, plain):
        found[row[stream.lookup.by]] = row
        if len(found) > _MOST_LOOKED_UP:
            raise ValueError(f"{stream.lookup.file} has more than {_MOST_LOOKED_UP:,} rows")
    return found


# -- rows ------------------------------------------------------------------------------------------
def message_of(stream: Stream, row: Row) -> dict[str, Any] | None:
    """The message of a row; None if it is not of the stream, or has not happened yet.

    Raises
    ------
    BadReading
        If a number or date cannot be read.

    Examples
    --------
    >>> stream = Stream(file="x.csv", kind="receiving", key=["PO"], time="Came", decimal=",",
    ...     thousands=".", date_format="%d.%m.%Y", timezone="Europe/Amsterdam", sensor="erp",
    ...     columns={"product": "Item", "quantity": "Qty"}, constants={"site": "W"})
    >>> message_of(stream, {"PO": "7", "Came": "1.3.2026", "Item": "tea", "Qty": "1.200,5"})
    {'sensor': 'erp', 'kind': 'receiving', 'id': 'receiving:7', 'ts': '2026-02-28T23:00:00.000Z',
     'site': 'W', 'product': 'tea', 'quantity': 1200.5}
    """
    if any(row.get(name, "").strip() not in values for name, values in stream.where.items()) \
            or any(row.get(name, "").strip() in values for name, values in stream.unless.items()):
        return None
    when = _cell(stream, row, stream.time)
    if not when:
        return None
    key = "/".join(row.get(name, "").strip() for name in stream.key)
    if not key.strip("/"):
        raise BadReading("missing", f"{' and '.join(stream.key)} are blank; they tell rows apart.")
    said: dict[str, Any] = {"sensor": stream.sensor, "kind": stream.kind,
                            "id": f"{stream.kind}:{key}", "ts": _instant(stream, when)}
    for field, text in stream.constants.items():
        said[field] = _value(stream, field, text)
    for field, name in stream.columns.items():
        text = _cell(stream, row, name)
        if text:
            said[field] = _value(stream, field, text)
    return said


def _cell(stream: Stream, row: Row, name: str) -> str:
    text = row.get(name, "").strip()
    return "" if text in stream.empty else text


def _value(stream: Stream, field: str, text: str) -> str | float:
    if field not in _NUMBERS:
        return text
    plain = text.replace(stream.thousands, "") if stream.thousands else text
    plain = plain.replace("\u00a0", "").replace(stream.decimal, ".")
    if not _NUMBER.fullmatch(plain):
        raise BadReading("malformed", f"{field} '{excerpt(text)}' is not a number with the decimal "
                         f"mark '{stream.decimal}'.")
    return float(plain)


def _instant(stream: Stream, text: str) -> str:
    form = stream.date_format
    try:
        if form in ("unix", "unix_ms"):
            return format_instant(float(text) / (1000.0 if form == "unix_ms" else 1.0))
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(stream.timezone))
        return format_instant(moment.astimezone(UTC).timestamp())
    except (ValueError, OverflowError, OSError):
        raise BadReading("malformed", f"{stream.time} '{excerpt(text)}' is not a date such as "
                         f"{form or '2026-03-01T06:00:00'}.") from None


def open_source(place: Place) -> Exports:
    """A folder of exports, as a source to listen to.

    Raises
    ------
    SourceError
        If the folder or its mapping cannot be read.
    """
    if not Path(place.address).is_dir():
        raise SourceError(f"source '{excerpt(place.address)}' is not a folder. Make it, and put "
                          "files and a mapping.yaml into it.")
    return Exports(place)
