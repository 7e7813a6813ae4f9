"""Tokens: who calls, in which role, until when. Only a hash of each is kept.

A token is ``twin_<id>_<secret>``. The id finds its row; the secret has 256 random bits, so that one
SHA-256 is enough: there is no dictionary of such secrets. The name behind a token is kept as the
people of the log are, and is forgotten with them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.clock import excerpt
from twin.operate import audit
from twin.operate.database import reading, writing
from twin.operate.people import name_of, pseudonym_of
from twin.operate.roles import Role

if TYPE_CHECKING:
    from sqlalchemy import Engine

_TOKEN = re.compile(r"twin_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[^\W_][\w .,@'+-]{0,99}")
_NOTE_EVERY_S = 60.0
_COLUMNS = "id, person, role, site, made, expires, revoked, last_used"


class TokenError(ValueError):
    """A token that cannot be made or found; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Token:
    """One row: all but the secret.

    Attributes
    ----------
    id
        Its public half.
    name
        Who holds it.
    site
        Of a supplier or customer; empty for our own people.
    made, expires, revoked, last_used
        Seconds since 1970; None where it did not happen.
    """

    id: str
    name: str
    role: Role
    site: str
    made: float
    expires: float
    revoked: float | None = None
    last_used: float | None = None

    def stands(self, now: float) -> bool:
        """Whether it lets somebody in at a time."""
        return self.revoked is None and now < self.expires


class Tokens:
    """The tokens of one operational store.

    Parameters
    ----------
    key
        Of the log, which tells of every token that is made or revoked.
    clock
        Seconds since 1970.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from twin.operate.database import connect
    >>> tokens = Tokens(connect(Path(tempfile.mkdtemp()) / "operate.db"), b"0" * 32)
    >>> secret = tokens.add("Ann", Role.APPROVER, by="the administrator")
    >>> tokens.check(secret).name, tokens.check(secret[:-1] + "!")
    ('Ann', None)
    """

    def __init__(self, engine: Engine, key: bytes,
                 clock: Callable[[], float] = time.time) -> None:
        self.engine, self.key, self.clock = engine, key, clock

    def add(self, name: str, role: Role, *, site: str = "", days: float = 90.0,
            by: str = "") -> str:
        """Make a token; it is not kept and cannot be shown again.

        Parameters
        ----------
        days
            Until it expires.
        by
            Who gives it.

        Raises
        ------
        TokenError
            If the name is no name, or a site is missing or named in vain.
        """
        if not _NAME.fullmatch(name):
            said = "".join(letter if letter.isprintable() else "?" for letter in name)
            raise TokenError(f"'{excerpt(said)}' is not a name. Write at most 100 letters, digits, "
                             "blanks and . , @ ' + -.")
        if role.bound != bool(site):
            raise TokenError(f"a {role.value} belongs to one site. Write site=NAME." if role.bound
                             else f"a {role.value} belongs to no site. Leave site out.")
        if not 0.0 < days <= 3660.0:
            raise TokenError(f"{days:g} days are no life of a token. Write from 1 to 3660.")
        public, secret, now = secrets.token_hex(6), secrets.token_urlsafe(32), self.clock()
        with writing(self.engine) as connection:
            person = pseudonym_of(connection, name, self.key)
            _execute(connection,
                     f"insert into tokens (mark, {_COLUMNS}) values (:mark, :id, :person, :role, "
                     ":site, :made, :expires, null, null)", mark=_mark(secret), id=public,
                     person=person, role=role.value, site=site, made=now,
                     expires=now + days * 86_400.0)
            audit.record(connection, self.key, "token made", public,
                         {"role": role.value, "site": site, "days": days, "for": person}, by)
        return f"twin_{public}_{secret}"

    def list(self) -> list[Token]:
        """Every token, oldest first."""
        with reading(self.engine) as connection:
            rows = _execute(connection, f"select {_COLUMNS} from tokens order by made, id").all()
            return [_token(row, name_of(connection, row.person)) for row in rows]

    def revoke(self, public: str, by: str = "") -> None:
        """Let a token in no more.

        Raises
        ------
        TokenError
            If there is no such token.
        """
        with writing(self.engine) as connection:
            done = _execute(connection, "update tokens set revoked = coalesce(revoked, :now) "
                                        "where id = :id", now=self.clock(), id=public)
            if not done.rowcount:
                raise TokenError(f"there is no token '{excerpt(public)}'. See twin tokens.")
            audit.record(connection, self.key, "token revoked", public, None, by)

    def revoke_of(self, name: str, by: str = "") -> int:
        """Let in no token of a person any more; how many that were."""
        mine = [one.id for one in self.list() if one.name == name and one.revoked is None]
        for public in mine:
            self.revoke(public, by)
        return len(mine)

    def check(self, token: str) -> Token | None:
        """Who a token stands for; None if it is none, has expired or was revoked."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        now = self.clock()
        with reading(self.engine) as connection:
            row = _execute(connection, f"select mark, {_COLUMNS} from tokens where id = :id",
                           id=parts[1]).first()
            # A stranger's token costs the same comparison as a known one.
            right = hmac.compare_digest(row.mark if row is not None else "", _mark(parts[2]))
            if row is None or not right:
                return None
            found = _token(row, name_of(connection, row.person))
        if not found.stands(now):
            return None
        if found.last_used is None or now - found.last_used > _NOTE_EVERY_S:
            with writing(self.engine) as connection:
                _execute(connection, "update tokens set last_used = :now where id = :id", now=now,
                         id=found.id)
        return found


def _mark(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Any, name: str) -> Token:
    return Token(row.id, name, Role(row.role), row.site, row.made, row.expires, row.revoked,
                 row.last_used)


def _execute(connection: Any, text: str, **values: Any) -> Any:
    import sqlalchemy as sa

    return connection.execute(sa.text(text), values)
