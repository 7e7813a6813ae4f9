"""Faults planted between an instrument and who listens: what real streams do wrong.

Each is a small sibling: it takes the messages of one step, in order, and gives those that really
go out. A message is (topic's sensor, mapping) or raw bytes for what is no message at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from twin.clock import format_duration, parse_duration
from twin.readings import format_instant

_HOUR_S = 3600.0
Message = dict[str, Any]
Outgoing = tuple[str, Message | bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault.

    Attributes
    ----------
    type
        A name of `FAULTS`.
    sensors
        A name or shell pattern.
    start, duration
        Hours after listening begins; a fault without duration lasts.
    amount
        Its size, in the unit that the type says.
    """

    type: str
    sensors: str = "*"
    start: float = 0.0
    duration: float = math.inf
    amount: float = math.nan

    @classmethod
    def planted(cls, type: str, sensors: str, random: np.random.Generator) -> Fault:
        """One of a type, at a random time of the first two weeks, of its usual size and length."""
        law = FAULTS[type]
        start = float(round(random.uniform(24.0, 240.0), 1))
        return cls(type, "*" if law.everywhere else sensors, start, law.hours, law.amount)

    def document(self) -> dict[str, Any]:
        """The fault as a planner would write it."""
        row: dict[str, Any] = {"type": self.type, "sensors": self.sensors,
                               "start": format_duration(self.start)}
        if self.duration < math.inf:
            row["duration"] = format_duration(self.duration)
        if self.amount == self.amount:
            row["amount"] = self.amount
        return row

    def holds(self, sensor: str, hours: float) -> bool:
        """Whether it touches a sensor at a time."""
        return self.start <= hours < self.start + self.duration \
            and fnmatchcase(sensor, self.sensors)


@dataclass(frozen=True, slots=True)
class Law:
    """How a type of fault works.

    Attributes
    ----------
    act
        (messages of one sensor, hours since the fault began, amount, memory, luck) -> what goes
        out. The memory is the fault's own and lasts.
    meaning, unit
        What it does, and what its amount is.
    """

    act: Callable[[list[Message], float, float, dict[str, Any], np.random.Generator],
                  list[Message | bytes]]
    meaning: str
    unit: str
    amount: float
    hours: float = 48.0
    everywhere: bool = False
    of_values: bool = False


def _dropout(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
             luck: np.random.Generator) -> list[Message | bytes]:
    return [row for row in rows if luck.random() >= amount]


def _drift(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
           luck: np.random.Generator) -> list[Message | bytes]:
    return [_moved(row, amount * age / 24.0) for row in rows]


def _frozen(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
            luck: np.random.Generator) -> list[Message | bytes]:
    out: list[Message | bytes] = []
    for row in rows:
        if "value" in row:
            out.append({**row, "value": memory.setdefault(row["kind"], row["value"])})
        else:
            out.append(row)
    return out


def _spikes(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
            luck: np.random.Generator) -> list[Message | bytes]:
    return [_moved(row, amount * (1 if luck.random() < 0.5 else -1))
            if luck.random() < 0.02 else row for row in rows]


def _doubled(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
             luck: np.random.Generator) -> list[Message | bytes]:
    return [copy for row in rows for copy in [row] * (1 + (luck.random() < amount))]


def _shuffled(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
              luck: np.random.Generator) -> list[Message | bytes]:
    held: list[Message] = memory.setdefault("held", [])
    now = [row for row in rows if luck.random() >= amount]
    late = [row for row in rows if row not in now]
    out: list[Message | bytes] = [*now, *reversed(held)]
    held[:] = late
    return out


def _skewed(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
            luck: np.random.Generator) -> list[Message | bytes]:
    return [{**row, "ts": row["ts"] + 1000.0 * amount * _HOUR_S} for row in rows]


def _fahrenheit(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
                luck: np.random.Generator) -> list[Message | bytes]:
    """The right value in a unit that the message names: a listener has to convert."""
    return [{**row, "value": row["value"] * 9 / 5 + 32, "unit": "F"}
            if row["kind"] == "temperature" else row for row in rows]


def _unit(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
          luck: np.random.Generator) -> list[Message | bytes]:
    return [{**row, "unit": "furlong"} if "value" in row else row for row in rows]


def _garbage(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
             luck: np.random.Generator) -> list[Message | bytes]:
    return _along(rows, amount, luck, lambda row: luck.bytes(40))


def _huge(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
          luck: np.random.Generator) -> list[Message | bytes]:
    return _along(rows, amount, luck, lambda row: b'{"sensor":"' + b"x" * 300_000 + b'"}')


def _stranger(rows: list[Message], age: float, amount: float, memory: dict[str, Any],
              luck: np.random.Generator) -> list[Message | bytes]:
    return _along(rows, amount, luck,
                  lambda row: {**row, "sensor": "impostor", "id": f"{row['id']}x"})


def _along(rows: list[Message], share: float, luck: np.random.Generator,
           extra: Callable[[Message], Message | bytes]) -> list[Message | bytes]:
    """The messages, and after a share of them something else."""
    out: list[Message | bytes] = []
    for row in rows:
        out.append(row)
        if luck.random() < share:
            out.append(extra(row))
    return out


def _moved(row: Message, by: float) -> Message:
    return {**row, "value": row["value"] + by} if "value" in row else row


