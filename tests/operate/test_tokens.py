"""Tokens and answers in the store, of each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from twin.operate import audit, outbox
from twin.operate.answers import AnswerError, HeardBefore, Said, executed, hear
from twin.operate.connectors.contract import Message
from twin.operate.database import connect, reading, writing
from twin.operate.roles import Role
from twin.operate.tokens import TokenError, Tokens


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    engine = connect(address)
    yield engine
    engine.dispose()


def test_a_token_lets_in_until_it_expires_or_is_revoked(engine: Engine, key: bytes) -> None:
    now = [1_000_000.0]
    tokens = Tokens(engine, key, lambda: now[0])
    ann = tokens.add("Ann", Role.APPROVER, days=2.0, by="Root")
    erp = tokens.add("ERP", Role.SUPPLIER, site="garden", by="Root")
    found = tokens.check(erp)
    assert found is not None
    assert (found.name, found.role, found.site) == ("ERP", Role.SUPPLIER, "garden")
    assert tokens.check(ann.replace(ann[5:17], erp[5:17])) is None  # one's id, another's secret

    def last_used() -> dict[str, float | None]:
        return {one.name: one.last_used for one in tokens.list()}

    assert last_used() == {"Ann": None, "ERP": 1_000_000.0}
    now[0] += 30.0
    tokens.check(erp)
    assert last_used()["ERP"] == 1_000_000.0  # noted once a minute
    now[0] += 40.0
    tokens.check(erp)
    assert last_used()["ERP"] == 1_000_070.0
    now[0] += 2 * 86_400.0
    assert tokens.check(ann) is None
    assert tokens.revoke_of("ERP", "Root") == 1
    assert tokens.check(erp) is None
    with pytest.raises(TokenError, match="there is no token"):
        tokens.revoke("' or 1=1 --")
    with reading(engine) as connection:
        rows = [(row.kind, row.subject) for row in audit.entries(connection)]
        assert audit.verify(connection, key) == []
    assert [kind for kind, _ in rows] == ["token made", "token made", "token revoked"]


def test_an_answer_counts_once(engine: Engine, key: bytes) -> None:
    said = {"id": "1", "type": "twin.executed", "data": {"key": "tea/R-1/1"}}
    with writing(engine) as connection:
        outbox.put(connection, key, Message("tea/R-1/1", "order"), "erp")
        assert executed(connection, ["tea/R-1/1"]) == []
        assert hear(connection, key, "erp", said) is Said.EXECUTED
        assert executed(connection, ["tea/R-1/1", "tea/R-1/2"]) == ["tea/R-1/1"]
        with pytest.raises(HeardBefore, match="was heard before"):
            hear(connection, key, "erp", said)
        with pytest.raises(AnswerError, match="went to wms"):
            hear(connection, key, "wms", {**said, "id": "2"})
        with pytest.raises(AnswerError, match="is unknown"):
            hear(connection, key, "erp", {**said, "id": "3", "type": "twin.eaten"})
