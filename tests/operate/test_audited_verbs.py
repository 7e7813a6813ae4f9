"""Every verb that changes something about a chain leaves a row in the log, with the person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from tests.operate.served import FILES, START, advice, write
from twin.__main__ import main
from twin.commands.verbs import VERBS
from twin.operate.desk import Desk
from twin.readings import Reading
from twin.store import Store
from twin.workspace import Workspace

#: Verb -> what is asked in turn, with the kind of row that it leaves ("": the verb is a look here).
CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "devices": (("add t1 --by Ann", "asked add_device"), ("revoke t1 --by Ann",
                                                          "asked revoke_device")),
    "alerts": (("acknowledge {alert} --by Ann --comment seen", "asked acknowledge"),),
    "tokens": (("add Eve role=viewer --by Ann", "token made"),
               ("revoke {token} --by Ann", "token revoked")),
    "approve": (("R-1 --by Ann", "approved"),),
    "undo": (("R-1 --by Ann", "undone"),),
    "reject": (("R-2 --by Ann --reason no", "rejected"),),
    "push": (("", ""), ("retry={dead} --by Ann", "retried")),
    "listen": (("source=more.csv", "heard"),),
    "recommend": (("kinds=maintenance seed=2", "round"),),
    "watch": (("kinds=maintenance once=true", "round"),),
    "retain": (("", "retained"),),
    "forget": (("Eve --by Ann", "forgot"),),
}
#: Verbs that only look, or whose results lie in folders of their own. ``calibrate`` and
#: ``fidelity`` tell the log too, see their own tests; ``outcomes`` settles, see test_outcomes.
ELSEWHERE = {"init", "import", "check", "models", "scenarios", "run", "reproduce", "state", "trace",
             "calibrate", "fidelity", "optimize", "inbox", "show", "outcomes", "audit", "serve",
             "views", "rehearse", "loop"}


def test_every_verb_is_known_to_change_or_to_look() -> None:
    assert not set(CHANGES) & ELSEWHERE
    assert set(VERBS) == set(CHANGES) | ELSEWHERE


@pytest.mark.long
def test_every_changing_verb_is_in_the_log(
        tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TWIN_OPERATE_STORE", address)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {**FILES, "models/tea/storage.csv": "site,area,min_c,max_c\ndepot,cold,2,8\n",
                     "more.csv": "sensor,id,time,kind,site,area,value\n"
                                 "t1,m1,2026-01-17T00:00:00Z,temperature,depot,cold,5\n"})
    Store(tmp_path / "store" / "tea").write(
        Reading(sensor="t1", id=f"k{k}", time=START + 600.0 * k, kind="temperature", site="depot",
                area="cold", value=9.5 if 12 <= k < 24 else 5.0) for k in range(40))
    names = {"alert": "", "token": "", "dead": ""}

    def twin(verb: str, words: str) -> str:
        said = [word for word in words.format(**names).split(" ") if word]
        assert main([verb, *said, "models=tea", "--workspace", str(tmp_path), "--json"]) == 0, verb
        return capsys.readouterr().out

    def log() -> list[dict[str, Any]]:
        with Desk.open(Workspace(tmp_path), "tea") as desk:
            return desk.log()

    with Desk.open(Workspace(tmp_path), "tea") as desk:
        desk.file([advice(), advice("depot/cup")])
    # what is heard first raises the alert that is acknowledged later
    for verb in ("listen", *(verb for verb in CHANGES if verb != "listen")):
        if verb == "alerts":
            names["alert"] = json.loads(twin("alerts", ""))[0]["id"]
        if verb == "push":
            names["dead"] = kill_a_message(tmp_path)
        for words, kind in CHANGES[verb]:
            if words.startswith("revoke {token}"):
                names["token"] = json.loads(twin("tokens", ""))[0]["id"]
            before = len(log())
            twin(verb, words)
            new = [row for row in log()[before:] if row["kind"] == kind]
            assert len(new) == 1 or not kind, (verb, words)
            if "--by Ann" in words:
                assert new[0]["person"] == "Ann", (verb, words)
    with Desk.open(Workspace(tmp_path), "tea") as desk:
        assert desk.verify() == []


def test_who_lets_a_device_speak_is_in_the_log(
        tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_OPERATE_STORE", address)
    write(tmp_path)
    assert main(["devices", "add", "t1", "--by", "Ann", "models=tea", "--workspace",
                 str(tmp_path)]) == 0
    with Desk.open(Workspace(tmp_path), "tea") as desk:
        row, = desk.log()
    assert (row["kind"], row["subject"], row["person"], row["body"]) == (
        "asked add_device", "t1", "Ann", {"role": "device", "topics": []})


def kill_a_message(folder: Path) -> str:
    """The key of a message of the first advice, given up."""
    import sqlalchemy as sa

    from twin.operate.database import writing

    with Desk.open(Workspace(folder), "tea") as desk, writing(desk.engine) as connection:
        key = str(connection.execute(sa.text("select min(key) from outbox")).scalar())
        connection.execute(sa.text("update outbox set status = 'dead' where key = :key"),
                           {"key": key})
    return key


def test_a_change_that_the_log_cannot_know_of_is_not_made(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    monkeypatch.setenv("TWIN_OPERATE_STORE", "postgresql://127.0.0.1:1/none")
    assert main(["devices", "add", "t1", "models=tea", "--workspace", str(tmp_path)]) == 2
    assert "the store does not answer" in capsys.readouterr().err
    assert not (tmp_path / "store" / "tea" / "devices.db").exists()
