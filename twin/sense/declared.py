"""Which reading a named value is: by a row of the model's table ``sensors``, or by its own name.

Plants name values by a path. The last words of a path tell what it is: ``M3/temperature`` is the
temperature of asset M3, and ``T1/position/latitude`` one column of a position.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twin.kinds import FIELDS, KINDS

#: Kinds whose number is not in `value`.
_NUMBER_OF = {"count": "quantity", "reject": "quantity"}
_COLUMNS = set(FIELDS) - {"sensor", "id", "time", "recorded", "kind"}


class Declared(Protocol):
    """A row of the table ``sensors`` (`twin.network.components.Sensor`)."""

    @property
    def sensor(self) -> str:
        """Its name."""

    @property
    def site(self) -> str | None:
        """Where it is."""

    @property
    def asset(self) -> str | None:
        """What it watches."""

    @property
    def measure(self) -> str | None:
        """The kind of its readings."""

    @property
    def unit(self) -> str | None:
        """The unit of its readings."""

    @property
    def topic(self) -> str | None:
        """Where they arrive."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a named value says.

    Parameters
    ----------
    kind
        Of the reading.
    column
        Of the reading that the value goes to; blank: by its type (`column_of`).
    sensor
        Who says it; blank: whoever sent it.
    shared
        Other columns that are always the same, and the unit.
    """

    kind: str
    column: str
    sensor: str = ""
    shared: Mapping[str, str] = field(default_factory=dict)

    @property
    def group(self) -> tuple[str, str, str]:
        """Values of one group and time are one reading."""
        return self.sensor, self.kind, self.shared.get("asset", "")


class Dictionary:
    """The meaning of every named value of a plant.

    Parameters
    ----------
    sensors
        Rows of the table ``sensors``: `topic` is the name of the value, `measure` the kind of its
        readings, or ``kind/column``.

    Examples
    --------
    >>> words = Dictionary()
    >>> meaning = words.meaning("plant/press/M3/temperature")
    >>> meaning.kind, meaning.shared
    ('temperature', {'asset': 'M3'})
    >>> words.meaning("plant/press/M3/mood") is None
    True
    """

    def __init__(self, sensors: Iterable[Declared] = ()) -> None:
        self.rows = {row.topic: row for row in sensors if row.topic}

    def meaning(self, name: str) -> Meaning | None:
        """What a value of this name says; None if nothing that the twin knows."""
        row = self.rows.get(name)
        if row is not None:
            return self._by_row(row)
        parts = [part for part in name.split("/") if part]
        for back in (1, 2):
            if len(parts) >= back and parts[-back] in KINDS:
                kind = parts[-back]
                column = parts[-1] if back == 2 else ""
                if column and column not in _COLUMNS:
                    return None
                asset = parts[-back - 1] if len(parts) > back else ""
                return Meaning(kind, column, "", {"asset": asset} if asset else {})
        return None

    @staticmethod
    def _by_row(row: Declared) -> Meaning | None:
        kind, _, column = (row.measure or "").partition("/")
        if kind not in KINDS or (column and column not in _COLUMNS):
            return None
        shared = {name: value for name, value in (("site", row.site), ("asset", row.asset),
                                                  ("unit", row.unit)) if value}
        return Meaning(kind, column, row.sensor, shared)


def column_of(meaning: Meaning, value: Any) -> str:
    """The column that a value goes to: a text is a state, a number the value.

    Examples
    --------
    >>> column_of(Meaning("machine_state", ""), "idle"), column_of(Meaning("reject", ""), 3)
    ('state', 'quantity')
    """
    if meaning.column:
        return meaning.column
    if isinstance(value, str):
        return "state"
    return _NUMBER_OF.get(meaning.kind, "value")


def missing(message: Mapping[str, Any]) -> bool:
    """Whether a message lacks something that its kind needs.

    Examples
    --------
    >>> missing({"kind": "departing", "site": "W"}), missing({"kind": "arriving", "site": "W"})
    (True, False)
    """
    return any(not any(message.get(name, "") not in ("", None) for name in need.split("|"))
               for need in KINDS[message["kind"]].needs)
