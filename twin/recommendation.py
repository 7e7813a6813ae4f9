"""A recommendation: what to do, what it is worth against doing nothing, and for how long.

It is a document: what stands in it when it is made is what a person approves and what it is held
to afterwards. Times are hours from the start of the model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

#: The verbs of actions, as the field says them.
VERBS = ("order", "expedite", "defer", "cancel", "increase", "decrease", "move", "transfer",
         "reroute", "service", "set")
#: Verbs of plans that are advised as a whole: their targets do not tell one advice from another.
_WHOLE = ("move", "reroute", "set")
BETTER, WORSE, NO_EFFECT = "better", "worse", "no effect shown"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes
    ----------
    verb
        One of `VERBS`.
    target
        What it is done to: ``north_dc/juice``, a machine, a truck, a cell of a table.
    quantity, unit
        How much; the unit is that of the product, or hours.
    when_h
        When it has to be done.
    value
        Money that it moves, in the model's currency.
    detail
        The part of the plan that it carries out, as plain values.
    """

    verb: str
    target: str
    quantity: float = 0.0
    unit: str = "units"
    when_h: float = 0.0
    value: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verb not in VERBS:
            raise ValueError(f"verb '{self.verb}' is unknown. Use one of {', '.join(VERBS)}.")

    def sentence(self) -> str:
        """The action in words.

        Examples
        --------
        >>> Action("order", "north_dc/juice", 40.0, detail={"source": "juicery"}).sentence()
        'order 40 units of north_dc/juice from juicery'
        >>> Action("service", "bottling_line", 2.0, "h").sentence()
        'service bottling_line for 2 h'
        >>> Action("move", "mixer_old", 40.0, detail={"product": "juice", "lot": 7}).sentence()
        'move 40 units of juice (lot 7) to mixer_old'
        >>> Action("reroute", "reefer#1", detail={"stops": ["north_dc", "south_dc"]}).sentence()
        'reroute reefer#1 by north_dc, south_dc'
        """
        source = self.detail.get("source")
        mode = self.detail.get("mode")
        amount = f"{self.quantity:g} {self.unit}"
        if self.verb == "service":
            text = f"service {self.target} for {amount}"
        elif self.verb == "set":
            text = f"set {self.target} to {self.detail.get('value', self.quantity)}"
        elif self.verb == "move" and "product" in self.detail:
            text = (f"move {amount} of {self.detail['product']} (lot {self.detail.get('lot')}) to "
                    f"{self.target}")
        elif self.verb == "reroute" and self.detail.get("stops"):
            text = f"reroute {self.target} by {', '.join(self.detail['stops'])}"
        elif self.quantity:
            text = f"{self.verb} {amount} of {self.target}"
        else:
            text = f"{self.verb} {self.target}"
        return text + (f" from {source}" if source else "") + (f" by {mode}" if mode else "")


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action does to a KPI, against doing nothing on the same luck.

    Attributes
    ----------
    mean, low, high
        Of the paired difference, with its interval; in the unit of the KPI.
    chance
        P(better): of the replications that saw a difference, how likely a gain is.
    band
        The 80 % band of the KPI itself if the action is taken: what it is held to.
    """

    kpi: str
    unit: str
    mean: float
    low: float
    high: float
    chance: float
    verdict: str
    expected: float
    band: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the twin advises.

    Attributes
    ----------
    kind
        Of the plan: replenishment, transfers, schedule, routes, maintenance, expedite.
    effects
        Money first.
    reasons
        Binding constraints, and why not the runner-up, in words.
    against
        What it was compared with.
    made_h, expires_h
        After it expires the state has moved on, and it must not be approved.
    horizon_h
        Over which the effects were counted.
    seed, replications
        Of the verdict; the search saw other seeds.
    digests
        Of model, calibration, state and plan: what reproduces it.
    plan
        The plan behind it, as a document, so that it can be played again later.
    together, joint
        Identities of all that was advised in its round, if it was more than this, and the effects
        of doing all of it: what those that are approved together are held to.

    Examples
    --------
    >>> advice = Recommendation("harbour", "replenishment",
    ...     (Action("order", "north_dc/juice", 40.0, detail={"source": "juicery"}),),
    ...     (Effect("total_cost", "EUR/d", -12.0, -15.0, -9.0, 0.99, "better", 900.0,
    ...             (800.0, 990.0)),),
    ...     made_h=24.0, expires_h=48.0)
    >>> advice.title, advice.verdict
    ('order 40 units of north_dc/juice from juicery', 'better')
    >>> Recommendation.from_document(advice.document()) == advice
    True
    """

    model: str
    kind: str
    actions: tuple[Action, ...]
    effects: tuple[Effect, ...]
    reasons: tuple[str, ...] = ()
    against: str = "doing nothing"
    runner_up: str = ""
    made_h: float = 0.0
    expires_h: float = 0.0
    horizon_h: float = 0.0
    seed: int = 0
    replications: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    together: tuple[str, ...] = ()
    joint: tuple[Effect, ...] = ()

    def __post_init__(self) -> None:
        if not self.actions:
            raise ValueError("a recommendation without an action recommends nothing.")

    @property
    def title(self) -> str:
        """The first action in words, and how many more there are."""
        more = len(self.actions) - 1
        return self.actions[0].sentence() + (f" and {more} more" if more else "")

    @property
    def verdict(self) -> str:
        """The verdict on money."""
        return self.effects[0].verdict if self.effects else NO_EFFECT

    @property
    def value(self) -> float:
        """Money that all actions move."""
        return sum(abs(action.value) for action in self.actions)

    @property
    def identity(self) -> str:
        """What makes two recommendations the same advice at two moments: kind, verbs, targets.

        Policies, schedules and routes are advised as a whole, whatever their targets.
        """
        said = sorted({(action.verb, "" if action.verb in _WHOLE else action.target,
                        "" if action.verb in _WHOLE else str(action.detail.get("source", "")))
                       for action in self.actions})
        return hashlib.sha256(json.dumps([self.model, self.kind, said]).encode()).hexdigest()

    def content(self) -> str:
        """A fingerprint of what to do: of equal content, nothing has changed for who must do it."""
        said = [[a.verb, a.target, round(a.quantity, 6), a.unit, round(a.when_h, 3),
                 dict(a.detail)] for a in self.actions]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """The recommendation as a mapping of plain values."""
        return asdict(self)

    @classmethod
    def from_document(cls, values: Mapping[str, Any]) -> Recommendation:
        """The recommendation that a mapping says.

        Raises
        ------
        ValueError
            If it is none.
        """
        try:
            known = {one.name for one in fields(cls)}
            strange = sorted(set(values) - known)
            if strange:
                raise ValueError(f"'{strange[0]}' is unknown")
            made = dict(values)
            made["actions"] = tuple(Action(**action) for action in values["actions"])
            for name in ("effects", "joint"):
                made[name] = tuple(Effect(**{**effect, "band": tuple(effect["band"])})
                                   for effect in values.get(name, ()))
            made["together"] = tuple(values.get("together", ()))
            made["reasons"] = tuple(values.get("reasons", ()))
            return cls(**made)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a recommendation: {error}.") from None
