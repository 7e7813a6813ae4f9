"""Pushers killed at random, between an ERP that fails and a store and a broker that restart.

Each run is a process that files advice, decides on it, undoes some of it and pushes, and that may
be killed at a named step or at any moment. Afterwards all is pushed in peace, and the books are
held against each other: decisions, messages, what each receiver holds, and the log. A topic
promises "at least once", so its receiver may hold a key twice; the others may not.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.operate.conftest import SECRET, RunningErp
from tests.sense.mosquitto import PROGRAM, answers, free_port
from twin.operate import audit, outbox
from twin.operate.connectors.contract import Connector
from twin.operate.connectors.folder import Folder
from twin.operate.connectors.rest import Rest
from twin.operate.connectors.table import Table
from twin.operate.connectors.topic import Topic
from twin.operate.database import connect, reading, writing
from twin.operate.fault_point import POINTS
from twin.operate.forms import form_of
from twin.operate.inbox import DecisionError, Inbox, Standing
from twin.operate.ladder import Rung
from twin.operate.outbox import Patience, Pusher
from twin.operate.rails import Rails
from twin.recommendation import Action, Recommendation

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEY = bytes.fromhex("5e" * 32)
START = datetime(2026, 1, 5, tzinfo=UTC)
PATIENCE = Patience(lease_s=0.25, first_s=0.01, longest_s=0.1, attempts=1_000)
WAYS = {"order": "erp", "move": "wms", "service": "mes", "reroute": "fleet"}
TWICE = {"fleet"}


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to; `faults` is empty if all books agree."""

    runs: int
    killed: int
    seconds: float
    decided: int
    undone: int
    messages: int
    seen: int  #: deliveries that the ERP saw, repeated ones included
    ends: Counter[str]
    faults: tuple[str, ...]


def advice(luck: random.Random, number: int) -> Recommendation:
    """An order, a move, a service, a reroute, or some of them."""
    verbs = luck.sample(sorted(WAYS), luck.randint(1, 4))
    actions = tuple(Action(verb, f"thing {number}/{verb}", 1.0 + number, when_h=12.0, value=1.0)
                    for verb in verbs)
    return Recommendation("harbour", "replenishment", actions, (), made_h=0.0, expires_h=1e6)


def inbox(connection: Connection) -> Inbox:
    """The inbox, a moment after the start of the model."""
    return Inbox(connection, KEY, "harbour", START, lambda verb, kind: WAYS[verb], lambda: START)


