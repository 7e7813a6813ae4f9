"""A table in somebody's database: one row a message.

Guarantee: *idempotent by key*. The key is the table's primary key, so that a message that is sent
again finds its row there.
"""

from __future__ import annotations

import json
import re

from twin.operate.audit import now
from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable

_NAME = re.compile(r"[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?")


class Table:
    """Inserts rows (key, kind, body, undoes, made); the receiver reads them as it likes.

    Parameters
    ----------
    address
        SQLAlchemy's: ``postgresql+psycopg://host/db``, ``sqlite:///file``.
    table
        Its name; it is made if it is not there.
    """

    guarantee = Guarantee.BY_KEY

    def __init__(self, name: str, address: str, table: str = "twin_commands") -> None:
        import sqlalchemy as sa

        if not _NAME.fullmatch(table):
            raise ValueError(f"connector {name}: table '{table[:60]}' is no name of a table.")
        self.name, self.table = name, table
        self._engine = sa.create_engine(address, pool_pre_ping=True)
        self._made = False

    def send(self, message: Message) -> str:
        """Insert the row, unless its key is there."""
        import sqlalchemy as sa

        try:
            with self._engine.begin() as connection:
                if not self._made:
                    connection.execute(sa.text(
                        f"create table if not exists {self.table} (key varchar(200) primary key, "
                        "kind varchar(40) not null, body text not null, undoes varchar(200), "
                        "made varchar(40) not null)"))
                    self._made = True
                done = connection.execute(sa.text(
                    f"insert into {self.table} (key, kind, body, undoes, made) "
                    "values (:key, :kind, :body, :undoes, :made) on conflict (key) do nothing"),
                    {"key": message.key, "kind": message.kind, "undoes": message.undoes or None,
                     "body": json.dumps(message.body, sort_keys=True), "made": now()})
        except sa.exc.OperationalError as error:
            raise Unreachable(f"{self.name}: {str(error.__cause__)[:200]}") from None
        except sa.exc.DatabaseError as error:
            raise Refused(f"{self.name}: {str(error.__cause__)[:200]}") from None
        return "inserted" if done.rowcount else "was there"

    def close(self) -> None:
        """Let go of connections."""
        self._engine.dispose()
