"""Textbook parameters of every shelf's own policy, with the formula used and where it falters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scipy import stats

from twin.network import Network, Stock
from twin.optimize import order_up_to, reorder
from twin.optimize.newsvendor import newsvendor_poisson
from twin.optimize.policy_flow import Moments, Node, PolicyFlow
from twin.plan import Answer, Plan, Reason, Status

_DAY = 24.0
#: Beyond this coefficient of variation a normal law would have much demand below zero.
_NORMAL = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """New values of one shelf: by column, with the formula and the assumptions that fail."""

    node: Node
    values: dict[str, float]
    formula: str
    doubts: tuple[str, ...] = ()


def policies_for(network: Network, service: float = 0.95) -> Plan:
    """Textbook parameters of the replenishment policies that a model has.

    Parameters
    ----------
    network
        With the calibration applied.
    service
        Where a shelf has neither a `service_level` nor a backorder cost: the share of time without
        a shortage that it is to reach. Such a share stands for a backorder cost of
        holding x service / (1 - service).

    Returns
    -------
    Plan
        Of kind ``replenishment``, with `cells` and a reason for each shelf.

    Raises
    ------
    ValueError
        If the service is not between 0 and 1.

    Examples
    --------
    >>> network = Network(
    ...     sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea"}],
    ...     supply=[{"site": "S", "product": "tea", "lead_time": "2d"}],
    ...     lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "0h"}],
    ...     stock=[{"site": "W", "product": "tea", "policy": "base_stock", "order_up_to": 99,
    ...             "holding_cost": 1, "backorder_cost": 4}],
    ...     demand=[{"site": "W", "product": "tea", "interarrival": "exponential(mean=8h)"}])
    >>> plan = policies_for(network)
    >>> dict(plan.cells), plan.answer.reasons[0].message
    ({'stock[W,tea].order_up_to': '8'}, 'newsvendor with Poisson demand, exact')
    """
    if not 0.0 < service < 1.0:
        raise ValueError(f"service {service:g} is not between 0 and 1. Write a share such as 0.95.")
    flow = PolicyFlow(network)
    cells: dict[str, str] = {}
    reasons: list[Reason] = []
    exact = True
    for node, row in network.stock.items():
        address = f"stock[{node[0]},{node[1]}]"
        found = parameters_of(row, flow, service)
        if found is None:
            if row.policy is not None:
                reasons.append(Reason("why_not", address, _no_formula(row, flow)))
            continue
        reasons.append(Reason("binding", address, found.formula + _asked_for(row)))
        reasons += [Reason("why_not", address, doubt) for doubt in found.doubts]
        exact = exact and not found.doubts
        for column, value in found.values.items():
            cells[f"{address}.{column}"] = _written(column, value)
    if not cells and not reasons:
        reasons.append(Reason("why_not", network.name,
                              "no shelf of this model has a replenishment policy: there is "
                              "nothing to set"))
    status = Status.OPTIMAL if cells and exact else Status.FEASIBLE if cells else Status.UNKNOWN
    return Plan("replenishment", network.name, 0.0, Answer(
        status, unit=f"{network.currency}/d", engine="textbook", reasons=tuple(reasons)),
        cells=cells)


def backorder_price(row: Stock, service: float) -> float:
    """What a unit owed costs a day: by the shelf's own target, as given, or by `service`."""
    if row.service_level is None and row.backorder_cost > 0.0:
        return row.backorder_cost
    target = service_target(row, service)
    return row.holding_cost * target / (1.0 - target)


def service_target(row: Stock, service: float) -> float:
    """The share of time without a shortage that a shelf is to reach: its own, or the plan's."""
    return service if row.service_level is None else row.service_level


def _asked_for(row: Stock) -> str:
    return "" if row.service_level is None else \
        f"; for a service level of {row.service_level:.1%}, as the model asks"


def parameters_of(row: Stock, flow: PolicyFlow, service: float) -> Parameters | None:
    """The parameters of one shelf; None where no formula applies."""
    node = row.site, row.product
    asked, lead = flow.demand(node), flow.lead(node)
    if not asked.mean > 0.0 or row.policy in (None, "smoothed"):
        return None
    ratio = service_target(row, service)
    if row.service_level is None and row.holding_cost > 0.0 and row.backorder_cost > 0.0:
        ratio = row.backorder_cost / (row.backorder_cost + row.holding_cost)
    delay = flow.network.sites[row.site].record_delay
    held = _Held(row, flow, asked, Moments(lead.mean + delay, lead.variance), ratio,
                 backorder_price(row, service))
    for formula in (_exact_base_stock, _exact_points, _exact_review, _general):
        found = formula(held)
        if found is not None:
            return found
    return None


@dataclass(frozen=True, slots=True)
class _Held:
    """A shelf with all that a formula asks for; hours, units, and costs a day."""

    row: Stock
    flow: PolicyFlow
    asked: Moments
    lead: Moments
    ratio: float
    backorder: float

    @property
    def node(self) -> Node:
        return self.row.site, self.row.product

    @property
    def is_single(self) -> bool:
        """Whether Poisson demand of single units meets a constant lead time."""
        return self.flow.single.get(self.node, False) and self.lead.variance == 0.0

    @property
    def is_base(self) -> bool:
        return self.row.policy in ("base_stock", "R_S", "vendor_managed")


