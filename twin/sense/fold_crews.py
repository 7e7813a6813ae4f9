"""Crews that are fewer than their machines, folded from history: who works when.

Nobody tells when a machine is left alone. A start says that its crew is there; an end frees it for
the machine that has waited longest; at the end of a shift everybody leaves, and at the beginning of
the next those machines whose work is not done are manned in the order of the tables.
"""

from __future__ import annotations

from typing import Any

from twin.network import Network
from twin.sense.fold_rules import Rules


class Crews:
    """Hours of work of machines that share a crew."""

    def __init__(self, network: Network, rules: Rules) -> None:
        self.rules = rules
        self.machines: dict[str, list[str]] = {}
        self.calendars: dict[str, list[tuple[str, str]]] = {}
        self.size: dict[str, int] = {}
        self.crew_of: dict[str, str] = {}
        for row in network.machines.values():
            if row.crew:
                names = [row.machine] if row.units == 1 else [
                    f"{row.machine}#{number}" for number in range(1, row.units + 1)]
                self.machines.setdefault(row.crew, []).extend(names)
        for crew, names in list(self.machines.items()):
            table = network.crews.get(crew)
            if table is None or len(names) <= table.size:
                continue
            self.size[crew] = table.size
            self.crew_of |= dict.fromkeys(names, crew)
            calendars = [(table.calendar, table.site or "")] if table.calendar else []
            for row in network.machines.values():
                if row.crew == crew and row.calendar:
                    calendars.append((row.calendar, row.site))
            self.calendars[crew] = list(dict.fromkeys(calendars))
        self.crews: dict[str, dict[str, Any]] = {
            crew: {"time": 0.0, "open": True, "holders": [], "waiting": [], "hours": {}}
            for crew in self.size}

    def advance(self, crew: str, now: float) -> dict[str, Any]:
        """Let time pass: shifts end and begin, and those who have the crew work."""
        known = self.crews[crew]
        since = known["time"]
        if now <= since:
            return known
        spans = self.rules.shifts(self.calendars[crew], since, now)
        for begin, end in spans:
            if begin > known["time"] or (begin == known["time"] and not known["open"]):
                self._come(crew, known)
            for machine in known["holders"]:
                known["hours"][machine] = known["hours"].get(machine, 0.0) + end - begin
            known["time"], known["open"] = end, True
            if end < now:
                self._go(known)
        if known["time"] < now:
            self._go(known)
        known["time"] = now
        return known

    def _come(self, crew: str, known: dict[str, Any]) -> None:
        """A shift begins: machines that are not done are manned as far as the crew goes."""
        if known["open"]:
            return
        known["open"] = True
        wanting = sorted(known["waiting"], key=self.machines[crew].index)
        known["holders"], known["waiting"] = wanting[:self.size[crew]], wanting[self.size[crew]:]

    @staticmethod
    def _go(known: dict[str, Any]) -> None:
        """A shift ends: everybody leaves."""
        known["open"] = False
        known["waiting"], known["holders"] = known["holders"] + known["waiting"], []

    def start(self, machine: str, now: float) -> None:
        """A machine works: its crew is there, and so not where it was before."""
        crew = self.crew_of.get(machine)
        if crew is None:
            return
        known = self.advance(crew, now)
        if not known["open"]:
            self._come(crew, known)
        self._drop(known, machine)
        while len(known["holders"]) >= self.size[crew]:
            known["waiting"].append(known["holders"].pop(0))
        known["holders"].append(machine)
        known["hours"][machine] = 0.0

    def ask(self, machine: str, now: float) -> None:
        """A machine could go on, and waits for its crew if that is elsewhere."""
        crew = self.crew_of.get(machine)
        if crew is None:
            return
        known = self.advance(crew, now)
        self._drop(known, machine)
        free = known["open"] and len(known["holders"]) < self.size[crew]
        known["holders" if free else "waiting"].append(machine)
        known["hours"][machine] = 0.0

    def end(self, machine: str, now: float) -> None:
        """A machine is done or stands still: its crew goes where it is waited for."""
        crew = self.crew_of.get(machine)
        if crew is None:
            return
        known = self.advance(crew, now)
        held = machine in known["holders"]
        self._drop(known, machine)
        known["hours"].pop(machine, None)
        if held and known["waiting"] and known["open"]:
            known["holders"].append(known["waiting"].pop(0))

    @staticmethod
    def _drop(known: dict[str, Any], machine: str) -> None:
        for name in ("holders", "waiting"):
            if machine in known[name]:
                known[name].remove(machine)

    def hours(self, machine: str, now: float) -> float | None:
        """Hours of work since it last went on; None for a machine that shares no crew."""
        crew = self.crew_of.get(machine)
        if crew is None:
            return None
        return float(self.advance(crew, now)["hours"].get(machine, 0.0))

    def manned(self, machine: str, now: float) -> bool:
        """Whether a machine has its crew, as far as shared crews go."""
        crew = self.crew_of.get(machine)
        return crew is None or machine in self.advance(crew, now)["holders"]
