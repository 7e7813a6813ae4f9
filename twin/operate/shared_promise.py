"""Promises of advice that was taken together.

What is approved from one round acts at once: each would be held to what the whole saved if it were
held alone. So those that were taken of a round share one promise. If all were, it is what the gate
saw when it played them jointly; if some, their gains are added up. What they save is split among
them as the gains that they were promised alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twin.operate.inbox import Filed
from twin.recommendation import Effect, Recommendation

COST = "heard_cost"


@dataclass(frozen=True, slots=True)
class Held:
    """What one recommendation is held to.

    Attributes
    ----------
    effects
        Money first, then the KPIs that events tell, of all that were taken together.
    share
        Its part of the gain of them all; 1 if it was taken alone.
    """

    effects: tuple[Effect, ...]
    share: float = 1.0


def held_to(one: Filed, taken: Sequence[Filed]) -> Held:
    """The promise that a recommendation is held to.

    Parameters
    ----------
    taken
        Everything that was taken, this one among it.
    """
    advice = one.advice
    group = [other for other in taken if other.advice.together and
             (other.advice.together, other.advice.made_h) == (advice.together, advice.made_h)]
    if len(group) < 2:
        return Held(advice.effects)
    share = _share(advice, [other.advice for other in group])
    if {other.advice.identity for other in group} == set(advice.together):
        return Held(advice.joint, share)
    return Held(_added([other.advice for other in group]), share)


def _share(advice: Recommendation, group: Sequence[Recommendation]) -> float:
    """Its part of the gains that were promised alone; equal parts if none was."""
    gains = [max(0.0, -other.effects[0].mean) for other in group]
    whole = sum(gains)
    return max(0.0, -advice.effects[0].mean) / whole if whole > 0.0 else 1.0 / len(group)


def _added(group: Sequence[Recommendation]) -> tuple[Effect, ...]:
    """Gains added up; what cost as heard is expected is that of the first, less the others'."""
    first, *others = group
    money = first.effects[0]
    more = sum(other.effects[0].mean for other in others)
    wider = [(other.effects[0].low, other.effects[0].high) for other in others]
    added = replace(money, mean=money.mean + more, low=money.low + sum(low for low, _ in wider),
                    high=money.high + sum(high for _, high in wider))
    cost = [replace(effect, expected=effect.expected + more,
                    band=(effect.band[0] + more, effect.band[1] + more))
            for effect in first.effects if effect.kpi == COST]
    return (added, *cost)
