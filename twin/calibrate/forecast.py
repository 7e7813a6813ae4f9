"""Forecasting a series: the season taken out, a method chosen by how it did, honest intervals.

The combination of robust methods (the median of theirs) is the first choice; of a season with seven
places or more, whose factors rest on few values each, it shares its weight with what was a season
ago. Another takes its place only if it is shown
to be better at the rolling origins, paired and tested, so that luck at one of them decides nothing.
Intervals are conformal: they come from the errors that the chosen method made at those origins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from twin.calibrate.forecast_methods import Method, methods
from twin.calibrate.season import Array, Season, season_of
from twin.forecast import Forecast

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
COMBINED, BLENDED, SEASONAL = "combination", "combination and season ago", "seasonal naive"
_MANY = 7  #: places in a season whose factors rest on few values each
_LEAST = 8  #: steps that a method must have seen
_MOST = 500  #: steps, or five of the longest season: what is older tells little
_TRIED, _ERRORS = 10, 40  #: origins and errors, at least, from which its intervals come
_SIDED = 8  #: origins from which errors above and below are told apart
_SHRINK = 1e-9


@dataclass(frozen=True, slots=True)
class Choice:
    """The method that was chosen, its forecast, and its errors at the rolling origins.

    `errors` has one row an origin and one column a step (observed less forecast).
    """

    method: str
    season: int
    mean: Array
    errors: Array
    losses: dict[str, float]


def choose(y: Array, horizon: int, *, seasons: Sequence[int] = (), absolute: bool = False,
           origins: int = 3, library: bool | None = None) -> Choice:
    """Forecast a series by the method that did best on its own past.

    Parameters
    ----------
    y
        Values step by step; gaps (NaN) are left out.
    horizon
        Steps to forecast.
    seasons
        Lengths of season that it may have, steps.
    absolute
        Whether absolute errors count (the median is wanted); else squared ones (the mean).
    origins
        How many times the past is forecast to compare methods.

    Raises
    ------
    ValueError
        If the series is too short.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> week = np.tile([10.0, 10.0, 10.0, 10.0, 20.0, 5.0, 0.0], 12) + rng.normal(0, 0.1, 84)
    >>> found = choose(week, 7, seasons=[7], library=False)
    >>> found.season, found.mean.round(0).astype(int).tolist()
    (7, [10, 10, 10, 10, 20, 5, 0])
    """
    y = np.asarray(y, dtype=float)
    y = y[np.isfinite(y)][-max(_MOST, 5 * max(seasons, default=1)):]
    if len(y) < 3 or horizon < 1:
        raise ValueError(f"{len(y)} values and a horizon of {horizon} steps are too few to "
                         "forecast. Give at least 3 values and 1 step.")
    floor = 0.0 if y.min() >= 0.0 else -np.inf
    season = season_of(y, seasons)
    candidates = methods(season.take_out(y), absolute=absolute, library=library)
    first = COMBINED if season.length < _MANY else BLENDED
    told: dict[str, list[Array]] = {first: []}
    cuts = _cuts(len(y), horizon, origins)
    for cut in cuts:
        for name, gap in _gaps(y, cut, horizon, seasons, candidates, floor):
            told.setdefault(name, []).append(gap)
    if season.length == 1:  # it has gone
        told.pop(SEASONAL, None)
    name = _best(told, absolute) if cuts else first
    final = dict(_each(y, horizon, season, candidates, floor, name))
    tried = max(_TRIED, -(-_ERRORS // horizon))
    for cut in sorted(set(_cuts(len(y), horizon, tried, overlap=True)) - set(cuts)):
        told[name] += [gap for _, gap in _gaps(y, cut, horizon, seasons, candidates, floor, name)]
    errors = np.array(told[name]) if cuts else np.empty((0, horizon))
    return Choice(name, season.length, final[name], errors,
                  {key: _loss(rows, absolute) for key, rows in told.items() if rows})


def _gaps(y: Array, cut: int, horizon: int, seasons: Sequence[int], candidates: list[Method],
          floor: float, only: str = "") -> list[tuple[str, Array]]:
    """Errors of each method (or one) that knew the series up to a cut; NaN past its end."""
    season = season_of(y[:cut], seasons)
    found = []
    for name, values in _each(y[:cut], min(horizon, len(y) - cut), season, candidates, floor,
                              only):
        gap = np.full(horizon, np.nan)
        gap[: len(values)] = y[cut: cut + len(values)] - values
        found.append((name, gap))
    return found


def _each(y: Array, h: int, season: Season, candidates: list[Method], floor: float,
          only: str = "") -> list[tuple[str, Array]]:
    """Forecasts of every method (or one), with the season put back."""
    level = season.take_out(y)
    level = level if len(level) else y
    together = only in ("", COMBINED, BLENDED)
    steps = {method.name: method.steps(level, h) for method in candidates
             if only in ("", method.name) or (together and method.member)}
    found = {name: np.maximum(season.put_back(values, len(y)), floor)
             for name, values in steps.items()}
    ago = np.resize(y[-season.length:], h)
    if together:
        middle = np.median([steps[m.name] for m in candidates if m.member], axis=0)
        found[COMBINED] = np.maximum(season.put_back(middle, len(y)), floor)
        found[BLENDED] = (found[COMBINED] + ago) / 2.0
    if season.length > 1 and only in ("", SEASONAL):
        found[SEASONAL] = ago
    return [(name, values) for name, values in found.items() if only in ("", name)]


def _cuts(n: int, horizon: int, origins: int, *, overlap: bool = False) -> list[int]:
    """Where the past is cut: one horizon from the end, and so on backwards.

    Overlapping origins lie half a horizon apart: more of them, but more alike.
    """
    ahead = min(horizon, max(1, n // 3))
    step = max(1, ahead // 2) if overlap else ahead
    return [cut for cut in (n - ahead - i * step for i in range(origins)) if cut >= _LEAST]


def _best(told: dict[str, list[Array]], absolute: bool) -> str:
    """The first of them, or the best of those that are shown to be better than it."""
    first = next(iter(told))
    base = np.array([_of(gap, absolute) for gap in told[first]])
    losses = {name: np.array([_of(gap, absolute) for gap in gaps])
              for name, gaps in told.items() if len(gaps) == len(base)}
    better = [name for name, loss in losses.items() if _shown(base - loss)]
    return min(better, key=lambda name: float(losses[name].mean())) if better else first


def _shown(gains: Array) -> bool:
    """Whether gains at the origins are above zero by Student's test at 5 %, one-sided."""
    n = len(gains)
    if n < 2 or gains.min() <= 0.0:
        return False
    return bool(gains.mean() > special.stdtrit(n - 1, 0.95) * gains.std(ddof=1) / np.sqrt(n))


