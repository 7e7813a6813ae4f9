"""Files of a model as text: inside the workspace, not too large, UTF-8.

Every refusal is a `ValueError` that says what to do, to be put after the name of the file.
"""

import codecs
from collections.abc import Collection, Iterator
from pathlib import Path

import yaml

from twin.clock import excerpt

LARGEST_TABLE = 64 * 1024 * 1024
LARGEST_HEAD = 64 * 1024
_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


def read_text(path: Path, inside: Path, largest: int = LARGEST_TABLE) -> str:
    """The text of a file that must lie inside a folder, links followed.

    Examples
    --------
    >>> read_text(Path("/etc/hosts"), inside=Path("/tmp"))
    Traceback (most recent call last):
    ...
    ValueError: lies outside the workspace. Copy it into the folder of the model.
    """
    try:
        real = path.resolve()
        if not real.is_relative_to(inside.resolve()):
            raise ValueError("lies outside the workspace. Copy it into the folder of the model.")
        if not real.exists():
            raise ValueError("does not exist. Write it, or correct the name.")
        if not real.is_file():
            raise ValueError("is not a file. Replace it by a file of text.")
        if real.stat().st_size > largest:
            raise ValueError(f"is larger than {largest / 1024:g} kB. Make it smaller.")
        return decoded(real.read_bytes())
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "the path is a loop"
        raise ValueError(f"cannot be read: {reason}. Check its name and permissions.") from None


def decoded(data: bytes) -> str:
    """Bytes as UTF-8 text, with or without a byte order mark.

    Examples
    --------
    >>> decoded(b"\\xef\\xbb\\xbfsite")
    'site'
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            raise ValueError(f"is {encoding}, not UTF-8. Save it as CSV UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"is not UTF-8 (line {line}, byte 0x{data[error.start]:02x}). Save it as CSV UTF-8."
        ) from None
    if "\0" in text:
        raise ValueError("holds zero bytes, so it is not text. Save it as CSV UTF-8.")
    return text


def read_head(text: str, sections: Collection[str] = ()) -> Iterator[tuple[int, str, str]]:
    """Line, key and value of a flat YAML mapping of plain values.

    What stands under one of `sections` is for somebody else to read: it is passed over, and its
    value is blank.

    The events of YAML are read instead of its objects: anchors, tags, nesting and several
    documents are refused as they come, so that no file can grow in memory.

    Examples
    --------
    >>> list(read_head("title: Tea"))
    [(1, 'title', 'Tea')]
    """
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    try:
        _next(events, yaml.StreamStartEvent)
        if isinstance(next(events), yaml.StreamEndEvent):
            raise ValueError(": is empty. Write at least a title, such as title: My chain.")
        first = next(events)
        if not isinstance(first, yaml.MappingStartEvent):
            raise _not_flat(first)
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            value = next(events)
            if isinstance(key, yaml.ScalarEvent) and key.value in sections:
                _pass_over(value, events)
                yield _line(key), _plain(key), ""
            else:
                yield _line(key), _plain(key), _plain(value)
        _next(events, yaml.DocumentEndEvent)
        _next(events, yaml.StreamEndEvent)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "a character that YAML does not allow"
        raise ValueError(f"{line}: is not YAML: {excerpt(str(what))}. Write key: value.") from None
    except StopIteration:
        raise ValueError(": is not YAML. Write one key: value a line.") from None


def _line(event: yaml.Event) -> int:
    """The line on which an event starts, from 1."""
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 0


def _next(events: Iterator[yaml.Event], wanted: type) -> yaml.Event:
    event = next(events)
    if not isinstance(event, wanted):
        raise _not_flat(event)
    return event


def _pass_over(event: yaml.Event, events: Iterator[yaml.Event]) -> None:
    """Go on to the end of a value of any shape."""
    depth = 0
    while True:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _not_flat(event)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth == 0:
            return
        event = next(events)


def _plain(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent) or event.anchor or (event.tag and event.tag != "!"):
        raise _not_flat(event)
    return str(event.value)


def _not_flat(event: yaml.Event) -> ValueError:
    line = event.start_mark.line + 1 if event.start_mark else 1
    return ValueError(
        f" line {line}: only plain values are read. Write one key: value a line, "
        "without lists, anchors or tags."
    )
