"""Server-sent events: news as it comes, and after a break from where it broke off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from twin.serve.guard import Caller, line
from twin.serve.problem import Problem

_HEARTBEAT_S = 15.0

#: One piece of news: its number, its word, its data.
News = tuple[int, str, Any]
#: The news after a number, and whether there will be no more.
Look = Callable[[int], tuple[Iterable[News], bool]]

#: How OpenAPI describes a stream.
DESCRIBED: dict[int | str, dict[str, Any]] = {200: {
    "description": "Server-sent events; send Last-Event-ID to go on after a break.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}}}}


def last_heard(request: Request, default: int) -> int:
    """The number after which a caller wants to go on.

    Raises
    ------
    Problem
        422 if it is no number.
    """
    said = request.headers.get("last-event-id", "")
    if not said:
        return default
    if not (said.isascii() and said.isdigit() and len(said) <= 15):
        raise Problem(422, "Last-Event-ID is no number. Send the id of the last event heard, or "
                           "nothing.")
    return int(said)


def stream(request: Request, caller: Caller, look: Look, after: int, *,
           once: bool = False) -> StreamingResponse:
    """The response that sends what `look` finds, until there is no more, or the token falls.

    Parameters
    ----------
    after
        Number of the last news that is known already.
    once
        Send what there is and end.
    """
    house = caller.house
    mine = house.open_stream(caller.token.id)
    if mine is None:
        raise Problem(429, f"A token may hold {house.limits.streams} streams open. Close one.",
                      {"Retry-After": "5"})

    async def told() -> AsyncIterator[str]:
        number, beat = after, time.monotonic()
        try:
            yield "retry: 2000\n\n"
            while True:
                house.beat(mine)
                news, over = await run_in_threadpool(look, number)
                for number, kind, data in news:
                    yield line(kind, data, number)
                if over or once or house.closing.is_set():
                    return
                if time.monotonic() - beat > _HEARTBEAT_S:
                    beat = time.monotonic()
                    if not await run_in_threadpool(_stands, caller):
                        return
                    yield ": still here\n\n"
                await asyncio.sleep(house.limits.poll_s)
        finally:
            house.close_stream(mine)

    return StreamingResponse(told(), media_type="text/event-stream")


def _stands(caller: Caller) -> bool:
    """Whether the token of a stream has neither expired nor been revoked since."""
    return any(one.id == caller.token.id and one.stands(time.time())
               for one in caller.house.tokens.list())
