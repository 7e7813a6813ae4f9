"""The listener before hostile streams: what is kept, refused and why, and thanked for."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from twin.network import Machine, Network, Product, Site
from twin.readings import Reading
from twin.segment import SegmentError, read_lines, segment_files
from twin.sense.known import Known
from twin.sense.listener import Listener, Rules
from twin.sense.quarantine import Quarantine
from twin.sense.register import Register
from twin.sense.source import LARGEST, Message, Place, decode_json, open_source
from twin.store import Store

NOON = 1_772_366_400.0  # 2026-03-01T12:00:00Z
GOOD = {"sensor": "t1", "id": "1", "ts": "2026-03-01T11:59:00Z", "kind": "temperature",
        "site": "W", "value": 4.5}
NETWORK = Network(
    sites=[Site(site="W", kind="warehouse"), Site(site="P", kind="plant")],
    products=[Product(product="A")],
    machines=[Machine(machine="M1", site="P", group="mill", units=2)])


class Said:
    """A source of messages that stand in a list, in groups of a given size."""

    def __init__(self, messages: Iterable[Message], *, live: bool = True, size: int = 3) -> None:
        self.live, self.size = live, size
        self.waiting = list(messages)
        self.thanked: list[Message] = []

    @property
    def ended(self) -> bool:
        return not self.waiting

    def take(self, most: int, wait_s: float) -> Sequence[Message]:
        taken = self.waiting[:min(most, self.size)]
        self.waiting = self.waiting[len(taken):]
        return taken

    def readings(self, message: Message) -> Iterable[Mapping[str, Any]]:
        return decode_json(message.payload)

    def acknowledge(self, messages: Sequence[Message]) -> None:
        self.thanked += messages

    def close(self) -> None:
        pass


def message(said: Any, sender: str = "t1", received: float = NOON) -> Message:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Message(payload, received, sender, f"twin/acme/W/cold/{sender}")


def hear(source: Said, store: Store, **more: Any) -> Listener:
    """Listen to the end."""
    with Listener(source, store, **more) as listener:
        while listener.step(0.0):
            pass
    return listener


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        (b"\xff\xfe", "malformed", "the payload is not JSON"),
        (b"{", "malformed", "the payload is not JSON"),
        (b"7", "malformed", "is not a reading"),
        (b"[7]", "malformed", "is not a reading"),
        (b"[" * 100_000, "malformed", "the payload is not JSON"),
        (b'"' + b"x" * LARGEST + b'"', "oversize", "at most 262,144 are read"),
        ([{}] * 10_001, "oversize", "at most 10,000 are read"),
        ({**GOOD, "mood": 1}, "malformed", "key 'mood' is unknown"),
        ({**GOOD, "kind": "mood"}, "unknown_kind", "kind 'mood' is unknown"),
        ({**GOOD, "value": "warm"}, "malformed", "is not a finite number"),
        ({**GOOD, "unit": "psi"}, "unit", "unit 'psi' is not one of"),
        ({**GOOD, "value": -400}, "impossible", "cannot be"),
        ({**GOOD, "site": ""}, "missing", "is missing"),
        ({**GOOD, "site": "X"}, "unknown_site", "site 'X' is not in the model"),
        ({**GOOD, "kind": "shipping", "product": "B", "quantity": 1}, "unknown_product", "'B'"),
        ({**GOOD, "asset": "M1#3"}, "unknown_asset", "asset 'M1#3' is not in the model"),
        ({**GOOD, "sensor": "t2"}, "identity", "sensor 't1' speaks for 't2'"),
        ({**GOOD, "ts": "2026-03-01T12:06:00Z"}, "clock", "is 360 s after it came"),
        ({**GOOD, "ts": "1970-01-01T00:00:00Z"}, "clock", "before it came"),
    ],
)
def test_what_cannot_be_is_quarantined_with_its_reason(
        tmp_path: Path, said: Any, reason: str, told: str) -> None:
    source = Said([message(GOOD), message(said), message({**GOOD, "id": "2"})])
    listener = hear(source, Store(tmp_path), known=Known(NETWORK))
    assert dict(listener.heard.quarantined) == {reason: 1}
    assert listener.store.frame()["id"].tolist() == ["1", "2"]
    assert len(source.thanked) == 3  # the sender can do nothing about it now
    (line,) = [json.loads(line) for path in (tmp_path / "quarantine").glob("*.jsonl")
               for line in path.read_text().splitlines()]
    assert line["reason"] == reason
    assert told in line["why"]


def test_one_bad_reading_of_a_payload_leaves_the_others(tmp_path: Path) -> None:
    batch = [{**GOOD, "id": str(number), "value": -400 if number == 3 else 4} for number in
             range(6)]
    listener = hear(Said([message(batch)]), Store(tmp_path))
    assert (listener.heard.messages, listener.heard.readings, listener.heard.accepted) == (1, 6, 5)
    assert dict(listener.heard.quarantined) == {"impossible": 1}


@pytest.mark.parametrize("live", [True, False], ids=["live", "recorded"])
def test_late_readings_are_stored_and_listed(tmp_path: Path, live: bool) -> None:
    source = Said([message({**GOOD, "id": "a"}),
                   message({**GOOD, "id": "b", "ts": "2026-03-01T10:58:00Z"})], live=live)
    listener = hear(source, Store(tmp_path))
    assert (listener.heard.accepted, listener.heard.late) == (2, 1)
    assert not listener.heard.quarantined
    assert listener.store.frame()["id"].tolist() == ["b", "a"]
    assert listener.quarantine.counts() == {"late": 1}


def test_a_shuffled_and_doubled_day_leaves_the_same_store(tmp_path: Path) -> None:
    said = [message({**GOOD, "sensor": f"t{number % 3}", "id": str(number),
                     "ts": 1000 * (NOON - 60_000 + 97 * number), "value": number / 7},
                    f"t{number % 3}", received=NOON - 60_000 + 97 * number + number % 5)
            for number in range(400)]
    straight = hear(Said(said, size=400), Store(tmp_path / "a"))
    mixed = said + said[::2]
    random.Random(5).shuffle(mixed)
    other = hear(Said(mixed, size=7), Store(tmp_path / "b"),
                 rules=Rules(merge_rows=50, merge_s=0.0))
    assert straight.store.frame().equals(other.store.frame())
    for day, path in straight.store.day_files().items():
        assert path.read_bytes() == other.store.day_files()[day].read_bytes()
    assert (other.heard.merged.read, other.heard.merged.new) == (600, 400)


def test_an_id_that_repeats_with_another_content_is_a_conflict(tmp_path: Path) -> None:
    said = [message(GOOD), message({**GOOD, "value": 9.0}, received=NOON + 5), message(GOOD)]
    listener = hear(Said(said), Store(tmp_path))
    assert dict(listener.heard.quarantined) == {"conflict": 1}
    assert listener.store.frame()["value"].tolist() == [4.5]


def test_the_register_lets_only_its_devices_speak(tmp_path: Path) -> None:
    register = Register(tmp_path / "devices.db")
    register.add("t1")
    register.add("t3", ["twin/acme/P/#"])
    register.add("t4")
    register.revoke("t4")
    register.add("gate", ["twin/acme/W/cold/t5"])
    low = {**GOOD, "kind": "battery", "value": 12.0}
    said = [message(low), *(message({**GOOD, "sensor": name}, name)
                            for name in ("t2", "t3", "t4", "t5"))]
    listener = hear(Said(said), Store(tmp_path), register=register)
    assert dict(listener.heard.quarantined) == {"unknown_device": 1, "rights": 1, "revoked": 1}
    assert sorted(listener.store.frame()["sensor"]) == ["t1", "t5"]
    (t1,) = [one for one in register.devices() if one.device == "t1"]
    assert (t1.last_seen, t1.battery) == (NOON, 12.0)


def test_what_a_fix_cured_is_heard_again_and_the_rest_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    said = [message({**GOOD, "id": "1", "site": "X"}), message(b"{"),
            message({**GOOD, "id": "2", "site": "Y"})]
    hear(Said(said), store, known=Known(NETWORK))
    larger = Network(sites=[Site(site="W", kind="warehouse"), Site(site="X", kind="warehouse")])
    for turn in range(2):  # a second time changes nothing
        source = open_source(Place("quarantine", "m", folder=tmp_path))
        with Listener(source, store, known=Known(larger)) as listener:
            while listener.step(0.0):
                pass
        assert listener.heard.accepted == (1 if turn == 0 else 0)
        assert Quarantine(tmp_path / "quarantine").counts() == {"malformed": 1, "unknown_site": 1}
    assert store.frame()["site"].tolist() == ["X"]
    assert not list((tmp_path / "quarantine").glob("*.again"))


def test_replaying_the_quarantine_survives_a_crash(tmp_path: Path) -> None:
    store = Store(tmp_path)
    hear(Said([message({**GOOD, "id": str(n), "site": "X"}) for n in range(5)]), store,
         known=Known(NETWORK))
    source = open_source(Place("quarantine", "m", folder=tmp_path))
    assert len(source.take(3, 0.0)) == 3  # and here the power goes
    again = open_source(Place("quarantine", "m", folder=tmp_path))
    with Listener(again, store) as listener:
        while listener.step(0.0):
            pass
    assert listener.heard.accepted == 5
    assert Quarantine(tmp_path / "quarantine").counts() == {}


def test_nothing_is_acknowledged_before_it_is_on_disk(tmp_path: Path) -> None:
    store = Store(tmp_path)

    class Watched(Said):
        def acknowledge(self, messages: Sequence[Message]) -> None:
            super().acknowledge(messages)
            on_disk = sum(line.count('"id"') for path in segment_files(tmp_path / "segments")
                          for line in read_lines(path))
            assert on_disk >= len(self.thanked)

    source = Watched([message({**GOOD, "id": str(number)}) for number in range(20)])
    hear(source, store)
    assert len(source.thanked) == 20


def test_a_disk_that_is_gone_leaves_the_group_unacknowledged(tmp_path: Path) -> None:
    source = Said([message(GOOD)])
    listener = Listener(source, Store(tmp_path))
    (tmp_path / "segments" / "1.lock").unlink()
    (tmp_path / "segments").rmdir()
    (tmp_path / "segments").write_text("no folder any more")
    with pytest.raises(SegmentError, match="Nothing was acknowledged"):
        listener.step(0.0)
    assert source.thanked == []


def test_readings_are_handed_on_once_they_are_safe(tmp_path: Path) -> None:
    folded: list[Reading] = []
    hear(Said([message({**GOOD, "value": 41, "unit": "F"}), message(b"{")]), Store(tmp_path),
         fold=folded.extend)
    (reading,) = folded
    assert (reading.key, round(reading.value, 6), reading.recorded) == (("t1", "1"), 5.0, NOON)


def test_a_file_of_the_past_has_no_wrong_clock(tmp_path: Path) -> None:
    listener = hear(Said([message({**GOOD, "ts": "2011-01-01"})], live=False), Store(tmp_path))
    assert listener.heard.accepted == 1


def test_a_large_batch_is_synced_in_parts(tmp_path: Path) -> None:
    said = [message([{**GOOD, "id": f"{m}-{n}"} for n in range(10)]) for m in range(9)]
    source = Said(said, size=9)
    listener = Listener(source, Store(tmp_path), rules=Rules(most_rows=25))
    listener.step(0.0)
    (path,) = segment_files(tmp_path / "segments")
    assert [line.count('"id"') for line in read_lines(path)] == [30, 30, 30]
    assert len(source.thanked) == 9
    listener.close()
