"""Machines: one long-lived process each, that sets up, works, breaks down and waits."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from twin.network import Machine as MachineRow
from twin.simulate.group import IDEAL, Group
from twin.simulate.job import Job
from twin.simulate.kernel import RECEIPT, START, Pause
from twin.simulate.workstation import BLOCKED, BUSY, EPS, IDLE, SETUP, STAFF, Workstation

if TYPE_CHECKING:
    from twin.simulate.crew import Crew
    from twin.simulate.dispatch import Wheel
    from twin.simulate.plant import Plant


class Machine(Workstation):
    """One machine of a work centre."""

    def __init__(self, plant: Plant, row: MachineRow, name: str, group: Group) -> None:
        super().__init__(plant, row, name, group)
        self.batch: list[Job] = []  #: the lots in hand, all at the same step
        self.family: str | None = None
        self.family_before: str | None = None
        #: an interrupted one: its family, work left, work done
        self.begun_set_up: tuple[str, float, float] | None = None
        self.certain = False  #: what is left is known, since the work was interrupted before
        self.crew: Crew | None = plant.world.crews[row.crew] if row.crew else None
        self.staff: list[Crew] = []
        self.asking: Crew | None = None  #: the crew that it waits for
        self.resumed: dict[str, Any] | None = None
        self.ledger = plant.world.ledger

    # -- life ------------------------------------------------------------------------------------
    def run(self) -> Generator[Pause, Any, None]:
        """Take a lot, set up, work, hand on; again and again."""
        group, env = self.group, self.env
        queue = env._queue
        worked = False
        if self.resumed is not None:
            worked = yield from self._take_up(self.resumed)
        while True:
            if worked and not group.at_once and queue[0][0] <= env._now:
                yield self.pause.until(env._now, START)
            worked = False
            if group.follows is not None and not self.stops:
                operation = group.follows.follower.ahead(self)
                if operation is not None and operation.family != self.family and operation.sets_up:
                    self.job = None
                    yield from self._set_up(operation)
            job = None if self.stops else group.next_job(self)
            if job is None:
                if group.wheel is not None and not self.stops and (
                        yield from self._turn(group.wheel)):
                    continue
                yield from self._idle()
                continue
            if group.buffer is not None or group.blocked:
                group.moved()
            yield from self._operate(job)
            worked = True

    def _idle(self) -> Generator[Pause, Any, None]:
        group = self.group
        self.phase = IDLE
        if self.stops and group.queue:
            group.call()
        group.idle.append(self)
        before = len(group.queue)
        if group.buffer is not None:
            group.moved()
        if len(group.queue) > before:
            yield self.pause.until(self.env._now, START)
        else:
            yield self.pause.idle()
        group.idle.remove(self)

    def _turn(self, wheel: Wheel) -> Generator[Pause, Any, bool]:
        """Switch to the next family of the wheel, even if it is empty; False if nobody gains."""
        family = wheel.following(self.family)
        if family == self.family:
            return False
        operation = self.plant.operation_of(self.group, family)
        self.job = None
        took = yield from self._set_up(operation)
        return took or (len(wheel) > 0 and not self.group.before)  # there nobody has room

    def _operate(self, job: Job, phase: str = IDLE) -> Generator[Pause, Any, None]:
        """One operation on a lot or on a batch of lots; a saved one from the phase it was in."""
        operation, group = job.operation, self.group
        if phase == IDLE:
            self.job = job
            self.batch = [job]
            if operation.batch > 1 and job.left is None:
                self._fill_batch(job)
        if phase == STAFF or (phase == IDLE and (
                self.crew is not None or operation.crew is not None)):
            self.phase = STAFF
            yield from self._man(going=phase == STAFF)
        if phase in (IDLE, STAFF) and not self.preempted:
            for each in self.batch:
                group.begin(each)
            if operation.family == self.family:
                self.begun_set_up = None
            elif operation.sets_up:
                yield from self._set_up(operation)
            else:
                self.family = operation.family
        elif phase == SETUP:
            yield from self._change_over(going=True)
        if not self.preempted:
            if phase == BUSY:
                yield from self._work(going=True)
            else:
                self.phase = BUSY
                self.certain = job.left is not None
                if job.left is None:
                    self.left = self._hours(operation)
                else:
                    self.left, job.left = job.left, None
                self.whole = self.left
                if self.ledger is not None:
                    self._write("starting")
                if not self.wear and not self.stops and self.left > 0.0:
                    self.working, self.began = True, self.env._now
                    yield self.pause.lasting(self.left / self.speed, RECEIPT)
                    self._worked()
                    if self.left > EPS or self.redo is not None:
                        yield from self._work()
                else:
                    yield from self._work()
        if self.preempted:
            self._give_back(job)
            return
        blocked = self._hand_on(operation)
        if blocked:
            yield from self._hold(blocked)
        self.job = None
        self.phase = IDLE

    def _hours(self, operation: Any) -> float:
        """Hours of work on the batch, drawn."""
        own = self.row.machine
        if operation.row.per == "batch" or len(self.batch) == 1:
            return float(operation.hours(self.batch[0].units, own))
        return float(sum(operation.hours(job.units, own) for job in self.batch))

    def _fill_batch(self, job: Job) -> None:
        """Take further lots of the same operation that wait, up to the batch size."""
        group = self.group
        for other in list(group.queue.jobs() if group.follows is None
                          else group.follows.beside(job)):
            if len(self.batch) >= job.operation.batch:
                break
            if other.operation is job.operation and other.left is None:
                group.queue.take(other)
                self.batch.append(other)
        if group.buffer is not None and len(self.batch) > 1:
            group.moved()

    def _set_up(self, operation: Any) -> Generator[Pause, Any, bool]:
        """Change over to the family of an operation; whether it took time."""
        begun, self.begun_set_up = self.begun_set_up, None
        if begun is not None and begun[0] == operation.family:
            self.left = begun[1]  # an interrupted set-up goes on
            self.whole = self.left + begun[2]
        else:
            row = self.plant.changeover(self.group, self.family, operation.family)
            if row is None:
                hours = float(operation.setup())
            else:
                hours = self.plant.setup_time(row)
                self.setup_cost += row.cost
            if hours <= 0.0 and row is None:
                self.family, self.family_before = operation.family, self.family
                return False
            self.setups += 1
            self.left = self.whole = hours * self.speed  # it takes its time whatever the speed
        self.family, self.family_before = operation.family, self.family
        took = self.left > 0.0
        self.phase = SETUP
        if self.ledger is not None and self.job is not None:
            self._write("setup")
        yield from self._change_over()
        return took

    def _change_over(self, *, going: bool = False) -> Generator[Pause, Any, None]:
        """The work of a set-up; interrupted, it goes on if the same family comes next."""
        yield from self._work(ageing=False, going=going)
        if self.preempted and self.left > EPS:
            self.begun_set_up = (self.family or "", self.left, self.whole - self.left)
            self.family = self.family_before

    def _needed(self) -> list[Crew]:
        """The crews that the lot in hand needs, always in the same order."""
        step = None if self.job is None else self.job.operation.crew
        crews = {crew.name: crew for crew in (self.crew, step) if crew is not None}
        return [crews[name] for name in sorted(crews)]

    def _man(self, *, going: bool = False) -> Generator[Pause, Any, None]:
        """Get everybody that the operation needs; who stands still asks for nobody."""
        needed = self._needed()
        if going and (self.stops or self.asking is not None):
            yield self.pause.idle()
        while len(self.staff) < len(needed) and not self.preempted and self.redo != "scrap":
            crew = needed[len(self.staff)]
            if crew.holds(self) or (not self.stops and self.asking is None and crew.take(self)):
                self.asking = None
                self.staff.append(crew)
                continue
            if not self.stops and self.asking is None:
                assert self.job is not None
                self.asking = crew
                crew.ask(self, self.job.order.priority)
                if crew.holds(self):
                    continue
            yield self.pause.idle()
        self.unmanned = False

    def stop(self, cause: str) -> None:
        """Stand still until `restart` with the same cause; the crew is free meanwhile."""
        super().stop(cause)
        if (self.staff or self.asking) and all(crew.name != cause for crew in self._needed()):
            self._free_staff()
            self.unmanned = True

    def granted(self) -> None:
        """Somebody whom it waited for is there."""
        self.pause.wake(RECEIPT)

    def _hand_on(self, operation: Any) -> list[Job]:
        """The operation is done: free the crew, let each lot go on; those that have to wait."""
        group, plant = self.group, self.plant
        self._free_staff()
        if self.ledger is not None:
            self._write("completing")
        done, self.batch = self.batch, []
        scrapped = self.redo == "scrap"
        self.redo = None
        blocked: list[Job] = []
        for job in done:
            group.end(job)
            job.sums[IDEAL] += operation.ideal_hours(job.units, len(done)) / self.row.speed
            target = plant.worked(job, scrapped=scrapped)
            if target is None:
                continue
            if target.buffer is None or target.has_room():
                target.arrive(job)
            else:
                blocked.append(job)
        return blocked

    def _free_staff(self) -> None:
        self.unmanned = False
        if self.asking is not None:
            self.asking.withdraw(self)
            self.asking.release(self)
            self.asking = None
        if self.staff:
            staff, self.staff = self.staff, []
            for crew in staff:
                crew.release(self)

    def _hold(self, jobs: list[Job], *, going: bool = False) -> Generator[Pause, Any, None]:
        """Hold done lots until the next work centre of each has room."""
        self.phase, self.blocked_since = BLOCKED, self.env._now
        self.batch = jobs
        if not going:
            self.group.hold(len(jobs))
        while jobs:
            job = self.job = jobs[0]
            target = job.operation.group
            if target is not None:
                job.holder = self
                if not going or self not in target.blocked:
                    target.blocked.append(self)
                    target.moved()
                going = False
                while job.holder is not None:
                    yield self.pause.idle()
            jobs.pop(0)
            self.group.hold(-1)
        self.blocked += self.env._now - max(self.blocked_since, self.reset_at)

    def let_go(self, group: Group) -> None:
        """The next work centre has room for the lot held here."""
        job = self.job
        assert job is not None
        job.holder = None
        group.arrive(job)
        self.pause.wake(START)

    def interruptible(self) -> Job | None:
        """The lot that it works on, or is about to, if another may interrupt it."""
        if self.phase in (BUSY, SETUP, STAFF) and len(self.batch) == 1 and not self.preempted:
            return self.job
        return None

    def _give_back(self, job: Job) -> None:
        """An interrupted lot goes back to the queue with what is left of its work."""
        if self.phase == BUSY:
            job.left = max(self.left, EPS)
        self.preempted, self.redo = False, None
        self._free_staff()
        self.group.give_back(job, waited=self.phase == STAFF)
        self.job, self.batch = None, []
        self.phase = IDLE

    def _write(self, event: str) -> None:
        assert self.ledger is not None
        for job in self.batch:
            self.ledger.add(self.env._now, event, site=self.row.site, product=job.maker.product,
                            quantity=job.units, order=job.order.number, asset=self.name)

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """What it does, to which lots, and with how much work done and left."""
        at_work, begun = self.phase in (SETUP, BUSY), self.begun_set_up
        left = self.left - ((self.env._now - self.began) * self.speed if self.working else 0.0)
        return {"phase": self.phase, "family": self.family, "before": self.family_before,
                "left": left if at_work else 0.0, "worked": self.whole - left if at_work else 0.0,
                "certain": at_work and self.certain,
                "redo": self.redo, "jobs": [job.number for job in self.batch],
                "begun_set_up": None if begun is None else list(begun)}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up work; the process goes on where it stood."""
        self.family, self.family_before = state["family"], state["before"]
        begun = state["begun_set_up"]
        self.begun_set_up = None if begun is None else tuple(begun)
        self.resumed = {name: state[name]
                        for name in ("phase", "left", "worked", "certain", "redo")}
        self.batch = [self.plant.known[number] for number in state["jobs"]]
        if state["phase"] == STAFF:
            self.group.waiting += len(self.batch)
        else:
            self.group.in_work += len(self.batch)

    def _take_up(self, state: dict[str, Any]) -> Generator[Pause, Any, bool]:
        """Go on with what a saved machine did; whether that was an operation."""
        self.resumed = None
        phase = state["phase"]
        if self in self.group.idle:
            yield self.pause.idle()
            self.group.idle.remove(self)
            return False
        if not self.batch:
            if phase == SETUP:  # of a wheel, for an empty family
                self.phase, self.left = SETUP, self._setup_left(state)
                self.whole = self.left + state["worked"]
                yield from self._change_over(going=True)
            return False
        self.job, self.phase, self.redo = self.batch[0], phase, state["redo"]
        if phase == BLOCKED:
            yield from self._hold(self.batch, going=True)
            self.job, self.phase = None, IDLE
            return True
        needed = self._needed()
        self.staff = [crew for crew in needed if crew.holds(self)]
        self.asking = next((crew for crew in needed if crew.awaited_by(self)), None)
        self.unmanned = len(self.staff) < len(needed)
        if phase == SETUP:
            self.left = self._setup_left(state)
        elif phase == BUSY:
            self.left = self._left(self.job.operation, state)
        self.whole, self.certain = self.left + state["worked"], state["certain"]
        yield from self._operate(self.job, phase)
        return True

    def _setup_left(self, state: dict[str, Any]) -> float:
        """Work left of a set-up in a saved state: drawn, given how long it has lasted."""
        operation = self.plant.operation_of(self.group, self.family or "")
        row = self.plant.changeover(self.group, self.family_before, self.family or "")
        law = operation.row.setup_time if row is None else row.time
        if law.kind in ("constant", "series", "ar1"):
            return float(state["left"])
        speed = self.row.speed
        return speed * float(self.plant.world.streams.remaining(
            self.name, "setup", law, state["worked"] / speed))

    def _left(self, operation: Any, state: dict[str, Any]) -> float:
        """Work left of an operation in a saved state: drawn, given what was done, if it can be."""
        law = operation.row.process_time
        one = operation.row.per == "batch" or (len(self.batch) == 1 and (
            operation.row.per == "lot" or self.batch[0].units == 1.0))
        if state["certain"] or not one or operation.own_time or \
                law.kind in ("constant", "series", "ar1"):
            return float(state["left"])
        return float(self.plant.world.streams.remaining(
            f"operation {operation.where}", "process_time", law, state["worked"]))
