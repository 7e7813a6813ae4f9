"""Snapshots: a calibration on disk, and what moved since the one before."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from io import StringIO
from pathlib import Path

from scipy import special

from twin.clock import parse_duration
from twin.document import DocumentError
from twin.network.attributes import TABLES
from twin.parameters import COLUMNS, Calibration, Parameter, read_calibration
from twin.quantity import parse_number, parse_quantity

_KEPT = " (kept: nothing seen since)"


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
        *new*, *kept* (nothing was seen this time), *moved* (more than both intervals explain),
        *within* (what they explain) or *same*.
    """

    cell: str
    before: str
    after: str
    n_before: str
    n_after: str
    change: float
    widths: float
    verdict: str


def write_snapshot(folder: Path, calibration: Calibration) -> Path:
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


def kept(before: Calibration | None, after: Calibration) -> Calibration:
    """The later calibration with the earlier one's rows of cells that it saw nothing of.

    They keep their date: a rare failure is not forgotten because it did not happen of late.
    """
    if before is None:
        return after
    known = {row.cell for row in after.rows}
    old = [row if row.source.endswith(_KEPT) else replace(row, source=f"{row.source}{_KEPT}")
           for row in before.rows if row.value and row.cell not in known]
    rows = sorted([*after.rows, *old], key=lambda row: row.cell)
    return replace(after, rows=tuple(rows))


def moves(before: Calibration | None, after: Calibration, false_alarms: float = 0.05
          ) -> list[Move]:
    """What differs, the largest moves first.

    A cell has *moved* if its means differ by more than the evidence of both explains, corrected for
    the number of cells: with nothing changed, a snapshot of independent data says so of any cell
    with at most the chance `false_alarms`.

    Examples
    --------
    >>> old = Parameter("lanes", "A,B,sea", "transit", value="exponential(mean=10d)", low="8d",
    ...                 high="12d", n="90")
    >>> new = Parameter("lanes", "A,B,sea", "transit", value="exponential(mean=15d)", low="13d",
    ...                 high="17d", n="120")
    >>> move = moves(Calibration("a", rows=(old,)), Calibration("b", rows=(new,)))[0]
    >>> move.verdict, move.change, round(move.widths, 2)
    ('moved', 0.5, 2.0)
    """
    old = {} if before is None else {row.cell: row for row in before.rows if row.value}
    new = {row.cell: row for row in after.rows if row.value}
    both = sum(cell in old for cell in new)
    limit = float(special.ndtri(1.0 - false_alarms / (2.0 * max(both, 1))))
    found = [_move(cell, old.get(cell), new.get(cell), limit) for cell in sorted({*old, *new})]
    order = {"moved": 0, "new": 1, "gone": 2, "within": 3, "same": 4, "kept": 5}
    return sorted(found, key=lambda move: (order[move.verdict], -abs(move.widths), move.cell))


def _move(cell: str, old: Parameter | None, new: Parameter | None, limit: float) -> Move:
    if old is None or new is None:
        row = old or new
        assert row is not None
        return Move(cell, old.value if old else "", new.value if new else "",
                    old.n if old else "", new.n if new else "", 0.0, 0.0,
                    "new" if old is None else "gone")
    first, second = mean_of(old), mean_of(new)
    change = second / first - 1.0 if first > 0.0 else 0.0
    moved, half = _apart(old, new)
    widths = moved / half[0] if half[0] > 0.0 else 0.0 if moved == 0.0 else math.inf
    verdict = "within"
    if abs(change) < 1e-4:
        verdict, widths = "same", 0.0
    elif abs(moved) > limit / 1.959964 * math.hypot(*half):
        verdict = "moved"
    if new.source.endswith(_KEPT):
        verdict = "kept"
    return Move(cell, old.value, new.value, old.n, new.n, change, widths, verdict)


def _apart(old: Parameter, new: Parameter) -> tuple[float, tuple[float, float]]:
    """How far the means are apart, and the half width of each interval: of logarithms, of shares as
    they are."""
    first, second = mean_of(old), mean_of(new)
    spans = [bounds_of(row) for row in (old, new)]
    if min(first, second, *(low for low, _ in spans)) > 0.0 and second > 0.0:
        half = tuple(math.log(high / low) / 2.0 if high < math.inf else math.inf
                     for low, high in spans)
        return math.log(second / first), (half[0], half[1])
    half = tuple((high - low) / 2.0 for low, high in spans)
    return second - first, (half[0], half[1])


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
