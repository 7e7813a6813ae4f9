"""Each field of the state of a plant matters: one that is spoilt changes what follows."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.simulate.shops import BASELINE, at, shop
from tests.simulate.test_plant_state import CASES, LINE, two
from tests.simulate.test_state import _drop, fields, kind_of
from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State

HANDS = [{"crew": "hands"}]
BREAKDOWN = Scenario(name="what if", events={"it": {
    "type": "breakdown", "machines": "M", "start": "1h", "repair": "5h"}})
BEFORE = [{"group": "1", "buffer": 0, "blocking": "before"}, {"group": "2", "buffer": 0}]
RUSH = [{"group": "M", "dispatch": "priority", "preempt": True}]

#: Plants in the middle of what those of the stories never are.
MORE: list[tuple[Network, float, Scenario]] = [
    # of two lots that are equal the one that came first, though its number is higher
    (shop({"A": [at(None, "5h"), at("M", "1h")], "B": [at(None, "3h"), at("M", "1h")],
           "C": [at("M", "9h")]}, groups=[{"group": "M", "dispatch": "priority"}],
          orders=[{"product": name} for name in "ABC"]), 5.5, BASELINE),
    # one machine has kept the only place; the other has work and waits for room
    (shop(LINE, machines=[{"machine": "1", "units": 2, "group": "1"}, two()[1]], groups=[
        {"group": "1", "blocking": "before"}, {"group": "2", "buffer": 0}],
          orders=[{"quantity": 2}, {"placed": "45min"}]), 0.5, BASELINE),
    (shop(LINE, machines=[{"machine": "1", "units": 2, "group": "1"}, two()[1]], groups=BEFORE,
          orders=[{"quantity": 3}]), 0.5, BASELINE),
    # the machine that was blocked first comes second in the tables
    (shop({"A": [at("1", "4h"), at("2", "9h")], "B": [at("1", "1h"), at("2", "9h")]},
          machines=[{"machine": "1", "units": 2, "group": "1"}, two()[1]],
          groups=[{"group": "2", "buffer": 0}],
          orders=[{"product": name} for name in "AB"] + [{"product": "B", "placed": "30min"}]),
     4.5, BASELINE),
    # the machine that was idle first comes second in the tables
    (shop({"A": [at("M", "4h")], "B": [at("M", "1h")]}, machines=[{"machine": "M", "units": 2}],
          orders=[{}, {"product": "B"}, {"placed": "6h"}]), 5.0, BASELINE),
    # a set-up that will be interrupted by a lot of the family that was set up before
    (shop({"A": [at("M", "1h", setup_time="3h")], "B": [at("M", "1h", setup_time="3h")]},
          groups=RUSH, orders=[{"priority": 2}, {"product": "B", "priority": 2},
                               {"priority": 1, "placed": "5h"}]), 4.5, BASELINE),
    # one that was interrupted, while the lot that takes it over waits for its crew
    (shop({"A": [at("M", "1h", setup_time="3h", setup_family="red")],
           "B": [at("M", "1h", setup_time="3h", setup_family="red", crew="hands")],
           "C": [at(None, "6h", crew="hands")]}, groups=RUSH, crews=HANDS,
          orders=[{"product": "C"}, {"priority": 2},
                  {"product": "B", "placed": "1h"}]), 2.0, BASELINE),
    # a lot to be scrapped, at a machine that waited for its crew when it broke down
    (shop({"A": [at("M", "2h")], "B": [at("N", "5h")]}, crews=HANDS,
          machines=[{"machine": "M", "crew": "hands"},
                    {"machine": "N", "group": "N", "crew": "hands"}],
          failures=[{"asset": "M", "clock": "elapsed", **row} for row in (
              {"cause": "a", "time_to_failure": "99h", "time_to_repair": "1h"},
              {"cause": "b", "time_to_failure": "3h", "time_to_repair": "1h",
               "after": "scrap"})],
          orders=[{}, {"product": "B", "placed": "30min"}]), 3.5,
     Scenario(name="what if", events={"it": {
         "type": "breakdown", "machines": "M", "start": "1h", "repair": "1h"}})),
    # a breakdown of known length that waits for its crew
    (shop({"A": [at("M", "4h")], "B": [at(None, "6h", crew="hands")]}, crews=HANDS,
          orders=[{"product": "B"}, {}], failures=[
              {"asset": "M", "time_to_failure": "99h", "time_to_repair": "1h",
               "crew": "hands"}]), 3.0, BREAKDOWN),
    # what is left is drawn, given what has passed, unless it is certain
    (shop({"A": [at(None, "uniform(2h, 9h)"), at("M", "uniform(2h, 9h)")],
           "B": [at("M", "uniform(2h, 9h)", setup_time="uniform(2h, 9h)")]}, groups=RUSH,
          orders=[{"product": "B", "priority": 2}, {"product": "B", "priority": 1, "placed": "9h"},
                  {}]), 1.5, BASELINE),
    (shop({"A": [at("M", "uniform(2h, 9h)")]}, groups=RUSH,
          orders=[{"priority": 2}, {"priority": 1, "placed": "30min"}]), 10.5, BASELINE),
    (shop({"A": [at("M", "uniform(6h, 9h)")]}, orders=[{"quantity": 9}], failures=[
        {"asset": "M", "time_to_failure": "2h", "time_to_repair": "uniform(3h, 9h)"}]), 3.0,
     BASELINE),
    (shop({"A": [at("M", "4h")]}, orders=[{"quantity": 9}], failures=[
        {"asset": "M", "time_to_failure": "20h", "time_to_repair": "uniform(6h, 9h)"}]), 3.0,
     BREAKDOWN),
    (shop({"A": [at("M", "4h")]}, orders=[{"quantity": 9}]), 3.0, BREAKDOWN),
    # two that end together: the one that began first comes first
    (shop({"A": [at("2", "4h"), at("3", "1h")], "B": [at("1", "2h"), at("3", "2h")]},
          machines=[*two(), {"machine": "3", "group": "3"}],
          orders=[{"product": "B", "placed": "2h"}, {}]), 3.0, BASELINE),
]

def saved(network: Network, moment: float, what: Scenario) -> dict[str, Any]:
    """The document of a plant's state."""
    state = play(network, what, horizon_h=moment, save_at=moment, ledger=Ledger()).state
    assert state is not None
    document: dict[str, Any] = json.loads(json.dumps(state.document(), allow_nan=False))
    return document


