"""Fan-out: the same results in the same order, whoever does the work and whoever dies."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin.simulate.replications import EngineError, replicate

ENGINES = [("serial", None), ("joblib", 1), pytest.param("joblib", 2, marks=pytest.mark.long)]


def chance(task: tuple[int, int]) -> float:
    """A pure function of its task, quick and slow ones mixed."""
    seed, replication = task
    if replication % 5 == 0:
        time.sleep(0.02)
    return float(np.random.default_rng([seed, replication]).normal())


TASKS = [(7, replication) for replication in range(40)]


@pytest.mark.parametrize(("engine", "workers"), ENGINES)
def test_results_do_not_depend_on_who_does_the_work(engine: str, workers: int | None) -> None:
    done: list[int] = []
    found = replicate(chance, TASKS, engine=engine, workers=workers, on_done=done.append)
    assert found == [chance(task) for task in TASKS]
    assert sorted(done) == list(range(40))


def test_no_tasks_no_results() -> None:
    assert replicate(chance, [], workers=2) == []


@pytest.mark.long
def test_any_function_will_do() -> None:
    offset = 5
    assert replicate(lambda x: x + offset, [1, 2, 3], workers=2) == [6, 7, 8]


# ---- what goes wrong ----


def fails(task: int) -> int:
    if task == 3:
        raise ValueError(f"task {task} cannot be played")
    return task


@pytest.mark.parametrize(("engine", "workers"), ENGINES)
def test_the_error_of_a_task_comes_through(engine: str, workers: int | None) -> None:
    with pytest.raises(ValueError, match="task 3 cannot be played"):
        replicate(fails, range(6), engine=engine, workers=workers)


def kills_itself_once(folder: str, task: int) -> tuple[int, int]:
    """In the middle, one worker process is killed, as by the system when memory runs out."""
    with open(Path(folder) / f"{task}.started", "a") as log:
        log.write("x")
    if task == 9:
        try:
            (Path(folder) / "killed").touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    (Path(folder) / f"{task}.done").touch()
    return task, task * task


@pytest.mark.long
def test_a_killed_worker_loses_and_repeats_nothing(tmp_path: Path) -> None:
    done: list[int] = []
    known: dict[int, int] = {}

    def on_done(index: int) -> None:
        done.append(index)
        if not (tmp_path / "killed").exists():
            known[index] = len((tmp_path / f"{index}.started").read_text())

    found = replicate(partial(kills_itself_once, str(tmp_path)), range(24), workers=2,
                      on_done=on_done)
    assert (tmp_path / "killed").exists()
    assert found == [(n, n * n) for n in range(24)]
    assert sorted(done) == list(range(24))
    assert known  # some had come before the kill, and none of these was done again
    assert {len((tmp_path / f"{n}.started").read_text()) for n in known} == {1}
    assert (tmp_path / "9.started").read_text() == "xx"


def always_killed(task: int) -> int:
    if task == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.long
def test_a_task_that_always_kills_is_given_up() -> None:
    with pytest.raises(EngineError, match=r"replications were lost: workers died again and again"):
        replicate(always_killed, range(4), workers=2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "ray"}, "engine 'ray' is unknown. Choose one of joblib, dask, serial."),
        ({"workers": 0}, "workers 0 is below 1. Leave it out to use every core."),
    ],
)
def test_what_is_asked_for_must_exist(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError) as refusal:
        replicate(chance, TASKS, **settings)
    assert str(refusal.value) == message


@pytest.mark.long
def test_an_interrupt_ends_it_at_once() -> None:
    """Ctrl-C is not swallowed, and no worker is left to finish its hour."""
    script = (
        "import time\n"
        "from twin.simulate.replications import replicate\n"
        "print('ready', flush=True)\n"
        "replicate(time.sleep, [0.01] * 4 + [3600] * 4, workers=2,\n"
        "          on_done=lambda i: print('done', flush=True))\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert process.stdout.readline() == "done\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors


# ---- large things travel once ----


class Heavy:
    """Counts, in a file, how often it is unpacked."""

    def __init__(self, log: str) -> None:
        self.log = log

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        with open(self.log, "a") as log:
            log.write(f"{os.getpid()}\n")


def uses(task: tuple[Heavy, int]) -> int:
    time.sleep(0.03)
    return task[1]


@pytest.mark.long
def test_what_tasks_share_reaches_each_worker_once(tmp_path: Path) -> None:
    heavy = Heavy(str(tmp_path / "log"))
    assert replicate(uses, [(heavy, n) for n in range(30)], workers=2) == list(range(30))
    unpacked = (tmp_path / "log").read_text().split()
    assert 1 <= len(unpacked) == len(set(unpacked)) <= 2


# ---- until it is precise ----


# ---- a real cluster ----


@pytest.mark.long
def test_a_cluster_of_its_own_survives_a_kill(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    done: list[int] = []
    found = replicate(partial(kills_itself_once, str(tmp_path)), range(24), engine="dask",
                      workers=2, on_done=done.append)
    assert (tmp_path / "killed").exists()
    assert found == [(n, n * n) for n in range(24)]
    assert sorted(done) == list(range(24))


@pytest.mark.long
def test_a_cluster_that_runs_already(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1",
                                  dashboard_address="127.0.0.1:0") as cluster:
        for _ in range(2):  # it is left as it was found
            found = replicate(chance, TASKS, engine="dask", address=cluster.scheduler_address)
            assert found == [chance(task) for task in TASKS]
        with pytest.raises(ValueError, match="task 3 cannot be played"):
            replicate(fails, range(6), engine="dask", address=cluster.scheduler_address)
        heavy = Heavy(str(tmp_path / "log"))
        replicate(uses, [(heavy, n) for n in range(20)], engine="dask",
                  address=cluster.scheduler_address)
    unpacked = (tmp_path / "log").read_text().split()
    assert len(unpacked) <= 3


@pytest.mark.long  # it waits for an answer
def test_no_cluster_at_the_address() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(EngineError, match=r"no Dask cluster answers at nowhere:1: "):
        replicate(chance, TASKS, engine="dask", address="nowhere:1")


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r"Install it with: pip install 'twin\[cluster\]'"):
        replicate(chance, TASKS, engine="dask")


def test_an_error_can_be_sent() -> None:
    assert str(pickle.loads(pickle.dumps(EngineError("lost")))) == "lost"
