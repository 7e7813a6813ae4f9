"""Pictures of a comparison: levels over time, utilisation, effects, and sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from twin.measure.intervals import Array
from twin.measure.kpis import KPIS
from twin.measure.style import (
    BASELINE,
    FAINT,
    INK,
    MUTED,
    PAPER,
    SERIES,
    VERDICTS,
    clean,
    figure,
    headline,
    number,
    plain,
    styled,
    tick,
    title_of,
)
from twin.network import Network
from twin.tally import Tally

_MOST_SETTINGS = 6
_LEVELS = {"on_hand": "On hand", "customer_backlog": "Customer backlog"}


def setting_of(row: Any) -> str:
    """Name of a row's setting: its scenario and what was set, if anything."""
    return f"{row.scenario} {row.settings}".strip()


def settings_of(kpis: pd.DataFrame) -> list[str]:
    """Settings of a comparison, the baseline first."""
    pairs = kpis[["scenario", "settings"]].drop_duplicates()
    return [setting_of(row) for row in pairs.itertuples()]


def headlines(kpis: pd.DataFrame) -> pd.DataFrame:
    """Rows of the headline KPIs of the whole chain, with the name of their setting."""
    names = [name for name, kpi in KPIS.items() if kpi.headline]
    rows = kpis[kpis["kpi"].isin(names) & (kpis["place"] == "") & (kpis["product"] == "")
                & (kpis["stream"] == "")].copy()
    rows["setting"] = (rows["scenario"] + " " + rows["settings"]).str.strip()
    return rows


def over_time(tallies: Mapping[str, Sequence[Tally]], network: Network | None = None) -> Figure:
    """Stock and customer backlog by day: median and 10-90 % band, each scenario on the baseline."""
    names = list(tallies)
    baseline, others = names[0], names[1: 1 + _MOST_SETTINGS]
    measures = [m for m in _LEVELS if any(key[0] == m for runs in tallies.values()
                                          for tally in runs for key in tally.samples)]
    with styled():
        columns = max(1, len(others))
        panel = 3.1 if columns > 2 else 4.4
        made = figure(max(7.5, panel * columns + 1.2), 2.6 * max(1, len(measures)) + 1.4)
        levels = {name: {m: _level(tallies[name], m, network) for m in measures}
                  for name in [baseline, *others]}
        left_out = len(names) - 1 - len(others)
        top = headline(made, _story(levels, baseline, others, network),
                       "Median of replications; bands hold the middle 80 %"
                       + (f"; {left_out} more settings are in the tables" if left_out else ""))
        if not measures:
            return _nothing(made, "No snapshots were taken: run with daily samples to see levels.")
        grid = made.subplots(len(measures), columns, sharex=True, sharey="row", squeeze=False)
        made.subplots_adjust(left=0.75 / made.get_figwidth(), right=0.985, wspace=0.1, hspace=0.2,
                             bottom=0.72 / made.get_figheight(),
                             top=top - (0.22 if others else 0.0) / made.get_figheight())
        for row, measure in enumerate(measures):
            for column in range(columns):
                axes = grid[row, column]
                _band(axes, tallies[baseline], levels[baseline][measure], BASELINE)
                if others:
                    name = others[column]
                    _band(axes, tallies[name], levels[name][measure],
                          SERIES[column % len(SERIES)])
                    if row == 0:
                        axes.set_title(title_of(name), fontsize=10, loc="left", color=INK)
                axes.set_ylim(bottom=0)
                axes.margins(x=0)
                plain(axes)
                axes.yaxis.set_major_formatter(tick)
            unit = _level_unit(measure, network)
            grid[row, 0].set_ylabel(f"{_LEVELS[measure]}, {unit}")
        for axes in grid[-1]:
            axes.set_xlabel("days from the start")
        handles = [Line2D([], [], color=BASELINE, linewidth=2, label=title_of(baseline))]
        handles += [Line2D([], [], color=SERIES[i % len(SERIES)], linewidth=2,
                           label=title_of(name)) for i, name in enumerate(others)]
        made.legend(handles=handles, loc="lower left", ncols=min(len(handles), 4), fontsize=8.5,
                    bbox_to_anchor=(0.4 / made.get_figwidth(), -0.005), labelcolor=MUTED)
    return made


