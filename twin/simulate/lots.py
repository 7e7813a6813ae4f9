"""Lots on a shelf: those that expire first leave first."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

from twin.simulate.order import Lot

_EPS = 1e-9


def _expiry(lot: Lot) -> float:
    return lot.expires


class Lots:
    """The lots of one shelf, by expiry; of the same expiry, by arrival.

    Examples
    --------
    >>> lots = Lots()
    >>> for number, units, expires in ((1, 5.0, 90.0), (2, 3.0, 70.0)):
    ...     lots.add(Lot(number, "milk", units, expires))
    >>> [(lot.number, lot.quantity) for lot in lots.pick(4.0)]
    [(2, 3.0), (1, 1.0)]
    """

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: list[Lot] = []

    def __iter__(self) -> Iterator[Lot]:
        return iter(list(self.rows))

    def add(self, lot: Lot) -> None:
        """Put a lot where its expiry belongs."""
        insort(self.rows, lot, key=_expiry)

    def pick(self, quantity: float) -> list[Lot]:
        """Take units from the lots that expire first."""
        rows, taken, left = self.rows, [], quantity
        while left > _EPS and rows:
            lot = rows[0]
            if lot.quantity <= left + _EPS:
                left -= lot.quantity
                part = lot.split(lot.quantity)
                rows.pop(0)
            else:
                part = lot.split(left)
                left = 0.0
            taken.append(part)
        return taken

    def remove(self, lot: Lot) -> bool:
        """Take a whole lot out; False if it is not here any more."""
        if lot not in self.rows:
            return False
        self.rows.remove(lot)
        return True
