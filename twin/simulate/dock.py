"""Docks: doors at which vehicles are loaded and unloaded, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from twin.network import Dock as DockRow
from twin.network import Site
from twin.simulate.kernel import RECEIPT
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.world import World


class Visit(NamedTuple):
    """A vehicle at a door, or on its way to one."""

    since: float
    volume_m3: float
    extra: float  #: hours on top of what the door takes
    then: Callable[[Any], None]
    subject: Any

    def state(self, book: Any, now: float) -> dict[str, Any]:
        """The visit with the time since it began."""
        row = {"age": now - self.since, "volume": self.volume_m3,
               "visitor": self.then.__self__.name,  # type: ignore[attr-defined]
               "step": self.then.__name__, "load": None, "warm": None}
        if self.extra:
            row["extra"] = self.extra
        if isinstance(self.subject, list):
            row["load"] = book.load(self.subject)
        elif self.subject is not None:
            row["load"], row["warm"] = book.load(self.subject.load), self.subject.warm
        return row

    @classmethod
    def resumed(cls, world: World, row: dict[str, Any], book: Any) -> Visit:
        """The visit that a row of a state says."""
        actor = world.named(row["visitor"])
        subject = None
        if row["load"] is not None:
            subject = book.parts(row["load"])
            if row["warm"] is not None:
                subject = actor.at_door(subject)
                subject.warm = row["warm"]
        return cls(world.env._now - row["age"], row["volume"], row.get("extra", 0.0),
                   getattr(actor, row["step"]), subject)


class Dock:
    """One row of `docks`: `doors` vehicles at a time, first come, first served."""

    def __init__(self, world: World, row: DockRow, name: str = "") -> None:
        self.world, self.env, self.row = world, world.env, row
        self.site = row.site
        self.name = name or f"{row.site}/{row.direction}"
        self.time = world.streams.draw(f"dock {self.name}", "time", row.time)
        self.busy = 0
        self.serving: dict[int, Visit] = {}
        self.serial = 0
        self.doors = row.doors
        self.queue: deque[Visit] = deque()
        self.open = True
        self.stops: dict[str, None] = {}
        self.reset(self.env._now)

    def visit(self, volume_m3: float, then: Callable[[Any], None], subject: Any,
              extra: float = 0.0) -> None:
        """Take a door, handle the volume, then call ``then(subject)`` and free the door."""
        self.queue.append(Visit(self.env._now, volume_m3, extra, then, subject))
        self._next()

    def _next(self) -> None:
        while self.queue and self.open and not self.stops and self.busy < self.doors:
            visit = self.queue.popleft()
            now = self.env._now
            self.waits += now - visit.since
            self.visits += 1
            self.busy += 1
            self.moment += now
            self._serve(self.time() + self._certain(visit), visit._replace(since=now))

    def _certain(self, visit: Visit) -> float:
        """The hours of a visit that are not left to luck."""
        return visit.volume_m3 * self.row.time_per_m3 + visit.extra

    def _serve(self, hours: float, visit: Visit) -> None:
        self.serial += 1
        self.serving[self.serial] = visit
        self.env.call(self.env._now + hours, RECEIPT, self._done, self.serial)

    def _done(self, serial: int) -> None:
        self.busy -= 1
        self.moment -= self.env._now
        visit = self.serving.pop(serial)
        visit.then(visit.subject)
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
        return {"queue": [visit.state(book, now) for visit in self.queue],
                "serving": [visit.state(book, now) for visit in self.serving.values()]}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up the queue and the visits under way."""
        self.queue.extend(Visit.resumed(self.world, row, book) for row in state["queue"])
        for row in state["serving"]:
            visit = Visit.resumed(self.world, row, book)
            extra, age = self._certain(visit), row["age"]
            left = self.world.streams.remaining(
                f"dock {self.name}", "time", self.row.time, max(0.0, age - extra))
            self.busy += 1
            self._serve(left + max(0.0, extra - age), visit)
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


class Hands(Dock):
    """Those who pick and put away at a site: any number of shipments at once, each takes its time.

    By default the `handling_time` of one row of `sites`.
    """

    def __init__(self, world: World, site: Site, row: DockRow | None = None,
                 name: str = "hands") -> None:
        row = row or DockRow(site=site.site, doors=10_000, time=site.handling_time)
        super().__init__(world, row, f"{name} {site.site}")

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """It is time on the way, not a queue."""
        return iter(())
