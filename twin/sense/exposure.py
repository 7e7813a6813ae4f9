"""Exposure: the temperatures that each lot has seen on its way, wherever it was.

A lot is at a site or in one of its areas, or in a shipment, which is in a truck; what a sensor says
of any of these it says of the lots inside. A lot that is split keeps its past in both parts.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

from twin.network import Network, Product
from twin.readings import Reading
from twin.sense.excursion import Condition, Excursion, limits_of
from twin.sense.kinetic import PHARMACOPOEIA_KJ, KineticMean
from twin.sense.shelf_life import Ageing, Arrhenius, Remaining, ShelfLife
from twin.sense.statistic import Statistic
from twin.sense.storage_area import area_of

#: Where a lot is: ("area", "W:cold_room"), ("site", "W"), ("shipment", "S7"), ("asset", "T1").
Place = tuple[str, str]
_INTO = ("receiving", "storing", "commissioning", "sighting")
_OUT = ("delivering", "consuming", "expiring", "scrapping", "lost")
_LEAST = 1e-9
_REMEMBERED = 10_000  # deliveries whose arrival has not been told


@dataclass(frozen=True, slots=True)
class LotCondition:
    """What became of a lot, or of the part of it that is at one place.

    Attributes
    ----------
    condition
        Against the limits of its product.
    kinetic_c
        Mean kinetic temperature so far, C; NaN when nothing was measured.
    remaining
        Shelf life; None for a product without one.
    at_risk
        Value of the units, while they are or were out of their range.
    """

    lot: str
    product: str
    place: Place
    units: float
    condition: Condition
    kinetic_c: float
    remaining: Remaining | None
    at_risk: float


class Part:
    """Units of a lot at one place, and what they have been through."""

    def __init__(self, lot: str, product: str, units: float, watch: Excursion,
                 life: ShelfLife | None) -> None:
        self.lot, self.product, self.units = lot, product, units
        self.watch, self.mean, self.life = watch, KineticMean(), life

    def suffers(self, celsius: float) -> bool:
        """Whether a temperature is outside what its product bears."""
        return self.watch.holds(celsius)

    def feel(self, reading: Reading) -> None:
        """Take in a temperature around it."""
        self.watch.update(reading)
        self.mean.update(reading)
        if self.life is not None:
            self.life.update(reading)


class Exposure(Statistic[Reading, tuple[LotCondition, ...]]):
    """Follows lots from place to place and adds up what they have seen.

    Parameters
    ----------
    network
        Its products give limits, values and shelf lives; its storage says where a product lies.
    breach_h
        Hours beyond the limits of the product, in one piece, that make a breach.
    ageing
        Law by product; others age by the activation energy of the pharmacopoeia, from their shelf
        life in the middle of their range.

    Examples
    --------
    >>> exposure = Exposure.sample()
    >>> def tell(id, hour, kind, **what):
    ...     exposure.update(Reading(sensor="s", id=id, time=3600.0 * hour, kind=kind, **what))
    >>> tell("1", 0, "storing", site="W", lot="L1", product="serum", quantity=10.0)
    >>> tell("2", 0, "temperature", site="W", value=5.0)
    >>> tell("3", 6, "shipping", site="W", lot="L1", product="serum", quantity=4.0, shipment="S7")
    >>> tell("4", 6, "departing", site="W", to_site="C", shipment="S7", asset="T1")
    >>> tell("5", 7, "temperature", asset="T1", value=12.0)
    >>> tell("6", 9, "temperature", asset="T1", value=6.0)
    >>> [(part.place[1], part.units, part.condition.state, part.at_risk) for part in exposure.get()]
    [('S7', 4.0, 'breach', 200.0), ('W', 6.0, 'in range', 0.0)]
    """

    hears = ("storing", "temperature", "shipping", "departing", "arriving", "receiving")

    def __init__(self, network: Network, breach_h: float = 1.0,
                 ageing: dict[str, Ageing] | None = None) -> None:
        self.network, self.breach_h, self.ageing = network, breach_h, dict(ageing or {})
        self._parts: dict[Place, dict[str, Part]] = {}  # by place and lot
        self._places_of: dict[str, set[Place]] = {}  # by lot
        self._inside: dict[Place, Place] = {}  # shipment -> truck
        self._gone: dict[tuple[str, str], float] = {}  # (site, lot) -> delivered, not yet arrived
        self._told_by: dict[tuple[str, str], str] = {}  # (shipment, lot) -> word that moved it

    @classmethod
    def sample(cls, *given: object) -> Exposure:
        """Over one product that is to be kept from 2 to 8 C."""
        return cls(Network(products=[
            Product(product="serum", value=50, min_c=2, max_c=8, shelf_life=8760),
            Product(product="tea", value=3, max_c=25)]))

    def update(self, heard: Reading) -> None:
        """Take in one reading, in order of time."""
        if heard.kind == "temperature":
            self._feel(heard)
        elif heard.kind in ("shipping", "departing"):
            self._leave(heard)
        elif heard.kind == "arriving":
            self._arrive(heard)
        elif heard.kind == "starting":
            if heard.role == "truck" and heard.lot and heard.asset:
                self._move(heard, ("asset", heard.asset))
        elif heard.lot and heard.kind in _INTO:
            self._enter(heard)
        elif heard.lot and heard.kind in _OUT:
            part, _ = self._gather(self._candidates(heard), heard.lot, heard.quantity)
            if part is None and heard.kind == "delivering" and heard.lot in self._places_of:
                key = heard.site, heard.lot  # told before it arrives, as at the same moment
                self._gone[key] = self._gone.pop(key, 0.0) + heard.quantity
                if len(self._gone) > _REMEMBERED:
                    del self._gone[next(iter(self._gone))]

    def get(self) -> tuple[LotCondition, ...]:
        """Every part, by place and lot."""
        return tuple(self._condition(place, self._parts[place][lot])
                     for place in sorted(self._parts) for lot in sorted(self._parts[place]))

    def of(self, lot: str) -> tuple[LotCondition, ...]:
        """The parts of one lot."""
        return tuple(self._condition(place, self._parts[place][lot])
                     for place in sorted(self._places_of.get(lot, ())))

    def lots(self) -> list[str]:
        """Every lot that is somewhere."""
        return sorted(self._places_of)

    def worn(self, now: float, share: float) -> list[str]:
        """The lots that have used more than this share of their life by `now` (s)."""
        found = set()
        for parts in self._parts.values():
            for lot, part in parts.items():
                if part.life is not None:
                    part.life.advance(now)
                    if part.life.used > share:
                        found.add(lot)
        return sorted(found)

    def around(self, heard: Reading) -> list[Part]:
        """The parts that a temperature speaks of."""
        if heard.lot:
            return [self._parts[place][heard.lot]
                    for place in sorted(self._places_of.get(heard.lot, ()))]
        place = place_of(heard)
        found = list(self._parts.get(place, {}).values())
        for inside, around in self._inside.items():
            if around == place:
                found += self._parts.get(inside, {}).values()
        if place[0] == "site":
            for where, parts in self._parts.items():
                if where[0] == "area" and self._surrounds(place[1], where[1]):
                    found += parts.values()
        return found

    def _feel(self, heard: Reading) -> None:
        for part in self.around(heard):
            part.feel(heard)

    def _surrounds(self, site: str, where: str) -> bool:
        """A sensor of a whole site speaks for its areas that have no range of their own."""
        name, _, area = where.partition(":")
        storage = self.network.storage.get((name, area))
        return name == site and (storage is None or storage.min_c is storage.max_c is None)

    def _leave(self, heard: Reading) -> None:
        """Goods go into a shipment, or a shipment into a truck."""
        ship: Place = ("shipment", heard.shipment)
        truck = heard.asset if ":" not in heard.asset else ""
        if truck and heard.shipment:
            self._inside[ship] = ("asset", truck)
        if not heard.lot or not (heard.shipment or truck):
            return
        # Handed over and departed are one movement: whichever is told first is it.
        if self._told_by.setdefault((heard.shipment or truck, heard.lot), heard.kind) == heard.kind:
            was = self._move(heard, ship if heard.shipment else ("asset", truck))
            if heard.shipment and was is not None and was[0] == "asset":
                self._inside[ship] = was

    def _arrive(self, heard: Reading) -> None:
        """Goods leave their shipment for the site, or a shipment its truck."""
        ship: Place = ("shipment", heard.shipment)
        if not heard.lot:
            self._inside.pop(ship, None)
        elif heard.lot in self._parts.get(ship, {}):
            part = self._take(ship, heard.lot, heard.quantity)
            if part is not None:
                self._put(self._area(heard.site or heard.to_site, heard.area, heard.product), part)

    def _move(self, heard: Reading, to: Place) -> Place | None:
        """Units of a lot go elsewhere; where they were, if that is known."""
        trucks = [place for place in sorted(self._places_of.get(heard.lot, ()))
                  if place[0] == "asset" and place != to]
        part, place = self._gather((*trucks, *self._candidates(heard)), heard.lot, heard.quantity)
        if part is not None:
            self._put(to, part)
        return place

    def _enter(self, heard: Reading) -> None:
        site = heard.site or heard.to_site
        to = self._area(site, heard.area, heard.product)
        known = heard.kind in ("storing", "sighting")  # says where a lot is, not that it is new
        if known and heard.lot in self._parts.get(to, {}):
            return
        near = self._near(heard.lot, site)
        if heard.kind == "sighting" and len(near) > 1:
            # A part of the lot, and nobody says how much: what has quantities tells what moves.
            near = [place for place in near if _site_of(place) == site]
            if not near:
                return
        held = [place for place in near
                if known or place == ("shipment", heard.shipment)]
        part = self._take(held[0], heard.lot, heard.quantity) if held else None
        part = part or self._new(heard)
        if part is not None:
            self._put(to, part)

    def _gather(self, places: Iterable[Place], lot: str,
                units: float) -> tuple[Part | None, Place | None]:
        """Units of a lot from one place after the other, as one part; and the first that had some.
        """
        found, first = None, None
        for place in dict.fromkeys(places):
            part = self._take(place, lot, units)
            if part is not None:
                units -= part.units
                found, first = _together(found, part), first or place
                if not units > _LEAST:
                    break
        return found, first

    def _take(self, place: Place, lot: str, units: float) -> Part | None:
        """Units of a lot from a place; all of them when no number is said."""
        part = self._parts.get(place, {}).get(lot)
        if part is None:
            return None
        if not units < part.units - _LEAST:
            del self._parts[place][lot]
            self._places_of[lot].discard(place)
            self._told_by.pop((place[1], lot), None)
            if not self._parts[place]:
                del self._parts[place]
                self._inside.pop(place, None)
            if not self._places_of[lot]:
                del self._places_of[lot]
            return part
        part.units -= units
        taken = copy.deepcopy(part)
        taken.units = units
        return taken

    def _put(self, place: Place, part: Part) -> None:
        """Add a part to a place; of two parts of a lot the one that has suffered more speaks."""
        gone = self._gone.pop((_site_of(place), part.lot), 0.0)
        if not gone < part.units - _LEAST:
            if gone > part.units + _LEAST:
                self._gone[_site_of(place), part.lot] = gone - part.units
            return
        part.units -= gone
        here = self._parts.setdefault(place, {})
        here[part.lot] = _together(here.get(part.lot), part)
        self._places_of.setdefault(part.lot, set()).add(place)

    def _new(self, heard: Reading) -> Part | None:
        """A part without a past; None for a product that no temperature can harm."""
        product = heard.product
        known = self.network.products.get(product)
        if known is None or known.min_c is known.max_c is known.shelf_life is None:
            return None
        life = None
        if known.shelf_life is not None:
            ends = [end for end in (known.min_c, known.max_c) if end is not None]
            usual = sum(ends) / len(ends) if ends else 20.0
            law = self.ageing.get(product) or Arrhenius(known.shelf_life, usual, PHARMACOPOEIA_KJ)
            life = ShelfLife(law, storage_c=usual)
            life.advance(heard.time)
        limits = limits_of(known.min_c, known.max_c, self.breach_h)
        units = heard.quantity if heard.quantity == heard.quantity else 0.0
        return Part(heard.lot, product, units, Excursion(limits), life)

    def _candidates(self, heard: Reading) -> list[Place]:
        """Where the lot of a reading may be, most telling first."""
        site = heard.site or heard.to_site
        named: list[Place] = [("shipment", heard.shipment)] if heard.kind in _OUT else []
        here = [place for place in self._near(heard.lot, site) if _site_of(place) == site]
        return [*named, self._area(site, heard.area, heard.product), ("site", site), *here]

    def _near(self, lot: str, site: str) -> list[Place]:
        """Where a lot is: what stands at a site first, then what is under way, then the rest."""
        return sorted(self._places_of.get(lot, ()), key=lambda place: (
            _site_of(place) != site, bool(_site_of(place)), place))

    def _area(self, site: str, area: str, product: str) -> Place:
        """The area that is said, or the one that a product of this range lies in."""
        if area:
            return "area", area if ":" in area else f"{site}:{area}"
        found = area_of(self.network, site, product)
        return ("area", f"{site}:{found}") if found else ("site", site)

    def _condition(self, place: Place, part: Part) -> LotCondition:
        condition = part.watch.get()
        known = self.network.products.get(part.product)
        hurt = condition.state in ("excursion", "breach")
        return LotCondition(
            part.lot, part.product, place, part.units, condition, part.mean.get(),
            part.life.get() if part.life else None,
            part.units * known.value if hurt and known else 0.0)


def _together(one: Part | None, other: Part) -> Part:
    """Two parts of a lot as one: the one that has suffered more speaks for both."""
    if one is None:
        return other
    units = one.units + other.units
    part = max(one, other, key=lambda part: (
        part.watch.get().hours_outside, part.life.get().used if part.life else 0.0))
    part.units = units
    return part


def _site_of(place: Place) -> str:
    """The site of a place that does not move; else empty."""
    return place[1].partition(":")[0] if place[0] in ("area", "site") else ""


def place_of(reading: Reading) -> Place:
    """The place that a signal speaks of: shipment before asset before area before site.

    Examples
    --------
    >>> place_of(Reading(sensor="t", id="1", time=0.0, kind="temperature", site="W", area="cold"))
    ('area', 'W:cold')
    >>> place_of(Reading(sensor="t", id="1", time=0.0, kind="temperature", asset="W:cold"))
    ('area', 'W:cold')
    >>> place_of(Reading(sensor="t", id="1", time=0.0, kind="temperature", site="W",
    ...                  asset="W/cold"))
    ('area', 'W:cold')
    """
    if reading.shipment:
        return "shipment", reading.shipment
    if reading.site and reading.asset.startswith(f"{reading.site}/"):
        return "area", reading.asset.replace("/", ":", 1)  # as instruments of a rehearsal say it
    if reading.asset and reading.asset.count(":") != 1:
        return "asset", reading.asset
    area = reading.asset or (f"{reading.site}:{reading.area}" if reading.area else "")
    if area:
        return "area", area if ":" in area else f"{reading.site}:{area}"
    return "site", reading.site


__all__ = ["Exposure", "LotCondition", "Part", "Place", "place_of"]
