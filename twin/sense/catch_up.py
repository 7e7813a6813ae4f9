"""Catching up: brings the book of alerts of a model up to what its store has heard."""

from __future__ import annotations

import heapq
import json
import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path

from twin.kinds import KINDS
from twin.lock import Lock
from twin.readings import Reading, from_frame
from twin.sense.alerts import AlertBook, Finding
from twin.sense.quarantine import Quarantine
from twin.sense.watch import Watch
from twin.store import Store

_DAY_S = 86_400.0
_WATCHED = "alerts.watched.json"
_AT_ONCE = 500  # findings that are written and synced together
#: Kinds of which an old one may still matter: an open order, a counted shelf, a machine down.
LASTING = tuple(sorted([kind.name for kind in KINDS.values() if not kind.signal]
                       + ["count", "machine_state", "sighting"]))
#: The others, which warm up a detector.
PASSING = tuple(sorted(set(KINDS) - set(LASTING)))


def catch_up(store: Store, watch: Watch, *, events_d: float = 60.0, signals_d: float = 2.0,
             warm: bool = False) -> AlertBook:
    """Hear what the store has heard since it was last watched, and write what that raises.

    Parameters
    ----------
    store
        Of the model.
    watch
        A fresh one.
    events_d, signals_d
        Days before that are heard again, without raising anything: of events, counts and machine
        states, and of other signals. The first time everything raises.
    warm
        Whether the watch is to hear these although nothing is new, since it will go on.

    Returns
    -------
    AlertBook
        Up to date with the store.
    """
    mark = store.folder / _WATCHED
    with Lock(store.folder / "alerts.lock"):
        book = AlertBook(store.folder / "alerts.jsonl")
        until = store.watermark()
        watched = _watched(mark)
        if until is None or not (warm or until > watched):
            return book
        findings: list[Finding] = []
        refused = Quarantine(store.folder / "quarantine").refused(
            watched - signals_d * _DAY_S, until)[::-1]
        for reading in _readings(store, watched, until, events_d, signals_d):
            while refused and refused[-1][0] <= reading.time:
                at, sensor = refused.pop()
                findings += [one for one in watch.refused(sensor, at) if one.time > watched]
            findings += [one for one in watch.hear(reading) if one.time > watched]
            if len(findings) >= _AT_ONCE:
                book.tell(findings)
                findings = []
        book.tell([*findings, *(watch.look(until) if until > watched else ())])
        write_watched(store, max(until, watched))
    return book


def write_watched(store: Store, until: float) -> None:
    """Note that everything until a time, seconds since 1970, has been watched."""
    mark = store.folder / _WATCHED
    draft = mark.with_suffix(".part")
    draft.write_text(json.dumps({"watched": until}) + "\n", encoding="utf-8")
    os.replace(draft, mark)


def _readings(store: Store, watched: float, until: float, events_d: float,
              signals_d: float) -> Iterator[Reading]:
    """Readings in order of time, a day at a time, older ones only where they may still matter."""
    spans = [(LASTING, watched - events_d * _DAY_S), (PASSING, watched - signals_d * _DAY_S)]
    streams = [_days(store, kinds, since, until) for kinds, since in spans]
    return heapq.merge(*streams, key=lambda reading: (reading.time, reading.sensor, reading.id))


def _days(store: Store, kinds: tuple[str, ...], since: float, until: float) -> Iterator[Reading]:
    """Readings of some kinds from `since` to `until`, both included."""
    begin = max(since, _first(store, until))
    while begin <= until:
        end = min(begin + _DAY_S, math.nextafter(until, math.inf))
        yield from from_frame(store.frame(since=begin, until=end, kinds=kinds))
        begin = end


def _first(store: Store, until: float) -> float:
    """A time that no reading is before."""
    days = list(store.day_files())
    first = datetime.combine(days[0], time(), UTC).timestamp() if days else until
    early = store.frame(until=first, columns=("time",))  # heard, but not in its day yet
    return first if early.empty else float(early["time"].min())


def _watched(mark: Path) -> float:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))["watched"]
        return float(found)
    except FileNotFoundError:
        return -math.inf
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{mark.name} cannot be read: {error}. Remove it; alerts that are known "
                         "are not raised again.") from None
