"""MQTT over real sockets: sessions, shared load, a full window, TLS, passwords and rights."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sense import mosquitto as brokers
from twin.sense import mqtt
from twin.sense.broker import embedded_broker
from twin.sense.listener import Listener
from twin.sense.mqtt import MqttSource
from twin.sense.register import Register
from twin.sense.source import Place, SourceError, open_source
from twin.store import Store


def temperature(number: int, sensor: str = "t1") -> dict[str, object]:
    return {"sensor": sensor, "id": str(number), "ts": int(1000 * time.time()), "value": 4.5,
            "kind": "temperature", "site": "W"}


def until(done: Callable[[], bool], step: Callable[[], object], patience_s: float = 20.0) -> None:
    """Step until it is done."""
    end = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < end, "it took too long"
        step()


@pytest.fixture(params=["mosquitto", "embedded"])
def broker(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A broker's address and the MQTT version that it speaks."""
    if request.param == "mosquitto":
        yield brokers.real_broker(), 5
    else:
        with embedded_broker() as address:
            yield address, 4


@pytest.fixture
def root(broker: tuple[str, int]) -> Iterator[str]:
    """A first topic level, and names of clients, that nobody else uses."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    yield name
    if broker[1] == 5:
        for listener in ("1", "2"):
            brokers.forget(broker[0], f"twin-{name}-{listener}")


def needs_sessions(broker: tuple[str, int]) -> None:
    """Skip where the broker forgets who is away."""
    if broker[1] != 5:
        pytest.skip("the embedded broker keeps nothing for a client that is away")


def source(broker: tuple[str, int], root: str, listener: str = "1") -> MqttSource:
    opened = open_source(Place(f"{broker[0]}/{root}/#", root, listener, options={
        "share": root, "mqtt": {5: "5", 4: "3.1.1"}[broker[1]]}))
    assert isinstance(opened, MqttSource)
    assert opened.version == broker[1]
    return opened


def test_readings_come_through_and_strangers_payloads_do_not(
        broker: tuple[str, int], root: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    heard = source(broker, root)
    with Listener(heard, store) as listener:
        brokers.publish(broker[0], [
            (f"{root}/W/cold/t1", temperature(1)),
            (f"{root}/W/cold/t1", [temperature(2), temperature(3)]),
            (f"{root}/W/cold/t1", temperature(4, "t2")),
            (f"{root}/W/cold/t2", b"\x00"),
            (f"{root}/W/cold/a%2Fb", temperature(5, "a/b")),
        ], version=broker[1])
        until(lambda: listener.heard.messages == 5, listener.step)
    heard.close()
    assert dict(listener.heard.quarantined) == {"identity": 1, "malformed": 1}
    assert sorted(store.frame()["id"]) == ["1", "2", "3", "5"]


def test_what_comes_while_nobody_listens_waits(
        broker: tuple[str, int], root: str, tmp_path: Path) -> None:
    needs_sessions(broker)
    source(broker, root).close()
    brokers.publish(broker[0], [(f"{root}/W/cold/t1", temperature(n)) for n in range(50)],
                    version=broker[1])
    again = source(broker, root)
    with Listener(again, Store(tmp_path)) as listener:
        until(lambda: listener.heard.accepted == 50, listener.step)
    again.close()


def test_what_was_not_acknowledged_comes_again(broker: tuple[str, int], root: str) -> None:
    needs_sessions(broker)
    first = source(broker, root)
    brokers.publish(broker[0], [(f"{root}/W/cold/t1", temperature(n)) for n in range(3)],
                    version=broker[1])
    taken: list[bytes] = []
    until(lambda: len(taken) == 3, lambda: taken.extend(m.payload for m in first.take(10, 0.2)))
    first._client._sock_close()  # as a process that dies: no word to the broker
    again = source(broker, root)
    heard: list[bytes] = []
    until(lambda: len(heard) == 3, lambda: heard.extend(m.payload for m in again.take(10, 0.2)))
    assert heard == taken
    again.close()


def test_two_listeners_share_the_load(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    address, root = brokers.real_broker(), f"test-{uuid.uuid4().hex[:8]}"
    store = Store(tmp_path)
    both = [Listener(source((address, 5), root, name), store, name=name) for name in ("1", "2")]
    brokers.publish(address, [(f"{root}/W/cold/t1", temperature(n)) for n in range(400)])
    until(lambda: sum(one.heard.accepted for one in both) == 400,
          lambda: [one.step(0.05) for one in both])
    for one in both:
        assert one.heard.accepted > 50
        one.close()
        one.source.close()
    assert len(store.frame()) == 400
    for name in ("1", "2"):
        brokers.forget(address, f"twin-{root}-{name}")


def test_a_full_window_leaves_the_rest_with_the_broker(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "WINDOW", 10)
    port = brokers.free_port()
    address = f"mqtt://127.0.0.1:{port}"
    with brokers.mosquitto(tmp_path, port, "allow_anonymous true"):
        slow = MqttSource("127.0.0.1", port, "slow")
        brokers.publish(address, [("twin/a/W/c/t1", temperature(n)) for n in range(35)])
        taken = [m for _ in range(10) for m in slow.take(1000, 0.05)]
        assert len(taken) == 10  # nothing is acknowledged, so nothing more comes
        seen = len(taken)
        while taken:
            slow.acknowledge(taken)
            taken = list(slow.take(1000, 0.5))
            seen += len(taken)
        assert seen == 35  # and nothing was dropped
        slow.close()


def test_the_listener_comes_back_when_the_broker_does(tmp_path: Path) -> None:
    port = brokers.free_port()
    address = f"mqtt://127.0.0.1:{port}"
    lines = ("allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/")
    with brokers.mosquitto(tmp_path, port, *lines):
        heard = MqttSource("127.0.0.1", port, "one")
        listener = Listener(heard, Store(tmp_path / "store"))
        brokers.publish(address, [("twin/a/W/c/t1", temperature(1))])
        until(lambda: listener.heard.accepted == 1, listener.step)
    for _ in range(3):
        assert listener.step(0.1)
    with brokers.mosquitto(tmp_path, port, *lines):
        sender = threading.Thread(target=brokers.publish, args=(
            address, [("twin/a/W/c/t1", temperature(n)) for n in (2, 3)]))
        sender.start()
        until(lambda: listener.heard.accepted == 3, listener.step)
        sender.join()
        listener.close()
        heard.close()


@pytest.mark.long
def test_only_the_register_s_devices_pass_a_real_broker(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register = Register(tmp_path / "devices.db")
    secrets = {name: register.add(name) for name in ("t1", "t2")}
    secrets["hall"] = register.add("hall", role="listener")
    register.write_broker_files(tmp_path / "broker")
    port = brokers.free_port()
    address = f"mqtt://127.0.0.1:{port}"
    with brokers.mosquitto(tmp_path, port, "allow_anonymous false",
                           f"password_file {tmp_path}/broker/passwords",
                           f"acl_file {tmp_path}/broker/acl") as broker:
        place = Place(address, "m", options={"share": "m"})
        monkeypatch.delenv("TWIN_MQTT_USER", raising=False)
        with pytest.raises(SourceError, match=r"does not let us in.*Set TWIN_MQTT_USER"):
            open_source(place)
        monkeypatch.setenv("TWIN_MQTT_USER", "hall")
        monkeypatch.setenv("TWIN_MQTT_PASSWORD", "wrong")
        with pytest.raises(SourceError, match="does not let us in"):
            open_source(place)
        monkeypatch.setenv("TWIN_MQTT_PASSWORD", secrets["hall"])
        heard = open_source(place)
        with Listener(heard, Store(tmp_path / "store"), register=register) as listener:
            def say(user: str, sensor: str, number: int) -> None:
                brokers.publish(address, [(f"twin/acme/W/cold/{sensor}",
                                           temperature(number, sensor))],
                                user=user, secret=secrets[user])

            say("t1", "t1", 1)
            say("t2", "t1", 2)  # the broker drops what t2 says in the name of t1
            say("t2", "t2", 3)
            until(lambda: listener.heard.accepted == 2, listener.step)
            register.revoke("t2")
            register.write_broker_files(tmp_path / "broker")
            broker.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            with pytest.raises((AssertionError, RuntimeError)):
                say("t2", "t2", 4)
            say("t1", "t1", 5)
            until(lambda: listener.heard.accepted == 3, listener.step)
        heard.close()
    assert sorted(listener.store.frame()["id"]) == ["1", "3", "5"]


# The client library leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_tls_is_spoken_and_a_stranger_s_certificate_refused(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = brokers.certificate(tmp_path)
    port = brokers.free_port()
    address = f"mqtts://127.0.0.1:{port}"
    with brokers.mosquitto(tmp_path, port, "allow_anonymous true", f"certfile {cert}",
                           f"keyfile {key}"):
        monkeypatch.delenv("TWIN_MQTT_CA", raising=False)
        with pytest.raises(SourceError, match=r"cannot be reached: .*certificate"):
            open_source(Place(address, "m", options={"share": "m"}))
        monkeypatch.setenv("TWIN_MQTT_CA", str(cert))
        heard = open_source(Place(address, "m", options={"share": "m"}))
        with Listener(heard, Store(tmp_path / "store")) as listener:
            brokers.publish(address, [("twin/a/W/c/t1", temperature(n)) for n in range(200)],
                            ca=str(cert))
            until(lambda: listener.heard.accepted == 200, listener.step)
        heard.close()
        monkeypatch.setenv("TWIN_MQTT_CA", str(tmp_path / "none.pem"))
        with pytest.raises(SourceError, match=r"certificates for .* cannot be used"):
            open_source(Place(address, "m"))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mqtt://127.0.0.1:1", "cannot be reached"),
        ("mqtt://ann:secret@plant", "holds a user or password"),
        ("mqtt://plant:99999", "has no port that can be"),
        ("mqtt://", "names no host"),
        ("mqtt://plant/a+b", "are no MQTT filter"),
        ("mqtt://plant/#/x", "are no MQTT filter"),
    ],
)
def test_a_wrong_address_says_what_to_write(address: str, told: str) -> None:
    with pytest.raises(SourceError, match=told) as refused:
        open_source(Place(address, "m"))
    assert "secret" not in str(refused.value)


def test_the_embedded_broker_says_that_its_port_is_taken() -> None:
    with embedded_broker() as address, \
            pytest.raises(SourceError, match="is taken"), \
            embedded_broker(int(address.rpartition(":")[2])):
        pass
