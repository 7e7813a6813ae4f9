"""What an EPCIS event says, in the words of the ledger.

One event gives one reading for every object that it names and for every sensor report. A business
step that the ledger has a word for becomes that word; any other is a sighting, with the step in
`state`. A transformation consumes its inputs and begins its outputs.

An event with an error declaration withdraws what the event said before: its readings come again
with ``quality`` bad, ``cause`` ``error:`` and the reason, and ``!`` and the time of the declaration
at the end of their ids. They are rows of their own and never fall away as duplicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twin.kinds import FIELDS, KINDS
from twin.sense.declared import missing
from twin.sense.epcis_hash import event_hash
from twin.sense.epcis_identity import Identity, identify
from twin.sense.epcis_models import (
    AggregationEvent,
    Event,
    Report,
    SensorElement,
    TransactionEvent,
    TransformationEvent,
)
from twin.sense.epcis_words import AMOUNTS, UNIT_CODES

#: Namespace of the model's own words: kinds of reading that the standard has no word for.
NAMESPACE = "https://twin.example.org/epcis/"
#: How extensions that hold a column of a reading begin: ``twin:cause``.
PREFIX = "twin:"
#: Business step -> word of the ledger.
STEPS = {
    "receiving": "receiving", "accepting": "receiving", "storing": "storing",
    "stocking": "storing", "picking": "picking", "shipping": "shipping", "consigning": "shipping",
    "departing": "departing", "arriving": "arriving", "dispensing": "delivering",
    "retail_selling": "delivering", "commissioning": "commissioning",
    "creating_class_instance": "commissioning", "destroying": "expiring", "repairing": "repairing",
    "cycle_counting": "count", "stock_taking": "count",
}
#: Measurement type -> kind of signal.
MEASURED = {
    "Temperature": "temperature", "RelativeHumidity": "humidity", "Pressure": "pressure",
    "Acceleration": "shock", "ElectricCurrent": "current", "Power": "power", "Speed": "speed",
}
_ORDERS = ("po", "prodorder", "poc", "inv", "")
_SHIPMENTS = ("desadv", "bol", "recadv")
_LONGEST_ID = 200
#: What an identifier names -> the column that holds it; a place as an object has none.
_COLUMN_OF = {"product": "product", "shipment": "shipment", "asset": "asset", "site": "place",
              "area": "place"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns events into messages of readings.

    Parameters
    ----------
    names
        GS1 key or URI -> the model's name for it.
    base
        Where the model's own identifiers live.
    sensor
        Who speaks, where no device is named.
    namespaces
        What the document's context says of the prefixes of extensions.
    sizes
        Product -> weight (kg) and volume (m3) of a unit, to turn kilograms and litres into units.
    """

    names: Mapping[str, str]
    base: str
    sensor: str
    namespaces: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def messages(self, event: Event) -> Iterator[dict[str, Any]]:
        """Messages of readings, keys as on the wire; none for an extension's own event."""
        shared, own = self._shared(event), _own_words(event)
        seen: dict[str, int] = {}
        for tail, message in self._parts(event, shared):
            seen[tail] = seen.get(tail, 0) + 1
            again = f"~{seen[tail]}" if seen[tail] > 1 else ""
            message = {**message, **own, "id": reading_id(event, tail + again, self.namespaces)}
            yield {key: value for key, value in message.items() if value is not None}

    def _parts(self, event: Event, shared: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(event, TransformationEvent):
            yield from self._transformed(event, shared)
        elif event.bizStep != "sensor_reporting" or not event.sensorElementList:
            for tail, item in self._items(event):
                yield tail, self._happened(event, shared, item)
        for n, element in enumerate(event.sensorElementList or ()):
            for tail, message in self._sensed(event, element, shared):
                yield f"s{n}{tail}", message

    def _shared(self, event: Event) -> dict[str, Any]:
        """What all readings of the event have."""
        shared: dict[str, Any] = {"sensor": self.sensor, "ts": event.eventTime}
        seen_at = self._name(event.readPoint.id) if event.readPoint else None
        at = self._name(event.bizLocation.id) if event.bizLocation else seen_at
        if at:
            shared["site"] = at.name
        if seen_at and at != seen_at:
            shared["area"] = seen_at.name
        for goal in event.destinationList or ():
            if goal.type == "location" or "to_site" not in shared:
                shared["to_site"] = self._name(goal.destination).name
        for line in event.bizTransactionList or ():
            name = self._name(line.bizTransaction).name
            if (line.type or "") in _ORDERS:
                shared.setdefault("order", name)
            elif line.type in _SHIPMENTS:
                shared.setdefault("shipment", name)
        if event.errorDeclaration is not None:
            shared["quality"] = "bad"
            shared["cause"] = f"error:{event.errorDeclaration.reason or 'unsaid'}"
        return shared

    def _name(self, uri: str) -> Identity:
        return identify(uri, self.names, self.base)

    def _items(self, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        """The objects of an event: a tail for the id, and what names the object."""
        within: dict[str, Any] = {}
        if isinstance(event, AggregationEvent):
            epcs, classes = event.childEPCs, event.childQuantityList
        else:
            epcs, classes = getattr(event, "epcList", None), getattr(event, "quantityList", None)
        if isinstance(event, AggregationEvent | TransactionEvent) and event.parentID:
            whole = self._name(event.parentID)
            if whole.what in ("", "lot"):
                whole = Identity("shipment", whole.name)
            within = {whole.what: whole.name}
            if not epcs and not classes:
                yield "parent", within
        yield from self._named(epcs, classes, within)

    def _named(self, epcs: Any, classes: Any,
               within: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for uri in epcs or ():
            one = self._name(uri)
            yield one.name, {**within, **_filled(one), **(
                {} if one.what in ("shipment", "asset", "site", "area") else {"quantity": 1.0})}
        for line in classes or ():
            one = self._name(line.epcClass)
            if not one.what:
                one = Identity("product", one.name)
            yield one.name, {**within, **_filled(one),
                             **self._units(line.quantity, line.uom, one.product or one.name)}

    def _units(self, quantity: float | None, uom: str | None, product: str) -> dict[str, Any]:
        """A quantity in units of the product; in its own where nobody can tell, and so refused."""
        if quantity is None:
            return {}
        what, one = AMOUNTS.get(uom or "", ("", 0.0))
        size = self.sizes.get(product, (0.0, 0.0))[what == "m3"] if what else 0.0
        if size > 0.0:
            return {"quantity": quantity * one / size}
        return {"quantity": quantity, **({"unit": uom} if uom else {})}

    def _happened(self, event: Event, shared: dict[str, Any],
                  item: dict[str, Any]) -> dict[str, Any]:
        step = event.bizStep or ""
        kind = STEPS.get(step, step.removeprefix(NAMESPACE))
        place = item.pop("place", "")
        message = {**shared, **item, "kind": kind}
        if kind == "expiring" and event.errorDeclaration is None:
            message.setdefault("cause", event.disposition or "destroyed")
        if kind in KINDS and not missing(message):
            return message
        if kind not in KINDS or step in STEPS:
            if place:
                message.setdefault("asset", place)
            message |= {"kind": "sighting", **({"state": step} if step else {})}
        return message

    def _transformed(self, event: TransformationEvent,
                     shared: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        into = list(self._named(event.inputEPCList, event.inputQuantityList, {}))
        out = list(self._named(event.outputEPCList, event.outputQuantityList, {}))
        lots_in = {item.get("lot", "") for _, item in into}
        lots_out = {item.get("lot", "") for _, item in out}
        made = STEPS.get(event.bizStep or "", "")
        for tail, item in into:
            lot, becomes = item.pop("lot", ""), lots_out.copy().pop() if len(lots_out) == 1 else ""
            said = {**shared, **item, "kind": "consuming"}
            said |= {key: value for key, value in (("parent", lot), ("lot", becomes)) if value}
            if missing(said):
                said |= {"kind": "sighting", "state": "consuming", "lot": lot}
            yield f"in/{tail}", said
        for tail, item in out:
            said = {**shared, **item,
                    "kind": "commissioning" if made == "commissioning" else "transforming"}
            if len(lots_in) == 1 and made != "commissioning" and "" not in lots_in:
                said["parent"] = lots_in.copy().pop()
            if missing(said):
                said |= {"kind": "sighting", "state": said["kind"]}
            yield f"out/{tail}", said

    # -- sensors -------------------------------------------------------------------------------
    def _sensed(self, event: Event, element: SensorElement,
                shared: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        about = self._about(event)
        place: dict[str, Any] = {}
        for n, report in enumerate(element.sensorReport):
            meta = element.sensorMetadata
            device = report.deviceID or (meta.deviceID if meta else None)
            when = (report.time or report.endTime or report.startTime
                    or (meta and (meta.time or meta.endTime or meta.startTime)) or event.eventTime)
            said = {**shared, **about, "ts": when}
            if device:
                said["sensor"] = self._name(device).name
            if report.type == "Angle" and report.component in ("latitude", "longitude"):
                place |= {**said, "kind": "position", report.component: report.value}
                if "latitude" in place and "longitude" in place:
                    yield f".{n}", place
                    place = {}
                continue
            for tail, message in self._report(report, said):
                yield f".{n}{tail}", message

    def _report(self, report: Report,
                said: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        own = (report.type or "").removeprefix(NAMESPACE)
        kind = MEASURED.get(report.type or "", own if own in KINDS else "health")
        said = {**said, "kind": kind}
        if report.uom and KINDS[kind].unit:
            said["unit"] = UNIT_CODES.get(report.uom, report.uom)
        if report.stringValue is not None and own in KINDS:
            said["state"] = report.stringValue
        label = " ".join(word for word in (report.exception or report.type, report.component,
                                           report.uom) if word)
        if kind == "health" and own != "health":
            said["state"] = label
        if kind in ("health", "speed", "shock", "current", "vibration"):
            said.setdefault("asset", said.get("lot") or said.get("area") or said.get("site", ""))
        value = report.value if report.value is not None else report.meanValue
        if value is None and report.booleanValue is not None:
            value = float(report.booleanValue)
        if value is None and report.exception and report.minValue is None:
            value = 1.0
        if value is not None:
            yield "", {**said, "value": value}
        elif kind != "health" and report.minValue is None and report.maxValue is None \
                and not missing(said):
            yield "", said
        for tail, extreme in (("min", report.minValue), ("max", report.maxValue)):
            if extreme is not None:
                word = f"{said['state']} {tail}imum" if kind == "health" else f"{tail}imum"
                yield tail, {**said, "value": extreme, "state": word}

    def _about(self, event: Event) -> dict[str, Any]:
        """What a sensor's report is about: the one object of the event, if it is one."""
        if isinstance(event, TransformationEvent):
            items = [item for _, item in self._named(event.outputEPCList,
                                                     event.outputQuantityList, {})]
        else:
            items = [item for _, item in self._items(event)]
        if len(items) == 1:
            return {key: value for key, value in items[0].items()
                    if key not in ("quantity", "place")}
        same = [key for key in ("shipment", "asset", "product")
                if len({item.get(key) for item in items}) == 1]
        return {key: items[0][key] for key in same if items and items[0].get(key)}


def _filled(one: Identity) -> dict[str, Any]:
    what = _COLUMN_OF.get(one.what, "lot")
    filled = {what: one.name}
    return {**filled, "product": one.product} if one.product else filled


def _own_words(event: Event) -> dict[str, Any]:
    """Columns of a reading that the event's own extensions fill (`twin.sense.epcis_export`)."""
    extra = event.__pydantic_extra__ or {}
    own = {key.removeprefix(PREFIX): value for key, value in extra.items()
           if key.startswith(PREFIX)}
    return {name: value for name, value in own.items()
            if name in FIELDS and name not in ("sensor", "id", "time", "recorded")}


# -- which event it is ---------------------------------------------------------------------
def reading_id(event: Event, tail: str, namespaces: Mapping[str, str] | None = None) -> str:
    """The id of a reading: its event's, what it is of, and whether it withdraws another."""
    name = event.eventID or event_hash(
        event.model_dump(exclude_none=True, by_alias=True), namespaces)
    error = event.errorDeclaration
    when = f"!{_utc(error.declarationTime)}" if error is not None else ""
    whole = f"{name}#{tail}{when}"
    if len(whole) > _LONGEST_ID:
        whole = f"{hashlib.sha256(f'{name}#{tail}'.encode()).hexdigest()}{when}"
    return whole


def _utc(text: str) -> str:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return text
