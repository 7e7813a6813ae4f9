"""Readings as EPCIS 2.0: what the twin heard, in the words that partners and authorities read.

`to_epcis` and `twin.sense.epcis.read_epcis` are inverse on what a reading says: kind, time, places,
things and numbers. What the standard has no field for goes into extensions (``twin:cause``).
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable
from typing import Any

from twin.kinds import FIELDS, KINDS
from twin.readings import Reading, format_instant
from twin.sense.epcis import BASE, check_epcis
from twin.sense.epcis_identity import own_uri
from twin.sense.epcis_readings import MEASURED, NAMESPACE, PREFIX, STEPS, Reader
from twin.sense.epcis_words import BIZ_STEP, UNIT_CODES

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
_STEP_OF = {kind: step for step, kind in reversed(STEPS.items())}
_TYPE_OF = {kind: name for name, kind in MEASURED.items()}
#: Rows of the ledger in which something begins to exist or is used up: one transformation.
_MADE = ("consuming", "commissioning", "transforming")
_CODE_OF = {"C": "CEL", "%": "P1", "bar": "BAR", "mm/s": "C16", "g": "K40", "A": "AMP",
            "kW": "KWT", "h": "HUR", "km": "KMT", "km/h": "KMH", "l": "LTR"}
assert all(UNIT_CODES[code] == unit for unit, code in _CODE_OF.items())


def to_epcis(readings: Iterable[Reading], *, created: float, base: str = BASE) -> dict[str, Any]:
    """An EPCIS 2.0 document of readings.

    Parameters
    ----------
    readings
        In any order; the document has them in order of time.
    created
        Date of the document, seconds since 1970-01-01 UTC.
    base
        A web domain of your own; names of the model become identifiers below it. GS1 keys
        (``01/09521141012345``) become Digital Links.

    Examples
    --------
    >>> sold = Reading(sensor="wms", id="7", time=0.0, kind="shipping", site="W", product="tea",
    ...                lot="L1", quantity=5.0, order="PO-1")
    >>> document = to_epcis([sold], created=0.0)
    >>> event = document["epcisBody"]["eventList"][0]
    >>> event["bizStep"], event["quantityList"]
    ('shipping', [{'epcClass': 'https://id.example.org/product/tea/lot/L1', 'quantity': 5.0}])
    """
    rows = sorted(readings, key=lambda row: (row.time, row.sensor, row.id))
    made: dict[tuple[Any, ...], list[Reading]] = {}
    for row in rows:
        if row.kind in _MADE and row.lot:
            made.setdefault(_made_of(row), []).append(row)
    writer = _Writer(base.rstrip("/"))
    events: list[dict[str, Any]] = []
    for row in rows:
        group = made.get(_made_of(row), [])
        if not any(row is one for one in group):
            events.append(writer.event(row))
        elif row is group[0]:
            events += writer.transformation(group)
    return {
        "@context": [CONTEXT, {"twin": NAMESPACE}], "type": "EPCISDocument",
        "schemaVersion": "2.0", "creationDate": format_instant(created),
        "epcisBody": {"eventList": events},
    }


class _Writer:
    def __init__(self, base: str) -> None:
        self.base = base

    def event(self, row: Reading) -> dict[str, Any]:
        """One reading as an event."""
        said = self._head(row, "ObjectEvent")
        said["action"] = "ADD" if row.kind == "commissioning" else "OBSERVE"
        if not KINDS[row.kind].signal or row.kind in ("count", "sighting"):
            said["bizStep"] = self._step(row)
            said |= self._things(row)
        else:
            said["bizStep"] = "sensor_reporting"
            said["sensorElementList"] = [{"sensorReport": self._reports(row)}]
            said |= self._things(row, places=False)
        said |= self._own(row, said)
        return said

    def transformation(self, rows: list[Reading]) -> list[dict[str, Any]]:
        """Rows that use up components and the row of what came of them, as one event.

        Rows that one event cannot tell are told one by one.
        """
        results = [row for row in rows if row.kind != "consuming"]
        if len(results) == 1 < len(rows):
            said = self._transformation(rows, results[0])
            want = sorted(map(_content, (row.message() for row in rows)))
            if sorted(map(_content, self._back(said))) == want:
                return [said]
        return [self.event(row) for row in rows]

    def _transformation(self, rows: list[Reading], out: Reading) -> dict[str, Any]:
        said = self._head(out, "TransformationEvent")
        said["eventID"] = _event_id(*rows)
        if out.kind == "commissioning":
            said["bizStep"] = "commissioning"
        said["inputQuantityList"] = [
            {"epcClass": self._class(row.product, row.parent), "quantity": row.quantity}
            for row in rows if row.kind == "consuming"]
        said["outputQuantityList"] = [
            {"epcClass": self._class(out.product, out.lot), "quantity": out.quantity}]
        return said

    def _back(self, said: dict[str, Any]) -> list[dict[str, Any]]:
        """What a reader learns from an event."""
        event = check_epcis({"@context": CONTEXT, **said})[0]
        return list(Reader({}, self.base, "").messages(event))

    def _head(self, row: Reading, kind: str) -> dict[str, Any]:
        said: dict[str, Any] = {
            "type": kind, "eventID": _event_id(row), "eventTime": format_instant(row.time),
            "eventTimeZoneOffset": "+00:00"}
        if row.area:
            said["readPoint"] = {"id": own_uri(self.base, "area", row.area)}
        if row.site:
            said["bizLocation"] = {"id": own_uri(self.base, "site", row.site)}
        if row.to_site:
            said["destinationList"] = [{"type": "location",
                                        "destination": own_uri(self.base, "site", row.to_site)}]
        papers = [(kind, own_uri(self.base, what, name)) for kind, what, name in
                  (("po", "order", row.order), ("desadv", "shipment", row.shipment)) if name]
        if papers:
            said["bizTransactionList"] = [{"type": kind, "bizTransaction": uri}
                                          for kind, uri in papers]
        if row.cause.startswith("error:"):
            reason = row.cause.removeprefix("error:")
            said["errorDeclaration"] = {
                "declarationTime": _declared(row),
                **({"reason": reason} if reason != "unsaid" else {})}
        return said

    def _step(self, row: Reading) -> str:
        if row.kind == "sighting":
            return row.state if _is_step(row.state) else "other"
        return _STEP_OF.get(row.kind, NAMESPACE + row.kind)

    def _class(self, product: str, lot: str) -> str:
        return own_uri(self.base, "lot", lot, product) if lot else \
            own_uri(self.base, "product", product)

    def _things(self, row: Reading, places: bool = True) -> dict[str, Any]:
        """The objects: a lot or product with its quantity, or else whatever is named."""
        if row.product or (row.lot and row.quantity == row.quantity):
            many = {"quantity": row.quantity} if row.quantity == row.quantity else {}
            return {"quantityList": [{"epcClass": self._class(row.product, row.lot), **many}]}
        for what in ("lot", "asset", "shipment", "site", "to_site"):
            name = getattr(row, what)
            if name and (places or "site" not in what):
                return {"epcList": [own_uri(self.base, what.removeprefix("to_"), name)]}
        return {}

    def _reports(self, row: Reading) -> list[dict[str, Any]]:
        if row.kind == "position":
            crs = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
            return [{"type": "Angle", "component": axis, "value": getattr(row, axis), "uom": "DD",
                     "coordinateReferenceSystem": crs} for axis in ("latitude", "longitude")]
        said: dict[str, Any] = {"type": _TYPE_OF.get(row.kind, NAMESPACE + row.kind)}
        if row.value == row.value:
            said["value"] = row.value
        unit = KINDS[row.kind].unit
        if unit in _CODE_OF and "value" in said:
            said["uom"] = _CODE_OF[unit]
        if row.kind not in _TYPE_OF and row.state:
            said["stringValue"] = row.state
        said["deviceID"] = own_uri(self.base, "sensor", row.sensor)
        return [said]

    def _own(self, row: Reading, said: dict[str, Any]) -> dict[str, Any]:
        """What a reader of the standard's own fields would not learn, as extensions."""
        message, *_ = [*self._back(said), {}]
        want = row.message()
        return {PREFIX + name: want.get(name) for name in FIELDS
                if name not in ("sensor", "id", "time", "recorded")
                and want.get(name) != message.get(name)}


def _made_of(row: Reading) -> tuple[Any, ...]:
    """What the rows of one transformation share: all but the component and its quantity."""
    return tuple(str(getattr(row, name)) for name in FIELDS
                 if name not in ("sensor", "id", "recorded", "kind", "product", "parent",
                                 "quantity"))


def _content(message: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in message.items()
                       if key not in ("sensor", "id", "ts")}, sort_keys=True)


def _is_step(word: str) -> bool:
    try:
        return bool(word) and BIZ_STEP.read(word) == word
    except ValueError:
        return False


def _declared(row: Reading) -> str:
    _, mark, when = row.id.rpartition("!")
    if mark and when:
        return when
    return format_instant(row.recorded if math.isfinite(row.recorded) else row.time)


def _event_id(*rows: Reading) -> str:
    said = "\n".join(f"{row.sensor}\t{row.id.rpartition('!')[0] or row.id}" for row in rows)
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, said)}"
