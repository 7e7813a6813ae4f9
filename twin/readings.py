"""Readings: what was heard from sensors, scanners and systems, checked at the door.

On the wire a reading is a JSON object with the keys of `twin.kinds.FIELDS` (``ts`` for the time,
``unit`` for the unit of the value). Here it is a frozen record; many of them are a table with the
same columns, on disk Parquet.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twin.clock import excerpt, parse_moment
from twin.kinds import FIELDS, KINDS, PIECES, Kind, in_unit

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 200
QUALITIES = ("good", "uncertain", "bad")
EARLIEST, LATEST = 0.0, 4_102_444_800.0  # 1970 to 2100
#: Key on the wire -> d number, s text, or what is read on its own.
WIRE = {**{name: field.type for name, field in FIELDS.items()
            if name not in ("time", "recorded", "kind")},
         "kind": "kind", "ts": "time", "unit": "unit"}
#: Kind -> groups of columns, of each of which one must be filled.
NEEDS = {kind.name: tuple(tuple(need.split("|")) for need in kind.needs)
          for kind in KINDS.values()}


class BadReading(ValueError):
    """A reading that cannot be taken; `reason` is one word of the quarantine, the message the rest.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading. Texts that say nothing are empty, numbers that say nothing NaN.

    Attributes
    ----------
    sensor, id
        Its key: a reading that comes twice is the same.
    time, recorded
        When it was so and when it was known here; seconds since 1970-01-01 UTC.
    kind
        A word of `twin.kinds.KINDS`.
    value
        In the unit of its kind.

    Examples
    --------
    >>> cold = Reading(sensor="t1", id="7", time=0.0, kind="temperature", site="W", value=4.5)
    >>> cold.key
    ('t1', '7')
    """

    sensor: str
    id: str
    time: float
    kind: str
    recorded: float = math.nan
    site: str = ""
    to_site: str = ""
    area: str = ""
    asset: str = ""
    product: str = ""
    lot: str = ""
    parent: str = ""
    order: str = ""
    shipment: str = ""
    quantity: float = math.nan
    amount: float = math.nan
    value: float = math.nan
    latitude: float = math.nan
    longitude: float = math.nan
    state: str = ""
    role: str = ""
    cause: str = ""
    source: str = ""
    quality: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same reading."""
        return self.sensor, self.id

    def message(self) -> dict[str, Any]:
        """The reading as it goes over the wire: JSON values, blanks left out.

        Examples
        --------
        >>> Reading(sensor="t1", id="7", time=1.5, kind="alive", value=1.0).message()
        {'sensor': 't1', 'id': '7', 'ts': '1970-01-01T00:00:01.500Z', 'kind': 'alive', 'value': 1.0}
        """
        said: dict[str, Any] = {}
        for name in FIELDS:
            if name == "time":
                said["ts"] = format_instant(self.time)
            elif name != "recorded":
                value = getattr(self, name)
                if value != "" and value == value:
                    said[name] = value
        return said


def parse_reading(message: Mapping[str, Any], *, recorded: float = math.nan,
                  sensor: str = "") -> Reading:
    """A reading from a message that anybody may have sent.

    Parameters
    ----------
    message
        Keys and values as on the wire.
    recorded
        When it came; seconds since 1970-01-01 UTC.
    sensor
        Who sent it, where the door knows; a message that names another is refused.

    Raises
    ------
    BadReading
        With the reason (`malformed`, `unknown_kind`, `missing`, `unit`, `impossible`, `identity`)
        and what to change.

    Examples
    --------
    >>> said = {"sensor": "t1", "id": 7, "ts": "2026-03-01T06:00:00Z", "kind": "temperature",
    ...         "site": "W", "value": 41, "unit": "F"}
    >>> reading = parse_reading(said)
    >>> reading.id, round(reading.value, 3), reading.time
    ('7', 5.0, 1772344800.0)
    >>> parse_reading({**said, "kind": "mood"})
    Traceback (most recent call last):
    ...
    twin.readings.BadReading: kind 'mood' is unknown. Send one of ordering, receiving, storing, ...
    """
    return Reading(**check_message(message, recorded=recorded, sensor=sensor))


