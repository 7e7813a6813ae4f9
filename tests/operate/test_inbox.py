"""The inbox: advice persists, is superseded or withdrawn by name, and is decided by people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from twin.operate import audit, outbox
from twin.operate.database import connect, writing
from twin.operate.inbox import DecisionError, Inbox, Standing
from twin.operate.ladder import Promise, Rung, Terms, has_earned, review, rung
from twin.operate.rails import Rails, strictest
from twin.recommendation import Action, Effect, Recommendation

START = datetime(2026, 1, 5, tzinfo=UTC)
NOW = START + timedelta(hours=30)
ADVISE = {"replenishment": Rung.APPROVE}


def advice(target: str = "north_dc/juice", quantity: float = 40.0, value: float = 100.0,
           expires_h: float = 48.0) -> Recommendation:
    return Recommendation(
        "harbour", "replenishment",
        (Action("order", target, quantity, when_h=31.0, value=value,
                detail={"source": "juicery"}),),
        (Effect("total_cost", "EUR/d", -12.0, -15.0, -9.0, 0.99, "better", 900.0,
                (800.0, 990.0)),),
        made_h=30.0, expires_h=expires_h, seed=7, digests={"state": "abc"})


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    engine = connect(address)
    yield engine
    engine.dispose()


def inbox(connection: Connection, key: bytes, at: datetime = NOW) -> Inbox:
    return Inbox(connection, key, "harbour", START, lambda verb, kind: "erp", lambda: at)


def test_the_same_advice_keeps_its_number_and_another_supersedes_it(engine: Engine,
                                                                    key: bytes) -> None:
    with writing(engine) as connection:
        box = inbox(connection, key)
        first, other = box.file([advice(), advice("south_dc/juice")], ADVISE)
        again, _ = box.file([advice(), advice("south_dc/juice")], ADVISE)
        assert (again.name, again.status) == (first.name, Standing.OPEN)
        changed, = box.file([advice(quantity=60.0)], ADVISE)
        assert changed.name != first.name
        assert box.get(first.name).status is Standing.SUPERSEDED
        assert box.get(other.name).status is Standing.WITHDRAWN
        told = [(entry.kind, entry.subject) for entry in audit.entries(connection)]
        assert told == [("recommended", "R-1"), ("recommended", "R-2"), ("repeated", "R-1"),
                        ("repeated", "R-2"), ("recommended", "R-3"), ("superseded", "R-1"),
                        ("withdrawn", "R-2")]
        assert audit.verify(connection, key) == []


def test_approving_queues_its_messages_and_names_who(engine: Engine, key: bytes) -> None:
    with writing(engine) as connection:
        box = inbox(connection, key)
        filed, = box.file([advice()], ADVISE)
        box.approve(filed.name, "Ann", Rails())
        row, = outbox.rows(connection)
        assert (row.message.key, row.message.kind) == ("harbour/R-1/1", "order")
        assert row.connector == "erp"
        assert row.message.body["when"] == "2026-01-06T07:00:00+00:00"
        assert row.message.body["source"] == "juicery"
        for decide, told in ((lambda: box.approve("R-1", "Ann", Rails()), "R-1 is approved"),
                             (lambda: box.reject("R-1", "Ann", "no"), "R-1 is approved"),
                             (lambda: box.get("R-99"), "no recommendation 'R-99'"),
                             (lambda: box.get("R-x; drop"), "no recommendation 'R-x; drop'")):
            with pytest.raises(DecisionError, match=told):
                decide()
        assert box.undo("R-1", "Bob") == {"harbour/R-1/1": "dropped"}
        assert box.get("R-1").status is Standing.UNDONE
        with pytest.raises(DecisionError, match="R-1 is undone; only what was approved"):
            box.undo("R-1", "Bob")


def test_a_decision_needs_a_name_or_a_reason(engine: Engine, key: bytes) -> None:
    with writing(engine) as connection:
        box = inbox(connection, key)
        box.file([advice()], ADVISE)
        with pytest.raises(DecisionError, match="needs a name"):
            box.approve("R-1", "", Rails())
        with pytest.raises(DecisionError, match="needs a reason"):
            box.reject("R-1", "Ann", "  ")
        assert box.reject("R-1", "Ann", "the truck is full").status is Standing.REJECTED


def test_what_has_expired_cannot_be_approved(engine: Engine, key: bytes) -> None:
    with writing(engine) as connection:
        inbox(connection, key).file([advice()], ADVISE)
        late = inbox(connection, key, START + timedelta(hours=49))
        with pytest.raises(DecisionError, match="R-1 is expired"):
            late.approve("R-1", "Ann", Rails())


def test_shadow_is_for_the_score_alone(engine: Engine, key: bytes) -> None:
    with writing(engine) as connection:
        box = inbox(connection, key)
        filed, = box.file([advice()], {"replenishment": Rung.SHADOW})
        assert filed.status is Standing.SHADOW
        with pytest.raises(DecisionError, match="R-1 is shadow"):
            box.approve("R-1", "Ann", Rails())


@pytest.mark.parametrize(("rails", "automatic", "told"), [
    (Rails(value=99), False, "at most 99 may be moved"),
    (Rails(quantity=39), False, "at most 39 units"),
    (Rails(per_day=0), False, "0 were pushed in the last 24 hours"),
    (Rails(stopped=True), False, "kill switch"),
    (Rails(quiet=("05:00-07:00",)), True, "06:00 UTC is a quiet hour"),
])
def test_guard_rails_hold_whoever_approves(engine: Engine, key: bytes, rails: Rails,
                                           automatic: bool, told: str) -> None:
    with writing(engine) as connection:
        box = inbox(connection, key)
        box.file([advice()], ADVISE)
        with pytest.raises(DecisionError, match=told):
            box.approve("R-1", "Ann", rails, automatic=automatic)
        assert box.get("R-1").status is Standing.OPEN
        assert outbox.rows(connection) == []
        assert [entry.kind for entry in audit.entries(connection)][-1] == "held"


def test_a_rate_limit_counts_a_day_back(engine: Engine, key: bytes) -> None:
    with writing(engine) as connection:
        box = inbox(connection, key)
        box.file([advice(), advice("south_dc/juice")], ADVISE)
        box.approve("R-1", "Ann", Rails(per_day=1))
        with pytest.raises(DecisionError, match="1 were pushed"):
            box.approve("R-2", "Ann", Rails(per_day=1))


def test_quiet_hours_bind_nobody_who_is_awake() -> None:
    rails = Rails(quiet=("22:00-06:00",))
    assert rails.breaches(advice(), pushed_today=0, now=datetime(2026, 1, 5, 23, tzinfo=UTC),
                          automatic=False) == []
    with pytest.raises(ValueError, match="no span"):
        Rails(quiet=("night",))
    assert strictest([Rails(per_day=3), Rails(stopped=True), Rails(per_day=2)]) == Rails(
        per_day=2, stopped=True)


# ---- the ladder ----

def kept(n: int, broken: int = 0) -> list[Promise]:
    """`n` outcomes with every fifth promise broken, then so many broken ones."""
    rows = [Promise(5.0 + i % 3, 0.0, 10.0, 11.0 if i % 5 == 0 else 5.0) for i in range(1, n + 1)]
    return rows + [Promise(5.0, 0.0, 10.0, 11.0)] * broken


def test_automatic_is_earned_and_lost(engine: Engine, key: bytes) -> None:
    with writing(engine) as connection:
        def look(promises: list[Promise], drift: str = "") -> Rung:
            return review(connection, key, "harbour", "replenishment", promises, drift)[0]

        assert rung(connection, "harbour", "replenishment", Rung.ADVISE)[0] is Rung.ADVISE
        assert look(kept(29)) is Rung.APPROVE
        assert look(kept(30)) is Rung.AUTOMATIC
        assert rung(connection, "harbour", "replenishment", Rung.AUTOMATIC)[0] is Rung.AUTOMATIC
        assert rung(connection, "harbour", "replenishment", Rung.ADVISE)[0] is Rung.ADVISE
        assert look(kept(30), "transit of A:B:sea drifted") is Rung.APPROVE
        assert rung(connection, "harbour", "replenishment", Rung.AUTOMATIC) == (
            Rung.APPROVE, "transit of A:B:sea drifted.")
        assert look(kept(30)) is Rung.AUTOMATIC
        assert look(kept(30, broken=2)) is Rung.APPROVE
        steps = [entry.body for entry in audit.entries(connection) if entry.kind == "stepped"]
        assert len(steps) == 4
        assert "the last 2 promises were broken" in steps[-1]


def test_bands_that_cover_all_or_gains_that_may_be_none_earn_nothing() -> None:
    sure = [replace(promise, realised=5.0) for promise in kept(30)]
    assert not has_earned(sure, Terms())[0]
    poor = [replace(promise, gain=(-1.0) ** i) for i, promise in enumerate(kept(30))]
    earned, why = has_earned(poor, Terms())
    assert not earned
    assert "may be none" in why
