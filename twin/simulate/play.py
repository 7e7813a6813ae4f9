"""One replication: a network, a scenario and a seed become a tally."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from twin.ledger import Ledger
from twin.network import Network
from twin.plan import Plan
from twin.scenario import Scenario
from twin.simulate.carry_out import carry_out
from twin.simulate.disturbances import disturb, go_on
from twin.simulate.follow import follow
from twin.simulate.streams import Streams
from twin.simulate.tour import follow_routes
from twin.simulate.world import World
from twin.state import State
from twin.tally import Tally


@dataclass(frozen=True, slots=True)
class Run:
    """What one replication left: its tally and, if asked for, the state it was saved in."""

    tally: Tally
    state: State | None = None


def play(network: Network, scenario: Scenario, *, horizon_h: float, warmup_h: float = 0.0,
         seed: int = 1, replication: int = 0, ledger: Ledger | None = None,
         sample_every_h: float | None = None, state: State | None = None, plan: Plan | None = None,
         save_at: float | None = None, planner: Callable[[State], Plan] | None = None,
         every_h: float = 0.0) -> Run:
    """Play a scenario on a network once.

    Parameters
    ----------
    network, scenario
        What exists, and what happens to it.
    horizon_h, warmup_h
        The run is [0, horizon_h) hours from the start or the state; sums before `warmup_h` are
        forgotten.
    seed, replication
        Together they are the luck: two scenarios with the same pair share it.
    ledger
        Filled with every event, if given.
    sample_every_h
        Hours between snapshots of all levels; None for none.
    state
        Start from a saved state instead of the tables' opening stock.
    plan
        A schedule that the machines follow, each in its order, routes that the trucks drive, and
        orders and services; see `twin.simulate.follow`, `twin.simulate.tour` and
        `twin.simulate.carry_out`. Its cells are for the caller to put into the network.
    planner, every_h
        Plan again so often from the state that the world has come to then, and go on by that.
    save_at
        Save the state at this time, hours; it must lie within the run.

    Returns
    -------
    Run
        The tally and the saved state.

    Raises
    ------
    ValueError
        If `warmup_h` or `save_at` lies outside the run.
    """
    if not 0.0 <= warmup_h <= horizon_h:
        raise ValueError(f"warmup_h {warmup_h:g} lies outside the run of {horizon_h:g} h. "
                         "Write less, or a longer horizon.")
    if save_at is not None and not 0.0 <= save_at <= horizon_h:
        raise ValueError(f"save_at {save_at:g} lies outside the run of {horizon_h:g} h. "
                         "Write a time within it.")
    with _patient_collector():
        world = World(network, Streams(seed, replication), ledger,
                      None if state is None else state.clock_h)
        epoch = world.epoch
        if state is not None:
            go_on(world, state)
            world.resume(state)
        if plan is not None:
            take_up(world, plan)
        disturb(world, scenario)
        world.start()
        if sample_every_h is not None:
            world.snapshot_every(sample_every_h)
        saved = None
        again = _moments(horizon_h, every_h) if planner is not None else set()
        for moment in sorted({warmup_h, horizon_h} | again
                             | ({save_at} if save_at is not None else set())):
            if moment > 0.0:
                world.env.run(until=epoch + moment)
            if moment == warmup_h and moment > 0.0:
                world.reset()
            if moment == save_at:
                saved = world.save()
            if planner is not None and moment in again:
                take_up(world, planner(world.save()))
        times, samples = world.samples()
        tally = Tally(scenario.name, replication, epoch + warmup_h, epoch + horizon_h, world.sums(),
                      times, samples)
        return Run(tally, saved)


def _moments(horizon_h: float, every_h: float) -> set[float]:
    """When to plan again: after each stretch that begins within the run."""
    if not every_h > 0.0:
        raise ValueError(f"every_h {every_h:g} leaves no time between plans. Write more than 0.")
    return {number * every_h for number in range(1, ceil(horizon_h / every_h - 1e-9))}


def take_up(world: World, plan: Plan) -> None:
    """Let machines, trucks, shelves and crews do from now on what a plan says.

    Raises
    ------
    ValueError
        If the plan names something that the world does not have.
    """
    if plan.operations:
        follow(world, plan)
    follow_routes(world, plan)
    carry_out(world, plan, served={one.machine for one in plan.operations})


@contextmanager
def _patient_collector() -> Iterator[None]:
    """Let the garbage collector look seldom: a world is large and long-lived, and its material is
    freed by counting references. Measured on 2,000 sites, looking often costs a fifth of a run.
    """
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
