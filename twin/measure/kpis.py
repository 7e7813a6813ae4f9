"""The one table of KPIs: each with its formula over sums, its unit and its good direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tally import MEASURES, Tally

if TYPE_CHECKING:
    from twin.network import Network

#: (kpi, place, product, stream); parts that do not apply are empty.
KpiKey = tuple[str, str, str, str]

#: (kind of place, place, product, stream) that sums are added up for; the whole chain is blank.
_Slice = tuple[str, str, str, str]
_Array = np.ndarray[Any, np.dtype[np.float64]]


def _root(x: _Array) -> _Array:
    """Square root of a variance that rounding may have left a little below zero."""
    return np.sqrt(np.maximum(x, 0.0))


def _given(x: _Array) -> _Array:
    """A sum without which the KPI means nothing, rather than zero."""
    return np.where(x == 0.0, np.nan, x)


_FUNCTIONS: dict[str, Callable[..., _Array]] = {"root": _root, "at_least": np.maximum,
                                                     "given": _given}


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI: a formula over the measures of a tally, added up before any ratio is taken.

    Besides measures a formula may name `hours` and `days`, the length of the run. `places` are
    the kinds of place it is computed for; `levels` says for which slices (a split by stream
    counts as one by product). `better` is higher, lower or neutral.
    """

    name: str
    title: str
    unit: str
    formula: str
    places: tuple[str, ...]
    better: str
    headline: bool = False
    levels: tuple[str, ...] = ("total", "place", "product", "place product")
    measures: frozenset[str] = field(init=False)
    code: CodeType = field(init=False, repr=False)

    def __post_init__(self) -> None:
        code = compile(self.formula, f"<{self.name}>", "eval")
        names = set(code.co_names) - set(_FUNCTIONS) - {"hours", "days"}
        unknown = sorted(names - set(MEASURES))
        if unknown:
            raise ValueError(f"KPI '{self.name}': its formula names '{unknown[0]}', which is no "
                             "measure. Use the measures in twin/tally.py.")
        object.__setattr__(self, "measures", frozenset(names))
        object.__setattr__(self, "code", code)


_SITE = ("site",)
_GROUP = ("site/group", "site")
_MACHINE = ("machine", "site/group", "site")
_LANE = ("lane", "mode", "site")
_TRUCK = ("truck", "site")
_BARE = ("total", "place")  # sums behind it carry no product

_LOAD = "(busy_time + setup_time + down_time + blocked_time)"
_GOOD = "units_good / (units_good + units_scrapped)"
_CLOSED = "(orders_delivered + orders_refused + orders_overdue)"
_COSTS = ("holding_cost + backorder_cost + lost_cost + ordering_cost + purchase_cost"
          " + transport_cost + expedite_cost + machine_cost + setup_cost + crew_cost"
          " + maintenance_cost")
_ORDER_VARIANCE = "order_squares - order_sum * order_sum / demand_periods"
_DEMAND_VARIANCE = "demand_squares - demand_sum * demand_sum / demand_periods"


def _cost(name: str, title: str, sums: str, places: tuple[str, ...],
          levels: tuple[str, ...] = ("total", "place", "product", "place product")) -> Kpi:
    return Kpi(name, title, "currency/d", f"({sums}) / days", places, "lower", levels=levels)


