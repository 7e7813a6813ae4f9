"""Replications over worker processes: on this machine, or on a Dask cluster."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import joblib
from joblib.externals.loky.backend.reduction import dumps
from joblib.externals.loky.process_executor import BrokenProcessPool

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")

ENGINES = ("joblib", "dask", "serial")
_ATTEMPTS = 4


class EngineError(RuntimeError):
    """Replications cannot be played on the engine asked for."""


def replicate(work: Callable[[T], R], tasks: Sequence[T], *, workers: int | None = None,
              engine: str = "joblib", address: str | None = None,
              on_done: Callable[[int], None] | None = None) -> list[R]:
    """Do independent tasks in parallel; results stand in the order of the tasks.

    The results do not depend on the engine or on the number of workers. When a worker dies, what
    has been done is kept and only the missing tasks are given out again. The tasks reach each
    worker once, as a whole, so it costs nothing that all of them hold the same large network.

    Parameters
    ----------
    work
        A pure function.
    workers
        Processes; all cores if None. One plays in this process.
    engine, address
        ``joblib`` on this machine, ``dask`` on a cluster (``address=tcp://...``; a local one if
        None), ``serial`` in this process.
    on_done
        Told the index of each task as it ends, once each, in this process.

    Raises
    ------
    EngineError
        If the engine is unknown, missing or out of reach, or workers keep dying.

    Examples
    --------
    >>> replicate(abs, [-3, 2, -1], engine="serial")
    [3, 2, 1]
    """
    if engine not in ENGINES:
        raise EngineError(f"engine '{engine}' is unknown. Choose one of {', '.join(ENGINES)}.")
    if workers is not None and workers < 1:
        raise EngineError(f"workers {workers} is below 1. Leave it out to use every core.")
    count = workers or joblib.cpu_count() or os.cpu_count() or 1
    results: dict[int, R] = {}
    if engine == "dask":
        done = _over_cluster(work, tasks, count, address)
    elif engine == "serial" or count == 1 or len(tasks) == 1:
        done = ((index, work(task)) for index, task in enumerate(tasks))
    else:
        done = _over_processes(work, tasks, count, results)
    for index, result in done:
        if index not in results:
            results[index] = result
            if on_done is not None:
                on_done(index)
    return [results[index] for index in range(len(tasks))]


# ---- on this machine ----


def _over_processes(work: Callable[[T], R], tasks: Sequence[T], workers: int,
                    results: dict[int, R]) -> Iterator[tuple[int, R]]:
    """Results with their indexes, as they come; whatever is not in `results` is missing."""
    with TemporaryDirectory(prefix="twin-") as folder:
        parcel = Path(folder) / "tasks"
        parcel.write_bytes(dumps((work, list(tasks))))
        for _ in range(_ATTEMPTS):
            missing = [index for index in range(len(tasks)) if index not in results]
            if not missing:
                return
            # Few at a time, so that no worker is left with many while the others have done.
            parallel = joblib.Parallel(n_jobs=workers, backend="loky",
                                       batch_size=max(1, len(missing) // (16 * workers)),
                                       return_as="generator_unordered")
            try:
                yield from parallel(joblib.delayed(_do)(str(parcel), index) for index in missing)
            except BrokenProcessPool:
                continue
    if len(results) < len(tasks):
        raise EngineError(_lost(len(tasks) - len(results), len(tasks)))


def _do(parcel: str, index: int) -> tuple[int, Any]:
    """Do one task of a parcel; runs in a worker."""
    work, tasks = _opened(parcel)
    return index, work(tasks[index])


@lru_cache(maxsize=1)
def _opened(parcel: str) -> tuple[Callable[[Any], Any], list[Any]]:
    """The work and tasks of a parcel, read once by each worker."""
    found: tuple[Callable[[Any], Any], list[Any]] = pickle.loads(Path(parcel).read_bytes())
    return found


def _lost(count: int, total: int) -> str:
    return (f"{count} of {total} replications were lost: workers died again and again (out of "
            "memory?). Use fewer workers: simulate.workers=1.")


# ---- on a cluster ----


def _over_cluster(work: Callable[[T], R], tasks: Sequence[T], workers: int,
                  address: str | None) -> Iterator[tuple[int, R]]:
    """Results with their indexes, as they come; the cluster itself replaces dead workers."""
    with ExitStack() as stack:
        client = _client(stack, workers, address)
        from distributed import KilledWorker, as_completed

        # Made on a worker, not scattered, so that it is made again if that worker dies.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")
            parcel = client.submit(pickle.loads, bytes(dumps((work, list(tasks)))), pure=False)
            futures = client.map(_do_one, [parcel] * len(tasks), range(len(tasks)), pure=False)
        stack.callback(client.cancel, futures)
        left = len(futures)
        try:
            for _, found in as_completed(
                    futures, with_results=True, loop=client.loop):
                left -= 1
                yield found
        except KilledWorker:
            raise EngineError(_lost(left, len(tasks))) from None


def _do_one(parcel: tuple[Callable[[Any], Any], list[Any]], index: int) -> tuple[int, Any]:
    work, tasks = parcel
    return index, work(tasks[index])


def _client(stack: ExitStack, workers: int, address: str | None) -> Client:
    """A connection to a Dask cluster, which is closed with the stack."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise EngineError("engine dask needs the package 'distributed'. "
                          "Install it with: pip install 'twin[cluster]'.") from None
    cluster: Any = address
    if address is None:
        cluster = stack.enter_context(LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1",
            dashboard_address="127.0.0.1:0"))  # any port: several may run at once
    try:
        client = Client(cluster, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"no Dask cluster answers at {address}: {error}. Start one with "
                          "'dask scheduler' and 'dask worker', or leave address out.") from None
    stack.callback(client.close)
    return client
