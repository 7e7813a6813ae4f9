"""A run that is saved and taken up again goes on as if nothing had been."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from tests.simulate.chains import BASELINE, scenario
from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State

DAY = 24.0


def chain(gap: str, lead: str, sea: str, leg: str, **changes: Any) -> Network:
    """Everything that a stock network can be in the middle of, in one place.

    A supplier with little capacity, a ship, a depot that is full at times, two trucks between
    docks, a shelf with a lagging record and a forecast, a reseller without stock, four customers.
    """
    tables: dict[str, Any] = {
        "sites": [
            {"site": "S", "kind": "supplier"}, {"site": "X", "kind": "supplier"},
            {"site": "D", "kind": "warehouse", "handling_time": "5h"},
            {"site": "B", "kind": "warehouse", "record_delay": "30h", "count_period": "10d"},
            {"site": "E", "kind": "warehouse"},
            {"site": "R", "kind": "warehouse", "sourcing": "split"}, {"site": "C",
                                                                     "kind": "customer"}],
        "products": [{"product": "A", "weight_kg": 1, "volume_m3": 1, "shelf_life": "7d",
                      "value": 3, "max_c": 8}],
        "supply": [{"site": "S", "product": "A", "lead_time": lead, "capacity_per_day": 24,
                    "price": 2, "payment": "30d", "fill": 0.9, "order_cost": 5},
                   {"site": "X", "product": "A", "lead_time": lead, "price": 4,
                    "fill": 0.8}],
        "lanes": [
            {"origin": "S", "destination": "D", "mode": "sea", "transit": sea, "via": "E"},
            {"origin": "D", "destination": "B", "mode": "truck", "fleet": "D", "transit": leg,
             "order_delay": "30h", "min_load": 0.5, "max_wait": "20h", "cost_per_shipment": 9,
             "distance_km": 30},
            {"origin": "D", "destination": "E", "mode": "truck", "fleet": "D", "transit": leg,
             "distance_km": 50},
            {"origin": "X", "destination": "D", "transit": sea, "share": 0.4},
            {"origin": "B", "destination": "R", "transit": leg, "share": 2,
             "order_delay": "9h"},
            {"origin": "X", "destination": "R", "transit": leg, "departures": "2d"},
            {"origin": "R", "destination": "C", "transit": leg, "wrong_documents": 1}],
        "trucks": [{"truck": "T", "home": "D", "units": 2, "capacity_kg": 8, "cost_per_km": 1,
                    "refrigerated": True}],
        "docks": [{"site": "D", "direction": "out", "time": "2h"},
                  {"site": "D", "direction": "in", "time": "3h", "time_per_m3": "10min"},
                  {"site": "B", "direction": "in", "time": "2h"}],
        "storage": [{"site": "D", "area": "cold", "capacity_m3": 15, "min_c": 2, "max_c": 8},
                    {"site": "B", "area": "cold", "min_c": 2, "max_c": 8},
                    {"site": "E", "area": "cold", "min_c": 2, "max_c": 8}],
        "stock": [{"site": "D", "product": "A", "on_hand": 15, "policy": "s_S",
                   "reorder_point": 25, "order_up_to": 55, "holding_cost": 1,
                   "backorder_cost": 2, "source": "split"},
                  {"site": "B", "product": "A", "on_hand": 25, "policy": "forecast",
                   "forecast": "moving_average(n=5)", "review": "2d", "first_review": "9h",
                   "safety_factor": 0.5, "cover": "5d", "holding_cost": 1},
                  {"site": "E", "product": "A", "on_hand": 8, "policy": "kanban",
                   "order_up_to": 12, "order_quantity": 4}],
        "demand": [
            {"site": "B", "product": "A", "interarrival": gap, "size": 2, "promise": "1d",
             "price": 9},
            {"site": "E", "product": "A", "interarrival": gap, "size": 1, "unmet": "lost",
             "profile": "day"},
            {"site": "B", "product": "A", "stream": "big", "interarrival": "90h", "size": 9,
             "partial": False, "priority": 2},
            {"site": "C", "product": "A", "interarrival": "31h", "start": "13h", "size": 3,
             "price": 12, "payment": "10d", "unmet": "lost"},
            {"site": "E", "product": "A", "stream": "few", "interarrival": "57h",
             "start": "20d", "limit": 9}],
        "profiles": [{"profile": "day", "hour": hour, "factor": 2} for hour in range(8, 18)],
        "orders": [{"order": "late", "site": "B", "product": "A", "quantity": 5,
                    "placed": "30d", "due": "32d"},
                   {"order": "plan", "site": "D", "product": "A", "quantity": 6,
                    "placed": "29d", "source": "S"},
                   {"order": "sent", "site": "D", "product": "A", "quantity": 7,
                    "placed": "-5d", "due": "26d", "source": "S", "status": "shipped"}],
    }
    return Network(**(tables | changes))


CERTAIN = chain("11h", "15h", "50h", "5h")
RANDOM = chain("gamma(mean=11h, sd=6h)", "gamma(mean=15h, sd=9h)", "lognormal(mean=50h, sd=30h)",
               "uniform(low=2h, high=8h)")
BREAK = 25 * DAY + 1.5
WHAT = Scenario(name="what if", events={
    "rush": {"type": "demand", "sites": "B", "factor": 1.3, "start": "20d", "duration": "12d"},
    "slow": {"type": "transit", "modes": "sea", "factor": 1.5, "start": "24d", "duration": "6d"},
    "shut": {"type": "closure", "lanes": "X:*", "start": "24d", "duration": "4d"},
    "blind": {"type": "visibility", "sites": "E", "mode": "lost_visibility", "start": "22d",
              "duration": "5d"},
    "batch": {"type": "visibility", "sites": "B", "mode": "batch_reporting", "delay": "2d",
              "count_period": "3d", "start": "18d", "duration": "30d"},
    "gate": {"type": "closure", "sites": "E", "start": "24d", "duration": "4d"},
    "warm": {"type": "refrigeration", "trucks": "*", "areas": "*/cold", "start": "25d",
             "duration": "1d"},
    "more": {"type": "policy", "sites": "D", "reorder_point_factor": 1.2, "reorder_point": 21,
             "order_up_to": 50, "start": "15d"},
    "other": {"type": "policy", "sites": "E", "order_quantity": 3, "start": "15d"},
    "safe": {"type": "policy", "sites": "B", "safety_stock": 2, "start": "15d"},
    "out": {"type": "outage", "suppliers": "S", "start": "24d", "duration": "30h"},
    "truck": {"type": "extra_trucks", "home": "D", "units": 1, "start": "23d", "duration": "3d"},
})


def after(network: Network, what: Scenario, at: float, hours: float, *, state: State | None = None,
          replication: int = 0) -> dict[Any, float]:
    """The sums of the hours after a moment: of an unbroken run, or of one that starts there."""
    if state is not None:
        return play(network, BASELINE, horizon_h=hours, state=state,
                    replication=replication).tally.sums
    return play(network, what, horizon_h=at + hours, warmup_h=at,
                replication=replication).tally.sums


def saved(network: Network, what: Scenario, at: float, replication: int = 0) -> State:
    """The state of a run at a moment, through its document."""
    state = play(network, what, horizon_h=at, save_at=at, replication=replication).state
    assert state is not None
    return State.from_document(json.loads(json.dumps(state.document(), allow_nan=False)))


def differences(one: dict[Any, float], other: dict[Any, float]) -> list[Any]:
    """Keys whose values differ."""
    return sorted(key for key in one.keys() | other.keys()
                  if one.get(key, 0.0) != pytest.approx(other.get(key, 0.0), rel=1e-9, abs=1e-6))


MOMENTS = (BREAK, 3.25, 7 * DAY + 1.7, 23 * DAY + 5, 27 * DAY + 0.75, 33 * DAY)


@pytest.mark.parametrize(("at", "what"), [
    *((at, BASELINE) for at in MOMENTS), (BREAK, WHAT), (26 * DAY, WHAT), (33 * DAY, WHAT)])
def test_a_certain_world_goes_on_exactly(at: float, what: Scenario) -> None:
    unbroken = after(CERTAIN, what, at, 40 * DAY)
    broken = after(CERTAIN, what, at, 40 * DAY, state=saved(CERTAIN, what, at))
    assert differences(unbroken, broken) == []


#: B has a dock behind its window, R none.
WINDOWED = chain("11h", "15h", "50h", "5h", windows=[
    {"site": "B", "open": "06:00", "close": "17:00", "service": "40min"},
    {"site": "R", "day": "mon-sat", "open": "05:00", "close": "09:00", "service": "5h"},
    {"site": "R", "day": "sun", "open": "07:00", "close": "08:00"}])


def test_those_who_wait_for_a_window_wait_on_in_a_state() -> None:
    waiting = standing = 0
    for number in range(16):
        at = 20 * DAY + 4.9 * number
        state = saved(WINDOWED, BASELINE, at)
        waiting += any(state.actors[f"reception {site}"]["queue"] for site in "BR")
        standing += bool(state.actors["stop R"]["serving"])
        unbroken = after(WINDOWED, BASELINE, at, 10 * DAY)
        broken = after(WINDOWED, BASELINE, at, 10 * DAY, state=state)
        assert differences(unbroken, broken) == [], at
    assert waiting > 3
    assert standing > 0


def test_hours_at_the_wheel_go_on() -> None:
    drivers = chain("11h", "15h", "50h", "7h", crews=[
        {"crew": "pool", "size": 1, "calendar": "late", "drive_max": "3h", "break": "45min",
         "day_max": "8h"}], calendars=[{"calendar": "late", "from": "04:00", "to": "23:00"}],
        trucks=[{"truck": "T", "home": "D", "units": 2, "capacity_kg": 8, "cost_per_km": 1,
                 "refrigerated": True, "crew": "pool"}])
    resting = driving = 0
    for number in range(20):
        at = 20 * DAY + 4.6 * number
        state = saved(drivers, BASELINE, at)
        seats = [state.actors[f"driver T#{unit}"] for unit in (1, 2)]
        resting += any((seat["rest_left"] or 0.0) > 0.0 for seat in seats)
        driving += any(seat["stood_age"] == 0.0 for seat in seats)
        unbroken = after(drivers, BASELINE, at, 10 * DAY)
        broken = after(drivers, BASELINE, at, 10 * DAY, state=state)
        assert differences(unbroken, broken) == [], at
    assert resting > 3
    assert driving > 3


def test_a_ledger_goes_on_too() -> None:
    """The opening stock of the tables stood in the ledger of a run that began later."""
    state = play(CERTAIN, BASELINE, horizon_h=BREAK, save_at=BREAK, ledger=Ledger()).state
    ledger = Ledger()
    play(CERTAIN, BASELINE, horizon_h=40 * DAY, state=state, ledger=ledger)
    whole = Ledger()
    play(CERTAIN, BASELINE, horizon_h=BREAK + 40 * DAY, ledger=whole)
    rows, all_rows = ledger.frame(), whole.frame()
    for word in ("delivering", "arriving", "picking", "expiring", "ordering"):
        later = all_rows[(all_rows["event"] == word) & (all_rows["time"] >= BREAK)]
        now = rows[rows["event"] == word]
        assert now["time"].tolist() == pytest.approx(later["time"].tolist()), word
        assert now["quantity"].sum() == pytest.approx(later["quantity"].sum()), word
        assert now["lot"].tolist()[:5] == later["lot"].tolist()[:5], word


def test_a_state_is_a_file(tmp_path: Path) -> None:
    state = saved(RANDOM, WHAT, BREAK)
    state.write(tmp_path / "state.json")
    assert State.read(tmp_path / "state.json") == state
    (tmp_path / "bad.json").write_text("[1")
    with pytest.raises(ValueError, match="is not a state"):
        State.read(tmp_path / "bad.json")
    for part, value in (("clock_h", None), ("actors", []), ("agenda", {}), ("clock_h", -1.0)):
        (tmp_path / "bad.json").write_text(json.dumps({**state.document(), part: value}))
        with pytest.raises(ValueError, match=f"is not a state: what it says of {part}"):
            State.read(tmp_path / "bad.json")


def test_saving_changes_nothing() -> None:
    plain = play(RANDOM, WHAT, horizon_h=50 * DAY).tally.sums
    assert play(RANDOM, WHAT, horizon_h=50 * DAY, save_at=BREAK).tally.sums == plain


@pytest.mark.parametrize("moment", [-1.0, 25.0])
def test_a_moment_outside_the_run(moment: float) -> None:
    with pytest.raises(ValueError, match="outside the run"):
        play(CERTAIN, BASELINE, horizon_h=24.0, save_at=moment)
    with pytest.raises(ValueError, match="outside the run"):
        play(CERTAIN, BASELINE, horizon_h=24.0, warmup_h=moment)


@pytest.mark.long
@pytest.mark.parametrize("what", [BASELINE, WHAT], ids=["baseline", "disturbed"])
def test_a_random_world_goes_on_statistically(what: Scenario) -> None:
    """Paired over 200 replications: the week after the break, unbroken and from the state."""
    kpis: dict[str, list[float]] = {}
    for replication in range(200):
        unbroken = after(RANDOM, what, BREAK, 6 * DAY, replication=replication)
        state = saved(RANDOM, what, BREAK, replication)
        broken = after(RANDOM, what, BREAK, 6 * DAY, state=state, replication=1000 + replication)
        for measure in ("on_hand_time", "backorder_time", "in_transit_time", "units_delivered",
                        "units_received", "units_shipped", "trips", "orders", "cycle_time",
                        "units_supplied", "on_order_time", "dock_wait", "units_expired",
                        "truck_busy_time", "wait_to_depart", "units_replenished", "supply_time",
                        "record_gap_time"):
            one, other = (sum(value for key, value in sums.items() if key[0] == measure)
                          for sums in (unbroken, broken))
            kpis.setdefault(measure, []).append(other - one)
    scores = {measure: fmean(gaps) / (stdev(gaps) / len(gaps) ** 0.5)
              for measure, gaps in kpis.items() if stdev(gaps) > 0.0}
    assert len(scores) > 12
    # Eighteen looks at 4e-4 each: a false alarm in a hundred and fifty.
    assert {measure: round(score, 1) for measure, score in scores.items()
            if abs(score) > 3.6} == {}


# -- every field of the state matters -------------------------------------------------------------


def fields(values: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to the mappings' entries in plain values; lists are looked into."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield (*path, key)
            yield from fields(value, (*path, key))
    elif isinstance(values, list):
        for place, value in enumerate(values):
            yield from fields(value, (*path, place))


def kind_of(path: tuple[Any, ...]) -> str:
    """What a path says, whichever actor, order or row it belongs to."""
    names = [str(part) for part in path if not isinstance(part, int)]
    if names[0] == "actors" and len(names) > 1:
        actor = names[1].split(" ")[0] if " " in names[1] else (
            "lane" if names[1].count(":") == 2 else "place")
        names[1] = actor
    return ".".join(names)


def emptied(value: Any) -> Any:
    """A value that says nothing."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 0.5 + 3.3
    if isinstance(value, list | dict):
        return type(value)()
    return None


