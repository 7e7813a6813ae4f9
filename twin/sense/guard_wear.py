"""A guard of wear: a machine whose signals stand where they stood when it failed before."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, field

from twin.readings import Reading
from twin.sense.alerts import Finding
from twin.sense.debounce import Debounce
from twin.sense.guard import Guard, Post
from twin.sense.rules import Rule

_NEAR = 0.75  #: of the way from as good as new to where it failed
_TELLING = 4.0  #: a signal tells of wear if that way is so many times its scatter
_LATELY_S = 12 * 3600.0  #: what a signal said so long before a failure belongs to it
_VALUES = 5  #: of which the median is taken
_LIVES = 20  #: that are remembered


@dataclass
class _Signal:
    """One signal of one machine, over its lives."""

    alarm: Debounce
    last: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_VALUES))
    first: list[float] = field(default_factory=list)
    fresh: deque[float] = field(default_factory=lambda: deque(maxlen=_LIVES))
    failed: deque[float] = field(default_factory=lambda: deque(maxlen=_LIVES))
    scatter: deque[float] = field(default_factory=lambda: deque(maxlen=_LIVES))
    since: float = 0.0

    def level(self) -> float:
        """Where it stands."""
        return statistics.median(value for _, value in self.last)

    def worn(self) -> float:
        """How far it has gone from as good as new (0) to where it failed (1); 0 if it says nothing.
        """
        if not self.failed or not self.fresh or len(self.last) < _VALUES:
            return 0.0
        new, end = statistics.median(self.fresh), statistics.median(self.failed)
        if abs(end - new) < _TELLING * statistics.median(self.scatter):
            return 0.0
        return (self.level() - new) / (end - new)


class WearGuard(Guard):
    """Signals that have gone most of the way to where they stood when the machine failed before.

    What is as good as new, and where it ends, is learnt from each life, from the first one that was
    heard to its end. Signals that do not tell of wear are passed over; what tells of the load, such
    as power, is not asked.
    """

    hears = frozenset({"vibration", "temperature", "pressure", "health", "failing", "repairing"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self._signals: dict[str, dict[str, _Signal]] = {}
        self._down: set[str] = set()

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in a value, a failure or a repair of a machine."""
        machine = reading.asset
        rule = self.rules.find("wear", machine)
        if rule is None or machine.partition("#")[0] not in self.network.machines:
            return []
        if reading.kind in ("failing", "repairing"):
            return self._life(machine, reading)
        if reading.quality == "bad" or machine in self._down:
            return []
        name = reading.state if reading.kind == "health" else reading.kind
        signal = self._signals.setdefault(machine, {}).setdefault(
            name, _Signal(Debounce(rule.m, rule.n, rule.clear)))
        signal.last.append((reading.time, reading.value))
        if len(signal.first) < _VALUES:
            signal.first.append(reading.value)
        return self._judge(machine, name, signal, reading.time, rule)

    def look(self, now: float) -> list[Finding]:
        """Nothing: wear is judged by what is heard."""
        return []

    def _judge(self, machine: str, name: str, signal: _Signal, time: float,
               rule: Rule) -> list[Finding]:
        was, worn = signal.alarm.get(), signal.worn()
        signal.alarm.update(worn / _NEAR)
        if signal.alarm.get() == was:
            return []
        subject = f"machine {machine} {name}"
        if was:
            return [Finding("wear", subject, "", time)]
        end = statistics.median(signal.failed)
        return [Finding("wear", subject, rule.severity, time, time, signal.level(), end,
                        meaning=f"{name} {signal.level():.3g}; it failed at about {end:.3g} before "
                                f"({len(signal.failed)} times)")]

    def _life(self, machine: str, reading: Reading) -> list[Finding]:
        """A life ends with a failure, and begins anew with a repair (a service is both)."""
        found = []
        for name, signal in self._signals.get(machine, {}).items():
            if reading.kind == "failing":
                near = [value for time, value in signal.last if reading.time - time <= _LATELY_S]
                if reading.cause != "service" and len(near) == _VALUES \
                        and len(signal.first) == _VALUES:
                    signal.failed.append(statistics.median(near))
                    signal.fresh.append(statistics.median(signal.first))
                    middle = signal.fresh[-1]
                    signal.scatter.append(statistics.median(
                        abs(value - middle) for value in signal.first))
            else:
                if signal.alarm.get():
                    found.append(Finding("wear", f"machine {machine} {name}", "", reading.time))
                signal.alarm = Debounce(signal.alarm.m, signal.alarm._over.maxlen or 1,
                                        signal.alarm.clear)
                signal.first, signal.last = [], deque(maxlen=_VALUES)
        (self._down.add if reading.kind == "failing" else self._down.discard)(machine)
        return found
