"""What happened, window by window, counted in the same way for the real chain and a played one.

A window knows only what happened inside it, and the stock at its start: orders placed earlier are
not in it, nor shipments that left earlier. Real and played windows are cut alike, so that neither
has an advantage.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from twin.measure.intervals import Array
from twin.measure.recorded import tally_of
from twin.network import Network
from twin.tally import Tally

_OPENING = "stock"  #: cause of a `storing` row that tells the opening stock
_GAINS = {"storing": 1.0, "picking": -1.0, "consuming": -1.0, "expiring": -1.0}


class Record:
    """The recorded events of a chain, to be asked for the sums of any window.

    Parameters
    ----------
    events
        Rows of a ledger: times in hours from the start of the model.

    Examples
    --------
    >>> shop = Network(sites=[{"site": "W", "kind": "warehouse"}], products=[{"product": "tea"}],
    ...                stock=[{"site": "W", "product": "tea", "on_hand": 5}])
    >>> rows = pd.DataFrame({"time": [10.0, 30.0], "event": ["picking", "picking"], "site": "W",
    ...                      "product": "tea", "quantity": 2.0})
    >>> record = Record(rows, shop)
    >>> record.window(24.0, 48.0).total("on_hand_time")  # three units for 6 h, one for 18 h
    36.0
    """

    def __init__(self, events: pd.DataFrame, network: Network) -> None:
        self.network = network
        self.events = events.sort_values("time", kind="stable").reset_index(drop=True)
        self.times = self.events["time"].to_numpy(dtype=float)
        self._windows: dict[tuple[float, float], Tally] = {}

    @property
    def end_h(self) -> float:
        """Time of the last event."""
        return float(self.times[-1]) if len(self.times) else 0.0

    @cached_property
    def _levels(self) -> dict[tuple[str, str], tuple[Array, Array]]:
        """Times and levels of each shelf; shelves whose record goes below zero are left out."""
        moves = self.events[self.events["event"].isin(list(_GAINS))]
        change = moves["quantity"].to_numpy(dtype=float) * moves["event"].astype(str).map(
            _GAINS).to_numpy(dtype=float)
        opened = moves["cause"].astype(str) == _OPENING if "cause" in moves else None
        found = {}
        groups: dict[tuple[str, str], Any] = moves.groupby(  # type: ignore[assignment]
            ["site", "product"], observed=True).indices
        for (site, product), rows in groups.items():
            row = self.network.stock.get((site, product))
            if row is None:
                continue
            start = 0.0 if opened is not None and opened.iloc[rows].any() else row.on_hand
            levels = np.asarray(start + np.cumsum(change[rows]), dtype=float)
            if levels.min() >= -1e-6:
                found[site, product] = (moves["time"].to_numpy(dtype=float)[rows], levels)
        return found

    def opening(self, start_h: float) -> pd.DataFrame:
        """Rows that tell the stock at a moment."""
        moved = self._levels
        rows = []
        for (site, product), row in self.network.stock.items():
            level = row.on_hand
            if (site, product) in moved:
                times, levels = moved[site, product]
                i = int(np.searchsorted(times, start_h, side="left"))
                level = float(levels[i - 1]) if i else row.on_hand
            rows.append({"time": start_h, "event": "storing", "site": site, "product": product,
                         "quantity": level, "cause": _OPENING})
        return pd.DataFrame(rows)

    def window(self, start_h: float, end_h: float) -> Tally:
        """Sums of what really happened in (start, end)."""
        key = (start_h, end_h)
        if key not in self._windows:
            first = int(np.searchsorted(self.times, start_h, side="left"))
            last = int(np.searchsorted(self.times, end_h, side="left"))
            self._windows[key] = self.tally(self.events.iloc[first:last], start_h, end_h)
        return self._windows[key]

    def tally(self, events: pd.DataFrame, start_h: float, end_h: float) -> Tally:
        """Sums of events in (start, end), played ones too, from the real stock at the start.

        At its very start a played one tells what was going on already, so that instant is left out.
        """
        inside = events[(events["time"] > start_h) & (events["time"] < end_h)]
        opening = self.opening(start_h)
        rows = pd.concat([opening, _plain(inside)], ignore_index=True) if len(opening) \
            else _plain(inside)
        for column in ("site", "to_site", "product", "asset", "cause", "role"):
            if column in rows:
                rows[column] = rows[column].fillna("")
        for column in ("order", "shipment"):
            if column in rows:
                rows[column] = rows[column].fillna(0).astype(int)
        return tally_of(rows, self.network, start_h=start_h, end_h=end_h)


def _plain(events: pd.DataFrame) -> pd.DataFrame:
    """Categories as texts, so that tables can be put together."""
    return events.assign(**{name: events[name].astype(str) for name in events.columns
                            if isinstance(events[name].dtype, pd.CategoricalDtype)})
