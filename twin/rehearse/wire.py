"""The wire of a rehearsal: messages go to a broker, orders come back from it.

Needs the extra ``iot``. Every message is published at QoS 1; `send` returns when the broker has
taken all, so that a lockstep clock never runs ahead of what is heard.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from twin.clock import excerpt, parse_moment
from twin.readings import format_instant
from twin.rehearse.fault import Outgoing, encoded
from twin.sense.source import topic_of as named

_MOST_BYTES = 65_536
_PATIENCE_S = 30.0
#: Messages between two ticks: fewer than a broker's queue holds by default.
_CHUNK = 400
_TICK_S = 60.0
#: What an operation can be asked to do.
VERBS = ("order", "transfer", "expedite", "defer", "cancel", "increase", "decrease", "set")


class WireError(ValueError):
    """No broker, or it does not answer; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is asked from outside: an order, a change of one, or (`verb` set) a setting.

    Attributes
    ----------
    order
        Number of the order that is changed; 0 for a new one.
    due
        Until when an order is put off, ISO 8601.
    cell, value
        Of a setting.
    """

    key: str
    site: str
    product: str
    quantity: float
    source: str = ""
    verb: str = "order"
    mode: str = ""
    order: int = 0
    due: str = ""
    cell: str = ""
    value: str = ""


class Wire:
    """A connection to a broker.

    Parameters
    ----------
    url
        ``mqtt://[user@]host[:port]``, or ``mqtts://`` for TLS; the password comes from the
        environment, `TWIN_MQTT_PASSWORD`.
    model
        Readings go to ``twin/<model>/...``, the time and a number to ``clock/<model>``; orders are
        taken from ``orders/<model>`` and answered at ``orders/<model>/answers``. Listeners that
        follow the clock say back which number they have heard: the wire waits for them, so that
        no broker's queue runs over however fast the operation lives.
    """

    def __init__(self, url: str, model: str) -> None:
        try:
            from paho.mqtt.client import Client, MQTTv311
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise WireError("publishing needs the library paho-mqtt. Install it: "
                            "pip install 'twin[iot]'.") from None
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise WireError(f"broker '{excerpt(url)}' is not the address of a broker. Write such "
                            "as mqtt://localhost:1883.")
        self.model = model
        self.orders: queue.Queue[Command | str] = queue.Queue(10_000)
        self._done: dict[str, dict[str, Any]] = {}
        self._ticks = 0
        self._heard: dict[str, int] = {}
        self._news = threading.Condition()
        self._connected = threading.Event()
        self.client = client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        client.max_inflight_messages_set(500)
        if parts.username:
            client.username_pw_set(parts.username, os.environ.get("TWIN_MQTT_PASSWORD"))
        if parts.scheme == "mqtts":
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        try:
            client.connect(parts.hostname, port, keepalive=60)
        except OSError as error:
            raise WireError(f"no broker answers at {parts.hostname}:{port}: "
                            f"{error.strerror or error}. Start one, or write broker=embedded."
                            ) from None
        client.loop_start()
        if not self._connected.wait(_PATIENCE_S):
            self.close()
            raise WireError(f"the broker at {parts.hostname}:{port} lets nobody in. Check user "
                            "and TWIN_MQTT_PASSWORD.")

    def close(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(Exception):
            self.client.disconnect()
        self.client.loop_stop()

    # -- sending ---------------------------------------------------------------------------------
    def send(self, sent: Sequence[Outgoing], times: Sequence[float], now: float) -> None:
        """Publish the messages of a step in order, each at its time (seconds since 1970); returns
        when the broker has all of them, and listeners that follow the clock have them safe.
        """
        for first in range(0, max(1, len(sent)), _CHUNK):
            out, told = [], -1.0
            for came, (sensor, row) in zip(times[first:first + _CHUNK],
                                           sent[first:first + _CHUNK], strict=True):
                if came >= told + _TICK_S:
                    told = came
                    out.append(self._tick(came))
                out.append(self.client.publish(topic_of(self.model, sensor, row), encoded(row),
                                               qos=1))
            out.append(self._tick(now if first + _CHUNK >= len(sent) else told))
            for info in out:
                info.wait_for_publish(_PATIENCE_S)
                if not info.is_published():
                    raise WireError(f"the broker has taken nothing for {_PATIENCE_S:g} s. Check "
                                    "it.")
            self._wait_for_listeners()

    def _tick(self, now: float) -> Any:
        self._ticks += 1
        return self.client.publish(f"clock/{self.model}", f"{format_instant(now)} {self._ticks}",
                                   qos=1, retain=True)

    def _wait_for_listeners(self) -> None:
        """Wait until all who have ever spoken have heard; who is silent for long is forgotten."""
        with self._news:
            self._news.wait_for(lambda: all(number >= self._ticks
                                            for number in self._heard.values()), _PATIENCE_S)
            self._heard = {name: number for name, number in self._heard.items()
                           if number >= self._ticks}

    def await_listener(self, seconds: float, now: float) -> None:
        """Wait until a listener that follows the clock is there.

        Raises
        ------
        WireError
            If nobody comes.
        """
        until = time.monotonic() + seconds
        while not self._heard:
            if time.monotonic() >= until:
                raise WireError(f"no listener has answered the clock in {seconds:g} s. Check that "
                                "it hears the same broker.")
            self._tick(now).wait_for_publish(_PATIENCE_S)
            with self._news:
                self._news.wait_for(lambda: bool(self._heard), 0.2)

    def forget(self) -> None:
        """Take the last tick of the clock from the broker, which has kept it for latecomers."""
        self.client.publish(f"clock/{self.model}", b"", qos=1,
                            retain=True).wait_for_publish(_PATIENCE_S)

    # -- taking orders ---------------------------------------------------------------------------
    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any,
                    properties: Any = None) -> None:
        if not reason.is_failure:
            client.subscribe([(f"orders/{self.model}", 1), (f"clock/{self.model}/heard/+", 0)])
            self._connected.set()

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        if message.topic.startswith("clock/"):
            with self._news, contextlib.suppress(ValueError):
                self._heard[message.topic] = min(int(message.payload[:20]), self._ticks)
                self._news.notify_all()
            return
        with contextlib.suppress(queue.Full):  # not acknowledged in any answer: sent again later
            self.orders.put_nowait(parse_command(message.payload))

    def take(self, place: Callable[[Command], int]) -> int:
        """Execute the orders that came; each key once. How many were new."""
        new = 0
        while True:
            try:
                command = self.orders.get_nowait()
            except queue.Empty:
                return new
            if isinstance(command, str):
                self._answer({"key": "", "error": command})
                continue
            known = self._done.get(command.key)
            if known is None:
                try:
                    known = {"key": command.key, "order": place(command)}
                    new += 1
                except ValueError as error:
                    known = {"key": command.key, "error": str(error)}
                self._done[command.key] = known
            self._answer(known)

    def _answer(self, said: dict[str, Any]) -> None:
        self.client.publish(f"orders/{self.model}/answers",
                            json.dumps(said).encode(), qos=1)


def parse_command(payload: bytes) -> Command | str:
    """What was asked over the wire, or what is wrong with it.

    Understands a plain order and what the outbox pushes: with ``kind`` and ``target``, as JSON or
    as a CloudEvent.

    Examples
    --------
    >>> parse_command(b'{"key": "1", "site": "W", "product": "tea", "quantity": 5}').quantity
    5.0
    >>> said = parse_command(b'{"key": "2", "kind": "set", "target": "stock[W,tea].order_up_to", '
    ...                      b'"value": "9", "quantity": 0}')
    >>> said.verb, said.cell, said.value
    ('set', 'stock[W,tea].order_up_to', '9')
    >>> parse_command(b'{"site": "W"}')
    'key is missing. Send key, site, product, quantity and, if it matters, source.'
    """
    keys = "Send key, site, product, quantity and, if it matters, source."
    if len(payload) > _MOST_BYTES:
        return f"the order has {len(payload):,} bytes; at most {_MOST_BYTES:,}. {keys}"
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return f"the order is not JSON. {keys}"
    if isinstance(said, dict) and isinstance(said.get("data"), dict):
        said = {**said["data"], "key": said.get("id", ""),
                "kind": str(said.get("type", "")).removeprefix("twin.")}
    if not isinstance(said, dict):
        return f"the order is not an object. {keys}"
    verb = said.get("kind", "order")
    if not isinstance(verb, str) or verb not in VERBS:
        return f"'{excerpt(str(verb))}' cannot be done here. Send one of {', '.join(VERBS)}."
    return _setting(said, keys) if verb == "set" else _order(said, verb, keys)


def _order(said: dict[str, Any], verb: str, keys: str) -> Command | str:
    target = said.get("target")
    if isinstance(target, str) and "/" in target:
        site, _, product = target.partition("/")
        said = {"site": site, "product": product, **said}
    for name in ("key", "site", "product", "quantity"):
        if name not in said:
            return f"{name} is missing. {keys}"
    quantity = said["quantity"]
    if isinstance(quantity, bool) or not isinstance(quantity, int | float) \
            or not 0.0 < quantity < 1e12:
        return f"quantity '{excerpt(str(quantity))}' is not a number above 0. {keys}"
    texts = {name: said.get(name, "") for name in ("key", "site", "product", "source", "mode",
                                                   "due")}
    wrong = [name for name, text in texts.items() if not isinstance(text, str) or len(text) > 200]
    if wrong:
        return f"{wrong[0]} is not a text of at most 200 characters. {keys}"
    number = said.get("order", 0)
    if isinstance(number, bool) or not isinstance(number, int | str) \
            or not str(number).isdigit() or len(str(number)) > 18:
        return f"order '{excerpt(str(number))}' is not the number of an order. {keys}"
    if verb == "defer" or texts["due"]:
        try:
            parse_moment(texts["due"])
        except ValueError:
            return (f"due '{excerpt(texts['due'])}' is no moment. Send one such as "
                    "2026-05-12T06:00Z.")
    return Command(quantity=float(quantity), verb=verb, order=int(number), **texts)


def _setting(said: dict[str, Any], keys: str) -> Command | str:
    texts = {name: said.get(name) for name in ("key", "target", "value")}
    for name, text in texts.items():
        if not isinstance(text, str) or not 0 < len(text) <= 500:
            return f"{name} is missing, or is no text. Send key, target (a cell) and value."
    return Command(str(texts["key"]), "", "", 0.0, verb="set", cell=str(texts["target"]),
                   value=str(texts["value"]))


def topic_of(model: str, sensor: str, row: Any) -> str:
    """The topic of a message: ``twin/<model>/<site>/<area>/<sensor>``.

    Examples
    --------
    >>> topic_of("harbour", "t1", {"site": "north_dc", "kind": "temperature"})
    'twin/harbour/north_dc/-/t1'
    """
    said = row if isinstance(row, dict) else {}
    return named(sensor, enterprise=model, site=said.get("site") or said.get("to_site") or "",
                 area=said.get("area", ""))
