"""History: readings of event kinds as the ledger of the real world.

Rows stand in one canonical order (time, then the reading's own id, then who said it), so that the
order in which readings came makes no difference. A correction is a reading of its own, and a row of
its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from twin.kinds import FIELDS, KINDS
from twin.ledger import Ledger
from twin.readings import reference_number

if TYPE_CHECKING:
    import pandas as pd

_HOUR_S, _DAY_S = 3_600.0, 86_400.0
#: What machines say of themselves, where nobody tells starts and ends of operations.
MACHINE_SIGNALS = ("machine_state", "cycle", "reject")
#: What machines do in the words of the ledger.
_DEEDS = frozenset({"starting", "completing", "setup", "failing", "repairing"})
_REFERENCES = ("lot", "parent", "order", "shipment")
_EVENTS = tuple(word for word, kind in KINDS.items() if not kind.signal)
#: Kinds that history is made of; a count is kept for the reconciliation of shelves.
HEARD = (*_EVENTS, *MACHINE_SIGNALS, "count")


class Event(NamedTuple):
    """One row of history: the ledger's columns, and who said it how well. Times in hours."""

    time: float
    recorded: float
    event: str
    role: str = ""
    site: str = ""
    to_site: str = ""
    product: str = ""
    lot: int = 0
    parent: int = 0
    quantity: float = 0.0
    amount: float = 0.0
    order: int = 0
    shipment: int = 0
    asset: str = ""
    cause: str = ""
    source: str = ""
    sensor: str = ""
    quality: str = ""
    value: float = 0.0
    state: str = ""


