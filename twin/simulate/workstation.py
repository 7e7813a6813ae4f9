"""Work that can be stopped and slowed down, that wears, and the hours spent on it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from twin.network import Machine as MachineRow
from twin.simulate.failure import Failure
from twin.simulate.job import Job
from twin.simulate.kernel import FAILURE, RECEIPT, START, Pause
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.group import Group
    from twin.simulate.plant import Plant

EPS = 1e-9
IDLE, SETUP, BUSY, BLOCKED, STAFF = "idle", "setup", "busy", "blocked", "staff"


class Workstation:
    """What works off hours: the half of a machine that knows nothing of lots and queues.

    Work is hours at speed 1; it stands still while any cause of `stops` holds, whatever it is: a
    failure, the end of a shift, a crew off duty, a disturbance. Failures that age by working are
    met inside an operation without any event of their own.
    """

    def __init__(self, plant: Plant, row: MachineRow, name: str, group: Group) -> None:
        self.plant, self.env, self.row, self.name, self.group = plant, plant.env, row, name, group
        self.pause = Pause(self.env)
        self.phase = IDLE
        self.job: Job | None = None
        self.speed = self.speed_now = row.speed
        self.left = 0.0  #: hours of work left at speed 1
        self.whole = 0.0  #: hours of the operation at speed 1
        self.began = 0.0  #: when the present stretch of work began
        self.working = False
        self.stops: dict[str, None] = {}
        self.downs = 0  #: causes of failure that hold
        self.wear: list[Failure] = []  #: causes that age by working
        self.clocked: list[Failure] = []  #: causes that age by the clock
        self.preempted = False
        self.unmanned = False  #: its crew left when it stopped
        self.redo: str | None = None  #: what a failure did to the work: restart or scrap
        self.calendar = plant.world.calendar(
            row.calendar or plant.world.network.sites[row.site].calendar, row.site)
        self.blocked_since = self.down_since = self.env._now
        self.reset(self.env._now)

    # -- work ------------------------------------------------------------------------------------
    def _work(self, *, ageing: bool = True, going: bool = False) -> Generator[Pause, Any, None]:
        """Work off `left` hours, through stops, failures and changes of speed.

        A machine of a saved state is `going`: in the middle of a stretch, if it can work.
        """
        env = self.env
        while not self.preempted:
            if not going:
                if self.redo == "restart":
                    self.left, self.redo = self.whole, None
                if self.left <= EPS:
                    return
            if self.stops and not (going and self.unmanned):
                going = False
                yield self.pause.idle()
                continue
            if self.unmanned:
                yield from self._man(going=going)
                going = False
                continue
            span = self.left / self.speed
            struck: Failure | None = None
            if ageing:
                for failure in self.wear:
                    margin = failure.margin()
                    if margin < span - EPS:
                        span, struck = margin, failure
            if span > 0.0 or going:
                going = False
                self.working, self.began = True, env._now
                yield self.pause.lasting(span, RECEIPT if struck is None else FAILURE)
                worked = self._worked()
                if ageing:
                    for failure in self.wear:
                        failure.worked(worked)
                if struck is not None and struck.margin() > EPS:
                    continue  # woken for another reason
            if struck is not None:
                struck.strike()

    def _worked(self) -> float:
        """A stretch of work has ended; its hours."""
        hours = self.env._now - self.began
        self.left -= hours * self.speed
        if self.left > EPS:  # interrupted: the same to the last digit however often it was counted
            self.left = round(self.left, 12)
        self.speed = self.speed_now
        self.working = False
        counted = self.env._now - max(self.began, self.reset_at)
        if self.phase == SETUP:
            self.setting += counted
        else:
            self.busy += counted
        return hours

    # -- stops and disturbances ------------------------------------------------------------------
    def _man(self, *, going: bool = False) -> Generator[Pause, Any, None]:
        """Call the crew back."""
        self.unmanned = False
        yield from ()

    def stretch(self) -> float:
        """Hours of the present stretch of work."""
        return self.env._now - self.began if self.working and self.phase == BUSY else 0.0

    def _poke(self) -> None:
        """Let the process look again, at this instant."""
        if self.working and self.pause.callbacks:
            self.pause = self.pause.moved(self.env._now, FAILURE)

    def preempt(self) -> None:
        """Give way to a more urgent lot."""
        self.preempted = True
        if self.redo == "restart":
            self.left, self.redo = self.whole, None
        self._poke()
        self.pause.wake(FAILURE)

    def stop(self, cause: str) -> None:
        """Stand still until `restart` with the same cause."""
        if cause in self.stops:
            return
        failure = self.plant.failures.get(cause)
        if failure is not None:
            self._down(1)
            if self.phase == BUSY and failure.row.after != "resume" and not failure.servicing:
                self._spoil_work(failure.row.after)
        self.stops[cause] = None
        self._poke()

    def _spoil_work(self, how: str) -> None:
        """Work begun and not done that a failure interrupts starts anew, or its lot is scrapped."""
        left = self.left - ((self.env._now - self.began) * self.speed if self.working else 0.0)
        if not EPS < left < self.whole - EPS:
            return
        if how == "scrap":
            self.left = 0.0
        elif not self.working:
            self.left = self.whole
            return
        self.redo = how

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
        causes = [*self.wear, *self.clocked] or [self.plant.accident(self)]
        for cause in causes:
            if cause.phase == "up":
                cause.strike(repair)
                return

    def set_speed_factor(self, factor: float) -> None:
        """Work at a share of the speed from now on; what was done counts at the old one."""
        self.speed_now = self.row.speed * factor
        if self.working:
            self._poke()
        else:
            self.speed = self.speed_now

    def _down(self, change: int) -> None:
        now = self.env._now
        if self.downs == 0:
            self.down_since = now
            self.group.change_down(1)
        self.downs += change
        if self.downs == 0:
            self.down += now - max(self.down_since, self.reset_at)
            self.group.change_down(-1)

    # -- score -----------------------------------------------------------------------------------
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
            blocked += now - max(self.blocked_since, self.reset_at)
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

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("busy", self.name, "", ""), lambda: float(self.working)
