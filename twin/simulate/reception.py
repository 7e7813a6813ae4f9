"""Receiving windows: a site takes goods in at certain hours, and each stop takes its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Dock as DockRow
from twin.network import Site
from twin.network import Window as WindowRow
from twin.simulate.calendar import rows_of_day
from twin.simulate.dock import Dock, Hands, Visit
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.world import World


_EPS = 1e-6  #: hours


class Reception:
    """The rows of `windows` of one site: what comes outside them waits for the next window.

    A stop that began within a window is served to its end. Inside, goods take a door of the site's
    inbound dock, if it has one.
    """

    def __init__(self, world: World, site: Site, rows: list[WindowRow], dock: Dock | None) -> None:
        self.world, self.env, self.rows = world, world.env, rows
        self.site, self.name = site.site, f"reception {site.site}"
        self.calendar = world.calendar(rows[0].calendar, site.site)
        self.own = dock is None
        self.dock = dock or Hands(world, site, DockRow(site=site.site, doors=10_000), "stop")
        self.open = True
        self.closed = -inf
        self.queue: deque[Visit] = deque()
        self.reset(self.env._now)

    def visit(self, volume_m3: float, then: Callable[[Any], None], subject: Any) -> None:
        """Wait for a window, then for a door; call ``then(subject)`` when all is off the truck."""
        self.queue.append(Visit(self.env._now, volume_m3, 0.0, then, subject))
        self._next()

    def _next(self) -> None:
        now = self.env._now
        while self.queue and (self.open or now <= self.closed + _EPS):
            visit = self.queue.popleft()
            self.waits += now - visit.since
            self.visits += 1
            self.dock.visit(visit.volume_m3, visit.then, visit.subject, self.service())

    def service(self) -> float:
        """Hours that a stop takes now, by the window that is open."""
        assert self.calendar is not None
        now = (self.world.network.start + timedelta(hours=self.env._now)).astimezone(
            self.calendar.zone)
        hour = now.hour + now.minute / 60.0 + (now.second + now.microsecond / 1e6) / 3600.0
        held = [row.service for row in rows_of_day(self.rows, now.date())
                if row.open - _EPS <= hour <= row.close + _EPS]
        return max(held, default=0.0)

    def set_open(self, is_open: bool) -> None:
        """A window opens or closes; who comes at its last instant is in time."""
        if self.open and not is_open:
            self.closed = self.env._now
        self.open = is_open
        self._next()

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """Who waits for a window, each with the time since."""
        now = self.env._now
        return {"queue": [visit.state(book, now) for visit in self.queue]}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up the queue; the calendar says next whether the window is open."""
        self.open = False
        self.queue.extend(Visit.resumed(self.world, row, book) for row in state["queue"])

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.waits = 0.0
        self.visits = 0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset; a dock behind counts its visits itself."""
        yield ("dock_wait", self.name, "", ""), self.waits
        if self.own:
            yield ("dock_visits", self.name, "", ""), float(self.visits)


def receptions_of(world: World) -> dict[str, Reception]:
    """The reception of every site that has windows."""
    rows: dict[str, list[WindowRow]] = {}
    for row in world.network.windows.values():
        rows.setdefault(row.site, []).append(row)
    return {site: Reception(world, world.network.sites[site], mine, world.docks.get((site, "in")))
            for site, mine in rows.items()}
