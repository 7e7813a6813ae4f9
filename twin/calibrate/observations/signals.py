"""Signals and records: how long doors are taken, how late and how wrongly a place writes down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.sample import Batch, marks
from twin.events import WALK_IN

Found = Iterator[tuple[Cell, Batch]]
_INSTANT_H = 1e-6  #: times that are written in milliseconds differ by less
_MINUTE_H = 1 / 60  #: a record that is no later is made at once


def dock_times(evidence: Evidence) -> Found:
    """Hours from a door's opening to its closing, less what the volume takes where that is known.

    A door tells of a dock if its asset is ``SITE/in``, ``SITE/out`` or ``SITE/both``.
    """
    doors = evidence.signals.get("door")
    if doors is None:
        return
    for asset, rows in doors.groupby("asset", observed=True, sort=True):
        site, _, way = str(asset).partition("#")[0].replace(":", "/").partition("/")
        dock = evidence.network.docks.get((site, way))
        if dock is None or dock.time_per_m3:
            continue
        rows = rows.sort_values("time")
        time, is_open = rows["time"].to_numpy(float), rows["value"].to_numpy(float) > 0.5
        change = np.flatnonzero(np.diff(is_open.astype(int), prepend=int(not is_open[0])))
        time, is_open = time[change], is_open[change]
        begun = np.flatnonzero(is_open[:-1])
        if len(begun):
            yield (Cell("docks", f"{site},{way}", "time", str(dock.time)),
                   Batch.of(marks(f"{asset}/{time[place]:.6f}" for place in begun),
                            time[begun + 1] - time[begun], at=time[begun]))


def record_delays(evidence: Evidence) -> Found:
    """Hours from an event to its being known, at places where that takes time: the median of each
    day, so that a message that the transmission held back does not count as a slow clerk.
    """
    rows = evidence.rows("storing", "picking", "receiving")
    late = (rows["recorded"] - rows["time"]).clip(lower=0.0)
    for name, group in rows.assign(late=late).groupby("site", sort=True):
        site = evidence.network.sites.get(str(name))
        daily = group.groupby(np.floor(group["time"] / 24.0))["late"].median()
        hours = daily.to_numpy(float)
        if site is not None and np.median(hours) > _MINUTE_H:
            planned = f"{site.record_delay or 0.0!r}h"
            days = daily.index.to_numpy(float)
            yield (Cell("sites", str(name), "record_delay", planned),
                   Batch.of(marks(f"{name}/{day:g}" for day in days), hours, at=days * 24.0))


def record_errors(evidence: Evidence) -> Found:
    """What a count found beyond what was booked since the count before it, over the bookings.

    The errors of bookings of q1, q2, ... units add up to one that is `sqrt(q1^2 + q2^2 + ...)`
    times that of one unit; so each span between two counts of a shelf is one observation. A place
    whose counts mostly agree with what was booked is right, and says nothing.
    """
    counts = evidence.signals.get("count")
    if counts is None or "product" not in counts:
        return
    rows = evidence.rows("storing", "picking", "expiring", "delivering")
    rows = rows[(rows["event"] != "delivering") | (rows["role"] == WALK_IN)]
    found: dict[str, list[tuple[int, float, float, float]]] = {}
    booked = dict(iter(rows.groupby(["site", "product"], sort=True)))
    for (site, product), seen in counts.groupby(["site", "product"], observed=True, sort=True):
        group = booked.get((site, product))
        if str(site) not in evidence.network.sites or group is None or len(seen) < 2:
            continue
        seen = seen.sort_values("time")
        time, units = seen["time"].to_numpy(float), seen["value"].to_numpy(float)
        sign = np.where(group["event"] == "storing", 1.0, -1.0)
        amount = sign * group["quantity"].to_numpy(float)
        # What is booked at the instant of a count was not seen by it.
        span = np.searchsorted(time, group["time"].to_numpy(float) + _INSTANT_H, side="right")
        net = np.bincount(span, weights=amount, minlength=len(time) + 1)[1:len(time)]
        squares = np.bincount(span, weights=amount**2, minlength=len(time) + 1)[1:len(time)]
        off = np.diff(units) - net
        told = squares > 0.0
        ids = marks(f"{site}/{product}/{when:.3f}" for when in time[1:])
        found.setdefault(str(site), []).extend(zip(
            ids[told].tolist(), off[told].tolist(), np.sqrt(squares[told]).tolist(),
            time[1:][told].tolist(), strict=True))
    for name, spans in found.items():
        id_, off, size, when = (np.array(column) for column in zip(*spans, strict=True))
        if np.mean(np.abs(off) > 1e-6) > 0.5:
            planned = evidence.network.sites[name].record_error
            yield (Cell("sites", name, "record_error", str(planned)),
                   Batch.of(id_, off, at=when, size=size))
