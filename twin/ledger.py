"""The ledger: one row an event, for real and simulated worlds alike.

Columns are typed arrays; a column that nobody uses takes no room. What happens to goods is said
in the words of the EPCIS Core Business Vocabulary where it has one. A correction is a new row.
"""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.events import COLUMNS, EVENTS, WALK_IN
from twin.fingerprint import comparable, mark
from twin.parquet import check_events, quoted, read_table, write_table

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = [name for name, kind in COLUMNS.items() if kind == "s"]
#: Columns that every row fills; the others take room from the first row that uses them.
_ALWAYS = ("time", "event", "site", "product", "quantity")
_CODES = {name: {"d": "d", "q": "q", "s": "i"}[kind] for name, kind in COLUMNS.items()}
_EVENT = {word: code for code, word in enumerate(EVENTS, 1)}
_DELIVERING = _EVENT["delivering"]

__all__ = ["COLUMNS", "EVENTS", "Ledger", "write_ledgers"]

Rows = dict[str, np.ndarray[Any, Any]]


class Ledger:
    """Rows in order of their writing; the event id is the row number, from 1.

    Parameters
    ----------
    spill_to
        Folder where full chunks are written as Parquet, so that a long run stays small in memory.
    chunk
        Rows a chunk.

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.add(2.0, "shipping", site="W1", product="tea", quantity=5.0, order=7)
    1
    >>> ledger.frame()[["time", "event", "site", "quantity", "order"]].values.tolist()
    [[2.0, 'shipping', 'W1', 5.0, 7]]
    """

    _time: array[float]
    _recorded: array[float]
    _event: array[int]
    _role: array[int]
    _site: array[int]
    _to_site: array[int]
    _product: array[int]
    _lot: array[int]
    _parent: array[int]
    _quantity: array[float]
    _amount: array[float]
    _order: array[int]
    _shipment: array[int]
    _asset: array[int]
    _cause: array[int]
    _source: array[int]

    def __init__(self, spill_to: Path | str | None = None, chunk: int = 1_000_000) -> None:
        if chunk < 1:
            raise ValueError(f"chunk {chunk} holds no rows. Give the rows of a chunk.")
        self.spill_to = None if spill_to is None else Path(spill_to)
        self.chunk = chunk
        self.spilled: list[Path] = []
        self.base = 0  #: rows that were spilled
        self._names = ["", *EVENTS]  # code -> text
        self._word = {"": 0, **_EVENT}  # text -> code
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        for name, code in _CODES.items():
            setattr(self, f"_{name}", array(code))

    def __len__(self) -> int:
        return self.base + self._count

    def add(self, time: float, event: str, *, site: str = "", to_site: str = "",
            product: str = "", lot: int = 0, parent: int = 0, quantity: float = 0.0,
            amount: float = 0.0, order: int = 0, shipment: int = 0, asset: str = "",
            cause: str = "", role: str = "", source: str = "",
            recorded: float | None = None) -> int:
        """Write one event; returns its id.

        Parameters
        ----------
        time, recorded
            When it happened and, if that was later, when it was known; hours.
        event
            A word of `EVENTS`.

        Raises
        ------
        ValueError
            If the event word is unknown.

        Examples
        --------
        >>> Ledger().add(1.0, "selling")
        Traceback (most recent call last):
        ...
        ValueError: event 'selling' is unknown. Use one of ordering, receiving, storing, ...
        """
        row, word = self._count, self._word
        try:
            self._event[row] = _EVENT[event]
            self._time[row] = time
            self._site[row] = word[site]
            self._product[row] = word[product]
            self._quantity[row] = quantity
            if lot:
                self._lot[row] = lot
            if order:
                self._order[row] = order
            if shipment:
                self._shipment[row] = shipment
            if to_site:
                self._to_site[row] = word[to_site]
            if asset:
                self._asset[row] = word[asset]
            if role:
                self._role[row] = word[role]
            if cause:
                self._cause[row] = word[cause]
            if parent:
                self._parent[row] = parent
            if amount:
                self._amount[row] = amount
            if source:
                self._source[row] = word[source]
            if recorded is not None:
                self._recorded[row] = recorded
        except LookupError:  # a new text, the first use of a column, or no room left
            values = {"time": time, "event": event, "site": site, "to_site": to_site,
                      "product": product, "lot": lot, "parent": parent, "quantity": quantity,
                      "amount": amount, "order": order, "shipment": shipment, "asset": asset,
                      "cause": cause, "role": role, "source": source, "recorded": recorded}
            self._prepare(values)
            return self.add(**values)  # type: ignore[arg-type]
        except BaseException:
            self._blank(row)
            raise
        self._count = row = row + 1
        if row == self.chunk and self.spill_to is not None:
            self._spill()
            return self.base
        return self.base + row

    def sell(self, time: float, site: str, product: str, quantity: float, order: int,
             lot: int) -> None:
        """Write a walk-in customer's row: what `add` would write, for the most frequent event."""
        row, word = self._count, self._word
        try:
            self._event[row] = _DELIVERING
            self._time[row] = time
            self._site[row] = word[site]
            self._product[row] = word[product]
            self._quantity[row] = quantity
            self._lot[row] = lot
            self._order[row] = order
            self._role[row] = word[WALK_IN]
        except LookupError:
            self.add(time, "delivering", site=site, product=product, quantity=quantity,
                     order=order, lot=lot, role=WALK_IN)
            return
        self._count = row = row + 1
        if row == self.chunk and self.spill_to is not None:
            self._spill()

    def _prepare(self, values: Mapping[str, Any]) -> None:
        """Learn the texts of a row and make room for it."""
        if values["event"] not in _EVENT:
            raise ValueError(
                f"event '{values['event']}' is unknown. Use one of {', '.join(EVENTS)}."
            )
        for name in _TEXTS:
            if not isinstance(values[name], str):
                self._blank(self._count)
                raise TypeError(f"{values['event']}: {name} {values[name]!r} is not a text.")
            self._code(values[name])
        room = len(self._time)
        if self._count >= room:
            room = max(256, self._count * 5 // 4)
            if self.spill_to is not None:
                room = min(room, self.chunk)
        for name in COLUMNS:
            column = getattr(self, f"_{name}")
            said = values[name] is not None if name == "recorded" else values[name]
            if len(column) < room and (said or name in _ALWAYS or column):
                column.extend(_blanks(name, room - len(column)))

    def _code(self, text: str) -> int:
        """The number that stands for a text in this ledger."""
        code = self._word.get(text)
        if code is None:
            code = self._word[text] = len(self._names)
            self._names.append(text)
        return code

    def _blank(self, row: int) -> None:
        """Wipe a row that was not written to its end."""
        for name in COLUMNS:
            column = getattr(self, f"_{name}")
            if row < len(column):
                column[row : row + 1] = _blanks(name, 1)

    # -- reading ---------------------------------------------------------------------------------
    @property
    def nbytes(self) -> int:
        """Bytes of memory that the rows take."""
        return sum(sys.getsizeof(getattr(self, f"_{name}")) for name in COLUMNS)

    def frame(self) -> pd.DataFrame:
        """All rows as a table, texts as categories; spilled rows are read back.

        Examples
        --------
        >>> ledger = Ledger()
        >>> _ = ledger.add(1.5, "storing", site="W1", product="tea", lot=3, quantity=20.0)
        >>> ledger.frame()[["id", "time", "event", "site", "lot", "quantity"]]
           id  time    event site  lot  quantity
        0   1   1.5  storing   W1    3      20.0
        """
        parts = list(self._parts())
        return self._frame({name: np.concatenate([rows[name] for rows in parts])
                            for name in COLUMNS}, 1)

    def tail(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """The rows in memory after an event id, in order, without what is blank.

        Examples
        --------
        >>> ledger = Ledger()
        >>> for hours in (1.0, 2.0):
        ...     _ = ledger.add(hours, "failing", asset="M1")
        >>> list(ledger.tail(1))
        [{'id': 2, 'time': 2.0, 'event': 'failing', 'asset': 'M1'}]
        """
        columns = [(name, getattr(self, f"_{name}")) for name in COLUMNS]
        for row in range(max(0, after - self.base), self._count):
            said: dict[str, Any] = {"id": self.base + row + 1, "time": self._time[row]}
            for name, column in columns[1:]:
                value = column[row] if row < len(column) else 0
                if value and value == value:
                    said[name] = self._names[value] if COLUMNS[name] == "s" else value
            yield said

    def digest(self) -> str:
        """A fingerprint of all rows.

        Times count to the millisecond and other numbers to the sixth decimal. Neither the order in
        which texts were met nor spilling makes a difference.
        """
        marks = np.array([mark(text) for text in self._names], dtype=np.uint64)
        hashes: dict[str, Any] = {}
        seen = 0
        for rows in self._parts():
            for name, values in comparable(rows, marks):
                if name not in hashes:
                    if not values.any():
                        continue  # a column that nobody used does not count, whatever its room
                    hashes[name] = hashlib.blake2b(bytes(seen * 8))
                hashes[name].update(values.tobytes())
            seen += len(rows["time"])
        whole = hashlib.blake2b(str(seen).encode(), digest_size=16)
        for name in COLUMNS:
            if name in hashes:
                whole.update(name.encode() + hashes[name].digest())
        return whole.hexdigest()

    def _parts(self) -> Iterator[Rows]:
        """The rows in order, chunk by chunk, texts as codes."""
        for path in self.spilled:
            yield self._load(path)
        yield self._resident()

    def _resident(self) -> Rows:
        """Copies of the columns in memory, each of full length."""
        rows: Rows = {}
        for name, code in _CODES.items():
            column = getattr(self, f"_{name}")
            rows[name] = (np.frombuffer(column, dtype=code, count=self._count).copy()
                          if column else np.zeros(self._count, dtype=code))
        if self._recorded:
            rows["recorded"] = np.where(np.isnan(rows["recorded"]), rows["time"], rows["recorded"])
        else:
            rows["recorded"] = rows["time"].copy()
        return rows

    def _frame(self, rows: Rows, first: int) -> pd.DataFrame:
        import pandas as pd  # a second to import, which a run without a ledger saves

        names = np.array(self._names, dtype=object)
        columns: dict[str, Any] = {"id": np.arange(first, first + len(rows["time"]))}
        for name, values in rows.items():
            if COLUMNS[name] == "s":
                used = np.flatnonzero(np.bincount(values, minlength=len(names)))
                used = used[np.argsort(names[used])]
                place = np.zeros(len(names), dtype=np.int32)
                place[used] = np.arange(len(used))
                columns[name] = pd.Categorical.from_codes(
                    place[values], categories=names[used].tolist())
            else:
                columns[name] = values
        return pd.DataFrame(columns)

    # -- files -----------------------------------------------------------------------------------
    def write(self, path: Path | str) -> None:
        """Write all rows, spilled ones included, as one Parquet file."""
        write_ledgers(path, {"": self})

    @classmethod
    def read(cls, path: Path | str, scenario: str | None = None) -> Ledger:
        """Read a ledger from a Parquet file of the same columns; those left out are blank.

        Parameters
        ----------
        scenario
            Which one of a file of several.

        Raises
        ------
        ValueError
            If the file cannot be read, or holds what a ledger does not.
        """
        ledger = cls()
        rows = ledger._load(path, scenario)
        for name, values in rows.items():
            said = values != rows["time"] if name == "recorded" else values
            if name in _ALWAYS or said.any():
                setattr(ledger, f"_{name}", array(_CODES[name], values.tobytes()))
        ledger._count = len(rows["time"])
        return ledger

    def _spill(self) -> None:
        """Write the rows in memory to a file and forget them."""
        assert self.spill_to is not None
        self.spill_to.mkdir(parents=True, exist_ok=True)
        path = self.spill_to / f"ledger-{len(self.spilled):05d}.parquet"
        if path.exists():
            raise ValueError(f"{path} holds rows of another ledger. Give each a folder of its own.")
        rows = self._frame(self._resident(), self.base + 1)
        write_table(path, {"rows": rows}, "select * from rows")
        self.spilled.append(path)
        self.base += self._count
        self._clear()

    def _load(self, path: Path | str, scenario: str | None = None) -> Rows:
        """The rows of a file, texts as codes of this ledger."""
        frame = read_table(path, COLUMNS, needed=("time", "event"), scenario=scenario)
        check_events(path, frame)
        rows: Rows = {}
        for name, code in _CODES.items():
            if COLUMNS[name] == "s":
                texts = frame[name].cat
                codes = np.array([self._code(text) for text in texts.categories], dtype=code)
                rows[name] = codes[texts.codes.to_numpy()] if len(codes) else np.zeros(0, code)
            else:
                blank = frame["time"] if name == "recorded" else 0
                rows[name] = frame[name].fillna(blank).to_numpy(dtype=code)
        return rows


def write_ledgers(path: Path | str, ledgers: Mapping[str, Ledger]) -> None:
    """Write several ledgers into one Parquet file, told apart by a column `scenario`."""
    several = len(ledgers) > 1 or any(ledgers)
    frames: dict[str, pd.DataFrame] = {}
    parts: list[str] = []
    for place, (name, ledger) in enumerate(ledgers.items()):
        label = f"{quoted(name)} as scenario, " if several else ""
        frames[f"rows{place}"] = ledger._frame(ledger._resident(), ledger.base + 1)
        parts += [f"select {label}* from read_parquet({quoted(part)})" for part in ledger.spilled]
        parts.append(f"select {label}* from rows{place}")
    write_table(path, frames, " union all ".join(parts))


def _blanks(name: str, count: int) -> array[Any]:
    """What stands in a column where nothing was written: zeros; for `recorded`, no number."""
    if name == "recorded":
        return array("d", [math.nan]) * count
    return array(_CODES[name], bytes(count * array(_CODES[name]).itemsize))
