"""A kitchen's critical control points: which meat items were handled as the plan asks?

Tags measure each item's air every 20 s or so, a probe the core while it is cooked. The plan has two
limits: at most half an hour in all above 8 C before cooking begins, and a core of 75 C.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.evidence.line import Line
from twin.readings import Reading
from twin.sense.excursion import Excursion, Limit

#: Above 8 C for half an hour in all, before it is cooked.
OUT_OF_THE_COLD = Limit(hours=0.5, at_least=8.0, beyond=True, cumulative=True)
#: Cooked through: not a limit but a goal, reached once.
COOKED = Limit(hours=0.0, at_least=75.0)


def read(folder: Path) -> dict[int, tuple[list[Reading], list[Reading]]]:
    """Readings of the tag and of the probe, by item."""
    probed = _probe(folder)
    marks = json.loads((folder / "annotations.json.txt").read_text(encoding="utf-8"))
    moments: dict[int, list[float]] = {}
    for text, item in marks.items():
        moments.setdefault(int(item.rpartition("Item")[2]), []).append(_seconds(text))
    found = {}
    for path in sorted(folder.glob("item*.csv")):
        item = int(re.sub(r"\D", "", path.stem))
        with path.open(encoding="utf-8") as file:
            tag = [_reading(f"tag{item}", _seconds(row["date"]), float(row["temperature"]))
                   for row in csv.DictReader(file)]
        probe = [probed[time] for time in sorted(moments.get(item, [])) if time in probed]
        found[item] = (sorted(tag, key=lambda reading: reading.time), probe)
    return found


def _probe(folder: Path) -> dict[float, Reading]:
    """The readings of the probe by second; its clock is UTC."""
    found = {}
    for path in sorted(folder.glob("meatprobe_*.txt")):
        for line in path.read_text(encoding="latin-1").splitlines()[1:]:
            parts = line.split(",")
            if len(parts) >= 3:
                moment = datetime.strptime(f"{parts[1]}+0000", "%d/%m/%Y %H:%M:%S%z").timestamp()
                found[moment] = _reading("probe", moment, float(parts[2]))
    return found


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _reading(sensor: str, time: float, value: float) -> Reading:
    return Reading(sensor=sensor, id=repr(time), time=time, kind="temperature", lot=sensor,
                   value=value)


def compliant(tag: Sequence[Reading], probe: Sequence[Reading]) -> bool:
    """Whether an item was kept and cooked as the plan asks."""
    return kept_cold(tag, probe) and cooked(probe)


def kept_cold(tag: Sequence[Reading], probe: Sequence[Reading]) -> bool:
    """Whether it was not out of the cold for too long before cooking began."""
    begin = min((reading.time for reading in probe), default=float("inf"))
    watch = Excursion([OUT_OF_THE_COLD])
    for reading in tag:
        if reading.time < begin:
            watch.update(reading)
    watch.advance(min(begin, tag[-1].time if tag else begin))
    return watch.get().state != "breach"


def cooked(probe: Sequence[Reading]) -> bool:
    """Whether its core reached the goal."""
    watch = Excursion([COOKED])
    for reading in probe:
        watch.update(reading)
    return bool(watch.get().breaches)


def truth(folder: Path) -> dict[int, bool]:
    """What was played, by item: True is compliant."""
    found = {}
    for line in (folder / "SCENARIOS.md").read_text(encoding="utf-8").splitlines():
        match = re.match(r"([\d, ]+) (compliant|violation)", line)
        if match:
            found |= {int(item): match[2] == "compliant" for item in re.findall(r"\d+", match[1])}
    return found


def lines() -> list[Line]:
    """The figures; none where ``TWIN_DATA`` has no such set."""
    folder = Path(os.environ.get("TWIN_DATA", "")) / "haccp_kitchen"
    if not (folder / "annotations.json.txt").is_file():
        return []
    items, played = read(folder), truth(folder)
    known = sorted(set(items) & set(played))
    right = sum(compliant(*items[item]) == played[item] for item in known) / len(known)
    base = sum(cooked(items[item][1]) == played[item] for item in known) / len(known)
    note = (f"{len(known)} items; more than 30 min above 8 C before cooking, or a core below 75 C, "
            "is a violation")
    return [Line("HACCP kitchen", "share of verdicts right", right, ">=", 1.0,
                 "the core temperature alone", base, note)]


if __name__ == "__main__":
    for line in lines():
        print(line)
