"""Signals: what trucks burn, how long doors are taken, how late a place writes things down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.sample import Batch, marks

Found = Iterator[tuple[Cell, Batch]]
_MINUTE_H = 1 / 60  #: a record that is no later is made at once
_FILLED = 0.5  #: a tank that rises by less has only sloshed, litres
_FEW = 8
_SLOSHES = 6.0  #: nor if it rises by less than so many times what it does while the truck stands


def fuels(evidence: Evidence) -> Found:
    """Litres that left the tank and hundreds of kilometres by the odometer, day by day.

    For trucks whose fuel is written as one number; a rising tank has been filled.
    """
    tank, road = evidence.signals.get("fuel"), evidence.signals.get("odometer")
    if tank is None or road is None:
        return
    found: dict[str, list[Batch]] = {}
    for asset, levels in tank.groupby("asset", observed=True, sort=True):
        truck = evidence.truck(str(asset))
        ways = road[road["asset"] == asset].sort_values("time")
        if truck is None or len(ways) < 2 or len(levels) < 2 or not _plain(truck.fuel_l_per_100km):
            continue
        levels = levels.sort_values("time")
        time, litres = levels["time"].to_numpy(float), levels["value"].to_numpy(float)
        km = np.interp(time, ways["time"].to_numpy(float), ways["value"].to_numpy(float))
        burnt, driven = -np.diff(litres), np.diff(km)
        standing = np.abs(burnt[driven <= 0.0])
        noise = 1.4826 * float(np.median(standing)) if len(standing) > _FEW else 0.0
        # What sloshes up is kept as what sloshes down is: only then does it cancel out.
        kept = burnt > -max(_FILLED, _SLOSHES * noise)
        days = np.floor(time[:-1] / 24.0).astype(int)
        first = int(days.min())
        used = np.bincount(days[kept] - first, weights=burnt[kept])
        way = np.bincount(days[kept] - first, weights=driven[kept]) / 100.0
        drove = np.flatnonzero(way > 0.0)
        ids = marks(f"{asset}/{first + day}" for day in drove.tolist())
        found.setdefault(truck.truck, []).append(
            Batch.of(ids, np.maximum(used[drove], 0.0), at=(first + drove) * 24.0,
                     size=way[drove]))
    for name, batches in found.items():
        planned = str(evidence.network.trucks[name].fuel_l_per_100km)
        yield Cell("trucks", name, "fuel_l_per_100km", planned), Batch.joined(batches)


def _plain(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True


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
