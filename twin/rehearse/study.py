"""Is the truth recovered? Rehearsals with random hidden truths, heard, learned from, and scored.

The whole way is walked: instruments, faults, bytes, checks, the store, the real ledger, estimators.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.calibrate.learning import Learned, learn
from twin.calibrate.streams import Stream
from twin.calibrate.truth import Score, clean_widths, score
from twin.network import Network
from twin.quantity import Quantity
from twin.readings import Reading, from_frame
from twin.rehearse.earshot import Earshot
from twin.rehearse.failing import failing_machine
from twin.rehearse.power import chance, seen
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.truth import Truth, hide, plant, written_key
from twin.scenario import Scenario
from twin.sense.alerts import AlertBook
from twin.sense.guard import Guard, Post
from twin.sense.guard_machines import SignalGuard
from twin.sense.guard_wear import WearGuard
from twin.sense.history import ledger_of
from twin.sense.known import Known
from twin.sense.listener import Heard, Listener
from twin.sense.rules import Rules, default_rules
from twin.simulate.draws import block_of, left
from twin.store import Store

#: When the planted change begins, as a share of the time heard.
_CHANGE_AT = 0.5
_SLOWER, _OFTENER = 2.0, 3.0
_MOST_MORE = 0.2  #: of all demand, that one customer may order more
_POWER = 0.9
#: When the planted machine begins to fail, as a share of the time heard, and its first life.
_FAILS_AT = 0.7
_LIFE_H = 96.0


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
    failing
        The machine that was made to fail; empty if none was.
    lead_h
        Hours before its first breakdown in which an alert was raised on its signals; NaN if none
        was.
    strange, worn
        Anomalies of the signals of machines that nothing was done to: of those that were well, and
        of those that were in the second half of a life which then ended by a breakdown. What wears
        shows it, so that only the first are false alarms.
    """

    seed: int
    heard: Heard
    score: Score
    ratios: tuple[float, ...]
    changed: str
    found: bool
    false: int
    cells: int
    failing: str = ""
    lead_h: float = math.nan
    strange: int = 0
    worn: int = 0


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
        truth = replace(plant(truth, network, plain.sensors), change=Scenario.baseline(),
                        failing=failing_machine(network, 24.0 * days * _FAILS_AT, _LIFE_H,
                                                np.random.default_rng([seed, 0xFA11])))
    if change:
        truth, changed = _with_change(truth, network, days, false_alarms)
    rehearsal = Rehearsal(network, truth, settle_h=network.warmup, sensing=sensing)
    end = network.warmup + 24.0 * days
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        with Listener(Earshot(rehearsal, end), store, known=Known(network)) as listener:
            while listener.step(0.0):
                pass
        learned = _learned(network, store, end, streams, false_alarms)
        scored = _scored(seed, network, truth, listener.heard, learned, changed)
        return replace(scored, **_warned(network, truth, store)) if sensing else scored


def _learned(network: Network, store: Store, end: float, streams: tuple[Stream, ...],
             false_alarms: float) -> Learned:
    from twin.commands.calibrate import evidence_of, signals_of

    frame = store.frame()
    evidence = evidence_of(ledger_of(frame, network.start), network, end,
                           signals=signals_of(frame, network))
    return learn(evidence, streams, name=network.name, as_of="2000-01-01", source="a rehearsal",
                 false_alarms=false_alarms)


def _with_change(truth: Truth, network: Network, days: float,
                 false_alarms: float) -> tuple[Truth, str]:
    """The truth with one thing that changes for good, halfway, and its cell.

    A carrier's lane becomes twice as slow, or a customer orders a third as often or three times as
    often. It is drawn among those that can tell: as many are seen before and after in the truth,
    played without the change, as the test needs to find it with 90 % chance.
    """
    luck = np.random.default_rng([truth.seed, 0xC4A6])
    real, hours = truth.apply(network), 24.0 * days
    start = _CHANGE_AT * hours
    counts = seen(real, truth.seed, network.warmup, hours, start)
    found = []
    for cell, law, longer, event in _changeable(real):
        before, after = counts.get(cell, (0, 0))
        after = int(after / longer) if cell.startswith("demand") else after
        if after and chance(law, longer, _draws, before, after, cells=2 * len(truth.cells),
                            false_alarms=false_alarms) >= _POWER:
            found.append((cell, event))
    if not found:
        return truth, ""
    cell, event = found[int(luck.integers(len(found)))]
    return replace(truth, change=Scenario(name="planted", events={
        "changed": {**event, "start": start}})), cell


