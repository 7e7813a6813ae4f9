"""Jobs: what takes longer than a request. One after another, each with its progress and result."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from twin.commands import Unanswered
from twin.serve.problem import Problem, placeless, unforeseen

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
_MOST_WAITING = 8
_MOST_KEPT = 100
_MOST_STEPS = 2_000

#: Told what is being done, how much of it is done, and of how much.
Report = Callable[[str, int, int], None]
Work = Callable[[Report], Any]


class Cancelled(Exception):
    """Somebody has cancelled the job, or the server ends."""


@dataclass(slots=True)
class Job:
    """One job as it stands.

    Attributes
    ----------
    steps
        What has happened so far: the word of an event and its data, in order.
    """

    id: str
    kind: str
    by: str
    made: float
    status: str = QUEUED
    what: str = ""
    done: int = 0
    total: int = 0
    ended: float | None = None
    result: Any = None
    error: str = ""
    steps: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in (DONE, FAILED, CANCELLED)

    def step(self, kind: str, **data: Any) -> None:
        """Something has happened; a long job keeps its last steps only as a whole."""
        if len(self.steps) < _MOST_STEPS or kind != "progress":
            self.steps.append((kind, data))


class Jobs:
    """Jobs in a queue.

    Examples
    --------
    >>> jobs = Jobs()
    >>> job = jobs.start("count", "ann", lambda report: report("counting", 1, 1) or 42)
    >>> jobs.close()
    >>> job.status, job.result, [kind for kind, _ in job.steps]
    ('done', 42, ['queued', 'running', 'progress', 'done'])
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[Job, Work] | None] = SimpleQueue()
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()
        # A step that takes long must not keep a server from ending: the thread falls with it.
        self._thread = Thread(target=self._work, name="twin-job", daemon=True)
        self._thread.start()

    def start(self, kind: str, by: str, work: Work) -> Job:
        """Put a job into the queue.

        Raises
        ------
        Problem
            429 if too many wait already.
        """
        job = Job(secrets.token_hex(6), kind, by, time.time())
        with self._lock:
            if sum(not one.over for one in self._jobs.values()) >= _MOST_WAITING:
                raise Problem(429, f"{_MOST_WAITING} jobs wait already. Come back when one is "
                                   "over, or cancel one.", {"Retry-After": "30"})
            over = [one.id for one in self._jobs.values() if one.over]
            for old in over[: max(0, len(self._jobs) + 1 - _MOST_KEPT)]:
                del self._jobs[old]
            self._jobs[job.id] = job
        job.step(QUEUED)
        self._queue.put((job, work))
        return job

    def list(self) -> list[Job]:
        """Every job that is remembered, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def get(self, name: str) -> Job:
        """One job.

        Raises
        ------
        Problem
            404 if there is none.
        """
        with self._lock:
            job = self._jobs.get(name)
        if job is None:
            raise Problem(404, f"there is no job '{placeless(name)[:40]}'. A server that has "
                               "started anew remembers none.")
        return job

    def cancel(self, name: str) -> Job:
        """Stop a job at its next step."""
        job = self.get(name)
        if job.over:
            raise Problem(409, f"job {job.id} is {job.status}.")
        job.stop.set()
        return job

    def stop(self) -> None:
        """Let every job end at its next step."""
        for job in self.list():
            job.stop.set()

    def close(self, patience_s: float | None = None) -> None:
        """Take no more jobs, and wait for those that there are, `patience_s` at most."""
        self._queue.put(None)
        self._thread.join(patience_s)

    def _work(self) -> None:
        while (asked := self._queue.get()) is not None:
            self._do(*asked)

    def _do(self, job: Job, work: Work) -> None:
        def report(what: str, done: int, total: int) -> None:
            if job.stop.is_set():
                raise Cancelled
            job.what, job.done, job.total = what, done, total
            job.step("progress", what=what, done=done, total=total)

        try:
            if job.stop.is_set():
                raise Cancelled
            job.status = RUNNING
            job.step(RUNNING)
            result = work(report)
        except Cancelled:
            self._end(job, CANCELLED)
        except (ValueError, Unanswered) as error:
            self._end(job, FAILED, error=placeless(str(error)))
        except Exception as error:
            told = bytes(unforeseen(error).body).decode()
            self._end(job, FAILED, error=f"This should not have happened: {told}")
        else:
            self._end(job, DONE, result=result)

    @staticmethod
    def _end(job: Job, status: str, *, result: Any = None, error: str = "") -> None:
        job.result, job.error, job.ended = result, error, time.time()
        job.step(status, **({"error": error} if error else {}))
        job.status = status
