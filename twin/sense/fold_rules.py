"""What the simulation knows about time and luck, and a fold is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from twin.quantity import Quantity


class Rules(Protocol):
    """Calendars, profiles, forecasts and what is left of a random time."""

    def hours(self, calendars: Sequence[tuple[str, str]], since: float, until: float) -> float:
        """Hours between two times inside all of these calendars, each (name, site)."""

    def shifts(self, calendars: Sequence[tuple[str, str]], since: float,
               until: float) -> list[tuple[float, float]]:
        """The spans within two times that lie inside all of these calendars."""

    def pattern(self, profile: str, since: float, until: float) -> float:
        """Integral of a profile's factor over a span, hours."""

    def factor(self, profile: str, time: float) -> float:
        """A profile's factor at a time."""

    def left(self, law: Quantity, age: float, luck: float) -> float:
        """What is left of a random time that has lasted `age`, at a luck from 0 to 1."""

    def forecaster(self, kind: str, params: dict[str, float]) -> Any:
        """A running forecast with `update`, `state` and `resume`."""
