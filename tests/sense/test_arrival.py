"""When something will be there: conditional on its age, and on the way that lies behind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.network import Network
from twin.quantity import Quantity, constant, parse_quantity
from twin.readings import Reading
from twin.sense.eta import Eta, Leg, eta
from twin.sense.underway import (
    OpenOrder,
    Shipment,
    Shipments,
    order_etas,
    shipment_etas,
    transit_law,
)
from twin.simulate.draws import left

LOGNORMAL = parse_quantity("lognormal(mean=10h, sd=3h)", time=True)
EXPONENTIAL = parse_quantity("exponential(mean=10h)", time=True)

NETWORK = Network(
    sites=[{"site": "A", "kind": "supplier", "latitude": 52, "longitude": 5},
           {"site": "W", "kind": "warehouse", "latitude": 52, "longitude": 6},
           {"site": "C", "kind": "customer"}],
    products=[{"product": "tea"}],
    supply=[{"site": "A", "product": "tea", "lead_time": "uniform(2d, 4d)"}],
    lanes=[{"origin": "A", "destination": "W", "mode": "road", "transit": "uniform(4h, 8h)"},
           {"origin": "W", "destination": "C", "mode": "van", "distance_km": 120, "fleet": "W"}],
    trucks=[{"truck": "van", "home": "W", "speed_kmh": 40}],
    demand=[{"site": "C", "product": "tea", "interarrival": "1d", "promise": "2d", "late": "2h"}])


def test_what_is_left_given_the_age() -> None:
    fresh, old = (eta([Leg(LOGNORMAL, age)], left) for age in (0.0, 12.0))
    assert fresh.median == pytest.approx(9.58, abs=0.05)  # the median of the law
    assert old.median < fresh.median
    assert old.interval(0.8)[0] > 0.0


@given(st.floats(0.0, 100.0))
def test_an_exponential_time_never_ages(age: float) -> None:
    assert eta([Leg(EXPONENTIAL, age)], left).hours == pytest.approx(
        eta([Leg(EXPONENTIAL)], left).hours)


def test_the_interval_covers_what_it_says() -> None:
    """Ages at random in trips of the law: 80 % intervals hold the rest in 80 % of them."""
    rng = np.random.default_rng(5)
    held = tried = 0
    while tried < 400:
        whole = float(np.exp(np.log(10 / np.sqrt(1.09)) + np.sqrt(np.log(1.09))
                             * rng.standard_normal()))
        age = float(rng.uniform(0.0, 14.0))
        if age < whole:
            low, high = eta([Leg(LOGNORMAL, age)], left).interval(0.8)
            held += low <= whole - age <= high
            tried += 1
    assert held / tried == pytest.approx(0.8, abs=0.06)


def test_a_slow_truck_comes_later_than_its_law_says_and_a_fast_one_earlier() -> None:
    law = parse_quantity("uniform(4h, 8h)", time=True)
    unseen, slow, fast = (eta([Leg(law, 3.0, share)], left).median
                          for share in (float("nan"), 0.4, 0.72))
    assert fast < unseen < slow
    assert fast == pytest.approx(3.0 / 0.72 - 3.0, abs=0.5)


def test_positions_sharpen_the_arrival() -> None:
    widths = []
    for share in (float("nan"), 0.3, 0.6, 0.9):
        low, high = eta([Leg(LOGNORMAL, 9.0 * (share if share == share else 0.5), share)],
                        left).interval(0.8)
        widths.append(high - low)
    assert widths[1] > widths[2] > widths[3]
    assert widths[3] < 0.25 * widths[0]


def test_a_trip_that_its_law_cannot_explain_goes_by_its_pace() -> None:
    """A lane that always takes 4 h; after 6 h half of the way is covered: six more."""
    found = eta([Leg(constant(4.0, time=True), 6.0, 0.5)], left)
    assert found.median == pytest.approx(6.0, rel=0.15)


def test_who_is_there_is_there() -> None:
    assert eta([Leg(LOGNORMAL, 9.0, 1.0)], left).interval(0.9) == (0.0, 0.0)


def test_legs_add_up() -> None:
    law = parse_quantity("uniform(2h, 4h)", time=True)
    found = eta([Leg(law, 1.0), Leg(law, 99.0), Leg(constant(5.0, time=True))], left)
    assert found.median == pytest.approx(2.0 + 3.0 + 5.0, abs=0.1)
    assert np.var(found.hours) == pytest.approx(2 * 4 / 12, rel=0.1)  # uniform, twice
    assert repr(found) == repr(eta([Leg(law, 1.0), Leg(law), Leg(constant(5.0, time=True))], left))


def test_the_chance_of_being_late() -> None:
    assert Eta((1.0, 2.0, 3.0, 4.0)).chance_after(3.0) == 0.25


def test_shipments_by_their_lane_and_by_where_they_are() -> None:
    shipments = Shipments()
    for id, kind, hour, said in [
            ("1", "departing", 0.0, {"site": "A", "to_site": "W", "shipment": "S1", "asset": "T1",
                                     "order": "7"}),
            ("2", "departing", 0.0, {"site": "A", "to_site": "W", "shipment": "S2",
                                     "asset": "A:W:road"}),
            ("3", "position", 3.0, {"asset": "T1", "latitude": 52.0, "longitude": 5.25})]:
        shipments.update(Reading(sensor="s", id=id, kind=kind, time=3600.0 * hour, **said))
    seen, unseen = shipment_etas(NETWORK, shipments.get(), 3 * 3600.0, left)
    assert (seen.subject, seen.at, unseen.subject) == ("shipment S1", "W", "shipment S2")
    assert seen.eta.median > unseen.eta.median == pytest.approx(3.0, abs=0.05)
    assert seen.chance_late != seen.chance_late  # nothing was promised


def test_orders_by_what_carries_them_or_by_lead_time_and_transit() -> None:
    def order(name: str, source: str) -> OpenOrder:
        return OpenOrder(name, "C", "tea", 1.0, 0.0, source)

    shipments = [Shipment("S9", "W", "C", 20 * 3600.0, "", ("2",))]
    direct, carried = order_etas(NETWORK, [order("1", "W"), order("2", "W")], shipments,
                                 22 * 3600.0, left)
    assert direct.eta.hours == pytest.approx([3.0] * 200)  # 120 km at 40 km/h
    assert carried.eta.hours == pytest.approx([1.0] * 200)
    assert direct.due_h == 50.0 - 22.0
    assert direct.chance_late == 0.0
    waiting = OpenOrder("3", "W", "tea", 1.0, 0.0, "A")
    (arrival,) = order_etas(NETWORK, [waiting], [], 60 * 3600.0, left)
    # lead time uniform 48 to 96 h, 60 h gone: 18 more at the median; then 6 of transit
    assert arrival.eta.median == pytest.approx(24.0, abs=0.5)


def test_a_lane_without_a_transit_goes_by_its_slowest_truck() -> None:
    law = transit_law(NETWORK, NETWORK.lanes["W", "C", "van"])
    assert law == Quantity("constant", (("value", 3.0),))


def test_a_firm_order_is_due_when_its_row_says() -> None:
    network = NETWORK.replace(orders=[{"order": "5", "site": "C", "product": "tea", "quantity": 1,
                                       "due": "10h"}])
    begin = network.start.timestamp()
    order = OpenOrder("5", "C", "tea", 1.0, begin, "W")
    (arrival,) = order_etas(network, [order], [], begin + 8 * 3600.0, left)
    assert (arrival.due_h, arrival.chance_late) == (2.0, 1.0)
