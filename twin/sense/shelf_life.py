"""Remaining shelf life: how much of its life a lot has used up, by the temperatures it has seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from twin.readings import Reading
from twin.sense.kinetic import GAS_KJ, PHARMACOPOEIA_KJ, ZERO_C
from twin.sense.statistic import Statistic


class Ageing(Protocol):
    """How long goods keep at a temperature."""

    def life_h(self, celsius: float) -> float:
        """Hours that they keep at a constant temperature, C."""


@dataclass(frozen=True, slots=True)
class Arrhenius:
    """Life that falls with temperature by an activation energy.

    Parameters
    ----------
    life
        Hours, at the temperature `at`.
    at
        C.
    activation_kj
        kJ/mol.

    Examples
    --------
    A vaccine vial monitor of type 14: 14 days at 37 C, 90 days at 25 C (WHO).

    >>> vial = Arrhenius.from_points((37.0, 14 * 24.0), (25.0, 90 * 24.0))
    >>> round(vial.activation_kj, 1), round(vial.life_h(5.0) / 24.0)
    (119.2, 2858)
    """

    life: float
    at: float
    activation_kj: float = PHARMACOPOEIA_KJ

    @classmethod
    def from_points(cls, first: tuple[float, float], second: tuple[float, float]) -> Arrhenius:
        """The law through two pairs of temperature (C) and life (h)."""
        (one_c, one_h), (two_c, two_h) = first, second
        inverse = 1 / (two_c + ZERO_C) - 1 / (one_c + ZERO_C)
        return cls(one_h, one_c, GAS_KJ * math.log(two_h / one_h) / inverse)

    def life_h(self, celsius: float) -> float:
        """Hours that they keep at a constant temperature, C."""
        inverse = 1 / (celsius + ZERO_C) - 1 / (self.at + ZERO_C)
        return self.life * math.exp(self.activation_kj / GAS_KJ * inverse)


@dataclass(frozen=True, slots=True)
class Q10:
    """Life that falls by a factor for every 10 degrees (Labuza).

    Examples
    --------
    >>> round(Q10(life=240.0, at=4.0, q10=2.5).life_h(12.0) / 24.0, 3)
    4.804
    """

    life: float
    at: float
    q10: float = 2.0

    def life_h(self, celsius: float) -> float:
        """Hours that they keep at a constant temperature, C."""
        return float(self.life * self.q10 ** ((self.at - celsius) / 10.0))


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a life.

    Attributes
    ----------
    used
        Share of the life that is gone; 1 or more is spent.
    hours
        Left at the reference temperature.
    """

    used: float
    hours: float


class ShelfLife(Statistic[Reading, Remaining]):
    """Adds up the life that each temperature has cost; a value holds until the next one comes.

    Parameters
    ----------
    ageing
        The law of these goods.
    storage_c
        Temperature of what is to come.
    longest
        Hours that a value is believed without a new one; after it, and before the first one,
        `storage_c` is taken.

    Examples
    --------
    Ten days at 4 C by Q10 of 2.5: three days at 4 C and one at 14 C take 55 % of it.

    >>> life = ShelfLife(Q10(life=240.0, at=4.0, q10=2.5), storage_c=4.0)
    >>> for day, value in [(0, 4.0), (3, 14.0), (4, 4.0)]:
    ...     life.update(Reading(sensor="t", id=str(day), time=86400.0 * day, lot="L1",
    ...                         kind="temperature", value=value))
    >>> round(life.get().used, 4), round(life.get().hours)
    (0.55, 108)
    """

    hears = ("temperature",)

    def __init__(self, ageing: Ageing | None = None, storage_c: float = 5.0,
                 longest: float = math.inf) -> None:
        self.ageing = ageing or Arrhenius(life=8760.0, at=storage_c)
        self.storage_c, self.longest, self.used = storage_c, longest, 0.0
        self._time, self._value = math.nan, math.nan

    def update(self, heard: Reading) -> None:
        """Take in one reading; one from before the last is too late to count."""
        if heard.time < self._time or heard.value != heard.value:
            return
        self.advance(heard.time)
        self._value = heard.value

    def advance(self, time: float) -> None:
        """Let time pass without a reading."""
        if time > self._time:
            hours = (time - self._time) / 3600.0
            if self._value == self._value:
                known = min(hours, self.longest)
                self.used += known / self.ageing.life_h(self._value)
                hours -= known
            if hours > 0:
                self.used += hours / self.ageing.life_h(self.storage_c)
        self._time = time if self._time != self._time else max(time, self._time)

    def get(self) -> Remaining:
        """What is left at the last reading."""
        return Remaining(self.used,
                         max(0.0, 1.0 - self.used) * self.ageing.life_h(self.storage_c))
