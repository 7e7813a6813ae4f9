"""Facts, their age, quality and source; one digest for one day, however it came."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sense.chains import DAY, fresh, lived, model, rules
from twin.commands.rules import SimulationRules
from twin.commands.state import fresh_state, sensed
from twin.knowledge import SUBJECTS, Knowledge
from twin.ledger import Ledger
from twin.network import Network
from twin.readings import Reading, from_frame, to_frame
from twin.scenario import Scenario
from twin.sense.knowledge import know
from twin.simulate import play
from twin.store import Store
from twin.witness import readings_of_ledger

HARBOUR = model("harbour")
ZERO = HARBOUR.start.timestamp()
EVENTS, TRUTH, _ = lived(HARBOUR, 3.37 * DAY, seed=5)


def signals() -> list[Reading]:
    """What sensors say in the same days."""
    said: list[Reading] = []

    def say(kind: str, hour: float, **values: Any) -> None:
        said.append(Reading(sensor=f"{kind} sensor", id=str(len(said)), kind=kind,
                            time=ZERO + hour * 3600.0, **values))

    for tenth in range(800):
        hour = tenth / 10.0
        say("temperature", hour, asset="north_dc:cold_room",
            value=9.0 if 76.0 <= hour < 79.0 else 4.0)
    say("position", 70.0, asset="north_van", latitude=52.6, longitude=6.2)
    say("vibration", 79.0, asset="bottling_line", value=3.2, quality="uncertain")
    say("fuel", 60.0, asset="reefer#1", value=140.0)
    say("count", 80.0, site="south_dc", product="juice", quantity=500.0)
    say("sighting", 75.0, site="south_dc", lot="999")
    return said


READINGS = pd.concat([EVENTS, to_frame(signals())], ignore_index=True)
AT = ZERO + 3.37 * DAY * 3600.0


def known(readings: Any, at: float = AT, network: Network = HARBOUR) -> Knowledge:
    """What is known of the harbour."""
    return know(readings, network, at, rules=rules("harbour"), fresh=fresh("harbour"))


KNOWN = known(READINGS)


def fact(kind: str, subject: str, attribute: str) -> Any:
    """One fact."""
    return next(fact for fact in KNOWN.facts if (fact.kind, fact.subject, fact.attribute) == (
        kind, subject, attribute))


# -- facts ---------------------------------------------------------------------------------------


def test_what_is_known_is_what_was_so() -> None:
    for name, shelf in TRUTH.actors.items():
        if name.startswith("shelf "):
            assert KNOWN.value("stock", name[6:], "on hand") == pytest.approx(shelf["on_hand"])
    for row in TRUTH.orders:
        subject = f"order {row['number']}"
        assert KNOWN.value("order", subject, "to come") == pytest.approx(row["undelivered"])
        assert KNOWN.value("order", subject, "to leave") == pytest.approx(row["open"])
    for truck, row in TRUTH.actors["fleet juicery"].items():
        assert KNOWN.value("truck", truck, "doing") == row["phase"]
    jobs = TRUTH.actors["plant juicery"]["jobs"]
    assert len({f.subject for f in KNOWN.select(["work"])}) == len(jobs)


def test_a_fact_says_how_old_and_how_good_it_is_and_who_said_it() -> None:
    cold = fact("area", "north_dc/cold_room", "temperature")
    assert (cold.value, cold.unit, cold.source, cold.readings) == (
        4.0, "C", "temperature sensor", 800)
    assert cold.time == ZERO + 79.9 * 3600.0
    assert cold.age_h == pytest.approx(3.37 * DAY - 79.9)
    assert fact("machine", "bottling_line", "vibration").quality == "uncertain"
    assert fact("truck", "north_van", "latitude").value == 52.6
    assert fact("truck", "reefer#1", "fuel").unit == "l"
    assert {f.quality for f in KNOWN.facts} >= {"good", "uncertain"}
    assert {f.kind for f in KNOWN.facts} <= set(SUBJECTS)


def test_lots_have_an_expiry_and_a_condition() -> None:
    lots = {f.subject for f in KNOWN.select(["lot"]) if f.subject.startswith("north_dc/juice ")}
    assert lots
    for lot in lots:
        assert 0.0 < fact("lot", lot, "expires in").value <= 28 * DAY
        out = fact("lot", lot, "hours out of range").value
        assert out == pytest.approx(3.0) or out == 0.0
    assert any(fact("lot", lot, "hours out of range").value > 0.0 for lot in lots)


def test_a_sensor_that_is_silent_for_three_intervals_is_stale() -> None:
    network = HARBOUR.replace(sensors=[{"sensor": "temperature sensor", "interval": "6min"}])
    later = know(READINGS, network, AT + 3600.0, rules=rules("harbour"), fresh=fresh("harbour"))
    rooms = [f for f in later.facts if f.attribute == "temperature" and f.kind == "area"]
    assert [f.quality for f in rooms] == ["stale"]


def test_before_anybody_spoke_the_tables_are_assumed() -> None:
    nothing = known(READINGS, at=ZERO)
    on_hand = [f for f in nothing.facts if f.attribute == "on hand"]
    assert {(f.quality, f.source, f.readings) for f in on_hand} == {("assumed", "tables", 0)}
    assert nothing.value("stock", "juicery/juice", "on hand") == 480.0


def test_any_moment_can_be_asked() -> None:
    then = known(READINGS, at=ZERO + 77.0 * 3600.0)
    assert then.value("area", "north_dc/cold_room", "temperature") == 9.0
    assert then.value("area", "north_dc/cold_room", "out of range since") == pytest.approx(1.0)
    cut = READINGS[READINGS["time"] < ZERO + 77.0 * 3600.0]
    assert known(cut, at=ZERO + 77.0 * 3600.0).digest() == then.digest()


def test_knowledge_is_a_file(tmp_path: Path) -> None:
    KNOWN.write(tmp_path / "knowledge.json")
    again = Knowledge.read(tmp_path / "knowledge.json")
    assert again.digest() == KNOWN.digest()
    assert again.differences == KNOWN.differences
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ValueError, match="is no knowledge of a chain"):
        Knowledge.read(tmp_path / "bad.json")


def test_what_was_counted_stands_in_the_state_and_its_record_is_wrong_by_as_much() -> None:
    knowledge, state = sensed(READINGS, HARBOUR, AT)
    shelf = state.actors["shelf south_dc/juice"]
    units = sum(row.units for row in knowledge.differences if row.product == "juice"
                and row.site == "south_dc")
    assert units == pytest.approx(500.0 - knowledge.going_on["shelves"]["south_dc/juice"][
        "count"]["booked"])
    assert shelf["on_hand"] == pytest.approx(
        float(knowledge.value("stock", "south_dc/juice", "on hand") or 0.0) + units)


# -- one digest ----------------------------------------------------------------------------------

LAST_DAY = READINGS[READINGS["time"] >= ZERO + 2 * DAY * 3600.0]
FIRST_DAYS = READINGS[READINGS["time"] < ZERO + 2 * DAY * 3600.0]


def arrive(random: Any, batches: int, again: int) -> str:
    """The digest after the last day has come shuffled, some of it twice, in batches."""
    rows = list(range(len(LAST_DAY))) + random.sample(range(len(LAST_DAY)), again)
    random.shuffle(rows)
    told = from_frame(LAST_DAY.iloc[rows])
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "harbour")
        store.write(from_frame(FIRST_DAYS))
        size = -(-len(told) // batches)
        for batch in range(batches):
            store.write(told[batch * size:(batch + 1) * size])
            if random.random() < 0.5:
                known(store, at=AT - 3600.0 * random.random() * 30.0)  # leaves checkpoints
        return known(store).digest()


@settings(max_examples=3, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 3), st.integers(0, 50))
def test_a_day_shuffled_doubled_and_in_batches_is_the_same_day(random: Any, batches: int,
                                                               again: int) -> None:
    assert arrive(random, batches, again) == KNOWN.digest()


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(0, 500))
def test_many_days_shuffled_doubled_and_in_batches(random: Any, batches: int,
                                                   again: int) -> None:
    assert arrive(random, batches, again) == KNOWN.digest()


def test_another_reading_is_another_digest() -> None:
    assert known(READINGS.iloc[:-1]).digest() != KNOWN.digest()
    changed = READINGS.copy()
    changed.loc[changed.index[-3], "value"] = 141.0
    assert known(changed).digest() != KNOWN.digest()


# -- when it is expected -------------------------------------------------------------------------


SHOP = Network(
    sites=[{"site": "A", "kind": "supplier"}, {"site": "W", "kind": "warehouse"},
           {"site": "C", "kind": "customer"}],
    products=[{"product": "tea"}],
    supply=[{"site": "A", "product": "tea", "lead_time": "uniform(2d, 4d)"}],
    lanes=[{"origin": "A", "destination": "W", "mode": "road", "transit": "uniform(10h, 20h)"},
           {"origin": "W", "destination": "C", "mode": "road", "transit": "4h"}],
    stock=[{"site": "W", "product": "tea", "on_hand": 5, "policy": "s_Q", "reorder_point": 5,
            "order_quantity": 100}],
    demand=[{"site": "C", "product": "tea", "interarrival": "1d", "size": "1", "promise": "1d"}])


def shop_facts(said: list[dict[str, Any]], hours: float,
               shop: Network = SHOP) -> dict[tuple[str, str], Any]:
    """What is said of orders and shipments after so many hours."""
    zero = shop.start.timestamp()
    told = [Reading(sensor="erp", id=str(number), **{**row, "time": zero + 3600.0 * row["time"]})
            for number, row in enumerate(said)]
    at = zero + 3600.0 * hours
    found = know(to_frame(told), shop, at, rules=SimulationRules(shop), fresh=fresh_state(shop))
    return {(row.subject, row.attribute): row.value for row in found.select(("order", "shipment"))}


BOUGHT = {"kind": "ordering", "time": 0.0, "site": "W", "to_site": "A", "product": "tea",
          "quantity": 100.0, "order": "1"}
ASKED = {"kind": "ordering", "time": 1.0, "site": "C", "to_site": "W", "product": "tea",
         "quantity": 3.0, "order": "2", "role": "customer"}
MORE = {**ASKED, "time": 2.0, "quantity": 4.0, "order": "3"}
LEFT = {"kind": "departing", "time": 60.0, "site": "A", "to_site": "W", "asset": "A:W:road",
        "product": "tea", "lot": "9", "quantity": 100.0, "order": "1", "shipment": "7"}


def test_an_order_that_the_shelf_can_serve_needs_its_lane_alone() -> None:
    facts = shop_facts([BOUGHT, ASKED, MORE], 3.0)
    assert facts["order 2", "expected in"] == pytest.approx(4.0)
    assert ("order 2", "expected in, 90 %") not in facts  # the tables know no spread
    assert facts["order 2", "chance late"] == 0.0


def test_an_order_that_the_shelf_cannot_serve_waits_for_the_supplier() -> None:
    """The lead time is 48 to 96 h, 3 of which are over; then 10 to 20 h, and 4 h."""
    facts = shop_facts([BOUGHT, ASKED, MORE], 3.0)
    assert facts["order 3", "expected in"] == pytest.approx(72.0 - 3.0 + 15.0 + 4.0, abs=0.5)
    low, high = facts["order 3", "expected in, 10 %"], facts["order 3", "expected in, 90 %"]
    assert 48.0 + 10.0 + 1.0 < low < 70.0
    assert 106.0 < high < 96.0 + 20.0 + 1.0
    assert facts["order 3", "chance late"] == 1.0  # promised within a day


def test_an_order_that_waits_for_goods_under_way_comes_after_them() -> None:
    facts = shop_facts([BOUGHT, ASKED, MORE, LEFT], 72.0)
    # On the way for 12 h of 10 to 20 h: 0 to 8 h are left.
    assert facts["shipment 7", "expected in"] == pytest.approx(4.0, abs=0.05)
    assert facts["shipment 7", "expected in, 10 %"] == pytest.approx(0.8, abs=0.05)
    assert facts["order 1", "expected in"] == facts["shipment 7", "expected in"]
    assert facts["order 3", "expected in"] == pytest.approx(8.0, abs=0.05)
    assert facts["order 3", "expected in, 90 %"] == pytest.approx(11.2, abs=0.05)


def test_an_order_for_which_nobody_has_ordered_is_not_foreseen() -> None:
    facts = shop_facts([ASKED, MORE], 3.0)
    assert ("order 2", "expected in") in facts
    assert ("order 3", "expected in") not in facts


FAR = Network(
    sites=[{"site": "W", "kind": "warehouse"}, {"site": "C", "kind": "customer"}],
    products=[{"product": "tea", "weight_kg": 1}],
    crews=[{"crew": "drivers", "drive_max": "4.5h", "break_": "45min"}],
    trucks=[{"truck": "T", "home": "W", "capacity_kg": 100, "speed_kmh": 60, "crew": "drivers"}],
    lanes=[{"origin": "W", "destination": "C", "mode": "truck", "fleet": "W", "distance_km": 600}],
    stock=[{"site": "W", "product": "tea", "on_hand": 5}],
    demand=[{"site": "C", "product": "tea", "interarrival": "100d", "start": "0d", "size": "1"}])


@pytest.mark.parametrize("hours", [2.0, 4.75, 6.0, 11.0])
def test_the_rests_of_a_driver_are_foreseen(hours: float) -> None:
    """Ten hours' drive with a break after each 4.5 takes 11.5; the simulation takes as long."""
    ledger = Ledger()
    play(FAR, Scenario.baseline(), horizon_h=30.0, ledger=ledger)
    rows = ledger.frame()
    [left] = set(rows[(rows["event"] == "departing") & (rows["site"] == "W")]["time"])
    [came] = set(rows[(rows["event"] == "delivering")]["time"])
    assert came - left == pytest.approx(11.5)
    told = to_frame(readings_of_ledger(ledger, FAR.start))
    at = FAR.start.timestamp() + 3600.0 * (left + hours)
    found = know(told, FAR, at, rules=SimulationRules(FAR), fresh=fresh_state(FAR))
    facts = {(row.subject, row.attribute): row.value for row in found.select(("order", "shipment"))}
    expected = [value for (_, what), value in facts.items() if what == "expected in"]
    assert expected == pytest.approx([11.5 - hours] * 2)  # of the order, and of its shipment


def test_the_rests_of_a_drive_to_come_are_foreseen() -> None:
    assert shop_facts([ASKED], 1.5, FAR)["order 2", "expected in"] == pytest.approx(11.5)
