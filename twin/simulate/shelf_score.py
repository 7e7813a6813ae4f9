"""The score of a shelf: its levels, their integrals over time, and what is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

from twin.network import Stock
from twin.simulate.kernel import FAILURE
from twin.simulate.record import Record
from twin.tally import Gauge, Key

if TYPE_CHECKING:
    from twin.ledger import Ledger
    from twin.simulate.kernel import Environment
    from twin.simulate.lots import Lots
    from twin.simulate.world import World

EPS = 1e-9
DAY = 24.0


class Level:
    """What a walk-in customer changes, close together in memory."""

    __slots__ = (
        "alert", "env", "hand_moment", "ledger", "lots", "on_hand", "reserve", "walked", "walks",
    )

    alert: float  #: stock at or below which the shelf may have to order, or is empty
    env: Environment
    hand_moment: float
    ledger: Ledger | None
    lots: Lots | None
    on_hand: float
    reserve: float  #: stock that walk-in customers leave; infinite where they concern others too
    walked: float
    walks: int


class Periods(Level):
    """What closing a period of demand changes, close together too.

    A period is a day of a shelf under continuous review, else the time from review to review.
    """

    __slots__ = (
        "asked_orders", "asked_units", "demand_squares", "demand_sum", "order_squares",
        "order_sum", "partial", "period", "period_end", "period_ordered", "period_units",
        "periods", "seen_demand",
    )

    asked_orders: int
    asked_units: float
    demand_squares: float
    demand_sum: float
    order_squares: float
    order_sum: float
    partial: bool  #: the present period began before counting did
    period: float
    period_end: float
    period_ordered: float
    period_units: float
    periods: int
    seen_demand: float

    def settle(self) -> None:
        """Count the walk-in customers served since the last time.

        They are many and concern nobody else; whoever reads what they change settles first.
        """
        if self.walks:
            units = self.walked
            self.asked_orders += self.walks
            self.walks, self.walked = 0, 0.0
            self.asked_units += units
            self.period_units += units
            self.seen_demand += units

    def close_periods(self, now: float) -> None:
        """Close the periods that have passed, if any."""
        if now >= self.period_end:
            self.roll(now)

    def roll(self, now: float) -> None:
        """Close the periods that have passed; the one in which counting began is left out."""
        if self.walks:
            self.settle()
        while True:
            units, ordered = self.period_units, self.period_ordered
            if self.partial:
                self.partial = False
            else:
                self.periods += 1
                self.demand_sum += units
                self.demand_squares += units * units
                if ordered:
                    self.order_sum += ordered
                    self.order_squares += ordered * ordered
            self.period_units = self.period_ordered = 0.0
            if self.period_end == inf:
                return
            self.period_end += self.period
            if now < self.period_end:
                return


class ShelfScore(Periods):
    """Levels and sums of one row of `stock`.

    Time integrals are kept as moments: the integral of x over [0, T] is x(T) T minus the sum of
    its changes times their times.
    """

    __slots__ = (
        "asking", "book", "bought", "empty_since", "empty_time", "expired", "gap_area",
        "gap_since", "issued", "name", "on_order", "order_moment", "ordered", "ordering",
        "outside", "owed", "owed_moment", "paid_later", "placed", "product", "received", "record",
        "row", "short_orders", "short_units", "since", "site", "slow_units", "spoiled", "thing",
        "trigger", "world",
    )

    #: whether orders are drawn for it that are not played; then its days close when they are
    runs_ahead: ClassVar[bool] = False
    asking: bool  #: the policy will be asked at the end of this instant
    book: list[Any]
    trigger: float  #: recorded position at or below which the policy is asked

    def __init__(self, world: World, row: Stock) -> None:
        self.world, self.env, self.row = world, world.env, row
        self.site, self.product = row.site, row.product
        self.name = f"shelf {row.site}/{row.product}"
        self.thing = world.network.products[row.product]
        self.ledger = world.ledger
        self.on_hand = row.on_hand
        self.owed = 0.0
        self.on_order = 0.0
        self.outside = 0.0  #: units that wait for room in the storage
        self.empty_since = 0.0 if self.on_hand <= EPS else inf
        self.record: Record | None = None
        self.gap_area = self.gap_since = 0.0
        self.period = row.review or DAY
        self.period_end = inf if row.review else self.period
        self.period_units = self.period_ordered = 0.0
        self.seen_demand = 0.0
        self.walks, self.walked = 0, 0.0  #: walk-in customers not yet counted anywhere else
        self.asked_orders = 0
        self.asked_units = 0.0
        self.periods = 0
        self.demand_sum = self.demand_squares = self.order_sum = self.order_squares = 0.0
        self.partial = False
        self.reset(self.env._now)

    @property
    def position(self) -> float:
        """The inventory position: what the shelf has and expects, less what it owes."""
        return self.on_hand + self.on_order + self.outside - self.owed

    # -- changes of level ------------------------------------------------------------------------
    def owe(self, quantity: float) -> None:
        """So many units more are owed."""
        self.owed += quantity
        self.owed_moment += quantity * self.env._now
        if abs(self.owed) < EPS:
            self.owed = 0.0
        self.watch()

    def expect_units(self, quantity: float) -> None:
        """So many units more are on order."""
        self.on_order += quantity
        self.order_moment += quantity * self.env._now
        self.watch()

    def watch(self) -> None:
        """Set how far walk-in customers may take the stock down before the shelf looks up."""
        level = self.trigger - self.on_order + self.owed
        self.alert = level if level > EPS else EPS

    def add(self, quantity: float) -> None:
        """Units come onto the shelf."""
        now = self.env._now
        self.received += quantity
        if self.on_hand <= EPS and quantity > 0.0:
            self.empty_time += now - max(self.empty_since, self.since)
            self.empty_since = inf
        self.on_hand += quantity
        self.hand_moment += quantity * now

    def remove(self, quantity: float) -> None:
        """Units leave the shelf."""
        now = self.env._now
        self.on_hand -= quantity
        self.hand_moment -= quantity * now
        if self.on_hand <= EPS:
            self.on_hand = max(self.on_hand, 0.0)
            self.empty_since = min(self.empty_since, now)

    # -- sums ------------------------------------------------------------------------------------
    def reset(self, now: float) -> None:
        """Forget the sums."""
        self.settle()
        self.since = now
        self.partial = False
        self.hand_moment = self.on_hand * now
        self.owed_moment = self.owed * now
        self.order_moment = self.on_order * now
        self.asked_orders = self.short_orders = self.placed = self.periods = 0
        self.asked_units = self.slow_units = self.short_units = 0.0
        self.ordered = self.received = self.issued = 0.0
        self.expired = self.spoiled = self.bought = self.paid_later = self.ordering = 0.0
        self.close_periods(now)
        # A review at this very moment closes a period that began before it.
        self.partial = self.period_end == inf or now > self.period_end - self.period
        self.periods = 0
        self.demand_sum = self.demand_squares = self.order_sum = self.order_squares = 0.0
        self.empty_time = 0.0
        self.gap_area, self.gap_since = 0.0, now

    def measures(self, now: float) -> Iterator[tuple[Key, float]]:
        """The sums since the last reset."""
        self.settle()
        self.close_periods(now)
        row, value = self.row, self.thing.value
        on_hand = self.on_hand * now - self.hand_moment
        owed = self.owed * now - self.owed_moment
        empty = self.empty_time
        if self.on_hand <= EPS and self.empty_since < inf:
            empty += now - max(self.empty_since, self.since)
        gap = self.gap_area
        if self.record is not None:
            gap += abs(self.record.gap) * (now - self.gap_since)
        values = {
            "on_hand_time": on_hand, "value_on_hand_time": on_hand * value,
            "backorder_time": owed, "on_order_time": self.on_order * now - self.order_moment,
            "stockout_time": empty, "shelf_time": now - self.since,
            "shelf_orders": self.asked_orders,
            "shelf_orders_at_once": self.asked_orders - self.short_orders,
            "shelf_units_asked": self.asked_units,
            "shelf_units_at_once": self.asked_units - self.short_units,
            "units_received": self.received,
            "units_issued": self.issued + self.asked_units - self.slow_units,
            "units_expired": self.expired, "units_spoiled": self.spoiled,
            "waste_cost": (self.expired + self.spoiled) * value,
            "replenishments": self.placed, "units_replenished": self.ordered,
            "holding_cost": on_hand / DAY * row.holding_cost,
            "backorder_cost": owed / DAY * row.backorder_cost,
            "ordering_cost": self.ordering, "purchase_cost": self.bought,
            "payable_time": self.paid_later, "record_gap_time": gap,
            "demand_periods": self.periods, "demand_sum": self.demand_sum,
            "demand_squares": self.demand_squares, "order_sum": self.order_sum,
            "order_squares": self.order_squares,
        }
        for measure, amount in values.items():
            if amount:
                yield (measure, self.site, self.product, ""), float(amount)

    def gauges(self) -> Iterator[Gauge]:
        """The levels that a snapshot shows."""
        yield ("on_hand", self.site, self.product, ""), lambda: self.on_hand
        yield ("backorders", self.site, self.product, ""), lambda: self.owed


class Days:
    """Closes the demand periods of shelves under continuous review: at once for all, at each end.

    A walk-in customer need not look at the clock then.
    """

    __slots__ = ("env", "shelves")

    def __init__(self, env: Environment, end: float, shelves: Iterable[ShelfScore]) -> None:
        self.env, self.shelves = env, list(shelves)
        env.call(end, FAILURE, self.close)

    def close(self, _: Any) -> None:
        """A day is over."""
        now = self.env._now
        for shelf in self.shelves:
            if not shelf.runs_ahead and now >= shelf.period_end:
                shelf.roll(now)
        self.env.call(now + DAY, FAILURE, self.close)


def keep_days(env: Environment, shelves: Iterable[ShelfScore]) -> None:
    """Close the days of shelves from now on; those of a saved state may end at different times."""
    ends: dict[float, list[ShelfScore]] = {}
    for shelf in shelves:
        if shelf.period_end < inf:
            ends.setdefault(shelf.period_end, []).append(shelf)
    for end, those in ends.items():
        Days(env, end, those)
