"""The register of devices: who may speak, on which topics, and when each was last heard.

It lies in ``store/<model>/devices.db``. A credential is made here, shown once, and kept only as a
salted PBKDF2-SHA512 hash in the form that Mosquitto reads, so that a broker refuses a stranger
before a listener has to (``docs/decisions/0011-a-device-has-a-name-and-a-secret.md``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from twin.clock import excerpt
from twin.readings import BadReading
from twin.sense.source import TOPIC_FILTER, topic_level

_NAME = re.compile(r"[\w.@~=-]{1,64}", re.ASCII)
_ITERATIONS = 20_000  # secrets have 192 bits, and a broker hashes at every connect
_FRESH_S = 1.0
_TABLE = """create table if not exists devices (
    device text primary key, role text not null, topics text not null, credential text not null,
    added real not null, revoked real, last_seen real, battery real) strict"""


class RegisterError(ValueError):
    """A device that cannot be added or found; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Device:
    """One row of the register.

    Parameters
    ----------
    device
        Its name: the sensor that it speaks for, and its user name at the broker.
    role
        ``device`` publishes, ``listener`` reads.
    topics
        MQTT topic filters that it may publish to (or read).
    credential
        Salted hash of its secret.
    added, revoked, last_seen
        Seconds since 1970; None where it did not happen.
    battery
        Per cent, as it last said.
    """

    device: str
    role: str
    topics: tuple[str, ...]
    credential: str
    added: float
    revoked: float | None = None
    last_seen: float | None = None
    battery: float | None = None


