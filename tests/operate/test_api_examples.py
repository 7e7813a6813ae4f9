"""The API against requests that schemathesis makes up from its own description."""

from __future__ import annotations

import copy
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("schemathesis")

import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from starlette.responses import JSONResponse

from tests.operate.served import Served
from twin.operate.roles import RIGHTS, Role

#: Streams stay open, and a made-up run would be played: these are asked for little, in the slow
#: suite.
LEFT_OUT = {"events", "customer_events", "job_events", "run", "recommend"}
LITTLE: dict[str, dict[str, Any]] = {
    "run": {"horizon": "1d", "replications": 2, "scenarios": []},
    "recommend": {"kinds": ["maintenance"], "budget": 1}}
TRIED = sorted({*RIGHTS, "health", "hook"} - LEFT_OUT)


@pytest.fixture(scope="session")
def operations(served: Served) -> dict[str, Any]:
    bare = copy.deepcopy(served.app.openapi())  # a token always comes along, and is no example
    for path in bare["paths"].values():
        for one in path.values():
            one.pop("security", None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        described = scope["type"] == "http" and scope["path"] == "/bare.json"
        await (JSONResponse(bare) if described else served.asgi)(scope, receive, send)

    schema = schemathesis.openapi.from_asgi("/bare.json", app)
    found = [result.ok() for result in schema.get_all_operations()]
    return {one.definition.raw["operationId"]: one for one in found}


def hold(served: Served, operation: Any, examples: int) -> None:
    """Call an operation as the role that may, with good and bad requests, and hold each answer to
    the description.
    """
    name = operation.definition.raw["operationId"]
    token = served.tokens[min(RIGHTS.get(name, {Role.VIEWER}))]
    for mode in GenerationMode:
        @settings(max_examples=examples, derandomize=True, database=None, deadline=None,
                  suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case: Any) -> None:
            assume([] not in dict(case.query or {}).values())  # it would not be sent
            answer = case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code < 500
            assert b"Traceback" not in answer.content

        try:
            answered()
        except Unsatisfiable:  # an operation without parameters has no bad requests
            assert mode is GenerationMode.NEGATIVE


@pytest.mark.parametrize("name", TRIED[::4])
def test_made_up_requests_are_answered_as_described(
        served: Served, operations: dict[str, Any], name: str) -> None:
    hold(served, operations[name], 3)


@pytest.mark.long
@pytest.mark.parametrize("name", TRIED)
def test_many_made_up_requests_are_answered_as_described(
        served: Served, operations: dict[str, Any], name: str) -> None:
    hold(served, operations[name], 60)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_streams_and_jobs_that_are_asked_for_little_are_answered_as_described(
        served: Served, operations: dict[str, Any], name: str) -> None:
    operation = operations[name]
    token = served.tokens[min(RIGHTS[name])]
    said: list[int] = []

    @settings(max_examples=8, derandomize=True, database=None, deadline=None,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def answered(case: Any) -> None:
        assume([] not in dict(case.query or {}).values())
        if name in LITTLE:
            case.body = {**(case.body if isinstance(case.body, dict) else {}), **LITTLE[name]}
        else:
            case.query = {**(case.query or {}), "once": "true"}
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code < 500
        assert b"Traceback" not in answer.content
        said.append(answer.status_code)
        if answer.status_code == 202:
            served.call("DELETE", f"/v1/jobs/{answer.json()['id']}", token=token)

    answered()
    assert said


def test_every_operation_is_tried_or_left_out(operations: dict[str, Any]) -> None:
    assert set(operations) == {*TRIED, *LEFT_OUT}
