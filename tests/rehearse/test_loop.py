"""The closed loop: the twin's advice reaches the operation, and both are scored alike."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.tea import write_tea
from twin.__main__ import main
from twin.network import Network
from twin.plan import Answer, Order, Plan, Status
from twin.recommendation import Action, Effect, Recommendation
from twin.rehearse.books import Books
from twin.rehearse.branch import branch
from twin.rehearse.channel import InProcess
from twin.rehearse.loop import Looped, Terms, close_loop
from twin.rehearse.loop_study import interval, summary
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.truth import Truth
from twin.rehearse.wire import Command, parse_command
from twin.scenario import Scenario
from twin.simulate.operation import Operation
from twin.store import Store


def shop(**stock: Any) -> Network:
    """A shelf of tea that is filled from a garden two days away; a unit is asked for at noon."""
    return Network(
        name="tea", sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "tea", "value": 4}],
        supply=[{"site": "S", "product": "tea", "lead_time": "1d", "order_cost": 6}],
        lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "1d"}],
        stock=[{"site": "W", "product": "tea", "on_hand": 30, "policy": "s_S", "reorder_point": 10,
                "order_up_to": 40, "holding_cost": 1, "backorder_cost": 5, **stock}],
        demand=[{"site": "W", "product": "tea", "interarrival": "constant(1d)", "start": "12h"}])


# ---- what an operation can be asked to do ----


def test_settings_that_must_fit_together_wait_for_one_another() -> None:
    life = Operation(shop(), Scenario.baseline())
    assert not life.set("stock[W,tea].order_up_to", "8")  # below today's reorder point
    assert life.network.stock["W", "tea"].order_up_to == 40
    assert life.set("stock[W,tea].reorder_point", "3")
    row = life.network.stock["W", "tea"]
    assert (row.reorder_point, row.order_up_to) == (3, 8)
    life.run(24.0 * 40)
    assert max(shelf.on_hand for shelf in life.view().shelves) <= 8


@pytest.mark.parametrize(("cell", "value", "why"), [
    ("stock[W,tea].order_up_to", "many", "many"),
    ("stock[W,coal].order_up_to", "4", "no such row"),
    ("lanes[S,W,road].transit", "2d", "no setting of stock"),
])
def test_what_cannot_be_set_is_refused(cell: str, value: str, why: str) -> None:
    life = Operation(shop(), Scenario.baseline())
    with pytest.raises(ValueError, match=why):
        life.set(cell, value)


def test_an_operation_does_what_was_pushed() -> None:
    rehearsal = Rehearsal(shop(), Truth("tea", 1), sensing=False)
    number = rehearsal.execute(Command("k1", "W", "tea", 7.0, "S"))
    rehearsal.step(96.0)
    placed = rehearsal.operation.ledger.frame()
    assert placed[placed["order"] == number]["quantity"].tolist()[0] == 7.0
    rehearsal.execute(Command("k2", "W", "tea", 5.0, "S", verb="transfer", mode="road"))
    rehearsal.step(100.0)
    rows = rehearsal.operation.ledger.frame()
    assert rows[(rows["event"] == "ordering") & (rows["to_site"] == "S")]["quantity"].tolist() == [
        7.0, 5.0]


@pytest.mark.parametrize(("said", "expected"), [
    ({"key": "k", "kind": "transfer", "target": "W/tea", "quantity": 4, "source": "S",
      "mode": "road", "verb": "transfer", "unit": "units"},
     Command("k", "W", "tea", 4.0, "S", "transfer", "road")),
    ({"specversion": "1.0", "id": "k", "type": "twin.cancel",
      "data": {"target": "W/tea", "quantity": 4, "order": "17"}},
     Command("k", "W", "tea", 4.0, verb="cancel", order=17)),
    ({"key": "k", "kind": "set", "target": "stock[W,tea].order_up_to", "value": "9"},
     Command("k", "", "", 0.0, verb="set", cell="stock[W,tea].order_up_to", value="9")),
])
def test_what_the_outbox_pushes_is_understood(said: dict[str, Any], expected: Command) -> None:
    assert parse_command(json.dumps(said).encode()) == expected


@pytest.mark.parametrize(("said", "why"), [
    ({"key": "k", "kind": "paint", "target": "W/tea", "quantity": 4}, "'paint' cannot be done"),
    ({"key": "k", "kind": "set", "target": "stock[W,tea].order_up_to"}, "value is missing"),
    ({"key": "k", "kind": "cancel", "target": "W/tea", "quantity": 4, "order": "PO"},
     "is not the number of an order"),
    ({"key": "k", "kind": "order", "target": "W", "quantity": 4}, "site is missing"),
])
def test_what_cannot_be_understood_is_said(said: dict[str, Any], why: str) -> None:
    answer = parse_command(json.dumps(said).encode())
    assert isinstance(answer, str)
    assert why in answer


# ---- how it is scored ----


def test_the_books_hold_what_happened() -> None:
    """Thirty units fall by one a day: at noon of the first day 30 turn into 29, and so on."""
    life = Operation(shop(policy=None, reorder_point=None, order_up_to=None), Scenario.baseline())
    books = Books(life, life.network)
    books.write()
    for day in (7, 14):
        life.run(24.0 * day)
        books.write()
    assert [point.day for point in books.points] == [0.0, 7.0, 14.0]
    assert books.points[1].cost == pytest.approx(7 * 30 - sum(range(7)) - 7 / 2)
    assert books.points[2].cost == pytest.approx(14 * 30 - sum(range(14)) - 14 / 2)
    assert books.otif() == 1.0


def test_a_branch_is_the_same_luck_with_a_plan_and_without() -> None:
    """One unit more from the third day on: a holding cost of 1 a day, less the days before."""
    life = Operation(shop(policy=None, reorder_point=None, order_up_to=None), Scenario.baseline())
    life.run(24.0)
    plan = Plan("transfers", "tea", 24.0, Answer(Status.FEASIBLE),
                orders=(Order("transfer", "W", "tea", 1.0, 24.0, "S", "road"),))
    advice = Recommendation(
        "tea", "transfers", (Action("transfer", "W/tea", 1.0),),
        (Effect("running_cost", "EUR/d", -3.0, -5.0, -1.0, 0.8, "better", 9.0, (8.0, 10.0)),),
        made_h=24.0, expires_h=48.0, horizon_h=240.0)
    found = branch(life.network, life.save(), advice, plan, True, seed=1, replications=2)
    assert (found.promised, found.low, found.high, found.chance) == (3.0, 1.0, 5.0, 0.8)
    cost = 8.0 + 6.0  # eight days on the shelf, and the cost of the order
    assert found.gains == pytest.approx((-cost / 10.0, -cost / 10.0))


def looped(seed: int, gain: float) -> Looped:
    from twin.rehearse.books import Point
    from twin.rehearse.branch import Branch

    return Looped("tea", "EUR", seed, [], [Point(0, 0, math.nan), Point(10, 100 - 10 * gain, 0.9)],
                  [Point(0, 0, math.nan), Point(10, 100, 0.9)], (0.9, 0.9),
                  [Branch("transfers", "", 0.9, 3.0, 1.0, 5.0, (gain,), bool(seed % 2))])


@pytest.mark.parametrize(("gains", "word"), [
    ((1.0, 1.2, 0.8, 1.1), "saves 1 EUR a day"), ((-1.0, -1.2, -0.8, -1.1), "costs -1 EUR a day"),
    ((1.0, -1.2, 0.3, -0.4), "no effect shown"),
])
def test_a_study_says_whichever_way_it_falls(gains: tuple[float, ...], word: str) -> None:
    lines: list[str] = []
    summary([looped(seed, gain) for seed, gain in enumerate(gains)], lines.append)
    assert word in lines[1]
    assert any("that was ignored" in line for line in lines)
    assert any("Brier" in line for line in lines)
    assert interval(gains)[0] == pytest.approx(sum(gains) / 4)


# ---- the whole loop ----

QUICK = Terms(days=28.0, every=14.0, after=14.0, horizon=14.0, kinds=("policies",),
              replications=16, budget=4, sample=0.0, workers=1)


@pytest.fixture
def tea(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_tea(tmp_path / "ours"))
    return tmp_path


def in_process(rehearsal: Rehearsal, store: Store, folder: Path) -> InProcess:
    return InProcess(rehearsal, store, folder)


@pytest.mark.long
def test_an_operation_whose_twin_is_ignored_is_the_one_without(tea: Path) -> None:
    """Listening changes nothing, to the last cent; and what was ignored is scored all the same."""
    from dataclasses import replace

    from twin.commands.calibrate import streams_of
    from twin.rehearse.truth import hide
    from twin.workspace import Workspace

    workspace = Workspace()
    network = workspace.network("tea").with_cells({"stock[depot,tea].order_up_to": "400"})
    terms = replace(QUICK, approve=0.0, branches=1)
    found = close_loop(network, hide(network, 4), terms, in_process, tea / "loop",
                       streams=streams_of(workspace))
    assert found.gain == 0.0
    assert [point.cost for point in found.taken] == [point.cost for point in found.plain]
    assert len(found.rounds) == 2
    assert found.rounds[1].readings > 50
    assert found.rounds[1].parameters > 0
    assert sum(len(one.advised) for one in found.rounds) == len(found.branches)
    assert not any(one.taken or one.done for one in found.rounds)


@pytest.mark.long
def test_advice_comes_back_over_a_broker_as_it_does_in_process(tea: Path) -> None:
    """A depot that orders far too much: the twin says so, and the operation orders less."""
    from twin.commands.calibrate import streams_of
    from twin.rehearse.channel import OverBroker
    from twin.rehearse.truth import hide
    from twin.sense.broker import embedded_broker
    from twin.workspace import Workspace

    workspace = Workspace()
    network = workspace.network("tea").with_cells({
        "stock[depot,tea].order_up_to": "400", "stock[depot,tea].reorder_point": "200",
        "stock[depot,tea].holding_cost": "1"})
    truth, streams = hide(network, 4), streams_of(workspace)
    with embedded_broker() as url:
        over = close_loop(network, truth, QUICK,
                          lambda rehearsal, store, _: OverBroker(rehearsal, store, url),
                          tea / "over", streams=streams)
    within = close_loop(network, truth, QUICK, in_process, tea / "within", streams=streams)
    for found in (over, within):
        assert sum(one.done for one in found.rounds) >= 1
        assert found.gain > 0.0
        assert found.refused == []
    # Until something was done, the same was heard; only when it was known differs, by the tick.
    first = [one.done > 0 for one in over.rounds].index(True)
    assert [one.readings for one in over.rounds[:first + 1]] == [
        one.readings for one in within.rounds[:first + 1]]
    assert [point.cost for point in over.plain] == [point.cost for point in within.plain]


@pytest.mark.long
def test_the_verb_shows_a_pair_and_counts_many(tea: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["models=tea", "for=28d", "every=14d", "after=7d", "horizon=14d", "replications=16",
             "budget=4", "workers=1"]
    assert main(["loop", *quick, "broker=embedded"]) == 0
    said = capsys.readouterr().out
    assert "An example, one hidden truth of tea (seed 1), 35 days" in said
    assert (tea / "ours" / "outputs" / "tea-loop.png").stat().st_size > 10_000
    assert main(["loop", *quick, "truths=3"]) == 0
    said = capsys.readouterr().out
    assert "3 hidden truths of tea, 35 days each" in said
    assert len(json.loads((tea / "ours" / "outputs" / "tea-loop-study.json").read_text())) == 3


def test_no_time_at_all_is_refused(tea: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loop", "models=tea", "every=0d"]) == 2
    assert "every is no time at all" in capsys.readouterr().err
