"""What a sensor must send, written down for those who connect one.

`python -m twin.sense.contract` writes ``docs/reading.schema.json`` (JSON Schema 2020-12),
``docs/asyncapi.yaml`` (AsyncAPI 3.0) and ``docs/readings.md`` from the tables of `twin.kinds`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from twin.events import EVENTS
from twin.kinds import FIELDS, KINDS, Kind
from twin.readings import parse_reading
from twin.sense.contract_schema import reading_schema, units_of
from twin.sense.source import LARGEST, MOST_READINGS

_SAMPLES: dict[str, Any] = {
    "site": "W1", "to_site": "S1", "asset": "M3", "product": "tea", "lot": "L1", "order": "PO-7",
    "shipment": "SH-9", "quantity": 12.0, "latitude": 52.37, "longitude": 4.9,
}
_VALUES = {"C": 4.5, "%": 61.0, "bar": 2.1, "mm/s": 1.8, "g": 0.4, "A": 11.2, "kW": 7.5, "h": 0.25,
           "km/h": 72.0, "km": 184_220.0, "l": 310.0, "": 1.0}
_STATES = {"machine_state": "processing", "driving": "braking", "health": "bearing ratio"}
_WARNING = "Written by `python -m twin.sense.contract`; do not edit."


def example(kind: Kind) -> dict[str, Any]:
    """A message of a kind with what it needs, the first of each choice.

    Examples
    --------
    >>> example(KINDS["count"])
    {'sensor': 'scanner-4', 'id': '17', 'ts': '2026-03-01T06:00:00Z', 'kind': 'count',
     'site': 'W1', 'product': 'tea', 'quantity': 12.0}
    """
    said: dict[str, Any] = {"sensor": "scanner-4", "id": "17", "ts": "2026-03-01T06:00:00Z",
                            "kind": kind.name}
    for need in kind.needs:
        name = need.split("|")[0]
        if name == "value":
            said[name] = _VALUES[kind.unit]
        elif name == "state":
            said[name] = _STATES[kind.name]
        else:
            said[name] = _SAMPLES[name]
    parse_reading(said)
    return said


# -- AsyncAPI --------------------------------------------------------------------------------------
def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 description of what the twin listens to.

    Examples
    --------
    >>> asyncapi()["channels"]["readings"]["address"]
    'twin/{enterprise}/{site}/{area}/{sensor}'
    """
    levels = {"enterprise": "whose chain it is", "site": "the place, or a dash",
              "area": "the area of the place, or a dash", "sensor": "the device itself"}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Readings of a supply chain", "version": "1.0.0",
            "license": {"name": "Apache-2.0"},
            "description": "What sensors, scanners and systems publish for the twin to hear.\n"
                           f"{_WARNING}"},
        "defaultContentType": "application/json",
        "servers": {
            "secure": {"host": "{host}:8883", "protocol": "mqtts", "protocolVersion": "5.0",
                       "description": "A broker with TLS; the rule outside of a trial.",
                       "variables": {"host": {"default": "broker.example.com"}},
                       "security": [{"$ref": "#/components/securitySchemes/password"},
                                    {"$ref": "#/components/securitySchemes/certificate"}],
                       "bindings": {"mqtt": {"clientId": "name-of-the-device",
                                             "cleanSession": False, "keepAlive": 60,
                                             "bindingVersion": "0.2.0"}}},
            "trial": {"host": "localhost:1883", "protocol": "mqtt",
                      "description": "The embedded broker, on one machine."}},
        "channels": {
            "readings": {
                "address": "twin/{enterprise}/{site}/{area}/{sensor}",
                "title": "Readings of one device",
                "description": "A unified namespace: one topic a device. A device publishes to its "
                               "own topic, and in its own name.",
                "parameters": {name: {"description": text} for name, text in levels.items()},
                "messages": {"reading": {"$ref": "#/components/messages/reading"},
                             "readings": {"$ref": "#/components/messages/readings"}}},
            "sparkplug": {
                "address": "spBv1.0/{group}/{type}/{node}",
                "title": "Sparkplug B 3.0",
                "description": "NBIRTH, NDATA and NDEATH; for a device of the node DBIRTH, DDATA "
                               "and DDEATH with the device as one more level.",
                "parameters": {
                    "group": {"description": "group id"}, "node": {"description": "edge node id"},
                    "type": {"enum": ["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"]}},
                "messages": {"payload": {"$ref": "#/components/messages/sparkplug"}}}},
        "operations": {
            "hear": {"action": "receive", "channel": {"$ref": "#/channels/readings"},
                     "summary": "The twin hears readings; each is on disk before its sender is "
                                "thanked.",
                     "bindings": {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}}},
            "hearSparkplug": {"action": "receive", "channel": {"$ref": "#/channels/sparkplug"},
                              "summary": "The twin is a host application.",
                              "bindings": {"mqtt": {"qos": 0, "bindingVersion": "0.2.0"}}}},
        "components": {
            "messages": {
                "reading": {
                    "name": "reading", "title": "One reading",
                    "contentType": "application/json", "payload": _ref("#"),
                    "examples": [{"name": kind.name, "summary": kind.meaning,
                                  "payload": example(kind)} for kind in KINDS.values()]},
                "readings": {
                    "name": "readings", "title": "Several readings at once",
                    "contentType": "application/json",
                    "description": f"At most {MOST_READINGS:,} readings and {LARGEST:,} bytes.",
                    "payload": {"type": "array", "maxItems": MOST_READINGS, "items": _ref("#")}},
                "sparkplug": {
                    "name": "sparkplug", "title": "Sparkplug B payload",
                    "contentType": "application/x-protobuf",
                    "description": "A metric asset/kind is a reading of that kind; other names by "
                                   "the table sensors of the model.",
                    "payload": {"type": "string", "format": "binary"}}},
            "securitySchemes": {
                "password": {"type": "userPassword", "description": "One account a device."},
                "certificate": {"type": "X509", "description": "One certificate a device."}}},
    }


