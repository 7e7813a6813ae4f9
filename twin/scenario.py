"""What-ifs: a scenario is a few events on a time line, and says what it means and needs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from twin.document import read_document
from twin.event import EVENTS, Event, Name, matches, names

__all__ = ["EVENTS", "NEEDS", "Scenario", "ScenarioError", "matches"]

#: What a scenario may need of a model, in words. `twin.targets` holds the test of each.
NEEDS = {
    "demand": "demand rows: customers who order again and again",
    "regions": "customers in at least one region (sites.region or demand.region)",
    "lane": "a lane",
    "carrier_lane": "a lane without a fleet, with its own transit time",
    "customer_lane": "a lane that ends at a customer",
    "fleet": "lanes that own trucks drive",
    "refrigerated_fleet": "refrigerated trucks, or storage areas that hold a range of temperature",
    "fuel": "trucks with a fuel",
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
    needs: Annotated[tuple[str, ...], BeforeValidator(names)] = ()
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

    def later(self, hours: float) -> Scenario:
        """The same scenario with all its events so many hours later."""
        if not hours:
            return self
        return self.model_copy(update={"events": {
            name: event.model_copy(update={"start": event.start + hours})
            for name, event in self.events.items()}})

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
        wanted = error["msg"].replace("Input should be", "Write a number")
        return f"{where}: {shown} is out of range. {wanted}."
    if kind == "too_short":
        return f"{where}: {shown} names nothing. Write a name, a pattern or '*'."
    if kind in _WANTED:
        return f"{where}: {shown} is not {_WANTED[kind]}. Write {_WANTED[kind]}."
    return f"{where}: {shown} does not fit. {error['msg'].replace('Input should be', 'Write')}."


_WANTED = {
    "tuple_type": "a name or a list of names", "string_type": "text",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "bool_parsing": "true or false",
    "bool_type": "true or false", "dict_type": "a mapping of 'key: value' lines",
    "model_attributes_type": "an event",
}


def _options(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, 1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"{hint}There are {', '.join(names)}."


def _example(field: str) -> str:
    return {"factor": "1.5", "yield_factor": "0.8", "mode": "batch_reporting"}.get(field, "...")