#: Every type of fault by its name.
FAULTS: dict[str, Law] = {
    "dropout": Law(_dropout, "readings are lost", "share", 1.0, 24.0),
    "drift": Law(_drift, "values wander off", "units of the value a day", 0.5, 240.0,
                 of_values=True),
    "frozen": Law(_frozen, "the value no longer changes", "", math.nan, of_values=True),
    "spikes": Law(_spikes, "one value in fifty jumps", "units of the value", 40.0,
                  of_values=True),
    "doubled": Law(_doubled, "readings are sent twice", "share", 0.2, everywhere=True),
    "shuffled": Law(_shuffled, "readings are held back and sent after later ones", "share", 0.2,
                    everywhere=True),
    "skewed": Law(_skewed, "the clock of the sensor is off", "h", 3.0),
    "fahrenheit": Law(_fahrenheit, "temperatures are sent in Fahrenheit, and say so", "",
                      math.nan, of_values=True),
    "unit": Law(_unit, "the unit is none that anybody knows", "", math.nan, 6.0),
    "garbage": Law(_garbage, "bytes that are no message come along", "share", 0.05,
                   everywhere=True),
    "huge": Law(_huge, "messages of 300 kB come along", "share", 0.002, everywhere=True),
    "stranger": Law(_stranger, "somebody sends in another's place", "share", 0.05),
}


@dataclass(slots=True)
class Transmission:
    """Every fault of a rehearsal, applied one after the other.

    Examples
    --------
    >>> line = Transmission([Fault("doubled", "t*", amount=1.0)], seed=1)
    >>> [row["value"] for _, row in line.send([{"sensor": "t1", "id": "1", "ts": 0.0,
    ...                                         "kind": "battery", "value": 9.0}], 5.0)]
    [9.0, 9.0]
    """

    faults: Sequence[Fault]
    seed: int
    _luck: list[np.random.Generator] = field(init=False)
    _memory: list[dict[str, dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        self._luck = [np.random.default_rng([self.seed, 0x5E4D, n])
                      for n in range(len(self.faults))]
        self._memory = [{} for _ in self.faults]

    def send(self, messages: Iterable[Message], hours: float) -> list[Outgoing]:
        """What really goes out of what instruments sent until `hours` after listening began."""
        rows = list(messages)
        touched: dict[str, list[int]] = {}
        sent: list[tuple[int, Outgoing]] = []
        for place, row in enumerate(rows):
            if any(fault.holds(row["sensor"], hours) for fault in self.faults):
                touched.setdefault(row["sensor"], []).append(place)
            else:
                sent.append((place, (row["sensor"], row)))
        for sensor, places in touched.items():
            out = self._touch(sensor, [rows[place] for place in places], hours)
            sent += [(places[min(number, len(places) - 1)], (sensor, row))
                     for number, row in enumerate(out)]
        return [row for _, row in sorted(sent, key=lambda entry: entry[0])]

    def _touch(self, sensor: str, rows: list[Message], hours: float) -> list[Message | bytes]:
        """What becomes of the messages of one sensor."""
        out: list[Message | bytes] = list(rows)
        for number, fault in enumerate(self.faults):
            if fault.holds(sensor, hours):
                law = FAULTS[fault.type]
                amount = law.amount if fault.amount != fault.amount else fault.amount
                raw = [row for row in out if isinstance(row, bytes)]
                out = [*law.act([row for row in out if isinstance(row, dict)],
                                hours - fault.start, amount,
                                self._memory[number].setdefault(sensor, {}), self._luck[number]),
                       *raw]
        return out


def read_faults(rows: object, where: str) -> tuple[tuple[Fault, ...], list[str]]:
    """Faults as written in a truth, and what is wrong with them.

    Examples
    --------
    >>> read_faults([{"type": "dropout", "sensors": "t*", "start": "2d"}], "truth.yaml")[0][0].start
    48.0
    >>> read_faults([{"type": "dropuot"}], "truth.yaml")[1]
    ["truth.yaml faults 1: type 'dropuot' is unknown. There are dropout, drift, frozen, ...
    """
    if not isinstance(rows, list):
        return (), [f"{where}: faults is not a list. Write one entry a fault."]
    faults, problems = [], []
    for number, row in enumerate(rows, start=1):
        place = f"{where} faults {number}"
        if not isinstance(row, dict) or row.get("type") not in FAULTS:
            kind = row.get("type") if isinstance(row, dict) else row
            problems.append(f"{place}: type '{kind}' is unknown. There are {', '.join(FAULTS)}.")
            continue
        strange = [key for key in row if key not in ("type", "sensors", "start", "duration",
                                                      "amount")]
        if strange:
            problems.append(f"{place}: '{strange[0]}' is unknown. There are type, sensors, start, "
                            "duration, amount.")
            continue
        try:
            faults.append(Fault(
                row["type"], str(row.get("sensors", "*")), _hours(row.get("start", "0h")),
                _hours(row["duration"]) if "duration" in row else math.inf,
                float(row.get("amount", math.nan))))
        except (TypeError, ValueError) as error:
            problems.append(f"{place}: {error}")
    return tuple(faults), problems


def _hours(value: object) -> float:
    return parse_duration(str(value))


def encoded(row: Message | bytes) -> bytes:
    """A message as bytes on the wire."""
    import json

    if isinstance(row, bytes):
        return row
    said = {**row, "ts": format_instant(row["ts"] / 1000.0)}
    return json.dumps(said, separators=(",", ":")).encode()
