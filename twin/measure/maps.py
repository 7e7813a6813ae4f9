"""The network on a map: sites by kind where they stand, lanes as arcs as wide as their flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import cos, hypot, radians
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from twin.measure.style import (
    FAINT,
    GRID,
    INK,
    KINDS,
    MUTED,
    PAPER,
    SEA,
    SERIES,
    clean,
    figure,
    headline,
    map_sheet,
    number,
    styled,
)
from twin.network import Network

Point = tuple[float, float]
Box = tuple[float, float, float, float]

_MOST_LANES, _MOST_LABELS = 600, 70
_COLUMNS = ("supplier", "port", "plant", "warehouse", "customer")


def network_map(network: Network, flows: Mapping[str, float] | None = None,
                said: tuple[str, str] | None = None) -> Figure:
    """Draw a network; `flows` gives units a day by lane `origin:destination:mode`.

    What stands over the picture (a finding and its detail) follows from the flows, unless `said`.

    Sites without a place are drawn in columns, from suppliers to customers. Where most sites
    crowd in a corner of the map, a second panel shows that corner enlarged.
    """
    flows = flows or {}
    with styled():
        geographic = is_geographic(network)
        at = places(network)
        crowd = _crowd(at) if geographic else None
        made = figure(*_size(at, geographic and crowd is None))
        top = headline(made, *(said or (_finding(network, flows),
                                        _detail(network, flows, geographic))))
        bottom = 0.075
        if crowd is None:
            panels = [(made.add_axes((0.015, bottom, 0.97, top - bottom)), list(at))]
        else:
            left = made.add_axes((0.015, bottom, 0.40, top - bottom))
            right = made.add_axes((0.43, bottom, 0.555, top - bottom))
            panels = [(left, list(at)), (right, crowd)]
        for axes, members in panels:
            _frame(made, axes, [at[name] for name in members], geographic)
            _lanes(axes, network, at, flows)
        for axes, _ in panels:
            _markers(axes, network, at, set(crowd) if crowd and axes is panels[0][0] else set())
        if crowd is not None:
            _show_crop(panels[0][0], panels[1][0])
            far = [name for name in at if name not in set(crowd)]
            _labels(made, panels[0][0], far, at, network, flows)
            _labels(made, panels[1][0], crowd, at, network, flows)
        else:
            _labels(made, panels[0][0], list(at), at, network, flows)
        _legend(made, network)
    return made


def is_geographic(network: Network) -> bool:
    """Whether every site has its place on the globe."""
    return all(site.latitude is not None and site.longitude is not None
               for site in network.sites.values())


def places(network: Network) -> dict[str, Point]:
    """Where each site stands in the picture of a network."""
    return _places(network) if is_geographic(network) else _columns(network)


def _size(at: Mapping[str, Point], fit: bool) -> tuple[float, float]:
    """Inches: a network that is taller than wide gets a narrower sheet."""
    if fit:
        low, high = np.min(list(at.values()), axis=0), np.max(list(at.values()), axis=0)
        if high[1] - low[1] > 0.9 * (high[0] - low[0]):
            return 9.0, 6.8
    return 11.0, 6.2


def _finding(network: Network, flows: Mapping[str, float]) -> str:
    moving = sorted(((flow, lane) for lane, flow in flows.items() if flow > 0), reverse=True)
    if not moving:
        return clean(network.title or network.name, 90)
    total = sum(flow for flow, _ in moving)
    share, busiest = moving[0][0] / total, moving[0][1]
    if share < 0.15:
        half = int(np.searchsorted(np.cumsum([flow for flow, _ in moving]), total / 2)) + 1
        return f"{half} of {len(network.lanes)} lanes carry half of all units that move"
    origin, destination, _ = busiest.split(":")
    return (f"{share * 100:.0f} % of all units that move go from {clean(origin)} "
            f"to {clean(destination)}")


def _detail(network: Network, flows: Mapping[str, float], geographic: bool) -> str:
    text = (f"{clean(network.title or network.name, 60)}: {len(network.sites)} sites, "
            f"{len(network.lanes)} lanes")
    if any(flows.values()):
        text += (f"; a lane is as wide as its flow (widest: "
                 f"{number(max(flows.values()))} units/d, baseline)")
    if len(network.lanes) > _MOST_LANES:
        text += f"; the {_MOST_LANES} busiest lanes are drawn"
    return text if geographic else text + "; sites have no coordinates, so they stand in columns"


def _places(network: Network) -> dict[str, Point]:
    """Longitude and latitude, a flat projection true at the middle latitude."""
    at = {name: (site.longitude or 0.0, site.latitude or 0.0)
          for name, site in network.sites.items()}
    seen: dict[Point, int] = {}
    for name, (x, y) in at.items():  # sites of one city would hide one another
        again = seen[x, y] = seen.get((x, y), -1) + 1
        if again:
            turn = 2.4 * again
            at[name] = (x + 0.02 * again**0.5 * float(np.cos(turn)),
                        y + 0.02 * again**0.5 * float(np.sin(turn)))
    return at


def _columns(network: Network) -> dict[str, Point]:
    by_kind: dict[str, list[str]] = {}
    for name, site in network.sites.items():
        by_kind.setdefault(site.kind, []).append(name)
    kinds = [kind for kind in _COLUMNS if kind in by_kind]
    kinds += [kind for kind in by_kind if kind not in kinds]
    at: dict[str, Point] = {}
    for i, kind in enumerate(kinds):
        for j, name in enumerate(by_kind[kind]):
            at[name] = (2.0 * i, 1.0 - (j + 1) / (len(by_kind[kind]) + 1))
    return at


def _crowd(at: Mapping[str, Point]) -> list[str] | None:
    """Sites of a corner that is worth enlarging, if there is one."""
    names = list(at)
    if len(names) < 4:
        return None
    xy = np.array([at[name] for name in names])
    xy[:, 0] *= cos(radians(float(np.median(xy[:, 1]))))
    step = max(1, len(names) // 300)
    apart = np.hypot(*(xy[:, None, :] - xy[None, ::step, :]).transpose(2, 0, 1))
    centre = int(np.argmin(np.median(apart, axis=0))) * step
    distance = np.hypot(*(xy - xy[centre]).T)
    order = np.argsort(distance, kind="stable")
    ranked = distance[order]
    for count in range(len(names) - 1, len(names) // 2, -1):
        if 4.0 * ranked[count - 1] < ranked[count]:
            return [names[i] for i in order[:count]]
    return None


def _frame(made: Figure, axes: Axes, points: Sequence[Point], geographic: bool) -> None:
    xy = np.array(points)
    low, high = xy.min(axis=0), xy.max(axis=0)
    stretch = 1.0 / max(cos(radians(float((low[1] + high[1]) / 2))), 0.2) if geographic else 1.0
    map_sheet(axes)
    if not geographic:
        axes.set_xlim(low[0] - 0.6, high[0] + 1.0)
        axes.set_ylim(0.0, 1.0)
        return
    width, height = made.get_size_inches()
    box = axes.get_position()
    shape = (box.width * width) / (box.height * height)
    middle, span = (low + high) / 2, np.maximum((high - low) * 1.24, 0.5)
    tall = max(span[1], span[0] / stretch / shape)
    wide = tall * shape * stretch
    axes.set_xlim(middle[0] - wide / 2, middle[0] + wide / 2)
    axes.set_ylim(middle[1] - tall / 2, middle[1] + tall / 2)
    _graticule(axes)


def _graticule(axes: Axes) -> None:
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    steps = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
    step = next((s for s in steps if (right - left) / s <= 11), 60.0)
    style: Any = {"color": GRID, "linewidth": 0.8, "zorder": 0.5}
    label: Any = {"fontsize": 7, "color": FAINT, "zorder": 0.6}
    inset = 0.008
    for x in np.arange(np.ceil(left / step), np.floor(right / step) + 1) * step:
        if abs(x) <= 180:
            axes.axvline(x, **style)
            axes.text(x, low + inset * (high - low), _degrees(x, "EW"), ha="center", va="bottom",
                      **label)
    for y in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
        if abs(y) <= 90:
            axes.axhline(y, **style)
            axes.text(left + inset * (right - left), y, _degrees(y, "NS"), ha="left",
                      va="bottom", **label)


def _degrees(value: float, signs: str) -> str:
    text = f"{abs(value):.4g}\u00b0"
    return text if abs(value) < 1e-9 else text + signs[int(value < 0)]


def _lanes(axes: Axes, network: Network, at: Mapping[str, Point],
           flows: Mapping[str, float]) -> None:
    widest = max(flows.values(), default=0.0)
    modes = _modes(network)
    lanes = sorted(network.lanes, key=lambda lane: -flows.get(":".join(lane), 0.0))
    paths, widths, colours = [], [], []
    thick = float(np.clip(6.0 - len(lanes) / 30, 2.4, 5.4))
    for origin, destination, mode in reversed(lanes[:_MOST_LANES]):
        flow = flows.get(f"{origin}:{destination}:{mode}", 0.0)
        stops = [at[origin], at[destination]]
        via = network.lanes[origin, destination, mode].via
        if via and via in at:
            stops.insert(1, at[via])
        for start, end in pairwise(stops):
            paths.append(arc(start, end, modes.index(mode)))
            widths.append(0.7 if not widest else 0.5 + thick * (flow / widest) ** 0.5)
            colours.append(SERIES[modes.index(mode) % len(SERIES)])
    faint = float(np.clip(0.55 - len(lanes) / 700, 0.3, 0.5))
    axes.add_collection(LineCollection(paths, linewidths=widths, colors=colours, alpha=faint,
                                       zorder=1, capstyle="round"), autolim=False)


def arc(start: Point, end: Point, rank: int = 0) -> list[Point]:
    """A curve bent to the right of its direction, so that there and back are two lines."""
    (x0, y0), (x1, y1) = start, end
    bend = 0.12 + 0.05 * (rank % 3)
    cx, cy = (x0 + x1) / 2 + bend * (y1 - y0), (y0 + y1) / 2 - bend * (x1 - x0)
    t = np.linspace(0.0, 1.0, 40)
    x = (1 - t) ** 2 * x0 + 2 * t * (1 - t) * cx + t**2 * x1
    y = (1 - t) ** 2 * y0 + 2 * t * (1 - t) * cy + t**2 * y1
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _modes(network: Network) -> list[str]:
    return sorted({lane.mode for lane in network.lanes.values()})


def _markers(axes: Axes, network: Network, at: Mapping[str, Point], small: set[str]) -> None:
    """Mark the sites; those that another panel enlarges are dots here."""
    size = 62 if len(at) <= 60 else 30 if len(at) <= 300 else 12
    for kind, (colour, marker) in KINDS.items():
        for names, area in ((set(at) - small, size), (small, 3)):
            points = [at[name] for name, site in network.sites.items()
                      if site.kind == kind and name in names]
            if points:
                axes.scatter([x for x, _ in points], [y for _, y in points], s=area, c=colour,
                             marker=marker, edgecolors=PAPER, linewidths=0.9 if area > 3 else 0,
                             zorder=3)


def _show_crop(outer: Axes, inner: Axes) -> None:
    """Outline on the overview what the second panel enlarges."""
    (left, right), (low, high) = inner.get_xlim(), inner.get_ylim()
    outer.plot([left, right, right, left, left], [low, low, high, high, low], color=INK,
               linewidth=0.9, zorder=4)
    (a, b), (c, d) = outer.get_xlim(), outer.get_ylim()
    if right - left < 0.06 * (b - a):
        outer.text((left + right) / 2, high + 0.012 * (d - c), "enlarged", fontsize=7.5,
                   color=MUTED, ha="center", va="bottom", zorder=4)


def _labels(made: Figure, axes: Axes, names: Sequence[str], at: Mapping[str, Point],
            network: Network, flows: Mapping[str, float]) -> None:
    """Name the sites, the busiest first, where the name hides neither a marker nor a name."""
    weight = dict.fromkeys(network.sites, 0.0)
    for (origin, destination, mode) in network.lanes:
        flow = flows.get(f"{origin}:{destination}:{mode}", 0.0) + 1e-9
        weight[origin] += flow
        weight[destination] += flow
    frame = axes.get_window_extent()
    inside = [axes.transData.transform(point) for point in at.values()]
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in inside]
    renderer = made.canvas.get_renderer()  # type: ignore[attr-defined]
    near = _neighbours(sorted(names, key=lambda n: -weight[n]),
                       {name: _pixel(axes, at[name]) for name in names})
    for name, others in list(near.items())[:_MOST_LABELS]:
        text = ", ".join(clean(n, 24) for n in (name, *others))
        if len(text) > 28:
            text = clean(name, 24) + (f" +{len(others)}" if others else "")
        label = axes.text(0, 0, text, fontsize=8, color=INK, zorder=5, va="center", ha="left")
        extent = label.get_window_extent(renderer)
        spot = _spot(_pixel(axes, at[name]), extent.width, extent.height, taken,
                     (frame.x0, frame.y0, frame.x1, frame.y1))
        if spot is None:
            label.remove()
            continue
        taken.append((spot[0] - 1, spot[1] - 1, spot[0] + extent.width + 1,
                      spot[1] + extent.height + 1))
        x, y = axes.transData.inverted().transform((spot[0], spot[1] + extent.height / 2))
        label.set_position((x, y))
        label.set_path_effects([withStroke(linewidth=2.2, foreground=SEA)])


def _pixel(axes: Axes, point: Point) -> Point:
    x, y = axes.transData.transform(point)
    return float(x), float(y)


def _neighbours(names: Sequence[str], pixels: Mapping[str, Point]) -> dict[str, list[str]]:
    """Names that stand for themselves, each with those that stand on the same spot."""
    near: dict[str, list[str]] = {}
    for name in names:
        x, y = pixels[name]
        for other in near:
            if hypot(x - pixels[other][0], y - pixels[other][1]) < 7.0:
                near[other].append(name)
                break
        else:
            near[name] = []
    return near


def _spot(point: Point, width: float, height: float, taken: Sequence[Box],
          frame: Box) -> Point | None:
    """Lower left corner of the first free place around a point, in pixels."""
    x, y = point
    for reach in (8.0, 13.0, 20.0, 28.0):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            far = reach / hypot(dx, dy)
            left = x + dx * far - (width if dx < 0 else width / 2 if dx == 0 else 0.0)
            low = y + dy * far - (height if dy < 0 else height / 2 if dy == 0 else 0.0)
            box = (left, low, left + width, low + height)
            if (box[0] < frame[0] or box[1] < frame[1] or box[2] > frame[2]
                    or box[3] > frame[3]):
                continue
            if not any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3]
                       for t in taken):
                return left, low
    return None


def _legend(made: Figure, network: Network) -> None:
    kinds = {site.kind for site in network.sites.values()}
    handles = [Line2D([], [], linestyle="", marker=marker, markersize=7, color=colour, label=kind)
               for kind, (colour, marker) in KINDS.items() if kind in kinds]
    handles += [Line2D([], [], color=SERIES[i % len(SERIES)], linewidth=3, alpha=0.6,
                       label=clean(mode, 18)) for i, mode in enumerate(_modes(network)[:8])]
    made.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.0), ncols=13,
                fontsize=8.5, handletextpad=0.5, columnspacing=1.4, labelcolor=MUTED)
