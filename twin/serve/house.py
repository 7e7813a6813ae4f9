"""The house: what every operation of a server shares."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

from twin.knowledge import Knowledge
from twin.network import Network
from twin.operate import audit
from twin.operate.agreement import Agreement, read_agreement
from twin.operate.answers import secret_name
from twin.operate.bucket import Buckets
from twin.operate.database import writing
from twin.operate.desk import Desk
from twin.operate.pseudonym import Masks
from twin.operate.tokens import Tokens
from twin.serve.jobs import Jobs
from twin.store import Store
from twin.workspace import Workspace

_SILENT_S = 60.0
_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server bears.

    Attributes
    ----------
    calls_per_s, burst
        Of one token.
    address_per_s, address_burst
        Of one address, whoever calls from it.
    failures_per_min
        Wrong tokens from one address.
    body_bytes
        Of one request.
    streams
        Open streams of one token.
    poll_s
        Seconds between two looks for news of a stream.
    """

    calls_per_s: float = 10.0
    burst: float = 60.0
    address_per_s: float = 30.0
    address_burst: float = 200.0
    failures_per_min: float = 10.0
    body_bytes: int = 1_000_000
    streams: int = 8
    poll_s: float = 1.0


class House:
    """What every operation shares: desk, tokens, jobs, limits, and what is known of the model.

    Parameters
    ----------
    workers
        Processes that play a run; None is one a core.
    """

    def __init__(self, workspace: Workspace, model: str, *, limits: Limits | None = None,
                 workers: int | None = None) -> None:
        self.workspace, self.model, self.workers = workspace, model, workers
        #: as the command line is told it
        self.folder = str(workspace.home) if len(workspace.roots) > 1 else None
        self.network: Network = workspace.network(model)
        self.store: Store = workspace.store(model)
        self.desk = Desk.open(workspace, model)
        self.agreement: Agreement = read_agreement(
            workspace.home / "governance" / f"{model}.yaml", self.network)
        self.tokens = Tokens(self.desk.engine, self.desk.key)
        self.jobs = Jobs()
        self.limits = limits or Limits()
        self.callers = Buckets(self.limits.calls_per_s, self.limits.burst)
        self.failures = Buckets(self.limits.failures_per_min / 60.0, self.limits.failures_per_min)
        self.addresses = Buckets(self.limits.address_per_s, self.limits.address_burst)
        self.masks = Masks(self.network.trucks, self.desk.key)
        self.closing = Event()
        self._streams: dict[int, tuple[str, float]] = {}  # token, and when last heard of
        self._opened = 0
        self._lock, self._knowing = Lock(), Lock()
        self._known: tuple[float, Knowledge] | None = None

    def log(self, kind: str, person: str, body: Any = None, subject: str = "") -> None:
        """Write a row into the log."""
        with writing(self.desk.engine) as connection:
            audit.record(connection, self.desk.key, kind, subject or self.model, body, person)

    def secret_of(self, connector: str) -> bytes | None:
        """The secret shared with a connector that may call us; only from the environment."""
        value = os.environ.get(secret_name(connector), "")
        return value.encode() if value else None

    def knowledge(self, at: float, know: Callable[[float], Knowledge]) -> Knowledge:
        """What is known at a moment; the last answer is kept, and found once for all who ask."""
        with self._knowing:
            if self._known is None or self._known[0] != at:
                self._known = (at, know(at))
            return self._known[1]

    def open_stream(self, token: str) -> int | None:
        """The number of one more stream of a token; None if it holds as many as it may.

        A stream that has not been heard of for a while is over, however its caller went away.
        """
        now = time.monotonic()
        with self._lock:
            self._streams = {number: (one, beat) for number, (one, beat) in self._streams.items()
                             if now - beat < _SILENT_S}
            if sum(one == token for one, _ in self._streams.values()) >= self.limits.streams:
                return None
            self._opened += 1
            self._streams[self._opened] = (token, now)
            return self._opened

    def beat(self, number: int) -> None:
        """A stream is still there."""
        with self._lock:
            if number in self._streams:
                self._streams[number] = (self._streams[number][0], time.monotonic())

    def close_stream(self, number: int) -> None:
        """A stream has ended."""
        with self._lock:
            self._streams.pop(number, None)

    def close(self) -> None:
        """End streams and jobs, and let go of the store."""
        self.closing.set()
        self.jobs.stop()
        self.jobs.close(_GRACE_S)
        self.desk.close()
