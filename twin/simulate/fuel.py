"""Fuel laws: litres per 100 km by how full a truck is."""

from __future__ import annotations


def litres_per_100km(points: tuple[float, ...], share: float) -> float:
    """Interpolate between points that are equally spaced from empty (0) to full (1).

    Examples
    --------
    >>> round(litres_per_100km((31.1, 34.5, 37.9, 41.4, 44.8), 0.6), 6)
    39.3
    >>> litres_per_100km((28.0,), 0.5)
    28.0
    """
    last = len(points) - 1
    if last == 0:
        return points[0]
    place = min(1.0, max(0.0, share)) * last
    low = min(int(place), last - 1)
    return points[low] + (place - low) * (points[low + 1] - points[low])
