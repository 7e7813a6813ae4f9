"""Answers of other systems: signed, recent, taken once; and what follows from them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from tests.operate.served import Served, advice, serving
from twin.operate.connectors.rest import sign
from twin.operate.roles import Role

SECRET = b"shared with the ERP"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("ours")) as one:
        one.house.desk.file([advice()])
        assert one.call("POST", "/v1/inbox/R-1/approve", Role.APPROVER).status_code == 200
        yield one


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_HOOK_FILES", SECRET.decode())
    monkeypatch.setenv("TWIN_HOOK_OTHER", SECRET.decode())


def event(number: str = "e1", kind: str = "twin.confirmed", **data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": number, "source": "erp", "type": kind,
            "data": {"key": "tea/R-1/1", **data}}


def send(served: Served, said: Any, *, at: float = 0.0, secret: bytes = SECRET,
         connector: str = "files", seal: str | None = None, stamp: str | None = None) -> Any:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    stamp = stamp if stamp is not None else str(int(time.time() + at))
    headers = {"X-Twin-Timestamp": stamp.encode("latin-1"),
               "X-Twin-Signature": (seal if seal is not None
                                    else sign(secret, stamp, body)).encode("latin-1"),
               "Content-Type": "application/cloudevents+json"}
    return served.client.post(f"/hooks/{connector}", content=body, headers=headers)


def test_an_answer_is_taken_once_and_a_replay_is_refused(served: Served) -> None:
    before = len(served.log("answered"))
    assert send(served, event("once")).json() == {"said": "confirmed"}
    again = send(served, event("once"))
    assert again.status_code == 409
    assert "heard before" in again.json()["detail"]
    assert send(served, event("once", "twin.refused")).status_code == 409
    rows = served.log("answered")
    assert len(rows) == before + 1
    assert rows[-1] == {"subject": "tea/R-1/1", "person": "",
                        "body": {"connector": "files", "said": "confirmed"}}


@pytest.mark.parametrize("how", [
    {"secret": b"another"}, {"at": -301}, {"at": 301}, {"stamp": "0"}, {"stamp": ""},
    {"stamp": "²"}, {"stamp": "9" * 5000}, {"seal": ""}, {"seal": "é" * 64}, {"seal": "0" * 64},
    {"connector": "nobody"},
], ids=str)
def test_a_wrong_signature_or_time_is_refused(served: Served, how: dict[str, Any]) -> None:
    before = len(served.log("answered"))
    assert send(served, event("tampered"), **how).status_code == 401
    assert len(served.log("answered")) == before


def test_a_body_that_was_changed_on_the_way_is_refused(served: Served) -> None:
    body = json.dumps(event("changed")).encode()
    stamp = str(int(time.time()))
    seal = sign(SECRET, stamp, body)
    answer = send(served, body.replace(b"confirmed", b"executed"), stamp=stamp, seal=seal)
    assert answer.status_code == 401


@pytest.mark.parametrize(("said", "status"), [
    (b"", 422), (b"{", 422), (b"[]", 422), (b"\xff", 422), (b"[" * 50_000, 422),
    (event("x", "twin.exploded"), 422), ({**event("x"), "surprise": 1}, 422),
    ({**event("x"), "data": {"key": "tea/R-1/1", "quantity": -4}}, 422),
    ({**event("x"), "data": {"key": "' or 1=1 --"}}, 422),
    ({**event("x"), "data": {"key": "../../etc/passwd"}}, 422),
    ({**event("x"), "id": ""}, 422), ({**event("x"), "specversion": "0.3"}, 422),
    (b"x" * 1_000_001, 413),
], ids=range(13))
def test_a_signed_body_that_says_nothing_of_use_is_refused(
        served: Served, said: Any, status: int) -> None:
    answer = send(served, said)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_connector_speaks_of_its_own_messages_only(served: Served) -> None:
    assert send(served, event("stolen", "twin.executed"), connector="other").status_code == 422


def test_what_is_executed_is_not_undone(served: Served) -> None:
    assert send(served, event("done", "twin.executed", quantity=40)).status_code == 202
    answer = served.call("POST", "/v1/inbox/R-1/undo", Role.APPROVER)
    assert answer.status_code == 409
    assert "tea/R-1/1 is executed" in answer.json()["detail"]
    assert served.call("GET", "/v1/audit/verify", Role.ADMIN).json()["whole"] is True


def test_guessing_signatures_is_slowed_down(tmp_path: Any) -> None:
    from twin.serve.house import Limits

    with serving(tmp_path, Limits(failures_per_min=2)) as one:
        told = [send(one, event("g"), secret=b"guess").status_code for _ in range(4)]
        assert told == [401, 401, 429, 429]
        assert send(one, event("g")).status_code == 429  # whoever calls from there
