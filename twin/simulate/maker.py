"""Makers: what a plant can make, step by step, from which components."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from twin.network import BomLine, Step
from twin.simulate.group import Group
from twin.simulate.job import Job
from twin.simulate.order import Lot, Order

if TYPE_CHECKING:
    from twin.simulate.plant import Plant

_EPS = 1e-9
_COUNTED = 100  #: trials that are drawn one by one


class Operation:
    """One step of a routing, with its luck."""

    def __init__(self, plant: Plant, row: Step, group: Group | None) -> None:
        world = plant.world
        self.row = row
        self.group = group
        self.family = row.setup_family or row.product
        where = f"{row.site}/{row.product}/{row.step}"
        self.time = world.streams.draw(f"operation {where}", "process_time", row.process_time)
        self.setup = world.streams.draw(f"operation {where}", "setup_time", row.setup_time)
        self.per_unit = row.per == "unit"
        self.batch = max(1, row.batch)
        no_setup = row.setup_time.kind == "constant" and row.setup_time.mean() == 0.0
        self.sets_up = not no_setup or any(
            (other.site, other.group) == (row.site, row.group)
            for other in world.network.setups.values())
        self.mean = row.process_time.mean()
        self.ideal = row.ideal_time if row.ideal_time is not None else self.mean
        whole = row.yield_.kind == "constant" and row.yield_.mean() == 1.0
        self.share = None if whole else world.streams.draw(f"operation {where}", "yield",
                                                           row.yield_)
        self.where = where
        self.plant = plant
        self.dice = world.streams.uniform(f"operation {where}", "good units")
        branches = [b for b in world.network.branches.values()
                    if (b.site, b.product, b.step) == (row.site, row.product, row.step)]
        self.branches = [(branch.share, branch.next) for branch in branches]
        self.luck = world.streams.uniform(f"operation {where}", "branch") if branches else None
        self.own_time = {
            c.machine: world.streams.draw(f"operation {where}", f"process_time {c.machine}",
                                          c.process_time)
            for c in world.network.capabilities.values()
            if (c.product, c.step) == (row.product, row.step)
        }
        self.crew = world.crews[row.crew] if row.crew else None

    def expected(self, units: float) -> float:
        """Mean hours of work on a lot."""
        return self.mean * units if self.per_unit else self.mean

    def ideal_hours(self, units: float, lots: int) -> float:
        """Ideal hours of one lot of a batch, at speed 1."""
        if self.per_unit:
            return self.ideal * units
        return self.ideal / lots if self.row.per == "batch" else self.ideal

    def hours(self, units: float, machine: str | None) -> float:
        """Hours of work on a lot, drawn (at speed 1)."""
        draw = self.own_time.get(machine, self.time) if self.own_time and machine else self.time
        if not self.per_unit or units == 1.0:
            return draw()
        whole = int(units)
        if whole == units and whole <= 1000 and self.row.process_time.kind != "constant":
            return sum(draw() for _ in range(whole))
        return draw() * units

    def good(self, units: float, factor: float) -> float:
        """Units that come out good; whole units stay whole."""
        if self.share is None and factor >= 1.0:
            return units
        share = min(1.0, max(0.0, (1.0 if self.share is None else self.share()) * factor))
        if units != int(units):
            return units * share
        return _binomial(int(units), share, self.dice)


def _binomial(count: int, share: float, dice: Callable[[], float]) -> float:
    """Successes in so many trials; of many, by the normal approximation."""
    if share <= 0.0 or share >= 1.0:
        return count * share
    if count <= _COUNTED:
        return float(sum(dice() < share for _ in range(count)))
    drawn = count * share + sqrt(count * share * (1.0 - share)) * NormalDist().inv_cdf(
        min(1.0 - 1e-12, max(1e-12, dice())))
    return float(min(count, max(0, round(drawn))))


class Maker:
    """Answers orders for a product by making it, lot by lot."""

    kind = "make"
    take = None

    def __init__(self, plant: Plant, product: str) -> None:
        self.plant, self.world, self.env = plant, plant.world, plant.env
        self.site, self.product = plant.site, product
        self.name = f"maker {self.site}/{product}"
        network = self.world.network
        thing = network.products[product]
        self.lot_size = thing.lot_size
        self.life = thing.shelf_life
        steps = sorted((row for row in network.routings.values()
                        if (row.site, row.product) == (self.site, product)),
                       key=lambda row: row.step)
        self.operations = [
            Operation(plant, row, plant.groups[row.group] if row.group else None)
            for row in steps]
        self.places = {row.step: place for place, row in enumerate(steps)}
        self.first = self.operations[0].group
        self.yield_factor = 1.0
        self.parts = self._parts()
        self.byproducts = [b for b in network.byproducts.values()
                           if (b.site, b.product) == (self.site, product)]
        self.simple = not self.parts
        self.book: list[tuple[bool, int, int, Order]] = []  #: what released lots wait for, first
        self.pending: dict[int, float] = {}  #: order number -> units in released lots
        self.tracing = self.world.tracing or self.life is not None
        plant.makers[product] = self

    def _parts(self) -> list[list[BomLine]]:
        """Bill of materials: for each part the alternatives, in the order tried."""
        lines: dict[tuple[str, str], list[BomLine]] = {}
        for line in self.world.network.bom.values():
            if line.product == self.product and line.site in ("", None, self.site):
                name = ("group", line.alternative) if line.alternative else ("one", line.component)
                lines.setdefault(name, []).append(line)
        return [sorted(found, key=lambda line: line.rank) for found in lines.values()]

    # -- orders ----------------------------------------------------------------------------------
    def order(self, order: Order) -> None:
        """Accept an order, or turn it away where the plant is full and it may be lost."""
        if order.lost_if_short and not self.plant.accepts(self, order):
            lost, order.open = order.open, 0.0
            order.buyer.short(order, lost)
            return
        plant = self.plant
        if (not plant.booked and not plant.releasing
                and (self.lot_size is None or order.open <= self.lot_size)
                and plant.accepts(self, order)):
            plant.release_lot(self, order)  # what the book would do, without writing it down
            return
        self.write_down(order)
        plant.release()

    def write_down(self, order: Order) -> None:
        """Put an order into the book, before all that may have to wait for the cap."""
        outer = getattr(order.buyer, "kind", "") != "job"
        heappush(self.book, (outer, order.priority, order.number, order))
        self.plant.booked[self.product] = self

    def to_release(self) -> Order | None:
        """The order whose next lot is first, if any."""
        while self.book:
            order = self.book[0][3]
            if order.open - self.pending.get(order.number, 0.0) > _EPS:
                return order
            heappop(self.book)
        self.plant.booked.pop(self.product, None)
        return None

    def next_lot(self, order: Order) -> Job:
        """Release one lot of an order."""
        started = self.pending.get(order.number, 0.0)
        rest = order.open - started
        units = rest if self.lot_size is None else min(rest, self.lot_size)
        self.pending[order.number] = started + units
        return Job(self.plant.job_number(), self, order, units, self.env._now)

    def request(self, job: Job, component: str, quantity: float) -> None:
        """Order a component for a lot."""
        world = self.world
        order = Order(world.order_number(), job, component, quantity, self.env._now,
                      due=job.order.due, priority=job.order.priority, stream=job.order.stream)
        if world.ledger is not None:
            world.ledger.add(self.env._now, "ordering", site=self.site, to_site=self.site,
                             product=component, quantity=quantity, order=order.number,
                             parent=job.order.number, role="component")
        world.node(self.site, component).order(order)

    def gather(self, job: Job) -> None:
        """Order all components of a lot; it begins when the last one has come."""
        chosen = []
        for lines in self.parts:
            line = lines[0]
            for other in lines:
                if self.world.node(self.site, other.component).available() \
                        >= other.quantity * job.units:
                    line = other
                    break
            chosen.append((line.component, line.quantity * job.units))
        job.missing = sum(quantity for _, quantity in chosen)
        for component, quantity in chosen:
            self.request(job, component, quantity)

    # -- after a step ----------------------------------------------------------------------------
    def group_after(self, job: Job) -> Group | None:
        """The work centre of the step after this one: a lot that may branch settles it now."""
        if job.onward is None:
            job.onward = self.next_place(job)
        if 0 <= job.onward < len(self.operations):
            return self.operations[job.onward].group
        return None

    def next_place(self, job: Job) -> int:
        """Index of the next step; the number of steps if done, -1 if scrapped."""
        settled, job.onward = job.onward, None
        if settled is not None:
            return settled
        operation = job.operation
        if operation.luck is not None:
            luck = operation.luck()
            for share, target in operation.branches:
                if luck < share:
                    if target == "done":
                        return len(self.operations)
                    return -1 if target == "scrap" else self.places[int(target)]
                luck -= share
        return job.place + 1

    def finish(self, job: Job, units: float) -> None:
        """A lot is done: hand it over."""
        order = job.order
        self.lose(job, units)
        goods = None
        world = self.world
        if self.tracing:
            now = self.env._now
            lot = Lot(world.lot_number(), self.product, units,
                      inf if self.life is None else now + self.life)
            goods = [lot]
            if world.ledger is not None:
                self.consume(job, lot.number)
                world.ledger.add(now, "commissioning", site=self.site, product=self.product,
                                 lot=lot.number, quantity=units, order=order.number)
        order.open = max(0.0, order.open - units)
        for row in self.byproducts:
            node = world.node(self.site, row.byproduct)
            if node.kind == "stock":
                node.put(row.quantity * units)
        world.send(order, units, goods)

    def consume(self, job: Job, lot: int = 0) -> None:
        """Write what a lot was made of; lot 0 where nothing has come of it."""
        world = self.world
        if world.ledger is not None:
            for part in job.components:
                world.ledger.add(self.env._now, "consuming", site=self.site, product=part.product,
                                 lot=lot, parent=part.number, quantity=part.quantity,
                                 order=job.order.number)

    def lose(self, job: Job, units: float) -> None:
        """So many units are no longer in released lots: handed over, or lost."""
        number = job.order.number
        left = self.pending.get(number, 0.0) - units
        if left > _EPS:
            self.pending[number] = left
        else:
            self.pending.pop(number, None)

    def again(self, order: Order) -> None:
        """Make sure that the units an order still lacks will be released."""
        if order.open - self.pending.get(order.number, 0.0) > _EPS and not any(
                entry[3] is order for entry in self.book):
            self.write_down(order)

    # -- what others ask -------------------------------------------------------------------------
    def available(self) -> float:
        """It can always make more."""
        return inf

    def mean_lead(self) -> float:
        """Mean hours of all steps of one lot, without queueing."""
        units = self.lot_size or 1.0
        return sum(operation.expected(units) for operation in self.operations)

    def reset(self, now: float) -> None:
        """The plant keeps the score."""

    def measures(self, now: float) -> Any:
        """The plant keeps the score."""
        return iter(())

    samples = measures
