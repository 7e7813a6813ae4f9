"""What a run leaves behind: counts and time integrals, from which every KPI is computed.

A *measure* is a plain sum: so many orders, so many unit-hours on the shelf. Ratios are never
stored, so that tallies of places can be added up before a ratio is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

#: (measure, place, product, stream); parts that do not apply are empty.
Key = tuple[str, str, str, str]
#: The key of a level that may be looked at, and how it stands now.
Gauge = tuple[Key, Callable[[], float]]

#: measure -> (unit, place, meaning). `place` says what stands in the key's second part.
MEASURES: dict[str, tuple[str, str, str]] = {
    # customer demand, where it arrives (place = site, with product and stream)
    "orders": ("1", "site", "customer orders placed"),
    "units_ordered": ("units", "site", "units that customers ordered"),
    "orders_lost": ("1", "site", "orders turned away, whole or in part"),
    "orders_refused": ("1", "site", "of these, orders of which no unit will be delivered"),
    "units_lost": ("units", "site", "units turned away"),
    "orders_at_once": ("1", "site", "orders that left whole as soon as they reached who owes them"),
    "units_at_once": ("units", "site",
                      "units that left as soon as their order reached who owes it"),
    "orders_delivered": ("1", "site", "orders whose last unit has arrived"),
    "units_delivered": ("units", "site", "units that arrived at customers"),
    "orders_on_time": ("1", "site", "delivered orders whose last unit came within the OTIF window"),
    "orders_in_full": ("1", "site", "delivered orders with no unit lost or refused"),
    "orders_otif": ("1", "site", "delivered orders both on time and in full"),
    "orders_perfect": ("1", "site", "OTIF, undamaged and with the right documents"),
    "orders_overdue": ("1", "site", "orders still open at the end, past their OTIF window"),
    "lateness": ("h", "site", "sum over delivered orders of hours past the promise, zero if early"),
    "cycle_time": ("h", "site", "sum over delivered orders of hours from order to last unit"),
    "cycle_time_squared": ("h2", "site", "sum of squares of the same"),
    "customer_backlog_time": ("unit h", "site",
                              "integral of units ordered and neither arrived nor lost"),
    "revenue": ("currency", "site", "sales, earned at shipment"),
    "cost_of_sales": ("currency", "site", "value (products.value) of the units sold, at shipment"),
    "receivable_time": ("currency h", "site", "sum over sales of amount times payment term"),
    "units_returned": ("units", "site", "units that customers gave back"),
    "lost_cost": ("currency", "site", "cost of units turned away"),
    # shelves (place = site, with product)
    "on_hand_time": ("unit h", "site", "integral of units on hand"),
    "value_on_hand_time": ("currency h", "site", "integral of the value on hand"),
    "backorder_time": ("unit h", "site", "integral of units owed, to customers and to other sites"),
    "on_order_time": ("unit h", "site", "integral of units ordered and not yet received"),
    "stockout_time": ("h", "site", "time with nothing on hand"),
    "shelf_time": ("h", "site", "elapsed time of the shelf"),
    "shelf_orders": ("1", "site", "orders that reached this shelf, from customers and sites"),
    "shelf_orders_at_once": ("1", "site", "of these, served whole at that instant"),
    "shelf_units_asked": ("units", "site", "units asked of this shelf"),
    "shelf_units_at_once": ("units", "site", "of these, served at that instant"),
    "units_received": ("units", "site", "units put on the shelf"),
    "units_issued": ("units", "site", "units taken from the shelf to serve an order"),
    "units_expired": ("units", "site", "units thrown away past their shelf life"),
    "units_spoiled": ("units", "site", "units thrown away after an excursion or damage"),
    "units_restocked": ("units", "site", "returned units put back on the shelf"),
    "waste_cost": ("currency", "site", "value of units thrown away"),
    "replenishments": ("1", "site", "replenishment orders placed"),
    "units_replenished": ("units", "site", "units on them"),
    "holding_cost": ("currency", "site", "stock costs accrued, in transit included for its owner"),
    "backorder_cost": ("currency", "site", "backorder costs accrued"),
    "ordering_cost": ("currency", "site", "fixed costs of orders"),
    "purchase_cost": ("currency", "site", "goods bought, paid at receipt"),
    "payable_time": ("currency h", "site", "sum over purchases of amount times payment term"),
    "record_gap_time": ("unit h", "site", "integral of the absolute gap between record and stock"),
    "demand_periods": ("1", "site", "review periods (one day if continuous) seen by this shelf"),
    "demand_sum": ("units", "site", "units asked, summed over periods"),
    "demand_squares": ("units2", "site", "squares of the units asked in a period, summed"),
    "order_sum": ("units", "site", "units ordered, summed over periods"),
    "order_squares": ("units2", "site", "squares of the units ordered in a period, summed"),
    # suppliers (place = site, with product)
    "supply_orders": ("1", "site", "orders that reached the supplier"),
    "supply_orders_ready": ("1", "site", "of these, made ready"),
    "units_supplied": ("units", "site", "units made ready"),
    "units_short": ("units", "site", "units ordered and not delivered: short deliveries"),
    "supply_time": ("h", "site", "sum over supply orders of hours from order to ready"),
    # work centres (place = site/group, with product and stream)
    "jobs_queued": ("1", "site/group", "lots whose wait at the work centre ended"),
    "jobs_delayed": ("1", "site/group", "of these, lots that had to wait"),
    "queue_time": ("h", "site/group", "sum of their waits"),
    "queue_length_time": ("h", "site/group", "integral of lots waiting"),
    "group_wip_time": ("h", "site/group", "integral of lots waiting or in work"),
    "jobs_processed": ("1", "site/group", "operations completed"),
    "process_time": ("h", "site/group", "sum of effective process times, down-time included"),
    "process_time_squared": ("h2", "site/group", "sum of their squares"),
    "units_good": ("units", "site/group", "good units that operations gave"),
    "units_scrapped": ("units", "site/group", "units lost to yield or scrapped"),
    "ideal_time": ("h", "site/group", "ideal time of the units processed (OEE)"),
    "group_up_time": ("h", "site/group", "time with at least `needed` machines up"),
    "group_clock_time": ("h", "site/group", "elapsed time"),
    # machines (place = machine)
    "machine_clock_time": ("h", "machine", "elapsed time"),
    "planned_time": ("h", "machine", "time inside the calendar"),
    "busy_time": ("h", "machine", "time processing"),
    "setup_time": ("h", "machine", "time setting up"),
    "setups": ("1", "machine", "set-ups made"),
    "down_time": ("h", "machine", "time broken down or in repair, waiting for a crew included"),
    "blocked_time": ("h", "machine", "time holding a done lot that has nowhere to go"),
    "failures": ("1", "machine", "failures"),
    "repair_wait": ("h", "machine", "sum of waits for a repair crew"),
    "repair_time": ("h", "machine", "sum of repair times, without the wait"),
    "services": ("1", "machine", "preventive services"),
    "maintenance_cost": ("currency", "machine", "repairs and services"),
    "downtime_cost": ("currency", "machine", "cost per hour of the machine while it is down"),
    "machine_cost": ("currency", "machine", "cost per hour of working"),
    "setup_cost": ("currency", "machine", "cost of set-ups"),
    "energy": ("kWh", "machine", "energy used"),
    # crews (place = crew)
    "crew_busy_time": ("h", "crew", "person-hours at work"),
    "crew_planned_time": ("h", "crew", "person-hours inside the calendar"),
    "crew_wait": ("h", "crew", "sum of waits for the crew"),
    "crew_requests": ("1", "crew", "requests for the crew"),
    "crew_cost": ("currency", "crew", "cost per hour at work"),
    # plants (place = site, with product and stream)
    "lots_released": ("1", "site", "lots released to the shop"),
    "lots_finished": ("1", "site", "lots finished"),
    "units_made": ("units", "site", "good units finished"),
    "make_time": ("h", "site", "sum over finished lots of hours from order (or release) to done"),
    "make_time_squared": ("h2", "site", "sum of their squares"),
    "wip_time": ("h", "site", "integral of lots released and unfinished"),
    # lanes (place = origin:destination:mode, with product where it applies)
    "shipments": ("1", "lane", "departures"),
    "units_shipped": ("units", "lane", "units departed"),
    "units_arrived": ("units", "lane", "units arrived"),
    "transit_time": ("h", "lane", "sum over arrived shipments of hours under way"),
    "transit_time_squared": ("h2", "lane", "sum of their squares"),
    "shipments_arrived": ("1", "lane", "arrivals"),
    "in_transit_time": ("unit h", "lane", "integral of units under way"),
    "wait_to_depart": ("unit h", "lane", "sum over units of hours from ready to departure"),
    "transport_cost": ("currency", "lane", "cost of shipments"),
    "expedite_cost": ("currency", "lane", "what expediting costs on top of the shipments"),
    "weight_distance": ("tkm", "lane", "tonne-kilometres"),
    "distance": ("km", "lane", "kilometres driven loaded or empty"),
    "fuel": ("l", "lane", "litres of fuel"),
    "co2e_direct": ("kg", "lane", "direct (tank to wheel) CO2e"),
    "co2e_total": ("kg", "lane", "total (well to wheel) CO2e"),
    "units_damaged": ("units", "lane", "units damaged under way"),
    # trucks (place = truck)
    "trips": ("1", "truck", "round trips completed"),
    "trip_time": ("h", "truck", "sum over trips of hours from ready to ready again"),
    "truck_busy_time": ("h", "truck", "time loading, driving, unloading or coming back"),
    "truck_clock_time": ("h", "truck", "elapsed time"),
    "truck_stops": ("1", "truck", "breakdowns on the road"),
    "truck_fill": ("1", "truck", "sum over trips of the share of capacity used"),
    # storage areas (place = site/area)
    "volume_time": ("m3 h", "site/area", "integral of the volume stored"),
    "full_time": ("h", "site/area", "time with goods waiting because the area was full"),
    "excursions": ("1", "site/area", "times the range was left"),
    # docks (place = site/direction)
    "dock_wait": ("h", "site/direction", "sum of waits for a door"),
    "dock_visits": ("1", "site/direction", "vehicles served"),
    "dock_busy_time": ("h", "site/direction", "door-hours in use"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """The sums of one replication of one scenario, after its warm-up.

    `samples` holds daily (or other) snapshots: key -> array of the length of `times`; the measures
    sampled are `on_hand`, `backorders`, `in_transit`, `wip`, `queue`, `busy`, `customer_backlog`.
    """

    scenario: str
    replication: int
    start_h: float
    end_h: float
    sums: dict[Key, float]
    times: np.ndarray = field(default_factory=lambda: np.empty(0))
    samples: dict[Key, np.ndarray] = field(default_factory=dict)

    @property
    def hours(self) -> float:
        """Length of the measured part of the run, hours."""
        return self.end_h - self.start_h

    def total(self, measure: str, place: str | None = None, product: str | None = None,
              stream: str | None = None) -> float:
        """Sum of a measure over all places, products and streams that are not given.

        Examples
        --------
        >>> tally = Tally("baseline", 0, 0.0, 10.0, {("orders", "C1", "A", ""): 3.0,
        ...                                          ("orders", "C2", "A", ""): 4.0})
        >>> tally.total("orders"), tally.total("orders", place="C2")
        (7.0, 4.0)
        """
        return sum(
            value for (name, at, what, stem), value in self.sums.items()
            if name == measure and (place is None or at == place)
            and (product is None or what == product) and (stream is None or stem == stream)
        )
