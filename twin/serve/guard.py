"""The guard: before anything of a request is read, who calls, how often, and whether they may.

Every operation is a route of this class and has a row in `twin.operate.roles.RIGHTS`; one without a
row cannot be made.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from twin.operate.roles import RIGHTS, Role, may, may_see
from twin.operate.tokens import Token
from twin.serve.problem import Problem, responses

if TYPE_CHECKING:
    from twin.serve.house import House

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="twin"'}
_BEARER = HTTPBearer(auto_error=False, scheme_name="token",
                     description="A token of twin tokens: twin_<id>_<secret>.")
_SAFE = {"GET", "HEAD"}
_UNTOLD = {"name", "reason", "comment"}  # names and free text: what is done with them is told
_ERRORS = (400, 401, 403, 404, 409, 413, 414, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    token: Token
    house: House

    @property
    def name(self) -> str:
        """Of the person."""
        return self.token.name

    @property
    def role(self) -> Role:
        """In which they call."""
        return self.token.role

    def must_see(self, site: str) -> None:
        """Refuse a partner who asks for what belongs to another."""
        if not may_see(self.role, self.token.site, site):
            self.house.log("refused", self.name, {"site": site, "role": self.role.value})
            raise Problem(403, f"The role {self.role.value} sees its own site only.")


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


#: What an operation asks for to know who calls.
Calling = Annotated[Caller, Depends(_caller)]


class Guarded(APIRoute):
    """A route whose token, rate and right are looked at first."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        operation = endpoint.__name__
        if operation not in RIGHTS:
            raise LookupError(f"operation {operation} has no row in twin.operate.roles.RIGHTS.")
        options["operation_id"] = operation
        if set(options.get("methods") or ()) - _SAFE:
            endpoint = _told_first(endpoint, operation)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the guard."""
        handle = super().get_route_handler()
        operation = str(self.operation_id)
        known = {str(field.alias) for field in self.dependant.query_params}

        async def guarded(request: Request) -> Response:
            house: House = request.app.state.house
            request.state.caller = await run_in_threadpool(enter, house, request, operation)
            strange = sorted(set(request.query_params) - known)
            if strange:
                raise Problem(422, f"'{strange[0][:60]}' is no parameter of this operation."
                              + (f" There are {', '.join(sorted(known))}." if known else ""))
            return await handle(request)

        return guarded


def enter(house: House, request: Request, operation: str) -> Caller:
    """Who calls an operation.

    Raises
    ------
    Problem
        401 without a token that stands, 429 with too many calls, 403 without the right.
    """
    address = request.client.host if request.client else ""
    wait = house.failures.wait(address)
    if wait:
        raise Problem(429, f"Too many wrong tokens. Wait {wait:.0f} s or more.",
                      {"Retry-After": str(int(wait) + 1)})
    scheme, _, said = request.headers.get("authorization", "").partition(" ")
    token = house.tokens.check(said.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        if said:
            house.failures.take(address)
        raise Problem(401, "This needs a token that stands. Send Authorization: Bearer TOKEN; an "
                           "administrator makes one with twin tokens add.", _CHALLENGE)
    wait = house.callers.take(token.id)
    if wait:
        raise Problem(429, f"Too many calls with this token. Wait {wait:.0f} s or more.",
                      {"Retry-After": str(int(wait) + 1)})
    caller = Caller(token, house)
    if not may(token.role, operation):
        if request.method not in _SAFE:
            house.log("refused", token.name, {"operation": operation, "role": token.role.value})
        raise Problem(403, f"The role {token.role.value} may not call {operation}.")
    return caller


def _told_first(endpoint: Callable[..., Any], operation: str) -> Callable[..., Any]:
    """An operation that changes something: the log is told who asks for it before it is done."""
    if inspect.iscoroutinefunction(endpoint):
        raise TypeError(f"operation {operation} writes to the log: make it a plain function.")

    @wraps(endpoint)
    def telling(**arguments: Any) -> Any:
        caller: Caller = arguments["caller"]
        body = arguments.get("body")
        asked = body.model_dump(exclude=_UNTOLD) if isinstance(body, BaseModel) else None
        subject = str(arguments.get("name", caller.house.model))[:200]
        caller.house.log(f"asked {operation}", caller.name, asked, subject)
        return endpoint(**arguments)

    return telling


def router(tag: str) -> APIRouter:
    """A router of guarded operations."""
    return APIRouter(prefix="/v1", route_class=Guarded, dependencies=[Depends(_BEARER)],
                     tags=[tag], responses=responses(*_ERRORS))


def plain(value: Any) -> Any:
    """Plain values for JSON: what is no finite number is None.

    Examples
    --------
    >>> plain({"value": float("nan"), "all": (1.0, float("inf"))})
    {'value': None, 'all': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not (value == value and abs(value) != float("inf")):
        return None
    return value


def line(kind: str, value: Any, number: int | None = None) -> str:
    """One server-sent event.

    Examples
    --------
    >>> line("approved", {"subject": "R-1"}, 7)
    'id: 7\\nevent: approved\\ndata: {"subject": "R-1"}\\n\\n'
    """
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(plain(value))}\n\n"
