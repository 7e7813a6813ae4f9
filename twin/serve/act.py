"""Acting: the inbox, decisions, the log, and news of all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Path, Query, Request
from fastapi.responses import StreamingResponse

from twin.operate import audit
from twin.operate.database import reading
from twin.operate.inbox import Filed, Standing
from twin.operate.outcomes import months
from twin.operate.people import name_of
from twin.serve import schema
from twin.serve.guard import Calling, plain, router
from twin.serve.house import House
from twin.serve.stream import DESCRIBED, News, last_heard, stream

routes = router("act")
Numbered = Annotated[str, Path(pattern=r"^[Rr]-[0-9]{1,12}$", examples=["R-17"])]
#: Rows of the log that are news for whoever watches the inbox.
NEWS = ("recommended", "superseded", "withdrawn", "expired", "approved", "rejected", "undone",
        "held", "pushed", "dead", "dropped", "answered")
_AT_ONCE = 200


def advice(filed: Filed) -> dict[str, Any]:
    """A recommendation as a line of the inbox."""
    one = filed.advice
    return {"name": filed.name, "status": filed.status.value, "kind": one.kind, "title": one.title,
            "verdict": one.verdict, "made": filed.made, "expires": filed.expires,
            "effects": plain(one.document()["effects"])}


def _case(caller: Calling, found: Any) -> dict[str, Any]:
    said: dict[str, Any] = plain(found.document())
    said["recommendation"].pop("plan", None)  # long, and for machines
    with reading(caller.house.desk.engine) as connection:
        for decision in said["decisions"]:
            decision["person"] = name_of(connection, decision["person"])
    return said


@routes.get("/inbox", response_model=list[schema.Advice])
def inbox(caller: Calling, status: Annotated[list[Standing], Query(
        max_length=8, description="how they stand; open if blank")] = []) -> Any:  # noqa: B006
    """Recommendations, oldest first."""
    return [advice(filed) for filed in caller.house.desk.inbox(*status)]


@routes.get("/inbox/{name}", response_model=schema.Case)
def show(caller: Calling, name: Numbered) -> Any:
    """One recommendation: evidence, decisions, messages."""
    return _case(caller, caller.house.desk.show(name))


@routes.post("/inbox/{name}/approve", response_model=schema.Case)
def approve(caller: Calling, name: Numbered) -> Any:
    """Decide to do it: its messages are pushed."""
    return _case(caller, caller.house.desk.approve(name, caller.name))


@routes.post("/inbox/{name}/reject", response_model=schema.Case)
def reject(caller: Calling, name: Numbered, body: schema.Rejection) -> Any:
    """Decide not to do it, for a reason."""
    return _case(caller, caller.house.desk.reject(name, caller.name, body.reason))


@routes.post("/inbox/{name}/undo", response_model=schema.Case)
def undo(caller: Calling, name: Numbered) -> Any:
    """Take an approved one back; refused once it is executed."""
    return _case(caller, caller.house.desk.undo(name, caller.name))


@routes.get("/outcomes", response_model=schema.Outcomes)
def outcomes(caller: Calling) -> Any:
    """What was promised and what happened, as far as rounds of watch have settled it.

    Of advice that nobody took it is the twin's estimate, and marked so.
    """
    desk = caller.house.desk
    found = desk.outcomes()
    return plain({"outcomes": [asdict(one) for one in found],
                  "months": [asdict(one) for one in months(found)],
                  "rungs": {kind: {"rung": rung.value, "why": why}
                            for kind, (rung, why) in desk.rungs().items()}})


@routes.get("/events", response_class=StreamingResponse, responses=DESCRIBED)
def events(request: Request, caller: Calling, once: Annotated[bool, Query(
        description="send what there is and end")] = False) -> Any:
    """News of the inbox as server-sent events, from now on or from Last-Event-ID."""
    house = caller.house
    with reading(house.desk.engine) as connection:
        end = audit.head(connection).number
    return stream(request, caller, lambda after: (list(_news(house, after)), False),
                  min(last_heard(request, end), end), once=once)


def _news(house: House, after: int) -> Iterator[News]:
    """Rows of the log that tell of recommendations of this model."""
    with reading(house.desk.engine) as connection:
        rows = connection.execute(sa.text(
            "select number, at, kind, subject from log where number > :after and kind in :kinds "
            "order by number limit :most").bindparams(
                sa.bindparam("kinds", expanding=True)),
            {"after": after, "kinds": NEWS, "most": _AT_ONCE}).all()
        for row in rows:
            if _is_ours(connection, house, row.subject):
                yield row.number, row.kind, {"subject": row.subject, "at": row.at}


def _is_ours(connection: sa.Connection, house: House, subject: str) -> bool:
    """Whether a row is about a recommendation or a message of this model."""
    if subject.startswith(f"{house.model}/"):
        return True
    number = subject.removeprefix("R-")
    return number.isdigit() and bool(connection.execute(sa.text(
        "select 1 from recommendations where number = :number and model = :model"),
        {"number": int(number), "model": house.model}).scalar())


@routes.get("/audit/verify", response_model=schema.Verified)
def audit_verify(caller: Calling, head: Annotated[str, Query(
        pattern=r"^([0-9]{1,15}:[0-9a-f]{64})?$", description="a head that was published, "
        "number:seal")] = "") -> Any:
    """Whether the log is whole, also against the heads that went out with pushes."""
    desk = caller.house.desk
    faults = desk.verify([audit.Head.parse(head)] if head else [])
    return {"whole": not faults, "faults": faults, "head": str(desk.head())}


@routes.get("/audit/export", response_class=StreamingResponse, responses={200: {
    "description": "One JSON document a row", "content": {"application/x-ndjson": {
        "schema": {"type": "string"}}}}})
def audit_export(caller: Calling, after: Annotated[int, Query(
        ge=0, le=2**53, description="number of the last row known")] = 0) -> Any:
    """The log as it is, a row a line; people stand under pseudonyms."""
    engine = caller.house.desk.engine

    def rows() -> Iterator[str]:
        with reading(engine) as connection:
            for entry in audit.entries(connection, after):
                yield json.dumps({"number": entry.number, "at": entry.at, "kind": entry.kind,
                                  "subject": entry.subject, "person": entry.person,
                                  "body": json.loads(entry.body), "mac": entry.mac}) + "\n"

    return StreamingResponse(rows(), media_type="application/x-ndjson")
