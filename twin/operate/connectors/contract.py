"""What the outbox asks of a connector, and what a connector promises.

A connector may be asked to send the same message again: after a crash nobody knows whether the
first one arrived. What then keeps an order from being placed twice is its guarantee:

| connector | guarantee | what does it |
|---|---|---|
| ``rest`` | idempotent by key | the receiver knows the header ``Idempotency-Key`` |
| ``table`` | idempotent by key | the key is the primary key of the row |
| ``folder`` | atomically named file | the name comes from the key; the file appears whole |
| ``topic`` | at least once | nothing but the receiver, if it looks at the key |
| ``topic`` with ``replies`` | confirmed by reply | the receiver says that it has the key |

What is written (JSON, CSV, EDIFACT, X12, ISA-95, EPCIS) is a matter of the form, see
`twin.operate.forms`; every form carries the key, or a number derived from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Guarantee(StrEnum):
    """Why sending a message twice does no harm, or that it may."""

    BY_KEY = "idempotent by key"  #: the receiver knows the key and does it once
    BY_NAME = "atomically named file"  #: the same file again, whole or not at all
    BY_QUERY = "confirmed by query"  #: it is asked first whether it has the message
    BY_REPLY = "confirmed by reply"  #: it says that it has the message, or it is sent again
    AT_LEAST_ONCE = "at least once"  #: a receiver that does not look at the key may do it twice


class Unreachable(Exception):
    """Not now: the message is sent again later."""


class Refused(Exception):
    """Not ever: the receiver has said no; sending it again is no use."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is pushed.

    Attributes
    ----------
    key
        The same for the same message for ever: what makes it one.
    kind
        The action's verb: ``order``, ``expedite``, ``cancel`` ...
    body
        The action, as plain values.
    head
        The head of the log when it was put into the outbox.
    undoes
        Key of the message that this one takes back.
    """

    key: str
    kind: str
    body: dict[str, Any] = field(default_factory=dict)
    head: str = ""
    undoes: str = ""


class Connector(Protocol):
    """One way out.

    Attributes
    ----------
    name
        As in the configuration.
    guarantee
        What it promises of a message that is sent again.
    """

    name: str
    guarantee: Guarantee

    def send(self, message: Message) -> str:
        """Send a message; what the receiver answered.

        Raises
        ------
        Unreachable
            If it may arrive later.
        Refused
            If it never will.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
