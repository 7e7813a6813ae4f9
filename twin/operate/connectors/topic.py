"""An MQTT topic for commands.

Guarantee: *at least once*. The broker has taken the message when `send` returns; after a crash it
is published again, and a receiver that looks at the key does it once.

With a topic of replies it is *confirmed by reply*: `send` returns when the receiver has said that
it has the message. The broker keeps replies while nobody listens, and they are looked at before a
message is published again. With a secret, commands are signed (`twin.operate.connectors.seal`), and
replies have to be; without, who may publish them is a matter of the broker's rights alone.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable
from twin.operate.connectors.replies import Replies, Reply
from twin.operate.connectors.seal import sealed
from twin.operate.forms.contract import Form
from twin.operate.forms.plain import Json

_KEPT_S = 0.2  #: in which a broker hands over what it has kept


class Topic:
    """Publishes to a broker at QoS 1.

    Parameters
    ----------
    url
        ``mqtt://host[:port]`` or ``mqtts://``; user and password from `TWIN_MQTT_USER` and
        `TWIN_MQTT_PASSWORD`.
    topic
        Where commands go.
    form
        How they are written; one JSON object if left out. The protocol has no field for the media
        type, so a topic carries one form.
    replies
        Topic on which the receiver answers; blank if it does not. See
        `twin.operate.connectors.replies`.
    timeout_s
        Patience with the broker, and with a reply.
    secret
        Signs commands and replies.
    """

    def __init__(self, name: str, url: str, topic: str, timeout_s: float = 10.0,
                 form: Form | None = None, replies: str = "", secret: bytes | None = None
                 ) -> None:
        self.guarantee = Guarantee.BY_REPLY if replies else Guarantee.AT_LEAST_ONCE
        self.reply_topic, self.heard, self.secret = replies, Replies(secret), secret
        self.name, self.url, self.topic, self.timeout_s = name, url, topic, timeout_s
        self.form = form or Json()
        self._client: Any = None

    def _connected(self) -> Any:
        if self._client is not None and self._client.is_connected():
            return self._client
        self.close()
        try:
            from paho.mqtt.client import Client, MQTTv311
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise Unreachable("a topic needs the library paho-mqtt. Install it: pip install "
                              "'twin[iot]'.") from None
        parts = urlsplit(self.url)
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311, **self._session())
        ready = threading.Event()
        if os.environ.get("TWIN_MQTT_USER"):
            client.username_pw_set(os.environ["TWIN_MQTT_USER"],
                                   os.environ.get("TWIN_MQTT_PASSWORD"))
        if parts.scheme == "mqtts":
            client.tls_set()
        if self.reply_topic:
            client.on_connect = lambda one, *_: one.subscribe(self.reply_topic, qos=1)
            client.on_subscribe = lambda *_: ready.set()
            client.on_message = lambda _one, _data, said: self.heard.put(bytes(said.payload))
        try:
            client.connect(parts.hostname or "localhost", parts.port or 1883)
        except OSError as error:
            raise Unreachable(f"{self.name}: {error.strerror or error}") from None
        client.loop_start()
        self._client = client
        if self.reply_topic:
            if not ready.wait(self.timeout_s):
                self.close()
                raise Unreachable(f"{self.name}: the broker does not let it hear "
                                  f"{self.reply_topic}")
            time.sleep(_KEPT_S)  # what the broker has kept comes now
        return client

    def _session(self) -> dict[str, Any]:
        """A session that the broker keeps, where replies may come while nobody listens."""
        if not self.reply_topic:
            return {}
        where = f"{self.name} {self.url} {self.topic} {self.reply_topic}"
        return {"client_id": f"twin-{hashlib.sha256(where.encode()).hexdigest()[:16]}",
                "clean_session": False}

    def send(self, message: Message) -> str:
        """Publish it; the broker has it when this returns."""
        try:
            said = self.form.write(message)
            if self.secret is not None:
                said = sealed(self.secret, said, time.time())
        except ValueError as error:
            raise Refused(f"{self.name}: {error}") from None
        client = self._connected()
        if self.reply_topic and self.heard.wait(message.key, 0.0) is not None:
            return self._answer(message)
        info = client.publish(self.topic, said, qos=1)
        try:
            info.wait_for_publish(self.timeout_s)
        except (ValueError, RuntimeError) as error:
            raise Unreachable(f"{self.name}: {error}") from None
        if not info.is_published():
            self.close()
            raise Unreachable(f"{self.name}: the broker did not take it in {self.timeout_s:g} s")
        return self._answer(message) if self.reply_topic else "taken by the broker"

    def _answer(self, message: Message) -> str:
        """What the receiver says of a message."""
        reply = self.heard.wait(message.key, self.timeout_s)
        if reply is None:
            unsigned = f"; {self.heard.unsigned} without its signature" \
                if self.heard.unsigned else ""
            raise Unreachable(f"{self.name}: no reply on {self.reply_topic} in "
                              f"{self.timeout_s:g} s{unsigned}")
        if reply.said == "refused":
            raise Refused(f"{self.name} refused: {reply.why or 'no reason given'}")
        return f"{reply.said} by reply {reply.event}"

    def replies(self) -> list[Reply]:
        """Answers that have come since the last time.

        Raises
        ------
        Unreachable
            If the broker does not answer.
        """
        if self.reply_topic:
            self._connected()
        return self.heard.take()

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
