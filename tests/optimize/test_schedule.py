"""Schedules: every rule kept, small shops at their optimum, bad input refused, races repeat."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.optimize.shops import brute_force, ft06, works
from twin.optimize import portfolio
from twin.optimize.dispatch_rules import RULES, dispatch, follow
from twin.optimize.rescheduling import in_force
from twin.optimize.schedule import Solved, horizon_for, plan_of, solve
from twin.optimize.schedule_check import broken_rules
from twin.optimize.schedule_model import ScheduleModel
from twin.optimize.schedule_score import Schedule, moved, score
from twin.optimize.schedule_search import Neighbourhoods, Reordering
from twin.optimize.schedule_work import GOALS, Goal, Job, Task, Tool, Work, WorkError
from twin.optimize.schedule_worker import Round
from twin.plan import Plan, Status


def optimum(work: Work) -> tuple[Schedule, int | None, str]:
    ruled = [dispatch(work, rule) for rule in RULES.values()]
    model = ScheduleModel(work, horizon_for(work, ruled) + 30)
    model.hint(ruled[0])
    found = model.solve(seconds=30)
    assert found.schedule is not None
    return found.schedule, found.bound, found.status


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(works())
def test_small_shops_come_to_their_optimum(work: Work) -> None:
    best = brute_force(work)
    found, bound, status = optimum(work)
    assert broken_rules(work, found) == []
    assert status == "optimal"
    assert score(work, found).cost == best == bound


@pytest.mark.long
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(works(batches=True))
def test_rules_and_searches_keep_every_rule(work: Work) -> None:
    ruled = [dispatch(work, rule) for rule in RULES.values()]
    for schedule in ruled:
        assert broken_rules(work, schedule) == []
    best = min(ruled, key=lambda schedule: score(work, schedule).cost)
    after = Reordering(work, best, seed=3).search(tries=60)
    assert broken_rules(work, after) == []
    assert score(work, after).cost <= score(work, best).cost
    parts = Neighbourhoods(work, best, seed=3).search(spend=0.05)
    assert broken_rules(work, parts) == []
    assert score(work, parts).cost <= score(work, best).cost
    solved, bound, _ = optimum(work)
    assert broken_rules(work, solved) == []
    assert bound is not None
    assert bound <= score(work, solved).cost <= score(work, best).cost


def family_shop(*steps: tuple[str, ...], family: str = "", minutes: int = 0) -> Work:
    """Lots of one-minute operations on one machine that changes between red and blue."""
    setups = {("G", one, other): (minutes, 1) for one in ("", "red", "blue")
              for other in ("red", "blue") if one != other}
    lots = tuple(Job(tuple(Task(((0, 1),), k, family=one) for k, one in enumerate(families)),
                     f"lot {j}") for j, families in enumerate(steps))
    return Work(lots, (Tool("M", "G", (), family),), setups, goal=Goal("setups", 10, 1, 7))


@pytest.mark.parametrize(("work", "cost"), [
    (family_shop(("red",), ("blue",), ("red",), family="red"), 3 + 7),
    (family_shop(("red", "", "red"), ("blue",), minutes=2), 4 + 2 * 2 + 2 * 7),
    (family_shop(("red", "", "blue"), minutes=2), 3 + 2 * 2 + 2 * 7),
], ids=["free of time but not of cost", "plain work keeps the set-up", "set up after plain work"])
def test_every_changeover_is_paid_once(work: Work, cost: int) -> None:
    found, bound, status = optimum(work)
    assert (score(work, found).cost, bound, status) == (cost, cost, "optimal")
    assert brute_force(work) == cost


def test_an_order_followed_again_is_the_same() -> None:
    work = ft06(GOALS["makespan"])
    schedule = dispatch(work, RULES["most_work"])
    assert follow(work, schedule.start, schedule.machine) == schedule


def test_two_lots_share_an_oven() -> None:
    oven = Task(((0, 60),), batch="bake", room=2)
    work = Work(tuple(Job((oven,), name, release) for name, release in
                      (("a", 0), ("b", 10), ("c", 10))), (Tool("oven"),), goal=GOALS["makespan"])
    found, bound, _ = optimum(work)
    assert (score(work, found).makespan, bound) == (120, 120)
    waits = [v for v in range(3) if found.start[v] == max(found.start)]
    assert len(waits) in (1, 2)


def test_lots_that_have_begun_in_one_oven_go_on_together() -> None:
    begun = Task(((0, 25),), batch="bake", room=2, started=35)
    work = Work((Job((begun,), "a"), Job((begun,), "b"),
                 Job((Task(((0, 60),), batch="bake", room=2),), "c")), (Tool("oven"),),
                goal=GOALS["makespan"])
    found, bound, status = optimum(work)
    assert (status, found.end, bound) == ("optimal", (25, 25, 85), 85)


def test_work_pauses_when_the_shop_is_closed() -> None:
    work = Work((Job((Task(((0, 50),)),), "a"), Job((Task(((0, 50),)),), "b")),
                (Tool("saw", closed=((80, 200),)),))
    schedule = dispatch(work, RULES["fifo"])
    assert (schedule.start, schedule.end) == ((0, 50), (50, 220))


@pytest.mark.long
def test_a_service_moves_the_delivery_dates() -> None:
    lots = tuple(Job((Task(((0, 60),)),), f"lot {i}", due=60 * (i + 1)) for i in range(3))
    service = Job((Task(((0, 30),)),), "service of saw", deadline=150, service="wear")
    late, early = (solve(Work((*lots, replace(service, deadline=end)), (Tool("saw"),)),
                         seconds=30, explain=False) for end in (400, 100))
    assert late.score.tardiness == 0
    assert early.score.tardiness > 0
    assert broken_rules(early.work, early.schedule) == []
    plan = plan_of(early, "shop", 10.0)
    assert [(s.asset, s.cause) for s in plan.services] == [("saw", "wear")]
    assert len(plan.operations) == 3
    assert Plan.from_document(plan.document()) == plan


@pytest.mark.long
def test_the_famous_six_by_six_is_proved_and_repeats() -> None:
    one, other = (solve(ft06(GOALS["makespan"]), seconds=60, seed=4) for _ in range(2))
    assert (one.answer.status, one.score.makespan) == (Status.OPTIMAL, 55)
    assert one.answer.objective == one.answer.bound == pytest.approx(55 / 60)
    assert one.schedule == other.schedule
    assert one.answer.start is not None
    assert one.answer.start >= one.answer.objective


def test_a_limit_that_ends_before_the_search_begins_returns_the_best_rule() -> None:
    work = ft06(GOALS["makespan"])
    found = solve(work, seconds=0.2)
    assert found.answer.stopped_by == "wall"
    assert found.answer.status is Status.FEASIBLE
    assert found.score.cost == min(rule.cost for rule in found.rules.values())


def test_no_work_is_a_plan_with_nothing_in_it() -> None:
    found = solve(Work((), (Tool("saw"),)), seconds=1)
    assert found.answer.status is Status.OPTIMAL
    assert plan_of(found, "shop", 0.0).operations == ()


def test_bad_work_is_refused_with_every_offender() -> None:
    work = Work((Job((Task(()), Task(((0, -3),), step=1), Task(((7, 1),), step=2)), "a",
                     release=-5),
                 Job((Task(((0, float("nan")),)),), "b"),  # type: ignore[arg-type]
                 Job((Task(((0, 1),)),), "c", after=(3,)),
                 Job((Task(((0, 1),), family="red", batch="oven"),), "d", after=(2,)),
                 Job((Task(((0, 1),), family="blue", batch="oven"),), "e")),
                (Tool("saw", closed=((5, 2),)),))
    with pytest.raises(WorkError) as refused:
        solve(work)
    text = str(refused.value)
    for part in ("a: release -5", "a step 0 has no machine", "a step 1: -3 minutes",
                 "a step 2: machine 7", "b step 0: nan minutes", "in a circle", "saw: closed",
                 "batch oven is of families blue, red"):
        assert part in text
    with pytest.raises(ValueError, match="leaves no time"):
        solve(ft06(Goal()), seconds=float("nan"))


def conflicting() -> Work:
    lots = tuple(Job((Task(((0, 60),)),), f"lot {i}", deadline=100 + 400 * (i > 1))
                 for i in range(4))
    return Work(lots, (Tool("saw"), Tool("drill", closed=((30, 60),))))


@pytest.mark.long
def test_what_cannot_be_is_told_in_the_planners_words() -> None:
    found = solve(conflicting(), seconds=60)
    assert found.answer.status is Status.INFEASIBLE
    assert {reason.kind for reason in found.answer.reasons} == {"conflict"}
    assert sorted(reason.message for reason in found.answer.reasons) == [
        "lot 0 is done within 1.7 h.", "lot 1 is done within 1.7 h."]


@pytest.mark.long
def test_each_of_a_smallest_conflict_is_needed() -> None:
    work = conflicting()
    for dropped in (0, 1):
        eased = replace(work, jobs=tuple(replace(job, deadline=None) if j == dropped else job
                                         for j, job in enumerate(work.jobs)))
        assert solve(eased, seconds=30, explain=False).score.overdue == 0


@pytest.mark.long
def test_moving_the_plan_in_force_has_a_price() -> None:
    lots = tuple(Job((Task(((0, 60), (1, 60))),), f"lot {i}", due=60 * i + 40, order=i + 1)
                 for i in range(4))
    work = Work(lots, (Tool("saw"), Tool("drill")))
    first = solve(work, seconds=20)
    plan = plan_of(first, "shop", 0.0)
    down = replace(work, tools=(Tool("saw", closed=((0, 90),)), Tool("drill")))
    free = solve(in_force(down, plan, 0.0, price=0.0), seconds=20)
    dear = solve(in_force(down, plan, 0.0, price=1000.0), seconds=20)
    assert len(moved(dear.work, dear.schedule)) <= len(moved(free.work, free.schedule))
    assert free.score.tardiness <= dear.score.tardiness
    assert broken_rules(dear.work, dear.schedule) == []


@pytest.mark.long
def test_reasons_name_the_machine_that_binds_and_why_a_lot_is_late() -> None:
    lots = tuple(Job((Task(((0, 120),)),), name, due=100) for name in ("a", "b"))
    found = solve(Work(lots, (Tool("saw"), Tool("idle"))), seconds=20)
    binding = [reason for reason in found.answer.reasons if reason.kind == "binding"]
    assert [reason.subject for reason in binding] == ["saw"]
    assert binding[0].price is not None
    assert binding[0].price >= 1.0
    late = {reason.subject: reason.message for reason in found.answer.reasons
            if reason.kind == "why_not"}
    assert "alone in the plant it would still be 20 min late" in late["a"]


def late_shop() -> Work:
    """Thirty lots on five machines, too late for a proof within seconds."""
    luck = Random(5)
    return Work(tuple(
        Job(tuple(Task(((m, luck.randint(20, 90)),)) for m in luck.sample(range(5), 5)),
            f"lot {j}", due=luck.randint(400, 1500)) for j in range(30)),
        tuple(Tool(f"M{m}") for m in range(5)))


def test_a_slow_start_takes_nothing_from_the_counted_work(monkeypatch: pytest.MonkeyPatch
                                                          ) -> None:
    asked: list[float] = []

    def noted(role: str, seconds: float, *others: Any) -> Round:
        asked.append(seconds)
        return Round(role, seconds, *others)

    monkeypatch.setattr(portfolio, "Round", noted)
    for wait in (0.0, 0.5):
        monkeypatch.setattr("twin.optimize.schedule.repaired", lambda _, wait=wait: (
            time.sleep(wait) or ()))
        assert solve(ft06(GOALS["makespan"]), seconds=20.0).answer.stopped_by == "proof"
    assert len(asked) >= 4
    assert len(set(asked[:2] + asked[-2:])) == 1


@pytest.mark.long
def test_a_limit_shorter_than_the_first_compilation_spoils_no_later_plan(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    work = late_shop()

    def waits(found: Solved) -> bool:
        return any(reason.subject == "search" for reason in found.answer.reasons)

    first = solve(work, seconds=2.0)
    assert not list(tmp_path.rglob("sequence_moves.search-*.nbc"))  # nobody waited for it
    assert first.answer.stopped_by == "wall"
    assert waits(first)
    until = time.time() + 180.0
    while not list(tmp_path.rglob("sequence_moves.search-*.nbc")):
        assert time.time() < until
        time.sleep(0.2)
    again = solve(work, seconds=20.0)
    assert not waits(again)
    assert again.score.cost < first.score.cost
