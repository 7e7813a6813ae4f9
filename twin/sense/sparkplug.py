"""Sparkplug B over MQTT: the twin as a host application.

It announces itself with a STATE birth and will, hears every edge node, and asks for a rebirth where
a message was missed. Sparkplug sends data at QoS 0: what was on its way when a listener fell is
told again by the births that its return brings about. An edge node that waits for this host keeps
its data while the host is away (Sparkplug B 3.0, chapter 5).
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from twin.readings import BadReading
from twin.sense.declared import Dictionary
from twin.sense.source import Message, Place, SourceError
from twin.sense.sparkplug_encode import encode_payload
from twin.sense.sparkplug_payload import Datatype, Metric, Payload
from twin.sense.sparkplug_session import NAMESPACE, Session

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_WAITING = 10_000
_CONNECT_S = 10.0


class Sparkplug:
    """Edge nodes on a broker (`twin.sense.source`).

    Parameters
    ----------
    place
        Its address is ``spb://HOST[:PORT][/GROUP]``, or ``spbs://`` for TLS. User, password and
        certificates come from TWIN_MQTT_USER, TWIN_MQTT_PASSWORD, TWIN_MQTT_CA, TWIN_MQTT_CERT and
        TWIN_MQTT_KEY. Options: `sensors` (rows of that table), `host` (name of this host
        application).

    Raises
    ------
    SourceError
        If the broker cannot be reached, or refuses.
    """

    live = True
    ended = False

    def __init__(self, place: Place) -> None:
        self._parts = urlsplit(place.address)
        if "@" in self._parts.netloc:
            raise SourceError("source= holds a user or password. Leave it out and set "
                              "TWIN_MQTT_USER and TWIN_MQTT_PASSWORD, so that it stands in no "
                              "history.")
        self._group = unquote(self._parts.path.strip("/")) or "+"
        self.host = str(place.option("host", f"twin-{place.model}-{place.listener}"))
        self.session = Session(Dictionary(place.option("sensors", ())))
        self._heard: queue.Queue[tuple[str, bytes, float]] = queue.Queue(_WAITING)
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._refusal = ""
        self._since = 0
        self._client = self._connect()

    # -- the connection ----------------------------------------------------------------------------
    def _connect(self) -> Client:
        try:
            from paho.mqtt import client as mqtt
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError:
            raise SourceError("Sparkplug B needs paho-mqtt. Install it: pip install 'twin[iot]'.") \
                from None
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.host, clean_session=True)
        user = os.environ.get("TWIN_MQTT_USER")
        if user:
            client.username_pw_set(user, os.environ.get("TWIN_MQTT_PASSWORD"))
        if self._parts.scheme == "spbs":
            _secure(client)
        client.on_connect, client.on_message = self._connected, self._hear
        client.on_pre_connect = self._write_will
        client.reconnect_delay_set(1, 30)
        port = self._parts.port or (8883 if self._parts.scheme == "spbs" else 1883)
        try:
            self._write_will(client, None)
            client.connect(self._parts.hostname or "localhost", port, keepalive=30)
        except (OSError, ValueError) as error:
            raise SourceError(f"broker {self._parts.hostname}:{port} cannot be reached: {error}. "
                              "Start it, or correct source=.") from None
        client.loop_start()
        if not self._ready.wait(_CONNECT_S) or self._refusal:
            client.loop_stop()
            raise SourceError(f"broker {self._parts.hostname}:{port} refuses: "
                              f"{self._refusal or 'no answer'}. Set TWIN_MQTT_USER and "
                              "TWIN_MQTT_PASSWORD as the broker knows them.")
        return client

    def _write_will(self, client: Client, _userdata: Any) -> None:
        """The death certificate that the broker publishes if this host falls."""
        self._since = round(time.time() * 1000)
        client.will_set(self._state_topic, _state(False, self._since), qos=1, retain=True)

    @property
    def _state_topic(self) -> str:
        return f"{NAMESPACE}/STATE/{self.host}"

    def _connected(self, client: Client, _userdata: Any, _flags: Any, reason: Any,
                   _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            self._ready.set()
            return
        topics = [f"{NAMESPACE}/{self._group}/{kind}/#" for kind in
                  ("NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH")]
        client.subscribe([(topic, 1) for topic in [*topics, self._state_topic]])
        client.publish(self._state_topic, _state(True, self._since), qos=1, retain=True)
        self._ready.set()

    def _hear(self, client: Client, _userdata: Any, message: Any) -> None:
        """Put a message in the queue; a full queue holds up the connection, and drops nothing."""
        if message.topic == self._state_topic:
            self._contradict(client, message.payload)
            return
        entry = (message.topic, message.payload, time.time())
        while not self._closing.is_set():
            try:
                self._heard.put(entry, timeout=0.2)
            except queue.Full:
                continue
            return

    def _contradict(self, client: Client, payload: bytes) -> None:
        """Another's word that this host is offline is answered: it is here."""
        try:
            online = json.loads(payload).get("online")
        except (ValueError, AttributeError, RecursionError):
            return
        if online is False and not self._closing.is_set():
            client.publish(self._state_topic, _state(True, self._since), qos=1, retain=True)

    # -- the contract ------------------------------------------------------------------------------
    def take(self, most: int, wait_s: float) -> list[Message]:
        """Messages of edge nodes, in order; rebirths are asked for as they are heard."""
        taken: list[Message] = []
        try:
            entry = self._heard.get(timeout=max(wait_s, 0.001))
            while True:
                taken.append(self._decoded(*entry))
                if len(taken) >= most:
                    break
                entry = self._heard.get_nowait()
        except queue.Empty:
            pass
        while self.session.wishes:
            self._ask(*self.session.wishes.pop())
        return taken

    def _decoded(self, topic: str, payload: bytes, received: float) -> Message:
        """A message with its readings: what it says depends on those before it."""
        try:
            said: Any = self.session.hear(topic, payload, received)
        except BadReading as bad:
            said = bad
        return Message(payload, received, topic=topic, token=said)

    def _ask(self, group: str, node: str) -> None:
        """Ask an edge node to say again what it is and what it has."""
        now = round(time.time() * 1000)
        wish = Metric("Node Control/Rebirth", None, now, Datatype.BOOLEAN, True)
        self._client.publish(f"{NAMESPACE}/{group}/NCMD/{node}",
                             encode_payload(Payload(now, (wish,))), qos=0)

    def readings(self, message: Message) -> Iterable[Mapping[str, Any]]:
        """What a message says."""
        said = message.token
        if isinstance(said, BadReading):
            raise said
        if said is None:  # replayed from the quarantine
            return self.session.hear(message.topic, message.payload, message.received)
        return list(said)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Nothing comes again at QoS 0."""

    def close(self) -> None:
        """Say that the host goes, and go."""
        self._closing.set()
        death = self._client.publish(self._state_topic, _state(False, self._since), qos=1,
                                     retain=True)
        with suppress(RuntimeError, ValueError):  # where the broker has gone, the will speaks
            death.wait_for_publish(2.0)
        self._client.disconnect()
        self._client.loop_stop()


def _state(online: bool, since: int) -> str:
    return json.dumps({"online": online, "timestamp": since})


def _secure(client: Client) -> None:
    try:
        ca, cert, key = (os.environ.get(f"TWIN_MQTT_{name}") or None
                         for name in ("CA", "CERT", "KEY"))
        client.tls_set(ca, cert, key)
    except (OSError, ValueError) as error:
        raise SourceError(f"the certificates cannot be used: {error}. TWIN_MQTT_CA, TWIN_MQTT_CERT "
                          "and TWIN_MQTT_KEY name PEM files.") from None


def open_source(place: Place) -> Sparkplug:
    """A Sparkplug B host application, as a source to listen to."""
    return Sparkplug(place)
