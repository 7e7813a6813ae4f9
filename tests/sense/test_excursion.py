"""Outside is an excursion, outside for too long is a breach."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.network import Network
from twin.readings import Reading
from twin.sense.doorway import DoorWatch
from twin.sense.excursion import Excursion, Limit, limits_of
from twin.sense.kinetic import KineticMean, mean_kinetic_temperature
from twin.sense.logger import slow_loggers
from twin.sense.shelf_life import Q10, Arrhenius, ShelfLife
from twin.sense.warm_up import WarmUp, fit_warm_up


def at(hour: float, value: float, kind: str = "temperature") -> Reading:
    return Reading(sensor="t", id=repr(hour), time=3600.0 * hour, kind=kind, lot="L", value=value)


def watched(limits: tuple[Limit, ...], *readings: tuple[float, float],
            longest: float = math.inf) -> Excursion:
    watch = Excursion(limits, longest)
    for hour, value in readings:
        watch.update(at(hour, value))
    return watch


COLD = limits_of(2.0, 8.0, hours=1.0)


def test_the_limit_itself_is_good() -> None:
    assert watched(COLD, (0, 8.0), (5, 2.0), (9, 8.0)).get().state == "in range"


def test_a_short_stay_is_an_excursion_and_leaves_nothing_but_its_hours() -> None:
    watch = watched(COLD, (0, 5.0), (1, 9.0))
    assert watch.get().state == "excursion"
    watch.update(at(1.5, 7.0))
    condition = watch.get()
    assert (condition.state, condition.hours_outside, condition.highest) == ("in range", 0.5, 9.0)


def test_a_breach_is_dated_inside_a_long_pause_and_is_for_good() -> None:
    condition = watched(COLD, (0, 5.0), (1, 9.0), (7, 5.0)).get()
    assert condition.state == "breach"
    assert [stay.breached for stay in condition.breaches] == [2 * 3600.0]


def test_single_stays_do_not_add_up_and_cumulative_ones_do() -> None:
    trace = [(0, 9.0), (0.6, 5.0), (1, 9.0), (1.6, 5.0)]
    assert watched(COLD, *trace).get().state == "in range"
    added = (Limit(1.0, at_least=8.0, beyond=True, cumulative=True),)
    assert watched(added, *trace).get().breaches[0].breached == pytest.approx(1.4 * 3600.0)


def test_nothing_allowed_is_a_breach_at_once() -> None:
    shock = (Limit(0.0, at_least=5.0),)
    watch = Excursion(shock)
    for hour, value in [(0, 0.2), (1, 5.0), (2, 0.1)]:
        watch.update(at(hour, value, "shock"))
    assert watch.get().breaches[0].breached == 3600.0


def test_a_value_is_not_believed_for_ever() -> None:
    watch = watched(COLD, (0, 9.0), longest=0.5)
    watch.advance(10 * 3600.0)
    assert watch.get().state == "unknown"
    assert watch.get().hours_outside == 0.5


def test_late_readings_change_nothing() -> None:
    watch = watched(COLD, (0, 5.0), (2, 5.0), (1, 30.0))
    assert (watch.get().state, watch.get().highest) == ("in range", 5.0)


@given(st.lists(st.tuples(st.floats(0.01, 3.0), st.floats(-10.0, 20.0)), min_size=2, max_size=20),
       st.integers(2, 5))
def test_reading_the_same_value_more_often_changes_nothing(
        steps: list[tuple[float, float]], often: int) -> None:
    seldom, frequent, hour = Excursion(COLD), Excursion(COLD), 0.0
    for pause, value in steps:
        seldom.update(at(hour, value))
        for part in range(often):
            frequent.update(at(hour + pause * part / often, value))
        hour += pause
    seldom.advance(3600 * hour)
    frequent.advance(3600 * hour)
    one, other = seldom.get(), frequent.get()
    assert one.state == other.state
    assert one.hours_outside == pytest.approx(other.hours_outside)


@given(st.lists(st.floats(-20.0, 40.0), min_size=1, max_size=30))
def test_the_kinetic_mean_lies_between_mean_and_highest(values: list[float]) -> None:
    mean = mean_kinetic_temperature(values)
    assert sum(values) / len(values) - 1e-6 <= mean <= max(values) + 1e-6


def test_kinetic_mean_of_a_stream_weighs_by_time() -> None:
    mean = KineticMean()
    for hour, value in [(0, 20.0), (1, 40.0), (1.5, 20.0), (3, 0.0)]:
        mean.update(at(hour, value))
    assert mean.get() == pytest.approx(mean_kinetic_temperature([20, 40, 20], [1, 0.5, 1.5]))


@pytest.mark.parametrize("law", [Arrhenius(1000.0, 5.0), Q10(1000.0, 5.0)])
def test_life_is_used_up_exactly_by_its_end(law: Arrhenius | Q10) -> None:
    life = ShelfLife(law, storage_c=5.0)
    life.update(at(0, 5.0))
    life.advance(3600.0 * 1000)
    assert life.get().used == pytest.approx(1.0)
    assert life.get().hours == 0.0
    assert law.life_h(15.0) < law.life_h(5.0) == pytest.approx(1000.0)


def test_warm_up_never_reaches_what_does_not_lie_ahead() -> None:
    failure = WarmUp(5.0, 30.0, 12.0)
    assert failure.hours_to(5.0) == 0.0
    assert failure.hours_to(30.0) == failure.hours_to(2.0) == WarmUp(5.0, 5.0, 1.0).hours_to(
        8.0) == math.inf
    with pytest.raises(ValueError, match="do not approach 30 C"):
        fit_warm_up([0, 1], [5.0, 4.0], 30.0)


def test_door_openings() -> None:
    door = DoorWatch()
    for minute, value in [(0, 1.0), (6, 0.0), (60, 0.0), (90, 1.0), (102, 1.0)]:
        door.update(Reading(sensor="d", id=str(minute), time=60.0 * minute, kind="door", site="W",
                            value=value))
    found = door.get()
    assert (found.count, round(found.hours, 6), found.open_since) == (2, 0.3, 5400.0)


def test_loggers_that_record_too_seldom() -> None:
    network = Network(
        sites=[{"site": "A", "kind": "supplier"}, {"site": "B", "kind": "warehouse"}],
        lanes=[{"origin": "A", "destination": "B", "transit": "3d", "refrigerated": "yes",
                "fleet": "A"}],
        trucks=[{"truck": "reefer", "home": "A", "refrigerated": "yes"}],
        sensors=[{"sensor": "t1", "asset": "reefer", "measure": "temperature", "interval": "20min"},
                 {"sensor": "t2", "asset": "reefer", "measure": "temperature", "interval": "15min"},
                 {"sensor": "t3", "site": "B", "measure": "temperature", "interval": "2h"}])
    assert slow_loggers(network) == [
        "sensors t1: interval 20min is too long. Record at least every 15min.",
        "sensors t3: interval 2h is too long. Record at least every 60min."]
