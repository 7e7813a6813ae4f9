"""The truth recovered: hidden parameters, a simulated operation, intervals that hold them."""

from __future__ import annotations

import numpy as np
import pytest

from twin.calibrate.learning import learn
from twin.calibrate.truth import Score, clean_widths, hidden, score
from twin.commands.calibrate import evidence_of, streams_of
from twin.ledger import Ledger
from twin.simulate.draws import block_of
from twin.simulate.play import play
from twin.workspace import Workspace, starter


def draws(law, n, rng):
    return np.array(block_of(law)(rng, n), float)


def recovered(model, days, seeds):
    """Scores of hidden worlds, and widths over those of clean data."""
    workspace = Workspace(starter())
    planned, total, ratios = workspace.network(model), Score(0, 0, (), 0.0), []
    for seed in seeds:
        rng = np.random.default_rng(1_000 + seed)
        truth = hidden(planned, rng).apply(planned)
        ledger = Ledger()
        play(truth, workspace.scenario("baseline"), horizon_h=days * 24.0, ledger=ledger,
             seed=100 + seed)
        found = learn(evidence_of(ledger, planned, days * 24.0, fresh=True),
                      streams_of(workspace), name="seen", as_of="2026-01-01")
        assert not found.refused
        total += score(found.estimates.values(), truth)
        pairs = clean_widths(found, truth, draws, rng).values()
        ratios += [mine / clean for mine, clean in pairs]
    return total, ratios


@pytest.mark.long
@pytest.mark.parametrize(("model", "days", "worlds"),
                         [("harbour", 180.0, 20), ("medicines", 1_080.0, 4)])
def test_intervals_hold_the_truth_of_hidden_worlds(model, days, worlds):
    """90 to 99 % of all parameters; as wide as those of clean data, and at most half as wide again.
    """
    total, ratios = recovered(model, days, range(worlds))
    assert total.cells > 1_000
    assert 0.90 <= total.coverage <= 0.99
    assert np.median(ratios) <= 1.5


def test_one_hidden_world_is_recovered():
    total, ratios = recovered("harbour", 90.0, [3])
    assert total.cells > 45
    assert total.coverage >= 0.85
    assert np.median(ratios) <= 1.5


def test_a_score_adds_up():
    both = Score(10, 9, ("a",), 1.0) + Score(30, 30, (), 2.0)
    assert (both.cells, both.inside, both.missed, both.width) == (40, 39, ("a",), 1.75)
    assert both.coverage == 0.975
