"""Segments: where a listener puts readings before it acknowledges them.

    store/<model>/segments/<listener>-000001.closed    may be merged
    store/<model>/segments/<listener>-000002.open      being written
    store/<model>/segments/<listener>.lock             held while that listener lives

A segment only grows: a line or two for each group of readings that was synced together, each a
checksum and JSON: an array of readings, or an object whose `blocks` hold readings by columns
(``size``, and by column a list of so many values, or the one that all of them share). A line that
was not finished when the power went was not acknowledged either, so it is left out, and what it
held comes again. A line that is whole but does not match its checksum is damage, and counted.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from twin.clock import excerpt
from twin.lock import Lock, sync_folder

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_FULL = 8 * 2**20  # bytes of a segment, which is then closed: it is merged in one piece
_FILE = re.compile(r"(.+)-(\d{6,})\.(open|closed)")


def _plainly() -> tuple[Callable[[Any], bytes], Callable[[str], Any]]:
    """To and from JSON on one line; orjson, where it is installed, is ten times as fast."""
    try:
        fast = import_module("orjson")
    except ImportError:
        encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
        return lambda rows: encode(rows).encode(), json.loads
    return cast("Callable[[Any], bytes]", fast.dumps), cast("Callable[[str], Any]", fast.loads)


_encode, _decode = _plainly()


class SegmentError(ValueError):
    """A listener that cannot write its segment; the message says why."""


class SegmentWriter:
    """The segments of one listener, of which the newest is open.

    Parameters
    ----------
    folder
        ``store/<model>/segments``.
    listener
        Its name; a second listener of the same name is refused.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> writer = SegmentWriter(folder, "1")
    >>> writer.append([{"sensor": "t1", "id": "7"}])
    >>> [list(lines) for lines in map(read_lines, segment_files(folder))]
    [['[{"sensor":"t1","id":"7"}]']]
    >>> SegmentWriter(folder, "1")
    Traceback (most recent call last):
    ...
    twin.segment.SegmentError: listener '1' is listening already. Give this one another name, ...
    >>> writer.close()
    """

    def __init__(self, folder: Path | str, listener: str) -> None:
        if not _NAME.fullmatch(listener):
            raise SegmentError(f"listener '{excerpt(listener)}' is not a name. Write letters, "
                               "digits, - and _, such as listener=2.")
        self.folder, self.listener = Path(folder), listener
        self._lock = Lock(self.folder / f"{listener}.lock")
        if not self._lock.take(wait=False):
            raise SegmentError(f"listener '{listener}' is listening already. Give this one another "
                               "name, such as listener=2.")
        self._file: BinaryIO | None = None
        self.written = 0
        for path in self.folder.glob(f"{listener}-*.open"):
            _close(path)

    def append(self, rows: Sequence[Mapping[str, Any]],
               blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write a group of readings and sync it: on return it survives a power cut.

        Parameters
        ----------
        rows
            Readings one by one.
        blocks
            Others of the group by columns: `size`, and by column one value or so many.

        Raises
        ------
        SegmentError
            If the disk is full or gone; nothing of the group may be acknowledged.
        """
        bodies = [_encode(rows)] if rows else []
        bodies += [_encode({"blocks": blocks})] if blocks else []
        text = b"".join(b"%08x %b\n" % (zlib.crc32(body), body) for body in bodies)
        try:
            file = self._file or self._open()
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise SegmentError(f"{self.folder} cannot be written: {error.strerror}. Nothing was "
                               "acknowledged; make room and listen again.") from None
        self.written += len(text)
        if self.written >= _FULL:
            self.rotate()

    def rotate(self) -> None:
        """Close the open segment, so that it may be merged; the next group opens another."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self.written = 0
            _close(Path(self._path))

    def close(self) -> None:
        """Close the segment and let the name go."""
        self.rotate()
        self._lock.release()

    def _open(self) -> BinaryIO:
        numbers = [int(found.group(2)) for path in self.folder.iterdir()
                   if (found := _FILE.fullmatch(path.name)) and found.group(1) == self.listener]
        self._path = self.folder / f"{self.listener}-{max(numbers, default=0) + 1:06d}.open"
        self._file = self._path.open("xb")
        sync_folder(self.folder)
        return self._file


def _close(path: Path) -> None:
    path.rename(path.with_suffix(".closed"))
    sync_folder(path.parent)


def segment_files(folder: Path) -> list[Path]:
    """Every segment, open and closed."""
    return sorted(path for path in folder.glob("*-*") if _FILE.fullmatch(path.name))


def others(folder: Path, listener: str) -> bool:
    """Whether a listener of another name is listening, too."""
    for path in folder.glob("*.lock"):
        if path.stem != listener:
            lock = Lock(path)
            if not lock.take(wait=False):
                return True
            lock.release()
    return False


def closed_files(folder: Path) -> list[Path]:
    """The segments that may be merged; those of listeners that died are closed on the way."""
    for path in segment_files(folder):
        if path.suffix == ".open":
            lock = Lock(folder / f"{path.name.rpartition('-')[0]}.lock")
            if lock.take(wait=False):
                try:
                    _close(path)
                except FileNotFoundError:
                    pass  # its listener came back in between and closed it
                finally:
                    lock.release()
    return [path for path in segment_files(folder) if path.suffix == ".closed"]


@dataclass
class Damage:
    """Lines of segments that are whole but not what was written."""

    lines: int = 0


def read_lines(path: Path, damage: Damage | None = None) -> Iterator[str]:
    """The JSON of a segment, line by line; a torn tail is left out, damage is counted."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            mark, _, body = line[:-1].partition(b" ")
            if len(mark) == 8 and mark == b"%08x" % zlib.crc32(body):
                yield body.decode()
            elif damage is not None:
                damage.lines += 1


def blocks_of(line: str) -> list[dict[str, Any]]:
    """The readings that a line of a segment holds by columns.

    Examples
    --------
    >>> blocks_of('{"blocks": [{"size": 2, "sensor": "t1", "id": ["7", "8"]}]}')
    [{'size': 2, 'sensor': 't1', 'id': ['7', '8']}]
    >>> blocks_of('[{"sensor": "t1", "id": "7"}]')
    []
    """
    return list(_decode(line)["blocks"]) if line.startswith("{") else []