def _exact_base_stock(held: _Held) -> Parameters | None:
    if not (held.is_base and held.is_single and held.row.holding_cost > 0.0):
        return None
    over = held.lead.mean + (held.row.review or 0.0)
    level = newsvendor_poisson(held.asked.mean * over, held.row.holding_cost, held.backorder).level
    return Parameters(held.node, {"order_up_to": level}, "newsvendor with Poisson demand, exact",
                      tuple(_doubts(held)))


def _exact_points(held: _Held) -> Parameters | None:
    cost = held.flow.order_cost(held.node)
    if not (held.row.policy in ("s_S", "s_Q") and held.is_single and held.row.review is None
            and cost > 0.0 and held.row.holding_cost > 0.0):
        return None
    best = reorder.best_poisson(held.asked.mean * _DAY, held.lead.mean / _DAY, cost,
                                held.row.holding_cost, held.backorder)
    values = {"reorder_point": best.point, "order_quantity": best.quantity}
    if held.row.policy == "s_S":
        values = {"reorder_point": best.point, "order_up_to": best.point + best.quantity}
    return Parameters(held.node, values, "(r, Q) with Poisson demand (Federgruen and Zheng), exact",
                      tuple(_doubts(held)))


def _exact_review(held: _Held) -> Parameters | None:
    review, cost = held.row.review, held.flow.order_cost(held.node)
    if not (held.row.policy == "s_S" and held.is_single and review and cost > 0.0
            and held.row.holding_cost > 0.0 and held.lead.mean % review == 0.0
            and held.asked.mean * (held.lead.mean + review) < 1e5):
        return None
    best = order_up_to.best_poisson(
        held.asked.mean * review, int(held.lead.mean / review), cost,
        held.row.holding_cost * review / _DAY, held.backorder * review / _DAY)
    return Parameters(held.node, {"reorder_point": best.low, "order_up_to": best.high},
                      "(s, S) with periodic review (Zheng and Federgruen), exact",
                      tuple(_doubts(held)))


def _general(held: _Held) -> Parameters | None:
    """Mean and spread of demand over the time that an order has to cover."""
    row = held.row
    over = held.lead.mean + (row.review or 0.0)
    mean = held.asked.mean * over
    variance = held.asked.variance * over + held.asked.mean**2 * held.lead.variance
    level, law = _quantile(mean, math.sqrt(variance), held.ratio)
    words = (f"demand over {over / _DAY:.1f} d of lead time and review is {mean:,.0f} units "
             f"(sd {math.sqrt(variance):,.0f}); {law} quantile {held.ratio:.1%}")
    doubts = [*_doubts(held)]
    if held.is_base:
        return Parameters(held.node, {"order_up_to": level}, "newsvendor: " + words, tuple(doubts))
    if row.policy == "forecast":
        return Parameters(held.node, {"cover": over, "safety_stock": max(0.0, level - mean)},
                          "safety stock: " + words, tuple(doubts))
    if row.policy == "kanban":
        return Parameters(held.node, {"order_up_to": level}, "cards: " + words, tuple(doubts))
    cost = held.flow.order_cost(held.node)
    if cost > 0.0 and row.holding_cost > 0.0:
        lot = reorder.economic_quantity(held.asked.mean * _DAY, cost, row.holding_cost).quantity
        words += f"; economic order quantity {lot:,.0f}"
    else:
        lot = row.order_quantity or (row.order_up_to or 0.0) - (row.reorder_point or 0.0)
        doubts.append("an order costs nothing in this model: the size of an order stays as it is")
    values = {"reorder_point": level, "order_quantity": lot} if row.policy == "s_Q" else {
        "reorder_point": level, "order_up_to": level + max(lot, 1.0)}
    return Parameters(held.node, values, "reorder point: " + words, tuple(doubts))


def _quantile(mean: float, sd: float, ratio: float) -> tuple[float, str]:
    if sd == 0.0:
        return mean, "constant demand,"
    if sd <= _NORMAL * mean:
        return float(stats.norm.ppf(ratio, mean, sd)), "normal"
    shape = (mean / sd) ** 2
    return float(stats.gamma.ppf(ratio, shape, scale=mean / shape)), "gamma"


def _doubts(held: _Held) -> Iterator[str]:
    """Assumptions of the formulas that this shelf breaks."""
    sources = held.flow.sources(held.node)
    if any(source.node in held.flow.network.stock for source in sources):
        yield "the formula takes it that the shelf above always has the goods"
    if any(source.node is not None and source.node in held.flow._made for source in sources):
        yield "the time to make a lot is counted without waiting for machines"
    if len(sources) > 1:
        yield f"orders go to {len(sources)} sources; later ones may arrive first"
    if any(row.product == held.row.product and row.profile is not None
           for row in held.flow.network.demand.values()):
        yield "demand follows a pattern over time; the formula takes its mean"
    if not held.row.holding_cost > 0.0:
        yield "no holding cost is given: the service target alone decides"
    if any(row.unmet != "backorder" and (row.site, row.product) == held.node
           for row in held.flow.network.demand.values()):
        yield "unmet demand is lost here; the formula takes it as backordered"


def _no_formula(row: Stock, flow: PolicyFlow) -> str:
    if not flow.demand((row.site, row.product)).mean > 0.0:
        return "nobody asks this shelf for anything: its policy stays as it is"
    return f"policy {row.policy} has no textbook parameters: it stays as it is"


def _written(column: str, value: float) -> str:
    """As a planner writes it: whole units, durations."""
    if column == "cover":
        return f"{value:.0f}h"
    return f"{value:.0f}" if abs(value) >= 10.0 or value == round(value) else f"{value:.3g}"
