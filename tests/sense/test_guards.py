"""What each guard says, on small chains: raised once, worse, over."""

from __future__ import annotations

import random
from typing import Any

import pytest

from twin.network import Network
from twin.quantity import Quantity
from twin.readings import Reading
from twin.sense.alerts import AlertBook
from twin.sense.rules import Rule, Rules, default_rules
from twin.sense.watch import Watch
from twin.simulate.draws import left

CHAIN: dict[str, Any] = {
    "sites": [{"site": "A", "kind": "plant", "latitude": 52.0, "longitude": 5.0},
              {"site": "W", "kind": "warehouse", "latitude": 52.0, "longitude": 6.0},
              {"site": "C", "kind": "customer", "latitude": 52.0, "longitude": 6.1}],
    "storage": [{"site": "W", "area": "cold", "min_c": 2, "max_c": 8, "capacity_m3": 10},
                {"site": "W", "area": "hall"}],
    "products": [{"product": "serum", "value": 50, "min_c": 2, "max_c": 8, "volume_m3": 0.1,
                  "shelf_life": "30d"}, {"product": "tea", "value": 3}],
    "stock": [{"site": "W", "product": "serum", "policy": "s_S", "reorder_point": 40,
               "order_up_to": 90, "safety_stock": 10, "on_hand": 50}],
    "lanes": [{"origin": "A", "destination": "W", "mode": "road", "transit": "uniform(2h, 6h)",
               "refrigerated": "yes", "fleet": "A"},
              {"origin": "W", "destination": "C", "mode": "road", "transit": "1h"}],
    "trucks": [{"truck": "reefer", "home": "A", "refrigerated": "yes"}],
    "machines": [{"machine": "M1", "site": "A", "group": "fill"}],
    "failures": [{"asset": "M1", "time_to_failure": "9d", "time_to_repair":
                  "normal(mean=2h, sd=30min)"}],
    "routings": [{"site": "A", "product": "serum", "step": 1, "group": "fill",
                  "process_time": "1min"}],
    "sensors": [{"sensor": "t1", "site": "W", "asset": "W:cold", "measure": "temperature",
                 "interval": "10min"}],
    "demand": [{"site": "C", "product": "serum", "interarrival": "1d", "promise": "1d"}],
}
NETWORK = Network(**CHAIN)


class Story:
    """A watch with its book; `tell` hears a reading, `book` keeps what follows."""

    def __init__(self, *rules: Rule) -> None:
        self.watch = Watch(NETWORK, Rules([*rules, *default_rules(NETWORK)]), left)
        self.book, self.count = AlertBook(), 0

    def tell(self, hour: float, kind: str, **said: Any) -> None:
        self.count += 1
        said = {"sensor": "s", "id": str(self.count)} | said
        self.book.tell(self.watch.hear(Reading(time=3600.0 * hour, kind=kind, **said)))

    def look(self, hour: float) -> None:
        self.book.tell(self.watch.look(3600.0 * hour))

    def steps(self, kind: str = "") -> list[tuple[str, str, float]]:
        """What happened: word, severity then, hour."""
        ids = [alert.id for alert in self.book.all().values() if alert.kind == (kind or alert.kind)]
        return [(step.what, step.severity, round(step.time / 3600.0, 3))
                for step in self.book.steps if step.alert in ids]


def cold(story: Story, *trace: tuple[float, float], sensor: str = "t1") -> None:
    for hour, value in trace:
        story.tell(hour, "temperature", sensor=sensor, site="W", area="cold", value=value)


def test_a_model_is_sound() -> None:
    assert len(default_rules(NETWORK)) > 10


def test_an_excursion_becomes_a_breach_and_is_over() -> None:
    story = Story()
    cold(story, (0, 5.0), (0.2, 9.0), (0.4, 9.5), (0.6, 9.1), (0.8, 9.0), (1.0, 9.0), (1.3, 9.0),
         (1.6, 6.0), (1.8, 6.0), (2.0, 6.0), (2.2, 6.0))
    assert story.steps("temperature") == [
        ("raised", "warning", 0.4), ("escalated", "critical", 1.3), ("cleared", "", 2.0)]
    (alert,) = story.book.all().values()
    assert (alert.subject, alert.value, alert.limit) == ("area W:cold", 9.5, 8.0)
    assert alert.since == pytest.approx(0.2 * 3600)


def test_a_flapping_value_raises_once() -> None:
    story = Story()
    cold(story, *[(0.1 * k, 8.1 if k % 2 else 7.9) for k in range(60)])
    assert [what for what, *_ in story.steps("temperature")] == ["raised"]


