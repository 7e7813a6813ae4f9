"""The record of a shelf: what the system believes, which lags, is counted rarely, and errs.

Policies act on the inventory position of the *record*. What the record does not know yet is kept
as a `gap`: position by the record minus true position, in units.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from twin.simulate.kernel import RECEIPT, Call

if TYPE_CHECKING:
    from twin.simulate.replenishment import Replenishment


class Record:
    """Late and faulty knowledge of one shelf.

    `delay` hours pass before an issue is recorded (with `batch`, until the next multiple of the
    delay); each movement is recorded wrong by a random share of it; every `count_period` somebody
    counts the shelf and the gap is closed.
    """

    def __init__(self, shelf: Replenishment, delay: float, count_period: float | None,
                 error: Callable[[], float] | None, *, batch: bool = False) -> None:
        self.shelf = shelf
        self.env = shelf.env
        self.delay = delay
        self.batch = batch
        self.error = error
        self.gap = 0.0
        self.pending: dict[int, tuple[Call, float, float]] = {}
        self.serial = 0
        self.unseen = 0.0  #: demand that an unseeing record will learn of at once
        self.count_period = count_period
        self.counting: Call | None = None
        if count_period is not None:
            self.counting = self.env.call(self.env._now + count_period, RECEIPT, self._count)

    def issued(self, quantity: float, asked: float) -> None:
        """Units left the shelf, and so many were asked for; the record learns of it later."""
        wrong = quantity * self.error() if self.error is not None and quantity else 0.0
        if self.delay <= 0.0:
            self.shelf.seen_demand += asked
            self._shift(-wrong)
            return
        if self.delay == inf:
            self.unseen += asked
            self._shift(quantity)
            return
        now = self.env._now
        due = now + self.delay
        if self.batch:
            due = ceil((now + 1e-9) / self.delay) * self.delay
        self._shift(quantity)
        self.serial += 1
        call = self.env.call(due, RECEIPT, self._learn, self.serial)
        self.pending[self.serial] = (call, quantity + wrong, asked)

    def received(self, quantity: float) -> None:
        """Units were put on the shelf (open orders close when the receipt is recorded)."""
        if self.error is not None:
            self._shift(quantity * self.error())
            self.shelf.consider()

    def _learn(self, serial: int) -> None:
        _, quantity, asked = self.pending.pop(serial)
        self.shelf.seen_demand += asked
        self._shift(-quantity)
        self.shelf.consider()

    def _count(self, _: Any) -> None:
        self.true_up()
        assert self.count_period is not None
        self.counting = self.env.call(self.env._now + self.count_period, RECEIPT, self._count)

    def true_up(self) -> None:
        """Close the gap: the shelf has been counted."""
        for call, _, asked in self.pending.values():
            call.cancel()
            self.shelf.seen_demand += asked
        self.pending.clear()
        self.shelf.seen_demand += self.unseen
        self.unseen = 0.0
        self._shift(-self.gap)
        self.shelf.consider()

    def close(self) -> None:
        """Stop keeping this record."""
        if self.counting is not None:
            self.counting.cancel()
        self.true_up()

    def _shift(self, change: float) -> None:
        shelf, now = self.shelf, self.env._now
        shelf.gap_area += abs(self.gap) * (now - shelf.gap_since)
        shelf.gap_since = now
        self.gap += change

    def state(self) -> dict[str, Any]:
        """What the record does not know yet, and when it will."""
        now = self.env._now
        return {
            "gap": self.gap,
            "unseen": self.unseen,
            "pending": [[call.time - now, quantity, asked]
                        for call, quantity, asked in self.pending.values()],
            "count_in": None if self.counting is None else self.counting.time - now,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Take up a saved record."""
        now = self.env._now
        self.gap, self.unseen = state["gap"], state["unseen"]
        for wait, quantity, asked in state["pending"]:
            self.serial += 1
            call = self.env.call(now + wait, RECEIPT, self._learn, self.serial)
            self.pending[self.serial] = (call, quantity, asked)
        if state["count_in"] is not None and self.counting is not None:
            self.counting.cancel()
            self.counting = self.env.call(now + state["count_in"], RECEIPT, self._count)
