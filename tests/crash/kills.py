"""Listeners that are killed at random moments, again and again, while readings come.

Two listeners share the load of a real broker. A publisher says numbered readings, some of them
twice, and now and then something malformed. At random moments a listener is killed (SIGKILL: no
clean-up of any kind) and started anew. They merge every few hundred readings, so that kills fall
into writing, syncing, acknowledging, closing, merging and removing alike. In the end every reading
must be in the store once, with its value, and every malformed message once in the quarantine.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.sense.mosquitto import forget
from twin.segment import segment_files
from twin.sense.listener import Listener, Rules
from twin.sense.quarantine import Quarantine
from twin.sense.source import Place, open_source
from twin.store import Store

ROOT = Path(__file__).parents[2]
LISTENERS = ("1", "2")
_NOON = 1_772_366_400
_AHEAD = 500  # readings that the broker may hold for listeners that are down
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """What a campaign has shown; `faults` is empty if nothing was lost and nothing doubled.

    `merged` counts the segments that were merged and removed between the first kill and the last.
    """

    kills: int
    published: int
    malformed: int
    merged: int
    seconds: float
    faults: tuple[str, ...]


def reading(number: int) -> dict[str, object]:
    """The reading of a number; it spreads over three days and five sensors."""
    return {"sensor": f"t{number % 5}", "id": str(number), "value": float(number),
            "ts": 1000 * (_NOON + 86_400 * (number % 3) + number), "kind": "odometer",
            "asset": "truck"}


class Publisher(threading.Thread):
    """Says readings until it is told to stop, never far ahead of what is stored."""

    def __init__(self, address: str, root: str, store: Store, seed: int) -> None:
        super().__init__(name="publisher")
        self.address, self.root, self.store = address, root, store
        self.random = random.Random(seed)
        self.enough = threading.Event()
        self.published = self.malformed = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._publish()
        except Exception as error:
            self.error = error

    def _publish(self) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        parts = urlsplit(self.address)
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect(parts.hostname or "", parts.port or 1883)
        client.loop_start()
        try:
            while not self.enough.is_set():
                if self.published - stored(self.store) > _AHEAD:
                    time.sleep(0.05)
                    continue
                sent = [client.publish(*message, qos=1) for message in self._burst(100)]
                for info in sent:
                    info.wait_for_publish(_PATIENCE_S)
                time.sleep(0.02)
        finally:
            client.disconnect()
            client.loop_stop()

    def _burst(self, size: int) -> Iterator[tuple[str, str]]:
        """So many readings, half of the times by messages of twenty; some are said twice."""
        said = [reading(self.published + number) for number in range(size)]
        self.published += size
        many = self.random.random() < 0.5
        for part in [said[first::5] for first in range(5)] if many else [[one] for one in said]:
            topic = f"{self.root}/-/-/{part[0]['sensor']}"
            for _ in range(2 if self.random.random() < 0.1 else 1):
                yield topic, json.dumps(part if many else part[0])
            if self.random.random() < 0.02:
                self.malformed += 1
                yield topic, f"malformed {self.malformed}"


def stored(store: Store) -> int:
    """Readings that a reader of the store sees now."""
    return len(store.frame(columns=["id"]))


@contextmanager
def child(folder: Path, address: str, root: str, name: str) -> Iterator[subprocess.Popen[str]]:
    """A listener in a process of its own."""
    with subprocess.Popen(
            [sys.executable, "-m", "tests.crash", "listen", str(folder), address, root, name],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def listen(folder: str, address: str, root: str, name: str) -> None:
    """The listener's side: hear until SIGTERM."""
    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    source = open_source(Place(f"{address}/{root}/#", root, name,
                               options={"share": root, "mqtt": "5"}))
    rules = Rules(oldest_s=1e12, late_s=1e12, group=60, merge_rows=300, merge_s=0.2)
    listener = Listener(source, Store(folder), name=name, rules=rules)
    print("ready", flush=True)
    try:
        while True:
            listener.step(0.05)
    except KeyboardInterrupt:
        listener.close()
        source.close()


