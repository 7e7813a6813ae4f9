"""The gate: every plan is played against doing nothing before anybody is asked to act on it.

Plan and nothing share their luck, pair by pair, and the parameters that are drawn for the pair.
Pairs are played in blocks; after each block a plan that is shown to be better or worse is done
with, and so is one that is unlikely ever to be. Looking often does not make it easier to pass:
the allowed error is spent over the looks, more of it later, and shared among plans and measures
(Bonferroni), so that the chance that any useless plan of a round is called better is at most half
of it (the other half is for *worse*).

Source of spending: Lan & DeMets (1983). Each look is a Student interval at its own share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats

from twin.operate.configuration import Gate
from twin.plan import Plan, Service
from twin.recommendation import BETTER, NO_EFFECT, WORSE, Effect

_FEWEST = 8  #: pairs that differ before a verdict: fewer say little about their spread
_HOPELESS = 1.0  #: standard errors that the last look would show, below which a plan is given up

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One replication of a plan (None: doing nothing); the same replication, the same luck."""

    plan: Plan | None
    replication: int


#: Plays trials in their order: the value of each KPI.
Play = Callable[[Sequence[Trial]], Sequence[Mapping[str, float]]]
#: Told as it goes: plans still open, pairs played, most pairs.
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Measure:
    """A KPI that plans are judged by: money, of which less is better, or a share of service."""

    name: str
    unit: str
    lower_is_better: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a plan has done.

    Attributes
    ----------
    effects
        One a measure, money first.
    pairs
        That were played.
    stopped
        ``shown``, ``hopeless``, ``no pair differs`` or ``at most``: why no more were.
    allowed, doubt
        Loss of service, as a share, that better money may cost; and how much more than that must
        be excluded by the interval.
    """

    effects: tuple[Effect, ...]
    pairs: int
    stopped: str
    allowed: float = 0.0
    doubt: float = 1.0

    @property
    def gain(self) -> float:
        """Mean saving in money, in the unit of the first effect."""
        return -self.effects[0].mean

    @property
    def passes(self) -> bool:
        """Whether it may be advised: better in money or service, shown worse in neither beyond
        what is allowed, and without doubt of a loss of service.
        """
        better = any(effect.verdict == BETTER for effect in self.effects)
        return better and not self.harms and not self.doubts

    @property
    def harms(self) -> tuple[Effect, ...]:
        """Effects that are shown to stand against it."""
        money, *others = self.effects
        return tuple(effect for effect in (money, *others) if effect.verdict == WORSE and (
            effect is money or abs(effect.mean) > self.allowed))

    @property
    def doubts(self) -> tuple[Effect, ...]:
        """Service that it may lose, for all that has been seen."""
        return tuple(effect for effect in self.effects[1:] if effect not in self.harms
                     and effect.low < -(self.allowed + self.doubt))


@dataclass(slots=True)
class _Line:
    """A plan on its way through the gate, or doing nothing."""

    plan: Plan | None
    values: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = ""

    def take(self, played: Mapping[str, float]) -> None:
        for name, value in played.items():
            self.values.setdefault(name, []).append(value)

    @property
    def pairs(self) -> int:
        return len(next(iter(self.values.values()), []))


def judge(plans: Mapping[str, Plan], play: Play, measures: Sequence[Measure], terms: Gate,
          told: Told | None = None) -> dict[str, Verdict]:
    """Play every plan against doing nothing.

    Parameters
    ----------
    play
        Gives each KPI of `measures`; NaN where a run does not have it.
    measures
        Money first.

    Returns
    -------
    dict
        A verdict for each plan, in their order.

    Examples
    --------
    >>> from twin.plan import Answer, Status
    >>> def play(trials):
    ...     luck = [np.random.default_rng(trial.replication).normal(100, 9) for trial in trials]
    ...     return [{"cost": value - 5 * (trial.plan is not None)} for value, trial
    ...             in zip(luck, trials)]
    >>> plan = Plan("replenishment", "tea", 0.0, Answer(Status.FEASIBLE))
    >>> found = judge({"less": plan}, play, [Measure("cost", "EUR/d")], Gate())["less"]
    >>> found.effects[0].verdict, round(found.gain, 6), found.pairs, found.stopped
    ('better', 5.0, 20, 'shown')
    """
    nothing, lines = _Line(None), {name: _Line(plan) for name, plan in plans.items()}
    levels = spent(terms, max(1, len(plans) * len(measures)))
    open_lines = dict(lines)
    for look, level in enumerate(levels):
        if not open_lines:
            break
        first = look * terms.block
        runs = range(first, min(first + terms.block, terms.replications))
        asked = [(line, run) for line in (nothing, *open_lines.values()) for run in runs]
        for (line, _), played in zip(asked, play([Trial(line.plan, run) for line, run in asked]),
                                     strict=True):
            line.take(played)
        for name, line in list(open_lines.items()):
            line.stopped = _stop(line, nothing, measures, level, runs.stop, terms)
            if line.stopped:
                del open_lines[name]
        if told is not None:
            told("gate", runs.stop if open_lines else terms.replications, terms.replications)
    return {name: verdict(line.values, nothing.values, measures,
                          levels[_look(line.pairs, terms)], terms, line.stopped)
            for name, line in lines.items()}


def spent(terms: Gate, shares: int) -> list[float]:
    """The error that each look may spend on one plan and measure; together `error` / `shares`.

    Examples
    --------
    >>> [round(level, 4) for level in spent(Gate(error=0.06, replications=60, block=20), 1)]
    [0.01, 0.02, 0.03]
    """
    looks = math.ceil(terms.replications / terms.block)
    whole = looks * (looks + 1) / 2.0
    return [terms.error / shares * look / whole for look in range(1, looks + 1)]


def _look(pairs: int, terms: Gate) -> int:
    return max(0, math.ceil(pairs / terms.block) - 1)


def _stop(line: _Line, nothing: _Line, measures: Sequence[Measure], level: float, pairs: int,
          terms: Gate) -> str:
    """Why a plan needs no more pairs; blank if it does."""
    found = verdict(line.values, nothing.values, measures, level, terms)
    if found.passes or found.harms:
        return "shown"
    differing, hope = 0, 0.0
    for measure in measures:
        difference = _differences(line.values, nothing.values, measure.name)
        differing += int(np.count_nonzero(difference))
        spread = float(np.std(difference, ddof=1)) if len(difference) > 1 else 0.0
        if spread > 0.0:
            z = abs(float(np.mean(difference))) / spread * math.sqrt(terms.replications)
            hope = max(hope, z)
    if not differing:
        return "no pair differs"
    if pairs >= terms.replications:
        return "at most"
    if pairs >= 2 * terms.block and hope < _HOPELESS:
        return "hopeless"
    return ""


def verdict(values: Mapping[str, Sequence[float]], nothing: Mapping[str, Sequence[float]],
            measures: Sequence[Measure], level: float, terms: Gate, stopped: str = "") -> Verdict:
    """What pairs show, at a level."""
    pairs = len(next(iter(values.values()), []))
    return Verdict(tuple(effect_of(values, nothing, measure, level) for measure in measures),
                   pairs, stopped, terms.service_loss, terms.service_doubt)


def effect_of(values: Mapping[str, Sequence[float]], nothing: Mapping[str, Sequence[float]],
              measure: Measure, level: float) -> Effect:
    """The paired difference of one KPI, its interval, and the band of the KPI itself."""
    difference = _differences(values, nothing, measure.name)
    there = np.array([value for value in values.get(measure.name, ()) if math.isfinite(value)])
    mean, half = 0.0, 0.0
    if len(difference):
        mean = float(np.mean(difference))
    if len(difference) > 1:
        half = float(stats.t.ppf(1.0 - level / 2.0, len(difference) - 1)
                     * np.std(difference, ddof=1) / math.sqrt(len(difference)))
    good = -difference if measure.lower_is_better else difference
    differing = int(np.count_nonzero(difference))
    chance = (int(np.count_nonzero(good > 0.0)) + 0.5) / (differing + 1.0)
    sign = 1.0 if measure.lower_is_better else -1.0
    said = NO_EFFECT
    if differing >= _FEWEST:
        if sign * mean + half < 0.0:
            said = BETTER
        elif sign * mean - half > 0.0:
            said = WORSE
    return Effect(measure.name, measure.unit, mean, mean - half, mean + half, chance, said,
                  float(np.mean(there)) if len(there) else math.nan, band_of(there))


def band_of(values: Sequence[float] | Floats, share: float = 0.8) -> tuple[float, float]:
    """Between which a new value will lie with a chance of `share`, from exchangeable ones.

    Examples
    --------
    >>> [round(end, 6) for end in band_of(list(range(1, 20)))]
    [2.0, 18.0]
    """
    if len(values) == 0:
        return (math.nan, math.nan)
    low, high = np.quantile(np.asarray(values, dtype=float),
                            [(1.0 - share) / 2.0, (1.0 + share) / 2.0], method="weibull")
    return float(low), float(high)


def _differences(values: Mapping[str, Sequence[float]], nothing: Mapping[str, Sequence[float]],
                 name: str) -> Floats:
    """Pair by pair, where both have the KPI; what is rounding alone counts as nothing."""
    new = np.asarray(values.get(name, ()), dtype=float)
    old = np.asarray(nothing.get(name, ())[:len(new)], dtype=float)
    both = np.isfinite(new) & np.isfinite(old)
    new, old = new[both], old[both]
    difference = new - old
    scale = np.maximum(np.abs(new), np.abs(old))
    return np.where(np.abs(difference) <= 1e-12 * scale, 0.0, difference)


def together(plans: Mapping[str, Plan], play: Play, money: str, pairs: int) -> list[str]:
    """Of plans that are good alone, those that are good in company, best first.

    Each joins in the order given if it lowers the mean cost of those before it, on the same luck.
    """
    def cost(names: Sequence[str]) -> float:
        plan = joined([plans[name] for name in names])
        return float(np.nanmean([played[money] for played in
                                 play([Trial(plan, run) for run in range(pairs)])]))

    chosen: list[str] = []
    best = math.inf
    for name in plans:
        found = cost([*chosen, name])
        if not chosen or found < best:
            chosen, best = [*chosen, name], found
    return chosen


def joined(plans: Sequence[Plan]) -> Plan:
    """All plans at once; of two that say the same thing differently, the first counts."""
    first = plans[0]
    if len(plans) == 1:
        return first
    cells: dict[str, str] = {}
    services: dict[tuple[str, str], Service] = {}
    for plan in plans:
        cells = {**plan.cells, **cells}
        for service in plan.services:
            services.setdefault((service.asset, service.cause), service)
    scheduled = next((plan.operations for plan in plans if plan.operations), ())
    routed = next((plan.routes for plan in plans if plan.routes), ())
    return replace(first, kind="all", cells=cells, operations=scheduled, routes=routed,
                   orders=tuple(order for plan in plans for order in plan.orders),
                   services=tuple(services.values()))
