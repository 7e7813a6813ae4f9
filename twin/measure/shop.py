"""The inside of a plant: its work centres from first steps to last, and where lots wait."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from twin.measure.charts import settings_of
from twin.measure.maps import Point, arc
from twin.measure.style import (
    FAINT,
    INK,
    MUTED,
    SEA,
    clean,
    figure,
    headline,
    map_sheet,
    number,
    styled,
)
from twin.network import Network

_COLUMNS = 6
_HEAT = LinearSegmentedColormap.from_list("wait", ["#d7e6f0", "#56a0cc", "#0b4f7d"])


def busiest_plant(network: Network) -> str | None:
    """The site with the most work centres, if any has at least three."""
    count = Counter(site for site, _ in network.groups)
    site, groups = count.most_common(1)[0] if count else ("", 0)
    return site if groups >= 3 else None


def shop_picture(network: Network, kpis: pd.DataFrame, site: str) -> Figure:
    """Work centres as discs as large as they are busy, as dark as lots wait, in the baseline."""
    groups = [group for owner, group in network.groups if owner == site]
    busy = _of_groups(kpis, site, "utilisation")
    wait = _of_groups(kpis, site, "queue_time")
    moves = _moves(network, site)
    at = _layout(groups, _positions(network, site))
    with styled():
        rows = -(-len(groups) // min(_COLUMNS, len(groups)))
        made = figure(11.0, 1.3 + 1.05 * max(rows, 2))
        longest = max(wait, key=lambda group: wait[group], default="")
        finding = (f"Lots wait longest for {clean(longest)}: {number(wait[longest])} h on average"
                   if longest and wait[longest] > 0 else f"The work centres of {clean(site)}")
        top = headline(made, finding, "Work centres from first steps (left) to last; larger is "
                       "busier, darker waits longer; a line is as wide as it has routings")
        axes = made.add_axes((0.015, 0.02, 0.97, top - 0.02))
        map_sheet(axes)
        axes.set_xlim(-0.09, 1.09)
        axes.set_ylim(0.0, 1.0)
        lines = [(arc(at[a], at[b]), n) for (a, b), n in moves.items() if a != b]
        most = max((n for _, n in lines), default=1.0)
        axes.add_collection(LineCollection([path for path, _ in lines], colors=FAINT, zorder=1,
                                           linewidths=[0.4 + 3.6 * n / most for _, n in lines],
                                           alpha=0.45))
        hottest = max(wait.values(), default=0.0) or 1.0
        axes.scatter([at[g][0] for g in groups], [at[g][1] for g in groups],
                     s=[60 + 620 * min(busy.get(g, 0.0), 1.0) for g in groups],
                     c=[_HEAT((wait.get(g, 0.0) / hottest) ** 0.5) for g in groups],
                     edgecolors="white", linewidths=1.2, zorder=3)
        halo = [withStroke(linewidth=2.4, foreground=SEA)]
        for group in groups:
            x, y = at[group]
            drop = 6 + (60 + 620 * min(busy.get(group, 0.0), 1.0)) ** 0.5 / 2
            text = clean(group, 22)
            if group in busy:
                text += f"\n{100 * busy[group]:.0f} % busy"
            axes.annotate(text, (x, y), (0, -drop), textcoords="offset points", ha="center",
                          va="top", fontsize=7.5, color=INK, path_effects=halo, zorder=4,
                          linespacing=1.15)
        if not busy:
            axes.text(0.5, 0.03, "nothing was played yet", color=MUTED, ha="center")
    return made


def _of_groups(kpis: pd.DataFrame, site: str, kpi: str) -> dict[str, float]:
    """A KPI of the baseline by work centre of a site."""
    scenario, _, settings = settings_of(kpis)[0].partition(" ")
    rows = kpis[(kpis["kpi"] == kpi) & (kpis["scenario"] == scenario)
                & (kpis["settings"] == settings) & (kpis["product"] == "")
                & (kpis["stream"] == "") & kpis["place"].str.startswith(f"{site}/")]
    return {place[len(site) + 1:]: float(mean)
            for place, mean in zip(rows["place"], rows["mean"], strict=True)}


def _routes(network: Network, site: str) -> dict[str, list[str]]:
    """Work centres that each product visits, in the order of its steps."""
    routes: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for (owner, product, step), row in network.routings.items():
        if owner == site and row.group:
            routes[product].append((step, row.group))
    return {product: [group for _, group in sorted(steps)] for product, steps in routes.items()}


def _moves(network: Network, site: str) -> Counter[tuple[str, str]]:
    return Counter(move for route in _routes(network, site).values() for move in pairwise(route))


def _positions(network: Network, site: str) -> dict[str, float]:
    """How far along the routings a work centre comes on average, 0 to 1."""
    places: defaultdict[str, list[float]] = defaultdict(list)
    for route in _routes(network, site).values():
        for i, group in enumerate(route):
            places[group].append(i / max(1, len(route) - 1))
    return {group: float(np.mean(found)) for group, found in places.items()}


def _layout(groups: list[str], along: dict[str, float]) -> dict[str, Point]:
    """Columns of about as many work centres each, in the order in which lots come to them."""
    order = sorted(groups, key=lambda group: (along.get(group, 0.5), group))
    columns = min(_COLUMNS, len(order))
    at: dict[str, Point] = {}
    for column, part in enumerate(np.array_split(np.arange(len(order)), columns)):
        for row, i in enumerate(part):
            shift = 0.04 * (1 if column % 2 else -1)  # neighbours' names stand at other heights
            at[order[i]] = (column / max(1, columns - 1),
                            1.0 - (row + 0.58) / (len(part) + 0.32) + shift)
    return at
