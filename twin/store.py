"""The store of a model: everything heard about the real chain, one Parquet file a day.

    store/<model>/days/2026-05-12.parquet    readings of that day (by their own time, UTC)
    store/<model>/segments/                  what listeners have written and nobody merged yet
    store/<model>/...                        what other rooms keep beside it

A reading is known by its sensor and id: within a day it is kept once, the copy that was known
first. In whatever order readings came, a day's file holds the same rows in the same order. Readers
see segments and days as one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from twin import merging
from twin.kinds import FIELDS
from twin.lock import Lock, sync_folder
from twin.parquet import connected, quoted
from twin.readings import Reading, to_frame
from twin.segment import Damage, SegmentWriter, closed_files, read_lines, segment_files

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_DAY_S = 86_400.0
_CHUNK = 16 * 2**20  # bytes of segments merged at a time
_TRIES = 8
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did.

    Parameters
    ----------
    read, new
        Readings read, and those of them that the days did not hold yet.
    days
        The days that have changed.
    conflicts
        Readings left out because another one of the same sensor and id, on the same day, says
        something else; 1,000 at most.
    damaged
        Lines of segments that were not what had been written.
    """

    read: int = 0
    new: int = 0
    days: tuple[date, ...] = ()
    conflicts: tuple[Reading, ...] = ()
    damaged: int = 0

    def __add__(self, other: Merged) -> Merged:
        return Merged(self.read + other.read, self.new + other.new,
                      tuple(sorted({*self.days, *other.days})),
                      (*self.conflicts, *other.conflicts)[:1000], self.damaged + other.damaged)


