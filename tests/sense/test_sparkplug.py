"""The host application: births, aliases, sequence, deaths; by hand and on a real broker."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sense import mosquitto as brokers
from twin.readings import BadReading, Reading, parse_reading
from twin.sense.declared import Dictionary
from twin.sense.source import Place, SourceError, open_source
from twin.sense.sparkplug import Sparkplug
from twin.sense.sparkplug_encode import encode_payload
from twin.sense.sparkplug_payload import Datatype, Metric, Payload, decode_payload
from twin.sense.sparkplug_session import Session

T0 = 1_772_344_800_000  # 2026-03-01T06:00:00Z, milliseconds


def sensor(name: str, topic: str, measure: str, **more: Any) -> Any:
    return SimpleNamespace(**{"sensor": name, "topic": topic, "measure": measure, "site": None,
                              "asset": None, "unit": None, **more})


SENSORS = (sensor("t9", "acme/press/PLC1/Furnace Temp", "temperature", unit="F", asset="OVEN",
                  site="F1"),)


class Hall:
    """A session and the edge node `acme/press` that speaks to it, one second a message."""

    def __init__(self) -> None:
        self.session = Session(Dictionary(SENSORS))
        self.now = T0

    def say(self, kind: str, seq: int | None, *metrics: Metric, device: str = "",
            node: str = "press") -> list[Reading]:
        self.now += 1000
        topic = f"spBv1.0/acme/{kind}/{node}" + (f"/{device}" if device else "")
        raw = encode_payload(Payload(self.now, metrics, seq))
        return [parse_reading(said) for said in self.session.hear(topic, raw, self.now / 1000)]

    def asked(self) -> set[tuple[str, str]]:
        wishes, self.session.wishes = self.session.wishes, set()
        return wishes


BDSEQ = Metric("bdSeq", None, None, Datatype.INT64, 4)
HEAT = Metric("M3/temperature", 1, None, Datatype.FLOAT, 41.0, properties={"engUnit": "F"})
STATE = Metric("M3/machine_state", 2, None, Datatype.STRING, "idle")
OVEN = Metric("Furnace Temp", 7, None, Datatype.DOUBLE, 212.0)


@pytest.fixture
def hall() -> Hall:
    hall = Hall()
    hall.say("NBIRTH", 0, BDSEQ, HEAT, STATE,
             Metric("Node Control/Rebirth", None, None, Datatype.BOOLEAN, False))
    hall.say("DBIRTH", 1, OVEN, device="PLC1")
    return hall


def test_the_values_of_a_birth_are_readings() -> None:
    hall = Hall()
    rows = hall.say("NBIRTH", 0, BDSEQ, HEAT, STATE)
    assert [(row.sensor, row.kind, row.asset, row.value, row.state) for row in rows[1:]] == [
        ("acme/press", "temperature", "M3", pytest.approx(5.0), ""),
        ("acme/press", "machine_state", "M3", pytest.approx(float("nan"), nan_ok=True), "idle")]
    assert (rows[0].kind, rows[0].value, rows[0].sensor) == ("alive", 1.0, "acme/press")


def test_a_row_of_the_table_names_sensor_asset_and_unit() -> None:
    hall = Hall()
    hall.say("NBIRTH", 0, BDSEQ)
    _, row = hall.say("DBIRTH", 1, OVEN, device="PLC1")
    assert (row.sensor, row.site, row.asset, round(row.value, 6)) == ("t9", "F1", "OVEN", 100.0)


def test_an_alias_is_the_metric_of_the_birth(hall: Hall) -> None:
    [row] = hall.say("NDATA", 2, Metric("", 1, T0 + 77, 0, 50.0))
    assert (row.kind, row.asset, row.value, row.time) == ("temperature", "M3", pytest.approx(10.0),
                                                          1772344800.077)
    assert hall.asked() == set()


def test_a_gap_in_the_sequence_asks_for_a_rebirth_and_keeps_the_value(hall: Hall) -> None:
    [row] = hall.say("NDATA", 4, Metric("", 1, None, 0, 50.0))
    assert row.kind == "temperature"
    assert hall.asked() == {("acme", "press")}
    hall.say("NDATA", 9, Metric("", 1, None, 0, 50.0))
    assert hall.asked() == set()  # it was asked a second ago


def test_the_sequence_goes_round(hall: Hall) -> None:
    for seq in [*range(2, 256), 0, 1]:
        hall.say("NDATA", seq, Metric("", 1, None, 0, 50.0))
    assert hall.asked() == set()


def test_an_alias_that_no_birth_named_is_refused_and_asks_for_a_rebirth(hall: Hall) -> None:
    with pytest.raises(BadReading, match="alias 99"):
        hall.say("NDATA", 2, Metric("", 99, None, 0, 1.0))
    assert hall.asked() == {("acme", "press")}


def test_a_device_does_not_speak_with_the_alias_of_another(hall: Hall) -> None:
    hall.say("DBIRTH", 2, device="PLC2")
    with pytest.raises(BadReading) as caught:
        hall.say("DDATA", 3, Metric("", 7, None, 0, 1.0), device="PLC2")
    assert caught.value.reason == "identity"


def test_data_before_a_birth_asks_for_one() -> None:
    hall = Hall()
    with pytest.raises(BadReading, match="before its birth"):
        hall.say("NDATA", 5, HEAT)
    assert hall.asked() == {("acme", "press")}


def test_a_death_makes_every_sensor_of_the_node_stale(hall: Hall) -> None:
    rows = hall.say("NDEATH", None, BDSEQ)
    assert [(row.sensor, row.kind, row.value, row.quality) for row in rows] == [
        (name, "alive", 0.0, "uncertain") for name in ("acme/press", "acme/press/PLC1", "t9")]
    assert all(row.time == hall.now / 1000 for row in rows)
    with pytest.raises(BadReading):
        hall.say("NDATA", 2, Metric("", 1, None, 0, 50.0))


def test_a_device_dies_alone(hall: Hall) -> None:
    rows = hall.say("DDEATH", 2, device="PLC1")
    assert {row.sensor for row in rows} == {"acme/press/PLC1", "t9"}
    assert len(hall.say("NDATA", 3, Metric("", 1, None, 0, 50.0))) == 1


def test_the_will_of_an_earlier_session_says_nothing(hall: Hall) -> None:
    assert hall.say("NDEATH", None, Metric("bdSeq", None, None, Datatype.INT64, 3)) == []
    assert len(hall.say("NDATA", 2, Metric("", 1, None, 0, 50.0))) == 1


def test_parts_of_a_position_make_one_reading_and_are_remembered(hall: Hall) -> None:
    hall.say("DBIRTH", 2, Metric("T1/position/latitude", 20, None, Datatype.DOUBLE, 52.0),
             device="GPS")
    [row] = hall.say("DDATA", 3, Metric("T1/position/longitude", None, None, Datatype.DOUBLE, 4.0),
                     device="GPS")
    assert (row.asset, row.latitude, row.longitude) == ("T1", 52.0, 4.0)
    [row] = hall.say("DDATA", 4, Metric("", 20, None, 0, 52.5), device="GPS")
    assert (row.latitude, row.longitude) == (52.5, 4.0)


def test_the_past_does_not_become_the_last_value(hall: Hall) -> None:
    hall.say("NBIRTH", 0, BDSEQ, Metric("T1/position/latitude", 20, None, Datatype.DOUBLE, 52.0),
             Metric("T1/position/longitude", 21, None, Datatype.DOUBLE, 4.0))
    hall.say("NDATA", 1, Metric("", 20, T0, 0, 10.0, historical=True))
    [row] = hall.say("NDATA", 2, Metric("", 21, None, 0, 5.0))
    assert (row.latitude, row.longitude) == (52.0, 5.0)


def test_quality_and_null_are_heeded(hall: Hall) -> None:
    [row] = hall.say("NDATA", 2, Metric("", 1, None, 0, 50.0, properties={"Quality": 500}))
    assert row.quality == "uncertain"
    assert hall.say("NDATA", 3, Metric("", 1, None, 0, None)) == []


def test_a_name_that_says_nothing_is_counted(hall: Hall) -> None:
    assert hall.say("NDATA", 2, Metric("M3/mood", None, None, Datatype.STRING, "blue")) == []
    assert hall.session.unknown == {"acme/press/M3/mood": 1}


@pytest.mark.parametrize("topic", [
    "spBv1.0/acme/NDATA", "spBv1.0/acme/NDATA/a/b", "x/a/NDATA/b", "spBv1.0/acme/DDATA/a",
    "spBv1.0/acme/NCMD/a", "spBv1.0//NDATA/a"])
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(BadReading, match="is not of Sparkplug B"):
        Session(Dictionary()).hear(topic, b"", 0.0)


# -- on a real broker ------------------------------------------------------------------------------
class Edge:
    """A simulated edge node: it gives birth on demand, and its will is its death."""

    def __init__(self, broker: Any, group: str, ca: str = "") -> None:
        from paho.mqtt import client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        self.group, self.seq, self.births = group, 0, 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.will_set(self.topic("NDEATH"), encode_payload(Payload(None, (BDSEQ,))), qos=1)
        self.client.on_message = self._command
        if ca:
            self.client.tls_set(ca)
        self.client.connect(broker.hostname, broker.port or 1883, keepalive=60)
        self.client.subscribe(self.topic("NCMD"), qos=1)
        self.client.loop_start()

    def topic(self, kind: str) -> str:
        return f"spBv1.0/{self.group}/{kind}/press"

    def _command(self, _client: Any, _userdata: Any, message: Any) -> None:
        wish = decode_payload(message.payload).metric("Node Control/Rebirth")
        if wish is not None and wish.value is True:
            self.birth()

    def birth(self) -> None:
        self.births += 1
        self.seq = 0
        self.send("NBIRTH", BDSEQ, HEAT)

    def send(self, kind: str, *metrics: Metric) -> None:
        now = round(time.time() * 1000)
        self.client.publish(self.topic(kind), encode_payload(Payload(now, metrics, self.seq)))
        self.seq = (self.seq + 1) % 256

    def fall(self) -> None:
        """Without a word: the broker publishes its will."""
        self.client.loop_stop()
        self.client.socket().close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Any]:
    """The broker that TWIN_TEST_MQTT names, or a Mosquitto of the test's own."""
    address = os.environ.get("TWIN_TEST_MQTT")
    if address:
        yield urlsplit(address)
        return
    port = brokers.free_port()
    with brokers.mosquitto(tmp_path, port, "allow_anonymous true"):
        yield urlsplit(f"mqtt://127.0.0.1:{port}")


