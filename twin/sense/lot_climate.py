"""How warm it was: the temperatures that lots went through, from first seen to last."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from twin.network import Network
from twin.readings import Reading
from twin.sense.exposure import Exposure


@dataclass(frozen=True, slots=True)
class LotClimate:
    """What a lot went through, wherever units of it were.

    Attributes
    ----------
    lowest, highest
        C; `where` and `when` the highest was (seconds since 1970).
    kinetic_c
        The highest mean kinetic temperature of any part of it, C.
    hours_outside
        The most that any part was outside the limits of the product.
    readings
        Temperatures that were measured around it.
    """

    lot: str
    product: str
    lowest: float = math.nan
    highest: float = math.nan
    where: str = ""
    when: float = math.nan
    kinetic_c: float = math.nan
    hours_outside: float = 0.0
    readings: int = 0


def climate_of(readings: Iterable[Reading], network: Network,
               lots: Iterable[str]) -> dict[str, LotClimate]:
    """What lots went through; those that no temperature can harm are left out.

    Parameters
    ----------
    readings
        In order of time: temperatures, and what happened to the lots.

    Examples
    --------
    >>> network = Network(products=[{"product": "serum", "min_c": 2, "max_c": 8}])
    >>> told = [Reading(sensor="s", id=str(n), time=3600.0 * n, site="W", **more)
    ...         for n, more in enumerate([
    ...             {"kind": "storing", "lot": "L1", "product": "serum", "quantity": 10.0},
    ...             {"kind": "temperature", "value": 5.0}, {"kind": "temperature", "value": 9.0},
    ...             {"kind": "temperature", "value": 6.0},
    ...             {"kind": "delivering", "lot": "L1", "product": "serum", "quantity": 10.0},
    ...             {"kind": "temperature", "value": 30.0}])]
    >>> seen = climate_of(told, network, ["L1"])["L1"]
    >>> seen.lowest, seen.highest, seen.where, seen.hours_outside, seen.readings
    (5.0, 9.0, 'W', 1.0, 3)
    """
    wanted = set(lots)
    exposure = Exposure(network)
    found: dict[str, LotClimate] = {}
    for reading in readings:
        if reading.kind != "temperature":
            if reading.lot in wanted:
                _settle(found, exposure, reading.lot)  # parts may leave with this reading
                exposure.update(reading)
            elif not reading.lot:
                exposure.update(reading)  # a truck that takes a shipment, a shipment that comes
            continue
        here = {part.lot: part for part in exposure.around(reading) if part.lot in wanted}
        exposure.update(reading)
        if reading.value == reading.value:
            for lot, part in here.items():
                found[lot] = _felt(found.get(lot) or LotClimate(lot, part.product), reading)
    for lot in wanted:
        _settle(found, exposure, lot)
    return found


def _felt(seen: LotClimate, reading: Reading) -> LotClimate:
    warmer = not reading.value <= seen.highest
    place = reading.shipment or reading.asset or (
        f"{reading.site}:{reading.area}" if reading.area else reading.site)
    return replace(
        seen, readings=seen.readings + 1,
        lowest=reading.value if not reading.value >= seen.lowest else seen.lowest,
        highest=reading.value if warmer else seen.highest,
        where=place if warmer else seen.where, when=reading.time if warmer else seen.when)


def _settle(found: dict[str, LotClimate], exposure: Exposure, lot: str) -> None:
    """Take over what the parts of a lot have added up so far."""
    for part in exposure.of(lot):
        seen = found.get(lot) or LotClimate(lot, part.product)
        kinetic = max(part.kinetic_c, seen.kinetic_c) if seen.kinetic_c == seen.kinetic_c \
            else part.kinetic_c
        found[lot] = replace(
            seen, kinetic_c=kinetic,
            hours_outside=max(seen.hours_outside, part.condition.hours_outside))
