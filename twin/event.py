"""The events of a scenario: what happens to a chain, when, and to whom.

An event's targets are names or shell patterns (``north_*``, ``*``), one or a list. Places with
two parts are written ``site/group``, ``site/area``; a lane is ``origin:destination:mode``.
Instead of a site one may write its kind (``@port``, ``@customer``), instead of a mode
``@carrier`` (lanes without a fleet) or ``@fleet``, and anywhere ``@first``, the first in the
model: `twin.targets` turns these into names of a given model.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from twin.clock import parse_duration


def hours(value: object) -> object:
    """A duration written as text, in hours."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool):
        raise ValueError(f"'{value}' is not a duration. Write a duration such as '2d 4h'.")
    return value


def names(value: object) -> object:
    """One name or a list, as a tuple."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Hours = Annotated[float, BeforeValidator(hours), Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
#: Names or shell patterns, one or a list.
Names = Annotated[tuple[Name, ...], BeforeValidator(names), Field(min_length=1)]
#: The same where leaving them out means none.
SomeNames = Annotated[tuple[Name, ...], BeforeValidator(names)]
EVERY = ("*",)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is one of the targets.

    Examples
    --------
    >>> matches("port:juicery:truck", ["*:juicery:*"])
    True
    """
    return any(pattern in ("*", name) or fnmatchcase(name, pattern) for pattern in patterns)


