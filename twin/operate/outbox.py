"""The outbox: what has been decided is pushed, once in effect, whatever falls over in between.

A message is put into the outbox in the same transaction as the decision behind it. A pusher leases
messages that are due, sends them, and writes down the answer. If it dies in between, the lease runs
out and somebody sends the message again under the same key; the connector's guarantee does the
rest. What cannot be reached is tried again, ever less often; what is refused, or was tried too
often, ends in the dead letters, where a person sees it.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.operate import audit
from twin.operate.connectors.contract import Connector, Message, Refused, Unreachable
from twin.operate.database import writing
from twin.operate.fault_point import point

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

PENDING, SENT, DEAD, DROPPED = "pending", "sent", "dead", "dropped"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lease lasts and how often a message is tried.

    Attributes
    ----------
    lease_s
        Longer than any send: after it another pusher may try.
    first_s, longest_s
        Pause after the first failure; it doubles up to the longest.
    attempts
        After so many it is dead.
    """

    lease_s: float = 60.0
    first_s: float = 1.0
    longest_s: float = 900.0
    attempts: int = 40

    def pause(self, attempts: int, luck: float) -> float:
        """Seconds until the next try; `luck` from 0 to 1 keeps many from coming back at once.

        Examples
        --------
        >>> Patience().pause(1, 1.0), Patience().pause(4, 0.0), Patience().pause(30, 1.0)
        (1.0, 4.0, 900.0)
        """
        whole = min(self.longest_s, self.first_s * 2.0 ** min(attempts - 1, 30))
        return whole * (0.5 + 0.5 * luck)


@dataclass(frozen=True, slots=True)
class Row:
    """A message in the outbox, and how it stands."""

    number: int
    recommendation: int | None
    connector: str
    message: Message
    status: str
    attempts: int
    answer: str


def put(connection: Connection, key: bytes, message: Message, connector: str, *,
        recommendation: int | None = None, due: float = 0.0) -> bool:
    """Put a message into the outbox, in the caller's transaction; False if it is there already.

    Parameters
    ----------
    key
        Of the log, which tells of it in the same transaction.
    due
        Not before; seconds since 1970.
    """
    import sqlalchemy as sa

    there = connection.execute(sa.text("select 1 from outbox where key = :key"),
                               {"key": message.key}).scalar()
    if there:
        return False
    head = audit.record(connection, key, "queued", message.key,
                        {"kind": message.kind, "connector": connector, "undoes": message.undoes,
                         "recommendation": recommendation})
    connection.execute(sa.text(
        "insert into outbox (key, recommendation, connector, message, undoes, status, attempts, "
        "due, leased_until, answer, made) values (:key, :recommendation, :connector, :message, "
        ":undoes, 'pending', 0, :due, 0, '', :made)"),
        {"key": message.key, "recommendation": recommendation, "connector": connector,
         "message": json.dumps({"kind": message.kind, "body": message.body, "head": str(head)}),
         "undoes": message.undoes or None, "due": due, "made": audit.now()})
    return True


