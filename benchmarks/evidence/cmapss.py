"""C-MAPSS FD001: remaining life of engines from their sensors, when the record of each stops.

A cycle counts as an hour. Life is capped at 125 cycles in training, as is usual; errors are of
capped lives. Intervals are held against the true remaining life, not capped.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.calibrate.health import Health
from twin.calibrate.health_signals import Life

_CAP = 125.0
_SIGNALS = [f"sensor {i}" for i in range(1, 22)]
_COLUMNS = ["unit", "cycle", *(f"setting {i}" for i in range(1, 4)), *_SIGNALS]


def lines() -> list[Line]:
    """Error of the prediction, and how many engines the 90 % interval holds, by both learners."""
    folder = Path(os.environ["TWIN_DATA"]) / "cmapss"
    fleet = _lives(folder / "train_FD001.txt.gz", failed=True)
    engines = _lives(folder / "test_FD001.txt.gz", failed=False)
    truth = np.loadtxt(folder / "RUL_FD001.txt")
    capped = np.minimum(truth, _CAP)
    linear, mean = _by_line(fleet, engines, capped), _by_mean(fleet, engines, capped)
    found = []
    for how in ("trees", "ridge"):
        health = Health.learn(fleet, cap_h=_CAP, how=how)
        outlooks = [health.outlook(engine) for engine in engines]
        error = _rmse([outlook.expected_h for outlook in outlooks], capped)
        low, high = (np.array([outlook.quantile(level) for outlook in outlooks])
                     for level in (0.05, 0.95))
        held = float(((low <= truth) & (truth <= high)).mean())
        note = f"{how}; {len(fleet)} engines to learn from, {len(engines)} to tell"
        found += [Line("C-MAPSS FD001", f"RMSE of remaining life, {how} [cycles]", error, "<=",
                       16.0, "linear regression on the last reading", linear, note),
                  Line("C-MAPSS FD001", f"90 % intervals that hold it, {how}", held, ">=",
                       0.80, "nominal", 0.9, f"{note}; at most 0.97; mean width "
                       f"{float((high - low).mean()):.0f} cycles")]
    found.append(Line("C-MAPSS FD001", "RMSE, mean life less age [cycles]", mean, "", None,
                      "linear regression on the last reading", linear, "no sensor looked at"))
    return found


def _lives(path: Path, *, failed: bool) -> list[Life]:
    rows = pd.read_csv(path, sep=r"\s+", header=None, names=_COLUMNS)
    return [Life(str(unit), part["cycle"].to_numpy(float), part[_SIGNALS].to_numpy(float), failed)
            for unit, part in rows.groupby("unit")]


def _by_line(fleet: list[Life], engines: list[Life], truth: np.ndarray) -> float:
    x = np.vstack([life.signals for life in fleet])
    y = np.concatenate([np.minimum(life.remaining_h, _CAP) for life in fleet])
    keep = x.std(axis=0) > 1e-9 * np.abs(x.mean(axis=0))
    design = np.column_stack([np.ones(len(x)), x[:, keep]])
    weights, *_ = np.linalg.lstsq(design, y, rcond=None)
    last = np.array([engine.signals[-1, keep] for engine in engines])
    told = np.column_stack([np.ones(len(last)), last]) @ weights
    return _rmse(np.clip(told, 0.0, _CAP), truth)


def _by_mean(fleet: list[Life], engines: list[Life], truth: np.ndarray) -> float:
    mean = float(np.mean([life.age_h[-1] for life in fleet]))
    return _rmse([min(max(mean - engine.age_h[-1], 0.0), _CAP) for engine in engines], truth)


def _rmse(told: object, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.asarray(told, dtype=float) - truth) ** 2)))
