"""twin listen and twin devices: what they print, write and answer with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sense.mosquitto import free_port, publish
from tests.tea import write_tea
from twin.__main__ import main
from twin.store import Store

ROOT = Path(__file__).parents[1]
DAY = """\
sensor,id,ts,kind,site,value
a,1,2026-03-01T06:00:00Z,battery,,50
a,2,2026-03-01T06:01:00Z,battery,,500
a,1,2026-03-01T06:00:00Z,battery,,50
"""


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_tea(tmp_path))
    (tmp_path / "day.csv").write_text(DAY)
    return tmp_path


def test_a_file_is_heard_and_summed_up(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "models=tea", "source=day.csv"]) == 0
    text = capsys.readouterr()
    assert text.out.splitlines() == [
        "3 readings in 3 messages: 1 new, 1 known already, 1 quarantined",
        "          1 impossible: a value that cannot be",
        "In store/tea/days: 2026-03-01"]
    assert text.err == ""
    assert main(["listen", "models=tea", "source=day.csv", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["new"], told["known"], told["quarantined"]) == (0, 2, {})
    assert Store("store/tea").frame()["id"].tolist() == ["1"]


def test_alerts_are_raised_as_it_listens(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (chain / "alerts").mkdir()
    (chain / "alerts" / "tea.yaml").write_text("rules: [{kind: battery, low: 20}]")
    rows = [f"a,{k},2026-03-01T06:0{k}:00Z,battery,,{level}"
            for k, level in enumerate([50, 10, 9, 8, 7])]
    (chain / "low.csv").write_text("\n".join([DAY.splitlines()[0], *rows]))
    assert main(["listen", "models=tea", "source=low.csv"]) == 0
    assert "ALERT" not in capsys.readouterr().out  # of a file, later and in order of time
    for _ in range(2):
        assert main(["listen", "models=tea", "source=low.csv", "watch=yes", "names=no"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "ALERT" in line]
    assert main(["alerts", "models=tea", "--json"]) == 0
    (alert,) = json.loads(capsys.readouterr().out)
    assert told == [f"ALERT warning {alert['id']} since 2026-03-01T06:01Z, battery: sensor a: "
                    f"{alert['meaning']}"]


def test_days_are_folded_when_they_are_heard(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"a,{day},2026-03-{day:02}T06:00:00Z,battery,,50" for day in range(1, 10)]
    (chain / "days.csv").write_text("\n".join([DAY.splitlines()[0], *rows]))
    assert main(["listen", "models=tea", "source=days.csv"]) == 0
    assert "8 days of the store were not folded before" in capsys.readouterr().err
    assert len(list((chain / "store/tea/checkpoints").glob("*.gz"))) == 8
    assert main(["state", "models=tea"]) == 0
    assert "not folded before" not in capsys.readouterr().err
    for path in (chain / "store/tea/checkpoints").iterdir():
        path.unlink()  # as in a store that was copied
    assert main(["state", "models=tea"]) == 0
    assert "8 days of the store were not folded before" in capsys.readouterr().err


def test_limit_stops_it(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"a,{number},2026-03-01T06:00:00Z,battery,,50" for number in range(5000)]
    (chain / "long.csv").write_text("\n".join([DAY.splitlines()[0], *rows]))
    assert main(["listen", "models=tea", "source=long.csv", "limit=1000", "--json"]) == 0
    assert 1000 <= json.loads(capsys.readouterr().out)["readings"] <= 2000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["source=ftp://x"], "source 'ftp://x' is unknown. Write one of: mqtt://"),
        (["source=none.csv"], "source 'none.csv' is not there"),
        (["sauce=x"], "twin listen has no setting 'sauce'. Did you mean 'source'?"),
        (["for=soon"], "for 'soon'"),
        (["limit=0"], "limit '0' is out of range"),
        (["speed=-1"], "speed '-1' is not a speed"),
        (["seed=1,2"], "no setting 'seed'"),
        (["source=a.csv,b.csv"], "source takes one value, not 2"),
        (["models=coffee"], "there is no model 'coffee'"),
        (["register=enforced"], "the register of tea holds no device"),
        (["broker=embedded", "source=mqtt://plant"], "broker=embedded serves this machine alone"),
        (["source=day.csv", "listener=../x"], "listener '../x' is not a name"),
    ],
)
def test_a_wrong_setting_is_answered_with_2(
        chain: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert main(["listen", *(["models=tea"] if "models" not in words[0] else []), *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.long
def test_it_listens_to_its_own_broker_until_it_is_stopped(chain: Path) -> None:
    port = free_port()
    address = f"mqtt://127.0.0.1:{port}"
    with subprocess.Popen(
            [sys.executable, "-m", "twin", "listen", "models=tea", f"source={address}",
             "broker=embedded", "--json"], cwd=chain, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        said = {"sensor": "a", "id": "7", "ts": 1000 * time.time(), "kind": "battery", "value": 9}
        until = time.monotonic() + 60
        while Store(chain / "store" / "tea").frame().empty and time.monotonic() < until:
            try:
                publish(address, [("twin/acme/-/-/a", said)], version=4)
            except OSError:
                time.sleep(0.1)  # it is not up yet
        process.send_signal(signal.SIGTERM)
        out, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert json.loads(out)["new"] == 1
    assert "WARNING: any device may speak" in told
    assert "Stopped." in told


def test_for_ends_it(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    assert main(["listen", "models=tea", f"source=mqtt://127.0.0.1:{free_port()}",
                 "broker=embedded", "for=1s"]) == 0
    assert time.monotonic() - began >= 1.0
    assert capsys.readouterr().out.startswith("0 readings in 0 messages")


def test_devices_are_added_listed_and_revoked(
        chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "models=tea"]) == 0
    assert "is empty: any device may speak" in capsys.readouterr().out
    assert main(["devices", "add", "t1", "t2", "models=tea", "--json"]) == 0
    secrets = json.loads(capsys.readouterr().out)["add"]
    assert list(secrets) == ["t1", "t2"]
    assert main(["devices", "revoke", "t2", "models=tea"]) == 0
    capsys.readouterr()
    assert main(["devices", "models=tea", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["device"], row["state"]) for row in rows] == [("t1", "active"), ("t2", "revoked")]
    passwords = (chain / "store" / "tea" / "broker" / "passwords").read_text()
    assert passwords.startswith("t1:$7$")
    assert "t2:" not in passwords


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ad", "t1"], "twin devices cannot 'ad'. Did you mean 'add'?"),
        (["add"], "twin devices add takes a NAME"),
        (["list", "t1"], "twin devices list takes no name"),
        (["revoke", "t1"], "there is no device 't1'. There are: none."),
        (["add", "t 1"], "device 't 1' is not a name"),
        (["add", "t1", "role=king"], "role 'king' is unknown"),
    ],
)
def test_what_devices_cannot_do_is_answered_with_2(
        chain: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert main(["devices", *words, "models=tea"]) == 2
    assert told in capsys.readouterr().err
