"""A signed message of a protocol without headers: its text, the time and a signature in one object.

    {"body": "...", "stamp": "1767312000", "signature": "..."}

The signature is the one of `twin.operate.connectors.rest`: HMAC-SHA256 over stamp, dot and body.
"""

from __future__ import annotations

import hmac
import json
from typing import Any

from twin.operate.connectors.rest import sign


def sealed(secret: bytes, body: bytes, now: float) -> bytes:
    """A body with its signature.

    Raises
    ------
    ValueError
        If the body is not UTF-8.

    Examples
    --------
    >>> unsealed(b"s", sealed(b"s", b"{}", 1000.0))
    b'{}'
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValueError("a signed topic carries text in UTF-8, and this form has other "
                         "characters. Take another format, or no secret.") from None
    stamp = str(int(now))
    return json.dumps({"body": text, "stamp": stamp, "signature": sign(secret, stamp, body)},
                      sort_keys=True).encode()


def unsealed(secret: bytes, payload: bytes) -> bytes | None:
    """The body that was signed with the secret; None if it was not.

    Its age is no matter: a broker keeps replies for days, and the same one again changes nothing.

    Examples
    --------
    >>> unsealed(b"t", sealed(b"s", b"{}", 1000.0)) is None
    True
    """
    try:
        said: Any = json.loads(payload)
        body, stamp, signature = (said[name] for name in ("body", "stamp", "signature"))
        text = bytes(body.encode())
        genuine = hmac.compare_digest(sign(secret, stamp, text).encode(), signature.encode())
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    return text if genuine else None
