"""The watch: every guard at its post, from readings to findings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from twin.network import Network
from twin.readings import Reading
from twin.sense.alerts import Finding
from twin.sense.eta import Left
from twin.sense.guard import Guard, Post
from twin.sense.guard_machines import DownGuard, SignalGuard
from twin.sense.guard_ranges import LotGuard, RangeGuard
from twin.sense.guard_sensors import SensorGuard
from twin.sense.guard_shelves import ShelfGuard
from twin.sense.guard_transport import LateGuard, RouteGuard, TankGuard
from twin.sense.guard_wear import WearGuard
from twin.sense.rules import Rules, default_rules

#: Every kind of guard, in the order in which they are asked.
GUARDS: tuple[type[Guard], ...] = (RangeGuard, LotGuard, ShelfGuard, DownGuard, SignalGuard,
                                   WearGuard, SensorGuard, RouteGuard, TankGuard, LateGuard)


class Watch:
    """Hears readings in order of time and says what somebody should know.

    Parameters
    ----------
    network
        The chain.
    rules
        What raises an alert; none means what the model asks for.
    left
        The conditional law of a time (see `twin.sense.eta.Left`); without it lateness is not
        foreseen.
    every_s
        Seconds of the readings' own time between two looks at what time alone changes.

    Examples
    --------
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}],
    ...     storage=[{"site": "W", "area": "cold", "min_c": 2, "max_c": 8}])
    >>> watch = Watch(network)
    >>> said = []
    >>> for minute, value in enumerate([5.0, 9.0, 7.9, 9.2, 9.5]):
    ...     said += watch.hear(Reading(sensor="t", id=str(minute), time=60.0 * minute, site="W",
    ...                                area="cold", kind="temperature", value=value))
    >>> [finding.meaning for finding in said if finding.severity == "warning"]
    ['excursion: temperature 9.2 C, limit 8 C, since 1970-01-01 00:03', ...]
    """

    def __init__(self, network: Network, rules: Rules | None = None, left: Left | None = None,
                 every_s: float = 300.0) -> None:
        self.network, self.every_s = network, every_s
        post = Post(network, rules or Rules(default_rules(network)), left)
        self.guards = [guard(post) for guard in GUARDS]
        self._by_kind: dict[str, list[Guard]] = {}
        for guard in self.guards:
            for kind in guard.hears:
                self._by_kind.setdefault(kind, []).append(guard)
        self._next = math.nan

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in a reading; what is new, in order of time."""
        found: list[Finding] = []
        if not reading.time < self._next:
            # Looked at before the reading: it may be what ends a silence.
            found = self.look(reading.time) if self._next == self._next else []
            self._next = (math.floor(reading.time / self.every_s) + 1) * self.every_s
        for guard in self._by_kind.get(reading.kind, ()):
            found += guard.hear(reading)
        return found

    def again(self, reading: Reading) -> list[Finding]:
        """Take note of a reading that was heard before: it says nothing but that it came twice."""
        return [finding for guard in self._by_kind.get(reading.kind, ())
                for finding in guard.again(reading)]

    def refused(self, sensor: str, time: float) -> list[Finding]:
        """Take note of a reading of a sensor that went to the quarantine."""
        return [finding for guard in self.guards for finding in guard.refused(sensor, time)]

    def look(self, now: float) -> list[Finding]:
        """Let time pass to `now`, seconds since 1970."""
        return [finding for guard in self.guards for finding in guard.look(now)]

    def findings(self, readings: Iterable[Reading]) -> Iterator[Finding]:
        """The findings of a whole stream."""
        for reading in readings:
            yield from self.hear(reading)
