"""The shield: the outermost layer of the server. Bounds what comes in, and says nothing too much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from twin.operate.bucket import Buckets
from twin.serve.problem import answer, unforeseen

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LONGEST_URL = 4096
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Shield:
    """Wraps an application.

    Parameters
    ----------
    addresses
        How often one address may call.
    most_bytes
        Of a body.
    patience_s
        Seconds that the next part of a body may take.
    tls
        Whether callers come by TLS: then they are told to keep to it.
    """

    def __init__(self, app: App, addresses: Buckets, *, most_bytes: int = 1_000_000,
                 patience_s: float = 20.0, tls: bool = False) -> None:
        self.app, self.addresses, self.most_bytes = app, addresses, most_bytes
        self.patience_s = patience_s
        self._headers = dict(_HEADERS)
        if tls:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websockets here
            return
        begun = False

        async def tell(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                there = {name for name, _ in message["headers"]}
                message = {**message, "headers": [*message["headers"], *(
                    (name.encode(), value.encode()) for name, value in self._headers.items()
                    if name.encode() not in there)]}
            await send(message)

        refusal = self._refused(scope)
        try:
            await (refusal or self.app)(scope, self._bounded(receive), tell)
        except Exception as error:
            if not begun:
                await unforeseen(error)(scope, receive, tell)

    def _refused(self, scope: Scope) -> Any:
        address = (scope.get("client") or ("",))[0]
        wait = self.addresses.take(address)
        if wait:
            return answer(429, f"Too many calls from this address. Wait {wait:.0f} s or more.",
                          headers={"Retry-After": str(int(wait) + 1)})
        url = scope.get("raw_path") or scope["path"].encode()
        if len(url) + len(scope["query_string"]) > _LONGEST_URL:
            return answer(414, f"An address has at most {_LONGEST_URL} characters here.")
        if any(ord(letter) < 32 or letter == "\x7f" for letter in scope["path"]):
            return answer(400, "The address has characters that cannot be printed.")
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > self.most_bytes:
            return self._too_large()
        return None

    def _too_large(self) -> Any:
        return answer(413, f"A body has at most {self.most_bytes:,} bytes here.")

    def _bounded(self, receive: Receive) -> Receive:
        """A body that does not say how long it is (or lies) ends at the limit, and a slow one ends.
        """
        heard, more = 0, True

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal heard, more
            if not more:  # all is here; what comes now is that the caller has gone
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self.patience_s)
            except TimeoutError:
                raise HTTPException(408, f"The body did not come within {self.patience_s:g} s."
                                    ) from None
            more = bool(message.get("more_body"))
            heard += len(message.get("body", b""))
            if heard > self.most_bytes:
                raise HTTPException(413, f"A body has at most {self.most_bytes:,} bytes here.")
            return message

        return bounded
