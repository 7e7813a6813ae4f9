"""What an importer gives, and how it is written as a model."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from twin.network.attributes import TABLES

_BAD = re.compile(r"[,:\[\]#*?\"'`\x00-\x1f\x7f]+")
_LONGEST = 80


class ImportedError(ValueError):
    """An export that cannot be read; the message says which file, what, and what to do."""


@dataclass(slots=True)
class Imported:
    """Tables of a model, and what was assumed.

    Attributes
    ----------
    title, start, currency
        The head of the model; `start` is the moment that the export speaks of.
    tables
        Name of a table -> its rows, as mappings of column to value.
    assumed
        What the export does not say, and what stands in the tables instead; one sentence each.
    left_out
        What it says and a model cannot; one sentence each.
    """

    title: str
    start: datetime
    currency: str = "EUR"
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, table: str, **row: Any) -> None:
        """Add a row; None is a blank."""
        self.tables.setdefault(table, []).append(
            {column: value for column, value in row.items() if value is not None})

    def assume(self, sentence: str) -> None:
        """Note an assumption, once."""
        if sentence not in self.assumed:
            self.assumed.append(sentence)

    def leave_out(self, sentence: str) -> None:
        """Note what is left out, once."""
        if sentence not in self.left_out:
            self.left_out.append(sentence)


class Names:
    """Names of an export as names of a model: marks that a model keeps for itself become blanks.

    Two names that would become one are told apart by a number.

    Examples
    --------
    >>> names = Names()
    >>> names("Frame #4: 'red'"), names("Frame 4 red"), names("Frame #4: 'red'")
    ('Frame 4 red', 'Frame 4 red 2', 'Frame 4 red')
    """

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """The name in the model."""
        if name not in self._of:
            plain = " ".join(_BAD.sub(" ", name).split())[:_LONGEST - 4].strip() or "unnamed"
            plain = "".join(mark for mark in plain if mark.isprintable())
            made, number = plain, 2
            while made.casefold() in self._taken:
                made, number = f"{plain} {number}", number + 1
            self._taken.add(made.casefold())
            self._of[name] = made
        return self._of[name]


def write_model(model: Imported, models: Path, name: str, source: str) -> Path:
    """Write a model: ``NAME.yaml``, a folder of tables, and a README that names each assumption.

    Parameters
    ----------
    models
        The folder ``models`` of a workspace.
    source
        Where it came from, in words.

    Raises
    ------
    ImportedError
        If there is a model of that name.

    Returns
    -------
    Path
        The folder of the tables.
    """
    head, folder = models / f"{name}.yaml", models / name
    if not re.fullmatch(r"[A-Za-z0-9_][\w-]{0,79}", name):
        raise ImportedError(f"into={name[:60]} is no name of a model. Use letters, digits and _.")
    if head.exists() or folder.exists():
        raise ImportedError(f"there is a model {name} in {models}. Give another name to into=.")
    folder.mkdir(parents=True)
    title = _BAD.sub(" ", model.title).strip() or name
    head.write_text(f"title: {title}\nstart: {model.start:%Y-%m-%dT%H:%M:%SZ}\n"
                    f"currency: {model.currency}\ntables: {name}\n", encoding="utf-8")
    for table, rows in model.tables.items():
        columns = [attribute.column for attribute in TABLES[table].attributes
                   if any(attribute.column in row for row in rows)]
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows({column: written(value) for column, value in row.items()}
                             for row in rows)
    (folder / "README.md").write_text(_readme(model, source), encoding="utf-8")
    return folder


def written(value: Any) -> str:
    """A value as a planner would write it.

    Examples
    --------
    >>> written(2.50), written(True), written("3d")
    ('2.5', 'yes', '3d')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)


def _readme(model: Imported, source: str) -> str:
    rows = "".join(f"| {table} | {len(rows):,} |\n" for table, rows in model.tables.items())
    said = f"# {model.title}\n\nImported from {source}.\n\n| table | rows |\n|---|---|\n{rows}"
    for title, sentences in (
            ("What the export does not say, and what stands here instead", model.assumed),
            ("What the export says and is left out", model.left_out)):
        if sentences:
            said += f"\n## {title}\n\n" + "".join(f"- {one}\n" for one in sentences)
    return said


def days(value: float) -> str:
    """A duration in days as a planner writes it.

    Examples
    --------
    >>> days(17.0), days(0.5), days(0)
    ('17d', '12h', '0h')
    """
    if value and value == int(value):
        return f"{int(value)}d"
    return f"{written(float(value) * 24.0)}h"


def number(row: Mapping[str, Any], column: str, where: str, default: float = 0.0) -> float:
    """A number of an export; blank is the default.

    Raises
    ------
    ImportedError
        If it is none.
    """
    value = row.get(column)
    if value is None or str(value).strip() == "":
        return default
    try:
        found = float(str(value))
    except ValueError:
        found = float("nan")
    if not abs(found) < 1e15:
        raise ImportedError(f"{where}: {column} '{str(value)[:40]}' is no number. Correct the "
                            "export.")
    return found


def unique(rows: Iterable[dict[str, Any]], *key: str) -> list[dict[str, Any]]:
    """The first row of each key."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(column) for column in key), row)
    return list(found.values())
