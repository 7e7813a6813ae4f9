"""OPC UA: machines and controllers that are asked to tell every change of their values.

The nodes are those of the model's table ``sensors``: `topic` is the node id (``ns=2;s=M3.Temp``),
`measure` the kind of reading (or ``kind/column``) and `unit` its unit. A lost connection is taken
up again; meanwhile each sensor is stale.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from twin.clock import excerpt
from twin.readings import format_instant
from twin.sense.declared import Declared, Dictionary, Meaning, column_of, missing
from twin.sense.source import Message, Place, SourceError, decode_json

_WAITING = 10_000
_RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0)
#: Parts of one reading (latitude and longitude) come within so many seconds of each other.
_TOGETHER_S = 1.0

_Group = tuple[str, str, str]


class OpcUa:
    """Nodes of an OPC UA server (`twin.sense.source`).

    Parameters
    ----------
    place
        Its address is ``opc.tcp://HOST:PORT[/PATH]``. User and password come from TWIN_OPCUA_USER
        and TWIN_OPCUA_PASSWORD, and TWIN_OPCUA_SECURITY is a security string of asyncua, such as
        ``Basic256Sha256,SignAndEncrypt,cert.der,key.pem``; blank is none. Options: `sensors` (rows
        of that table), `interval` (s between publications, 0.5).

    Raises
    ------
    SourceError
        If no sensor names a node, or the server cannot be reached the first time.
    """

    live = True
    ended = False

    def __init__(self, place: Place) -> None:
        try:
            import asyncua  # noqa: F401
        except ModuleNotFoundError:
            raise SourceError("OPC UA needs asyncua. Install it: pip install 'twin[opcua]'.") \
                from None
        if "@" in urlsplit(place.address).netloc:
            raise SourceError("source= holds a user or password. Leave it out and set "
                              "TWIN_OPCUA_USER and TWIN_OPCUA_PASSWORD, so that it stands in no "
                              "history.")
        self._url = place.address
        self._period_ms = 1000.0 * float(place.option("interval", 0.5))
        self._nodes = _nodes(place.option("sensors", ()))
        self._parts = Counter(meaning.group for meaning in self._nodes.values())
        self._last: dict[_Group, dict[str, Any]] = {}
        self._open: dict[_Group, _Open] = {}
        self._heard: queue.Queue[Message] = queue.Queue(_WAITING)
        self._closing, self._ready = threading.Event(), threading.Event()
        self._refusal = ""
        self._thread = threading.Thread(target=self._run, name="opcua", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._refusal:
            self._thread.join()
            raise SourceError(self._refusal)

    # -- the connection ----------------------------------------------------------------------------
    def _run(self) -> None:
        asyncio.run(self._stay_connected())

    async def _stay_connected(self) -> None:
        """Connect, and again whenever the connection is lost, with growing pauses."""
        tries = 0
        while not self._closing.is_set():
            try:
                async with self._client() as client:
                    await self._subscribe(client)
                    tries = 0
                    self._ready.set()
                    while not self._closing.is_set():
                        await asyncio.sleep(0.1)
                        self._close_old()
                        await client.check_connection()
            except Exception as error:  # asyncua raises many kinds, all of them a lost connection
                if not self._ready.is_set():
                    self._refusal = _why(self._url, error)
                    self._ready.set()
                    return
                if tries == 0:
                    self._tell_alive(0.0)
            await self._pause(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
            tries += 1

    async def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._closing.is_set():
            await asyncio.sleep(0.05)

    def _client(self) -> Any:
        from asyncua.client.client import Client

        client = Client(self._url, timeout=4)
        user = os.environ.get("TWIN_OPCUA_USER")
        if user:
            client.set_user(user)
            client.set_password(os.environ.get("TWIN_OPCUA_PASSWORD", ""))
        security = os.environ.get("TWIN_OPCUA_SECURITY")
        if security:
            return _Secured(client, security)
        return client

    async def _subscribe(self, client: Any) -> None:
        """Ask for every change of every node; nodes that the server lacks are named."""
        subscription = await client.create_subscription(self._period_ms, self)
        nodes = [client.get_node(node) for node in self._nodes]
        results = await subscription.subscribe_data_change(nodes)
        failed = [node for node, result in zip(self._nodes, results, strict=True)
                  if not isinstance(result, int)]
        if failed and not self._ready.is_set():
            raise LookupError(f"it has no node {', '.join(map(excerpt, failed[:5]))}. Correct "
                              "`topic` in the table sensors")
        self._tell_alive(1.0)

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        """A value has changed (asyncua calls this)."""
        name = node.nodeid.to_string()
        told = data.monitored_item.Value
        code = told.StatusCode
        quality = "good" if code is None or code.is_good() else \
            "uncertain" if code.is_uncertain() else "bad"
        stamp = told.SourceTimestamp or told.ServerTimestamp
        self._tell(name, value, stamp, quality)

    # -- readings ----------------------------------------------------------------------------------
    def _tell(self, name: str, value: Any, stamp: datetime | None, quality: str) -> None:
        meaning = self._nodes[name]
        now = time.time()
        when = now if stamp is None else stamp.replace(tzinfo=stamp.tzinfo or UTC).timestamp()
        if value is None:
            self._put(_alive(meaning.sensor, 0.0, now), name, now)
            return
        column, group = column_of(meaning, value), meaning.group
        held = self._open.get(group)
        if held is not None and held.when != when:
            self._finish(group)
        self._last.setdefault(group, {}).update({
            "kind": meaning.kind, "sensor": meaning.sensor, **meaning.shared,
            column: _plain(value, column), "quality": quality})
        held = self._open.setdefault(group, _Open(when, time.monotonic(), name))
        held.parts += 1
        if held.parts >= self._parts[group]:
            self._finish(group)

    def _finish(self, group: _Group) -> None:
        """Parts of one time are one reading; a part that did not change stays what it was."""
        held, said = self._open.pop(group), self._last[group]
        if not missing(said):
            self._put({**said, "ts": format_instant(held.when),
                       "id": f"{said['kind']}@{round(held.when * 1000)}"}, held.name, time.time())

    def _close_old(self) -> None:
        for group in [group for group, held in self._open.items()
                      if time.monotonic() - held.since > _TOGETHER_S]:
            self._finish(group)

    def _tell_alive(self, value: float) -> None:
        now = time.time()
        for sensor in sorted({meaning.sensor for meaning in self._nodes.values()}):
            self._put(_alive(sensor, value, now), self._url, now)

    def _put(self, said: Mapping[str, Any], topic: str, now: float) -> None:
        """Put a message in the queue; a full queue holds up the connection, and drops nothing."""
        message = Message(json.dumps(said).encode(), now, topic=topic)
        while not self._closing.is_set():
            try:
                self._heard.put(message, timeout=0.2)
            except queue.Full:
                continue
            return

    def take(self, most: int, wait_s: float) -> list[Message]:
        """Changes of values, in order."""
        taken: list[Message] = []
        try:
            taken.append(self._heard.get(timeout=max(wait_s, 0.001)))
            while len(taken) < most:
                taken.append(self._heard.get_nowait())
        except queue.Empty:
            pass
        return taken

    def readings(self, message: Message) -> list[Mapping[str, Any]]:
        """What a change says."""
        return decode_json(message.payload)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """A server does not tell a change again; it tells the value at every new subscription."""

    def close(self) -> None:
        """End the subscription and the connection."""
        self._closing.set()
        self._thread.join(10.0)


@dataclass(slots=True)
class _Open:
    """A reading of which parts may still come: its time, since when it waits, and its node."""

    when: float
    since: float
    name: str
    parts: int = 0


class _Secured:
    """A client whose certificate is read before it connects."""

    def __init__(self, client: Any, security: str) -> None:
        self._client, self._security = client, security

    async def __aenter__(self) -> Any:
        await self._client.set_security_string(self._security)
        return await self._client.__aenter__()

    async def __aexit__(self, *reason: object) -> None:
        await self._client.__aexit__(*reason)


def _nodes(sensors: Sequence[Declared]) -> dict[str, Meaning]:
    """Node id, as the server writes it -> what its values mean."""
    from asyncua import ua
    from asyncua.ua.uaerrors import UaStringParsingError

    words, found, wrong = Dictionary(sensors), {}, []
    for name, row in words.rows.items():
        if not name.startswith(("ns=", "i=", "s=", "g=", "b=")):
            continue
        meaning = words.meaning(name)
        try:
            node = ua.NodeId.from_string(name).to_string()
        except (UaStringParsingError, ValueError):
            wrong.append(f"sensors[{row.sensor}]: topic '{excerpt(name)}' is not a node id. Write "
                         "it such as ns=2;s=M3.Temperature.")
            continue
        if meaning is None:
            wrong.append(f"sensors[{row.sensor}]: measure '{excerpt(row.measure or '')}' is no "
                         "kind of reading. See docs/readings.md.")
        else:
            found[node] = meaning
    if wrong:
        raise SourceError("\n".join(wrong))
    if not found:
        raise SourceError("no sensor of the model names an OPC UA node. Write node ids such as "
                          "ns=2;s=M3.Temperature into `topic` of the table sensors.")
    return found


def _plain(value: Any, column: str) -> Any:
    """A JSON value; what is none stays a text that the door refuses."""
    if column == "state":
        return str(value)
    if isinstance(value, bool):
        return float(value)
    return value if isinstance(value, int | float) else excerpt(str(value))


def _alive(sensor: str, value: float, now: float) -> dict[str, Any]:
    return {"sensor": sensor, "kind": "alive", "value": value, "ts": format_instant(now),
            "id": f"alive@{round(now * 1000)}", "quality": "good" if value else "uncertain"}


def _why(url: str, error: Exception) -> str:
    if isinstance(error, LookupError):
        return f"server {url}: {error.args[0]}."
    if isinstance(error, OSError | TimeoutError | asyncio.TimeoutError):
        reason = str(error) or "no answer"
        return f"server {url} cannot be reached: {reason}. Start it, or correct source=."
    return f"server {url} refuses: {excerpt(str(error))}. Check name, password and security."


def open_source(place: Place) -> OpcUa:
    """Nodes of an OPC UA server, as a source to listen to."""
    return OpcUa(place)
