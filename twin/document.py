"""Small documents (YAML) read safely: plain values only, bounded, every key once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 1_000_000
_DEEPEST = 12

try:  # the C parser is an optional part of PyYAML
    from yaml import CSafeLoader as _Base
except ImportError:  # pragma: no cover
    from yaml import SafeLoader as _Base  # type: ignore[assignment]


class DocumentError(ValueError):
    """A document that cannot be read; the message says what to change."""


class _Plain(_Base):
    """Mappings, lists, numbers, text, yes/no; no dates, merges or repeated keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _at(key, "has a key that is not a word")
            if key.value in seen:
                raise _at(key, f"has the key '{key.value[:40]}' twice. Keep one")
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=True))


# Dates and merges stay text: `2026-03-01` and `<<` turn into no surprising object.
_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag.rsplit(":", 1)[-1] in
            ("bool", "float", "int", "null")]
    for first, rules in _Base.yaml_implicit_resolvers.items()
}


def _refuse_tricks(text: str) -> None:
    """Anchors, tags and deep nesting, before anything is built from the text."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _at(event, "uses an anchor (& or *). Write the values out")
        tag = getattr(event, "tag", None)
        if tag:
            raise _at(event, f"uses the tag '{tag[:40]}'. Write plain values")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise _at(event, f"is nested deeper than {_DEEPEST} levels. Flatten it")


def _at(mark: Any, what: str) -> DocumentError:
    return DocumentError(f"line {mark.start_mark.line + 1} {what}.")


def parse_document(text: str, name: str) -> dict[str, Any]:
    """The mapping that a YAML text holds.

    Raises
    ------
    DocumentError
        If it is not a plain mapping: no anchors, tags, repeated keys, huge or deep files.

    Examples
    --------
    >>> parse_document("title: A spike\\nfactor: 1.5", "spike.yaml")
    {'title': 'A spike', 'factor': 1.5}
    >>> parse_document("a: &x [1]\\nb: *x", "bomb.yaml")
    Traceback (most recent call last):
    ...
    twin.document.DocumentError: bomb.yaml line 1 uses an anchor (& or *). Write the values out.
    """
    if len(text) > _MOST_BYTES:
        raise DocumentError(f"{name} has {len(text):,} characters; at most {_MOST_BYTES:,} are "
                            "read. Put data into CSV tables.")
    try:
        _refuse_tricks(text)
        found = yaml.load(text, Loader=_Plain)
    except DocumentError as error:
        raise DocumentError(f"{name} {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}" if mark else ""
        raise DocumentError(f"{name}{where} is not YAML: {error.problem}. Write 'key: value' lines,"
                            " indented by spaces.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DocumentError(f"{name} is not YAML: {reason}.") from None
    if found is None:
        raise DocumentError(f"{name} is empty. Write 'key: value' lines.")
    if not isinstance(found, dict):
        raise DocumentError(f"{name} holds a {type(found).__name__}. Write 'key: value' lines.")
    return found


def read_document(path: Path | str, name: str | None = None) -> dict[str, Any]:
    """The mapping in a YAML file; `name` stands for the path in messages."""
    path = Path(path)
    name = name or "/".join(path.parts[-2:])
    return parse_document(read_text(path, name), name)


def read_text(path: Path, name: str) -> str:
    """The text of a file that is not too large to be a document."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DocumentError(f"{name} has {path.stat().st_size:,} bytes; at most {_MOST_BYTES:,}"
                                " are read. Put data into CSV tables.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise DocumentError(f"{name} is not UTF-8 ({where}). Save it as UTF-8.") from None
    except OSError as error:
        raise DocumentError(f"{name} cannot be read: {error.strerror}.") from None
