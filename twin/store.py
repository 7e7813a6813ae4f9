"""The store of a model: everything heard about the real chain, one Parquet file a day.

    store/<model>/days/2026-05-12.parquet    readings of that day (by their own time, UTC)
    store/<model>/...                        what listeners and other rooms keep beside it

A reading is known by its sensor and id: written twice, it is kept once, the copy that was known
first. In whatever order readings came, a day's file holds the same rows in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from twin.kinds import FIELDS
from twin.parquet import quoted
from twin.readings import Reading, to_frame

if TYPE_CHECKING:
    import pandas as pd

_DAY_S = 86_400.0
_ORDER = "time, sensor, id"


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
        """The file of each day that has readings, in order of time."""
        return {date.fromisoformat(path.stem): path
                for path in sorted((self.folder / "days").glob("[0-9]*-??-??.parquet"))}

    def write(self, readings: Iterable[Reading]) -> int:
        """Add readings to their days; how many were new."""
        by_day: dict[date, list[Reading]] = {}
        for reading in readings:
            by_day.setdefault(day_of(reading.time), []).append(reading)
        return sum(self._merge(day, to_frame(rows)) for day, rows in sorted(by_day.items()))

    def _merge(self, day: date, frame: pd.DataFrame) -> int:
        """Put rows into a day's file; the file appears whole or not at all."""
        import duckdb

        path = self.folder / "days" / f"{day.isoformat()}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        columns = ", ".join(f'"{name}"' for name in FIELDS)
        old = f"select {columns} from read_parquet({quoted(path)}) union all " \
            if path.exists() else ""
        with duckdb.connect() as base:
            base.register("fresh", frame)
            before = (base.execute(f"select count(*) from read_parquet({quoted(path)})").fetchall()
                      [0][0] if path.exists() else 0)
            base.execute(
                f"copy (select {columns} from ({old} select {columns} from fresh) "
                "qualify row_number() over (partition by sensor, id order by recorded, time) = 1 "
                f"order by {_ORDER}) to {quoted(draft)} (format parquet, compression zstd)")
            after = base.execute(f"select count(*) from read_parquet({quoted(draft)})").fetchall()
        draft.replace(path)
        return int(after[0][0] - before)

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
        import duckdb

        files = [str(path) for day, path in self.day_files().items()
                 if _start(day) < until and _start(day) + _DAY_S > since]
        wanted = ", ".join(f'"{name}"' for name in columns)
        if not files:
            return to_frame([])[list(columns)]
        where = [f"time >= {since!r}"] * math.isfinite(since)
        where += [f"time < {until!r}"] * math.isfinite(until)
        for name, words in (("kind", kinds), ("sensor", sensors)):
            if words:
                where.append(f"{name} in ({', '.join(map(quoted, words))})")
        clause = f"where {' and '.join(where)}" if where else ""
        source = f"read_parquet([{', '.join(map(quoted, files))}])"
        with duckdb.connect() as base:
            return base.execute(
                f"select {wanted} from {source} {clause} order by {_ORDER}").fetch_df()

    def watermark(self) -> float | None:
        """The latest time of any reading, seconds since 1970; None for an empty store."""
        import duckdb

        files = list(self.day_files().values())
        if not files:
            return None
        with duckdb.connect() as base:
            found = base.execute(f"select max(time) from read_parquet({quoted(files[-1])})")
            return float(found.fetchall()[0][0])


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
