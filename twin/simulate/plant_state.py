"""A plant in a saved state: every lot, where it waits, and the order books."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from twin.simulate.delay import Delay
from twin.simulate.job import Job

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.plant import Plant

_EPS = 1e-9


def keep(plant: Plant, book: Book) -> dict[str, Any]:
    """Every lot, the order books, and what its work centres and machines do not tell."""
    jobs = [*plant.gathering.values(), *(delay.job for delay in plant.delays.values())]
    for group in plant.groups.values():
        jobs += group.queue.jobs()
        jobs += (holder for holder in group.blocked if isinstance(holder, Job))
    jobs += (job for machine in plant.machines for job in machine.batch)
    return {
        "jobs": [_row(job, book) for job in jobs],
        "delays": [delay.state() for delay in plant.delays.values()],
        "books": [[product, [book.keep(order) for *_, order in sorted(
            maker.book, key=lambda entry: entry[:3])]]
            for product, maker in plant.makers.items() if maker.book],
        "accidents": [machine.name for machine in plant.machines
                      if any(cause.row.cause == "accident" for cause in machine.clocked)],
    }


def take_up(plant: Plant, state: dict[str, Any], book: Book) -> None:
    """Put every lot and order of a saved plant back; machines and delays go on by themselves."""
    for name in state["accidents"]:
        plant.accident(next(machine for machine in plant.machines if machine.name == name))
    for row in state["jobs"]:
        _fill(plant, row, book)
    plant.job_number = count(max(plant.known, default=0) + 1).__next__
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
            "left": job.left, "counted": job.counted, "missing": job.missing,
            "onward": job.onward,
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
    job.counted, job.onward = row["counted"], row["onward"]
    if job.missing > _EPS:
        plant.gathering[job.number] = job
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
