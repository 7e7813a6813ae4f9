"""The situation: what moves on the map of a network now, and how full its shelves are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from twin.measure.maps import Point, arc, is_geographic, network_map, places
from twin.measure.style import FAINT, INK, MUTED, PAPER, SERIES, clean, plain, styled, tick
from twin.network import Network

_MOST_SHELVES, _MOST_NAMES = 28, 12
_BARS_INCH = 4.6


@dataclass(frozen=True, slots=True)
class Mover:
    """A truck or a shipment.

    Parameters
    ----------
    name
        As it is written beside it.
    truck
        Whether it is a truck, or a carrier's shipment.
    origin, destination
        Between which sites; the same one twice for what stands at a site.
    share
        Of the way, 0 to 1.
    latitude, longitude
        Where it was last seen; None to place it on its way by `share`.
    """

    name: str
    truck: bool
    origin: str
    destination: str
    share: float = 0.0
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Units on a shelf, and what it is filled up to; 0 where no policy says."""

    name: str
    on_hand: float
    full: float


def situation_map(network: Network, movers: Sequence[Mover], shelves: Sequence[Shelf],
                  said: tuple[str, str]) -> Figure:
    """Draw what moves on the map, and shelves as bars beside it.

    Parameters
    ----------
    said
        The finding over the picture, and its detail.
    """
    made = network_map(network, said=said)
    width, height = made.get_size_inches()
    wide = width + _BARS_INCH
    made.set_size_inches(wide, height)
    with styled():
        panels = list(made.axes)
        for axes in panels:
            box = axes.get_position()
            axes.set_position((box.x0 * width / wide, box.y0, box.width * width / wide,
                               box.height))
            _movers(axes, network, movers, named=axes is panels[-1])
        if shelves:
            _shelves(made, shelves, width / wide)
    return made


def _movers(axes: Axes, network: Network, movers: Sequence[Mover], *, named: bool) -> None:
    """Mark what moves; trucks by name, but not where another panel shows them larger."""
    at, globe = places(network), is_geographic(network)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    names = 0 if named else _MOST_NAMES
    for truck, colour, marker in ((False, SERIES[4], "o"), (True, INK, "s")):
        for mover in movers:
            point = _point(mover, at, globe)
            if mover.truck is not truck or point is None or not (
                    left <= point[0] <= right and low <= point[1] <= high):
                continue
            axes.scatter(*point, s=34 if truck else 20, c=colour, marker=marker,
                         edgecolors=PAPER, linewidths=0.8, zorder=6)
            if names < _MOST_NAMES and truck:
                names += 1
                axes.annotate(clean(mover.name, 18), point, (4, 5), textcoords="offset points",
                              fontsize=7, color=MUTED, zorder=6)


def _point(mover: Mover, at: dict[str, Point], globe: bool) -> Point | None:
    if globe and mover.latitude is not None and mover.longitude is not None:
        return mover.longitude, mover.latitude
    if mover.origin not in at or mover.destination not in at:
        return None
    if mover.origin == mover.destination:
        return at[mover.origin]
    way = arc(at[mover.origin], at[mover.destination])
    return way[round(min(1.0, max(0.0, mover.share)) * (len(way) - 1))]


def _shelves(made: Figure, shelves: Sequence[Shelf], begin: float) -> None:
    """Bars: as full as the policy would have them is a whole bar."""
    shown = sorted(shelves, key=lambda shelf: (shelf.name.split("/")[0], shelf.name))
    shown = shown[:_MOST_SHELVES]
    axes = made.add_axes((begin + 0.11, 0.09, 0.985 - begin - 0.11, 0.72))
    names = [clean(shelf.name, 26) for shelf in shown]
    whole = [max(shelf.full, shelf.on_hand) or 1.0 for shelf in shown]
    axes.barh(names, [1.0] * len(shown), color=FAINT, alpha=0.25, height=0.66)
    axes.barh(names, [shelf.on_hand / most for shelf, most in zip(shown, whole, strict=True)],
              color=[SERIES[0] if shelf.full else FAINT for shelf in shown], height=0.66)
    for place, shelf in enumerate(shown):
        axes.text(1.02, place, tick(round(shelf.on_hand, 1)), fontsize=7, va="center",
                  color=MUTED)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.25)
    axes.set_xticks([0.0, 0.5, 1.0])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.set_title("Units on hand; blue: as a share of the fill-up level", fontsize=8.5,
                   color=MUTED, loc="left", x=-0.5)
    axes.tick_params(labelsize=7)
    plain(axes, grid="x")
