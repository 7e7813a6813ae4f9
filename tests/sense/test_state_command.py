"""``twin state``: a table that a planner reads, and a state from which a run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sense.chains import DAY, lived, model
from twin.__main__ import main
from twin.commands.state import moment
from twin.readings import Reading, from_frame
from twin.settings import SettingError
from twin.state import State
from twin.store import Store

HARBOUR = model("harbour")
ZERO = HARBOUR.start.timestamp()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of four days, and a count that nobody can explain."""
    folder = tmp_path_factory.mktemp("home")
    readings, _, _ = lived(HARBOUR, 4.4 * DAY, seed=4)
    store = Store(folder / "store" / "harbour")
    store.write(from_frame(readings))
    store.write([Reading(sensor="clerk", id="1", kind="count", site="south_dc", product="juice",
                         quantity=700.0, time=ZERO + 4.2 * DAY * 3600.0)])
    return folder


def ask(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(home)
    return main(["state", "models=harbour", *arguments])


def test_what_a_planner_reads(home: Path, monkeypatch: pytest.MonkeyPatch,
                              capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(home, monkeypatch, "only=stock,trucks") == 0
    said = capsys.readouterr().out
    assert said.index("Look at these") < said.index("stock: a product on a shelf")
    assert "unexplained" in said
    assert "truck: a truck and its trip" in said
    assert "work:" not in said
    folder = home / "outputs" / "harbour-state"
    assert (folder / "state.png").read_bytes().startswith(b"\x89PNG")
    assert State.read(folder / "state.json").clock_h == pytest.approx(4.4 * DAY, abs=1.0)


def test_a_run_goes_on_from_it(home: Path, monkeypatch: pytest.MonkeyPatch,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(home, monkeypatch, "--quiet", "at=-1d", "arrivals=3") == 0
    state = home / "outputs" / "harbour-state" / "state.json"
    assert main(["run", "models=harbour", "scenarios=demand_spike", f"from={state}",
                 "horizon=3d", "warmup=0d", "replications=2", "report=no", "--json",
                 "simulate.engine=serial"]) == 0
    assert "fill_rate" in capsys.readouterr().out


def test_for_a_program(home: Path, monkeypatch: pytest.MonkeyPatch,
                       capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(home, monkeypatch, "--json", "at=2025-01-08T12:00", "only=order",
               "arrivals=3") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["at"] == "2025-01-08T12:00:00.000Z"
    assert {fact["kind"] for fact in said["facts"]} == {"order"}
    assert len(said["digest"]) == 32


@pytest.mark.parametrize(("setting", "message"), [
    ("at=soon", "at 'soon' is no moment"), ("at=-soon", "at '"), ("only=tides", "'tides'"),
    ("clock=sun", "clock 'sun' is unknown"), ("model=x", "no setting 'model'")])
def test_a_wrong_setting(home: Path, monkeypatch: pytest.MonkeyPatch,
                         capsys: pytest.CaptureFixture[str], setting: str,
                         message: str) -> None:
    assert ask(home, monkeypatch, setting) == 2
    assert message in capsys.readouterr().err


def test_nothing_heard_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(tmp_path, monkeypatch) == 1
    assert "twin listen" in capsys.readouterr().err
    assert ask(tmp_path, monkeypatch, "at=2025-01-07", "--quiet", "arrivals=3") == 0
    assert "assumed" in capsys.readouterr().out


def test_now_is_the_last_reading_or_the_clock(tmp_path: Path) -> None:
    store = Store(tmp_path / "harbour")
    store.write([Reading(sensor="t", id="1", time=ZERO, kind="alive", value=1.0)])
    assert moment("now", store) == pytest.approx(ZERO, abs=0.01)
    assert moment("-3d", store) == pytest.approx(ZERO - 3 * 86_400.0)
    assert moment("now", store, wall=True) > ZERO
    with pytest.raises(SettingError, match="no moment"):
        moment("tomorrow", store)