def _changeable(real: Network) -> Iterator[tuple[str, Quantity, float, dict[str, Any]]]:
    """Cells that an event can change: its law, how many times as long it becomes, the event."""
    for place, lane in real.lanes.items():
        if lane.fleet is None and lane.transit is not None and lane.transit.sd() > 0.0:
            yield (f"lanes[{written_key(place)}].transit", lane.transit, _SLOWER,
                   {"type": "transit", "origins": lane.origin, "destinations": lane.destination,
                    "modes": lane.mode, "factor": _SLOWER, "in_transit": False})
    whole = sum(row.size.mean() / row.interarrival.mean() for row in real.demand.values())
    several = [key[:2] for key in real.demand]
    for key, row in real.demand.items():
        if row.limit is not None or row.interarrival.sd() == 0.0 or several.count(key[:2]) > 1:
            continue
        units = row.size.mean() / row.interarrival.mean()
        # A small customer may order more often; a large one would choke the chain.
        longer = 1.0 / _OFTENER if (_OFTENER - 1.0) * units < _MOST_MORE * whole else _OFTENER
        yield (f"demand[{written_key(key)}].interarrival", row.interarrival, longer,
               {"type": "demand", "sites": row.site, "products": row.product,
                "factor": 1.0 / longer})


def _draws(law: Quantity, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(block_of(law)(rng, count), np.float64)


def _warned(network: Network, truth: Truth, store: Store) -> dict[str, Any]:
    """Whether signals raised an alert before the machine broke down, and what else they raised."""
    zero = network.start.timestamp() + 3600.0 * network.warmup
    failing = truth.failing[0] if truth.failing else None
    began, broke = (math.inf, math.inf) if failing is None else (
        zero + 3600.0 * failing.start, zero + 3600.0 * failing.fails[0])
    post = Post(network, Rules(default_rules(network)), left)
    guards: list[Guard] = [SignalGuard(post), WearGuard(post)]
    book, lead, others = AlertBook(), math.nan, []
    readings = from_frame(store.frame(kinds=sorted(set().union(*(
        guard.hears for guard in guards)))))
    for reading in readings:
        for name in book.tell(finding for guard in guards if reading.kind in guard.hears
                              for finding in guard.hear(reading)):
            alert = book.all()[name]
            machine = alert.subject.split()[1]
            if failing is None or machine != failing.machine:
                if alert.kind == "anomaly":
                    others.append(_half_worn(readings, machine, alert.raised))
            elif began <= alert.raised < broke and math.isnan(lead):
                lead = (broke - alert.raised) / 3600.0
    return {"failing": failing.machine if failing else "", "lead_h": lead,
            "strange": others.count(False), "worn": others.count(True)}


def _half_worn(readings: Sequence[Reading], machine: str, at: float) -> bool:
    """Whether a machine was in the second half of a life that is known to have worn it out."""
    turns = [one for one in readings if one.asset == machine
             and one.kind in ("failing", "repairing")]
    began = max((one.time for one in turns if one.time <= at), default=readings[0].time)
    end = next((one for one in turns if one.time > at), None)
    return end is not None and end.kind == "failing" and end.cause != "service" \
        and at - began > (end.time - began) / 2.0


def _scored(seed: int, network: Network, truth: Truth, heard: Heard, learned: Learned,
            changed: str) -> Rehearsed:
    real = truth.apply(network)
    # What a failing machine says of its lives is no longer the truth of the tables.
    broken = tuple(f"failures[{one.machine}," for one in truth.failing)
    steady = replace(learned, estimates={
        name: estimate for name, estimate in learned.estimates.items()
        if name != changed and not name.startswith(broken or ("-",))})
    pairs = clean_widths(steady, real, _draws, np.random.default_rng([seed, 0xC1EA]))
    told = [one.cell for one in learned.changes if not one.cell.startswith(broken or ("-",))]
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
    failed = [one for one in those if one.failing]
    warned = [one.lead_h for one in failed if one.lead_h > 0.0]
    if failed:
        tell(f"failing machines found before they failed: {len(warned)} of {len(failed)}"
             + (f", {np.median(warned):.0f} h ahead (median)" if warned else "")
             + f"; {sum(one.strange for one in those) / len(those):.1f} anomalies a rehearsal on "
             f"other machines that were well, {sum(one.worn for one in those) / len(those):.1f} on "
             "worn ones")
    for cell in sorted(set(whole.missed)):
        tell(f"  missed {whole.missed.count(cell)} times: {cell}")
    return 0.90 <= whole.coverage <= 0.99 and width <= 1.5