def _drop(document: dict[str, Any], path: tuple[Any, ...]) -> State:
    changed = deepcopy(document)
    at: Any = changed
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = emptied(at[path[-1]])
    return State.from_document(changed)


#: Kinds of field that change nothing here, each with the reason.
IDLE = {
    "model": "a label",
    "agenda": "nothing here falls together in another order than that of its actors",
    "orders.stream": "plants count their lots by it",
    "actors.customer.age": "the next state is saved with it: see below",
    "actors.place.spoils_in": "the stores are empty: see below",
    "actors.hands.queue": "hands never queue",
    "actors.hands.serving.volume": "handling does not look at volume",
    "actors.hands.serving.load.age": "goods are ready when they have been picked",
}
IDLE |= {f"actors.fleet.{truck}.warm_age": "see below" for truck in ("T#1", "T#2", "T+truck1")}
#: How long goods had waited was counted when they left.
IDLE |= {f"actors.{place}.load.age": "they have left" for place in (
    "lane.moving", "lane.held", "place.queue", "place.serving", "fleet.T#1", "fleet.T#2",
    "fleet.T+truck1")}


def _outcome(network: Network, state: State) -> Any:
    """What follows from a state: all sums and every event of thirty days, or how it breaks."""
    ledger = Ledger()
    try:
        sums = play(network, BASELINE, horizon_h=30 * DAY, state=state, ledger=ledger).tally.sums
    except Exception as error:  # whatever a spoilt state leads to
        return type(error)
    return ledger.digest(), tuple(sums.items())


