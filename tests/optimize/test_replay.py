"""Plans against today's policies: figures of a replay, planning anew, what is proposed jointly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulate.chains import BASELINE, events, shelf
from twin.__main__ import main
from twin.commands.optimize_all import Part, chosen, verdict
from twin.commands.replay import Shown, replay, shown
from twin.plan import Answer, Order, Plan, Status
from twin.simulate.play import play
from twin.state import State
from twin.tally import Tally


def tally(run: int, holding: float, at_once: float) -> Tally:
    return Tally("x", run, 0.0, 48.0, {("holding_cost", "W", "A", ""): holding,
                                       ("units_ordered", "W", "A", ""): 100.0,
                                       ("units_at_once", "W", "A", ""): at_once})


def test_figures_of_a_replay_are_paired_and_hold_together() -> None:
    old = [tally(run, 20.0 + run, 90.0 + run) for run in range(4)]
    new = [tally(run, 10.0 + run, 88.0 + run) for run in range(4)]
    money, fill = shown(shelf(), old, new)
    assert (money.kpi, money.today, money.change, money.low, money.high, money.verdict) == (
        "running_cost", 10.75, -5.0, -5.0, -5.0, "better")
    assert (fill.kpi, fill.verdict, fill.pairs) == ("fill_rate", "worse", 4)
    assert fill.change == pytest.approx(-0.02)


def test_a_planner_is_asked_again_from_where_the_world_has_come_to() -> None:
    seen: list[float] = []

    def planner(state: State) -> Plan:
        seen.append(state.clock_h)
        told = Order("order", "W", "A", 1.0 + len(seen), state.clock_h + 2.0)
        late = Order("order", "W", "A", 50.0, state.clock_h + 29.0)  # planned anew before it comes
        return Plan("allocation", "x", state.clock_h, Answer(Status.FEASIBLE), (), (),
                    (told, late), holds_h=24.0)

    rows = events(shelf({"on_hand": 50}), 60.0, "ordering", planner=planner, every_h=24.0)
    assert seen == [24.0, 48.0]
    assert rows == [(26.0, 2.0), (50.0, 3.0)]
    with pytest.raises(ValueError, match="leaves no time"):
        play(shelf(), BASELINE, horizon_h=9.0, planner=planner)


def test_a_plan_that_does_nothing_changes_nothing() -> None:
    network = shelf({"on_hand": 5, "policy": "s_Q", "reorder_point": 3, "order_quantity": 5,
                     "holding_cost": 1})
    plan = Plan("all", "x", 0.0, Answer(Status.FEASIBLE))
    rows = replay(network, plan, None, horizon_h=240.0, count=2, seed=1, workers=1)
    assert rows
    assert all((row.change, row.low, row.high) == (0.0, 0.0, 0.0) for row in rows)


def figure(kpi: str, change: float, word: str) -> Shown:
    return Shown(kpi, "", 1.0, change, change - 0.1, change + 0.1, word, 8)


SAVES = figure("running_cost", -5.0, "better")


@pytest.mark.parametrize(("rows", "said"), [
    ([SAVES, figure("otif", 0.0, "no effect shown")], ""),
    ([SAVES, figure("otif", -0.001, "worse")], "otif -0.0010"),
    ([SAVES, figure("fill_rate", -0.02, "no effect shown")], "serve customers worse"),
    ([figure("running_cost", -5.0, "no effect shown")], "no saving was shown"),
    ([figure("otif", 0.1, "better")], ""),
    ([figure("otif", 0.1, "no effect shown")], "no better service was shown"),
], ids=["saves", "otif is worse", "fill rate may be", "nothing shown", "no money", "neither"])
def test_what_serves_customers_worse_is_not_proposed(rows: list[Shown], said: str) -> None:
    assert verdict(rows).startswith(said) or said in verdict(rows)
    assert (verdict(rows) == "") == (said == "")


def test_of_rival_parts_the_one_that_saves_most_is_kept() -> None:
    poor = [figure("running_cost", -9.0, "better"), figure("otif", -0.02, "worse")]
    tried = {name: (Part(name, {}, rival=rival), rows) for name, rival, rows in (
        ("policies", "stock", poor), ("careful", "stock", [SAVES]),
        ("flows", "stock", [figure("running_cost", -6.0, "better")]),
        ("routes", "", [figure("running_cost", -1.0, "no effect shown")]),
        ("schedule", "", [figure("running_cost", 1.0, "no effect shown")]))}
    assert [part.name for part in chosen(tried)] == ["flows", "routes"]


@pytest.mark.parametrize("words", [
    ["allocation", "window=14d"], ["maintenance", "days=9"], ["schedule", "limit=2s", "report=no"],
    ["routes", "limit=2s", "report=no"]], ids=lambda words: words[0])
@pytest.mark.long
def test_each_kind_of_plan_is_played_against_today(words: list[str], tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", *words, "models=harbour", "pairs=2", "simulate.workers=1",
                 "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "Played against today's policies: 2 pairs" in out
    assert "running_cost" in (tmp_path / "latest" / "replay.csv").read_text()


@pytest.mark.long
def test_all_of_it_is_planned_and_judged(tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "all", "models=harbour", "horizon=20d", "budget=8", "pairs=3",
                 "window=21d", "simulate.workers=1", "--output", str(tmp_path)]) == 0
    plan = Plan.read(tmp_path / "latest" / "plan.json")
    assert plan.kind == "all"
    told = {reason.subject for reason in plan.answer.reasons}
    assert {"schedule", "routes", "flows"} & told
    assert "why not: harbour: keep today's policies" in capsys.readouterr().out or plan.cells \
        or plan.operations or plan.routes or plan.orders
