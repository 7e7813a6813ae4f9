"""The ledger: one row an event, for real and simulated worlds alike.

Columns are typed arrays; a column that nobody uses takes no room. What happens to goods is said
in the words of the EPCIS Core Business Vocabulary where it has one. A correction is a new row.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: Event words and what they say.
EVENTS = {
    "ordering": "a buyer places an order",
    "receiving": "goods are taken in",
    "storing": "goods are put on a shelf",
    "picking": "goods are taken from a shelf for an order",
    "shipping": "goods are handed to a lane",
    "departing": "a shipment leaves",
    "arriving": "a shipment has come",
    "delivering": "the buyer has the goods",
    "commissioning": "a lot begins to exist",
    "consuming": "units of a lot go into something made",
    "transforming": "lots become another lot",
    "expiring": "goods are thrown away (the cause says why)",
    "scrapping": "units are lost in production",
    "starting": "an operation starts",
    "completing": "an operation ends",
    "setup": "a machine is set up",
    "failing": "something breaks down",
    "repairing": "something works again",
    "lost": "units ordered that will never come",
    "disturbing": "an event of a scenario starts",
    "calming": "an event of a scenario ends",
}

#: Column -> type: d number, q whole number, s text.
COLUMNS = {
    "time": "d", "recorded": "d", "event": "s", "role": "s", "site": "s", "to_site": "s",
    "product": "s", "lot": "q", "parent": "q", "quantity": "d", "amount": "d", "order": "q",
    "shipment": "q", "asset": "s", "cause": "s", "source": "s",
}
_CODES = {"d": "d", "q": "i", "s": "i"}


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

    def __init__(self, spill_to: Path | str | None = None, chunk: int = 1_000_000) -> None:
        self.spill_to = None if spill_to is None else Path(spill_to)
        self.chunk = chunk
        self.names: list[str] = [""]
        self.codes: dict[str, int] = {"": 0}
        self.columns = {name: array(_CODES[kind]) for name, kind in COLUMNS.items()}
        self.spilled: list[Path] = []
        self.base = 0
        self.hash = hashlib.sha256()
        self._rows()

    def _rows(self) -> None:
        self._time = self.columns["time"].append
        self._event = self.columns["event"].append
        self._site = self.columns["site"].append
        self._product = self.columns["product"].append
        self._quantity = self.columns["quantity"].append
        self.count = 0

    def __len__(self) -> int:
        return self.base + self.count

    def __getstate__(self) -> dict[str, Any]:
        """What travels from a worker: the resident rows; a running digest cannot."""
        if self.spilled:
            raise TypeError("A ledger that has spilled to files stays in its process. "
                            "Write it to one file and send that.")
        kept = ("spill_to", "chunk", "names", "codes", "columns", "count")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["spill_to"], state["chunk"])  # type: ignore[misc]
        self.names, self.codes, self.columns = state["names"], state["codes"], state["columns"]
        self._rows()
        self.count = state["count"]

    def code(self, name: str) -> int:
        """The number that stands for a text in this ledger."""
        found = self.codes.get(name)
        if found is None:
            found = self.codes[name] = len(self.names)
            self.names.append(name)
        return found

    def add(self, time: float, event: str, *, site: str = "", to_site: str = "",
            product: str = "", lot: int = 0, parent: int = 0, quantity: float = 0.0,
            amount: float = 0.0, order: int = 0, shipment: int = 0, asset: str = "",
            cause: str = "", role: str = "", source: str = "",
            recorded: float | None = None) -> int:
        """Write one event; returns its id."""
        codes = self.codes
        try:
            self._event(codes[event])
            self._site(codes[site])
            self._product(codes[product])
        except KeyError:
            self._learn(event, site, product)
        self._time(time)
        self._quantity(quantity)
        count = self.count
        if lot:
            self._optional("lot", count, lot)
        if order:
            self._optional("order", count, order)
        if shipment:
            self._optional("shipment", count, shipment)
        if to_site:
            self._optional("to_site", count, self.code(to_site))
        if asset:
            self._optional("asset", count, self.code(asset))
        if role:
            self._optional("role", count, self.code(role))
        if parent:
            self._optional("parent", count, parent)
        if amount:
            self._optional("amount", count, amount)
        if cause:
            self._optional("cause", count, self.code(cause))
        if source:
            self._optional("source", count, self.code(source))
        if recorded is not None and recorded != time:
            self._optional("recorded", count, recorded)
        self.count = count + 1
        if self.count >= self.chunk and self.spill_to is not None:
            self._spill()
        return self.base + self.count

    def _learn(self, event: str, site: str, product: str) -> None:
        """Write codes when one of the texts is new."""
        if event not in EVENTS:
            raise ValueError(f"event '{event}' is unknown. Use one of {', '.join(EVENTS)}.")
        for name, value in (("event", event), ("site", site), ("product", product)):
            column = self.columns[name]
            if len(column) == self.count:
                column.append(self.code(value))
            self.code(value)

    def _optional(self, name: str, count: int, value: float) -> None:
        column = self.columns[name]
        missing = count - len(column)
        if missing:
            column.frombytes(bytes(missing * column.itemsize))
        column.append(value)

    # -- reading ---------------------------------------------------------------------------------
    def _padded(self) -> dict[str, np.ndarray]:
        """The resident rows as arrays of one length."""
        arrays = {}
        for name, column in self.columns.items():
            values = np.frombuffer(column, dtype=column.typecode) if len(column) else \
                np.empty(0, dtype=column.typecode)
            whole = np.zeros(self.count, dtype=values.dtype)
            whole[:len(values)] = values
            arrays[name] = whole
        recorded = arrays["recorded"]
        arrays["recorded"] = np.where(recorded == 0.0, arrays["time"], recorded)
        return arrays

    @property
    def nbytes(self) -> int:
        """Bytes of the resident rows."""
        return sum(column.buffer_info()[1] * column.itemsize for column in self.columns.values())

    def frame(self) -> pd.DataFrame:
        """The resident rows as a table; texts as categories."""
        names = np.array(self.names, dtype=object)
        columns: dict[str, Any] = {"id": np.arange(self.base + 1, self.base + self.count + 1)}
        for name, values in self._padded().items():
            if COLUMNS[name] == "s":
                columns[name] = pd.Categorical.from_codes(values, categories=list(names))
            else:
                columns[name] = values
        return pd.DataFrame(columns)

    def digest(self) -> str:
        """A fingerprint of all rows; times count to the millisecond."""
        full = self.hash.copy()
        self._hash_into(full)
        return full.hexdigest()[:32]

    def _hash_into(self, target: Any) -> None:
        arrays = self._padded()
        marks = np.array([int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(),
                                         "little") for name in self.names], dtype=np.uint64)
        rows = np.empty((self.count, len(COLUMNS)), dtype=np.uint64)
        for place, (name, kind) in enumerate(COLUMNS.items()):
            values = arrays[name]
            if kind == "s":
                rows[:, place] = marks[values]
            elif name in ("time", "recorded"):
                rows[:, place] = np.round(values * 3.6e6).astype(np.int64).view(np.uint64)
            elif kind == "d":
                rows[:, place] = np.round(values * 1e6).astype(np.int64).view(np.uint64)
            else:
                rows[:, place] = values.astype(np.int64).view(np.uint64)
        target.update(rows.tobytes())

    # -- files -----------------------------------------------------------------------------------
    def _spill(self) -> None:
        assert self.spill_to is not None
        self.spill_to.mkdir(parents=True, exist_ok=True)
        path = self.spill_to / f"ledger-{len(self.spilled):05d}.parquet"
        _write(self.frame(), path)
        self._hash_into(self.hash)
        self.spilled.append(path)
        self.base += self.count
        for column in self.columns.values():
            del column[:]
        self._rows()

    def write(self, path: Path | str) -> None:
        """Write all rows, spilled ones included, as one Parquet file."""
        write_ledgers(path, {"": self})

    @classmethod
    def read(cls, path: Path | str) -> Ledger:
        """Read a ledger from a Parquet file of the same columns."""
        import duckdb

        with duckdb.connect() as base:
            table = base.execute("select * from read_parquet(?) order by id",
                                 [str(path)]).fetch_df()
        ledger = cls()
        for row in table.to_dict("records"):
            values = {name: row[name] for name in COLUMNS if name not in ("time", "event")}
            ledger.add(row["time"], row["event"], **values)
        return ledger


def _write(frame: pd.DataFrame, path: Path | str) -> None:
    import duckdb

    with duckdb.connect() as base:
        base.register("rows", _plain(frame))
        base.execute(f"copy rows to '{_quoted(path)}' (format parquet, compression zstd)")


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def _quoted(path: Path | str) -> str:
    return str(path).replace("'", "''")


def write_ledgers(path: Path | str, ledgers: Mapping[str, Ledger]) -> None:
    """Write several ledgers into one Parquet file, told apart by a column `scenario`."""
    import duckdb

    parts = []
    with duckdb.connect() as base:
        for place, (name, ledger) in enumerate(ledgers.items()):
            label = f"'{_quoted(name)}' as scenario, " if len(ledgers) > 1 or name else ""
            for chunk in ledger.spilled:
                parts.append(f"select {label}* from read_parquet('{_quoted(chunk)}')")
            frame = ledger.frame()
            for column in frame.columns:
                if isinstance(frame[column].dtype, pd.CategoricalDtype):
                    frame[column] = frame[column].cat.remove_unused_categories()
            base.register(f"rows{place}", frame)
            texts = ", ".join(f'"{c}"::varchar as "{c}"' if COLUMNS.get(c) == "s" else f'"{c}"'
                              for c in frame.columns)
            parts.append(f"select {label}{texts} from rows{place}")
        base.execute(f"copy ({' union all '.join(parts)}) to '{_quoted(path)}' "
                     "(format parquet, compression zstd)")
