"""Why an allocation is as it is: what each limit costs, and what is owed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from twin.optimize.allocation_conflict import smallest_conflict
from twin.optimize.flow_network import FlowAnswer, FlowProblem, solve_flow
from twin.optimize.policy_flow import Node
from twin.plan import Reason, Status


def prices(found: FlowAnswer, unit: str) -> Iterator[Reason]:
    """What each limit costs, the dearest first."""
    weeks: dict[str, list[tuple[int, float]]] = {}
    for (name, period), price in sorted(found.prices.items()):
        weeks.setdefault(name, []).append((period + 1, price))
    for name, seen in sorted(weeks.items(), key=lambda item: -max(p for _, p in item[1])):
        week, price = max(seen, key=lambda one: one[1])
        yield Reason("binding", name, f"used up in {len(seen)} weeks; one more in week {week} "
                     f"would save {price:,.4g} {unit}", price=price)


def late(found: FlowAnswer) -> Iterator[Reason]:
    """What is owed, where, and when most."""
    owed: dict[Node, list[tuple[int, float]]] = {}
    for (node, period), units in sorted(found.owed.items()):
        owed.setdefault(node, []).append((period + 1, units))
    for (site, product), seen in owed.items():
        week, units = max(seen, key=lambda one: one[1])
        yield Reason("why_not", f"{product} at {site}",
                     f"owed in {len(seen)} weeks, most in week {week} ({units:,.0f} units): "
                     "nothing can come sooner, or only at a higher cost")


def conflict(problem: FlowProblem) -> tuple[Reason, ...]:
    """The fewest requirements that cannot hold together, in words."""
    stores = [f"room at {site}" for site in problem.room]
    comings = [f"{product} arriving at {site}" for site, product in problem.arriving]
    stocks = [f"{product} in stock at {site}" for site, product in problem.stock]

    def feasible(kept: Sequence[str]) -> bool:
        keep = set(kept)
        return solve_flow(replace(
            problem,
            room={site: most for site, most in problem.room.items() if f"room at {site}" in keep},
            arriving={node: row for node, row in problem.arriving.items()
                      if f"{node[1]} arriving at {node[0]}" in keep},
            stock={node: units for node, units in problem.stock.items()
                   if f"{node[1]} in stock at {node[0]}" in keep},
        )).status is Status.OPTIMAL

    return tuple(Reason("conflict", name, f"{name} cannot hold together with the others")
                 for name in smallest_conflict([*stores, *comings, *stocks], feasible))
