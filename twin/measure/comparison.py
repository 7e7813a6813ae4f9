"""Scenarios against the baseline: paired differences, intervals and verdicts that agree.

Headline KPIs of the whole chain are judged together: with Bonferroni joint intervals (the
default) all of them hold at once with the stated confidence. All other rows (places, products,
further KPIs) form a second family whose intervals are widened until at most a share
`1 - confidence` of the effects called in it is wrong on average (Benjamini-Yekutieli). In both,
a verdict is better or worse exactly when the interval beside it leaves out zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twin.measure.ignorance import Luck, Nested, moments, nested
from twin.measure.intervals import Array, false_coverage_level, holm
from twin.measure.kpis import KPIS, KpiKey, kpi_arrays
from twin.tally import Tally

if TYPE_CHECKING:
    from twin.network import Network

#: Columns of a comparison, in order; the first ones are those of kpis.csv.
COLUMNS = ("model", "scenario", "settings", "kpi", "unit", "mean", "low", "high", "difference",
           "difference_low", "difference_high", "verdict", "replications", "place", "product",
           "stream", "replications_for_verdict")

NO_EFFECT = "no effect shown"

#: Columns that a comparison has besides, where parameters were drawn: the ignorant share of the
#: variance behind the interval, with bounds at 95 %, and that of the difference.
IGNORANCE = ("ignorance", "ignorance_low", "ignorance_high", "difference_ignorance", "draws")

#: What a difference is called, by the good direction and its sign.
_WORDS = {("higher", 1): "better", ("higher", -1): "worse", ("lower", 1): "worse",
          ("lower", -1): "better", ("neutral", 1): "higher", ("neutral", -1): "lower"}


def compare(runs: Mapping[str, Sequence[Tally]], baseline: str, confidence: float = 0.95,
            correction: str = "bonferroni", *, model: str = "",
            network: Network | None = None, draws: Sequence[int] | None = None) -> pd.DataFrame:
    """One row per setting, KPI, place, product and stream, the baseline's rows first.

    Parameters
    ----------
    runs
        Tallies by setting; a setting is named `scenario` or `scenario key=value ...`.
        Replication i of every setting shares its luck with replication i of the baseline.
    correction
        "bonferroni": joint intervals for the headline KPIs; "holm": more verdicts, each interval
        at the level of the step that judged it, so that the verdicts hold together but the
        intervals only one by one; "none": every interval on its own.
    draws
        Which draw of the parameters each replication was played with. Intervals then cover luck
        and ignorance, and five columns say how much of each is ignorance.

    Notes
    -----
    `low` and `high` bound the mean of a setting alone (Student, uncorrected).
    `replications_for_verdict` says how many more replications the observed difference would need
    to show: 0 if it shows, missing if it is exactly zero. A difference that is the same in every
    replication has an interval of no width. With one replication there are no intervals.

    Examples
    --------
    >>> def run(name, i, at_once):
    ...     return Tally(name, i, 0.0, 24.0, {("units_ordered", "C1", "A", ""): 100.0,
    ...                                       ("units_at_once", "C1", "A", ""): at_once})
    >>> table = compare({"baseline": [run("baseline", i, 90.0 + i) for i in range(4)],
    ...                  "spike": [run("spike", i, 70.0 + 2 * i) for i in range(4)]}, "baseline")
    >>> row = table.query("scenario == 'spike' and kpi == 'fill_rate' and place == ''").iloc[0]
    >>> round(float(row["mean"]), 3), round(float(row["difference"]), 3), row["verdict"]
    (0.73, -0.185, 'worse')
    """
    _check(runs, baseline, confidence, correction)
    names = [baseline, *(name for name in runs if name != baseline)]
    flat = [tally for name in names for tally in runs[name]]
    table = kpi_arrays(flat, network)
    keys = sorted(table, key=_order)
    values = np.vstack([table[key] for key in keys]) if keys else np.empty((0, len(flat)))
    columns = _columns_by_setting(names, runs)
    headline = np.array([_is_headline(key) for key in keys], dtype=bool)
    base = values[:, columns[baseline]]
    pairs = {name: _differences(values[:, columns[name]], base, draws) for name in names[1:]}
    levels = _levels(list(pairs.values()), headline, 1.0 - confidence, correction)
    frames = [_frame(keys, _spread(base, draws), confidence, model, baseline, network)]
    for (name, pair), level in zip(pairs.items(), levels, strict=True):
        spread = _spread(values[:, columns[name]], draws)
        frame = _frame(keys, spread, confidence, model, name, network)
        _judge(frame, pair, level)
        frames.append(frame)
    frames = [frame[frame["replications"] > 0] for frame in frames]
    result = pd.concat(frames, ignore_index=True)
    result["replications_for_verdict"] = result["replications_for_verdict"].astype("Int64")
    return result[[*COLUMNS, *(IGNORANCE if draws is not None else ())]]


def _differences(values: Array, base: Array, draws: Sequence[int] | None) -> Luck | Nested:
    """Paired differences of one setting, row by row; what is rounding alone counts as nothing."""
    difference = values - base
    scale = np.maximum(np.abs(values), np.abs(base))
    difference = np.where(np.abs(difference) <= 1e-12 * scale, 0.0, difference)
    spread = _spread(difference, draws)
    largest = np.nanmax(np.where(np.isfinite(scale), scale, 0.0), axis=1, initial=0.0)
    spread = replace(spread, mean=np.where(np.abs(spread.mean) <= 1e-12 * largest, 0.0,
                                           spread.mean))
    if isinstance(spread, Luck):
        noise = spread.sd <= 1e-12 * np.abs(spread.mean)
        spread = replace(spread, sd=np.where(noise, 0.0, spread.sd))
    return spread


def _spread(values: Array, draws: Sequence[int] | None) -> Luck | Nested:
    return Luck(*moments(values)) if draws is None else nested(values, draws)


def _varies(spread: Luck | Nested) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows that are not the same in every replication."""
    if isinstance(spread, Luck):
        return np.asarray(spread.sd != 0.0)
    return np.asarray((spread.between != 0.0) | (spread.within != 0.0))


