"""What a reader sees of luck and ignorance: rows of a table, and one picture."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.measure.charts import headlines, settings_of
from twin.measure.kpis import KPIS
from twin.measure.style import (
    BASELINE,
    INK,
    MUTED,
    SERIES,
    clean,
    figure,
    headline,
    number,
    plain,
    styled,
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """One headline KPI of the baseline: its half-width, and how much of it is what.

    `ignorance` is a share of the variance behind the interval, with its bounds at 95 %.
    """

    title: str
    unit: str
    mean: float
    half_width: float
    ignorance: float
    low: float
    high: float
    parameters: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """How much is ignorance, in words."""
        return (f"{100 * self.ignorance:.0f} % ({100 * self.low:.0f} to "
                f"{100 * self.high:.0f} %)")


def doubts(kpis: pd.DataFrame, worth: pd.DataFrame | None) -> list[Doubt]:
    """The headline KPIs of the baseline whose parameters were drawn."""
    if "ignorance" not in kpis.columns:
        return []
    rows = headlines(kpis)
    rows = rows[(rows["setting"] == settings_of(kpis)[0]) & rows["ignorance"].notna()]
    found = []
    for row in rows.to_dict("records"):
        telling = () if worth is None else tuple(
            str(one.parameter) for one
            in of_setting(worth, row["setting"], row["kpi"]).itertuples() if one.shown)
        found.append(Doubt(KPIS[row["kpi"]].title, row["unit"], row["mean"],
                           row["high"] - row["mean"], row["ignorance"],
                           row["ignorance_low"], row["ignorance_high"], telling))
    return found


def of_setting(worth: pd.DataFrame, setting: str, kpi: str = "") -> pd.DataFrame:
    """The parameters most worth more data for one KPI; for all headline KPIs if it is blank."""
    names = (worth["scenario"] + " " + worth["settings"]).str.strip()
    return worth[(names == setting) & (worth["kpi"] == kpi)].sort_values("rank")


def ignorance_picture(kpis: pd.DataFrame, worth: pd.DataFrame) -> Figure | None:
    """How much of each headline interval is ignorance, and which parameters it goes with."""
    rows = doubts(kpis, worth)
    if not rows:
        return None
    top = of_setting(worth, settings_of(kpis)[0])
    with styled():
        made = figure(11.0, 1.6 + 0.34 * max(len(rows), 5))
        left = headline(made, _finding(rows, top), "Left: share of the variance behind each "
                        "headline interval; right: share of the ignorance that goes with each "
                        "parameter; lines are 95 % intervals")
        first, second = made.subplots(1, 2)
        made.subplots_adjust(left=0.19, right=0.97, wspace=0.75, top=left - 0.03,
                             bottom=0.55 / made.get_figheight())
        _shares(first, rows)
        _parameters(second, top)
    return made


def _finding(rows: list[Doubt], top: pd.DataFrame) -> str:
    worst = max(rows, key=lambda row: row.ignorance)
    text = (f"{100 * worst.ignorance:.0f} % of what is unsure about {worst.title.lower()} is "
            "ignorance, not luck")
    shown = [clean(one.parameter, 60) for one in top.itertuples() if one.shown]
    return f"{text}; more data on {shown[0]} would tell most" if shown else text


def _shares(axes: Axes, rows: list[Doubt]) -> None:
    at = range(len(rows), 0, -1)
    ignorance = [100 * row.ignorance for row in rows]
    axes.barh(at, ignorance, color=SERIES[1], height=0.62)
    axes.barh(at, [100 - share for share in ignorance], left=ignorance, color="#d5dbe0",
              height=0.62)
    axes.hlines(at, [100 * row.low for row in rows], [100 * row.high for row in rows], color=INK,
                linewidth=1.1)
    axes.set_yticks(list(at), [f"{row.title}\n± {number(row.half_width, row.unit)}"
                               for row in rows], fontsize=8.5, color=INK)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% ignorance (coloured), the rest luck")
    plain(axes, "x")


def _parameters(axes: Axes, top: pd.DataFrame) -> None:
    if top.empty:
        axes.axis("off")
        axes.text(0.0, 0.6, "Too few draws, or too little ignorance,\nto tell parameters apart.",
                  color=MUTED, transform=axes.transAxes)
        return
    at = list(range(len(top), 0, -1))
    colours = [SERIES[0] if shown else BASELINE for shown in top["shown"]]
    axes.hlines(at, 100 * top["low"], 100 * top["high"], color=colours, linewidth=2)
    axes.scatter(100 * top["share"], at, color=colours, s=44, zorder=3)
    names = [clean(name, 42) + ("" if shown else "\nmay be luck")
             for name, shown in zip(top["parameter"], top["shown"], strict=True)]
    axes.set_yticks(at, names, fontsize=8.5, color=INK)
    axes.set_xlim(-2, 102)
    axes.set_ylim(0.4, len(top) + 0.6)
    axes.set_xlabel("% of the ignorance")
    plain(axes, "x")
