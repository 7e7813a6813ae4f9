"""Erasing a person: the key of the name in the log, the tokens, the name beside alerts."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from twin.alert import Step
from twin.lock import Lock
from twin.operate import audit
from twin.operate.database import writing
from twin.operate.people import FORGOTTEN, forget
from twin.operate.tokens import Tokens

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Erased:
    """Whether a person was known to the log, and how many tokens and alerts bore the name."""

    known: bool
    tokens: int
    alerts: int


def erase(engine: Engine, key: bytes, folder: Path, name: str, by: str) -> Erased:
    """Erase a name; the log tells that somebody was erased, not who.

    Parameters
    ----------
    key
        Of the log.
    folder
        ``store/<model>``, where the book of alerts lies.
    by
        Who does it.
    """
    tokens = Tokens(engine, key).revoke_of(name, by)
    alerts = _erase_from_book(folder, name)
    with writing(engine) as connection:
        known = forget(connection, name, key)
        audit.record(connection, key, "forgot", "a person",
                     {"known": known, "tokens": tokens, "alerts": alerts}, by)
    if engine.dialect.name == "sqlite":
        _forget_old_pages(engine)
    return Erased(known, tokens, alerts)


def _forget_old_pages(engine: Engine) -> None:
    """Let the key stand in no old page beside the database either."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("pragma wal_checkpoint(truncate)")
    finally:
        raw.close()


def _erase_from_book(folder: Path, name: str) -> int:
    """Take the name from the steps of alerts; how many bore it."""
    path = folder / "alerts.jsonl"
    if not path.is_file():
        return 0
    with Lock(folder / "alerts.lock"):
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [_without(line, name) for line in lines]
        count = sum(new != old for new, old in zip(found, lines, strict=True))
        if count:
            draft = path.with_suffix(".part")
            with draft.open("w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in found))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
    return count


def _without(line: str, name: str) -> str:
    try:
        step = Step.parse(line)
    except ValueError:
        return line
    return replace(step, by=FORGOTTEN).line() if step.by == name else line
