"""The account of one lot: every unit of it, from where it began to where it is or ended.

Units stand at a site (on its floor or its shelf) or are under way. Each row of the ledger moves
them. What leaves a place and was not there is looked for wherever else the lot is known to be, or
else came from outside the record; both are counted. So the account always adds up: what there was =
delivered + used + lost + still held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from twin.events import RETURNED, WALK_IN

_EPS = 1e-9
#: Rows that say where a vehicle or a lot in a plant is, and move no goods by themselves.
_PLACES = frozenset({"truck", "gate", "lot"})
_OPENING = "stock"
#: Event -> where it takes units from. With True: a walk-in's, and a loss from a shipment.
_TAKES: dict[Any, tuple[str, ...]] = {
    "storing": ("floor", "transit"), "receiving": ("transit",), "picking": ("shelf", "floor"),
    "shipping": ("floor", "shelf"), "departing": ("floor", "shelf"), "arriving": ("transit",),
    "delivering": ("floor", "shelf", "transit"), ("delivering", True): ("shelf", "floor"),
    "consuming": ("floor", "shelf"),
    "expiring": ("shelf", "floor", "transit"), ("expiring", True): ("floor", "transit", "shelf"),
    "scrapping": ("shelf", "floor", "transit"), ("scrapping", True): ("floor", "transit", "shelf"),
}
#: Events with which units leave a place, or the chain.
_LEAVING = frozenset({"picking", "shipping", "departing", "delivering", "consuming", "expiring",
                      "scrapping"})


@dataclass(frozen=True, slots=True)
class Move:
    """Units that went from one site to another; `arrived` is NaN while they are under way."""

    departed: float
    arrived: float
    origin: str
    destination: str
    quantity: float
    shipment: int
    by: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Units that a customer has."""

    time: float
    site: str
    quantity: float
    order: int


@dataclass(frozen=True, slots=True)
class Use:
    """Units of a lot that went into another; `into` is 0 where nothing came of it."""

    time: float
    site: str
    lot: int
    into: int
    product: str
    quantity: float


@dataclass(frozen=True, slots=True)
class Loss:
    """Units that were thrown away, and why."""

    time: float
    site: str
    quantity: float
    cause: str


