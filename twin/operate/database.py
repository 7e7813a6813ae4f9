"""The operational store: recommendations, decisions, the outbox, the log. SQLite or PostgreSQL.

Rows that belong together are written in one transaction. SQLite is in WAL mode and takes the write
lock when a transaction begins, so that two writers wait for each other instead of failing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.clock import excerpt

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_S = 30.0


class StoreError(ValueError):
    """The operational store cannot be used; the message says what to do."""


def connect(address: str | Path) -> Engine:
    """Open the store, made or brought up to date as needed.

    Parameters
    ----------
    address
        A file (SQLite), or ``postgresql://[user@]host[:port]/database``.

    Raises
    ------
    StoreError
        If a library is missing or the database does not answer.

    Examples
    --------
    >>> import tempfile
    >>> engine = connect(Path(tempfile.mkdtemp()) / "operate.db")
    >>> engine.dialect.name
    'sqlite'
    """
    try:
        import sqlalchemy as sa
    except ImportError:
        raise StoreError("acting needs the library SQLAlchemy. Install it: pip install "
                         "'twin[operate]'.") from None
    from twin.operate.migrations import upgrade

    text = str(address)
    if "://" not in text:
        Path(text).parent.mkdir(parents=True, exist_ok=True)
        text = f"sqlite:///{text}"
    elif text.startswith(("postgres://", "postgresql://")):
        text = "postgresql+psycopg://" + text.partition("://")[2]
    try:
        url = sa.make_url(text)
        sqlite = url.get_backend_name() == "sqlite"
        engine = sa.create_engine(url, pool_pre_ping=True, **(
            {"connect_args": {"timeout": _BUSY_S}} if sqlite else {}))
        if sqlite:
            _let_writers_wait(engine)
        upgrade(engine)
    except ImportError:
        raise StoreError("PostgreSQL needs the library psycopg. Install it: pip install "
                         "'twin[postgres]'.") from None
    except sa.exc.ArgumentError:
        raise StoreError(f"store '{excerpt(text)}' is no address of a database. Write a file, or "
                         "postgresql://host/database.") from None
    except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise StoreError(f"the store does not answer: {reason}") from None
    return engine


def _let_writers_wait(engine: Engine) -> None:
    """WAL, durable commits, and a write lock from the start of each transaction."""
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def _(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on",
                       "secure_delete=on"):
            cursor.execute(f"pragma {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql("begin immediate")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction: all of it is written, or nothing."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to look with."""
    with engine.connect() as connection:
        yield connection
