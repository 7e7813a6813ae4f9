"""Tokens, retention, erasure, secrets: what stands on the disk and in what is printed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from tests.operate.served import DAYS, FILES, START, Served, advice, serving, write
from twin.__main__ import main
from twin.commands.state import sensed
from twin.operate import audit
from twin.operate.agreement import Keep
from twin.operate.database import connect
from twin.operate.desk import Desk
from twin.operate.retention import GROUPS, TELEMETRY, retain
from twin.operate.roles import Role
from twin.readings import Reading
from twin.serve.house import House
from twin.settings import SettingError
from twin.store import Store
from twin.workspace import Workspace


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "ours") as one:
        yield one


FIVE_DAYS = Keep.model_validate({"telemetry": "5d"})


def everything(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


# -- the verbs -----------------------------------------------------------------------------------


def test_tokens_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)

    def twin(*words: str) -> tuple[int, str]:
        code = main([*words, "models=tea", "--workspace", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out + said.err

    assert "no token yet" in twin("tokens")[1]
    code, said = twin("tokens", "add", "Glassworks ERP", "role=supplier", "site=garden", "--by",
                      "Root")
    token = said.split()[0]
    assert (code, token[:5]) == (0, "twin_")
    assert "cannot be shown again" in said
    row, = json.loads(twin("tokens", "--json")[1])
    assert (row["name"], row["role"], row["site"], row["state"]) == (
        "Glassworks ERP", "supplier", "garden", "active")
    assert token.split("_", 2)[2] not in twin("tokens")[1]
    assert twin("tokens", "revoke", row["id"])[0] == 0
    assert json.loads(twin("tokens", "--json")[1])[0]["state"] == "revoked"
    for words, told in ((("add", "x", "role=king"), "There are viewer, planner"),
                        (("add", "x", "role=supplier"), "belongs to one site"),
                        (("add", "x", "role=supplier", "site=nowhere"), "not in tea"),
                        (("add", "x", "life=20y"), "no life of a token"),
                        (("add", "\x1b[31m"), "is not a name"),
                        (("revoke", "' or 1 --"), "there is no token"), (("add",), "one NAME"),
                        (("steal",), "cannot 'steal'")):
        code, said = twin("tokens", *words)
        assert code == 2, words
        assert told in said
        assert "\x1b" not in said
    rights = [line.split() for line in twin("tokens", "rights")[1].splitlines()]
    assert rights[0] == list(Role)
    assert ["approve", "-", "-", "yes", "-", "-", "-", "-"] in rights


def test_views_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    assert main(["views", "supplier=garden", "models=tea", "--workspace", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "depot" in said
    assert "per_day 6.933" in said
    assert main(["views", "customer=cafe", "models=tea", "--workspace", str(tmp_path)]) == 2
    assert "nothing is agreed with 'cafe'" in capsys.readouterr().err


def test_only_this_machine_is_listened_to_without_tls(tmp_path: Path) -> None:
    from twin.commands.serve import check_binding

    for host in ("127.0.0.1", "::1", "localhost", "127.0.0.9"):
        check_binding(host, None, None, plain=False)
    (tmp_path / "c.pem").write_text("")
    certificate = str(tmp_path / "c.pem")
    for host in ("0.0.0.0", "::", "10.0.0.7", "twin.example.com", ""):
        with pytest.raises(SettingError, match="readable on the way"):
            check_binding(host, None, None, plain=False)
        check_binding(host, None, None, plain=True)
        check_binding(host, certificate, certificate, plain=False)
    with pytest.raises(SettingError, match="belong together"):
        check_binding("127.0.0.1", certificate, None, plain=False)
    with pytest.raises(SettingError, match="is not a file"):
        check_binding("0.0.0.0", str(tmp_path / "no"), certificate, plain=False)


# -- retention -----------------------------------------------------------------------------------


def test_old_telemetry_is_deleted_and_what_is_on_hand_stays_known(served: Served) -> None:
    house = served.house
    now = START + 86_400.0 * DAYS
    before = sensed(house.store, house.network, now)[0]
    done = retain(house.store, FIVE_DAYS, now, house.desk.engine, house.desk.key, "tea", "Root")
    assert (done.readings, done.before.isoformat()) == (DAYS - 5, "2026-01-12")
    left = house.store.frame(kinds=["position"])
    assert len(left) == 5
    assert left["time"].min() >= START + 86_400.0 * (DAYS - 5)
    after = sensed(house.store, house.network, now)[0]
    goods = ("stock", "lot", "order", "shipment", "work", "machine")
    assert after.select(goods) == before.select(goods)
    assert retain(house.store, FIVE_DAYS, now, house.desk.engine, house.desk.key,
                  "tea").readings == 0
    assert served.log("retained")[0]["person"] == "Root"
    assert "position" in TELEMETRY
    assert "driving" in TELEMETRY
    assert not {"count", "machine_state", "ordering"} & set(TELEMETRY)


def test_positions_and_manoeuvres_may_have_a_time_of_their_own(
        tmp_path: Path, address: str, key: bytes) -> None:
    store = Store(tmp_path / "store")
    day = 86_400.0
    store.write(Reading(sensor="s", id=f"{kind}{n}", time=START + day * n + 60.0, kind=kind,
                        asset="van", value=1.0, state="braking", latitude=52.0, longitude=5.0)
                for kind in ("position", "speed", "driving", "vibration") for n in range(9))
    (store.folder / "checkpoints").mkdir()
    for n in (1, 7):
        (store.folder / "checkpoints" / f"2026-01-0{n}.json").write_text("{}")
    engine = connect(address)
    keep = Keep.model_validate({"telemetry": "8d", "positions": "5d", "drivers": "2d"})
    done = retain(store, keep, START + 9 * day, engine, key, "tea", "Root")
    left = store.frame(kinds=["position", "speed", "driving", "vibration"]).groupby("kind").size()
    assert dict(left) == {"position": 5, "speed": 5, "driving": 2, "vibration": 8}
    assert (done.readings, done.files) == (16, 2)
    with engine.connect() as connection:
        row, = audit.entries(connection)
    assert json.loads(row.body) == {"telemetry before": "2026-01-02",
                                    "positions before": "2026-01-05", "drivers before":
                                    "2026-01-08"}
    engine.dispose()
    assert sorted(sum(GROUPS.values(), ())) == sorted(TELEMETRY)


def test_retaining_needs_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {**FILES, "governance/tea.yaml": "keep: {}\n"})
    assert main(["retain", "models=tea", "--workspace", str(tmp_path)]) == 2
    assert "sets no time" in capsys.readouterr().err
    (tmp_path / "governance" / "tea.yaml").write_text("keep: {telemetry: 5d}\n")
    assert main(["retain", "models=tea", "clock=store", "--workspace", str(tmp_path)]) == 0
    assert "Deleted 10 readings from before 2026-01-11" in capsys.readouterr().out


# -- erasure -------------------------------------------------------------------------------------


def test_a_person_who_is_forgotten_is_nowhere_and_the_log_stays_whole(served: Served) -> None:
    import sqlalchemy as sa

    house, root = served.house, Role.ADMIN
    token = served.call("POST", "/v1/tokens", root, json={"name": "Ann Baker", "role": "approver"}
                        ).json()["secret"]
    house.desk.file([advice()])
    assert served.call("POST", "/v1/inbox/R-1/reject", token=token,
                       json={"reason": "Too much."}).status_code == 200
    book = house.store.folder / "alerts.jsonl"
    book.write_text('{"alert":"A-1","what":"raised","time":1.0,"kind":"down","subject":"x",'
                    '"severity":"warning"}\n'
                    '{"alert":"A-1","what":"acknowledged","time":2.0,"by":"Ann Baker"}\n')
    with house.desk.engine.connect() as connection:
        key = str(connection.execute(sa.text(
            "select secret from people p join decisions d on d.person = p.pseudonym")).scalar())
    assert key.encode() in everything(house.store.folder)
    done = served.call("POST", "/v1/people/forget", root, json={"name": "Ann Baker"}).json()
    assert done == {"known": True, "tokens": 1, "alerts": 1}
    assert served.call("GET", "/v1/whoami", token=token).status_code == 401
    shown = served.call("GET", "/v1/inbox/R-1", Role.VIEWER).json()
    assert shown["decisions"][0]["person"] == "(forgotten)"
    left = everything(house.workspace.home)
    assert b"Ann Baker" not in left
    assert key.encode() not in left
    assert house.desk.verify() == []
    assert served.log("forgot")[0]["person"] == "admin person"
    again = served.call("POST", "/v1/people/forget", root, json={"name": "Ann Baker"}).json()
    assert again == {"known": False, "tokens": 0, "alerts": 0}


# -- secrets -------------------------------------------------------------------------------------

PLANTED = {"ERP_SECRET": "s3cret-of-the-erp", "ERP_TOKEN": "bearer-of-the-erp",
           "TWIN_HOOK_ERP": "s3cret-of-the-hook", "TWIN_MQTT_PASSWORD": "s3cret-of-the-broker",
           "PGPASSWORD": "s3cret-of-the-database", "TWIN_AUDIT_KEY": "ab" * 32}


def planted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace that needs secrets, and an environment full of them."""
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    files = {**FILES, "models/tea.yaml": FILES["models/tea.yaml"] + """\
operate:
  connectors:
    erp:
      type: rest
      url: http://127.0.0.1:9/orders
      secret: ERP_SECRET
      headers: {Authorization: ERP_TOKEN}
"""}
    write(folder, files)


