"""What was seen against what was booked: each difference explained or flagged."""

from __future__ import annotations

from typing import Any

from twin.commands.state import sensed
from twin.knowledge import Difference
from twin.network import Network
from twin.readings import Reading, to_frame

SHOP = Network(
    start="2025-01-01T00:00:00Z",
    sites=[{"site": "S", "kind": "supplier"},
           {"site": "W", "kind": "warehouse", "record_delay": "2h"},
           {"site": "V", "kind": "warehouse", "record_error": "normal(mean=0, sd=0.02)"}],
    products=[{"product": "tea"}],
    supply=[{"site": "S", "product": "tea", "lead_time": "1d"}],
    lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "1d"},
           {"origin": "S", "destination": "V", "mode": "road", "transit": "1d"}],
    trucks=[{"truck": "T", "home": "W"}],
    stock=[{"site": "W", "product": "tea", "on_hand": 0},
           {"site": "V", "product": "tea", "on_hand": 0}])
ZERO = SHOP.start.timestamp()


def told(*events: tuple[float, str, dict[str, Any]]) -> list[Reading]:
    """Readings at hours."""
    return [Reading(sensor=says.pop("sensor", "wms"), id=str(number), kind=kind,
                    time=ZERO + hour * 3600.0, **{"product": "tea", **says})
            for number, (hour, kind, says) in enumerate(events)]


def differences(*events: tuple[float, str, dict[str, Any]],
                hours: float = 60.0) -> list[Difference]:
    """What differs by then."""
    knowledge, _ = sensed(to_frame(told(*events)), SHOP, ZERO + hours * 3600.0)
    return list(knowledge.differences)


def lot(site: str, number: str, units: float) -> dict[str, Any]:
    """A lot that is put on a shelf."""
    return {"site": site, "lot": number, "quantity": units}


def count(site: str, units: float) -> dict[str, Any]:
    """A count."""
    return {"site": site, "quantity": units, "sensor": "clerk"}


def explained(found: list[Difference]) -> list[tuple[str, float, bool]]:
    """Explanations, units and flags."""
    return [(row.explanation, round(row.units, 6), row.flagged) for row in found]


def test_a_count_that_is_right_is_no_difference() -> None:
    assert differences((1, "storing", lot("W", "1", 50)), (2, "count", count("W", 50))) == []


def test_what_was_taken_before_the_count_and_booked_after_it() -> None:
    found = differences((1, "storing", lot("W", "1", 50)), (10, "count", count("W", 44)),
                        (11, "picking", {**lot("W", "1", 4), "order": "7"}),
                        (13, "picking", {**lot("W", "1", 3), "order": "8"}))
    # Four of the six were booked within the two hours that booking takes.
    assert explained(found) == [("not yet recorded", -4, False), ("shrinkage", -0.5, False),
                                ("unexplained", -1.5, True)]
    assert (found[0].seen, found[0].booked, found[0].source) == (44, 50, "clerk")


def test_errors_that_a_site_is_known_for_are_shrinkage() -> None:
    found = differences((1, "storing", lot("V", "1", 100)), (2, "count", count("V", 95)))
    assert explained(found) == [("shrinkage", -5, False)]
    found = differences((1, "storing", lot("V", "1", 100)), (2, "count", count("V", 103)))
    assert explained(found) == [("record error", 3, False)]


def test_goods_that_came_and_are_not_booked() -> None:
    bought = {"site": "W", "to_site": "S", "order": "5", "quantity": 30.0}
    came = {"order": "5", "shipment": "9", "asset": "S:W:road", "lot": "2", "quantity": 30.0}
    found = differences((0, "ordering", bought), (24, "departing", {**came, "site": "S",
                                                                    "to_site": "W"}),
                        (48, "arriving", {**came, "site": "W"}), (49, "count", count("W", 30)))
    assert explained(found) == [("unrecorded receipt", 30, False)]


def test_a_shipment_at_the_gate_that_nobody_books_is_flagged_after_a_day() -> None:
    bought = {"site": "W", "to_site": "S", "order": "5", "quantity": 30.0}
    sent = {"order": "5", "shipment": "9", "asset": "S:W:road", "lot": "2", "quantity": 30.0}
    events = ((0, "ordering", bought), (1, "departing", {**sent, "site": "S", "to_site": "W"}),
              (25, "arriving", {"shipment": "9", "site": "W", "asset": "S:W:road",
                                "role": "gate", "product": ""}))
    assert differences(*events, hours=40.0) == []
    assert explained(differences(*events, hours=50.0)) == [("unrecorded receipt", 30, True)]


def test_a_lot_that_stands_elsewhere_is_misplaced() -> None:
    seen = {"site": "V", "lot": "1", "sensor": "gate V"}
    found = differences((1, "storing", lot("W", "1", 50)), (5, "sighting", seen))
    assert explained(found) == [("misplaced", -50, True)]
    assert found[0].detail == "lot 1 was seen at V"
    found = differences((1, "storing", lot("W", "1", 50)), (5, "sighting", seen),
                        (6, "count", count("W", 0)))
    assert explained(found) == [("misplaced", -50, True)]


def test_a_lot_that_is_booked_and_still_on_the_truck() -> None:
    found = differences((1, "storing", lot("W", "1", 50)),
                        (5, "sighting", {"site": "", "lot": "1", "asset": "T", "sensor": "T"}))
    assert explained(found) == [("in transit", -50, False)]


def test_the_state_holds_what_was_found() -> None:
    events = to_frame(told((1, "storing", lot("W", "1", 50)), (10, "count", count("W", 30))))
    _, state = sensed(events, SHOP, ZERO + 60 * 3600.0)
    shelf = state.actors["shelf W/tea"]
    assert (shelf["on_hand"], shelf["record"]["gap"]) == (30, 20)
