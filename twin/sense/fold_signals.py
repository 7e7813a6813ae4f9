"""Signals, folded: the last of each measured value, and when temperatures left their range.

Signals are many and say little each. So they are not taken one by one: a query tells the last value
of each series of a span, and the moments at which a temperature went out of its range or came back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.kinds import KINDS
from twin.network import Network
from twin.parquet import connected, quoted
from twin.sense.history import once

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: Kinds of signal that are kept by their last value; the rest are events, or taken one by one.
LAST = tuple(name for name, kind in KINDS.items() if kind.signal and name not in (
    "count", "cycle", "reject", "driving"))
#: What tells series apart, as it stands in readings.
_RAW = ("kind", "asset", "shipment", "lot", "product", "site", "area", "state")
_KEPT = {"time": "time", "sensor": "sensor", "value": "value", "latitude": "latitude",
         "longitude": "longitude", "quality": "quality", "spot": "site", "corner": "area",
         "word": "state"}

Limits = tuple[float | None, float | None]
Summary = list[tuple[Any, ...]]


class Signals:
    """The last value of each series, and excursions of temperatures.

    Attributes
    ----------
    last
        Series (kind, asset, shipment, lot, site, area, name, as a JSON list) to its last reading.
    excursions
        Temperature series to the spans, hours from the start, in which it was out of its range;
        None where it still is.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.zero = network.start.timestamp()
        self.last: dict[str, dict[str, Any]] = {}
        self.excursions: dict[str, list[list[float | None]]] = {}
        self.readings = 0
        self._ranges: dict[str, Limits] = {}

    def take_frame(self, frame: pd.DataFrame, until: float) -> None:
        """Take the signals of a table of readings before a moment, seconds since 1970."""
        rows = once(frame).sort_values(["time", "sensor", "id"])
        with connected() as base:
            base.register("told", rows.assign(place=range(len(rows))))
            before = f"(select * from told where time < {until!r})"
            self.take(base, before, summary_of(base, before))

    def take(self, base: duckdb.DuckDBPyConnection, source: str, found: Summary) -> None:
        """Take the signals of a source of readings.

        Parameters
        ----------
        source
            SQL for readings in canonical order, which a column `place` numbers.
        found
            Its summary.
        """
        counts: dict[str, int] = {}
        latest: dict[str, int] = {}
        fence = []
        for *names, count, place, lowest, highest in found:
            key = _series(*names)
            counts[key] = counts.get(key, 0) + count
            latest[key] = max(latest.get(key, -1), place)
            if names[0] == "temperature":
                low, high = self._limits(key)
                if self._under_way(key) or _beyond(lowest, low, high) or \
                        _beyond(highest, low, high):
                    fence.append((key, low, high, names))
        kept = ", ".join(f"{column} as {name}" for name, column in _KEPT.items())
        rows = {place: dict(zip(_KEPT, values, strict=True)) for place, *values in base.execute(
            f"select place, {kept} from {source} where place in (select unnest(?::bigint[]))",
            [list(latest.values())]).fetchall()} if latest else {}
        for key, place in latest.items():
            self._note(key, counts[key], rows[place])
        if fence:
            others = [names for *names, _, _, _, _ in found if names[0] == "temperature"]
            self._excursions(base, source, fence, others)

    def _note(self, key: str, count: int, reading: dict[str, Any]) -> None:
        self.readings += count
        known = self.last.setdefault(key, {"n": 0})
        known["n"] += count
        known |= {name: value for name, value in reading.items()
                  if value == value and value is not None}

    def _excursions(self, base: duckdb.DuckDBPyConnection, source: str,
                    fence: list[tuple[str, float | None, float | None, list[str]]],
                    temperatures: list[list[str]]) -> None:
        """Note when temperatures left their range and came back, of series that may have."""
        keys = list(dict.fromkeys(key for key, *_ in fence))
        number_of = {key: number for number, key in enumerate(keys)}
        told = base.execute(_fenced(source, [(number_of[key], raw) for key, *_, raw in fence],
                                    temperatures)).fetchnumpy()
        order = np.argsort(told["place"], kind="stable")  # nearly in order already
        which, time, value = (np.asarray(told[name])[order]
                              for name in ("series", "time", "value"))
        ranges = {key: (low, high) for key, low, high, _ in fence}
        for number, key in enumerate(keys):
            mine = np.flatnonzero(which == number)
            low, high = ranges[key]
            out = np.zeros(len(mine), dtype=bool)
            if low is not None:
                out |= value[mine] < low
            if high is not None:
                out |= ~(value[mine] <= high)
            turns = np.flatnonzero(np.diff(out, prepend=not out[0])) if len(out) else mine
            hours = (time[mine[turns]] - self.zero) / 3600.0
            self._turn(key, list(zip(hours.tolist(), out[turns].tolist(), strict=True)))

    def _turn(self, key: str, turns: list[tuple[float, bool]]) -> None:
        for hours, out in turns:
            if out and not self._under_way(key):
                self.excursions.setdefault(key, []).append([hours, None])
            elif not out and self._under_way(key):
                self.excursions[key][-1][1] = hours

    def _under_way(self, key: str) -> bool:
        spans = self.excursions.get(key)
        return bool(spans) and spans[-1][1] is None  # type: ignore[index]

    def _limits(self, key: str) -> Limits:
        """The range of a series of temperatures."""
        if key not in self._ranges:
            _, asset, shipment, lot, site, area, _ = json.loads(key)
            self._ranges[key] = self.limits(site or asset, area, shipment, lot)
        return self._ranges[key]

    def limits(self, place: str, area: str, shipment: str, lot: str) -> Limits:
        """The range in which a temperature should lie: of the storage area, or of what is cold.

        A sensor in a truck, shipment or lot has the narrowest range of all products that have one.
        """
        for row in self.network.storage.values():
            names = (f"{row.site}:{row.area}", f"{row.site}/{row.area}")
            if place in names or (place == row.site and area == row.area):
                return row.min_c, row.max_c
        if area or (place in self.network.sites and not (shipment or lot)):
            rows = [row for row in self.network.storage.values() if row.site == place
                    and (row.min_c is not None or row.max_c is not None)]
            return (rows[0].min_c, rows[0].max_c) if len(rows) == 1 else (None, None)
        lows = [row.min_c for row in self.network.products.values() if row.min_c is not None]
        highs = [row.max_c for row in self.network.products.values() if row.max_c is not None]
        cold = any(row.truck == place.split("#")[0] and row.refrigerated
                   for row in self.network.trucks.values()) or shipment or lot
        if not cold:
            return None, None
        return max(lows, default=None), min(highs, default=None)

    def hours_out(self, series: str, since: float, until: float) -> float:
        """Hours within a span in which a temperature was out of its range."""
        return sum(max(0.0, min(until, until if end is None else end) - max(since, begin or 0.0))
                   for begin, end in self.excursions.get(series, ()))

    def state(self) -> dict[str, Any]:
        """Everything folded, as plain values."""
        return {"last": self.last, "excursions": self.excursions, "readings": self.readings}

    @classmethod
    def resumed(cls, network: Network, state: dict[str, Any]) -> Signals:
        """Signals that go on from a state."""
        signals = cls(network)
        signals.last, signals.excursions = state["last"], state["excursions"]
        signals.readings = state["readings"]
        return signals


