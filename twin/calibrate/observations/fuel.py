"""What trucks burn: in all, and leg by leg where it depends on the load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.observations.trucks import Leg, legs_of
from twin.calibrate.sample import Batch, marks

Found = Iterator[tuple[Cell, Batch]]
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
        # What sloshes up is kept as what sloshes down is: only then does it cancel out.
        kept = burnt > -_filled(burnt, driven)
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


def _filled(burnt: np.ndarray, driven: np.ndarray) -> float:
    """By how much a tank has to rise to have been filled, litres."""
    standing = np.abs(burnt[driven <= 0.0])
    noise = 1.4826 * float(np.median(standing)) if len(standing) > _FEW else 0.0
    return max(_FILLED, _SLOSHES * noise)


def burns(evidence: Evidence) -> Found:
    """Litres, hundreds of kilometres and load of each leg out and back on a lane.

    For trucks whose fuel is written by load. A leg out has what was loaded before it, a leg back
    nothing; between two stops of a tour nobody tells what is still on board.
    """
    tank, road = evidence.signals.get("fuel"), evidence.signals.get("odometer")
    if tank is None or road is None:
        return
    ways = {str(asset): rows.sort_values("time") for asset, rows in
            road.groupby("asset", observed=True)}
    levels = {str(asset): rows.sort_values("time") for asset, rows in
              tank.groupby("asset", observed=True)}
    shares = _shares(evidence)
    found: dict[str, list[tuple[int, float, float, float, float]]] = {}
    for leg in legs_of(evidence):
        share = shares.get(leg.id)
        planned = str(leg.truck.fuel_l_per_100km)
        if share is None or _plain(planned) or leg.asset not in ways or leg.asset not in levels:
            continue
        used = _used(leg, levels[leg.asset], ways[leg.asset])
        if used is not None:
            found.setdefault(leg.truck.truck, []).append((leg.id, leg.left, *used, share))
    for name, rows in found.items():
        ids, left, litres, km, load = (np.array(column) for column in zip(*rows, strict=True))
        yield (Cell("trucks", name, "fuel_l_per_100km",
                    str(evidence.network.trucks[name].fuel_l_per_100km)),
               Batch.of(ids, litres, at=left, size=km / 100.0, entry=load))


def _shares(evidence: Evidence) -> dict[int, float]:
    """Leg -> how full the truck was; legs of which nobody knows are left out."""
    rows = evidence.rows("starting", "departing", "arriving")
    rows = rows[rows["role"] == "truck"]
    found: dict[int, float] = {}
    kilos: dict[str, float] = {}
    room: dict[str, float] = {}
    legs = {leg.id: leg for leg in legs_of(evidence)}
    columns = ("id", "event", "asset", "site", "product", "quantity")
    for id_, event, asset, site, product, quantity in zip(*evidence.arrays(rows, *columns),
                                                          strict=True):
        if event == "starting":
            thing = evidence.network.products.get(product)
            if thing is not None:
                kilos[asset] = kilos.get(asset, 0.0) + quantity * thing.weight_kg
                room[asset] = room.get(asset, 0.0) + quantity * thing.volume_m3
        elif event == "departing" and (leg := legs.get(id_)) is not None and leg.lane is not None:
            weight, volume = kilos.get(asset, 0.0), room.get(asset, 0.0)
            out = site == leg.lane.origin
            if out == (asset in kilos):
                found[id_] = max(0.0 if not leg.truck.capacity_kg else
                                 weight / leg.truck.capacity_kg,
                                 0.0 if not leg.truck.capacity_m3 else
                                 volume / leg.truck.capacity_m3)
        elif event == "arriving":
            kilos.pop(asset, None)
            room.pop(asset, None)
    return found


def _used(leg: Leg, levels: Any, ways: Any) -> tuple[float, float] | None:
    """Litres and kilometres of a leg; None if the tank was filled meanwhile or nobody looked."""
    time, litres = levels["time"].to_numpy(float), levels["value"].to_numpy(float)
    first = int(np.searchsorted(time, leg.left, side="right")) - 1
    last = int(np.searchsorted(time, leg.came, side="left"))
    if first < 0 or last >= len(time):
        return None
    when, value = ways["time"].to_numpy(float), ways["value"].to_numpy(float)
    driven = np.diff(np.interp(time, when, value))
    if (-np.diff(litres[first:last + 1]) < -_filled(-np.diff(litres), driven)).any():
        return None
    # The whole span between two looks, not what lies between them: a truck burns as it drives.
    burnt = float(litres[first] - litres[last])
    km = float(np.interp(time[last], when, value) - np.interp(time[first], when, value))
    return (burnt, km) if km > 0.0 and burnt > 0.0 else None
