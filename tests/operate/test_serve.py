"""The verbs over HTTP: who may call what, what is bounded, and what never leaves."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from tests.operate.served import DAYS, FILES, NO_LIMITS, START, Served, advice, serving
from twin.operate.roles import RIGHTS, Role
from twin.readings import Reading
from twin.serve.house import Limits
from twin.serve.shield import Shield

V, P, A, M, F, S, C = (Role.VIEWER, Role.PLANNER, Role.APPROVER, Role.ADMIN, Role.FLEET,
                       Role.SUPPLIER, Role.CUSTOMER)
#: Operation -> a harmless call of it, and who may make it.
CALLS: dict[str, tuple[str, str, Any, str]] = {
    "whoami": ("GET", "/v1/whoami", None, "VPAMFSC"),
    "models": ("GET", "/v1/models", None, "VPAMF"),
    "scenarios": ("GET", "/v1/scenarios", None, "VPAMF"),
    "check": ("GET", "/v1/check", None, "VPAMF"),
    "state": ("GET", "/v1/state?only=area", None, "VPAMF"),
    "alerts": ("GET", "/v1/alerts", None, "VPAMF"),
    "acknowledge": ("POST", "/v1/alerts/A-00000000/acknowledge", {"comment": "seen"}, "PAF"),
    "inbox": ("GET", "/v1/inbox", None, "VPAMF"),
    "show": ("GET", "/v1/inbox/R-99", None, "VPAMF"),
    "outcomes": ("GET", "/v1/outcomes", None, "VPAMF"),
    "events": ("GET", "/v1/events?once=true", None, "VPAMF"),
    "run": ("POST", "/v1/runs", {"scenarios": ["nonesuch"]}, "PA"),
    "recommend": ("POST", "/v1/recommendations", {"calibration": "nonesuch"}, "PA"),
    "jobs": ("GET", "/v1/jobs", None, "PA"),
    "job": ("GET", "/v1/jobs/000000000000", None, "PA"),
    "job_events": ("GET", "/v1/jobs/000000000000/events", None, "PA"),
    "cancel": ("DELETE", "/v1/jobs/000000000000", None, "PA"),
    "approve": ("POST", "/v1/inbox/R-99/approve", None, "A"),
    "reject": ("POST", "/v1/inbox/R-99/reject", {"reason": "no"}, "A"),
    "undo": ("POST", "/v1/inbox/R-99/undo", None, "A"),
    "audit_verify": ("GET", "/v1/audit/verify", None, "M"),
    "audit_export": ("GET", "/v1/audit/export?after=9999", None, "M"),
    "devices": ("GET", "/v1/devices", None, "M"),
    "add_device": ("POST", "/v1/devices", {"name": "t1", "topics": ["#/wrong"]}, "M"),
    "revoke_device": ("DELETE", "/v1/devices/t99", None, "M"),
    "tokens": ("GET", "/v1/tokens", None, "M"),
    "add_token": ("POST", "/v1/tokens", {"name": "Eve", "role": "supplier"}, "M"),
    "revoke_token": ("DELETE", "/v1/tokens/000000000000", None, "M"),
    "forget": ("POST", "/v1/people/forget", {"name": "Nobody"}, "M"),
    "retain": ("POST", "/v1/retain", None, "M"),
    "supplier_items": ("GET", "/v1/suppliers/garden/items?field=stock", None, "PAS"),
    "customer_orders": ("GET", "/v1/customers/shop/orders", None, "PAC"),
    "customer_events": ("GET", "/v1/customers/shop/orders/events?once=true", None, "PAC"),
}
LETTERS = dict(zip("VPAMFSC", (V, P, A, M, F, S, C), strict=True))
CHANGING = sorted(name for name, call in CALLS.items() if call[0] != "GET")


def test_every_operation_has_a_row_and_every_row_an_operation(served: Served) -> None:
    operations = {route["operationId"] for path in served.app.openapi()["paths"].values()
                  for route in path.values()}
    assert operations - {"health", "hook"} == set(RIGHTS) == set(CALLS)


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_each_cell_of_the_table_of_rights(served: Served, operation: str) -> None:
    method, path, body, allowed = CALLS[operation]
    assert served.call(method, path, json=body).status_code == 401
    for letter, role in LETTERS.items():
        status = served.call(method, path, role, json=body).status_code
        assert (status not in (401, 403)) == (letter in allowed), f"{role.value}: {status}"
        assert letter in allowed or status == 403
        assert status < 500


@pytest.mark.parametrize("operation", CHANGING)
def test_every_call_that_changes_something_is_in_the_log(served: Served, operation: str) -> None:
    method, path, body, allowed = CALLS[operation]
    if operation == "add_token":
        body = {"name": "Eve", "role": "viewer"}
    role = LETTERS[allowed[0]]
    before = len(served.log(f"asked {operation}"))
    if served.call(method, path, role, json=body).status_code == 422:
        return  # nothing was asked that could be done
    after = served.log(f"asked {operation}")
    assert len(after) == before + 1
    assert after[-1]["person"] == f"{role.value} person"


def test_a_call_without_the_right_is_in_the_log_too(served: Served) -> None:
    served.call("POST", "/v1/inbox/R-99/approve", V)
    assert served.log("refused")[-1] == {
        "subject": "tea", "person": "viewer person",
        "body": {"operation": "approve", "role": "viewer"}}


# -- tokens --------------------------------------------------------------------------------------


def test_wrong_expired_and_revoked_tokens_are_no_tokens(served: Served) -> None:
    good = served.tokens[V]
    last = "A" if good[-1] != "A" else "B"
    for wrong in (good[:-1] + last, good + "A", good.upper(), "twin_", "x" * 3000,
                  "twin_" + "0" * 12 + "_" + "A" * 43, "' or 1=1 --"):
        assert served.call("GET", "/v1/whoami", token=wrong).status_code == 401, wrong
    assert served.call("GET", "/v1/whoami", headers={"Authorization": f"Basic {good}"}
                       ).status_code == 401
    tokens = served.house.tokens
    short = tokens.add("Eve", V, days=0.001)
    assert served.call("GET", "/v1/whoami", token=short).status_code == 200
    tokens.clock = lambda: time.time() + 90.0
    assert served.call("GET", "/v1/whoami", token=short).status_code == 401
    tokens.clock = time.time
    secret = served.call("POST", "/v1/tokens", M, json={"name": "Eve", "role": "viewer"}
                         ).json()["secret"]
    public = secret.split("_")[1]
    assert served.call("DELETE", f"/v1/tokens/{public}", M).json()[0]["state"] == "revoked"
    assert served.call("GET", "/v1/whoami", token=secret).status_code == 401


def test_only_the_hash_of_a_token_is_kept(served: Served) -> None:
    halves = [token.rsplit("_", 1)[0].split("_", 2) and token.split("_", 2)[2]
              for token in served.tokens.values()]
    for path in served.house.workspace.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in halves), path.name


def test_a_role_that_belongs_to_a_site_needs_one(served: Served) -> None:
    for body, status in (({"name": "Eve", "role": "supplier"}, 422),
                         ({"name": "Eve", "role": "viewer", "site": "garden"}, 422),
                         ({"name": "Eve", "role": "supplier", "site": "nowhere"}, 404)):
        assert served.call("POST", "/v1/tokens", M, json=body).status_code == status


# -- bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "options", "status"), [
    ("/v1/runs", {"content": b"x" * 1_000_001}, 413),
    ("/v1/runs", {"content": iter([b"x" * 600_000, b"y" * 600_000])}, 413),
    ("/v1/runs", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
    ("/v1/runs", {"content": b"[" * 100_000, "headers": {"Content-Type": "application/json"}},
     400),
    ("/v1/runs", {"content": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}, 422),
    ("/v1/runs", {"content": b"a=1",
                  "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 422),
    ("/v1/runs", {"json": {"horizon": "30d", "surprise": 1}}, 422),
    ("/v1/runs", {"json": {"horizon": "30d", "scenarios": ["../../etc/passwd"]}}, 422),
    ("/v1/runs", {"json": {"horizon": "forever"}}, 422),
    ("/v1/runs", {"json": {"replications": 10**9}}, 422),
    ("/v1/runs", {"json": {"scenarios": ["nonesuch"]}}, 404),
    ("/v1/runs?fast=yes", {"json": {}}, 422),
    ("/v1/inbox/R-1;drop table log/approve", {}, 422),
    ("/v1/inbox/R-1%00/approve", {}, 400),
    ("/v1/inbox/..%2f..%2fstore/approve", {}, 404),
    ("/v1/inbox/R-999999999999/approve", {}, 404),
    ("/v1/inbox/R-1/reject", {"json": {"reason": " "}}, 422),
    ("/v1/inbox/R-1/reject", {"content": b'{"reason": "\\ud800"}',
                              "headers": {"Content-Type": "application/json"}}, 422),
    ("/v1/alerts/' or '1'='1/acknowledge", {"json": {"comment": "x"}}, 422),
    ("/v1/" + "x" * 5000, {}, 414),
    ("/v2/nothing", {}, 404),
], ids=lambda value: str(value)[:40] if isinstance(value, str) else None)
def test_what_is_wrong_is_refused_with_one_clear_document(
        served: Served, path: str, options: dict[str, Any], status: int) -> None:
    answer = served.call("POST", path, A, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["detail"]
    assert "Traceback" not in answer.text
    assert str(served.house.workspace.home) not in answer.text


def test_a_body_that_does_not_come_is_not_waited_for(served: Served) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not sent:
            sent.append(None)
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.sleep(60.0)
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    shield = Shield(served.app, served.house.addresses, patience_s=0.05)
    asyncio.run(shield({
        "type": "http", "method": "POST", "path": "/v1/runs", "raw_path": b"/v1/runs",
        "query_string": b"", "client": ("10.0.0.1", 1), "server": ("h", 80), "scheme": "http",
        "http_version": "1.1", "headers": [
            (b"authorization", f"Bearer {served.tokens[P]}".encode()),
            (b"content-type", b"application/json")]}, receive, send))
    assert sent[1]["status"] == 408


def test_no_error_of_ours_leaves_more_than_a_reference(
        served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("password=hunter2 in /srv/secret/place")

    monkeypatch.setattr(type(served.house.desk), "inbox", broken)
    answer = served.call("GET", "/v1/inbox", V)
    assert answer.status_code == 500
    assert set(answer.json()) == {"title", "status", "detail", "reference"}
    assert "hunter2" not in answer.text + caplog.text
    assert answer.json()["reference"] in caplog.text
    assert "RuntimeError" in caplog.text


def test_every_answer_has_the_headers_of_a_careful_server(served: Served) -> None:
    for path in ("/", "/health", "/openapi.json", "/v1/whoami", "/nowhere"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers
    assert "unsafe" not in served.client.get("/").headers["content-security-policy"]


def test_the_page_asks_nobody_else_for_anything(served: Served) -> None:
    text = served.client.get("/").text
    outside = text.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in outside
    assert "https://" not in outside
    assert "innerHTML" not in text
    assert " style=" not in text


def test_who_calls_too_often_waits(tmp_path: Any) -> None:
    with serving(tmp_path, Limits(calls_per_s=0.5, burst=2, address_per_s=1e6, address_burst=1e6,
                                  failures_per_min=3, poll_s=0.02)) as one:
        for role in (V, P):  # each token has a bucket of its own
            assert [one.call("GET", "/v1/whoami", role).status_code for _ in range(3)] == [
                200, 200, 429]
        again = one.call("GET", "/v1/whoami", V)
        assert again.headers["retry-after"] in ("2", "3")
        assert "Wait" in again.json()["detail"]
        wrong = [one.call("GET", "/v1/whoami", token="twin_guess").status_code for _ in range(5)]
        assert wrong == [401, 401, 401, 429, 429]
        one.house.addresses.rate = 1e-3
        one.house.addresses.burst = 1.0
        assert one.client.get("/health").status_code == 200
        assert one.client.get("/health").status_code == 429


# -- deciding and watching -----------------------------------------------------------------------


def test_advice_is_decided_watched_and_undone_until_it_is_executed(served: Served) -> None:
    served.house.desk.file([advice()])
    row, = served.call("GET", "/v1/inbox", V).json()
    name = row["name"]
    assert (row["title"], row["verdict"]) == ("order 40 units of depot/tea from garden", "better")
    mark = served.log("recommended")[-1]
    assert mark["subject"] == name
    done = served.call("POST", f"/v1/inbox/{name}/approve", A)
    assert done.status_code == 200
    assert done.json()["messages"][0]["status"] == "sent"
    assert done.json()["decisions"][0]["person"] == "approver person"
    assert served.call("POST", f"/v1/inbox/{name}/approve", A).status_code == 409
    told = served.call("GET", "/v1/events?once=true", V, headers={"Last-Event-ID": "1"}).text
    news = [(part.split("event: ")[1].split("\n")[0], json.loads(part.split("data: ")[1]))
            for part in told.split("\n\n") if "event: " in part]
    mine = [kind for kind, data in news if data["subject"] in (name, f"tea/{name}/1")]
    assert mine == ["recommended", "approved", "pushed"]
    last = max(int(part.split("id: ")[1].split("\n")[0]) for part in told.split("\n\n")
               if "id: " in part)
    assert "event: " not in served.call("GET", "/v1/events?once=true", V,
                                        headers={"Last-Event-ID": str(last)}).text
    assert served.call("GET", "/v1/events", V, headers={"Last-Event-ID": "x"}).status_code == 422
    undone = served.call("POST", f"/v1/inbox/{name}/undo", A)
    assert undone.json()["status"] == "undone"
    assert served.call("GET", "/v1/audit/verify", M).json()["whole"] is True


def test_a_rejection_needs_a_reason_and_keeps_it(served: Served) -> None:
    served.house.desk.file([advice("depot/cup", 5.0)])
    name = served.call("GET", "/v1/inbox", V).json()[-1]["name"]
    assert served.call("POST", f"/v1/inbox/{name}/reject", A, json={}).status_code == 422
    said = served.call("POST", f"/v1/inbox/{name}/reject", A,
                       json={"reason": "'; drop table log; --"}).json()
    assert said["decisions"][0]["reason"] == "'; drop table log; --"
    assert served.call("GET", "/v1/audit/verify", M).json()["whole"] is True


def test_a_run_is_a_job_with_progress_and_a_result(served: Served) -> None:
    asked = served.call("POST", "/v1/runs", P, json={
        "scenarios": ["demand_spike"], "horizon": "20d", "replications": 2, "seed": 3})
    assert asked.status_code == 202
    name = asked.json()["id"]
    told = served.call("GET", f"/v1/jobs/{name}/events", P).text  # ends with the job
    kinds = [line.removeprefix("event: ") for line in told.splitlines()
             if line.startswith("event: ")]
    assert kinds[:2] == ["queued", "running"]
    assert kinds[-1] == "done"
    assert kinds.count("progress") == 4
    rest = served.call("GET", f"/v1/jobs/{name}/events", P,
                       headers={"Last-Event-ID": str(len(kinds) - 1)}).text
    assert rest.count("event: ") == 1
    asked_for = served.log("asked run")[-1]["body"]
    assert (asked_for["scenarios"], asked_for["seed"]) == (["demand_spike"], 3)
    job = served.call("GET", f"/v1/jobs/{name}", P).json()
    assert (job["status"], job["by"]) == ("done", "planner person")
    row = next(row for row in job["result"]["kpis"]
               if (row["scenario"], row["kpi"]) == ("demand_spike", "fill_rate"))
    assert row["low"] <= row["mean"] <= row["high"]
    assert row["verdict"] in ("better", "worse", "no effect shown")
    assert served.call("DELETE", f"/v1/jobs/{name}", P).status_code == 409


@pytest.mark.long
def test_advice_is_asked_for_as_a_job_and_lands_in_the_inbox(tmp_path: Path) -> None:
    stock = FILES["models/tea/stock.csv"].replace("depot,tea,400", "depot,tea,60")
    with serving(tmp_path, files={**FILES, "models/tea/stock.csv": stock}) as one:
        name = one.call("POST", "/v1/recommendations", P, json={
            "kinds": ["orders"], "limit_s": 1, "budget": 8}).json()["id"]
        assert "event: done" in one.call("GET", f"/v1/jobs/{name}/events", P).text
        result = one.call("GET", f"/v1/jobs/{name}", P).json()["result"]
        filed = one.call("GET", "/v1/inbox", V).json()
        assert [row["name"] for row in result["recommendations"]] == \
            [row["name"] for row in filed] == ["R-1"]
        assert filed[0]["title"].startswith("order ")
        assert "depot/tea from garden" in filed[0]["title"]
        assert any(effect["verdict"] == "better" for effect in filed[0]["effects"])
        assert one.call("POST", "/v1/recommendations", P, json={"kinds": ["magic"]}
                        ).status_code == 422


def test_a_job_is_cancelled_at_its_next_step(served: Served) -> None:
    name = served.call("POST", "/v1/runs", P, json={
        "scenarios": ["demand_spike"], "horizon": "365d", "replications": 1000}).json()["id"]
    assert served.call("DELETE", f"/v1/jobs/{name}", P).status_code == 200
    told = served.call("GET", f"/v1/jobs/{name}/events", P).text
    assert told.rstrip().endswith("event: cancelled\ndata: {}")


def test_a_token_holds_a_bounded_number_of_streams(served: Served) -> None:
    house, mine = served.house, served.house.tokens.check(served.tokens[V])
    assert mine is not None
    taken = [house.open_stream(mine.id) for _ in range(NO_LIMITS.streams + 1)]
    assert taken[-1] is None
    assert len(set(taken)) == NO_LIMITS.streams + 1
    assert served.call("GET", "/v1/events?once=true", V).status_code == 429
    house.close_stream(taken[0] or 0)
    assert served.call("GET", "/v1/events?once=true", V).status_code == 200


# -- looking -------------------------------------------------------------------------------------


def test_only_the_fleet_sees_vehicles_and_what_is_on_board_by_name(served: Served) -> None:
    for role in (V, P, A, M):
        text = served.call("GET", "/v1/state", role).text
        assert "phone-ann" not in text
        assert '"van"' not in text
    seen = served.call("GET", "/v1/state?only=truck", F).json()["facts"]
    assert {fact["subject"] for fact in seen} == {"van"}
    assert "phone-ann" in {fact["source"] for fact in seen}
    hidden = served.call("GET", "/v1/state?only=truck", V).json()["facts"]
    assert len({fact["subject"] for fact in hidden}) == 1
    assert [fact["value"] for fact in hidden] == [fact["value"] for fact in seen]


def test_an_alert_is_acknowledged_by_the_person_of_the_token(served: Served) -> None:
    now = START + 86_400.0 * DAYS
    served.house.store.write([Reading(sensor="wms", id="c1", time=now, kind="count", site="depot",
                                      product="cup", quantity=3.0)])
    row = next(row for row in served.call("GET", "/v1/alerts", V).json()
               if row["subject"] == "shelf depot/cup" or "depot/cup" in row["subject"])
    done = served.call("POST", f"/v1/alerts/{row['id']}/acknowledge", P,
                       json={"comment": "Ordered."})
    assert done.json()["acknowledged_by"] == "planner person"
    assert done.json()["comment"] == "Ordered."
    assert served.call("GET", "/v1/check", V).json()["problems"] == []
