"""Mean kinetic temperature: the one temperature that would have aged goods as much."""

from __future__ import annotations

import math
from collections.abc import Sequence

from twin.readings import Reading
from twin.sense.statistic import Statistic

#: Degrees Celsius to Kelvin.
ZERO_C = 273.15
#: Gas constant, kJ/(mol K).
GAS_KJ = 8.314462618e-3
#: Activation energy of most medicines by the pharmacopoeia (USP <1079.2>), kJ/mol.
PHARMACOPOEIA_KJ = 83.144


def mean_kinetic_temperature(celsius: Sequence[float], weights: Sequence[float] | None = None, *,
                             activation_kj: float = PHARMACOPOEIA_KJ) -> float:
    """Mean kinetic temperature of recorded temperatures (Haynes 1971).

    Parameters
    ----------
    celsius
        Temperatures, C.
    weights
        Time that each stands for; none means equal.
    activation_kj
        Activation energy, kJ/mol.

    Examples
    --------
    >>> round(mean_kinetic_temperature([20.0] * 11 + [30.0]), 2)
    21.38
    """
    weights = [1.0] * len(celsius) if weights is None else weights
    if not celsius or math.fsum(weights) <= 0:
        return math.nan
    ratio = activation_kj / GAS_KJ
    total = math.fsum(weight * math.exp(-ratio / (value + ZERO_C))
                      for value, weight in zip(celsius, weights, strict=True))
    return ratio / -math.log(total / math.fsum(weights)) - ZERO_C


class KineticMean(Statistic[Reading, float]):
    """Mean kinetic temperature of a stream; each value counts until the next one comes.

    Parameters
    ----------
    activation_kj
        Activation energy, kJ/mol.
    longest
        Hours that a value is believed without a new one.

    Examples
    --------
    >>> mean = KineticMean()
    >>> for hour, value in [(0, 20.0), (11, 30.0), (12, 20.0)]:
    ...     mean.update(Reading(sensor="t", id=str(hour), time=3600.0 * hour, site="W",
    ...                         kind="temperature", value=value))
    >>> round(mean.get(), 2)
    21.38
    """

    hears = ("temperature",)

    def __init__(self, activation_kj: float = PHARMACOPOEIA_KJ, longest: float = math.inf) -> None:
        self.ratio, self.longest = activation_kj / GAS_KJ, longest
        self.hours, self._aged = 0.0, 0.0
        self._time, self._value = math.nan, math.nan

    def update(self, heard: Reading) -> None:
        """Take in one reading; one from before the last is too late to count."""
        if heard.time < self._time or heard.value != heard.value:
            return
        if self._value == self._value:
            hours = min((heard.time - self._time) / 3600.0, self.longest)
            self.hours += hours
            self._aged += hours * math.exp(-self.ratio / (self._value + ZERO_C))
        self._time, self._value = heard.time, heard.value

    def get(self) -> float:
        """The mean, C; the only value when there is but one, NaN before it."""
        if not self.hours:
            return self._value
        return self.ratio / -math.log(self._aged / self.hours) - ZERO_C
