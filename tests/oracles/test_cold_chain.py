"""Reference cases of the cold chain: C01 C03 C05 C07 C09 C11 C12."""

from __future__ import annotations

import math
import statistics

import pytest

from twin.readings import Reading
from twin.sense.doorway import Doorway
from twin.sense.excursion import WHO_TYPE_1, Condition, Excursion
from twin.sense.kinetic import KineticMean, mean_kinetic_temperature
from twin.sense.logger import longest_interval
from twin.sense.shelf_life import Q10, Arrhenius, ShelfLife
from twin.sense.warm_up import WarmUp, fit_warm_up


def cold(hour: float, celsius: float) -> Reading:
    return Reading(sensor="t1", id=repr(hour), time=3600.0 * hour, kind="temperature", lot="L1",
                   value=celsius)


def test_c01_mean_kinetic_temperature() -> None:
    temperatures = [20.0] * 11 + [30.0]
    assert mean_kinetic_temperature(temperatures) == pytest.approx(21.38078324069062, abs=1e-3)
    assert statistics.mean(temperatures) == pytest.approx(20.8333, abs=1e-3)


def test_c01_as_a_stream_each_value_counts_until_the_next() -> None:
    mean = KineticMean()
    for hour, celsius in enumerate([*[20.0] * 11, 30.0, 20.0]):
        mean.update(cold(hour, celsius))
    assert mean.get() == pytest.approx(21.38078324069062, abs=1e-3)


def test_c03_arrhenius_from_two_end_points() -> None:
    vial = Arrhenius.from_points((37.0, 14 * 24.0), (25.0, 90 * 24.0))
    assert vial.activation_kj == pytest.approx(119.21972402507915, abs=0.01)
    assert vial.life_h(5.0) / 24.0 == pytest.approx(2857.921602513527, abs=1.0)
    life = ShelfLife(vial)
    life.update(cold(0.0, 30.0))
    life.advance(8 * 3600.0)
    assert life.get().used == pytest.approx(0.00818701583868549, abs=1e-5)


#: C05: temperature from an hour on.
TRACE = [(0.0, 5.0), (6.0, 31.0), (10.0, 10.0), (15.0, 30.0), (21.5, -0.5), (22 + 1 / 3, -0.4),
         (22.5, -0.6)]


@pytest.mark.parametrize("every_h", [math.inf, 1 / 60, 1 / 6], ids=["changes", "1min", "10min"])
def test_c05_who_type_1_alarms(every_h: float) -> None:
    """However often the trace is read, the alarms come at the same minute."""
    watch = Excursion(WHO_TYPE_1)
    for (begin, celsius), (end, _) in zip(TRACE, [*TRACE[1:], (24.0, 0.0)], strict=True):
        hour = begin
        while hour < end - 1e-9:
            watch.update(cold(hour, celsius))
            hour += every_h
    watch.advance(24 * 3600.0)
    assert alarms(watch.get()) == {
        45.0: None,
        30.0: pytest.approx(21.0, abs=1 / 60),
        -0.5: pytest.approx(23.5, abs=1 / 60),
    }


def alarms(condition: Condition) -> dict[float, float | None]:
    """Hour of the alarm by threshold."""
    return {stay.limit.threshold: None if math.isnan(stay.breached) else stay.breached / 3600.0
            for stay in condition.stays}


def test_c07_a_reefer_warms_up_when_it_fails() -> None:
    failure = WarmUp(start_c=5.0, ambient_c=30.0, time_constant=12.0)
    assert failure.hours_to(8.0) == pytest.approx(1.53400045811862, abs=1e-4)
    assert failure.after(3.0) == pytest.approx(10.529980423214877, abs=1e-4)
    hours = [0.0, 0.5, 1.0, 1.5]
    fit = fit_warm_up(hours, [failure.after(hour) for hour in hours], 30.0)
    assert fit.hours_to(8.0) == pytest.approx(1.53400045811862, abs=1e-4)


def test_c09_heat_load_of_an_open_door() -> None:
    door = Doorway(area_m2=6.24, height_m=2.6, warm_kj_kg=64.6, cold_kj_kg=-18.6,
                   warm_kg_m3=1.146, cold_kg_m3=1.394)
    assert door.load_kw == pytest.approx(324.1618428116869, abs=0.01)
    assert door.density_factor == pytest.approx(0.9514441451317805, abs=1e-5)
    assert door.energy_mj(5 / 60) == pytest.approx(97.24855284350608, abs=0.01)


def test_c11_interval_of_loggers() -> None:
    assert [round(60 * longest_interval(hours)) for hours in (20.0, 72.0, 240.0)] == [5, 15, 60]


def test_c12_q10_shelf_life() -> None:
    law = Q10(life=240.0, at=4.0, q10=2.5)
    assert law.life_h(12.0) / 24.0 == pytest.approx(4.804497735925725, abs=1e-5)
    life = ShelfLife(law, storage_c=4.0)
    for day, celsius in [(0, 4.0), (3, 14.0), (4, 4.0)]:
        life.update(cold(24.0 * day, celsius))
    assert life.get().used == pytest.approx(0.55, abs=1e-9)
