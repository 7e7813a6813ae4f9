"""Methods of forecasting: siblings of one contract, own ones and those of a library.

A method takes a series (without its season) and a number of steps, and gives one value a step.
Own ones need NumPy alone; the library's are used where the extra `forecast` is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from twin.calibrate import intermittent
from twin.calibrate.season import Array

Steps = Callable[[Array, int], Array]

_LEAST = 12  #: values that the library's methods need for their parameters


class LibraryMissing(ValueError):
    """A forecasting library that was asked for and is not installed."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method by its name; `member` says whether the combination listens to it."""

    name: str
    steps: Steps
    member: bool = False


def has_library() -> bool:
    """Whether statsforecast is installed."""
    return find_spec("statsforecast") is not None


def methods(y: Array, *, absolute: bool = False, library: bool | None = None) -> list[Method]:
    """The methods to choose from for a series without its season.

    Parameters
    ----------
    absolute
        Whether absolute errors count, whose best forecast is the median; else squared ones.
    library
        Whether the library's methods are among them; None: if it is installed.

    Raises
    ------
    LibraryMissing
        If they are asked for and it is not installed.

    Examples
    --------
    >>> [method.name for method in methods(np.array([0.0, 0.0, 4.0, 0.0]))]
    ['Croston', 'SBA', 'TSB', 'ADIDA', 'SES', 'mean']
    >>> [method.name for method in methods(np.arange(9.0) + 1, library=False)]
    ['naive', 'SES', 'Theta']
    """
    if library and not has_library():
        raise LibraryMissing("statsforecast is not installed, and its methods were asked for. "
                             "Install it with: pip install 'twin[forecast]'.")
    if intermittent.is_intermittent(y):
        found = _INTERMITTENT
    else:
        found = _REGULAR if library is False or not has_library() else _library()
    return [*found, *([_MEDIAN] if absolute else [])]


def _flat(level: Callable[[Array], float]) -> Steps:
    return lambda y, h: np.full(h, level(y))


def theta(y: Array, h: int) -> Array:
    """The Theta method: smoothing with half the slope of the trend as drift.

    Source: Assimakopoulos & Nikolopoulos (2000), in the form of Hyndman & Billah (2003).

    Examples
    --------
    >>> theta(np.arange(1.0, 11.0), 3).round(2).tolist()
    [10.49, 10.99, 11.49]
    """
    n = len(y)
    level, alpha = intermittent.ses(y)
    slope = float(np.polyfit(np.arange(n), y, 1)[0]) if n > 1 else 0.0
    drift = np.arange(h) + (1.0 - (1.0 - alpha) ** n) / alpha
    return np.asarray(level + slope / 2.0 * drift)


def _recent_median(y: Array) -> float:
    return float(np.median(y[-28:]))


_INTERMITTENT = [
    Method("Croston", _flat(intermittent.croston)),
    Method("SBA", _flat(intermittent.sba), True),
    Method("TSB", _flat(intermittent.tsb), True),
    Method("ADIDA", _flat(intermittent.adida), True),
    Method("SES", _flat(lambda y: intermittent.ses(y)[0]), True),
    Method("mean", _flat(lambda y: float(y.mean())), True),
]
_NAIVE = Method("naive", _flat(lambda y: float(y[-1])))
_SES = Method("SES", _flat(lambda y: intermittent.ses(y)[0]))
_THETA = Method("Theta", theta, True)
_REGULAR = [_NAIVE, replace(_SES, member=True), _THETA]
_MEDIAN = Method("recent median", _flat(_recent_median))


def _library() -> list[Method]:
    """With the library's: dynamic optimised Theta, damped trend, complex smoothing.

    The median of these is the combination of Petropoulos & Svetunkov (2020), with Theta in the
    place of ARIMA, which is too slow for many series.
    """
    from statsforecast import models

    def steps(make: Callable[[], Any]) -> Steps:
        def run(y: Array, h: int) -> Array:
            if len(y) < _LEAST or np.ptp(y) == 0.0:
                return theta(y, h)
            found = make().forecast(y=np.asarray(y, dtype=float), h=h)["mean"]
            return np.asarray(np.where(np.isfinite(found), found, y[-1]))
        return run

    return [
        _NAIVE, _SES, _THETA,
        Method("dynamic Theta", steps(lambda: models.DynamicOptimizedTheta(season_length=1)), True),
        Method("damped trend", steps(
            lambda: models.AutoETS(season_length=1, model="AAN", damped=True)), True),
        Method("complex smoothing", steps(lambda: models.AutoCES(season_length=1, model="N")),
               True),
    ]
