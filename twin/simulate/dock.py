"""Docks: doors at which vehicles are loaded and unloaded, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from twin.network import Dock as DockRow
from twin.network import Site
from twin.simulate.kernel import RECEIPT
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.world import World


class Dock:
    """One row of `docks`: `doors` vehicles at a time, first come, first served."""

    def __init__(self, world: World, row: DockRow, name: str = "") -> None:
        self.world, self.env, self.row = world, world.env, row
        self.site = row.site
        self.name = name or f"{row.site}/{row.direction}"
        self.time = world.streams.draw(f"dock {self.name}", "time", row.time)
        self.busy = 0
        self.serving: dict[int, tuple[float, float, Callable[[Any], None], Any]] = {}
        self.serial = 0
        self.doors = row.doors
        self.queue: deque[tuple[float, float, Callable[[Any], None], Any]] = deque()
        self.open = True
        self.stops: dict[str, None] = {}
        self.reset(self.env._now)

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
            self._serve(self.time() + volume * self.row.time_per_m3, now, volume, then, subject)

    def _serve(self, hours: float, began: float, volume: float, then: Callable[[Any], None],
               subject: Any) -> None:
        self.serial += 1
        self.serving[self.serial] = (began, volume, then, subject)
        self.env.call(self.env._now + hours, RECEIPT, self._done, self.serial)

    def _done(self, serial: int) -> None:
        self.busy -= 1
        self.moment -= self.env._now
        _, _, then, subject = self.serving.pop(serial)
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

    def state(self, book: Any) -> dict[str, Any]:
        """Who waits for a door and who stands at one, each with the time since."""
        now = self.env._now

        def visit(since: float, volume: float, then: Any, subject: Any) -> dict[str, Any]:
            row = {"age": now - since, "volume": volume, "visitor": then.__self__.name,
                   "step": then.__name__, "load": None, "warm": None}
            if isinstance(subject, list):
                row["load"] = book.load(subject)
            elif subject is not None:
                row["load"], row["warm"] = book.load(subject.load), subject.warm
            return row

        return {"queue": [visit(*entry) for entry in self.queue],
                "serving": [visit(*entry) for entry in self.serving.values()]}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up the queue and the visits under way."""
        now = self.env._now
        for kind in ("serving", "queue"):
            for row in state[kind]:
                actor = self.world.named(row["visitor"])
                subject = None
                if row["load"] is not None:
                    subject = book.parts(row["load"])
                    if row["warm"] is not None:
                        subject = actor.at_door(subject)
                        subject.warm = row["warm"]
                then, since = getattr(actor, row["step"]), now - row["age"]
                if kind == "queue":
                    self.queue.append((since, row["volume"], then, subject))
                    continue
                extra = row["volume"] * self.row.time_per_m3
                worked = max(0.0, row["age"] - extra)
                left = self.world.streams.remaining(
                    f"dock {self.name}", "time", self.row.time, worked)
                self.busy += 1
                self._serve(left + max(0.0, extra - row["age"]), since, row["volume"], then,
                            subject)
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


class Hands(Dock):
    """Those who pick and put away at a site: any number of shipments at once, each takes its time.

    The `handling_time` of one row of `sites`.
    """

    def __init__(self, world: World, site: Site) -> None:
        row = DockRow(site=site.site, doors=10_000, time=site.handling_time)
        super().__init__(world, row, f"hands {site.site}")

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """It is time on the way, not a queue."""
        return iter(())
