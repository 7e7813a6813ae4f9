"""Retention: telemetry that is older than agreed is deleted, and what was derived from it.

What is deleted are *signals*: positions, manoeuvres, temperatures and the like. Events of goods and
machines stay, since stock and open orders of today follow from all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from twin.kinds import KINDS
from twin.operate import audit
from twin.operate.agreement import Keep
from twin.operate.database import writing
from twin.store import Store, day_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

#: Signals that no state of a chain rests on when they are old.
TELEMETRY = tuple(kind.name for kind in KINDS.values()
                  if kind.signal and kind.name not in ("count", "machine_state", "cycle", "reject"))
#: What has a retention time of its own.
GROUPS = {"positions": ("position", "speed", "odometer", "fuel"), "drivers": ("driving",)}
GROUPS["telemetry"] = tuple(kind for kind in TELEMETRY
                            if not any(kind in kinds for kinds in GROUPS.values()))


@dataclass(frozen=True, slots=True)
class Retained:
    """What a deletion did: readings deleted, files of other rooms deleted, and before which day
    at the latest.
    """

    readings: int
    files: int
    before: date


def retain(store: Store, keep: Keep, now: float, engine: Engine, key: bytes, model: str,
           by: str = "") -> Retained:
    """Delete telemetry of whole days older than agreed; the log tells of it first.

    Parameters
    ----------
    keep
        How long each group of kinds is kept; something must have a time. What was derived from
        readings goes with the first of them.
    now
        Seconds since 1970.
    """
    until = {name: now - hours * 3600.0 for name, hours in keep.times().items()}
    with writing(engine) as connection:
        audit.record(connection, key, "retained", model, {
            f"{name} before": day_of(moment).isoformat() for name, moment in until.items()}, by)
    store.merge()
    gone, files = 0, 0
    for moment in sorted(set(until.values())):
        gone += store.drop([kind for name, when in until.items() if when == moment
                            for kind in GROUPS[name]], until=moment)
    for path in _derived(store.folder, max(until.values())):
        path.unlink(missing_ok=True)
        files += 1
    return Retained(gone, files, day_of(max(until.values())))


def _derived(folder: Path, until: float) -> Iterator[Path]:
    """Checkpoints and quarantined messages of days before a moment."""
    for name in ("checkpoints", "quarantine"):
        for path in sorted((folder / name).glob("[0-9]*")):
            try:
                day = date.fromisoformat(path.name[:10])
            except ValueError:
                continue
            if day < day_of(until):
                yield path
