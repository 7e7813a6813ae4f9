"""Signals, folded: the last of each measured value, and when temperatures left their range.

Signals are many and say little each. So they are not taken one by one: a query tells the last value
of each series of a span, and the moments at which a temperature went out of its range or came back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twin.kinds import KINDS
from twin.network import Network
from twin.parquet import quoted
from twin.sense.history import once

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: Kinds of signal that are kept by their last value; the rest are events, or taken one by one.
LAST = tuple(name for name, kind in KINDS.items() if kind.signal and name not in (
    "count", "cycle", "reject", "driving"))
_KEY = ("kind", "asset", "shipment", "lot", "site", "area", "name")
_SERIES = """
    select kind, asset, shipment, case when kind = 'sighting' and lot = '' then product else lot end
               as lot,
           case when (asset || shipment || lot) <> '' then '' else site end as site,
           case when (asset || shipment || lot) <> '' then '' else area end as area,
           case when kind = 'health' then state else '' end as name,
           time, sensor, value, latitude, longitude, quality, site as spot, area as corner,
           state as word, place
    from {source} where kind in ({kinds}) and time < {until!r}
"""
_KEPT = ("time", "sensor", "value", "latitude", "longitude", "quality", "spot", "corner", "word")

Limits = tuple[float | None, float | None]


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

    def take_frame(self, frame: pd.DataFrame, until: float) -> None:
        """Take the signals of a table of readings before a moment, seconds since 1970."""
        import duckdb

        rows = once(frame).sort_values(["time", "sensor", "id"])
        with duckdb.connect() as base:
            base.register("told", rows.assign(place=range(len(rows))))
            self.take(base, "told", until)

    def take(self, base: duckdb.DuckDBPyConnection, source: str, until: float) -> None:
        """Take the signals of a source of readings before a moment.

        Parameters
        ----------
        source
            SQL for readings in canonical order, which a column `place` numbers.
        """
        series = _SERIES.format(kinds=", ".join(map(quoted, LAST)), until=until, source=source)
        struct = ", ".join(f"{name} := {name}" for name in _KEPT)
        found = base.execute(
            f"select {', '.join(_KEY)}, count(*), arg_max(struct_pack({struct}), place) "
            f"from ({series}) group by all order by all").fetchall()
        fence = [(*row[1:7], *limits) for row in found if row[0] == "temperature"
                 for limits in [self.limits(row[4] or row[1], row[5], row[2], row[3])]
                 if limits != (None, None)]
        for *key, count, reading in found:
            self._note(key, count, reading)
        if fence:
            self._excursions(base, series, fence)

    def _note(self, key: list[str], count: int, reading: dict[str, Any]) -> None:
        self.readings += count
        known = self.last.setdefault(json.dumps(key), {"n": 0})
        known["n"] += count
        known |= {name: value for name, value in reading.items()
                  if value == value and value is not None}

    def _excursions(self, base: duckdb.DuckDBPyConnection, series: str,
                    fence: list[tuple[Any, ...]]) -> None:
        """Note when temperatures left their range and came back."""
        base.execute("create or replace temp table fence (asset text, shipment text, lot text, "
                     "site text, area text, name text, low double, high double)")
        base.executemany("insert into fence values (?, ?, ?, ?, ?, ?, ?, ?)", fence)
        keys = ", ".join(_KEY[1:])
        turns = base.execute(f"""
            with told as (select {keys}, time, place,
                                 coalesce(value < low, false) or coalesce(value > high, false) out
                          from ({series}) join fence using ({keys}) where kind = 'temperature'),
                 turns as (select *, lag(out) over (partition by {keys} order by place) was
                           from told)
            select {keys}, time, out from turns where out is distinct from was
            order by {keys}, place""").fetchall()
        for *key, time, out in turns:
            spans = self.excursions.setdefault(json.dumps(["temperature", *key]), [])
            under_way = bool(spans) and spans[-1][1] is None
            hours = (time - self.zero) / 3600.0
            if out and not under_way:
                spans.append([hours, None])
            elif not out and under_way:
                spans[-1][1] = hours

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


