"""The kinds of plan about stock, goods and services, asked on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.__main__ import main
from twin.plan import Plan


def asked(*words: str, output: Path) -> int:
    return main(["optimize", *words, "--output", str(output)])


def test_allocation_and_maintenance_write_plans(tmp_path: Path) -> None:
    assert asked("allocation", "models=harbour", "from=opening", "weeks=8", "pairs=0",
                 output=tmp_path) == 0
    plan = Plan.read(tmp_path / "latest" / "plan.json")
    assert plan.kind == "allocation"
    assert plan.orders
    assert asked("maintenance", "models=harbour", "from=opening", "pairs=0", output=tmp_path) == 0
    plan = Plan.read(tmp_path / "latest" / "plan.json")
    assert any(cell.endswith(".service_after") for cell in plan.cells)


@pytest.mark.long
def test_replenishment_is_tuned_and_shown(tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("replenishment", "models=harbour", "horizon=20d", "budget=12", "confirm=3",
                 "simulate.workers=1", output=tmp_path) == 0
    shown = capsys.readouterr()
    assert "pairs on new luck" in shown.out
    assert Plan.read(tmp_path / "latest" / "plan.json").kind == "replenishment"


def test_a_model_without_stock_answers_that_there_is_nothing_to_set(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("replenishment", "models=workshop", output=tmp_path) == 0
    assert "nothing to set" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["allocation", "surge=-1"], ["maintenance", "days=0"],
                                   ["allocation", "models=harbour", "region=moon"],
                                   ["replenishment", "service=2"]])
def test_bad_words_get_one_answer(words: list[str], tmp_path: Path,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(*words, output=tmp_path) == 2
    assert "Traceback" not in capsys.readouterr().err
