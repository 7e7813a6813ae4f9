"""Readings of events become one ledger, however they came."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.sense.chains import lived, model
from twin.ledger import Ledger
from twin.readings import Reading, reference_number, to_frame
from twin.scenario import Scenario
from twin.sense.history import Translator, events_of, ledger_of
from twin.simulate import play
from twin.witness import readings_of_ledger

HARBOUR = model("harbour")
DAY = to_frame(readings_of_ledger(
    (lambda ledger: (play(HARBOUR, Scenario.baseline(), horizon_h=48.0, seed=2, ledger=ledger),
                     ledger)[1])(Ledger()), HARBOUR.start))
DIGEST = ledger_of(DAY, HARBOUR.start).digest()


def test_a_ledger_told_is_the_ledger_heard() -> None:
    ledger = Ledger()
    play(HARBOUR, Scenario.baseline(), horizon_h=480.0, seed=2, ledger=ledger)
    heard = ledger_of(to_frame(readings_of_ledger(ledger, HARBOUR.start)), HARBOUR.start)
    told, again = ledger.frame(), heard.frame()
    assert len(told) == len(again)
    for column in told.columns:
        if column in ("time", "recorded"):
            assert np.abs(told[column] - again[column]).max() < 1e-9
        else:
            assert told[column].astype(str).tolist() == again[column].astype(str).tolist(), column


@given(st.randoms(use_true_random=False), st.integers(0, 60))
def test_neither_order_nor_repetition_matters(random: object, again: int) -> None:
    rows = list(range(len(DAY))) + list(range(again))
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert ledger_of(DAY.iloc[rows], HARBOUR.start).digest() == DIGEST


def test_a_correction_is_a_row_of_its_own_and_keeps_when_it_was_known() -> None:
    zero = HARBOUR.start.timestamp()
    told = [Reading(sensor="wms", id="1", time=zero, kind="storing", site="north_dc",
                    product="juice", quantity=40.0, lot="L-1"),
            Reading(sensor="wms", id="2", time=zero, recorded=zero + 7200.0, kind="storing",
                    site="north_dc", product="juice", quantity=2.0, lot="L-1",
                    cause="correction")]
    rows = ledger_of(to_frame(told), HARBOUR.start).frame()
    assert rows[["quantity", "cause", "recorded"]].values.tolist() == [
        [40.0, "", 0.0], [2.0, "correction", 2.0]]
    assert set(rows["lot"]) == {reference_number("L-1")}


def machine(*told: tuple[float, str, object]) -> list[tuple[float, str, float]]:
    """What a machine's signals say, as events: hour, word, units."""
    zero = HARBOUR.start.timestamp()
    kinds = {"state": "machine_state"}
    readings = []
    for number, (hour, kind, value) in enumerate(told):
        says = {"state": value} if kind == "state" else (
            {"value": value, "quantity": 5.0} if kind == "cycle" else {"quantity": value})
        readings.append(Reading(sensor="plc", id=str(number), time=zero + hour * 3600.0,
                                kind=kinds.get(kind, kind), asset="bench", site="juicery",
                                **says))  # type: ignore[arg-type]
    rows = events_of(to_frame(readings), HARBOUR.start)
    return [(row.time, row.event, row.quantity) for row in Translator().events(rows)]


def test_states_of_a_machine_are_starts_ends_setups_failures_and_repairs() -> None:
    assert machine((0, "state", "idle"), (1, "state", "setup"), (2, "state", "processing"),
                   (3, "state", "down"), (5, "state", "processing"), (6, "state", "blocked"),
                   (7, "state", "processing"), (8, "state", "off")) == [
        (1, "setup", 0), (2, "starting", 0), (3, "failing", 0), (5, "repairing", 0),
        (6, "completing", 0), (7, "starting", 0)]


def test_cycles_tell_starts_and_ends_and_rejects_are_scrap() -> None:
    assert machine((2, "cycle", 1.5), (2.5, "reject", 3.0), (4, "cycle", 1.0)) == [
        (0.5, "starting", 5), (2, "completing", 5), (2.5, "scrapping", 3), (3, "starting", 5),
        (4, "completing", 5)]


def test_a_machine_that_tells_events_is_not_asked_twice() -> None:
    zero = HARBOUR.start.timestamp()
    told = [Reading(sensor="mes", id="1", time=zero, kind="starting", site="juicery",
                    asset="bench"),
            Reading(sensor="plc", id="1", time=zero + 3600.0, kind="machine_state",
                    asset="bench", state="processing")]
    rows = list(Translator().events(events_of(to_frame(told), HARBOUR.start)))
    assert [row.event for row in rows] == ["starting"]


def test_only_what_was_before_a_moment_counts() -> None:
    readings, _, _ = lived(HARBOUR, 100.0)
    assert readings["time"].max() < HARBOUR.start.timestamp() + 100.0 * 3600.0
