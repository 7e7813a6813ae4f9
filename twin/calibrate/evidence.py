"""What happened, as estimators need it: rows of a ledger, signals, and the hours that count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.calibrate.laws import Floats
from twin.calibrate.timeline import Timeline
from twin.network import Crew, Machine, Network, Truck

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("event", "role", "site", "to_site", "product", "asset", "cause", "source")

Clock = Callable[[str, str], Timeline]


def _no_hours(name: str, site: str) -> Timeline:
    return Timeline.always()


@dataclass(frozen=True)
class Evidence:
    """The events of a real or simulated world, up to now, on the network they happened on.

    Parameters
    ----------
    network
        As planned: it says which cells there are and what stands in them.
    events
        Rows of a ledger (`Ledger.frame()`), times in hours after the model's start.
    now
        The end of what is known, hours.
    begin
        When the record begins, hours.
    fresh
        Whether everything began with the record: machines were new, nothing was under way. Else
        what was under way then is of unknown age.
    signals
        Measured signals by kind, with columns time (hours), asset, site, product, value.
    opening
        The opening hours of a calendar at a site; the door knows how.
    pattern
        The rate of a profile.
    """

    network: Network
    events: pd.DataFrame = field(repr=False)
    now: float
    begin: float = 0.0
    fresh: bool = False
    signals: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    opening: Clock = field(default=_no_hours, repr=False)
    pattern: Callable[[str], Timeline] = field(
        default=lambda name: Timeline.always(), repr=False)

    #: What was worked out from it once, by name.
    memory: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    # -- rows ------------------------------------------------------------------------------------
    @cached_property
    def _by_event(self) -> dict[str, pd.DataFrame]:
        frame = self.events[self.events["time"] <= self.now]
        frame = frame.assign(**{name: frame[name].astype(object) for name in _TEXTS})
        frame = frame.sort_values(["time", "id"], kind="stable")
        found = {str(word): rows for word, rows in frame.groupby("event", observed=True)}
        found[""] = frame.iloc[:0]
        return found

    def rows(self, *words: str) -> pd.DataFrame:
        """Rows of these events in order of time, texts as texts."""
        import pandas as pd

        parts = [self._by_event[word] for word in words if word in self._by_event]
        if not parts:
            return self._by_event[""]
        if len(parts) == 1:
            return parts[0]
        return pd.concat(parts).sort_values(["time", "id"], kind="stable")

    # -- assets ----------------------------------------------------------------------------------
    def machine(self, asset: str) -> Machine | None:
        """The row of a machine, or of the group of machines that one belongs to."""
        machines = self.network.machines
        return machines.get(asset) or machines.get(asset.partition("#")[0])

    def truck(self, asset: str) -> Truck | None:
        """The row of a truck; hired ones belong to the row that they are like."""
        trucks = self.network.trucks
        return trucks.get(asset) or trucks.get(asset.partition("#")[0].partition("+")[0])

    @cached_property
    def downs(self) -> dict[str, list[tuple[float, float]]]:
        """When each asset was down: spans from a failure (or service) to its repair."""
        since: dict[tuple[str, str], list[float]] = {}
        spans: dict[str, list[tuple[float, float]]] = {}
        rows = self.rows("failing", "repairing")
        for time, event, asset, cause in zip(rows["time"], rows["event"], rows["asset"],
                                             rows["cause"], strict=True):
            if event == "failing":
                since.setdefault((asset, cause), []).append(time)
                continue
            waiting = since.get((asset, cause)) or since.get((asset, "service"))
            if waiting:
                spans.setdefault(asset, []).append((waiting.pop(0), time))
        for (asset, _), waiting in since.items():
            spans.setdefault(asset, []).extend((time, self.now) for time in waiting)
        return spans

    def up(self, asset: str) -> Timeline:
        """The hours in which an asset is not down."""
        spans = self.downs.get(asset)
        return Timeline.spans(spans, inside=0.0) if spans else Timeline.always()

    def crew_hours(self, name: str | None) -> Timeline:
        """The hours of a crew on duty."""
        crew: Crew | None = self.network.crews.get(name or "")
        if crew is None or not crew.calendar:
            return Timeline.always()
        return self.opening(crew.calendar, crew.site or "")

    def arrays(self, rows: pd.DataFrame, *names: str) -> tuple[Any, ...]:
        """Columns as arrays."""
        return tuple(rows[name].to_numpy() for name in names)


def whole(values: Any) -> Floats:
    """Numbers as an array of floats."""
    return np.asarray(values, float)
