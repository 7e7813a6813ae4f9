"""Problems: every refusal is one JSON document (RFC 9457) that says what to do; never a traceback.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from twin.commands import Unanswered
from twin.operate.answers import HeardBefore
from twin.operate.database import StoreError
from twin.operate.inbox import DecisionError
from twin.operate.tokens import TokenError
from twin.workspace import WorkspaceError

MEDIA = "application/problem+json"
_LOG = logging.getLogger("twin.serve")
_MISSING = re.compile(r"(?:^|\b)(there is no|is unknown)\b")
_PATH = re.compile(r"(?<![\w.:/])/(?:[\w.@+-]+/)+")


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(examples=["body.reason"])
    message: str = Field(examples=["Field required"])


class ProblemDocument(BaseModel):
    """What is wrong, in the words of RFC 9457."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "title": "Conflict", "status": 409,
        "detail": "R-17 is rejected; only what stands open can be approved."}]})

    title: str
    status: int
    detail: str
    errors: list[Fault] = []
    reference: str = Field("", description="of an error of the server, in its log")


class Problem(HTTPException):
    """A refusal with its status, what is wrong and what to do."""


def answer(status: int, detail: str, *, errors: list[dict[str, str]] | None = None,
           headers: Mapping[str, str] | None = None, reference: str = "") -> JSONResponse:
    """The response that tells of a problem."""
    said: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status,
                            "detail": placeless(detail)}
    if errors:
        said["errors"] = errors
    if reference:
        said["reference"] = reference
    return JSONResponse(said, status, dict(headers or {}), MEDIA)


def placeless(text: str) -> str:
    """A message without the folders of this machine, and printable.

    Examples
    --------
    >>> placeless("/srv/twin/ours/store/tea/devices.db cannot be used")
    'devices.db cannot be used'
    """
    return _PATH.sub("", text).encode("utf-8", "replace").decode()[:2000]


def status_of(error: Exception) -> int:
    """The status of something that a verb refuses.

    Examples
    --------
    >>> status_of(DecisionError("R-17 is rejected; only what stands open can be approved."))
    409
    >>> status_of(DecisionError("there is no recommendation 'R-99' of tea.")), status_of(
    ...     ValueError("horizon '5' has no unit. Write 5h or 5d."))
    (404, 422)
    """
    if isinstance(error, WorkspaceError | DecisionError | TokenError) and _MISSING.search(
            str(error)):
        return 404
    if isinstance(error, DecisionError | HeardBefore | Unanswered):
        return 409
    return 503 if isinstance(error, StoreError) else 422


def unforeseen(error: BaseException) -> JSONResponse:
    """An error of ours: the caller gets a reference, the log says which error it was."""
    reference = secrets.token_hex(6)
    trace, where = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        where, trace = f"{file}:{trace.tb_lineno}", trace.tb_next
    _LOG.error("%s: %s at %s", reference, type(error).__name__, where)
    return answer(500, "This should not have happened. Report it with its reference.",
                  reference=reference)


def handle_problems(app: FastAPI) -> None:
    """Let an app answer every refusal with a problem document."""

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = [{"where": placeless(".".join(map(str, one["loc"])))[:200],
                   "message": placeless(str(one["msg"]))} for one in error.errors()[:50]]
        return answer(422, "The request is not what this operation takes. See errors.",
                      errors=faults)

    @app.exception_handler(HTTPException)
    async def _(_: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(ValueError)
    async def _(_: Request, error: ValueError) -> JSONResponse:
        return answer(status_of(error), str(error))

    @app.exception_handler(Unanswered)
    async def _(_: Request, error: Unanswered) -> JSONResponse:
        return answer(409, str(error))

    @app.exception_handler(Exception)
    async def _(_: Request, error: Exception) -> JSONResponse:
        return unforeseen(error)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI is told of the problems that an operation may answer with."""
    return {status: {"description": HTTPStatus(status).phrase,
                     "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
                                 }} for status in statuses}
