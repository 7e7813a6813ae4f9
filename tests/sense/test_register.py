"""The register of devices: secrets that are not kept, rights by topic, changes while listening."""

from __future__ import annotations

import base64
import hashlib
import stat
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.readings import BadReading
from twin.sense import register as module
from twin.sense.register import Register, RegisterError, _pattern


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register(tmp_path / "devices.db")


def test_a_secret_is_shown_once_and_only_its_hash_is_kept(register: Register) -> None:
    secret = register.add("t1")
    assert len(secret) == 32
    (device,) = register.devices()
    assert secret.encode() not in register.path.read_bytes()
    _, kind, turns, salt, mark = device.credential.split("$")
    assert kind == "7"
    assert base64.b64decode(mark) == hashlib.pbkdf2_hmac(
        "sha512", secret.encode(), base64.b64decode(salt), int(turns))
    assert register.verify("t1", secret)
    assert not register.verify("t1", secret + "x")
    assert not register.verify("t2", secret)
    assert register.add("t2") != secret


def test_a_revoked_device_is_let_in_again_with_another_secret(register: Register) -> None:
    first = register.add("t1")
    register.revoke("t1")
    assert not register.verify("t1", first)
    second = register.add("t1")
    assert register.verify("t1", second)
    assert not register.verify("t1", first)


@pytest.mark.parametrize(
    ("name", "topics", "role", "told"),
    [
        ("", (), "device", "is not a name"),
        ("a:b", (), "device", "is not a name"),
        ("a/b", (), "device", "is not a name"),
        ("a\nuser b", (), "device", "is not a name"),
        ("x" * 65, (), "device", "is not a name"),
        ("t1", ("twin/#/x",), "device", "is not an MQTT filter"),
        ("t1", ("twin/a+",), "device", "is not an MQTT filter"),
        ("t1", ("twin/x\nuser y",), "device", "is not an MQTT filter"),
        ("t1", ("twin/a b",), "device", "is not an MQTT filter"),
        ("t1", (), "king", "role 'king' is unknown"),
        ("there", (), "device", "is in the register"),
    ],
)
def test_what_cannot_be_a_device_is_refused(register: Register, name: str, topics: tuple[str, ...],
                                            role: str, told: str) -> None:
    register.add("there")
    with pytest.raises(RegisterError, match=told):
        register.add(name, topics, role=role)
    assert [one.device for one in register.devices()] == ["there"]
    with pytest.raises(RegisterError, match=r"there is no device 'nobody'. There are: there."):
        register.revoke("nobody")


def test_a_revocation_is_heeded_while_listening(
        register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FRESH_S", 0.05)
    register.add("t1")
    register.allow("t1", "twin/a/W/c/t1")
    Register(register.path).revoke("t1")  # by another process
    time.sleep(0.06)
    with pytest.raises(BadReading, match="device 't1' was revoked") as refused:
        register.allow("t1", "twin/a/W/c/t1")
    assert refused.value.reason == "revoked"


def test_a_revoked_sensor_stays_refused_behind_a_gateway(register: Register) -> None:
    register.add("t1")
    register.add("gate", ["twin/a/#"])
    register.revoke("t1")
    register.allow("t2", "twin/a/W/c/t2")
    with pytest.raises(BadReading, match="was revoked"):
        register.allow("t1", "twin/a/W/c/t1")


def test_a_listener_s_account_may_not_speak(register: Register) -> None:
    register.add("hall", role="listener")
    with pytest.raises(BadReading, match="not in the register"):
        register.allow("hall", "twin/a/W/c/hall")


def test_last_heard_never_goes_back(register: Register) -> None:
    register.add("t1")
    register.heard({"t1": 50.0, "stranger": 9.0}, {"t1": 80.0})
    register.heard({"t1": 40.0}, {})
    (device,) = register.devices()
    assert (device.last_seen, device.battery) == (50.0, 80.0)


def test_broker_files_are_for_the_broker_alone(register: Register, tmp_path: Path) -> None:
    register.add("t1")
    register.write_broker_files(tmp_path / "broker")
    for path in (tmp_path / "broker").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (tmp_path / "broker" / "acl").read_text() == "user t1\ntopic write twin/+/+/+/t1\n"


def test_a_spoiled_register_is_said(tmp_path: Path) -> None:
    (tmp_path / "devices.db").write_bytes(b"nonsense" * 200)
    with pytest.raises(RegisterError, match="cannot be used"):
        Register(tmp_path / "devices.db").devices()


def test_mosquitto_itself_takes_our_hash(register: Register, tmp_path: Path) -> None:
    """The password file that mosquitto_passwd rewrites keeps our lines as they are."""
    import shutil

    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed")
    register.add("t1")
    register.write_broker_files(tmp_path)
    line = (tmp_path / "passwords").read_text()
    subprocess.run([program, "-b", str(tmp_path / "passwords"), "other", "secret"], check=True,
                   capture_output=True)
    assert line in (tmp_path / "passwords").read_text()


levels = st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=4)


@given(levels, st.data())
def test_filters_match_as_mqtt_says(topic: list[str], data: st.DataObject) -> None:
    """Against the client library's own matching."""
    from paho.mqtt.client import topic_matches_sub

    wild = [data.draw(st.sampled_from([level, "+", "x"])) for level in topic]
    if data.draw(st.booleans()):
        wild = [*wild[:data.draw(st.integers(0, len(wild)))], "#"]
    told, said = "/".join(wild), "/".join(topic)
    assert bool(_pattern(told).fullmatch(said)) == topic_matches_sub(told, said)
