"""Is the truth recovered? Rehearsals with random hidden truths, heard, learned from, and scored.

The whole way is walked: instruments, faults, bytes, checks, the store, the real ledger, estimators.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from twin.calibrate.learning import Learned, learn
from twin.calibrate.streams import Stream
from twin.calibrate.truth import Score, clean_widths, score
from twin.network import Network
from twin.rehearse.earshot import Earshot
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.truth import Truth, hide, plant, written_key
from twin.scenario import Scenario
from twin.sense.history import ledger_of
from twin.sense.known import Known
from twin.sense.listener import Heard, Listener
from twin.store import Store

#: When the planted change begins, as a share of the time heard.
_CHANGE_AT = 0.5


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One rehearsal, scored.

    Attributes
    ----------
    score
        Of all cells but the one that was changed on the way.
    ratios
        Width of each interval over the width of a fit on as many clean values (of logarithms).
    changed
        The cell of the planted change; empty if none was planted.
    found, false
        Whether that change was found, and how many other cells were said to have changed.
    cells
        Cells that were tested for a change.
    """

    seed: int
    heard: Heard
    score: Score
    ratios: tuple[float, ...]
    changed: str
    found: bool
    false: int
    cells: int


def rehearse_once(network: Network, seed: int, streams: tuple[Stream, ...], *, days: float = 120.0,
                  faults: bool = True, change: bool = True, spread: float = 0.25,
                  false_alarms: float = 0.01, sensing: bool = True) -> Rehearsed:
    """Rehearse a random truth, listen, learn, score.

    Parameters
    ----------
    days
        Heard, after the model's warm-up.
    false_alarms
        The stated chance that a whole calibration says that something changed though nothing did.
    """
    truth = hide(network, seed, spread)
    changed = ""
    if faults:
        plain = Rehearsal(network, truth, sensing=sensing)
        truth = replace(plant(truth, network, plain.sensors), change=Scenario.baseline())
    if change:
        truth, changed = _with_change(truth, network, days)
    rehearsal = Rehearsal(network, truth, settle_h=network.warmup, sensing=sensing)
    end = network.warmup + 24.0 * days
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        with Listener(Earshot(rehearsal, end), store, known=Known(network)) as listener:
            while listener.step(0.0):
                pass
        learned = _learned(network, store, end, streams, false_alarms)
        return _scored(seed, network, truth, listener.heard, learned, changed)


def _learned(network: Network, store: Store, end: float, streams: tuple[Stream, ...],
             false_alarms: float) -> Learned:
    from twin.commands.calibrate import evidence_of, signals_of

    frame = store.frame()
    evidence = evidence_of(ledger_of(frame, network.start), network, end,
                           signals=signals_of(frame, network))
    return learn(evidence, streams, name=network.name, as_of="2000-01-01", source="a rehearsal",
                 false_alarms=false_alarms)


def _with_change(truth: Truth, network: Network, days: float) -> tuple[Truth, str]:
    """The truth with one lane that becomes twice as slow, halfway, and its cell."""
    luck = np.random.default_rng([truth.seed, 0xC4A6])
    lanes = [(key, lane) for key, lane in network.lanes.items()
             if lane.fleet is None and lane.transit is not None and lane.transit.sd() > 0.0
             and lane.transit.mean() < 24.0 * days / 40.0]
    if not lanes:
        return truth, ""
    key, lane = lanes[int(luck.integers(len(lanes)))]
    event = {"type": "transit", "origins": lane.origin, "destinations": lane.destination,
             "modes": lane.mode, "factor": 2.0, "in_transit": False,
             "start": 24.0 * days * _CHANGE_AT}
    return replace(truth, change=Scenario(name="planted", events={"slower": event})), \
        f"lanes[{written_key(key)}].transit"


def _scored(seed: int, network: Network, truth: Truth, heard: Heard, learned: Learned,
            changed: str) -> Rehearsed:
    from twin.simulate.draws import block_of

    real = truth.apply(network)
    steady = replace(learned, estimates={name: estimate for name, estimate
                                         in learned.estimates.items() if name != changed})
    pairs = clean_widths(
        steady, real, lambda law, count, rng: np.asarray(block_of(law)(rng, count), np.float64),
        np.random.default_rng([seed, 0xC1EA]))
    told = [one.cell for one in learned.changes]
    return Rehearsed(
        seed, heard, score(steady.estimates.values(), real),
        tuple(mine / clean for mine, clean in pairs.values() if clean > 0.0), changed,
        changed in told, sum(cell != changed for cell in told), len(learned.estimates))


def summary(those: list[Rehearsed], tell: Callable[[str], None]) -> bool:
    """Tell what came of it; whether the bar is met."""
    whole = those[0].score
    for one in those[1:]:
        whole = whole + one.score
    width = float(np.median([ratio for one in those for ratio in one.ratios]))
    planted = [one for one in those if one.changed]
    alarms = sum(one.false > 0 for one in those)
    tell(f"{len(those)} rehearsals, {sum(one.heard.readings for one in those):,} readings, "
         f"{sum(sum(one.heard.quarantined.values()) for one in those):,} quarantined")
    tell(f"95 % intervals hold the truth of {whole.inside} of {whole.cells} parameters: "
         f"{whole.coverage:.1%} (90 to 99 %)")
    tell(f"median width over that of a fit on clean data: {width:.2f} (at most 1.5)")
    tell(f"planted changes found: {sum(one.found for one in planted)} of {len(planted)}")
    tell(f"calibrations with a false alarm: {alarms} of {len(those)}")
    for cell in sorted(set(whole.missed)):
        tell(f"  missed {whole.missed.count(cell)} times: {cell}")
    return 0.90 <= whole.coverage <= 0.99 and width <= 1.5
