"""Drivers: a member of a crew for each trip, who may drive only so long without a break."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from twin.network import Crew as CrewRow
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.crew import Crew
    from twin.simulate.truck import Truck

_EPS = 1e-9
_DAY_H = 24.0


class Driver:
    """The seat of one truck: who sits there is of the truck's crew, for one trip at a time.

    A trip starts when a member is free and on duty, and is driven to its end. After `drive_max`
    hours at the wheel there is a break, unless the truck has stood still for as long anyway; after
    `day_max` hours within a day it stands until 24 hours after that day's first start.
    """

    def __init__(self, truck: Truck, row: CrewRow) -> None:
        self.truck, self.row = truck, row
        self.name = f"driver {truck.name}"
        self.drive_max = inf if row.drive_max is None else row.drive_max
        self.day_max = inf if row.day_max is None else row.day_max
        self.pause = row.break_ or 0.0
        self.limited = min(self.drive_max, self.day_max) < inf
        self.driven = self.day_driven = 0.0
        self.day_began = self.stood_since = -inf
        self.wheel_since: float | None = None  #: driving since
        self.until = -inf  #: end of the rest under way
        self.rested = 0.0  #: hours of rest within the present leg

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

    # -- hours -----------------------------------------------------------------------------------
    def may_drive(self, now: float) -> float:
        """Hours that may be driven from now on; 0: there is a rest first, which has begun."""
        if self.until > now + _EPS:
            return 0.0
        if self.until > -inf or now - self.stood_since >= self.pause - _EPS:
            self.driven, self.until = 0.0, -inf
        if now >= self.day_began + _DAY_H - _EPS:
            self.day_began, self.day_driven, self.driven = now, 0.0, 0.0
        most = min(self.drive_max - self.driven, self.day_max - self.day_driven)
        if most > _EPS:
            return most
        spent = self.day_driven >= self.day_max - _EPS
        self.until = self.day_began + _DAY_H if spent else now + self.pause
        self.rested += self.until - now
        return 0.0

    def start(self, now: float) -> None:
        """The truck rolls."""
        self.wheel_since = now

    def halt(self, now: float) -> None:
        """The truck stands."""
        if self.wheel_since is not None:
            self.driven += now - self.wheel_since
            self.day_driven += now - self.wheel_since
        self.stood_since, self.wheel_since = now, None

    def breaks(self, hours: float, driven: float | None = None) -> int:
        """How many breaks driving so many hours takes."""
        if self.drive_max == inf:
            return 0
        driven = self.driven if driven is None else driven
        return max(0, ceil((driven + hours) / self.drive_max - 1.0 - 1e-6))

    def rest_before(self, hours: float, planned: float) -> float:
        """How much of a planned rest comes before a leg; the breaks that fall in it do not."""
        if planned - self.breaks(hours, 0.0) * self.pause >= self.pause - 1e-6:
            return planned - self.breaks(hours, 0.0) * self.pause
        return max(0.0, planned - self.breaks(hours) * self.pause)

    def resting(self, now: float) -> float:
        """Hours of rest in the present leg until now."""
        return self.rested - max(0.0, self.until - now)

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Any) -> dict[str, Any]:
        """Hours at the wheel since the last break and this day, and what is left of a rest."""
        if not self.limited:
            return {}
        now = self.truck.env._now
        rolling = 0.0 if self.wheel_since is None else now - self.wheel_since
        stood = now if rolling else self.stood_since
        return {"driven": self.driven + rolling, "day_driven": self.day_driven + rolling,
                "day_age": None if self.day_began == -inf else now - self.day_began,
                "stood_age": None if stood == -inf else now - stood,
                "rest_left": None if self.until == -inf else max(0.0, self.until - now)}

    def resume(self, state: dict[str, Any], book: Any) -> None:
        """Go on with the hours driven."""
        now = self.truck.env._now
        self.driven, self.day_driven = state["driven"], state["day_driven"]
        if state["day_age"] is not None:
            self.day_began = now - state["day_age"]
        if state["stood_age"] is not None:
            self.stood_since = now - state["stood_age"]
        if state["rest_left"] is not None:
            self.until = now + state["rest_left"]
            self.rested = state["rest_left"]

    # -- score: crew and truck keep it -----------------------------------------------------------
    def reset(self, now: float) -> None:
        """Nothing to forget."""

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """Nothing of its own."""
        return iter(())

    def samples(self, now: float) -> Iterator[tuple[Key, float]]:
        """Nothing to show."""
        return iter(())