class Happening(BaseModel):
    """What every event has: when it starts and how long it lasts (blank: to the end)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Hours = 0.0
    duration: Hours | None = None

    @property
    def end(self) -> float | None:
        """Hours after the start of the run when it is over; None when it never is."""
        return None if self.duration is None else self.start + self.duration

    def _some(self, *fields: str) -> Self:
        if not any(getattr(self, field) for field in fields):
            raise ValueError(f"names nothing. Write {' or '.join(fields)}.")
        return self


class Demand(Happening):
    """Customers order `factor` times as much."""

    type: Literal["demand"] = "demand"
    sites: Names = EVERY
    products: Names = EVERY
    regions: Names = EVERY
    streams: Names = EVERY
    factor: Number


class Transit(Happening):
    """Shipments take `factor` times as long plus `add`; those under way too if `in_transit`."""

    type: Literal["transit"] = "transit"
    origins: Names = EVERY
    destinations: Names = EVERY
    modes: Names = EVERY
    add: Hours = 0.0
    factor: Number = 1.0
    in_transit: bool = True

    @model_validator(mode="after")
    def _changes(self) -> Self:
        if self.add == 0 and self.factor == 1:
            raise ValueError("changes nothing. Write add (a duration) or factor.")
        return self


class Closure(Happening):
    """No departure on a closed lane, or from, into or via a closed site; arrivals wait."""

    type: Literal["closure"] = "closure"
    lanes: SomeNames = ()
    sites: SomeNames = ()

    @model_validator(mode="after")
    def _target(self) -> Self:
        return self._some("lanes", "sites")


class Outage(Happening):
    """A supplier makes nothing ready; orders wait for its recovery."""

    type: Literal["outage"] = "outage"
    suppliers: Names = EVERY
    products: Names = EVERY


class Capacity(Happening):
    """Capacity times `factor`: of whole `sites` (supply, work centres, storage), or of `groups`
    (`site/group`) or `storage` areas (`site/area`) alone.
    """

    type: Literal["capacity"] = "capacity"
    sites: SomeNames = ()
    groups: SomeNames = ()
    storage: SomeNames = ()
    factor: Number

    @model_validator(mode="after")
    def _target(self) -> Self:
        return self._some("sites", "groups", "storage")


class Breakdown(Happening):
    """Machines stop at `start`, whatever they do, and are repaired after `repair`."""

    type: Literal["breakdown"] = "breakdown"
    machines: Names = EVERY
    repair: Hours = 24.0

    @field_validator("duration")
    @classmethod
    def _no_duration(cls, value: float | None) -> float | None:
        if value is not None:
            raise ValueError("a breakdown ends with its repair. Write repair instead.")
        return value


class Slowdown(Happening):
    """Machines work at `factor` of their speed."""

    type: Literal["slowdown"] = "slowdown"
    machines: Names = EVERY
    factor: Positive


class Quality(Happening):
    """Operations of a plant yield `yield_factor` of the good units they gave before."""

    type: Literal["quality"] = "quality"
    sites: Names = EVERY
    products: Names = EVERY
    yield_factor: Share


class Refrigeration(Happening):
    """Cooling fails in trucks or storage areas (`site/area`): chilled goods warm up."""

    type: Literal["refrigeration"] = "refrigeration"
    trucks: SomeNames = ()
    areas: SomeNames = ()

    @model_validator(mode="after")
    def _target(self) -> Self:
        return self._some("trucks", "areas")


class FuelPrice(Happening):
    """The cost per kilometre of trucks that burn the fuel is multiplied."""

    type: Literal["fuel_price"] = "fuel_price"
    fuels: Names = EVERY
    factor: Number


class Visibility(Happening):
    """How well sites know their own stock.

    `real_time`: at once and exactly. `batch_reporting`: `delay` late (1 d if blank), counted
    every `count_period`, each movement misrecorded by a relative `error`. `lost_visibility`:
    nothing that happens is recorded until it ends.
    """

    type: Literal["visibility"] = "visibility"
    sites: Names = EVERY
    mode: Literal["real_time", "batch_reporting", "lost_visibility"]
    delay: Hours | None = None
    count_period: Hours | None = None
    error: Number | None = None

    @model_validator(mode="after")
    def _batch_only(self) -> Self:
        given = [f for f in ("delay", "count_period", "error") if getattr(self, f) is not None]
        if given and self.mode != "batch_reporting":
            raise ValueError(f"{given[0]} goes with mode batch_reporting, not {self.mode}."
                             f" Leave it out.")
        return self


class Expedite(Happening):
    """Response: lanes take `factor` of their time at `cost_factor` of their cost."""

    type: Literal["expedite"] = "expedite"
    lanes: Names = EVERY
    factor: Number = 0.5
    cost_factor: Number = 2.0


class ExtraTrucks(Happening):
    """Response: `units` more of each matching truck at matching homes."""

    type: Literal["extra_trucks"] = "extra_trucks"
    home: Names = EVERY
    truck: Names = EVERY
    units: Annotated[int, Field(ge=1, le=10_000)] = 1


class AlternateSource(Happening):
    """Response: matching shelves order elsewhere.

    `source` is a site, a sourcing rule (cheapest, fastest, in_stock, split), or `other`: the
    fastest source but the usual one.
    """

    type: Literal["alternate_source"] = "alternate_source"
    sites: Names = EVERY
    products: Names = EVERY
    source: Name = "other"


class Policy(Happening):
    """Response: other replenishment settings, first replaced, then multiplied."""

    type: Literal["policy"] = "policy"
    sites: Names = EVERY
    products: Names = EVERY
    reorder_point_factor: Number = 1.0
    order_up_to_factor: Number = 1.0
    reorder_point: Annotated[float, Field(allow_inf_nan=False)] | None = None
    order_up_to: Number | None = None
    order_quantity: Positive | None = None
    safety_stock: Number | None = None


Event = Annotated[
    Demand | Transit | Closure | Outage | Capacity | Breakdown | Slowdown | Quality
    | Refrigeration | FuelPrice | Visibility | Expedite | ExtraTrucks | AlternateSource | Policy,
    Field(discriminator="type"),
]

#: Event type -> class.
EVENTS: dict[str, type[Happening]] = {
    cls.model_fields["type"].default: cls
    for cls in (Demand, Transit, Closure, Outage, Capacity, Breakdown, Slowdown, Quality,
                Refrigeration, FuelPrice, Visibility, Expedite, ExtraTrucks, AlternateSource,
                Policy)
}
