"""What to make, order, move and hurry from where the chain stands now (time-expanded network flow).

Each week of a rolling horizon is a period. Shelves, plants and suppliers are places, lanes are
moves with whole weeks of lead time. Only what leaves within the first weeks becomes an order;
later weeks are planned again when they come.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twin.network import Network
from twin.optimize.allocation_reasons import conflict, late, prices
from twin.optimize.capacity import Capacity, Hours
from twin.optimize.flow_network import FlowAnswer, FlowProblem, Move, solve_flow
from twin.optimize.policy_flow import Moments, Node, PolicyFlow
from twin.optimize.policy_parameters import backorder_price, parameters_of
from twin.plan import HURRY, HURRY_VALUE, Answer, Order, Plan, Status
from twin.state import State

PERIOD_H = 168.0
_CLOSING = 12.0  #: weeks that units owed at the end are taken to wait: longer than most lead times


def allocate(network: Network, state: State | None = None, *, periods: int = 26, firm: int = 2,
             surge: Mapping[str, Sequence[float]] | None = None, service: float = 0.95,
             hours: Hours | None = None, leads: Mapping[Node, float] | None = None) -> Plan:
    """Orders, transfers, production and expedites of the next weeks.

    Parameters
    ----------
    network
        With the calibration applied.
    state
        Stock, open orders and shipments now; the opening stock of the model if None.
    periods, firm
        Weeks looked at, and weeks of which the orders are placed.
    surge
        Factors on the demand of a region, by week (1 from where they end).
    service
        Target of shelves with neither a service level nor a backorder cost.
    hours
        Opening hours of calendars; None: work centres are always open.
    leads
        Mean hours from an order of a shelf to its receipt as they were played: with the waiting
        for machines, shifts and trucks that the tables do not tell.

    Returns
    -------
    Plan
        Of kind ``allocation``; its reasons give the price of what limits it.

    Raises
    ------
    ValueError
        If a number cannot be, with everything that is wrong.

    Examples
    --------
    >>> network = Network(
    ...     sites=[{"site": "S", "kind": "supplier"}, {"site": "A", "kind": "warehouse"}],
    ...     products=[{"product": "tea", "value": 2}],
    ...     supply=[{"site": "S", "product": "tea", "lead_time": "7d", "capacity_per_day": 1}],
    ...     lanes=[{"origin": "S", "destination": "A", "mode": "road", "transit": "1d"}],
    ...     stock=[{"site": "A", "product": "tea", "on_hand": 20, "policy": "base_stock",
    ...             "order_up_to": 30, "holding_cost": 0.01}],
    ...     demand=[{"site": "A", "product": "tea", "interarrival": "12h"}])
    >>> plan = allocate(network, periods=4)
    >>> first, reason = plan.orders[0], plan.answer.reasons[0]
    >>> first.verb, first.site, first.source, first.quantity, reason.subject
    ('order', 'A', 'S', 7.0, 'supply of tea at S')
    """
    began = time.perf_counter()
    if firm < 1 or periods < firm:
        raise ValueError(f"firm {firm} must be from 1 to the {periods} periods.")
    desk = _Desk(network, state, periods, surge or {}, service, firm, hours, leads or {})
    problem = desk.problem()
    found = solve_flow(problem)
    made_h = state.clock_h if state is not None else 0.0
    unit = network.currency
    if found.status is not Status.OPTIMAL or found.cost is None:
        reasons = conflict(problem) if found.status is Status.INFEASIBLE else ()
        return Plan("allocation", network.name, made_h, Answer(
            found.status, unit=unit, engine="glop", seconds=time.perf_counter() - began,
            reasons=reasons), state_digest=state.digest() if state else "")
    answer = Answer(Status.OPTIMAL, objective=found.cost, bound=found.cost, unit=unit,
                    engine="glop", seconds=time.perf_counter() - began,
                    reasons=(*prices(found, unit), *late(found)))
    return Plan("allocation", network.name, made_h, answer,
                orders=tuple(desk.orders(found, firm, made_h)),
                state_digest=state.digest() if state else "", holds_h=firm * PERIOD_H)


class _Desk:
    """From tables and state to a flow problem, and from its answer to orders."""

    def __init__(self, network: Network, state: State | None, periods: int,
                 surge: Mapping[str, Sequence[float]], service: float, firm: int,
                 hours: Hours | None, leads: Mapping[Node, float]) -> None:
        self.firm_h = firm * PERIOD_H
        self.hours: dict[str, float] = {}  #: mean lead time of a move
        self.network, self.state, self.periods = network, state, periods
        self.surge, self.service = surge, service
        self.flow = PolicyFlow(network)
        self.waits = {node: max(0.0, lead - self.flow.lead(node).mean)
                      for node, lead in leads.items()}  #: beyond what the tables tell
        self.capacity = Capacity(network, hours, state.clock_h if state is not None else 0.0)
        self.moves: dict[str, Move] = {}
        self.lanes: dict[str, tuple[str, str, str]] = {}  # origin, destination, mode by move
        self.open: dict[str, tuple[int, float, float]] = {}  # order, quantity, wait by move
        self.groups: dict[str, tuple[float, ...]] = {}
        self.stock: dict[Node, float] = {}
        self.arriving: dict[Node, list[float]] = {}
        self.queued: dict[tuple[Node, str], int] = {}  #: open order nobody works on, by source

    def problem(self) -> FlowProblem:
        network = self.network
        actors = self.state.actors if self.state is not None else {}
        late: dict[Node, float] = {}
        holding: dict[Node, float] = {}
        demand = self._demand()
        for node, row in network.stock.items():
            shelf = actors.get(f"shelf {node[0]}/{node[1]}", {})
            self.stock[node] = float(shelf.get("on_hand", row.on_hand))
            holding[node] = row.holding_cost * PERIOD_H / 24.0
            asked = demand.get(node)
            if asked is None:
                if not self.flow.demand(node).mean > 0.0:
                    continue
                asked = demand[node] = [0.0] * self.periods  # components, and shelves of shelves
            late[node] = max(backorder_price(row, self.service), 1e-6) * PERIOD_H / 24.0
            asked[0] += float(shelf.get("owed", 0.0))
            soonest = math.ceil(self._lead(node) / PERIOD_H)
            asked[min(soonest, self.periods - 1)] += self._cushion(node)
        demand = {node: row for node, row in demand.items() if node in late}
        self._open_orders(actors)
        for node in network.stock:
            self._ways(node, frozenset())
        room = {}
        for site in {node[0] for node in network.stock}:
            areas = [area.capacity_m3 for area in network.storage.values() if area.site == site]
            if areas and all(most is not None for most in areas):
                room[site] = sum(most for most in areas if most is not None)
        return FlowProblem(
            self.periods, self.stock, tuple(self.moves.values()),
            {node: tuple(row) for node, row in demand.items()}, late, holding,
            {node: tuple(row) for node, row in self.arriving.items()}, self.groups, room,
            {name: row.volume_m3 for name, row in network.products.items()}, closing=_CLOSING)

    def orders(self, found: FlowAnswer, firm: int, now_h: float) -> Iterator[Order]:
        """What leaves in the first weeks, as orders."""
        sent: dict[str, float] = {}
        deferred: dict[str, tuple[float, int]] = {}  # units, and weeks until the first of them
        for (name, period), units in sorted(found.moved.items(), key=lambda item: (
                item[0][1], item[0][0])):
            move = self.moves[name]
            when = now_h + period * PERIOD_H
            due = when + move.lead * PERIOD_H
            if move.kind in ("keep", "expedite"):
                number = self.open[name][0]
                sent[name.split(":")[0]] = sent.get(name.split(":")[0], 0.0) + units
                if move.kind == "expedite":
                    if period < firm:
                        yield Order("expedite", move.site, move.product, units, when, due=due,
                                    order=number)
                elif period:
                    more, first = deferred.get(name, (0.0, period))
                    deferred[name] = more + units, first
            else:
                origin, _, mode = self.lanes.get(name, (move.site, "", ""))
                # It is to be there as its week begins; who keeps no stock makes or buys it first.
                lead = self.hours.get(name, 0.0)
                if name in self.lanes:
                    lead += self._ahead((origin, move.product))
                wait = max(0.0, (period + move.lead) * PERIOD_H - lead)
                if wait >= self.firm_h or (move.site, move.product) not in self.network.stock:
                    continue  # what a place without stock makes follows from orders further down
                when = now_h + wait
                number = self.queued.get(((move.site, move.product), origin), 0)
                verb = "transfer" if move.kind == "transfer" else "order"
                if number and when <= now_h:
                    verb = "increase"
                yield Order(verb, move.site, move.product, units, when, origin, mode, due,
                            number if verb == "increase" else 0)
        for name, (units, first) in deferred.items():
            number, _, wait = self.open[name]
            move = self.moves[name]
            yield Order("defer", move.site, move.product, units, now_h,
                        due=now_h + wait + first * PERIOD_H, order=number)
        for name, (number, quantity, _) in self.open.items():
            move = self.moves[name]
            left = quantity - sent.get(name.split(":")[0], 0.0)
            if move.kind == "keep" and left > 1e-6 * max(1.0, quantity):
                week = self._wanted_again(found, (move.site, move.product), firm)
                if week is not None:  # the same units are bought anew later: put them off
                    yield Order("defer", move.site, move.product, left, now_h,
                                due=now_h + week * PERIOD_H, order=number)
                    continue
                verb = "cancel" if left > quantity * (1 - 1e-6) else "decrease"
                yield Order(verb, move.site, move.product, left, now_h, order=number)

    def _wanted_again(self, found: FlowAnswer, node: Node, firm: int) -> int | None:
        """The first week, after those whose orders are placed now, in which a place is to get more
        units of a product than are open; None if it needs none.
        """
        weeks = [period + self.moves[name].lead for (name, period), units in found.moved.items()
                 if units > 1e-6 and period >= firm and self.moves[name].kind in (
                     "order", "transfer", "make", "buy")
                 and (self.moves[name].site, self.moves[name].product) == node]
        return min(weeks, default=None)

    def _ahead(self, node: Node, behind: frozenset[Node] = frozenset()) -> float:
        """Hours until a place that keeps no stock of a product can send it."""
        if node in self.network.stock or node in behind:
            return 0.0
        found = []
        for move in self.moves.values():
            if (move.site, move.product) == node and move.kind not in ("keep", "expedite"):
                lane = self.lanes.get(move.name)
                above = 0.0 if lane is None else self._ahead((lane[0], node[1]), behind | {node})
                parts = [self._ahead((node[0], part), behind | {node}) for part, _ in move.uses]
                found.append(self.hours.get(move.name, 0.0) + max([above, *parts]))
        return min(found, default=0.0)

    # ---- what is asked for ----

    def _demand(self) -> dict[Node, list[float]]:
        """Mean demand of customers by the shelf that serves them, by week."""
        found: dict[Node, list[float]] = {}
        for row in self.network.demand.values():
            if not row.interarrival.mean() > 0.0:
                continue
            rate = row.size.mean() / row.interarrival.mean() * PERIOD_H
            factors = self.surge.get(row.region or "", ())
            for node, share in self._shelves((row.site, row.product), frozenset()):
                weeks = found.setdefault(node, [0.0] * self.periods)
                for week in range(self.periods):
                    weeks[week] += rate * share * (factors[week] if week < len(factors) else 1.0)
        return found

    def _shelves(self, node: Node, behind: frozenset[Node]) -> Iterator[tuple[Node, float]]:
        if node in self.network.stock:
            yield node, 1.0
        elif node not in behind:
            for source in self.flow.sources(node):
                if source.node is not None:
                    for shelf, share in self._shelves(source.node, behind | {node}):
                        yield shelf, share * source.share

    def _cushion(self, node: Node) -> float:
        """Safety stock: set aside as soon as it can come, and never planned to be used.

        It covers the firm weeks too, in which nothing is ordered that the plan does not know of,
        and what is asked for until an order of the first instant is there.
        """
        found = parameters_of(self.network.stock[node], self.flow, self.service)
        if found is None:
            return 0.0
        lead, asked = self._lead(node), self.flow.demand(node)
        over = lead + (self.network.stock[node].review or 0.0)
        level = found.values.get("reorder_point", found.values.get("order_up_to"))
        safety = found.values.get("safety_stock", max(0.0, (level or 0.0) - asked.mean * over))
        longer = math.sqrt((over + self.firm_h) / over) if over > 0.0 else 1.0
        return safety * longer + asked.mean * max(0.0, over - _weeks(over) * PERIOD_H)

    # ---- what is on its way ----

    def _open_orders(self, actors: Mapping[str, dict[str, Any]]) -> None:
        under_way: dict[int, float] = {}  # hours until it is due, of what has left
        for actor in actors.values():
            moving = actor.get("moving")
            if isinstance(moving, list):
                for shipment in moving:
                    for part in shipment["load"]:
                        under_way[part["order"]] = float(shipment.get("due_in") or 0.0)
        idle = {number for name, actor in actors.items() for number in _idle(name, actor)}
        for order in self.state.orders if self.state is not None else ():
            if order["number"] in idle and order["buyer"].startswith("shelf "):
                site = order["buyer"].removeprefix("shelf ").split("/")[0]
                origin = (order.get("lane") or site).split(":")[0]
                self.queued[(site, order["product"]), origin] = order["number"]
        if self.state is None:
            rows = [(number, f"shelf {row.site}/{row.product}", row.product, row.quantity,
                     row.due or 0.0, row.status == "shipped")
                    for number, row in enumerate(self.network.orders.values(), 1)]
        else:
            rows = [(order["number"], order["buyer"], order["product"], order["undelivered"],
                     under_way.get(order["number"], float(order.get("due_in") or 0.0)),
                     order["number"] in under_way) for order in self.state.orders]
        for number, buyer, product, quantity, wait, has_left in rows:
            site = buyer.removeprefix("shelf ").split("/")[0]
            node = site, product
            if not buyer.startswith("shelf ") or node not in self.network.stock \
                    or not quantity > 0.0:
                continue
            weeks = max(0, math.ceil(max(wait, 0.0) / PERIOD_H - 1e-9))
            if has_left:
                if weeks < self.periods:
                    self.arriving.setdefault(node, [0.0] * self.periods)[weeks] += quantity
                continue
            weeks = max(weeks, math.ceil(self._lead(node) / PERIOD_H)) \
                if wait <= 0.0 else weeks
            name, place = f"order {number}", (f"order {number}", product)
            self.stock[place] = quantity
            freight = self._freight(node)
            self._add(Move(f"{name}:keep", place[0], site, product, weeks, 0.0, kind="keep"))
            self.open[f"{name}:keep"] = number, quantity, wait
            if weeks > 1:
                self._add(Move(f"{name}:expedite", place[0], site, product, weeks // 2,
                               HURRY * freight, kind="expedite"))
                self.open[f"{name}:expedite"] = number, quantity, wait

    def _freight(self, node: Node) -> float:
        """Usual freight of a unit into a shelf; at least a hundredth of its value."""
        product = self.network.products[node[1]]
        rates = [lane.cost_per_kg for lane in self.network.lanes.values()
                 if lane.destination == node[0] and lane.cost_per_kg > 0.0]
        return max(min(rates, default=0.0) * product.weight_kg, HURRY_VALUE * product.value)

    # ---- how more can come ----

    def _lead(self, node: Node) -> float:
        """Mean hours from an order of a shelf to its receipt."""
        return self.flow.lead(node).mean + self.waits.get(node, 0.0)

    def _takes(self, name: str, node: Node, hours: float) -> int:
        """Note the mean hours of a move into a place, waiting included; its weeks."""
        self.hours[name] = hours + self.waits.get(node, 0.0)
        return _weeks(self.hours[name])

    def _add(self, move: Move) -> None:
        self.moves[move.name] = move

    def _ways(self, node: Node, behind: frozenset[Node]) -> None:
        """Moves that bring a product to a place, and those that these need."""
        if node in behind:
            return
        site, product = node
        network = self.network
        weight = network.products[product].weight_kg
        for lane in network.lanes.values():
            above = (lane.origin, product)
            if lane.destination != site or not self.flow._can_provide(above, frozenset({site})):
                continue
            name = f"{product} from {lane.origin} to {site} by {lane.mode}"
            if name in self.moves:
                continue
            transit = lane.transit.mean() if lane.transit is not None \
                else self.flow._driving(lane).mean
            kind = "transfer" if above in network.stock else "order"
            weeks = self._takes(name, node, transit + lane.order_delay)
            self._add(Move(name, lane.origin, site, product, weeks,
                           lane.cost_per_kg * weight, kind=kind))
            self.lanes[name] = lane.origin, site, lane.mode
            self._ways(above, behind | {node})
        supply = network.supply.get(node)
        if supply is not None:
            group = ""
            if supply.capacity_per_day is not None:
                group = f"supply of {product} at {site}"
                self.groups[group] = (supply.capacity_per_day * PERIOD_H / 24.0,) * self.periods
            name = f"{product} bought at {site}"
            weeks = self._takes(name, node, supply.lead_time.mean())
            self._add(Move(name, "", site, product, weeks, supply.price, group=group, kind="buy"))
        if node in self.flow._made:
            self._making(node)

    def _making(self, node: Node) -> None:
        site, product = node
        network = self.network
        load = self.capacity.load(node)
        if load is not None:
            self.groups[load.name] = (load.week_h,) * self.periods
        uses = tuple((line.component, line.quantity) for line in network.bom.values()
                     if line.product == product and line.site in ("", site) and line.rank == 1)
        lead: Moments = self.flow._making(node)
        name = f"{product} made at {site}"
        self._add(Move(name, "", site, product, self._takes(name, node, lead.mean), 0.0, uses=uses,
                       group="" if load is None else load.name,
                       load=0.0 if load is None else load.unit_h, kind="make"))
        for part, _ in uses:
            self._ways((site, part), frozenset({node}))


def _idle(name: str, actor: Mapping[str, Any]) -> Sequence[int]:
    """Orders at a place that nobody works on yet: they can still be made larger."""
    if name.startswith("supplier "):
        return list(actor.get("queue", ()))[int(bool(actor.get("working"))):]
    return list(actor.get("book", ())) if name.startswith("shelf ") else ()


def _weeks(hours: float) -> int:
    return max(0, math.ceil(hours / PERIOD_H - 0.5))
