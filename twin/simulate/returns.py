"""Goods that customers send back: they stay a while, and are shelved or thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor
from typing import TYPE_CHECKING, Any

from twin.events import RETURNED
from twin.network import Return
from twin.simulate.kernel import RECEIPT
from twin.simulate.order import Goods, Lot
from twin.simulate.shipment import split_goods
from twin.tally import Key

if TYPE_CHECKING:
    from twin.simulate.book import Book
    from twin.simulate.world import World

_EPS = 1e-9


def part_of(quantity: float, share: float, luck: float) -> float:
    """Whole units of a quantity, in the mean the share of it; `luck` is in [0, 1).

    Examples
    --------
    >>> part_of(10.0, 0.25, 0.4), part_of(10.0, 0.25, 0.6), part_of(0.5, 1.0, 0.9)
    (3.0, 2.0, 0.5)
    """
    mean = quantity * share
    low = float(floor(mean + _EPS))
    high = min(low + 1.0, quantity)
    return high if high > low and luck < (mean - low) / (high - low) else min(low, quantity)


class Returns:
    """One row of `returns`: what the customers of a site send back of a product.

    A part of each delivery is at `to` so long `after` its receipt; by which way is not modelled.
    What the shelf there does not take is waste of that place.
    """

    kind = "returns"

    def __init__(self, world: World, row: Return) -> None:
        self.world, self.row = world, row
        self.site, self.product, self.to = row.site, row.product, row.to
        self.name = f"returns {row.site}/{row.product}"
        self.value = world.network.products[row.product].value
        self.luck = world.streams.uniform(self.name, "units")
        self.restock_luck = world.streams.uniform(self.name, "restock")
        self.after = world.streams.draw(self.name, "after", row.after)
        stocked = (row.to, row.product) in world.network.stock
        self.shelf = world.node(row.to, row.product, "stock") if stocked else None
        #: what is to come back, by turn: when, units, lots, and the order they were delivered for
        self.kept: dict[int, tuple[float, float, Goods, int]] = {}
        self.turn = 0
        self.reset(0.0)

    def delivered(self, quantity: float, goods: Goods, order: int) -> None:
        """A customer of the site has taken delivery: some of it will come back."""
        units, hours = part_of(quantity, self.row.share, self.luck()), self.after()
        if units > _EPS:
            part = split_goods(_copies(goods), units)
            self._keep(self.world.env._now + hours, units, part, order)

    def _keep(self, until: float, units: float, goods: Goods, order: int) -> None:
        self.turn += 1
        self.kept[self.turn] = (until, units, goods, order)
        self.world.env.call(until, RECEIPT, self._come, self.turn)

    def _come(self, turn: int) -> None:
        """Goods are back: shelve what is good, throw the rest away."""
        _, units, goods, order = self.kept.pop(turn)
        self.returned += units
        self._write("returning", units, goods, order, self.site, self.to)
        luck = self.restock_luck()
        good = part_of(units, self.row.restock, luck) if self.shelf is not None else 0.0
        fit = split_goods(goods, good)
        if units - good > _EPS:
            self.wasted += units - good
            self._write("expiring", units - good, goods, order, self.to, cause=RETURNED)
        if good > _EPS:
            assert self.shelf is not None
            self.restocked += good
            self.shelf.put(good, fit)
            self.shelf.consider()

    def _write(self, event: str, units: float, goods: Goods, order: int, site: str,
               to_site: str = "", cause: str = "") -> None:
        """Write one row a lot."""
        ledger = self.world.ledger
        if ledger is not None:
            for lot in goods or (None,):
                ledger.add(self.world.env._now, event, product=self.product, order=order,
                           quantity=lot.quantity if lot else units,
                           lot=lot.number if lot else 0, site=site, to_site=to_site, cause=cause)

    # -- state -----------------------------------------------------------------------------------
    def state(self, book: Book) -> dict[str, Any]:
        """What is to come back, and in how many hours."""
        now = self.world.env._now
        return {"kept": [{"in": until - now, "units": units, "goods": book.goods(goods)}
                         for until, units, goods, _ in self.kept.values()]} if self.kept else {}

    def resume(self, state: dict[str, Any], book: Book) -> None:
        """Go on waiting; which order it was delivered for is no longer known."""
        for row in state["kept"]:
            self._keep(self.world.env._now + row["in"], row["units"],
                       book.lots(row["goods"], self.product), 0)

    # -- score -----------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.returned = self.restocked = self.wasted = 0.0

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        yield ("units_returned", self.site, self.product, ""), self.returned
        yield ("units_restocked", self.to, self.product, ""), self.restocked
        yield ("units_spoiled", self.to, self.product, ""), self.wasted
        yield ("waste_cost", self.to, self.product, ""), self.wasted * self.value


def _copies(goods: Goods) -> Goods:
    """Lots that may be split without touching those that the customer was handed."""
    if goods is None:
        return None
    found = []
    for lot in goods:
        copy = Lot(lot.number, lot.product, lot.quantity, lot.expires, lot.parent)
        copy.exposure = lot.exposure
        found.append(copy)
    return found
