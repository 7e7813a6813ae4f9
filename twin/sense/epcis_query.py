"""EPCIS 2.0 query definitions: which events somebody asks for (SimpleEventQuery)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from twin.clock import excerpt
from twin.sense.epcis_words import (
    ACTIONS,
    BIZ_STEP,
    DISPOSITION,
    ERROR_REASON,
    PARTY,
    TRANSACTION,
    Vocabulary,
    is_uri,
    measurement,
)

_EVENT_TYPES = ("ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent",
                "TransformationEvent")
_Check = Callable[[Any], None]


def _many(check: _Check) -> _Check:
    def each(value: Any) -> None:
        if not isinstance(value, list) or not value:
            raise ValueError("is not a list of values")
        for one in value:
            check(one)
    return each


def _text(value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError(f"'{excerpt(str(value))}' is not a text")


def _uri(value: Any) -> None:
    if not isinstance(value, str) or not is_uri(value):
        raise ValueError(f"'{excerpt(str(value))}' is not a URI")


def _moment(value: Any) -> None:
    try:
        good = isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"'{excerpt(str(value))}' is not a date and time with a zone")


def _number(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"'{excerpt(str(value))}' is not a number")


def _whole(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"'{excerpt(str(value))}' is not a whole number from 1")


def _yes_no(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"'{excerpt(str(value))}' is neither true nor false")


def _one_of(*options: str) -> _Check:
    def check(value: Any) -> None:
        if value not in options:
            raise ValueError(f"'{excerpt(str(value))}' is not one of {', '.join(options)}")
    return check


def _word(vocabulary: Vocabulary) -> _Check:
    def check(value: Any) -> None:
        _text(value)
        vocabulary.read(value)
    return check


def _type(value: Any) -> None:
    if value not in _EVENT_TYPES:
        _uri(value)


def _measured(value: Any) -> None:
    _text(value)
    measurement(value)


def _anything(value: Any) -> None:
    """Values of fields that are somebody's own."""


def _exact() -> dict[str, _Check]:
    checks: dict[str, _Check] = {
        "eventType": _many(_type), "EQ_action": _many(_one_of(*ACTIONS)),
        "EQ_bizStep": _many(_word(BIZ_STEP)), "EQ_disposition": _many(_word(DISPOSITION)),
        "EQ_persistentDisposition_set": _many(_word(DISPOSITION)),
        "EQ_persistentDisposition_unset": _many(_word(DISPOSITION)),
        "EQ_errorReason": _many(_word(ERROR_REASON)), "EQ_type": _many(_measured),
        "EXISTS_errorDeclaration": _yes_no, "EQ_booleanValue": _yes_no,
        "orderDirection": _one_of("ASC", "DESC"), "orderBy": _text,
        "eventCountLimit": _whole, "maxEventCount": _whole, "perPage": _whole,
        "nextPageToken": _text, "EQ_stringValue": _many(_text),
        "EQ_hexBinaryValue": _many(_text), "EQ_value": _number,
        "EQ_eventID": _many(_uri), "EQ_correctiveEventID": _many(_uri),
        "EQ_transformationID": _many(_uri),
    }
    for name in ("eventTime", "recordTime", "errorDeclarationTime", "errorDeclaration_Time",
                 "startTime", "endTime", "time"):
        checks |= {f"{sign}_{name}": _moment for sign in ("GE", "LT")}
    for name in ("readPoint", "bizLocation"):
        checks |= {f"{sign}_{name}": _many(_uri) for sign in ("EQ", "WD")}
    for name in ("epc", "parentID", "inputEPC", "outputEPC", "anyEPC", "epcClass",
                 "inputEPCClass", "outputEPCClass", "anyEPCClass"):
        checks[f"MATCH_{name}"] = _many(_uri)
    for name in ("deviceID", "dataProcessingMethod", "microorganism", "chemicalSubstance",
                 "bizRules", "deviceMetadata", "rawData", "uriValue",
                 "coordinateReferenceSystem"):
        checks[f"EQ_{name}"] = _many(_uri)
    for name in ("quantity", "percRank", "percValue"):
        checks |= {f"{sign}_{name}": _number for sign in ("EQ", "GT", "GE", "LT", "LE")}
    return checks


_EXACT = _exact()
_SHAPED: tuple[tuple[re.Pattern[str], _Check], ...] = (
    (re.compile(r"(EQ|GT|GE|LT|LE)_(value|minValue|maxValue|meanValue|sDev|percValue|quantity)"
                r"_[A-Z0-9]{2,3}"), _number),
    (re.compile(r"EQ_(source|destination)_(.+)"), _many(_uri)),
    (re.compile(r"EQ_bizTransaction_(.+)"), _many(_uri)),
    # fields of extensions are namespaced; so are attributes of master data
    (re.compile(r"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?(ILMD_|SENSORELEMENT_|SENSORMETADATA_|"
                r"SENSORREPORT_|ERROR_DECLARATION_|readPoint_|bizLocation_)?(INNER_)?"
                r"[^\s:]+:\S+"), _anything),
    (re.compile(r"(HASATTR|EQATTR)_\S+"), _anything),
)


def query_problems(query: Mapping[str, Any]) -> list[str]:
    """What is wrong with a query definition; nothing means that it can be asked.

    Parameters
    ----------
    query
        Parameters of a SimpleEventQuery by name, or ``{"name": ..., "query": {...}}``.

    Examples
    --------
    >>> query_problems({"eventType": ["ObjectEvent"], "EQ_action": ["ADD"], "eventCountLimit": 9})
    []
    >>> query_problems({"EQ_action": ["SHIPPED"]})
    ["EQ_action: 'SHIPPED' is not one of ADD, OBSERVE, DELETE."]
    """
    inner = query.get("query")
    if isinstance(inner, Mapping):
        rest = sorted(map(str, query.keys() - {"@context", "name", "query", "queryType"}))
        return [f"{key}: is no part of a named query." for key in rest] + query_problems(inner)
    return [line for key, value in query.items() if key not in ("@context", "queryType")
            for line in _problem(str(key), value)]


def _problem(key: str, value: Any) -> list[str]:
    check = _EXACT.get(key) or next(
        (check for shape, check in _SHAPED if shape.fullmatch(key)), None)
    if check is None:
        near = get_close_matches(key[:60], _EXACT, n=1, cutoff=0.8)
        remedy = f" Did you mean '{near[0]}'?" if near else ""
        return [f"{excerpt(key)}: is no parameter of an event query.{remedy}"]
    try:
        for part, vocabulary in (("bizTransaction", TRANSACTION), ("source", PARTY),
                                 ("destination", PARTY)):
            if key.startswith(f"EQ_{part}_"):
                vocabulary.read(key.removeprefix(f"EQ_{part}_"))
        check(value)
    except ValueError as error:
        return [f"{excerpt(key)}: {error}{'' if str(error)[-1] in '.?' else '.'}"]
    return []
