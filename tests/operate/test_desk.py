"""The desk: what people do with advice, whichever door they come through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operate.conftest import SECRET, RunningErp
from tests.operate.test_inbox import START, advice
from twin.operate import audit
from twin.operate.configuration import Configuration, ConfigurationError, read_configuration
from twin.operate.database import connect
from twin.operate.desk import Desk
from twin.operate.inbox import DecisionError, Standing

NOW = START.timestamp() + 30 * 3600


@pytest.fixture
def desk(tmp_path: Path, key: bytes, address: str) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(section: Any = None, heard: float | None = NOW) -> Desk:
        made.append(Desk(connect(address), "harbour", START,
                         read_configuration(section, "harbour.yaml"), key, heard=lambda: heard,
                         home=tmp_path, beside=tmp_path / "pushed"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_without_configuration_an_approval_writes_a_file(desk: Callable[..., Desk],
                                                         tmp_path: Path) -> None:
    open_desk = desk()
    filed, = open_desk.file([advice()])
    assert [one.name for one in open_desk.inbox()] == ["R-1"] == [filed.name]
    case = open_desk.approve("R-1", "Ann")
    assert [message["status"] for message in case.messages] == ["sent"]
    written, = (tmp_path / "pushed").glob("*.json")
    event = json.loads(written.read_text())
    assert (event["type"], event["data"]["quantity"]) == ("twin.order", 40.0)
    assert open_desk.inbox() == []
    assert open_desk.verify() == []
    assert open_desk.push() == {"sent": 0, "pending": 0, "dead": 0}


def test_on_the_rung_advise_nothing_is_pushed(desk: Callable[..., Desk], tmp_path: Path) -> None:
    open_desk = desk({"ladder": {"any": "advise"}})
    open_desk.file([advice()])
    assert open_desk.approve("R-1", "Ann").messages == ()
    assert not (tmp_path / "pushed").exists()


def test_what_a_rail_holds_is_in_the_log_though_it_is_refused(desk: Callable[..., Desk]) -> None:
    open_desk = desk({"rails": {"any": {"value": 99}}})
    open_desk.file([advice()])
    with pytest.raises(DecisionError, match="R-1 may not be pushed: it moves 100"):
        open_desk.approve("R-1", "Ann")
    with open_desk.engine.connect() as connection:
        assert [entry.kind for entry in audit.entries(connection)] == [
            "round", "recommended", "held"]


def test_the_kill_switch_stops_what_waits(desk: Callable[..., Desk]) -> None:
    open_desk = desk({"rails": {"any": {"stopped": True}}})
    with pytest.raises(DecisionError, match="kill switch of harbour is on"):
        open_desk.push()


def test_now_is_what_was_heard_last_carried_on_by_the_clock(desk: Callable[..., Desk]) -> None:
    open_desk = desk()
    open_desk.file([advice(expires_h=29.0)])
    assert open_desk.inbox(Standing.EXPIRED)[0].name == "R-1"
    silent = desk(heard=None)
    silent.file([advice("south_dc/juice")], made_h=30.0)
    assert 0.0 <= silent.now().timestamp() - NOW < 60.0
    assert desk({"clock": "wall"}).now().timestamp() > NOW + 3600.0


def test_an_erp_gets_it_once_and_takes_it_back(desk: Callable[..., Desk], erp: RunningErp,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_SECRET", SECRET)
    open_desk = desk({"connectors": {"erp": {"type": "rest", "url": erp.url,
                                             "secret": "ERP_SECRET"}}})
    open_desk.file([advice()])
    assert open_desk.approve("R-1", "Ann").messages[0]["status"] == "sent"
    assert len(erp.orders()) == 1
    with pytest.raises(DecisionError, match="R-1 is approved"):
        open_desk.approve("R-1", "Ann")
    case = open_desk.undo("R-1", "Bob")
    assert case.filed.status is Standing.UNDONE
    assert [(one["kind"], one["status"]) for one in case.messages] == [
        ("order", "sent"), ("undo", "sent")]


def test_a_secret_that_is_not_set_is_named_when_it_is_needed(desk: Callable[..., Desk]) -> None:
    open_desk = desk({"connectors": {"erp": {"type": "rest", "url": "https://erp.example",
                                             "secret": "NOT_SET_ANYWHERE"}}})
    open_desk.file([advice()])
    told = r"R-1 is approved, and waits to be pushed: .* variable NOT_SET_ANYWHERE"
    with pytest.raises(ConfigurationError, match=told):
        open_desk.approve("R-1", "Ann")
    # the decision stands, and what waits is pushed once the secret is there
    assert open_desk.show("R-1").messages[0]["status"] == "pending"


@pytest.mark.parametrize(("section", "told"), [
    ({"laddder": {}}, "operate.laddder is unknown. Did you mean 'ladder'?"),
    ({"ladder": {"routez": "advise"}}, "operate.ladder.routez is unknown. Did you mean 'routes'?"),
    ({"ladder": {"any": "yolo"}}, "operate.ladder.any 'yolo'"),
    ({"rails": {"any": {"valu": 3}}}, "operate.rails.any.valu is unknown. Did you mean 'value'?"),
    ({"gate": {"error": 2}}, "operate.gate.error '2'"),
    ({"gate": {"horizon": "soon"}}, "operate.gate.horizon 'soon'"),
    ({"ways": {"any": "erp"}}, "there is no connector 'erp'"),
    ({"connectors": {"erp": {"type": "rest", "url": "x", "secret": "my secret!"}}},
     "no name of an environment variable"),
    ({"connectors": {"erp": {"url": "x"}}}, "no known type"),
    ({"store": "postgresql://a:b@host/x"}, "store holds a password"),
    ([1], "operate holds a list"),
], ids=lambda value: None if isinstance(value, str) else "-".join(value) if isinstance(
    value, dict) else "list")
def test_what_is_wrong_with_a_configuration_is_named(section: Any, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_configuration(section, "models/harbour.yaml")
    assert told in str(error.value)
    assert str(error.value).startswith("models/harbour.yaml: ")


def test_limits_of_any_bind_every_kind() -> None:
    found = Configuration(rails={"any": {"value": 10, "per_day": 2}, "routes": {"value": 50}})
    assert (found.limits("routes").value, found.limits("routes").per_day) == (10, 2)
