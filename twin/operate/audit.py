"""The log: append-only, each row sealed to the one before with a key that is not in the store.

Whoever can write to the store but lacks the key can neither change a row nor leave one out unseen.
The head (number and seal of the last row) goes out with every push: a tail that was cut off, or a
whole log written anew by somebody who has the key too, no longer ends in what was published.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.operate.database import StoreError
from twin.operate.people import pseudonym_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FIELDS = ("number", "at", "kind", "subject", "person", "body")


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a log, as it is published."""

    number: int
    mac: str

    def __str__(self) -> str:
        return f"{self.number}:{self.mac}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read a published head.

        Examples
        --------
        >>> Head.parse("12:ab34")
        Head(number=12, mac='ab34')
        """
        number, colon, mac = text.partition(":")
        if not colon or not number.isdigit() or not mac:
            raise ValueError(f"'{text[:60]}' is no head of a log. Give number:seal, as published.")
        return cls(int(number), mac)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log."""

    number: int
    at: str
    kind: str
    subject: str
    person: str
    body: str
    mac: str

    def seal(self, key: bytes, before: str) -> str:
        """What its seal must be after a row with the seal `before`."""
        said = json.dumps([getattr(self, name) for name in _FIELDS], ensure_ascii=False,
                          separators=(",", ":"))
        return hmac.new(key, f"{before}\n{said}".encode(), hashlib.sha256).hexdigest()


def audit_key() -> bytes:
    """The key of the log: `TWIN_AUDIT_KEY` (hex), or a file made once outside every store.

    The file is `TWIN_AUDIT_KEY_FILE`, by default ``twin/audit.key`` in the user's configuration.

    Raises
    ------
    ValueError
        If the key is none, or others may read its file.
    """
    said = os.environ.get("TWIN_AUDIT_KEY")
    if said:
        try:
            key = bytes.fromhex(said)
        except ValueError:
            key = b""
        if len(key) < 16:
            raise ValueError("TWIN_AUDIT_KEY is no key. Give at least 32 hexadecimal digits.")
        return key
    path = Path(os.environ.get("TWIN_AUDIT_KEY_FILE") or
                Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
                / "twin" / "audit.key")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return audit_key()
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ValueError(f"others may read the key of the log, {path.name}. Run: chmod 600 on it.")
    return bytes.fromhex(path.read_text().strip())


def record(connection: Connection, key: bytes, kind: str, subject: str, body: Any = None,
           person: str = "") -> Head:
    """Append a row, in the transaction of what it tells of.

    Parameters
    ----------
    kind
        What happened: ``recommended``, ``approved``, ``pushed`` ...
    subject
        To what: ``R-17``, a key of the outbox, a calibration.
    person
        Who did it, by name; the log keeps a pseudonym.

    Raises
    ------
    StoreError
        If the last row has a seal that this key does not give: two keys would make two logs of one.
    """
    import sqlalchemy as sa

    lock = " for update" if connection.dialect.name == "postgresql" else ""
    last = connection.execute(sa.text(
        f"select number, mac from log_head where one = 1{lock}")).one()
    _same_key(connection, key, last.number)
    entry = Entry(last.number + 1, now(), kind, subject, pseudonym_of(connection, person, key),
                  json.dumps(body, sort_keys=True, ensure_ascii=False), "")
    mac = entry.seal(key, last.mac)
    values = {name: getattr(entry, name) for name in _FIELDS} | {"mac": mac}
    connection.execute(sa.text(
        "insert into log (number, at, kind, subject, person, body, mac) "
        "values (:number, :at, :kind, :subject, :person, :body, :mac)"), values)
    connection.execute(sa.text("update log_head set number = :number, mac = :mac where one = 1"),
                       {"number": entry.number, "mac": mac})
    return Head(entry.number, mac)


def _same_key(connection: Connection, key: bytes, last: int) -> None:
    rows = list(entries(connection, last - 2))[-2:] if last else []
    before = rows[0].mac if len(rows) > 1 else ""
    if rows and rows[-1].number == last and rows[-1].mac != rows[-1].seal(key, before):
        raise StoreError(
            f"the log of decisions was sealed with another key than this one, or its row {last} "
            "was changed ('twin audit verify' tells). Nothing was done. Give the key that it was "
            "begun with: TWIN_AUDIT_KEY, or TWIN_AUDIT_KEY_FILE.")


def head(connection: Connection) -> Head:
    """The last row."""
    import sqlalchemy as sa

    row = connection.execute(sa.text("select number, mac from log_head where one = 1")).one()
    return Head(row.number, row.mac)


def entries(connection: Connection, after: int = 0) -> Iterator[Entry]:
    """Rows in order."""
    import sqlalchemy as sa

    for row in connection.execute(sa.text(
            "select number, at, kind, subject, person, body, mac from log where number > :after "
            "order by number"), {"after": after}):
        yield Entry(*row)


def verify(connection: Connection, key: bytes, published: Iterable[Head] = ()) -> list[str]:
    """What is wrong with the log; nothing, if it is whole.

    Parameters
    ----------
    published
        Heads that went out with pushes: each must still be a row of the log.
    """
    faults = []
    seals = {0: ""}
    before, expected = "", 1
    for entry in entries(connection):
        if entry.number != expected:
            missing = f"{expected}" if entry.number == expected + 1 else \
                f"{expected} to {entry.number - 1}"
            faults.append(f"row {missing} is missing.")
        if entry.mac != entry.seal(key, before):
            faults.append(f"row {entry.number} ({entry.kind} {entry.subject}) was changed, or what "
                          "stood before it.")
        seals[entry.number] = before = entry.mac
        expected = entry.number + 1
    last = head(connection)
    if seals.get(last.number) != last.mac:
        faults.append(f"the log ends in row {expected - 1}, but its head says {last.number}. Rows "
                      "were cut off.")
    for one in published:
        if seals.get(one.number) != one.mac:
            faults.append(f"row {one.number} was published with another seal. The log was cut off "
                          "or written anew.")
    return faults


def now() -> str:
    """The time as text, UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