@contextmanager
def host(broker: Any, group: str) -> Iterator[Sparkplug]:
    source = open_source(Place(f"spb://{broker.netloc}/{group}", "tea",
                               options={"host": f"host-{group}"}))
    assert isinstance(source, Sparkplug)
    try:
        yield source
    finally:
        source.close()
        forget(broker, f"spBv1.0/STATE/host-{group}")


def forget(broker: Any, topic: str) -> None:
    from paho.mqtt import publish

    publish.single(topic, b"", qos=1, retain=True, hostname=broker.hostname,
                   port=broker.port or 1883)


def until(source: Sparkplug, done: Callable[[list[Any]], bool]) -> list[Any]:
    """What is heard until it is enough: readings, and why some were refused."""
    heard: list[Any] = []
    deadline = time.monotonic() + 10.0
    while not done(heard):
        assert time.monotonic() < deadline, heard
        for message in source.take(100, 0.1):
            try:
                heard += source.readings(message)
            except BadReading as bad:
                heard.append(bad)
    return heard


def test_a_node_is_asked_is_born_speaks_and_falls(broker: Any) -> None:
    group = f"g{uuid.uuid4().hex[:8]}"
    with host(broker, group) as source:
        edge = Edge(broker, group)
        edge.send("NDATA", Metric("", 1, None, 0, 50.0))  # the host knows nothing of it yet
        heard = until(source, lambda rows: len(rows) >= 3)
        assert isinstance(heard[0], BadReading)
        assert [row["kind"] for row in heard[1:]] == ["alive", "temperature"]
        assert edge.births == 1

        edge.send("NDATA", Metric("", 1, None, 0, 50.0))
        [row] = until(source, lambda rows: len(rows) >= 1)
        assert (row["asset"], row["value"], row["unit"]) == ("M3", 50.0, "F")

        edge.fall()
        [row] = until(source, lambda rows: len(rows) >= 1)
        assert (row["kind"], row["value"], row["quality"]) == ("alive", 0.0, "uncertain")


