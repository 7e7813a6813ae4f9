"""GOAL: is a delivery driver driving or on foot, from positions every five seconds?

A stop at a customer is the time on foot. Positions are streamed through the same `Trips` as those
of trucks; the baseline is one limit of speed.
"""

from __future__ import annotations

import csv
import gzip
import math
import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.evidence.line import Line
from twin.readings import Reading
from twin.sense.geofence import EARTH_KM
from twin.sense.trip import Trips

_BASELINE_KMH = 7.2  # 2 m/s, the usual limit of walking
Point = tuple[float, float, float]  # s, m east, m north
Trace = tuple[list[Point], list[bool]]  # with whether it is on foot


def read(path: Path) -> list[Trace]:
    """Every trace of the file."""
    traces: dict[str, Trace] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            points, labels = traces.setdefault(row["trajectory"], ([], []))
            points.append((float(row["t_s"]), float(row["x"]), float(row["y"])))
            labels.append(row["groundtruth"] == "OnFoot")
    return list(traces.values())


def by_trips(points: Sequence[Point]) -> list[bool]:
    """On foot or not at each point, by the stops of `Trips`."""
    trips = Trips(shortest_stop_s=0.0, kept=len(points))
    for time, x, y in points:
        trips.update(Reading(
            sensor="gps", id=repr(time), time=time, kind="position", asset="van",
            latitude=math.degrees(y / (1000.0 * EARTH_KM)),
            longitude=math.degrees(x / (1000.0 * EARTH_KM))))
    stops = [part for part in trips.get().segments if not part.moving]
    return [any(stop.begin <= time < stop.end or time == stop.end == points[-1][0]
                for stop in stops) for time, _, _ in points]


def by_speed(points: Sequence[Point]) -> list[bool]:
    """The baseline: on foot at up to 2 m/s since the last point."""
    slow = [math.hypot(b[1] - a[1], b[2] - a[2]) <= _BASELINE_KMH / 3.6 * (b[0] - a[0])
            for a, b in pairwise(points)]
    return slow[:1] + slow


def judged(traces: Sequence[Trace],
           verdict: Callable[[Sequence[Point]], list[bool]]) -> tuple[float, float]:
    """Share of points that are right, and F1 of driving."""
    right = total = hits = said = true = 0
    for points, labels in traces:
        for found, label in zip(verdict(points), labels, strict=True):
            right += found == label
            total += 1
            hits += not found and not label
            said += not found
            true += not label
    return right / total, 2 * hits / (said + true)


def lines() -> list[Line]:
    """The figures; none where ``TWIN_DATA`` has no such set."""
    path = Path(os.environ.get("TWIN_DATA", "")) / "goal_gps" / "goal_gps_activity.csv.gz"
    if not path.is_file():
        return []
    traces = read(path)
    share, f1 = judged(traces, by_trips)
    base, base_f1 = judged(traces, by_speed)
    halves = [judged(part, by_trips)[0] for part in (traces[::2], traces[1::2])]
    note = (f"{len(traces)} traces; every second one {halves[0]:.3f}, the others {halves[1]:.3f}; "
            "the bar was set after the baseline")
    return [Line("GOAL GPS", "share of points right (stop or move)", share, ">=", 0.88,
                 "a limit of 2 m/s", base, note),
            Line("GOAL GPS", "F1 of moves", f1, ">=", 0.85, "a limit of 2 m/s", base_f1, note)]


if __name__ == "__main__":
    for line in lines():
        print(line)
