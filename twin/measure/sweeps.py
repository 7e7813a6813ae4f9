"""Pictures of a sweep: what happens to the headline KPIs as a setting is turned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from twin.clock import parse_duration
from twin.measure.charts import headlines, settings_of
from twin.measure.kpis import KPIS
from twin.measure.style import (
    BASELINE,
    INK,
    MUTED,
    PAPER,
    SERIES,
    clean,
    figure,
    headline,
    number,
    plain,
    styled,
    tick,
    title_of,
)

_PAIR = re.compile(r"(\S+?)=(\S+)")
_MOST = 6


@dataclass(frozen=True, slots=True)
class Sweep:
    """One scenario whose one key took several values; `values` maps a setting to its value."""

    scenario: str
    key: str
    values: dict[str, float]
    in_hours: bool


def sweeps(kpis: pd.DataFrame) -> Iterator[Sweep]:
    """Find the keys that took at least two numeric values while the other ones stood still.

    Examples
    --------
    >>> table = pd.DataFrame({"scenario": ["baseline", "spike", "spike"],
    ...                       "settings": ["", "factor=1.2", "factor=1.5"]})
    >>> [(s.scenario, s.key, list(s.values.values())) for s in sweeps(table)]
    [('spike', 'factor', [1.2, 1.5])]
    """
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    hours: set[tuple[str, str, str]] = set()
    for setting in settings_of(kpis):
        scenario, _, text = setting.partition(" ")
        pairs = dict(_PAIR.findall(text))
        for key, written in pairs.items():
            value, is_time = _number(written)
            if value is None:
                continue
            rest = " ".join(f"{k}={v}" for k, v in pairs.items() if k != key)
            found.setdefault((scenario, key, rest), {})[setting] = value
            if is_time:
                hours.add((scenario, key, rest))
    for (scenario, key, rest), values in found.items():
        if len(set(values.values())) >= 2:
            ordered = dict(sorted(values.items(), key=lambda item: item[1]))
            yield Sweep(f"{scenario} {rest}".strip(), key, ordered, (scenario, key, rest) in hours)


def sweep_picture(kpis: pd.DataFrame, sweep: Sweep) -> Figure:
    """Headline KPIs against the swept value, with their intervals, beside the baseline's."""
    rows = headlines(kpis)
    first = settings_of(kpis)[0]
    base = rows[rows["setting"] == first].set_index("kpi")
    rows = rows[rows["setting"].isin(sweep.values)].copy()
    rows["value"] = rows["setting"].map(sweep.values)
    if sweep.in_hours:
        rows["value"] /= 24.0
    chosen = _most_moved(rows)
    with styled():
        across = min(3, max(1, len(chosen)))
        down = max(1, -(-len(chosen) // across))
        made = figure(max(7.5, 3.4 * across), 2.35 * down + 1.35)
        top = headline(made, _finding(rows, chosen, sweep),
                       "Mean with its interval; the dashed line is the baseline")
        height = made.get_figheight()
        grid = made.subplots(down, across, sharex=True, squeeze=False)
        made.subplots_adjust(left=0.8 / made.get_figwidth(), right=0.98, wspace=0.3, hspace=0.34,
                             bottom=0.6 / height, top=top - 0.24 / height)
        for i, axes in enumerate(grid.flat):
            if i >= len(chosen):
                axes.set_visible(False)
                continue
            kpi = KPIS[chosen[i]]
            part = rows[rows["kpi"] == kpi.name].sort_values("value")
            scale = 100.0 if kpi.unit == "share" else 1.0
            if kpi.name in base.index:
                row = base.loc[kpi.name]
                axes.axhline(scale * row["mean"], color=BASELINE, linewidth=1.2, dashes=(4, 3))
            axes.fill_between(part["value"], scale * part["low"], scale * part["high"],
                              color=SERIES[0], alpha=0.16, linewidth=0)
            axes.plot(part["value"], scale * part["mean"], color=SERIES[0], linewidth=1.8,
                      marker="o", markersize=5.5, markeredgecolor=PAPER)
            unit = "%" if kpi.unit == "share" else str(part["unit"].iloc[0])
            axes.set_title(f"{kpi.title}, {unit}", fontsize=9.5, loc="left", color=INK)
            axes.yaxis.set_major_formatter(tick)
            axes.margins(x=0.05, y=0.15)
            plain(axes)
        name = clean(sweep.key.rpartition(".")[2], 40) + (", days" if sweep.in_hours else "")
        for axes in grid[-1]:
            axes.set_xlabel(name, color=MUTED)
    return made


def _number(text: str) -> tuple[float | None, bool]:
    try:
        return float(text), False
    except ValueError:
        pass
    try:
        return parse_duration(text), True
    except ValueError:
        return None, False


def _most_moved(rows: pd.DataFrame) -> list[str]:
    """The headline KPIs that the sweep moves most, in the order of the table."""
    moves: dict[str, float] = {}
    for kpi, part in rows.groupby("kpi"):
        width = float((part["high"] - part["low"]).fillna(0.0).mean())
        span = float(part["mean"].max() - part["mean"].min())
        moves[str(kpi)] = span / width if width > 0 else span
    kept = sorted(moves, key=lambda kpi: -moves[kpi])[:_MOST]
    return [kpi for kpi in KPIS if kpi in kept]


def _finding(rows: pd.DataFrame, chosen: list[str], sweep: Sweep) -> str:
    if not chosen:
        return f"{title_of(sweep.scenario)}: {clean(sweep.key)}"
    kpi = KPIS[chosen[0]]
    part = rows[rows["kpi"] == kpi.name].sort_values("value")
    start, end = float(part["mean"].iloc[0]), float(part["mean"].iloc[-1])
    verb = "rises" if end > start else "falls" if end < start else "stays"
    what = clean(sweep.key.rpartition(".")[2], 40)
    low, high = part["value"].iloc[0], part["value"].iloc[-1]
    days = " d" if sweep.in_hours else ""
    return (f"{title_of(sweep.scenario)}: {kpi.title.lower()} {verb} from "
            f"{number(start, kpi.unit)} to {number(end, kpi.unit)} as {what} goes from "
            f"{low:g} to {high:g}{days}")