class Broker:
    """A Mosquitto that keeps its queues over a restart; without the program there is none."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        if PROGRAM is None:
            return
        self.conf = folder / "mosquitto.conf"
        stays = "user root\n" if hasattr(os, "getuid") and os.getuid() == 0 else ""
        self.conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{stays}"
                             "max_queued_messages 0\npersistence true\n"
                             f"persistence_location {folder}/\n")
        self.start()
        with self._receiver() as client:
            client.subscribe("commands", qos=1)
            client.loop(0.1)
            client.loop(0.1)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen([PROGRAM or "", "-c", str(self.conf)],
                                        stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10.0
        while not answers(self.port):
            assert time.monotonic() < until, "Mosquitto did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, as a restart of the machine does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def held(self) -> list[str]:
        """The keys that the receiver was given, in the end."""
        keys: list[str] = []
        if self.process is not None:
            with self._receiver(keys) as client:
                last, until = -1, time.monotonic() + 60.0
                while last != len(keys) and time.monotonic() < until:
                    last, wait = len(keys), time.monotonic() + 1.0
                    while time.monotonic() < wait:
                        client.loop(0.1)
        return keys

    @contextmanager
    def _receiver(self, keys: list[str] | None = None) -> Iterator[Any]:
        from paho.mqtt.client import Client, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2, "receiver", clean_session=False,
                        protocol=MQTTv311)
        if keys is not None:
            client.on_message = lambda _, __, got: keys.append(json.loads(got.payload)["key"])
        client.connect("127.0.0.1", self.port)
        client.loop(0.1)
        try:
            yield client
        finally:
            client.disconnect()
            client.loop(0.1)


@dataclass(frozen=True)
class Scene:
    """Where a campaign plays."""

    folder: Path
    address: str
    erp: RunningErp
    broker: Broker


@contextmanager
def pusher(scene: Scene) -> Iterator[tuple[Any, Pusher]]:
    """The store, and a pusher over four kinds of connectors."""
    engine, erp, folder = connect(scene.address), scene.erp, scene.folder
    ways: dict[str, Connector] = {"erp": Rest("erp", erp.url, SECRET.encode(), timeout_s=1.0),
            "wms": Table("wms", f"sqlite:///{folder / 'wms.db'}"),
            "mes": Folder("mes", folder / "mes", form_of("cloudevents"))}
    ways["fleet"] = ways["mes"] if scene.broker.process is None else Topic(
        "fleet", f"mqtt://127.0.0.1:{scene.broker.port}", "commands", timeout_s=1.0)
    try:
        yield engine, Pusher(engine, ways, KEY, patience=PATIENCE)
    finally:
        for way in ways.values():
            way.close()
        engine.dispose()


def live(scene: Scene, number: int, seed: int) -> None:
    """One process's life: advise, decide, undo, push."""
    luck = random.Random(seed)
    with pusher(scene) as (engine, push):
        with writing(engine) as connection:
            box = inbox(connection)
            standing = [filed.advice for filed in box.list(Standing.OPEN)]
            box.file([*standing, advice(luck, number)], {"replenishment": Rung.APPROVE})
        with writing(engine) as connection:
            for filed in inbox(connection).list(Standing.OPEN):
                if luck.random() < 0.8:
                    inbox(connection).approve(filed.name, "Ann", Rails())
        if luck.random() < 0.6:
            push.push(luck.randint(1, 3))
        with writing(engine) as connection:
            done = inbox(connection).list(Standing.APPROVED)
            if done and luck.random() < 0.3:
                with suppress(DecisionError):
                    inbox(connection).undo(luck.choice(done[-3:]).name, "Bob")
        for _ in range(luck.randint(1, 4)):
            push.push()
            time.sleep(0.02)


def fork(scene: Scene, number: int, luck: random.Random) -> str:
    """Let one process live, or kill it; how it ended."""
    how = luck.choice(("step", "step", "moment", "peace"))
    step = f"{luck.choice(POINTS)}:{luck.randint(1, 3)}" if how == "step" else ""
    seed = luck.randrange(1 << 30)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.environ["TWIN_FAULT_POINT"] = step
            live(scene, number, seed)
            code = 0
        except Exception as error:  # such as a store that dropped the connection
            if os.environ.get("TWIN_CRASH_TELL"):
                print(f"run {number}: {error!r}", flush=True)
            code = 3
        finally:
            os._exit(code)
    if scene.address.startswith("postgresql") and luck.random() < 0.2:
        time.sleep(luck.expovariate(1 / 0.06))
        drop_connections(scene.address)
    if how == "moment":
        time.sleep(luck.expovariate(1 / 0.06))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"killed at {step.partition(':')[0]}" if step else "killed at a moment"
    return {0: "lived", 3: "gave up"}.get(os.WEXITSTATUS(status), "failed")


