"""A store, and an ERP that answers on a socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra operate")
pytest.importorskip("httpx2", reason="needs the extra operate")

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECRET = "shared with the ERP"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setenv("TWIN_AUDIT_KEY", "5e" * 32)
    return bytes.fromhex("5e" * 32)


@pytest.fixture(scope="session")
def database() -> Iterator[str | None]:
    """The address of a PostgreSQL database of this process's own; None where no server is named.

    Making one takes longer than most tests; commits need not reach the disk.
    """
    server = os.environ.get("TWIN_TEST_POSTGRES")
    if not server:
        yield None
        return
    psycopg = pytest.importorskip("psycopg")
    name = f"twin_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
        connection.execute(f"alter database {name} set synchronous_commit = off")
    yield server.rstrip("/") + f"/{name}"
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "operate.db")
    database: str | None = request.getfixturevalue("database")
    if database is None:
        pytest.skip("no PostgreSQL: set TWIN_TEST_POSTGRES")
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity"
                           " where datname = current_database() and pid <> pg_backend_pid()")
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    return database


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server of a small chain in this process, shared by tests that do not mind each other."""
    pytest.importorskip("fastapi", reason="needs the extra serve")
    from tests.operate.served import serving

    with serving(tmp_path_factory.mktemp("served")) as one:
        yield one


class RunningErp:
    """The other process, and what it has executed."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.port}/orders"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "erp.py"), str(self.port), str(self.folder / "erp.db"),
             SECRET], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        until = time.monotonic() + 20.0
        while time.monotonic() < until:
            try:
                self.orders()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the ERP does not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def mode(self, **how: Any) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/mode",
                                         json.dumps(how).encode())
        urllib.request.urlopen(request, timeout=10).read()

    def orders(self) -> list[list[Any]]:
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            found: list[list[Any]] = json.loads(answer.read())
            return found


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[RunningErp]:
    running = RunningErp(tmp_path)
    yield running
    running.kill()
