"""Guaranteed service on general networks, against every combination of quotes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from twin.optimize.guaranteed_service import ServiceNetwork, Stage, square_root
from twin.optimize.service_search import improve


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
