"""The agenda: what is still to come, in the order in which it will come.

Events of one instant and phase come in the order in which they were scheduled, which follows from
the past. A saved state keeps that order, as the names of those whose events they are; a world that
goes on from it puts its own events in the same order.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify
from itertools import count
from typing import Any

from simpy.events import Initialize, Process

from twin.simulate.kernel import Beat, Call, Environment

_SAME_H = 1e-9  #: hours between two times that differ only by rounding


def pending(env: Environment) -> list[list[Any]]:
    """Who has something to come, and in how many hours; as they will come.

    Examples
    --------
    >>> env = Environment()
    >>> _ = env.call(5.0, 1, print), env.call(3.0, 1, print), env.call(3.0, 0, print)
    >>> pending(env)
    [['print', 3.0], ['print', 3.0], ['print', 5.0]]
    """
    return [[_whose(event), time - env._now] for time, _, _, event in _alive(env)]


def take_up(env: Environment, agenda: list[list[Any]]) -> None:
    """Begin every process, and let what is to come do so as an agenda says.

    What the agenda does not name comes behind, in the order in which it was scheduled.
    """
    _begin(env)
    now = env._now
    places: dict[str, deque[tuple[int, float]]] = {}
    for place, (whose, wait) in enumerate(agenda):
        places.setdefault(whose, deque()).append((place, now + wait))
    queue: list[Any] = []
    for number, (time, phase, _, event) in enumerate(_alive(env), len(agenda)):
        known = places.get(_whose(event), deque())
        while known and known[0][1] < time - _SAME_H:
            known.popleft()
        place = number
        if known and known[0][1] <= time + _SAME_H:
            place, time = known.popleft()
            _set_time(event, time)
        queue.append((time, phase, place, event))
    heapify(queue)
    env._queue[:] = queue
    env._eid = count(len(agenda) + len(queue))


def _begin(env: Environment) -> None:
    """Let every process that was started run to its first wait."""
    first = sorted(entry for entry in env._queue if isinstance(entry[3], Initialize))
    env._queue[:] = [entry for entry in env._queue if not isinstance(entry[3], Initialize)]
    heapify(env._queue)
    for *_, event in first:
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)


def _alive(env: Environment) -> list[Any]:
    """What stands in the calendar and will do something, as it will come."""
    return sorted((entry for entry in env._queue if entry[3].callbacks and not (
        isinstance(entry[3], Beat) and entry[3].due != entry[0])), key=lambda entry: entry[:3])


def _whose(event: Any) -> str:
    """The name of the actor whose event it is, and of what it will do."""
    if isinstance(event, Call):
        owner, deed = getattr(event.action, "__self__", None), event.action.__qualname__
    else:
        owner, deed = event, ""
        process = getattr(event.callbacks[0], "__self__", None)
        if isinstance(process, Process):
            generator: Any = process._generator
            owner = generator.gi_frame.f_locals["self"]
    name = getattr(owner, "name", None)
    return f"{name} {deed}".strip() if isinstance(name, str) else deed or type(owner).__name__


def _set_time(event: Any, time: float) -> None:
    if isinstance(event, Call):
        event.time = time
    elif isinstance(event, Beat):
        event.due = time
