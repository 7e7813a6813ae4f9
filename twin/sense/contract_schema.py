"""The JSON Schema of a reading, from the tables of `twin.kinds`."""

from __future__ import annotations

from typing import Any

from twin.kinds import ALSO, FIELDS, KINDS, PIECES, UNITS, Kind

_LARGEST = 1.7976931348623157e308
#: What cannot be printed: controls, separators other than the space, formats and surrogates.
_PLAIN = ("^[^\\u0000-\\u001f\\u007f-\\u00a0\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u1680\\u180e"
          "\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ud800-\\uf8ff\\ufeff"
          "\\ufff0-\\ufffb]*$")
_INSTANT = (r"^(19[7-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
            r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?"
            r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?$")

Schema = dict[str, Any]


def reading_schema() -> Schema:
    """JSON Schema (2020-12) of one reading as it goes over the wire.

    What it accepts is what `twin.readings.parse_reading` takes, as far as JSON Schema can tell: it
    does not know the days of a month.

    Examples
    --------
    >>> schema = reading_schema()
    >>> schema["required"], schema["properties"]["latitude"]["maximum"]
    (['sensor', 'id', 'ts', 'kind'], 90.0)
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reading",
        "description": "What a sensor, scanner or system says: an event of the supply chain, or "
                       "one measured signal.",
        "type": "object",
        "required": ["sensor", "id", "ts", "kind"],
        "additionalProperties": False,
        "properties": _properties(),
        "allOf": [{"if": {"required": ["quantity", "unit"], "not": {"required": ["value"]}},
                   "then": {"properties": {"unit": {"enum": [*PIECES, None]}}}},
                  *(_of_kind(kind) for kind in KINDS.values())],
    }


def _properties() -> Schema:
    found: Schema = {}
    for name, field in FIELDS.items():
        if name == "recorded":
            continue
        if name == "time":
            found["ts"] = {
                "description": "When it was so: ISO 8601 (UTC where no zone is said), or "
                               "milliseconds since 1970-01-01 UTC.",
                "oneOf": [{"type": "string", "pattern": _INSTANT},
                          {"type": "number", "minimum": 0, "exclusiveMaximum": 4_102_444_800_000}]}
        elif name == "kind":
            found["kind"] = {"description": field.meaning, "enum": list(KINDS)}
        elif name == "quality":
            found["quality"] = {"description": field.meaning,
                                "enum": ["", "good", "uncertain", "bad"]}
        elif field.type == "d":
            low = field.low if field.low is not None else 0.0 if name == "quantity" else -_LARGEST
            high = field.high if field.high is not None else _LARGEST
            found[name] = {"description": _described(field.meaning, field.unit), "type": "number",
                           "minimum": low, "maximum": high}
        else:
            found[name] = {"description": field.meaning, "type": ["string", "integer"],
                           "maxLength": 200, "pattern": _PLAIN}
            if name in ("sensor", "id"):
                found[name]["minLength"] = 1
    found["unit"] = {"description": "of the value, where it is not the unit of its kind; a "
                                    "quantity without a value is in units of its product"}
    return found


def _described(meaning: str, unit: str) -> str:
    return f"{meaning} ({unit})" if unit else meaning


def _of_kind(kind: Kind) -> Schema:
    """What one kind adds: the columns that it needs, its units and its range."""
    then: list[Schema] = [{"anyOf": [_filled(name) for name in need.split("|")]}
                          for need in kind.needs]
    then += _measured(kind)
    return {"if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
            "then": {"allOf": then} if then else {}}


def _filled(name: str) -> Schema:
    if FIELDS[name].type == "d":
        return {"required": [name]}
    return {"required": [name], "properties": {name: {"minLength": 1}}}


def units_of(kind: Kind) -> dict[str, tuple[float, float]]:
    """Units that a kind takes besides its own -> (factor, offset) into its own.

    Examples
    --------
    >>> sorted(units_of(KINDS["speed"]))
    ['kn', 'm/s', 'mph']
    """
    if not kind.unit:
        return {}
    found = {word: (factor, offset) for word, (of, factor, offset) in UNITS.items()
             if of == kind.unit and word not in ("", kind.unit)}
    return found | {word: (factor, 0.0) for (word, of), factor in ALSO.items() if of == kind.unit}


def _measured(kind: Kind) -> list[Schema]:
    """Range of the value in every unit that it may come in; nothing where there is no value."""
    text = {"type": ["string", "integer"], "maxLength": 200, "pattern": _PLAIN}
    units: Schema = text if not kind.unit else {"enum": ["", kind.unit, *units_of(kind)]}
    found = [{"if": {"required": ["value", "unit"]}, "then": {"properties": {"unit": units}}}]
    if kind.low is None and kind.high is None:
        return found
    foreign = units_of(kind)
    own: Schema = {"properties": {"value": _range(kind, 1.0, 0.0)}}
    found.append(own if not foreign else {
        "if": {"required": ["unit"], "properties": {"unit": {"enum": list(foreign)}}},
        "then": {}, "else": own})
    return found + [
        {"if": {"required": ["unit"], "properties": {"unit": {"const": word}}},
         "then": {"properties": {"value": _range(kind, factor, offset)}}}
        for word, (factor, offset) in foreign.items()]


def _range(kind: Kind, factor: float, offset: float) -> Schema:
    bounds = (("minimum", kind.low), ("maximum", kind.high))
    return {word: (bound - offset) / factor for word, bound in bounds if bound is not None}
