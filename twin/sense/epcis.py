"""EPCIS 2.0 capture: documents of the standard, checked whole, become readings.

A document, the answer to a query, or a single event comes in as JSON(-LD). One that breaks the
standard anywhere is refused altogether, with every offender named.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from twin.clock import excerpt
from twin.document import DocumentError, read_document
from twin.readings import BadReading, Reading, parse_reading
from twin.sense.epcis_document import Document, QueryDocument, SingleEvent
from twin.sense.epcis_models import Event
from twin.sense.epcis_query import query_problems
from twin.sense.epcis_readings import Reader
from twin.sense.inbox import Arrival, Inbox, pause
from twin.sense.source import LARGEST, Message, Place, SourceError

#: Longest document that is read.
MOST_BYTES = 32_000_000
_SHOWN = 20
BASE = "https://id.example.org"


def read_epcis(document: bytes | str | Mapping[str, Any], *, recorded: float = math.nan,
               sensor: str = "epcis", names: Mapping[str, str] | None = None,
               base: str = BASE, sizes: Mapping[str, tuple[float, float]] | None = None
               ) -> list[Reading | BadReading]:
    """The readings of an EPCIS 2.0 document or event.

    Parameters
    ----------
    document
        JSON text, or what was parsed from it.
    recorded
        When it came; seconds since 1970-01-01 UTC.
    sensor
        The system that sent it; a device named in a sensor report speaks for itself.
    names
        GS1 key (``01/...``, ``414/...``) or URI -> the model's name for it.
    base
        Where the model's own identifiers live.
    sizes
        Weight (kg) and volume (m3) of a unit by product, to turn kilograms and litres into units.

    Returns
    -------
    list of Reading or BadReading
        In the order of the document. A BadReading is a statement that the standard allows and that
        no kind of reading can hold, such as a shipment from nowhere.

    Raises
    ------
    BadReading
        If the document breaks the standard: reason `malformed`, and every offender.

    Examples
    --------
    >>> event = {"@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
    ...     "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "receiving",
    ...     "eventTime": "2026-03-01T07:00:00+01:00", "eventTimeZoneOffset": "+01:00",
    ...     "readPoint": {"id": "https://id.example.org/site/W"},
    ...     "quantityList": [{"epcClass": "https://id.gs1.org/01/09521141012345", "quantity": 12}]}
    >>> [reading] = read_epcis(event, names={"01/09521141012345": "tea"})
    >>> reading.kind, reading.site, reading.product, reading.quantity, reading.time
    ('receiving', 'W', 'tea', 12.0, 1772344800.0)
    >>> read_epcis({**event, "bizStep": "recieving"})
    Traceback (most recent call last):
    ...
    twin.readings.BadReading: bizStep: 'recieving' is no business step of CBV 2.0. Did you mean
    'receiving'?
    """
    found: list[Reading | BadReading] = []
    for message in epcis_messages(document, sensor=sensor, names=names, base=base, sizes=sizes):
        try:
            found.append(parse_reading(message, recorded=recorded))
        except BadReading as bad:
            found.append(bad)
    return found


def epcis_messages(document: bytes | str | Mapping[str, Any], *, sensor: str = "epcis",
                   names: Mapping[str, str] | None = None, base: str = BASE,
                   sizes: Mapping[str, tuple[float, float]] | None = None
                   ) -> list[dict[str, Any]]:
    """What a document says, as messages of readings that are still to be checked.

    Raises
    ------
    BadReading
        If the document breaks the standard.
    """
    parsed = _parsed(document)
    reader = Reader(names or {}, base, sensor, _namespaces(parsed.get("@context")),
                    sizes or {})
    return [message for event in check_epcis(parsed) for message in reader.messages(event)]


def _namespaces(context: Any) -> dict[str, str]:
    """Prefix -> namespace, of a context."""
    found: dict[str, str] = {}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, Mapping):
            found |= {str(key): value for key, value in part.items() if isinstance(value, str)}
    return found


def check_epcis(document: bytes | str | Mapping[str, Any]) -> list[Event]:
    """The events of a document that follows the standard; none of a query definition.

    Raises
    ------
    BadReading
        With every offender.
    """
    parsed = _parsed(document)
    kind = parsed.get("type")
    if kind is None and ("query" in parsed or not {"eventTime", "epcisBody"} & parsed.keys()):
        problems = query_problems(parsed)
        if not parsed.keys() - {"@context"}:
            problems = ["type: is missing. Send an EPCISDocument or an event."]
        if problems:
            raise _refused(problems)
        return []
    model = kind if kind in ("EPCISDocument", "EPCISQueryDocument") else "event"
    try:
        checked = _adapter(model).validate_python(parsed)
    except ValidationError as error:
        raise _refused([_line(one) for one in error.errors(include_url=False,
                                                           include_context=False)]) from None
    except RecursionError:
        raise BadReading("malformed", "the document is nested too deep to be read.") from None
    return [checked] if model == "event" else checked.events


@cache
def _adapter(model: str) -> TypeAdapter[Any]:
    kinds: dict[str, Any] = {"EPCISDocument": Document, "EPCISQueryDocument": QueryDocument,
                             "event": SingleEvent}
    return TypeAdapter(kinds[model])


def _parsed(document: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(document, Mapping):
        return dict(document)
    if len(document) > MOST_BYTES:
        raise BadReading("oversize", f"the document has {len(document):,} bytes; at most "
                         f"{MOST_BYTES:,} are read. Send its events in parts.")
    try:
        parsed = json.loads(document, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadReading("malformed", f"the document is not JSON: {excerpt(str(error))}.") \
            from None
    if not isinstance(parsed, dict):
        raise BadReading("malformed", "the document is not a JSON object.")
    return parsed


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _line(error: Any) -> str:
    where = ""
    for part in error["loc"]:
        if part == "[key]" or (isinstance(part, str) and part in _TAGS):
            continue
        where += f"[{part}]" if isinstance(part, int) else f"{'.' * bool(where)}{part}"
    what = str(error["msg"]).removeprefix("Value error, ").rstrip()
    if error["type"] == "missing":
        what = "is missing"
    elif not isinstance(error["input"], dict | list) and error["type"] != "value_error":
        what = f"'{excerpt(str(error['input']))}': {what}"
    sep = " " if what.startswith(("is ", "has ", "names ")) else ": "
    return f"{where or 'the event'}{sep}{what}{'' if what.endswith(('.', '?')) else '.'}"


_TAGS = {"ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent",
         "TransformationEvent", "extension"}


def _refused(problems: list[str]) -> BadReading:
    shown = problems[:_SHOWN]
    if len(problems) > _SHOWN:
        shown.append(f"... and {len(problems) - _SHOWN} more.")
    return BadReading("malformed", "\n".join(shown))


# -- a folder of documents -----------------------------------------------------------------
class EpcisFolder:
    """Documents that a capture service or a partner puts into a folder (`twin.sense.source`).

    One event is one message; a document that is refused is one message too. ``names.yaml`` in the
    folder turns GS1 keys into the model's names.

    Parameters
    ----------
    place
        Its address is the folder, or one document. Options: `watch` waits for more documents,
        `base` is where the model's own identifiers live, `sizes` the weight (kg) and volume (m3) of
        a unit by product.
    """

    live = False

    def __init__(self, place: Place) -> None:
        path = Path(place.address)
        one = path.suffix in (".json", ".jsonld")
        folder = path.parent if one else path
        self._inbox = Inbox(folder, [path.name] if one else ["*.json", "*.jsonld"],
                            place.folder / "inbox")
        self._watch = bool(place.option("watch", False))
        self._reader = Reader(_read_names(folder / "names.yaml"), str(place.option("base", BASE)),
                              "epcis", sizes=place.option("sizes", {}))
        self._events = self._all_events()
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether every document was taken and none is waited for."""
        return self._ended and not self._watch

    def take(self, most: int, wait_s: float) -> list[Message]:
        """The next events."""
        taken = list(islice(self._events, most))
        if not taken:
            self._ended = True
            if self._watch:
                pause(wait_s)
                self._events = self._all_events()
        return taken

    def _all_events(self) -> Iterator[Message]:
        """Events of all new documents; the last of a document carries the document."""
        for arrival in self._inbox.arrivals():
            said: list[Any]
            raw = _bytes_of(arrival)
            try:
                parsed, spaces = _parsed(raw), {}
                said = check_epcis(parsed) or [None]
                spaces = _namespaces(parsed.get("@context"))
            except BadReading as bad:
                said, spaces = [bad], {}
            for number, one in enumerate(said, 1):
                yield Message(raw[:LARGEST] if isinstance(one, BadReading) else b"",
                              arrival.changed, topic=f"epcis/{arrival.name}:{number}",
                              token=(one, arrival if number == len(said) else None, spaces))

    def readings(self, message: Message) -> list[dict[str, Any]]:
        """What an event says."""
        if message.token is None:  # from the quarantine
            return epcis_messages(message.payload)
        event = message.token[0]
        if isinstance(event, BadReading):
            raise event
        reader = replace(self._reader, namespaces=message.token[2])
        return [] if event is None else list(reader.messages(event))

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """These events are safe; a document is when its last event is."""
        whole = [message.token[1] for message in messages if message.token[1] is not None]
        if whole:
            self._inbox.remember(*whole)

    def close(self) -> None:
        """Leave the document that is being read."""
        self._events = iter(())


def _bytes_of(arrival: Arrival) -> bytes:
    """A document's bytes; of one that is too long, only so many that it is refused."""
    with arrival.path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _read_names(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        return {str(key): str(value) for key, value in read_document(path).items()}
    except DocumentError as error:
        raise SourceError(str(error)) from None


def open_source(place: Place) -> EpcisFolder:
    """A folder of EPCIS documents, as a source to listen to."""
    return EpcisFolder(place)
