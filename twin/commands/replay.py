"""A plan played against today's policies, from the same state and on the same luck."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twin.clock import excerpt, format_duration
from twin.network import Network
from twin.plan import Plan
from twin.scenario import Scenario
from twin.settings import Key
from twin.state import State
from twin.tally import Tally

#: Makes the plan of the next weeks from a state, while it is being played.
Planner = Callable[[State], Plan]

#: Headline figures that a plan is held to besides money, as the table of KPIs names them.
_SHOWN = ("otif", "fill_rate", "order_lateness", "inventory_value", "downtime_cost", "co2e")
_MONEY = "running_cost"
_SEED_APART = 2_000_003  #: of the luck of a replay from that of every search


def pairs(value: str) -> int:
    """How many pairs; none, or two and more."""
    if not value.isascii() or not value.isdigit() or int(value) == 1 or int(value) > 10_000:
        raise ValueError(f"'{excerpt(value)}' is no number of pairs. Write 0 for none, or 2 and "
                         "more.")
    return int(value)


PAIRS = Key("pairs", "pairs of replications in which the plan is played against today's policies "
            "on luck that no search saw; 0: none", "30", pairs)


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure of a replay: today's mean, and what the plan changes, with its interval."""

    kpi: str
    unit: str
    today: float
    change: float
    low: float
    high: float
    verdict: str
    pairs: int


@dataclass(frozen=True, slots=True)
class _Task:
    network: Network
    scenario: Scenario
    state: State | None
    plan: Plan | None
    planner: Planner | None
    every_h: float
    horizon_h: float
    warmup_h: float
    seed: int
    replication: int


def _played(task: _Task) -> Tally:
    """Play one side of a pair; runs in a worker."""
    from twin.simulate.play import play

    return play(task.network, task.scenario, horizon_h=task.horizon_h,
                warmup_h=task.warmup_h, seed=task.seed, replication=task.replication,
                state=task.state, plan=task.plan, planner=task.planner,
                every_h=task.every_h).tally


def replay(network: Network, plan: Plan, state: State | None, *, horizon_h: float, count: int,
           seed: int, workers: int | None = None, planner: Planner | None = None,
           every_h: float = 0.0, scenario: Scenario | None = None,
           error: float = 0.05) -> tuple[Shown, ...]:
    """Pairs of today's policies and the plan.

    Parameters
    ----------
    network
        Today's, with the calibration applied; the plan's cells go into a copy of it.
    state
        From where both start; None: from the opening stock, through the model's own warm-up.
    planner, every_h
        Plans again so often, from the state that the replication has come to.
    error
        Chance that any interval of all misses.
    """
    if not count:
        return ()
    from twin.simulate.replications import replicate
    from twin.targets import fit

    happens = fit(scenario or Scenario.baseline(), network)
    changed = network.with_cells(plan.cells) if plan.cells else network
    warmup = network.warmup if state is None and not _acts(plan) else 0.0
    tasks = [_Task(one, happens, state, told, again, every_h, warmup + horizon_h, warmup,
                   seed + _SEED_APART, number)
             for number in range(count)
             for one, told, again in ((network, None, None), (changed, plan, planner))]
    tallies = replicate(_played, tasks, workers=workers)
    return shown(network, tallies[::2], tallies[1::2], error)


def _acts(plan: Plan) -> bool:
    return bool(plan.operations or plan.routes or plan.orders or plan.services)


def shown(network: Network, old: Sequence[Tally], new: Sequence[Tally],
          error: float = 0.05) -> tuple[Shown, ...]:
    """What changes from one side of pairs to the other; intervals hold together (Bonferroni)."""
    from twin.measure.kpis import KPIS, kpi_arrays
    from twin.measure.running_cost import running_cost

    sides = []
    for tallies in (old, new):
        values = {name: [float(value) for value in found] for name, found in (
            (name, kpi_arrays(tallies, chain_only=True).get((name, "", "", "")))
            for name in _SHOWN) if found is not None}
        values[_MONEY] = [running_cost(tally, network) for tally in tallies]
        sides.append(values)
    told = [(name, [(a, b) for a, b in zip(sides[0][name], sides[1][name], strict=True)
                    if math.isfinite(a) and math.isfinite(b)])
            for name in (_MONEY, *_SHOWN) if name in sides[0] and name in sides[1]]
    told = [(name, both) for name, both in told
            if len(both) > 1 and any(a or b for a, b in both)]
    rows = []
    for name, both in told:
        unit = f"{network.currency}/d" if name == _MONEY else KPIS[name].unit.replace(
            "currency", network.currency)
        rows.append(_row(name, unit, both, error / len(told), higher=name != _MONEY
                         and KPIS[name].better == "higher"))
    return tuple(rows)


def _row(name: str, unit: str, values: Sequence[tuple[float, float]], error: float, *,
         higher: bool) -> Shown:
    from twin.measure.intervals import paired

    found = paired([b for _, b in values], [a for a, _ in values], 1.0 - error)
    good, bad = (found.low > 0.0, found.high < 0.0) if higher else (
        found.high < 0.0, found.low > 0.0)
    verdict = "better" if good else "worse" if bad else "no effect shown"
    return Shown(name, unit, sum(a for a, _ in values) / len(values), found.mean, found.low,
                 found.high, verdict, len(values))


def lines(rows: Sequence[Shown], horizon_h: float) -> list[str]:
    """The replay as the screen shows it."""
    if not rows:
        return []
    return [f"Played against today's policies: {rows[0].pairs} pairs of "
            f"{format_duration(round(horizon_h))}, intervals that hold together at 95 %.",
            *(f"  {row.kpi:<18} today {row.today:>14,.4g}   change {row.change:>+12,.4g} "
              f"({row.low:+,.4g} to {row.high:+,.4g}) {row.unit:<10} {row.verdict}"
              for row in rows)]


def document(rows: Sequence[Shown]) -> list[dict[str, Any]]:
    """The replay as plain values."""
    return [asdict(row) for row in rows]


def write(rows: Sequence[Shown], folder: Path) -> None:
    """Write the replay into ``replay.csv``."""
    if rows:
        with (folder / "replay.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(asdict(rows[0])), lineterminator="\n")
            writer.writeheader()
            writer.writerows(document(rows))
