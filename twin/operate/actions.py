"""From a plan to actions: what a person is asked to do, in the field's verbs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from twin.network import Network
from twin.network.attributes import TABLES
from twin.network.cells import write_cell
from twin.plan import Order, Plan
from twin.recommendation import Action
from twin.state import State

#: Of a schedule and of routes only what begins so soon is asked for: later comes the next plan.
AHEAD_H = 24.0
_CHANGES = ("expedite", "defer", "cancel", "increase", "decrease")
_UNITS = ("reorder_point", "order_up_to", "order_quantity", "safety_stock")


def actions_of(plan: Plan, network: Network) -> tuple[Action, ...]:
    """What a plan asks for now, the soonest first; new settings stand last.

    Examples
    --------
    >>> from twin.plan import Answer, Status
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea", "value": 3}], supply=[{"site": "W", "product": "tea"}],
    ...     stock=[{"site": "W", "product": "tea", "policy": "s_S", "reorder_point": 4,
    ...             "order_up_to": 9}])
    >>> plan = Plan("replenishment", "tea", 24.0, Answer(Status.FEASIBLE),
    ...             orders=(Order("order", "W", "tea", 6.0, 24.0, "W"),),
    ...             cells={"stock[W,tea].reorder_point": "5"})
    >>> [(one.sentence(), one.value) for one in actions_of(plan, network)]
    [('order 6 units of W/tea from W', 18.0), ('set stock[W,tea].reorder_point to 5', 3.0)]
    """
    found = [*_orders(plan, network), *_services(plan, network), *_cells(plan, network),
             *_moves(plan), *_routes(plan)]
    return tuple(sorted(found, key=lambda action: (
        action.verb == "set", action.when_h, action.verb, action.target)))


def in_units(plan: Plan) -> Plan:
    """The plan with whole units, as orders are placed."""
    whole = [replace(order, quantity=float(round(order.quantity))) for order in plan.orders]
    return replace(plan, orders=tuple(order for order in whole if order.quantity > 0.0))


def _orders(plan: Plan, network: Network) -> Iterator[Action]:
    for order in plan.orders:
        detail: dict[str, Any] = {name: value for name, value in (
            ("source", order.source), ("mode", order.mode), ("order", order.order)) if value}
        if order.verb == "defer" and order.due is not None:
            detail["due"] = round(order.due, 3)  # hours; a moment when it is pushed
        yield Action(order.verb, f"{order.site}/{order.product}", order.quantity,
                     when_h=max(order.when, plan.made_h),
                     value=order.quantity * _price(order, network), detail=detail)


def with_standing(actions: Iterable[Action], state: State) -> tuple[Action, ...]:
    """Actions that change an open order, with how that order stands: its units not delivered yet
    as `was`, and the hour when it is due as `was_due`. What undoes the action goes back to them.

    Examples
    --------
    >>> state = State("tea", 24.0, orders=({"number": 7, "undelivered": 40.0, "due_in": 48.0},))
    >>> with_standing([Action("defer", "W/tea", 40.0, detail={"order": 7})], state)[0].detail
    {'order': 7, 'was': 40.0, 'was_due': 72.0}
    """
    open_orders = {order["number"]: order for order in state.orders}
    found = []
    for action in actions:
        standing = open_orders.get(action.detail.get("order"))
        if standing is not None and action.verb in _CHANGES:
            stood: dict[str, Any] = {"was": round(float(standing["undelivered"]), 6)}
            if standing.get("due_in") is not None:
                stood["was_due"] = round(state.clock_h + float(standing["due_in"]), 3)
            action = replace(action, detail={**action.detail, **stood})
        found.append(action)
    return tuple(found)


def _price(order: Order, network: Network) -> float:
    supply = network.supply.get((order.source, order.product))
    return (supply.price if supply else 0.0) or network.products[order.product].value


def _services(plan: Plan, network: Network) -> Iterator[Action]:
    for service in plan.services:
        row = network.failures.get((service.asset.split("#")[0], service.cause))
        detail = {name: value for name, value in (
            ("cause", service.cause), ("crew", service.crew), ("spare", service.spare)) if value}
        yield Action("service", service.asset, round(service.end - service.start, 3), "h",
                     service.start, row.service_cost if row else 0.0, detail)


def _cells(plan: Plan, network: Network) -> Iterator[Action]:
    changed = network.with_cells(plan.cells) if plan.cells else network
    for cell, value in plan.cells.items():
        table, key, column = network.find(cell)
        today = getattr(network.table(table)[key], column)
        later = getattr(changed.table(table)[key], column)
        moved = 0.0
        if table == "stock" and column in _UNITS and isinstance(key, tuple):
            moved = abs((later or 0.0) - (today or 0.0)) * network.products[str(key[1])].value
        yield Action("set", cell, when_h=plan.made_h, value=round(moved, 2),
                     detail={"value": value, "today": today_of(cell, network)})


def today_of(cell: str, network: Network) -> str:
    """What stands in a cell, as a planner writes it."""
    table, key, column = network.find(cell)
    return write_cell(TABLES[table].by_name[column], getattr(network.table(table)[key], column))


def _moves(plan: Plan) -> Iterator[Action]:
    for one in plan.operations:
        if not one.started and one.start < plan.made_h + AHEAD_H:
            yield Action("move", one.machine, one.quantity, when_h=one.start, detail={
                "product": one.product, "order": one.order, "lot": one.lot, "step": one.step,
                "hours": round(one.end - one.start, 3)})


def _routes(plan: Plan) -> Iterator[Action]:
    for route in plan.routes:
        if route.depart < plan.made_h + AHEAD_H:
            yield Action("reroute", route.truck, when_h=route.depart, value=round(route.cost, 2),
                         detail={"stops": [asdict(visit)["site"] for visit in route.visits],
                                 "km": round(route.km, 1)})