@dataclass(slots=True)
class Account:
    """What the rows of one lot add up to. Times in hours from the start of the model.

    Attributes
    ----------
    how
        How it began: ``made``, ``supplied``, ``opening stock`` or ``first seen``.
    began
        Units that began in the record.
    unseen
        Units that came from outside the record.
    jumped
        Units that left a place to which no row had brought them, and were known to be elsewhere.
    floor, shelf
        Units by site; `transit` by destination and shipment.
    carriers
        Lanes and trucks that carried it.

    Examples
    --------
    >>> from twin.ledger import Ledger
    >>> ledger = Ledger()
    >>> for time, event, site, units in [(0, "commissioning", "S", 9), (1, "storing", "S", 9),
    ...                                  (2, "picking", "S", 4), (3, "delivering", "S", 4)]:
    ...     _ = ledger.add(time, event, site=site, product="tea", lot=7, quantity=units)
    >>> account = account_of(7, ledger.frame().itertuples())
    >>> account.began, account.delivered, account.held, account.rest
    (9.0, 4.0, {'S': 5.0}, 0.0)
    """

    lot: int
    product: str = ""
    how: str = "first seen"
    place: str = ""
    time: float = float("nan")
    began: float = 0.0
    unseen: float = 0.0
    jumped: float = 0.0
    deliveries: list[Delivery] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    carriers: dict[str, None] = field(default_factory=dict)
    floor: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    shelf: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    transit: defaultdict[tuple[str, int], float] = field(
        default_factory=lambda: defaultdict(float))
    _told: defaultdict[tuple[str, str, int], float] = field(
        default_factory=lambda: defaultdict(float))

    # -- what came of it -------------------------------------------------------------------------
    @property
    def quantity(self) -> float:
        """Units that there were."""
        return self.began + self.unseen

    @property
    def delivered(self) -> float:
        """Units that customers have."""
        return sum(one.quantity for one in self.deliveries)

    @property
    def used(self) -> float:
        """Units that went into other lots."""
        return sum(one.quantity for one in self.uses)

    @property
    def lost(self) -> float:
        """Units that were thrown away."""
        return sum(one.quantity for one in self.losses)

    @property
    def held(self) -> dict[str, float]:
        """Units that are still there, by site; those under way by ``to SITE``."""
        found: defaultdict[str, float] = defaultdict(float)
        for site, units in [*self.floor.items(), *self.shelf.items()]:
            found[site] += units
        for (site, _), units in self.transit.items():
            found[f"to {site}"] += units
        return {place: units for place, units in sorted(found.items()) if units > _EPS}

    @property
    def rest(self) -> float:
        """What the account does not add up to: 0 but for rounding."""
        return self.quantity - self.delivered - self.used - self.lost - sum(self.held.values())

    # -- the rows --------------------------------------------------------------------------------
    def read(self, row: Any) -> None:
        """Take in a row of this lot, in order of time."""
        act = _ACTS.get(row.event)
        if row.role in _PLACES and row.event != "consuming":
            if row.role == "truck" and row.asset:
                self.carriers[row.asset] = None
            return
        if act is None or not row.quantity > 0.0:
            return
        if not self.product:
            self.product, self.place, self.time = row.product, row.site or row.to_site, row.time
        act(self, row)

    def covers(self, row: Any, places: int) -> bool:
        """Whether what a row takes is known to be in the likeliest so many places for it."""
        if row.role in _PLACES or (row.event == "storing" and row.cause == _OPENING):
            return True
        if row.event == "returning":
            had = sum(one.quantity for one in self.deliveries if one.site == row.site)
            return bool(had > row.quantity - _EPS)
        if row.event == "returning":
            had = sum(one.quantity for one in self.deliveries if one.site == row.site)
            return bool(had > row.quantity - _EPS)
        if row.event not in _TAKES:
            return True
        there = sum(stock[key] for stock, key in self._stocks(row)[:places])
        there += self._told["arrived", row.site or row.to_site, 0] * (row.event == "receiving")
        there += self._told["shipping", row.site, row.shipment] * (row.event == "departing")
        return bool(there > row.quantity - _EPS)

    def _stocks(self, row: Any) -> list[tuple[defaultdict[Any, float], Any]]:
        """Where the units of a row may be, most likely place first."""
        site = row.site or row.to_site
        names = _TAKES[row.event]
        if row.role == WALK_IN or (row.event in ("expiring", "scrapping")
                                   and (row.shipment or row.cause == RETURNED)):
            names = _TAKES[row.event, True]
        found: list[tuple[defaultdict[Any, float], Any]] = []
        for name in names:
            stock: defaultdict[Any, float] = getattr(self, name)
            keys: list[Any] = [site] if name != "transit" else sorted(
                (key for key in stock if key[0] == site), key=lambda key: key[1] != row.shipment)
            found += [(stock, key) for key in keys]
        return found

    def _take(self, row: Any) -> None:
        """Take the units of a row from where they may be; what is not there came from outside."""
        left = row.quantity
        for stock, key in self._stocks(row):
            taken = min(left, stock[key])
            stock[key] -= taken
            left -= taken
        if left > _EPS and row.event in _LEAVING:
            left -= self._find(left)
        if left > _EPS:
            self.unseen += left

    def _find(self, units: float) -> float:
        """Take units from wherever they are known to be; how many there were."""
        left = units
        for stock in (self.transit, self.floor, self.shelf):
            for key in sorted(stock):
                taken = min(left, stock[key])  # type: ignore[index]
                stock[key] -= taken  # type: ignore[index]
                left -= taken
        self.jumped += units - left
        return units - left

    def _begin(self, row: Any) -> None:
        if self.began == 0.0 and self.unseen == 0.0:
            self.how = "supplied"
        self.began += row.quantity
        self.floor[row.site or row.to_site] += row.quantity

    def _store(self, row: Any) -> None:
        if row.cause == _OPENING:
            if self.quantity == 0.0:
                self.how = "opening stock"
            self.began += row.quantity
        else:
            self._take(row)
        self.shelf[row.site or row.to_site] += row.quantity

    def _receive(self, row: Any) -> None:
        """What has arrived and not yet been received is only told once more."""
        site = row.site or row.to_site
        told = self._told["arrived", site, 0]
        self._told["arrived", site, 0] = max(0.0, told - row.quantity)
        if row.quantity > told + _EPS:
            self._take(row._replace(quantity=row.quantity - told))
            self.floor[site] += row.quantity - told

    def _pick(self, row: Any) -> None:
        self._take(row)
        self.floor[row.site] += row.quantity

    def _leave(self, row: Any) -> None:
        """Handed over and departed are one movement: whichever is told first is it."""
        other = "departing" if row.event == "shipping" else "shipping"
        told = self._told[other, row.site, row.shipment]
        again = min(told, row.quantity)
        self._told[other, row.site, row.shipment] -= again
        units = row.quantity - again
        if units > _EPS:
            self._told[row.event, row.site, row.shipment] += units
            self._take(row._replace(quantity=units))
            self.transit[row.to_site, row.shipment] += units
            self.moves.append(Move(row.time, float("nan"), row.site, row.to_site, units,
                                   row.shipment, row.asset))
        if row.asset:
            self.carriers[row.asset] = None

    def _arrive(self, row: Any) -> None:
        site = row.site or row.to_site
        self._take(row)
        self.floor[site] += row.quantity
        self._told["arrived", site, 0] += row.quantity
        self._come(site, row, (row.shipment,))

    def _come(self, site: str, row: Any, shipments: tuple[int, ...] = ()) -> None:
        """The first movement to a site that is not over is over now."""
        for place, move in enumerate(self.moves):
            if (move.arrived != move.arrived and move.destination == site
                    and (not shipments or move.shipment in shipments)):
                self.moves[place] = replace(move, arrived=row.time)
                return

    def _deliver(self, row: Any) -> None:
        site = row.site or row.to_site
        before = sum(units for key, units in self.transit.items() if key[0] == site)
        self._take(row)
        if sum(units for key, units in self.transit.items() if key[0] == site) < before:
            self._come(site, row)
        self.deliveries.append(Delivery(row.time, row.site or row.to_site, row.quantity,
                                        row.order))

    def _return(self, row: Any) -> None:
        """The customer's newest deliveries become fewer; the goods stand where they were given."""
        left = row.quantity
        for place in range(len(self.deliveries) - 1, -1, -1):
            one = self.deliveries[place]
            if one.site == row.site and left > _EPS:
                back = min(left, one.quantity)
                left -= back
                self.deliveries[place] = replace(one, quantity=one.quantity - back)
        self.deliveries = [one for one in self.deliveries if one.quantity > _EPS]
        if left > _EPS:
            self.unseen += left
        self.floor[row.to_site or row.site] += row.quantity

    def _use(self, row: Any) -> None:
        self._take(row)
        self.uses.append(Use(row.time, row.site, self.lot, row.lot, row.product, row.quantity))

    def _lose(self, row: Any) -> None:
        self._take(row)
        self.losses.append(Loss(row.time, row.site or row.to_site, row.quantity,
                                row.cause or row.event))


