"""A plant in a saved state: every lot, where it waits, and the order books."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from twin.simulate.delay import Delay
from twin.simulate.job import Job

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.plant import Plant


def keep(plant: Plant, book: Book) -> dict[str, Any]:
    """Everything that goes on in a plant, but for what its machines do."""
    queues = {name: list(group.queue.jobs()) for name, group in plant.groups.items()}
    outside = {name: [job for job in group.blocked if isinstance(job, Job)]
               for name, group in plant.groups.items()}
    jobs = [*plant.gathering.values(), *(delay.job for delay in plant.delays.values()),
            *(job for found in (*queues.values(), *outside.values()) for job in found),
            *(job for machine in plant.machines for job in machine.batch)]
    return {
        "jobs": [_row(job, book) for job in jobs],
        "gathering": list(plant.gathering),
        "delays": [delay.state() for delay in plant.delays.values()],
        "queues": {name: [job.number for job in found] for name, found in queues.items() if found},
        "outside": {name: [job.number for job in found]
                    for name, found in outside.items() if found},
        "books": [[product, [book.keep(order) for *_, order in sorted(
            maker.book, key=lambda entry: entry[:3])]]
            for product, maker in plant.makers.items() if maker.book],
        "machines": _in_turn(plant),
        "accidents": [machine.name for machine in plant.machines
                      if any(cause.row.cause == "accident" for cause in machine.clocked)],
    }


def _in_turn(plant: Plant) -> list[str]:
    """The machines as they come next: those in work by their start, then the idle ones."""
    idle = {machine.name: place for group in plant.groups.values()
            for place, machine in enumerate(group.idle)}
    return [machine.name for machine in sorted(plant.machines, key=lambda machine: (
        machine.name in idle, idle.get(machine.name, machine.began)))]


def take_up(plant: Plant, state: dict[str, Any], book: Book) -> None:
    """Put every lot and order of a saved plant back; machines and delays go on by themselves."""
    for name in state["accidents"]:
        plant.accident(next(machine for machine in plant.machines if machine.name == name))
    for row in state["jobs"]:
        _fill(plant, row, book)
    order = {name: place for place, name in enumerate(state["machines"])}
    plant.in_turn = sorted(plant.machines, key=lambda machine: order.get(machine.name, len(order)))
    plant.job_number = count(max(plant.known, default=0) + 1).__next__
    for number in state["gathering"]:
        plant.gathering[number] = plant.known[number]
    for name, numbers in state["queues"].items():
        group = plant.groups[name]
        for number in numbers:
            group.queue.push(plant.known[number])
            group.waiting += 1
    for name, numbers in state["outside"].items():
        plant.groups[name].blocked.extend(plant.known[number] for number in numbers)
    for product, numbers in state["books"]:
        for number in numbers:
            plant.maker(product).write_down(book.orders[number])
    for row in state["delays"]:
        delay = plant.delays[row["job"]] = Delay(plant.known[row["job"]])
        delay.resume(row)


def _row(job: Job, book: Book) -> dict[str, Any]:
    """A lot as plain values."""
    now = book.now
    return {"number": job.number, "product": job.maker.product, "order": book.keep(job.order),
            "units": job.units, "place": job.place, "arrived": now - job.arrived,
            "queued": now - job.queued, "released": now - job.released, "begun": now - job.begun,
            "left": job.left, "missing": job.missing,
            "reserved": None if job.reserved is None else job.reserved.row.group,
            "parts": [{"product": part.product, "goods": book.goods([part])}
                      for part in job.components]}


def _fill(plant: Plant, row: dict[str, Any], book: Book) -> None:
    """Make a lot what it was; its units are owed to its order again."""
    now = book.now
    maker = plant.maker(row["product"])
    order = book.orders[row["order"]]
    job = plant.lot(row["number"])
    job.__init__(row["number"], maker, order, row["units"],  # type: ignore[misc]
                 now - row["released"])
    job.place, job.operation = row["place"], maker.operations[row["place"]]
    job.arrived, job.queued = now - row["arrived"], now - row["queued"]
    job.begun, job.left, job.missing = now - row["begun"], row["left"], row["missing"]
    group = job.operation.group
    if group is not None:
        key = (maker.product, order.stream)
        job.sums = group.sums.get(key) or group.sums_of(key)
    if row["reserved"] is not None:
        job.reserved = plant.groups[row["reserved"]]
        job.reserved.reserved += 1
    for part in row["parts"]:
        job.components.extend(book.lots(part["goods"], part["product"]) or ())
    maker.pending[order.number] = maker.pending.get(order.number, 0.0) + job.units
    plant.wip += 1
    plant.capped += not job.inner
