"""A rehearsal: a hidden operation whose messages tell what really happened, and planted faults."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from twin.document import DocumentError
from twin.experiment import read_model
from twin.kinds import KINDS
from twin.ledger import Ledger
from twin.network import Network
from twin.readings import BadReading, parse_reading
from twin.rehearse.earshot import Earshot
from twin.rehearse.failing import Failing
from twin.rehearse.fault import FAULTS, Fault, Transmission, encoded
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.study import _with_change
from twin.rehearse.truth import Truth, hide, plant, read_truth, write_truth
from twin.scenario import Scenario
from twin.simulate import play
from twin.simulate.operation import Operation


@pytest.fixture(scope="module")
def harbour() -> Network:
    return read_model("harbour")


def test_an_operation_lives_as_a_replication_does(harbour: Network) -> None:
    told = Ledger()
    play(harbour, Scenario.baseline(), horizon_h=240.0, seed=5, ledger=told)
    life = Operation(harbour, Scenario.baseline(), seed=5)
    for hour in range(1, 241):
        life.run(float(hour))
        life.view()  # looking changes nothing
    assert life.ledger.digest() == told.digest()


@pytest.mark.long
def test_the_same_truth_sends_the_same_messages(harbour: Network) -> None:
    truth = hide(harbour, seed=4)
    truth = plant(truth, harbour, Rehearsal(harbour, truth).sensors)
    one, other = Rehearsal(harbour, truth), Rehearsal(harbour, truth)
    whole = [encoded(row) for _, row in one.step(7 * 24.0)]
    parts = [encoded(row) for day in range(1, 8) for _, row in other.step(24.0 * day)]
    assert whole == parts


@pytest.mark.long
def test_every_kind_of_reading_is_heard(harbour: Network) -> None:
    heard: Counter[str] = Counter()
    for name in ("harbour", "medicines"):
        network = read_model(name)
        rehearsal = Rehearsal(network, hide(network, seed=2), settle_h=network.warmup)
        sent = rehearsal.step(network.warmup + 6 * 24.0)
        # Without faults every message is a good reading.
        readings = [parse_reading(row, sensor=sensor) for sensor, row in sent
                    if isinstance(row, dict)]
        assert len(readings) == len(sent)
        heard.update(reading.kind for reading in readings)
    unheard = set(KINDS) - set(heard)
    assert unheard <= {"shipping", "receiving", "current", "health", "door", "alive", "reject",
                       "commissioning"} - set(heard)


def test_events_heard_are_the_ledger_of_the_operation(harbour: Network) -> None:
    rehearsal = Rehearsal(harbour, hide(harbour, seed=9), sensing=False)
    sent = [row for _, row in rehearsal.step(20 * 24.0) if isinstance(row, dict)]
    told = {int(row["id"][1:]): row for row in sent}
    rows = list(rehearsal.operation.ledger.tail())
    start = harbour.start.timestamp()
    unsaid = [row for row in rows if row["id"] not in told]
    assert all(row["site"] == "north_dc" and row["time"] > 479.0 - 1.0 for row in unsaid)
    for row in rows:
        if row["id"] in told:
            said = told[row["id"]]
            assert said["kind"] == row["event"]
            assert math.isclose(said["ts"] / 1000.0, start + 3600.0 * row["time"], abs_tol=1e-3)


def test_a_slow_clerk_is_heard_late(harbour: Network) -> None:
    delay = harbour.sites["north_dc"].record_delay
    assert delay > 0.0
    rehearsal = Rehearsal(harbour, hide(harbour, seed=9))
    late = []
    for quarter in range(1, 4 * 72):
        before = rehearsal.clock
        for _, row in rehearsal.step(quarter / 4.0):
            if isinstance(row, dict) and row["sensor"] == "wms_north_dc":
                late.append((before - row["ts"] / 1000.0) / 3600.0)
    assert len(late) > 10
    assert min(late) >= delay - 0.25 - 1e-6
    assert max(late) <= delay + 1e-6


def test_an_order_from_outside_is_executed(harbour: Network) -> None:
    rehearsal = Rehearsal(harbour, Truth("harbour", 3), sensing=False)
    rehearsal.step(48.0)
    number = rehearsal.order("juicery", "concentrate", 120.0, "orchard")
    sent = rehearsal.step(60 * 24.0)
    story = [row["kind"] for _, row in sent if isinstance(row, dict)
             and row.get("order") == str(number)]
    assert story[0] == "ordering"
    assert story.index("departing") < story.index("arriving")
    for order, told in ((("nowhere", "concentrate", 1.0), "nowhere does not stock concentrate"),
                        (("juicery", "concentrate", -1.0), "orders nothing"),
                        (("juicery", "concentrate", 1.0, "glassworks"), "does not send")):
        with pytest.raises(ValueError, match=told):
            rehearsal.order(*order)


def test_a_planted_change_starts_when_listening_has_begun() -> None:
    shop = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "tea"}], supply=[{"site": "S", "product": "tea"}],
        lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "10h"}],
        stock=[{"site": "W", "product": "tea", "policy": "base_stock", "order_up_to": 5}],
        demand=[{"site": "W", "product": "tea", "interarrival": "1d"}])
    slower = Scenario(name="change", events={"road": {"type": "transit", "factor": 2,
                                                      "start": "2d"}})
    rehearsal = Rehearsal(shop, Truth("shop", 1, change=slower), settle_h=48.0, sensing=False)
    sent = [row for _, row in rehearsal.step(240.0) if isinstance(row, dict)]
    left = {row["shipment"]: row["ts"] for row in sent if row["kind"] == "departing"}
    hours = [round((row["ts"] - left[row["shipment"]]) / 3.6e6, 6)
             for row in sent if row["kind"] == "arriving"]
    assert set(hours) == {10.0, 20.0}
    changed = [row["ts"] for row in sent if row["kind"] == "arriving"][hours.index(20.0)]
    assert (changed - 1000.0 * shop.start.timestamp()) / 3.6e6 > 96.0


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_touches_its_sensors_and_its_time_only(name: str) -> None:
    line = Transmission([Fault(name, "t1", start=10.0, duration=5.0)], seed=2)
    before = [row(n, "t1") for n in range(3)]
    other = [row(n, "t2") for n in range(300)]
    assert [said for _, said in line.send(before, 9.0)] == before
    assert [said for _, said in line.send(other, 12.0)] == other
    touched = [row(n, "t1") for n in range(3, 900)]
    sent = [said for _, said in line.send(touched, 12.0)]
    assert sent != touched
    assert [said for _, said in line.send(before, 15.0)] == before


def row(number: int, sensor: str) -> dict[str, object]:
    return {"sensor": sensor, "id": str(number), "ts": 1e6 * number, "kind": "temperature",
            "site": "W", "value": 4.0 + 0.01 * number}


def test_bad_messages_are_refused_for_their_reason() -> None:
    reasons = {}
    for name in FAULTS:
        line = Transmission([Fault(name, "t1")], seed=2)
        found: Counter[str] = Counter()
        for sensor, said in line.send([row(n, "t1") for n in range(500)], 24.0):
            if isinstance(said, dict):
                try:
                    parse_reading(said, sensor=sensor)
                except BadReading as bad:
                    found[bad.reason] += 1
            else:
                found["no message"] += 1
        reasons[name] = set(found)
    assert reasons["unit"] == {"unit"}
    assert reasons["stranger"] == {"identity"}
    assert reasons["garbage"] == reasons["huge"] == {"no message"}
    assert not reasons["fahrenheit"] | reasons["doubled"] | reasons["shuffled"] | reasons["frozen"]


def test_a_truth_is_written_and_read_back(harbour: Network, tmp_path: Path) -> None:
    truth = plant(hide(harbour, seed=11), harbour, ["temperature_1", "position_2"])
    change = Scenario(name="hidden", events={"slow": {"type": "transit", "factor": 1.6,
                                                      "start": "20d"}})
    truth = Truth(truth.model, truth.seed, truth.cells, change, truth.faults, truth.failing)
    write_truth(truth, tmp_path / "hidden.yaml")
    again = read_truth(tmp_path / "hidden.yaml")
    assert again.cells == truth.cells
    assert again.change.events == truth.change.events
    assert [fault.document() for fault in again.faults] == \
        [fault.document() for fault in truth.faults]
    assert len(truth.failing) == 1
    assert again.failing == truth.failing
    assert again.apply(harbour).lanes.keys() == harbour.lanes.keys()


def test_what_is_wrong_with_a_truth_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "hidden.yaml"
    path.write_text("model: harbour\nseed: maybe\nmood: good\ncells: ../x.csv\n"
                    "faults:\n- {type: dropuot}\n- {type: drift, start: soon}\n"
                    "failing:\n- {machine: tank, start: 9d, fails: [5d]}\n- {machine: tank}\n")
    with pytest.raises(DocumentError) as refused:
        read_truth(path)
    for told in ("'mood' is unknown", "seed 'maybe' is not a whole number", "outside the folder",
                 "faults 1: type 'dropuot' is unknown", "faults 2: 'soon'",
                 "failing 1: fails do not rise from start on", "failing 2: 'fails'"):
        assert told in str(refused.value)


def test_a_failing_machine_shakes_breaks_down_and_does_so_sooner(harbour: Network) -> None:
    failing = Failing("bench", 24.0, (72.0, 100.0))
    truth = Truth("harbour", 3, failing=(failing,))
    sent = Rehearsal(harbour, truth, settle_h=24.0).step(24.0 + 110.0)
    rows = [row for _, row in sent if isinstance(row, dict) and row.get("asset") == "bench"]
    start = harbour.start.timestamp() + 24 * 3600.0
    fails = [(row["ts"] / 1000.0 - start) / 3600.0 for row in rows if row["kind"] == "failing"]
    assert fails == [72.0, 100.0]
    shakes = {int(((row["ts"] / 1000.0 - start) / 3600.0) // 24): row["value"] for row in rows
              if row["kind"] == "vibration"}
    assert shakes[0] < 3.0 < 6.0 < shakes[2]  # the last ones of the first and of the third day


@pytest.mark.long
def test_only_what_can_be_told_is_planted(harbour: Network) -> None:
    """Of 20 days too little is heard of anything in the harbour; of 400, enough of several."""
    truth = hide(harbour, seed=1)
    assert _with_change(truth, harbour, 20.0, 0.01) == (truth, "")
    told = {}
    for seed in range(8):
        planted, cell = _with_change(replace(truth, seed=seed), harbour, 400.0, 0.01)
        told[cell] = len(planted.change.events)
    assert set(told.values()) == {1}
    assert len(told) > 2
    assert not any(cell.startswith("lanes[orchard") for cell in told)  # eight shipments in a half


def test_a_rehearsal_ends_however_its_hours_are_rounded(harbour: Network) -> None:
    rehearsal = Rehearsal(harbour, Truth("harbour", 3), sensing=False)
    rehearsal.step(6.0)
    source = Earshot(rehearsal, 6.0 + 5e-10)
    assert list(source.take(10, 0.0)) == []
    assert source.ended
