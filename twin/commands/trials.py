"""Trials: plans played from the live state, each pair with luck and parameters of its own."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.network import Network
from twin.operate.gate import Measure, Trial, joined
from twin.optimize.end_stock import EndPrice, end_cost, end_prices
from twin.parameters import Calibration
from twin.plan import Plan
from twin.state import State

COST, OTIF, FILL_RATE = "running_cost", "otif", "fill_rate"
HEARD_COST, HEARD_OTIF = "heard_cost", "heard_otif"
_START_S = 4.0  #: worker processes take about so long to pay


@dataclass(frozen=True, slots=True)
class Stage:
    """From where, on what and for how long plans are played.

    Attributes
    ----------
    model
        Before the calibration.
    learned
        The calibration; where it holds learned values each pair draws its own.
    in_force
        Cells that were approved and that the model does not hold yet.
    seed
        Of the verdict, unlike that of any search: it is made from the seed and the state.
    base
        The schedule, routes and services that were approved and still have something to do: doing
        nothing means going on with them.
    """

    model: Network
    learned: Calibration
    state: State
    horizon_h: float
    seed: int
    in_force: Mapping[str, str] = field(default_factory=dict)
    base: Plan | None = None

    def network(self) -> Network:
        """The chain as it is believed to be."""
        return self._with(self.learned.apply(self.model))

    def drawn(self, replication: int) -> Network:
        """The chain as it might be."""
        if not self.learned.rows:
            return self.network()
        from twin.calibrate import draw
        from twin.guesses import Guesses

        return self._with(Guesses(self.model, self.learned, draw, self.seed).network(replication))

    def _with(self, network: Network) -> Network:
        return network.with_cells(self.in_force) if self.in_force else network


def seed_of(seed: int, state: State, round_of: str = "verdict") -> int:
    """A seed of its own for what is judged from a state.

    Examples
    --------
    >>> state = State("tea", 24.0)
    >>> seed_of(1, state) == seed_of(1, state) != seed_of(2, state)
    True
    """
    text = f"{round_of} {seed} {state.digest()}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


@dataclass(frozen=True, slots=True)
class _Task:
    stage: Stage
    plan: Plan | None
    replication: int
    heard: bool
    prices: Mapping[tuple[str, str], EndPrice]


def _played(task: _Task) -> dict[str, float]:
    """What one trial comes to; runs in a worker."""
    from twin.ledger import Ledger
    from twin.measure.kpis import kpi_arrays
    from twin.measure.running_cost import running_cost
    from twin.scenario import Scenario
    from twin.simulate.play import play

    stage = task.stage
    plans = [plan for plan in (task.plan, stage.base) if plan is not None]
    plan = joined(plans) if plans else None
    network = stage.drawn(task.replication)
    if plan is not None and plan.cells:
        network = network.with_cells(plan.cells)
    book = Ledger() if task.heard else None
    run = play(network, Scenario.baseline(), horizon_h=stage.horizon_h, seed=stage.seed,
               replication=task.replication, state=stage.state, plan=plan, ledger=book,
               save_at=stage.horizon_h)
    tally = run.tally
    assert run.state is not None
    left = 24.0 * end_cost(task.prices, run.state) / tally.hours if tally.hours else 0.0
    kpis = kpi_arrays([tally], chain_only=True)
    found = {COST: running_cost(tally, network) + left}
    for name in (OTIF, FILL_RATE):
        values = kpis.get((name, "", "", ""))
        found[name] = math.nan if values is None else float(values[0])
    if book is not None:
        found |= as_heard(book.frame(), network, tally.start_h, tally.end_h)
    return found


def as_heard(events: Any, network: Network, start_h: float, end_h: float) -> dict[str, float]:
    """The KPIs of a window that events tell, real or played alike."""
    from twin.measure.fidelity_record import Record
    from twin.measure.kpis import kpi_arrays
    from twin.measure.running_cost import heard_cost

    record = Record(events, network)
    inside = record.events[(record.times > start_h) & (record.times < end_h)]
    tally = record.tally(inside, start_h, end_h)
    values = kpi_arrays([tally], chain_only=True).get((OTIF, "", "", ""))
    return {HEARD_COST: heard_cost(inside, tally, network),
            HEARD_OTIF: math.nan if values is None else float(values[0])}


def player(stage: Stage, workers: int | None, *, heard: bool = False
           ) -> Callable[[Sequence[Trial]], list[dict[str, float]]]:
    """Plays trials in worker processes, or in this one where starting them would take longer;
    with `heard` also what events would tell. Cost holds the price of the stock at the end.
    """
    from twin.simulate.replications import replicate

    prices = end_prices(stage.network())

    def play(trials: Sequence[Trial]) -> list[dict[str, float]]:
        first, *rest = [_Task(stage, trial.plan, trial.replication, heard, prices)
                        for trial in trials]
        began = time.process_time()
        played = [_played(first)]
        short = (time.process_time() - began) * len(rest) < _START_S
        return played + replicate(_played, rest, workers=1 if short and not workers else workers)

    return play


def measures_of(network: Network) -> tuple[Measure, ...]:
    """What plans are judged by: money, and service where there are customers."""
    money = Measure(COST, f"{network.currency}/d")
    return (money, Measure(OTIF, "share", lower_is_better=False)) if network.demand else (money,)
