"""Hooks: what other systems tell us, signed with a secret that we share with each.

The headers are those with which we sign what we push: X-Twin-Timestamp (seconds since 1970, no more
than five minutes off) and X-Twin-Signature (HMAC-SHA256 over timestamp, dot and body). The id of an
event counts once.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from twin.operate.answers import hear
from twin.operate.connectors.rest import is_genuine
from twin.operate.database import writing
from twin.serve import schema
from twin.serve.house import House
from twin.serve.problem import Problem, responses

routes = APIRouter(prefix="/hooks", tags=["hooks"])


@routes.post("/{connector}", operation_id="hook", status_code=202, response_model=schema.Heard,
             responses=responses(400, 401, 404, 409, 413, 422, 429), openapi_extra={
                 "requestBody": {"required": True, "content": {"application/cloudevents+json": {
                     "schema": schema.Event.model_json_schema()}}},
                 "parameters": [{"name": name, "in": "header", "required": True,
                                 "schema": {"type": "string"}}
                                for name in ("X-Twin-Timestamp", "X-Twin-Signature")]})
async def hook(request: Request, connector: Annotated[str, Path(
        pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["erp"])]) -> Any:
    """Take in an answer: a message of ours is confirmed, executed or refused."""
    house: House = request.app.state.house
    address = request.client.host if request.client else ""
    wait = house.failures.wait(address)
    if wait:
        raise Problem(429, "Too many wrong signatures. Wait.", {"Retry-After": str(int(wait) + 1)})
    body = await request.body()
    secret = house.secret_of(connector)
    # Whether there is such a connector is nobody's business who cannot sign.
    if secret is None or not is_genuine(
            secret, request.headers.get("x-twin-timestamp", ""), body,
            request.headers.get("x-twin-signature", ""), now=time.time()):
        house.failures.take(address)
        raise Problem(401, "The signature or its time is wrong. Sign timestamp, dot and body with "
                           "the shared secret, and send it within five minutes.")
    return await run_in_threadpool(_heard, house, connector, body)


def _heard(house: House, connector: str, body: bytes) -> dict[str, str]:
    try:
        event = schema.Event.model_validate_json(body)
    except ValidationError as error:
        one = error.errors(include_input=False, include_url=False)[0]
        raise Problem(422, f"The body is no event of ours: {'.'.join(map(str, one['loc']))} "
                           f"{one['msg']}.") from None
    with writing(house.desk.engine) as connection:
        said = hear(connection, house.desk.key, connector, event.model_dump())
    return {"said": said.value}
