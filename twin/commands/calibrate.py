"""``twin calibrate``: what the store says of a model's parameters, and what has moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twin.calibrate.evidence import Evidence
from twin.calibrate.timeline import Timeline
from twin.ledger import Ledger
from twin.network import Network

if TYPE_CHECKING:
    import pandas as pd


def evidence_of(ledger: Ledger, network: Network, now: float, *, begin: float = 0.0,
                fresh: bool = False,
                signals: Mapping[str, pd.DataFrame] | None = None) -> Evidence:
    """A ledger as estimators need it, with the calendars and profiles that the simulation knows."""
    from twin.simulate.calendar import Calendar, calendars_of
    from twin.simulate.profile import patterns

    shifts, rates = calendars_of(network), patterns(network)
    known: dict[tuple[str, str], Timeline] = {}

    def opening(name: str, site: str) -> Timeline:
        zone = network.sites[site].timezone if site in network.sites else "UTC"
        if (name, zone) not in known:
            calendar = Calendar(shifts.get(name, []), network.start, zone)
            edges, time = [0.0], 0.0
            while (time := calendar.next_edge(time)) <= now:
                edges.append(time)
            known[name, zone] = Timeline(edges, [float(calendar.is_open(edge)) for edge in edges])
        return known[name, zone]

    def pattern(name: str) -> Timeline:
        if (name, "") not in known:
            hours = [float(hour) for hour in range(int(now) + 2)]
            known[name, ""] = Timeline(hours, [rates[name](hour) for hour in hours])
        return known[name, ""]

    return Evidence(network, ledger.frame(), now, begin, fresh, signals or {}, opening, pattern)
