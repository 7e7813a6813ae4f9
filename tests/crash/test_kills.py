"""A handful of kills; ``python -m tests.crash`` does hundreds."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.kills import ROOT, campaign, reading
from tests.sense.mosquitto import real_broker
from twin.store import Store

REPLAY = """
import sys
from twin.sense.listener import Listener, Rules
from twin.sense.source import Place, open_source
from twin.store import Store
source = open_source(Place(sys.argv[1], "m"))
with Listener(source, Store(sys.argv[2]), rules=Rules(group=20, merge_rows=200)) as listener:
    while listener.step():
        print(listener.heard.accepted, flush=True)
"""


@pytest.mark.long
def test_listeners_killed_at_random_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    outcome = campaign(tmp_path / "store", real_broker(), kills=8, seed=3)
    assert outcome.faults == ()
    assert outcome.published > 200


@pytest.mark.parametrize("runs", [4, pytest.param(12, marks=pytest.mark.long)])
def test_pushers_killed_at_random_place_no_order_twice_and_lose_none(tmp_path: Path,
                                                                     runs: int) -> None:
    pytest.importorskip("sqlalchemy", reason="needs the extra operate")
    pytest.importorskip("httpx2", reason="needs the extra operate")
    from tests.crash import pushes

    outcome = pushes.campaign(tmp_path, runs=runs, seed=3)
    assert outcome.faults == ()
    assert outcome.killed >= runs // 4
    assert outcome.messages >= runs


def test_a_replay_killed_and_begun_again_is_the_same_store(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    rows = [reading(number) for number in range(1500)]
    file.write_text("\n".join([",".join(rows[0]), *(",".join(map(str, row.values()))
                                                     for row in rows)]))
    luck = random.Random(4)
    words = [sys.executable, "-c", REPLAY, str(file), str(tmp_path / "store")]
    for _ in range(3):
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            for _ in range(luck.randint(3, 70)):
                heard = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        assert len(Store(tmp_path / "store").frame()) >= heard  # what it had said is there
    subprocess.run(words, check=True, cwd=ROOT, capture_output=True)
    frame = Store(tmp_path / "store").frame()
    assert sorted(frame["id"].astype(int)) == list(range(1500))
    assert (frame["value"] == frame["id"].astype(float)).all()