@pytest.mark.long
def test_no_field_of_a_state_may_be_left_out() -> None:
    """Each kind of field, spoilt in turn wherever it stands, changes what follows somewhere."""
    # among them: goods outside, a queue at each dock, ships at a closed port, warm stores
    moments = (*MOMENTS, 130.0, 467.0, 521.0, 553.8, 570.7, 602.5, 660.4, 675.0, 789.1)
    idle: dict[str, bool] = {}
    for network in (CERTAIN, RANDOM):
        for at in moments:
            document = saved(network, WHAT, at).document()
            expected = _outcome(network, State.from_document(deepcopy(document)))
            for path in fields(document):
                kind = kind_of(path)
                if kind not in IDLE and idle.get(kind, True):
                    idle[kind] = _outcome(network, _drop(document, path)) == expected
    assert len(idle) > 180
    assert {kind for kind, same in idle.items() if same} == set()


@pytest.mark.parametrize("at", MOMENTS)
def test_a_state_taken_up_and_saved_at_once_is_the_same(at: float) -> None:
    state = saved(CERTAIN, WHAT, at)
    again = play(CERTAIN, BASELINE, horizon_h=0.0, state=state, save_at=0.0).state
    assert again is not None
    assert {order["number"]: order for order in again.orders}.keys() == {
        order["number"] for order in state.orders}
    for name, values in state.actors.items():
        if name.startswith(("customer", "shelf", "supplier", "hands", "pass")):
            assert _rounded(again.actors[name]) == _rounded(values), name


