"""The price of the stock that a run leaves behind.

A run ends at its horizon and the chain goes on. Running cost leaves purchases out, so that the
material of stock run down is no saving; but what it costs to bring that stock back, and the
shortage while it is on its way, would fall just after the end and be seen by nobody. They are
charged here, from the stock position (on hand and ordered, less what is owed) of each shelf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin.network import Network
from twin.network.components import Stock
from twin.optimize.policy_flow import PolicyFlow
from twin.optimize.policy_parameters import backorder_price
from twin.state import State

Node = tuple[str, str]


@dataclass(frozen=True, slots=True)
class EndPrice:
    """What the position of a shelf is worth at the end.

    Attributes
    ----------
    useful
        Units up to which the shelf is filled again: no unit above it saves an order.
    lead_demand
        Units asked for in the mean until an order of that moment is there.
    per_day
        Units asked for a day.
    refill
        Cost of ordering and freight of a unit, in the model's currency.
    holding, owed
        Of a unit for a day: kept, or owed to who asks for it.
    value
        Of a unit: what one that nobody will ask for has cost.
    """

    useful: float
    lead_demand: float
    per_day: float
    refill: float
    holding: float
    owed: float
    value: float

    def cost(self, position: float) -> float:
        """Cost of a position, in the model's currency; none at `useful`.

        Units above `useful` are held until they are asked for, half of that time in the mean, and
        never cost more than their value. Units short of the demand of the lead time are owed for
        as long as it takes to ask for them, half of it in the mean.

        Examples
        --------
        >>> price = EndPrice(useful=30.0, lead_demand=10.0, per_day=2.0, refill=0.5, holding=0.1,
        ...                  owed=1.0, value=3.0)
        >>> price.cost(30.0), price.cost(20.0), price.cost(34.0), price.cost(6.0)
        (0.0, 5.0, 0.4, 16.0)
        """
        low, high = max(0.0, self.useful - position), max(0.0, position - self.useful)
        short = max(0.0, self.lead_demand - position)
        cost = self.refill * low
        if self.per_day > 0.0:
            cost += self.owed * short * short / (2.0 * self.per_day)
            cost += min(self.value * high, self.holding * high * high / (2.0 * self.per_day))
        else:
            cost += self.value * high
        return cost


def end_prices(network: Network, service: float = 0.95) -> dict[Node, EndPrice]:
    """The price of each shelf that is asked for something or filled by a policy.

    Parameters
    ----------
    service
        Stands for the backorder cost of shelves that have none.

    Notes
    -----
    They are made from the chain as it is, never from what a plan makes of it, so that every plan
    is measured by the same.
    """
    flow, found = PolicyFlow(network), {}
    for node, row in network.stock.items():
        useful = useful_level(row)
        if useful is None:
            continue
        rate, lead = flow.demand(node).mean, flow.lead(node).mean
        product = network.products[node[1]]
        freights = [lane.cost_per_kg * product.weight_kg for lane in network.lanes.values()
                    if lane.destination == node[0]]
        order = row.order_quantity or max(useful - (row.reorder_point or 0.0), 1.0)
        refill = min(freights, default=0.0) + flow.order_cost(node) / order
        found[node] = EndPrice(useful, rate * lead, rate * 24.0, refill, row.holding_cost,
                               max(backorder_price(row, service), 0.0), product.value)
    return found


def useful_level(row: Stock) -> float | None:
    """Units up to which a shelf's own policy fills it; None where it has no such level.

    Examples
    --------
    >>> useful_level(Stock(site="W", product="tea", policy="s_Q", reorder_point=4.0,
    ...                    order_quantity=20.0))
    24.0
    """
    if row.order_up_to is not None:
        return row.order_up_to
    if row.reorder_point is not None and row.order_quantity is not None:
        return row.reorder_point + row.order_quantity
    return None


def end_cost(prices: Mapping[Node, EndPrice], state: State) -> float:
    """What the stock of a chain costs or lacks at the end, in the model's currency."""
    total = 0.0
    for node, price in prices.items():
        shelf = state.actors.get(f"shelf {node[0]}/{node[1]}")
        if shelf is not None:
            total += price.cost(float(shelf["on_hand"]) + float(shelf["on_order"])
                                - float(shelf["owed"]))
    return total