# The client library leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_it_speaks_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = brokers.certificate(tmp_path)
    port = brokers.free_port()
    with brokers.mosquitto(tmp_path, port, "allow_anonymous true", f"certfile {cert}",
                           f"keyfile {key}"):
        place = Place(f"spbs://127.0.0.1:{port}/acme", "tea", options={"host": "tls"})
        monkeypatch.delenv("TWIN_MQTT_CA", raising=False)
        with pytest.raises(SourceError, match=r"cannot be reached: .*certificate"):
            open_source(place)
        monkeypatch.setenv("TWIN_MQTT_CA", str(cert))
        source = open_source(place)
        assert isinstance(source, Sparkplug)
        edge = Edge(urlsplit(f"mqtt://127.0.0.1:{port}"), "acme", str(cert))
        edge.birth()
        rows = until(source, lambda rows: len(rows) >= 2)
        assert [row["kind"] for row in rows] == ["alive", "temperature"]
        edge.fall()
        source.close()


def test_the_host_tells_when_it_comes_and_goes(broker: Any) -> None:
    from paho.mqtt import subscribe

    group = f"g{uuid.uuid4().hex[:8]}"
    topic = f"spBv1.0/STATE/host-{group}"

    def state() -> Any:
        message = subscribe.simple(topic, hostname=broker.hostname, port=broker.port or 1883)
        return json.loads(message.payload)

    source = open_source(Place(f"spb://{broker.netloc}/{group}", "tea",
                               options={"host": f"host-{group}"}))
    before = state()
    assert before["online"] is True
    source.close()
    assert state() == {"online": False, "timestamp": before["timestamp"]}
    forget(broker, topic)


