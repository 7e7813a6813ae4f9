"""One round of the loop: state, proposals, gate, recommendations in the inbox."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from twin.commands.effects import against, in_words
from twin.commands.proposals import Ground, kind_of, propose
from twin.commands.retrial import keep
from twin.commands.trials import (
    HEARD_COST,
    HEARD_OTIF,
    Stage,
    measures_of,
    player,
    seed_of,
)
from twin.manifest import network_digest
from twin.network import ModelError, Network
from twin.operate.actions import actions_of, today_of, with_standing
from twin.operate.configuration import Gate
from twin.operate.desk import Desk
from twin.operate.gate import (
    Measure,
    Play,
    Told,
    Trial,
    Verdict,
    band_of,
    joined,
    judge,
    together,
)
from twin.operate.inbox import Filed, Standing
from twin.parameters import Calibration
from twin.plan import Plan
from twin.recommendation import NO_EFFECT, Effect, Recommendation
from twin.state import State

_PROMISED = 20  #: replications behind the band that a promise is held to
_SHORTEST_D = 28.0
_FOLLOWED = ("schedule", "routes", "maintenance")
_DECIDED = (Standing.APPROVED, Standing.REJECTED, Standing.UNDONE)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to.

    Attributes
    ----------
    made_h, at
        The moment of the state: hours from the start of the model, and as text.
    filed
        Recommendations as they stand, the largest gain first.
    verdicts
        Of every proposal, by name.
    joint
        All that is advised, together; None where it is fewer than two.
    in_hand
        Advice that is not repeated, since it was decided on.
    """

    model: str
    made_h: float
    at: str
    filed: Sequence[Filed]
    verdicts: Mapping[str, Verdict]
    joint: Verdict | None
    in_hand: Sequence[str]
    notes: Sequence[str]
    terms: Gate


def play_round(desk: Desk, model: Network, learned: Calibration, state: State, *, seed: int,
               kinds: Sequence[str], seconds: float, budget: int, workers: int | None,
               told: Told | None = None, told_note: Callable[[str], None] = lambda text: None
               ) -> Round:
    """Propose, judge and file.

    Parameters
    ----------
    model, learned
        Before and with the calibration.
    seed
        Of the searches; that of the verdicts is made from it and the state.
    told, told_note
        Hear of the pairs that have been played, and of what is being proposed.
    """
    terms = horizon_for(desk.configuration.gate, learned.apply(model))
    notes: list[str] = []
    base = _base(desk, state.clock_h)
    stage = Stage(model, learned, state, terms.horizon, seed_of(seed, state),
                  _in_force(desk, learned.apply(model)),
                  joined([plan for _, plan in base.values()]) if base else None)
    network = stage.network()
    standing = {filed.name: filed for filed in desk.inbox(Standing.OPEN, Standing.SHADOW)
                if filed.advice.plan}
    held = {one.advice.kind: Plan.from_document(one.advice.plan) for one in standing.values()}
    proposals = propose(Ground(
        network, state, seed, terms.horizon, terms.frozen, seconds, budget, workers,
        held | {kind: plan for kind, (_, plan) in base.items()}), kinds, told_note, notes.append)
    decided = _decided(desk, state.clock_h)
    in_hand = []
    plans: dict[str, Plan] = {}
    for name, plan in proposals.items():
        known = decided.get(_draft(network, name, plan).identity)
        if known is not None:
            in_hand.append(f"{known.name} ({known.status.value}): {known.advice.title}")
        else:
            plans[name] = plan
    fresh = {plan.digest() for plan in plans.values()}
    kept = {name: Plan.from_document(one.advice.plan) for name, one in standing.items()
            if one.advice.digests["plan"] not in fresh and _fits(one, network)}
    play, measures = player(stage, workers), measures_of(network)
    verdicts = judge({**plans, **kept}, play, measures, terms, told)
    best = _best(plans, kept, standing, verdicts, terms, _prices(desk, base, terms))
    pairs = min(terms.replications, 2 * terms.block)
    names = together({name: {**plans, **kept}[name] for name in best}, play, measures[0].name,
                     pairs) if len(best) > 1 else list(best)
    notes += [f"{name}: good alone, but adds nothing to the others; left out."
              for name in best if name not in names]
    joint = judge({"together": joined([{**plans, **kept}[name] for name in names])}, play,
                  measures, terms)["together"] if len(names) > 1 else None
    heard = player(stage, workers, heard=True)
    advice = []
    for name in names:
        plan = {**plans, **kept}[name]
        before = standing[name].advice if name in kept else None
        nothing = ", ".join(("doing nothing", *(f"but for {named}, which was approved"
                                                for named, _ in base.values())))
        said = _advice(name, plan, verdicts, joint, stage, network, heard, terms, before, seed)
        advice.append(replace(said, against=nothing, digests={
            **said.digests, "stage": keep(desk.beside.parent, stage)}))
    if joint is not None:
        shared = _effects(joint, joined([{**plans, **kept}[name] for name in names]), heard, terms,
                          network)
        all_of_it = tuple(one.identity for one in advice)
        advice = [replace(one, together=all_of_it, joint=shared) for one in advice]
    filed = desk.file(advice, state.clock_h)
    at = (desk.start + timedelta(hours=state.clock_h)).isoformat()
    return Round(network.name, state.clock_h, at, filed, verdicts, joint,
                 list(dict.fromkeys(in_hand)), notes, terms)


