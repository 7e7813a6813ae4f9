"""Warm-up: how fast a cold place or load warms when the door opens or the cooling fails."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Newton's law: the difference to the surroundings shrinks by e every time constant.

    Parameters
    ----------
    start_c, ambient_c
        At the failure, and around it.
    time_constant
        Hours.

    Examples
    --------
    >>> failure = WarmUp(start_c=5.0, ambient_c=30.0, time_constant=12.0)
    >>> round(failure.hours_to(8.0), 3), round(failure.after(3.0), 2)
    (1.534, 10.53)
    """

    start_c: float
    ambient_c: float
    time_constant: float

    def after(self, hours: float) -> float:
        """Temperature after so many hours, C."""
        return self.ambient_c + (self.start_c - self.ambient_c) * math.exp(
            -hours / self.time_constant)

    def hours_to(self, limit_c: float) -> float:
        """Hours until a limit is reached; infinite when it does not lie ahead."""
        whole, left = self.start_c - self.ambient_c, limit_c - self.ambient_c
        if left == whole:
            return 0.0
        ahead = left / whole if whole else 0.0
        return -self.time_constant * math.log(ahead) if 0.0 < ahead < 1.0 else math.inf


def fit_warm_up(hours: Sequence[float], celsius: Sequence[float], ambient_c: float) -> WarmUp:
    """The warm-up through recorded temperatures, by least squares of the log difference.

    Raises
    ------
    ValueError
        If fewer than two temperatures lie on one side of the surroundings, or none moves.

    Examples
    --------
    >>> seen = WarmUp(5.0, 30.0, 12.0)
    >>> fit = fit_warm_up([0, 1, 2], [seen.after(h) for h in (0, 1, 2)], 30.0)
    >>> round(fit.time_constant, 6), round(fit.start_c, 6)
    (12.0, 5.0)
    """
    side = math.copysign(1.0, ambient_c - celsius[0]) if len(celsius) else 1.0
    points = [(hour, math.log(side * (ambient_c - value)))
              for hour, value in zip(hours, celsius, strict=True)
              if side * (ambient_c - value) > 0]
    mean_x = math.fsum(x for x, _ in points) / max(len(points), 1)
    mean_y = math.fsum(y for _, y in points) / max(len(points), 1)
    square = math.fsum((x - mean_x) ** 2 for x, _ in points)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / square if square else 0.0
    if slope >= 0:
        raise ValueError(f"{len(points)} temperatures do not approach {ambient_c:g} C. Give at "
                         "least two that do.")
    return WarmUp(ambient_c - side * math.exp(mean_y - slope * mean_x), ambient_c, -1.0 / slope)
