"""A calibration: values of table cells that were learned, with the evidence behind each."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from twin.document import DocumentError, read_document
from twin.network import ModelError, Network

COLUMNS = ("table", "key", "column", "profile", "value", "low", "high", "n", "as_of", "source",
           "spread")
_HEAD = ("title", "means", "as_of", "source", "cells")
_REQUIRED = ("table", "key", "column")
_MOST_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One learned cell: its value as a planner would write it, and its evidence.

    Attributes
    ----------
    low, high
        95 % interval of the mean of the value (of a plain number, of the number).
    n
        Observations.
    spread
        Covariance of the parameters of `value` on their free scale (logarithms; log odds of a
        share): its lower triangle, blanks between.
    """

    table: str
    key: str
    column: str
    profile: str = ""
    value: str = ""
    low: str = ""
    high: str = ""
    n: str = ""
    as_of: str = ""
    source: str = ""
    spread: str = ""

    @property
    def cell(self) -> str:
        """The address of the cell: ``lanes[A,B,sea].transit``."""
        return f"{self.table}[{self.key}].{self.column}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A named set of learned cells.

    Examples
    --------
    >>> from twin.network import Network
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}])
    >>> slow = Calibration("slow", rows=(Parameter("sites", "W", "record_delay", value="2d"),))
    >>> slow.apply(network).sites["W"].record_delay
    48.0
    """

    name: str
    title: str = ""
    means: str = ""
    as_of: str = ""
    source: str = ""
    rows: tuple[Parameter, ...] = field(default=(), repr=False)
    file: str = ""

    def apply(self, network: Network) -> Network:
        """The network with the learned values in its cells.

        Rows of the table `profiles` whose pattern the model does not have are added to it, so that
        a cell can point to a pattern that was learned.

        Raises
        ------
        ModelError
            With every row that fits no cell, or whose value the cell cannot hold.
        """
        if not self.rows:
            return network
        network = self._with_patterns(network)
        cells: dict[str, str] = {}
        where: dict[str, int] = {}
        problems = []
        for number, row in enumerate(self.rows, start=2):
            for cell, value in ((row.cell, row.value), (f"{row.table}[{row.key}].profile",
                                                        row.profile)):
                if value and cells.setdefault(cell, value) != value:
                    problems.append(f"{self._place(number)}: {cell} has another value in row "
                                    f"{where[cell]}. Keep one.")
                elif value:
                    where.setdefault(cell, number)
        if problems:
            raise ModelError(problems)
        try:
            return network.with_cells(cells)
        except ModelError as error:
            raise ModelError(self._placed(problem, where) for problem in error.problems) from None

    def _with_patterns(self, network: Network) -> Network:
        """The network with room for the patterns that were learned: rows of `profiles` it lacks."""
        known = {row.profile for row in network.profiles.values()}
        added: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            if row.table == "profiles":
                parts = [part.strip() for part in row.key.split(",")] + [""] * 4
                if parts[0] not in known:
                    added[row.key] = {**dict(zip(("profile", "hour", "weekday", "month"), parts,
                                                 strict=False)), "factor": 1.0}
        if not added:
            return network
        return network.replace(profiles=[*network.profiles.values(), *added.values()])

    def digest(self) -> str:
        """A fingerprint of what it replaces: the evidence does not count."""
        lines = [f"{row.cell}={row.value}|{row.profile}" for row in self.rows]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _place(self, number: int) -> str:
        return f"{self.file or self.name} row {number}"

    def _placed(self, problem: str, where: dict[str, int]) -> str:
        """A problem of a cell with the row of this calibration that it comes from."""
        for cell in sorted(where, key=len, reverse=True):
            if problem.startswith((f"{cell}:", f"{cell} ")):
                return f"{self._place(where[cell])}: {problem}"
        return f"calibration {self.name}: {problem}"


def read_calibration(path: Path | str, head: dict[str, Any] | None = None) -> Calibration:
    """Read ``NAME.yaml`` and, if it is there, ``NAME.csv`` (or the file that `cells` names).

    Raises
    ------
    DocumentError
        With every problem: file, row, value, remedy.
    """
    path = Path(path)
    label = f"{path.parent.name}/{path.name}"
    head = read_document(path) if head is None else head
    unknown = [key for key in head if key not in _HEAD]
    if unknown:
        raise DocumentError(f"{label}: '{unknown[0]}' is unknown. There are {', '.join(_HEAD)}.")
    cells = path.parent / str(head.get("cells", path.with_suffix(".csv").name))
    if "cells" in head and not cells.resolve().is_relative_to(path.parent.resolve()):
        raise DocumentError(f"{label}: cells '{head['cells']}' lies outside the folder. Put the "
                            "file beside this one.")
    if "cells" in head and not cells.is_file():
        raise DocumentError(f"{label}: cells '{head['cells']}' is not a file. Write the name of "
                            "the CSV file beside this one.")
    rows = read_parameters(cells) if cells.is_file() else ()
    words = {key: str(head.get(key) or "") for key in ("title", "means", "as_of", "source")}
    return Calibration(name=path.stem, rows=rows, file=f"{cells.parent.name}/{cells.name}", **words)


def read_parameters(path: Path) -> tuple[Parameter, ...]:
    """The rows of a snapshot's CSV file."""
    label = f"{path.parent.name}/{path.name}"
    if path.stat().st_size > _MOST_BYTES:
        raise DocumentError(f"{label} is larger than {_MOST_BYTES // 1_000_000} MB. Split it.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise DocumentError(f"{label} is not UTF-8 ({where}). Save it as UTF-8.") from None
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    problems: list[str] = []
    rows: list[Parameter] = []
    try:
        header = [name.strip() for name in next(lines, [])]
        problems += _header_problems(label, header)
        if problems:
            raise DocumentError("\n".join(problems))
        for cells in lines:
            if not any(cells):
                continue
            place = f"{label} row {lines.line_num}"
            if len(cells) != len(header):
                problems.append(f"{place}: {len(cells)} cells where the header has {len(header)}. "
                                "Quote a key that has commas.")
                continue
            row = Parameter(**dict(zip(header, map(str.strip, cells), strict=True)))
            blank = [name for name in _REQUIRED if not getattr(row, name)]
            if blank or not (row.value or row.profile):
                problems.append(f"{place}: {(blank or ['value'])[0]} is blank. Write it.")
                continue
            rows.append(row)
    except csv.Error as error:
        problems.append(f"{label} row {lines.line_num}: is not CSV: {error}.")
    if problems:
        raise DocumentError("\n".join(problems[:200]))
    return tuple(rows)


def _header_problems(label: str, header: list[str]) -> list[str]:
    known = f"The columns are {', '.join(COLUMNS)}."
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in _REQUIRED if name not in header]
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    return [
        *(f"{label} row 1: column '{name[:40]}' is unknown. {known}" for name in unknown),
        *(f"{label} row 1: column '{name}' is missing. {known}" for name in missing),
        *(f"{label} row 1: column '{name[:40]}' is given twice. Keep one." for name in twice),
    ]
