"""The outbox against an ERP in another process, over a real socket: once in effect, always."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.operate.conftest import HERE, ROOT, SECRET, RunningErp
from twin.operate import audit, outbox
from twin.operate.connectors.contract import Connector, Message, Refused, Unreachable
from twin.operate.connectors.rest import Rest
from twin.operate.database import connect, reading, writing
from twin.operate.fault_point import POINTS
from twin.operate.outbox import Patience, Pusher

QUICK = Patience(lease_s=0.3, first_s=0.02, longest_s=0.1)


def order(number: int) -> Message:
    return Message(f"R-{number}/order", "order", {"product": "tea", "quantity": number})


def queue(engine: Engine, key: bytes, *messages: Message) -> None:
    with writing(engine) as connection:
        for number, message in enumerate(messages):
            assert outbox.put(connection, key, message, "erp", recommendation=number)


def statuses(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [row.status for row in outbox.rows(connection)]


def whole(engine: Engine, key: bytes) -> bool:
    with reading(engine) as connection:
        return audit.verify(connection, key) == []


def pusher(engine: Engine, erp: RunningErp, key: bytes) -> Pusher:
    connector: Connector = Rest("erp", erp.url, SECRET.encode(), timeout_s=2.0)
    return Pusher(engine, {"erp": connector}, key, patience=QUICK)


def until_empty(one: Pusher, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while one.next_due() is not None and time.monotonic() < end:
        one.push()
        time.sleep(0.01)


def test_each_message_goes_out_once_and_in_order(address: str, erp: RunningErp,
                                                 key: bytes) -> None:
    engine = connect(address)
    queue(engine, key, *(order(n) for n in range(5)))
    with writing(engine) as connection:
        assert not outbox.put(connection, key, order(3), "erp")  # the same message again
    assert pusher(engine, erp, key).push() == {"sent": 5, "pending": 0, "dead": 0}
    assert [entry[0] for entry in erp.orders()] == [order(n).key for n in range(5)]
    assert statuses(engine) == ["sent"] * 5
    assert whole(engine, key)
    published = [audit.Head.parse(event["twinhead"]) for _, event, _ in erp.orders()]
    with reading(engine) as connection:
        assert audit.verify(connection, key, published) == []
    engine.dispose()


def test_500_lost_answers_and_an_hour_of_absence(address: str, erp: RunningErp,
                                                 key: bytes) -> None:
    engine = connect(address)
    one = pusher(engine, erp, key)
    erp.mode(fail=3)
    queue(engine, key, order(1))
    until_empty(one)
    erp.mode(mute=2)  # executes, then hangs up: nobody knows whether it did
    queue(engine, key, order(2))
    until_empty(one)
    assert [(entry[0], entry[2]) for entry in erp.orders()] == [("R-1/order", 1), ("R-2/order", 3)]
    erp.kill()
    queue(engine, key, order(3))
    for _ in range(6):
        one.push()
        time.sleep(0.05)
    assert statuses(engine)[-1] == "pending"
    erp.start()
    until_empty(one)
    assert len(erp.orders()) == 3
    assert statuses(engine) == ["sent"] * 3
    assert whole(engine, key)
    engine.dispose()


def test_two_pushers_share_and_do_not_double(address: str, erp: RunningErp, key: bytes) -> None:
    from concurrent.futures import ThreadPoolExecutor

    engines = [connect(address) for _ in range(2)]
    queue(engines[0], key, *(order(n) for n in range(30)))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda engine: until_empty(pusher(engine, erp, key)), engines))
    assert sorted(entry[2] for entry in erp.orders()) == [1] * 30
    for engine in engines:
        engine.dispose()


def test_what_is_refused_is_dead_until_somebody_retries(address: str, erp: RunningErp,
                                                        key: bytes) -> None:
    engine = connect(address)
    stranger = Pusher(engine, {"erp": Rest("erp", erp.url, b"wrong secret")}, key, patience=QUICK)
    queue(engine, key, order(1))
    assert stranger.push()["dead"] == 1
    with reading(engine) as connection:
        assert "403" in outbox.rows(connection, "dead")[0].answer
    with writing(engine) as connection:
        assert outbox.retry(connection, key, order(1).key, "Ann")
        assert not outbox.retry(connection, key, order(1).key, "Ann")
    until_empty(pusher(engine, erp, key))
    assert statuses(engine) == ["sent"]
    assert whole(engine, key)
    engine.dispose()


def test_undo(address: str, erp: RunningErp, key: bytes) -> None:
    engine = connect(address)
    one = pusher(engine, erp, key)
    queue(engine, key, order(1), order(2))

    def undo(number: int) -> str:
        with writing(engine) as connection:
            return outbox.undo(connection, key, order(number).key, "Ann")

    assert undo(1) == "dropped"  # it had not gone out
    until_empty(one)
    assert [entry[0] for entry in erp.orders()] == ["R-2/order"]
    assert undo(2) == "queued"
    assert undo(2) == "nothing"  # its undoing is on its way already
    until_empty(one)
    last = erp.orders()[-1][1]
    assert (last["type"], last["twinundoes"]) == ("twin.undo", "R-2/order")
    queue(engine, key, order(3))
    until_empty(one)
    erp.mode(closed=True)
    assert undo(3) == "queued"
    until_empty(one)
    with reading(engine) as connection:
        dead = outbox.rows(connection, "dead")
    assert len(dead) == 1
    assert "409" in dead[0].answer
    assert "executed already" in dead[0].answer
    assert whole(engine, key)
    engine.dispose()


def test_an_undo_waits_for_what_it_takes_back(address: str, key: bytes) -> None:
    sent: list[str] = []

    class Moody:
        name, guarantee = "erp", Rest.guarantee
        down = True

        def send(self, message: Message) -> str:
            if self.down and not message.undoes:
                raise Unreachable("not now")
            sent.append(message.key)
            return "ok"

        def close(self) -> None:
            pass

    engine, moody = connect(address), Moody()
    one = Pusher(engine, {"erp": moody}, key, patience=QUICK)
    queue(engine, key, order(1))
    one.push()
    with writing(engine) as connection:
        assert outbox.undo(connection, key, order(1).key, "Ann") == "queued"
    one.push()
    assert sent == []
    moody.down = False
    until_empty(one)
    assert sent == ["R-1/order", "R-1/order/undo"]
    engine.dispose()


def test_an_unknown_connector_is_said(address: str, key: bytes) -> None:
    engine = connect(address)
    queue(engine, key, order(1))
    assert Pusher(engine, {}, key).push()["dead"] == 1
    with reading(engine) as connection:
        assert "no connector 'erp'" in outbox.rows(connection)[0].answer
    engine.dispose()


def run_once(address: str, erp: RunningErp, fault: str = "") -> int:
    """A pusher in a process of its own, that may be told to die; its exit code."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TWIN_FAULT_POINT": fault}
    return subprocess.run([sys.executable, str(HERE / "push_once.py"), address, erp.url, SECRET],
                          env=env, cwd=ROOT, timeout=60, check=False).returncode


