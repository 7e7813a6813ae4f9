"""One ledger digest for one seed, per shipped model: a change of any event shows here first.

When a change is meant, run ``python tests/test_golden.py``, which prints the new digests, and say
in the commit why they moved.
"""

from __future__ import annotations

import pytest

import twin
from twin.ledger import Ledger
from twin.scenario import Scenario
from twin.simulate import play

DAYS = 60
DIGESTS = {
    "harbour": "95b5ff57b66425b1",
    "medicines": "4b880d615db6143b",
    "workshop": "febae6e08c3fe31c",
}


def digest(model: str) -> str:
    """The digest of a model's first two months under seed 7."""
    ledger = Ledger()
    play(twin.read_model(model), Scenario.baseline(), horizon_h=DAYS * 24.0, seed=7, ledger=ledger)
    return ledger.digest()[:16]


@pytest.mark.parametrize("model", list(DIGESTS))
def test_the_same_seed_gives_the_same_events(model: str) -> None:
    assert digest(model) == DIGESTS[model]


def test_workers_and_engines_write_the_same_ledger() -> None:
    network = twin.read_model("harbour")
    found = {
        workers: twin.run(network, ["port_closure"], horizon="20d", warmup="0d", replications=2,
                          seed=7, workers=workers, ledger=True).manifest.ledgers
        for workers in (1, 2)
    }
    assert found[1] == found[2]
    assert len(found[1]) == 2


if __name__ == "__main__":
    for name in DIGESTS:
        print(f'    "{name}": "{digest(name)}",')
