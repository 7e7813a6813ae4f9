"""Routes as pictures: where trucks go, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import cos, radians

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from twin.measure.maps import Point, is_geographic, places
from twin.measure.style import (
    FAINT,
    INK,
    KINDS,
    MUTED,
    PAPER,
    SERIES,
    clean,
    figure,
    headline,
    map_sheet,
    number,
    plain,
    styled,
)
from twin.network import Network
from twin.plan import Plan, Route

_MOST_NAMED = 60
_MOST_LINES = 40


def route_map(plan: Plan, network: Network) -> Figure:
    """Every route of a plan on the map: a colour a route, its stops numbered in order.

    Sites without a place stand in columns; a route from between two sites begins at its first stop.
    """
    at = places(network)
    names = list(dict.fromkeys(name for route in plan.routes for name in (
        route.depot, *(visit.site for visit in route.visits)) if name in at))
    with styled():
        made = figure(9.5, 6.6)
        top = headline(made, _finding(plan), "A colour a route; stops are numbered in the order "
                       "of their service; distances are along lanes or over the globe")
        axes = made.add_axes((0.02, 0.1, 0.96, top - 0.12))
        map_sheet(axes)
        if names:
            _window(axes, made, [at[name] for name in names], is_geographic(network))
            for number_of, route in enumerate(plan.routes):
                _draw(axes, route, at, SERIES[number_of % len(SERIES)])
            _sites(axes, network, names, at)
        made.legend(handles=[
            Line2D([], [], color=SERIES[i % len(SERIES)], linewidth=2.2,
                   label=f"{clean(route.truck, 20)}: {route.km:,.0f} km, "
                         f"{_counted(len(route.visits), 'stop')}")
            for i, route in enumerate(plan.routes[:12])], loc="lower left", ncols=3, fontsize=8,
            labelcolor=MUTED, bbox_to_anchor=(0.01, 0.0))
    return made


def route_times(plan: Plan) -> Figure:
    """When each truck drives, waits and serves, hours from when the plan was made."""
    shown = plan.routes[:_MOST_LINES]
    with styled():
        made = figure(9.5, 1.8 + 0.34 * max(2, len(shown)))
        top = headline(made, _finding(plan), "Solid: driving. Light: waiting. Dark: service")
        high = made.get_figheight()
        axes = made.add_axes((0.2, 0.8 / high, 0.77, top - 0.9 / high))
        for line, route in enumerate(reversed(shown)):
            shade = SERIES[(len(shown) - 1 - line) % len(SERIES)]
            here = route.depart - plan.made_h
            for count, visit in enumerate(route.visits, 1):
                arrive, start, leave = (time - plan.made_h for time in (
                    visit.arrive, visit.start, visit.leave))
                axes.barh(line, arrive - here, left=here, height=0.5, color=shade, linewidth=0)
                axes.barh(line, start - arrive, left=arrive, height=0.5, color=FAINT, linewidth=0)
                axes.barh(line, leave - start, left=start, height=0.5, color=INK, linewidth=0)
                axes.text(start, line + 0.3, str(count), fontsize=7, color=MUTED, ha="center")
                here = leave
            axes.barh(line, route.back - plan.made_h - here, left=here, height=0.5, color=shade,
                      alpha=0.45, linewidth=0)
        axes.set_yticks(range(len(shown)), [clean(route.truck, 24) for route in reversed(shown)])
        axes.set_ylim(-0.6, max(1, len(shown)) - 0.2)
        axes.set_xlim(left=0.0)
        axes.set_xlabel("hours from now")
        plain(axes, grid="x")
        made.legend(handles=[Patch(color=SERIES[0], alpha=0.45, label="way back")],
                    loc="lower left", fontsize=8, labelcolor=MUTED, bbox_to_anchor=(0.01, 0.0))
    return made


def _draw(axes: Axes, route: Route, at: Mapping[str, Point], shade: str) -> None:
    """The legs of a route, and the numbers of its stops."""
    stops = [at[visit.site] for visit in route.visits if visit.site in at]
    way = [at[route.depot], *stops, at[route.depot]] if route.depot in at else stops
    for (x, y), (u, v) in pairwise(way):
        axes.annotate("", (u, v), (x, y), arrowprops={
            "arrowstyle": "-|>", "color": shade, "linewidth": 1.8, "shrinkA": 5, "shrinkB": 6,
            "connectionstyle": "arc3,rad=0.12"}, zorder=3)
    for number_of, (x, y) in enumerate(stops, 1):
        axes.annotate(str(number_of), (x, y), (7, -10), textcoords="offset points", fontsize=8,
                      color=shade, fontweight="bold", zorder=6,
                      path_effects=[withStroke(linewidth=2.2, foreground=PAPER)])


def _sites(axes: Axes, network: Network, names: Sequence[str], at: Mapping[str, Point]) -> None:
    for name in names:
        shade, marker = KINDS.get(network.sites[name].kind, (MUTED, "o"))
        axes.plot(*at[name], marker=marker, color=shade, markersize=7, markeredgecolor=PAPER,
                  zorder=5)
    for name in names[:_MOST_NAMED]:
        axes.annotate(clean(name, 24), at[name], (7, 5), textcoords="offset points", fontsize=8,
                      color=INK, zorder=6,
                      path_effects=[withStroke(linewidth=2.2, foreground=PAPER)])


def _window(axes: Axes, made: Figure, points: Sequence[Point], geographic: bool) -> None:
    """Limits around all points, true to scale on a map."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    wide, tall = max(max(xs) - min(xs), 0.2) * 1.35, max(max(ys) - min(ys), 0.2) * 1.35
    if geographic:
        stretch = 1.0 / max(cos(radians((max(ys) + min(ys)) / 2.0)), 0.2)
        box = axes.get_position()
        shape = box.width * made.get_figwidth() / (box.height * made.get_figheight())
        tall = max(tall, wide / stretch / shape)
        wide = tall * shape * stretch
    x, y = (max(xs) + min(xs)) / 2.0, (max(ys) + min(ys)) / 2.0
    axes.set_xlim(x - wide / 2.0, x + wide / 2.0)
    axes.set_ylim(y - tall / 2.0, y + tall / 2.0)


def _finding(plan: Plan) -> str:
    if not plan.routes:
        return f"No route: {plan.answer.status.value}"
    stops = sum(len(route.visits) for route in plan.routes)
    km = sum(route.km for route in plan.routes)
    cost = f"{number(sum(route.cost for route in plan.routes))} {plan.answer.unit}".rstrip()
    return (f"{_counted(len(plan.routes), 'route')}, {_counted(stops, 'stop')}, {number(km)} km, "
            f"{cost}")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
