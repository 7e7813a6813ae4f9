"""People in the log: a pseudonym each, and a name that can be forgotten.

The log keeps pseudonyms. A person's name is stored encrypted with a key of its own; dropping the
key erases the name from every row at once, and the chain of the log stays whole.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORGOTTEN = "(forgotten)"


def pseudonym_of(connection: Connection, name: str, key: bytes) -> str:
    """The pseudonym of a person, given when first seen.

    Parameters
    ----------
    key
        The secret of the log: without it nobody can tell from a name which pseudonym it has.
    """
    import sqlalchemy as sa
    from cryptography.fernet import Fernet

    if not name:
        return ""
    mark = hmac.new(key, f"person\x00{name}".encode(), hashlib.sha256).hexdigest()
    found = connection.execute(sa.text("select pseudonym from people where mark = :mark"),
                               {"mark": mark}).scalar()
    if found is not None:
        return str(found)
    pseudonym = f"P-{secrets.token_hex(4)}"
    secret = Fernet.generate_key()
    connection.execute(
        sa.text("insert into people (pseudonym, mark, secret, name) "
                "values (:pseudonym, :mark, :secret, :name)"),
        {"pseudonym": pseudonym, "mark": mark, "secret": secret.decode(),
         "name": Fernet(secret).encrypt(name.encode()).decode()})
    return pseudonym


def name_of(connection: Connection, pseudonym: str) -> str:
    """The name behind a pseudonym; `FORGOTTEN` where its key was dropped."""
    import sqlalchemy as sa
    from cryptography.fernet import Fernet

    row = connection.execute(sa.text("select secret, name from people where pseudonym = :p"),
                             {"p": pseudonym}).first()
    if row is None:
        return pseudonym
    if row.secret is None or row.name is None:
        return FORGOTTEN
    return Fernet(row.secret.encode()).decrypt(row.name.encode()).decode()


def forget(connection: Connection, name: str, key: bytes) -> bool:
    """Drop a person's key, name and mark; whether the person was known."""
    import sqlalchemy as sa

    mark = hmac.new(key, f"person\x00{name}".encode(), hashlib.sha256).hexdigest()
    done = connection.execute(
        sa.text("update people set secret = null, name = null, mark = :gone where mark = :mark"),
        {"gone": f"forgotten {secrets.token_hex(16)}", "mark": mark})
    return bool(done.rowcount)