def summary_of(base: duckdb.DuckDBPyConnection, source: str) -> Summary:
    """Of each series of signals its names, count, last place, lowest and highest value."""
    raw = ", ".join(_RAW)
    return base.execute(
        f"select {raw}, count(*), max(place), min(value), max(value) from {source} "
        f"where kind in ({', '.join(map(quoted, LAST))}) group by all order by all").fetchall()


def _fenced(source: str, series: list[tuple[int, list[str]]], among: list[list[str]]) -> str:
    """The query for the temperatures of some series among all that the source has.

    A name that all temperatures share tells nothing, and is not even read; one that all of the
    series share is filtered, the rest are joined.
    """
    telling = [k for k, column in enumerate(zip(*among, strict=True)) if len(set(column)) > 1]
    first = series[0][1]
    differ = [k for k in telling if any(names[k] != first[k] for _, names in series)]
    same = [f"{_RAW[k]} = {quoted(first[k])}" for k in telling if k not in differ]
    where = f"where {' and '.join([*same, 'kind = ' + quoted('temperature')])}"
    if not differ:
        return f"select 0 as series, time, value, place from {source} {where}"
    rows = ", ".join(f"({number}, {', '.join(quoted(names[k]) for k in differ)})"
                     for number, names in series)
    listed = ", ".join(_RAW[k] for k in differ)
    return (f"select series, time, value, place from {source} join (values {rows}) "
            f"fence(series, {listed}) using ({listed}) {where}")


def _series(kind: str, asset: str, shipment: str, lot: str, product: str, site: str, area: str,
            state: str) -> str:
    """The series of a reading: what moves is told apart from places by its own name alone."""
    what = lot or (product if kind == "sighting" else "")
    moves = bool(asset or shipment or what)
    return json.dumps([kind, asset, shipment, what, "" if moves else site, "" if moves else area,
                       state if kind == "health" else ""])


def _beyond(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value < low) or (high is not None and not value <= high)
