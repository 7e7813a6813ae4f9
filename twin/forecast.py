"""A forecast: what is expected of a series after an origin, as quantiles for each step."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles of one series, step by step after its origin.

    Parameters
    ----------
    series
        What is forecast, such as ``demand[W,tea]``.
    origin
        The moment that nothing after is known of, ISO 8601.
    step_h
        Hours between steps; the first step ends `step_h` after the origin.
    mean
        The point forecast of each step.
    levels
        Probabilities of the quantiles, rising.
    quantiles
        For each step the value at each level, rising.
    method
        What made it, and why it was chosen.

    Raises
    ------
    ValueError
        If the numbers do not fit together.

    Examples
    --------
    >>> week = Forecast("demand[W,tea]", "2026-05-12", 24.0, (10.0, 12.0), (0.1, 0.5, 0.9),
    ...                 ((7.0, 10.0, 14.0), (8.0, 12.0, 17.0)))
    >>> week.at(1, 0.9), week.horizon, Forecast.from_document(week.document()) == week
    (17.0, 2, True)
    """

    series: str
    origin: str
    step_h: float
    mean: tuple[float, ...]
    levels: tuple[float, ...] = ()
    quantiles: tuple[tuple[float, ...], ...] = ()
    method: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.step_h < math.inf:
            raise ValueError(f"forecast {self.series}: step_h {self.step_h} is no time. Write "
                             "hours above 0.")
        if sorted(set(self.levels)) != list(self.levels) or not all(
                0.0 < level < 1.0 for level in self.levels):
            raise ValueError(f"forecast {self.series}: levels {self.levels} do not rise between 0 "
                             "and 1. Write 0.1, 0.5, 0.9, say.")
        wanted = len(self.mean) if self.levels else 0
        if len(self.quantiles) != wanted:
            raise ValueError(f"forecast {self.series}: {len(self.quantiles)} steps have quantiles, "
                             f"not {wanted}. Give each step its own.")
        for step, values in enumerate(self.quantiles):
            if len(values) != len(self.levels) or list(values) != sorted(values):
                raise ValueError(f"forecast {self.series}: the quantiles {values} of step {step} "
                                 f"do not rise with {self.levels}. Give one a level, sorted.")

    @property
    def horizon(self) -> int:
        """How many steps are forecast."""
        return len(self.mean)

    def at(self, step: int, level: float) -> float:
        """A quantile of a step (0 is the first); between levels it is interpolated."""
        if not self.levels[0] <= level <= self.levels[-1]:
            raise ValueError(f"forecast {self.series}: level {level} is outside "
                             f"{self.levels[0]} to {self.levels[-1]}.")
        above = next(i for i, known in enumerate(self.levels) if known >= level)
        values = self.quantiles[step]
        if self.levels[above] == level or above == 0:
            return values[above]
        low, high = self.levels[above - 1], self.levels[above]
        return values[above - 1] + (level - low) / (high - low) * (values[above]
                                                                  - values[above - 1])

    def document(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return asdict(self)

    @classmethod
    def from_document(cls, values: dict[str, Any]) -> Forecast:
        """The forecast that a mapping says."""
        return cls(**{**values, "mean": tuple(values["mean"]),
                      "levels": tuple(values.get("levels", ())),
                      "quantiles": tuple(map(tuple, values.get("quantiles", ())))})


def write_forecasts(path: Path | str, forecasts: Iterable[Forecast]) -> None:
    """Write forecasts as JSON."""
    documents = [forecast.document() for forecast in forecasts]
    Path(path).write_text(json.dumps({"forecasts": documents}, indent=1) + "\n", encoding="utf-8")


def read_forecasts(path: Path | str) -> list[Forecast]:
    """Read forecasts that `write_forecasts` wrote.

    Raises
    ------
    ValueError
        If the file holds no forecasts, with the reason.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        return [Forecast.from_document(values) for values in found["forecasts"]]
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no forecasts ({error}). Give a file that "
                         "write_forecasts wrote.") from None
