"""How much to make of what, and when, where products share a work centre and demand is uncertain.

A lot goes onto the plant's own shelf, or, where it keeps none, to the shelves that order from it,
so that all of them can serve equally long. Demand is sampled from what the model (with its
calibration) says of each shelf; the lots that are cheapest on average over these scenarios are
chosen (sample-average approximation, see `lot_plan`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twin.network import Network
from twin.optimize.capacity import Capacity, Hours, Load
from twin.optimize.lot_plan import LotAnswer, LotItem, LotProblem
from twin.optimize.lot_race import solve_lots
from twin.optimize.policy_flow import Node, PolicyFlow
from twin.optimize.policy_parameters import backorder_price
from twin.plan import Answer, Order, Plan, Reason, Status
from twin.state import State

_OPEN = 0.25  #: share of the cost that may be too much; beyond it today's policies stay
_LEAST = 1e-6  #: cost of a unit a period where the model gives none: sooner is no better than later


def plan_lots(network: Network, state: State | None = None, *, periods: int = 12,
              period_h: float = 168.0, firm: int = 2, scenarios: int = 20, service: float = 0.95,
              seconds: float = 10.0, seed: int = 1, hours: Hours | None = None,
              solvers: Sequence[str] | None = None) -> Plan:
    """Lots of the next periods for all products that a plant makes for stock.

    Parameters
    ----------
    network
        With the calibration applied.
    state
        Stock and open orders now; the opening stock of the model if None.
    periods, period_h, firm
        Periods looked at, their length, and those of which the lots are ordered.
    scenarios, seed
        Sampled demands: gamma with the mean and variance of a period.
    service
        Target of shelves with neither a service level nor a backorder cost.
    seconds
        For all work centres together, in work that is counted; the clock is a guard.
    hours
        Opening hours of calendars; None: work centres are always open.

    Returns
    -------
    Plan
        Of kind ``lots``: its orders stand instead of the policies of the shelves in `holds`.

    Raises
    ------
    ValueError
        If a number cannot be.

    Examples
    --------
    >>> network = Network(
    ...     sites=[{"site": "P", "kind": "plant"}, {"site": "C", "kind": "customer"}],
    ...     products=[{"product": "tea", "lot_size": 10}], groups=[{"site": "P", "group": "pack"}],
    ...     machines=[{"machine": "M", "site": "P", "group": "pack"}],
    ...     routings=[{"site": "P", "product": "tea", "step": 1, "group": "pack",
    ...                "process_time": "1h", "setup_time": "8h"}],
    ...     lanes=[{"origin": "P", "destination": "C", "mode": "road", "transit": "1d"}],
    ...     stock=[{"site": "P", "product": "tea", "policy": "base_stock", "order_up_to": 50,
    ...             "source": "make", "holding_cost": 1}],
    ...     demand=[{"site": "C", "product": "tea", "interarrival": "12h"}])
    >>> plan = plan_lots(network, periods=3, firm=1, scenarios=1)
    >>> plan.orders[0].quantity, plan.answer.status.value, plan.holds
    (30.0, 'optimal', (('P', 'tea'),))
    """
    if not 1 <= firm <= periods:
        raise ValueError(f"firm {firm} must be from 1 to the {periods} periods.")
    began = time.perf_counter()
    now_h = 0.0 if state is None else state.clock_h
    desk = _Desk(network, state, periods, period_h, scenarios, service, seed)
    centres = desk.centres(Capacity(network, hours, now_h))
    if not centres:
        reason = Reason("why_not", network.name, "no plant makes a product for stock, its own or "
                        "that of a place it delivers to: there are no lots to choose")
        return Plan("lots", network.name, now_h, Answer(
            Status.UNKNOWN, unit=network.currency, engine="milp", reasons=(reason,)),
            state_digest=state.digest() if state else "")
    orders: list[Order] = []
    held: list[Node] = []
    answers: list[tuple[str, LotAnswer]] = []
    spent = 0.0
    for left, (load, items) in zip(range(len(centres), 0, -1), centres, strict=True):
        problem = LotProblem(tuple(items), (load.week_h * period_h / 168.0,) * periods)
        share = (seconds - (time.perf_counter() - began)) / left
        found = solve_lots(problem, max(1.0, share), solvers, network.currency,
                           (seconds - spent) / left)
        spent += found.answer.work
        answers.append((load.name, found))
        if not found.quantities or (found.answer.gap or 0.0) > _OPEN:
            continue
        held += [shelf for item in items for shelf in desk.shelves[load.site, item.name]]
        for one in found.orders(problem, load.site, now_h, period_h):
            if one.when < now_h + (firm - 0.5) * period_h:
                orders += desk.shared(one)
    answer = _joined(answers, time.perf_counter() - began)
    if not held and answer.status is Status.FEASIBLE:
        answer = replace(answer, status=Status.UNKNOWN)
    return Plan("lots", network.name, now_h, answer,
                orders=tuple(sorted(orders, key=lambda one: (one.when, one.site, one.product))),
                holds_h=firm * period_h if held else 0.0, holds=tuple(held),
                state_digest=state.digest() if state else "")


class _Desk:
    """From tables and state to the products of each work centre."""

    def __init__(self, network: Network, state: State | None, periods: int, period_h: float,
                 scenarios: int, service: float, seed: int) -> None:
        self.network, self.state = network, state
        self.periods, self.period_h, self.scenarios = periods, period_h, scenarios
        self.service, self.seed = service, seed
        self.flow = PolicyFlow(network)
        self.shelves = self._shelves()  #: made product -> shelves that its lots go to
        self.position = {node: self._position(node) for nodes in self.shelves.values()
                         for node in nodes}

    def _shelves(self) -> dict[Node, tuple[Node, ...]]:
        made = dict.fromkeys((row.site, row.product) for row in self.network.routings.values())
        found: dict[Node, list[Node]] = {node: [] for node in made}
        for shelf in self.network.stock:
            main = max(self.flow.sources(shelf), key=lambda source: source.share, default=None)
            if not self.flow.demand(shelf).mean > 0.0 or main is None:
                continue
            if shelf in made and main.node is None:
                found[shelf] = [shelf]
            elif main.node in made and main.node not in self.network.stock:
                found[main.node].append(shelf)
        return {node: tuple(shelves) for node, shelves in found.items() if shelves}

    def centres(self, capacity: Capacity) -> list[tuple[Load, list[LotItem]]]:
        """Each work centre that limits a product made for stock, with those products."""
        found: dict[str, tuple[Load, list[LotItem]]] = {}
        for node in self.shelves:
            load = capacity.load(node)
            if load is not None:
                found.setdefault(load.name, (load, []))[1].append(self._item(node, load))
        return [found[name] for name in sorted(found)]

    def shared(self, lot: Order) -> list[Order]:
        """A lot as orders of the shelves that it goes to, in whole units."""
        shelves = self.shelves[lot.site, lot.product]
        rates = [self.flow.demand(node).mean for node in shelves]
        parts = even_cover([self.position[node] for node in shelves], rates, lot.quantity)
        orders = []
        for node, units in zip(shelves, parts, strict=True):
            self.position[node] += units
            if round(units) > 0:
                orders.append(replace(lot, site=node[0], source=lot.site,
                                      quantity=float(round(units))))
        return orders

    def _item(self, node: Node, load: Load) -> LotItem:
        days = self.period_h / 24.0
        rows = [self.network.stock[shelf] for shelf in self.shelves[node]]
        held = max(sum(row.holding_cost for row in rows) / len(rows) * days, _LEAST)
        owed = sum(backorder_price(row, self.service) for row in rows) / len(rows) * days
        return LotItem(node[1], self._demand(node), load.setup_cost, held, max(owed, 10.0 * held),
                       load.lot_h, load.unit_h,
                       max(0.0, sum(self.position[shelf] for shelf in self.shelves[node])))

    def _position(self, node: Node) -> float:
        """Units on the shelf and coming to it, less what it owes."""
        if self.state is None:
            return self.network.stock[node].on_hand
        shelf = self.state.actors.get(f"shelf {node[0]}/{node[1]}", {})
        coming = sum(float(order["undelivered"]) for order in self.state.orders
                     if order["buyer"] == f"shelf {node[0]}/{node[1]}")
        return float(shelf.get("on_hand", 0.0)) + coming - float(shelf.get("owed", 0.0))

    def _demand(self, node: Node) -> tuple[tuple[float, ...], ...]:
        """Sampled demand by scenario and period.

        What a period makes is ready as it ends, and then travels: the first period lasts until
        the lots of the second are there.
        """
        asked = [self.flow.demand(shelf) for shelf in self.shelves[node]]
        mean, variance = sum(one.mean for one in asked), sum(one.variance for one in asked)
        spans = np.full(self.periods, self.period_h)
        spans[0] += self.period_h + max(self.flow.lead(shelf).mean for shelf in self.shelves[node])
        if self.scenarios == 1 or variance == 0.0:
            return (tuple(float(value) for value in mean * spans),) * self.scenarios
        rng = np.random.default_rng([self.seed, *"/".join(node).encode()])
        scale = variance / mean
        draws = rng.gamma(mean * spans / scale, scale, (self.scenarios, self.periods))
        return tuple(tuple(round(float(value), 3) for value in row) for row in draws)


def even_cover(stock: Sequence[float], rates: Sequence[float], units: float) -> list[float]:
    """Units for each place, so that those which get some can serve equally long.

    Examples
    --------
    >>> even_cover([0.0, 10.0, 90.0], [1.0, 2.0, 1.0], 20.0)
    [10.0, 10.0, 0.0]
    """
    order = sorted(range(len(stock)), key=lambda place: stock[place] / rates[place])
    level = 0.0
    for count in range(1, len(order) + 1):
        chosen = order[:count]
        level = (units + sum(stock[place] for place in chosen)) / sum(
            rates[place] for place in chosen)
        if count == len(order) or level <= stock[order[count]] / rates[order[count]]:
            break
    return [max(0.0, level * rates[place] - stock[place]) for place in range(len(stock))]


def _joined(answers: Sequence[tuple[str, LotAnswer]], seconds: float) -> Answer:
    """One answer for all work centres: costs and bounds add up, the weakest status counts."""
    parts = [one.answer for _, one in answers]
    order = (Status.INFEASIBLE, Status.UNKNOWN, Status.FEASIBLE, Status.OPTIMAL)
    status = min((one.status for one in parts), key=order.index)
    known = [one for one in parts if one.objective is not None]
    reasons = tuple(replace(reason, subject=f"{centre}: {reason.subject}")
                    for centre, one in answers for reason in one.answer.reasons)
    reasons += tuple(Reason("why_not", centre, f"up to {one.answer.gap:.0%} of what these lots "
                            "cost may be too much, for all that is proved: today's policies stay. "
                            "Give more time (limit=)")
                     for centre, one in answers if (one.answer.gap or 0.0) > _OPEN)
    complete = len(known) == len(parts)
    return Answer(
        status, objective=math.fsum(one.objective or 0.0 for one in known) if complete else None,
        bound=math.fsum(one.bound or 0.0 for one in parts) if complete else None,
        unit=parts[0].unit, engine=", ".join(dict.fromkeys(one.engine for one in parts)),
        seconds=seconds, work=math.fsum(one.work for one in parts),
        stopped_by=next((how for how in ("wall", "work") if how in {
            one.stopped_by for one in parts}), "proof"),
        progress=parts[0].progress if len(parts) == 1 else (), reasons=reasons)
