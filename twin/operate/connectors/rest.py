"""REST: a CloudEvent by POST, signed, with its key: the receiver does it once.

The signature is HMAC-SHA256 over timestamp, dot and body, in the header ``X-Twin-Signature``; a
receiver refuses an old timestamp, so that a recorded message cannot be played again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable

_AGAIN = {408, 425, 429}


class Rest:
    """POSTs to an address.

    Parameters
    ----------
    name
        As in the configuration.
    url
        Where to.
    secret
        Of the signature.
    headers
        Besides, such as a token.
    timeout_s
        For one message.
    """

    guarantee = Guarantee.BY_KEY

    def __init__(self, name: str, url: str, secret: bytes, *,
                 headers: dict[str, str] | None = None, timeout_s: float = 10.0) -> None:
        try:
            import httpx2
        except ImportError:
            raise ValueError("connector rest needs the library httpx2. Install it: pip install "
                             "'twin[operate]'.") from None
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"connector {name}: url '{url[:80]}' is no address. Write "
                             "https://host/path.")
        self.name, self.url, self.secret = name, url, secret
        self._client: Any = httpx2.Client(timeout=timeout_s, headers=headers or {})
        self._trouble: Any = httpx2.HTTPError

    def send(self, message: Message) -> str:
        """Send it; a receiver that knows the key answers as it did the first time."""
        body = json.dumps(cloud_event(message), sort_keys=True).encode()
        stamp = str(int(time.time()))
        headers = {"Content-Type": "application/cloudevents+json; charset=utf-8",
                   "Idempotency-Key": message.key, "X-Twin-Timestamp": stamp,
                   "X-Twin-Signature": sign(self.secret, stamp, body)}
        try:
            answer = self._client.post(self.url, content=body, headers=headers)
        except self._trouble as error:
            raise Unreachable(f"{self.name}: {type(error).__name__}: {str(error)[:200]}") from None
        if answer.status_code < 300:
            return str(answer.text[:1000])
        said = f"{self.name} answered {answer.status_code}: {answer.text[:300]}"
        if answer.status_code >= 500 or answer.status_code in _AGAIN:
            raise Unreachable(said)
        raise Refused(said)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def cloud_event(message: Message) -> dict[str, Any]:
    """A message as a CloudEvent 1.0.

    Examples
    --------
    >>> event = cloud_event(Message("k1", "order", {"product": "tea"}))
    >>> event["specversion"], event["id"], event["type"], event["data"]["product"]
    ('1.0', 'k1', 'twin.order', 'tea')
    """
    event: dict[str, Any] = {
        "specversion": "1.0", "id": message.key, "source": "twin", "type": f"twin.{message.kind}",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "datacontenttype": "application/json", "data": message.body}
    if message.undoes:
        event["twinundoes"] = message.undoes
    if message.head:
        event["twinhead"] = message.head
    return event


def sign(secret: bytes, stamp: str, body: bytes) -> str:
    """The signature of a body at a time.

    Examples
    --------
    >>> sign(b"s", "0", b"{}") == sign(b"s", "0", b"{}") != sign(b"t", "0", b"{}")
    True
    """
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_genuine(secret: bytes, stamp: str, body: bytes, signature: str, *, now: float,
               oldest_s: float = 300.0) -> bool:
    """Whether a message was signed with the secret, and lately.

    Examples
    --------
    >>> seal = sign(b"s", "1000", b"{}")
    >>> is_genuine(b"s", "1000", b"{}", seal, now=1100.0), is_genuine(b"s", "1000", b"{}", seal,
    ...                                                               now=9000.0)
    (True, False)
    """
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 13):
        return False
    return abs(now - int(stamp)) <= oldest_s and hmac.compare_digest(
        sign(secret, stamp, body).encode(), signature.encode())
