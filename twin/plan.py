"""A plan: what the optimiser proposes, as an answer with bound and reasons, and as things to do.

A plan is a document: it can be opened, compared, pushed, and followed by the simulation. Times are
hours from the start of the model, on the same clock as a state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, cast


class Status(StrEnum):
    """How an answer stands. Each is an answer; none is an error."""

    OPTIMAL = "optimal"  #: no better one exists
    FEASIBLE = "feasible"  #: the best found when the work or the time was used up
    INFEASIBLE = "infeasible"  #: no plan can keep all requirements; the reasons name which
    UNKNOWN = "unknown"  #: nothing found and nothing proved; the incumbent, if any, stands


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a plan is as it is.

    Attributes
    ----------
    kind
        ``binding`` (a requirement that costs something), ``why_not`` (something that was left
        out or late), ``conflict`` (one of a smallest set that cannot hold together), ``moved``
        (something that is elsewhere in the plan in force).
    subject
        What it is about, as the planner names it.
    message
        In the planner's words.
    price
        What one unit less of the requirement would save, if known; in the unit of the objective.
    """

    kind: str
    subject: str
    message: str
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Incumbent and bound at one moment of the search; of one engine, if it is named."""

    seconds: float
    objective: float | None
    bound: float | None = None
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The optimiser's word on a plan.

    Attributes
    ----------
    status, objective, bound
        The bound is from below (costs are minimised); None where none is known.
    unit
        Of objective and bound: the model's currency, h, km ...
    engine
        Who found it.
    seconds, work
        Wall time, and deterministic work (solver's units, iterations).
    stopped_by
        ``proof``, ``work``, ``wall`` (the guard) or ``asked``: a plan stopped by ``wall`` may
        differ on another machine.
    start
        Objective of what the search started from, such as the best dispatch rule.
    """

    status: Status
    objective: float | None = None
    bound: float | None = None
    unit: str = ""
    engine: str = ""
    seconds: float = 0.0
    work: float = 0.0
    stopped_by: str = "proof"
    start: float | None = None
    progress: tuple[Progress, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None where one is missing.

        Examples
        --------
        >>> Answer(Status.FEASIBLE, objective=100.0, bound=98.0).gap
        0.02
        """
        if self.objective is None or self.bound is None or self.objective == 0.0:
            return None
        return (self.objective - self.bound) / abs(self.objective)


@dataclass(frozen=True, slots=True)
class Operation:
    """A step of a lot on a machine."""

    site: str
    machine: str
    group: str
    product: str
    order: int
    lot: int
    step: int
    start: float
    end: float
    setup: float = 0.0  #: hours before `start` in which the machine is set up
    quantity: float = 0.0
    started: bool = False  #: it runs already: frozen


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop of a route. Quantities are by order: (order, product, units); negative: picked up."""

    site: str
    arrive: float
    start: float  #: of the service, after waiting for a window
    leave: float
    drops: tuple[tuple[int, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A trip of a truck through several stops, from and back to its depot."""

    truck: str
    depot: str
    depart: float
    back: float
    visits: tuple[Visit, ...]
    km: float = 0.0
    cost: float = 0.0
    co2e_kg: float = 0.0


#: What hurrying an order costs, as a multiple of its freight (at least of this share of its value).
HURRY, HURRY_VALUE = 2.0, 0.01


@dataclass(frozen=True, slots=True)
class Order:
    """An order to place, move or drop: replenishment, transfer, expedite.

    Attributes
    ----------
    verb
        ``order``, ``expedite``, ``defer``, ``cancel``, ``increase``, ``decrease``, ``transfer``.
    order
        The open order that it changes; 0 for a new one.
    """

    verb: str
    site: str
    product: str
    quantity: float
    when: float
    source: str = ""
    mode: str = ""
    due: float | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """A preventive service of a machine."""

    asset: str
    cause: str
    start: float
    end: float
    crew: str = ""
    spare: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, and the answer that says how good it is.

    Attributes
    ----------
    kind
        ``schedule``, ``routes``, ``replenishment``, ``allocation``, ``maintenance`` or ``all``.
    model, made_h
        For which chain, made at which moment.
    holds_h
        Hours from then in which its orders stand instead of those of the shelves' policies.
    holds
        The shelves (site, product) of which that is said; none: all.
    cells
        New values of table cells (such as reorder points), as a planner would write them.
    state_digest
        Of the state it was made from.

    Examples
    --------
    >>> plan = Plan("replenishment", "harbour", 24.0, Answer(Status.OPTIMAL, 10.0, 10.0, "EUR"),
    ...             orders=(Order("order", "juicery", "bottles", 400.0, 24.0, "glassworks"),))
    >>> Plan.from_document(plan.document()) == plan
    True
    """

    kind: str
    model: str
    made_h: float
    answer: Answer
    operations: tuple[Operation, ...] = ()
    routes: tuple[Route, ...] = ()
    orders: tuple[Order, ...] = ()
    services: tuple[Service, ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    state_digest: str = ""
    holds_h: float = 0.0
    holds: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        """The plan as a mapping of plain values."""
        return asdict(self)

    @classmethod
    def from_document(cls, values: Mapping[str, Any]) -> Plan:
        """The plan that a mapping says.

        Raises
        ------
        ValueError
            If it is no plan.
        """
        try:
            return cast("Plan", _built(cls, values))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not a plan: {error}. Write one with `twin optimize`.") from None

    def digest(self) -> str:
        """A fingerprint of what it says to do: how long the search took does not count."""
        said = {name: value for name, value in self.document().items() if name != "answer"}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def write(self, path: Path | str) -> None:
        """Write the plan as JSON."""
        Path(path).write_text(json.dumps(self.document(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path | str) -> Plan:
        """Read a plan written by `write`."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not a plan: {error}. Write one with `twin optimize`."
                             ) from None
        return cls.from_document(values)


_PARTS: dict[str, type] = {"operations": Operation, "routes": Route, "orders": Order,
                           "services": Service, "visits": Visit, "progress": Progress,
                           "reasons": Reason}


def _built(cls: Any, values: Mapping[str, Any]) -> Any:
    """A record from plain values, parts first."""
    known = {one.name for one in fields(cls)}
    strange = sorted(set(values) - known)
    if strange:
        raise ValueError(f"{cls.__name__.lower()} has no '{strange[0]}'")
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name in _PARTS:
            made[name] = tuple(_built(_PARTS[name], part) for part in value)
        elif name == "answer":
            made[name] = _built(Answer, value)
        elif name == "status":
            made[name] = Status(value)
        elif name == "holds":
            made[name] = tuple((str(site), str(product)) for site, product in value)
        elif name == "drops":
            made[name] = tuple((int(order), str(product), float(units))
                               for order, product, units in value)
        else:
            made[name] = value
    return cls(**made)