_TABLE = (
    # service: customer demand, where it arrives
    Kpi("fill_rate", "Fill rate", "share", "units_at_once / units_ordered", _SITE, "higher", True),
    Kpi("order_fill_rate", "Order fill rate", "share", "orders_at_once / orders", _SITE, "higher"),
    Kpi("otif", "On time in full", "share", f"orders_otif / {_CLOSED}", _SITE, "higher", True),
    Kpi("on_time", "On time", "share", f"orders_on_time / {_CLOSED}", _SITE, "higher"),
    Kpi("in_full", "In full", "share", f"orders_in_full / {_CLOSED}", _SITE, "higher"),
    Kpi("perfect_order", "Perfect order", "share", f"orders_perfect / {_CLOSED}", _SITE,
        "higher"),
    Kpi("order_cycle_time", "Order cycle time", "d", "cycle_time / orders_delivered / 24", _SITE,
        "lower", True),
    Kpi("order_cycle_time_sd", "Order cycle time, standard deviation", "d",
        "root(cycle_time_squared / orders_delivered - (cycle_time / orders_delivered) ** 2) / 24",
        _SITE, "lower"),
    Kpi("order_lateness", "Lateness of an order", "d", "lateness / orders_delivered / 24", _SITE,
        "lower"),
    Kpi("customer_backlog", "Customer backlog", "units", "customer_backlog_time / hours", _SITE,
        "lower", True),
    Kpi("lost_share", "Lost share of demand", "share", "units_lost / units_ordered", _SITE,
        "lower", True),
    Kpi("returned_share", "Returned share of deliveries", "share",
        "given(units_returned) / units_delivered", _SITE, "lower"),
    Kpi("lost_orders", "Lost share of orders", "share", "orders_lost / orders", _SITE, "lower"),
    Kpi("demand", "Demand", "units/d", "units_ordered / days", _SITE, "neutral"),
    Kpi("delivered", "Delivered to customers", "units/d", "units_delivered / days", _SITE,
        "higher"),
    # stock
    Kpi("on_hand", "On hand", "units", "on_hand_time / hours", _SITE, "neutral"),
    Kpi("inventory_value", "Inventory value", "currency", "value_on_hand_time / hours", _SITE,
        "lower", True),
    Kpi("backorders", "Backorders", "units", "backorder_time / hours", _SITE, "lower"),
    Kpi("on_order", "On order", "units", "on_order_time / hours", _SITE, "neutral"),
    Kpi("shelf_fill_rate", "Fill rate of the shelf", "share",
        "shelf_units_at_once / shelf_units_asked", _SITE, "higher"),
    Kpi("days_of_supply", "Days of supply", "d", "on_hand_time / shelf_units_asked / 24", _SITE,
        "neutral"),
    Kpi("inventory_turns", "Inventory turns", "1/y",
        "given(cost_of_sales) * 8760 / value_on_hand_time", _SITE, "higher"),
    Kpi("stockout_share", "Time out of stock", "share", "stockout_time / shelf_time", _SITE,
        "lower"),
    Kpi("order_variance_ratio", "Order variance ratio (bullwhip)", "1",
        f"({_ORDER_VARIANCE}) / ({_DEMAND_VARIANCE})", _SITE, "lower", levels=("place product",)),
    Kpi("replenishment_rate", "Replenishment orders", "1/d", "replenishments / days", _SITE,
        "neutral"),
    Kpi("record_accuracy", "Record accuracy", "share",
        "at_least(1 - record_gap_time / on_hand_time, 0)", _SITE, "higher"),
    Kpi("waste", "Waste", "units/d", "(units_expired + units_spoiled) / days", _SITE, "lower"),
    Kpi("waste_share", "Waste share of receipts", "share",
        "(units_expired + units_spoiled) / units_received", _SITE, "lower"),
    # cash
    Kpi("days_inventory", "Days inventory outstanding", "d",
        "value_on_hand_time / cost_of_sales / 24", _SITE, "lower"),
    Kpi("days_sales", "Days sales outstanding", "d", "given(receivable_time) / revenue / 24", _SITE,
        "lower"),
    Kpi("days_payable", "Days payable outstanding", "d", "given(payable_time) / purchase_cost / 24",
        _SITE, "higher"),
    Kpi("cash_to_cash", "Cash-to-cash", "d",
        "(value_on_hand_time / cost_of_sales + receivable_time / revenue"
        " - payable_time / purchase_cost) / 24", _SITE, "lower", levels=("total",)),
    Kpi("revenue", "Revenue", "currency/d", "revenue / days", _SITE, "higher"),
    _cost("holding_cost", "Holding cost", "holding_cost", _SITE),
    _cost("backorder_cost", "Backorder cost", "backorder_cost", _SITE),
    _cost("lost_cost", "Cost of lost sales", "lost_cost", _SITE),
    _cost("ordering_cost", "Ordering cost", "ordering_cost", _SITE),
    _cost("purchase_cost", "Purchase cost", "purchase_cost", _SITE),
    _cost("transport_cost", "Transport cost", "transport_cost + expedite_cost", _LANE),
    _cost("expedite_cost", "Expedite cost", "expedite_cost", _LANE),
    _cost("production_cost", "Production cost", "machine_cost + setup_cost + crew_cost",
          ("machine", "site/group", "crew", "site"), _BARE),
    _cost("downtime_cost", "Downtime cost", "maintenance_cost + downtime_cost", _MACHINE, _BARE),
    _cost("waste_cost", "Waste cost (within purchases)", "waste_cost", _SITE),
    Kpi("total_cost", "Total cost", "currency/d", f"({_COSTS}) / days", _SITE, "lower", True,
        _BARE),
    Kpi("profit", "Profit", "currency/d", f"(revenue - ({_COSTS})) / days", _SITE, "higher", True,
        _BARE),
    # suppliers
    Kpi("supply_lead_time", "Supply lead time", "d",
        "supply_time / supply_orders_ready / 24", _SITE, "lower"),
    Kpi("short_share", "Short deliveries", "share", "units_short / (units_supplied + units_short)",
        _SITE, "lower"),
    # plants and work centres
    Kpi("throughput", "Throughput", "units/d", "units_made / days", _SITE, "higher", True),
    Kpi("lot_throughput", "Lots finished", "1/h", "lots_finished / hours", _SITE, "higher"),
    Kpi("wip", "Work in progress", "lots", "wip_time / hours", _SITE, "lower"),
    Kpi("cycle_time", "Cycle time", "h", "make_time / lots_finished", _SITE, "lower"),
    Kpi("cycle_time_sd", "Cycle time, standard deviation", "h",
        "root(make_time_squared / lots_finished - (make_time / lots_finished) ** 2)", _SITE,
        "lower"),
    Kpi("queue_time", "Queue time", "h", "queue_time / jobs_queued", _GROUP, "lower"),
    Kpi("wait_share", "Share of lots that wait", "share", "jobs_delayed / jobs_queued", _GROUP,
        "lower"),
    Kpi("queue_length", "Queue length", "lots", "queue_length_time / hours", _GROUP, "lower"),
    Kpi("group_wip", "Lots at the work centre", "lots", "group_wip_time / hours", _GROUP, "lower"),
    Kpi("group_throughput", "Operations", "1/h", "jobs_processed / hours", _GROUP, "higher"),
    Kpi("process_time", "Effective process time", "h", "process_time / jobs_processed", _GROUP,
        "lower"),
    Kpi("process_time_scv", "Effective process time, SCV", "1",
        "process_time_squared * jobs_processed / (process_time * process_time) - 1",
        ("site/group",), "lower"),
    Kpi("scrap_share", "Scrap", "share", "units_scrapped / (units_good + units_scrapped)", _GROUP,
        "lower"),
    Kpi("group_availability", "Availability of the group (k of n)", "share",
        "group_up_time / group_clock_time", ("site/group",), "higher", levels=_BARE),
    # machines
    Kpi("utilisation", "Utilisation", "share", "busy_time / planned_time", _MACHINE, "neutral",
        levels=_BARE),
    Kpi("availability", "Availability", "share", "1 - down_time / machine_clock_time", _MACHINE,
        "higher", levels=_BARE),
    Kpi("oee_availability", "OEE: availability", "share", f"busy_time / {_LOAD}", _MACHINE,
        "higher", levels=_BARE),
    Kpi("oee_performance", "OEE: performance", "share", "ideal_time / busy_time", _GROUP,
        "higher", levels=_BARE),
    Kpi("oee_quality", "OEE: quality", "share", _GOOD, _GROUP, "higher"),
    Kpi("oee", "OEE", "share", f"ideal_time / {_LOAD} * {_GOOD}", _GROUP, "higher", True,
        _BARE),
    Kpi("setup_share", "Time setting up", "share", "setup_time / planned_time", _MACHINE, "lower",
        levels=_BARE),
    Kpi("blocked_share", "Time blocked", "share", "blocked_time / planned_time", _MACHINE, "lower",
        levels=_BARE),
    Kpi("mtbf", "MTBF", "h", "(planned_time - down_time) / failures", _MACHINE, "higher",
        levels=_BARE),
    Kpi("mttr", "MTTR", "h", "repair_time / failures", _MACHINE, "lower", levels=_BARE),
    Kpi("repair_wait", "Wait for repair", "h", "repair_wait / failures", _MACHINE, "lower",
        levels=_BARE),
    Kpi("failure_rate", "Failures", "1/h", "failures / hours", _MACHINE, "lower", levels=_BARE),
    Kpi("energy", "Energy", "kWh/d", "energy / days", _MACHINE, "lower", levels=_BARE),
    Kpi("crew_utilisation", "Utilisation of the crew", "share",
        "crew_busy_time / crew_planned_time", ("crew", "site"), "neutral", levels=_BARE),
    Kpi("crew_wait", "Wait for the crew", "h", "crew_wait / crew_requests", ("crew", "site"),
        "lower", levels=_BARE),
    # lanes, trucks, docks, storage
    Kpi("lead_time", "Transit lead time", "d", "transit_time / shipments_arrived / 24", _LANE,
        "lower", True),
    Kpi("lead_time_sd", "Transit lead time, standard deviation", "d",
        "root(transit_time_squared / shipments_arrived - (transit_time / shipments_arrived) ** 2)"
        " / 24", _LANE, "lower"),
    Kpi("shipments", "Shipments", "1/d", "shipments / days", _LANE, "neutral"),
    Kpi("flow", "Flow", "units/d", "units_shipped / days", _LANE, "neutral"),
    Kpi("in_transit", "In transit", "units", "in_transit_time / hours", _LANE, "lower"),
    Kpi("wait_to_depart", "Wait to depart", "h", "wait_to_depart / units_shipped", _LANE, "lower"),
    Kpi("damage_share", "Damaged under way", "share", "units_damaged / units_arrived", _LANE,
        "lower"),
    Kpi("fuel", "Fuel", "l/d", "fuel / days", _LANE, "lower"),
    Kpi("co2e_direct", "CO2e, direct", "kg/d", "co2e_direct / days", _LANE, "lower"),
    Kpi("co2e", "CO2e, well to wheel", "kg/d", "co2e_total / days", _LANE, "lower", True),
    Kpi("co2e_per_tkm", "CO2e per tonne-km", "kg/tkm", "co2e_total / weight_distance", _LANE,
        "lower"),
    Kpi("truck_cycle", "Truck cycle", "h", "trip_time / trips", _TRUCK, "lower", levels=_BARE),
    Kpi("trips_per_hour", "Trips", "1/h", "trips / hours", _TRUCK, "neutral", levels=_BARE),
    Kpi("truck_fill", "Truck fill", "share", "truck_fill / trips", _TRUCK, "higher", levels=_BARE),
    Kpi("truck_utilisation", "Utilisation of trucks", "share",
        "truck_busy_time / truck_clock_time", _TRUCK, "neutral", levels=_BARE),
    Kpi("dock_wait", "Wait at the dock", "h", "dock_wait / dock_visits",
        ("site/direction", "site"), "lower", levels=_BARE),
    Kpi("stored_volume", "Stored volume", "m3", "volume_time / hours", ("site/area", "site"),
        "neutral", levels=_BARE),
    Kpi("storage_full", "Time the storage was full", "h/d", "full_time / days",
        ("site/area", "site"), "lower", levels=_BARE),
    Kpi("excursions", "Temperature excursions", "1/d", "excursions / days",
        ("site/area", "site"), "lower", levels=_BARE),
)

