"""From the live state to a pushed decision, by the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tea import FILES, write_tea
from twin.__main__ import main
from twin.commands.recommend import WATCH_KEYS
from twin.commands.trials import as_heard
from twin.ledger import Ledger
from twin.operate.desk import Desk
from twin.readings import to_frame
from twin.recommendation import Action, Effect, Recommendation
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.witness import readings_of_ledger
from twin.workspace import Workspace

pytest.importorskip("sqlalchemy", reason="needs the extra operate")

OPERATE = """\
operate:
  gate:
    horizon: 40d
    replications: 40
    block: 20
"""
#: A shelf that orders far too late.
POOR = FILES["models/tea/stock.csv"].replace("40,80,0.01", "2,40,0.01")

Twin = Callable[..., tuple[int, str]]


@pytest.fixture
def tea(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> Callable[..., Twin]:
    """Makes a workspace, and a command line in it: exit code and everything that is printed."""
    monkeypatch.setenv("TWIN_AUDIT_KEY", "5e" * 32)
    monkeypatch.setenv("COLUMNS", "200")

    def make(operate: str = OPERATE, stock: str = POOR, where: str = "ours") -> Twin:
        folder = write_tea(tmp_path / where, models_tea_yaml=FILES["models/tea.yaml"] + operate,
                           models_tea_stock_csv=stock)

        def twin(*words: str) -> tuple[int, str]:
            code = main([*words, "models=tea", "--workspace", str(folder), "--output",
                         str(folder / "outputs")])
            said = capsys.readouterr()
            return code, said.out + said.err

        return twin

    return make


def advised(twin: Twin, *words: str) -> dict[str, Any]:
    code, said = twin("recommend", "kinds=policies", "budget=15", "simulate.workers=1", "--json",
                      "--quiet", *words)
    assert code == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


#: What somebody may have been advised on day 0.
FILED = Recommendation(
    "tea", "replenishment",
    (Action("set", "stock[depot,tea].reorder_point", value=99.0,
            detail={"value": "30", "today": "2"}),),
    (Effect("running_cost", "EUR/d", -5.0, -6.0, -4.0, 0.9, "better", 20.0, (15.0, 25.0)),
     Effect("heard_cost", "EUR/d", 0.0, 0.0, 0.0, 0.5, "no effect shown", 12.0, (9.0, 14.0))),
    ("the shelf is empty too often",), expires_h=24.0, horizon_h=240.0, seed=5, replications=20)


def file(tmp_path: Path, advice: Recommendation = FILED) -> None:
    with Desk.open(Workspace(tmp_path / "ours"), "tea") as desk:
        desk.file([advice], 0.0)


@pytest.mark.long
def test_what_is_shown_to_be_better_is_advised_and_the_same_state_gives_the_same(
        tea: Callable[..., Twin]) -> None:
    first, second = (advised(tea(where=where)) for where in ("one", "two"))
    assert first == second
    one, = first["recommendations"]
    advice = one["recommendation"]
    assert one["name"] == "R-1"
    assert {action["verb"] for action in advice["actions"]} == {"set"}
    assert [effect["kpi"] for effect in advice["effects"]] == [
        "running_cost", "otif", "heard_cost", "heard_otif"]
    money = advice["effects"][0]
    assert money["verdict"] == "better"
    assert money["low"] <= money["mean"] <= money["high"] < 0.0
    assert advice["against"] == "doing nothing"
    assert set(advice["digests"]) == {"model", "calibration", "state", "plan", "search", "stage"}
    assert advice["seed"] != int(advice["digests"]["search"])


@pytest.mark.long
def test_advice_persists_is_decided_once_and_is_not_repeated(tea: Callable[..., Twin]) -> None:
    twin = tea()
    advised(twin)
    assert [one["name"] for one in advised(twin)["recommendations"]] == ["R-1"]
    code, said = twin("inbox")
    assert code == 0
    assert "R-1" in said
    assert "replenishment: approve (as configured)" in said
    code, said = twin("show", "r-1")
    assert "Against doing nothing, over 40d, 20 pairs" in said
    assert "Held to, as events will tell (80 % band):" in said
    assert json.loads(twin("show", "R-1", "again=yes", "--json")[1])["again"]["same"] is True
    assert twin("approve", "R-1") == (2, "an approval needs a name. Write --by NAME.\n")
    code, said = twin("approve", "R-1", "--by", "ann")
    assert code == 0
    assert "Approved by ann" in said
    assert "to files: sent" in said
    assert twin("approve", "R-1", "--by", "ann") == (
        2, "R-1 is approved; only what stands open can be approved.\n")
    again = advised(twin)
    assert again["recommendations"] == []
    code, said = twin("undo", "R-1", "--by", "bob")
    assert "R-1 is undone" in said
    assert "/undo to files: sent" in said
    assert twin("audit", "verify")[0] == 0
    assert twin("push") == (0, "Sent 0, put off 0, given up 0.\n")


def test_a_rejection_has_a_reason_and_silences_the_advice(
        tea: Callable[..., Twin], tmp_path: Path) -> None:
    twin = tea()
    file(tmp_path)
    assert twin("reject", "R-1")[0] == 2
    code, said = twin("reject", "R-1", "--reason", "Stock, is [counted] next week.", "--by", "ann")
    assert code == 0
    assert "Rejected by ann" in said
    assert "Stock, is [counted] next week." in said
    assert advised(twin)["in_hand"] == ["R-1 (rejected): " + FILED.title]


@pytest.mark.long
def test_advice_stands_while_the_state_moves_on(
        tea: Callable[..., Twin], tmp_path: Path) -> None:
    twin = tea(OPERATE.replace("40d", "30d") + "    expires: 9d\n")
    network = Workspace(tmp_path / "ours").network("tea")
    for day in (5, 6):
        state = play(network, Scenario.baseline(), horizon_h=24.0 * day, save_at=24.0 * day).state
        assert state is not None
        state.write(tmp_path / f"day{day}.json")
    before, = advised(twin, f"from={tmp_path / 'day5.json'}")["recommendations"]
    found = advised(twin, f"from={tmp_path / 'day6.json'}")
    after, = found["recommendations"]
    # a new plan was found, and the old one stands: it is worth nearly as much
    assert set(found["judged"]) > {"R-1"}
    assert after["name"] == before["name"] == "R-1"
    assert after["recommendation"]["actions"] == before["recommendation"]["actions"]
    assert after["recommendation"]["made_h"] == 144.0
    assert after["recommendation"]["effects"] != before["recommendation"]["effects"]


def test_a_gain_of_pennies_is_not_advised(tea: Callable[..., Twin]) -> None:
    twin = tea(OPERATE + "    worth: 1\n", stock=FILES["models/tea/stock.csv"])
    code, said = twin("recommend", "kinds=orders,maintenance,routes,schedule",
                      "simulate.workers=1")
    assert code == 0
    assert "Nothing is advised" in said
    assert twin("inbox") == (0, "Nothing is open for tea. Ask for advice with 'twin recommend "
                                "models=tea'.\n")


def test_expired_advice_cannot_be_approved(tea: Callable[..., Twin], tmp_path: Path) -> None:
    twin = tea()
    file(tmp_path, replace(FILED, expires_h=0.0))
    code, said = twin("approve", "R-1", "--by", "ann")
    assert (code, said) == (2, "R-1 is expired; only what stands open can be approved.\n")


def test_a_rail_holds_and_says_why(
        tea: Callable[..., Twin], tmp_path: Path) -> None:
    twin = tea(OPERATE + "  rails:\n    any: {value: 1}\n")
    file(tmp_path)
    code, said = twin("approve", "R-1", "--by", "ann")
    assert code == 2
    assert said.startswith("R-1 may not be pushed: it moves ")


def test_on_the_rung_advise_the_decision_is_kept_and_nothing_leaves(tea: Callable[..., Twin],
                                                                    tmp_path: Path) -> None:
    twin = tea(OPERATE + "  ladder: {any: advise}\n")
    file(tmp_path)
    _, said = twin("approve", "R-1", "--by", "ann")
    assert "Nothing is pushed: replenishment is on the rung advise." in said
    assert not (tmp_path / "ours" / "store" / "tea" / "pushed").exists()


def test_what_cannot_be_played_again_says_why(tea: Callable[..., Twin], tmp_path: Path) -> None:
    twin = tea()
    file(tmp_path)
    code, said = twin("show", "R-1", "again=yes")
    assert code == 2
    assert "it cannot be played again" in said


@pytest.mark.parametrize(("words", "told"), [
    (("show", "R-99"), "there is no recommendation 'R-99' of tea. See twin inbox."),
    (("show",), "twin show takes one name, not 0. Write twin show R-17 models=tea."),
    (("approve", "R-1", "R-2", "--by", "x"), "twin approve takes one name, not 2."),
    (("inbox", "again=yes"), "twin inbox has no setting 'again'."),
    (("show", "R-1", "why=not"), "twin show has no setting 'why'."),
    (("undo", "R-1"), "an undo needs a name. Write --by NAME."),
    (("inbox", "status=gone"), "status 'gone' is unknown."),
    (("audit", "burn"), "twin audit cannot 'burn'. There are verify, export."),
    (("audit", "verify", "head=x"), "'x' is no head of a log."),
    (("push", "retry=tea/R-1/1"), "a retry needs a name."),
    (("push", "retry=tea/R-1/1", "--by", "x"), "no message 'tea/R-1/1' was given up."),
    (("recommend", "kinds=magic"), "kinds: 'magic' is unknown."),
    (("watch", "every=0h"), "every is no time at all."),
], ids=lambda value: "-".join(value) if isinstance(value, tuple) else None)
def test_what_is_asked_wrongly_is_named(tea: Callable[..., Twin], words: tuple[str, ...],
                                        told: str) -> None:
    code, said = tea()(*words)
    assert code == 2
    assert told in said


def test_a_model_with_a_wrong_configuration_still_plays_and_says_so_when_acting(
        tea: Callable[..., Twin], tmp_path: Path) -> None:
    twin = tea("operate: {gait: {}}\n")
    assert Workspace(tmp_path / "ours").network("tea").title == "Tea"
    assert twin("inbox") == (2, "models/tea.yaml: operate.gait is unknown. Did you mean 'gate'?\n")


def test_a_round_that_fails_says_so_and_one_shot_exits_1(tea: Callable[..., Twin],
                                                         tmp_path: Path) -> None:
    twin = tea()
    broken = tmp_path / "state.json"
    broken.write_text("{}")
    code, said = twin("watch", "once=true", f"from={broken}")
    assert code == 1
    assert "This round failed: ValueError:" in said
    assert "is not a state" in said


def test_a_promise_is_held_against_what_was_heard(tea: Callable[..., Twin],
                                                  tmp_path: Path) -> None:
    twin = tea()
    file(tmp_path)
    twin("approve", "R-1", "--by", "ann")
    workspace = Workspace(tmp_path / "ours")
    network, book = workspace.network("tea"), Ledger()
    play(network, Scenario.baseline(), horizon_h=300.0, ledger=book)
    workspace.store("tea").write(readings_of_ledger(book, network.start))
    code, said = twin("outcomes", "--json")
    assert code == 0
    gain, cost = json.loads(said)["outcomes"]
    events = book.frame()
    by_hand = as_heard(events, network, 0.0, 240.0)["heard_cost"]
    assert cost["realised"] == pytest.approx(by_hand)
    assert gain["realised"] == pytest.approx((12.0 + 5.0 - by_hand) * 10.0)
    code, said = twin("outcomes")
    assert "set stock[depot,tea].reorder_point to 30" in said
    assert "broken" in said
    assert twin("audit", "export")[0] == 0
    log = (tmp_path / "ours" / "outputs" / "tea-audit" / "log.csv").read_text()
    assert [line.split(",")[2] for line in log.splitlines()] == [
        "kind", "round", "recommended", "approved", "queued", "pushed", "outcome"]


@pytest.mark.long
def test_listening_and_calibrating_begin_the_log(tea: Callable[..., Twin],
                                                    tmp_path: Path) -> None:
    twin = tea()
    workspace = Workspace(tmp_path / "ours")
    network, book = workspace.network("tea"), Ledger()
    play(network, Scenario.baseline(), horizon_h=2400.0, ledger=book)
    path = tmp_path / "day.parquet"
    to_frame(readings_of_ledger(book, network.start)).to_parquet(path)
    code, said = twin("listen", f"source={path}", "names=no", "oldest=9000d")
    assert code == 0, said
    code, said = twin("calibrate", "pictures=0")
    assert code == 0, said
    with Desk.open(workspace, "tea") as desk:
        kinds = {row["kind"]: row["body"] for row in desk.log()}
    assert kinds["heard"]["source"] == str(path)
    assert kinds["heard"]["new"] > 100
    assert kinds["calibrated"]["parameters"] > 0


@pytest.mark.parametrize(("said", "hours"), [("15m", 0.25), ("2h", 2.0), ("1d 30min", 24.5)])
def test_minutes_of_a_watch_may_be_written_short(said: str, hours: float) -> None:
    assert WATCH_KEYS["every"].read(said) == hours


@pytest.mark.long
def test_a_watch_ends_cleanly_on_sigterm(tea: Callable[..., Twin], tmp_path: Path) -> None:
    tea()
    process = subprocess.Popen(
        [sys.executable, "-m", "twin", "watch", "models=tea", "every=1h", "kinds=maintenance",
         "simulate.workers=1", "--workspace", str(tmp_path / "ours")],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "TWIN_AUDIT_KEY": "5e" * 32})
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Next round in"):
            process.send_signal(signal.SIGTERM)
            break
    with process.stderr:
        assert process.stderr.read() == "Stopped.\n"
    assert process.wait(timeout=30) == 0
