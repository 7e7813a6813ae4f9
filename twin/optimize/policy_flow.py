"""What each shelf is asked for and how long it waits: means and spreads, from the tables alone.

Demand of customers runs up the lanes to the shelves and sources that serve it; a product that is
made asks for its components. Lead times run down again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from twin.network import Network

Node = tuple[str, str]  #: (site, product)


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance; of a stream per hour, of a time in hours."""

    mean: float = 0.0
    variance: float = 0.0

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return math.sqrt(self.variance)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a share of a node's orders goes: another node, or a supply or a plant (`node` None)."""

    share: float
    node: Node | None
    time: Moments  #: hours from order to receipt when the source has the goods
    order_cost: float = 0.0


class PolicyFlow:
    """Demand and lead time of every shelf of a network.

    Examples
    --------
    >>> network = Network(
    ...     sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea"}], supply=[{"site": "S", "product": "tea",
    ...                                             "lead_time": "exponential(mean=1d)"}],
    ...     lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "2d"}],
    ...     stock=[{"site": "W", "product": "tea", "policy": "base_stock", "order_up_to": 9}],
    ...     demand=[{"site": "W", "product": "tea", "interarrival": "exponential(mean=8h)"}])
    >>> flow = PolicyFlow(network)
    >>> flow.demand(("W", "tea")), flow.lead(("W", "tea"))
    (Moments(mean=0.125, variance=0.125), Moments(mean=72.0, variance=576.0))
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._made = {(site, product) for site, product, _ in network.routings}
        self._lanes: dict[str, list[str]] = {}
        self._sources: dict[Node, tuple[Source, ...]] = {}
        self._provides: dict[Node, bool] = {}
        self._leads: dict[Node, Moments] = {}
        self.asked: dict[Node, Moments] = {}
        self.single: dict[Node, bool] = {}  #: whether all demand is Poisson, a unit at a time
        for row in network.demand.values():
            gap, size = row.interarrival, row.size
            if not gap.mean() > 0.0 or row.limit == 0:
                continue
            rate = 1.0 / gap.mean()
            scv = (gap.sd() / gap.mean()) ** 2
            moments = Moments(rate * size.mean(),
                              rate * (size.sd() ** 2 + scv * size.mean() ** 2))
            plain = (gap.kind == "exponential" and size.mean() == 1.0 and size.sd() == 0.0
                     and row.profile is None)
            self._ask((row.site, row.product), moments, plain, frozenset())

    def demand(self, node: Node) -> Moments:
        """Units an hour, and their variance an hour."""
        return self.asked.get(node, Moments())

    def lead(self, node: Node) -> Moments:
        """Hours from an order of a shelf to its receipt, if those above have the goods."""
        if node not in self._leads:
            self._leads[node] = Moments()  # a circle of sites adds nothing to itself
            sources = self.sources(node)
            parts = []
            for source in sources:
                above = Moments()
                if source.node is not None and source.node not in self.network.stock:
                    above = self.lead(source.node)
                parts.append((source.share, Moments(source.time.mean + above.mean,
                                                    source.time.variance + above.variance)))
            self._leads[node] = _mixed(parts)
        return self._leads[node]

    def order_cost(self, node: Node) -> float:
        """Fixed cost of an order of a shelf, up to the next shelf or supplier."""
        cost = 0.0
        for source in self.sources(node):
            above = 0.0
            if source.node is not None and source.node not in self.network.stock \
                    and source.node != node:
                above = self.order_cost(source.node)
            cost += source.share * (source.order_cost + above)
        return cost

    def sources(self, node: Node) -> tuple[Source, ...]:
        """Who serves a node's orders, and with which share."""
        if node not in self._sources:
            found = list(self._candidates(node))
            row = self.network.stock.get(node)
            rule = self.network.sites[node[0]].sourcing
            if row is not None and row.source in ("cheapest", "fastest", "fixed", "in_stock",
                                                  "split"):
                rule = row.source
            if found and rule != "split":
                best = found[0] if rule == "fixed" else min(found, key=lambda one: one.time.mean)
                found = [Source(1.0, best.node, best.time, best.order_cost)]
            total = sum(source.share for source in found) or 1.0
            self._sources[node] = tuple(
                Source(source.share / total, source.node, source.time, source.order_cost)
                for source in found if source.share > 0.0)
        return self._sources[node]

    # ---- how it is found ----

    def _candidates(self, node: Node) -> Iterator[Source]:
        site, product = node
        network = self.network
        row = network.stock.get(node)
        named = row.source if row is not None else None
        if named in ("cheapest", "fastest", "fixed", "in_stock", "split"):
            named = None
        if node in self._made and named in (None, "make", site):
            yield Source(1.0, None, self._making(node))
        supply = network.supply.get(node)
        if supply is not None and named in (None, "supply", site):
            yield Source(1.0, None, _of(supply.lead_time), supply.order_cost)
        for lane in network.lanes.values():
            if lane.destination != site or named not in (None, lane.origin):
                continue
            above = (lane.origin, product)
            if not self._can_provide(above, frozenset({site})):
                continue
            transit = lane.transit
            moving = _of(transit) if transit is not None else self._driving(lane)
            yield Source(lane.share, above, Moments(moving.mean + lane.order_delay,
                                                    moving.variance), lane.cost_per_shipment)

    def _can_provide(self, node: Node, behind: frozenset[str]) -> bool:
        if node in self._provides:
            return self._provides[node]
        site, product = node
        found = (node in self.network.supply or node in self._made or node in self.network.stock
                 or any(self._can_provide((lane.origin, product), behind | {site})
                        for lane in self.network.lanes.values()
                        if lane.destination == site and lane.origin not in behind))
        self._provides[node] = found
        return found

    def _driving(self, lane: object) -> Moments:
        from twin.network import Lane

        assert isinstance(lane, Lane)
        km = self.network.distance_km(lane) or 0.0
        speeds = [truck.speed_kmh for truck in self.network.trucks.values()
                  if truck.home == lane.fleet or truck.truck == lane.fleet] or [60.0]
        waiting = lane.max_wait or 0.0
        return Moments(km / min(speeds) + waiting / 2.0, waiting**2 / 12.0)

    def _making(self, node: Node) -> Moments:
        """The work of a lot, without waiting for machines."""
        product = node[1]
        lot = self.network.products[product].lot_size or 1.0
        mean = variance = 0.0
        for step in self.network.routings.values():
            if (step.site, step.product) == node:
                times = lot if step.per == "unit" else 1.0
                mean += times * step.process_time.mean() + step.setup_time.mean()
                variance += times * step.process_time.sd() ** 2 + step.setup_time.sd() ** 2
        return Moments(mean, variance)

    def _ask(self, node: Node, moments: Moments, plain: bool, behind: frozenset[Node]) -> None:
        """Add a stream to a node and to those that its orders go to."""
        if node in behind:
            return
        old = self.demand(node)
        self.asked[node] = Moments(old.mean + moments.mean, old.variance + moments.variance)
        self.single[node] = self.single.get(node, True) and plain
        behind = behind | {node}
        for source in self.sources(node):
            part = Moments(moments.mean * source.share, moments.variance * source.share)
            if source.node is None:
                if node in self._made:
                    self._components(node, part, behind)
                continue
            holds = node in self.network.stock
            self._ask(source.node, part, plain and source.share == 1.0 and not holds, behind)

    def _components(self, node: Node, part: Moments, behind: frozenset[Node]) -> None:
        site, product = node
        for line in self.network.bom.values():
            if line.product == product and line.site in ("", site) and line.rank == 1:
                self._ask((site, line.component), Moments(
                    part.mean * line.quantity, part.variance * line.quantity**2), False, behind)


def _of(quantity: object) -> Moments:
    from twin.quantity import Quantity

    assert isinstance(quantity, Quantity)
    return Moments(quantity.mean(), quantity.sd() ** 2)


def _mixed(parts: list[tuple[float, Moments]]) -> Moments:
    """Of a time that is this one or that one."""
    mean = sum(share * one.mean for share, one in parts)
    square = sum(share * (one.variance + one.mean**2) for share, one in parts)
    return Moments(mean, max(0.0, square - mean * mean))
