"""Plants: the order book of a site that makes things, its work in process, and what moves it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Failure as FailureRow
from twin.network import Group as GroupRow
from twin.network import Setup
from twin.simulate import plant_state
from twin.simulate.delay import Delay
from twin.simulate.failure import Failure
from twin.simulate.group import GOOD, SCRAPPED, Group
from twin.simulate.job import Job
from twin.simulate.machine import Machine
from twin.simulate.maker import Maker, Operation
from twin.simulate.order import Order
from twin.simulate.workstation import Workstation
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.world import World

_EPS = 1e-9


class Plant:
    """A site with routings: releases lots, moves them from step to step, hands them over."""

    def __init__(self, world: World, site: str) -> None:
        self.world, self.env, self.site = world, world.env, site
        self.name = f"plant {site}"
        network = world.network
        cap = network.sites[site].wip_cap
        self.cap = inf if cap is None else cap
        self.job_number = count(1).__next__
        self.failures = world.failures
        self.makers: dict[str, Maker] = {}
        self.booked: dict[str, Maker] = {}  #: those with orders in their book
        self.products = list(dict.fromkeys(
            row.product for row in network.routings.values() if row.site == site))
        self.groups: dict[str, Group] = {}
        self.machines: list[Machine] = []
        self._build()
        self.delays: dict[int, Delay] = {}
        self.wip = 0
        self.capped = 0  #: lots that count under the cap
        self.releasing = False
        self.gathering: dict[int, Job] = {}  #: lots that wait for components
        self.known: dict[int, Job] = {}  #: lots of a saved state
        self.lots: dict[tuple[str, str], list[float]] = {}
        self.setup_draws: dict[tuple[str, str, str, str], Any] = {}
        self.reset(self.env._now)

    def _build(self) -> None:
        network, site = self.world.network, self.site
        families: dict[str, list[str]] = {}
        for row in network.routings.values():
            if row.site == site and row.group is not None:
                names = families.setdefault(row.group, [])
                family = row.setup_family or row.product
                if family not in names:
                    names.append(family)
        machines = [row for row in network.machines.values() if row.site == site]
        for name in dict.fromkeys([*families, *(row.group for row in machines)]):
            group_row = network.groups.get((site, name)) or GroupRow(site=site, group=name)
            self.groups[name] = Group(self, group_row, families.get(name, []))
        for machine_row in machines:
            group, units = self.groups[machine_row.group], machine_row.units
            for number in range(1, units + 1):
                label = machine_row.machine if units == 1 else f"{machine_row.machine}#{number}"
                machine = Machine(self, machine_row, label, group)
                group.machines.append(machine)
                self.machines.append(machine)

    def start(self) -> None:
        """Start every machine; saved delays go on."""
        for delay in list(self.delays.values()):
            delay.go_on()
        for machine in self.machines:
            self.env.process(machine.run())
        self.release()

    def maker(self, product: str) -> Maker:
        """The maker of a product."""
        return self.makers.get(product) or Maker(self, product)

    def operation_of(self, group: Group, family: str) -> Operation:
        """The first operation of a setup family at a work centre."""
        return next(operation for product in self.products
                    for operation in self.maker(product).operations
                    if operation.group is group and operation.family == family)

    def changeover(self, group: Group, before: str | None, after: str) -> Setup | None:
        """The row of `setups` for a change between two families, if there is one."""
        return self.world.network.setups.get(
            (self.site, group.row.group, before or "", after))

    def setup_time(self, row: Setup) -> float:
        """Hours of a changeover between two families, drawn."""
        key = (row.site, row.group, row.from_family, row.to_family)
        draw = self.setup_draws.get(key)
        if draw is None:
            name = f"setup {row.site}/{row.group}/{row.from_family}/{row.to_family}"
            draw = self.setup_draws[key] = self.world.streams.draw(name, "time", row.time)
        return float(draw())

    def accident(self, machine: Workstation) -> Failure:
        """A cause of failure for a machine that has none of its own."""
        row = FailureRow(asset=machine.name, cause="accident")
        failure = Failure(self.world, row, machine, self.site, by_work=True)
        self.world.add_failure(failure)
        machine.clocked.append(failure)
        return failure

    # -- release ---------------------------------------------------------------------------------
    def accepts(self, maker: Maker, order: Order) -> bool:
        """Whether the first lot of an order could be released now."""
        if self.capped >= self.cap and getattr(order.buyer, "kind", "") != "job":
            return False
        if maker.book and maker.to_release() is not None:
            return False
        return maker.first is None or maker.first.has_room()

    def release(self) -> None:
        """Release lots from the order book as far as cap and first buffers allow."""
        if self.releasing or not self.booked:
            return
        self.releasing = True
        while self.booked:
            best: tuple[int, int] | None = None
            chosen: Maker | None = None
            for maker in list(self.booked.values()):
                order = maker.to_release()
                if order is None or (best is not None and (order.priority, order.number) > best):
                    continue
                inner = getattr(order.buyer, "kind", "") == "job"
                if (inner or self.capped < self.cap) and (
                        maker.first is None or maker.first.has_room()):
                    best, chosen = (order.priority, order.number), maker
            if chosen is None:
                break
            self.release_lot(chosen, chosen.book[0][3])
        self.releasing = False

    def release_lot(self, maker: Maker, order: Order) -> None:
        """Release the next lot of an order; there is room for it."""
        job = maker.next_lot(order)
        now = self.env._now
        self.wip += 1
        self.wip_moment += now
        self.capped += not job.inner
        self._of(job)[0] += 1.0
        if maker.simple:
            self.begin(job)
        else:
            self.gathering[job.number] = job
            maker.gather(job)

    def begin(self, job: Job) -> None:
        """All components are there: to the first step."""
        self.gathering.pop(job.number, None)
        ledger = self.world.ledger
        if ledger is not None:
            ledger.add(self.env._now, "transforming", site=self.site, product=job.maker.product,
                       quantity=job.units, order=job.order.number)
        self._to_step(job)

    def _to_step(self, job: Job) -> None:
        group = job.operation.group
        if group is None:
            delay = self.delays[job.number] = Delay(job)
            delay.start()
        elif group.has_room():
            group.arrive(job)
        else:
            group.blocked.append(job)

    # -- from step to step -----------------------------------------------------------------------
    def step_on(self, job: Job) -> None:
        """A step without a machine is done."""
        target = self.worked(job, scrapped=False)
        if target is not None:
            self._to_step(job)

    def worked(self, job: Job, *, scrapped: bool) -> Group | None:
        """A step is done: count good units and go on; the next work centre, if there is one."""
        maker, operation = job.maker, job.operation
        if scrapped:
            good = 0.0
        elif operation.share is None and maker.yield_factor >= 1.0:
            good = job.units
        else:
            good = operation.good(job.units, maker.yield_factor)
        lost = job.units - good
        if operation.group is not None:
            sums = job.sums
            sums[GOOD] += good
            sums[SCRAPPED] += lost
        if lost > 0.0:
            self._lose(job, lost)
        if good <= _EPS:
            place = -1
        else:
            place = job.place + 1 if operation.luck is None and job.onward is None \
                else maker.next_place(job)
        kept, job.reserved = job.reserved, None
        if kept is not None:
            kept.reserved -= 1
        target = None
        if place < 0:
            if job.units > _EPS:
                self._lose(job, job.units)
            self._end(job, 0.0)
        elif place >= len(maker.operations):
            self._end(job, good)
        else:
            job.place, job.operation = place, maker.operations[place]
            target = job.operation.group
            if target is None:
                self._to_step(job)
        if kept is not None and kept is not target:
            kept.moved()
        return target

    def _lose(self, job: Job, units: float) -> None:
        """Units of a lot are lost; the order still wants them."""
        job.units -= units
        job.maker.lose(job, units)
        ledger = self.world.ledger
        if ledger is not None:
            ledger.add(self.env._now, "scrapping", site=self.site, product=job.maker.product,
                       quantity=units, order=job.order.number)

    def _end(self, job: Job, units: float) -> None:
        now = self.env._now
        self.wip -= 1
        self.wip_moment -= now
        self.capped -= not job.inner
        if units > 0.0:
            sums = self._of(job)
            hours = now - job.released
            sums[1] += 1.0
            sums[2] += units
            sums[3] += hours
            sums[4] += hours * hours
            job.maker.finish(job, units)
        else:
            job.maker.consume(job)
        job.maker.again(job.order)
        self.release()

    def set_yield_factor(self, product: str, factor: float) -> None:
        """Give a share of the usual good units of a product from now on."""
        self.maker(product).yield_factor = factor

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """All lots and where they wait, and the order books."""
        return plant_state.keep(self, book)

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up a saved plant; its machines take up the lots in work themselves."""
        plant_state.take_up(self, state, book)

    def lot(self, number: int) -> Job:
        """A lot of a saved state, known by its number before anything else is."""
        return self.known.setdefault(number, Job.shell(self.site, number))

    # -- score -----------------------------------------------------------------------------------
    def _of(self, job: Job) -> list[float]:
        key = (job.maker.product, job.order.stream)
        found = self.lots.get(key)
        if found is None:
            found = self.lots[key] = [0.0] * 5
        return found

    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.wip_moment = self.wip * now
        for sums in self.lots.values():
            sums[:] = [0.0] * 5

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        yield ("wip_time", self.site, "", ""), self.wip * now - self.wip_moment
        names = ("lots_released", "lots_finished", "units_made", "make_time",
                 "make_time_squared")
        for (product, stream), sums in self.lots.items():
            for measure, value in zip(names, sums, strict=True):
                yield (measure, self.site, product, stream), value

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("wip", self.site, "", ""), lambda: float(self.wip)


def plants_of(world: World) -> dict[str, Plant]:
    """The plants of a network, by site; actors of their own are added to the world."""
    network = world.network
    sites = dict.fromkeys([*(row.site for row in network.machines.values()),
                           *(row.site for row in network.routings.values())])
    plants = {}
    for site in sites:
        plant = plants[site] = Plant(world, site)
        world.actors[plant.name] = plant
        for group in plant.groups.values():
            world.actors[f"group {group.name}"] = group
        for machine in plant.machines:
            world.actors[machine.name] = machine
    return plants
