"""What a round goes on from: what was approved is in force, and nothing is advised twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operate.test_inbox import START, advice
from tests.simulate.test_carry_out import shop
from twin.commands.proposals import Ground, moved_soon, routes, schedule
from twin.commands.rounds import _base, _best, _decided, _in_force, _prices
from twin.commands.trials import Stage, player
from twin.experiment import read_model
from twin.operate.configuration import Configuration, Gate
from twin.operate.database import connect
from twin.operate.desk import Desk
from twin.operate.gate import Trial, Verdict
from twin.operate.inbox import Filed, Standing
from twin.parameters import Calibration
from twin.plan import Answer, Operation, Order, Plan, Service, Status
from twin.recommendation import Action, Effect, Recommendation
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State

ANSWER = Answer(Status.FEASIBLE)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(connect(tmp_path / "operate.db"), "harbour", START, Configuration(), b"k" * 32,
                heard=lambda: START.timestamp() + 30 * 3600, beside=tmp_path / "pushed")


def setting(value: str, today: str) -> Recommendation:
    return replace(advice(), actions=(Action("set", "stock[W,tea].reorder_point", detail={
        "value": value, "today": today}),))


def test_an_approved_setting_is_in_force_until_the_model_is_edited(desk: Desk) -> None:
    desk.file([setting("9", "2")])
    network = shop(policy="s_Q", reorder_point=2, order_quantity=20)
    assert _in_force(desk, network) == {}
    desk.approve("R-1", "Ann")
    assert _in_force(desk, network) == {"stock[W,tea].reorder_point": "9"}
    edited = network.with_cell("stock[W,tea].reorder_point", 5)
    assert _in_force(desk, edited) == {}


def test_doing_nothing_goes_on_with_the_schedule_that_was_approved(desk: Desk) -> None:
    plan = Plan("schedule", "harbour", 30.0, ANSWER, operations=(
        Operation("P", "M", "g", "tea", 1, 1, 10, 31.0, 40.0),))
    said = replace(advice(), kind="schedule", plan=plan.document(),
                   actions=(Action("move", "M", 1.0),))
    desk.file([said])
    assert _base(desk, 35.0) == {}
    desk.approve("R-1", "Ann")
    assert _base(desk, 35.0) == {"schedule": ("R-1", plan)}
    assert _base(desk, 40.0) == {}


def test_a_service_that_was_approved_is_still_to_come(desk: Desk) -> None:
    plan = Plan("maintenance", "harbour", 30.0, ANSWER, services=(
        Service("M", "wear", 35.0, 37.0), Service("N", "wear", 90.0, 92.0)),
        cells={"failures[M,wear].service_after": "48h"})
    desk.file([replace(advice(), kind="maintenance", plan=plan.document())])
    desk.approve("R-1", "Ann")
    (_, left), = _base(desk, 40.0).values()
    assert ([one.asset for one in left.services], left.cells) == (["N"], {})
    assert _base(desk, 91.0) == {}


@pytest.mark.parametrize("how", ["approve", "reject"])
def test_what_was_decided_is_not_advised_again_before_it_would_have_expired(desk: Desk,
                                                                           how: str) -> None:
    desk.file([advice()])
    assert _decided(desk, 30.0) == {}
    if how == "approve":
        desk.approve("R-1", "Ann")
    else:
        desk.reject("R-1", "Ann", "no")
    assert set(_decided(desk, 47.0)) == {advice().identity}
    assert _decided(desk, 48.0) == {}


def test_a_base_is_played_under_every_trial() -> None:
    network = shop(on_hand=0)
    state = play(network, Scenario.baseline(), horizon_h=0.0, save_at=0.0).state
    assert state is not None
    stage = Stage(network, Calibration("nominal"), state, 240.0, 5)
    order = Plan("replenishment", "shop", 0.0, ANSWER,
                 orders=(Order("order", "W", "tea", 30.0, 0.0, "S"),))

    def rate(stage: Stage, plan: Plan | None) -> float:
        return player(stage, 1)([Trial(plan, 0)])[0]["fill_rate"]

    assert rate(stage, None) == 0.0
    assert rate(stage, order) == rate(replace(stage, base=order), None) > 0.3


def test_each_pair_draws_its_own_parameters_and_shares_them_with_its_twin(tmp_path: Path) -> None:
    from twin.parameters import Parameter

    network = shop()
    state = play(network, Scenario.baseline(), horizon_h=0.0, save_at=0.0).state
    assert state is not None
    learned = Calibration("seen", rows=(Parameter(
        "lanes", "S,W,road", "transit", value="lognormal(mean=2d, sd=12h)", n="5"),))
    stage = Stage(network, learned, state, 240.0, 5)
    means = [stage.drawn(run).lanes["S", "W", "road"].transit.mean()  # type: ignore[union-attr]
             for run in (0, 1, 0)]
    assert means[0] == means[2] != means[1]


def judged(gain: float, said: str = "better", otif: str = "no effect shown") -> Verdict:
    lost = -0.02 if otif == "worse" else 0.0
    return Verdict((
        Effect("running_cost", "EUR/d", -gain, -gain - 1.0, -gain + 1.0, 0.9, said, 90.0, (0, 99)),
        Effect("otif", "share", lost, lost - 0.001, lost + 0.001, 0.5, otif, 0.9, (0.8, 1.0))),
        20, "shown")


@pytest.mark.parametrize(("standing", "fresh", "chosen"), [
    (judged(10.0), judged(10.9), ["R-1"]),  # worth 9 % more: not worth the change
    (judged(10.0), judged(11.1), ["transfers"]),
    (judged(0.5, "no effect shown"), judged(0.4, "no effect shown"), ["R-1"]),
    (judged(-0.5, "no effect shown"), judged(0.4, "no effect shown"), []),
    (judged(10.0, otif="worse"), judged(5.0), ["transfers"]),
    (judged(-3.0, "worse"), judged(-1.0, "worse"), []),
], ids=["little more", "much more", "still a gain", "no gain", "serves worse", "both worse"])
def test_what_stands_is_moved_only_for_what_a_change_is_worth(
        standing: Verdict, fresh: Verdict, chosen: list[str]) -> None:
    plan = Plan("transfers", "harbour", 0.0, ANSWER)
    filed = Filed(1, replace(advice(), kind="transfers"), Standing.OPEN, "", "")
    assert _best({"transfers": plan}, {"R-1": plan}, {"R-1": filed},
                 {"transfers": fresh, "R-1": standing}, Gate(change=0.1)) == chosen


def test_what_was_approved_is_changed_only_for_what_a_change_is_worth(desk: Desk) -> None:
    advised = replace(advice(), kind="routes", plan=Plan("routes", "harbour", 0.0,
                                                         ANSWER).document())
    desk.file([advised])
    desk.approve("R-1", "Ann")
    base = {"routes": ("R-1", Plan("routes", "harbour", 0.0, ANSWER))}
    price = _prices(desk, base, Gate(change=0.5))
    assert price == {"routes": -0.5 * advised.effects[0].mean}
    assert price["routes"] > 0.0
    plan = base["routes"][1]
    for gain, chosen in ((0.9, []), (1.1, ["routes"])):
        assert _best({"routes": plan}, {}, {}, {"routes": judged(gain * price["routes"])},
                     Gate(), price) == chosen


def planned_and_lived(make: Callable[[Ground], Iterator[tuple[str, Plan]]], at_h: float,
                      then_h: float, limit: float) -> tuple[Ground, Plan, State]:
    """A plan for harbour at an hour, and how things stand when it has been followed for a while."""
    network = read_model("harbour")
    state = play(network, Scenario.baseline(), horizon_h=at_h, save_at=at_h).state
    assert state is not None
    ground = Ground(network, state, 1, 672.0, 8.0, limit, 20, 1)
    (_, first), = make(ground)
    later = play(network, Scenario.baseline(), horizon_h=then_h, save_at=then_h, state=state,
                 plan=first, seed=3).state
    assert later is not None
    return ground, first, later


@pytest.mark.long
def test_a_truck_that_is_about_to_leave_keeps_its_tour() -> None:
    ground, first, later = planned_and_lived(routes, 727.0, 1.0, 2.0)
    now, waiting = later.clock_h, {order["number"] for order in later.orders}
    soon = [one for one in first.routes if now <= one.depart < now + 8.0 and all(
        order in waiting for visit in one.visits for order, _, _ in visit.drops)]
    assert soon
    for _, held in routes(replace(ground, state=later, seed=2, standing={"routes": first})):
        assert [one for one in held.routes if one in soon] == soon
        trucks = [one.truck for one in held.routes]
        assert len(trucks) == len(set(trucks))


@pytest.mark.long
def test_a_schedule_in_force_is_not_turned_over() -> None:
    ground, first, later = planned_and_lived(schedule, 720.0, 6.0, 4.0)
    (_, free), = schedule(replace(ground, state=later))
    (_, held), = schedule(replace(ground, state=later, standing={"schedule": first}))
    now = later.clock_h
    assert moved_soon(first, held, now, 8.0) == 0
    assert moved_soon(first, held, now, 1e6) < moved_soon(first, free, now, 1e6)
