"""Loggers: how often the temperature of goods must be recorded, and which sensors do not."""

from __future__ import annotations

from twin.clock import format_duration
from twin.network import Network

_MINUTE_H = 1 / 60


def longest_interval(hours: float) -> float:
    """Longest time between two records of a transport of so many hours, in hours (EN 12830:1999).

    Up to a day 5 minutes, up to a week 15 minutes, beyond that an hour.

    Examples
    --------
    >>> [round(60 * longest_interval(hours)) for hours in (20.0, 72.0, 240.0)]
    [5, 15, 60]
    """
    if hours < 24.0:
        return 5 * _MINUTE_H
    return 15 * _MINUTE_H if hours <= 7 * 24.0 else 1.0


def slow_loggers(network: Network) -> list[str]:
    """One sentence for each temperature sensor that records too seldom for its cold lanes.

    A sensor on a truck is held against the longest refrigerated lane that its fleet drives; one
    that stays in place must record at least every hour.
    """
    found = []
    for sensor in network.sensors.values():
        if sensor.measure != "temperature" or sensor.interval is None:
            continue
        truck = network.trucks.get((sensor.asset or "").partition("#")[0])
        allowed = 1.0
        if truck is not None:
            trips = [_hours(network, lane, truck.speed_kmh) for lane in network.lanes.values()
                     if lane.refrigerated and lane.fleet == truck.home]
            allowed = longest_interval(max(trips, default=0.0))
        if sensor.interval > allowed + 1e-9:
            found.append(f"sensors {sensor.sensor}: interval {format_duration(sensor.interval)} is "
                         f"too long. Record at least every {round(allowed * 60)}min.")
    return found


def _hours(network: Network, lane: object, speed_kmh: float) -> float:
    from twin.network import Lane

    assert isinstance(lane, Lane)
    if lane.transit is not None:
        return lane.transit.mean()
    return (network.distance_km(lane) or 0.0) / speed_kmh