def horizon_for(terms: Gate, network: Network) -> Gate:
    """The terms with a horizon in which the consequences of a plan can be seen.

    Examples
    --------
    >>> far = Network(sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea"}], stock=[{"site": "W", "product": "tea"}],
    ...     supply=[{"site": "S", "product": "tea", "lead_time": "10d"}],
    ...     lanes=[{"origin": "S", "destination": "W", "mode": "sea", "transit": "50d"}])
    >>> horizon_for(Gate(), far).horizon / 24.0, horizon_for(Gate(horizon="7d"), far).horizon / 24.0
    (90.0, 7.0)
    """
    from twin.optimize.policy_flow import PolicyFlow

    if terms.horizon:
        return terms
    flow = PolicyFlow(network)
    longest = max((flow.lead(node).mean for node in network.stock), default=0.0)
    days = math.ceil(max(_SHORTEST_D, 1.5 * longest / 24.0))
    return terms.model_copy(update={"horizon": 24.0 * days})


def _in_force(desk: Desk, network: Network) -> dict[str, str]:
    """Cells that were approved and that the model still holds as they were before."""
    found: dict[str, str] = {}
    for filed in desk.inbox(Standing.APPROVED):
        for action in filed.advice.actions:
            if action.verb != "set":
                continue
            try:
                today = today_of(action.target, network)
            except ModelError:
                continue  # the model has no such row any more
            if today == action.detail.get("today"):
                found[action.target] = str(action.detail["value"])
    return found


def _base(desk: Desk, now_h: float) -> dict[str, tuple[str, Plan]]:
    """Of schedules, routes and services the plan approved last, while it has something left to
    do.
    """
    found: dict[str, tuple[str, Plan]] = {}
    for filed in desk.inbox(Standing.APPROVED):
        if filed.advice.kind in _FOLLOWED and filed.advice.plan and filed.advice.made_h <= now_h:
            plan = Plan.from_document(filed.advice.plan)
            ends = [*(one.end for one in plan.operations), *(one.back for one in plan.routes),
                    *(one.start for one in plan.services)]
            plan = replace(plan, cells={}, services=tuple(
                one for one in plan.services if one.start > now_h))  # cells: see `_in_force`
            if max(ends, default=0.0) > now_h:
                found[filed.advice.kind] = (filed.name, plan)
    return found


def _prices(desk: Desk, base: Mapping[str, tuple[str, Plan]], terms: Gate) -> dict[str, float]:
    """What changing a plan that was approved has to be worth: a share of what that one was."""
    names = {name for name, _ in base.values()}
    return {filed.advice.kind: terms.change * max(0.0, -filed.advice.effects[0].mean)
            for filed in desk.inbox(Standing.APPROVED)
            if filed.name in names and filed.advice.effects}


def _decided(desk: Desk, now_h: float) -> dict[str, Filed]:
    """What somebody has decided on and that would not have expired yet, by identity."""
    return {filed.advice.identity: filed for filed in desk.inbox(*_DECIDED)
            if filed.advice.made_h <= now_h < filed.advice.expires_h}


def _fits(filed: Filed, network: Network) -> bool:
    """Whether a standing plan still names things that the model has."""
    try:
        actions_of(Plan.from_document(filed.advice.plan), network)
        network.with_cells(filed.advice.plan.get("cells", {}))
    except (KeyError, ValueError):
        return False
    return True


def _draft(network: Network, name: str, plan: Plan) -> Recommendation:
    return Recommendation(network.name, kind_of(name), actions_of(plan, network), ())


