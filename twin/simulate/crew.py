"""Crews: people who set up, operate, repair or drive; a pool with a size and a calendar."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Protocol

from twin.network import Crew as CrewRow
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.world import World


class Holder(Protocol):
    """Whoever may hold a member: a machine, a step without a machine, a repair."""

    name: str

    def granted(self) -> None:
        """A member is there."""

    def stop(self, cause: str) -> None:
        """The member goes off duty."""

    def restart(self, cause: str) -> None:
        """The member is back."""


class Crew:
    """One row of `crews`. Whoever holds a member pauses while the crew is off duty."""

    def __init__(self, world: World, row: CrewRow) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.name = f"crew {row.crew}"
        self.size = row.size
        self.busy = 0
        self.on_duty = True
        self.queue: list[tuple[int, int, float, Any]] = []
        self.serial = 0
        self.holders: dict[str, Any] = {}
        self.fleets: list[Any] = []  #: whose loads may wait for a driver
        self.reset(self.env._now)

    def take(self, holder: Holder) -> bool:
        """Take a member now, if one is free and nobody waits."""
        if self.busy >= self.size or not self.on_duty or self.queue:
            return False
        self._hold(holder)
        self.requests += 1
        return True

    def ask(self, holder: Holder, priority: int) -> None:
        """Take a member as soon as there is one; the holder learns it by `granted`."""
        self._write_down(holder, priority, self.env._now)
        self._give()

    def _write_down(self, holder: Holder, priority: int, since: float) -> None:
        self.serial += 1
        heappush(self.queue, (priority, self.serial, since, holder))

    def withdraw(self, holder: Holder) -> None:
        """Ask no longer."""
        self.queue = [entry for entry in self.queue if entry[3] is not holder]
        heapify(self.queue)

    def _hold(self, holder: Holder) -> None:
        self.busy += 1
        self.moment += self.env._now * self.on_duty
        self.holders[holder.name] = holder

    def release(self, holder: Holder) -> None:
        """Give a member back."""
        if self.holders.pop(holder.name, None) is None:
            return
        self.busy -= 1
        self.moment -= self.env._now * self.on_duty
        if not self.on_duty:
            holder.restart(self.name)
        self._give()

    def holds(self, holder: Holder) -> bool:
        """Whether somebody holds a member."""
        return holder.name in self.holders

    def awaited_by(self, holder: Holder) -> bool:
        """Whether somebody has asked and waits."""
        return any(entry[3] is holder for entry in self.queue)

    def _give(self) -> None:
        while self.queue and self.busy < self.size and self.on_duty:
            _, _, asked, holder = heappop(self.queue)
            self.requests += 1
            self.waits += self.env._now - asked
            self._hold(holder)
            holder.granted()
        if self.fleets and self.busy < self.size and self.on_duty:
            for fleet in self.fleets:
                fleet.wake()

    def set_open(self, is_open: bool) -> None:
        """On or off duty by the calendar; work in hand stands still meanwhile."""
        if is_open == self.on_duty:
            return
        self.on_duty = is_open
        self.moment += self.busy * self.env._now * (1 if is_open else -1)
        for holder in list(self.holders.values()):
            if is_open:
                holder.restart(self.name)
            else:
                holder.stop(self.name)
        if is_open:
            self._give()

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """Who holds a member, and who has asked for one since when; each in turn."""
        now = self.env._now
        waiting = [[holder.name, priority, now - since]
                   for priority, _, since, holder in sorted(self.queue, key=lambda row: row[:2])]
        return {"holders": list(self.holders), "waiting": waiting} \
            if self.holders or waiting else {}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up who holds a member and who waits for one."""
        for name in state["holders"]:
            self._hold(self.world.named(name))
        for name, priority, age in state["waiting"]:
            self._write_down(self.world.named(name), priority, self.env._now - age)

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.since = now
        self.moment = self.busy * now * self.on_duty
        self.waits = 0.0
        self.requests = 0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        busy = self.busy * now * self.on_duty - self.moment
        calendar = self.world.calendar(self.row.calendar, self.row.site)
        planned = now - self.since if calendar is None else calendar.hours_between(self.since, now)
        values = {"crew_busy_time": busy, "crew_planned_time": planned * self.size,
                  "crew_wait": self.waits, "crew_requests": float(self.requests),
                  "crew_cost": busy * self.row.cost_per_hour}
        for measure, value in values.items():
            yield (measure, self.row.crew, "", ""), value

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("busy", self.row.crew, "", ""), lambda: float(self.busy)
