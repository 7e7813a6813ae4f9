"""Warehouses in tables: a supplier, a lane, a shelf `W` and its customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.network import Network
from twin.tally import Tally

Row = Mapping[str, Any]


def warehouse(stock: Row, demand: Row, *, lane: Row | None = None, supply: Row | None = None,
              **tables: Any) -> Network:
    """Supplier `S`, warehouse `W` that holds product `A`, demand at the warehouse."""
    return Network(**{
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        "products": [{"product": "A"}],
        "supply": [{"site": "S", "product": "A", **(supply or {})}],
        "lanes": [{"origin": "S", "destination": "W", "transit": "0h", **(lane or {})}],
        "stock": [{"site": "W", "product": "A", **stock}],
        "demand": [{"site": "W", "product": "A", **demand}],
        **tables})


def cost(tally: Tally, *kinds: str) -> float:
    """Cost a day of the kinds named (all that a warehouse has, if none is)."""
    kinds = kinds or ("holding_cost", "backorder_cost", "ordering_cost", "purchase_cost",
                      "lost_cost")
    return sum(tally.total(kind) for kind in kinds) / (tally.hours / 24.0)


def level(tally: Tally, measure: str, place: str | None = None) -> float:
    """Time average of what a measure integrates."""
    return tally.total(measure, place) / tally.hours


def fill(tally: Tally, place: str | None = None) -> float:
    """Share of the orders that were served at once."""
    return tally.total("orders_at_once", place) / tally.total("orders", place)


def bullwhip(tally: Tally, place: str, product: str = "A") -> float:
    """Variance of the orders of a period over the variance of the demand of a period."""
    def variance(name: str) -> float:
        mean = tally.total(f"{name}_sum", place, product) / periods
        return tally.total(f"{name}_squares", place, product) / periods - mean * mean

    periods = tally.total("demand_periods", place, product)
    return variance("order") / variance("demand")