def _best(plans: Mapping[str, Plan], kept: Mapping[str, Plan], standing: Mapping[str, Filed],
          verdicts: Mapping[str, Verdict], terms: Gate,
          prices: Mapping[str, float] | None = None) -> list[str]:
    """Of each kind the plan to advise, best first.

    Parameters
    ----------
    prices
        Gain a day that a change of what was approved has to be worth, by kind.

    What stands is kept while it is a gain in the mean and is not shown to be worse; a new plan
    takes its place when it is worth more by the price of change.
    """
    kinds: dict[str, str] = {}
    for name in plans:
        kind = kind_of(name)
        if verdicts[name].passes and verdicts[name].gain >= max(
                terms.worth, (prices or {}).get(kind, 0.0)):
            if kind not in kinds or verdicts[name].gain > verdicts[kinds[kind]].gain:
                kinds[kind] = name
    for name in kept:
        kind, old = standing[name].advice.kind, verdicts[name]
        if old.gain <= 0.0 or old.harms:
            continue
        fresh = kinds.get(kind)
        if fresh is None or verdicts[fresh].gain <= old.gain * (1.0 + terms.change):
            kinds[kind] = name
    return sorted(kinds.values(), key=lambda name: (-verdicts[name].gain, name))


def _advice(name: str, plan: Plan, verdicts: Mapping[str, Verdict], joint: Verdict | None,
            stage: Stage, network: Network, heard: Play, terms: Gate,
            before: Recommendation | None, seed: int) -> Recommendation:
    """The recommendation of a plan that has passed."""
    found, now = verdicts[name], stage.state.clock_h
    kind = before.kind if before is not None else kind_of(name)
    effects = _effects(found, plan, heard, terms, network)
    days = terms.horizon / 24.0
    rival, told = _runner_up(name, kind, verdicts, network.currency, days)
    reasons = [f"{one.subject}: {one.message}" for one in plan.answer.reasons
               if one.kind == "binding"][:3]
    if told:
        reasons.append(told)
    if joint is not None:
        reasons.append("with the others of this round: "
                       + in_words(joint.effects[0], network.currency, days)
                       + "; what is approved of them is held to its promise together")
    return Recommendation(
        network.name, kind, before.actions if before is not None
        else with_standing(actions_of(plan, network), stage.state), effects, tuple(reasons),
        runner_up=rival, made_h=now, expires_h=now + terms.expires,
        horizon_h=terms.horizon, seed=stage.seed, replications=found.pairs,
        digests={"model": network_digest(stage.model), "calibration": stage.learned.digest(),
                 "state": stage.state.digest(), "plan": plan.digest(), "search": str(seed)},
        plan=_plain(plan.document()))


def _effects(found: Verdict, plan: Plan, heard: Play, terms: Gate, network: Network
             ) -> tuple[Effect, ...]:
    """What the verdict saw, and what events are to tell if the plan is followed."""
    unseen = range(terms.replications, terms.replications + _PROMISED)  # by the verdict
    played = heard([Trial(plan, run) for run in unseen])
    promised = [_promised(measure, [one[measure.name] for one in played]) for measure in (
        Measure(HEARD_COST, f"{network.currency}/d"), Measure(HEARD_OTIF, "share", False))]
    return tuple(effect for effect in (*found.effects, *promised)
                 if effect.expected == effect.expected)


def _plain(value: Any) -> Any:
    """As it comes back from JSON, without how long the search took."""
    import json

    document = json.loads(json.dumps(value))
    document["answer"] = {**document["answer"], "seconds": 0.0, "progress": []}
    return document


def _promised(measure: Measure, values: Sequence[float]) -> Effect:
    there = [value for value in values if value == value]
    mean = sum(there) / len(there) if there else float("nan")
    return Effect(measure.name, measure.unit, 0.0, 0.0, 0.0, 0.5, NO_EFFECT, mean, band_of(there))


def _runner_up(name: str, kind: str, verdicts: Mapping[str, Verdict], currency: str,
               days: float) -> tuple[str, str]:
    """The next best of the same kind, and why it is not advised."""
    others = [other for other in verdicts if other != name and kind_of(other) == kind]
    if not others:
        return "", ""
    rival = max(others, key=lambda other: verdicts[other].gain)
    why = against(verdicts[rival], currency, days)
    return rival, f"not {rival.partition(': ')[2] or rival}, since it {why}"
