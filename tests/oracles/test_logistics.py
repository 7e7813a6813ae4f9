"""Reference cases of transport: CO2e, fuel, goods in transit, full loads, the truck cycle."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from tests.oracles.job_shop import BASELINE, means
from twin.network import Network
from twin.simulate.play import play
from twin.tally import Tally

DAY = 24.0


def road(lane: dict[str, object], **tables: object) -> Network:
    """A supplier `S` that sends kilograms of `A` to a customer `C` on one lane."""
    return Network(**{  # type: ignore[arg-type]
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "C", "kind": "customer"}],
        "products": [{"product": "A", "weight_kg": 1}],
        "supply": [{"site": "S", "product": "A"}],
        "lanes": [{"origin": "S", "destination": "C", **lane}],
        **tables})


def one_order(units: float) -> list[dict[str, object]]:
    """A customer who orders once."""
    return [{"site": "C", "product": "A", "interarrival": "1d", "start": "0h", "size": units,
             "limit": 1}]


@pytest.mark.parametrize(("mode", "direct", "total"), [
    ("artic_over_33t", 0.08473, 0.10273), ("artic_to_33t", 0.16198, 0.19639),
    ("rigid_over_17t", 0.19234, 0.23320), ("all_hgv", 0.12366, 0.14993),
])
def test_l01_co2e_per_tonne_kilometre(mode: str, direct: float, total: float) -> None:
    """20 t over 350 km: 593.11 kg direct and 719.11 kg in all by large articulated lorry."""
    network = road({"mode": mode, "transit": "5h", "distance_km": 350},
                   emissions=[{"source": mode, "per": "tkm", "direct": direct, "total": total}],
                   demand=one_order(20_000))
    tally = play(network, BASELINE, horizon_h=DAY).tally
    assert tally.total("co2e_direct") == pytest.approx(20 * 350 * direct)
    assert tally.total("co2e_total") == pytest.approx(20 * 350 * total)
    if mode == "artic_over_33t":
        assert tally.total("co2e_direct") == pytest.approx(593.11)
        assert tally.total("co2e_total") == pytest.approx(719.11)


@pytest.mark.parametrize(("law", "share", "litres"), [
    ("by_load(31.1, 34.5, 37.9, 41.4, 44.8)", 0.6, 188.64),
    ("by_load(23.6, 26.2, 28.8, 31.4, 34.0)", 0.6, 480 * 0.29840),
    ("by_load(31.1, 34.5, 37.9, 41.4, 44.8)", 1.0, 480 * 0.448),
    ("28", 0.3, 480 * 0.28),
])
def test_l03_fuel_by_load(law: str, share: float, litres: float) -> None:
    """480 km at 60 % of the load: 188.64 l and, at 2.63 kg a litre, 496.12 kg."""
    network = road({"mode": "truck", "fleet": "S", "distance_km": 480, "transit": "8h"},
                   trucks=[{"truck": "T", "home": "S", "capacity_kg": 10_000, "fuel": "diesel",
                            "fuel_l_per_100km": law}],
                   emissions=[{"source": "diesel", "per": "l", "direct": 2.63, "total": 3.2}],
                   demand=one_order(share * 10_000))
    tally = play(network, BASELINE, horizon_h=10.0).tally  # before it is back
    empty = float(law.removeprefix("by_load(").split(",")[0]) * 4.8
    assert tally.total("fuel") - empty == pytest.approx(litres)
    assert tally.total("co2e_direct") == pytest.approx(2.63 * tally.total("fuel"))
    if share == 0.6 and litres == 188.64:
        assert 2.63 * litres == pytest.approx(496.1232)


@pytest.mark.parametrize(("blend", "direct", "total"), [("B5", 3.04, 3.80), ("B7", 2.97, 3.76)])
def test_l11_co2e_per_kilogram_of_fuel(blend: str, direct: float, total: float) -> None:
    """100 kg of diesel B5: 304 kg tank to wheel, 380 kg well to wheel."""
    network = road({"mode": "truck", "fleet": "S", "distance_km": 100, "transit": "2h"},
                   trucks=[{"truck": "T", "home": "S", "fuel": blend, "fuel_l_per_100km": "125"}],
                   emissions=[{"source": blend, "per": "kg", "direct": direct, "total": total,
                               "kg_per_l": 0.8}],
                   demand=one_order(1))
    tally = play(network, BASELINE, horizon_h=1.0).tally
    assert tally.total("fuel") * 0.8 == pytest.approx(100.0)
    assert tally.total("co2e_direct") == pytest.approx(100 * direct)
    assert tally.total("co2e_total") == pytest.approx(100 * total)


def _mva(trucks: int, docks: Sequence[float], travel: float) -> float:
    """Trips an hour of a closed network by exact mean value analysis (Reiser and Lavenberg)."""
    queue, rate = [0.0] * len(docks), 0.0
    for population in range(1, trucks + 1):
        times = [mean * (1 + length) for mean, length in zip(docks, queue, strict=True)]
        rate = population / (travel + sum(times))
        queue = [rate * time for time in times]
    return rate


@pytest.mark.slow
@pytest.mark.parametrize(("trucks", "load", "unload", "leg"), [
    (8, 0.25, 0.2, "exponential(mean=1h)"),  # Q30
    (8, 0.25, 0.2, "uniform(low=0.5h, high=1.5h)"), (5, 0.4, 0.1, "1.5h"),
])
def test_q30_the_truck_cycle(trucks: int, load: float, unload: float, leg: str) -> None:
    """Product form: whatever the law of the journey, the cycle is that of the closed network."""
    network = road(
        {"mode": "truck", "fleet": "S", "transit": leg},
        trucks=[{"truck": "T", "units": trucks, "home": "S", "capacity_kg": 1}],
        docks=[{"site": "S", "direction": "out", "time": f"exponential(mean={load}h)"},
               {"site": "C", "direction": "in", "time": f"exponential(mean={unload}h)"}],
        orders=[{"order": "1", "site": "C", "product": "A", "quantity": 1_000_000}])
    rate, cycle = means(network, 10_000.0, [
        lambda t: t.total("trips") / t.hours, lambda t: t.total("trip_time") / t.total("trips")])
    travel = 2 * network.lanes["S", "C", "truck"].transit.mean()  # type: ignore[union-attr]
    expected = _mva(trucks, [load, unload], travel)
    assert rate == pytest.approx(expected, abs=0.014)
    assert cycle == pytest.approx(trucks / expected, abs=0.015 * (trucks / expected) / 2.917)
    if trucks == 8:
        assert expected == pytest.approx(2.742470224427561)


@pytest.mark.slow
def test_q36_goods_in_transit() -> None:
    """Palm: daily snapshots of what is on the sea are Poisson."""
    network = road({"mode": "sea", "transit": "uniform(low=2d, high=6d)"},
                   demand=[{"site": "C", "product": "A", "interarrival": "exponential(rate=4/d)"}])
    key = ("in_transit", "S:C:sea", "", "")
    levels = [play(network, BASELINE, horizon_h=20_000 * DAY, replication=number,
                   sample_every_h=DAY).tally.samples[key][2000:] for number in range(10)]
    assert fmean(map(np.mean, levels)) == pytest.approx(16.0, abs=0.066)
    assert fmean(map(np.var, levels)) == pytest.approx(16.0, abs=0.36)
    few = fmean(float((level <= 10).mean()) for level in levels)
    assert few == pytest.approx(0.07739601577035707, abs=0.0038)
    assert stats.poisson(16).cdf(10) == pytest.approx(0.07739601577035707)


def _wait_to_depart(tally: Tally) -> float:
    return tally.total("wait_to_depart") / tally.total("units_shipped")


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "capacity", "tolerance"), [(2.0, 10, 0.028), (5.0, 24, 0.03)])
def test_q38_a_truck_leaves_when_full(rate: float, capacity: int, tolerance: float) -> None:
    """A pallet waits (K - 1) / 2 gaps in the mean."""
    network = road({"mode": "truck", "fleet": "S", "transit": "1h", "min_load": 1},
                   trucks=[{"truck": "T", "units": 8, "home": "S", "capacity_kg": capacity}],
                   demand=[{"site": "C", "product": "A",
                            "interarrival": f"exponential(rate={rate}/h)"}])
    [found] = means(network, 20_000 / rate, [_wait_to_depart])
    assert found == pytest.approx((capacity - 1) / (2 * rate), abs=tolerance)
