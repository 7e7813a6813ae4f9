"""What other verbs tell the log of decisions, where somebody acts on the model."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twin.commands.verbs import Call


def tell_log(call: Call, model: str, kind: str, body: dict[str, Any]) -> None:
    """Write a row about a model into its log, which is begun with the first.

    A log that cannot be reached is told of; what was done stays done. Without the extra ``operate``
    there is none.
    """
    if find_spec("sqlalchemy") is None:
        return
    from twin.operate.desk import Desk

    try:
        with Desk.open(call.workspace, model) as desk:
            desk.record(kind, model, body)
    except ValueError as error:
        call.screen.note(f"The log of decisions does not know of it: {error}")


def tell_first(call: Call, model: str, operation: str, subject: str, body: dict[str, Any] | None,
               by: str) -> None:
    """Write down who asks for a change before it is made, in the words of the API.

    The operational store is made if there is none yet. Without the extra ``operate`` there is
    no log, and a note says so.

    Raises
    ------
    StoreError
        If the store does not answer: what the log cannot know of is not done.
    """
    from twin.operate.desk import Desk

    if find_spec("sqlalchemy") is None:
        call.screen.note("No log knows of this: it needs the library SQLAlchemy. Install it: pip "
                         "install 'twin[operate]'.")
        return
    with Desk.open(call.workspace, model) as desk:
        desk.record(f"asked {operation}", subject, body, by)


def without_password(source: str) -> str:
    """An address without user and password.

    Examples
    --------
    >>> without_password("mqtt://ann:secret@plant.example:1883/x"), without_password("day.parquet")
    ('mqtt://plant.example:1883/x', 'day.parquet')
    """
    if "@" not in source or "://" not in source:
        return source
    parts = urlsplit(source)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
