"""Why an allocation is as it is: what each limit costs, and what is owed."""

from __future__ import annotations

from collections.abc import Iterator

from twin.optimize.flow_network import FlowAnswer
from twin.optimize.policy_flow import Node
from twin.plan import Reason


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
