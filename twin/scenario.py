"""What-ifs: a scenario is a few events on a time line, each addressing its targets by name.

An event's targets are names or shell patterns (``north_*``, ``*``), one or a list. Places with
two parts are written ``site/group``, ``site/area``; a lane is ``origin:destination:mode``.
Instead of a site one may write its kind (``@port``, ``@customer``), instead of a mode
``@carrier`` (lanes without a fleet) or ``@fleet``, and anywhere ``@first``, the first in the
model: `twin.targets` turns these into names of a given model.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from twin.clock import parse_duration
from twin.document import read_document

#: What a scenario may need of a model, in words. `twin.targets` holds the test of each.
NEEDS = {
    "demand": "demand rows: customers who order again and again",
    "regions": "customers in at least one region (sites.region or demand.region)",
    "lane": "a lane",
    "carrier_lane": "a lane without a fleet, with its own transit time",
    "customer_lane": "a lane that ends at a customer",
    "fleet": "lanes that own trucks drive",
    "refrigerated_fleet": "refrigerated trucks, or storage areas that hold a range of temperature",
    "port": "a port: a site of kind port that some lane starts at, passes or ends at",
    "supplier": "a site with supply rows",
    "production": "a supplier with a capacity, or a plant with machines",
    "operations": "routings of a plant",
    "machines": "machines",
    "storage_area": "storage areas with a capacity",
    "stock_policy": "stock rows with a replenishment policy",
    "reorder_point": "stock rows with a reorder point or an order-up-to level",
    "several_sources": "a stocked product that at least two places could send",
}


class ScenarioError(ValueError):
    """A scenario that cannot be used; `problems` holds one message each."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


def _hours(value: object) -> object:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool):
        raise ValueError(f"'{value}' is not a duration. Write a duration such as '2d 4h'.")
    return value


