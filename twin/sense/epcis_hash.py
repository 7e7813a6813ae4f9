"""The hash that names an EPCIS event by what it says (GS1 CBV 2.0, section 8.9).

Everything that the event says is put in one order and one spelling, the pre-hash string, of which
the SHA-256 digest is taken. The same event written otherwise has the same hash. When it was
recorded, its eventID and a declaration of error do not count.

Where the standard's table and its published example hashes differ (the lists of business
transactions, destinations and sources, each type before its value), this follows the hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from twin.sense.epcis_identity import canonical_uri

_CBV, _VOC = "https://ref.gs1.org/cbv/", "https://gs1.org/voc/"
#: Namespaces that EPCIS 2.0 itself gives to a context.
DEFAULT = {"gs1": _VOC, "cbv": _CBV, "epcis": "https://ref.gs1.org/epcis/",
           "cbvmda": "urn:epcglobal:cbv:mda:"}
_METADATA = ("time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData",
             "dataProcessingMethod", "bizRules")
_REPORT = ("type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod",
           "time", "microorganism", "chemicalSubstance", "value", "component", "stringValue",
           "booleanValue", "hexBinaryValue", "uriValue", "minValue", "maxValue", "meanValue",
           "sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem")
#: List of an event -> what its elements are called, and their fields in order.
_QUANTITY = ("quantityElement", ("epcClass", "quantity", "uom"))
#: What an event says, in order; the values of a list of EPCs are called epc.
_ORDER: tuple[tuple[str, tuple[str, tuple[str, ...]] | None], ...] = (
    ("eventTime", None), ("eventTimeZoneOffset", None), ("certificationInfo", None),
    ("parentID", None), ("epcList", ("epc", ())), ("inputEPCList", ("epc", ())),
    ("childEPCs", ("epc", ())), ("quantityList", _QUANTITY), ("childQuantityList", _QUANTITY),
    ("inputQuantityList", _QUANTITY), ("outputEPCList", ("epc", ())),
    ("outputQuantityList", _QUANTITY), ("action", None), ("transformationID", None),
    ("bizStep", None), ("disposition", None), ("persistentDisposition", ("", ("set", "unset"))),
    ("readPoint", ("", ("id",))), ("bizLocation", ("", ("id",))),
    ("sensorElementList", ("sensorElement", ())),
)
_PAIRS = {"bizTransactionList": "bizTransaction", "destinationList": "destination",
          "sourceList": "source"}
_IGNORED = {"type", "eventID", "recordTime", "errorDeclaration", "@context", "ilmd", *_PAIRS}
#: Field -> how its bare words begin as web addresses.
_WORDS = {"bizStep": f"{_CBV}BizStep-", "disposition": f"{_CBV}Disp-", "set": f"{_CBV}Disp-",
          "unset": f"{_CBV}Disp-", "component": f"{_CBV}Comp-", "bizTransaction": f"{_CBV}BTT-",
          "source": f"{_CBV}SDT-", "destination": f"{_CBV}SDT-", "report": _VOC,
          "exception": _VOC}
_URNS = {"urn:epcglobal:cbv:bizstep:": "BizStep-", "urn:epcglobal:cbv:disp:": "Disp-",
         "urn:epcglobal:cbv:btt:": "BTT-", "urn:epcglobal:cbv:sdt:": "SDT-",
         "urn:epcglobal:cbv:er:": "ER-"}


def event_hash(event: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> str:
    """The hash of an event, as RFC 6920 writes names.

    Parameters
    ----------
    event
        As in JSON.
    namespaces
        What its context says of the prefixes of extensions.

    Examples
    --------
    >>> event_hash({"type": "ObjectEvent", "eventTime": "2026-03-01T07:00:00+01:00",
    ...     "eventTimeZoneOffset": "+01:00", "action": "OBSERVE", "bizStep": "shipping",
    ...     "epcList": ["urn:epc:id:sscc:4012345.0000000111"]})
    'ni:///sha-256;...?ver=CBV2.0'
    """
    digest = hashlib.sha256(pre_hash(event, namespaces).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def pre_hash(event: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> str:
    """Everything that an event says in one order and spelling.

    Examples
    --------
    >>> pre_hash({"type": "ObjectEvent", "eventTime": "2026-03-01T07:00:00+01:00",
    ...     "bizStep": "shipping", "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0"}})
    'eventType=ObjectEventeventTime=2026-03-01T06:00:00.000ZbizStep=https://ref.gs1.org/cbv/...'
    """
    spoken = _Speller({**DEFAULT, **(namespaces or {})})
    known = [name for name, _ in _ORDER]
    parts = [f"eventType={event['type']}"]
    parts += [spoken.field(name, event[name], inside) for name, inside in _ORDER
              if event.get(name) not in (None, [], {})]
    last = [spoken.pairs(name, inner, event[name]) for name, inner in _PAIRS.items()
            if event.get(name)]
    if event.get("ilmd"):
        last.append("ilmd" + spoken.extensions(event["ilmd"].items()))
    last += spoken.extended((key, value) for key, value in event.items()
                            if key not in _IGNORED and key not in known)
    return "".join(parts + sorted(last))


class _Speller:
    """Writes fields as the pre-hash string has them."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self.namespaces = namespaces

    def field(self, name: str, value: Any, inside: tuple[str, tuple[str, ...]] | None) -> str:
        """One field of an event, with what stands in it."""
        if inside is None:
            return f"{name}={self.value(name, value)}"
        element, fields = inside
        if name == "sensorElementList":
            return name + "".join(sorted(map(self._sensor, value)))
        if not element:
            return name + self._ordered(value, fields)
        if not fields:
            return name + "".join(sorted(f"{element}={self.value(element, one)}" for one in value))
        return name + "".join(sorted(element + self._ordered(one, fields) for one in value))

    def pairs(self, name: str, inner: str, rows: Iterable[Mapping[str, Any]]) -> str:
        """A list of documents or parties, each with its type."""
        return name + "".join(sorted(
            (f"type={self.value(inner, row['type'], word=True)}" if row.get("type") else "")
            + f"{inner}={self.value('', row[inner])}" for row in rows))

    def _sensor(self, element: Mapping[str, Any]) -> str:
        said = "sensorElement"
        if element.get("sensorMetadata"):
            said += "sensorMetadata" + self._ordered(element["sensorMetadata"], _METADATA)
        said += "".join(sorted("sensorReport" + self._ordered(one, _REPORT, report=True)
                               for one in element.get("sensorReport", ())))
        return said + self.extensions((key, value) for key, value in element.items()
                                      if key not in ("sensorMetadata", "sensorReport"))

    def _ordered(self, row: Mapping[str, Any], fields: tuple[str, ...], *,
                 report: bool = False) -> str:
        said = ""
        for name in fields:
            value = row.get(name)
            if value is None:
                continue
            word = "report" if report and name == "type" else name
            several = value if isinstance(value, list) else [value]
            said += "".join(sorted(
                f"{name}={self.value(word, one, word=report and name == 'type')}"
                for one in several))
        return said + self.extensions((key, value) for key, value in row.items()
                                      if key not in fields)

    # -- extensions --------------------------------------------------------------------------------
    def extensions(self, items: Iterable[tuple[str, Any]]) -> str:
        """Extensions and what stands in them, sorted."""
        return "".join(sorted(self.extended(items)))

    def extended(self, items: Iterable[tuple[str, Any]]) -> list[str]:
        """Each extension: its full name, and its value or what stands in it."""
        said = []
        for key, value in items:
            name = self._name(key)
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, Mapping):
                    said.append(name + self.extensions(one.items()))
                elif one is not None and str(one).strip():
                    said.append(f"{name}={self.value('', one)}")
        return said

    def _name(self, key: str) -> str:
        prefix, colon, rest = key.partition(":")
        if colon and prefix in self.namespaces:
            return "{" + self.namespaces[prefix] + "}" + rest
        return key

    # -- values ------------------------------------------------------------------------------------
    def value(self, name: str, value: Any, *, word: bool = False) -> str:
        """A value: words and identifiers as web addresses, times in UTC, numbers without zeros."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return _number(float(value))
        text = str(value).strip()
        if name in ("eventTime", "time", "startTime", "endTime"):
            return _instant(text)
        for urn, start in _URNS.items():
            if text.startswith(urn):
                return _CBV + start + text[len(urn):]
        prefix, colon, rest = text.partition(":")
        if colon and prefix in DEFAULT and not rest.startswith("//"):
            return self.namespaces[prefix] + rest
        is_word = word or name in ("bizStep", "disposition", "set", "unset", "component",
                                   "exception")
        if is_word and ":" not in text:
            return _WORDS[name] + text
        try:
            return _number(float(text))
        except ValueError:
            return canonical_uri(text)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _instant(text: str) -> str:
    """A moment in UTC, to the millisecond, halves up."""
    moment = datetime.fromisoformat(text).astimezone(UTC) + timedelta(microseconds=500)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
