"""Crews: people who set up, operate, repair or drive; a pool with a size and a calendar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

from twin.network import Crew as CrewRow
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.world import World


class Crew:
    """One row of `crews`. Whoever holds a member pauses while the crew is off duty."""

    def __init__(self, world: World, row: CrewRow) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.name = f"crew {row.crew}"
        self.size = row.size
        self.busy = 0
        self.on_duty = True
        self.queue: list[tuple[int, int, float, Any, Callable[[], None]]] = []
        self.serial = 0
        self.holders: dict[int, Any] = {}
        self.reset(self.env._now)

    def take(self, holder: Any) -> bool:
        """Take a member now, if one is free and nobody waits."""
        if self.busy >= self.size or not self.on_duty or self.queue:
            return False
        self._hold(holder)
        self.requests += 1
        return True

    def ask(self, holder: Any, priority: int, granted: Callable[[], None]) -> None:
        """Take a member as soon as there is one; then call `granted`."""
        self.serial += 1
        heappush(self.queue, (priority, self.serial, self.env._now, holder, granted))
        self._give()

    def withdraw(self, holder: Any) -> None:
        """Ask no longer."""
        self.queue = [entry for entry in self.queue if entry[3] is not holder]
        heapify(self.queue)

    def _hold(self, holder: Any) -> None:
        self.busy += 1
        self.moment += self.env._now * self.on_duty
        self.holders[id(holder)] = holder

    def release(self, holder: Any) -> None:
        """Give a member back."""
        if self.holders.pop(id(holder), None) is None:
            return
        self.busy -= 1
        self.moment -= self.env._now * self.on_duty
        if not self.on_duty:
            holder.restart(self.name)
        self._give()

    def holds(self, holder: Any) -> bool:
        """Whether somebody holds a member."""
        return id(holder) in self.holders

    def _give(self) -> None:
        while self.queue and self.busy < self.size and self.on_duty:
            _, _, asked, holder, granted = heappop(self.queue)
            self.requests += 1
            self.waits += self.env._now - asked
            self._hold(holder)
            granted()

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

    def samples(self, now: float) -> Iterator[tuple[Key, float]]:
        """What a snapshot shows."""
        yield ("busy", self.row.crew, "", ""), float(self.busy)
