"""Facts about trucks and shipments: where they are, with what, and when they are expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twin.kinds import KINDS
from twin.knowledge import Fact
from twin.sense.knowledge_etas import Arrivals, expected

if TYPE_CHECKING:
    from twin.sense.knowledge import Telling

_DRIVEN = ("speed", "odometer", "fuel", "temperature", "battery", "door")


def moves(telling: Telling, arrivals: Arrivals) -> Iterator[Fact]:
    """Every truck and every shipment under way."""
    yield from _trucks(telling)
    yield from _shipments(telling, arrivals)


def _trucks(telling: Telling) -> Iterator[Fact]:
    scene = telling.scene
    heard: dict[str, list[tuple[dict[str, str], dict[str, Any]]]] = {}
    for about, _, reading in telling.series():
        heard.setdefault(about["asset"], []).append((about, reading))
    for name in sorted({*scene.trucks.homes, *scene.trucks.trucks}):
        known = scene.trucks.trucks.get(name)
        home = scene.trucks.homes.get(name) or (known["home"] if known else "")
        phase = known["phase"] if known else "idle"
        yield telling.fact("truck", name, "doing", phase, "", known)
        place = home if known is None else known["at"]
        yield telling.fact("truck", name, "place", place, "", known)
        if known is not None and known["to"]:
            yield telling.fact("truck", name, "drives to", known["to"], "", known)
            yield telling.fact("truck", name, "on this leg", scene.at - known["leg"], "h", known)
        if known is not None and known["stopped"]:
            yield telling.fact("truck", name, "stands still", ", ".join(known["stopped"]), "",
                               known)
        units = sum(part[3] for part in _load(telling, name, known))
        if units:
            yield telling.fact("truck", name, "load", float(units), "units", known)
        yield from _heard(telling, "truck", name, heard.get(name, ()))


def _heard(telling: Telling, kind: str, subject: str, series: Any) -> Iterator[Fact]:
    """What sensors on board say."""
    for about, reading in series:
        if about["kind"] == "position":
            yield telling.signal(kind, subject, "latitude", "degrees", reading, "latitude")
            yield telling.signal(kind, subject, "longitude", "degrees", reading, "longitude")
        elif about["kind"] in _DRIVEN:
            yield telling.signal(kind, subject, about["kind"], KINDS[about["kind"]].unit, reading)


def _load(telling: Telling, name: str, known: dict[str, Any] | None) -> list[list[Any]]:
    goods = telling.scene.goods
    shipment = goods.shipments.get(known["shipment"]) if known is not None else None
    if shipment is not None and known is not None and known["phase"] in ("out", "unloading"):
        return list(shipment["parts"])
    return goods.loads.get(name, [])


def _shipments(telling: Telling, arrivals: Arrivals) -> Iterator[Fact]:
    scene = telling.scene
    heard: dict[str, list[tuple[dict[str, str], dict[str, Any]]]] = {}
    for about, _, reading in telling.series():
        if about["shipment"]:
            heard.setdefault(about["shipment"], []).append((about, reading))
    for number, shipment in sorted(scene.goods.shipments.items()):
        subject = f"shipment {number}"
        values: list[tuple[str, Any, str]] = [
            ("lane", shipment["lane"], ""),
            ("units", float(sum(part[3] for part in shipment["parts"])), "units"),
            ("under way", scene.at - shipment["departed"], "h")]
        if shipment["truck"]:
            values.append(("truck", shipment["truck"], ""))
        if shipment["gate"] is not None or shipment["unloaded"] is not None:
            values.append(("at the door of", shipment["to"], ""))
        for attribute, value, unit in values:
            yield telling.fact("shipment", subject, attribute, value, unit, shipment)
        yield from expected(telling, "shipment", subject, arrivals.shipment(number), shipment,
                            source=arrivals.shipment_source(number))
        yield from _heard(telling, "shipment", subject, heard.get(str(number), ()))
