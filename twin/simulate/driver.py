"""Drivers: a member of a crew for each trip, who may drive only so long without a break."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twin.driver_hours import DriverHours
from twin.network import Crew as CrewRow
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.crew import Crew
    from twin.simulate.truck import Truck

class Driver:
    """The seat of one truck: who sits there is of the truck's crew, for one trip at a time.

    A trip starts when a member is free and on duty, and is driven to its end.
    """

    def __init__(self, truck: Truck, row: CrewRow) -> None:
        self.truck, self.row = truck, row
        self.name = f"driver {truck.name}"
        self.hours = DriverHours(row)
        self.limited = self.hours.limited
        self.wheel_since: float | None = None  #: driving since

    # -- the seat --------------------------------------------------------------------------------
    @property
    def crew(self) -> Crew:
        """The crew that drives."""
        return self.truck.world.crews[self.row.crew]

    def take_seat(self) -> bool:
        """Sit down, if a member of the crew is free."""
        return self.crew.holds(self) or self.crew.take(self)

    def call(self) -> None:
        """Ask for a member: `granted` says when there is one."""
        if not self.take_seat() and not self.crew.awaited_by(self):
            self.crew.ask(self, 0)

    def get_out(self) -> None:
        """The trip is over."""
        self.crew.release(self)

    def granted(self) -> None:
        """A member is there."""
        self.truck.nudge()

    def stop(self, cause: str) -> None:
        """The crew goes off duty: a trip under way is driven to its end."""

    def restart(self, cause: str) -> None:
        """The crew is back."""

    # -- the wheel -------------------------------------------------------------------------------
    def start(self, now: float) -> None:
        """The truck rolls."""
        self.wheel_since = now

    def halt(self, now: float) -> None:
        """The truck stands."""
        if self.wheel_since is not None:
            self.hours.drove(self.wheel_since, now)
        self.wheel_since = None

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """Hours at the wheel since the last break and this day, and what is left of a rest."""
        if not self.limited:
            return {}
        now, since = self.truck.env._now, self.wheel_since
        return self.hours.state(now, None if since is None or since == now else now - since)

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Go on with the hours driven."""
        self.hours.resume(state, self.truck.env._now)

    # -- score: crew and truck keep it -----------------------------------------------------------
    def reset(self, now: float) -> None:
        """Nothing to forget."""

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """Nothing of its own."""
        return iter(())
