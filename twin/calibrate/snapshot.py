"""Snapshots: a calibration on disk, and what moved since the one before."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from io import StringIO
from pathlib import Path

from twin.clock import parse_duration
from twin.document import DocumentError
from twin.network.attributes import TABLES
from twin.parameters import COLUMNS, Calibration, Parameter, read_calibration
from twin.quantity import parse_number, parse_quantity


@dataclass(frozen=True, slots=True)
class Move:
    """How one cell differs between two calibrations.

    Attributes
    ----------
    before, after
        Values in words; blank where the cell was not learned.
    change
        Relative change of the mean.
    widths
        The change of the mean in half widths of the earlier interval: beyond 1, the new mean lies
        outside it.
    verdict
        *new*, *gone*, *moved* (neither mean lies in the other's interval), *within* (its interval)
        or *same*.
    """

    cell: str
    before: str
    after: str
    n_before: str
    n_after: str
    change: float
    widths: float
    verdict: str


def write_snapshot(folder: Path, calibration: Calibration, streams: Iterable[str] = ()) -> Path:
    """Write ``NAME.yaml`` and ``NAME.csv``; the YAML file's path.

    Both appear whole: a reader never sees half a snapshot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(astuple(row) for row in calibration.rows)
    head = [f"title: {_quoted(calibration.title)}", f"means: {_quoted(calibration.means)}",
            f"as_of: {_quoted(calibration.as_of)}", f"source: {_quoted(calibration.source)}",
            f"cells: {calibration.name}.csv"]
    _put(folder / f"{calibration.name}.csv", text.getvalue())
    path = folder / f"{calibration.name}.yaml"
    _put(path, "\n".join(head) + "\n")
    return path


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _put(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def last_snapshot(folders: Iterable[Path], model: str, *, before: str = "~") -> Calibration | None:
    """The newest snapshot ``MODEL-DATE`` of a model whose name is smaller than `before`."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob(f"{model}-[0-9]*.yaml") if folder.is_dir() else ():
            found.setdefault(path.stem, path)
    for name in sorted(found, reverse=True):
        if name < before:
            try:
                return read_calibration(found[name])
            except DocumentError:
                continue
    return None


def moves(before: Calibration | None, after: Calibration) -> list[Move]:
    """What differs, the largest moves first.

    Examples
    --------
    >>> old = Parameter("lanes", "A,B,sea", "transit", value="exponential(mean=10d)", low="8d",
    ...                 high="12d", n="90")
    >>> new = Parameter("lanes", "A,B,sea", "transit", value="exponential(mean=15d)", low="13d",
    ...                 high="17d", n="120")
    >>> move = moves(Calibration("a", rows=(old,)), Calibration("b", rows=(new,)))[0]
    >>> move.verdict, move.change, round(move.widths, 2)
    ('moved', 0.5, 2.22)
    """
    old = {} if before is None else {row.cell: row for row in before.rows if row.value}
    new = {row.cell: row for row in after.rows if row.value}
    found = [_move(cell, old.get(cell), new.get(cell)) for cell in sorted({*old, *new})]
    order = {"moved": 0, "new": 1, "gone": 2, "within": 3, "same": 4}
    return sorted(found, key=lambda move: (order[move.verdict], -abs(move.widths), move.cell))


def _move(cell: str, old: Parameter | None, new: Parameter | None) -> Move:
    if old is None or new is None:
        row = old or new
        assert row is not None
        return Move(cell, old.value if old else "", new.value if new else "",
                    old.n if old else "", new.n if new else "", 0.0, 0.0,
                    "new" if old is None else "gone")
    first, second = mean_of(old), mean_of(new)
    change = second / first - 1.0 if first > 0.0 else 0.0
    low, high = bounds_of(old)
    new_low, new_high = bounds_of(new)
    widths = 0.0
    if min(first, second, low, high) > 0.0 and second != first:
        side = math.log(high / first) if second > first else math.log(first / low)
        widths = math.log(second / first) / side if side > 1e-9 else math.copysign(
            math.inf, second - first)
    outside = not low <= second <= high and not new_low <= first <= new_high
    tiny = abs(change) < 1e-4
    verdict = "same" if tiny else "moved" if outside else "within"
    return Move(cell, old.value, new.value, old.n, new.n, change, 0.0 if tiny else widths, verdict)


def mean_of(row: Parameter) -> float:
    """The mean of a learned value: hours, or a number."""
    attribute = TABLES[row.table].by_column[row.column]
    if attribute.base == "dur":
        return parse_duration(row.value)
    return parse_quantity(row.value, attribute.base == "rq_time").mean()


def bounds_of(row: Parameter) -> tuple[float, float]:
    """The interval of the mean; without one, the mean itself."""
    if not row.low or not row.high:
        return mean_of(row), mean_of(row)
    time = TABLES[row.table].by_column[row.column].base in ("dur", "rq_time")
    read = parse_duration if time else parse_number
    return read(row.low), read(row.high)
