"""REST: a CloudEvent by POST, signed, with its key.

Guarantee: *idempotent by key*. The header ``Idempotency-Key`` carries the key; a receiver that has
seen it answers as it did the first time and does nothing. Without a form the body is the whole
CloudEvent; with one (`twin.operate.forms`) the body is in that form and the event's attributes are
headers (``ce-id`` ...), as CloudEvents' binary mode has it.

The signature is HMAC-SHA256 over timestamp, dot and body, in the header ``X-Twin-Signature``; a
receiver refuses an old timestamp, so that a recorded message cannot be played again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import quote

from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable
from twin.operate.forms.contract import Form
from twin.operate.forms.plain import cloud_event

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
    form
        Of the body, instead of a CloudEvent.
    """

    guarantee = Guarantee.BY_KEY

    def __init__(self, name: str, url: str, secret: bytes, *,
                 headers: dict[str, str] | None = None, timeout_s: float = 10.0,
                 form: Form | None = None) -> None:
        try:
            import httpx2
        except ImportError:
            raise ValueError("connector rest needs the library httpx2. Install it: pip install "
                             "'twin[operate]'.") from None
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"connector {name}: url '{url[:80]}' is no address. Write "
                             "https://host/path.")
        self.name, self.url, self.secret, self.form = name, url, secret, form
        self._client: Any = httpx2.Client(timeout=timeout_s, headers=headers or {})
        self._trouble: Any = httpx2.HTTPError

    def send(self, message: Message) -> str:
        """Send it; a receiver that knows the key answers as it did the first time."""
        try:
            body, said = self._written(message)
        except ValueError as error:
            raise Refused(f"{self.name}: {error}") from None
        stamp = str(int(time.time()))
        headers = {**said, "Idempotency-Key": _header(message.key), "X-Twin-Timestamp": stamp,
                   "X-Twin-Signature": sign(self.secret, stamp, body)}
        try:
            answer = self._client.post(self.url, content=body, headers=headers)
        except self._trouble as error:
            raise Unreachable(f"{self.name}: {type(error).__name__}: {str(error)[:200]}") from None
        if answer.status_code < 300:
            return str(answer.text[:1000])
        reply = f"{self.name} answered {answer.status_code}: {answer.text[:300]}"
        if answer.status_code >= 500 or answer.status_code in _AGAIN:
            raise Unreachable(reply)
        raise Refused(reply)

    def _written(self, message: Message) -> tuple[bytes, dict[str, str]]:
        """The body, and the headers that say what it is."""
        event = cloud_event(message)
        if self.form is None:
            return (json.dumps(event, sort_keys=True).encode(),
                    {"Content-Type": "application/cloudevents+json; charset=utf-8"})
        named = {f"ce-{key}": _header(str(value))
                 for key, value in event.items() if key not in ("data", "datacontenttype")}
        return self.form.write(message), {"Content-Type": self.form.media_type, **named}

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _header(value: str) -> str:
    """A text that a header can hold: what is not printable ASCII percent-encoded."""
    return quote(value, safe=" !#$&'()*+,/:;=?@[]~\"<>\\^`{|}")


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
