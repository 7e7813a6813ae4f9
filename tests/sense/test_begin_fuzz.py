"""Whatever is told in whatever order, something is known and a run can go on from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sense.chains import BASELINE, fresh, model, rules
from twin.readings import BadReading, Reading, check_reading, to_frame
from twin.sense.history import HEARD
from twin.sense.knowledge import begin, know
from twin.simulate import play

HARBOUR = model("harbour")
ZERO = HARBOUR.start.timestamp()
SITES = ["juicery", "north_dc", "south_dc", "orchard", "market", "hotel", "nowhere", ""]
ASSETS = ["mixer_new", "bench", "tank", "reefer#1", "north_van", "orchard:juicery:sea",
          "juicery:north_dc:truck", "juicery/juice/30", "juicery/lemonade/50", "ghost", ""]
ROLES = ["", "customer", "walk_in", "passed", "component", "spare", "firm", "truck", "gate",
         "lot"]
NUMBERS = ["", "1", "2", "3", "PO-4"]


@st.composite
def reading(draw: Any) -> Reading:
    """A reading that the door would take, of names that may not exist."""
    pick = lambda values: draw(st.sampled_from(values))  # noqa: E731
    return Reading(
        sensor=pick(["wms", "mes"]), id=str(draw(st.integers(0, 10**6))),
        time=ZERO + 3600.0 * draw(st.integers(0, 60)), kind=pick(HEARD),
        site=pick(SITES), to_site=pick(SITES), asset=pick(ASSETS),
        product=pick(["juice", "lemonade", "concentrate", "seals", "gold", ""]),
        lot=pick(NUMBERS), parent=pick(NUMBERS), order=pick(NUMBERS), shipment=pick(NUMBERS),
        quantity=float(draw(st.integers(0, 50))), value=float(draw(st.integers(0, 50))),
        latitude=52.0, longitude=6.0, role=pick(ROLES),
        state=pick(["idle", "processing", "down", "setup", "off", "blocked", "odd"]),
        cause=pick(["", "stock", "wear", "jam", "service", "damaged"]), source=pick(["", "summer",
                                                                                    "PO-1"]))


def taken(readings: list[Reading]) -> list[Reading]:
    """Those that the door takes."""
    found = []
    for each in readings:
        try:
            check_reading(each)
        except BadReading:
            continue
        found.append(each)
    return found


def go_on(readings: list[Reading]) -> None:
    """Know what was told, whatever its order; begin from it, and play."""
    frame = to_frame(taken(readings))
    at = ZERO + 3600.0 * 50.0
    known = know(frame, HARBOUR, at, rules=rules("harbour"), fresh=fresh("harbour"))
    assert known.digest() == know(frame.iloc[::-1], HARBOUR, at, rules=rules("harbour"),
                                  fresh=fresh("harbour")).digest()
    state = begin(known, HARBOUR, rules=rules("harbour"), fresh=fresh("harbour"))
    assert play(HARBOUR, BASELINE, horizon_h=48.0, state=state).tally.sums


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(reading(), min_size=10, max_size=50))
def test_whatever_is_told_a_run_can_go_on(readings: list[Reading]) -> None:
    go_on(readings)


@pytest.mark.long
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(reading(), min_size=20, max_size=80))
def test_whatever_is_told_a_run_can_go_on_in_many_cases(readings: list[Reading]) -> None:
    go_on(readings)
