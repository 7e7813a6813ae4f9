"""Numenta Anomaly Benchmark: one detector, one threshold, every file, by the benchmark's own score.

An alert counts when it is raised: the earlier inside a labelled window, the more; outside a window
it costs. 100 is every window at its first moment and no false alarm, 0 is never to raise one
(Lavin and Ahmad 2015).
"""

from __future__ import annotations

import gzip
import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from benchmarks.evidence.line import Line
from twin.sense.anomaly import SignalWatch
from twin.sense.debounce import Debounce

_FALSE_ALARM = 0.11  # weight of a false alarm in the standard profile
_CALM = 60  # readings in a row at half of the limit that end an alert


@dataclass(frozen=True)
class Series:
    """One file: times (s), values, and the labelled windows as first and last index."""

    name: str
    times: list[float]
    values: list[float]
    windows: list[tuple[int, int]]

    @property
    def start(self) -> int:
        """The first index that counts; before it a detector may learn."""
        return min(int(0.15 * len(self.values)), 750)


def read(folder: Path) -> list[Series]:
    """Every series of the folder, by name."""
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text())
    return [_series(path, windows) for path in sorted((folder / "data").glob("*/*.csv*"))]


def _series(path: Path, windows: dict[str, list[list[str]]]) -> Series:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        rows = [line.split(",") for line in file.read().splitlines()[1:]]
    times = [datetime.fromisoformat(f"{row[0]}+00:00").timestamp() for row in rows]
    name = f"{path.parent.name}/{path.name.removesuffix('.gz')}"
    marked = [[datetime.fromisoformat(f"{text}+00:00").timestamp() for text in pair]
              for pair in windows[name]]
    bounds = [(int(np.searchsorted(times, low)), int(np.searchsorted(times, high, "right")) - 1)
              for low, high in marked]
    return Series(name, times, [float(row[1]) for row in rows], bounds)


# ---- the score ----------------------------------------------------------------------------------


def sigmoid(position: float) -> float:
    """Worth of an alert at a place relative to the end of a window: 1 long before, -1 long after.

    Examples
    --------
    >>> round(sigmoid(-1.0), 3), sigmoid(0.0), round(sigmoid(1.0), 3)
    (0.987, 0.0, -0.987)
    """
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def score(series: Series, raised: Iterable[int]) -> float:
    """Worth of the alerts on one series; a window that is missed costs 1."""
    best = [-1.0] * len(series.windows)
    lost = 0.0
    for place in raised:
        if place < series.start:
            continue
        inside = [k for k, (low, high) in enumerate(series.windows) if low <= place <= high]
        if inside:
            low, high = series.windows[inside[0]]
            worth = sigmoid(-(high - place + 1) / (high - low + 1)) / sigmoid(-1.0)
            best[inside[0]] = max(best[inside[0]], worth)
        else:
            before = [(low, high) for low, high in series.windows if high < place]
            late = (place - before[-1][1]) / (before[-1][1] - before[-1][0]) if before else 4.0
            lost += _FALSE_ALARM * sigmoid(late)
    return sum(best) + lost


def normalised(series: Sequence[Series], scores: Iterable[float]) -> float:
    """Scores of all series as one figure: 0 never raises an alert, 100 is perfect."""
    windows = sum(len(one.windows) for one in series)
    return 100.0 * (sum(scores) + windows) / (2.0 * windows)


# ---- detectors ----------------------------------------------------------------------------------


def raised_by_watch(series: Series) -> list[int]:
    """Indices at which the twin raises an alert."""
    watch, alarm = SignalWatch(), Debounce(m=1, n=1, clear=0.5, calm=_CALM)
    found = []
    for place, heard in enumerate(zip(series.times, series.values, strict=True)):
        watch.update(heard)
        before = alarm.get()
        alarm.update(watch.get().score)
        if alarm.get() and not before:
            found.append(place)
    return found


def windowed_gaussian(values: Sequence[float], window: int = 6400, step: int = 100) -> list[float]:
    """Chance, under a normal fitted to the window before, of a value nearer to the mean.

    The window grows to its full size and then moves on by a step at a time.
    """
    x = np.asarray(values)
    total, squares = (np.concatenate([[0.0], np.cumsum(part)]) for part in (x, x * x))
    found = np.zeros(len(x))
    for place in range(1, len(x)):
        high = place if place <= window else window + (place - window) // step * step
        low = max(0, high - window)
        mean = (total[high] - total[low]) / (high - low)
        variance = (squares[high] - squares[low]) / (high - low) - mean * mean
        found[place] = ndtr(abs(x[place] - mean) / (math.sqrt(max(variance, 0.0)) or 1e-6))
    return found.tolist()


def best_windowed_gaussian(series: Sequence[Series]) -> float:
    """The windowed Gaussian with the one threshold that is best on these very files."""
    chances = [windowed_gaussian(one.values) for one in series]
    tried = []
    for places in np.arange(1.0, 16.0, 0.25):
        limit = 1.0 - 10.0 ** -places
        tried.append(normalised(series, (
            score(one, [k for k, chance in enumerate(row) if chance >= limit])
            for one, row in zip(series, chances, strict=True))))
    return max(tried)


def lines() -> list[Line]:
    """The figures; none where ``TWIN_DATA`` has no such set."""
    folder = Path(os.environ.get("TWIN_DATA", "")) / "nab"
    if not (folder / "labels").is_dir():
        return []
    series = read(folder)
    scores = [score(one, raised_by_watch(one)) for one in series]
    baseline = best_windowed_gaussian(series)
    halves = [normalised(part, scores[k::2]) for k, part in enumerate((series[::2], series[1::2]))]
    note = (f"{len(series)} files, limits of the detector as shipped, the same for every file, a "
            "single value is enough (1 of 1); "
            f"every second file {halves[0]:.1f}, the others {halves[1]:.1f}; the baseline has the "
            "threshold that is best on these files")
    return [Line("NAB", "score, standard profile", normalised(series, scores), ">", baseline,
                 "windowed Gaussian", baseline, note)]


if __name__ == "__main__":
    for line in lines():
        print(line)