def outcome(network: Network, state: State) -> Any:
    """All sums and every event of forty hours, or how it breaks."""
    ledger = Ledger()
    try:
        sums = play(network, BASELINE, horizon_h=40.0, state=state, ledger=ledger).tally.sums
    except Exception as error:  # whatever a spoilt state leads to
        return type(error)
    return ledger.digest(), tuple(sums.items())


def test_no_field_of_a_plant_may_be_left_out() -> None:
    """Each kind of field, spoilt in turn wherever it stands, changes what follows somewhere."""
    idle: dict[str, bool] = {}
    for network, moment, what in [*MORE, *((*case, BASELINE) for case in CASES.values())]:
        document = saved(network, moment, what)
        expected = outcome(network, State.from_document(deepcopy(document)))
        assert isinstance(expected, tuple)
        for path in fields(document):
            kind = kind_of(path)
            if kind.startswith(("agenda", "actors.plant", "actors.group", "actors.place",
                                "actors.crew", "actors.failure")) and idle.get(kind, True):
                idle[kind] = outcome(network, _drop(document, path)) == expected
    assert len(idle) > 50
    assert {kind for kind, same in idle.items() if same} == set()


@pytest.mark.parametrize("case", CASES)
def test_a_plant_taken_up_and_saved_at_once_is_the_same(case: str) -> None:
    network, moment = CASES[case]
    document = saved(network, moment, BASELINE)
    again = play(network, BASELINE, horizon_h=0.0, save_at=0.0, ledger=Ledger(),
                 state=State.from_document(deepcopy(document))).state
    assert again is not None
    for name, values in document["actors"].items():
        if not name.startswith(("customer", "shelf")):
            assert again.actors[name] == values, name
    assert again.agenda == document["agenda"]