def once(frame: pd.DataFrame) -> pd.DataFrame:
    """Each reading of a table once: of several of a sensor, id and day the one known first.

    Several that say different things are told apart by all their columns, as the store does.
    """
    key = ["sensor", "id", "_day"]
    rows = frame.assign(_day=frame["time"] // _DAY_S)
    again = rows.duplicated(key, keep=False)
    if again.any():
        import pandas as pd

        order = ["recorded", *(name for name in FIELDS if name in rows and name not in (
            "sensor", "id", "recorded"))]
        several = rows[again].sort_values(order, kind="stable")
        rows = pd.concat([rows[~again], several.drop_duplicates(key)])
    return rows.drop(columns="_day")


def canonical(frame: pd.DataFrame) -> pd.DataFrame:
    """Readings of the kinds that history is made of, each once, in canonical order."""
    rows = frame[frame["kind"].isin(HEARD)]
    if rows.empty:
        return rows
    number = rows["id"].str.len().where(rows["id"].str.fullmatch(r"[0-9]+"), 0)
    rows = once(rows.assign(_number=number))
    return rows.sort_values(["time", "_number", "id", "sensor"]).drop(columns="_number")


def events_of(frame: pd.DataFrame, start: datetime) -> list[Event]:
    """The rows of history that a table of readings holds, machine signals untranslated.

    Parameters
    ----------
    frame
        Readings, with the columns of `twin.kinds.FIELDS`.
    start
        The moment of hour 0.
    """
    rows = canonical(frame)
    if rows.empty:
        return []
    zero = start.timestamp()
    time = (rows["time"] - zero) / _HOUR_S
    recorded = ((rows["recorded"] - zero) / _HOUR_S).fillna(time)
    columns: dict[str, Any] = {"time": time.tolist(), "recorded": recorded.tolist(),
                               "event": rows["kind"].tolist()}
    for name in Event._fields[3:]:
        blank = 0.0 if FIELDS[name].type == "d" else ""
        values = rows[name].fillna(blank) if name in rows else None
        if values is None:
            columns[name] = [0 if name in _REFERENCES else blank] * len(rows)
        elif name in _REFERENCES:
            known = {text: reference_number(text) for text in values.unique()}
            columns[name] = [known[text] for text in values]
        else:
            columns[name] = values.tolist()
    return [Event(*row) for row in zip(*(columns[name] for name in Event._fields), strict=True)]


class Translator:
    """Turns what machines say of themselves into starts, ends, set-ups, failures and repairs.

    A machine that tells any such event itself is believed, and its signals are not translated.

    Examples
    --------
    >>> told = [("idle", 0.0), ("processing", 1.0), ("down", 3.0), ("processing", 4.0)]
    >>> signals = [Event(time, time, "machine_state", asset="M", state=state)
    ...            for state, time in told]
    >>> [(row.time, row.event) for row in Translator().events(signals)]
    [(1.0, 'starting'), (3.0, 'failing'), (4.0, 'repairing')]
    """

    def __init__(self, state: dict[str, dict[str, Any]] | None = None) -> None:
        self.machines: dict[str, dict[str, Any]] = state or {}

    def events(self, rows: Iterable[Event]) -> Iterator[Event]:
        """The same rows, signals of machines in the words of events."""
        for row in rows:
            if row.event in MACHINE_SIGNALS:
                yield from self._translate(row)
                continue
            if row.event in _DEEDS and row.asset and row.role != "truck":
                self._machine(row.asset)["tells"] = True
            yield row

    def _machine(self, asset: str) -> dict[str, Any]:
        return self.machines.setdefault(
            asset, {"tells": False, "cycles": False, "down": False, "at_work": False})

    def _translate(self, row: Event) -> Iterator[Event]:
        machine = self._machine(row.asset)
        if machine["tells"]:
            return
        if row.event == "reject":
            yield row._replace(event="scrapping")
        elif row.event == "cycle":
            machine["cycles"] = True
            if not machine["at_work"]:
                yield row._replace(event="starting", time=row.time - row.value)
            machine["at_work"] = False
            yield row._replace(event="completing")
        else:
            yield from self._changed(row, machine)

    @staticmethod
    def _changed(row: Event, machine: dict[str, Any]) -> Iterator[Event]:
        """A machine is in another state."""
        down, state = machine["down"], row.state
        if down and state != "down":
            machine["down"] = False
            yield row._replace(event="repairing", cause=row.cause or "breakdown")
        if state == "down" and not down:
            machine["down"] = True
            yield row._replace(event="failing", cause=row.cause or "breakdown")
        elif state == "setup":
            yield row._replace(event="setup")
        elif state == "processing" and not machine["at_work"]:
            machine["at_work"] = True
            yield row._replace(event="starting")
        elif state in ("idle", "blocked") and machine["at_work"] and not machine["cycles"]:
            machine["at_work"] = False
            yield row._replace(event="completing")


def ledger_of(frame: pd.DataFrame, start: datetime) -> Ledger:
    """The ledger of the real world that a table of readings tells.

    Parameters
    ----------
    frame
        Readings, with the columns of `twin.kinds.FIELDS`.
    start
        The moment of hour 0: `start` of the model.

    Examples
    --------
    >>> from datetime import UTC
    >>> from twin.readings import Reading, to_frame
    >>> told = Reading(sensor="wms", id="1", time=93600.0, recorded=97200.0, kind="storing",
    ...                site="W", product="tea", quantity=20.0, lot="L-7")
    >>> rows = ledger_of(to_frame([told, told]), datetime(1970, 1, 2, tzinfo=UTC)).frame()
    >>> rows[["time", "recorded", "event", "quantity"]].values.tolist()
    [[2.0, 3.0, 'storing', 20.0]]
    """
    ledger = Ledger()
    rows = list(Translator().events(events_of(frame, start)))
    for row in sorted(rows, key=lambda row: row.time):
        if row.event == "count":
            continue
        ledger.add(row.time, row.event, site=row.site, to_site=row.to_site, product=row.product,
                   lot=row.lot, parent=row.parent, quantity=row.quantity, amount=row.amount,
                   order=row.order, shipment=row.shipment, asset=row.asset, cause=row.cause,
                   role=row.role, source=row.source,
                   recorded=None if row.recorded == row.time else row.recorded)
    return ledger
