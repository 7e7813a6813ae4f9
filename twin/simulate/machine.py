"""Machines: one long-lived process each, that sets up, works, breaks down and waits."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from twin.network import Machine as MachineRow
from twin.simulate.failure import Failure
from twin.simulate.group import IDEAL, Group
from twin.simulate.job import Job
from twin.simulate.kernel import FAILURE, RECEIPT, START, Pause
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.crew import Crew
    from twin.simulate.plant import Plant

_EPS = 1e-9
IDLE, SETUP, BUSY, BLOCKED, STAFF = "idle", "setup", "busy", "blocked", "staff"


class Machine:
    """One machine of a work centre.

    Work is hours at speed 1; it stands still while any cause of `stops` holds, whatever it is:
    a failure, the end of a shift, a crew off duty, a disturbance. Failures that age by working
    are met inside an operation without any event of their own.
    """

    def __init__(self, plant: Plant, row: MachineRow, name: str, group: Group) -> None:
        self.plant, self.env, self.row, self.name, self.group = plant, plant.env, row, name, group
        self.pause = Pause(self.env)
        self.phase = IDLE
        self.job: Job | None = None
        self.batch: list[Job] = []
        self.family: str | None = None
        self.speed = row.speed
        self.left = 0.0  #: hours of work left at speed 1
        self.began = 0.0  #: when the present stretch of work began
        self.working = False
        self.stops: dict[str, None] = {}
        self.downs = 0
        self.wear: list[Failure] = []
        self.clocked: list[Failure] = []
        self.crew: Crew | None = plant.world.crews[row.crew] if row.crew else None
        self.staff: list[Crew] = []
        self.calendar = plant.world.calendar(
            row.calendar or plant.world.network.sites[row.site].calendar, row.site)
        self.preempted = False
        self.redo: str | None = None
        self.resumed: dict[str, Any] | None = None
        self.ledger = plant.world.ledger
        self.since = self.env._now
        self.down_since = self.env._now
        self.reset(self.env._now)

    @property
    def ready(self) -> bool:
        """Whether it may start something."""
        return not self.stops

    # -- life ------------------------------------------------------------------------------------
    def run(self) -> Generator[Pause, Any, None]:
        """Take a lot, set up, work, hand on; again and again."""
        group = self.group
        if self.resumed is not None:
            yield from self._take_up()
        while True:
            job = None if self.stops else group.next_job(self)
            if job is None:
                if group.wheel is not None and not self.stops and (
                        yield from self._turn(group.wheel.following(self.family))):
                    continue
                yield from self._idle()
                continue
            if group.buffer is not None or group.blocked:
                group.moved()
            yield from self._operate(job)
            if not group.at_once:
                yield self.pause.until(self.env._now, START)

    def _idle(self) -> Generator[Pause, Any, None]:
        group = self.group
        group.idle.append(self)
        before = len(group.queue)
        if group.buffer is not None:
            group.moved()
        if len(group.queue) > before:
            yield self.pause.until(self.env._now, START)
        else:
            yield self.pause.idle()
        group.idle.remove(self)

    def _turn(self, family: str) -> Generator[Pause, Any, bool]:
        """Switch to the next family of the wheel, even if it is empty; False if that costs no time."""
        operation = self.plant.operation_of(self.group, family)
        if family == self.family or operation is None:
            return False
        took = yield from self._set_up(operation)
        return took or len(self.group.queue) > 0

    def _operate(self, job: Job) -> Generator[Pause, Any, None]:
        """One operation on a lot, or on a batch of lots."""
        operation, group = job.operation, self.group
        self.job = job
        self.batch = [job]
        if operation.batch > 1:
            self._fill_batch(job)
        if self.crew is not None or operation.crew is not None:
            yield from self._call_staff(operation)
        now = self.env._now
        fresh = job.left is None
        for each in self.batch:
            if fresh:
                group.begin(each)
                each.begun = now
            else:
                group.work_moment += now
                group.in_work += 1
        if operation.family != self.family:
            yield from self._set_up(operation)
        self._phase(BUSY)
        if job.left is None:
            self.left = self._hours(operation)
        else:
            self.left, job.left = job.left, None
        if self.ledger is not None:
            self._write("starting")
        whole = self.left
        if not self.wear and not self.stops and self.left > 0.0:
            self.working, self.began = True, self.env._now
            yield self.pause.lasting(self.left / self.speed, RECEIPT)
            self._worked()
            if self.left > _EPS or self.preempted:
                yield from self._work(whole)
        else:
            yield from self._work(whole)
        if self.preempted:
            self._give_back(job)
            return
        yield from self._hand_on(operation)

    def _hours(self, operation: Any) -> float:
        """Hours of work on the batch, drawn."""
        own = self.row.machine
        if operation.row.per == "batch" or len(self.batch) == 1:
            return float(operation.hours(self.batch[0].units, own))
        return float(sum(operation.hours(job.units, own) for job in self.batch))

    def _worked(self) -> float:
        """A stretch of work has ended; its hours."""
        hours = self.env._now - self.began
        self.left -= hours * self.speed
        self.working = False
        counted = self.env._now - max(self.began, self.reset_at)
        if self.phase == SETUP:
            self.setting += counted
        else:
            self.busy += counted
        return hours

    def _fill_batch(self, job: Job) -> None:
        """Take further lots of the same operation, up to the batch size."""
        queue = self.group.queue
        for other in list(queue.jobs()):
            if len(self.batch) >= job.operation.batch:
                return
            if other.operation is job.operation:
                queue.take(other)
                self.group.left(other)
                self.batch.append(other)

    def _set_up(self, operation: Any) -> Generator[Pause, Any, bool]:
        """Change over to the family of an operation; whether it took time."""
        row = self.plant.world.network.setups.get(
            (self.group.row.site, self.group.row.group, self.family or "", operation.family))
        if row is None:
            hours = operation.setup()
        else:
            hours = self.plant.setup_time(row)
            self.setup_cost += row.cost
        self.setups += 1
        self.family = operation.family
        if hours <= 0.0:
            return False
        self._phase(SETUP)
        self.left = hours * self.speed  # a set-up takes its time whatever the speed
        if self.ledger is not None and self.job is not None:
            self._write("setup")
        yield from self._work(self.left, ageing=False)
        return True

    def _work(self, whole: float, *, ageing: bool = True) -> Generator[Pause, Any, None]:
        """Work off `left` hours, through stops, failures and changes of speed."""
        env = self.env
        while not self.preempted:
            if self.redo == "restart":
                self.left, self.redo = whole, None
            if self.left <= _EPS:
                return
            if self.stops:
                yield self.pause.idle()
                continue
            span = self.left / self.speed
            struck: Failure | None = None
            if ageing:
                for failure in self.wear:
                    margin = failure.margin()
                    if margin < span - _EPS:
                        span, struck = margin, failure
            if span > 0.0:
                self.working, self.began = True, env._now
                yield self.pause.lasting(span, RECEIPT if struck is None else FAILURE)
                worked = self._worked()
                if ageing:
                    for failure in self.wear:
                        failure.worked(worked)
                if struck is not None and struck.margin() > _EPS:
                    continue  # woken for another reason
            if struck is not None:
                struck.strike()

    def _call_staff(self, operation: Any) -> Generator[Pause, Any, None]:
        """Get everybody that the operation needs, always in the same order."""
        crews = {crew.name: crew for crew in (self.crew, operation.crew) if crew is not None}
        self._phase(STAFF)
        for name in sorted(crews):
            crew = crews[name]
            if not crew.take(self):
                assert self.job is not None
                crew.ask(self, self.job.order.priority, self._granted)
                while not crew.holds(self):
                    yield self.pause.idle()
            self.staff.append(crew)

    def _granted(self) -> None:
        self.pause.wake(RECEIPT)

    def _hand_on(self, operation: Any) -> Generator[Pause, Any, None]:
        """The operation is done: free the crew, then each lot goes on as soon as it may."""
        group = self.group
        for crew in self.staff:
            crew.release(self)
        self.staff.clear()
        if self.ledger is not None:
            self._write("completing")
        done, self.batch = self.batch, []
        scrapped = self.redo == "scrap"
        self.redo = None
        for job in done:
            group.end(job)
            sums = group.of(job)
            sums[IDEAL] += operation.ideal_hours(job.units, len(done)) / self.row.speed
            target = self.plant.worked(job, scrapped=scrapped)
            if target is None:
                continue
            if target.has_room():
                self.plant.enter(job, target)
                continue
            self._phase(BLOCKED)
            job.holder = self
            self.job = job
            target.blocked.append(self)
            while job.holder is not None:
                yield self.pause.idle()
        self.job = None
        self._phase(IDLE)

    def let_go(self, group: Group) -> None:
        """The next work centre has room for the lot held here."""
        job = self.job
        assert job is not None
        job.holder = None
        self.plant.enter(job, group)
        self.pause.wake(START)

    def _give_back(self, job: Job) -> None:
        """A preempted lot goes back to the queue with what is left of its work."""
        self.preempted = False
        now = self.env._now
        job.left = max(self.left, _EPS)
        for crew in self.staff:
            crew.release(self)
        self.staff.clear()
        self.group.in_work -= 1
        self.group.work_moment -= now
        self.group.queue.push(job)
        self.group.length_moment += now
        self.job, self.batch = None, []
        self._phase(IDLE)

    # -- stops and disturbances ------------------------------------------------------------------
    def _poke(self) -> None:
        """Let the process look again, at this instant."""
        if self.working and self.pause.callbacks:
            self.pause = self.pause.moved(self.env._now, FAILURE)

    def preempt(self) -> None:
        """Give way to a more urgent lot."""
        self.preempted = True
        self._poke()
        self.pause.wake(FAILURE)

    def stop(self, cause: str) -> None:
        """Stand still until `restart` with the same cause."""
        if cause in self.stops:
            return
        failure = self.plant.failures.get(cause)
        if failure is not None:
            self._down(1)
            if self.phase == BUSY and failure.row.after != "resume":
                self._spoil_work(failure.row.after)
        self.stops[cause] = None
        self._poke()

    def _spoil_work(self, how: str) -> None:
        """Work interrupted by a failure starts anew, or its lot is scrapped."""
        self.redo = how
        if how == "scrap":
            self.left = 0.0

    def restart(self, cause: str) -> None:
        """One cause of standing still has gone."""
        if cause not in self.stops:
            return
        del self.stops[cause]
        if cause in self.plant.failures:
            self._down(-1)
        if not self.stops:
            self.pause.wake(START if self.phase == IDLE else FAILURE)

    def set_open(self, is_open: bool) -> None:
        """Inside or outside the calendar."""
        if is_open:
            self.restart("calendar")
        else:
            self.stop("calendar")

    def break_down(self, repair: float | None = None) -> None:
        """Break down now; `repair` hours, drawn if None."""
        causes = [*self.wear, *self.clocked]
        if not causes:
            causes = [self.plant.accident(self)]
        causes[0].strike(repair)

    def set_speed_factor(self, factor: float) -> None:
        """Work at a share of the speed from now on."""
        if self.working:
            self._worked()
            self.working, self.began = True, self.env._now
        self.speed = self.row.speed * factor
        self._poke()

    def _down(self, change: int) -> None:
        now = self.env._now
        if self.downs == 0:
            self.down_since = now
            self.group.change_down(1)
        self.downs += change
        if self.downs == 0:
            self.down += now - max(self.down_since, self.reset_at)
            self.group.change_down(-1)

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """What it does, with how much work left."""
        now = self.env._now
        left = self.left - ((now - self.began) * self.speed if self.working else 0.0)
        return {"phase": self.phase, "family": self.family, "left": left,
                "jobs": [self.plant.keep(job, book) for job in self.batch or
                         ([self.job] if self.job is not None else [])],
                "worked": now - self.job.begun if self.job is not None else 0.0,
                "crews": [crew.name for crew in self.staff]}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up work; the process goes on where it stood."""
        self.family = state["family"]
        if state["jobs"]:
            self.resumed = dict(state)
            self.resumed["jobs"] = [self.plant.job(row, book) for row in state["jobs"]]

    def _take_up(self) -> Generator[Pause, Any, None]:
        """Go on with the operation of a saved state."""
        state, self.resumed = self.resumed, None
        assert state is not None
        jobs: list[Job] = state["jobs"]
        job = self.job = jobs[0]
        self.batch = jobs
        operation = job.operation
        if state["phase"] == BLOCKED:
            self.batch = []
            self._phase(BLOCKED)
            target = job.operation.group
            if target is not None and target.has_room():
                self.plant.enter(job, target)
            elif target is not None:
                job.holder = self
                target.blocked.append(self)
                while job.holder is not None:
                    yield self.pause.idle()
            self.job = None
            self._phase(IDLE)
            return
        if state["phase"] == STAFF:
            self.batch = []
            yield from self._operate(job)
            return
        for name in state["crews"]:
            crew = self.plant.world.actors[name]
            crew.take(self)
            self.staff.append(crew)
        for _ in jobs:
            self.group.in_work += 1
            self.group.work_moment += self.env._now
        self._phase(state["phase"])
        self.left = state["left"]
        if state["phase"] == SETUP:
            yield from self._work(self.left, ageing=False)
            self._phase(BUSY)
            self.left = self._hours(operation)
        else:
            law = operation.row.process_time
            if (job.units == 1.0 or not operation.per_unit) and law.kind != "constant" \
                    and not operation.own_time:
                self.left = self.plant.world.streams.remaining(
                    f"operation {operation.where}", "process_time", law,
                    state["worked"] * self.speed)
        yield from self._work(self.left)
        if self.preempted:
            self._give_back(job)
            return
        yield from self._hand_on(operation)

    # -- score -----------------------------------------------------------------------------------
    def _phase(self, phase: str) -> None:
        now = self.env._now
        if self.phase == BLOCKED:
            self.blocked += now - max(self.since, self.reset_at)
        self.phase, self.since = phase, now

    def _write(self, event: str) -> None:
        assert self.ledger is not None
        for job in self.batch:
            self.ledger.add(self.env._now, event, site=self.row.site, product=job.maker.product,
                            quantity=job.units, order=job.order.number, asset=self.name)

    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.reset_at = now
        self.busy = self.setting = self.blocked = 0.0
        self.down = self.setup_cost = 0.0
        self.setups = 0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        down = self.down
        if self.downs:
            down += now - max(self.down_since, self.reset_at)
        busy, setup, blocked = self.busy, self.setting, self.blocked
        under_way = now - max(self.began, self.reset_at) if self.working else 0.0
        if self.phase == SETUP:
            setup += under_way
        else:
            busy += under_way
        if self.phase == BLOCKED:
            blocked += now - max(self.since, self.reset_at)
        planned = now - self.reset_at
        if self.calendar is not None:
            planned = self.calendar.hours_between(self.reset_at, now)
        values = {
            "machine_clock_time": now - self.reset_at, "planned_time": planned,
            "busy_time": busy, "setup_time": setup, "setups": float(self.setups),
            "down_time": down, "blocked_time": blocked,
            "machine_cost": (busy + setup) * self.row.cost_per_hour,
            "setup_cost": self.setup_cost, "energy": (busy + setup) * self.row.power_kw,
        }
        for measure, value in values.items():
            yield (measure, self.name, "", ""), value

    def samples(self, now: float) -> Iterator[tuple[Key, float]]:
        """What a snapshot shows."""
        yield ("busy", self.name, "", ""), float(self.working)
