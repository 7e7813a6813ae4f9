"""Observations of one cell: batches of them, and the bounded sample that an estimator keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from twin.calibrate.laws import Floats
from twin.calibrate.likelihood import CENSORED, EXACT, RENEWING, Ints

__all__ = ["CENSORED", "EXACT", "RENEWING", "Batch", "Sample", "marks"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations, one array a column.

    Attributes
    ----------
    id
        Tells observations apart: one that comes again replaces what was known of it before.
    at
        When it began; hours after the model's start.
    value
        What was seen: hours, units, or the upper half of a share or a ratio.
    state
        0 still going on (censored), 1 exact, 2 exact but under way when we began to look.
    entry, limit
        It could only be seen if it was longer than `entry` and shorter than `limit`.
    size
        Of what: units in a sum, the lower half of a share or a ratio.
    """

    id: Ints
    at: Floats
    value: Floats
    state: Ints
    entry: Floats
    limit: Floats
    size: Floats

    @classmethod
    def of(cls, id: ArrayLike, value: ArrayLike, *, at: ArrayLike = 0.0,
           state: ArrayLike = EXACT, entry: ArrayLike = 0.0, limit: ArrayLike = np.inf,
           size: ArrayLike = 1.0) -> Batch:
        """A batch from columns; a single number stands for every row.

        Examples
        --------
        >>> Batch.of([1, 2], [3.0, 4.0], state=[1, 0]).state.tolist()
        [1, 0]
        """
        names = np.atleast_1d(np.asarray(id, np.int64))

        def column(values: ArrayLike, kind: Any) -> Any:
            return np.array(np.broadcast_to(np.asarray(values, kind), names.shape))

        return cls(names, column(at, float), column(value, float), column(state, np.int64),
                   column(entry, float), column(limit, float), column(size, float))

    @classmethod
    def none(cls) -> Batch:
        """No observations."""
        return cls.of(np.zeros(0, np.int64), np.zeros(0))

    def __len__(self) -> int:
        return len(self.id)

    def of_rows(self, rows: Any) -> Batch:
        """Some of the rows, by mask or by place."""
        return Batch(*(getattr(self, each.name)[rows] for each in fields(self)))

    @classmethod
    def joined(cls, batches: Iterable[Batch]) -> Batch:
        """Several batches as one."""
        parts = list(batches)
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts])
                     for each in fields(cls))) if parts else cls.none()


def marks(names: Iterable[str]) -> Ints:
    """Numbers that stand for texts as ids.

    Examples
    --------
    >>> first, second, again = marks(["PO-1", "PO-2", "PO-1"])
    >>> bool(first == again), bool(first == second)
    (True, False)
    """
    return np.array([int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(),
                                    "little") >> 1 for name in names], np.int64)


def _lots(ids: Ints) -> Any:
    """A lot for each id, the same in every run: who has the smallest stays in a full sample."""
    mixed = ids.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


class Sample:
    """What is kept of all observations: at most `capacity`, whatever order they came in.

    An exact value replaces what was known while it went on; of two censored ones the longer stays.
    When there are too many, those with the smallest lots (a hash of the id) stay: a fair sample
    that depends neither on order nor on how batches were cut.

    Examples
    --------
    >>> sample = Sample()
    >>> sample.update(Batch.of([7], [3.0], state=0))
    >>> sample.update(Batch.of([7], [4.5]))
    >>> sample.rows.value.tolist(), sample.rows.state.tolist()
    ([4.5], [1])
    """

    def __init__(self, capacity: int = 5_000) -> None:
        self.capacity = capacity
        self.rows = Batch.none()
        self.seen = 0  #: observations that were ever given, those given twice counted twice

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        if not len(batch):
            return
        self.seen += len(batch)
        rows = Batch.joined([self.rows, batch])
        order = np.lexsort((rows.value, rows.state > 0, rows.id))
        ids = rows.id[order]
        last = np.append(ids[1:] != ids[:-1], True)
        kept = order[last]
        if len(kept) > self.capacity:
            lots = _lots(rows.id[kept])
            kept = np.sort(kept[np.argpartition(lots, self.capacity)[: self.capacity]])
            kept = kept[np.argsort(rows.id[kept], kind="stable")]
        self.rows = rows.of_rows(kept)

    def window(self, since: float, as_of: float) -> Batch:
        """What began in a window of time, hours."""
        rows = self.rows
        inside = (rows.at >= since) & (rows.at <= as_of)
        return rows if inside.all() else rows.of_rows(inside)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        columns = {each.name: getattr(self.rows, each.name).tolist() for each in fields(Batch)}
        columns["limit"] = [None if value == np.inf else value for value in columns["limit"]]
        return {"capacity": self.capacity, "seen": self.seen, **columns}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Sample:
        """The sample that `to_json` told of."""
        sample = cls(int(state["capacity"]))
        sample.seen = int(state["seen"])
        limit = [np.inf if value is None else value for value in state["limit"]]
        sample.rows = Batch.of(state["id"], state["value"], at=state["at"], state=state["state"],
                               entry=state["entry"], limit=limit, size=state["size"])
        return sample
