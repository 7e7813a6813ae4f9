"""MQTT: readings from a broker, acknowledged when they are safe on disk.

One reading or an array of them in a payload, at QoS 1, on ``twin/<enterprise>/<site>/<area>/
<sensor>``. The session is kept by the broker for a week, so that nothing is lost while a listener
is away; listeners of one model share the load by a shared subscription (MQTT 5). At most `WINDOW`
messages are in hand and not acknowledged: a slow disk leaves the rest with the broker.

User, password and certificates come from the environment alone: TWIN_MQTT_USER,
TWIN_MQTT_PASSWORD, TWIN_MQTT_CA, TWIN_MQTT_CERT, TWIN_MQTT_KEY.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from twin.clock import excerpt, parse_moment
from twin.sense.source import TOPIC_FILTER, Message, Place, SourceError, decode_json, sensor_of

if TYPE_CHECKING:
    from paho.mqtt.client import Client

#: Messages in hand that were not acknowledged yet, at most.
WINDOW = 4_000
_LOAD = 8 * 2**20  # bytes taken at once
_KEEPALIVE_S = 60
_EXPIRY_S = 7 * 86_400
_PATIENCE_S = 10.0
_SLOWEST_S = 30.0
_TAKEN_OVER = 142
_VERSIONS = {"5": 5, "3.1.1": 4}
_FILTER = "twin/#"


class MqttSource:
    """A broker that is listened to; it comes back by itself when the connection is lost.

    Parameters
    ----------
    host, port
        Of the broker.
    client_id
        Known to the broker, which keeps what comes while we are away.
    topics
        Topic filter.
    share
        Group of a shared subscription; blank for none.
    secure
        Whether to speak TLS.
    clock
        Topic of the clock that the stream runs by, in ISO text and a number, where it is not the
        clock on the wall: of a rehearsal. Messages then came at what it said last, and the number
        is said back at ``<clock>/heard/<client>`` when all that came before is safe.
    versions
        Of MQTT, in the order in which they are tried: 5, or 4 for 3.1.1.

    Raises
    ------
    SourceError
        If the broker cannot be reached, or lets us not in.
    """

    live = True
    ended = False

    def __init__(self, host: str, port: int, client_id: str, *, topics: str = _FILTER,
                 share: str = "", secure: bool = False, clock: str = "",
                 versions: Sequence[int] = (5, 4)) -> None:
        self.address = f"mqtt{'s' * secure}://{host}:{port}"
        self.client_id, self.topics, self.share, self.secure = client_id, topics, share, secure
        self.version, self.clock, self._told = 5, clock, 0.0
        self._came = self._safe = 0
        self._ticks: list[tuple[int, str]] = []
        self._arrived: list[Message] = []
        self._sensors: dict[str, str] = {}
        self._connection = 0
        self._ready, self._refusal = False, ""
        self._retry_at, self._pause_s = 0.0, 0.5
        self._client = self._greet(host, port, versions)

    # ---- connecting ----

    def _greet(self, host: str, port: int, versions: Sequence[int]) -> Client:
        """Connect; a broker that does not know one version is spoken to in the next."""
        for version in versions:
            self.version, self._refusal = version, ""
            client = self._made(version)
            try:
                self._connect(client, host, port)
            except OSError as error:
                reason = error.strerror or " ".join(str(error).split())
                raise SourceError(f"source {self.address} cannot be reached: {reason}. Start the "
                                  "broker, or write broker=embedded.") from None
            self._client = client
            until = time.monotonic() + _PATIENCE_S
            while not self._ready and not self._refusal and time.monotonic() < until:
                if client.socket() is None:
                    break
                self._wait(0.1)
            if self._ready:
                return client
            _drop(client)
            if "not authori" in self._refusal.lower() or "password" in self._refusal.lower():
                break
        raise SourceError(f"source {self.address} does not let us in: "
                          f"{self._refusal or 'no answer'}. Set TWIN_MQTT_USER and "
                          "TWIN_MQTT_PASSWORD as the broker knows them.")

    def _made(self, version: int) -> Client:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
        except ImportError:
            raise SourceError("MQTT needs the library paho-mqtt. Install it: pip install "
                              "'twin[iot]'") from None
        newest = version == 5
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, manual_ack=True,
            protocol=MQTTProtocolVersion.MQTTv5 if newest else MQTTProtocolVersion.MQTTv311,
            clean_session=None if newest else False)
        user = os.environ.get("TWIN_MQTT_USER")
        if user:
            client.username_pw_set(user, os.environ.get("TWIN_MQTT_PASSWORD"))
        if self.secure:
            try:
                ca, cert, key = (os.environ.get(f"TWIN_MQTT_{name}") or None
                                 for name in ("CA", "CERT", "KEY"))
                client.tls_set(ca, cert, key)
            except (OSError, ValueError) as error:
                raise SourceError(f"the certificates for {self.address} cannot be used: {error}. "
                                  "TWIN_MQTT_CA, TWIN_MQTT_CERT and TWIN_MQTT_KEY name PEM "
                                  "files.") from None
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_message, client.on_disconnect = self._on_message, self._on_disconnect
        return client

    def _connect(self, client: Client, host: str, port: int) -> None:
        if self.version == 5:
            from paho.mqtt.packettypes import PacketTypes
            from paho.mqtt.properties import Properties

            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = _EXPIRY_S
            properties.ReceiveMaximum = WINDOW
            client.connect(host, port, _KEEPALIVE_S, clean_start=False, properties=properties)
        else:
            client.connect(host, port, _KEEPALIVE_S)

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: Any,
                    _properties: Any) -> None:
        if code.is_failure:
            self._refusal = str(code)
            return
        # What was not acknowledged on the connection before comes again on this one, and only
        # this one may acknowledge it: its number may stand for another message by now.
        self._connection += 1
        self._pause_s = 0.5
        shared = self.share and self.version == 5
        client.subscribe(f"$share/{self.share}/{self.topics}" if shared else self.topics, qos=1)
        if self.clock:
            client.subscribe(self.clock, qos=1)

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, codes: Sequence[Any],
                      _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self._refusal = f"it may not subscribe to {self.topics} ({codes[0]})"
        else:
            self._ready = True

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: Any,
                       _properties: Any) -> None:
        self._retry_at = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _SLOWEST_S)
        if code.value == _TAKEN_OVER:
            self._refusal = (f"another listener has taken over the name {self.client_id}. Give "
                             "this one another, such as listener=2")

    # ---- the contract ----

    def take(self, most: int, wait_s: float) -> Sequence[Message]:
        """Up to `most` messages; while the connection is lost, none."""
        until = time.monotonic() + wait_s
        client, arrived = self._client, self._arrived
        client.loop_misc()
        size = 0
        while len(arrived) < most and size < _LOAD:
            before = len(arrived)
            client.loop_read()
            if len(arrived) > before:
                size += len(arrived[-1].payload)
                continue
            if self._ready and self._refusal:
                raise SourceError(f"source {self.address}: {self._refusal}.")
            left = until - time.monotonic()
            if arrived or left <= 0:
                break
            self._wait(left)
        self._arrived = arrived[most:]
        return arrived[:most]

    def readings(self, message: Message) -> Iterable[Mapping[str, Any]]:
        """The JSON readings of a payload."""
        return decode_json(message.payload)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker; what came on an earlier connection is not ours to acknowledge."""
        client, connection = self._client, self._connection
        for message in messages:
            of, number = message.token
            if of == connection and number:
                client.ack(number, 1)
        self._safe += len(messages)
        while self._ticks and self._ticks[0][0] <= self._safe:
            self._say_heard(self._ticks.pop(0)[1])

    def close(self) -> None:
        """Leave; the broker keeps the session."""
        _drop(self._client)

    # ---- the socket ----

    def _wait(self, wait_s: float) -> None:
        """Wait until the broker has something to say, or come back to it."""
        client = self._client
        socket = client.socket()
        if socket is None:
            self._return(wait_s)
            return
        pending = getattr(socket, "pending", None)
        if pending is not None and pending():
            wait_s = 0.0
        writes = [socket] if client.want_write() else []
        try:
            readable, writable, _ = select.select([socket], writes, [], wait_s)
        except (OSError, ValueError):
            readable, writable = [], []
        if writable:
            client.loop_write()
        if readable or (pending is not None and wait_s == 0.0):
            client.loop_read()
        client.loop_misc()

    def _return(self, wait_s: float) -> None:
        left = self._retry_at - time.monotonic()
        if left > 0:
            time.sleep(min(left, wait_s))
            return
        try:
            self._client.reconnect()
        except (OSError, ValueError):
            self._retry_at = time.monotonic() + self._pause_s
            self._pause_s = min(2 * self._pause_s, _SLOWEST_S)

    def _on_message(self, _client: Client, _data: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = repr(message._topic)
        if topic == self.clock:
            self._tick(message)
            return
        sensor = self._sensors.get(topic)
        if sensor is None:
            if len(self._sensors) > 100_000:
                self._sensors.clear()
            sensor = self._sensors[topic] = sensor_of(topic)
        self._came += 1
        self._arrived.append(Message(message.payload, self._told or time.time(), sensor, topic,
                                     (self._connection, message.mid if message.qos else 0)))

    def _tick(self, message: Any) -> None:
        """Take the time from the clock of the stream."""
        with suppress(ValueError, UnicodeDecodeError):
            moment, _, number = message.payload[:60].decode().partition(" ")
            self._told = parse_moment(moment).timestamp()
            if self._came <= self._safe:
                self._say_heard(number)
            else:
                self._ticks.append((self._came, number))
        if message.qos:
            self._client.ack(message.mid, 1)

    def _say_heard(self, number: str) -> None:
        self._client.publish(f"{self.clock}/heard/{self.client_id}", number.encode(), qos=0)


def _drop(client: Client) -> None:
    client.disconnect()
    client.loop_write()
    client.loop_misc()
    socket = client.socket()
    if socket is not None:
        client._sock_close()


def open_source(place: Place) -> MqttSource:
    """``mqtt://host:port``, ``mqtts://host:port``, or with a topic filter as the path.

    Examples
    --------
    >>> open_source(Place("mqtt://ann:secret@plant", "harbour"))
    Traceback (most recent call last):
    ...
    twin.sense.source.SourceError: source= holds a user or password. Leave it out and set ...
    """
    try:
        parts = urlsplit(place.address)
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
    except ValueError:
        raise SourceError(f"source '{excerpt(place.address)}' has no port that can be. Write "
                          "mqtt://host:1883.") from None
    if "@" in parts.netloc:
        raise SourceError("source= holds a user or password. Leave it out and set TWIN_MQTT_USER "
                          "and TWIN_MQTT_PASSWORD, so that it stands in no history.")
    if not parts.hostname:
        raise SourceError(f"source '{excerpt(place.address)}' names no host. Write "
                          "mqtt://host:1883.")
    topics = unquote(place.address.partition("://")[2].partition("/")[2]) or _FILTER
    if not TOPIC_FILTER.fullmatch(topics):
        raise SourceError(f"topics '{excerpt(topics)}' are no MQTT filter. Write such as "
                          "mqtt://host:1883/twin/acme/#.")
    version = place.option("mqtt")
    return MqttSource(parts.hostname, port, f"twin-{place.model}-{place.listener}",
                      topics=topics, share=place.option("share", place.model),
                      secure=parts.scheme == "mqtts", clock=place.option("clock", ""),
                      versions=(_VERSIONS[version],) if version else (5, 4))
