"""Tables of events in Parquet files, written and read by DuckDB."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import numpy as np

from twin.events import EVENTS

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_MEMORY = "512MB"


def quoted(text: Path | str) -> str:
    """A text as SQL writes it.

    Examples
    --------
    >>> quoted("Bob's")
    "'Bob''s'"
    """
    return "'" + str(text).replace("'", "''") + "'"


@contextmanager
def connected(*, bounded: bool = False,
              ordered: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to DuckDB with tables of its own.

    Parameters
    ----------
    bounded
        Whether its memory stays flat: one thread, and what does not fit is spilled to disk.
    ordered
        Whether rows stay in the order of their files; a bounded one spills less if they need not.
    """
    import duckdb

    with _database(os.getpid(), bounded, ordered).cursor() as base:
        with suppress(duckdb.Error):  # a notebook without ipywidgets has no bar to switch off
            base.execute("set enable_progress_bar = false")
        yield base


@cache
def _database(process: int, bounded: bool, ordered: bool) -> duckdb.DuckDBPyConnection:
    """What connections of a process share, since to open it takes longer than a usual question."""
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "preserve_insertion_order": ordered, "enable_external_file_cache": False}
    if bounded:
        spill = Path(gettempdir()) / f"twin-{process}-{int(ordered)}"
        settings |= {"memory_limit": _MEMORY, "threads": 1, "temp_directory": str(spill)}
    return duckdb.connect(config=settings)


def write_table(path: Path | str, frames: Mapping[str, pd.DataFrame], query: str) -> None:
    """Write what a query over named frames gives; the file appears whole or not at all."""
    path = Path(path)
    draft = path.with_name(f".{path.name}.part")
    with connected() as base:
        for name, frame in frames.items():
            base.register(name, frame)
        base.execute(f"copy ({query}) to {quoted(draft)} (format parquet, compression zstd)")
    draft.replace(path)


def read_table(path: Path | str, columns: Mapping[str, str], *, needed: Sequence[str] = (),
               scenario: str | None = None) -> pd.DataFrame:
    """Read a file of certain columns, in order of `id` if it has one.

    Parameters
    ----------
    columns
        Name -> type: d number, q whole number, s text (given as a category). A column that the
        file lacks is blank: 0, or an empty text; a missing number stays missing (NaN).
    needed
        Columns that the file must have.
    scenario
        Whose rows, in a file with a column `scenario`; it may be left out if there is one.

    Raises
    ------
    ValueError
        If the file cannot be read, has other columns, or lacks a needed one.
    """
    import duckdb

    if not Path(path).is_file():
        raise ValueError(f"{path} is not there. Give a Parquet file.")
    source = f"read_parquet({quoted(path)})"
    with connected() as base:
        try:
            found = [row[0] for row in base.execute(f"describe select * from {source}").fetchall()]
        except duckdb.Error as error:
            raise ValueError(f"{path} is not a Parquet file: {error}") from None
        _check_columns(path, found, columns, needed)
        if "scenario" in found:
            chosen = _scenario(base, path, source, scenario)
            source = f"(select * from {source} where scenario = {quoted(chosen)})"
        parts = [_column(base, source, name, kind, name in found)
                 for name, kind in columns.items()]
        order = "order by id" if "id" in found else ""
        try:
            frame = base.execute(f"select {', '.join(parts)} from {source} {order}").fetch_df()
        except duckdb.ConversionException as error:
            raise ValueError(f"{path}: {error}") from None
    return frame


def _check_columns(path: Path | str, found: Sequence[str], columns: Mapping[str, str],
                   needed: Sequence[str]) -> None:
    strange = [name for name in found if name not in {*columns, "id", "scenario"}]
    missing = [name for name in needed if name not in found]
    if strange:
        raise ValueError(f"{path}: column '{strange[0]}' is unknown. Use {', '.join(columns)}.")
    if missing:
        raise ValueError(f"{path}: column '{missing[0]}' is missing. Add it.")


def _scenario(base: duckdb.DuckDBPyConnection, path: Path | str, source: str,
              wanted: str | None) -> str:
    """The scenario whose rows are read."""
    rows = base.execute(f"select distinct scenario from {source} order by 1").fetchall()
    there = [str(row[0]) for row in rows]
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted not in there:
        what = f"scenario '{wanted}' is not in {path}" if wanted else f"{path} holds several"
        raise ValueError(f"{what}. Choose one of {', '.join(there)}.")
    return wanted


def _column(base: duckdb.DuckDBPyConnection, source: str, name: str, kind: str,
            present: bool) -> str:
    """The SQL of one column; a text's few values become a type, so that it is read as codes."""
    spelled = f'"{name}"'
    value = spelled if present else "null"
    if kind == "d":
        return f"{value}::double as {spelled}"
    if kind == "q":
        return f"coalesce({value}, 0)::bigint as {spelled}"
    text = f"coalesce({value}::varchar, '')"
    base.execute(f'create temp type "texts of {name}" as enum '
                 f'(select distinct {text} from {source})')
    return f'{text}::"texts of {name}" as {spelled}'


def check_events(path: Path | str, frame: pd.DataFrame) -> None:
    """Refuse what no ledger holds: an unknown event, a time that is none."""
    unknown = sorted(set(frame["event"].cat.categories) - set(EVENTS))
    if unknown:
        row = int(np.flatnonzero((frame["event"] == unknown[0]).to_numpy())[0]) + 1
        raise ValueError(f"{path} row {row}: event '{unknown[0]}' is unknown. "
                         f"Use one of {', '.join(EVENTS)}.")
    wrong = np.flatnonzero(~np.isfinite(frame["time"].to_numpy(dtype=float)))
    if len(wrong):
        raise ValueError(f"{path} row {wrong[0] + 1}: the time is missing or infinite. "
                         "Give hours from the start.")
