"""A plan in force, re-scheduled: few operations move, and the search that sees to it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from twin.optimize import sequence_search
from twin.optimize.dispatch_rules import RULES, dispatch, follow
from twin.optimize.rescheduling import frontier, in_force
from twin.optimize.schedule import plan_of, quick, solve
from twin.optimize.schedule_changes import changes
from twin.optimize.schedule_check import broken_rules
from twin.optimize.schedule_repair import matched_up, repaired
from twin.optimize.schedule_score import BROKEN, Schedule, moved, score
from twin.optimize.schedule_work import Goal, Job, Task, Tool, Work
from twin.optimize.sequence_moves import place_all
from twin.optimize.sequence_search import SequenceSearch, fits


def drawn(seed: int, lots: int = 8) -> Work:
    """A shop with hours, set-ups, components, started work and due dates."""
    luck = Random(seed)
    jobs = []
    for j in range(lots):
        tasks = [Task(tuple((m, luck.randint(10, 60)) for m in luck.sample(range(3), 2)), k,
                      delay=luck.choice((0, 15)), family=luck.choice(("", "red", "blue")),
                      setup=10) for k in range(3)]
        if not j:
            tasks[0] = replace(tasks[0], ways=tasks[0].ways[:1], started=5)
        jobs.append(Job(tuple(tasks), f"lot {j}", luck.randint(0, 90) if j else 0,
                        luck.randint(60, 300), luck.randint(1, 3), tail=luck.choice((0, 20)),
                        after=(j - 1,) if j and luck.random() < 0.2 else (), order=j + 1,
                        deadline=2000))
    setups = {("g", a, b): (luck.randint(0, 30), luck.randint(1, 5))
              for a in ("", "red", "blue") for b in ("red", "blue") if a != b}
    tools = (Tool("saw", "g", ((120, 180), (400, 460))), Tool("drill", "g", family="red"),
             Tool("oven", "h", ((30, 200),)))
    return Work(tuple(jobs), tools, setups, goal=Goal("all", 100, 1, 7))


def broken_down(work: Work, minutes: int = 240, **settings: float | None) -> Work:
    """The work with its best quick plan in force, and its first machine down from now on."""
    plan = plan_of(quick(work, seconds=0.05), "shop", 0.0)
    down = replace(work, tools=(replace(work.tools[0], closed=((0, minutes),)),
                                *work.tools[1:]))
    return in_force(down, plan, 0.0, settings.get("price") or 0.0, share=settings.get("share"))


@pytest.mark.long
@pytest.mark.skipif(not fits(drawn(0)), reason="needs Numba")
@pytest.mark.parametrize("seed", range(12))
def test_the_compiled_search_counts_what_the_score_counts(
        seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence_search, "_BEFORE", 600)
    monkeypatch.setattr(sequence_search, "_DESCENT", 1500)  # about three descents
    work = broken_down(drawn(seed), share=(None, 0.2, 0.5)[seed % 3], price=seed % 2 * 1.5)
    start = dispatch(work, RULES["fifo"])
    search = SequenceSearch(work, start, seed, memory=50)
    found = search.search(tries=300)
    assert broken_rules(work, found) == []
    assert score(work, found).cost == search.best_cost <= score(work, start).cost
    claimed = search._made()  # as tables have it, and as the shop places it
    now = replace(work, most_moved=search._most)
    assert score(now, claimed).cost == int(search._costs[1])


def crowded(seed: int) -> Work:
    """A shop whose crews are short, with ovens that take several lots, services that are due, and
    work that has begun."""
    luck = Random(seed)
    jobs = []
    for j in range(8):
        tasks = [Task(((2, 50),), 0, family="red", batch="bake", room=2)] if luck.random() < 0.7 \
            else []
        tasks += [Task(tuple((m, luck.randint(10, 60)) for m in luck.sample(range(2), 2)), k,
                       family=luck.choice(("", "red")), setup=10,
                       crew=luck.choice((-1, 1))) for k in (1, 2)]
        if j < 2:  # the oven works on two lots, or a lot is on the saw
            ways = tasks[0].ways[:1]
            tasks[0] = replace(tasks[0], ways=((ways[0][0], 25),), started=25)
        release = luck.choice((0, 0, 40)) if j > 1 else 0
        jobs.append(Job(tuple(tasks), f"lot {j}", release, luck.randint(60, 300),
                        luck.randint(1, 3), after=(j - 1,) if j > 2 and luck.random() < 0.2
                        else (), order=j + 1))
    jobs += [Job((Task(((m, 30),), crew=2),), f"service of {m}", service="wear", tail=m,
                 deadline=luck.randint(120, 400)) for m in (0, 0, 2)]
    tools = (Tool("saw", "g", ((120, 180), (400, 460)), crew=0), Tool("drill", "g", crew=0),
             Tool("oven", "h", ((30, 60),), crew=luck.choice((-1, 0))))
    return Work(tuple(jobs), tools, {}, (luck.choice((1, 2)), 1, 1), ("a", "b", "c"),
                Goal("all", 100, 1, 7))


@pytest.mark.long
@pytest.mark.skipif(not fits(drawn(0)), reason="needs Numba")
def test_crews_batches_and_services_are_placed_as_the_shop_places_them() -> None:
    for seed in range(30):
        work = crowded(seed)
        start = dispatch(work, RULES["fifo"])
        search = SequenceSearch(work, start, seed)
        own, luck = search._own, Random(seed)
        for _ in range(20):
            keys = [luck.uniform(0.0, 400.0) for _ in own]
            machine = [luck.choice((-1, luck.choice(task.ways)[0]))
                       for job in work.jobs for task in job.tasks]
            raised = np.array(keys)[own]
            n, jobs, tools = len(own), len(work.jobs), len(work.tools)
            begun, over, on = (np.zeros(n, np.int64) for _ in range(3))
            cost = place_all(search.tables, raised, np.array(machine)[own], np.zeros(n, bool),
                             np.arange(n), begun, over, on, np.zeros(jobs, np.int64),
                             np.zeros(tools, np.int64), np.zeros(tools, np.int64))
            back = np.empty(n)
            back[own] = raised
            told = follow(work, back.tolist(), machine)
            assert np.array(told.start)[own].tolist() == begun.tolist()
            assert np.array(told.end)[own].tolist() == over.tolist()
            assert np.array(told.machine)[own].tolist() == on.tolist()
            found = score(work, told)
            assert cost == found.cost - found.beyond * BROKEN


def work_centres(seed: int, lots: int = 24) -> Work:
    """Lots with four operations each, in three centres of two machines."""
    luck = Random(seed)
    jobs = []
    for j in range(lots):
        steps = [(luck.randrange(3), luck.randint(30, 120)) for _ in range(4)]
        release = luck.randint(0, 30 * lots)
        jobs.append(Job(tuple(Task(((2 * c, minutes), (2 * c + 1, minutes)), k)
                              for k, (c, minutes) in enumerate(steps)), f"lot {j}", release,
                        release + luck.randint(300, 600), luck.choice((1, 2, 4)), order=j + 1))
    return Work(tuple(jobs), tuple(Tool(f"M{m}", f"g{m // 2}") for m in range(6)))


@pytest.mark.long
@pytest.mark.skipif(not fits(drawn(0)), reason="needs Numba")
def test_lots_put_anew_save_what_one_operation_at_a_time_does_not() -> None:
    free, held = 0.0, 0
    for seed in range(4):
        work = work_centres(seed, 40)
        rule = min((dispatch(work, rule) for rule in RULES.values()),
                   key=lambda one: score(work, one).cost)
        found = SequenceSearch(work, rule, seed).search(tries=40_000)
        free += score(work, found).cost / score(work, rule).cost / 4
        work = broken_down(work, share=0.1)
        mended = min(repaired(work), key=lambda one: score(work, one).cost)
        found = SequenceSearch(work, mended, seed).search(tries=200_000)
        assert not score(work, found).broken
        held += score(work, found).tardiness
    assert free < 0.91  # one operation at a time: 0.942; lots: 0.873
    assert held < 85_000  # one operation at a time: 89,191; lots: 79,784


@pytest.mark.long
@pytest.mark.skipif(not fits(drawn(0)), reason="needs Numba")
def test_the_compiled_search_repeats() -> None:
    work = broken_down(drawn(3), share=0.3)
    one, other = (SequenceSearch(work, dispatch(work, RULES["fifo"]), 5).search(tries=2000)
                  for _ in range(2))
    assert one == other


@pytest.mark.parametrize("seed", range(6))
def test_a_mended_plan_is_a_schedule(seed: int) -> None:
    work = broken_down(drawn(seed))
    for one in repaired(work):
        assert [text for text in broken_rules(work, one) if "deadline" not in text] == []


def test_matching_up_moves_only_what_waits_for_the_machine() -> None:
    lots = tuple(Job((Task(((i % 2, 60),)), Task(((2 + i, 60),), 1)), f"lot {i}", order=i + 1)
                 for i in range(4))
    work = broken_down(Work(lots, tuple(Tool(f"M{m}") for m in range(6))))
    found = matched_up(work)
    assert [divmod(v, 2) for v in moved(work, found)] == [(0, 1), (2, 1)]


def test_moves_beyond_what_may_break_a_schedule() -> None:
    work = Work((Job((Task(((0, 60),)),)),), (Tool("saw"),), plan=((0, 0),), most_moved=0)
    late = Schedule((0,), (31,), (91,), (31,))
    assert (score(work, late).beyond, score(work, late).broken) == (1, True)
    assert not score(replace(work, most_moved=1), late).broken
    assert not score(work, Schedule((0,), (30,), (90,), (30,))).broken


@pytest.mark.parametrize(("schedule", "cause"), [
    (Schedule((0, 1, 1), (90, 150, 60), (150, 210, 120), (90, 150, 60)), "step 0 ends only then"),
    (Schedule((0, 1, 1), (0, 120, 60), (60, 180, 120), (0, 120, 60)), "drill works on b step 0"),
    (Schedule((0, 2, 1), (0, 60, 200), (60, 120, 260), (0, 60, 200)), "the objective gains"),
], ids=["predecessor", "machine taken", "better"])
def test_a_move_has_a_cause(schedule: Schedule, cause: str) -> None:
    work = Work((Job((Task(((0, 60),)), Task(((1, 60), (2, 60)), 1)), "a"),
                 Job((Task(((1, 60),)),), "b")), (Tool("saw"), Tool("drill"), Tool("press")),
                plan=(None, (1, 60), None))
    assert cause in changes(work, schedule)[1].message


@pytest.mark.long
def test_no_more_move_than_may_or_must() -> None:
    work = broken_down(drawn(2), share=0.0)
    found = solve(work, seconds=10, seed=1)
    assert found.fewest is not None
    assert len(moved(found.work, found.schedule)) == found.work.most_moved == found.fewest > 0
    assert found.answer.objective == pytest.approx(found.score.cost / 6000)
    assert any(f"At least {found.fewest}" in reason.message for reason in found.answer.reasons)
    eased = solve(replace(work, most_moved=found.fewest + 2), seconds=10, explain=False)
    assert len(moved(eased.work, eased.schedule)) <= found.fewest + 2
    assert eased.score.tardiness <= found.score.tardiness


@pytest.mark.long
def test_a_frontier_falls() -> None:
    work = broken_down(drawn(2))
    points = frontier(work, [], seconds=6, shares=(0.0, 0.3, None))
    assert points == sorted(points)
    assert [cost for _, cost in points] == sorted((cost for _, cost in points), reverse=True)