def campaign(folder: Path, address: str, kills: int, seed: int = 1) -> Outcome:
    """Kill listeners so many times, then let them finish and look at what is there."""
    luck, root, began = random.Random(seed), f"crash-{uuid.uuid4().hex[:8]}", time.monotonic()
    store = Store(folder)
    publisher = Publisher(address, root, store, seed)
    killed = [0]
    there: set[Path] = set()
    gone: set[Path] = set()
    lock = threading.Lock()
    errors: list[BaseException] = []

    def keep_killing(name: str, luck: random.Random) -> None:
        try:
            while True:
                with lock:
                    if killed[0] >= kills:
                        return
                    killed[0] += 1
                with child(folder, address, root, name) as process:
                    assert process.stdout is not None
                    if luck.random() < 0.9:  # else somewhere in its start
                        if process.stdout.readline() != "ready\n":
                            raise RuntimeError(f"listener {name} did not start")
                    # Mostly short lives; some long enough to merge and to remove segments.
                    time.sleep(luck.uniform(0.0, 0.8) if luck.random() < 0.7
                               else luck.uniform(0.8, 3.0))
                    process.send_signal(signal.SIGKILL)
                with lock:
                    now = {path.with_suffix("") for path in segment_files(folder / "segments")}
                    gone.update(there - now)
                    there.update(now)
        except BaseException as error:
            errors.append(error)

    for name in LISTENERS:  # subscribed before anything is said
        open_source(Place(f"{address}/{root}/#", root, name,
                          options={"share": root, "mqtt": "5"})).close()
    publisher.start()
    killers = [threading.Thread(target=keep_killing, args=(name, random.Random(luck.random())))
               for name in LISTENERS]
    for killer in killers:
        killer.start()
    for killer in killers:
        killer.join()
    publisher.enough.set()
    publisher.join()
    try:
        if not errors and publisher.error is None:
            _finish(folder, address, root, publisher)
        return Outcome(kills, publisher.published, publisher.malformed, len(gone),
                       time.monotonic() - began, tuple(_faults(store, publisher, errors)))
    finally:
        for name in LISTENERS:
            forget(address, f"twin-{root}-{name}")


def _finish(folder: Path, address: str, root: str, publisher: Publisher) -> None:
    """Let both listeners hear what is left, and stop them properly."""
    with child(folder, address, root, "1") as one, child(folder, address, root, "2") as two:
        for process in (one, two):
            assert process.stdout is not None
            process.stdout.readline()
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and (
                stored(publisher.store) < publisher.published
                or Quarantine(folder / "quarantine").counts()["malformed"] < publisher.malformed):
            time.sleep(0.1)
        time.sleep(0.5)
        for process in (one, two):
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _faults(store: Store, publisher: Publisher, errors: list[BaseException]) -> Iterator[str]:
    yield from (f"{type(error).__name__}: {error}" for error in errors)
    if publisher.error is not None:
        yield f"publisher: {publisher.error}"
    frame = store.frame(columns=["sensor", "id", "value", "time"])
    numbers = frame["id"].astype(int)
    lost = sorted(set(range(publisher.published)) - set(numbers))
    if lost:
        yield f"{len(lost)} readings were lost, such as {lost[:5]}"
    if numbers.duplicated().any():
        yield f"{int(numbers.duplicated().sum())} readings are there twice"
    if (frame["value"] != numbers).any() or not frame["time"].is_monotonic_increasing:
        yield "readings have changed"
    counts = Quarantine(store.folder / "quarantine").counts()
    if dict(counts) != ({"malformed": publisher.malformed} if publisher.malformed else {}):
        yield f"the quarantine counts {dict(counts)} instead of {publisher.malformed} malformed"
    if segment_files(store.folder / "segments"):
        yield "segments are left"
