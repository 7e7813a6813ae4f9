"""Blocks: a batch that is checked by columns is judged as row by row, whatever it holds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from twin.block import check_block
from twin.network import Network, Product, Site
from twin.readings import BadReading, Reading, parse_reading
from twin.sense import listener
from twin.sense.known import Known
from twin.sense.source import Message
from twin.store import Store

NOON = 1_772_366_400.0
#: What a key may say, plainly good or not; False leaves it out.
WORDS: dict[str, list[Any]] = {
    "sensor": ["t1", "t1", "t2", "", 7, None, True, False],
    "id": ["a", 3, "", None, 2.5, "x" * 201, "tab\t", False],
    "ts": ["2026-03-01T11:59:00Z", "2026-03-01T11:59:01.250Z", "2026-03-01T12:59:00+01:00",
           "20260301T115900Z", "2026-03-01T11:59:00", "soon", "", 1000 * NOON, int(1000 * NOON), -1,
           float("nan"), 10 ** 400, None, True, False],
    "kind": ["temperature", "temperature", "battery", "shipping", "machine_state", "mood", 1, None,
             False],
    "site": ["W", "W", "V", "", 12, None, False],
    "product": ["A", "", "B", False],
    "asset": ["M1", "", False],
    "order": ["PO-1", 7, False],
    "quantity": [1, 2.5, -1, True, "3", float("inf"), False],
    "value": [4.5, 20, -300, 101, 1e308, float("nan"), 10 ** 400, True, "warm", None, False],
    "latitude": [52.0, 91, False],
    "state": ["idle", "", False],
    "quality": ["good", "bad", "", "so so", False],
    "unit": ["C", "F", "K", "%", "psi", "units", "", 5, None, False],
    "mood": [1, False],
}


def batches(dice: random.Random) -> list[dict[str, Any]]:
    """Readings that mostly say what is plainly good, some of them something else."""
    size, odd = dice.choice([1, 2, 20, 40]), dice.choice([0.0, 0.0, 0.002, 0.01])
    kinds = dice.choice([["temperature"], ["temperature", "battery"], ["shipping"]])
    found = []
    for number in range(size):
        said: dict[str, Any] = {
            "sensor": "t1", "id": f"{dice.randrange(10**6)}", "kind": dice.choice(kinds),
            "ts": "2026-03-01T11:59:00Z" if dice.random() < 0.5 else 1000 * (NOON - number),
            "site": "W", "value": dice.choice([4.5, 5, 20])}
        if said["kind"] == "shipping":
            said |= {"product": "A", "quantity": 2}
        if dice.random() < 0.3:
            said |= {"unit": "F" if said["kind"] == "temperature" else ""}
        for name, words in WORDS.items():
            if dice.random() < odd:
                said[name] = dice.choice(words)
        found.append({name: value for name, value in said.items() if value is not False})
    return found


def one_by_one(said: Mapping[str, Any], sensor: str) -> Reading | None:
    try:
        return parse_reading(said, recorded=NOON, sensor=sensor)
    except BadReading:
        return None


def test_a_block_holds_what_its_rows_would_be() -> None:
    dice, taken = random.Random(3), 0
    for _ in range(600):
        batch, sensor = batches(dice), dice.choice(["", "t1"])
        blocks = check_block(batch, recorded=NOON, sensor=sensor)
        if blocks is not None:
            taken += 1
            ours = [reading for block in blocks for reading in block.readings()]
            rows = [one_by_one(said, sensor) for said in batch]
            assert sorted(map(repr, ours)) == sorted(map(repr, rows))
    assert 200 < taken < 500


@pytest.mark.parametrize("name", WORDS)
def test_one_strange_value_is_never_taken_unseen(name: str) -> None:
    plain = {"sensor": "t1", "ts": "2026-03-01T11:59:00Z", "kind": "temperature", "site": "W",
             "value": 4.5}
    for word in WORDS[name]:
        for every in (False, True):
            batch: list[dict[str, Any]] = [{**plain, "id": str(number)} for number in range(3)]
            for said in batch[0 if every else 2:]:
                said.pop(name, None)
                said |= {} if word is False else {name: word}
            rows = [one_by_one(said, "t1") for said in batch]
            blocks = check_block(batch, recorded=NOON, sensor="t1")
            if blocks is not None:
                ours = [reading for block in blocks for reading in block.readings()]
                assert sorted(map(repr, ours)) == sorted(map(repr, rows))


def test_a_listener_says_the_same_of_a_stream_by_blocks_and_by_rows(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(sites=[Site(site="W", kind="warehouse")], products=[Product(product="A")])
    dice = random.Random(11)
    stream = [[{**said, "ts": 1000 * (NOON + dice.choice([-7200, 600, *[0] * 60]) - number)}
               if "ts" in said and dice.random() < 0.1 else said for said in batches(dice)]
              for number in range(40)]

    def heard(folder: Path, fewest: int) -> Any:
        monkeypatch.setattr(listener, "FEWEST", fewest)
        one = listener.Listener(Spoken(), Store(folder), known=Known(network))
        for batch in stream:
            one._sort(Message(b"", NOON, "t1"), batch)
            one._keep([])
        one.close()
        refused = sorted(line.split('"received"')[0] for path in folder.rglob("*.jsonl")
                         for line in path.read_text().splitlines())
        return (one.store.frame().to_json(), refused, one._latest, one._battery,
                one.heard.accepted, one.heard.late, one.heard.quarantined)

    by_rows, by_blocks = heard(tmp_path / "a", 10 ** 9), heard(tmp_path / "b", 2)
    assert by_rows == by_blocks
    assert by_rows[4] > 300
    assert by_rows[5] > 0
    assert len(by_rows[6]) > 3


class Spoken:
    """A source that has nothing more to say."""

    live, ended = True, True

    def take(self, most: int, wait_s: float) -> list[Message]:
        return []

    def readings(self, message: Message) -> list[Mapping[str, Any]]:
        return []

    def acknowledge(self, messages: Any) -> None:
        pass

    def close(self) -> None:
        pass