#: Every KPI by name.
KPIS: dict[str, Kpi] = {kpi.name: kpi for kpi in _TABLE}


def kpis(tally: Tally, network: Network | None = None) -> dict[KpiKey, float]:
    """Every KPI of one run: for the whole chain, by place, by product and by stream.

    Sums are added up before a ratio is taken. A KPI whose denominator is zero, or that nothing
    in the run bears on, is absent. With the network, machines, crews and trucks are also added
    up to their work centres and sites; modes of transport appear as places `*:*:sea`.

    Examples
    --------
    >>> sums = {("units_ordered", "C1", "A", ""): 40.0, ("units_at_once", "C1", "A", ""): 30.0,
    ...         ("units_ordered", "C2", "A", ""): 10.0}
    >>> table = kpis(Tally("baseline", 0, 0.0, 240.0, sums))
    >>> table["fill_rate", "", "", ""], table["fill_rate", "C1", "", ""]
    (0.6, 0.75)
    >>> table["demand", "", "A", ""]
    5.0
    """
    return {key: float(values[0]) for key, values in kpi_arrays([tally], network).items()}


def kpi_arrays(tallies: Sequence[Tally], network: Network | None = None, *,
               chain_only: bool = False) -> dict[KpiKey, _Array]:
    """KPIs of many runs at once: one array a KPI, NaN where a run does not have it.

    `chain_only` leaves out places, products and streams.

    Examples
    --------
    >>> runs = [Tally("baseline", i, 0.0, 24.0, {("trips", "T1", "", ""): 12.0 + i})
    ...         for i in range(2)]
    >>> kpi_arrays(runs)["trips_per_hour", "T1", "", ""].round(3).tolist()
    [0.5, 0.542]
    """
    hours = np.array([tally.hours for tally in tallies])
    clock = {"hours": hours, "days": hours / 24.0}
    slices = _slices(tallies, network, chain_only)
    found: dict[KpiKey, _Array] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for (kind, place, product, stream), sums in slices.items():
            names = _Names(clock | sums, np.zeros(len(tallies)))
            split = "product" if product or stream else ""
            level = f"{'place' if place else ''} {split}".strip() or "total"
            for kpi in _candidates(kind, level):
                if kpi.measures.isdisjoint(sums):
                    continue
                values = eval(kpi.code, _GLOBALS, names)
                finite = np.isfinite(values)
                if finite.any():
                    found[kpi.name, place, product, stream] = np.where(finite, values, np.nan)
    return found


