"""Public EPCIS 2.0 documents: each that follows the standard is taken, each other is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks.evidence.line import Line
from twin.readings import BadReading
from twin.sense.epcis import check_epcis, read_epcis

_DATA = "EPCIS documents"


def documents(folder: Path) -> list[tuple[Path, bool]]:
    """Each document, and whether it follows the standard: it lies in no folder `Invalid`."""
    return [(path, "Invalid" not in path.parts)
            for path in sorted([*folder.rglob("*.json"), *folder.rglob("*.jsonld")])
            if not path.name.endswith(("-Schema.json", "-context.jsonld"))]


def accepted(path: Path) -> bool:
    """The twin's verdict."""
    try:
        check_epcis(path.read_bytes())
    except BadReading:
        return False
    return True


def parses(path: Path) -> bool:
    """The baseline: any JSON object that names a type or asks for one."""
    said = json.loads(path.read_bytes())
    return isinstance(said, dict) and bool({"type", "eventType"} & said.keys())


def lines() -> list[Line]:
    """The lines of this set; none where the data is not there."""
    folder = Path(os.environ.get("TWIN_DATA", "")) / "epcis_examples"
    if not folder.is_dir():
        return []
    sound = documents(folder)
    right = sum(accepted(path) == good for path, good in sound) / len(sound)
    naive = sum(parses(path) == good for path, good in sound) / len(sound)
    rows = [row for path, good in sound if good for row in read_epcis(path.read_bytes())]
    read = sum(not isinstance(row, BadReading) for row in rows) / len(rows)
    return [
        Line(_DATA, f"right verdicts, share of {len(sound)}", right, ">=", 1.0,
             "takes any JSON object with a type", naive,
             "Every document of the set, without knowledge of its verdict."),
        Line(_DATA, f"statements that become readings, share of {len(rows)}", read, ">=", None,
             "", None, "The rest name no place, which a sighting needs, or amounts of products "
             "whose weight or volume nobody has told."),
    ]


if __name__ == "__main__":
    for line in lines():
        print(line)
