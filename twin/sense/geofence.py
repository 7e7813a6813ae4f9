"""Geofences: the ground of a site, and the ground that a trip between two sites may use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from twin.network import Lane, Network

EARTH_KM = 6371.0088
Point = tuple[float, float]


def km_between(a: Point, b: Point) -> float:
    """Great-circle distance between two points (latitude, longitude in degrees).

    Examples
    --------
    >>> round(km_between((51.95, 4.14), (52.51, 6.09)))
    147
    """
    phi, psi = math.radians(a[0]), math.radians(b[0])
    across = math.radians(b[1] - a[1]) / 2
    half = math.sin((psi - phi) / 2) ** 2 + math.cos(phi) * math.cos(psi) * math.sin(across) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


@dataclass(frozen=True, slots=True)
class Fence:
    """A circle around a place."""

    place: str
    centre: Point
    radius_km: float = 0.5


class Fences:
    """The fences of a network.

    Examples
    --------
    >>> fences = Fences([Fence("W", (52.0, 5.0)), Fence("V", (52.1, 5.0), 2.0)])
    >>> fences.at((52.003, 5.0)), fences.at((52.2, 5.0)), fences.at((52.005, 5.0), slack=1.2)
    ('W', '', 'W')
    """

    def __init__(self, fences: Iterable[Fence]) -> None:
        self.fences = {fence.place: fence for fence in fences}

    def at(self, point: Point, slack: float = 1.0) -> str:
        """The place whose fence holds a point, the nearest of several; empty for none."""
        best, nearest = "", math.inf
        for fence in self.fences.values():
            # A degree of latitude is 111 km: most fences are too far away to be measured.
            if abs(point[0] - fence.centre[0]) * 110.0 > fence.radius_km * slack:
                continue
            far = km_between(point, fence.centre)
            if far <= fence.radius_km * slack and far < nearest:
                best, nearest = fence.place, far
        return best


def fences_of(network: Network, radius_km: float = 0.5) -> Fences:
    """A fence around every site that has coordinates."""
    return Fences(Fence(site.site, (site.latitude, site.longitude), radius_km)
                  for site in network.sites.values()
                  if site.latitude is not None and site.longitude is not None)


@dataclass(frozen=True, slots=True)
class Corridor:
    """The ground of a trip: on each leg, every point from which the detour is not too long.

    A way of length L between two points cannot leave the ellipse where the distances to both add up
    to L. So a corridor needs no map, only the length of the lane.

    Parameters
    ----------
    stops
        Origin, places passed, destination.
    detour
        Longest way over the direct one.
    slack_km
        Added to each leg, for short ones.

    Examples
    --------
    >>> corridor = Corridor(((52.0, 5.0), (52.0, 6.0)))
    >>> corridor.holds((52.1, 5.5)), corridor.holds((52.6, 5.5))
    (True, False)
    >>> round(corridor.covered((52.0, 5.25)), 2)
    0.25
    """

    stops: tuple[Point, ...]
    detour: float = 1.3
    slack_km: float = 5.0

    def holds(self, point: Point) -> bool:
        """Whether a point is on the way."""
        return any(km_between(a, point) + km_between(point, b)
                   <= self.detour * km_between(a, b) + self.slack_km
                   for a, b in pairwise(self.stops))

    def covered(self, point: Point) -> float:
        """Share of the way that lies behind a point, from 0 to 1."""
        legs = [km_between(a, b) for a, b in pairwise(self.stops)]
        best, share, behind = math.inf, 0.0, 0.0
        for (a, b), length in zip(pairwise(self.stops), legs, strict=True):
            back, ahead = km_between(a, point), km_between(point, b)
            if back + ahead - length < best and back + ahead > 0:
                best, share = back + ahead - length, behind + length * back / (back + ahead)
            behind += length
        return min(1.0, share / behind) if behind else 1.0


def corridor_of(network: Network, lane: Lane, *, slack_km: float = 5.0) -> Corridor | None:
    """The corridor of a lane; None when a place on it has no coordinates.

    The detour is the length of the lane over the direct way with a tenth on top, at least 1.3.
    """
    names = [lane.origin, *([lane.via] if lane.via else []), lane.destination]
    stops = _points(network, names)
    if stops is None:
        return None
    direct = sum(km_between(a, b) for a, b in pairwise(stops))
    own = lane.distance_km / direct if lane.distance_km is not None and direct > 0 else 1.0
    return Corridor(stops, max(1.3, 1.1 * own), slack_km)


def _points(network: Network, names: Sequence[str]) -> tuple[Point, ...] | None:
    found = []
    for name in names:
        site = network.sites[name]
        if site.latitude is None or site.longitude is None:
            return None
        found.append((site.latitude, site.longitude))
    return tuple(found)