def test_a_host_that_is_declared_dead_says_that_it_lives(broker: Any) -> None:
    from paho.mqtt import client as mqtt
    from paho.mqtt import publish
    from paho.mqtt.enums import CallbackAPIVersion

    group = f"g{uuid.uuid4().hex[:8]}"
    topic = f"spBv1.0/STATE/host-{group}"
    seen: list[bool] = []
    with host(broker, group):
        witness = mqtt.Client(CallbackAPIVersion.VERSION2)
        witness.on_message = lambda *told: seen.append(json.loads(told[2].payload)["online"])
        witness.connect(broker.hostname, broker.port or 1883)
        witness.subscribe(topic, qos=1)
        witness.loop_start()
        publish.single(topic, json.dumps({"online": False, "timestamp": 1}), qos=1,
                       hostname=broker.hostname, port=broker.port or 1883)
        deadline = time.monotonic() + 10.0
        while seen[-2:] != [False, True]:
            assert time.monotonic() < deadline, seen
            time.sleep(0.02)
        witness.disconnect()
        witness.loop_stop()


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(SourceError, match="TWIN_MQTT_PASSWORD"):
        open_source(Place("spb://ann:secret@plant", "tea"))


def test_a_broker_that_is_not_there_says_so() -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        open_source(Place("spb://127.0.0.1:1", "tea"))
