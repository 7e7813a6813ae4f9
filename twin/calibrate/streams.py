"""Streams: which reading feeds which estimator, as planners may write it in `calibration/streams`.

A stream is a small YAML file: what is observed, for which column, learned by which estimator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.calibrate.burn import Burn
from twin.calibrate.distribution import Distribution
from twin.calibrate.error import Error
from twin.calibrate.estimator import Estimator
from twin.calibrate.observations import OBSERVERS
from twin.calibrate.ratio import Ratio
from twin.calibrate.share import Share
from twin.calibrate.total import Total
from twin.clock import parse_duration
from twin.document import DocumentError, read_document
from twin.kinds import KINDS
from twin.network.attributes import TABLES

#: Estimators by the word of a stream.
ESTIMATORS: dict[str, type[Estimator]] = {
    "distribution": Distribution, "total": Total, "share": Share, "ratio": Ratio,
    "burn": Burn, "error": Error}
_KEYS = ("title", "means", "table", "column", "observe", "estimator", "readings", "pool",
         "half_life", "since")


@dataclass(frozen=True, slots=True)
class Stream:
    """One way of learning: what is observed, for which column, by which estimator.

    Attributes
    ----------
    name, title, means
        For people.
    table, column
        The cells that are learned.
    observe
        A name of `twin.calibrate.observations.OBSERVERS`.
    estimator
        A name of `ESTIMATORS`.
    readings
        Kinds of readings that it follows from.
    pool
        Whether sparse cells are pulled towards their like.
    half_life, since_h
        Hours after which an observation counts half, and how far back to look; None for ever.
    """

    name: str
    title: str
    table: str
    column: str
    observe: str
    estimator: str
    readings: tuple[str, ...] = ()
    means: str = ""
    pool: bool = True
    half_life: float | None = None
    since_h: float | None = None


def read_streams(folders: Sequence[Path]) -> tuple[Stream, ...]:
    """The streams of folders of YAML files; of two of one name the first folder's counts.

    Raises
    ------
    DocumentError
        With every problem of every file.
    """
    streams: dict[str, Stream] = {}
    problems: list[str] = []
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
            if path.stem in streams:
                continue
            try:
                streams[path.stem] = read_stream(path)
            except DocumentError as error:
                problems.append(str(error))
    if problems:
        raise DocumentError("\n".join(problems))
    return tuple(streams[name] for name in sorted(streams))


def read_stream(path: Path) -> Stream:
    """One stream.

    Raises
    ------
    DocumentError
        With every problem: key, value, remedy.
    """
    label = f"{path.parent.name}/{path.name}"
    content = read_document(path, label)
    problems = [f"{label}: '{key}' is unknown. There are {', '.join(_KEYS)}."
                for key in content if key not in _KEYS]
    table, column = str(content.get("table", "")), str(content.get("column", ""))
    if table not in TABLES:
        problems.append(f"{label}: table '{table[:40]}' is unknown. There are "
                        f"{', '.join(TABLES)}.")
    elif column not in TABLES[table].by_column:
        problems.append(f"{label}: table {table} has no column '{column[:40]}'. There are "
                        f"{', '.join(TABLES[table].by_column)}.")
    for key, known in (("observe", OBSERVERS), ("estimator", ESTIMATORS)):
        if content.get(key) not in known:
            problems.append(f"{label}: {key} '{str(content.get(key, ''))[:40]}' is unknown. "
                            f"There are {', '.join(sorted(known))}.")
    readings = content.get("readings") or []
    if not isinstance(readings, list):
        readings = [readings]
    problems += [f"{label}: reading '{str(kind)[:40]}' is unknown. There are {', '.join(KINDS)}."
                 for kind in readings if kind not in KINDS]
    spans = {key: _span(content, key, label, problems) for key in ("half_life", "since")}
    if content.get("pool") not in (None, True, False):
        problems.append(f"{label}: pool '{content['pool']}' is neither yes nor no.")
    if problems:
        raise DocumentError("\n".join(problems))
    return Stream(path.stem, str(content.get("title", path.stem)), table, column,
                  str(content["observe"]), str(content["estimator"]),
                  tuple(str(kind) for kind in readings), str(content.get("means", "")),
                  content.get("pool") is not False, spans["half_life"], spans["since"])


def _span(content: dict[str, Any], key: str, label: str, problems: list[str]) -> float | None:
    if content.get(key) is None:
        return None
    try:
        hours = parse_duration(str(content[key]))
    except ValueError as error:
        problems.append(f"{label}: {key} {error}")
        return None
    if hours <= 0.0:
        problems.append(f"{label}: {key} '{content[key]}' is not above 0. Write such as 90d.")
    return hours
