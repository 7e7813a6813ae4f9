"""Bad input to every kind of plan, through the command line: one clear answer each."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from twin.__main__ import main
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A workspace of its own with the model harbour."""
    for name in ("calibration", "scenarios"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "models" / "harbour", tmp_path / "models" / "harbour")
    shutil.copy(ROOT / "models" / "harbour.yaml", tmp_path / "models")
    return tmp_path


def asked(here: Path, *words: str) -> int:
    return main(["optimize", *words, "models=harbour", "--workspace", str(here),
                 "--output", str(here / "outputs")])


def edited(here: Path, table: str, column: str, value: str) -> None:
    """Change a cell of the first row."""
    path = here / "models" / "harbour" / f"{table}.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    rows[0][column] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(("table", "column", "value", "kind", "said"), [
    ("demand", "size", "constant(-3)", "allocation",
     "demand.csv row 2: size 'constant(-3)' is negative. Write 0 or more."),
    ("demand", "size", "-3", "schedule", "demand.csv row 2: size '-3' is negative."),
    ("trucks", "capacity_kg", "0.001", "routes",
     "trucks.csv row 2: can carry no unit of any product. Raise capacity_kg or capacity_m3."),
    ("routings", "group", "nowhere", "schedule",
     "routings.csv row 2: group 'nowhere' has no machine at 'juicery'. Write one of"),
    ("stock", "holding_cost", "nan", "replenishment",
     "stock.csv row 2: holding_cost 'nan' is not a number."),
    ("trucks", "cost_per_km", "NaN", "routes", "trucks.csv row 2: cost_per_km 'NaN' is not a"),
    ("failures", "repair_cost", "nan", "maintenance", "repair_cost 'nan' is not a number."),
    ("machines", "cost_per_hour", "nan", "all", "cost_per_hour 'nan' is not a number."),
], ids=["negative demand", "negative order", "a truck that fits nothing",
        "an operation without a machine", "NaN holding", "NaN kilometre", "NaN repair", "NaN hour"])
def test_a_bad_cell_is_named_with_its_remedy(
        here: Path, table: str, column: str, value: str, kind: str, said: str,
        capsys: pytest.CaptureFixture[str]) -> None:
    edited(here, table, column, value)
    assert asked(here, kind) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_window_that_closes_before_it_opens(here: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    (here / "models" / "harbour" / "windows.csv").write_text(
        "site,day,open,close\nnorth_dc,mon-fri,17:00,08:00\n", encoding="utf-8")
    assert asked(here, "routes") == 2
    assert "windows.csv row 2: closes before it opens." in capsys.readouterr().err


def test_a_million_stops(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = play(Workspace(here).network("harbour"), Scenario.baseline(), horizon_h=72.0,
                 save_at=72.0).state
    assert state is not None
    document = state.document()
    order = next(row for row in document["orders"] if row["product"] == "juice")
    load = {"order": order["number"], "quantity": 5e9, "goods": None, "age": 0.0}
    lane = next(name for name in document["actors"] if name.startswith("juicery:south_dc:"))
    document["actors"][lane]["waiting"] = [load]
    (here / "state.json").write_text(json.dumps(document), encoding="utf-8")
    assert asked(here, "routes", f"from={here / 'state.json'}") == 2
    assert "more than 3,000 loads wait for trucks at once" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "said"), [
    (["routes", "limit=0s"], "is no limit"), (["schedule", "move_price=nan"], "is no price"),
    (["allocation", "pairs=1"], "is no number of pairs"),
    (["maintenance", "visit_cost=nan"], "is no amount"), (["nonsense"], "no kind of plan"),
], ids=["limit", "price", "pairs", "cost", "kind"])
def test_a_bad_word_is_named(here: Path, words: list[str], said: str,
                             capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(here, *words) == 2
    assert said in capsys.readouterr().err