def test_a_single_spike_raises_nothing() -> None:
    story = Story()
    cold(story, (0, 5.0), (0.1, 40.0), (0.2, 5.0), (0.3, 5.0))
    assert story.steps() == []


def test_a_breach_that_nobody_measures_again_is_found_by_time() -> None:
    story = Story()
    cold(story, (0, 5.0), (0.1, 12.0))
    story.look(1.0)
    assert story.steps("temperature") == []
    story.look(1.2)
    assert story.steps("temperature") == [("raised", "critical", 1.2)]


def test_too_cold_too() -> None:
    story = Story()
    cold(story, (0, 1.0), (0.1, 0.5))
    (alert,) = story.book.open()
    assert (alert.value, alert.limit) == (0.5, 2.0)


def test_a_rule_of_the_workspace_comes_first() -> None:
    story = Story(Rule("temperature", "W:*", high=12.0, m=1, n=1))
    cold(story, (0, 11.0), (0.1, 11.0), (0.2, 12.5))
    assert story.steps("temperature") == [("raised", "warning", 0.2)]
    off = Story(Rule("temperature", ignore=True))
    cold(off, (0, 50.0), (0.1, 50.0), (0.2, 50.0))
    assert off.steps("temperature") == []


def test_a_lot_in_a_warm_truck_is_at_risk() -> None:
    story = Story()
    story.tell(0, "storing", site="A", lot="L1", product="serum", quantity=10.0)
    story.tell(0.1, "shipping", site="A", to_site="W", lot="L1", product="serum", quantity=10.0,
               shipment="S1")
    story.tell(0.1, "departing", site="A", to_site="W", shipment="S1", asset="reefer#1")
    story.tell(0.5, "temperature", asset="reefer#1", value=5.0)
    story.tell(1.0, "temperature", asset="reefer#1", value=11.0)
    story.tell(2.5, "temperature", asset="reefer#1", value=11.0)
    assert story.steps("lot") == [("raised", "warning", 1.0), ("escalated", "critical", 2.5)]
    (alert,) = [alert for alert in story.book.open() if alert.kind == "lot"]
    assert (alert.subject, alert.at_risk) == ("lot L1", 500.0)
    assert "10 units of serum saw 5 to 11 C, 1.5 h outside; 500 USD at risk" in alert.meaning
    # The truck has its own alert, by the range that all cold products share.
    assert {alert.subject for alert in story.book.open()} >= {"asset reefer#1"}


def test_shelf_life_that_is_nearly_used_up() -> None:
    story = Story()
    story.tell(0, "storing", site="W", lot="L1", product="serum", quantity=10.0)
    for day in range(40):
        cold(story, (24.0 * day, 5.0))
    assert [what for what, *_ in story.steps("shelf_life")] == ["raised", "escalated"]
    story.tell(24 * 40, "delivering", site="W", lot="L1", product="serum", quantity=10.0)
    assert story.steps("shelf_life")[-1][0] == "cleared"


def count(story: Story, hour: float, units: float) -> None:
    story.tell(hour, "count", site="W", product="serum", quantity=units)


def test_a_shelf_falls_through_its_levels() -> None:
    story = Story()
    for hour, units in enumerate([50, 41, 40, 41, 39, 30, 9, 0, 0, 3, 60]):
        count(story, hour, units)
    story.look(10)
    assert story.steps("stock") == [
        ("raised", "info", 2), ("escalated", "warning", 6), ("escalated", "critical", 7),
        ("eased", "warning", 9), ("cleared", "", 10)]


def test_bookings_move_a_counted_shelf() -> None:
    story = Story()
    story.tell(0, "picking", site="W", product="serum", quantity=5.0)  # of the 50 of the model
    story.tell(0.5, "picking", site="W", product="tea", quantity=5.0)  # of nobody knows how many
    assert story.steps() == []
    count(story, 1, 50)
    story.tell(2, "picking", site="W", product="serum", quantity=15.0)
    story.look(2)
    assert story.steps("stock") == [("raised", "info", 2)]
    story.tell(3, "storing", site="W", product="serum", quantity=30.0)
    story.look(3)
    assert story.steps("stock")[-1][0] == "cleared"


