"""What the listener asks of everything that it can listen to.

A source hands over messages as they came and is told when they are safe on disk: what is not yet
acknowledged must come again after a crash. Whatever its wire format, it gives each message as
mappings with the keys of a reading (`twin.kinds.FIELDS`, ``ts`` and ``unit``); the listener checks
these, so a source only decodes.

A new source is a module with a class of this contract and a line in `SIBLINGS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import quote, unquote

from twin.clock import excerpt
from twin.readings import BadReading

#: A payload longer than this is refused before it is decoded, bytes.
LARGEST = 262_144
#: More readings in one payload are refused.
MOST_READINGS = 10_000


@dataclass(slots=True)
class Message:
    """One message as it came.

    Parameters
    ----------
    payload
        The bytes; a source that has no bytes of its own (rows of a table) leaves them empty, keeps
        its row in `token` and gives it back in `readings`.
    received
        When it came here, seconds since 1970-01-01 UTC; of a record of the past, when it became
        known then.
    sender
        The sensor that the source vouches for; a reading that names another is refused. Empty where
        the source vouches for nobody.
    topic
        Where it came from, for the quarantine and the register: an MQTT topic, a node, a file and
        row.
    token
        What the source needs to acknowledge or decode it; nobody else looks at it.
    """

    payload: bytes
    received: float
    sender: str = ""
    topic: str = ""
    token: Any = None


class Source(Protocol):
    """Something to listen to. It is opened by its constructor and closed once.

    Attributes
    ----------
    live
        Whether it speaks of now: then clocks that are wrong are found by the time of receipt. A
        record of the past (a file) is not live.
    ended
        Whether nothing will ever come again: a file is read, a folder is empty.
    """

    live: bool

    @property
    def ended(self) -> bool:
        """Whether nothing will ever come again."""
        ...

    def take(self, most: int, wait_s: float) -> Sequence[Message]:
        """Up to `most` messages, in order; waits at most `wait_s` seconds for the first.

        Raises
        ------
        SourceError
            If it cannot be heard and trying again is no use.
        """
        ...

    def readings(self, message: Message) -> Iterable[Mapping[str, Any]]:
        """The readings that a message says, keys and values as on the wire, unchecked.

        Raises
        ------
        BadReading
            If it cannot be decoded; the whole message goes to the quarantine.
        """
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """These messages, the oldest not yet acknowledged, are safe on disk: forget them."""
        ...

    def close(self) -> None:
        """Stop; what is not acknowledged comes again another time."""
        ...


class SourceError(ValueError):
    """A source that cannot be listened to; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a source is opened with.

    Parameters
    ----------
    address
        ``source=`` as it was written.
    model
        Name of the model that listens.
    listener
        Name of this listener, unlike that of others that share the load.
    folder
        ``store/<model>``, where a source may keep a file of its own.
    options
        Other settings of the command line that a source may heed: `speed` (times as fast as it was;
        0 is as fast as possible), `share` (group of a shared subscription),
        `mqtt` (its version: 5 or 3.1.1).
    """

    address: str
    model: str
    listener: str = "1"
    folder: Path = Path("store")
    options: Mapping[str, Any] | None = None

    def option(self, name: str, default: Any = None) -> Any:
        """The value of an option."""
        return (self.options or {}).get(name, default)


@dataclass(frozen=True, slots=True)
class Sibling:
    """How an address is known, and the module whose ``open_source(place)`` answers it."""

    pattern: str
    module: str
    means: str


#: The first whose pattern matches the address opens it.
SIBLINGS = (
    Sibling(r"mqtts?://.*", "mqtt", "mqtt://host:1883 or mqtts://host:8883, a broker"),
    Sibling(r"spb(s)?://.*", "sparkplug", "spb://host:1883, Sparkplug B on a broker"),
    Sibling(r"opc\.tcp://.*", "opcua", "opc.tcp://host:4840, an OPC UA server"),
    Sibling(r"quarantine(/.*)?", "quarantine", "quarantine, what was refused before"),
    Sibling(r"(.*/)?epcis/?|.*\.jsonld", "epcis", "epcis/, a folder of EPCIS documents"),
    Sibling(r"(.*/)?exports/?", "exports", "exports/, a folder of ERP, WMS and MES exports"),
    Sibling(r".*\.(csv|parquet|jsonl)|.*/", "replay", "a CSV or Parquet file of readings"),
)


def open_source(place: Place) -> Source:
    """The source that an address names.

    Raises
    ------
    SourceError
        If nothing listens to such an address, or it cannot be opened.

    Examples
    --------
    >>> open_source(Place("ftp://plant", "harbour"))
    Traceback (most recent call last):
    ...
    twin.sense.source.SourceError: source 'ftp://plant' is unknown. Write one of: mqtt://...
    """
    for sibling in SIBLINGS:
        if re.fullmatch(sibling.pattern, place.address):
            module = import_module(f"twin.sense.{sibling.module}")
            return cast(Source, module.open_source(place))
    known = "; ".join(sibling.means for sibling in SIBLINGS)
    raise SourceError(f"source '{excerpt(place.address)}' is unknown. Write one of: {known}.")


def _reader() -> Callable[[bytes], Any]:
    """JSON by orjson, where it is installed: it is on the path of every message."""
    try:
        loads = import_module("orjson").loads
    except ImportError:
        return json.loads
    return cast("Callable[[bytes], Any]", loads)


_loads = _reader()


def decode_json(payload: bytes) -> list[Mapping[str, Any]]:
    """The readings of a payload that is one JSON object or an array of them.

    Raises
    ------
    BadReading
        Reason `oversize` or `malformed`.

    Examples
    --------
    >>> decode_json(b'{"sensor": "t1"}'), decode_json(b'[{"id": 1}, {"id": 2}]')
    ([{'sensor': 't1'}], [{'id': 1}, {'id': 2}])
    """
    if len(payload) > LARGEST:
        raise BadReading("oversize", f"the payload has {len(payload):,} bytes; at most "
                         f"{LARGEST:,} are read. Send fewer readings at once.")
    try:
        said = _loads(payload)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:100]
        raise BadReading("malformed", f"the payload is not JSON: {reason}.") from None
    if isinstance(said, dict):
        return [said]
    if not isinstance(said, list) or not set(map(type, said)) <= {dict}:
        raise BadReading("malformed", "the payload is not a reading (a JSON object) or an array of "
                         "readings.")
    if len(said) > MOST_READINGS:
        raise BadReading("oversize", f"the payload has {len(said):,} readings; at most "
                         f"{MOST_READINGS:,} are read. Send fewer at once.")
    return said


# ---- the unified namespace ----

#: An MQTT topic filter without blanks.
TOPIC_FILTER = re.compile(r"(?:(?:[^+#/\s]*|\+)/)*(?:[^+#/\s]+|\+|#)")
_PLAIN = " !$&'()*,;=:@~"


def topic_of(sensor: str, *, enterprise: str, site: str = "", area: str = "") -> str:
    """The topic that a sensor publishes to: ``twin/<enterprise>/<site>/<area>/<sensor>``.

    Examples
    --------
    >>> topic_of("t1", enterprise="acme", site="W", area="cold"), topic_of("a/b", enterprise="acme")
    ('twin/acme/W/cold/t1', 'twin/acme/-/-/a%2Fb')
    """
    return "/".join(["twin", *map(topic_level, (enterprise, site, area, sensor))])


def topic_level(name: str) -> str:
    """A name as one level of a topic; a blank is a dash.

    Examples
    --------
    >>> topic_level("pump #1"), topic_level("")
    ('pump %231', '-')
    """
    return quote(name or "-", safe=_PLAIN)


def sensor_of(topic: str) -> str:
    """The sensor whose topic it is: the last level.

    Examples
    --------
    >>> sensor_of("twin/acme/W/cold/t1"), sensor_of("twin/acme/-/-/a%2Fb")
    ('t1', 'a/b')
    """
    return unquote(topic.rpartition("/")[2])
