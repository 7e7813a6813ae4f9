"""Failures: hours until an asset fails, and hours of its repair, cause by cause."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.likelihood import CENSORED, EXACT, RENEWING
from twin.calibrate.observations.operations import work_of
from twin.calibrate.observations.trucks import driving
from twin.calibrate.sample import Batch, marks
from twin.calibrate.timeline import Timeline
from twin.network import Failure

Found = Iterator[tuple[Cell, Batch]]


def lives(evidence: Evidence) -> Found:
    """Hours from one repair (or service) to the next failure, by work or by the clock.

    A life that a service or the present cuts short is censored. Of the first one the age is not
    known, unless the record begins with new assets.
    """
    for row, assets in _assets(evidence).items():
        ids, values, at, states = [], [], [], []
        for asset in assets:
            clock = _wear(evidence, row, asset)
            if clock is None:
                continue
            since, first = evidence.begin, not evidence.fresh
            for place, (down, again, cause) in enumerate(_downs(evidence, row, asset)):
                hours = float(clock.between(since, down))
                state = CENSORED if cause == "service" else EXACT
                if first and state == EXACT:
                    state = RENEWING
                if not (first and state == CENSORED) and hours > 0.0:
                    ids.append(f"{asset}/{row.cause}/{place}")
                    values.append(hours)
                    at.append(since)
                    states.append(state)
                since, first = again, False
            if since < evidence.now and not first:
                hours = float(clock.between(since, evidence.now))
                if hours > 0.0:
                    count = len(_downs(evidence, row, asset))
                    ids.append(f"{asset}/{row.cause}/{count}")
                    values.append(hours)
                    at.append(since)
                    states.append(CENSORED)
        if ids:
            yield (_cell(row, "time_to_failure", str(row.time_to_failure or "")),
                   Batch.of(marks(ids), values, at=at, state=states))


def repairs(evidence: Evidence) -> Found:
    """Hours of repair, less the wait for a crew that mends one thing after another."""
    yield from _mending(evidence, "time_to_repair", service=False)


def services(evidence: Evidence) -> Found:
    """Hours of preventive service, less the wait for a crew."""
    yield from _mending(evidence, "service_time", service=True)


def _mending(evidence: Evidence, column: str, *, service: bool) -> Found:
    starts = _crew_starts(evidence)
    for row, assets in _assets(evidence).items():
        if service and row.service_after is None:
            continue
        ids, values, at, states = [], [], [], []
        hours = evidence.crew_hours(row.crew)
        for asset in assets:
            for down, again, cause in _downs(evidence, row, asset):
                if (cause == "service") != service:
                    continue
                begun = starts.get((asset, row.cause, down), down)
                if begun >= again:
                    continue
                ids.append(f"{asset}/{cause}/{down:.6f}")
                values.append(float(hours.between(begun, again)))
                at.append(down)
                states.append(EXACT if again < evidence.now else CENSORED)
        if ids:
            yield (_cell(row, column, str(getattr(row, column))),
                   Batch.of(marks(ids), values, at=at, state=states))


def _crew_starts(evidence: Evidence) -> dict[tuple[str, str, float], float]:
    """When a crew began with each repair: first come, first served, by so many members."""
    calls: dict[str, list[tuple[float, float, str, str]]] = {}
    for row, assets in _assets(evidence).items():
        if row.crew is not None:
            for asset in assets:
                calls.setdefault(row.crew, []).extend(
                    (down, again, asset, row.cause)
                    for down, again, _ in _downs(evidence, row, asset))
    begun: dict[tuple[str, str, float], float] = {}
    for name, found in calls.items():
        free = [float("-inf")] * max(1, evidence.network.crews[name].size)
        for down, again, asset, cause in sorted(found):
            start = max(down, heappop(free))
            begun[asset, cause, down] = start
            heappush(free, again)
    return begun


def _assets(evidence: Evidence) -> dict[Failure, list[str]]:
    """The assets that each row of `failures` speaks of, the ones that never failed included."""
    network = evidence.network
    found: dict[Failure, list[str]] = {}
    for row in network.failures.values():
        machine, truck = network.machines.get(row.asset), network.trucks.get(row.asset)
        units = machine.units if machine else truck.units if truck else 1
        found[row] = [row.asset] if units == 1 else [f"{row.asset}#{n}"
                                                     for n in range(1, units + 1)]
    return found


def _downs(evidence: Evidence, row: Failure, asset: str) -> list[tuple[float, float, str]]:
    """Each time that a cause stopped an asset: since when, until when, failure or service."""
    table = evidence.memory.get("failures")
    if table is None:
        table = {}
        rows = evidence.rows("failing", "repairing")
        for time, event, name, cause in zip(*evidence.arrays(
                rows, "time", "event", "asset", "cause"), strict=True):
            table.setdefault(name, []).append((time, event, cause))
        evidence.memory["failures"] = table
    serviced = [other.cause for other in evidence.network.failures.values()
                if other.asset == row.asset and other.service_after is not None]
    mine = serviced == [row.cause]
    spans: list[tuple[float, float, str]] = []
    since: tuple[float, str] | None = None
    for time, event, cause in table.get(asset, ()):
        if event == "failing" and (cause == row.cause or (cause == "service" and mine)):
            since = (time, cause)
        elif event == "repairing" and cause == row.cause and since is not None:
            spans.append((since[0], time, since[1]))
            since = None
    if since is not None:
        spans.append((since[0], evidence.now, since[1]))
    return spans


def _wear(evidence: Evidence, row: Failure, asset: str) -> Timeline | None:
    """The hours by which an asset ages; None where the record does not tell them."""
    if row.clock == "elapsed":
        return Timeline.always()
    if evidence.machine(asset) is not None:
        return work_of(evidence).busy(asset)
    return driving(evidence, asset) if evidence.truck(asset) is not None else Timeline.always()


def _cell(row: Failure, column: str, planned: str) -> Cell:
    return Cell("failures", f"{row.asset},{row.cause}", column, planned)