def _level(runs: Sequence[Tally], measure: str, network: Network | None) -> Array:
    """Level of the whole chain by replication and time; stock in money if products have a value."""
    values = _values(measure, network)
    rows = []
    for tally in runs:
        total = np.zeros(len(tally.times))
        for (name, _, product, _), samples in tally.samples.items():
            if name == measure:
                total += samples * values.get(product, 1.0)
        rows.append(total)
    return np.array(rows)


def _values(measure: str, network: Network | None) -> dict[str, float]:
    if network is None or measure != "on_hand":
        return {}
    values = {name: product.value for name, product in network.products.items()}
    return values if any(values.values()) else {}


def _level_unit(measure: str, network: Network | None) -> str:
    return network.currency if network and _values(measure, network) else "units"


def _band(axes: Axes, runs: Sequence[Tally], level: Array, colour: str) -> None:
    counted = runs[0].times >= runs[0].start_h  # the warm-up is not shown
    days = (runs[0].times[counted] - runs[0].start_h) / 24.0
    low, middle, high = np.quantile(level[:, counted], [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(days, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(days, middle, color=colour, linewidth=1.6)


def _story(levels: Mapping[str, Mapping[str, Array]], baseline: str, others: Sequence[str],
           network: Network | None) -> str:
    """The largest thing that a scenario does to backlog, or else to stock."""
    best, text = 0.0, ""
    for measure in ("customer_backlog", "on_hand"):
        for name in others:
            if measure not in levels[name]:
                continue
            with_it = np.median(levels[name][measure], axis=0)
            without = np.median(levels[baseline][measure], axis=0)
            gap = with_it - without
            day = int(np.argmax(np.abs(gap))) if len(gap) else 0
            size = abs(gap[day]) / max(float(np.max(without)), 1e-9) if len(gap) else 0.0
            if size > max(best, 0.1):
                best = size
                noun = "customer backlog" if measure == "customer_backlog" else "stock"
                verb = "raises" if gap[day] > 0 else "lowers"
                unit = _level_unit(measure, network)
                text = (f"{title_of(name)} {verb} {noun} to {number(float(with_it[day]))} {unit} "
                        f"where the baseline has {number(float(without[day]))}")
    return text or "Stock and customer backlog over time"


def utilisation(kpis: pd.DataFrame, network: Network | None = None, most: int = 24) -> Figure:
    """Busy share of machines, crews and trucks: bars for the baseline, marks for scenarios."""
    names = ("utilisation", "crew_utilisation", "truck_utilisation")
    rows = kpis[kpis["kpi"].isin(names) & (kpis["place"] != "") & (kpis["product"] == "")
                & (kpis["stream"] == "")]
    if network is not None:
        own = {*network.machines, *network.crews, *network.trucks}
        rows = rows[[place.split("#")[0] in own for place in rows["place"]]]
    settings = settings_of(kpis)
    with styled():
        if rows.empty:
            made = figure(7.5, 2.0)
            headline(made, "Utilisation")
            return _nothing(made, "This model has no machines, crews or trucks of its own.")
        rows = rows.assign(setting=(rows["scenario"] + " " + rows["settings"]).str.strip())
        wide = rows.pivot_table(index=["kpi", "place"], columns="setting", values="mean")
        wide = wide.reindex(columns=settings).dropna(subset=[settings[0]])
        wide = wide.sort_values(settings[0], ascending=False)
        shown = wide.head(most).iloc[::-1]
        made = figure(9.0, 1.55 + 0.3 * len(shown))
        busiest = wide.iloc[0]
        extra = f"; the busiest {most} of {len(wide)}" if len(wide) > most else ""
        top = headline(made, f"{clean(wide.index[0][1])} is the busiest, at "
                       f"{100 * busiest.iloc[0]:.0f} % in the baseline",
                       "Busy share of the time inside the calendar" + extra)
        axes = made.add_axes((1.9 / 9.0, 0.75 / made.get_figheight(), 1 - 2.2 / 9.0,
                              top - 0.75 / made.get_figheight()))
        y = np.arange(len(shown))
        base = 100 * shown[settings[0]].to_numpy()
        axes.barh(y, base, height=0.62, color="#c9d3db", zorder=2)
        others = settings[1: 1 + _MOST_SETTINGS]
        for i, name in enumerate(others):
            shift = 0.0 if len(others) == 1 else 0.36 * (0.5 - i / (len(others) - 1))
            axes.scatter(100 * shown[name], y + shift, s=24, color=SERIES[i % len(SERIES)],
                         marker="osD^vP"[i], edgecolors=PAPER, linewidths=0.6, zorder=3)
        axes.set_yticks(y, [clean(place, 24) for _, place in shown.index])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_xlim(0, max(100.0, float(np.nanmax(100 * shown.to_numpy())) * 1.02))
        axes.set_ylim(-0.6, len(shown) - 0.4)
        axes.set_xlabel("busy, %")
        plain(axes, "x")
        handles: list[Any] = [Patch(color="#c9d3db", label=title_of(settings[0]))]
        handles += [Line2D([], [], linestyle="", marker="osD^vP"[i], color=SERIES[i],
                           label=title_of(name)) for i, name in enumerate(others)]
        made.legend(handles=handles, loc="lower left", ncols=4, fontsize=8.5, labelcolor=MUTED,
                    bbox_to_anchor=(0.01, -0.01))
    return made


def comparison(kpis: pd.DataFrame) -> Figure:
    """Paired differences from the baseline in per cent of it, with joint intervals and verdicts."""
    rows = headlines(kpis)
    settings = settings_of(kpis)
    base = rows[rows["setting"] == settings[0]].set_index("kpi")["mean"]
    rows = rows[(rows["setting"] != settings[0]) & (rows["verdict"] != "")]
    others = [name for name in settings[1:] if name in set(rows["setting"])][:8]
    with styled():
        if not others:
            made = figure(7.5, 2.0)
            headline(made, "Comparison")
            return _nothing(made, "One setting was played: there is nothing to compare it with.")
        rows = rows[rows["setting"].isin(others)].copy()
        moved = rows.groupby("kpi")["difference"].agg(lambda x: x.abs().max())
        rows["base"] = rows["kpi"].map(base).abs()
        rows = rows[(rows["base"] > 0) | (rows["kpi"].map(moved) > 0)].copy()
        for column in ("difference", "difference_low", "difference_high"):
            rows[column + "_pc"] = 100 * rows[column] / rows["base"].where(rows["base"] > 0)
        size = rows.groupby("kpi")["difference_pc"].agg(lambda x: x.abs().max()).fillna(0.0)
        order = list(size.sort_values().index)
        across = min(4, len(others))
        down = -(-len(others) // across)
        panel = 2.75 if across > 2 else 3.9
        made = figure(2.3 + panel * across, (0.62 + 0.31 * len(order)) * down + 1.3)
        left_out = len(settings) - 1 - len(others)
        top = headline(made, _verdict_story(rows, others, len(order)),
                       "Difference from the baseline, % of its mean; bars are intervals that hold "
                       "together" + (f"; {left_out} more settings in the tables"
                                     if left_out else ""))
        height = made.get_figheight()
        grid = made.subplots(down, across, sharey=True, squeeze=False)
        made.subplots_adjust(left=2.15 / made.get_figwidth(), right=0.985, wspace=0.08,
                             hspace=0.62 / (0.3 * len(order)), bottom=0.86 / height,
                             top=top - 0.3 / height)
        limit = _reach(rows)
        for i, axes in enumerate(grid.flat):
            if i >= len(others):
                axes.set_visible(False)
                continue
            _effects(axes, rows[rows["setting"] == others[i]].set_index("kpi"), order, limit)
            axes.set_title(title_of(others[i]), fontsize=10, loc="left", color=INK)
        handles = [Line2D([], [], linestyle="", marker=VERDICTS[v][1], color=VERDICTS[v][0],
                          markersize=7, markerfacecolor=PAPER if v == "no effect shown" else None,
                          label=v) for v in ("better", "worse", "no effect shown")]
        made.legend(handles=handles, loc="lower left", ncols=3, fontsize=9, labelcolor=MUTED,
                    bbox_to_anchor=(0.01, -0.005))
    return made


def _reach(rows: pd.DataFrame) -> float:
    """How far the axis goes, per cent: most effects fit, giants get an arrow."""
    ends = rows[["difference_low_pc", "difference_high_pc", "difference_pc"]].abs().max(axis=1)
    ends = ends.dropna()
    if ends.empty:
        return 1.0
    usual = float(np.quantile(ends, 0.6))
    return max(min(float(ends.max()) * 1.15, 3.0 * usual), 0.5)


def _effects(axes: Axes, rows: pd.DataFrame, order: Sequence[str], limit: float) -> None:
    axes.axvline(0, color=MUTED, linewidth=1, zorder=1)
    for y, kpi in enumerate(order):
        if y % 2:
            axes.axhspan(y - 0.5, y + 0.5, color="#f6f8f9", zorder=0)
        if kpi not in rows.index:
            continue
        row: Any = rows.loc[kpi]
        colour, marker, _ = VERDICTS[row["verdict"]]
        at = row["difference_pc"]
        if at != at:  # the baseline is zero: there is no per cent of it
            text = number(row["difference"], KPIS[kpi].unit)
            axes.text(0.04 * limit, y, f"from 0 to {text}" if row["difference"] else "0",
                      fontsize=8, va="center", color=colour)
            continue
        low, high = np.clip([row["difference_low_pc"], row["difference_high_pc"]], -limit, limit)
        hollow = row["verdict"] == "no effect shown"
        if abs(at) > limit:
            end = limit if at > 0 else -limit
            axes.annotate("", (end * 0.985, y), (end * 0.72, y),
                          arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.6})
            axes.text(end * 0.68, y, _percent(at), fontsize=8, color=colour, va="center",
                      ha="right" if at > 0 else "left")
            continue
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, alpha=0.55, zorder=2)
        axes.scatter([at], [y], s=34, marker=marker, zorder=3, linewidths=1.3,
                     facecolors=PAPER if hollow else colour, edgecolors=colour)
        right = at < 0  # the number stands on the other side of zero, where there is room
        edge = max(high, 0.0) if right else min(low, 0.0)
        if abs(edge) > 0.7 * limit:  # the interval fills the panel: the number goes above it
            axes.text(at, y + 0.2, _percent(at), fontsize=7, va="bottom", ha="center",
                      color=colour)
            continue
        axes.text(edge + (0.04 if right else -0.04) * limit, y, _percent(at), fontsize=8,
                  va="center", ha="left" if right else "right", color=colour)
    axes.set_yticks(range(len(order)), [KPIS[kpi].title for kpi in order])
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(-0.5, len(order) - 0.5)
    axes.set_xlim(-limit, limit)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.3g}".replace("-", "\u2212")
                                   if value else "0")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, symmetric=True))
    axes.set_xlabel("% of baseline")
    plain(axes, "x")


