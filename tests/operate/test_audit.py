"""The log: whatever is done to it from outside is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from twin.operate import audit
from twin.operate.audit import Head
from twin.operate.database import StoreError, connect, reading, writing
from twin.operate.people import FORGOTTEN, forget, name_of


@pytest.fixture
def engine(address: str, key: bytes) -> Iterator[Engine]:
    engine = connect(address)
    with writing(engine) as connection:
        for number in range(1, 6):
            audit.record(connection, key, "approved", f"R-{number}", {"value": number}, "Ann Smith")
    yield engine
    engine.dispose()


def faults(engine: Engine, key: bytes, *published: Head) -> list[str]:
    with reading(engine) as connection:
        return audit.verify(connection, key, published)


def test_a_whole_log_has_no_faults(engine: Engine, key: bytes) -> None:
    with reading(engine) as connection:
        head = audit.head(connection)
    assert head.number == 5
    assert faults(engine, key, head, Head.parse(str(head))) == []


@pytest.mark.parametrize(("change", "told"), [
    ("update log set body = '99' where number = 3", "row 3 (approved R-3) was changed"),
    ("update log set at = '2020-01-01' where number = 1", "row 1 (approved R-1) was changed"),
    ("update log set person = 'P-0' where number = 5", "row 5 (approved R-5) was changed"),
    ("delete from log where number = 2", "row 2 is missing"),
    ("delete from log where number >= 4", "Rows were cut off"),
    ("update log set number = 9 where number = 5", "row 5 to 8 is missing"),
])
def test_tampering_is_found(engine: Engine, key: bytes, change: str, told: str) -> None:
    with writing(engine) as connection:
        connection.execute(sa.text(change))
    assert any(told in fault for fault in faults(engine, key)), faults(engine, key)


def test_a_cut_tail_with_its_head_mended_is_found_by_what_was_published(
        engine: Engine, key: bytes) -> None:
    with writing(engine) as connection:
        published = audit.head(connection)
        connection.execute(sa.text("delete from log where number = 5"))
        mac = connection.execute(sa.text("select mac from log where number = 4")).scalar()
        connection.execute(sa.text("update log_head set number = 4, mac = :mac"), {"mac": mac})
    assert faults(engine, key) == []
    assert faults(engine, key, published) == [
        "row 5 was published with another seal. The log was cut off or written anew."]


def test_another_key_fits_no_row(engine: Engine) -> None:
    assert len(faults(engine, b"another key, long enough")) >= 5


def test_nothing_is_done_with_another_key(engine: Engine, key: bytes) -> None:
    with pytest.raises(StoreError, match="sealed with another key"), writing(engine) as connection:
        audit.record(connection, b"another key, long enough", "approved", "R-6")
    with writing(engine) as connection:
        audit.record(connection, key, "approved", "R-6")
    assert faults(engine, key) == []


def test_a_person_can_be_forgotten_and_the_chain_stays_whole(engine: Engine, key: bytes) -> None:
    with reading(engine) as connection:
        person = next(audit.entries(connection)).person
        assert name_of(connection, person) == "Ann Smith"
        assert "Ann" not in str(list(audit.entries(connection)))
    with writing(engine) as connection:
        assert forget(connection, "Ann Smith", key)
        assert not forget(connection, "Ann Smith", key)
    with reading(engine) as connection:
        assert name_of(connection, person) == FORGOTTEN
        names = connection.execute(sa.text("select secret, name from people")).all()
        assert names == [(None, None)]
    assert faults(engine, key) == []


def test_writers_take_turns(address: str, key: bytes) -> None:
    from concurrent.futures import ThreadPoolExecutor

    engines = [connect(address) for _ in range(4)]

    def write(engine: Engine) -> None:
        for _ in range(25):
            with writing(engine) as connection:
                audit.record(connection, key, "pushed", "k")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, engines))
    assert faults(engines[0], key) == []
    with reading(engines[0]) as connection:
        assert audit.head(connection).number == 100
    for engine in engines:
        engine.dispose()


def test_a_store_that_does_not_answer_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not answer"):
        connect("postgresql://127.0.0.1:1/nothing")
    with pytest.raises(StoreError, match="no address of a database"):
        connect("what://")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWIN_AUDIT_KEY")
    monkeypatch.setenv("TWIN_AUDIT_KEY_FILE", str(tmp_path / "keys" / "audit.key"))
    assert audit.audit_key() == audit.audit_key()
    (tmp_path / "keys" / "audit.key").chmod(0o644)
    with pytest.raises(ValueError, match="others may read"):
        audit.audit_key()