def test_an_opening_stock_replaces_what_was_thought() -> None:
    story = Story()
    for lot, units in (("L1", 30.0), ("L2", 30.0)):
        story.tell(0, "storing", site="W", product="serum", lot=lot, quantity=units, cause="stock")
    story.tell(1, "delivering", site="W", product="serum", quantity=19.0, role="walk_in")
    assert story.steps("stock") == []
    story.tell(2, "expiring", site="W", product="serum", quantity=2.0)
    story.look(2)
    assert story.steps("stock") == [("raised", "info", 2)]


def test_an_area_fills_up() -> None:
    story = Story()
    for hour, units in enumerate([80, 89, 91, 90, 101, 95, 80]):
        count(story, hour, units)
    story.look(6)
    assert story.steps("fill") == [("raised", "warning", 2), ("escalated", "critical", 4),
                                   ("eased", "warning", 5), ("cleared", "", 6)]


def test_a_machine_that_is_down_for_longer_than_repairs_take() -> None:
    story = Story()
    story.tell(0, "machine_state", asset="M1", state="down")
    story.look(2.9)
    assert story.steps("down") == []
    story.look(3.1)
    story.look(6.5)
    story.tell(7, "machine_state", asset="M1", state="idle")
    assert story.steps("down") == [("raised", "warning", 3.1), ("escalated", "critical", 6.5),
                                   ("cleared", "", 7)]


def test_a_machine_with_a_strange_signal() -> None:
    story = Story()
    for minute in range(400):
        story.tell(minute / 60, "vibration", asset="M1",
                   value=2.0 + 0.1 * ((minute * 7) % 11) + 9.0 * (minute in (200, 300, 301)))
    assert story.steps("anomaly")[:1] == [("raised", "warning", round(301 / 60, 3))]
    assert [what for what, *_ in story.steps("anomaly")] == ["raised", "cleared"]


def test_what_a_machine_draws_follows_its_load() -> None:
    """A shift of work after long pauses is no anomaly; drawing twice as much at work is one."""
    story, dice = Story(), random.Random(2)
    for k in range(1_500):
        works = k % 150 < 100 if k < 900 else k % 40 < 8
        story.tell(k / 2, "machine_state", asset="M1", state="processing" if works else "idle")
        amps = (5.0 if works else 0.8) * (1.0 + 0.04 * dice.gauss(0.0, 1.0))
        story.tell(k / 2, "power", asset="M1", value=amps * (1.0 + (k > 1_450 and works)))
    assert [(what, hour > 725.0) for what, _, hour in story.steps("anomaly")
            if what == "raised"] == [("raised", True)]


def test_a_repaired_machine_is_another_one() -> None:
    """That it runs more quietly than the worn one did, is no anomaly."""
    story = Story(Rule("wear", ignore=True))
    for k in range(400):
        worn = k / 400
        story.tell(k / 2, "vibration", asset="M1", value=2.0 + 3.0 * worn + 0.05 * (k * 7 % 5))
    story.tell(200.0, "failing", asset="M1", cause="wear")
    story.tell(204.0, "repairing", asset="M1", cause="wear")
    for k in range(410, 450):
        story.tell(k / 2, "vibration", asset="M1", value=2.0 + 0.05 * (k * 7 % 5))
    assert [row for row in story.steps("anomaly") if row[2] > 200.0] == []


def test_a_machine_that_stands_where_it_failed_before() -> None:
    """Lives from 2 to 8 mm/s in 100 h: in the second one, 6.5 is three quarters of the way."""
    story = Story(Rule("anomaly", ignore=True))

    def live(begin: float, upto: int, cause: str) -> None:
        for hour in range(upto):
            story.tell(begin + hour, "vibration", asset="M1",
                       value=2.0 + 0.06 * hour + 0.02 * (hour % 3))
        story.tell(begin + upto, "failing", asset="M1", cause=cause)
        story.tell(begin + upto + 2.0, "repairing", asset="M1", cause=cause)

    live(0.0, 100, "wear")
    assert story.steps("wear") == []  # nobody knows where it ends
    live(110.0, 100, "wear")
    live(220.0, 60, "service")  # a service says nothing of where it fails
    live(300.0, 100, "wear")
    whole = story.steps("wear")
    assert [what for what, *_ in whole] == ["raised", "cleared"] * 2
    assert all(72.0 <= hour - begin <= 80.0
               for (_, _, hour), begin in zip(whole[::2], (110.0, 300.0), strict=True))
    assert [hour for *_, hour in whole[1::2]] == [212.0, 402.0]  # with the repair
    (first, *_) = [one for one in story.book.all().values() if one.kind == "wear"]
    assert first.meaning.endswith("it failed at about 7.84 before (1 times)")


