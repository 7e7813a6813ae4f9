"""An MQTT topic for commands.

Guarantee: *at least once*. The broker has taken the message when `send` returns; after a crash it
is published again, and a receiver that looks at the key does it once.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable
from twin.operate.forms.contract import Form
from twin.operate.forms.plain import Json


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
    """

    guarantee = Guarantee.AT_LEAST_ONCE

    def __init__(self, name: str, url: str, topic: str, timeout_s: float = 10.0,
                 form: Form | None = None) -> None:
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
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        if os.environ.get("TWIN_MQTT_USER"):
            client.username_pw_set(os.environ["TWIN_MQTT_USER"],
                                   os.environ.get("TWIN_MQTT_PASSWORD"))
        if parts.scheme == "mqtts":
            client.tls_set()
        try:
            client.connect(parts.hostname or "localhost", parts.port or 1883)
        except OSError as error:
            raise Unreachable(f"{self.name}: {error.strerror or error}") from None
        client.loop_start()
        self._client = client
        return client

    def send(self, message: Message) -> str:
        """Publish it; the broker has it when this returns."""
        try:
            said = self.form.write(message)
        except ValueError as error:
            raise Refused(f"{self.name}: {error}") from None
        client = self._connected()
        info = client.publish(self.topic, said, qos=1)
        try:
            info.wait_for_publish(self.timeout_s)
        except (ValueError, RuntimeError) as error:
            raise Unreachable(f"{self.name}: {error}") from None
        if not info.is_published():
            self.close()
            raise Unreachable(f"{self.name}: the broker did not take it in {self.timeout_s:g} s")
        return "taken by the broker"

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