class Register:
    """Devices of one model.

    Parameters
    ----------
    path
        ``store/<model>/devices.db``; it is made when the first device is added.

    Examples
    --------
    >>> import tempfile
    >>> register = Register(Path(tempfile.mkdtemp()) / "devices.db")
    >>> secret = register.add("t1")
    >>> register.verify("t1", secret), register.verify("t1", "guess")
    (True, False)
    >>> register.allow("t1", "twin/acme/W/cold/t1")
    >>> register.allow("t2", "twin/acme/W/cold/t2")
    Traceback (most recent call last):
    ...
    twin.readings.BadReading: device 't2' is not in the register. Add it: twin devices add t2
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._known: dict[str, Device] = {}
        self._open_topics: list[re.Pattern[str]] = []
        self._answers: dict[tuple[str, str], tuple[str, str] | None] = {}
        self._read_at = -1e9

    # ---- what a person does ----

    def add(self, device: str, topics: Sequence[str] = (), *, role: str = "device") -> str:
        """Let a device speak; its secret, which is not kept and cannot be shown again.

        A device that was revoked is let in again, with a new secret.

        Raises
        ------
        RegisterError
            If the name or a topic cannot be, or the device is there already.
        """
        if not _NAME.fullmatch(device):
            raise RegisterError(f"device '{excerpt(device)}' is not a name. Write at most 64 "
                                "letters, digits and _ . @ ~ = - without blanks.")
        if role not in ("device", "listener"):
            raise RegisterError(f"role '{excerpt(role)}' is unknown. Write device or listener.")
        topics = tuple(topics) or (_own_topic(device) if role == "device" else "twin/#",)
        wrong = next((topic for topic in topics if not TOPIC_FILTER.fullmatch(topic)), None)
        if wrong is not None:
            raise RegisterError(f"topic '{excerpt(wrong)}' is not an MQTT filter. Write such as "
                                "twin/acme/W/+/t1 or twin/acme/W/#.")
        there = {one.device: one for one in self.devices()}.get(device)
        if there is not None and there.revoked is None:
            raise RegisterError(f"device '{device}' is in the register. Revoke it first to give it "
                                "a new secret.")
        secret = secrets.token_urlsafe(24)
        with self._open() as base:
            base.execute("insert or replace into devices values (?, ?, ?, ?, ?, null, null, null)",
                         (device, role, "\n".join(topics), credential(secret), time.time()))
        self._read_at = -1e9
        return secret

    def revoke(self, device: str) -> None:
        """Let a device speak no more.

        Raises
        ------
        RegisterError
            If there is no such device.
        """
        with self._open() as base:
            changed = base.execute("update devices set revoked = coalesce(revoked, ?) "
                                   "where device = ?", (time.time(), device)).rowcount
        if not changed:
            known = ", ".join(one.device for one in self.devices()[:40]) or "none"
            raise RegisterError(f"there is no device '{excerpt(device)}'. There are: {known}.")
        self._read_at = -1e9

    def devices(self) -> list[Device]:
        """Every device, by name."""
        if not self.path.exists():
            return []
        with self._open() as base:
            rows = base.execute("select * from devices order by device").fetchall()
        return [Device(name, role, tuple(topics.split("\n")), *rest)
                for name, role, topics, *rest in rows]

    def verify(self, device: str, secret: str) -> bool:
        """Whether it is the secret of a device that may speak."""
        there = {one.device: one for one in self.devices()}.get(device)
        return (there is not None and there.revoked is None
                and hmac.compare_digest(there.credential,
                                        credential(secret, like=there.credential)))

    def write_broker_files(self, folder: Path) -> None:
        """The passwords and rights of all devices as Mosquitto reads them."""
        folder.mkdir(parents=True, exist_ok=True)
        active = [one for one in self.devices() if one.revoked is None]
        for name, text in (
            ("passwords", "".join(f"{one.device}:{one.credential}\n" for one in active)),
            ("acl", "\n".join(f"user {one.device}\n" + "".join(
                f"topic {'read' if one.role == 'listener' else 'write'} {topic}\n"
                for topic in one.topics) for one in active)),
        ):
            draft = folder / f".{name}.part"
            draft.touch(mode=0o600)
            draft.write_text(text, encoding="utf-8")
            draft.replace(folder / name)

    # ---- what a listener asks ----

    def allow(self, sensor: str, topic: str) -> None:
        """Refuse a sensor that may not speak on a topic.

        A sensor speaks by its own entry, or by that of a gateway whose topics cover it.

        Raises
        ------
        BadReading
            Reason `unknown_device`, `revoked` or `rights`.
        """
        if time.monotonic() - self._read_at > _FRESH_S:
            self._refresh()
        key = (sensor, topic)
        if key not in self._answers:
            if len(self._answers) > 100_000:
                self._answers.clear()
            self._answers[key] = self._judge(sensor, topic)
        refusal = self._answers[key]
        if refusal is not None:
            raise BadReading(*refusal)

    def _judge(self, sensor: str, topic: str) -> tuple[str, str] | None:
        """The reason and the message of a refusal; None if it may speak."""
        own = self._known.get(sensor)
        if own is not None and own.revoked is not None:
            return ("revoked", f"device '{sensor}' was revoked. Add it again: twin devices add "
                               f"{sensor}")
        if any(pattern.fullmatch(topic) for pattern in self._open_topics):
            return None
        if own is None:
            return ("unknown_device", f"device '{excerpt(sensor)}' is not in the register. Add it: "
                                      f"twin devices add {excerpt(sensor)}")
        return ("rights", f"device '{sensor}' may not speak on '{excerpt(topic)}', only on "
                          f"{', '.join(own.topics)}.")

    def _refresh(self) -> None:
        devices = self.devices()
        known = {one.device: replace(one, last_seen=None, battery=None) for one in devices
                 if one.role == "device"}
        if known != self._known:
            self._known = known
            self._open_topics = [_pattern(topic) for one in known.values() if one.revoked is None
                                 for topic in one.topics]
            self._answers.clear()
        self._read_at = time.monotonic()

    def heard(self, seen: Mapping[str, float], battery: Mapping[str, float]) -> None:
        """Note when devices were last heard and what their batteries hold."""
        if not self.path.exists() or not (seen or battery):
            return
        with self._open() as base:
            base.executemany("update devices set last_seen = max(coalesce(last_seen, 0), ?) "
                             "where device = ?", [(at, name) for name, at in seen.items()])
            base.executemany("update devices set battery = ? where device = ?",
                             [(level, name) for name, level in battery.items()])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(self.path, timeout=10)
        try:
            with base:
                base.execute(_TABLE)
                yield base
        except sqlite3.DatabaseError as error:
            raise RegisterError(f"{self.path} cannot be used: {error}. Put back a copy, or remove "
                                "it and add the devices anew.") from None
        finally:
            base.close()


def credential(secret: str, *, like: str = "") -> str:
    """The salted hash of a secret, as a line of a Mosquitto password file has it.

    Parameters
    ----------
    like
        Another one, whose salt and iterations are used, to compare with it.

    Examples
    --------
    >>> one = credential("s3cret")
    >>> one[:9], credential("s3cret", like=one) == one, credential("other", like=one) == one
    ('$7$20000$', True, False)
    """
    if like:
        _, _, turns, salt64, _ = like.split("$")
        salt, iterations = base64.b64decode(salt64), int(turns)
    else:
        salt, iterations = secrets.token_bytes(12), _ITERATIONS
    mark = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, iterations)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(mark).decode()}"


def _own_topic(device: str) -> str:
    return f"twin/+/+/+/{topic_level(device)}"


def _pattern(topic: str) -> re.Pattern[str]:
    """An MQTT topic filter as a regular expression.

    Examples
    --------
    >>> [bool(_pattern("twin/+/W/#").fullmatch(topic)) for topic in ("twin/a/W/b/c", "twin/W/x")]
    [True, False]
    """
    levels = [re.escape(level) if level != "+" else "[^/]*" for level in topic.split("/")]
    if levels[-1] == re.escape("#"):  # the level before it is meant as well
        return re.compile("/".join(levels[:-1]) + ("(?:/.*)?" if levels[1:] else ".*"), re.DOTALL)
    return re.compile("/".join(levels))
