"""How far the twin may go, within which limits and through which ways out: ``operate:`` in
``models/NAME.yaml``.

Secrets never stand in the file: where one is needed, the name of an environment variable does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from twin.clock import excerpt, parse_duration
from twin.network.problems import guess
from twin.operate.ladder import Rung
from twin.operate.rails import Rails, strictest
from twin.recommendation import VERBS

#: The kinds of recommendation.
KINDS = ("replenishment", "transfers", "expedite", "schedule", "routes", "maintenance", "all")
ANY = "any"  #: stands for every kind that is not named


class ConfigurationError(ValueError):
    """What stands under ``operate:`` cannot be used; the message says what to change."""


def _hours(value: Any) -> float:
    return value if isinstance(value, float) else parse_duration(str(value))


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name):
        raise ValueError("is no name of an environment variable. Put the secret into one, such as "
                         "ERP_SECRET, and write its name")
    return name


Hours = Annotated[float, BeforeValidator(_hours), Field(ge=0.0)]
Variable = Annotated[str, AfterValidator(_variable)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Formed(_Part):
    """What writes messages in a form of `twin.operate.forms`, with the settings of that form."""

    format: str = ""
    settings: dict[str, Any] = {}


class RestWay(_Formed):
    """A REST end point or webhook; `secret` signs, `headers` hold tokens, both by variable."""

    type: Literal["rest"]
    url: str
    secret: Variable
    headers: dict[str, Variable] = {}
    timeout: Hours = 10.0 / 3600.0


class TableWay(_Part):
    """A table in a database, whose address stands in an environment variable."""

    type: Literal["table"]
    address: Variable
    table: str = "twin_commands"


class TopicWay(_Formed):
    """A topic of an MQTT broker, and the one on which its receiver replies, if it does.

    With a `secret`, by variable, commands are signed, and replies that are not are left out.
    """

    type: Literal["topic"]
    url: str
    topic: str
    replies: str = ""
    secret: Variable | None = None


class FolderWay(_Formed):
    """A folder of files, seen from the workspace."""

    type: Literal["folder"]
    folder: str


Way = Annotated[RestWay | TableWay | TopicWay | FolderWay, Field(discriminator="type")]


class Gate(_Part):
    """How hard a plan has to prove itself.

    Attributes
    ----------
    horizon
        Hours over which a plan is held against doing nothing; 0 for four weeks, or one and a half
        times the longest lead time where that is longer: a shelf that orders too little shows it
        only after its lead time.
    error
        Chance that any plan of a round that changes nothing is called better or worse, over all
        looks.
    replications, block
        Most pairs of replications, and how many are played between two looks.
    expires
        Hours after which advice must not be approved.
    frozen
        Nothing that begins within so many hours is moved.
    change
        Price of changing advice that stands: new advice of the same targets has to be worth so
        much more, as a share of what the old one was worth, or it is left standing.
    worth
        Gain in money a day below which nothing is advised.
    service_loss
        Share of orders (OTIF) that advice may be shown to cost, if it saves money.
    service_doubt
        How much more than that its interval must exclude.
    """

    horizon: Hours = 0.0
    error: float = Field(default=0.05, gt=0.0, lt=0.5)
    replications: int = Field(default=120, ge=8, le=10_000)
    block: int = Field(default=20, ge=4, le=1_000)
    expires: Hours = 24.0
    frozen: Hours = 8.0
    change: float = Field(default=0.1, ge=0.0, le=10.0)
    worth: float = Field(default=0.0, ge=0.0)
    service_loss: float = Field(default=0.0, ge=0.0, lt=1.0)
    service_doubt: float = Field(default=0.01, ge=0.0, le=1.0)


class Configuration(_Part):
    """Everything under ``operate:``; a blank one approves by name and writes files.

    Attributes
    ----------
    store
        A file seen from the workspace, or ``postgresql://host/database`` without a password.
    clock
        What now is: the last reading heard, carried on by the clock on the wall (``store``), or
        the clock on the wall (``wall``).
    ladder
        Rung by kind of recommendation, ``any`` for the others.
    rails
        Limits by kind; those of ``any`` bind every kind besides.
    connectors
        Ways out by name.
    ways
        Name of the connector by verb of the action or kind of recommendation, ``any`` for the
        others.

    Examples
    --------
    >>> read_configuration({"ladder": {"any": "advise"}}, "tea.yaml").rung("routes").value
    'advise'
    >>> read_configuration({"laddder": {}}, "tea.yaml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    twin.operate.configuration.ConfigurationError: tea.yaml: operate.laddder is unknown. ...
    """

    store: str = ""
    clock: Literal["store", "wall"] = "store"
    ladder: dict[str, Rung] = {}
    rails: dict[str, Rails] = {}
    connectors: dict[str, Way] = {}
    ways: dict[str, str] = {}
    gate: Gate = Gate()

    @model_validator(mode="after")
    def _names(self) -> Configuration:
        for where, names, known in (("ladder", self.ladder, (*KINDS, ANY)),
                                    ("rails", self.rails, (*KINDS, ANY)),
                                    ("ways", self.ways, (*VERBS, *KINDS, ANY))):
            for name in names:
                if name not in known:
                    raise ValueError(f"{where}.{excerpt(name)} is unknown. {guess(name, known)}")
        for name, way in self.ways.items():
            if way not in self.connectors:
                raise ValueError(f"ways.{name}: there is no connector '{excerpt(way)}'. "
                                 f"{guess(way, self.connectors) or 'Describe one.'}")
        if re.search(r"://[^/@]*:[^/@]*@", self.store):
            raise ValueError("store holds a password. Leave it out, and set PGPASSWORD")
        return self

    def rung(self, kind: str) -> Rung:
        """The rung that a planner wants for a kind."""
        return self.ladder.get(kind, self.ladder.get(ANY, Rung.APPROVE))

    def limits(self, kind: str) -> Rails:
        """The limits that bind a kind."""
        return strictest([self.rails[name] for name in (ANY, kind) if name in self.rails])

    def way(self, verb: str, kind: str) -> str:
        """The connector of an action; blank where none is named."""
        for name in (verb, kind, ANY):
            if name in self.ways:
                return self.ways[name]
        return next(iter(self.connectors)) if len(self.connectors) == 1 else ""


def read_configuration(section: Any, label: str) -> Configuration:
    """The section ``operate:`` of a model.

    Parameters
    ----------
    section
        As read from YAML; None if there is none.
    label
        What the file is called in messages.

    Raises
    ------
    ConfigurationError
        With every key and value that cannot be used.
    """
    if section is None:
        return Configuration()
    if not isinstance(section, Mapping):
        raise ConfigurationError(f"{label}: operate holds a {type(section).__name__}. Write keys "
                                 f"under it: {', '.join(Configuration.model_fields)}.")
    try:
        return Configuration.model_validate(dict(section))
    except ValidationError as error:
        raise ConfigurationError("\n".join(
            f"{label}: {_told(one)}" for one in error.errors())) from None


def _told(one: Any) -> str:
    """One problem, with its place and a remedy."""
    path = [str(part) for part in one["loc"] if part not in ("rest", "table", "topic", "folder")
            or len(one["loc"]) < 3]
    place = ".".join(["operate", *path])
    value = excerpt(str(one.get("input")))
    if one["type"] == "extra_forbidden":
        return f"{place} is unknown. {guess(path[-1], _fields(path[:-1]))}"
    if one["type"] == "missing":
        return f"{place} is missing. Add it."
    if one["type"] == "value_error":
        text = str(one["ctx"]["error"]).removesuffix(".")
        return f"{place} {text}." if path else f"operate.{text}."
    if one["type"].startswith("union_tag"):
        return f"{place} has no known type. Write type: rest, table, topic or folder."
    return f"{place} '{value}': {one['msg'][:1].lower()}{one['msg'][1:]}."


def _fields(path: list[str]) -> tuple[str, ...]:
    models: dict[str, type[BaseModel]] = {"rails": Rails, "gate": Gate}
    if not path:
        return tuple(Configuration.model_fields)
    if path[0] == "connectors":
        return ("type", "url", "secret", "headers", "timeout", "address", "table", "topic",
                "replies", "folder", "format", "settings")
    return tuple(models[path[0]].model_fields) if path[0] in models else ()