def campaign(folder: Path, runs: int, seed: int, postgres: str = "") -> Outcome:
    """Many lives on one store; then the books are compared.

    Parameters
    ----------
    postgres
        Address of an empty PostgreSQL database; a file of SQLite if blank.
    """
    luck = random.Random(seed)
    address = postgres or str(folder / "operate.db")
    erp, broker = RunningErp(folder), Broker(folder)
    scene = Scene(folder, address, erp, broker)
    ends: Counter[str] = Counter()
    began = time.monotonic()
    try:
        connect(address).dispose()
        for number in range(runs):
            if luck.random() < 0.3:
                erp.mode(fail=luck.randint(0, 3), mute=luck.randint(0, 2),
                         slow=luck.choice((0.0, 0.0, 0.02)), closed=luck.random() < 0.2)
            if luck.random() < 0.04:
                erp.kill()
            if broker.process is not None and luck.random() < 0.04:
                broker.stop()
            ends[fork(scene, number, luck)] += 1
            assert erp.process is not None
            if erp.process.poll() is not None:
                erp.start()
            if broker.process is not None and broker.process.poll() is not None:
                broker.start()
        erp.mode(fail=0, mute=0, slow=0.0, closed=False)
        with pusher(scene) as (engine, push):
            until = time.monotonic() + 120.0
            while push.next_due() is not None and time.monotonic() < until:
                push.push()
                time.sleep(0.02)
            return told(engine, scene, runs, ends, time.monotonic() - began)
    finally:
        erp.kill()
        broker.stop()


@contextmanager
def database(server: str) -> Iterator[str]:
    """An empty PostgreSQL database of a server, and its address."""
    import psycopg

    name = f"twin_crash_{os.getpid()}"
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    try:
        yield f"{server.rstrip('/')}/{name}"
    finally:
        with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def drop_connections(postgres: str) -> None:
    """End every connection to a database, as a restart does."""
    import psycopg

    base, _, name = postgres.rpartition("/")
    with psycopg.connect(base, dbname="postgres", autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity "
                           "where datname = %s", (name,))


def told(engine: Any, scene: Scene, runs: int, ends: Counter[str], seconds: float) -> Outcome:
    """Hold all books against each other."""
    faults: list[str] = []
    with reading(engine) as connection:
        rows = outbox.rows(connection)
        filed = inbox(connection).list()
        heads = [audit.Head.parse(row.message.head) for row in rows if row.message.head]
        faults += audit.verify(connection, KEY, heads)
    taken = [one for one in filed if one.status in (Standing.APPROVED, Standing.UNDONE)]
    wanted = {f"harbour/{one.name}/{n}" for one in taken
              for n in range(1, 1 + len(one.advice.actions))}
    queued = {row.message.key for row in rows if not row.message.undoes}
    faults += [f"{key} was decided and is not in the outbox" for key in sorted(wanted - queued)]
    faults += [f"{key} is in the outbox and was not decided" for key in sorted(queued - wanted)]
    faults += [f"{row.message.key} is {row.status}" for row in rows if row.status == "pending"]
    held, seen = _held(scene)
    for way, keys in held.items():
        sent = {row.message.key for row in rows if row.connector == way and row.status == "sent"}
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if way not in TWICE:
            faults += [f"{way} holds {key} twice" for key in twice]
        faults += [f"{way} lacks {key}" for key in sorted(sent - set(keys))]
        unsent = {row.message.key for row in rows if row.connector == way} - sent
        faults += [f"{way} holds {key}, which is not sent" for key in sorted(unsent & set(keys))]
        strange = set(keys) - sent - unsent
        faults += [f"{way} holds {key}, which nobody sent" for key in sorted(strange)]
    killed = sum(count for how, count in ends.items() if how.startswith("killed"))
    if ends["failed"]:
        faults.append(f"{ends['failed']} lives ended in an error")
    undone = sum(one.status is Standing.UNDONE for one in taken)
    return Outcome(runs, killed, seconds, len(taken), undone, len(rows), seen, ends,
                   tuple(faults))


def _held(scene: Scene) -> tuple[dict[str, list[str]], int]:
    """The keys that each receiver holds, and how often the ERP was asked."""
    orders, folder = scene.erp.orders(), scene.folder
    held = {"erp": [key for key, _, _ in orders], "wms": [], "mes": [],
            "fleet": scene.broker.held()}
    if (folder / "wms.db").exists():
        with sqlite3.connect(folder / "wms.db") as connection:
            held["wms"] = [key for key, in connection.execute("select key from twin_commands")]
    if (folder / "mes").exists():
        held["mes"] = [json.loads(file.read_text())["id"]
                       for file in sorted((folder / "mes").glob("*.json"))]
    return held, sum(times for _, _, times in orders)
