"""The inbox: recommendations that persist, and what people decide about them.

A recommendation keeps its number for as long as it is the same advice. When the advice changes, a
new number supersedes it by name; when the twin no longer gives it, it is withdrawn. Nothing is
silently recomputed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from twin.operate import answers, audit, outbox
from twin.operate.connectors.contract import Message
from twin.operate.fault_point import point
from twin.operate.ladder import Rung
from twin.operate.rails import Rails
from twin.recommendation import Recommendation

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Standing(StrEnum):
    """How a recommendation stands."""

    SHADOW = "shadow"  #: seen by the score alone
    OPEN = "open"
    APPROVED = "approved"  #: its messages are in the outbox
    REJECTED = "rejected"
    UNDONE = "undone"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class DecisionError(ValueError):
    """A decision that cannot be taken; the message says why and what instead."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A recommendation in the inbox."""

    number: int
    advice: Recommendation
    status: Standing
    made: str
    expires: str

    @property
    def name(self) -> str:
        """As people call it: ``R-17``."""
        return f"R-{self.number}"


#: Names the connector of an action's verb and kind.
Way = Callable[[str, str], str]


class Inbox:
    """The recommendations of one model.

    Parameters
    ----------
    key
        Of the log.
    start
        When hour 0 of the model was.
    way
        Through which connector an action goes.
    clock
        Now.
    """

    def __init__(self, connection: Connection, key: bytes, model: str, start: datetime, way: Way,
                 clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.connection, self.key, self.model, self.start = connection, key, model, start
        self.way, self.clock = way, clock

    # -- filing ----------------------------------------------------------------------------------
    def file(self, advice: Sequence[Recommendation], rungs: dict[str, Rung]) -> list[Filed]:
        """Take in what the twin advises now; the recommendations as they then stand.

        Advice of the same identity and content keeps its number. What was open and is not among it
        is withdrawn.
        """
        self.expire()
        standing = {filed.advice.identity: filed for filed in self.list(Standing.OPEN,
                                                                        Standing.SHADOW)}
        found = []
        for one in advice:
            before = standing.pop(one.identity, None)
            if before is not None and before.advice.content() == one.content():
                found.append(self._renew(before, one))
                continue
            filed = self._add(one, rungs.get(one.kind, Rung.ADVISE))
            if before is not None:
                self._set(before, Standing.SUPERSEDED, {"by": filed.name})
            found.append(filed)
        for gone in standing.values():
            self._set(gone, Standing.WITHDRAWN, {"why": "the twin no longer gives this advice"})
        return found

    def _renew(self, before: Filed, advice: Recommendation) -> Filed:
        """The same advice again: what it is worth, and until when, is as of now."""
        filed = Filed(before.number, advice, before.status, before.made,
                      self._at(advice.expires_h))
        self._execute("update recommendations set document = :document, expires = :expires "
                      "where number = :number", number=filed.number, expires=filed.expires,
                      document=json.dumps(advice.document()))
        audit.record(self.connection, self.key, "repeated", filed.name,
                     {"digests": dict(advice.digests)})
        return filed

    def _add(self, advice: Recommendation, rung: Rung) -> Filed:
        status = Standing.SHADOW if rung is Rung.SHADOW else Standing.OPEN
        made, expires = self._at(advice.made_h), self._at(advice.expires_h)
        number = self._execute(
            "insert into recommendations (model, identity, kind, status, made, expires, document) "
            "values (:model, :identity, :kind, :status, :made, :expires, :document) "
            "returning number", model=self.model, identity=advice.identity, kind=advice.kind,
            status=status.value, made=made, expires=expires,
            document=json.dumps(advice.document())).scalar()
        filed = Filed(int(number), advice, status, made, expires)
        audit.record(self.connection, self.key, "recommended", filed.name,
                     {"title": advice.title, "verdict": advice.verdict, "rung": rung.value,
                      "digests": dict(advice.digests), "seed": advice.seed})
        return filed

    def expire(self) -> list[Filed]:
        """What has expired no longer stands open."""
        now = self.clock().isoformat()
        gone = [filed for filed in self.list(Standing.OPEN, Standing.SHADOW)
                if filed.expires <= now]
        for filed in gone:
            self._set(filed, Standing.EXPIRED, {"at": filed.expires})
        return gone

    # -- looking ---------------------------------------------------------------------------------
    def list(self, *statuses: Standing) -> list[Filed]:
        """Recommendations of some standings (all, if none is named), oldest first."""
        rows = self._execute("select number, status, made, expires, document from recommendations "
                             "where model = :model order by number", model=self.model)
        return [_filed(row) for row in rows if not statuses or Standing(row.status) in statuses]

    def get(self, name: str | int) -> Filed:
        """One by its name.

        Raises
        ------
        DecisionError
            If there is none.
        """
        text = str(name).upper().removeprefix("R-")
        row = None
        if text.isdigit() and len(text) < 16:
            row = self._execute("select number, status, made, expires, document "
                                "from recommendations where number = :number and model = :model",
                                number=int(text), model=self.model).first()
        if row is None:
            raise DecisionError(f"there is no recommendation '{str(name)[:40]}' of {self.model}. "
                                "See twin inbox.")
        return _filed(row)

    # -- deciding --------------------------------------------------------------------------------
    def approve(self, name: str | int, person: str, rails: Rails, *,
                automatic: bool = False, push: bool = True) -> Filed:
        """Decide to do it: its messages go into the outbox in the same transaction.

        With `push` false it is only written down that somebody does it.

        Raises
        ------
        DecisionError
            If it does not stand open, has expired, or the guard rails forbid it.
        """
        self.expire()
        filed = self._open(name, "approved")
        if not person and not automatic:
            raise DecisionError("an approval needs a name. Write --by NAME.")
        breaches = rails.breaches(filed.advice, pushed_today=self.pushed_today(filed.advice.kind),
                                  now=self.clock(), automatic=automatic)
        if breaches:
            audit.record(self.connection, self.key, "held", filed.name, {"why": breaches}, person)
            raise DecisionError(f"{filed.name} may not be pushed: " + " ".join(breaches))
        done = self._set(filed, Standing.APPROVED, {"automatic": automatic, "pushed": push}, person)
        if not push:
            return done
        for number, action in enumerate(filed.advice.actions, start=1):
            message = Message(f"{self.model}/{filed.name}/{number}", action.verb, {
                "verb": action.verb, "target": action.target, "quantity": action.quantity,
                "unit": action.unit, "when": self._at(action.when_h), **action.detail,
                **{name: self._at(action.detail[name]) for name in ("due", "was_due")
                   if isinstance(action.detail.get(name), int | float)}})
            outbox.put(self.connection, self.key, message, self.way(action.verb, filed.advice.kind),
                       recommendation=filed.number)
        point("decided")
        return done

    def reject(self, name: str | int, person: str, reason: str) -> Filed:
        """Decide not to do it."""
        filed = self._open(name, "rejected")
        if not reason.strip():
            raise DecisionError("a rejection needs a reason: the twin learns from it. Write "
                                "--reason \"...\".")
        return self._set(filed, Standing.REJECTED, {"reason": reason[:2000]}, person, reason)

    def undo(self, name: str | int, person: str) -> dict[str, str]:
        """Take an approved one back; what became of each of its messages."""
        filed = self.get(name)
        if filed.status is not Standing.APPROVED:
            raise DecisionError(f"{filed.name} is {filed.status.value}; only what was approved can "
                                "be undone.")
        keys = [row.message.key for row in outbox.rows(self.connection)
                if row.recommendation == filed.number and not row.message.undoes]
        over = answers.executed(self.connection, keys)
        if over:
            raise DecisionError(f"{filed.name} cannot be undone: {', '.join(over)} is executed. "
                                "Ask for advice on what to do now.")
        done = {key: outbox.undo(self.connection, self.key, key, person) for key in keys}
        self._set(filed, Standing.UNDONE, done, person)
        return done

    def pushed_today(self, kind: str) -> int:
        """Approvals of a kind in the last 24 hours."""
        since = (self.clock() - timedelta(hours=24)).isoformat()
        return int(self._execute(
            "select count(*) from decisions d join recommendations r on r.number = "
            "d.recommendation where d.verb = 'approved' and r.model = :model and r.kind = :kind "
            "and d.at > :since", model=self.model, kind=kind, since=since).scalar() or 0)

    def _open(self, name: str | int, what: str) -> Filed:
        lock = " for update" if self.connection.dialect.name == "postgresql" else ""
        filed = self.get(name)
        self._execute(f"select number from recommendations where number = :number{lock}",
                      number=filed.number)
        filed = self.get(name)
        if filed.status is not Standing.OPEN:
            raise DecisionError(f"{filed.name} is {filed.status.value}; only what stands open can "
                                f"be {what}.")
        return filed

    def _set(self, filed: Filed, status: Standing, why: dict[str, Any], person: str = "",
             reason: str = "") -> Filed:
        self._execute("update recommendations set status = :status where number = :number",
                      status=status.value, number=filed.number)
        head = audit.record(self.connection, self.key, status.value, filed.name, why, person)
        if status in (Standing.APPROVED, Standing.REJECTED, Standing.UNDONE):
            pseudonym = next(audit.entries(self.connection, head.number - 1)).person
            self._execute("insert into decisions (recommendation, verb, person, reason, at) values "
                          "(:number, :verb, :person, :reason, :at)", number=filed.number,
                          verb=status.value, person=pseudonym, reason=reason,
                          at=self.clock().isoformat())
        return Filed(filed.number, filed.advice, status, filed.made, filed.expires)

    def _at(self, hours: float) -> str:
        return (self.start + timedelta(hours=hours)).astimezone(UTC).isoformat()

    def _execute(self, text: str, **values: Any) -> Any:
        import sqlalchemy as sa

        return self.connection.execute(sa.text(text), values)


def _filed(row: Any) -> Filed:
    return Filed(row.number, Recommendation.from_document(json.loads(row.document)),
                 Standing(row.status), row.made, row.expires)
