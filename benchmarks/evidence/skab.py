"""Skoltech Anomaly Benchmark: faults of a water rig, from eight signals a second.

As in its leaderboard the first 400 rows of each file are for learning and the rest is judged; every
row is a hit or a miss. FAR is the share of normal rows that are called anomalous.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.sense.debounce import Debounce
from twin.sense.signature import Signature

_LEARNING = 400
Verdicts = list[bool]
Run = tuple[list[list[float]], list[bool]]


def read(folder: Path) -> list[Run]:
    """Signals and labels of each file with a fault."""
    runs = []
    for path in sorted(folder.glob("*/*.csv*")):
        if path.parent.name == "anomaly-free":
            continue
        frame = pd.read_csv(path, sep=";")
        signals = frame.drop(columns=["datetime", "anomaly", "changepoint"])
        runs.append((signals.to_numpy(float).tolist(), (frame["anomaly"] > 0).tolist()))
    return runs


def by_signature(rows: Sequence[Sequence[float]]) -> Verdicts:
    """The twin's verdict at each row: the signature of the machine, 3 of 5 rows."""
    signature, alarm = Signature(learning=_LEARNING), Debounce(m=3, n=5, clear=1.0, calm=3)
    found = []
    for row in rows:
        signature.update(row)
        alarm.update(signature.get().score)
        found.append(alarm.get())
    return found


def by_limits(rows: Sequence[Sequence[float]]) -> Verdicts:
    """The baseline: any signal outside its mean ± 3 standard deviations of the learning, 3 of 5."""
    learnt = np.asarray(rows[:_LEARNING])
    mean, sd = learnt.mean(axis=0), learnt.std(axis=0)
    alarm, found = Debounce(m=3, n=5, clear=1.0, calm=3), []
    for row in rows:
        alarm.update(float(np.max(np.abs(row - mean) / (3.0 * sd + 1e-12))))
        found.append(alarm.get())
    return found


def judged(runs: Sequence[Run], verdict: Callable[[Sequence[Sequence[float]]], Verdicts],
           ) -> tuple[float, float]:
    """F1 and share of false alarms (%) over all rows after the learning."""
    said = np.concatenate([verdict(rows)[_LEARNING:] for rows, _ in runs]).astype(bool)
    true = np.concatenate([labels[_LEARNING:] for _, labels in runs]).astype(bool)
    hits, false = np.sum(said & true), np.sum(said & ~true)
    return float(2 * hits / (said.sum() + true.sum())), float(100 * false / np.sum(~true))


def lines() -> list[Line]:
    """The figures; none where ``TWIN_DATA`` has no such set."""
    folder = Path(os.environ.get("TWIN_DATA", "")) / "skab"
    runs = read(folder) if folder.is_dir() else []
    if not runs:
        return []
    f1, far = judged(runs, by_signature)
    base_f1, base_far = judged(runs, by_limits)
    halves = [judged(part, by_signature) for part in (runs[::2], runs[1::2])]
    each = " and ".join(f"{a:.2f} ({b:.0f} %)" for a, b in halves)
    note = f"{len(runs)} files, rows after the first {_LEARNING}; on every second file F1 {each}"
    name = "limits of 3 standard deviations"
    return [Line("SKAB", "F1", f1, ">=", 0.70, name, base_f1, note),
            Line("SKAB", "false alarms, %", far, "<=", 30.0, name, base_far, note)]


if __name__ == "__main__":
    for line in lines():
        print(line)
