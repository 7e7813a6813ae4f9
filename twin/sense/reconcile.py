"""Reconcile: what was physically seen against what systems have booked, each difference explained.

A count or a sighting is physical; bookings are what the record says. Units that differ are
explained one cause after another, from the surest: booked later than gone, come and not yet booked,
seen elsewhere, under way; then what errors of record of this site explain; the rest is flagged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from twin.knowledge import Difference
from twin.network import Network
from twin.readings import reference_number
from twin.sense.fold_goods import Goods
from twin.sense.fold_shelves import EPS

#: Explanations after which the booked stock is not what can be served from the shelf.
GONE = frozenset({"shrinkage", "misplaced", "record error", "unexplained", "in transit"})
_SHARE = 0.01  #: of the stock, that an error of record is taken to explain where none is named
_LATE_H = 24.0  #: after which goods at a door should have been booked


class Sightings:
    """Where lots, shipments and trucks were last seen by a reader."""

    def __init__(self, last: dict[str, dict[str, Any]], zero: float) -> None:
        self.lots: dict[int, dict[str, Any]] = {}
        self.shipments: dict[int, dict[str, Any]] = {}
        for key, reading in last.items():
            kind, asset, shipment, lot, *_ = json.loads(key)
            if kind != "sighting":
                continue
            seen = {"site": reading.get("spot", ""), "area": reading.get("corner", ""),
                    "asset": asset, "hour": (reading["time"] - zero) / 3600.0, "lot": lot,
                    "by": reading["sensor"]}
            for number, known in ((lot, self.lots), (shipment, self.shipments)):
                if number and seen["hour"] >= known.get(reference_number(number), seen)["hour"]:
                    known[reference_number(number)] = seen


def reconcile(goods: Goods, sightings: Sightings, network: Network,
              at: float) -> Iterator[Difference]:
    """Every difference between what was seen and what was booked.

    Parameters
    ----------
    at
        The moment, hours from the model's start.
    """
    explained: dict[str, set[int]] = {}
    for key, shelf in sorted(goods.shelves.items()):
        site, _, product = key.partition("/")
        if shelf["count"] is not None:
            yield from _counted(site, product, shelf, sightings, network, explained)
    for key, shelf in sorted(goods.shelves.items()):
        site, _, product = key.partition("/")
        for lot, (units, since) in sorted(shelf["lots"].items()):
            seen = sightings.lots.get(lot)
            if seen is None or seen["site"] == site or seen["hour"] <= since + EPS \
                    or units <= EPS or lot in explained.get(key, ()):
                continue
            why = "in transit" if _moving(seen, network) else "misplaced"
            yield Difference(site, product, 0.0, units, why, why == "misplaced", -units,
                             f"lot {seen['lot']} was seen at {seen['asset'] or seen['site']}",
                             _seconds(network, seen["hour"]), seen["by"])
    yield from _at_doors(goods, network, at)


def _moving(seen: dict[str, Any], network: Network) -> bool:
    """Whether a lot was seen on a truck."""
    return seen["asset"].split("#")[0] in network.trucks


def _counted(site: str, product: str, shelf: dict[str, Any], sightings: Sightings,
             network: Network, explained: dict[str, set[int]]) -> Iterator[Difference]:
    """A count that differs from what was booked at that moment."""
    count = shelf["count"]
    seen, booked = count["units"], count["booked"]
    left = seen - booked
    parts: list[tuple[str, float, str]] = []

    def explain(why: str, most: float, detail: str) -> None:
        nonlocal left
        units = max(left, -most) if left < 0.0 else min(left, most)
        if abs(units) > EPS:
            parts.append((why, units, detail))
            left -= units

    tag = f"count of {seen:g}"
    if left < 0.0:
        explain("not yet recorded", count["issued"], f"{tag}; issues booked after it")
        for lot, (units, since) in sorted(shelf["lots"].items()):
            found = sightings.lots.get(lot)
            if found is not None and found["site"] != site and found["hour"] > since:
                explain("in transit" if _moving(found, network) else "misplaced", units,
                        f"{tag}; lot {found['lot']} was seen at {found['asset'] or found['site']}")
                explained.setdefault(f"{site}/{product}", set()).add(lot)
        explain("shrinkage", _tolerance(network, site, booked), tag)
    else:
        explain("unrecorded receipt", count["outside"], f"{tag}; goods come and not put away")
        explain("record error", _tolerance(network, site, booked), tag)
    explain("unexplained", float("inf"), tag)
    for why, units, detail in parts:
        yield Difference(site, product, seen, booked, why, why in ("unexplained", "misplaced"),
                         units, detail, _seconds(network, count["time"]), count["by"])


def _tolerance(network: Network, site: str, booked: float) -> float:
    """Units that errors of a site's record explain: three of its standard deviations."""
    row = network.sites.get(site)
    error = row.record_error if row is not None else None
    if error is None or (error.mean() == 0.0 and error.sd() == 0.0):
        return _SHARE * booked
    return (abs(error.mean()) + 3.0 * error.sd()) * booked


def _at_doors(goods: Goods, network: Network, at: float) -> Iterator[Difference]:
    """Shipments that were seen to come and that nobody has booked."""
    for number, shipment in sorted(goods.shipments.items()):
        came = shipment["gate"] if shipment["gate"] is not None else shipment["unloaded"]
        if came is None or at - came < _LATE_H:
            continue
        units: dict[str, float] = {}
        for _, _, product, quantity, _ in shipment["parts"]:
            units[product] = units.get(product, 0.0) + quantity
        for product, quantity in sorted(units.items()):
            yield Difference(shipment["to"], product, quantity, 0.0, "unrecorded receipt", True,
                             quantity, f"shipment {number} came and was not booked",
                             _seconds(network, came), shipment["by"])


def corrections(differences: tuple[Difference, ...], goods: Goods) -> dict[str, float]:
    """Units to add to what is booked on each shelf, so that it is what was seen."""
    found: dict[str, float] = {}
    for row in differences:
        if row.explanation in GONE:
            key = f"{row.site}/{row.product}"
            found[key] = found.get(key, 0.0) + row.units
    held = {key: sum(units for units, _ in shelf["lots"].values())
            for key, shelf in goods.shelves.items()}
    return {key: max(units, -held.get(key, 0.0)) for key, units in found.items()}


def _seconds(network: Network, hours: float) -> float:
    return network.start.timestamp() + hours * 3600.0