def _ref(where: str) -> dict[str, str]:
    return {"$ref": f"./reading.schema.json{where}"}


# -- pages -----------------------------------------------------------------------------------------
def readings_page() -> str:
    """The reference page of all readings, in Markdown."""
    events = [kind for kind in KINDS.values() if not kind.signal]
    signals = [kind for kind in KINDS.values() if kind.signal]
    lines = [
        "# The readings", "",
        _WARNING + " A reading is a JSON",
        "object. `sensor` and `id` tell it apart: sent twice, it counts once. A number may come in",
        "any unit of its row below, named in `unit`. The same is told to machines by",
        "[reading.schema.json](reading.schema.json) and [asyncapi.yaml](asyncapi.yaml).", "",
        "## Columns", "",
        "| column | type | unit | meaning |", "|---|---|---|---|",
        *(_column(name) for name in FIELDS if name != "recorded"),
        "| unit | text | | of `value`; left out: the unit of its kind |",
        "", "## Events", "",
        "In the words of the ledger (EPCIS where it has one).", "",
        "| kind | meaning | needs |", "|---|---|---|",
        *(f"| `{kind.name}` | {EVENTS[kind.name]} | {_needs(kind)} |" for kind in events),
        "", "## Signals", "",
        "| kind | meaning | needs | unit | other units | range |", "|---|---|---|---|---|---|",
        *map(_signal, signals),
        "", "## Examples", "",
    ]
    lines += ["```json", *(json.dumps(example(kind)) for kind in KINDS.values()), "```"]
    return "\n".join(lines) + "\n"


def _column(name: str) -> str:
    field = FIELDS[name]
    if name == "time":
        return f"| **ts** | time | | {field.meaning}: ISO 8601, or milliseconds since 1970 |"
    shown = f"**{name}**" if name in ("sensor", "id", "kind") else name
    return (f"| {shown} | {'number' if field.type == 'd' else 'text'} | {field.unit} | "
            f"{field.meaning} |")


def _needs(kind: Kind) -> str:
    return ", ".join(need.replace("|", " or ") for need in kind.needs)


def _signal(kind: Kind) -> str:
    ranged = "" if kind.low is None or kind.high is None else f"{kind.low:g} to {kind.high:g}"
    cells = (f"`{kind.name}`", kind.meaning, _needs(kind), kind.unit, " ".join(units_of(kind)),
             ranged)
    return f"| {' | '.join(cells)} |"


def pages() -> dict[str, str]:
    """File name in ``docs/`` -> its text."""
    return {
        "reading.schema.json": json.dumps(reading_schema(), indent=1) + "\n",
        "asyncapi.yaml": yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=96),
        "readings.md": readings_page(),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (Path(__file__).parents[2] / "docs" / name).write_text(text, encoding="utf-8")
