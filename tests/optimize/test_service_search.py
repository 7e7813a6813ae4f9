"""Guaranteed service on general networks, against every combination of quotes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from twin.optimize.guaranteed_service import ServiceNetwork, Stage, square_root
from twin.optimize.service_prices import Prices, sweep
from twin.optimize.service_search import improve
from twin.optimize.service_tree import solve_forest
from twin.plan import Status


def tangle(seed: int) -> ServiceNetwork:
    """Six stages with circles of arcs, whatever their direction."""
    rng = np.random.default_rng(seed)
    arcs = {(str(a), str(b)) for a in range(6) for b in range(a + 1, 6) if rng.random() < 0.5}
    users = {a for a, _ in arcs}
    return ServiceNetwork(tuple(
        Stage(str(k), int(rng.integers(0, 3)),
              square_root(float(rng.uniform(1, 9)), float(rng.uniform(1, 5)), 1.6),
              most_quoted=None if str(k) in users else int(rng.integers(0, 2)))
        for k in range(6)), tuple(sorted(arcs)))


@pytest.mark.parametrize("seed", range(6))
def test_the_best_is_that_of_trying_all_quotes_and_the_search_never_worsens(seed: int) -> None:
    network = tangle(seed)
    most = network.most(network.longest())
    names = list(most)
    best = min(network.evaluate(dict(zip(names, quotes, strict=True))).answer.objective or 0.0
               for quotes in itertools.product(*(range(min(most[name], 4) + 1) for name in names)))
    start = network.evaluate(dict.fromkeys(names, 0))
    found = improve(network, start, 20.0)
    assert best * (1.0 - 1e-9) <= (found.answer.objective or 0.0)
    assert (found.answer.objective or 0.0) <= (start.answer.objective or 0.0)
    assert network.best(20.0).answer.objective == pytest.approx(best)
    assert improve(network, start, 20.0).quoted == found.quoted


def hall(seed: int, stages: int, extra: int) -> ServiceNetwork:
    """A random tree of stages, arcs in both directions, and some arcs more."""
    rng = np.random.default_rng(seed)
    arcs = {(at, new) if rng.random() < 0.5 else (new, at)
            for new in range(1, stages) for at in (int(rng.integers(max(0, new - 5), new)),)}
    rank = rng.permutation(stages)
    if extra:  # one direction for all, so that nothing goes round in a circle
        arcs = {(a, b) if rank[a] < rank[b] else (b, a) for a, b in arcs}
        for a, b in rng.integers(0, stages, (extra, 2)):
            if rank[a] < rank[b]:
                arcs.add((int(a), int(b)))
    users = {a for a, _ in arcs}
    return ServiceNetwork(tuple(
        Stage(str(k), int(rng.integers(1, 5)),
              square_root(float(rng.uniform(1, 20)), float(rng.uniform(1, 10)), 1.645),
              inbound=int(rng.integers(0, 3)),
              most_quoted=None if k in users else int(rng.integers(0, 3)))
        for k in range(stages)), tuple((str(a), str(b)) for a, b in sorted(arcs)))


@pytest.mark.parametrize("seed", range(3))
def test_on_a_tree_prices_rise_to_the_optimum_and_never_past_it(seed: int) -> None:
    tree = hall(seed, 30, 0)
    optimum = tree.evaluate(solve_forest(tree)).answer.objective
    assert optimum is not None
    prices = Prices(tree)
    bounds = [max(prices.backward(), prices.forward()[0]) for _ in range(60)]
    assert min(np.diff(bounds)) > -1e-6
    assert bounds[-1] == pytest.approx(optimum)


@pytest.mark.parametrize(("seed", "stages"), [
    (0, 20), pytest.param(1, 60, marks=pytest.mark.long)])
def test_quotes_and_prices_meet_on_tangled_stages(seed: int, stages: int) -> None:
    network = hall(seed, stages, 2 * stages // 3)
    assert not network.is_forest()
    start = network.evaluate(dict.fromkeys([stage.name for stage in network.stages], 0))
    swept = sweep(network, start, float("inf"))
    cost = swept.best.answer.objective or 0.0
    assert swept.bound <= cost <= (start.answer.objective or 0.0)
    assert cost == pytest.approx(swept.bound, rel=0.01)
    again = sweep(network, start, float("inf"))
    assert (again.best.quoted, again.bound, again.rounds) == (
        swept.best.quoted, swept.bound, swept.rounds)
    assert network.best(20.0).answer.status is Status.OPTIMAL


def test_an_arc_given_twice_counts_once() -> None:
    network = tangle(1)
    twice = ServiceNetwork(network.stages, (*network.arcs, *network.arcs))
    once = network.best(20.0).answer
    assert twice.best(20.0).answer.objective == pytest.approx(once.objective)
    prices = Prices(twice)
    assert once.objective is not None
    for _ in range(30):
        assert max(prices.backward(), prices.forward()[0]) <= once.objective * (1.0 + 1e-9)
