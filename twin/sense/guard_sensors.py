"""Guards of the sensors themselves: silent ones, and bad ones."""

from __future__ import annotations

from twin.kinds import KINDS
from twin.readings import Reading
from twin.sense.alerts import Finding
from twin.sense.debounce import Debounce
from twin.sense.guard import Guard, Post, clock
from twin.sense.quality import Quality

_PATIENCE = 3.0  # intervals
_SCORED_EVERY = 50  # readings
_LEARNT = 100  # readings before a score counts
_MOST = 20_000  # sensors that are scored: whoever speaks may invent names


class SensorGuard(Guard):
    """Sensors that have said nothing for three of their intervals, or that cannot be trusted.

    Only sensors of the model's table are missed; whoever speaks is scored.
    """

    hears = frozenset(kind.name for kind in KINDS.values() if kind.signal)

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self.qualities: dict[str, Quality] = {}
        self._heard: dict[str, float] = {}
        self._said: dict[str, int] = {}  # readings, those that were refused or came again too
        self._gone: set[str] = set()
        self._silent: set[str] = set()
        self._alarms: dict[str, Debounce] = {}
        self._since: dict[str, float] = {}

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in any signal."""
        name = reading.sensor
        if reading.kind == "alive" and reading.value < 0.5:
            self._gone.add(name)
            return self.look(reading.time)
        self._gone.discard(name)
        new, found = name not in self._heard, []
        self._heard[name] = max(reading.time, self._heard.get(name, reading.time))
        if new or name in self._silent:
            self._silent.discard(name)
            found.append(Finding("silent", f"sensor {name}", "", reading.time))
        if reading.kind not in ("alive", "battery"):
            found += self._score(name, reading)
        return found

    def look(self, now: float) -> list[Finding]:
        """Which are silent."""
        found = []
        for name, last in self._heard.items():
            rule, row = self.rules.find("silent", name), self.network.sensors.get(name)
            if rule is None:
                continue
            usual = row.interval if row is not None else None
            allowed = rule.after if rule.after == rule.after else _PATIENCE * usual if usual \
                else float("inf")
            hours = (now - last) / 3600.0
            if hours > allowed or name in self._gone:
                self._silent.add(name)
                why = "it has said goodbye" if name in self._gone else \
                    f"it should speak every {allowed / _PATIENCE * 60:.0f} min"
                found.append(Finding("silent", f"sensor {name}", rule.severity, now, last, hours,
                                     allowed, 0.0, f"nothing heard since {clock(last)}; {why}"))
        return found

    def again(self, reading: Reading) -> list[Finding]:
        """A sensor that says things twice is trusted less."""
        return [] if reading.kind in ("alive", "battery") else self._score(reading.sensor, reading)

    def refused(self, sensor: str, time: float) -> list[Finding]:
        """A sensor whose readings are refused is trusted less, if it is known at all."""
        if sensor not in self.qualities and sensor not in self.network.sensors:
            return []
        self._quality(sensor).quarantined(time)
        return self._judge(sensor, time)

    def _score(self, name: str, reading: Reading) -> list[Finding]:
        self._quality(name).update(reading)
        return self._judge(name, reading.time)

    def _quality(self, name: str) -> Quality:
        if name not in self.qualities and len(self.qualities) >= _MOST:
            oldest = next(iter(self.qualities))
            del self.qualities[oldest]
            self._said.pop(oldest, None)
        if name not in self.qualities:
            row = self.network.sensors.get(name)
            self.qualities[name] = Quality(3600.0 * row.interval if row is not None
                                           and row.interval else 0.0)
        self._said[name] = self._said.get(name, 0) + 1
        return self.qualities[name]

    def _judge(self, name: str, time: float) -> list[Finding]:
        rule, said = self.rules.find("quality", name), self._said[name]
        if rule is None or said < _LEARNT or said % _SCORED_EVERY:
            return []
        trust = self.qualities[name].get()
        alarm = self._alarms.setdefault(name, Debounce(rule.m, rule.n, rule.clear))
        was = alarm.get()
        alarm.update(2.0 - trust.score / rule.low)
        if alarm.get():
            since = self._since.setdefault(name, time)
            return [Finding("quality", f"sensor {name}", rule.severity, time, since,
                            trust.score, rule.low, 0.0, trust.why)]
        self._since.pop(name, None)
        return [Finding("quality", f"sensor {name}", "", time)] if was else []
