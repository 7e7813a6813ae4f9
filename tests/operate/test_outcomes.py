"""Outcomes: promises held against what happened, and the ladder that looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.operate.test_inbox import START, advice
from twin.operate.configuration import read_configuration
from twin.operate.database import connect
from twin.operate.desk import Desk
from twin.operate.ladder import Rung
from twin.operate.outcomes import GAIN, months, promises
from twin.recommendation import Effect, Recommendation


def promised(number: int, made_h: float = 30.0) -> Recommendation:
    """Saves 12 a day over two days; cost as heard is 50, of which 80 % lie within 40 to 60."""
    heard = Effect("heard_cost", "EUR/d", 0.0, 0.0, 0.0, 0.5, "no effect shown", 50.0, (40.0, 60.0))
    plain = advice(f"north_dc/juice{number}")
    return replace(plain, effects=(*plain.effects, heard), made_h=made_h, expires_h=made_h + 10,
                   horizon_h=48.0)


class Now:
    """What was heard last, and what it cost."""

    def __init__(self) -> None:
        self.hours, self.cost = 30.0, 55.0

    def heard(self) -> float:
        return START.timestamp() + 3600.0 * self.hours

    def happened(self, start_h: float, end_h: float) -> Mapping[str, float] | None:
        return {"heard_cost": self.cost}


@pytest.fixture
def desk(tmp_path: Path, key: bytes, address: str) -> Iterator[Callable[..., tuple[Desk, Now]]]:
    made: list[Desk] = []

    def make(section: Any = None) -> tuple[Desk, Now]:
        now = Now()
        made.append(Desk(connect(address), "harbour", START,
                         read_configuration(section, "harbour.yaml"), key, heard=now.heard,
                         home=tmp_path, beside=tmp_path / "pushed"))
        return made[-1], now

    yield make
    for one in made:
        one.close()


def test_what_was_taken_is_held_to_its_promise_when_its_horizon_is_over(
        desk: Callable[..., tuple[Desk, Now]]) -> None:
    open_desk, now = desk()
    open_desk.file([promised(1)])
    open_desk.approve("R-1", "Ann")
    now.hours = 77.0
    assert open_desk.settle(now.happened) == []
    now.hours = 79.0
    gain, cost = open_desk.settle(now.happened)
    # doing nothing was expected to cost 50 + 12 a day; it cost 55, over two days
    assert (gain.kpi, gain.promised, gain.realised, gain.estimated) == (GAIN, 24.0, 14.0, False)
    assert (gain.low, gain.high) == (18.0, 30.0)
    assert (cost.realised, cost.low, cost.high) == (55.0, 40.0, 60.0)
    assert open_desk.settle(now.happened) == []
    assert open_desk.outcomes() == [gain, cost]
    assert [row["kind"] for row in open_desk.log()][-1] == "outcome"


def shared() -> list[Recommendation]:
    """Two of one round, each good for 12 a day alone; together for 18, at a cost of 44."""
    both = [promised(1), promised(2)]
    money, heard = both[0].effects
    joint = (replace(money, mean=-18.0, low=-24.0, high=-12.0),
             replace(heard, expected=44.0, band=(35.0, 53.0)))
    names = tuple(one.identity for one in both)
    return [replace(one, together=names, joint=joint) for one in both]


@pytest.mark.parametrize("taken", [("R-1", "R-2"), ("R-1",)])
def test_what_was_taken_together_is_held_to_one_promise(
        desk: Callable[..., tuple[Desk, Now]], taken: tuple[str, ...]) -> None:
    open_desk, now = desk()
    open_desk.file(shared())
    for name in taken:
        open_desk.approve(name, "Ann")
    now.hours, now.cost = 79.0, 52.0
    rows = [row for row in open_desk.settle(now.happened) if row.realised is not None]
    gains = [row for row in rows if row.kpi == GAIN]
    costs = [row for row in rows if row.kpi == "heard_cost"]
    if len(taken) == 2:
        # nothing was expected to cost 44 + 18 a day; it cost 52: 10 a day, once and not twice
        assert [(row.promised, row.realised) for row in gains] == [(18.0, 10.0), (18.0, 10.0)]
        assert {(row.promised, row.low, row.high) for row in costs} == {(44.0, 35.0, 53.0)}
    else:
        assert [(row.promised, row.realised) for row in gains] == [(24.0, 20.0)]
        assert [(row.promised, row.low) for row in costs] == [(50.0, 40.0)]


def test_of_three_the_two_that_were_taken_add_up(desk: Callable[..., tuple[Desk, Now]]) -> None:
    open_desk, now = desk()
    three = [*shared(), promised(3)]
    names = tuple(one.identity for one in three)
    open_desk.file([replace(one, together=names, joint=three[0].joint) for one in three])
    for name in ("R-1", "R-3"):
        open_desk.approve(name, "Ann")
    now.hours, now.cost = 79.0, 52.0
    gains = [row for row in open_desk.settle(now.happened)
             if row.kpi == GAIN and not row.estimated]
    # nothing: 50 + 12 a day; both: 38; it cost 52, which is 10 a day of the 24 that were promised
    assert [(row.promised, row.realised) for row in gains] == [(24.0, 10.0), (24.0, 10.0)]


def test_what_was_not_taken_is_an_estimate_and_says_so(
        desk: Callable[..., tuple[Desk, Now]]) -> None:
    open_desk, now = desk()
    open_desk.file([promised(1), promised(2)])
    open_desk.reject("R-1", "Ann", "not now")
    now.hours = 79.0
    found = open_desk.settle(now.happened)
    assert [(one.name, one.promised, one.realised, one.estimated) for one in found] == [
        ("R-1", 24.0, None, True), ("R-2", 24.0, None, True)]
    month, = months(found)
    assert (month.month, month.taken, month.ignored, month.missed) == ("2026-01", 0, 2, 48.0)


def test_where_nothing_was_heard_nothing_is_claimed(
        desk: Callable[..., tuple[Desk, Now]]) -> None:
    open_desk, now = desk()
    open_desk.file([promised(1)])
    open_desk.approve("R-1", "Ann")
    now.hours = 79.0
    assert open_desk.settle(lambda start, end: None) == []


def test_automatic_is_earned_by_outcomes_pushes_by_itself_and_is_lost_by_drift(
        desk: Callable[..., tuple[Desk, Now]]) -> None:
    open_desk, now = desk({"ladder": {"replenishment": "automatic"}})
    for number in range(1, 31):
        now.hours = 30.0 + number
        open_desk.file([promised(number, now.hours)])
        open_desk.approve(f"R-{number}", "Ann")
        now.cost = 61.0 if number % 5 == 0 else 50.0 + number % 3
        now.hours += 49.0
        open_desk.settle(now.happened)
    assert len(promises(open_desk.outcomes(), "replenishment")) == 30
    rung, why = open_desk.rungs()["replenishment"]
    assert rung is Rung.AUTOMATIC
    assert why.startswith("24 of the last 30 promises were kept")

    filed, = open_desk.file([promised(31, now.hours)])
    case = open_desk.show(filed.name)
    assert [one["person"] for one in case.decisions] == [""]
    assert [one["status"] for one in case.messages] == ["sent"]

    open_desk.record("calibrated", "harbour", {"alarms": ["lanes[A,B,sea].transit has changed"]})
    open_desk.settle(now.happened)
    assert open_desk.rungs()["replenishment"] == (
        Rung.APPROVE, "lanes[A,B,sea].transit has changed.")
    filed, = open_desk.file([promised(32, now.hours)])
    assert filed.status.value == "open"


def test_automatic_that_was_not_earned_waits_for_a_name(
        desk: Callable[..., tuple[Desk, Now]]) -> None:
    open_desk, _ = desk({"ladder": {"any": "automatic"}})
    filed, = open_desk.file([promised(1)])
    assert filed.status.value == "open"
    assert open_desk.rungs()["replenishment"] == (
        Rung.APPROVE, "automatic has not been earned yet")
