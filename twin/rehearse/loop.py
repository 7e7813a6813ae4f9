"""The loop, closed: an operation with a twin, and beside it the same operation without one.

Both live with the same hidden parameters and the same luck. The twin hears its operation, learns
from what it heard, plays plans against doing nothing, and files what passes. What is approved is
pushed, and the operation does it. Everything between the two is what a real chain would have: the
listener, the store, the estimators, the gate, the inbox, the outbox and a connector.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twin.network import Network
from twin.parameters import Calibration
from twin.plan import Plan
from twin.recommendation import Recommendation
from twin.rehearse.books import Books, Point
from twin.rehearse.branch import Branch, branch
from twin.rehearse.channel import Channel
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.truth import Truth
from twin.store import Store

_WINDOW_H = 7 * 24.0

#: Opens a channel of a rehearsal into a store; the folder is for what it leaves on disk.
Opener = Callable[[Rehearsal, Store, Path], AbstractContextManager[Channel]]
Teller = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a loop is run.

    Attributes
    ----------
    days, every
        How long the twin listens after the warm-up, and days between two rounds of advice.
    after
        Days that both live on after that, with nobody listening: what was only put off comes due.
    horizon
        Days over which plans are judged; 0 leaves it to the gate.
    kinds
        Of proposals.
    replications, budget
        Of a verdict at most, and of the search for policies.
    approve
        Share of the advice that is approved, by a coin of its own; the rest is ignored.
    branches
        Replications of each branch with which advice is scored; 0 scores none.
    sample
        Hours at least between two readings of an instrument; 0 leaves instruments out.
    """

    days: float = 84.0
    every: float = 42.0
    after: float = 252.0
    horizon: float = 0.0
    kinds: tuple[str, ...] = ("policies", "orders")
    replications: int = 40
    budget: int = 12
    approve: float = 1.0
    branches: int = 0
    sample: float = 24.0
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one round came to."""

    day: float
    readings: int
    parameters: int
    judged: int
    advised: tuple[str, ...]
    taken: int
    done: int


@dataclass(slots=True)
class Looped:
    """An operation with a twin, and the same one without.

    Attributes
    ----------
    taken, plain
        Points of the one with, and of the one without.
    """

    model: str
    currency: str
    seed: int
    rounds: list[Told] = field(default_factory=list)
    taken: list[Point] = field(default_factory=list)
    plain: list[Point] = field(default_factory=list)
    otif: tuple[float, float] = (float("nan"), float("nan"))
    branches: list[Branch] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def gain(self) -> float:
        """Running cost a day that the twin has saved; below 0 it has cost."""
        return (self.plain[-1].cost - self.taken[-1].cost) / self.plain[-1].day

    @property
    def share(self) -> float:
        """The same as a share of the running cost without it."""
        return self.gain / (self.plain[-1].cost / self.plain[-1].day)


def close_loop(network: Network, truth: Truth, terms: Terms, opener: Opener, folder: Path,
               tell: Teller = lambda line: None, streams: Sequence[Any] = ()) -> Looped:
    """Run an operation with a twin, and without.

    Parameters
    ----------
    network
        What the twin is told.
    folder
        Empty; the store and the inbox are kept there.
    streams
        Which reading feeds which estimator.
    """
    rehearsal = Rehearsal(network, truth, settle_h=network.warmup, sensing=terms.sample > 0.0)
    for instrument in rehearsal.instruments:
        instrument.every = max(instrument.every, terms.sample)
    alone = Rehearsal(network, truth, settle_h=network.warmup, sensing=False).operation
    real = truth.apply(network)
    store = Store(folder / "store")
    found = Looped(network.name, network.currency, truth.seed)
    with opener(rehearsal, store, folder / "pushed") as channel, \
            _desk(network, store, terms, channel, folder) as desk:
        start, end = network.warmup, network.warmup + 24.0 * terms.days
        channel.live(start)
        alone.run(start)
        taken, plain = Books(rehearsal.operation, real), Books(alone, real)
        due = start
        luck = np.random.default_rng([truth.seed, 0xA991])
        while True:
            taken.write()
            plain.write()
            now = rehearsal.now
            if now >= end - 1e-6:
                break
            if now >= due - 1e-6:
                _round(network, rehearsal, store, desk, channel, terms, found, luck, streams, tell)
                due += 24.0 * terms.every
            until = min(end, now + _WINDOW_H)
            channel.live(until)
            alone.run(until)
        while rehearsal.now < end + 24.0 * terms.after - 1e-6:
            until = min(end + 24.0 * terms.after, rehearsal.now + _WINDOW_H)
            for operation, books in ((rehearsal.operation, taken), (alone, plain)):
                operation.run(until)
                books.write()
        found.refused += channel.refused
    found.taken, found.plain = taken.points, plain.points
    found.otif = (taken.otif(), plain.otif())
    return found


def _desk(network: Network, store: Store, terms: Terms, channel: Channel, folder: Path) -> Any:
    """A desk whose one way out is the channel, with a log key that lasts as long as it."""
    from twin.operate.configuration import read_configuration
    from twin.operate.database import connect
    from twin.operate.desk import Desk

    configuration = read_configuration({
        "ladder": {"any": "approve"}, "connectors": {"operation": channel.connector},
        "gate": {"horizon": f"{terms.horizon:g}d", "expires": "2d",
                 "replications": terms.replications,
                 "block": max(4, min(20, terms.replications // 2))}}, "the loop")
    return Desk(connect(str(folder / "operate.db")), network.name, network.start, configuration,
                secrets.token_bytes(32), heard=store.watermark, home=folder,
                beside=folder / "pushed")


def _round(network: Network, rehearsal: Rehearsal, store: Store, desk: Any, channel: Channel,
           terms: Terms, found: Looped, luck: np.random.Generator, streams: Sequence[Any],
           tell: Teller) -> None:
    """Learn, recommend, decide, push, do."""
    from twin.commands.rounds import play_round
    from twin.commands.state import sensed
    from twin.operate.inbox import Standing

    day = (rehearsal.now - network.warmup) / 24.0
    readings, learned = _learned(network, rehearsal, store, streams)
    state = sensed(store, learned.apply(network), rehearsal.clock, checkpoints=False)[1]
    played = play_round(desk, network, learned, state, seed=rehearsal.truth.seed,
                        kinds=terms.kinds, seconds=5.0, budget=terms.budget, workers=terms.workers)
    open_ones = [filed for filed in played.filed if filed.status is Standing.OPEN]
    took = done = 0
    for filed in open_ones:
        takes = bool(luck.random() < terms.approve)
        if terms.branches:
            found.branches.append(_scored(rehearsal, filed.advice, terms, takes))
        if takes:
            case = desk.approve(filed.name, by="the planner of the rehearsal")
            took += 1
            done += channel.execute(sum(one["status"] == "sent" for one in case.messages))
        else:
            desk.reject(filed.name, by="the planner of the rehearsal", reason="a coin said so")
    found.rounds.append(Told(day, readings, len(learned.rows), len(played.verdicts),
                             tuple(filed.advice.title for filed in open_ones), took, done))
    tell(f"day {day:g}: {readings:,} readings heard, {len(learned.rows)} parameters learned, "
         f"{len(played.verdicts)} plans judged, {len(open_ones)} advised, {took} approved, "
         f"{done} things done")
    for filed in open_ones:
        tell(f"  {filed.name} {filed.advice.title}")


def _learned(network: Network, rehearsal: Rehearsal, store: Store,
             streams: Sequence[Any]) -> tuple[int, Calibration]:
    from twin.calibrate.learning import learn
    from twin.commands.calibrate import evidence_of, signals_of
    from twin.sense.history import ledger_of

    frame = store.frame()
    evidence = evidence_of(ledger_of(frame, network.start), network, rehearsal.now,
                           signals=signals_of(frame, network))
    return len(frame), learn(evidence, streams, name=f"{network.name}-loop", as_of="2000-01-01",
                             source="a rehearsal").calibration


def _scored(rehearsal: Rehearsal, advice: Recommendation, terms: Terms, takes: bool) -> Branch:
    operation = rehearsal.operation
    return branch(operation.network, operation.save(), advice,
                  Plan.from_document(advice.plan), takes, seed=rehearsal.truth.seed,
                  replications=terms.branches)