def _names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Hours = Annotated[float, BeforeValidator(_hours), Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
#: Names or shell patterns, one or a list.
Names = Annotated[tuple[Name, ...], BeforeValidator(_names), Field(min_length=1)]
#: The same where leaving them out means none.
SomeNames = Annotated[tuple[Name, ...], BeforeValidator(_names)]
EVERY = ("*",)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is one of the targets.

    Examples
    --------
    >>> matches("port:juicery:truck", ["*:juicery:*"])
    True
    """
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class _Event(BaseModel):
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


class Demand(_Event):
    """Customers order `factor` times as much."""

    type: Literal["demand"] = "demand"
    sites: Names = EVERY
    products: Names = EVERY
    regions: Names = EVERY
    streams: Names = EVERY
    factor: Number


class Transit(_Event):
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


class Closure(_Event):
    """No departure on a closed lane, or from, into or via a closed site; arrivals wait."""

    type: Literal["closure"] = "closure"
    lanes: SomeNames = ()
    sites: SomeNames = ()

    @model_validator(mode="after")
    def _target(self) -> Self:
        return self._some("lanes", "sites")


class Outage(_Event):
    """A supplier makes nothing ready; orders wait for its recovery."""

    type: Literal["outage"] = "outage"
    suppliers: Names = EVERY
    products: Names = EVERY


class Capacity(_Event):
    """Capacity times `factor`: of suppliers and plants (`sites`), `groups`, `storage` areas."""

    type: Literal["capacity"] = "capacity"
    sites: SomeNames = ()
    groups: SomeNames = ()
    storage: SomeNames = ()
    factor: Number

    @model_validator(mode="after")
    def _target(self) -> Self:
        return self._some("sites", "groups", "storage")


class Breakdown(_Event):
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


class Slowdown(_Event):
    """Machines work at `factor` of their speed."""

    type: Literal["slowdown"] = "slowdown"
    machines: Names = EVERY
    factor: Positive


class Quality(_Event):
    """Operations of a plant yield `yield_factor` of the good units they gave before."""

    type: Literal["quality"] = "quality"
    sites: Names = EVERY
    products: Names = EVERY
    yield_factor: Share


class Refrigeration(_Event):
    """Cooling fails in trucks or storage areas (`site/area`): chilled goods warm up."""

    type: Literal["refrigeration"] = "refrigeration"
    trucks: SomeNames = ()
    areas: SomeNames = ()

    @model_validator(mode="after")
    def _target(self) -> Self:
        return self._some("trucks", "areas")


class FuelPrice(_Event):
    """The cost per kilometre of trucks that burn the fuel is multiplied."""

    type: Literal["fuel_price"] = "fuel_price"
    fuels: Names = EVERY
    factor: Number


class Visibility(_Event):
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


class Expedite(_Event):
    """Response: lanes take `factor` of their time at `cost_factor` of their cost."""

    type: Literal["expedite"] = "expedite"
    lanes: Names = EVERY
    factor: Number = 0.5
    cost_factor: Number = 2.0


class ExtraTrucks(_Event):
    """Response: `units` more of each matching truck at matching homes."""

    type: Literal["extra_trucks"] = "extra_trucks"
    home: Names = EVERY
    truck: Names = EVERY
    units: Annotated[int, Field(ge=1, le=10_000)] = 1


class AlternateSource(_Event):
    """Response: matching shelves order elsewhere.

    `source` is a site, a sourcing rule (cheapest, fastest, in_stock, split), or `other`: the
    fastest source but the usual one.
    """

    type: Literal["alternate_source"] = "alternate_source"
    sites: Names = EVERY
    products: Names = EVERY
    source: Name = "other"


class Policy(_Event):
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
EVENTS: dict[str, type[_Event]] = {
    cls.model_fields["type"].default: cls
    for cls in (Demand, Transit, Closure, Outage, Capacity, Breakdown, Slowdown, Quality,
                Refrigeration, FuelPrice, Visibility, Expedite, ExtraTrucks, AlternateSource,
                Policy)
}


class Scenario(BaseModel):
    """A what-if: what it means, what it needs of a model, and its events by name.

    `settings` are table cells (``lanes[A,B,sea].transit``) that the scenario replaces before
    the run.

    Examples
    --------
    >>> spike = Scenario(name="spike", events={"more": {"type": "demand", "factor": 1.5}})
    >>> late = Scenario(name="late", events={"delay": {"type": "transit", "add": "3d"}})
    >>> both = spike + late
    >>> both.name, list(both.events), both.events["delay"].add
    ('spike+late', ['more', 'delay'], 72.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    title: str = ""
    means: str = ""
    needs: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    events: dict[Name, Event] = Field(default_factory=dict)
    settings: dict[str, str | float] = Field(default_factory=dict)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ScenarioError(_explain(error, values)) from None

    @field_validator("needs")
    @classmethod
    def _known(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for word in needs:
            if word not in NEEDS:
                raise ValueError(f"'{word}' is unknown. {_options(word, NEEDS)}")
        return needs

    @classmethod
    def baseline(cls) -> Scenario:
        """The chain as it is."""
        return cls(name="baseline", title="Baseline", means="The chain as it is.")

    @classmethod
    def from_file(cls, path: Path | str) -> Scenario:
        """Read ``NAME.yaml``; the name of the file is the name of the scenario.

        Raises
        ------
        ScenarioError
            With every problem of the document, each with its key, value and remedy.
        """
        return cls.from_document(Path(path).stem, read_document(path))

    @classmethod
    def from_document(cls, name: str, values: Mapping[str, Any]) -> Scenario:
        """The scenario that a mapping of title, means, needs, events, settings says."""
        if "name" in values:
            raise ScenarioError(f"scenario {name}: name: leave it out; the file's name is used.")
        return cls(name=name, **{str(key): value for key, value in values.items()})

    def document(self) -> dict[str, Any]:
        """The mapping to write to a file: what differs from the defaults, durations in hours."""
        events = {
            key: {"type": event.type} | event.model_dump(mode="json", exclude_defaults=True)
            for key, event in self.events.items()
        }
        parts = {"title": self.title, "means": self.means, "needs": list(self.needs),
                 "events": events, "settings": dict(self.settings)}
        return {key: part for key, part in parts.items() if part}

    def __add__(self, other: Scenario) -> Scenario:
        """Both at once."""
        if not (other.events or other.settings):
            return self
        if not (self.events or self.settings):
            return other
        for mine, theirs, what in ((self.events, other.events, "event"),
                                   (self.settings, other.settings, "setting")):
            for key in mine:
                if key in theirs:
                    raise ScenarioError(f"scenarios {self.name} and {other.name} both have the "
                                        f"{what} '{key}'. Rename it in one of them, or leave one "
                                        "out.")
        return Scenario(
            name=f"{self.name}+{other.name}",
            title=" + ".join(s.title or s.name for s in (self, other)),
            means=" ".join(s.means for s in (self, other) if s.means),
            needs=tuple(dict.fromkeys(self.needs + other.needs)),
            events={**self.events, **other.events},
            settings={**self.settings, **other.settings},
        )


def _explain(error: ValidationError, values: Mapping[str, Any]) -> list[str]:
    """Pydantic's errors as sentences: where, the value, the remedy."""
    name = values.get("name", "?")
    return [f"scenario {name}: {_sentence(dict(one), values)}" for one in error.errors()]


def _sentence(error: dict[str, Any], values: Mapping[str, Any]) -> str:
    loc = [str(part) for part in error["loc"]]
    model: type[BaseModel] = Scenario
    if len(loc) > 2 and loc[0] == "events" and loc[2] in EVENTS:
        model = EVENTS[loc[2]]
        del loc[2]
    where, kind = ".".join(loc), error["type"]
    context = error.get("ctx", {})
    shown = f"'{str(error['input'])[:60]}'"
    if kind == "extra_forbidden":
        known = [key for key in model.model_fields if key not in ("type", "name")]
        return f"{where}: unknown key; {_options(loc[-1], known)}"
    if kind == "union_tag_not_found":
        return f"{where}: has no type. Write one of {', '.join(EVENTS)}."
    if kind == "union_tag_invalid":
        tag = str(context.get("tag"))
        return f"{where}.type: '{tag}' is unknown. {_options(tag, EVENTS)}"
    if kind == "missing":
        return f"{where}: is missing. Write it, such as '{loc[-1]}: {_example(loc[-1])}'."
    if kind == "value_error":
        return f"{where}: {context['error']}"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal"):
        return f"{where}: {shown} is out of range. {error['msg'].replace('Input should be', 'Write a number')}."
    if kind in _WANTED:
        return f"{where}: {shown} is not {_WANTED[kind]}. Write {_WANTED[kind]}."
    return f"{where}: {shown} does not fit. {error['msg'].replace('Input should be', 'Write')}."


_WANTED = {
    "tuple_type": "a name or a list of names", "string_type": "text",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "bool_parsing": "true or false", "bool_type": "true or false",
    "dict_type": "a mapping of 'key: value' lines", "model_attributes_type": "an event",
}


def _options(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, 1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"{hint}There are {', '.join(names)}."


def _example(field: str) -> str:
    return {"factor": "1.5", "yield_factor": "0.8", "mode": "batch_reporting"}.get(field, "...")
