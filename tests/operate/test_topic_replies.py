"""Commands on a topic of a real broker, confirmed on another one."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.operate.test_inbox import START, advice
from tests.sense.mosquitto import forget, real_broker
from twin.operate.configuration import read_configuration
from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable
from twin.operate.connectors.seal import sealed, unsealed
from twin.operate.connectors.topic import Topic
from twin.operate.database import connect
from twin.operate.desk import Desk
from twin.operate.inbox import DecisionError

paho = pytest.importorskip("paho.mqtt.client", reason="needs the extra iot")


class Receiver:
    """An ERP that answers on a topic, once a key."""

    def __init__(self, url: str) -> None:
        name = uuid.uuid4().hex[:12]
        self.topic, self.replies = f"orders/{name}", f"answers/{name}"
        self.said: str | None = "confirmed"
        self.got: list[str] = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_message = self._take
        parts = urlsplit(url)
        self.client.connect(parts.hostname or "localhost", parts.port or 1883)
        self.client.loop_start()
        self._subscribed(self.topic)

    def _subscribed(self, topic: str) -> None:
        ready = threading.Event()
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.subscribe(topic, qos=1)
        assert ready.wait(5.0)

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        key = json.loads(message.payload)["key"]
        self.got.append(key)
        if self.said is not None:
            self.answer(key, self.said)

    def answer(self, key: str, said: str) -> Any:
        return self.client.publish(self.replies, json.dumps(
            {"key": key, "said": said, "why": "no stock"}), qos=1)


@pytest.fixture
def url() -> str:
    return real_broker()


@pytest.fixture
def erp(url: str) -> Iterator[Receiver]:
    one = Receiver(url)
    yield one
    one.client.disconnect()
    one.client.loop_stop()
    forget(url, topic(url, one)._session()["client_id"])


def topic(url: str, erp: Receiver, timeout_s: float = 5.0) -> Topic:
    return Topic("erp", url, erp.topic, timeout_s, replies=erp.replies)


def test_a_message_is_sent_when_its_receiver_says_so(url: str, erp: Receiver) -> None:
    out = topic(url, erp)
    assert out.guarantee is Guarantee.BY_REPLY
    assert Topic("erp", url, "x").guarantee is Guarantee.AT_LEAST_ONCE
    assert out.send(Message("k1", "order")).startswith("confirmed by reply")
    erp.client.publish(erp.replies, b"\xff not JSON", qos=1)
    erp.said = "refused"
    with pytest.raises(Refused, match="no stock"):
        out.send(Message("k2", "order"))
    assert [(one.key, one.said) for one in out.replies()] == [("k1", "confirmed"),
                                                              ("k2", "refused")]
    out.close()


def test_a_reply_that_came_while_nobody_listened_is_not_asked_for_again(url: str, erp: Receiver
                                                                        ) -> None:
    erp.said = None
    out = topic(url, erp, timeout_s=0.3)
    with pytest.raises(Unreachable, match="no reply"):
        out.send(Message("k1", "order"))
    out.close()
    erp.answer("k1", "confirmed").wait_for_publish(5.0)
    again = topic(url, erp)
    assert again.send(Message("k1", "order")).startswith("confirmed")
    again.close()
    assert erp.got == ["k1"]


def test_with_a_secret_commands_are_signed_and_replies_have_to_be(url: str, erp: Receiver) -> None:
    out = Topic("erp", url, erp.topic, 0.5, replies=erp.replies, secret=b"s")
    told: list[bytes] = []

    def take(_client: Any, _data: Any, message: Any) -> None:
        told.append(message.payload)
        body = unsealed(b"s", message.payload)
        assert body is not None
        reply = json.dumps({"key": json.loads(body)["key"], "said": "confirmed"}).encode()
        forged = sealed(b"t", reply, time.time()).replace(b"confirmed", b"executed")
        for said in [reply, forged] if len(told) == 1 else [sealed(b"s", reply, time.time())]:
            erp.client.publish(erp.replies, said, qos=1)

    erp.client.on_message = take
    with pytest.raises(Unreachable, match=r"in 0\.5 s; 2 without its signature"):
        out.send(Message("k1", "order"))
    assert out.send(Message("k1", "order")).startswith("confirmed by reply")
    assert [(one.key, one.said) for one in out.replies()] == [("k1", "confirmed")]
    out.close()


def test_what_a_receiver_has_executed_cannot_be_undone(
        url: str, erp: Receiver, tmp_path: Path, key: bytes, address: str) -> None:
    desk = Desk(connect(address), "harbour", START, read_configuration({"connectors": {"erp": {
        "type": "topic", "url": url, "topic": erp.topic, "replies": erp.replies}}}, "harbour.yaml"),
        key, heard=lambda: START.timestamp() + 30 * 3600.0, home=tmp_path)
    desk.file([advice()])
    case = desk.approve("R-1", "Ann")
    assert [one["status"] for one in case.messages] == ["sent"]
    assert [row["body"]["said"] for row in desk.log() if row["kind"] == "answered"] == ["confirmed"]
    erp.answer(case.messages[0]["key"], "executed").wait_for_publish(5.0)
    heard = desk.connectors["erp"].heard  # type: ignore[attr-defined]
    until = time.monotonic() + 5.0
    while heard.wait(case.messages[0]["key"], 5.0).said != "executed":
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.raises(DecisionError, match="is executed"):
        desk.undo("R-1", "Ann")
    assert desk.verify() == []
    desk.close()
