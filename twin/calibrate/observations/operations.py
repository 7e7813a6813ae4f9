"""Operations: hours of work and of set-ups, good units, and the branches that lots take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.likelihood import CENSORED, EXACT
from twin.calibrate.sample import Batch
from twin.calibrate.work import Operation, Work
from twin.network import Step

Found = Iterator[tuple[Cell, Batch]]
_SLACK = 1e-6


def process_times(evidence: Evidence) -> Found:
    """Hours of work at speed 1 on a lot or batch, less stops; what is in work is censored."""
    for cell, done in _by_cell(evidence, sums=False).items():
        yield cell, Batch.of([one.id for one in done], [one.hours for one in done],
                             at=[one.began for one in done],
                             state=[EXACT if one.ended is not None else CENSORED for one in done])


def delays(evidence: Evidence) -> Found:
    """Hours of steps that need no machine, less the hours in which their crew is off duty."""
    for step, done in _delayed(evidence):
        if step.per != "unit":
            yield (_cell(step, "process_time", str(step.process_time)),
                   Batch.of([one.id for one in done], [one.hours for one in done],
                            at=[one.began for one in done], state=[one.state for one in done]))


@dataclass(frozen=True, slots=True)
class _Delay:
    """One lot at a step without a machine."""

    id: int
    began: float
    hours: float
    state: int
    units: float


def _delayed(evidence: Evidence) -> Iterator[tuple[Step, list[_Delay]]]:
    """The lots of each step without a machine, which goes by its own name."""
    steps = {f"{step.site}/{step.product}/{step.step}": step
             for step in evidence.network.routings.values() if step.group is None}
    since: dict[tuple[str, int, float], list[tuple[int, float]]] = {}
    found: dict[str, list[tuple[int, float, float, int, float]]] = {}
    rows = evidence.rows("starting", "completing")
    columns = ("id", "time", "event", "asset", "order", "quantity")
    for id_, time, event, asset, order, quantity in zip(*evidence.arrays(rows, *columns),
                                                        strict=True):
        if asset not in steps:
            continue
        waiting = since.setdefault((asset, order, quantity), [])
        if event == "starting":
            waiting.append((id_, time))
        elif waiting:
            found.setdefault(asset, []).append((*waiting.pop(0), time, EXACT, quantity))
    for (asset, _, quantity), waiting in since.items():
        found.setdefault(asset, []).extend((*one, evidence.now, CENSORED, quantity)
                                           for one in waiting)
    for asset, done in found.items():
        hours = evidence.crew_hours(steps[asset].crew)
        lots = [_Delay(id_, began, float(hours.between(began, ended)), state, units)
                for id_, began, ended, state, units in done if began >= evidence.begin]
        if lots:
            yield steps[asset], lots


def unit_times(evidence: Evidence) -> Found:
    """Hours of work on a lot and its units, where the time is written by unit."""
    for cell, done in _by_cell(evidence, sums=True).items():
        done = [one for one in done if one.ended is not None]
        if done:
            yield cell, Batch.of([one.id for one in done], [one.hours for one in done],
                                 at=[one.began for one in done],
                                 size=[_draws(one) for one in done])
    for step, lots in _delayed(evidence):
        ended = [lot for lot in lots if lot.state == EXACT]
        if step.per == "unit" and ended:
            yield (_cell(step, "process_time", str(step.process_time)),
                   Batch.of([lot.id for lot in ended], [lot.hours for lot in ended],
                            at=[lot.began for lot in ended], size=[lot.units for lot in ended]))


def _draws(one: Operation) -> float:
    """How many single times an operation is the sum of."""
    if one.step.per == "unit":
        return sum(one.units)
    return 1.0 if one.step.per == "batch" else float(len(one.units))


def _by_cell(evidence: Evidence, *, sums: bool) -> dict[Cell, list[Operation]]:
    """The operations that tell of each cell: those that are sums of many times, or single ones."""
    found: dict[Cell, list[Operation]] = {}
    own = evidence.network.capabilities
    for one in work_of(evidence).operations:
        summed = one.step.per == "unit" or (one.step.per == "lot" and one.step.batch > 1)
        if one.spoiled or one.began < evidence.begin or summed != sums:
            continue
        step = one.step
        mine = own.get((one.machine.machine, step.product, step.step))
        if mine is not None:
            cell = Cell("capabilities", f"{mine.machine},{mine.product},{mine.step}",
                        "process_time", str(mine.process_time))
        else:
            cell = _cell(step, "process_time", str(step.process_time))
        found.setdefault(cell, []).append(one)
    return found


def setup_times(evidence: Evidence) -> Found:
    """Hours of set-ups, less stops, by the pair of families where the model has them."""
    found: dict[Cell, list[Operation]] = {}
    for one in work_of(evidence).operations:
        if one.setup is None or one.began < evidence.begin:
            continue
        step = one.step
        family = step.setup_family or step.product
        key = (step.site, step.group or "", one.before, family)
        row = evidence.network.setups.get(key)
        if row is not None:
            cell = Cell("setups", ",".join(key), "time", str(row.time))
        else:
            cell = _cell(step, "setup_time", str(step.setup_time))
        found.setdefault(cell, []).append(one)
    for cell, done in found.items():
        yield cell, Batch.of([one.id for one in done], [one.setup or 0.0 for one in done],
                             at=[one.began for one in done])


def yields(evidence: Evidence) -> Found:
    """Good units of all units, operation by operation."""
    lost = _scrapped(evidence)
    found: dict[Cell, list[tuple[Operation, float]]] = {}
    for one in work_of(evidence).operations:
        if one.ended is None or one.spoiled or one.began < evidence.begin:
            continue
        units = sum(one.units)
        gone = sum(min(lost.get((one.ended, order), 0.0), units) for order in set(one.orders))
        if gone >= units - _SLACK and _scraps(evidence, one.step):
            continue  # the lot took a branch to the bin
        if one.step.yield_.mean() < 1.0 or gone > 0.0:
            cell = _cell(one.step, "yield", str(one.step.yield_))
            found.setdefault(cell, []).append((one, units - gone))
    for cell, done in found.items():
        yield cell, Batch.of([one.id for one, _ in done], [good for _, good in done],
                             at=[one.began for one, _ in done],
                             size=[sum(one.units) for one, _ in done])


def branches(evidence: Evidence) -> Found:
    """Lots that take a branch, of all lots that end the step before it.

    A ledger does not number lots. Lots scrapped show in a row of their own; lots sent back to an
    earlier step show as operations there beyond those that came from the step before. Counted order
    by order, for orders whose last operation lies a while back.
    """
    network = evidence.network
    if not network.branches:
        return
    done: dict[tuple[str, str, int], dict[int, float]] = {}
    last: dict[int, float] = {}
    ids: dict[int, int] = {}
    for one in work_of(evidence).operations:
        for order in one.orders:
            ids.setdefault(order, one.id)
            last[order] = one.ended if one.ended is not None else evidence.now
            if one.ended is not None:
                count = done.setdefault((one.step.site, one.step.product, one.step.step), {})
                count[order] = count.get(order, 0.0) + 1.0
    quiet = {order for order, time in last.items() if time < evidence.now - _settling(evidence)}
    lost = _scrapped(evidence)
    for row in network.branches.values():
        here = done.get((row.site, row.product, row.step), {})
        steps = sorted(step.step for step in network.routings.values()
                       if (step.site, step.product) == (row.site, row.product))
        takes: dict[int, float] = {}
        if row.next == "scrap":
            for one in work_of(evidence).operations:
                if (one.step.site, one.step.product, one.step.step) == (
                        row.site, row.product, row.step) and one.ended is not None:
                    for order, units in zip(one.orders, one.units, strict=True):
                        whole = lost.get((one.ended, order), 0.0) >= units - _SLACK
                        takes[order] = takes.get(order, 0.0) + float(whole)
        elif row.next.isdigit() and int(row.next) in steps and _alone(evidence, row.next, row):
            target = int(row.next)
            before = steps[steps.index(target) - 1] if steps.index(target) else None
            came = done.get((row.site, row.product, before), {}) if before is not None else {}
            if before is None:
                continue
            again = done.get((row.site, row.product, target), {})
            lost_before = _lost_at(evidence, before, row.site, row.product, lost)
            for order in here:
                extra = again.get(order, 0.0) - came.get(order, 0.0) + lost_before.get(order, 0.0)
                takes[order] = min(max(extra, 0.0), here[order])
        else:
            continue
        chosen = [order for order in here if order in quiet]
        if chosen:
            key = f"{row.site},{row.product},{row.step},{row.next}"
            yield (Cell("branches", key, "share", f"{row.share:g}"),
                   Batch.of([ids[order] for order in chosen],
                            [takes.get(order, 0.0) for order in chosen],
                            at=[last[order] for order in chosen],
                            size=[here[order] for order in chosen]))


def _settling(evidence: Evidence) -> float:
    """Hours after which an order has surely gone on if it will."""
    return min(14 * 24.0, (evidence.now - evidence.begin) / 4.0)


def _alone(evidence: Evidence, target: str, row: object) -> bool:
    """Whether only one branch of the product leads to a step."""
    return sum(other.next == target and (other.site, other.product) == (
        getattr(row, "site", ""), getattr(row, "product", ""))
        for other in evidence.network.branches.values()) == 1


def _lost_at(evidence: Evidence, step: int, site: str, product: str,
             lost: dict[tuple[float, int], float]) -> dict[int, float]:
    """Lots that ended a step and were lost there, by order."""
    found: dict[int, float] = {}
    for one in work_of(evidence).operations:
        if (one.step.site, one.step.product, one.step.step) == (site, product, step) \
                and one.ended is not None:
            for order, units in zip(one.orders, one.units, strict=True):
                if lost.get((one.ended, order), 0.0) >= units - _SLACK:
                    found[order] = found.get(order, 0.0) + 1.0
    return found


def _scraps(evidence: Evidence, step: Step) -> bool:
    return (step.site, step.product, step.step, "scrap") in evidence.network.branches


def _scrapped(evidence: Evidence) -> dict[tuple[float, int], float]:
    """Units lost in production, by time and order."""
    rows = evidence.rows("scrapping")
    found: dict[tuple[float, int], float] = {}
    for time, order, quantity in zip(*evidence.arrays(rows, "time", "order", "quantity"),
                                     strict=True):
        found[time, order] = found.get((time, order), 0.0) + quantity
    return found


def _cell(step: Step, column: str, planned: str) -> Cell:
    return Cell("routings", f"{step.site},{step.product},{step.step}", column, planned)


def work_of(evidence: Evidence) -> Work:
    """The operations, replayed once for each evidence."""
    found = evidence.memory.get("work")
    if not isinstance(found, Work):
        found = evidence.memory["work"] = Work(evidence)
    return found
