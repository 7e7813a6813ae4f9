"""A frePPLe export: JSON records of its models, in either of its two spellings."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twin.network.erp.imported import ImportedError

Record = dict[str, Any]


class FreppleFile:
    """Records by kind of thing; a reference is spelt ``item``, also where the file has ``item_id``.

    Parameters
    ----------
    path
        A ``.json`` or ``.json.gz`` file, or a folder that holds one.

    Raises
    ------
    ImportedError
        If there is no such file, or it is no such export.
    """

    def __init__(self, path: Path) -> None:
        self.path = _file(path)
        try:
            raw = self.path.read_bytes()
            found = json.loads(gzip.decompress(raw) if self.path.suffix == ".gz" else raw)
        except (OSError, ValueError, EOFError) as error:
            raise ImportedError(f"{self.path.name} is no JSON: {str(error)[:80]}. Export it "
                                "again.") from None
        if not isinstance(found, list) or not all(
                isinstance(row, dict) and isinstance(row.get("fields"), dict)
                and isinstance(row.get("model"), str) for row in found):
            raise ImportedError(f"{self.path.name} is no list of records with model and fields. "
                                "Export it with dumpdata.")
        self._rows: defaultdict[str, list[Record]] = defaultdict(list)
        for row in found:
            said = {key.removesuffix("_id"): value for key, value in row["fields"].items()}
            if "name" not in said and row.get("pk") is not None:
                said["name"] = str(row["pk"])
            self._rows[row["model"].rpartition(".")[2]].append(said)

    def __call__(self, kind: str) -> list[Record]:
        """The records of a kind, such as ``operation``."""
        return self._rows[kind]

    def by_name(self, kind: str) -> dict[str, Record]:
        """The same by name."""
        return {str(row["name"]): row for row in self._rows[kind] if "name" in row}

    def now(self) -> datetime:
        """The date that the plan was made at."""
        for row in self._rows["parameter"]:
            if row.get("name") == "currentdate":
                return moment(row.get("value"), "parameter currentdate")
        raise ImportedError(f"{self.path.name} has no parameter currentdate. Export the parameters "
                            "as well.")


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise ImportedError(f"'{path}' is not there. Give the exported file, or its folder.")
    found = sorted([*path.glob("*.json"), *path.glob("*.json.gz")])
    if len(found) != 1:
        names = ", ".join(one.name for one in found[:8]) or "none"
        raise ImportedError(f"'{path}' holds {len(found)} exports ({names}). Give one file.")
    return found[0]


def moment(value: Any, where: str) -> datetime:
    """A date and time; its zone is UTC.

    Raises
    ------
    ImportedError
        If it is none.
    """
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise ImportedError(f"{where}: '{str(value)[:40]}' is no date. Write such as 2021-01-01 "
                            "00:00:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def hours(value: Any, where: str) -> float:
    """A duration in hours, of seconds or of ``[days ]hh:mm:ss``.

    Examples
    --------
    >>> hours("1800.0", "x"), hours("2 12:30:00", "x"), hours(None, "x")
    (0.5, 60.5, 0.0)
    """
    text = str(value).strip() if value is not None else ""
    if not text:
        return 0.0
    try:
        if ":" not in text:
            return float(text) / 3600.0
        whole, _, clock = text.rpartition(" ")
        parts = [float(part) for part in clock.split(":")]
        return 24.0 * float(whole or 0) + sum(part / 60.0**place
                                              for place, part in enumerate(parts))
    except ValueError:
        raise ImportedError(f"{where}: '{text[:40]}' is no duration. Write seconds, or "
                            "hh:mm:ss.") from None


def pairs(rows: list[Record], *keys: str) -> Iterator[tuple[tuple[str, ...], Record]]:
    """Records whose references are all filled, with them."""
    for row in rows:
        names = tuple(str(row.get(key) or "") for key in keys)
        if all(names):
            yield names, row
