"""Guard rails: what may be pushed at all, whoever approves and however sure the twin is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from twin.clock import parse_time_of_day
from twin.recommendation import Recommendation


class Rails(BaseModel):
    """Limits of one kind of action, or of all.

    Attributes
    ----------
    value, quantity
        Most money of a recommendation, and most units of one action.
    per_day
        Most pushes in any 24 hours.
    quiet
        Hours in which nothing is pushed automatically, ``22:00-06:00``, UTC.
    stopped
        The kill switch: nothing is pushed.

    Examples
    --------
    >>> Rails(value=1000, quiet=["22:00-06:00"]).is_quiet(time(23, 30))
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None = Field(None, ge=0)
    quantity: float | None = Field(None, ge=0)
    per_day: int | None = Field(None, ge=0)
    quiet: tuple[str, ...] = ()
    stopped: bool = False

    @field_validator("quiet")
    @classmethod
    def _spans(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        for span in spans:
            first, dash, last = span.partition("-")
            if not dash:
                raise ValueError(f"'{span[:40]}' is no span. Write 22:00-06:00.")
            parse_time_of_day(first)
            parse_time_of_day(last)
        return spans

    def is_quiet(self, at: time) -> bool:
        """Whether a time of day lies in a quiet span; one that ends before it starts goes on over
        midnight.
        """
        hour = at.hour + at.minute / 60
        for span in self.quiet:
            first, _, last = span.partition("-")
            low, high = parse_time_of_day(first), parse_time_of_day(last)
            if low <= hour < high or (high < low and not high <= hour < low):
                return True
        return False

    def breaches(self, advice: Recommendation, *, pushed_today: int, now: datetime,
                 automatic: bool) -> list[str]:
        """What stands against pushing a recommendation now; empty if nothing does.

        Parameters
        ----------
        pushed_today
            Pushes of this kind in the last 24 hours.
        automatic
            Whether nobody has approved it: quiet hours bind only then.
        """
        found = []
        if self.stopped:
            found.append("the kill switch is on: nothing is pushed.")
        if self.value is not None and advice.value > self.value:
            found.append(f"it moves {advice.value:,.0f}, and at most {self.value:,.0f} may be "
                         "moved at once.")
        for action in advice.actions:
            if self.quantity is not None and action.quantity > self.quantity:
                found.append(f"{action.sentence()}: at most {self.quantity:g} {action.unit} may be "
                             "moved at once.")
        if self.per_day is not None and pushed_today >= self.per_day:
            found.append(f"{pushed_today} were pushed in the last 24 hours, and at most "
                         f"{self.per_day} may be.")
        if automatic and self.is_quiet(now.time()):
            found.append(f"{now:%H:%M} UTC is a quiet hour ({', '.join(self.quiet)}).")
        return found


def strictest(rails: Sequence[Rails]) -> Rails:
    """All limits at once.

    Examples
    --------
    >>> strictest([Rails(value=100, per_day=5), Rails(value=50)]).value
    50.0
    """
    def least(name: str) -> float | int | None:
        values = [getattr(one, name) for one in rails if getattr(one, name) is not None]
        return min(values) if values else None

    limits: dict[str, Any] = {name: least(name) for name in ("value", "quantity", "per_day")}
    return Rails(**limits, quiet=tuple(span for one in rails for span in one.quiet),
                 stopped=any(one.stopped for one in rails))
