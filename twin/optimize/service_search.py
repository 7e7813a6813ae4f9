"""Guaranteed service on any network: forests inside it re-optimised one after another.

Cutting an arc needs one promise: its supplier quotes at most, and its user counts on at least, so
many periods. With promises that today's quotes keep, what is left is a forest, whose best quotes
are found exactly and are never worse than today's. Another forest is then cut.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from twin.optimize.service_tree import forest, solve_forest

if TYPE_CHECKING:
    from twin.optimize.guaranteed_service import Quotes, ServiceNetwork

_PATIENCE = 25  #: forests without an improvement after which the search ends


def improve(network: ServiceNetwork, start: Quotes, seconds: float, seed: int = 1,
            patience: int = _PATIENCE) -> Quotes:
    """Better quotes, or those given.

    Parameters
    ----------
    seconds
        Guard; the search ends by itself after so many forests without an improvement.

    Examples
    --------
    >>> from twin.optimize.guaranteed_service import ServiceNetwork, Stage, square_root
    >>> cost = square_root(1.0, 1.0, 1.0)
    >>> chain = ServiceNetwork(
    ...     (Stage("a", 4, square_root(0.1, 1.0, 1.0)), Stage("b", 1, cost), Stage("c", 1, cost),
    ...      Stage("d", 1, cost, most_quoted=0)),
    ...     (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")))
    >>> zero = chain.evaluate(dict.fromkeys("abcd", 0))
    >>> better = improve(chain, zero, 10)
    >>> round(zero.answer.objective, 3), round(better.answer.objective, 3)
    (3.2, 1.614)
    """
    rng = random.Random(seed)
    until = time.perf_counter() + seconds
    best = network.evaluate(_clipped(network, start.quoted))
    idle = 0
    while idle < patience and time.perf_counter() < until:
        found = network.evaluate(_clipped(network, solve_forest(_cut(network, best, rng))))
        old, new = best.answer.objective or 0.0, found.answer.objective or 0.0
        idle = 0 if new < old * (1.0 - 1e-9) else idle + 1
        if new <= old:  # one as good lies elsewhere, and others lie beyond it
            best = found
    return best


def _clipped(network: ServiceNetwork, quoted: Mapping[str, int]) -> dict[str, int]:
    """No stage quotes longer than it can take: the cost stays the same."""
    suppliers = network.suppliers()
    found: dict[str, int] = {}
    for name in network.order():
        stage = network.stage(name)
        above = max([stage.inbound, *(found[up] for up in suppliers[name])])
        found[name] = min(quoted[name], above + stage.time)
    return found


def _cut(network: ServiceNetwork, now: Quotes, rng: random.Random) -> ServiceNetwork:
    """A random forest of the arcs, with promises on the others that today's quotes keep."""
    from twin.optimize.guaranteed_service import ServiceNetwork as Whole

    suppliers = network.suppliers()
    counted = {stage.name: max([stage.inbound, *(now.quoted[up] for up in suppliers[stage.name])])
               for stage in network.stages}
    floor = {stage.name: stage.inbound for stage in network.stages}
    cap: dict[str, int | None] = {stage.name: stage.most_quoted for stage in network.stages}
    arcs = list(network.arcs)
    rng.shuffle(arcs)
    kept = forest(arcs)
    for up, down in arcs:
        if (up, down) in kept:
            continue
        promise = rng.choice((now.quoted[up], counted[down]))
        floor[down] = max(floor[down], promise)
        limit = cap[up]
        cap[up] = promise if limit is None else min(limit, promise)
    return Whole(tuple(replace(stage, inbound=floor[stage.name], most_quoted=cap[stage.name])
                       for stage in network.stages), tuple(kept))
