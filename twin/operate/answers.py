"""Answers: what other systems tell of the messages that were pushed to them.

An answer is a signed CloudEvent about the key of a message. Each is taken once: its id is kept, and
an event that was heard before is refused, however well it is signed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from twin.clock import excerpt
from twin.operate import audit

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Said(StrEnum):
    """What an answer says of a message."""

    CONFIRMED = "confirmed"  #: it will be done
    EXECUTED = "executed"  #: it is done, and can no longer be taken back
    REFUSED = "refused"  #: it will not be done


class AnswerError(ValueError):
    """An answer that cannot be taken."""


class HeardBefore(AnswerError):
    """An answer that was taken already."""


def secret_name(connector: str) -> str:
    """The variable of the environment that holds the secret shared with a connector.

    Examples
    --------
    >>> secret_name("sap-erp")
    'TWIN_HOOK_SAP_ERP'
    """
    return "TWIN_HOOK_" + "".join(letter if letter.isalnum() else "_"
                                  for letter in connector).upper()


def hear(connection: Connection, key: bytes, connector: str, event: Mapping[str, Any]) -> Said:
    """Take in one event whose signature was checked.

    Parameters
    ----------
    key
        Of the log.
    connector
        Who speaks.
    event
        A CloudEvent: `id`, `type` (``twin.confirmed``, ``twin.executed``, ``twin.refused``) and
        `data` with the `key` of the message.

    Raises
    ------
    HeardBefore
        If its id was heard before.
    AnswerError
        If its type is unknown, or no message of that key went to this connector.
    """
    word = str(event["type"]).removeprefix("twin.")
    if word not in list(Said):
        raise AnswerError(f"type '{excerpt(str(event['type']))}' is unknown. Write "
                          + ", ".join(f"twin.{one.value}" for one in Said) + ".")
    data = event["data"]
    sent = _execute(connection, "select connector from outbox where key = :key",
                    key=data["key"]).scalar()
    if sent != connector:
        raise AnswerError(f"no message '{excerpt(str(data['key']))}' went to {connector}.")
    new = _execute(connection, "insert into answers (connector, event, key, said, body, at) values "
                               "(:connector, :event, :key, :said, :body, :at) "
                               "on conflict (connector, event) do nothing", connector=connector,
                   event=event["id"], key=data["key"], said=word, at=audit.now(),
                   body=json.dumps(data, sort_keys=True))
    if not new.rowcount:
        raise HeardBefore(f"event '{excerpt(str(event['id']))}' of {connector} was heard before.")
    audit.record(connection, key, "answered", data["key"], {"connector": connector, "said": word})
    return Said(word)


def executed(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Those of some messages of which the receiver has said that they are executed."""
    return [key for key in keys if _execute(
        connection, "select 1 from answers where key = :key and said = 'executed'",
        key=key).scalar()]


def _execute(connection: Connection, text: str, **values: Any) -> Any:
    import sqlalchemy as sa

    return connection.execute(sa.text(text), values)