class Store:
    """Readings of one model on disk.

    Parameters
    ----------
    folder
        ``store/<model>``; it is made when something is first written.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()) / "harbour")
    >>> cold = Reading(sensor="t1", id="7", time=3600.0, kind="temperature", site="W", value=4.5)
    >>> store.write([cold, cold])
    1
    >>> store.frame()[["sensor", "time", "value"]].values.tolist()
    [['t1', 3600.0, 4.5]]
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def day_files(self) -> dict[date, Path]:
        """The file of each day that has merged readings, in order of time."""
        return {date.fromisoformat(path.stem): path
                for path in sorted((self.folder / "days").glob("[0-9]*-??-??.parquet"))}

    # ---- writing ----

    def write(self, readings: Iterable[Reading]) -> int:
        """Add readings to their days; how many were new."""
        frame = to_frame(readings)
        if frame.empty:
            return 0
        with self._merging(), connected(bounded=True, ordered=False) as base:
            base.register("heard", frame)
            merging.load(base, "heard")
            return self._put(base).new

    def segment(self, listener: str) -> SegmentWriter:
        """Where a listener of that name writes what it hears."""
        return SegmentWriter(self.folder / "segments", listener)

    def merge(self, *, wait: bool = True) -> Merged | None:
        """Move what closed segments hold into the days, and remove them.

        A crash at any moment leaves the segment, or the day that holds all of it, or both; merging
        again changes nothing. Open segments of listeners that live stay as they are.

        Parameters
        ----------
        wait
            Whether to wait for another process that is merging; if not, the answer may be None.
        """
        lock = Lock(self.folder / "merge.lock")
        if not lock.take(wait=wait):
            return None
        try:
            whole = Merged()
            for files in merging.in_groups(closed_files(self.folder / "segments"),
                                           lambda path: path.stat().st_size, _CHUNK):
                damage = Damage()
                lines = [line for path in files for line in read_lines(path, damage)]
                with connected(bounded=True, ordered=False) as base:
                    merging.load_lines(base, lines)
                    del lines
                    whole += self._put(base) + Merged(damaged=damage.lines)
                for path in files:
                    path.unlink()
                sync_folder(self.folder / "segments")
            return whole
        finally:
            lock.release()

    def drop(self, kinds: Sequence[str], *, until: float) -> int:
        """Delete the readings of some kinds in whole days that end before a moment; how many.

        Parameters
        ----------
        until
            Seconds since 1970.
        """
        gone, listed = 0, ", ".join(map(quoted, kinds))
        with self._merging(), connected(bounded=True, ordered=False) as base:
            for day, path in self.day_files().items():
                if _start(day) + _DAY_S > until:
                    break
                source = f"read_parquet({quoted(path)})"
                whole, old = base.execute(f"select count(*), count(*) filter (kind in ({listed})) "
                                          f"from {source}").fetchall()[0]
                if old == whole:
                    path.unlink()
                elif old:
                    draft = path.with_name(f".{path.name}.part")
                    merging.copy_without(base, path, listed, draft)
                    _publish(draft, path)
                gone += int(old)
            if gone:
                sync_folder(self.folder / "days")
        return gone

    @contextmanager
    def _merging(self) -> Iterator[None]:
        with Lock(self.folder / "merge.lock"):
            yield

    def _put(self, base: duckdb.DuckDBPyConnection) -> Merged:
        """Put the loaded readings into their days, one after another."""
        whole = Merged()
        for number in merging.days(base):
            day = date.fromordinal(_EPOCH + number)
            path = self.folder / "days" / f"{day.isoformat()}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.part")
            read, new, conflicts = merging.merge_day(base, number, path, draft)
            _publish(draft, path)
            whole += Merged(read, new, (day,), tuple(conflicts))
        return whole

    # ---- reading ----

    def frame(self, *, since: float = -math.inf, until: float = math.inf,
              kinds: Sequence[str] = (), sensors: Sequence[str] = (),
              columns: Sequence[str] = tuple(FIELDS)) -> pd.DataFrame:
        """Readings of [since, until), in order of time, sensor and id.

        Parameters
        ----------
        since, until
            Seconds since 1970-01-01 UTC.
        kinds, sensors
            Only these; none means all.
        columns
            Only these columns.
        """
        where = [f"time >= {since!r}"] * math.isfinite(since)
        where += [f"time < {until!r}"] * math.isfinite(until)
        for name, words in (("kind", kinds), ("sensor", sensors)):
            if words:
                where.append(f"{name} in ({', '.join(map(quoted, words))})")
        wanted = ", ".join(f'"{name}"' for name in columns)
        clause = f"where {' and '.join(where)}" if where else ""

        def read(base: duckdb.DuckDBPyConnection, source: str) -> pd.DataFrame:
            return base.execute(f"select {wanted} from {source} {clause} "
                                f"order by {merging.ORDER}").fetch_df()

        found = self._asked(read, since, until)
        return to_frame([])[list(columns)] if found is None else found

    def watermark(self) -> float | None:
        """The latest time of any reading, seconds since 1970; None for an empty store."""
        def read(base: duckdb.DuckDBPyConnection, source: str) -> float | None:
            return float(base.execute(f"select max(time) from {source}").fetchall()[0][0])

        last = max(self.day_files(), default=None)
        return self._asked(read, _start(last) if last else -math.inf, math.inf)

    def _asked(self, read: Callable[[duckdb.DuckDBPyConnection, str], _Answer], since: float,
               until: float) -> _Answer | None:
        """The answer to a question to days and segments; None if there are none.

        Segments are read before days: what is merged meanwhile is in both, never in neither. An
        answer from a day's file that was replaced meanwhile is thrown away and asked for again.
        """
        import duckdb

        for _ in range(_TRIES):
            lines, before = self.unmerged(), self._stamps()
            try:
                answer = self._answer(read, lines, since, until)
            except (duckdb.Error, OSError):
                if self._stamps() == before:
                    raise
            else:
                if self._stamps() == before:
                    return answer
        with self._merging():
            return self._answer(read, self.unmerged(), since, until)

    def _answer(self, read: Callable[[duckdb.DuckDBPyConnection, str], _Answer],
                lines: Sequence[str], since: float, until: float) -> _Answer | None:
        files = [path for day, path in self.day_files().items()
                 if _start(day) < until and _start(day) + _DAY_S > since]
        if not files and not lines:
            return None
        with connected() as base:
            if lines:
                merging.load_lines(base, lines)
            return read(base, merging.union(base, files, bool(lines)))

    def _stamps(self) -> list[tuple[int, int, int]]:
        """What changes when a day's file is replaced."""
        found = [path.stat() for path in self.day_files().values()]
        return [(one.st_ino, one.st_mtime_ns, one.st_size) for one in found]

    def unmerged(self) -> list[str]:
        """The lines of segments that are not merged into days yet; read them before the days."""
        while True:
            try:
                return [line for path in segment_files(self.folder / "segments")
                        for line in read_lines(path)]
            except FileNotFoundError:
                continue  # merged or closed meanwhile: look again


def _publish(draft: Path, path: Path) -> None:
    """Let a finished draft be the file, on the disk and not only in its cache."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


_EPOCH = date(1970, 1, 1).toordinal()


def day_of(time: float) -> date:
    """The UTC day of a time in seconds since 1970.

    Examples
    --------
    >>> day_of(90_000.0)
    datetime.date(1970, 1, 2)
    """
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time)).date()


def _start(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