@pytest.mark.long
@pytest.mark.parametrize("fault", [p for p in POINTS if p not in ("decided", "undoing")])
def test_killed_at_any_step_nothing_is_lost_or_doubled(address: str, erp: RunningErp, key: bytes,
                                                       fault: str) -> None:
    engine = connect(address)
    queue(engine, key, *(order(n) for n in range(3)))
    assert run_once(address, erp, f"{fault}:2") == -signal.SIGKILL
    assert whole(engine, key)
    assert run_once(address, erp) == 0
    assert sorted(entry[0] for entry in erp.orders()) == sorted(order(n).key for n in range(3))
    assert statuses(engine) == ["sent"] * 3
    assert whole(engine, key)
    engine.dispose()


def test_a_decision_and_its_message_are_one(address: str, key: bytes) -> None:
    engine = connect(address)

    def decide() -> None:
        with writing(engine) as connection:
            audit.record(connection, key, "approved", "R-1", None, "Ann")
            outbox.put(connection, key, order(1), "erp")
            raise Refused("it dies here")

    with pytest.raises(Refused):
        decide()
    assert statuses(engine) == []
    with reading(engine) as connection:
        assert audit.head(connection).number == 0
    engine.dispose()


def test_luck_only_spreads_tries(tmp_path: Path) -> None:
    pauses = [Patience().pause(n, random.Random(1).random()) for n in range(1, 12)]
    assert pauses == sorted(pauses)
    assert max(pauses) <= 900.0
