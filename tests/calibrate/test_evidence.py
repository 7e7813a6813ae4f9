"""Evidence on real data holds its targets; where the data are not at hand it is said so."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _beside(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        del sys.modules[name]


@pytest.mark.long
@pytest.mark.parametrize(("module", "folder"), [
    ("scms", "scms_delivery"), ("production_log", "production_log"), ("azure_pdm", "azure_pdm")])
def test_targets_are_met_and_baselines_beaten(module, folder):
    if not (Path(os.environ.get("TWIN_DATA", "nowhere")) / folder).is_dir():
        pytest.skip(f"TWIN_DATA has no {folder}")
    for line in import_module(f"benchmarks.evidence.{module}").lines():
        met = {"<=": line.value <= line.target, "<": line.value < line.target,
               ">=": line.value >= line.target, ">": line.value > line.target}
        assert met[line.sign], line