def _levels(pairs: Sequence[Luck | Nested], headline: np.ndarray[Any, np.dtype[np.bool_]],
            alpha: float, correction: str) -> list[Array]:
    """Level of each row's interval, for every setting: the same in a family, but for Holm.

    A row that is the same in every replication is not counted: it cannot be called wrongly.
    """
    if not pairs:
        return []
    p = np.vstack([pair.p() for pair in pairs])
    there = np.vstack([(pair.n >= 2) & ((pair.mean != 0.0) | _varies(pair)) for pair in pairs])
    first, second = there & headline, there & ~headline
    level = np.full(p.shape, alpha)
    if correction == "bonferroni" and first.any():
        level[:, headline] = alpha / first.sum()
    elif correction == "holm" and first.any():
        level[first] = _holm_levels(p[first], alpha)
    if correction != "none":
        level[:, ~headline] = false_coverage_level(p[second], alpha)
    return list(level)


def _holm_levels(p: Array, alpha: float) -> Array:
    """Level that each p-value is held against; those after the first failure share its level."""
    shown = int((holm(p) <= alpha).sum())
    order = np.argsort(p, kind="stable")
    steps = np.minimum(np.arange(len(p)), shown)
    level = np.empty(len(p))
    level[order] = alpha / (len(p) - np.minimum(steps, len(p) - 1))
    return level


