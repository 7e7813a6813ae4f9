"""OPC UA against a real asyncua server in this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("asyncua")

from asyncua import Server, ua
from asyncua.server.user_managers import User, UserManager, UserRole

from twin.readings import parse_reading
from twin.sense.opcua import OpcUa
from twin.sense.source import Place, SourceError, open_source


class Plant:
    """A server with a few variables, on a thread of its own."""

    def __init__(self, port: int, password: str = "", folder: Path | None = None) -> None:
        self.port, self.password, self.folder = port, password, folder
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.nodes: dict[str, Any] = {}
        self.do(self._start())

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def _start(self) -> None:
        password = self.password

        class OnePassword(UserManager):
            def get_user(self, iserver: Any, username: Any = None, password: Any = None,
                         certificate: Any = None) -> User | None:
                if not wanted or (username, password) == ("twin", wanted):
                    return User(role=UserRole.User)
                return None

        wanted = password
        self.server = Server(user_manager=OnePassword())
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        if self.folder is not None:
            await self.server.load_certificate(str(self.folder / "server.der"))
            await self.server.load_private_key(str(self.folder / "server_key.pem"))
            self.server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        for name, value in (("M3.Temp", 41.0), ("M3.State", "idle"), ("T1.Lat", 52.0),
                            ("T1.Lon", 4.0), ("M3.Door", False)):
            self.nodes[name] = await self.server.nodes.objects.add_variable(
                ua.NodeId(name, 2), name, value)
        await self.server.start()

    def write(self, name: str, value: Any) -> None:
        self.do(self.nodes[name].write_value(value))

    def stop(self) -> None:
        self.do(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


def row(sensor: str, node: str, measure: str, **more: Any) -> Any:
    return SimpleNamespace(**{"sensor": sensor, "topic": f"ns=2;s={node}", "measure": measure,
                              "site": "F1", "asset": None, "unit": None, **more})


SENSORS = [row("t3", "M3.Temp", "temperature", unit="F", asset="M3"),
           row("s3", "M3.State", "machine_state", asset="M3"),
           row("g1", "T1.Lat", "position/latitude", asset="T1"),
           row("g1", "T1.Lon", "position/longitude", asset="T1"),
           row("d3", "M3.Door", "door", asset="M3")]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def plant(port: int) -> Iterator[Plant]:
    plant = Plant(port)
    yield plant
    plant.stop()


def listen(port: int, **options: Any) -> OpcUa:
    source = open_source(Place(f"opc.tcp://127.0.0.1:{port}", "tea",
                               options={"sensors": SENSORS, "interval": 0.05, **options}))
    assert isinstance(source, OpcUa)
    return source


def until(source: OpcUa, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    deadline = time.monotonic() + 20.0
    while not enough(heard):
        assert time.monotonic() < deadline, heard
        for message in source.take(100, 0.1):
            heard += [dict(said) for said in source.readings(message)]
    return heard


def of(sensor: str, kind: str) -> Callable[[list[dict[str, Any]]], bool]:
    return lambda rows: any((row["sensor"], row["kind"]) == (sensor, kind) for row in rows)


@pytest.mark.long
def test_every_change_is_a_reading(plant: Plant, port: int) -> None:
    source = listen(port)
    first = until(source, lambda rows: all(of(*key)(rows) for key in (
        ("t3", "temperature"), ("s3", "machine_state"), ("g1", "position"), ("d3", "door"))))
    plant.write("M3.Temp", 212.0)
    said = until(source, of("t3", "temperature"))
    source.close()

    rows = {(one["sensor"], one["kind"]): parse_reading(one) for one in first}
    assert rows["t3", "temperature"].value == pytest.approx(5.0)
    assert (rows["s3", "machine_state"].state, rows["s3", "machine_state"].asset) == ("idle", "M3")
    assert (rows["g1", "position"].latitude, rows["g1", "position"].longitude) == (52.0, 4.0)
    assert rows["d3", "door"].value == 0.0
    assert parse_reading(said[-1]).value == pytest.approx(100.0)
    assert abs(parse_reading(said[-1]).time - time.time()) < 20.0


@pytest.mark.long
def test_a_server_that_comes_back_is_heard_again(port: int) -> None:
    plant = Plant(port)
    source = listen(port)
    until(source, of("t3", "temperature"))
    plant.stop()
    gone = until(source, of("t3", "alive"))
    assert {one["value"] for one in gone if one["kind"] == "alive"} == {0.0}
    plant = Plant(port)
    back = until(source, of("t3", "temperature"))
    assert 1.0 in {one["value"] for one in back if one["kind"] == "alive"}
    source.close()
    plant.stop()


@pytest.mark.long
def test_a_name_and_password_are_sent(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(port, password="secret")
    monkeypatch.setenv("TWIN_OPCUA_USER", "twin")
    monkeypatch.setenv("TWIN_OPCUA_PASSWORD", "secret")
    source = listen(port)
    until(source, of("t3", "temperature"))
    source.close()
    monkeypatch.setenv("TWIN_OPCUA_PASSWORD", "wrong")
    with pytest.raises(SourceError, match="refuses"):
        listen(port)
    plant.stop()


def certificate(folder: Path, name: str) -> None:
    """An application's certificate that signs itself (NAME.der), and its key (NAME_key.pem)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (x509.CertificateBuilder().subject_name(who).issuer_name(who)
            .public_key(key.public_key()).serial_number(7)
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([
                x509.UniformResourceIdentifier("urn:freeopcua:client"), x509.DNSName("127.0.0.1")]),
                critical=False)
            .sign(key, hashes.SHA256()))
    (folder / f"{name}.der").write_bytes(made.public_bytes(serialization.Encoding.DER))
    (folder / f"{name}_key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))


@pytest.mark.long
def test_a_connection_is_signed_and_encrypted(
        tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("server", "twin", "stranger"):
        certificate(tmp_path, name)
    plant = Plant(port, folder=tmp_path)
    security = f"Basic256Sha256,SignAndEncrypt,{tmp_path}/twin.der,{tmp_path}/twin_key.pem"
    monkeypatch.setenv("TWIN_OPCUA_SECURITY", f"{security},{tmp_path}/server.der")
    source = listen(port)
    until(source, of("t3", "temperature"))
    source.close()
    for wrong in ("", f"{security},{tmp_path}/stranger.der"):  # in the clear; another's certificate
        monkeypatch.setenv("TWIN_OPCUA_SECURITY", wrong)
        with pytest.raises(SourceError):
            listen(port)
    plant.stop()


@pytest.mark.long
def test_parts_that_change_together_are_one_reading(plant: Plant, port: int) -> None:
    source = listen(port, interval=0.2)
    until(source, of("g1", "position"))
    plant.write("T1.Lat", 53.0)
    [lat] = [said for said in until(source, of("g1", "position")) if said["kind"] == "position"]
    assert (lat["latitude"], lat["longitude"]) == (53.0, 4.0)
    when = datetime(2026, 3, 1, tzinfo=UTC)
    for name, value in (("T1.Lat", 54.0), ("T1.Lon", 5.0)):
        told = ua.DataValue(ua.Variant(value), SourceTimestamp=when)
        plant.do(plant.nodes[name].write_value(told))
    [both] = [said for said in until(source, of("g1", "position")) if said["kind"] == "position"]
    assert (both["latitude"], both["longitude"], both["ts"]) == (
        54.0, 5.0, "2026-03-01T00:00:00.000Z")
    source.close()


@pytest.mark.long
def test_a_node_that_the_server_lacks_is_named(plant: Plant, port: int) -> None:
    with pytest.raises(SourceError, match=r"has no node ns=2;s=M9\.Temp"):
        listen(port, sensors=[row("t9", "M9.Temp", "temperature", asset="M9")])


@pytest.mark.parametrize(("sensors", "message"), [
    ([], "no sensor of the model names an OPC UA node"),
    ([row("t9", "M9", "mood")], r"sensors\[t9\]: measure 'mood' is no kind"),
    ([SimpleNamespace(sensor="x", topic="ns=two;s=M", measure="door", site=None, asset=None,
                      unit=None)], r"sensors\[x\]: topic 'ns=two;s=M' is not a node id"),
])
def test_rows_that_cannot_be_used_are_named(sensors: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        listen(1, sensors=sensors)


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(SourceError, match="TWIN_OPCUA_PASSWORD"):
        open_source(Place("opc.tcp://ann:secret@plant:4840", "tea"))


def test_a_server_that_is_not_there_says_so(port: int) -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        listen(port)
