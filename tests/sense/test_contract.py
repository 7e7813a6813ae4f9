"""What is written down about readings is what the door does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.kinds import FIELDS, KINDS, UNITS
from twin.readings import BadReading, parse_reading
from twin.sense.contract import asyncapi, example, pages
from twin.sense.contract_schema import reading_schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["reading.schema.json", "asyncapi.yaml", "readings.md"])
def test_the_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], \
        f"docs/{name} is out of date. Run python -m twin.sense.contract."


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_example_is_taken(kind: Any) -> None:
    assert parse_reading(example(kind)).kind == kind.name


@pytest.fixture(scope="module")
def valid() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(reading_schema())
    return jsonschema.Draft202012Validator(reading_schema()).is_valid


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_example_is_valid(valid: Any, kind: Any) -> None:
    assert valid(example(kind))


TEXTS = st.sampled_from(["", "W1", " ", "tea é", 7, 0, "x" * 200, "x" * 201, "a\nb", "a\x00",
                         "nul\u2028l", None, True, 1.5, [], {}])
NUMBERS = st.one_of(st.sampled_from([0, 1, -1, 1e9, -1e9, 10**400, True, None, "5", []]),
                    st.floats(-400, 1100, allow_nan=False))
MOMENTS = st.sampled_from(["2026-03-01", "2026-03-01T06:00Z", "2026-03-01T06:00:00.25+01:00",
                           "1969-12-31T00:00:00Z", "2026-13-01", "soon", "", None, True,
                           1_772_344_800_000, -1, 4_102_444_800_000, 0, 0.5, []])
UNIT = st.sampled_from(["", *UNITS, "share", "psi ", "furlong", 5, None])


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """An example with a few columns changed, taken out or added."""
    said: dict[str, Any] = dict(example(KINDS[draw(st.sampled_from(sorted(KINDS)))]))
    for name in draw(st.lists(st.sampled_from([*FIELDS, "ts", "unit", "value", "unit", "colour"]),
                              max_size=3)):
        if draw(st.booleans()) and name in said:
            del said[name]
        elif name == "ts":
            said[name] = draw(MOMENTS)
        elif name == "unit":
            said[name] = draw(UNIT)
        elif name == "kind":
            said[name] = draw(st.sampled_from([*KINDS, "mood", "", 5, None]))
        elif name == "quality":
            said[name] = draw(st.sampled_from(["", "good", "bad", "fine", 5]))
        elif name in FIELDS and FIELDS[name].type == "d":
            said[name] = draw(NUMBERS)
        else:
            said[name] = draw(TEXTS)
    return said


def taken(said: dict[str, Any]) -> bool:
    try:
        parse_reading(said)
    except BadReading:
        return False
    return True


@given(said=messages())
@settings(max_examples=160, deadline=None)
def test_the_schema_accepts_what_the_door_takes(valid: Any, said: dict[str, Any]) -> None:
    assert valid(said) == taken(said), said


def test_the_schema_is_json_and_the_asyncapi_page_refers_to_it() -> None:
    json.loads((DOCS / "reading.schema.json").read_text(encoding="utf-8"))
    page = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert page == asyncapi()
    assert set(_references(page)) == {"./reading.schema.json#"}


def _references(page: dict[str, Any]) -> list[str]:
    """References out of the page; those inside it must lead somewhere."""
    outside = []

    def walk(part: Any) -> None:
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            if key == "$ref" and value.startswith("#/"):
                target: Any = page
                for step in value[2:].split("/"):
                    target = target[step]
            elif key == "$ref":
                outside.append(value)
            elif isinstance(value, dict | list):
                walk(value)

    walk(page)
    return outside
