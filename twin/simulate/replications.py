"""Replications over worker processes: on this machine, or on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, TypeVar

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool

T = TypeVar("T")
R = TypeVar("R")

ENGINES = ("joblib", "dask", "serial")
_ATTEMPTS = 5


class EngineError(RuntimeError):
    """Replications cannot be played on the engine asked for."""


def replicate(work: Callable[[T], R], tasks: Sequence[T], *, workers: int | None = None,
              engine: str = "joblib", address: str | None = None,
              on_done: Callable[[int], None] | None = None) -> list[R]:
    """Do independent tasks in parallel; results stand in the order of the tasks.

    The results do not depend on the engine or on the number of workers. When a worker dies, its
    tasks are given out again; what the others have done is kept.

    Parameters
    ----------
    work
        A pure function that can be pickled.
    workers
        Processes; all cores if None. One plays in this process.
    engine, address
        ``joblib`` on this machine, ``dask`` on a cluster (``address=tcp://...``; a local one if
        None), ``serial`` in this process.
    on_done
        Told the index of each task as it ends, once each.

    Raises
    ------
    EngineError
        If the engine is unknown or missing, or workers keep dying.

    Examples
    --------
    >>> replicate(abs, [-3, 2, -1], engine="serial")
    [3, 2, 1]
    """
    if engine not in ENGINES:
        raise EngineError(f"engine '{engine}' is unknown. Choose one of {', '.join(ENGINES)}.")
    count = workers or joblib.cpu_count() or os.cpu_count() or 1
    results: dict[int, R] = {}

    def keep(index: int, result: R) -> None:
        if index not in results:
            results[index] = result
            if on_done is not None:
                on_done(index)

    if engine == "serial" or (engine == "joblib" and (count == 1 or len(tasks) == 1)):
        for index, task in enumerate(tasks):
            keep(index, work(task))
        return [results[index] for index in range(len(tasks))]
    with ExitStack() as stack:
        stack.enter_context(_cluster(address, count) if engine == "dask" else nullcontext())
        for _ in range(_ATTEMPTS):
            missing = [index for index in range(len(tasks)) if index not in results]
            if not missing:
                break
            try:
                for index, result in _parallel(work, tasks, missing, count, engine):
                    keep(index, result)
            except BrokenProcessPool:
                continue
    if len(results) < len(tasks):
        raise EngineError(
            f"{len(tasks) - len(results)} of {len(tasks)} replications were lost: a worker died "
            f"{_ATTEMPTS} times (out of memory?). Use fewer workers: simulate.workers=1.")
    return [results[index] for index in range(len(tasks))]


def _one(work: Callable[[T], R], index: int, task: T) -> tuple[int, R]:
    return index, work(task)


def _parallel(work: Callable[[T], R], tasks: Sequence[T], indexes: Sequence[int], workers: int,
              engine: str) -> Iterator[tuple[int, R]]:
    """Results with their indexes, as they come."""
    chosen: dict[str, Any] = {"n_jobs": -1} if engine == "dask" else {
        "n_jobs": workers, "backend": "loky"}
    parallel = joblib.Parallel(return_as="generator_unordered", **chosen)
    yield from parallel(joblib.delayed(_one)(work, index, tasks[index]) for index in indexes)


def _cluster(address: str | None, workers: int) -> AbstractContextManager[Any]:
    """A connection to a Dask cluster, which joblib then uses."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise EngineError("engine dask needs the package 'distributed'. "
                          "Install it with: pip install 'twin[cluster]'.") from None
    stack = ExitStack()
    if address is None:
        address = stack.enter_context(LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None))
    try:
        stack.enter_context(Client(address, timeout=10))
    except (OSError, ValueError) as error:
        stack.close()
        raise EngineError(f"no Dask cluster answers at {address}: {error}. Start one with "
                          "'dask scheduler' and 'dask worker', or leave address out.") from None
    stack.enter_context(joblib.parallel_config(backend="dask"))
    return stack
