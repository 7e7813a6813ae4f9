"""Shipments of carriers: how long they are under way, what is damaged on the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.laws import Floats
from twin.calibrate.likelihood import CENSORED, EXACT
from twin.calibrate.sample import Batch
from twin.network import Lane

Found = Iterator[tuple[Cell, Batch]]


def transits(evidence: Evidence) -> Found:
    """Hours from departing to the gate, on lanes of a carrier; still under way: censored.

    Where nobody tells of the gate, the hours of dock and hands as planned are taken off the time of
    arrival. What was under way when the record began has no known departure.
    """
    for lane, trips in _trips(evidence):
        hours, state = trips["hours"].to_numpy(), np.where(trips["ended"], EXACT, CENSORED)
        if lane.profile:
            hours = hours / evidence.pattern(lane.profile).rate(trips["left"].to_numpy())
        key = f"{lane.origin},{lane.destination},{lane.mode}"
        cell = Cell("lanes", key, "transit", _planned(lane), lane.mode)
        yield cell, Batch.of(trips.index.to_numpy(), hours, at=trips["left"].to_numpy(),
                             state=state)


def damages(evidence: Evidence) -> Found:
    """Units damaged of units arrived, by lane."""
    yield from _flaws(evidence, "damage")


def wrong_papers(evidence: Evidence) -> Found:
    """Consignments with wrong documents of all that arrived, by lane."""
    yield from _flaws(evidence, "wrong_documents")


def _flaws(evidence: Evidence, column: str) -> Found:
    rows = evidence.rows("arriving")
    rows = rows[~rows["role"].isin(["truck", "gate"])]
    if not len(rows):
        return
    gone = evidence.rows("expiring")
    gone = gone[gone["cause"] == "damaged"]
    damaged = gone.groupby(["shipment", "order"])["quantity"].sum()
    parts = rows.groupby(["asset", "shipment", "order"], sort=True).agg(
        time=("time", "first"), units=("quantity", "sum"),
        wrong=("cause", lambda causes: float((causes == "wrong_documents").any())))
    for name, group in parts.groupby(level=0):
        lane = lane_of(evidence, str(name))
        if lane is None:
            continue
        planned = getattr(lane, column)
        keys = group.reset_index(level=0, drop=True).index
        if column == "damage":
            value = damaged.reindex(keys).fillna(0.0).to_numpy()
            size = group["units"].to_numpy()
        else:
            value, size = group["wrong"].to_numpy(), np.ones(len(group))
        if not planned and not value.any():
            continue
        number = group.index.get_level_values(1).to_numpy(np.int64) * 1_000_003
        ids = number + group.index.get_level_values(2).to_numpy(np.int64)
        key = f"{lane.origin},{lane.destination},{lane.mode}"
        yield (Cell("lanes", key, column, f"{planned:g}", lane.mode),
               Batch.of(ids, np.minimum(value, size), at=group["time"].to_numpy(), size=size))


# ---- trips ---------------------------------------------------------------------------------------


def _trips(evidence: Evidence) -> Iterator[tuple[Lane, pd.DataFrame]]:
    """The shipments of each lane of a carrier: left, hours, whether they have come; by shipment."""
    out, back = evidence.rows("departing"), evidence.rows("arriving")
    out = out[(out["shipment"] > 0) & (out["time"] > evidence.begin) & (out["role"] != "truck")]
    if not len(out):
        return
    back = back[back["role"] != "truck"]
    products = evidence.network.products
    volume = out["product"].map(lambda name: products[name].volume_m3 if name in products else 0.0)
    out = out.assign(volume=volume.astype(float) * out["quantity"])
    left = out.groupby(["asset", "shipment"], sort=True).agg(
        left=("time", "first"), volume=("volume", "sum"))
    came = back.groupby(["asset", "shipment"]).agg(time=("time", "first"), role=("role", "first"))
    left["came"] = came["time"].reindex(left.index)
    left["at_gate"] = (came["role"] == "gate").reindex(left.index, fill_value=False)
    told = set(back.loc[back["role"] == "gate", "asset"])
    for name, group in left.groupby(level=0):
        lane = lane_of(evidence, str(name))
        if lane is None or lane.fleet is not None:
            continue
        trips = group.droplevel(0)
        ended = trips["came"].notna()
        hours = (trips["came"].fillna(evidence.now) - trips["left"]).to_numpy()
        if name not in told:
            hours = hours - _dock_hours(evidence, lane, trips["volume"].to_numpy())
        yield lane, trips.assign(hours=np.maximum(hours, 0.0), ended=ended)


def _dock_hours(evidence: Evidence, lane: Lane, volume: Floats) -> Floats:
    """Mean hours as planned between reaching the destination and being told to have arrived."""
    network = evidence.network
    dock = network.docks.get((lane.destination, "in")) or network.docks.get(
        (lane.destination, "both"))
    hours = np.zeros(len(volume))
    if dock is not None:
        hours += dock.time.mean() + volume * (dock.time_per_m3 or 0.0)
    site = network.sites.get(lane.destination)
    if site is not None:
        hours += site.handling_time.mean()
    return hours


def lane_of(evidence: Evidence, name: str) -> Lane | None:
    """The lane of a name such as ``A:B:sea``."""
    parts = name.split(":")
    return evidence.network.lanes.get((parts[0], parts[1], parts[2])) if len(parts) == 3 else None


def _planned(lane: Lane) -> str:
    return "" if lane.transit is None else str(lane.transit)
