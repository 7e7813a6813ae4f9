"""What the simulation knows and listening is given: calendars, profiles, forecasts, luck left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from twin.network import Network
from twin.quantity import Quantity
from twin.simulate.calendar import Calendar, calendars_of
from twin.simulate.draws import left
from twin.simulate.policies import Forecaster
from twin.simulate.profile import patterns


class SimulationRules:
    """The rules of `twin.sense.fold_rules` as the simulation has them.

    Examples
    --------
    >>> import twin
    >>> rules = SimulationRules(twin.read_model("harbour"))
    >>> rules.hours([("two_shifts", "juicery")], 0.0, 24.0)
    16.0
    """

    def __init__(self, network: Network) -> None:
        shifts = calendars_of(network)
        self._patterns = patterns(network)

        @cache
        def calendar(name: str, site: str) -> Calendar:
            zone = network.sites[site].timezone if site in network.sites else "UTC"
            return Calendar(shifts.get(name, []), network.start, zone)

        self._calendar = calendar

    def hours(self, calendars: Sequence[tuple[str, str]], since: float, until: float) -> float:
        """Hours between two times inside all of these calendars, each (name, site)."""
        return sum(end - begin for begin, end in self.shifts(calendars, since, until))

    def shifts(self, calendars: Sequence[tuple[str, str]], since: float,
               until: float) -> list[tuple[float, float]]:
        """The spans within two times that lie inside all of these calendars."""
        if not calendars or until <= since:
            return [(since, until)] if until > since else []
        found = [self._calendar(*each) for each in calendars]
        spans: list[tuple[float, float]] = []
        time = since
        while time < until:
            edge = min(until, *(calendar.next_edge(time) for calendar in found))
            if all(calendar.is_open(time) for calendar in found):
                if spans and spans[-1][1] == time:
                    spans[-1] = (spans[-1][0], edge)
                else:
                    spans.append((time, edge))
            time = edge
        return spans

    def pattern(self, profile: str, since: float, until: float) -> float:
        """Integral of a profile's factor over a span, hours."""
        return self._patterns[profile].between(since, until)

    def factor(self, profile: str, time: float) -> float:
        """A profile's factor at a time."""
        return float(self._patterns[profile](time))

    def left(self, law: Quantity, age: float, luck: float) -> float:
        """What is left of a random time that has lasted `age`, at a luck from 0 to 1."""
        return float(left(law, age, luck))

    def forecaster(self, kind: str, params: dict[str, float]) -> Forecaster:
        """A running forecast."""
        return Forecaster(kind, params)
