"""A witness: says as readings what a ledger holds, as scanners and systems would have said it.

A rehearsal publishes them, and a test folds them back into what the ledger's world was doing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twin.kinds import KINDS
from twin.ledger import Ledger
from twin.readings import Reading

if TYPE_CHECKING:
    import pandas as pd

_HOUR_S = 3600.0
_TEXTS = ("site", "to_site", "product", "asset", "cause", "role", "source")
_REFERENCES = ("lot", "parent", "order", "shipment")

Sensor = str | Callable[[dict[str, Any]], str]


def readings_of_ledger(ledger: Ledger, start: datetime, *, sensor: Sensor = "ledger",
                       after: int = 0) -> Iterator[Reading]:
    """One reading for each row of a ledger; what scenarios do is not sensed.

    Parameters
    ----------
    start
        The moment of hour 0: `start` of the model.
    sensor
        Who says so: a name, or a function from a row (its columns by name) to a name.
    after
        Only rows with a higher event id.

    Examples
    --------
    >>> from datetime import UTC
    >>> ledger = Ledger()
    >>> _ = ledger.add(2.0, "shipping", site="W1", product="tea", quantity=5.0, order=7)
    >>> told = list(readings_of_ledger(ledger, datetime(1970, 1, 2, tzinfo=UTC), sensor="wms"))
    >>> told[0].key, told[0].time, told[0].kind, told[0].quantity, told[0].order
    (('wms', '1'), 93600.0, 'shipping', 5.0, '7')
    """
    frame = ledger.frame()
    return readings_of_rows(frame[frame["id"] > after] if after else frame, start, sensor=sensor)


def readings_of_rows(rows: pd.DataFrame, start: datetime, *,
                     sensor: Sensor = "ledger") -> Iterator[Reading]:
    """One reading for each row of a table with the columns of a ledger and `id`."""
    zero = start.timestamp()
    names = list(rows.columns)
    for values in zip(*(rows[name].tolist() for name in names), strict=True):
        row = dict(zip(names, values, strict=True))
        kind = KINDS.get(row["event"])
        if kind is None:
            continue
        counts = "quantity" in kind.needs
        said: dict[str, Any] = {name: row[name] for name in _TEXTS}
        said |= {name: str(row[name]) if row[name] else "" for name in _REFERENCES}
        yield Reading(
            sensor=sensor if isinstance(sensor, str) else sensor(row), id=str(row["id"]),
            time=zero + row["time"] * _HOUR_S, recorded=zero + row["recorded"] * _HOUR_S,
            kind=kind.name,
            quantity=row["quantity"] if counts or row["quantity"] else math.nan,
            amount=row["amount"] or math.nan, **said)
