"""Medicines bought for twenty countries: lead times and lateness of later orders, foretold.

Direct-drop shipments of the SCMS delivery history. What is known at the split is what an ERP system
knows then: orders delivered by then, and orders still open (censored). Later orders can only be in
the file if they were delivered before its end: their laws are conditioned on that.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.calibrate import draw
from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell
from twin.calibrate.pooling import pooled
from twin.calibrate.regime import share_below
from twin.calibrate.sample import Batch, marks
from twin.calibrate.share import Share
from twin.parameters import Calibration
from twin.quantity import parse_quantity

_EARLIER = 0.6  # share of deliveries that are known at the split
_DRAWS = 100


def lines() -> list[Line]:
    """Coverage of 80 % bands for lead times, and Brier score of being on time."""
    shipments = _shipments()
    split = float(np.quantile(shipments["end"], _EARLIER))
    known = shipments[shipments["at"] <= split]
    later = shipments[shipments["at"] > split]
    end = float(shipments["end"].max())
    own, one = _lead_laws(known, split)
    inside, plain = _covered(later, own, one, end), _covered(later, {}, one, end)
    chances, base = _on_time(known[known["end"] <= split])
    told = np.array([chances.get(vendor, base) for vendor in later["vendor"]])
    kept = (later["late"] <= 0).to_numpy(float)
    brier, plain_brier = float(np.mean((told - kept) ** 2)), float(np.mean((base - kept) ** 2))
    what = f"of {len(later)} later shipments"
    covering = [Line("SCMS", f"80 % bands of lead times cover, {what} [share]", inside, sign, bound,
                     "one law for all vendors", plain, "censored laws by vendor, pooled by product "
                     "group, over draws of their parameters")
                for sign, bound in ((">=", 0.75), ("<=", 0.85))]
    return [
        *covering,
        Line("SCMS", f"Brier score of being on time, {what}", brier, "<", plain_brier,
             "base rate of the earlier part", plain_brier,
             "share on time by vendor, pooled by product group"),
    ]


def _shipments() -> pd.DataFrame:
    """One row a shipment: hours of its order, its delivery, its lead time, days late."""
    path = Path(os.environ["TWIN_DATA"]) / "scms_delivery" / "scms_delivery_history.csv.gz"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = rows[rows["Fulfill Via"] == "Direct Drop"]
    dates = {name: pd.to_datetime(rows[f"{column} (ISO)"], errors="coerce") for name, column in (
        ("placed", "PO Sent to Vendor Date"), ("came", "Delivered to Client Date"),
        ("due", "Scheduled Delivery Date"))}
    rows = rows.assign(**dates).dropna(subset=list(dates))
    rows = rows.groupby(["PO / SO #", "ASN/DN #"], as_index=False).first()
    lead = (rows["came"] - rows["placed"]).dt.days
    rows = rows[lead >= 1]  # a delivery before its order is a slip of the pen
    start = rows["placed"].min()
    return pd.DataFrame({
        "id": marks(rows["PO / SO #"] + "/" + rows["ASN/DN #"]),
        "vendor": rows["Vendor"].str.replace(",", ";").to_numpy(),
        "group": rows["Product Group"].to_numpy(),
        "at": (rows["placed"] - start).dt.days.to_numpy() * 24.0,
        "end": (rows["came"] - start).dt.days.to_numpy() * 24.0,
        "late": (rows["came"] - rows["due"]).dt.days.to_numpy(),
    })


def _lead_laws(known: pd.DataFrame, split: float) -> tuple[dict[str, list], list]:
    """The laws that the evidence allows, by vendor, and those of all vendors together."""
    estimators = [_estimator(vendor, rows, split) for vendor, rows in known.groupby("vendor")]
    whole = _estimator("all", known.assign(group=""), split)
    laws: dict[str, list] = {}
    found = [*pooled(Distribution.learn(estimators, split)), *Distribution.learn([whole], split)]
    seen = Calibration("scms", rows=tuple(one.parameter("") for one in found if one.n > 0.0))
    for number in range(_DRAWS):
        for row in draw(seen, np.random.default_rng(number)).rows:
            laws.setdefault(row.key, []).append(parse_quantity(row.value, True))
    return laws, laws["all,medicines"]


def _estimator(vendor: str, rows: pd.DataFrame, split: float) -> Distribution:
    cell = Cell("supply", f"{vendor},medicines", "lead_time", pool=rows["group"].iloc[0])
    estimator = Distribution(cell)
    done = (rows["end"] <= split).to_numpy()
    hours = np.where(done, rows["end"] - rows["at"], split - rows["at"])
    estimator.update(Batch.of(rows["id"], hours, at=rows["at"], state=done.astype(int)))
    return estimator


def _covered(later: pd.DataFrame, own: dict[str, list], one: list, end: float) -> float:
    """Share of shipments between the 10 % and the 90 % quantile of their law.

    Dates are whole days: half a day is added to a lead time, so that ties do not count as below.
    """
    inside = []
    for row in later.itertuples():
        laws = own.get(f"{row.vendor},medicines", one)
        value, limit = np.array([row.end - row.at + 12.0]), np.array([end - row.at + 24.0])
        below = np.mean([share_below(law, value)[0] for law in laws])
        seen = np.mean([share_below(law, limit)[0] for law in laws])
        inside.append(0.1 < below / max(seen, 1e-9) < 0.9)
    return float(np.mean(inside))


def _on_time(done: pd.DataFrame) -> tuple[dict[str, float], float]:
    """The chance of being on time, by vendor, and the base rate."""
    base = float((done["late"] <= 0).mean())
    estimators = []
    for vendor, rows in done.groupby("vendor"):
        estimator = Share(Cell("supply", f"{vendor},medicines", "fill", f"{1.0 - base}",
                               rows["group"].iloc[0]))
        estimator.update(Batch.of(rows["id"], (rows["late"] > 0).astype(float), at=rows["at"]))
        estimators.append(estimator)
    found = pooled(Share.learn(estimators, float("inf")))
    return {one.cell.key.partition(",")[0]: 1.0 - one.quantity.mean() for one in found}, base
