"""Demand with trend and season for the simulation: cells of `demand` and rows of `profiles`.

The rate of orders is a base rate times a pattern: a factor by weekday and by month, and a trend, as
the table `profiles` says it. A factor stays out unless the counts show it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy import special

from twin.calibrate.season import Array
from twin.clock import DAYS
from twin.parameters import Parameter

_SHOWN = 0.01  #: level at which a factor or a trend counts as shown
_WEEKS, _YEARS = 6, 2  #: of record, the least to learn weekdays and months from
_DAY_H, _YEAR_H = 24.0, 365 * 24.0


@dataclass(frozen=True, slots=True)
class DemandPattern:
    """The rate of orders as a base rate, factors and a trend.

    Attributes
    ----------
    rate
        Orders an hour at the model's start, before factors.
    weekdays, months
        Factors, Monday and January first; empty if none is shown.
    trend
        Growth a year as a share of `rate`; 0 if none is shown.
    orders
        How many orders stand behind it.
    """

    rate: float
    weekdays: tuple[float, ...]
    months: tuple[float, ...]
    trend: float
    orders: int


def demand_pattern(times_h: Sequence[float] | Array, start: datetime, *, since_h: float = 0.0,
                   until_h: float | None = None) -> DemandPattern:
    """Learn the pattern of a stream of orders.

    Parameters
    ----------
    times_h
        When orders came, hours from the model's start.
    start
        The model's start, which tells the weekday of each.
    since_h, until_h
        The record; the last order's day if left out.

    Raises
    ------
    ValueError
        If the record holds no order or less than a day.

    Examples
    --------
    >>> start = datetime(2026, 1, 5)  # a Monday
    >>> days = np.arange(70)
    >>> orders = np.repeat(24.0 * days, np.where(days % 7 == 6, 1, 8)) + 9
    >>> found = demand_pattern(orders, start)
    >>> round(found.rate * 24, 1), [round(factor, 2) for factor in found.weekdays], found.trend
    (7.0, [1.14, 1.14, 1.14, 1.14, 1.14, 1.14, 0.14], 0.0)
    """
    times = np.asarray(times_h, dtype=float)
    end = until_h if until_h is not None else (float(times.max()) // _DAY_H + 1) * _DAY_H \
        if len(times) else since_h
    times = times[(times >= since_h) & (times < end)]
    days = int((end - since_h) // _DAY_H)
    if days < 1 or len(times) == 0:
        raise ValueError(f"{len(times)} orders in {days} days are too few to learn a demand from. "
                         "Give at least a day with an order.")
    counts = np.bincount(((times - since_h) // _DAY_H).astype(int),
                         minlength=days)[:days].astype(float)
    dates = [start + timedelta(hours=since_h + _DAY_H * i) for i in range(days)]
    weekday = np.array([date.weekday() for date in dates])
    month = np.array([date.month - 1 for date in dates])
    weekdays = _factors(counts, weekday, 7) if days >= 7 * _WEEKS else np.ones(7)
    left = counts / np.maximum(weekdays[weekday], 1e-9)
    months = _factors(left, month, 12) if days >= 365 * _YEARS else np.ones(12)
    expected = weekdays[weekday] * months[month]
    rate, trend = _line(counts, expected, since_h + _DAY_H * np.arange(0.5, days))
    shown = [tuple(part.tolist()) if np.ptp(part) > 0.0 else () for part in (weekdays, months)]
    return DemandPattern(rate / _DAY_H, shown[0], shown[1], trend, len(times))


def _factors(counts: Array, place: Array, places: int) -> Array:
    """Factors of each place, mean one over the record; ones if the counts show no difference.

    The test is that of equal means (Kruskal & Wallis, which asks for no law of the counts).
    """
    from scipy import stats

    groups = [counts[place == i] for i in range(places)]
    if min(map(len, groups)) < 2 or np.ptp(counts) == 0.0:
        return np.ones(places)
    if stats.kruskal(*groups).pvalue > _SHOWN:
        return np.ones(places)
    means = np.array([group.mean() for group in groups])
    return np.asarray(means / means.mean())


def _line(counts: Array, expected: Array, hours: Array) -> tuple[float, float]:
    """Orders a day at the model's start, and growth a year, by least squares; 0 unless shown."""
    mean = float(counts.sum() / expected.sum())
    if len(counts) < 7 * _WEEKS:
        return mean, 0.0
    x, w = hours / _YEAR_H, expected
    design = np.column_stack([w, w * x])
    solved, *_ = np.linalg.lstsq(design, counts.astype(float), rcond=None)
    rest = counts - design @ solved
    freedom = len(counts) - 2
    covariance = np.linalg.inv(design.T @ design) * float(rest @ rest) / freedom
    t = abs(solved[1]) / np.sqrt(max(covariance[1, 1], 1e-300))
    if solved[0] <= 0.0 or 2.0 * special.stdtr(freedom, -t) > _SHOWN:
        return mean, 0.0
    return float(solved[0]), float(solved[1] / solved[0])


def demand_cells(key: str, pattern: DemandPattern, *, as_of: str = "", source: str = "",
                 ) -> list[Parameter]:
    """Rows of a calibration that let the simulation play a pattern.

    Parameters
    ----------
    key
        Of the row of `demand`: ``W,tea`` or ``W,tea,stream``.

    Examples
    --------
    >>> pattern = DemandPattern(0.25, (1.2,) * 5 + (0.5, 0.5), (), 0.1, 900)
    >>> rows = demand_cells("W,tea", pattern)
    >>> rows[0].cell, rows[0].value, rows[0].profile
    ('demand[W,tea].interarrival', 'exponential(mean=4h)', 'learned W tea')
    >>> rows[5].cell, rows[5].value, rows[6].value
    ('profiles[learned W tea,,fri,].factor', '1.2', '0.5')
    """
    evidence = {"n": str(pattern.orders), "as_of": as_of, "source": source}
    name = "learned " + " ".join(re.split(r"[^\w-]+", key)).strip()
    half = special.ndtri(0.975) / np.sqrt(pattern.orders)
    gap = 1.0 / pattern.rate
    low, high = gap * np.exp(-half), gap * np.exp(half)
    patterned = bool(pattern.weekdays or pattern.months or pattern.trend)
    rows = [Parameter("demand", key, "interarrival", name if patterned else "",
                      f"exponential(mean={gap:.6g}h)", f"{low:.6g}h", f"{high:.6g}h", **evidence)]
    rows += [Parameter("profiles", f"{name},,{DAYS[i]},", "factor", value=f"{factor:.4g}",
                       **evidence) for i, factor in enumerate(pattern.weekdays)]
    rows += [Parameter("profiles", f"{name},,,{i + 1}", "factor", value=f"{factor:.4g}",
                       **evidence) for i, factor in enumerate(pattern.months)]
    if pattern.trend:
        rows += [Parameter("profiles", f"{name},,,", "factor", value="1", **evidence),
                 Parameter("profiles", f"{name},,,", "trend", value=f"{pattern.trend:.4g}",
                           **evidence)]
    return rows
