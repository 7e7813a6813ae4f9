"""Machines as a schedule sees them: hours, what is down, what must be serviced, who works them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from twin.network import Failure, Machine, Network
from twin.optimize.schedule_hours import Hours
from twin.optimize.schedule_work import Job, Task, Tool
from twin.state import State

#: Opening hours of a calendar at a site between two times, hours from the start of the model.
OpenHours = Callable[[str, str, float, float], Sequence[tuple[float, float]]]


def minutes(hours: float) -> int:
    """Whole minutes, rounded up.

    Examples
    --------
    >>> minutes(1.5), minutes(0.001), minutes(0.0)
    (90, 1, 0)
    """
    return max(0, ceil(hours * 60.0 - 1e-6))


@dataclass(slots=True)
class Park:
    """All machines of a network by number, and the crews."""

    network: Network
    now: float
    span: float
    state: State | None
    hours: OpenHours | None
    tools: list[Tool] = field(default_factory=list)
    rows: list[Machine] = field(default_factory=list)
    crew_numbers: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def build(self) -> Park:
        """Number crews and machines."""
        self.crew_numbers = {name: i for i, name in enumerate(self.network.crews)}
        for row in self.network.machines.values():
            for unit in range(1, row.units + 1):
                name = row.machine if row.units == 1 else f"{row.machine}#{unit}"
                doing = self.doing(name)
                self.rows.append(row)
                self.tools.append(Tool(
                    name, f"{row.site}/{row.group}", self._closed(row, name),
                    str(doing.get("family") or ""),
                    self.crew_numbers[row.crew] if row.crew else -1, row.site))
        return self

    def doing(self, name: str) -> Mapping[str, object]:
        """What an actor does in the state."""
        return {} if self.state is None else self.state.actors.get(name, {})

    def able(self, site: str, group: str) -> list[int]:
        """Machines of a work centre."""
        return [i for i, row in enumerate(self.rows) if (row.site, row.group) == (site, group)]

    # -- hours -----------------------------------------------------------------------------------
    def _closed(self, row: Machine, name: str) -> tuple[tuple[int, int], ...]:
        spans = [span for calendar, site in self._calendars(row)
                 for span in self._shut(calendar, site)]
        down = self._down(row, name)
        if down > 0.0:
            spans.append((0, minutes(down)))
            self.notes.append(f"{name} is down for another {down:.1f} h by expectation.")
        return _merged(spans)

    def _calendars(self, row: Machine) -> list[tuple[str, str]]:
        """The machine's calendar, its crew's, and those of crews that steps here need."""
        network = self.network
        own = row.calendar or network.sites[row.site].calendar
        found = [(own, row.site)] if own else []
        crews = {row.crew, *(step.crew for step in network.routings.values()
                             if (step.site, step.group) == (row.site, row.group))}
        for crew in sorted(name for name in crews if name):
            theirs = network.crews[crew]
            if theirs.calendar:
                found.append((theirs.calendar, theirs.site or row.site))
        return list(dict.fromkeys(found))

    def _shut(self, calendar: str, site: str) -> list[tuple[int, int]]:
        if self.hours is None:
            raise ValueError(f"calendar {calendar}: its hours were not given. Give `hours`.")
        found, last = [], 0
        for begin, end in self.hours(calendar, site, self.now, self.now + self.span):
            opens, shuts = minutes(begin - self.now), int((end - self.now) * 60.0 + 1e-6)
            if opens > last:
                found.append((last, opens))
            last = max(last, shuts)
        until = minutes(self.span)
        return [*found, (last, until)] if last < until else found

    def _causes(self, row: Machine, name: str) -> list[Failure]:
        return [cause for cause in self.network.failures.values()
                if cause.asset in (row.machine, name)]

    def _down(self, row: Machine, name: str) -> float:
        """Expected hours until all its repairs under way are done."""
        left = 0.0
        for actor in () if self.state is None else self.state.actors:
            if not actor.startswith(f"failure {name}/"):
                continue
            told = self.doing(actor)
            if told.get("phase") == "up":
                continue
            cause = self.network.failures.get((row.machine, actor.rsplit("/", 1)[1])) or \
                self.network.failures.get((name, actor.rsplit("/", 1)[1]))
            forced = told.get("forced")
            if forced is not None or cause is None:
                rest = float(told.get("left") or forced or 0.0)  # type: ignore[arg-type]
            else:
                law = cause.service_time if told.get("servicing") else cause.time_to_repair
                since = float(told.get("since") or 0.0)  # type: ignore[arg-type]
                done = since if told.get("phase") == "repair" else 0.0
                rest = max(law.mean() - done, 0.1 * law.mean())
            left = max(left, rest)
        return left

    # -- services --------------------------------------------------------------------------------
    def services(self, within: float) -> Iterator[Job]:
        """Preventive services that come due, to be placed before they are."""
        for machine, (row, tool) in enumerate(zip(self.rows, self.tools, strict=True)):
            for cause in self._causes(row, tool.name):
                if cause.service_after is None:
                    continue
                told = self.doing(f"failure {tool.name}/{cause.cause}")
                if told.get("phase", "up") != "up":
                    continue
                left = max(0.0, cause.service_after - float(
                    told.get("age") or 0.0))  # type: ignore[arg-type]
                if left > within:
                    continue
                length = minutes(cause.service_time.mean())
                hours = Hours(tool.closed)
                latest = hours.opening(minutes(left))
                yield Job((Task(((machine, length),), crew=(
                    self.crew_numbers[cause.crew] if cause.crew else -1)),),
                    f"service of {tool.name} ({cause.cause})",
                    deadline=hours.after(latest, length) + self._slack(machine, length),
                    service=cause.cause, site=row.site)

    def _slack(self, machine: int, length: int) -> int:
        """Work that runs already may make a service wait."""
        doing = self.doing(self.tools[machine].name)
        busy = doing.get("phase") in ("busy", "setup")
        left = float(doing.get("left") or 0.0) if busy else 0.0  # type: ignore[arg-type]
        return minutes(4.0 * left) + length * (len(self.network.crews) > 0)


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans as few as they can be, in order."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return tuple(found)