class Pusher:
    """Sends what is due.

    Parameters
    ----------
    connectors
        By name.
    key
        Of the log.
    clock
        Seconds since 1970; a test may bring its own.
    """

    def __init__(self, engine: Engine, connectors: Mapping[str, Connector], key: bytes, *,
                 patience: Patience | None = None,
                 clock: Callable[[], float] = time.time) -> None:
        self.engine, self.connectors, self.key = engine, connectors, key
        self.patience, self.clock = patience or Patience(), clock
        self._luck = random.Random(0)

    def push(self, most: int = 1_000) -> dict[str, int]:
        """Send what is due, up to `most` messages; how many were sent, put off, and given up."""
        done = {SENT: 0, PENDING: 0, DEAD: 0}
        for _ in range(most):
            row = self._lease()
            if row is None:
                break
            done[self._send(row)] += 1
        return done

    def next_due(self) -> float | None:
        """When the next message is due, seconds since 1970; None if none waits."""
        import sqlalchemy as sa

        with self.engine.connect() as connection:
            found = connection.execute(sa.text(
                "select min(case when leased_until > due then leased_until else due end) "
                "from outbox where status = 'pending'")).scalar()
        return None if found is None else float(found)

    def _lease(self) -> Row | None:
        """Take the oldest message that is due, for as long as the lease lasts."""
        import sqlalchemy as sa

        skip = " for update skip locked" if self.engine.dialect.name == "postgresql" else ""
        now = self.clock()
        with writing(self.engine) as connection:
            found = connection.execute(sa.text(
                "select number, key, recommendation, connector, message, undoes, attempts "
                "from outbox where status = 'pending' and due <= :now and leased_until <= :now "
                # what takes a message back waits until that one has come to its end
                "and not exists (select 1 from outbox as other where other.key = outbox.undoes "
                f"and other.status = 'pending') order by number limit 1{skip}"),
                {"now": now}).first()
            if found is None:
                return None
            connection.execute(sa.text(
                "update outbox set leased_until = :until, attempts = attempts + 1 "
                "where number = :number"),
                {"until": now + self.patience.lease_s, "number": found.number})
        point("claimed")
        return Row(found.number, found.recommendation, found.connector,
                   _message(found.key, found.message, found.undoes), PENDING, found.attempts + 1,
                   "")

    def _send(self, row: Row) -> str:
        connector = self.connectors.get(row.connector)
        try:
            if connector is None:
                raise Refused(f"there is no connector '{row.connector}'. Configure it and retry.")
            point("sending")
            answer = connector.send(row.message)
            point("sent")
        except Refused as error:
            return self._end(row, DEAD, str(error))
        except Unreachable as error:
            if row.attempts >= self.patience.attempts:
                return self._end(row, DEAD, f"given up after {row.attempts} tries: {error}")
            return self._put_off(row, str(error))
        return self._end(row, SENT, answer)

    def _end(self, row: Row, status: str, answer: str) -> str:
        import sqlalchemy as sa

        point("answered")
        with writing(self.engine) as connection:
            connection.execute(sa.text(
                "update outbox set status = :status, answer = :answer, leased_until = 0 "
                "where number = :number"),
                {"status": status, "answer": answer[:2000], "number": row.number})
            audit.record(connection, self.key, {SENT: "pushed", DEAD: "dead"}[status],
                         row.message.key, {"attempts": row.attempts, "answer": answer[:2000]})
        point("recorded")
        return status

    def _put_off(self, row: Row, why: str) -> str:
        import sqlalchemy as sa

        due = self.clock() + self.patience.pause(row.attempts, self._luck.random())
        with writing(self.engine) as connection:
            connection.execute(sa.text(
                "update outbox set due = :due, leased_until = 0, answer = :why "
                "where number = :number"), {"due": due, "why": why[:2000], "number": row.number})
        return PENDING


def rows(connection: Connection, status: str | None = None) -> list[Row]:
    """What is in the outbox, oldest first."""
    import sqlalchemy as sa

    where = "where status = :status " if status else ""
    found = connection.execute(sa.text(
        "select number, key, recommendation, connector, message, undoes, status, attempts, answer "
        f"from outbox {where}order by number"), {"status": status} if status else {})
    return [Row(row.number, row.recommendation, row.connector,
                _message(row.key, row.message, row.undoes), row.status, row.attempts, row.answer)
            for row in found]


def retry(connection: Connection, key: bytes, message_key: str, person: str) -> bool:
    """Let a dead message try again; whether there is one."""
    import sqlalchemy as sa

    done = connection.execute(sa.text(
        "update outbox set status = 'pending', attempts = 0, due = 0, leased_until = 0 "
        "where key = :key and status = 'dead'"), {"key": message_key})
    if done.rowcount:
        audit.record(connection, key, "retried", message_key, None, person)
    return bool(done.rowcount)


def undo(connection: Connection, key: bytes, message_key: str, person: str) -> str:
    """Take a message back: one that waits is dropped, one that was sent is followed by another.

    Returns
    -------
    str
        ``dropped``, ``queued`` (a message that undoes it is on its way) or ``nothing`` (it is not
        there, is dead, or was undone before).
    """
    import sqlalchemy as sa

    lock = " for update" if connection.dialect.name == "postgresql" else ""
    row = connection.execute(sa.text(
        "select key, recommendation, connector, message, undoes, status, leased_until, attempts "
        f"from outbox where key = :key{lock}"), {"key": message_key}).first()
    if row is None or row.status in (DEAD, DROPPED):
        return "nothing"
    point("undoing")
    if row.status == PENDING and row.attempts == 0:
        connection.execute(sa.text(
            "update outbox set status = 'dropped' where key = :key"), {"key": message_key})
        audit.record(connection, key, "dropped", message_key, None, person)
        return "dropped"
    original = _message(row.key, row.message, row.undoes)
    back = Message(f"{message_key}/undo", "undo", {"of": original.kind, **original.body},
                   undoes=message_key)
    if not put(connection, key, back, row.connector, recommendation=row.recommendation):
        return "nothing"
    audit.record(connection, key, "undoing", message_key, None, person)
    return "queued"


def _message(key: str, text: str, undoes: str | None) -> Message:
    said: dict[str, Any] = json.loads(text)
    return Message(key, said["kind"], said["body"], said["head"], undoes or "")
