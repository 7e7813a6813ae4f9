"""Guaranteed service on trees: exact by dynamic programming over one quote a stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from twin.optimize.guaranteed_service import ServiceNetwork


def solve_forest(network: ServiceNetwork) -> dict[str, int]:
    """The cheapest quote of each stage of a network whose arcs are a forest.

    Stages are taken from the leaves inwards. What a leaf costs depends on one number of the stage
    that it hangs on: if that is its user, the most that the user may be quoted (its inbound
    time); if that is its supplier, what the supplier quotes. Costs fall as the one grows and rise
    as the other does, so running minima make each table monotone.
    """
    longest = network.longest()
    most = network.most(longest)
    users, suppliers = network.users(), network.suppliers()
    order = _leaves_first(network)
    place = {name: number for number, name in enumerate(order)}
    quote_table: dict[str, np.ndarray] = {}  # by own quote S, of the part hanging below the arc up
    inbound_table: dict[str, np.ndarray] = {}  # by own inbound time SI
    kept: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name in order:
        stage = network.stage(name)
        sizes = longest[name] - stage.time + 1, most[name] + 1  # inbound times, quotes
        inbound = np.arange(sizes[0])
        quote = np.arange(sizes[1])
        net = np.maximum(0, inbound[:, None] + stage.time - quote[None, :])
        costs = np.array([stage.cost(int(n)) for n in range(int(net.max()) + 1)])[net]
        costs = costs + np.where(inbound < stage.inbound, np.inf, 0.0)[:, None]
        for up in suppliers[name]:
            if place[up] < place[name]:  # it hangs on us: its cost by the most it quotes us
                table = quote_table[up]
                costs = costs + table[np.minimum(inbound, len(table) - 1)][:, None]
        for down in users[name]:
            if place[down] < place[name]:  # it hangs on us: its cost by what we quote
                table = inbound_table[down]
                costs = costs + _by_quote(table, quote)[None, :]
        by_quote = costs.min(axis=0)
        by_inbound = costs.min(axis=1)
        # A user sees the best of all quotes up to what it accepts; a supplier's quote is a floor
        # under the inbound time.
        quote_table[name] = np.minimum.accumulate(by_quote)
        inbound_table[name] = np.minimum.accumulate(by_inbound[::-1])[::-1]
        kept[name] = (costs, by_quote)
    return _trace(order, place, users, suppliers, kept)


def _by_quote(table: np.ndarray, quote: np.ndarray) -> np.ndarray:
    """A user's cost by what its supplier quotes; a quote beyond all inbound times is impossible."""
    reach = np.minimum(quote, len(table) - 1)
    return np.where(quote < len(table), table[reach], np.inf)


def _leaves_first(network: ServiceNetwork) -> list[str]:
    """An order in which each stage has at most one neighbour after it."""
    near: dict[str, set[str]] = {stage.name: set() for stage in network.stages}
    for up, down in network.arcs:
        near[up].add(down)
        near[down].add(up)
    leaves = [name for name, others in near.items() if len(others) <= 1]
    found: list[str] = []
    seen = set(leaves)
    for name in leaves:
        found.append(name)
        for other in near[name]:
            near[other].discard(name)
            if len(near[other]) <= 1 and other not in seen:
                seen.add(other)
                leaves.append(other)
    return found


def _trace(order: list[str], place: dict[str, int], users: dict[str, list[str]],
           suppliers: dict[str, list[str]],
           kept: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, int]:
    """From the last stage outwards: each stage's best pair, given its neighbour's."""
    inbound: dict[str, int] = {}
    quoted: dict[str, int] = {}
    for name in reversed(order):
        costs = kept[name][0]
        low, high = 0, costs.shape[1]
        for down in users[name]:
            if place[down] > place[name]:  # it accepted at most its inbound time
                high = min(high, inbound[down] + 1)
        for up in suppliers[name]:
            if place[up] > place[name]:  # it quoted us so much
                low = max(low, quoted[up])
        part = costs[low:, :high]
        row, column = np.unravel_index(int(np.argmin(part)), part.shape)
        inbound[name], quoted[name] = low + int(row), int(column)
    return quoted


def forest(arcs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], None]:
    """The arcs that close no cycle with those before them, in their order (Kruskal).

    Examples
    --------
    >>> list(forest([("a", "c"), ("b", "c"), ("a", "b")]))
    [('a', 'c'), ('b', 'c')]
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    kept: dict[tuple[str, str], None] = {}
    for up, down in arcs:
        a, b = root(up), root(down)
        if a != b:
            parent[a] = b
            kept[up, down] = None
    return kept
