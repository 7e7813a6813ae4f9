"""Work orders of a metal job shop: the mean cycle time of later orders, foretold.

At the split, orders that have ended are known whole, the others to have lasted so long. A later
order can only be in the log if it ended before the log does: its expected time is conditioned on
that.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell
from twin.calibrate.regime import share_below
from twin.calibrate.sample import Batch
from twin.quantity import Quantity

_EARLIER = 0.6  # share of orders that have begun at the split


def lines() -> list[Line]:
    """Relative error of the mean cycle time."""
    orders = _orders()
    split = float(np.quantile(orders["at"], _EARLIER))
    end = float((orders["at"] + orders["hours"]).max())
    known, later = orders[orders["at"] <= split], orders[orders["at"] > split]
    done = (known["at"] + known["hours"] <= split).to_numpy()
    estimator = Distribution(Cell("routings", "shop,order,10", "process_time"))
    estimator.update(Batch.of(np.arange(len(known)),
                              np.where(done, known["hours"], split - known["at"]),
                              at=known["at"], state=done.astype(int)))
    law = Distribution.learn([estimator], split)[0].quantity
    told = np.mean([_mean_below(law, end - at) for at in later["at"]])
    actual = later["hours"].mean()
    naive = known["hours"][done].mean()
    return [Line("production log", f"mean cycle time of {len(later)} later orders, relative error",
                 float(abs(told / actual - 1.0)), "<=", 0.25, "mean of the orders done by then",
                 float(abs(naive / actual - 1.0)),
                 f"{law.kind} law, {int((~done).sum())} of {len(known)} orders censored; "
                 f"{told / 24:.1f} d told, {actual / 24:.1f} d came")]


def _orders() -> pd.DataFrame:
    """One row an order: hours of its beginning, and its cycle time."""
    path = Path(os.environ["TWIN_DATA"]) / "production_log" / "Production.csv.gz"
    rows = pd.read_csv(path)
    begun = pd.to_datetime(rows["start_timestamp"], utc=True)
    ended = pd.to_datetime(rows["time:timestamp"], utc=True)
    orders = pd.DataFrame({"case": rows["case:concept:name"], "begun": begun, "ended": ended})
    orders = orders.groupby("case").agg(begun=("begun", "min"), ended=("ended", "max"))
    start = orders["begun"].min()
    return pd.DataFrame({"at": (orders["begun"] - start).dt.total_seconds() / 3600.0,
                         "hours": (orders["ended"] - orders["begun"]).dt.total_seconds() / 3600.0})


def _mean_below(law: Quantity, limit: float) -> float:
    """The mean of a law, given that it is at most `limit`."""
    grid = np.linspace(0.0, limit, 2_001)[1:]
    below = share_below(law, grid)
    mass = np.diff(below, prepend=0.0)
    return float(mass @ (grid - grid[0] / 2.0) / max(mass.sum(), 1e-12))
