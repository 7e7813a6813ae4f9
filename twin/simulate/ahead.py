"""Walk-in customers whose orders concern nobody but their shelf, played many at a time.

While a shelf has enough, the customers who take from it change nothing that anybody looks at. So
their orders are drawn ahead, as far as the stock is sure to do, and only the one after them stands
in the calendar. Whoever reads or changes what they would have changed, from anywhere, first has
played, one order after another, what has happened until then: a world gives the same figures to
the last digit as if each order had been an event.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, chain, islice, repeat
from typing import TYPE_CHECKING, Any

from twin.simulate.customer import Customer
from twin.simulate.draws import certain
from twin.simulate.kernel import DEMAND
from twin.simulate.shelf import Shelf
from twin.simulate.shelf_score import Level, Periods

if TYPE_CHECKING:
    from twin.simulate.streams import Draw
    from twin.simulate.world import World

#: Gaps that fall on the same instant as something else only by a chance of zero.
_SMOOTH = ("exponential", "lognormal", "gamma", "erlang", "weibull", "uniform", "triangular")
#: Orders drawn ahead at once, at most and at least, and those played together for it to have paid.
_MOST, _LEAST, _PAYS = 64, 4, 7
#: Orders that come one by one after it has not; each time twice as many, up to so many.
_PATIENCE, _LONGEST = 4, 512


class Drawn:
    """A stream of values of which some can be drawn ahead, and given back.

    Examples
    --------
    >>> luck = Drawn(iter([1.0, 2.0, 3.0, 4.0]).__next__)
    >>> luck.some(3)
    [1.0, 2.0, 3.0]
    >>> draw = luck.give_back([2.0, 3.0])
    >>> draw(), luck.some(2)
    (2.0, [3.0, 4.0])
    """

    __slots__ = ("_back", "_luck", "_new")

    def __init__(self, draw: Draw) -> None:
        self._new = draw
        self._luck: Iterator[float] = draw.__self__  # type: ignore[attr-defined]
        self._back: Iterator[float] | None = None

    def some(self, count: int) -> list[float]:
        """The next values; until some are given back, nobody else may draw."""
        if self._back is None:
            return list(islice(self._luck, count))
        values = list(self._back)
        self._back = None
        if len(values) > count:
            self._back = iter(values[count:])
            return values[:count]
        values.extend(islice(self._luck, count - len(values)))
        return values

    def give_back(self, values: list[float]) -> Draw:
        """Take values back; a function that gives them, and then those after them."""
        if self._back is not None:
            values.extend(self._back)
            self._back = None
        if not values:
            return self._new
        self._back = iter(values)
        return chain(self._back, self._luck).__next__


class Ahead:
    """The orders of one customer that are drawn and not yet played."""

    __slots__ = (
        "customer", "gaps", "luck", "mean", "patience", "rest", "shelf", "sizes", "times", "wants",
    )

    def __init__(self, customer: Customer, shelf: Shelf) -> None:
        self.customer, self.shelf = customer, shelf
        self.luck = Drawn(customer.gap)
        self.wants = Drawn(customer.size)
        self.times: list[float] = []  #: of those orders, and of the one that is in the calendar
        self.gaps: list[float] = []  #: from each to the next
        self.sizes: list[float] = []  #: what each wants, and some after them
        self.mean = max(customer.row.size.mean(), 1e-9)
        self.patience = 0  #: orders that will come one by one
        self.rest = _PATIENCE  #: and how many, should drawing ahead not pay

    def draw(self) -> bool:
        """Draw the next orders, if the stock will do for some: one event then stands for them."""
        if self.patience:
            self.patience -= 1
            return False
        customer, shelf = self.customer, self.shelf
        room = (shelf.on_hand - shelf.alert) / self.mean
        if room < _LEAST + 1 or customer.factor != 1.0 or shelf.reserve > 0.0:
            return False
        count = _MOST if room > _MOST else int(room) - 1
        if customer.fixed is None:
            count = self._enough_for(count)
        self.gaps = self.luck.some(count)
        times = self.times = list(accumulate(self.gaps, initial=customer.next))
        if times[-1] >= customer.end:
            del times[bisect_left(times, customer.end):]
        customer.beat_at(times[-1], DEMAND)
        customer.__class__, shelf.__class__ = _AheadCustomer, _AheadShelf
        return True

    def _enough_for(self, count: int) -> int:
        """How many of the next orders, at most `count`, the shelf can serve without looking up."""
        hand, alert = self.shelf.on_hand, self.shelf.alert
        self.sizes = self.wants.some(count)
        for count, size in enumerate(self.sizes):
            if size > 0.0:
                hand -= size
                if hand <= alert:
                    return count
        return len(self.sizes)

    def play(self) -> None:
        """Play what has happened until now; whoever comes next is in the calendar again."""
        customer, shelf, times = self.customer, self.shelf, self.times
        customer.__class__, shelf.__class__ = Customer, Shelf
        fixed, now = customer.fixed, customer.env._now
        count = bisect_left(times, now)
        hand, moment = shelf.on_hand, shelf.hand_moment
        walks, walked, period_end = shelf.walks, shelf.walked, shelf.period_end
        nothing, units = 0, customer.units
        sizes = repeat(fixed) if fixed else self.sizes
        for time, size in zip(times[:count], sizes, strict=False):
            if time >= period_end:
                shelf.walks, shelf.walked = walks, walked
                shelf.roll(time)
                walks, walked, period_end = 0, 0.0, shelf.period_end
            if size > 0.0:
                hand -= size
                moment -= size * time
                walks += 1
                walked += size
                units += size
            else:
                nothing += 1
        shelf.on_hand, shelf.hand_moment, shelf.walks, shelf.walked = hand, moment, walks, walked
        if now >= period_end:
            shelf.roll(now)
        if fixed is None:
            customer.units = units
            customer.uncounted += nothing
            customer.size = self.wants.give_back(self.sizes[count:])
        customer.orders += count - nothing
        if count:
            customer.last = times[count - 1]
        customer.next = following = times[count]
        if customer.due != following:
            customer.beat_at(following, DEMAND)
        customer.gap = self.luck.give_back(self.gaps[count:])
        if count >= _PAYS:
            self.rest = _PATIENCE
        else:
            self.patience = self.rest
            self.rest = min(2 * self.rest, _LONGEST)


def _played(name: str) -> property:
    """What orders drawn ahead would have changed: to read or write it has them played first."""
    def read(actor: Any) -> Any:
        actor.ahead.play()
        return getattr(actor, name)

    def write(actor: Any, value: Any) -> None:
        actor.ahead.play()
        setattr(actor, name, value)

    return property(read, write)


class _AheadCustomer(Customer):
    """A customer some of whose orders are drawn ahead."""

    __slots__ = ()


class _AheadShelf(Shelf):
    """The shelf of such a customer."""

    __slots__ = ()
    runs_ahead = True


for _name in ("last", "next", "orders", "uncounted", "units", "gap", "size", "factor"):
    setattr(_AheadCustomer, _name, _played(_name))
for _name in {*Level.__slots__, *Periods.__slots__} - {"env", "ledger", "lots", "period"}:
    setattr(_AheadShelf, _name, _played(_name))


def look_ahead(world: World) -> None:
    """Let customers draw ahead who are alone with their shelf, and whom no ledger follows."""
    if world.tracing:
        return
    found: dict[int, list[Customer]] = {}
    for customer in world.customers:
        found.setdefault(id(customer.node), []).append(customer)
    for customer, *others in found.values():
        shelf, row = customer.node, customer.row
        if (not others and type(customer) is Customer and type(shelf) is Shelf
                and customer.take is not None and shelf.lots is None and customer.fixed != 0.0
                and customer.pattern is None and customer.limit is None
                and row.interarrival.kind in _SMOOTH
                and certain(row.interarrival) is None and row.size.kind != "series"):
            customer.ahead = shelf.ahead = Ahead(customer, shelf)
