"""Driver hours: how long may be driven before a break, and before the day's rest."""

from __future__ import annotations

from copy import copy
from math import ceil, inf
from typing import Any

from twin.network import Crew

_EPS = 1e-9
_DAY_H = 24.0
_KEPT = ("driven", "day_driven", "day_began", "stood_since", "until", "rested")


class DriverHours:
    """The hours at the wheel of one seat.

    After `drive_max` hours there is a break, unless the truck has stood still for as long anyway;
    after `day_max` hours within a day it stands until 24 hours after that day's first start.

    Examples
    --------
    >>> hours = DriverHours(Crew(crew="drivers", drive_max=4.5, break_=0.75))
    >>> hours.drive(0.0, 6.0)  # 4.5 h, a break, and on
    [(0.0, 4.5), (5.25, 6.0)]
    >>> hours.breaks(9.0)
    2
    """

    def __init__(self, row: Crew) -> None:
        self.drive_max = inf if row.drive_max is None else row.drive_max
        self.day_max = inf if row.day_max is None else row.day_max
        self.pause = row.break_ or 0.0
        self.limited = min(self.drive_max, self.day_max) < inf
        self.driven = self.day_driven = 0.0
        self.day_began = self.stood_since = -inf
        self.until = -inf  #: end of the rest under way
        self.rested = 0.0  #: hours of rest within the present leg

    @classmethod
    def recalled(cls, row: Crew, kept: list[float | None]) -> DriverHours:
        """Hours as `kept` wrote them."""
        hours = cls(row)
        for name, value in zip(_KEPT, kept, strict=True):
            setattr(hours, name, -inf if value is None else value)
        return hours

    def kept(self) -> list[float | None]:
        """All that is to be remembered, as plain values."""
        return [None if (value := getattr(self, name)) == -inf else value for name in _KEPT]

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

    def drove(self, begin: float, end: float) -> None:
        """Hours at the wheel that have ended."""
        self.driven += end - begin
        self.day_driven += end - begin
        self.stood_since = end

    def drive(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Be on the way from one moment to another, resting as required; when at the wheel."""
        spans, now = [], begin
        while end - now > _EPS:
            most = self.may_drive(now)
            if most <= 0.0:
                now = min(self.until, end)
                continue
            spans.append((now, min(now + most, end)))
            self.drove(*spans[-1])
            now = spans[-1][1]
        return spans

    def over(self, begin: float, hours: float) -> float:
        """When driving so many hours from a moment on will be over, rests included.

        Examples
        --------
        >>> DriverHours(Crew(crew="drivers", drive_max=4.5, break_=0.75)).over(0.0, 6.0)
        6.75
        """
        if hours == inf:
            return inf
        foreseen, now = copy(self), begin
        while hours > _EPS:
            most = foreseen.may_drive(now)
            if most <= 0.0:
                now = foreseen.until
                continue
            most = min(most, hours)
            foreseen.drove(now, now + most)
            now, hours = now + most, hours - most
        return now

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

    def state(self, now: float, rolling: float | None = None) -> dict[str, float | None]:
        """Hours driven since the last break and this day, and what is left of a rest.

        `rolling`: hours at the wheel until now that `drove` has not been told.
        """
        stood = self.stood_since if rolling is None else now
        return {"driven": self.driven + (rolling or 0.0),
                "day_driven": self.day_driven + (rolling or 0.0),
                "day_age": None if self.day_began == -inf else now - self.day_began,
                "stood_age": None if stood == -inf else now - stood,
                "rest_left": None if self.until == -inf else max(0.0, self.until - now)}

    def resume(self, state: dict[str, Any], now: float) -> None:
        """Go on with the hours driven."""
        self.driven, self.day_driven = state["driven"], state["day_driven"]
        if state["day_age"] is not None:
            self.day_began = now - state["day_age"]
        if state["stood_age"] is not None:
            self.stood_since = now - state["stood_age"]
        if state["rest_left"] is not None:
            self.until = now + state["rest_left"]
            self.rested = state["rest_left"]
