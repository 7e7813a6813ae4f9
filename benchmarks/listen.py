"""Ingest: what a listener takes from a real Mosquitto to disk, beside a client that only counts.

A broker of its own queues the messages of a session; then a process on one core takes them all:
`count` is the client library as it is used everywhere, which counts and lets them go; `hear` checks
each reading, syncs it to a segment, acknowledges it and merges it into its day. Both at QoS 1.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
CLIENT = "twin-bench-1"
TOPIC = "twin/bench/W/cold/t1"
WINDOW = 4_000


@contextmanager
def mosquitto() -> Iterator[int]:
    """A broker that keeps everything it is given, for as long as the block lasts; its port."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        raise RuntimeError("Mosquitto is not installed")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = int(door.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "mosquitto.conf"
        conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
                        "max_queued_messages 0\nmax_inflight_messages 0\nlog_type none\n"
                        "set_tcp_nodelay true\n")
        with subprocess.Popen([program, "-c", str(conf)]) as broker:
            try:
                for _ in range(100):
                    with socket.socket() as door:
                        if door.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    time.sleep(0.05)
                yield port
            finally:
                broker.terminate()


def reading(number: int, at: float) -> dict[str, Any]:
    """A reading of ordinary size, about 140 bytes of JSON."""
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at + number // 1000))
    return {"sensor": "t1", "id": str(number), "ts": f"{second}.{number % 1000:03d}Z",
            "kind": "temperature", "site": "W", "area": "cold", "value": 4.0 + number % 10 / 10,
            "unit": "C"}


def client(name: str, port: int, **more: Any) -> Any:
    """A connected MQTT 5 client."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    made = Client(CallbackAPIVersion.VERSION2, client_id=name,
                  protocol=MQTTProtocolVersion.MQTTv5, **more)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = WINDOW
    made.max_inflight_messages = 1_000
    made.connect("127.0.0.1", port, clean_start=False, properties=properties)
    return made


def fill(port: int, messages: int, batch: int) -> None:
    """Let the broker queue so many messages for the session of `CLIENT`."""
    from threading import Event

    ready = Event()
    asleep = client(CLIENT, port)
    asleep.on_subscribe = lambda *_: ready.set()
    asleep.loop_start()
    asleep.subscribe("$share/bench/twin/#", qos=1)
    ready.wait(10)
    asleep.disconnect()
    asleep.loop_stop()
    at = time.time() - 3600
    sender = client("bench-sender", port)
    sender.loop_start()
    sent = None
    for number in range(messages):
        said = [reading(number * batch + i, at) for i in range(batch)]
        sent = sender.publish(TOPIC, json.dumps(said if batch > 1 else said[0]), qos=1)
    if sent is not None:
        sent.wait_for_publish(120)
    sender.disconnect()
    sender.loop_stop()


def count(port: int, messages: int) -> dict[str, float]:
    """The client library alone: receive, count, acknowledge as it does by itself."""
    began = used = 0.0
    seen = 0
    one = client(CLIENT, port)

    def on_message(_client: Any, _data: Any, _message: Any) -> None:
        nonlocal seen, began, used
        if not seen:
            began, used = time.perf_counter(), time.process_time()
        seen += 1
        if seen == messages:
            one.disconnect()

    one.on_message = on_message
    one.loop_forever()
    return {"seconds": time.perf_counter() - began, "core": time.process_time() - used,
            "readings": seen}


def hear(port: int, messages: int, batch: int) -> dict[str, float]:
    """The listener: check, sync, acknowledge, merge."""
    import duckdb  # noqa: F401  imports are not timed

    from twin.sense.listener import Listener
    from twin.sense.source import Place, open_source
    from twin.store import Store

    with tempfile.TemporaryDirectory(dir=os.environ.get("TWIN_BENCH_FOLDER")) as folder:
        store = Store(folder)
        source = open_source(Place(f"mqtt://127.0.0.1:{port}", "bench", "1", Path(folder),
                                   {"share": "bench"}))
        began, used = time.perf_counter(), time.process_time()
        with Listener(source, store) as listener:
            while listener.heard.messages < messages:
                listener.step()
        whole, core = time.perf_counter() - began, time.process_time() - used
        source.close()
        stored = len(store.frame(columns=["id"])) if store.day_files() else 0
        lost = messages * batch - stored
        return {"seconds": whole, "core": core, "readings": stored, "lost": lost}


def replay(readings: int) -> dict[str, float]:
    """The listener on a file: a day of so many readings, merged as they come."""
    import duckdb

    from twin.sense.listener import Listener
    from twin.sense.source import Place, open_source
    from twin.store import Store

    with tempfile.TemporaryDirectory() as folder:
        day = Path(folder) / "day.parquet"
        subprocess.run([sys.executable, "-c", _DAY, str(day), str(readings)], check=True)
        source = open_source(Place(str(day), "bench"))
        store = Store(Path(folder) / "store")
        began = time.perf_counter()
        with Listener(source, store) as listener:
            while listener.step():
                pass
        seconds = time.perf_counter() - began
        (path,) = store.day_files().values()
        with duckdb.connect() as base:
            stored = base.execute(f"select count(*) from read_parquet('{path}')").fetchall()[0][0]
        return {"seconds": seconds, "core": 0.0, "readings": stored, "lost": readings - stored}


#: Makes the file in another process, whose memory does not count.
_DAY = """
import sys, duckdb
duckdb.sql(f\"\"\"copy (select 't' || (i % 200) as sensor, i::varchar as id, 'temperature' as kind,
    1772323200.0 + i * 86400.0 // {sys.argv[2]} as time, 'W' as site, 4.0 + i % 10 / 10 as value
    from range({sys.argv[2]}) t(i)) to '{sys.argv[1]}' (format parquet)\"\"\")
"""


def main() -> None:
    """One process of a measurement: ``listen.py count|hear|replay PORT MESSAGES BATCH``."""
    what, port, messages, batch = sys.argv[1], *map(int, sys.argv[2:5])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = (replay(messages) if what == "replay" else count(port, messages) if what == "count"
             else hear(port, messages, batch))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({**found, "rss": used.ru_maxrss / 1024}))


def turn(what: str, port: int, messages: int, batch: int = 1) -> dict[str, float]:
    """Fill the broker, if one is asked, and let a fresh process take it all."""
    if what != "replay":
        fill(port, messages, batch)
    out = subprocess.run([sys.executable, str(HERE), what, str(port), str(messages), str(batch)],
                         capture_output=True, text=True, check=False, timeout=600,
                         env=os.environ | {"PYTHONPATH": os.pathsep.join(
                             filter(None, (str(HERE.parents[1]), os.environ.get("PYTHONPATH"))))})
    if out.returncode:
        raise RuntimeError(out.stderr.strip().splitlines()[-1])
    return dict(json.loads(out.stdout))


if __name__ == "__main__":
    main()