def _of(gap: Array, absolute: bool) -> float:
    return float(np.nanmean(np.abs(gap) if absolute else gap**2))


def _loss(gaps: Sequence[Array], absolute: bool) -> float:
    return float(np.mean([_of(gap, absolute) for gap in gaps]))


def bands(choice: Choice, levels: Sequence[float] = LEVELS, *, nonnegative: bool = False) -> Array:
    """Conformal quantiles: one row a step, one column a level.

    Errors at all origins and steps are pooled after scaling by their growth over the horizon, which
    never falls. The errors of one origin are much alike, so a quantile is widened as Student's is
    over the normal's for so many origins. Source: Vovk, Gammerman & Shafer (2005); for series, Xu &
    Xie (2021).
    """
    h = len(choice.mean)
    errors = choice.errors
    if errors.size == 0 or not np.isfinite(errors).any():
        return np.full((h, len(levels)), np.nan)
    scale = _growth(errors)
    pool = (errors / scale)[np.isfinite(errors)]
    count = len(errors)
    if count < _SIDED:  # too few to tell above from below
        pool = np.concatenate([pool, -pool])
    found = np.empty((h, len(levels)))
    for i, level in enumerate(levels):
        wider = float(np.sqrt(1.0 + 1.0 / count))
        if level != 0.5:
            wider *= float(special.stdtrit(max(count - 1, 1), level) / special.ndtri(level))
        found[:, i] = choice.mean + wider * float(np.quantile(pool, level)) * scale
    found = np.maximum.accumulate(found, axis=1)
    return np.asarray(np.maximum(found, 0.0) if nonnegative else found)


def _growth(errors: Array) -> Array:
    """Root mean square error of each step, smoothed so that it never falls."""
    with np.errstate(invalid="ignore"):
        counts = np.isfinite(errors).sum(axis=0)
        mean = np.nansum(errors**2, axis=0) / np.maximum(counts, 1)
    last = int(np.flatnonzero(counts)[-1])
    mean[last + 1:] = mean[last] * np.arange(last + 2, len(mean) + 1) / (last + 1)
    blocks: list[list[float]] = []
    for value in mean.tolist():  # pool adjacent violators
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, k) = blocks.pop(-2), blocks.pop()
            blocks.append([(a * m + b * k) / (m + k), m + k])
    smooth = np.repeat([value for value, _ in blocks], [int(count) for _, count in blocks])
    return np.asarray(np.sqrt(np.maximum(smooth, _SHRINK * max(float(mean.max()), 1e-300))))


def forecast(y: Sequence[float] | Array, horizon: int, *, series: str, origin: str,
             step_h: float = 24.0, seasons: Sequence[int] = (7,), absolute: bool = False,
             origins: int = 3, levels: Sequence[float] = LEVELS,
             library: bool | None = None) -> Forecast:
    """Forecast one series as a document: quantiles by step.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> found = forecast(rng.poisson(20, 100), 14, series="demand[W,tea]", origin="2026-05-12",
    ...                  library=False)
    >>> found.horizon, round(found.mean[0]), found.at(0, 0.1) < 20 < found.at(0, 0.9)
    (14, 20, True)
    """
    values = np.asarray(y, dtype=float)
    choice = choose(values, horizon, seasons=seasons, absolute=absolute, origins=origins,
                    library=library)
    quantiles = bands(choice, levels, nonnegative=bool(np.nanmin(values) >= 0.0))
    word = f"{choice.method}, season {choice.season}" if choice.season > 1 else choice.method
    known = np.isfinite(quantiles).all()
    return Forecast(series, origin, step_h, tuple(choice.mean.tolist()),
                    tuple(levels) if known else (),
                    tuple(map(tuple, quantiles.tolist())) if known else (), word)
