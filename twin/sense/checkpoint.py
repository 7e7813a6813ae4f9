"""Checkpoints: what was folded by the end of each day, so that a moment costs the rest of its day.

A checkpoint is valid as long as every day file up to it is the one that was folded: a late reading
writes its day's file anew, and the checkpoints from that day on are folded again. What is known
does not depend on them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin import merging
from twin.manifest import network_digest
from twin.network import Network
from twin.parquet import connected, quoted
from twin.sense.fold import Fold
from twin.sense.fold_rules import Rules
from twin.sense.fold_signals import LAST, Signals, Summary, summary_of
from twin.sense.history import HEARD, Event, events_of
from twin.store import Store

if TYPE_CHECKING:
    import duckdb

    Answers = tuple[str, list[Event], Summary]

#: Days folded, days to fold.
Told = Callable[[int, int], None]

_VERSION = 1  #: of what a checkpoint holds
_DAY_S = 86_400.0
_RECENT = 10  #: days of which each is kept when many are folded at once; of older ones, one in ten
#: The columns that history needs.
_COLUMNS = ("sensor", "id", "time", "recorded", "kind", "site", "to_site", "asset", "product",
            "lot", "parent", "order", "shipment", "quantity", "amount", "value", "state", "role",
            "cause", "source", "quality")


class Checkpoints:
    """Folds a store up to any moment, a day at a time.

    Parameters
    ----------
    store
        What was heard.
    network, rules
        What exists, and what the simulation knows about time.
    keep
        Whether days that are folded whole are written beside the store.
    """

    def __init__(self, store: Store, network: Network, rules: Rules, *, keep: bool = True) -> None:
        self.store, self.network, self.rules, self.keep = store, network, rules, keep
        self.folder = store.folder / "checkpoints"
        self._seed = f"{_VERSION} {network_digest(network)}"

    def keep_up(self, told: Told | None = None) -> None:
        """Fold and keep every day that is over, by what the store holds of a later one."""
        days = list(self.store.day_files().items())
        over = days[:-1]
        if over and self._read(over[-1][0], self._marks(over)[-1]) is None:
            self.until(_start(days[-1][0]), told)

    def until(self, at: float, told: Told | None = None) -> tuple[Fold, Signals]:
        """What was folded from all readings before a moment.

        Parameters
        ----------
        at
            Seconds since 1970-01-01 UTC.
        told
            Called with whole days folded so far and to fold at all, where any have no checkpoint.
        """
        lines = self.store.unmerged()  # before the days: what is merged meanwhile is in both
        days = [(day, path) for day, path in self.store.day_files().items() if _start(day) < at]
        with connected() as base:
            open_since = at
            if lines:
                merging.load_lines(base, lines)
                open_since = min((86_400.0 * day for day in merging.days(base)), default=at)
            whole = [(day, path) for day, path in days
                     if _start(day) + _DAY_S <= min(at, open_since)]
            marks = self._marks(whole)
            fold, signals, place = self._latest(whole, marks)
            new = whole[place:]
            asked = self._ahead(base, [_numbered([path]) for _, path in new])
            for done, ((day, _), mark, answers) in enumerate(
                    zip(new, marks[place:], asked, strict=True)):
                if told is not None:
                    told(done, len(new))
                self._fold(base, fold, signals, answers)
                left = len(new) - 1 - done
                if self.keep and (left < _RECENT or left % _RECENT == 0):
                    self._write(day, mark, fold, signals)
            rest = [path for _, path in days[len(whole):]]
            if lines:
                source = merging.union(base, rest, True)
                self._take(base, fold, signals, "(select *, row_number() over (order by "
                           f"{merging.ORDER}) as place from {source})", at)
            else:
                for path in rest:
                    self._take(base, fold, signals, _numbered([path]), at)
        return fold, signals

    def _take(self, base: duckdb.DuckDBPyConnection, fold: Fold, signals: Signals, source: str,
              until: float) -> None:
        """Fold the readings of a source before a moment."""
        before = f"(select * from {source} where time < {until!r})"
        self._fold(base, fold, signals, self._asked(base, before))

    def _fold(self, base: duckdb.DuckDBPyConnection, fold: Fold, signals: Signals,
              answers: Answers) -> None:
        source, events, found = answers
        fold.take(events)
        signals.take(base, source, found)

    def _ahead(self, base: duckdb.DuckDBPyConnection,
               sources: Sequence[str]) -> Iterator[Answers]:
        """What is asked of each source, the next one while this one is folded."""
        with ThreadPoolExecutor(1) as other:
            coming: deque[Future[Answers]] = deque()
            for source in sources:
                coming.append(other.submit(self._asked, base.cursor(), source))
                if len(coming) > 1:
                    yield coming.popleft().result()
            if coming:
                yield coming.popleft().result()

    def _asked(self, base: duckdb.DuckDBPyConnection, source: str) -> Answers:
        """The events of a source, and the summary of its signals."""
        heard = ", ".join(map(quoted, HEARD))
        columns = ", ".join(f'"{name}"' for name in _COLUMNS)
        # A join is a third faster than a filter: it lets columns of other rows be.
        frame = base.execute(f"select {columns} from {source} semi join "
                             f"(select unnest([{heard}]) as kind) using (kind)").fetch_df()
        return source, events_of(frame, self.network.start), summary_of(base, source)

    def _marks(self, days: list[tuple[date, Path]]) -> list[str]:
        """A mark of each day that changes when it, or any day before it, does."""
        marks, chain = [], self._seed
        for day, path in days:
            found = path.stat()
            chain = hashlib.blake2b(f"{chain} {day} {found.st_size} {found.st_mtime_ns}".encode(),
                                    digest_size=12).hexdigest()
            marks.append(chain)
        return marks

    def _latest(self, days: list[tuple[date, Path]],
                marks: list[str]) -> tuple[Fold, Signals, int]:
        """The last valid checkpoint, and how many days it holds."""
        for place in range(len(days), 0, -1):
            found = self._read(days[place - 1][0], marks[place - 1])
            if found is not None:
                return (Fold.resumed(self.network, self.rules, found["fold"]),
                        Signals.resumed(self.network, found["signals"]), place)
        return Fold(self.network, self.rules), Signals(self.network), 0

    def _path(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.json.gz"

    def _read(self, day: date, mark: str) -> dict[str, Any] | None:
        """A day's checkpoint; None if there is none, or it is of other files or damaged."""
        try:
            with gzip.open(self._path(day), "rt", encoding="utf-8") as file:
                if file.readline().strip() != mark:
                    return None
                found: dict[str, Any] = json.loads(file.readline())
                return found
        except (OSError, EOFError, ValueError):
            return None

    def _write(self, day: date, mark: str, fold: Fold, signals: Signals) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(day)
        draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        with gzip.open(draft, "wt", encoding="utf-8", compresslevel=1) as file:
            told = json.dumps({"fold": fold.state(), "signals": signals.state()})
            file.write(f"{mark}\n{told}\n")
        draft.replace(path)


def _numbered(paths: list[Path]) -> str:
    """The readings of day files, numbered as they stand."""
    names = ", ".join(quoted(str(path)) for path in paths)
    return f"(select *, file_row_number as place from read_parquet([{names}], " \
           "file_row_number=true))"


def _start(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


assert set(LAST).isdisjoint(HEARD) or set(LAST) & set(HEARD) <= {"machine_state"}
