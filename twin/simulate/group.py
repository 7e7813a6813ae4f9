"""Work centres: a queue before identical or similar machines, with a finite buffer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from twin.network import Group as GroupRow
from twin.simulate.dispatch import Family, Queue, Wheel, queue_of
from twin.simulate.job import Job
from twin.simulate.kernel import START
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.follow import Planned
    from twin.simulate.machine import Machine
    from twin.simulate.plant import Plant

_MEASURES = ("jobs_queued", "jobs_delayed", "queue_time", "jobs_processed", "process_time",
             "process_time_squared", "units_good", "units_scrapped", "ideal_time")
QUEUED, DELAYED, WAITED, DONE, HOURS, SQUARES, GOOD, SCRAPPED, IDEAL = range(9)


class Group:
    """One work centre of a plant."""

    def __init__(self, plant: Plant, row: GroupRow, families: list[str]) -> None:
        self.plant, self.env, self.row = plant, plant.env, row
        self.name = f"{row.site}/{row.group}"
        self.ledger = plant.world.ledger
        self.buffer = row.buffer
        self.queue: Queue = queue_of(row.dispatch, families)
        self.wheel = self.queue if isinstance(self.queue, Wheel) else None
        self.follows: Planned | None = None  #: the queue, if it follows a plan
        self.machines: list[Machine] = []
        self.idle: deque[Machine] = deque()
        self.reserved = 0
        self.blocked: deque[Any] = deque()  #: machines that hold a lot for this queue
        self.hungry: deque[Machine] = deque()  #: machines that wait for room before they start
        self.before = row.blocking == "before"
        self.key = self.queue.key if row.preempt else None
        self.by_family = isinstance(self.queue, Family)
        self.at_once = not (self.queue.ranked or self.before)
        self.capacity_factor = 1.0
        self.down = 0
        self.waiting = 0  #: lots in the queue, or at a machine that lacks its crew
        self.in_work = 0
        self.sums: dict[tuple[str, str], list[float]] = {}
        self.up_time, self.up_since = 0.0, self.env._now
        self.reset(self.env._now)

    # -- coming in -------------------------------------------------------------------------------
    def has_room(self) -> bool:
        """Whether one more lot may come in."""
        if self.buffer is None:
            return True
        return len(self.queue) + self.reserved < self.buffer + len(self.idle)

    def arrive(self, job: Job) -> None:
        """A lot comes in; there is room."""
        now = self.env._now
        job.arrived = job.queued = now
        job.counted = False
        key = (job.maker.product, job.order.stream)
        job.sums = self.sums.get(key) or self.sums_of(key)
        if self.ledger is not None:
            self.ledger.add(now, "arriving", site=self.row.site, product=job.maker.product,
                            quantity=job.units, order=job.order.number, asset=job.operation.where,
                            role="lot")
        self.queue.push(job)
        self.waiting += 1
        self.length_moment += now
        if not (self.idle and self.call(job.operation.family)) and self.key is not None:
            self._preempt(self.key, job)

    def call(self, family: str | None = None) -> bool:
        """Wake an idle machine, set up for the family if there is one; False if none is ready."""
        if self.follows is not None:
            return self.follows.follower.call(self)
        chosen = None
        for machine in self.idle:
            if not machine.stops and machine.pause.asleep:
                if machine.family == family or not self.by_family:
                    chosen = machine
                    break
                chosen = chosen or machine
        if chosen is None:
            return False
        chosen.pause.wake(START)
        return True

    def _preempt(self, key: Callable[[Job], float], job: Job) -> None:
        """Interrupt the machine with the least urgent lot, if that one is less urgent."""
        worst, worst_key = None, key(job)
        for machine in self.machines:
            running = machine.interruptible()
            if running is not None and key(running) > worst_key:
                worst, worst_key = machine, key(running)
        if worst is not None:
            worst.preempt()

    def next_job(self, machine: Machine) -> Job | None:
        """The next lot for a machine, if one may start."""
        if not self.queue:
            return None
        if self.before:
            return self._next_with_room(machine)
        return self.queue.pop(machine)

    def _next_with_room(self, machine: Machine) -> Job | None:
        """Blocking before service: the first lot whose next work centre has room for it."""
        for job in self.queue.jobs():
            after = job.maker.group_after(job)
            kept = job.reserved is not None  # since before it was interrupted
            if kept or after is None or after.has_room():
                if after is not None and not kept:
                    after.reserved += 1
                    job.reserved = after
                self.queue.take(job)
                return job
            if machine not in after.hungry:
                after.hungry.append(machine)
            if not self.queue.ranked:
                return None
        return None

    def moved(self) -> None:
        """A place has become free: let those in who wait for it."""
        while self.blocked and self.has_room():
            self.blocked.popleft().let_go(self)
        if self.hungry and self.has_room():
            machines, self.hungry = self.hungry, deque()
            for machine in machines:
                machine.pause.wake(START)
        if self.buffer is not None and self.has_room():
            self.plant.release()

    # -- disturbances ----------------------------------------------------------------------------
    def set_capacity_factor(self, factor: float) -> None:
        """Work with a share of the machines from now on (rounded up to whole machines)."""
        self.capacity_factor = factor
        stay = -int(-len(self.machines) * factor // 1)
        for place, machine in enumerate(self.machines):
            if place < stay:
                machine.restart("capacity")
            else:
                machine.stop("capacity")

    def change_down(self, change: int) -> None:
        """A machine goes down or comes up."""
        now = self.env._now
        needed = self.row.needed
        was = len(self.machines) - self.down >= needed
        self.down += change
        is_up = len(self.machines) - self.down >= needed
        if was and not is_up:
            self.up_time += now - self.up_since
        elif is_up and not was:
            self.up_since = now

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """Who waits: lots in the queue and before it, idle machines; each in turn."""
        rows = {"queue": [job.number for job in self.queue.jobs()],
                "outside": [holder.name for holder in self.blocked],
                "idle": [machine.name for machine in self.idle],
                "hungry": [machine.name for machine in self.hungry]}
        return rows if any(rows.values()) else {}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up who waits."""
        for number in state["queue"]:
            self.queue.push(self.plant.known[number])
            self.waiting += 1
        named = self.plant.world.named
        self.blocked.extend(named(name) for name in state["outside"])
        self.idle.extend(named(name) for name in state["idle"])
        self.hungry.extend(named(name) for name in state["hungry"])

    # -- score -----------------------------------------------------------------------------------
    def sums_of(self, key: tuple[str, str]) -> list[float]:
        """The sums of a product and stream, from zero."""
        found = self.sums[key] = [0.0] * len(_MEASURES)
        return found

    def begin(self, job: Job) -> None:
        """Work on a lot begins, or goes on after an interruption: its wait is over."""
        now = self.env._now
        sums = job.sums
        wait = now - job.queued
        self.waiting -= 1
        self.length_moment -= now
        self.in_work += 1
        self.work_moment += now
        sums[WAITED] += wait
        if job.counted:
            job.begun += wait
            return
        job.begun, job.counted = now, True
        sums[QUEUED] += 1.0
        if wait > 0.0:
            sums[DELAYED] += 1.0

    def give_back(self, job: Job, *, waited: bool = False) -> None:
        """An interrupted lot waits again, or still, if its machine `waited` for somebody."""
        self.queue.push(job)
        if waited:
            return
        now = job.queued = self.env._now
        self.in_work -= 1
        self.work_moment -= now
        self.waiting += 1
        self.length_moment += now

    def hold(self, lots: int) -> None:
        """So many more lots stand at the machines: in work taken up again, or done and held."""
        self.in_work += lots
        self.work_moment += lots * self.env._now

    def end(self, job: Job) -> None:
        """Work on a lot has ended."""
        now = self.env._now
        hours = now - job.begun
        sums = job.sums
        sums[DONE] += 1.0
        sums[HOURS] += hours
        sums[SQUARES] += hours * hours
        self.in_work -= 1
        self.work_moment -= now

    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.since = now
        self.length_moment = self.waiting * now
        self.work_moment = self.in_work * now
        for sums in self.sums.values():
            sums[:] = [0.0] * len(_MEASURES)
        self.up_time = 0.0
        self.up_since = now

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        queue = self.waiting * now - self.length_moment
        work = self.in_work * now - self.work_moment
        up = self.up_time
        if len(self.machines) - self.down >= self.row.needed:
            up += now - self.up_since
        yield ("queue_length_time", self.name, "", ""), queue
        yield ("group_wip_time", self.name, "", ""), queue + work
        yield ("group_up_time", self.name, "", ""), up
        yield ("group_clock_time", self.name, "", ""), now - self.since
        for (product, stream), sums in self.sums.items():
            for measure, value in zip(_MEASURES, sums, strict=True):
                yield (measure, self.name, product, stream), value

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("queue", self.name, "", ""), lambda: float(self.waiting)
