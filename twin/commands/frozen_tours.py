"""Tours of the frozen window: a truck that is about to leave keeps its tour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from twin.plan import Plan, Route


def keep_soon(old: Plan, new: Plan, now_h: float, frozen_h: float,
              waiting: Collection[int]) -> Plan:
    """New routes, but for the tours of the old ones that leave within the frozen window.

    What the kept tours carry is taken off the others. Others leave as planned, and call at what is
    left of their stops in the same order; what only a kept truck would have taken waits for the
    next plan.

    Parameters
    ----------
    waiting
        Numbers of open orders: a tour with an order that is gone is not kept.

    Examples
    --------
    >>> from twin.plan import Answer, Status, Visit
    >>> def tour(truck, depart, *orders):
    ...     return Route(truck, "W", depart, depart + 4.0, tuple(
    ...         Visit(f"C{n}", depart + 1, depart + 1, depart + 2, ((n, "tea", 5.0),))
    ...         for n in orders))
    >>> def plan(*routes):
    ...     return Plan("routes", "tea", 0.0, Answer(Status.FEASIBLE), routes=routes)
    >>> kept = keep_soon(plan(tour("a", 2.0, 1, 2), tour("b", 20.0, 3)),
    ...                  plan(tour("a", 3.0, 1), tour("b", 2.0, 2, 3)), 0.0, 8.0, {1, 2, 3})
    >>> [(one.truck, one.depart, [visit.site for visit in one.visits]) for one in kept.routes]
    [('a', 2.0, ['C1', 'C2']), ('b', 2.0, ['C3'])]
    """
    kept = [one for one in old.routes if now_h <= one.depart < now_h + frozen_h
            and _orders(one) <= set(waiting)]
    if not kept:
        return new
    trucks = {one.truck for one in kept}
    carried = set().union(*map(_orders, kept))
    others = [_without(one, carried) for one in new.routes if one.truck not in trucks]
    return replace(new, routes=(*kept, *(one for one in others if one.visits)))


def _orders(route: Route) -> set[int]:
    return {order for visit in route.visits for order, _, _ in visit.drops}


def _without(route: Route, carried: Collection[int]) -> Route:
    """A tour without some orders, and without the calls that were for nothing else."""
    calls = []
    for visit in route.visits:
        drops = tuple(drop for drop in visit.drops if drop[0] not in carried)
        if drops or not visit.drops:
            calls.append(replace(visit, drops=drops))
    return replace(route, visits=tuple(calls))
