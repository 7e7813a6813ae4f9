"""One picture a place: what was forecast, origin by origin, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from twin.measure.fidelity import KPI_NAMES, LEVELS, Case
from twin.measure.kpis import KPIS
from twin.measure.style import (
    INK,
    MUTED,
    SERIES,
    VERDICTS,
    clean,
    figure,
    headline,
    plain,
    styled,
    tick,
)

_MOST = 6
_SHADES = (0.42, 0.24, 0.12)  #: of the 50, 80 and 95 % band


def place_picture(cases: Sequence[Case], place: str, table: pd.DataFrame,
                  unit: Callable[[str], str]) -> Figure:
    """The shortest horizon of a place: bands and what happened by origin, and PIT values.

    Parameters
    ----------
    table
        Rows of `fidelity_table.by_kpi`.
    unit
        Gives the unit of a KPI.
    """
    mine = [case for case in cases if case.place == place]
    shortest = min(case.horizon_h for case in mine)
    mine = [case for case in mine if case.horizon_h == shortest]
    names = [name for name in KPI_NAMES if any(case.kpi == name for case in mine)][:_MOST]
    rows = table[(table["place"] == place) & (table["horizon_d"] == shortest / 24.0)]
    with styled():
        made = figure(11.0, 1.7 + 1.55 * len(names))
        where = clean(place) if place else "the whole chain"
        top = headline(made, _finding(rows, where), f"{shortest / 24.0:g} days ahead, from "
                       f"{len({case.origin_h for case in mine})} origins: the middle 50, 80 and "
                       "95 % of the forecast, and what happened; right: where it fell in the "
                       "forecast, which is flat if bands are right")
        height = made.get_figheight()
        grid = made.subplots(len(names), 2, squeeze=False, width_ratios=[4.4, 1.0])
        made.subplots_adjust(left=0.09, right=0.98, wspace=0.1, hspace=0.5, top=top - 0.2 / height,
                             bottom=0.85 / height)
        for name, (left, right) in zip(names, grid, strict=True):
            some = sorted((case for case in mine if case.kpi == name),
                          key=lambda case: case.origin_h)
            _bands(left, some, unit(name), rows[rows["kpi"] == name])
            _histogram(right, some)
        grid[-1, 0].set_xlabel("days from the model's start, at the origin", color=MUTED)
        grid[-1, 1].set_xlabel("below          above", color=MUTED)
        _legend(made)
    return made


def _finding(rows: pd.DataFrame, where: str) -> str:
    """What is worst about a place, else that its bands are right."""
    off = rows[(rows["cover_80_high"] < 0.8) | (rows["cover_80_low"] > 0.8)]
    if len(off):
        worst = off.iloc[int((off["cover_80"] - 0.8).abs().to_numpy().argmax())]
        narrow = "too narrow or off" if worst["cover_80"] < 0.8 else "too wide"
        return (f"At {where} the bands of {KPIS[worst['kpi']].title.lower()} are {narrow}: 80 % "
                f"bands held {100 * worst['cover_80']:.0f} %")
    share = float(rows["cover_80"].mean())
    return f"At {where} the bands are right as far as can be told: 80 % bands held {share:.0%}"


def _bands(axes: Axes, cases: Sequence[Case], unit: str, rows: pd.DataFrame) -> None:
    days = np.array([case.origin_h / 24.0 for case in cases])
    step = float(np.min(np.diff(days))) if len(days) > 1 else 1.0
    percent = 100.0 if unit == "share" else 1.0
    for level, shade in zip(reversed(LEVELS), reversed(_SHADES), strict=True):
        low, high = (np.array([np.quantile(case.told, tail) for case in cases]) * percent
                     for tail in ((1 - level) / 2, (1 + level) / 2))
        axes.bar(days, np.maximum(high - low, 0.0), bottom=low, width=0.62 * step,
                 color=SERIES[0], alpha=shade, linewidth=0)
    inside = np.array([case.inside(0.95) for case in cases])
    actual = np.array([case.actual for case in cases]) * percent
    for chosen, colour, marker in ((inside, INK, "o"), (~inside, VERDICTS["worse"][0], "s")):
        axes.scatter(days[chosen], actual[chosen], s=22, color=colour, marker=marker, zorder=3)
    kpi = KPIS[cases[0].kpi]
    title = f"{kpi.title} [{'%' if unit == 'share' else unit}]"
    if len(rows):
        row = rows.iloc[0]
        skills = [float(row[name]) for name in ("skill_last", "skill_season", "skill_past")]
        worst = min((skill for skill in skills if skill == skill), default=float("nan"))
        title += f"   80 % bands held {100 * row['cover_80']:.0f} %"
        if worst == worst:
            title += f"; skill over the best naive forecast {worst:+.2f}"
        if row.get("drift"):
            title += "; DRIFTS"
    axes.set_title(title, fontsize=9.5, loc="left", color=INK)
    axes.yaxis.set_major_formatter(tick)
    plain(axes)


def _histogram(axes: Axes, cases: Sequence[Case]) -> None:
    counts, edges = np.histogram([case.pit for case in cases], bins=5, range=(0.0, 1.0))
    axes.bar(edges[:-1] + 0.1, counts, width=0.17, color=SERIES[0], alpha=0.6)
    axes.axhline(len(cases) / 5.0, color=MUTED, linewidth=1, linestyle="--")
    axes.set_xticks([])
    axes.set_yticks([])
    plain(axes)


def _legend(made: Figure) -> None:
    handles: list[Artist] = [Patch(color=SERIES[0], alpha=shade, label=f"{100 * level:.0f} %")
               for level, shade in zip(LEVELS, _SHADES, strict=True)]
    handles += [Line2D([], [], color=INK, marker="o", linestyle="", label="what happened"),
                Line2D([], [], color=VERDICTS["worse"][0], marker="s", linestyle="",
                       label="outside 95 %")]
    made.legend(handles=handles, loc="lower left", ncols=len(handles), fontsize=8.5,
                bbox_to_anchor=(0.06, -0.005), labelcolor=MUTED)