def _frame(keys: Sequence[KpiKey], spread: Luck | Nested, confidence: float, model: str,
           setting: str, network: Network | None) -> pd.DataFrame:
    """Rows of one setting, without a comparison."""
    n, mean = spread.n, spread.mean
    scenario, _, settings = setting.partition(" ")
    half = spread.half_width(np.full(len(n), 1.0 - confidence))
    blank = np.full(len(keys), np.nan)
    data: dict[str, Any] = {
        "model": model, "scenario": scenario, "settings": settings,
        "kpi": [key[0] for key in keys], "unit": [unit(key[0], network) for key in keys],
        "mean": mean, "low": mean - half, "high": mean + half, "difference": blank,
        "difference_low": blank, "difference_high": blank, "verdict": "",
        "replications": n.astype(int), "place": [key[1] for key in keys],
        "product": [key[2] for key in keys], "stream": [key[3] for key in keys],
        "replications_for_verdict": blank,
    }
    if isinstance(spread, Nested):
        low, high = spread.share_bounds()
        told = np.where(np.isfinite(half) & (half > 0.0), spread.share, np.nan)
        data |= dict(zip(IGNORANCE, (told, low, high, blank, spread.draws.astype(int)),
                         strict=True))
    return pd.DataFrame(data, index=range(len(keys)))


def _judge(frame: pd.DataFrame, pair: Luck | Nested, level: Array) -> None:
    """Fill in the difference, its interval and its verdict."""
    half = pair.half_width(level)
    low, high = pair.mean - half, pair.mean + half
    frame["difference"], frame["difference_low"], frame["difference_high"] = pair.mean, low, high
    sign = np.where(low > 0.0, 1, np.where(high < 0.0, -1, 0))
    frame["verdict"] = [
        "" if n == 0 else _WORDS[KPIS[kpi].better, s] if s else NO_EFFECT
        for kpi, s, n in zip(frame["kpi"], sign, pair.n, strict=True)]
    frame["replications_for_verdict"] = np.where(sign != 0, 0.0, pair.more(level))
    if isinstance(pair, Nested):
        frame["difference_ignorance"] = np.where(half > 0.0, pair.share, np.nan)


def unit(kpi: str, network: Network | None = None) -> str:
    """Unit of a KPI, in the currency of the network where money is meant.

    Examples
    --------
    >>> unit("total_cost"), unit("order_cycle_time")
    ('currency/d', 'd')
    """
    text = KPIS[kpi].unit
    return text.replace("currency", network.currency or "currency") if network else text


def _is_headline(key: KpiKey) -> bool:
    return KPIS[key[0]].headline and key[1:] == ("", "", "")


_POSITION = {name: i for i, name in enumerate(KPIS)}


def _order(key: KpiKey) -> tuple[bool, str, str, str, int]:
    """Headlines of the whole chain first, then the chain, then place by place."""
    name, place, product, stream = key
    return not _is_headline(key), place, product, stream, _POSITION[name]


def _columns_by_setting(names: Sequence[str],
                        runs: Mapping[str, Sequence[Tally]]) -> dict[str, slice]:
    columns, start = {}, 0
    for name in names:
        columns[name] = slice(start, start + len(runs[name]))
        start += len(runs[name])
    return columns


def _check(runs: Mapping[str, Sequence[Tally]], baseline: str, confidence: float,
           correction: str) -> None:
    if baseline not in runs:
        raise ValueError(f"compare: baseline '{baseline}' is not among the settings. "
                         f"Choose one of: {', '.join(runs)}.")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"compare: confidence {confidence} is not a share. Write 0.95, say.")
    if correction not in ("bonferroni", "holm", "none"):
        raise ValueError(f"compare: correction '{correction}' is not known. "
                         "Use bonferroni, holm or none.")
    expected = [tally.replication for tally in runs[baseline]]
    for name, tallies in runs.items():
        found = [tally.replication for tally in tallies]
        if not found or not re.fullmatch(r"\S.*", name):
            raise ValueError(f"compare: setting '{name}' has {len(found)} replications. "
                             "Give a name and at least one run.")
        if found != expected:
            raise ValueError(f"compare: setting '{name}' has replications {found}, the baseline "
                             f"{expected}. Play the same replications in the same order.")
