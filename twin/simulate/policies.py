"""Replenishment policies: how much to order, given what the record says.

A policy is asked ``quantity(shelf)``; its ``trigger`` is the recorded position at or below which a
continuously reviewed shelf has to ask. Names and letters are those of inventory theory.
"""

from __future__ import annotations

from collections import deque
from math import ceil, inf, sqrt
from typing import TYPE_CHECKING, Any, Protocol

from twin.network import Stock

if TYPE_CHECKING:
    from twin.simulate.replenishment import Replenishment

_EPS = 1e-9


class Policy(Protocol):
    """The contract of all siblings."""

    trigger: float

    def quantity(self, shelf: Replenishment) -> float:
        """Units to order now; 0 for none."""

    def state(self) -> dict[str, Any]:
        """The policy's memory."""

    def resume(self, state: dict[str, Any]) -> None:
        """Take up a memory."""


class _Plain:
    """A policy without memory, whose parameters a disturbance may change."""

    trigger = -inf

    def state(self) -> dict[str, Any]:
        return {}

    def resume(self, state: dict[str, Any]) -> None:
        pass


class NoPolicy(_Plain):
    """Never orders: the shelf is filled by firm orders alone."""

    def quantity(self, shelf: Replenishment) -> float:
        return 0.0


class OrderUpTo(_Plain):
    """(s, S), base stock (s just below S) and (R, S) (reviewed, s just below S)."""

    def __init__(self, reorder_point: float, order_up_to: float) -> None:
        self.trigger = reorder_point
        self.order_up_to = order_up_to

    def quantity(self, shelf: Replenishment) -> float:
        position = shelf.known_position()
        return self.order_up_to - position if position <= self.trigger else 0.0


class FixedQuantity(_Plain):
    """(s, nQ): as many batches of Q as bring the position above s."""

    def __init__(self, reorder_point: float, order_quantity: float) -> None:
        self.trigger = reorder_point
        self.order_quantity = order_quantity

    def quantity(self, shelf: Replenishment) -> float:
        position = shelf.known_position()
        if position > self.trigger:
            return 0.0
        batches = max(1, ceil((self.trigger - position) / self.order_quantity - _EPS))
        if position + batches * self.order_quantity <= self.trigger:
            batches += 1
        return batches * self.order_quantity