def assert_no_secret(texts: Iterable[str]) -> None:
    for text in texts:
        for name, value in PLANTED.items():
            assert value not in text, name


def test_no_secret_leaves_by_the_api_or_lies_in_a_file(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture) -> None:
    planted(tmp_path, monkeypatch)
    answers = []
    house = House(Workspace(tmp_path), "tea", workers=1)
    served = Served(house)
    try:
        house.desk.file([advice()])
        for method, path, role, body in (
                ("POST", "/v1/inbox/R-1/approve", Role.APPROVER, None),  # nobody listens there
                ("GET", "/v1/inbox/R-1", Role.VIEWER, None),
                ("GET", "/v1/audit/export", Role.ADMIN, None),
                ("GET", "/v1/events?once=true", Role.VIEWER, None),
                ("GET", "/openapi.json", None, None),
                ("POST", "/hooks/erp", None, {}), ("GET", "/v1/state", Role.FLEET, None),
                ("POST", "/v1/runs", Role.PLANNER, {"horizon": "10d", "replications": 2,
                                                    "scenarios": ["demand_spike"]})):
            answers.append(served.call(method, path, role, json=body))
        house.jobs.close()
        answers.append(served.call("GET", "/v1/jobs", Role.PLANNER))
    finally:
        house.close()
    assert "pending" in answers[0].text  # it was tried, with the secrets
    printed = capsys.readouterr()
    assert_no_secret([printed.out, printed.err, caplog.text, everything(tmp_path).decode("latin-1"),
                      *(answer.text + str(answer.headers) for answer in answers)])


@pytest.mark.long
def test_no_secret_is_printed_or_stands_in_a_manifest_or_a_report(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    planted(tmp_path, monkeypatch)
    with Desk.open(Workspace(tmp_path), "tea") as desk:
        desk.file([advice()])
    for words in (["run", "models=tea", "scenarios=demand_spike", "horizon=10d", "replications=2",
                   "simulate.engine=serial"], ["audit", "export", "models=tea"],
                  ["inbox", "models=tea"], ["show", "R-1", "models=tea"],
                  ["approve", "R-1", "--by", "Ann", "models=tea"], ["push", "models=tea"],
                  ["check", "models=tea"], ["state", "models=tea"]):
        assert main([*words, "--workspace", str(tmp_path), "--output",
                     str(tmp_path / "outputs")]) in (0, 1), words
    written = {path.name for path in tmp_path.rglob("*")}
    assert {"report.html", "manifest.json", "log.csv"} <= written
    printed = capsys.readouterr()
    assert_no_secret([printed.out, printed.err, everything(tmp_path).decode("latin-1")])
