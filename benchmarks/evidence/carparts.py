"""Spare parts of cars, most months without a sale: the last six months, against Croston's method.

Squared errors count, since stock needs the mean. Series with a gap are left out, as is one that
never sold before the last six months.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.calibrate.forecast import choose

_AHEAD = 6


def lines() -> list[Line]:
    """Root mean square error over all parts and months."""
    rows = pd.read_csv(Path(os.environ["TWIN_DATA"]) / "expsmooth_demand" / "carparts.csv.gz")
    from statsforecast.models import CrostonClassic

    table = rows.drop(columns="series").to_numpy(dtype=float)
    table = table[np.isfinite(table).all(axis=1)]
    table = table[table[:, :-_AHEAD].sum(axis=1) > 0]
    twin, croston = [], []
    for y in table:
        past, actual = y[:-_AHEAD], y[-_AHEAD:]
        twin.append(actual - choose(past, _AHEAD, seasons=[12]).mean)
        croston.append(actual - CrostonClassic().forecast(y=past, h=_AHEAD)["mean"])
    beside = _rmse(croston)
    return [Line("carparts", f"RMSE of {len(table)} parts, {_AHEAD} months [units]", _rmse(twin),
                 "<=", beside, "library Croston", beside,
                 "SBA, TSB, ADIDA, SES and the mean, combined or one shown to be better")]


def _rmse(errors: list[np.ndarray]) -> float:
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