def _rounded(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _rounded(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return round(values, 6) if isinstance(values, float) else values


@pytest.mark.parametrize(("at", "wasted"), [(5.0, 3.0), (3.95, 3.0), (2.0, 3.0)])
def test_a_truck_whose_refrigeration_has_failed(at: float, wasted: float) -> None:
    """It is the time without, from its beginning, that spoils the load: 2.1 of six hours."""
    network = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "C", "kind": "customer"}],
        products=[{"product": "A", "weight_kg": 1, "max_c": 8}],
        supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "C", "mode": "truck", "fleet": "S",
                "transit": "6h", "refrigerated": True}],
        trucks=[{"truck": "T", "home": "S", "refrigerated": True}],
        demand=[{"site": "C", "product": "A", "interarrival": "30d", "start": "0h", "size": 3}])
    warm = scenario(type="refrigeration", trucks="T", start=3.9)
    state = saved(network, warm, at)
    rest = BASELINE if at > 3.9 else scenario(type="refrigeration", trucks="T", start=3.9 - at)
    sums = play(network, rest, horizon_h=24.0, state=state).tally
    assert sums.total("units_spoiled") == wasted


def test_a_store_that_is_no_longer_cold() -> None:
    """Two hours after the failure its stock is thrown away, one hour of which has passed."""
    network = Network(
        sites=[{"site": "W", "kind": "warehouse"}],
        products=[{"product": "A", "max_c": 8}], supply=[{"site": "W", "product": "A"}],
        storage=[{"site": "W", "area": "cold", "min_c": 2, "max_c": 8}],
        stock=[{"site": "W", "product": "A", "on_hand": 6}])
    state = saved(network, scenario(type="refrigeration", areas="W/cold", start="5h"), 6.0)
    sums = play(network, BASELINE, horizon_h=4.0, state=state).tally
    assert sums.total("on_hand_time") == 6 * 1.0


def test_goods_under_way_from_before_the_start_come_when_the_row_says() -> None:
    """In a state they became a draw of the lane's transit time, given how late they were."""
    network = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "W", "transit": "lognormal(mean=5d, sd=9d)"}],
        stock=[{"site": "W", "product": "A"}],
        orders=[{"order": "1", "site": "W", "product": "A", "quantity": 7, "placed": "-5d",
                 "due": "26d", "source": "S", "status": "shipped"}])
    sums = play(network, BASELINE, horizon_h=4 * DAY, state=saved(network, BASELINE, 24 * DAY))
    assert sums.tally.total("on_hand_time") == pytest.approx(7 * 2 * DAY)
