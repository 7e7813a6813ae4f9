"""Guaranteed service on any network: a bound by prices on quotes, and the quotes that they lead to.

Each arc asks that a supplier quotes no more than its user counts on. Paid for by a price of each
quote (the supplier pays it, the user is paid it, and it never falls with the quote) instead, the
stages stand alone, and the sum of their cheapest is a bound on the cost of the whole (Lagrangian
relaxation). Sweeps along the arcs, there and back, raise it: each stage shares what its quotes and
inbound times cost beyond the cheapest evenly among its arcs ahead (sequential tree-reweighted
message passing, Kolmogorov 2006). On trees the bound becomes the optimum.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twin.optimize.service_search import improve
from twin.plan import Progress

if TYPE_CHECKING:
    from twin.optimize.guaranteed_service import Quotes, ServiceNetwork

CLOSED = 1e-9  #: share of the cost by which quotes and bound may differ and count as equal
_STALLED, _GAIN = 40, 1e-6  #: rounds in which the bound must gain such a share of the cost
_FIRST_SEARCH, _RARER = 8, 3  #: rounds before the first search around the quotes found, and later
_PATIENCE = 6  #: forests without an improvement after which such a search ends


class Prices:
    """Prices on every arc, from both of its ends.

    Examples
    --------
    >>> from twin.optimize.guaranteed_service import ServiceNetwork, Stage, square_root
    >>> cost = square_root(1.0, 1.0, 1.0)
    >>> chain = ServiceNetwork(
    ...     (Stage("a", 4, square_root(0.1, 1.0, 1.0)), Stage("b", 1, cost), Stage("c", 1, cost),
    ...      Stage("d", 1, cost, most_quoted=0)),
    ...     (("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")))
    >>> prices = Prices(chain)
    >>> round(prices.backward(), 3)
    1.614
    >>> bound, quoted, cost = prices.forward()
    >>> quoted, round(cost, 3)
    ({'a': 0, 'b': 1, 'c': 1, 'd': 0}, 1.614)
    """

    def __init__(self, network: ServiceNetwork) -> None:
        longest = network.longest()
        most = network.most(longest)
        self.order = network.order()
        place = {name: number for number, name in enumerate(self.order)}
        self._costs: list[np.ndarray] = []  # by inbound time and quote
        self._least: list[np.ndarray] = []  # no inbound time is shorter than that from outside
        for name in self.order:
            stage = network.stage(name)
            inbound, quotes = longest[name] - stage.time + 1, most[name] + 1
            # no stage quotes more than it can take
            by_net = np.array([np.inf] * (quotes - 1)
                              + [stage.cost(n) for n in range(longest[name] + 1)])
            rows = np.lib.stride_tricks.sliding_window_view(by_net, quotes)
            self._costs.append(rows[stage.time:stage.time + inbound, ::-1])
            self._least.append(np.where(np.arange(inbound) < stage.inbound, np.inf, 0.0))
        users, suppliers = network.users(), network.suppliers()
        self._users = [[place[down] for down in dict.fromkeys(users[name])] for name in self.order]
        self._suppliers = [[place[up] for up in dict.fromkeys(suppliers[name])]
                           for name in self.order]
        self._from_users = [np.zeros((len(downs), costs.shape[1]))
                            for downs, costs in zip(self._users, self._costs, strict=True)]
        self._from_suppliers = [np.zeros((len(ups), costs.shape[0]))
                                for ups, costs in zip(self._suppliers, self._costs, strict=True)]
        self._share = [1.0 / max(1, len(ups), len(downs))
                       for ups, downs in zip(self._suppliers, self._users, strict=True)]
        self._row_at_user = [[self._suppliers[down].index(up) for down in downs]
                             for up, downs in enumerate(self._users)]
        self._row_at_supplier = [[self._users[up].index(down) for up in ups]
                                 for down, ups in enumerate(self._suppliers)]

    def forward(self) -> tuple[float, dict[str, int], float]:
        """Tell users what quotes cost their suppliers: a bound; quotes on the way, their cost."""
        bound = cost = 0.0
        quoted: dict[str, int] = {}
        counted = [int(np.argmin(least)) for least in self._least]
        for up, downs in enumerate(self._users):
            costs, asked = self._costs[up], self._from_users[up]
            priced = asked.sum(axis=0)
            quote = int(np.argmin(costs[counted[up]] + priced))
            quoted[self.order[up]] = quote
            cost += float(costs[counted[up], quote])
            paid = self._least[up] + self._from_suppliers[up].sum(axis=0)
            by_quote = (costs + paid[:, None]).min(axis=0) + priced
            share = self._share[up]
            bound += (1.0 - len(downs) * share) * float(by_quote.min())
            if not downs:
                continue
            told = np.minimum.accumulate(share * by_quote - asked, axis=1)
            bound += float(told[:, -1].sum())
            told -= told[:, -1:]
            for down, row, table in zip(downs, self._row_at_user[up], told, strict=True):
                known = self._from_suppliers[down][row]
                known[:] = table[-1]
                known[:len(table)] = table
                counted[down] = max(counted[down], quote)
        return bound, quoted, cost

    def backward(self) -> float:
        """Tell suppliers what being quoted costs their users: a bound."""
        bound = 0.0
        for down in reversed(range(len(self.order))):
            ups, told_us = self._suppliers[down], self._from_suppliers[down]
            priced = self._from_users[down].sum(axis=0)
            by_inbound = (self._costs[down] + priced).min(axis=1) + self._least[down] \
                + told_us.sum(axis=0)
            share = self._share[down]
            bound += (1.0 - len(ups) * share) * float(by_inbound.min())
            if not ups:
                continue
            told = np.minimum.accumulate((share * by_inbound - told_us)[:, ::-1], axis=1)[:, ::-1]
            bound += float(told[:, 0].sum())
            told = told - told[:, :1]
            for up, row, table in zip(ups, self._row_at_supplier[down], told, strict=True):
                known = self._from_users[up][row]
                known[:] = table[:len(known)]
        return bound


@dataclass(frozen=True, slots=True)
class Swept:
    """The best quotes, a bound on all, how both came, and the rounds of sweeps that it took."""

    best: Quotes
    bound: float
    progress: tuple[Progress, ...]
    rounds: int


def sweep(network: ServiceNetwork, start: Quotes, until: float, seed: int = 1) -> Swept:
    """Better quotes and bounds, until they meet or the bound stalls.

    Parameters
    ----------
    until
        Guard, by `time.perf_counter`: sweeps end by themselves.
    """
    began = time.perf_counter()
    prices = Prices(network)
    best, cost = start, start.answer.objective or 0.0
    met: tuple[float, dict[str, int]] = (cost, dict(start.quoted))  # not searched around yet
    bound, before = 0.0, -1.0
    progress = [Progress(0.0, cost, bound)]
    rounds, search = 0, _FIRST_SEARCH
    while cost - bound > CLOSED * cost and time.perf_counter() < until:
        rounds += 1
        below = prices.backward()
        above, quoted, found = prices.forward()
        bound = max(bound, below, above)
        met = min(met, (found, quoted), key=lambda one: one[0])
        closed = met[0] - bound <= CLOSED * cost
        if rounds == search or closed:
            near = network.evaluate(met[1])
            if not closed:
                search *= _RARER
                near = improve(network, near, until - time.perf_counter(), seed, _PATIENCE)
            best = min(best, near, key=lambda one: one.answer.objective or 0.0)
            cost, met = best.answer.objective or 0.0, (math.inf, {})
            progress.append(Progress(time.perf_counter() - began, cost, min(bound, cost)))
        if rounds % _STALLED == 0:
            if bound - before <= _GAIN * cost:
                break
            before = bound
    bound = min(bound, cost)
    progress.append(Progress(time.perf_counter() - began, cost, bound))
    return Swept(best, bound, tuple(progress), rounds)
