"""Brokers for tests: a Mosquitto of the test's own, the one that TWIN_TEST_MQTT names, or ours."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

PROGRAM = shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin",
                                                          "/usr/local/sbin")))


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def mosquitto(folder: Path, port: int, *lines: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Mosquitto on a port, with these lines in its configuration."""
    if PROGRAM is None:
        pytest.skip("Mosquitto is not installed")
    conf = folder / f"mosquitto-{port}.conf"
    stays = ["user root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    whole = (f"listener {port} 127.0.0.1", "max_queued_messages 0", *stays, *lines)
    conf.write_text("\n".join(whole) + "\n")
    with subprocess.Popen([PROGRAM, "-c", str(conf)], stderr=subprocess.DEVNULL) as broker:
        try:
            until = time.monotonic() + 10
            while not answers(port):
                assert broker.poll() is None, "Mosquitto did not start"
                assert time.monotonic() < until
                time.sleep(0.02)
            yield broker
        finally:
            broker.terminate()


def real_broker() -> str:
    """The address in TWIN_TEST_MQTT; without one the test is skipped, saying so."""
    address = os.environ.get("TWIN_TEST_MQTT", "")
    if not address:
        pytest.skip("MQTT 5 needs a real broker: TWIN_TEST_MQTT is not set")
    return address


def publish(address: str, sent: Sequence[tuple[str, Any]], *, version: int = 5, user: str = "",
            secret: str = "", ca: str = "") -> None:
    """Publish (topic, what) at QoS 1 and wait until the broker has it all."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    parts = urlsplit(address)
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion(version))
    if user:
        client.username_pw_set(user, secret)
    if ca:
        client.tls_set(ca)
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    try:
        for info in [client.publish(topic, what if isinstance(what, bytes) else json.dumps(what),
                                    qos=1) for topic, what in sent]:
            info.wait_for_publish(20)
            assert info.is_published()
    finally:
        client.disconnect()
        client.loop_stop()


def forget(address: str, client_id: str) -> None:
    """Let a real broker forget the session of a client."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    parts = urlsplit(address)
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id,
                    protocol=MQTTProtocolVersion.MQTTv5)
    client.connect(parts.hostname or "", parts.port or 1883, clean_start=True)
    until = time.monotonic() + 5
    while not client.is_connected() and time.monotonic() < until:
        client.loop(0.1)
    client.disconnect()
    client.loop(0.1)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(7)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256()))
    paths = folder / "server.pem", folder / "server.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return paths
