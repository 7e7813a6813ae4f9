"""What a receiver says back on a topic: one JSON object or CloudEvent a message."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from twin.operate.connectors.seal import unsealed

_MOST_BYTES = 65_536
_WORDS = ("confirmed", "executed", "refused")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer about a message.

    Attributes
    ----------
    event
        Its id: the same answer has the same.
    said
        ``confirmed``, ``executed`` or ``refused``.
    why
        In the words of the receiver.
    """

    event: str
    key: str
    said: str
    why: str = ""


def read_reply(payload: bytes) -> Reply | None:
    """The answer in a message; None if it is none.

    Examples
    --------
    >>> found = read_reply(b'{"key": "R-1/1", "said": "refused", "why": "no stock"}')
    >>> found.key, found.said, found.why
    ('R-1/1', 'refused', 'no stock')
    >>> read_reply(b'{"id": "e1", "type": "twin.executed", "data": {"key": "R-1/1"}}').event
    'e1'
    >>> read_reply(b'{"key": "R-1/1", "said": "perhaps"}') is None
    True
    """
    if len(payload) > _MOST_BYTES:
        return None
    try:
        said: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    inner = said.get("data")
    data: dict[str, Any] = inner if isinstance(inner, dict) else said
    word = str(said.get("type", data.get("said", ""))).removeprefix("twin.")
    key = data.get("key")
    if word not in _WORDS or not isinstance(key, str) or not 0 < len(key) <= 500:
        return None
    event = said.get("id")
    name = event if isinstance(event, str) and 0 < len(event) <= 200 else \
        hashlib.sha256(payload).hexdigest()[:32]
    return Reply(name, key, word, str(data.get("why", ""))[:500])


class Replies:
    """Answers that have come, kept until they are taken; one thread writes, another waits.

    Parameters
    ----------
    secret
        With which they have to be signed; None if they need not be.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret
        self.unsigned = 0  #: messages left out for want of the signature
        self._by_key: dict[str, Reply] = {}
        self._new: list[Reply] = []
        self._news = threading.Condition()

    def put(self, payload: bytes) -> None:
        """Take in a message; what is no answer is left out."""
        said: bytes | None = payload
        if self._secret is not None:
            said = unsealed(self._secret, payload) if len(payload) <= _MOST_BYTES else None
            self.unsigned += said is None
        found = None if said is None else read_reply(said)
        if found is None:
            return
        with self._news:
            self._by_key[found.key] = found
            self._new.append(found)
            self._news.notify_all()

    def wait(self, key: str, seconds: float) -> Reply | None:
        """The last answer about a message, waiting so long for one."""
        until = time.monotonic() + seconds
        with self._news:
            while key not in self._by_key:
                left = until - time.monotonic()
                if left <= 0.0 or not self._news.wait(left):
                    return self._by_key.get(key)
            return self._by_key[key]

    def take(self) -> list[Reply]:
        """Answers since the last time, oldest first."""
        with self._news:
            found, self._new = self._new, []
            return found
