"""Failures: one cause that stops an asset, its repair, and its preventive service.

The same mechanism stops machines, suppliers, lanes, trucks, storage areas and docks: the asset
only needs ``stop(cause)`` and ``restart(cause)``. A machine or a truck whose failures age by
working tells how long it worked; every other asset ages by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from twin.network import Failure as FailureRow
from twin.simulate.kernel import FAILURE, Call
from twin.simulate.order import Goods, Order
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.crew import Crew
    from twin.simulate.world import World

_EPS = 1e-9


class Failure:
    """One cause of one asset: up, down (waiting for a spare and a crew), in repair.

    Parameters
    ----------
    asset
        What stops; `asset.name` names its luck.
    by_work
        Whether it ages by working hours, told through `worked`.
    """

    kind = "failure"

    def __init__(self, world: World, row: FailureRow, asset: Any, site: str, *,
                 by_work: bool) -> None:
        self.world, self.env, self.row, self.asset = world, world.env, row, asset
        self.site = site
        self.by_work = by_work
        self.name = f"failure {asset.name}/{row.cause}"
        self.cause = self.name
        streams = world.streams
        self.next_life = None if row.time_to_failure is None else streams.draw(
            self.name, "time_to_failure", row.time_to_failure)
        self.repair = streams.draw(self.name, "time_to_repair", row.time_to_repair)
        self.service = streams.draw(self.name, "service_time", row.service_time)
        self.crew: Crew | None = None if row.crew is None else world.crews[row.crew]
        self.phase = "up"
        self.servicing = False
        self.age = 0.0  #: since renewal, by the clock that counts
        self.since = self.env._now  #: of the phase
        self.life = inf
        self.call: Call | None = None
        self.left = 0.0  #: of the repair
        self.forced: float | None = None  #: repair time that a disturbance says
        self.paused: dict[str, None] = {}
        #: working hours of the present stretch, of which `worked` tells when it ends
        self.stretch: Callable[[], float] | None = getattr(asset, "stretch", None)
        self.reset(self.env._now)
        self.resumed = False

    def start(self) -> None:
        """Begin to age; a saved repair that lacks its crew asks for it."""
        if not self.resumed:
            self._renew()
            return
        crew = self.crew
        if crew is not None and (crew.holds(self) or crew.awaited_by(self)):
            return
        if self.phase == "waiting" or (self.phase == "repair" and crew is not None):
            if self.call is not None:
                self.call.cancel()
                self.call = None
            self.phase = "waiting"
            self._call_crew()

    def _renew(self) -> None:
        self.phase, self.since, self.age, self.servicing = "up", self.env._now, 0.0, False
        self.life = inf if self.next_life is None else self.next_life()
        self._arm()

    def _arm(self) -> None:
        if self.by_work:
            return
        due = min(self.life, self._service_age()) - self.age
        if due < inf:
            self.call = self.env.call(self.env._now + max(0.0, due), FAILURE, self._due)

    def _service_age(self) -> float:
        return inf if self.row.service_after is None else self.row.service_after

    def _due(self, _: Any) -> None:
        self.call = None
        if self.phase == "up":
            self.age = min(self.life, self._service_age())
            self.strike()

    # -- ageing by work --------------------------------------------------------------------------
    def margin(self) -> float:
        """Working hours until it strikes."""
        if self.phase != "up":
            return inf
        return max(0.0, min(self.life, self._service_age()) - self.age)

    def worked(self, hours: float) -> None:
        """So many more working hours; the same to the last digit however they were counted."""
        self.age = round(self.age + hours, 12)

    # -- down ------------------------------------------------------------------------------------
    def strike(self, repair: float | None = None, *, service: bool = False) -> None:
        """Stop the asset now, for a failure or, at the service age, for a service."""
        if self.phase != "up":
            return
        if self.call is not None:
            self.call.cancel()
            self.call = None
        now = self.env._now
        self.servicing = service or (repair is None and self._service_age() <= self.age + _EPS
                                     and self._service_age() < self.life)
        self.forced = repair
        self.phase, self.since = "waiting", now
        if self.servicing:
            self.services += 1
            self.cost += self.row.service_cost
        else:
            self.failures += 1
            self.cost += self.row.repair_cost
        ledger = self.world.ledger
        if ledger is not None:
            ledger.add(now, "failing", site=self.site, asset=self.asset.name,
                       cause="service" if self.servicing else self.row.cause)
        if self.row.spare is not None and not self.servicing:
            self.phase = "spare"
            self.asset.stop(self.cause)
            order = Order(self.world.order_number(), self, self.row.spare, 1.0, now)
            if ledger is not None:
                ledger.add(now, "ordering", site=self.site, to_site=self.site,
                           product=order.product, quantity=1.0, order=order.number,
                           asset=self.asset.name, cause=self.row.cause, role="spare")
            self.world.node(self.site, self.row.spare).order(order)
        else:
            self._call_crew()  # its operators may be who mends it, before others get them
            self.asset.stop(self.cause)

    def serve(self) -> None:
        """Service it now, as a plan says, before its age does."""
        if self.phase == "up":
            self.strike(service=True)

    def receive(self, order: Order, quantity: float, goods: Goods) -> None:
        """The spare part is there."""
        order.undelivered -= quantity
        if order.undelivered <= _EPS:
            self.phase = "waiting"
            self._call_crew()

    def short(self, order: Order, quantity: float) -> None:
        """The spare part will not come: mend without it."""
        self.receive(order, quantity, None)

    def adopt(self, order: Order) -> None:
        """Take back an order of a saved state."""

    def _call_crew(self) -> None:
        if self.crew is None:
            self.granted()
        else:
            self.crew.ask(self, 0)

    def granted(self) -> None:
        """Whoever mends it is there."""
        now = self.env._now
        self.wait += now - max(self.since, self.reset_at)
        self.phase, self.since = "repair", now
        if self.forced is not None:
            self.left = self.forced
        else:
            self.left = self.service() if self.servicing else self.repair()
        self._go_on()

    def _go_on(self) -> None:
        if not self.paused:
            self.call = self.env.call(self.env._now + self.left, FAILURE, self._mended)

    def stop(self, cause: str) -> None:
        """The repair crew goes off duty."""
        if self.call is not None and self.phase == "repair":
            self.left = self.call.time - self.env._now
            self.call.cancel()
            self.call = None
        self.paused[cause] = None

    def restart(self, cause: str) -> None:
        """The repair crew is back."""
        self.paused.pop(cause, None)
        if self.phase == "repair" and self.call is None:
            self._go_on()

    def _mended(self, _: Any) -> None:
        self.call = None
        now = self.env._now
        self.repair_hours += now - max(self.since, self.reset_at)
        if self.crew is not None:
            self.crew.release(self)
        self._renew()
        ledger = self.world.ledger
        if ledger is not None:
            ledger.add(now, "repairing", site=self.site, asset=self.asset.name,
                       cause=self.row.cause)
        self.asset.restart(self.cause)

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """Up with an age, or down since when."""
        now = self.env._now
        age = self.age
        if self.phase == "up":
            if not self.by_work:
                age += now - self.since
            elif self.stretch is not None:
                age += self.stretch()
        left = 0.0
        if self.phase == "repair":
            left = self.left if self.call is None else self.call.time - now
        since = 0.0 if self.phase == "up" else now - self.since
        return {"phase": self.phase, "age": age, "since": since, "left": left,
                "servicing": self.servicing, "forced": self.forced}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Take up: what is left of a life or a repair depends on how long it has lasted."""
        self.resumed = True
        now = self.env._now
        row, streams = self.row, self.world.streams
        self.phase, self.age, self.since = state["phase"], state["age"], now - state["since"]
        self.servicing, self.forced = state["servicing"], state["forced"]
        if self.phase == "up":
            self.since = now
            self.life = inf if row.time_to_failure is None else self.age + streams.remaining(
                self.name, "time_to_failure", row.time_to_failure, self.age)
            self._arm()
            return
        self.asset.stop(self.cause)
        if self.phase == "repair":
            law = row.service_time if self.servicing else row.time_to_repair
            certain = self.forced is not None or law.kind == "constant"
            self.left = state["left"] if certain else streams.remaining(
                self.name, "time_to_repair", law, state["since"])
            self._go_on()

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.reset_at = now
        self.failures = self.services = 0
        self.cost = self.wait = self.repair_hours = 0.0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        values = {"failures": float(self.failures), "services": float(self.services),
                  "repair_wait": self.wait, "repair_time": self.repair_hours,
                  "maintenance_cost": self.cost}
        for measure, value in values.items():
            yield (measure, self.asset.name, "", ""), value


class RoadWear:
    """Lets a truck's failures age by the hours that it drives."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        self.name = f"wear {failure.name}"
        self.env = failure.env
        self.rolling_since: float | None = None
        self.call: Call | None = None
        failure.stretch = self.stretch

    def stretch(self) -> float:
        """Hours since the truck started to drive."""
        return 0.0 if self.rolling_since is None else self.env._now - self.rolling_since

    def working(self) -> None:
        """The truck starts to drive."""
        self.rolling_since = self.env._now
        margin = self.failure.margin()
        if margin < inf:
            self.call = self.env.call(self.env._now + margin, FAILURE, self._strike)

    def resting(self) -> None:
        """The truck stands."""
        if self.call is not None:
            self.call.cancel()
            self.call = None
        if self.rolling_since is not None:
            self.failure.worked(self.env._now - self.rolling_since)
            self.rolling_since = None

    def _strike(self, _: Any) -> None:
        self.call = None
        self.resting()
        self.failure.strike()
