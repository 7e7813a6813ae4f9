"""``twin alerts``, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from twin.__main__ import main
from twin.readings import Reading
from twin.store import Store
from twin.workspace import Workspace

START = 1736121600.0  # 2025-01-06


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with one small chain, whose cold room was warm for two hours."""
    folder = tmp_path / "ours"
    for group in ("models", "calibration", "scenarios"):
        (folder / group).mkdir(parents=True)
    (folder / "models" / "shop.yaml").write_text(
        "title: Shop\nstart: 2025-01-06\ncurrency: EUR\ntables: shop\n")
    tables = folder / "models" / "shop"
    tables.mkdir()
    (tables / "sites.csv").write_text("site,kind\nW,warehouse\n")
    (tables / "storage.csv").write_text("site,area,min_c,max_c\nW,cold,2,8\n")
    Store(folder / "store" / "shop").write(
        Reading(sensor="t1", id=str(k), time=START + 600.0 * k, kind="temperature", site="W",
                area="cold", value=9.5 if 12 <= k < 24 else 5.0) for k in range(40))
    return folder


def run(workspace: Path, *words: str) -> int:
    return main(["alerts", *words, "--workspace", str(workspace), "models=shop"])


def test_the_table_names_the_worst(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "critical over, not acknowledged 2025-01-06 02:00 temperature: area W:cold" in said
    assert "breach: temperature 9.5 C, limit 8 C" in said


def test_at_a_time(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "at=2025-01-06T01:00", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(workspace, "at=2025-01-06T02:30", "--json") == 0
    (alert,) = json.loads(capsys.readouterr().out)
    assert (alert["state"], alert["severity"]) == ("active", "warning")
    assert alert["since"] == "2025-01-06T02:00:00.000Z"


def test_acknowledge_with_a_comment(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(workspace, "--json")
    name = json.loads(capsys.readouterr().out)[0]["id"]
    assert run(workspace, "acknowledge", name, "--by", "ann", "--comment",
               "Door left open, [again]; closed it.") == 0
    assert capsys.readouterr().out.startswith(f"{name} is acknowledged by ann: area W:cold")
    assert run(workspace) == 0
    assert capsys.readouterr().out == "No alert is open for shop.\n"
    assert run(workspace, "all=yes", "--json") == 0
    (alert,) = json.loads(capsys.readouterr().out)
    assert (alert["state"], alert["comment"]) == ("over", "Door left open, [again]; closed it.")
    assert [step["what"] for step in alert["history"]] == [
        "raised", "escalated", "cleared", "acknowledged"]


@pytest.mark.parametrize(("words", "said"), [
    (("acknowledge", "A-nope", "--by", "ann"), "alert 'A-nope' is unknown. Open ones: A-"),
    (("acknowledge",), "twin alerts acknowledge takes an ID"),
    (("list", "A-1"), "twin alerts list takes no ID"),
    (("acknowlege", "A-1"), "twin alerts cannot 'acknowlege'. Did you mean 'acknowledge'?"),
    (("at=yesterday",), "'yesterday' is not a date"),
    (("colour=red",), "twin alerts has no setting 'colour'"),
    (("--loud",), "there is no flag '--loud'"),
])
def test_wrong_words(workspace: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...],
                     said: str) -> None:
    assert run(workspace, *words) == 2
    assert said in capsys.readouterr().err


def test_nobody_acknowledges_in_secret(workspace: Path,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    run(workspace, "--json")
    name = json.loads(capsys.readouterr().out)[0]["id"]
    assert run(workspace, "acknowledge", name) == 2
    assert "Write --by NAME." in capsys.readouterr().err


def test_a_rule_of_the_workspace(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "alerts").mkdir()
    rules = workspace / "alerts" / "shop.yaml"
    rules.write_text("rules:\n  - {kind: temperature, high: 10}\n")
    assert run(workspace) == 0
    assert capsys.readouterr().out == "No alert is open for shop.\n"
    rules.write_text("rules:\n  - {kind: temprature, high: 10}\n")
    assert run(workspace) == 2
    assert "alerts/shop.yaml rule 1: kind 'temprature'" in capsys.readouterr().err
    assert Workspace(workspace).home == workspace