def check_message(message: Mapping[str, Any], *, recorded: float = math.nan,
                  sensor: str = "") -> dict[str, Any]:
    """The columns that a message fills, checked and converted as `parse_reading` does.

    It is on the path of every reading that a listener hears, hence one pass and no record.

    Raises
    ------
    BadReading
        As `parse_reading`.

    Examples
    --------
    >>> check_message({"sensor": "t1", "id": "7", "ts": 0, "kind": "battery", "value": 91},
    ...               recorded=2.0)
    {'kind': 'battery', 'recorded': 2.0, 'sensor': 't1', 'id': '7', 'value': 91.0, 'time': 0.0}
    """
    word = message.get("kind", "")
    kind = KINDS.get(word) if isinstance(word, str) else None
    if kind is None:
        strange = next((key for key in message if key not in WIRE), None)
        if strange is None:
            raise BadReading("unknown_kind", f"kind '{excerpt(str(word))}' is unknown. "
                             f"Send one of {', '.join(KINDS)}.")
        raise _unknown_key(strange)
    values: dict[str, Any] = {"kind": kind.name, "recorded": recorded}
    for name, value in message.items():
        what = WIRE.get(name)
        if what == "s":
            if value.__class__ is not str or len(value) > LONGEST or not value.isprintable():
                value = _text(name, value)
            if value:
                values[name] = value
        elif what == "d":
            if value.__class__ is not float or value - value != 0.0:  # neither infinite nor NaN
                value = _number(name, value)
            values[name] = value
        elif what is None:
            raise _unknown_key(name)
    unit = message.get("unit", kind.unit)
    if unit != kind.unit and "value" in values:
        values["value"] = _in_unit(values["value"], unit, kind)
    elif "unit" in message and "quantity" in values and "value" not in values \
            and not (unit is None or (isinstance(unit, str) and unit in PIECES)):
        raise BadReading("unit", f"{kind.name}: quantity {values['quantity']:g} in "
                         f"'{excerpt(str(unit))}' are no units of a product. Send units, or give "
                         "the product its weight_kg and volume_m3 where the source can convert.")
    if sensor and values.setdefault("sensor", sensor) != sensor:
        raise BadReading("identity", f"sensor '{sensor}' speaks for "
                         f"'{excerpt(values['sensor'])}'. Each device sends in its own name.")
    stamp = message.get("ts")
    try:
        seconds = datetime.fromisoformat(stamp).timestamp() \
            if stamp.__class__ is str and stamp[-1:] == "Z" else _instant(stamp)
    except ValueError:
        seconds = _instant(stamp)  # which says what is wrong
    values["time"] = seconds if EARLIEST <= seconds < LATEST else _instant(stamp)
    if "sensor" not in values or "id" not in values:
        name = "id" if "sensor" in values else "sensor"
        raise BadReading("missing", f"{name} is missing. Send it with every reading.")
    _check_values(values, kind)
    return values


def _unknown_key(key: object) -> BadReading:
    return BadReading("malformed", f"key '{excerpt(str(key))}' is unknown. "
                      f"Send {', '.join(sorted(WIRE))}.")


def _in_unit(value: float, unit: object, kind: Kind) -> float:
    try:
        return in_unit(value, _text("unit", unit), kind.unit)
    except ValueError as error:
        if isinstance(error, BadReading):
            raise
        raise BadReading("unit", f"{kind.name}: {error}.") from None


def check_reading(reading: Reading) -> None:
    """Refuse a reading that lacks what its kind needs, or says what cannot be.

    Raises
    ------
    BadReading
        Reason `unknown_kind`, `missing` or `impossible`.
    """
    kind = KINDS.get(reading.kind)
    if kind is None:
        raise BadReading("unknown_kind", f"kind '{excerpt(reading.kind)}' is unknown.")
    said = {name: getattr(reading, name) for name in FIELDS}
    _check_values({name: value for name, value in said.items()
                   if value != "" and value == value}, kind)


