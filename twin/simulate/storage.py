"""Storage areas: a volume that many products share; goods that do not fit wait outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import floor, inf
from typing import TYPE_CHECKING, Any

from twin.network import Storage
from twin.simulate.kernel import RECEIPT, Call
from twin.simulate.order import Goods
from twin.simulate.shipment import needs_range, split_goods
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.simulate.shelf import Shelf
    from twin.simulate.world import World

_EPS = 1e-9
#: Hours after which chilled goods on their own warmth are spoiled.
WARM_TOLERANCE_H = 2.0


class Area:
    """One row of `storage`: admits goods first come, first served, as far as there is room."""

    def __init__(self, world: World, row: Storage) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.site, self.area = row.site, row.area
        self.name = f"{row.site}/{row.area}"
        self.capacity = inf if row.capacity_m3 is None else row.capacity_m3
        self.factor = 1.0
        self.used = 0.0
        self.waiting: deque[list[Any]] = deque()  #: [shelf, quantity, goods]
        self.shelves: list[Shelf] = []
        self.stops: dict[str, None] = {}
        self.admitting = False
        self.spoiling: Call | None = None
        self.tolerance = WARM_TOLERANCE_H
        self.full_since = inf
        self.watchers: dict[str, Any] = {}  #: lanes with a truck waiting to unload
        self.reset(self.env._now)

    def hold(self, shelf: Shelf) -> None:
        """A shelf stands here from the start, with what it has."""
        self.shelves.append(shelf)
        shelf.stand_in(self)
        self._use(shelf.on_hand * shelf.thing.volume_m3)

    def admit(self, shelf: Shelf, quantity: float, goods: Goods) -> None:
        """Bring goods in; what has no room waits its turn."""
        self.waiting.append([shelf, quantity, goods])
        self._admit()

    def release(self, volume: float) -> None:
        """Goods have left."""
        self._use(-volume)
        if self.waiting:
            self._admit()

    def set_capacity_factor(self, factor: float) -> None:
        """Change the capacity by a factor; nothing is thrown out."""
        self.factor = factor
        self._admit()

    def _admit(self) -> None:
        if self.admitting:
            return
        self.admitting = True
        while self.waiting and not self.stops:
            entry = self.waiting[0]
            shelf, quantity, goods = entry
            unit = shelf.thing.volume_m3
            room = (self.capacity * self.factor - self.used) / unit + _EPS
            if room >= quantity:
                units = quantity
                self.waiting.popleft()
            else:
                units = float(floor(room))
                if units < 1.0:
                    break
                goods, entry[1] = split_goods(goods, units), quantity - units
            self._use(units * unit)
            shelf.admitted(units, goods)
        self.admitting = False
        now = self.env._now
        if self.waiting and self.full_since == inf:
            self.full_since = now
        elif not self.waiting and self.full_since < inf:
            self.full += now - max(self.full_since, self.since)
            self.full_since = inf
        if self.watchers and not self.waiting:
            lanes, self.watchers = list(self.watchers.values()), {}
            for lane in lanes:
                lane.unblock()

    def _use(self, volume: float) -> None:
        self.used += volume
        self.moment += volume * self.env._now

    # -- stops and excursions --------------------------------------------------------------------
    def stop(self, cause: str) -> None:
        """The area fails: nothing comes in, and its range is not held."""
        self.stops[cause] = None
        self.warm(WARM_TOLERANCE_H)

    def restart(self, cause: str) -> None:
        """One cause of failure has gone."""
        self.stops.pop(cause, None)
        self.cold()
        self._admit()

    def warm(self, tolerance: float) -> None:
        """The range is no longer held: what needs it spoils after so many hours."""
        if self.spoiling is None:
            self.excursions += 1
            self.tolerance = tolerance
            self.spoiling = self.env.call(self.env._now + tolerance, RECEIPT, self._spoil)

    def cold(self) -> None:
        """The range is held again."""
        if self.spoiling is not None and not self.stops:
            self.spoiling.cancel()
            self.spoiling = None

    def _spoil(self, _: Any) -> None:
        for shelf in self.shelves:
            if needs_range(shelf.thing):
                shelf.spoil()
        # what comes in later has as long as this, at most
        self.spoiling = self.env.call(self.env._now + self.tolerance, RECEIPT, self._spoil)

    def state(self, book: Any) -> dict[str, Any]:
        """What waits outside, and since when the range is not held."""
        now = self.env._now
        return {"waiting": [[shelf.name, quantity, book.goods(goods)]
                            for shelf, quantity, goods in self.waiting],
                "used": self.used,
                "spoils_in": None if self.spoiling is None else self.spoiling.time - now}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up a saved area."""
        now = self.env._now
        self.used = state["used"]
        for name, quantity, goods in state["waiting"]:
            shelf = self.world.actors[name]
            self.waiting.append([shelf, quantity, book.lots(goods, shelf.product)])
            shelf.outside += quantity
        self.full_since = now if self.waiting else inf
        if state["spoils_in"] is not None:
            if self.spoiling is not None:
                self.spoiling.cancel()
            self.spoiling = self.env.call(now + state["spoils_in"], RECEIPT, self._spoil)

    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.since = now
        self.moment = self.used * now
        self.full = 0.0
        self.excursions = 0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        full = self.full + (now - max(self.full_since, self.since)
                            if self.full_since < inf else 0.0)
        values = {"volume_time": self.used * now - self.moment, "full_time": full,
                  "excursions": float(self.excursions)}
        for measure, value in values.items():
            yield (measure, self.name, "", ""), value

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("volume", self.name, "", ""), lambda: self.used