def _percent(value: float) -> str:
    if abs(value) < 0.05:
        return "0 %"
    if value >= 999.5:
        return f"\u00d7{1 + value / 100:,.0f}"
    text = f"{value:+,.0f} %" if abs(value) >= 9.95 else f"{value:+.1f} %"
    return text.replace("-", "\u2212")


def _verdict_story(rows: pd.DataFrame, others: Sequence[str], count: int) -> str:
    """Which scenario hurts most, or that none shows."""
    worse = {name: int(((rows["setting"] == name) & (rows["verdict"] == "worse")).sum())
             for name in others}
    better = {name: int(((rows["setting"] == name) & (rows["verdict"] == "better")).sum())
              for name in others}
    most = max(others, key=lambda name: (worse[name], better[name]))
    if worse[most]:
        same = [name for name in others if worse[name] == worse[most]]
        tail = f", as does {title_of(same[1])}" if len(same) == 2 else ""
        return (f"{title_of(most)} worsens {worse[most]} of {count} headline KPIs"
                + (f" and betters {better[most]}" if better[most] and not tail else "") + tail)
    if better[most]:
        return f"{title_of(most)} betters {better[most]} of {count} headline KPIs"
    return "No effect is shown on any headline KPI"


def _nothing(made: Figure, why: str) -> Figure:
    made.text(0.02, 0.4, why, color=FAINT, fontsize=10)
    return made
