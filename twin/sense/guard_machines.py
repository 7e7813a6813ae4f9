"""Guards of machines: down for too long, or with signals that are not as usual."""

from __future__ import annotations

from typing import NamedTuple

from twin.readings import Reading
from twin.sense.alerts import Finding
from twin.sense.anomaly import SignalWatch
from twin.sense.debounce import Debounce
from twin.sense.guard import Guard, Post, clock
from twin.sense.signature import Signature

_USUAL_H = 4.0
_UNTOLD = (float("-inf"), "")  #: since when a machine is in what state


class DownGuard(Guard):
    """Machines that are down for longer than their repairs usually take.

    Without a time in the rule that is the mean of the model's repair time plus two standard
    deviations, the longest of its causes; four hours where the model says nothing.
    """

    hears = frozenset({"machine_state", "failing", "repairing"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self._down: dict[str, float] = {}

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in the state of a machine."""
        asset = reading.asset
        if reading.kind == "failing" or reading.state == "down":
            if asset.partition("#")[0] in self.network.machines:
                self._down.setdefault(asset, reading.time)
            return self.look(reading.time)
        self._down.pop(asset, None)
        return [Finding("down", f"machine {asset}", "", reading.time)]

    def look(self, now: float) -> list[Finding]:
        """Which have been down for too long."""
        found = []
        for asset, since in self._down.items():
            rule, hours = self.rules.find("down", asset), (now - since) / 3600.0
            if rule is None:
                continue
            allowed = rule.after if rule.after == rule.after else self.usual_h(asset)
            if hours > allowed:
                severity = "critical" if hours > 2 * allowed else rule.severity
                found.append(Finding("down", f"machine {asset}", severity, now, since, hours,
                                     allowed, 0.0, f"down since {clock(since)}; repairs take up "
                                     f"to {allowed:.1f} h"))
        return found

    def usual_h(self, asset: str) -> float:
        """Hours that a repair of a machine may take."""
        names = {asset, asset.partition("#")[0]}
        times = [row.time_to_repair for row in self.network.failures.values() if row.asset in names]
        return max((time.mean() + 2 * time.sd() for time in times), default=0.0) or _USUAL_H


class _Signal(NamedTuple):
    """A signal of a machine while it is in a state; empty where it tells none."""

    machine: str
    signal: str
    state: str


class SignalGuard(Guard):
    """Signals of machines: each by itself, and together once there are two or more.

    The signals of a machine make a row when each of them has spoken since the last one. What is
    usual is learnt for each state that the machine tells (working, idle, in set-up): what it draws
    follows its load, and load is no anomaly. After a repair or a service a machine is another one,
    and it is learnt again.
    """

    hears = frozenset({"vibration", "temperature", "pressure", "current", "power", "health",
                       "machine_state", "repairing"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self._state: dict[str, tuple[float, str]] = {}
        self._single: dict[_Signal, tuple[SignalWatch, Debounce]] = {}
        self._rows: dict[str, dict[str, float]] = {}
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        self._together: dict[_Signal, tuple[Signature, Debounce]] = {}
        self._since: dict[_Signal, float] = {}

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in one value of a machine, or its state."""
        machine = reading.asset
        rule = self.rules.find("anomaly", machine)
        if rule is None or machine.partition("#")[0] not in self.network.machines \
                or reading.quality == "bad":
            return []
        if reading.kind == "repairing":
            return self._renewed(machine, reading.time)
        if reading.kind == "machine_state":
            return self._stands(machine, reading)
        signal = reading.state if reading.kind == "health" else reading.kind
        key = _Signal(machine, signal, self._state.get(machine, _UNTOLD)[1])
        watch, alarm = self._single.setdefault(key, (
            SignalWatch(), Debounce(rule.m, rule.n, rule.clear, calm=60)))
        watch.update((reading.time, reading.value))
        strange = watch.get()
        meaning = f"{signal} {reading.value:g}: {strange.what}"
        found = self._say(alarm, strange.score, key, reading.time, reading.value, meaning,
                          rule.severity)
        return found + self._row(key, reading, rule.severity)

    def _stands(self, machine: str, reading: Reading) -> list[Finding]:
        """Note the state of a machine; one that came late is over."""
        since, state = self._state.get(machine, _UNTOLD)
        if reading.time >= since:
            self._state[machine] = reading.time, reading.state
            if reading.state != state:
                self._rows.pop(machine, None)
        return []

    def look(self, now: float) -> list[Finding]:
        """Nothing: signals are judged by what is heard."""
        return []

    def _renewed(self, machine: str, time: float) -> list[Finding]:
        for known in (self._single, self._together):
            for key in [key for key in known if key.machine == machine]:
                del known[key]
        self._rows.pop(machine, None)
        ended = [key for key in self._since if key.machine == machine]
        for key in ended:
            del self._since[key]
        return [Finding("anomaly", f"machine {machine} {signal}", "", time)
                for signal in dict.fromkeys(key.signal for key in ended)]

    def _row(self, one: _Signal, reading: Reading, severity: str) -> list[Finding]:
        row = self._rows.setdefault(one.machine, {})
        again, place = one.signal in row, (one.machine, one.state)
        row[one.signal] = reading.value
        names = self._known.get(place, ())
        if again and not names and len(row) > 1:
            names = self._known[place] = tuple(sorted(row))
        if not names or not all(name in row for name in names):
            return []
        key = _Signal(one.machine, "signature", one.state)
        signature, alarm = self._together.setdefault(key, (
            Signature(), Debounce(m=3, n=5, clear=1.0)))
        signature.update([row[name] for name in names])
        self._rows[one.machine] = {}
        away = signature.get()
        meaning = f"{names[away.channel]} does not go with the other signals" \
            if away.channel >= 0 else ""
        return self._say(alarm, away.score, key, reading.time, away.score, meaning, severity)

    def _say(self, alarm: Debounce, score: float, key: _Signal, time: float, value: float,
             meaning: str, severity: str) -> list[Finding]:
        was = alarm.get()
        alarm.update(score)
        subject = f"machine {key.machine} {key.signal}"
        if alarm.get():
            since = self._since.setdefault(key, time)
            return [] if was else [Finding("anomaly", subject, severity, time, since, value,
                                           meaning=meaning)]
        self._since.pop(key, None)
        return [Finding("anomaly", subject, "", time)] if was else []
