"""Fidelity as tables: a row a place, KPI and horizon, and a row a place and horizon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from twin.measure.fidelity import LEVELS, NAIVE, Case
from twin.measure.intervals import Array, student

#: Watches PIT values in order of time: (what, values) -> a sentence if they drift, else blank.
Watch = Callable[[str, Sequence[float]], str]

_PINBALLS = (0.1, 0.5, 0.9)
_BINS = 5
_RATIOS = (0.1, 10.0)  #: between which one KPI may pull the skill of its place
_LEAST_ERROR = 0.001  #: of the size of a KPI: errors below it are none, whoever made them


def by_kpi(cases: Iterable[Case], watch: Watch | None = None) -> pd.DataFrame:
    """One row a place, KPI and horizon.

    Columns: ``origins`` and how many of them do not overlap; the mean of what happened; ``bias``
    (forecast less actual) with its 95 % interval; ``crps``, and the skill over each naive forecast
    (1 is perfect, 0 no better, below 0 worse); ``pinball_10`` ...; ``cover_50`` ... with their
    binomial 95 % intervals; ``pit``, counts of PIT values in five bins; ``drift``, a sentence.
    """
    rows = []
    for (place, kpi, horizon), some in groupby(sorted(cases, key=_order), key=_order_of_row):
        group = list(some)
        rows.append({"place": place, "kpi": kpi, "horizon_d": horizon / 24.0,
                     **_summary(group, apart(group)), **_drift(group, watch)})
    return pd.DataFrame(rows)


def by_place(cases: Iterable[Case], drifts: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a place and horizon, its KPIs together: scores relative to the naive ones.

    ``skill`` is over the best of the naive forecasts of each KPI.
    """
    rows = []
    ordered = sorted(cases, key=lambda case: (case.place, case.horizon_h, case.kpi))
    for (place, horizon), some in groupby(ordered, key=lambda case: (case.place, case.horizon_h)):
        group = list(some)
        count = len({case.origin_h for case in group})
        ratios = [ratio for _, part in groupby(group, key=lambda case: case.kpi)
                  if (ratio := _best_ratio(list(part))) is not None]
        row: dict[str, Any] = {"place": place, "horizon_d": horizon / 24.0, "origins": count,
                               "kpis": len({case.kpi for case in group})}
        row["skill"] = 1.0 - float(np.exp(np.mean(np.log(np.clip(ratios, *_RATIOS))))) \
            if ratios else np.nan
        row |= _coverage(group, apart(group))
        if drifts is not None and len(drifts):
            mine = drifts[(drifts["place"] == place) & (drifts["horizon_d"] == horizon / 24.0)]
            row["drift"] = " ".join(text for text in mine["drift"] if text)
        rows.append(row)
    return pd.DataFrame(rows)


def _order(case: Case) -> tuple[str, str, float, float]:
    return case.place, case.kpi, case.horizon_h, case.origin_h


def _order_of_row(case: Case) -> tuple[str, str, float]:
    return case.place, case.kpi, case.horizon_h


def apart(group: Sequence[Case]) -> int:
    """How many windows do not overlap: later ones than that tell little new."""
    count, free = 0, -np.inf
    for origin in sorted({case.origin_h for case in group}):
        if origin >= free:
            count, free = count + 1, origin + group[0].horizon_h
    return count


def _summary(group: list[Case], independent: int) -> dict[str, Any]:
    errors = np.array([case.error for case in group])
    bias = student(errors, 0.95)
    wider = np.sqrt(len(group) / independent)
    half = bias.half_width * wider if len(group) > 1 else np.nan
    crps = float(np.mean([case.crps for case in group]))
    found: dict[str, Any] = {
        "origins": len(group), "apart": independent,
        "actual": float(np.mean([case.actual for case in group])),
        "bias": bias.mean, "bias_low": bias.mean - half, "bias_high": bias.mean + half,
        "crps": crps,
    }
    for name in NAIVE:
        found[f"skill_{name}"] = _skill(group, name)
    for level in _PINBALLS:
        found[f"pinball_{100 * level:.0f}"] = float(np.mean([c.pinball(level) for c in group]))
    found |= _coverage(group, independent)
    counts, _ = np.histogram([case.pit for case in group], bins=_BINS, range=(0.0, 1.0))
    found["pit"] = " ".join(map(str, counts.tolist()))
    return found


def _skill(group: list[Case], name: str) -> float:
    """1 - CRPS over that of a naive forecast, on the origins where it had a past."""
    pairs = np.array([(case.crps, case.naive_crps(name)) for case in group])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if not len(pairs):
        return np.nan
    told = [max(abs(case.actual), float(np.abs(case.told).max())) for case in group]
    size = max(_LEAST_ERROR * float(np.mean(told)), 1e-12)
    twin, beside = (max(float(total), 0.0) + size * len(pairs) for total in pairs.sum(axis=0))
    return 1.0 - twin / beside


def _best_ratio(group: list[Case]) -> float | None:
    """CRPS over that of the best naive forecast; None if there was none, or nothing to tell."""
    skills = [skill for name in NAIVE if np.isfinite(skill := _skill(group, name))]
    return 1.0 - min(skills) if skills else None


def _coverage(group: list[Case], independent: int) -> dict[str, float]:
    """Share of windows inside each band, with the binomial interval of Clopper & Pearson."""
    found: dict[str, float] = {}
    scale = independent / len({case.origin_h for case in group})
    for level in LEVELS:
        share = float(np.mean([case.inside(level) for case in group]))
        low, high = binomial(share, max(1.0, len(group) * scale))
        name = f"cover_{100 * level:.0f}"
        found |= {name: share, f"{name}_low": low, f"{name}_high": high}
    return found


def binomial(share: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a share seen in `n` trials (Clopper & Pearson).

    Examples
    --------
    >>> [round(bound, 3) for bound in binomial(0.8, 20)]
    [0.563, 0.943]
    """
    tail, k = (1.0 - confidence) / 2.0, share * n
    low = float(special.betaincinv(k, n - k + 1.0, tail)) if k > 0.0 else 0.0
    high = float(special.betaincinv(k + 1.0, n - k, 1.0 - tail)) if k < n else 1.0
    return low, high


def _drift(group: list[Case], watch: Watch | None) -> dict[str, str]:
    if watch is None:
        return {}
    case = group[0]
    free, pits = -np.inf, []
    for one in group:  # windows that do not overlap
        if one.origin_h >= free:
            pits.append(one.pit)
            free = one.origin_h + one.horizon_h
    where = f" at {case.place}" if case.place else ""
    return {"drift": watch(f"{case.kpi}{where}, {case.horizon_h / 24.0:g} d ahead", pits)}


def pits(cases: Iterable[Case]) -> Array:
    """PIT values of many cases."""
    return np.array([case.pit for case in cases])
