"""Guaranteed service: a published tree, and small networks against every possible quote."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.optimize.guaranteed_service import ServiceNetwork, Stage, square_root
from twin.plan import Status


def brute_force(network: ServiceNetwork) -> float:
    most = network.most(network.longest())
    names = list(most)
    return min(network.evaluate(dict(zip(names, quotes, strict=True))).answer.objective or 0.0
               for quotes in itertools.product(*(range(most[name] + 1) for name in names)))


def test_the_published_tree() -> None:
    stages = (Stage("1", 2, square_root(1, math.sqrt(2), 1), inbound=1),
              Stage("3", 1, square_root(2, math.sqrt(2), 1)),
              Stage("2", 1, square_root(3, 1, 1), most_quoted=0),
              Stage("4", 1, square_root(3, 1, 1), most_quoted=1))
    best = ServiceNetwork(stages, (("1", "3"), ("3", "2"), ("3", "4"))).best()
    assert best.answer.objective == pytest.approx(8.277916867529369, abs=1e-6)
    assert best.quoted == {"1": 0, "3": 0, "2": 0, "4": 1}
    assert best.answer.status is Status.OPTIMAL


@st.composite
def networks(draw: st.DrawFn, tree: bool) -> ServiceNetwork:
    n = draw(st.integers(1, 5))
    stages = tuple(Stage(str(i), draw(st.integers(0, 3)),
                         square_root(draw(st.floats(0.1, 5.0)), draw(st.floats(0.0, 3.0)), 1.0),
                         draw(st.integers(0, 2)),
                         draw(st.none() | st.integers(0, 2))) for i in range(n))
    arcs = []
    for i in range(1, n):
        j = draw(st.integers(0, i - 1))
        arcs.append((str(i), str(j)) if tree and draw(st.booleans()) else (str(j), str(i)))
        if not tree:
            arcs += [(str(k), str(i)) for k in range(i) if k != j and draw(st.booleans())]
    return ServiceNetwork(stages, tuple(arcs))


@settings(max_examples=80, deadline=None)
@given(networks(tree=True))
def test_no_quotes_on_a_tree_are_cheaper(network: ServiceNetwork) -> None:
    assert network.is_forest()
    assert network.best().answer.objective == pytest.approx(brute_force(network), abs=1e-9)


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(networks(tree=False))
def test_no_quotes_on_a_network_are_cheaper(network: ServiceNetwork) -> None:
    best = network.best(seconds=10.0)
    assert best.answer.status is Status.OPTIMAL
    assert best.answer.objective == pytest.approx(brute_force(network), rel=1e-6, abs=1e-6)


def test_what_is_no_network_says_so() -> None:
    one = Stage("a", 1, square_root(1, 1, 1))
    two = Stage("b", 1, square_root(1, 1, 1))
    for stages, arcs, told in (((one, one), (), "same name"), ((one,), (("a", "x"),), "no stage"),
                               ((one, two), (("a", "b"), ("b", "a")), "in a circle")):
        with pytest.raises(ValueError, match=told):
            ServiceNetwork(stages, arcs)
    with pytest.raises(ValueError, match="it may quote 0 to 1"):
        ServiceNetwork((one,), ()).evaluate({"a": 5})
