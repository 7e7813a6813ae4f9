"""What every test may count on: no window opens, and a run writes into a folder of its own."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("TWIN_AUDIT_KEY", "5e" * 32)  # so that no test makes one at home

import pytest
from hypothesis import settings

LONG_EXAMPLES = {"twin.optimize.tabu.TabuSearch"}  # Numba compiles it first

# On every change a machine tries the same examples, so that a failure is of that change; at home
# each run looks for new ones. Few of them, since the fast suite is for two minutes.
settings.register_profile("new", max_examples=25)
settings.register_profile("same", derandomize=True, database=None, max_examples=25)
settings.load_profile("same" if os.environ.get("CI") else "new")

gc.disable()  # while all is imported and collected, nothing of it is garbage


def pytest_collection_finish() -> None:
    """What is imported by now stays: let no collection of garbage walk over it again."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples in docstrings that take long belong to the long suite, as tests that are marked."""
    for item in items:
        if item.name in LONG_EXAMPLES:
            item.add_marker(pytest.mark.long)
