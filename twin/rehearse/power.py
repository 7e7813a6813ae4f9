"""How many observations tell of a change: so that only what can be found is planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.calibrate.regime import changes
from twin.calibrate.sample import Batch
from twin.ledger import Ledger
from twin.network import Network
from twin.quantity import Quantity
from twin.scenario import Scenario
from twin.simulate import play

_WORLDS = 200

#: Values of a law: how the simulation draws them.
Draws = Callable[[Quantity, int, np.random.Generator], NDArray[np.float64]]


def chance(law: Quantity, factor: float, draws: Draws, before: int, after: int, *, cells: int,
           false_alarms: float) -> float:
    """How often the test tells of a change, by draws of what is true.

    Parameters
    ----------
    law, factor
        What is so before; after, each value is so many times as large.
    before, after
        Observations.
    cells, false_alarms
        Tested together, and the stated chance that any of them is said to have changed without.

    Examples
    --------
    >>> from twin.quantity import parse_quantity
    >>> def draws(law, count, rng):
    ...     return rng.gamma(16.0, 0.5, count)
    >>> law = parse_quantity("gamma(mean=8h, sd=2h)", True)
    >>> [chance(law, 2.0, draws, n, n, cells=60, false_alarms=0.01) for n in (12, 24)]
    [0.0, 1.0]
    """
    rng = np.random.default_rng([before, after, 0x90E3])
    found = 0
    for _ in range(_WORLDS):
        values = draws(law, before + after, rng)
        values[before:] *= factor
        told = changes({"cell": Batch.of(np.arange(len(values)), values,
                                         at=np.arange(len(values)))}, 1.0)
        found += bool(told) and told[0].p * cells <= false_alarms
    return found / _WORLDS


def seen(real: Network, seed: int, settle_h: float, hours: float,
         change_at: float) -> dict[str, tuple[int, int]]:
    """Shipments of each lane and orders of each customer before and after a time, by their cells.

    Parameters
    ----------
    real
        The network as it really is, with nothing planted.
    settle_h, hours, change_at
        When hearing begins, how long it lasts, and the time; hours, the last two after the first.
    """
    ledger = Ledger()
    play(real, Scenario.baseline(), horizon_h=settle_h + hours, seed=seed, ledger=ledger)
    rows: Any = ledger.frame()
    rows = rows[rows["time"] >= settle_h].astype(dict.fromkeys(
        ("asset", "site", "product", "source", "event", "role"), object))
    sent = rows[rows["event"] == "arriving"].groupby(["asset", "shipment"])["time"].min()
    asked = rows[(rows["event"] == "ordering") & (rows["role"] == "customer")]
    times: dict[str, list[float]] = {}
    for (lane, _), time in sent.items():
        times.setdefault(f"lanes[{lane.replace(':', ',')}].transit", []).append(time)
    for site, product, stream, time in zip(asked["site"], asked["product"], asked["source"],
                                           asked["time"], strict=True):
        times.setdefault(f"demand[{site},{product},{stream}].interarrival", []).append(time)
    early = {cell: sum(time < settle_h + change_at for time in those)
             for cell, those in times.items()}
    return {cell: (early[cell], len(those) - early[cell]) for cell, those in times.items()}
