"""What machines did: set-ups and operations, replayed from a ledger, and the hours they worked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from twin.calibrate.evidence import Evidence
from twin.calibrate.timeline import Timeline
from twin.network import Machine, Step


@dataclass(slots=True)
class Operation:
    """One operation of a machine on a lot or a batch of lots, from starting to completing."""

    id: int  #: of the row that began it
    asset: str
    machine: Machine
    step: Step
    began: float
    ended: float | None
    hours: float  #: of work, while the machine was up and manned
    units: list[float] = field(default_factory=list)  #: of each lot
    orders: list[int] = field(default_factory=list)
    setup: float | None = None  #: hours of the set-up before it
    before: str = ""  #: setup family before
    spoiled: bool = False  #: a failure made it start anew, or scrapped it


class Work:
    """The operations of every machine, in order, and its working hours.

    Parameters
    ----------
    evidence
        What happened.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._steps: dict[tuple[str, str, str], list[Step]] = {}
        for step in evidence.network.routings.values():
            self._steps.setdefault((step.site, step.product, step.group or ""), []).append(step)
        self._redone = {row.asset for row in evidence.network.failures.values()
                        if row.after != "resume"}
        self._clocks: dict[tuple[str, str], Timeline] = {}
        self.operations: list[Operation] = list(self._replay())

    def active(self, asset: str, machine: Machine, crew: str | None) -> Timeline:
        """Hours in which a machine could work: open, manned and up."""
        key = (asset, crew or "")
        found = self._clocks.get(key)
        if found is None:
            evidence = self.evidence
            site = evidence.network.sites.get(machine.site)
            calendar = machine.calendar or (site.calendar if site is not None else None)
            found = evidence.up(asset)
            if calendar:
                found = found.times(evidence.opening(calendar, machine.site))
            for name in (machine.crew, crew):
                found = found.times(evidence.crew_hours(name))
            self._clocks[key] = found
        return found

    def busy(self, asset: str) -> Timeline:
        """Hours that a machine worked on lots: what wears it."""
        spans = [(one.began, one.ended if one.ended is not None else self.evidence.now)
                 for one in self.operations if one.asset == asset]
        machine = self.evidence.machine(asset)
        crews = {one.step.crew for one in self.operations if one.asset == asset}
        if machine is None or not spans:
            return Timeline([0.0], [0.0])
        crew = crews.pop() if len(crews) == 1 else None
        return Timeline.spans(spans).times(self.active(asset, machine, crew))

    def _replay(self) -> Iterator[Operation]:
        rows = self.evidence.rows("starting", "completing", "setup")
        for asset, mine in rows.groupby("asset", sort=True):
            machine = self.evidence.machine(str(asset))
            if machine is not None:
                columns = ("id", "time", "event", "product", "quantity", "order")
                yield from self._of(str(asset), machine,
                                    list(zip(*self.evidence.arrays(mine, *columns), strict=True)))

    def _of(self, asset: str, machine: Machine,
            rows: list[tuple[int, float, str, str, float, int]]) -> Iterator[Operation]:
        """The operations of one machine."""
        running: Operation | None = None
        given_back: dict[tuple[int, float], Operation] = {}
        setup_since: float | None = None
        family = ""
        for id_, time, event, product, quantity, order in rows:
            step = self._step(machine, product)
            if step is None:
                running, setup_since = None, None
                continue
            clock = self.active(asset, machine, step.crew)
            if event == "setup":
                setup_since = time if setup_since is None else setup_since
                continue
            if event == "starting":
                if running is not None and running.began == time and running.step is step:
                    running.units.append(quantity)  # one more lot of the batch
                    running.orders.append(order)
                    continue
                if running is not None:  # a more urgent lot came first
                    running.hours += float(clock.between(running.began, time)) * machine.speed
                    given_back[running.orders[0], running.units[0]] = running
                running = given_back.pop((order, quantity), None)
                if running is not None:
                    running.began = time
                    continue
                running = Operation(id_, asset, machine, step, time, None, 0.0, [quantity],
                                    [order], before=family)
                if setup_since is not None:
                    running.setup = float(clock.between(setup_since, time))
                family, setup_since = step.setup_family or step.product, None
                continue
            if running is None or running.ended is not None or order not in running.orders:
                if running is None or running.ended != time:
                    continue  # it began before the record
                continue  # a further lot of the batch that has just ended
            running.hours += float(clock.between(running.began, time)) * machine.speed
            running.ended = time
            running.spoiled = self._was_spoiled(asset, machine, running)
            yield running
            running = None
        if running is not None:
            running.hours += float(self.active(asset, machine, running.step.crew).between(
                running.began, self.evidence.now)) * machine.speed
            running.spoiled = self._was_spoiled(asset, machine, running)
            yield running

    def _step(self, machine: Machine, product: str) -> Step | None:
        """The step of a product at the machine's work centre, if there is just one."""
        steps = self._steps.get((machine.site, product, machine.group), [])
        return steps[0] if len(steps) == 1 else None

    def _was_spoiled(self, asset: str, machine: Machine, one: Operation) -> bool:
        if asset not in self._redone and machine.machine not in self._redone:
            return False
        end = one.ended if one.ended is not None else self.evidence.now
        return any(one.began <= begin < end
                   for begin, _ in self.evidence.downs.get(asset, ()))


