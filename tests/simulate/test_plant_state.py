"""A plant is saved and taken up again: the rest of the story is the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulate.shops import BASELINE, at, shop
from twin.ledger import Ledger
from twin.network import Network
from twin.simulate.play import play
from twin.state import State

WORDS = ("setup", "starting", "completing", "failing", "repairing", "commissioning", "delivering")


def events(ledger: Ledger, after: float) -> list[tuple[Any, ...]]:
    rows = ledger.frame()
    rows = rows[rows.event.isin(WORDS) & (rows.time > after)]
    return [(round(row.time, 6), row.event, row.asset, row.product, row.quantity)
            for row in rows.itertuples()]


def check(network: Network, moment: float, hours: float = 60.0, *, twins: bool = False) -> None:
    """What happens after `moment` is the same in one run and in a run from its state.

    Which of two `twins` that are free at one instant comes first is not compared.
    """
    whole, rest = Ledger(), Ledger()
    play(network, BASELINE, horizon_h=hours, ledger=whole)
    saved = play(network, BASELINE, horizon_h=moment + 0.001, save_at=moment, ledger=Ledger()).state
    assert saved is not None
    state = State.from_document(json.loads(json.dumps(saved.document())))
    play(network, BASELINE, horizon_h=hours - moment, state=state, ledger=rest)
    found, expected = events(rest, moment), events(whole, moment)
    if twins:
        found, expected = ([(*row[:2], *row[3:]) for row in rows] for rows in (found, expected))
    assert sorted(found) == sorted(expected)


def two(**columns: Any) -> list[dict[str, Any]]:
    return [{"machine": "1", "group": "1", **columns}, {"machine": "2", "group": "2"}]


LINE = {"A": [at("1", "2h"), at("2", "3h")]}

CASES: dict[str, tuple[Network, float]] = {
    "in work and in a queue": (shop(LINE, machines=two(), orders=[{"quantity": 4}]), 5.5),
    "in the order book": (shop(LINE, machines=two(), wip_cap=2, orders=[{"quantity": 6}]), 5.5),
    "blocked after work": (shop(
        LINE, machines=two(), orders=[{"quantity": 5}],
        groups=[{"group": "1", "buffer": 0}, {"group": "2", "buffer": 0}]), 4.5),
    "a place kept before work": (shop(
        LINE, machines=two(units=1), orders=[{"quantity": 5}], groups=[
            {"group": "1", "buffer": 0, "blocking": "before"}, {"group": "2", "buffer": 0}]), 6.5),
    "a slow machine": (shop({"A": [at("M", "3h")]}, orders=[{"quantity": 3}],
                            machines=[{"machine": "M", "speed": 0.5}]), 8.0),
    "a delay": (shop({"A": [at(None, "5h"), at("M", "1h")]}, orders=[{"quantity": 3}]), 3.0),
    "a delay by a crew": (shop({"A": [at(None, "5h", crew="hands")]}, orders=[{"quantity": 3}],
                               crews=[{"crew": "hands", "size": 2}]), 3.0),
    "a set-up": (shop({"A": [at("M", "2h", setup_time="2h")],
                       "B": [at("M", "1h", setup_time="2h")]},
                      orders=[{"product": name} for name in "ABAB"]), 5.0),
    "a wheel on the way to nobody": (shop(
        {"A": [at("M", "2h", setup_time="2h")], "B": [at("M", "1h", setup_time="3h")]},
        groups=[{"group": "M", "dispatch": "wheel"}],
        orders=[{"product": "A", "placed": "10h"}]), 4.5),
    "a batch": (shop({"A": [at("M", "4h", per="batch", batch=3)]}, orders=[{"quantity": 8}]), 6.0),
    "interrupted work": (shop(
        {"A": [at("M", "4h")]}, groups=[{"group": "M", "dispatch": "priority", "preempt": True}],
        orders=[{"priority": 2}, {"priority": 1, "placed": "1h"}]), 2.0),
    "components on their way": (shop(
        {"P": [at(None, "1h")], "A": [at("1", "2h")], "B": [at("2", "5h")]}, machines=two(),
        orders=[{"product": "P", "quantity": 2}],
        bom=[{"product": "P", "component": "A"}, {"product": "P", "component": "B"}]), 3.0),
    "components at the lot": (shop(
        {"P": [at("1", "5h")]}, machines=two(), products=[{"product": "A"}],
        stock=[{"product": "A", "on_hand": 9}], orders=[{"product": "P", "quantity": 2}],
        bom=[{"product": "P", "component": "A", "quantity": 2}]), 3.0),
    "an order half delivered": (shop({"A": [at("M", "1h")]}, lot_size=2,
                                     orders=[{"quantity": 7}]), 4.5),
    "waiting for an operator": (shop(
        {"A": [at("M", "2h")]}, machines=[{"machine": "M", "units": 2, "crew": "hands"}],
        crews=[{"crew": "hands"}], orders=[{"quantity": 4}]), 3.0),
    "worn by work": (shop({"A": [at("M", "2h")]}, orders=[{"quantity": 9}], failures=[
        {"asset": "M", "time_to_failure": "5h", "time_to_repair": "1h"}]), 4.5),
    "in repair": (shop({"A": [at("M", "2h")]}, orders=[{"quantity": 9}], failures=[
        {"asset": "M", "time_to_failure": "5h", "time_to_repair": "4h"}]), 7.0),
    "waiting for a fitter": (shop(
        {"A": [at("M", "2h")]}, machines=[{"machine": "M", "units": 3}], crews=[{"crew": "fitter"}],
        orders=[{"quantity": 20}], failures=[
            {"asset": "M", "time_to_failure": "5h", "time_to_repair": "3h", "clock": "elapsed",
             "crew": "fitter"}]), 7.0),
    "waiting for a spare": (shop(
        {"A": [at("M", "2h")]}, orders=[{"quantity": 5}], products=[{"product": "belt"}],
        stock=[{"product": "belt", "policy": "base_stock", "order_up_to": 0}],
        sites=[{"site": "maker", "kind": "supplier"}],
        supply=[{"site": "maker", "product": "belt"}],
        lanes=[{"origin": "maker", "destination": "shop", "transit": "6h"}],
        failures=[{"asset": "M", "time_to_failure": "3h", "time_to_repair": "1h",
                   "spare": "belt"}]), 5.0),
    "outside the shift": (shop(
        {"A": [at("M", "3h")]}, machines=[{"machine": "M", "calendar": "day"}],
        orders=[{"quantity": 5}],
        calendars=[{"calendar": "day", "day": "daily", "from": "08:00", "to": "16:00"}]), 18.0),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rest_of_the_story(case: str) -> None:
    network, moment = CASES[case]
    check(network, moment)


def test_a_wait_for_a_crew_goes_on() -> None:
    """Its clock started anew: two hours of waiting had passed, of which nobody knew any more."""
    network = shop({"A": [at("M", "4h")]}, machines=[{"machine": "M", "units": 2, "crew": "hands"}],
                   crews=[{"crew": "hands"}], orders=[{"quantity": 2}])
    state = play(network, BASELINE, horizon_h=3.0, save_at=2.0).state
    assert state is not None
    assert state.actors["crew hands"] == {"holders": ["M#1"], "waiting": [["M#2", 1, 2.0]]}
    sums = play(network, BASELINE, horizon_h=9.0, state=state).tally
    assert (sums.total("crew_wait"), sums.total("crew_requests")) == (4.0, 1.0)


def test_a_state_that_leaves_out_who_works_where() -> None:
    """As measured, perhaps: whoever needs a crew asks for it, whoever is idle looks for work."""
    network = shop({"A": [at("M", "4h")], "B": [at(None, "2h", crew="hands")]},
                   machines=[{"machine": "M", "units": 2, "crew": "hands"}],
                   crews=[{"crew": "hands", "size": 2}],
                   orders=[{"quantity": 2}, {"product": "B", "placed": "1h"}])
    state = play(network, BASELINE, horizon_h=3.0, save_at=2.0).state
    assert state is not None
    del state.actors["crew hands"], state.actors["M#2"]
    state.actors["group shop/M"] = {"queue": [2], "outside": [], "idle": [], "hungry": []}
    state.agenda.clear()
    sums = play(network, BASELINE, horizon_h=9.0, state=state).tally
    # the delay and M#1 have their crew at once; M#2 begins anew when the delay ends
    assert (sums.total("lots_finished"), sums.total("crew_busy_time")) == (3.0, 2.0 + 2.0 + 4.0)
