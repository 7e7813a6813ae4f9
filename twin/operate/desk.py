"""The desk: what the twin advises about one model, and everything that people do with it.

The command line and the HTTP API are two doors to the same desk. It opens the operational store,
knows the configuration of the model, and keeps each step in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.operate import audit, ladder, outbox, outcomes, people
from twin.operate.configuration import Configuration, ConfigurationError
from twin.operate.connectors.contract import Connector
from twin.operate.database import StoreError, connect, writing
from twin.operate.forms.movement import Writer
from twin.operate.inbox import DecisionError, Filed, Inbox, Standing
from twin.operate.ladder import Rung
from twin.operate.outcomes import Happened, Outcome
from twin.operate.places import Places, described
from twin.operate.replied import hear_replies
from twin.operate.ways import FILES, open_ways
from twin.recommendation import Recommendation

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


@dataclass(frozen=True, slots=True)
class Case:
    """A recommendation with everything that has become of it.

    Attributes
    ----------
    rung, why
        In force for its kind, and why.
    decisions
        Verb, person (pseudonym), name (as far as it is known), reason and time of each.
    messages
        Key, connector, status, attempts and answer of each message in the outbox.
    """

    filed: Filed
    rung: Rung
    why: str
    decisions: tuple[Mapping[str, Any], ...] = ()
    messages: tuple[Mapping[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """As plain values."""
        return {"name": self.filed.name, "status": self.filed.status.value,
                "title": self.filed.advice.title, "made": self.filed.made,
                "expires": self.filed.expires, "rung": self.rung.value, "why": self.why,
                "recommendation": self.filed.advice.document(),
                "decisions": [dict(one) for one in self.decisions],
                "messages": [dict(one) for one in self.messages]}


class Desk:
    """The operational store of one model, and what may be done with it.

    Parameters
    ----------
    engine
        The open store.
    start, key
        When hour 0 of the model was; the key of the log.
    heard
        The last moment heard, seconds since 1970; None if nothing was heard.
    home
        Of the workspace.
    beside, to_epcis
        Where files go without a connector; what writes EPCIS for connectors of that format.
    """

    def __init__(self, engine: Engine, model: str, start: datetime, configuration: Configuration,
                 key: bytes, *, heard: Callable[[], float | None] = lambda: None,
                 home: Path = Path(), beside: Path = Path("pushed"),
                 to_epcis: Writer | None = None) -> None:
        self.engine, self.model, self.start = engine, model, start
        self.configuration, self.key, self.heard = configuration, key, heard
        self.home, self.beside, self.to_epcis = home, beside, to_epcis

    @classmethod
    def open(cls, workspace: Places, model: str) -> Desk:
        """The desk of a model of a workspace.

        Raises
        ------
        StoreError, ConfigurationError
            If the store does not open, or what stands under ``operate:`` cannot be used.
        """
        configuration, address = described(workspace, model)
        store = workspace.store(model)
        try:
            key = audit.audit_key()
        except ValueError as error:
            raise StoreError(str(error)) from None
        return cls(connect(address), model, workspace.network(model).start, configuration, key,
                   heard=store.watermark, home=workspace.home, beside=store.folder / "pushed",
                   to_epcis=workspace.to_epcis)

    def close(self) -> None:
        """Let go of the store and of connectors that were opened."""
        if "connectors" in self.__dict__:
            for connector in self.connectors.values():
                connector.close()
        self.engine.dispose()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def connectors(self) -> dict[str, Connector]:
        """Ways out by name; opened when first used."""
        return open_ways(self.configuration, self.home, self.beside, self.to_epcis)

    # -- looking ---------------------------------------------------------------------------------
    def now(self) -> datetime:
        """The model's now: the last reading heard, carried on by the clock on the wall.

        Without readings it is the moment of the last round, carried on; with ``clock: wall``, or
        before any round, the clock on the wall.
        """
        with self.engine.connect() as connection:
            return self._now(connection)

    def inbox(self, *statuses: Standing | str) -> list[Filed]:
        """Recommendations, oldest first; those that stand open if no status is named."""
        wanted = [Standing(status) for status in statuses] or [Standing.OPEN]
        with self._box() as box:
            box.expire()
            return box.list(*wanted)

    def show(self, name: str) -> Case:
        """One recommendation by its name, and what has become of it.

        Raises
        ------
        DecisionError
            If there is none.
        """
        with self._box() as box:
            box.expire()
            filed = box.get(name)
            rung, why = self._rung(box.connection, filed.advice.kind)
            return Case(filed, rung, why, tuple(self._decisions(box.connection, filed.number)),
                        tuple(self._messages(box.connection, filed.number)))

    def rungs(self) -> dict[str, tuple[Rung, str]]:
        """The rung in force of each kind that has recommendations, and why."""
        with self._box() as box:
            return {kind: self._rung(box.connection, kind)
                    for kind in sorted({filed.advice.kind for filed in box.list()})}

    def verify(self, published: Sequence[audit.Head] = ()) -> list[str]:
        """What is wrong with the log; also held against the heads that went out with pushes."""
        with self.engine.connect() as connection:
            heads = [audit.Head.parse(row.message.head) for row in outbox.rows(connection)
                     if row.message.head]
            return audit.verify(connection, self.key, [*heads, *published])

    def log(self, after: int = 0) -> list[dict[str, Any]]:
        """Rows of the log as plain values, with the names of people as far as they are known."""
        with self.engine.connect() as connection:
            return [{"number": row.number, "at": row.at, "kind": row.kind, "subject": row.subject,
                     "person": people.name_of(connection, row.person) if row.person else "",
                     "pseudonym": row.person, "body": json.loads(row.body), "mac": row.mac}
                    for row in audit.entries(connection, after)]

    def head(self) -> audit.Head:
        """The last row of the log, as it goes out with pushes."""
        with self.engine.connect() as connection:
            return audit.head(connection)

    def outcomes(self) -> list[Outcome]:
        """What is known of promises, oldest advice first; see `settle`."""
        with self._box() as box:
            return outcomes.outcomes(box.connection, box.list())

    # -- looking back ----------------------------------------------------------------------------
    def record(self, kind: str, subject: str, body: Any = None, by: str = "") -> None:
        """Write into the log what happened elsewhere: sources heard, a calibration, an alarm."""
        with writing(self.engine) as connection:
            audit.record(connection, self.key, kind, subject, body, by)

    def settle(self, happened: Happened) -> list[Outcome]:
        """Hold everything whose horizon is over to its promise, and review what is automatic.

        `happened` gives the KPIs between two times, hours from the start of the model.
        """
        heard = self.heard()
        with self._box() as box:
            box.expire()
            filed = box.list()
            now = heard if heard is not None else self._now(box.connection).timestamp()
            hours = (now - self.start.timestamp()) / 3600.0
            found = outcomes.settle(box.connection, self.key, filed, hours, happened)
            known = outcomes.outcomes(box.connection, filed)
            for kind in sorted({one.advice.kind for one in filed}):
                if self.configuration.rung(kind) is Rung.AUTOMATIC:
                    ladder.review(box.connection, self.key, self.model, kind,
                                  outcomes.promises(known, kind), self._drift(box.connection))
        return found

    def _drift(self, connection: Connection) -> str:
        """The alarm of drift that stands: what the last look at the model's cells has told."""
        import sqlalchemy as sa

        row = connection.execute(sa.text(
            "select body from log where kind in ('calibrated', 'checked') and subject = :model "
            "order by number desc limit 1"), {"model": self.model}).scalar()
        alarms = json.loads(row).get("alarms", []) if row else []
        return str(alarms[0]).rstrip(".") if alarms else ""

    # -- deciding --------------------------------------------------------------------------------
    def file(self, advice: Sequence[Recommendation], made_h: float | None = None) -> list[Filed]:
        """Take in what the twin advises now; what is on the rung *automatic* is approved at once.

        Parameters
        ----------
        made_h
            The moment of the state behind it, hours from the start of the model.

        Returns
        -------
        list of Filed
            The recommendations as they then stand, in the order given.
        """
        hours = [made_h] if made_h is not None else [one.made_h for one in advice]
        with writing(self.engine) as connection:
            at = self.start + timedelta(hours=max(hours)) if hours else self._now(connection)
            audit.record(connection, self.key, "round", self.model,
                         {"now": at.astimezone(UTC).isoformat(), "advice": len(advice)})
        with self._box() as box:
            rungs = {one.kind: self._rung(box.connection, one.kind)[0] for one in advice}
            filed = box.file(advice, rungs)
        for one in filed:
            if one.status is Standing.OPEN and rungs[one.advice.kind] is Rung.AUTOMATIC:
                try:
                    approved = self._approve(one.name, "", automatic=True)
                except DecisionError:
                    continue  # held by a rail: the log says why, and a person may decide
                self._push_of(approved)
        with self._box() as box:
            return [box.get(one.number) for one in filed]

    def approve(self, name: str, by: str) -> Case:
        """Decide to do it, and push what that takes; what cannot be reached is tried again.

        On the rung *advise* the decision is written down and nothing is pushed.

        Raises
        ------
        DecisionError
            If it does not stand open, has expired, has no name, or a guard rail forbids it.
        """
        filed = self._approve(name, by)
        try:
            self._push_of(filed)
        except ConfigurationError as error:
            raise ConfigurationError(f"{filed.name} is approved, and waits to be pushed: {error}"
                                     ) from None
        return self.show(filed.name)

    def reject(self, name: str, by: str, reason: str) -> Case:
        """Decide not to do it, for a reason."""
        with self._box() as box:
            box.expire()
            box.reject(name, by, reason)
        return self.show(name)

    def undo(self, name: str, by: str) -> Case:
        """Take an approved one back: messages that wait are dropped, others are followed by one
        that undoes them, which the receiver may refuse.
        """
        if not by:
            raise DecisionError("an undo needs a name. Write --by NAME.")
        hear_replies(self.engine, self.key, self.configuration, lambda: self.connectors)
        with self._box() as box:
            box.undo(name, by)
            filed = box.get(name)
        self._push_of(filed)
        return self.show(name)

    def push(self) -> dict[str, int]:
        """Send what is due: how many were sent, put off, and given up.

        Raises
        ------
        DecisionError
            If the kill switch is on.
        """
        if self.configuration.limits("any").stopped:
            raise DecisionError(f"the kill switch of {self.model} is on: nothing is pushed. Set "
                                "operate.rails.any.stopped to false in its model file.")
        done = outbox.Pusher(self.engine, self.connectors, self.key).push()
        hear_replies(self.engine, self.key, self.configuration, lambda: self.connectors)
        return done

    def retry(self, key: str, by: str) -> bool:
        """Let a dead message try again; whether there is one."""
        with writing(self.engine) as connection:
            return outbox.retry(connection, self.key, key, by)

    def _approve(self, name: str, by: str, *, automatic: bool = False) -> Filed:
        held: DecisionError | None = None
        with self._box() as box:
            box.expire()
            filed = box.get(name)
            rung, _ = self._rung(box.connection, filed.advice.kind)
            try:
                filed = box.approve(name, by, self.configuration.limits(filed.advice.kind),
                                    automatic=automatic, push=rung is not Rung.ADVISE)
            except DecisionError as error:
                held = error  # the log keeps that it was tried
        if held is not None:
            raise held
        return filed

    def _push_of(self, filed: Filed) -> None:
        """Push now, if there is anything of a recommendation to push."""
        with self.engine.connect() as connection:
            waits = any(message["status"] == outbox.PENDING
                        for message in self._messages(connection, filed.number))
        if waits:
            self.push()

    # -- within a transaction --------------------------------------------------------------------
    @contextmanager
    def _box(self) -> Iterator[Inbox]:
        with writing(self.engine) as connection:
            now = self._now(connection)
            yield Inbox(connection, self.key, self.model, self.start, self._way, lambda: now)

    def _now(self, connection: Connection) -> datetime:
        wall = datetime.now(UTC)
        if self.configuration.clock == "wall":
            return wall
        found = []
        heard = self.heard()
        if heard is not None:
            found.append(datetime.fromtimestamp(heard, UTC))
        last = _last_round(connection, self.model)
        if last is not None:
            moment, at = last
            found.append(moment + max(wall - at, timedelta(0)))
        return max(found, default=wall)

    def _way(self, verb: str, kind: str) -> str:
        if not self.configuration.connectors:
            return FILES
        return self.configuration.way(verb, kind)

    def _rung(self, connection: Connection, kind: str) -> tuple[Rung, str]:
        return ladder.rung(connection, self.model, kind, self.configuration.rung(kind))

    def _decisions(self, connection: Connection, number: int) -> Iterator[dict[str, Any]]:
        import sqlalchemy as sa

        for row in connection.execute(sa.text(
                "select verb, person, reason, at from decisions where recommendation = :number "
                "order by number"), {"number": number}):
            yield {**row._mapping,
                   "name": people.name_of(connection, row.person) if row.person else ""}

    def _messages(self, connection: Connection, number: int) -> Iterator[dict[str, Any]]:
        for row in outbox.rows(connection):
            if row.recommendation == number:
                yield {"key": row.message.key, "kind": row.message.kind,
                       "connector": row.connector, "status": row.status,
                       "attempts": row.attempts, "answer": row.answer,
                       "undoes": row.message.undoes}


def _last_round(connection: Connection, model: str) -> tuple[datetime, datetime] | None:
    """The model's now at the last round, and when by the clock on the wall that was."""
    import sqlalchemy as sa

    row = connection.execute(sa.text(
        "select at, body from log where kind = 'round' and subject = :model "
        "order by number desc limit 1"), {"model": model}).first()
    if row is None:
        return None
    return (datetime.fromisoformat(json.loads(row.body)["now"]), datetime.fromisoformat(row.at))
