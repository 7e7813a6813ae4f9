"""The clock of the simulated world: SimPy with one order of events at an instant.

SimPy orders simultaneous events by a priority; here the priority is the *phase* of the instant, so
that what happens at the same time happens in the documented order, repeated until quiet:
failures, repairs and calendars; completions and receipts; periodic reviews; demand; (periodic
reviews of models with ``review: after_demand``); continuous reviews; starts and departures.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import Any, ClassVar

import simpy
from simpy.core import StopSimulation

FAILURE, RECEIPT, REVIEW, DEMAND, LATE_REVIEW, REORDER, START, SAMPLE = range(8)
_STOP = -1


class Call(simpy.Event):
    """One future call ``action(subject)``; a passive happening, such as an arrival.

    `cancel` makes it do nothing. Material that moves is data: it is the `subject` of a call, never
    a process of its own.
    """

    __slots__ = ("action", "subject", "time")
    _ok = True
    _value = None

    def __init__(self, env: Environment, time: float, phase: int, action: Callable[[Any], None],
                 subject: Any = None) -> None:
        self.env = env
        self.callbacks = [_act]
        self.action = action
        self.subject = subject
        self.time = time
        heappush(env._queue, (time, phase, next(env._eid), self))  # type: ignore[misc]

    def cancel(self) -> None:
        """Let the instant pass without the call."""
        if self.callbacks is not None:
            self.callbacks = []


def _act(event: Any) -> None:
    event.action(event.subject)


class Pause(simpy.Event):
    """The one event that a long-lived process waits on, used again and again.

    ``yield pause.until(time, phase)`` or ``yield pause.lasting(hours, phase)`` waits for a time,
    ``yield pause.idle()`` until somebody calls ``wake(phase)``.
    """

    env: Environment
    _ok = True
    _value = None

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.callbacks = None  # type: ignore[assignment]
        self._fired = True

    def until(self, time: float, phase: int) -> Pause:
        self.callbacks = []
        env = self.env
        heappush(env._queue, (time, phase, next(env._eid), self))  # type: ignore[misc]
        return self

    def lasting(self, hours: float, phase: int) -> Pause:
        self.callbacks = []
        env = self.env
        heappush(
            env._queue, (env._now + hours, phase, next(env._eid), self)  # type: ignore[misc]
        )
        return self

    def idle(self) -> Pause:
        self.callbacks = []
        self._fired = False
        return self

    def moved(self, time: float, phase: int) -> Pause:
        """Give those who wait on this pause another time; the caller keeps the new pause."""
        fresh = Pause(self.env)
        fresh.until(time, phase)
        fresh.callbacks, self.callbacks = self.callbacks, []
        return fresh

    @property
    def asleep(self) -> bool:
        """Whether somebody waits on it for no set time."""
        return not self._fired

    def wake(self, phase: int = START) -> None:
        """Let an idle process go on at this instant; a second call changes nothing."""
        if not self._fired:
            self._fired = True
            env = self.env
            heappush(env._queue, (env._now, phase, next(env._eid), self))  # type: ignore[misc]


class Beat(simpy.Event):
    """An actor that is its own event: each time it is due, its `come` is called.

    For actors whose whole life is to do one thing again and again, such as customers: resuming a
    process would be most of what they cost. Who changes `due` calls `beat_at` again; what stands in
    the calendar for another time is passed over.
    """

    __slots__ = ("callbacks", "comes", "due", "env")
    turn: ClassVar[list[Any]]  #: ``[come]`` of the subclass, shared by all its beats
    _ok = True
    _value = None

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.callbacks = self.comes = self.turn
        self.due = inf

    def beat_at(self, time: float, phase: int) -> None:
        """Be due at a time."""
        self.due = time
        env = self.env
        heappush(env._queue, (time, phase, next(env._eid), self))  # type: ignore[misc]

    def come(self) -> None:
        """What is due. First of all ``self.callbacks = self.comes``; if the time is not `due`,
        nothing else.
        """
        raise NotImplementedError


class Environment(simpy.Environment):
    """A SimPy environment whose runs are ``[start, end)`` and whose loop is short."""

    def call(self, time: float, phase: int, action: Callable[[Any], None],
             subject: Any = None) -> Call:
        """Schedule ``action(subject)`` at an absolute time."""
        return Call(self, time, phase, action, subject)

    def run(self, until: Any = None) -> None:
        """Process every event before `until`; the clock then stands at `until`."""
        stop = simpy.Event(self)
        stop._ok, stop._value = True, None
        assert stop.callbacks is not None
        stop.callbacks.append(StopSimulation.callback)
        queue = self._queue
        heappush(queue, (float(until), _STOP, next(self._eid), stop))  # type: ignore[misc]
        pop = heappop
        try:
            while True:
                self._now, _, _, event = pop(queue)
                callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
                for callback in callbacks:
                    callback(event)
                if not event._ok:
                    raise event._value
        except StopSimulation:
            return