def _check_values(values: Mapping[str, Any], kind: Kind) -> None:
    """Refuse what a kind lacks, or what cannot be; blanks are left out of the values."""
    for names in NEEDS[kind.name]:
        for name in names:
            if name in values:
                break
        else:
            raise BadReading("missing", f"{kind.name}: {' or '.join(names)} is missing.")
    if "value" in values:
        value = values["value"]
        if ((kind.low is not None and value < kind.low)
                or (kind.high is not None and value > kind.high)):
            raise BadReading("impossible", f"{kind.name}: value {value:g} {kind.unit} cannot be; "
                             f"it lies from {kind.low:g} to {kind.high:g}.")
    for name in ("latitude", "longitude"):
        if name in values:
            number, field = values[name], FIELDS[name]
            if number < (field.low or 0.0) or number > (field.high or 0.0):
                raise BadReading("impossible", f"{kind.name}: {name} {number:g} cannot be.")
    if "quantity" in values and values["quantity"] < 0.0:
        raise BadReading("impossible", f"{kind.name}: quantity {values['quantity']:g} is negative. "
                         "Send a correction as an event of its own.")
    if "quality" in values and values["quality"] not in QUALITIES:
        raise BadReading("malformed", f"quality '{excerpt(values['quality'])}' is not good, "
                         "uncertain or bad.")


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadReading("malformed", f"{name} '{excerpt(str(value))}' is not a text.")
    text = str(value)
    if len(text) > LONGEST:
        raise BadReading("malformed", f"{name} has {len(text)} characters; at most {LONGEST}.")
    if not text.isprintable():
        raise BadReading("malformed", f"{name} has characters that cannot be printed.")
    return text


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise BadReading("malformed", f"{name} '{excerpt(str(value))}' is not a finite number.")
    return float(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _instant(value: object) -> float:
    """Seconds since 1970 from an ISO text or milliseconds since 1970."""
    if isinstance(value, bool) or value is None:
        raise BadReading("missing", "ts is missing. Send a time such as 2026-03-01T06:00:00Z.")
    if isinstance(value, int | float):
        if not _finite(value):
            raise BadReading("malformed", "ts is not a finite number of milliseconds.")
        seconds = float(value) / 1000.0
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value) if value[-1:] == "Z" else parse_moment(value)
        except ValueError:
            moment = _moment(value)
        seconds = moment.timestamp()
    else:
        raise BadReading("malformed", f"ts '{excerpt(str(value))}' is not a time.")
    if not EARLIEST <= seconds < LATEST:
        raise BadReading("impossible", f"ts '{excerpt(str(value))}' is not between 1970 and 2100.")
    return seconds


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise BadReading("malformed", f"ts {error}") from None


def format_instant(seconds: float) -> str:
    """Seconds since 1970 as ISO text, to the millisecond.

    Examples
    --------
    >>> format_instant(1772344800.25)
    '2026-03-01T06:00:00.250Z'
    """
    moment = datetime.fromtimestamp(round(seconds * 1000) / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{round(moment.microsecond / 1000):03d}Z"


def reference_number(text: str) -> int:
    """The whole number that stands for a reference (order, shipment, lot) in a ledger.

    A whole number is itself; any other text gets 52 bits of its fingerprint, above all those.
    The same text is the same number everywhere, whatever came first.

    Examples
    --------
    >>> reference_number(""), reference_number("17"), reference_number("PO-17") > 2**52
    (0, 17, True)
    """
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) < 16 and text[0] != "0":
        return int(text)
    mark = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (1 << 52) | (int.from_bytes(mark, "big") >> 12)


def to_frame(readings: Iterable[Reading]) -> pd.DataFrame:
    """Readings as a table with the columns of `twin.kinds.FIELDS`, in order.

    Examples
    --------
    >>> frame = to_frame([Reading(sensor="b", id="1", time=2.0, kind="battery", value=9.0)])
    >>> frame[["sensor", "kind", "value"]].values.tolist()
    [['b', 'battery', 9.0]]
    """
    import pandas as pd

    rows = list(readings)
    return pd.DataFrame({name: pd.Series([getattr(row, name) for row in rows],
                                         dtype="float64" if FIELDS[name].type == "d" else "object")
                         for name in FIELDS})


def from_frame(frame: pd.DataFrame) -> list[Reading]:
    """The readings of a table; columns that it lacks say nothing."""
    columns = {name: frame[name].tolist() for name in FIELDS if name in frame.columns}
    return [Reading(**dict(zip(columns, row, strict=True)))
            for row in zip(*columns.values(), strict=True)]


assert {field.name for field in fields(Reading)} == set(FIELDS)
