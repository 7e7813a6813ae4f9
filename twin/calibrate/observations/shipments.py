"""Shipments: how long they are under way, how fast trucks drive, what is damaged on the way."""

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
    """Hours from departing to arriving, on lanes of a carrier; still under way: censored.

    A dock or hands at the destination come before the arrival is told: their hours as planned are
    taken off. What was under way when the record began has no known departure.
    """
    for lane, trips in _trips(evidence):
        if lane.fleet is None:
            hours, state = trips["hours"].to_numpy(), np.where(trips["ended"], EXACT, CENSORED)
            if lane.profile:
                hours = hours / evidence.pattern(lane.profile).rate(trips["left"].to_numpy())
            at = trips["left"].to_numpy()
            key = f"{lane.origin},{lane.destination},{lane.mode}"
            cell = Cell("lanes", key, "transit", _planned(lane), lane.mode)
            yield cell, Batch.of(trips.index.to_numpy(), hours, at=at, state=state)


def speeds(evidence: Evidence) -> Found:
    """Kilometres and hours of each leg out, of fleets whose trucks are all of one kind.

    Legs that touch a breakdown of the fleet do not count. Where the truck or the lane follows a
    profile, hours count by its factor. Lanes to a site without docks tell more: others are used
    only where a fleet has none.
    """
    legs: dict[str, list[tuple[bool, Batch]]] = {}
    for lane, trips in _trips(evidence):
        rows = [row for row in evidence.network.trucks.values() if row.home == lane.fleet]
        km = evidence.network.distance_km(lane)
        if len(rows) != 1 or lane.transit is not None or not km:
            continue
        trips = trips[trips["ended"]]
        left, hours = trips["left"].to_numpy(), trips["hours"].to_numpy()
        clean = hours > 0.0
        names = [name for name in evidence.downs if evidence.truck(name) is rows[0]]
        for name in names:
            clean &= evidence.up(name).between(left, left + hours) >= hours - 1e-9
        factor = np.ones(len(left))
        for profile in (lane.profile, rows[0].profile):
            if profile:
                factor = factor * evidence.pattern(profile).rate(left)
        if (plain_hours := clean & (factor == 1.0)).any():
            clean = plain_hours  # hours whose factor is not learned as well
        ids = trips.index.to_numpy()
        batch = Batch.of(ids, np.full(len(ids), km), at=left, size=hours / factor)
        plain = _dock_hours(evidence, lane, trips["volume"].to_numpy()).max(initial=0.0) == 0.0
        legs.setdefault(rows[0].truck, []).append((plain, batch.of_rows(clean)))
    for truck, found in legs.items():
        best = [batch for plain, batch in found if plain] or [batch for _, batch in found]
        planned = f"{evidence.network.trucks[truck].speed_kmh:g}"
        yield Cell("trucks", truck, "speed_kmh", planned), Batch.joined(best)


def speed_factors(evidence: Evidence) -> Found:
    """Hours of a leg over its usual hours, by hour of departure.

    For profiles of a fleet whose rows name an hour and no weekday: each such row is a cell; usual
    is the median of the hours without a row.
    """
    start = evidence.network.start
    for lane, trips in _trips(evidence):
        rows = [row for row in evidence.network.trucks.values() if row.home == lane.fleet]
        km = evidence.network.distance_km(lane)
        if len(rows) != 1 or not rows[0].profile or lane.transit is not None or not km:
            continue
        hourly = {int(row.hour): row for row in evidence.network.profiles.values()
                  if row.profile == rows[0].profile and row.hour is not None
                  and row.weekday is None and row.month is None}
        trips = trips[trips["ended"]]
        left, hours = trips["left"].to_numpy(), trips["hours"].to_numpy()
        # A departure counts for the hour of the clock (UTC) in which it lies.
        offset = start.hour + start.minute / 60.0
        clock = np.floor((offset + left) % 24.0).astype(int)
        usual = ~np.isin(clock, list(hourly))
        if not usual.any():
            continue
        plan = float(np.median(hours[usual]))
        for hour, row in hourly.items():
            chosen = clock == hour
            if chosen.any():
                cell = Cell("profiles", f"{row.profile},{hour},,", "factor", f"{row.factor:g}")
                yield cell, Batch.of(trips.index.to_numpy()[chosen], hours[chosen],
                                     at=left[chosen], size=plan)


def damages(evidence: Evidence) -> Found:
    """Units damaged of units arrived, by lane."""
    yield from _flaws(evidence, "damage")


def wrong_papers(evidence: Evidence) -> Found:
    """Consignments with wrong documents of all that arrived, by lane."""
    yield from _flaws(evidence, "wrong_documents")


def _flaws(evidence: Evidence, column: str) -> Found:
    rows = evidence.rows("arriving")
    if not len(rows):
        return
    gone = evidence.rows("expiring")
    gone = gone[gone["cause"] == "damaged"]
    damaged = gone.groupby(["shipment", "order"])["quantity"].sum()
    parts = rows.groupby(["asset", "shipment", "order"], sort=True).agg(
        time=("time", "first"), units=("quantity", "sum"),
        wrong=("cause", lambda causes: float((causes == "wrong_documents").any())))
    for name, group in parts.groupby(level=0):
        lane = _lane(evidence, str(name))
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
    """Each lane's shipments: left, hours, whether they have arrived; indexed by shipment."""
    out, back = evidence.rows("departing"), evidence.rows("arriving")
    out = out[(out["shipment"] > 0) & (out["time"] > evidence.begin)]
    if not len(out):
        return
    products = evidence.network.products
    volume = out["product"].map(lambda name: products[name].volume_m3 if name in products else 0.0)
    out = out.assign(volume=volume.astype(float) * out["quantity"])
    left = out.groupby(["asset", "shipment"], sort=True).agg(
        left=("time", "first"), volume=("volume", "sum"))
    came = back.groupby(["asset", "shipment"])["time"].first()
    left["came"] = came.reindex(left.index)
    for name, group in left.groupby(level=0):
        lane = _lane(evidence, str(name))
        if lane is None:
            continue
        trips = group.droplevel(0)
        ended = trips["came"].notna()
        until = trips["came"].fillna(evidence.now)
        dock = _dock_hours(evidence, lane, trips["volume"].to_numpy())
        hours = np.maximum((until - trips["left"]).to_numpy() - dock, 0.0)
        yield lane, trips.assign(hours=hours, ended=ended)


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


def _lane(evidence: Evidence, name: str) -> Lane | None:
    parts = name.split(":")
    return evidence.network.lanes.get((parts[0], parts[1], parts[2])) if len(parts) == 3 else None


def _planned(lane: Lane) -> str:
    return "" if lane.transit is None else str(lane.transit)
