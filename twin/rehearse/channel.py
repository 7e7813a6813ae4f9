"""Channels: how a twin hears a rehearsal, and how its orders come back. Siblings of one contract.

Both are lockstep: `live` returns when everything that happened is safe in the store, so that the
operation never runs ahead of the twin.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from twin.rehearse.earshot import Earshot
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.wire import Wire, parse_command
from twin.sense.known import Known
from twin.sense.listener import Listener
from twin.sense.source import Place, open_source
from twin.store import Store

_STEP_H = 24.0
_PATIENCE_S = 30.0


class Channel(Protocol):
    """Between an operation and its twin.

    Attributes
    ----------
    connector
        The way out that the twin pushes by, as it would stand under ``operate: connectors:``.
    refused
        Why the operation did not do what it was asked to.
    """

    connector: dict[str, Any]
    refused: list[str]

    def live(self, until_h: float) -> None:
        """Live until a time, hours from the start of the model, and hear all of it."""
        ...

    def execute(self, pushed: int) -> int:
        """Let the operation do the `pushed` things that it was sent; how many it did."""
        ...

    def __enter__(self) -> Self:
        """Open."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Let go."""
        ...


class InProcess:
    """The bytes that a broker would carry, without one; orders come back as files in a folder.

    Parameters
    ----------
    folder
        Where orders are left for the operation.
    """

    def __init__(self, rehearsal: Rehearsal, store: Store, folder: Path) -> None:
        self.rehearsal, self.folder = rehearsal, folder
        self.source = Earshot(rehearsal, rehearsal.now)
        self.listener = Listener(self.source, store, known=Known(rehearsal.network))
        self.connector: dict[str, Any] = {"type": "folder", "folder": str(folder)}
        self.refused: list[str] = []

    def live(self, until_h: float) -> None:
        """Live and hear."""
        self.source.until_h = until_h
        while not self.source.ended:
            self.listener.step(0.0)

    def execute(self, pushed: int) -> int:
        """Do what the files say, and take them away."""
        done = 0
        for path in sorted(self.folder.glob("*.json")):
            command = parse_command(path.read_bytes())
            try:
                if isinstance(command, str):
                    raise ValueError(command)
                self.rehearsal.execute(command)
                done += 1
            except ValueError as error:
                self.refused.append(str(error))
            path.unlink()
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()


class OverBroker:
    """Over a broker: readings, clock and orders are messages on it, under a name of this run.

    Parameters
    ----------
    url
        ``mqtt://host:port``.
    """

    def __init__(self, rehearsal: Rehearsal, store: Store, url: str) -> None:
        self.rehearsal, self.name = rehearsal, f"{rehearsal.network.name}-loop-{os.getpid()}"
        self.wire = Wire(url, self.name)
        self.source = open_source(Place(url, self.name, "loop", store.folder, {
            "clock": f"clock/{self.name}",
            "sensors": tuple(rehearsal.network.sensors.values())}))
        self.listener = Listener(self.source, store, known=Known(rehearsal.network))
        self.connector: dict[str, Any] = {"type": "topic", "url": url,
                                          "topic": f"orders/{self.name}"}
        self.refused: list[str] = []
        self.messages = 0
        self._failed: list[BaseException] = []
        self._over = threading.Event()
        self._ear = threading.Thread(target=self._listen, name="twin-loop", daemon=True)

    def _listen(self) -> None:
        try:
            while not self._over.is_set():
                self.listener.step(0.05)
        except BaseException as error:  # it is raised where the loop is
            self._failed.append(error)

    def live(self, until_h: float) -> None:
        """Live day by day; each is heard before the next begins."""
        while self.rehearsal.now < until_h:
            sent = self.rehearsal.step(min(until_h, self.rehearsal.now + _STEP_H))
            self.wire.send(sent, self.rehearsal.times, self.rehearsal.clock)
            self.messages += len(sent)
            if self._failed:
                raise self._failed[0]

    def execute(self, pushed: int) -> int:
        """Do what came over the broker; waits until all that was pushed is here."""
        done, answered, until = 0, 0, time.monotonic() + _PATIENCE_S

        def place(command: Any) -> int:
            nonlocal answered
            answered += 1
            try:
                return self.rehearsal.execute(command)
            except ValueError as error:
                self.refused.append(str(error))
                raise

        while answered < pushed and time.monotonic() < until:
            done += self.wire.take(place)
            time.sleep(0.01)
        return done

    def __enter__(self) -> Self:
        self._ear.start()
        self.wire.await_listener(_PATIENCE_S, self.rehearsal.clock)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._ear.join(_PATIENCE_S)
        with contextlib.suppress(Exception):
            self.source.close()
        self.listener.close()
        self.wire.forget()
        self.wire.close()
