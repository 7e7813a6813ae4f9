"""How heard readings become the rows of a day, each once, in SQL.

In a connection the table `fresh` holds what was heard, with the columns of `twin.kinds.FIELDS` and
`day`, the number of the day since 1970. Of several copies of a reading (same sensor, id and day)
the one known first is kept; equal ones are told apart by all their columns, so that the order in
which they came never matters.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from twin.kinds import FIELDS
from twin.parquet import connected, quoted
from twin.readings import Reading
from twin.segment import blocks_of

if TYPE_CHECKING:
    import duckdb

#: Order of the rows of a day.
ORDER = "time, sensor, id"
_COLUMNS = ", ".join(f'"{name}"' for name in FIELDS)
_KEY = "sensor, id, day"
_OTHERS = ["time", *(name for name in FIELDS if name not in ("sensor", "id", "time", "recorded"))]
_KEPT = f"row_number() over (partition by {_KEY} order by recorded, " + ", ".join(
    f'"{name}"' for name in _OTHERS) + ") = 1"
_SHAPE = json.dumps([{name: "DOUBLE" if field.type == "d" else "VARCHAR"
                      for name, field in FIELDS.items()}])
_PIECE = 4 * 2**20  # characters of lines that are decoded at once
_MOST_CONFLICTS = 1000
_ROW_GROUP = 100_000
_SLICE = 2  # row groups that are sorted at once
_FORMAT = f"format parquet, compression zstd, row_group_size {_ROW_GROUP}"
_Item = TypeVar("_Item")
_SAME_S = 1e-3  # a time that was written down in between may have lost what is less


def load(base: duckdb.DuckDBPyConnection, source: str) -> None:
    """Make `fresh` of a table or query that has the columns."""
    base.execute(f"create temp table fresh as select {_COLUMNS}, {_day()} from {source}")


def load_lines(base: duckdb.DuckDBPyConnection, lines: Sequence[str]) -> None:
    """Make `fresh` of lines of segments: readings, row by row or by columns."""
    types = ", ".join(f'"{name}" {"double" if field.type == "d" else "varchar"}'
                      for name, field in FIELDS.items())
    base.execute(f"create temp table fresh ({types}, day bigint)")
    for piece in in_groups(lines, len, _PIECE):  # decoded they take many times their size
        blocks = [block for line in piece for block in blocks_of(line)]
        if blocks:
            laid = _laid_out(blocks)
            base.register("laid", laid)
            base.execute("create or replace temp table told as from laid")  # others are blank
            base.unregister("laid")
            columns = ", ".join(_told(name, name in laid) for name in FIELDS)
            base.execute(f"insert into fresh select *, {_day()} from (select {columns} from told)")
        rows = [line for line in piece if not line.startswith("{")]
        if rows:
            base.register("lines", {"line": _texts(rows)})
            base.execute(f"insert into fresh select *, {_day()} from (select "
                         f"{', '.join(map(_cell, FIELDS))} from (select unnest(from_json(line, "
                         f"'{_SHAPE}'), recursive := true) from lines))")
            base.unregister("lines")


def in_groups(items: Iterable[_Item], size: Callable[[_Item], int],
              most: int) -> Iterator[list[_Item]]:
    """Items in order, in groups that end when they have reached a size."""
    group, whole = [], 0
    for item in items:
        group.append(item)
        whole += size(item)
        if whole >= most:
            yield group
            group, whole = [], 0
    if group:
        yield group


def _cell(name: str) -> str:
    blank = "" if FIELDS[name].type == "d" else ", ''"
    return f'coalesce("{name}"{blank}) as "{name}"'


def _told(name: str, told: bool) -> str:
    """A column of the blocks; a number that is not told is a null, as in a row."""
    if FIELDS[name].type == "d":
        what = f'case when isnan("{name}") then null else "{name}" end' if told else "null::double"
    else:
        what = f'"{name}"::varchar' if told else "''"
    return f'{what} as "{name}"'


def _texts(words: Sequence[str]) -> np.ndarray[Any, Any]:
    column = np.empty(len(words), dtype=object)
    column[:] = words
    return column


def _laid_out(blocks: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """The columns of blocks one below another; what all rows of one share is repeated."""
    sizes = [block["size"] for block in blocks]
    found = {}
    for name, field in FIELDS.items():
        if any(name in block for block in blocks):
            blank = math.nan if field.type == "d" else ""
            said = [block.get(name, blank) for block in blocks]
            if not any(isinstance(one, list) for one in said):
                found[name] = np.repeat(np.array(said, float) if field.type == "d"
                                        else _texts(said), sizes)
                continue
            column = [value for one, size in zip(said, sizes, strict=True)
                      for value in (one if isinstance(one, list) else repeat(one, size))]
            found[name] = np.array(column, float) if field.type == "d" else _texts(column)
    return found


def days(base: duckdb.DuckDBPyConnection) -> list[int]:
    """The days that `fresh` has readings of."""
    return [int(row[0]) for row in
            base.execute("select distinct day from fresh order by 1").fetchall()]


def merge_day(base: duckdb.DuckDBPyConnection, day: int, old: Path,
              draft: Path) -> tuple[int, int, list[Reading]]:
    """Write a day with its fresh readings into a draft file.

    Returns
    -------
    tuple
        Readings of the day in `fresh`; those that are new to it; those left out although they say
        something else than the one kept.
    """
    there = f"(select {_COLUMNS}, {day} as day from read_parquet({quoted(old)}))" \
        if old.exists() else "(select * from fresh where false)"
    mine = f"(select * from fresh where day = {day})"
    read, keys, first = base.execute(
        f"select count(*), (select count(*) from (select distinct {_KEY} from {mine})), min(time) "
        f"from {mine}").fetchall()[0]
    known = base.execute(f"select count(*) from {there} semi join {mine} using ({_KEY})"
                         ).fetchall()[0][0] if old.exists() else 0
    if keys == read and not known:
        _write(base, f"(select {_COLUMNS} from (from {mine} union all from {there}))", old, first,
               draft)
        return int(read), int(read), []
    base.execute("create or replace temp table met as "
                 f"select * from {there} semi join {mine} using ({_KEY})")
    base.execute("create or replace temp table twice as select * from "
                 f"(select {_KEY} from {mine} union all select {_KEY} from met) "
                 "group by all having count(*) > 1")
    base.execute("create or replace temp table copies as select * from "
                 f"(select * from {mine} union all from met) semi join twice using ({_KEY})")
    base.execute(f"create or replace temp table kept as from copies qualify {_KEPT}")
    again, early = base.execute("select count(*) - (select count(*) from kept), min(time) "
                                "from copies").fetchall()[0]
    _write(base, f"(select {_COLUMNS} from (from kept union all "
           f"select * from {mine} anti join twice using ({_KEY}) union all "
           f"select * from {there} anti join twice using ({_KEY})))", old, min(first, early), draft)
    differs = " or ".join([f'a."{name}" is distinct from b."{name}"' for name in _OTHERS[1:]]
                          + [f"abs(a.time - b.time) > {_SAME_S}"])
    columns = ", ".join(f'a."{name}"' for name in FIELDS)
    conflicts = base.execute(
        f"select distinct {columns} from copies a join kept b "
        f"using ({_KEY}) where {differs} order by a.time, sensor, id limit {_MOST_CONFLICTS}"
    ).fetchall()
    return int(read), int(read - again), [
        Reading(**{name: value for name, value in zip(FIELDS, row, strict=True)
                   if value is not None}) for row in conflicts]


def _bounds(base: duckdb.DuckDBPyConnection, old: Path) -> list[float]:
    """Times that cut a day into slices of some row groups each; few rows are one slice."""
    if not old.exists():
        return []
    rows = base.execute(
        f"select stats_min_value::double from parquet_metadata({quoted(old)}) "
        "where path_in_schema = 'time' order by row_group_id").fetchall()
    return sorted({float(row[0]) for row in rows[_SLICE::_SLICE] if row[0] is not None})


def _write(base: duckdb.DuckDBPyConnection, source: str, old: Path, first: float,
           draft: Path) -> None:
    """Write rows in order of time, sensor and id.

    Parameters
    ----------
    old, first
        The day as it was, in order: what is before this time is as it was there. The rest is sorted
        a slice of time after another, so that no sort is larger than one.
    """
    head = [old] if old.exists() and first > -math.inf else []
    edges = [first, *(bound for bound in _bounds(base, old) if bound > first), math.inf]
    slices = [f"(from {source} where time >= {_double(low)} and time < {_double(high)} "
              f"order by {ORDER})" for low, high in pairwise(edges)]
    if not head and len(slices) == 1:
        base.execute(f"copy {slices[0]} to {quoted(draft)} ({_FORMAT})")
        return
    parts = [draft.with_suffix(f".{number}") for number in range(len(slices))]
    try:
        for piece, part in zip(slices, parts, strict=True):
            base.execute(f"copy {piece} to {quoted(part)} ({_FORMAT})")
        files = ", ".join(map(quoted, head + parts))
        where = f"where file_index > 0 or time < {_double(first)}" if head else ""
        _join(f"(select {_COLUMNS} from read_parquet([{files}]) {where})", draft)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _join(source: str, draft: Path) -> None:
    """Write rows in the order of the files that they come from."""
    with connected(bounded=True, ordered=True) as base:
        base.execute(f"copy {source} to {quoted(draft)} ({_FORMAT})")


def _double(number: float) -> str:
    return f"'{number!r}'::double"


def copy_without(base: duckdb.DuckDBPyConnection, day: Path, kinds: str, draft: Path) -> None:
    """Write the rows of a day that are not of some kinds (quoted, with commas) into a draft."""
    source = f"read_parquet({quoted(day)})"
    _write(base, f"(select {_COLUMNS} from {source} where kind not in ({kinds}))", day, -math.inf,
           draft)


def union(base: duckdb.DuckDBPyConnection, files: Sequence[Path], fresh: bool) -> str:
    """The source of days' files and, if there is one, of `fresh`, each reading once."""
    source = f"read_parquet([{', '.join(map(quoted, files))}])"
    if not fresh:
        return source
    there = f"(select {_COLUMNS}, {_day()} from {source})" if files else \
        "(select * from fresh where false)"
    base.execute(f"create temp table kept as select * from (from fresh union all "
                 f"select * from {there} semi join fresh using ({_KEY})) qualify {_KEPT}")
    return (f"(select {_COLUMNS} from (from kept union all "
            f"select * from {there} anti join fresh using ({_KEY})))")


def _day() -> str:
    return "floor(time / 86400)::bigint as day"