_ACTS = {
    "commissioning": Account._begin, "storing": Account._store, "receiving": Account._receive,
    "picking": Account._pick, "shipping": Account._leave, "departing": Account._leave,
    "arriving": Account._arrive, "delivering": Account._deliver, "consuming": Account._use,
    "expiring": Account._lose, "scrapping": Account._lose, "returning": Account._return,
}


#: What comes first of what happens at one instant, where nothing else decides.
_ORDER = {event: place for place, event in enumerate((
    "commissioning", "arriving", "receiving", "storing", "picking", "shipping", "departing",
    "delivering", "returning", "consuming", "expiring", "scrapping"))}


def account_of(lot: int, rows: Iterable[Any]) -> Account:
    """The account of a lot from its rows, in order of time.

    Systems tell the rows of one instant in any order: one that takes what is not there yet waits
    for the others.

    Parameters
    ----------
    rows
        Named tuples with the columns of a ledger: rows of the lot, and those that consume it.
    """
    account = Account(lot)
    for _, instant in groupby(rows, key=lambda row: row.time):
        waiting = sorted(instant, key=lambda row: _ORDER.get(row.event, 0))
        while waiting:
            ready = next((row for places in (1, 9) for row in waiting
                          if account.covers(row, places)), waiting[0])
            waiting.remove(ready)
            account.read(ready)
    return account