_GLOBALS: dict[str, Any] = {"__builtins__": {}, **_FUNCTIONS}


class _Names(dict[str, _Array]):
    """Measures by name; one that a slice does not have is zero."""

    def __init__(self, sums: dict[str, _Array], zeros: _Array) -> None:
        super().__init__(sums)
        self._zeros = zeros

    def __missing__(self, name: str) -> _Array:
        if name in _FUNCTIONS:
            raise KeyError(name)  # Python then looks among the functions
        return self._zeros


@cache
def _candidates(kind: str, level: str) -> list[Kpi]:
    return [kpi for kpi in KPIS.values() if (not kind or kind in kpi.places)
            and level in kpi.levels]


def _slices(tallies: Sequence[Tally], network: Network | None,
            chain_only: bool) -> dict[_Slice, dict[str, _Array]]:
    """Add every sum to all the slices that it is part of."""
    raw: dict[tuple[str, str, str, str], _Array] = {}
    for i, tally in enumerate(tallies):
        for key, value in tally.sums.items():
            if chain_only:
                key = (key[0], "", "", "")
            row = raw.get(key)
            if row is None:
                row = raw[key] = np.zeros(len(tallies))
            row[i] += value
    above = _Ancestors(network)
    slices: dict[_Slice, dict[str, _Array]] = {}
    for (measure, place, product, stream), values in raw.items():
        kind = MEASURES[measure][1] if measure in MEASURES else ""
        for where in [("", ""), *above(kind, place)]:
            for what in dict.fromkeys([("", ""), (product, ""), ("", stream), (product, stream)]):
                sums = slices.setdefault(where + what, {})
                known = sums.get(measure)
                sums[measure] = values if known is None else known + values
    return slices


