"""Docks: doors at which vehicles are loaded and unloaded, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from twin.network import Dock as DockRow
from twin.simulate.kernel import RECEIPT
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.world import World


class Dock:
    """One row of `docks`: `doors` vehicles at a time, first come, first served."""

    def __init__(self, world: World, row: DockRow) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.site = row.site
        self.name = f"{row.site}/{row.direction}"
        self.time = world.streams.draw(f"dock {self.name}", "time", row.time)
        self.busy = 0
        self.doors = row.doors
        self.queue: deque[tuple[float, float, Callable[[Any], None], Any]] = deque()
        self.open = True
        self.stops: dict[str, None] = {}
        self.reset(0.0)

    def visit(self, volume_m3: float, then: Callable[[Any], None], subject: Any) -> None:
        """Take a door, handle the volume, then call ``then(subject)`` and free the door."""
        self.queue.append((self.env._now, volume_m3, then, subject))
        self._next()

    def _next(self) -> None:
        while self.queue and self.open and not self.stops and self.busy < self.doors:
            came, volume, then, subject = self.queue.popleft()
            now = self.env._now
            self.waits += now - came
            self.visits += 1
            self.busy += 1
            self.moment += now
            hours = self.time() + volume * self.row.time_per_m3
            self.env.call(now + hours, RECEIPT, self._done, (then, subject))

    def _done(self, visit: tuple[Callable[[Any], None], Any]) -> None:
        self.busy -= 1
        self.moment -= self.env._now
        then, subject = visit
        then(subject)
        self._next()

    def stop(self, cause: str) -> None:
        """Start no more visits until `restart`; those under way end."""
        self.stops[cause] = None

    def restart(self, cause: str) -> None:
        """One cause of standing still has gone."""
        self.stops.pop(cause, None)
        self._next()

    def set_open(self, is_open: bool) -> None:
        """Open or close by the calendar."""
        self.open = is_open
        self._next()

    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.waits = 0.0
        self.visits = 0
        self.moment = self.busy * now

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        values = {"dock_wait": self.waits, "dock_visits": float(self.visits),
                  "dock_busy_time": self.busy * now - self.moment}
        for measure, value in values.items():
            yield (measure, self.name, "", ""), value

    def samples(self, now: float) -> Iterator[tuple[Key, float]]:
        """Nothing to show."""
        return iter(())