class Kanban(_Plain):
    """Cards: order_up_to / order_quantity bins circulate; an emptied bin orders its content.

    Backorders free no card: only stock on hand and on order counts.
    """

    trigger = inf

    def __init__(self, order_up_to: float, order_quantity: float) -> None:
        self.order_up_to = order_up_to
        self.order_quantity = order_quantity

    def quantity(self, shelf: Replenishment) -> float:
        free = self.order_up_to - shelf.known_on_hand() - shelf.on_order
        return max(0, int((free + _EPS) // self.order_quantity)) * self.order_quantity


class Forecaster:
    """A running forecast of the demand of one review period: mean and error spread."""

    def __init__(self, kind: str, params: dict[str, float]) -> None:
        self.kind = kind
        self.window: deque[float] = deque(maxlen=max(1, int(params.get("n", 1))))
        self.alpha = params.get("alpha", 0.0)
        self.level: float | None = params.get("start", params.get("value"))
        self.count = 0
        self.squares = 0.0

    def update(self, demand: float | None) -> None:
        """Learn the demand of one more period (None: no time has passed since the last)."""
        if demand is None:
            return
        if self.level is not None:
            self.squares += (demand - self.level) ** 2
            self.count += 1
        if self.kind == "moving_average":
            self.window.append(demand)
            self.level = sum(self.window) / len(self.window)
        elif self.kind == "smoothing":
            old = demand if self.level is None else self.level
            self.level = old + self.alpha * (demand - old)

    @property
    def spread(self) -> float:
        """Root mean square of the one-period forecast errors."""
        return sqrt(self.squares / self.count) if self.count else 0.0

    def state(self) -> dict[str, Any]:
        return {"window": list(self.window), "level": self.level, "count": self.count,
                "squares": self.squares}

    def resume(self, state: dict[str, Any]) -> None:
        self.window.extend(state["window"])
        self.level, self.count, self.squares = state["level"], state["count"], state["squares"]


class Forecasting:
    """Order up to a level that covers the forecast of `cover` review periods and a safety stock."""

    trigger = -inf

    def __init__(self, forecaster: Forecaster, cover: float, safety_stock: float,
                 safety_factor: float) -> None:
        self.forecaster = forecaster
        self.cover = cover
        self.safety_stock = safety_stock
        self.safety_factor = safety_factor

    def quantity(self, shelf: Replenishment) -> float:
        self.forecaster.update(shelf.demand_seen())
        level = self.forecaster.level
        if level is None:
            return 0.0
        target = level * self.cover + self.safety_stock
        if self.safety_factor:
            target += self.safety_factor * self.forecaster.spread * sqrt(self.cover)
        return target - shelf.known_position()

    def state(self) -> dict[str, Any]:
        return self.forecaster.state()

    def resume(self, state: dict[str, Any]) -> None:
        self.forecaster.resume(state)


class Smoothed(Forecasting):
    """Anchoring and adjustment (Sterman 1989): the forecast plus part of each gap."""

    def __init__(self, forecaster: Forecaster, order_up_to: float, adjust: float,
                 pipeline_weight: float) -> None:
        super().__init__(forecaster, 0.0, 0.0, 0.0)
        self.order_up_to = order_up_to
        self.adjust = adjust
        self.pipeline_weight = pipeline_weight

    def quantity(self, shelf: Replenishment) -> float:
        self.forecaster.update(shelf.demand_seen())
        net = shelf.known_position() - shelf.on_order
        gap = self.order_up_to - net - self.pipeline_weight * shelf.on_order
        return (self.forecaster.level or 0.0) + self.adjust * gap


class VendorManaged(_Plain):
    """The supplier sees the shelf and decides: up to S, never more than the vendor has.

    What the vendor lacks is not backordered: it is decided again at the next review. The vendor
    sees consumption at once: no order is written, so no information lead time passes.
    """

    def __init__(self, reorder_point: float, order_up_to: float) -> None:
        self.trigger = reorder_point
        self.order_up_to = order_up_to

    def quantity(self, shelf: Replenishment) -> float:
        position = shelf.known_position()
        if position > self.trigger:
            return 0.0
        wanted = self.order_up_to - position
        return min(wanted, shelf.vendor_has(wanted))


def policy_of(row: Stock, lead_h: float) -> Policy:
    """The policy that a row of `stock` names; `lead_h` is the mean replenishment lead time."""
    below = row.trigger == "below"

    def point(value: float | None) -> float:
        level = -inf if value is None else value
        # Fractions of a unit do not add up to the last digit.
        dust = _EPS * max(1.0, abs(level)) if level > -inf else 0.0
        return level - dust if below else level + dust

    kind = row.policy
    if kind is None:
        return NoPolicy()
    if kind == "s_S":
        return OrderUpTo(point(row.reorder_point), row.order_up_to or 0.0)
    if kind == "s_Q":
        return FixedQuantity(point(row.reorder_point), row.order_quantity or 0.0)
    if kind in ("base_stock", "R_S"):
        level = row.order_up_to or 0.0
        return OrderUpTo(level - _EPS * max(1.0, abs(level)), level)
    if kind == "kanban":
        return Kanban(row.order_up_to or 0.0, row.order_quantity or 1.0)
    if kind == "vendor_managed":
        level = row.order_up_to or 0.0
        start = level - _EPS if row.reorder_point is None else point(row.reorder_point)
        return VendorManaged(start, level)
    review = row.review or 24.0
    forecast = row.forecast
    forecaster = Forecaster("constant", {}) if forecast is None else \
        Forecaster(forecast.kind, dict(forecast.params))
    if kind == "forecast":
        cover = (lead_h + review if row.cover is None else row.cover) / review
        return Forecasting(forecaster, cover, row.safety_stock, row.safety_factor)
    if kind == "smoothed":
        return Smoothed(forecaster, row.order_up_to or 0.0, row.adjust, row.pipeline_weight)
    raise ValueError(f"stock[{row.site},{row.product}].policy '{kind}' is unknown")