class _Ancestors:
    """The places that a place's sums are added up to: itself, then what it is part of."""

    def __init__(self, network: Network | None) -> None:
        self._owner: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._known: dict[tuple[str, str], list[tuple[str, str]]] = {}
        if network is None:
            return
        for name, machine in network.machines.items():
            group = ("site/group", f"{machine.site}/{machine.group}")
            self._owner["machine", name] = [group, ("site", machine.site)]
        for name, crew in network.crews.items():
            if crew.site:
                self._owner["crew", name] = [("site", crew.site)]
        for name, truck in network.trucks.items():
            if truck.home:
                self._owner["truck", name] = [("site", truck.home)]

    def __call__(self, kind: str, place: str) -> list[tuple[str, str]]:
        known = self._known.get((kind, place))
        if known is None:
            known = self._known[kind, place] = list(self._find(kind, place)) if place else []
        return known

    def _find(self, kind: str, place: str) -> Iterator[tuple[str, str]]:
        yield kind, place
        if kind.startswith("site/"):
            yield "site", place.split("/")[0]
        elif kind == "lane" and place.count(":") == 2:
            origin, _, mode = place.split(":")
            yield "mode", f"*:*:{mode}"
            yield "site", origin
        else:
            yield from self._owner.get((kind, place.split("#")[0]), ())
