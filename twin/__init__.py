"""A digital twin of a supply chain: describe it in tables, play what-ifs, trust the intervals.

Examples
--------
>>> import twin
>>> network = twin.read_model("harbour")
>>> result = twin.run(network, ["demand_spike"], horizon="30d", replications=3, workers=1)
>>> sorted(result.tallies)
['baseline', 'demand_spike']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.experiment import read_model, read_scenario, run
    from twin.network import ModelError, Network
    from twin.result import Result
    from twin.scenario import Scenario, ScenarioError

_HOME = {
    "ModelError": "twin.network",
    "Network": "twin.network",
    "Result": "twin.result",
    "Scenario": "twin.scenario",
    "ScenarioError": "twin.scenario",
    "read_model": "twin.experiment",
    "read_scenario": "twin.experiment",
    "run": "twin.experiment",
}

__all__ = [
    "ModelError",
    "Network",
    "Result",
    "Scenario",
    "ScenarioError",
    "read_model",
    "read_scenario",
    "run",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that ``import twin`` is quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'twin' has no attribute '{name}'. "
                             f"There are {', '.join(__all__)}.")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
