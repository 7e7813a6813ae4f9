"""What a simulated world's ledger says is said as readings that the door takes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import twin
from twin.ledger import Ledger
from twin.readings import check_reading, parse_reading
from twin.scenario import Scenario
from twin.simulate import play
from twin.witness import readings_of_ledger


@pytest.mark.parametrize("model", ["harbour", "medicines", "workshop"])
def test_every_row_is_a_reading_that_the_door_takes(model: str) -> None:
    network, ledger = twin.read_model(model), Ledger()
    play(network, Scenario.baseline(), horizon_h=20 * 24.0, seed=3, ledger=ledger)
    told = list(readings_of_ledger(ledger, network.start, sensor=lambda row: f"wms {row['site']}"))
    assert len(told) == len(ledger)
    for reading in told:
        check_reading(reading)
    first = told[0]
    again = parse_reading(first.message(), recorded=first.recorded)
    assert (again.key, again.kind, again.product) == (first.key, first.kind, first.product)
    assert again.time == pytest.approx(first.time, abs=1e-3)


def test_rows_after_an_event_and_no_scenario() -> None:
    ledger = Ledger()
    ledger.add(1.0, "ordering", site="W", product="tea", quantity=2.0, order=1)
    ledger.add(2.0, "disturbing", cause="storm")
    ledger.add(3.0, "lost", site="W", product="tea", quantity=2.0, order=1, recorded=5.0)
    start = datetime(1970, 1, 2, tzinfo=UTC)
    told = list(readings_of_ledger(ledger, start))
    assert [(row.id, row.kind, row.time, row.recorded) for row in told] == [
        ("1", "ordering", 90_000.0, 90_000.0), ("3", "lost", 97_200.0, 104_400.0)]
    assert list(readings_of_ledger(ledger, start, after=1)) == told[1:]
