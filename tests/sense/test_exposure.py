"""Lots carry what they have seen from place to place."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from twin.ledger import Ledger
from twin.network import Network
from twin.readings import Reading
from twin.scenario import Scenario
from twin.sense.exposure import Exposure, LotCondition
from twin.sense.kinetic import mean_kinetic_temperature
from twin.sense.storage_area import area_of
from twin.simulate.play import play
from twin.witness import readings_of_ledger

NETWORK = Network(
    sites=[{"site": "W", "kind": "warehouse"}, {"site": "C", "kind": "customer"}],
    storage=[{"site": "W", "area": "hall"}, {"site": "W", "area": "cold", "min_c": 2, "max_c": 6}],
    products=[{"product": "serum", "value": 50, "min_c": 2, "max_c": 8, "shelf_life": "100h"},
              {"product": "bolt", "value": 1}])


class Way:
    def __init__(self) -> None:
        self.exposure, self.count = Exposure(NETWORK, breach_h=1.0), 0

    def tell(self, hour: float, kind: str, **said: Any) -> None:
        self.count += 1
        self.exposure.update(Reading(sensor="s", id=str(self.count), time=3600.0 * hour, kind=kind,
                                     **said))

    def parts(self) -> dict[str, LotCondition]:
        return {f"{part.lot}@{part.place[1]}": part for part in self.exposure.get()}


def test_a_lot_is_in_the_area_that_fits_it() -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="L1", product="serum", quantity=5.0)
    way.tell(0, "temperature", site="W", area="hall", value=20.0)
    way.tell(0, "temperature", asset="W:cold", value=4.0)
    way.tell(2, "temperature", site="W", area="cold", value=4.0)
    (part,) = way.parts().values()
    assert part.place == ("area", "W:cold")
    assert (part.condition.state, part.kinetic_c) == ("in range", pytest.approx(4.0))
    assert area_of(NETWORK, "C", "serum") == ""


def test_from_shelf_to_truck_to_customer() -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="L1", product="serum", quantity=5.0)
    way.tell(0, "temperature", asset="W:cold", value=4.0)
    way.tell(2, "shipping", site="W", lot="L1", product="serum", quantity=5.0, shipment="S1")
    way.tell(2, "departing", site="W", to_site="C", shipment="S1", asset="T1")
    way.tell(2, "temperature", asset="T1", value=12.0)
    way.tell(2.5, "temperature", shipment="S1", value=6.0)
    way.tell(5, "arriving", site="C", shipment="S1")
    way.tell(5, "receiving", site="C", lot="L1", product="serum", quantity=5.0, shipment="S1")
    way.tell(5, "temperature", site="C", value=5.0)
    way.tell(6, "temperature", site="C", value=5.0)
    way.tell(7, "temperature", asset="T1", value=30.0)
    (part,) = way.parts().values()
    assert part.place == ("site", "C")
    assert (part.condition.state, part.condition.hours_outside) == ("in range", 0.5)
    assert part.kinetic_c == pytest.approx(mean_kinetic_temperature(
        [4.0, 12.0, 6.0, 5.0], [2.0, 0.5, 2.5, 1.0]))
    assert part.remaining is not None
    assert 0.06 < part.remaining.used < 0.08


def test_a_split_lot_keeps_its_past_in_both_parts_and_only_one_suffers() -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="L1", product="serum", quantity=10.0)
    way.tell(0, "temperature", asset="W:cold", value=7.0)
    way.tell(4, "shipping", site="W", lot="L1", product="serum", quantity=4.0, shipment="S1")
    way.tell(4, "temperature", shipment="S1", value=20.0)
    way.tell(6, "temperature", shipment="S1", value=20.0)
    parts = way.parts()
    assert {name: (part.units, part.condition.state, part.at_risk)
            for name, part in parts.items()} == {
        "L1@S1": (4.0, "breach", 200.0), "L1@W:cold": (6.0, "in range", 0.0)}
    assert parts["L1@S1"].condition.lowest == 7.0


def test_parts_that_meet_again_are_as_bad_as_the_worse() -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="L1", product="serum", quantity=10.0)
    way.tell(0, "shipping", site="W", lot="L1", product="serum", quantity=4.0, shipment="S1")
    way.tell(0, "temperature", shipment="S1", value=20.0)
    way.tell(2, "temperature", shipment="S1", value=20.0)
    way.tell(3, "receiving", site="W", lot="L1", product="serum", quantity=4.0, shipment="S1")
    (part,) = way.parts().values()
    assert (part.units, part.condition.state, part.at_risk) == (10.0, "breach", 500.0)


def test_what_is_used_up_is_forgotten() -> None:
    way = Way()
    way.tell(0, "commissioning", site="W", lot="L1", product="serum", quantity=10.0)
    way.tell(1, "delivering", site="W", lot="L1", product="serum", quantity=4.0)
    assert way.parts()["L1@W:cold"].units == 6.0
    way.tell(2, "consuming", site="W", lot="L1", product="serum", quantity=6.0)
    assert way.parts() == {}
    assert way.exposure.lots() == []


def test_what_no_temperature_can_harm_is_not_followed() -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="B1", product="bolt", quantity=10.0)
    way.tell(0, "storing", site="W", lot="X1", product="unknown", quantity=10.0)
    assert way.parts() == {}


def test_handed_over_and_departed_are_one_movement() -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="L1", product="serum", quantity=10.0)
    way.tell(1, "shipping", site="W", lot="L1", product="serum", quantity=4.0, shipment="S1")
    way.tell(2, "departing", site="W", to_site="C", lot="L1", product="serum", quantity=4.0,
             shipment="S1")
    assert {name: part.units for name, part in way.parts().items()} == {
        "L1@S1": 4.0, "L1@W:cold": 6.0}


def test_a_shipment_is_in_the_truck_that_was_loaded_with_it() -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="L1", product="serum", quantity=4.0)
    way.tell(1, "starting", role="truck", site="W", to_site="C", lot="L1", product="serum",
             quantity=4.0, asset="van#1")
    way.tell(1, "temperature", asset="van#1", value=20.0)
    way.tell(2, "departing", site="W", to_site="C", lot="L1", product="serum", quantity=4.0,
             shipment="7", asset="W:C:van")
    way.tell(3, "temperature", asset="van#1", value=20.0)
    (part,) = way.parts().values()
    assert (part.place, part.condition.state) == (("shipment", "7"), "breach")
    way.tell(4, "arriving", site="C", lot="L1", product="serum", quantity=4.0, shipment="7")
    assert [part.place for part in way.exposure.get()] == [("site", "C")]
    way.tell(4, "delivering", site="C", lot="L1", product="serum", quantity=4.0)
    assert way.parts() == {}


@pytest.mark.parametrize("first", [0, 1])
def test_what_is_delivered_as_it_arrives_is_with_the_customer_whichever_is_told_first(
        first: int) -> None:
    way = Way()
    way.tell(0, "storing", site="W", lot="L1", product="serum", quantity=9.0)
    way.tell(1, "departing", site="W", to_site="C", lot="L1", product="serum", quantity=4.0,
             shipment="7")
    words = [("delivering", {}), ("arriving", {"shipment": "7"})]
    for word, said in (words[first], words[1 - first]):
        way.tell(4, word, site="C", lot="L1", product="serum", quantity=4.0, **said)
    assert {name: part.units for name, part in way.parts().items()} == {"L1@W:cold": 5.0}


@pytest.mark.parametrize("model", ["harbour", "medicines"])
def test_no_lot_of_a_played_chain_is_lost_on_its_way(model: str) -> None:
    """Every lot that a simulated ledger says has arrived is where it arrived, or used up."""
    network, ledger = twin.read_model(model), Ledger()
    play(network, Scenario.baseline(), horizon_h=20 * 24.0, seed=3, ledger=ledger)
    exposure, under_way = Exposure(network), {}
    for reading in readings_of_ledger(ledger, network.start):
        exposure.update(reading)
        if reading.shipment and reading.lot and not reading.role:
            key = reading.shipment, reading.lot
            if reading.kind == "departing":
                under_way[key] = under_way.get(key, 0.0) + reading.quantity
            elif reading.kind == "arriving":
                under_way[key] -= reading.quantity
    followed = {(part.place[1], part.lot): part.units for part in exposure.get()
                if part.place[0] == "shipment"}
    assert exposure.get()
    assert all(under_way[key] == pytest.approx(units) for key, units in followed.items())


@pytest.mark.long
@pytest.mark.parametrize("swapped", [False, True])
def test_readers_at_docks_mislay_no_part_of_a_lot(swapped: bool) -> None:
    """Readers say which lot passes, not how much of it; customers keep nothing that is followed.

    Whether a delivery is told before or after its arrival makes no difference.
    """
    network, ledger = twin.read_model("harbour"), Ledger()
    play(network, Scenario.baseline(), horizon_h=40 * 24.0, seed=3, ledger=ledger)
    rows = [row for row in readings_of_ledger(ledger, network.start)
            if row.lot and row.kind in (*Exposure.hears, "delivering", "commissioning", "expiring",
                                        "consuming", "starting")]
    order = {"delivering": -1} if swapped else {"delivering": 1}
    rows.sort(key=lambda row: (row.time, order.get(row.kind, 0)))
    exposure = Exposure(network)
    for row in rows:
        if row.kind in ("departing", "arriving") and not row.role:
            exposure.update(Reading(sensor="reader", id="", time=row.time, kind="sighting",
                                    site=row.site, area="dock", lot=row.lot, product=row.product))
        exposure.update(row)
    customers = {name for name, site in network.sites.items() if site.kind == "customer"}
    held = [part for part in exposure.get() if part.place[1].partition(":")[0] in customers]
    assert len(exposure.get()) > 10
    assert held == []
