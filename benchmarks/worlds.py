"""The figures of the worlds that every contestant plays; plain numbers, times in days or hours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shops:
    """Warehouses, each with its retailers: (s, S) everywhere, unit orders with exponential gaps.

    Suppliers are never short and ship at once; a customer who finds the shelf empty waits.
    """

    warehouses: int = 1
    retailers: int = 20  # of each warehouse
    days: float = 500.0
    gap: float = 0.2  # mean days between the orders of one retailer's customers
    retailer_s: int = 12
    retailer_S: int = 40
    retailer_transit: float = 2.0  # days
    warehouse_s: int = 560
    warehouse_S: int = 1400
    warehouse_transit: float = 3.0

    def orders(self) -> float:
        """Customer orders to expect."""
        return self.warehouses * self.retailers * self.days / self.gap

    def sites(self) -> int:
        """Warehouses and retailers."""
        return self.warehouses * (1 + self.retailers)


@dataclass(frozen=True)
class Line:
    """Three machines in a row with unlimited queues; exponential gaps and process times (hours)."""

    machines: int = 3
    gap: float = 1.0
    process: float = 0.8
    hours: float = 30_000.0


def of(name: str, **changes: float) -> Shops | Line:
    """A world by its name, with other figures where given."""
    return {"shops": Shops, "line": Line}[name](**changes)  # type: ignore[arg-type]
