"""How the columns of an export become a reading: a small YAML that a planner can edit.

    sensor: erp                      # the system that speaks
    timezone: Europe/Amsterdam       # of dates without a zone; UTC if left out
    date_format: "%d.%m.%Y %H:%M"    # ISO 8601 if left out; also unix, unix_ms
    decimal: ","                     # and thousands, delimiter, encoding
    empty: [N/A, "-"]                # words that say nothing
    streams:
      - file: "orders*.csv"
        kind: ordering
        key: [PO, Line]              # tells rows apart, whatever file they are in
        time: Ordered                # a row with a blank time has not happened yet
        columns: {order: PO, product: Item, quantity: Qty}
        constants: {site: W}

What stands at the top holds for all streams and may stand in one. `where` takes only rows whose
columns have one of some values, and `unless` leaves such rows out; ``lookup: {file: ..., by: PO}``
adds the columns of another file where PO is the same.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from twin.clock import excerpt
from twin.document import DocumentError, read_document
from twin.kinds import FIELDS, KINDS
from twin.sense.source import SourceError

_FIELDS = set(FIELDS) - {"sensor", "id", "time", "recorded", "kind"} | {"unit"}
_SHARED = ("sensor", "timezone", "date_format", "decimal", "thousands", "delimiter", "encoding",
           "empty")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{excerpt(name)}' is no time zone. Write such as Europe/Amsterdam") \
            from None
    return name


def _encoding(name: str) -> str:
    try:
        "x".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"'{excerpt(name)}' is no encoding. Write such as utf-8 or cp1252") \
            from None
    return name


def _kind(word: str) -> str:
    if word not in KINDS:
        raise ValueError(f"'{excerpt(word)}' is no kind of reading. See docs/readings.md")
    return word


def _named(columns: dict[str, Any]) -> dict[str, Any]:
    strange = sorted(set(columns) - _FIELDS)
    if strange:
        raise ValueError(f"'{excerpt(strange[0])}' is no column of a reading. Write one of "
                         f"{', '.join(sorted(_FIELDS))}")
    return columns


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _inside(name: str) -> str:
    if name.startswith(("/", "~")) or ".." in Path(name).parts or "\\" in name:
        raise ValueError(f"'{excerpt(name)}' leads out of the folder. Name a file inside it")
    return name


Text = Annotated[str, BeforeValidator(lambda value: str(value)
                                      if isinstance(value, int | float) else value)]
Texts = Annotated[list[Text], BeforeValidator(_listed)]
Inside = Annotated[str, Field(min_length=1), AfterValidator(_inside)]


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lookup(_Plain):
    """Another file, whose columns are added where a column has the same value."""

    file: Inside
    by: str


class Stream(_Plain):
    """Rows of some files that become readings of one kind."""

    file: Inside
    kind: Annotated[str, AfterValidator(_kind)]
    key: Annotated[Texts, Field(min_length=1)]
    time: str
    columns: Annotated[dict[str, str], AfterValidator(_named)]
    constants: Annotated[dict[str, Text], AfterValidator(_named)] = Field(default_factory=dict)
    where: dict[str, Texts] = Field(default_factory=dict)
    unless: dict[str, Texts] = Field(default_factory=dict)
    lookup: Lookup | None = None
    sensor: str = "exports"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    date_format: str = ""
    decimal: Annotated[str, Field(pattern=r"^[.,]$")] = "."
    thousands: Annotated[str, Field(pattern=r"^[., '’]?$")] = ""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8-sig"
    empty: Texts = Field(default_factory=list)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        said = {*self.columns, *self.constants}
        lacking = [need.replace("|", " or ") for need in KINDS[self.kind].needs
                   if not said & set(need.split("|"))]
        if lacking:
            raise ValueError(f"{self.kind} needs {', '.join(lacking)}. Map a column to it, or "
                             "write a constant")
        if self.thousands == self.decimal:
            raise ValueError(f"thousands and decimal are both '{self.decimal}'")
        return self


class Mapping(_Plain):
    """All streams of a folder of exports."""

    streams: Annotated[list[Stream], Field(min_length=1)]

    @property
    def files(self) -> list[str]:
        """Patterns of the files that are read for their rows."""
        return sorted({stream.file for stream in self.streams})

    @property
    def digest(self) -> str:
        """Changes with the mapping: then every file is read again."""
        return hashlib.blake2b(self.model_dump_json().encode(), digest_size=6).hexdigest()


def read_mapping(path: Path) -> Mapping:
    """The mapping that a YAML file holds.

    Raises
    ------
    SourceError
        With every offender.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mapping.yaml"
    >>> _ = path.write_text('''
    ... sensor: wms
    ... streams:
    ... - {file: counts.csv, kind: count, key: [Bin, When], time: When,
    ...    columns: {product: Item, quantity: Qty}, constants: {site: W}}
    ... ''')
    >>> read_mapping(path).streams[0].sensor
    'wms'
    """
    try:
        said = read_document(path)
    except DocumentError as error:
        raise SourceError(f"{error} A folder of exports has a mapping.yaml that tells what its "
                          "columns mean.") from None
    shared = {name: said.pop(name) for name in _SHARED if name in said}
    said.pop("title", None)
    streams = said.get("streams")
    if isinstance(streams, list):
        said["streams"] = [{**shared, **one} if isinstance(one, dict) else one for one in streams]
    try:
        return Mapping.model_validate(said)
    except ValidationError as error:
        lines = [_line(path.name, one) for one in error.errors(include_url=False)]
        raise SourceError("\n".join(lines[:20])) from None


def _line(name: str, error: Any) -> str:
    where = ""
    for part in error["loc"]:
        where += f"[{part + 1}]" if isinstance(part, int) else f"{'.' * bool(where)}{part}"
    what = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        what = "is missing"
    elif error["type"] == "extra_forbidden":
        what = "is unknown. Take it out, or correct its name"
    return f"{name}: {where} {what}{'' if what.endswith('.') else '.'}"


def where_of(row: dict[str, str]) -> str:
    """A row as JSON, for the quarantine."""
    return json.dumps(row, ensure_ascii=False)