def test_a_silent_sensor() -> None:
    story = Story()
    cold(story, (0, 5.0), (0.1, 5.0))
    story.look(0.55)
    assert story.steps("silent") == []
    story.look(0.7)
    story.look(0.8)
    cold(story, (1.0, 5.0))
    assert story.steps("silent") == [("raised", "warning", 0.7), ("cleared", "", 1.0)]
    story.tell(1.1, "alive", sensor="t1", value=0.0)
    assert story.steps("silent")[-1] == ("raised", "warning", 1.1)


def test_a_bad_sensor() -> None:
    story = Story()
    cold(story, *[(k / 6, 5.0 + 0.1 * (k % 7) if k < 50 else 5.0) for k in range(200)])
    (alert,) = [alert for alert in story.book.all().values() if alert.kind == "quality"]
    assert alert.meaning.startswith("the value stands still")


def drive(story: Story, hour: float, north: float, east: float) -> None:
    story.tell(hour, "position", asset="reefer#1", latitude=north, longitude=east)


def test_off_route_and_stopped() -> None:
    story = Story()
    story.tell(0, "departing", site="A", to_site="W", shipment="S1", asset="reefer#1")
    for k in range(6):
        drive(story, 0.1 * (k + 1), 52.0, 5.0 + 0.08 * k)
    assert story.steps() == []
    for k in range(4):
        drive(story, 0.7 + 0.1 * k, 52.0 + 0.1 * (k + 3), 5.4)
    assert story.steps("off_route") == [("raised", "warning", 0.8)]
    for k in range(20):
        drive(story, 1.1 + 0.1 * k, 52.6, 5.4)
    assert [what for what, *_ in story.steps("stopped")] == ["raised"]
    story.tell(4, "arriving", site="W", shipment="S1", asset="reefer#1")
    assert story.steps("off_route")[-1] == story.steps("stopped")[-1] == ("cleared", "", 4)


def test_a_departure_told_after_the_arrival_begins_no_journey() -> None:
    story = Story()
    story.tell(2, "arriving", site="W", shipment="S1", asset="reefer#1")
    story.tell(0, "departing", site="A", to_site="W", shipment="S1", asset="reefer#1")
    for k in range(40):
        drive(story, 3 + 0.1 * k, 53.0 + 0.1 * (k % 3), 5.4)
    assert story.steps("off_route") == []


def test_a_truck_that_leaves_again_carries_nothing_that_it_left_with_before() -> None:
    """Nobody told that the first shipment arrived: its alert is over, and none comes later."""
    story = Story()
    story.tell(0, "departing", site="A", to_site="W", shipment="S1", asset="reefer#1")
    for k in range(6):
        drive(story, 0.1 * (k + 1), 52.5, 5.0)
    assert [what for what, *_ in story.steps("off_route")] == ["raised"]
    story.tell(9, "departing", site="A", to_site="W", shipment="S2", asset="reefer#1")
    assert [what for what, *_ in story.steps("off_route")] == ["raised", "cleared"]
    for k in range(6):
        drive(story, 9.1 + 0.1 * k, 52.5, 5.0)
    assert [alert.subject for alert in story.book.open() if alert.kind == "off_route"] == [
        "shipment S1", "shipment S2"]


def test_fuel_that_was_taken() -> None:
    story = Story()
    for step in range(40):
        story.tell(step / 12, "fuel", asset="reefer#1", value=300.0 - step - 90.0 * (step >= 20))
    assert [what for what, *_ in story.steps("theft")] == ["raised", "cleared"]
    (alert,) = [alert for alert in story.book.open() if alert.kind == "theft"]
    assert (alert.state, alert.subject) == ("over, not acknowledged", "truck reefer#1")
    assert alert.value == pytest.approx(90.0, abs=5.0)


def test_a_late_order() -> None:
    story = Story()
    story.tell(0, "ordering", site="C", to_site="W", product="serum", quantity=5.0, order="12")
    story.look(1)
    assert story.steps("late") == []
    story.look(23.5)
    story.look(25)
    story.tell(26, "delivering", site="C", product="serum", quantity=5.0, order="12")
    assert story.steps("late") == [("raised", "warning", 23.5), ("escalated", "critical", 25),
                                   ("cleared", "", 26)]


def test_the_law_of_waiting_is_the_simulations() -> None:
    law = Quantity("uniform", (("low", 2.0), ("high", 6.0)), time=True)
    assert left(law, 4.0, 0.5) == 1.0
